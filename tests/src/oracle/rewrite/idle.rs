//! Terms that cost lookups and decide nothing, however what they ask turns out: found by trying.

use std::collections::BTreeSet;

use super::super::tree::{Client, Domain, Mechanism, Name, Term, Tree};
use super::Wish;
use super::answers::matches;
use super::layout::moved;
use super::state::States;

impl Tree {
    /// The tree without these terms, which is for where its records are opened.
    pub(super) fn lean(&self, wish: &Wish) -> Self {
        let (mut lean, mut states) = (self.clone(), States::new());
        for n in 0..self.domains.len() {
            while let Some(at) = lean.idle(n, wish, &mut states) {
                if let Some(Domain::Record(terms)) = lean.domains.get_mut(n) {
                    terms.remove(at);
                }
            }
        }
        lean
    }

    /// The last such term of a record.
    fn idle(&self, n: usize, wish: &Wish, states: &mut States) -> Option<usize> {
        let terms = self.terms(n)?;
        let may_go = |at: &usize| {
            let Some(Term::Directive(_, mechanism)) = terms.get(*at) else { return false };
            let is_kept = self.asks_for_kept(moved(*mechanism, n), wish);
            // What is kept stays where it stands first.
            let same =
                |term: &Term| matches!(term, Term::Directive(_, of) if moved(*of, n) == moved(*mechanism, n));
            !mechanism.is_free() && (!is_kept || terms.iter().take(*at).any(same))
        };
        let found: Vec<usize> = (0..terms.len()).rev().filter(may_go).collect();
        found.into_iter().find(|at| self.decides_nothing(n, *at, states))
    }

    /// Whether a term asks about a name to keep, or leads to one that does.
    fn asks_for_kept(&self, mechanism: Mechanism, wish: &Wish) -> bool {
        let is_kept = |mechanism: Mechanism| match mechanism {
            Mechanism::Include(Name::Domain(of))
            | Mechanism::Exists(Name::Domain(of))
            | Mechanism::A(Name::Domain(of), ..)
            | Mechanism::Mx(Name::Domain(of), ..) => wish.keep.contains(&of),
            _ => false,
        };
        let everything: BTreeSet<usize> = (0..self.domains.len()).collect();
        let below = match mechanism {
            Mechanism::Include(Name::Domain(of)) => {
                let mut below = self.reached(of, &everything);
                below.insert(of);
                below
            }
            _ => BTreeSet::new(),
        };
        is_kept(mechanism)
            || below.intersection(&wish.keep).next().is_some()
            || below.iter().any(|n| self.parts(*n).0.iter().any(|(_, one)| is_kept(moved(*one, *n))))
    }

    fn decides_nothing(&self, n: usize, at: usize, states: &mut States) -> bool {
        let (terms, all, redirect) = self.parts(n);
        let Some((_, mechanism)) = terms.get(at) else { return false };
        let mechanism = moved(*mechanism, n);
        if Client::all().any(|client| self.errs(mechanism, client, states)) {
            return false;
        }
        let mut questions: Vec<Mechanism> = Vec::new();
        for (_, mechanism) in terms.iter().filter(|(_, mechanism)| !mechanism.is_free()) {
            if !questions.contains(&moved(*mechanism, n)) {
                questions.push(moved(*mechanism, n));
            }
        }
        let end = if redirect.is_some() { 'r' } else { all.unwrap_or('?') };
        let is_exact = self.outermost().contains(&n);
        let same = |one: char, other: char| {
            let is_miss = |result: char| result != '+' && result != 'e';
            one == other || !is_exact && redirect.is_none() && is_miss(one) && is_miss(other)
        };
        // Of what stays each may end with an error some day: a third answer, but to the question itself.
        let is_own =
            |one: &Mechanism| is_wider(*one, mechanism) || is_wider(mechanism, *one) || *one == mechanism;
        let count = u32::try_from(questions.len()).unwrap_or(u32::MAX);
        let answer = |world: u32, one: Mechanism| {
            let question = questions.iter().position(|question| *question == moved(one, n)).unwrap_or(0);
            world / 3u32.pow(u32::try_from(question).unwrap_or(0)) % 3
        };
        let is_possible = |world: &u32| {
            questions.iter().all(|one| match answer(*world, *one) {
                0 => true,
                1 => questions.iter().all(|other| !is_wider(*other, *one) || answer(*world, *other) == 1),
                _ => !is_own(one),
            })
        };
        (0..3u32.pow(count)).filter(is_possible).all(|world| {
            Client::all().all(|client| {
                let result = |without: Option<usize>| {
                    let decides = |(place, (qualifier, mechanism)): (usize, &(char, Mechanism))| {
                        if without == Some(place) {
                            None
                        } else if mechanism.is_free() {
                            matches(mechanism, client).then_some(*qualifier)
                        } else {
                            match answer(world, *mechanism) {
                                0 => None,
                                1 => Some(*qualifier),
                                _ => Some('e'),
                            }
                        }
                    };
                    terms.iter().enumerate().find_map(decides).unwrap_or(end)
                };
                same(result(None), result(Some(at)))
            })
        })
    }

    /// The record itself and those that it redirects to: what they say is the result.
    fn outermost(&self) -> BTreeSet<usize> {
        let (mut found, mut next) = (BTreeSet::new(), Some(0));
        while let Some(n) = next.filter(|n| found.insert(*n)) {
            next = self.parts(n).2;
        }
        found
    }
}

/// Whether one matches wherever the other does, for both families, as both ask the same.
fn is_wider(one: Mechanism, other: Mechanism) -> bool {
    match (one, other) {
        (Mechanism::A(of, v4, v6), Mechanism::A(also, w4, w6))
        | (Mechanism::Mx(of, v4, v6), Mechanism::Mx(also, w4, w6)) => of == also && v4 <= w4 && v6 <= w6,
        _ => false,
    }
}
