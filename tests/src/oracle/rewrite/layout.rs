//! What a candidate keeps, and where what it opens stood.

use std::collections::BTreeSet;

use super::super::tree::{Answered, Mechanism, Name, Term, Tree, written};
use super::{Item, Wish};

/// A part of a record whose includes are opened.
pub(super) enum Node {
    Net { mechanism: Mechanism, qualifier: char, at: usize },
    Own(usize),
    Live { question: usize, qualifier: char },
    Open { qualifier: char, nodes: Vec<Node>, end: End, until: usize },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Result(char),
    Question(usize),
}

/// A part of the new record that is not new.
pub(super) enum Element {
    Own(Vec<(Mechanism, char)>),
    Live { question: usize, qualifier: char },
}

/// No such candidate: what is kept would mean something else.
pub(super) struct Conflict;

pub(super) struct Layout<'a> {
    pub(super) tree: &'a Tree,
    pub(super) wish: &'a Wish,
    pub(super) opened: &'a BTreeSet<usize>,
    pub(super) merged: bool,
    pub(super) questions: Vec<Mechanism>,
    pub(super) elements: Vec<(Element, Vec<Item>)>,
    /// The text of `all` or of the redirect.
    pub(super) last: Option<String>,
}
impl Layout<'_> {
    /// A record whose results are the results.
    pub(super) fn outermost(&mut self, n: usize) -> Result<(Vec<Node>, End), Conflict> {
        let mut nodes = Vec::new();
        let (terms, all, redirect) = self.tree.parts(n);
        let mut is_after_net = false;
        for (qualifier, mechanism) in terms {
            let is_net = matches!(mechanism, Mechanism::Ip4(..) | Mechanism::Ip6(..));
            if is_net && n == 0 && !self.merged {
                let text = written(&Term::Directive(qualifier, mechanism));
                match self.elements.last_mut() {
                    Some((Element::Own(nets), items)) if is_after_net => {
                        nets.push((mechanism, qualifier));
                        items.push(Item::of(text));
                    }
                    _ => {
                        nodes.push(Node::Own(self.elements.len()));
                        self.elements
                            .push((Element::Own(vec![(mechanism, qualifier)]), vec![Item::of(text)]));
                    }
                }
            } else {
                let own = (n == 0).then(|| written(&Term::Directive(qualifier, mechanism)));
                nodes.push(self.node(n, qualifier, mechanism, Some(qualifier), own)?);
            }
            is_after_net = is_net;
        }
        if let Some(next) = redirect.filter(|next| self.opened.contains(next)) {
            let (more, end) = self.outermost(next)?;
            nodes.extend(more);
            if self.last.is_none()
                && let End::Result(result) = end
                && result != '?'
            {
                self.last = Some(written(&Term::Directive(result, Mechanism::All)));
            }
            return Ok((nodes, end));
        }
        if let Some(next) = redirect {
            self.last = Some(written(&Term::Redirect(Name::Domain(next))));
            return Ok((nodes, End::Question(self.question(Mechanism::Include(Name::Domain(next))))));
        }
        if n == 0 {
            self.last = all.map(|all| written(&Term::Directive(all, Mechanism::All)));
        }
        Ok((nodes, End::Result(all.unwrap_or('?'))))
    }

    /// A record that is included, and passes with `live` where that can be said outside.
    pub(super) fn included(&mut self, n: usize, live: Option<char>) -> Result<(Vec<Node>, End), Conflict> {
        let mut nodes = Vec::new();
        let (terms, all, redirect) = self.tree.parts(n);
        for (qualifier, mechanism) in terms {
            let live = live.filter(|_| qualifier == '+');
            nodes.push(self.node(n, qualifier, mechanism, live, None)?);
        }
        match redirect {
            Some(next) if self.opened.contains(&next) => {
                let (more, end) = self.included(next, live)?;
                nodes.extend(more);
                Ok((nodes, end))
            }
            Some(next) => {
                let question = self.kept(Mechanism::Include(Name::Domain(next)), live.ok_or(Conflict)?, None);
                Ok((nodes, End::Question(question)))
            }
            None => Ok((nodes, End::Result(all.unwrap_or('?')))),
        }
    }

    pub(super) fn node(
        &mut self,
        n: usize,
        qualifier: char,
        mechanism: Mechanism,
        live: Option<char>,
        own: Option<String>,
    ) -> Result<Node, Conflict> {
        let at = self.elements.len();
        match mechanism {
            Mechanism::Ip4(..) | Mechanism::Ip6(..) => Ok(Node::Net { mechanism, qualifier, at }),
            Mechanism::Include(Name::Domain(next)) if self.opened.contains(&next) => {
                let (nodes, end) = self.included(next, live)?;
                Ok(Node::Open { qualifier, nodes, end, until: self.elements.len() })
            }
            Mechanism::A(Name::Host(host), v4, v6) if self.wish.hosts.contains(&host) => {
                let known = self.tree.hosts.get(host);
                let net = |v6: bool, host: u8, bits: u8| {
                    let mechanism = if v6 { Mechanism::Ip6(host, bits) } else { Mechanism::Ip4(host, bits) };
                    Node::Net { mechanism, qualifier: '+', at }
                };
                let of = |answered: Option<&Answered<u8>>| match answered {
                    Some(Answered::Records(hosts)) => hosts.clone(),
                    _ => Vec::new(),
                };
                let mut nodes: Vec<Node> =
                    of(known.map(|host| &host.a)).into_iter().map(|host| net(false, host, v4)).collect();
                nodes.extend(of(known.map(|host| &host.aaaa)).into_iter().map(|host| net(true, host, v6)));
                Ok(Node::Open { qualifier, nodes, end: End::Result('?'), until: at })
            }
            _ => {
                let question = self.kept(moved(mechanism, n), live.ok_or(Conflict)?, own);
                Ok(Node::Live { question, qualifier })
            }
        }
    }

    pub(super) fn question(&mut self, mechanism: Mechanism) -> usize {
        self.questions.iter().position(|known| *known == mechanism).unwrap_or_else(|| {
            self.questions.push(mechanism);
            self.questions.len() - 1
        })
    }

    /// A term that stays; one that asks the same a second time does not.
    pub(super) fn kept(&mut self, mechanism: Mechanism, qualifier: char, own: Option<String>) -> usize {
        let question = self.question(mechanism);
        let is_same = |(element, _): &(Element, _)| matches!(element, Element::Live { question: known, .. } if *known == question);
        if !self.elements.iter().any(is_same) {
            let bare = written(&Term::Directive('+', mechanism));
            let text = own.unwrap_or_else(|| written(&Term::Directive(qualifier, mechanism)));
            let items = vec![Item { text, moved: Some((qualifier, bare)) }];
            self.elements.push((Element::Live { question, qualifier }, items));
        }
        question
    }
}

/// A mechanism of the record of a domain, as any other record can have it.
pub(super) fn moved(mechanism: Mechanism, n: usize) -> Mechanism {
    match mechanism {
        Mechanism::Include(of) => Mechanism::Include(of.at(n)),
        Mechanism::Exists(of) => Mechanism::Exists(of.at(n)),
        Mechanism::A(of, v4, v6) => Mechanism::A(of.at(n), v4, v6),
        Mechanism::Mx(of, v4, v6) => Mechanism::Mx(of.at(n), v4, v6),
        other => other,
    }
}
