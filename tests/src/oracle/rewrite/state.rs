//! What happens to a client on its way: past everything that stays live, and at what stays live today.

use super::super::Outcome;
use super::super::evaluate::{Limits, check, explore};
use super::super::tree::{Client, Domain, Mechanism, Term, Tree};
use super::answers::{matches, own};
use super::layout::{Element, End, Layout, Node};

impl Layout<'_> {
    /// The live terms between two places that a client comes to if none of them decides; the record's own networks end the way.
    pub(super) fn passed(&self, from: usize, to: usize, client: Client) -> impl Iterator<Item = Mechanism> {
        let elements = self.elements.iter().take(to).skip(from).map(|(element, _)| element);
        elements
            .take_while(move |element| !matches!(element, Element::Own(nets) if own(nets, client).is_some()))
            .filter_map(|element| match element {
                Element::Own(_) => None,
                Element::Live { question, .. } => self.questions.get(*question).copied(),
            })
    }

    /// Whether one of them may end with an error today.
    pub(super) fn errs(&self, from: usize, to: usize, client: Client, states: &mut States) -> bool {
        self.passed(from, to, client).any(|one| self.tree.errs(one, client, states))
    }

    /// The way of a client past everything that stays live; `until` is how many elements there are at the end of the record, if it
    /// is one that is included.
    pub(super) fn walk(&self, nodes: &[Node], client: Client, until: Option<usize>) -> Walk {
        let is_inside = |at: usize| until.is_some_and(|until| at < until);
        for node in nodes {
            match node {
                Node::Live { .. } => {}
                Node::Own(at) => {
                    if let Some((Element::Own(nets), _)) = self.elements.get(*at)
                        && let Some(qualifier) = own(nets, client)
                    {
                        // The record itself decides, whatever comes.
                        return Walk::Ends { qualifier, at: None };
                    }
                }
                Node::Net { mechanism, qualifier, at } => {
                    if matches(mechanism, client) {
                        // What is excluded before something that stays live would go on to that outside.
                        let is_cut_off = *qualifier != '+' && is_inside(*at);
                        let at = Some(*at);
                        return if is_cut_off {
                            Walk::CutOff
                        } else {
                            Walk::Ends { qualifier: *qualifier, at }
                        };
                    }
                }
                Node::Open { qualifier, nodes, end, until: inner } => {
                    let walk = match self.walk(nodes, client, Some(*inner)) {
                        Walk::On if *end == End::Result('+') => {
                            Walk::Ends { qualifier: '+', at: Some(*inner) }
                        }
                        other => other,
                    };
                    match walk {
                        Walk::Ends { qualifier: '+', at } => {
                            let is_cut_off = *qualifier != '+' && is_inside(*inner);
                            return if is_cut_off {
                                Walk::CutOff
                            } else {
                                Walk::Ends { qualifier: *qualifier, at }
                            };
                        }
                        Walk::CutOff => return Walk::CutOff,
                        Walk::Ends { .. } | Walk::On => {}
                    }
                }
            }
        }
        Walk::On
    }
}

/// Where the way of a client ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    On,
    /// With a qualifier, at networks that are not there any more, before the element of that number.
    Ends {
        qualifier: char,
        at: Option<usize>,
    },
    CutOff,
}

/// Whether a term may end with an error for a client today.
pub(super) type States = Vec<(Mechanism, Client, bool)>;

impl Tree {
    /// Whether a term may end with an error for a client today.
    pub(super) fn errs(&self, mechanism: Mechanism, client: Client, states: &mut States) -> bool {
        let known = states.iter().find(|(one, other, _)| *one == mechanism && *other == client);
        if let Some((.., known)) = known {
            return *known;
        }
        let mut alone = self.clone();
        if let Some(root) = alone.domains.first_mut() {
            *root = Domain::Record(vec![Term::Directive('+', mechanism)]);
        }
        let most = 10_000;
        let (mx_names, mx_addresses) = (most, most);
        let lifted =
            Limits { lookups: most, written: false, voids: most, queries: false, mx_names, mx_addresses };
        let found = explore(100_000, |world| Ok(check(&alone, client, &lifted, world)?.outcome));
        let is_error = |outcome: &Outcome| matches!(outcome, Outcome::PermError | Outcome::TempError);
        let errs = found.iter().flatten().any(|(_, outcome)| is_error(outcome));
        states.push((mechanism, client, errs));
        errs
    }
}
