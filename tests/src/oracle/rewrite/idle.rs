//! Terms that cost lookups and decide nothing, however what they ask turns out: found by trying.

use std::collections::BTreeSet;

use super::super::tree::{Client, Domain, Mechanism, Name, Term, Tree};
use super::Wish;
use super::answers::matches;
use super::layout::moved;
use super::state::{State, States};

impl Tree {
    /// The tree without these terms, which is for where its records are opened.
    #[must_use]
    pub fn lean(&self, wish: &Wish) -> Self {
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
            let is_kept = match moved(*mechanism, n) {
                Mechanism::Include(Name::Domain(of))
                | Mechanism::Exists(Name::Domain(of))
                | Mechanism::A(Name::Domain(of), ..)
                | Mechanism::Mx(Name::Domain(of), ..) => wish.keep.contains(&of),
                _ => false,
            };
            // What is kept stays where it stands first.
            let same =
                |term: &Term| matches!(term, Term::Directive(_, of) if moved(*of, n) == moved(*mechanism, n));
            !mechanism.is_free() && (!is_kept || terms.iter().take(*at).any(same))
        };
        let found: Vec<usize> = (0..terms.len()).rev().filter(may_go).collect();
        found.into_iter().find(|at| self.decides_nothing(n, *at, states))
    }

    fn decides_nothing(&self, n: usize, at: usize, states: &mut States) -> bool {
        let (terms, all, redirect) = self.parts(n);
        let Some((_, mechanism)) = terms.get(at) else { return false };
        let mechanism = moved(*mechanism, n);
        if Client::all().any(|client| self.state(mechanism, client, states) == State::Errs) {
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
            one == other || !is_exact && redirect.is_none() && one != '+' && other != '+'
        };
        let worlds = 0..1u32 << questions.len();
        let yes = |world: u32, mechanism: Mechanism| {
            let question = questions.iter().position(|question| *question == moved(mechanism, n));
            question.is_some_and(|question| world >> question & 1 == 1)
        };
        let is_possible = |world: &u32| {
            let narrow = |one: &Mechanism| yes(*world, *one);
            questions
                .iter()
                .filter(|one| narrow(one))
                .all(|one| questions.iter().all(|other| !is_wider(*other, *one) || yes(*world, *other)))
        };
        worlds.filter(is_possible).all(|world| {
            Client::all().all(|client| {
                let result = |without: Option<usize>| {
                    let decides = |(place, (qualifier, mechanism)): (usize, &(char, Mechanism))| {
                        let is_match = if mechanism.is_free() {
                            matches(mechanism, client)
                        } else {
                            yes(world, *mechanism)
                        };
                        (is_match && without != Some(place)).then_some(*qualifier)
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
