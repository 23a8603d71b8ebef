//! Every record that may stand for another one, made one by one: what `compact` has to find the best of.
//!
//! A candidate opens some of the records that the tree refers to and keeps the others. Which networks it needs is found by trying:
//! what it keeps is a question that may be answered either way, and a network is allowed where no answer tells the two
//! records apart.

mod answers;
mod idle;
mod layout;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use answers::{decided, matches, run, worlds};
use layout::Layout;
use state::{States, Walk};

use super::cover::{Allowed, cover};
use super::tree::{Client, Domain, Mechanism, Name, Term, Tree};

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Records that stay.
    pub keep: BTreeSet<usize>,
    /// Records that are opened and do not count as frozen.
    pub flatten: BTreeSet<usize>,
    /// Hosts whose addresses are written out.
    pub hosts: BTreeSet<usize>,
}

/// A candidate, without a distribution to extra records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Records that are opened and that somebody else may change.
    pub frozen: usize,
    /// Its terms in their order, with the octets that each may save as part of an extra record and its qualifier.
    pub items: Vec<Item>,
}

/// A term of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// As the record itself has it.
    pub text: String,
    /// The qualifier, and how an extra record has it; none for `all` and `redirect`.
    pub moved: Option<(char, String)>,
}

impl Tree {
    fn terms(&self, n: usize) -> Option<&[Term]> {
        match self.domains.get(n) {
            Some(Domain::Record(terms)) => Some(terms),
            _ => None,
        }
    }

    /// The terms up to `all`, its result, and where the record goes on.
    fn parts(&self, n: usize) -> (Vec<(char, Mechanism)>, Option<char>, Option<usize>) {
        let terms = self.terms(n).unwrap_or_default();
        let directives = terms.iter().filter_map(|term| match term {
            Term::Directive(qualifier, mechanism) => Some((*qualifier, *mechanism)),
            Term::Redirect(_) => None,
        });
        let directives: Vec<(char, Mechanism)> = directives.collect();
        let all = directives.iter().position(|(_, mechanism)| *mechanism == Mechanism::All);
        let result = all.and_then(|at| directives.get(at)).map(|(qualifier, _)| *qualifier);
        let redirect = terms.iter().find_map(|term| match term {
            Term::Redirect(Name::Domain(n)) if result.is_none() => Some(*n),
            _ => None,
        });
        (directives.into_iter().take(all.unwrap_or(usize::MAX)).collect(), result, redirect)
    }

    /// The records that a record refers to.
    fn references(&self, n: usize) -> BTreeSet<usize> {
        let (terms, _, redirect) = self.parts(n);
        let included = terms.iter().filter_map(|(_, mechanism)| match mechanism {
            Mechanism::Include(Name::Domain(n)) => Some(*n),
            _ => None,
        });
        included.chain(redirect).filter(|n| self.terms(*n).is_some()).collect()
    }

    /// Whether any network of the tree holds a client.
    fn names(&self, client: Client) -> bool {
        let everything: BTreeSet<usize> = (0..self.domains.len()).collect();
        let holds = |n: &usize| self.parts(*n).0.iter().any(|(_, mechanism)| matches(mechanism, client));
        self.reached(0, &everything).iter().chain([&0]).any(holds)
    }

    /// The records that can be reached from one through some of them.
    fn reached(&self, from: usize, through: &BTreeSet<usize>) -> BTreeSet<usize> {
        let (mut found, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(n) = open.pop() {
            for next in self.references(n) {
                if found.insert(next) && through.contains(&next) {
                    open.push(next);
                }
            }
        }
        found
    }

    /// Every candidate. What decides nothing is in none of them, but the addresses that it names are known.
    pub fn candidates(&self, wish: &Wish) -> Vec<Candidate> {
        let named: BTreeSet<Client> = Client::all().filter(|client| self.names(*client)).collect();
        self.lean(wish).opened(wish, &named)
    }

    fn opened(&self, wish: &Wish, named: &BTreeSet<Client>) -> Vec<Candidate> {
        let everything: BTreeSet<usize> = (0..self.domains.len()).collect();
        // What leads back to itself is an error as it stands, and cannot be opened.
        let is_unit = |n: &usize| !wish.keep.contains(n) && !self.reached(*n, &everything).contains(n);
        let units: BTreeSet<usize> = self.reached(0, &everything).into_iter().filter(is_unit).collect();
        let forced: BTreeSet<usize> = units.intersection(&wish.flatten).copied().collect();
        let free: Vec<usize> = units.difference(&forced).copied().collect();
        let (mut found, mut states) = (Vec::new(), States::new());
        for choice in 0..1usize << free.len() {
            let chosen = free.iter().enumerate().filter(|(at, _)| choice >> at & 1 == 1).map(|(_, n)| *n);
            let chosen: BTreeSet<usize> = chosen.collect();
            let opened: BTreeSet<usize> = chosen.union(&forced).copied().collect();
            // What is not reached is not opened: that choice is another one.
            if !chosen.is_subset(&self.reached(0, &opened)) {
                continue;
            }
            for merged in [false, true] {
                let items = self.candidate(wish, &opened, merged, named, &mut states);
                found.extend(items.map(|items| Candidate { frozen: chosen.len(), items }));
            }
        }
        found
    }

    fn candidate(
        &self,
        wish: &Wish,
        opened: &BTreeSet<usize>,
        merged: bool,
        named: &BTreeSet<Client>,
        states: &mut States,
    ) -> Option<Vec<Item>> {
        let mut layout = Layout {
            tree: self,
            wish,
            opened,
            merged,
            questions: Vec::new(),
            elements: Vec::new(),
            last: None,
        };
        let (nodes, end) = layout.outermost(0).ok()?;
        let clients: Vec<Client> = Client::all().collect();
        let worlds = worlds(layout.questions.len(), end);
        let count = layout.elements.len();
        let mut places: BTreeSet<usize> = BTreeSet::new();
        let mut allowed: Vec<BTreeMap<Client, Allowed>> = vec![BTreeMap::new(); count + 1];
        for client in clients {
            let meant: Vec<char> = worlds
                .iter()
                .map(|world| {
                    run(&nodes, client, world, &layout.elements).unwrap_or_else(|| end.result(world))
                })
                .collect();
            let is_right = |net: Option<(usize, char)>| {
                worlds.iter().zip(&meant).all(|(world, meant)| {
                    decided(&layout.elements, client, world, net).unwrap_or_else(|| end.result(world))
                        == *meant
                })
            };
            let walk = layout.walk(&nodes, client, None);
            let meant_at = match walk {
                Walk::CutOff => return None,
                Walk::Ends { at, .. } => at,
                Walk::On => None,
            };
            // Where the record says it anyway, but behind something that stays live, an error of that must not come to decide it:
            // its networks are not left out.
            let none =
                is_right(None) && meant_at.is_none_or(|at| layout.passed(at, count, client).next().is_none());
            // What comes to an error today would no longer.
            let end = if none { count } else { meant_at.unwrap_or(count) };
            let mut of = |at: usize| -> Vec<char> {
                if layout.errs(at, end, client, states) {
                    return Vec::new();
                }
                ['+', '-', '~', '?'].into_iter().filter(|one| is_right(Some((at, *one)))).collect()
            };
            let choices: Vec<Vec<char>> = (0..=count).map(&mut of).collect();
            let place = choices.iter().position(|choice| !choice.is_empty());
            if !none && place.is_none() {
                return None;
            }
            places.extend(place.filter(|_| !none));
            let is_named = named.contains(&client);
            for ((at, allowed), choice) in allowed.iter_mut().enumerate().zip(choices) {
                let is_here = place == Some(at) && !none;
                let may_be = none && (is_named || meant_at.is_some() && place == Some(at));
                let qualifiers = if is_here || may_be { choice } else { Vec::new() };
                allowed.insert(client, Allowed { none: !is_here, qualifiers });
            }
        }
        let mut items = Vec::new();
        for (at, allowed) in allowed.iter().enumerate() {
            // An exception alone says nothing.
            if places.contains(&at) {
                items.extend(cover(allowed)?.into_iter().map(Item::of));
            }
            items.extend(layout.elements.get(at).into_iter().flat_map(|(_, items)| items.clone()));
        }
        items.extend(layout.last.map(|text| Item { text, moved: None }));
        Some(items)
    }
}

impl Item {
    fn of(text: String) -> Self {
        let qualifier = text.chars().next().filter(|first| "+-~?".contains(*first));
        let moved = text.strip_prefix(['+', '-', '~', '?']).unwrap_or(&text).to_owned();
        Self { text, moved: Some((qualifier.unwrap_or('+'), moved)) }
    }
}
