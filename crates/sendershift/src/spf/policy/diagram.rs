//! Canonical decision diagrams over what a record leaves open.
//!
//! A [`Node`] is a result, or a choice between nodes by how one unknown question turns out. On every path the
//! unknowns come in the order of their keys, each at most once, and a choice that makes no difference is left out: so
//! two nodes of one [`Diagram`] mean the same if and only if they are the same node.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Spent;
use crate::name::DomainName;
use crate::spf::{Profile, SpfResult};

/// What is unknown about a term: one fully expanded question, except for what depends on the message.
///
/// Equal unknowns are one question, which has one answer for one message, also in two policies that are compared. The name
/// that is looked up is that of `target`; where more than the name and the message decides, it is in the other fields.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Unknown {
    /// The mechanism that asks: `exists`, `ptr`, `include`, `redirect`, `a` or `mx`.
    pub mechanism: &'static str,
    /// The domain-spec with everything known filled in.
    pub target: String,
    /// The domain whose record asks, where the answer depends on it: `%{p}` prefers names within it (RFC 7208 section 7.3), and
    /// the name of the client has to be looked up first.
    #[serde(rename = "domain", skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<DomainName>,
    /// The domain of the sender, where the answer depends on it: `%{s}`, and records that the evidence does not name, in
    /// which `%{o}` may stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_domain: Option<DomainName>,
    /// The prefix lengths of `a` and `mx`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cidr: String,
}

/// How an unknown question can turn out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Turnout {
    /// It matches; for an include, the other record passes.
    Match,
    /// It does not match.
    NoMatch,
    /// The record asked for gives this result (`redirect`), or this error (`include`).
    Result(SpfResult),
}

/// How one unknown question turns out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Assumed {
    /// The question.
    #[serde(flatten)]
    pub unknown: Unknown,
    /// How it turns out.
    #[serde(flatten)]
    pub branch: Branch,
}

#[cfg(test)]
impl Assumed {
    /// A question that nothing but its target and the message decides.
    pub(in crate::spf) fn of(mechanism: &'static str, target: &str, branch: (Turnout, u32)) -> Self {
        let unknown = Unknown {
            mechanism,
            target: target.to_owned(),
            asked_at: None,
            sender_domain: None,
            cidr: String::new(),
        };
        Self { unknown, branch: Branch { turnout: branch.0, void_queries: branch.1 } }
    }
}

impl From<(Unknown, Branch)> for Assumed {
    fn from((unknown, branch): (Unknown, Branch)) -> Self {
        Self { unknown, branch }
    }
}

/// One way in which an unknown can turn out, and what that costs beyond the lookup itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Branch {
    /// What happens.
    pub turnout: Turnout,
    /// Void queries that it takes.
    pub void_queries: u32,
}

impl Unknown {
    /// Every way in which it can turn out, always in this order.
    ///
    /// Reverse lookups, and hosts of an `mx`, may be void up to 10 times. No receiver that counts void queries allows more than
    /// two, so more than these are all alike; fewer are not, as what else is void may differ. That DNS does not answer at all
    /// is no turnout of `exists`, `a`, `mx` and `ptr`, as it is none of a name that the evidence knows.
    pub fn branches(&self) -> Vec<Branch> {
        let mut branches = branches(self.mechanism, self.asked_at.is_some());
        if self.mechanism == "exists" && self.may_be_no_name() {
            branches.push(Branch { turnout: Turnout::NoMatch, void_queries: 0 });
        }
        branches
    }

    /// Whether the evidence puts no bound to what it costs: records that are not known, hosts of mail exchanges that are not.
    pub(in crate::spf) fn is_unbounded(&self) -> bool {
        matches!(self.mechanism, "include" | "redirect" | "mx")
    }

    /// Whether the target can expand to what is no name in DNS, so that nothing is asked (RFC 7208 section 4.3): text that
    /// a sender chooses can be anything, and next to an address a label can become too long.
    fn may_be_no_name(&self) -> bool {
        let is_address = |letter: &str| letter.starts_with(['i', 'v', 'I', 'V']);
        self.target.split("%{").skip(1).any(|after| !is_address(after))
            || self.target.split('.').any(|label| label.is_empty() || label.len() > SURE_LABEL)
    }
}

/// The most void queries that a term takes whose target is not known.
pub(in crate::spf) fn most_void_queries(mechanism: &str, asks_name: bool) -> u32 {
    branches(mechanism, asks_name).into_iter().map(|branch| branch.void_queries).max().unwrap_or(0)
}

fn branches(mechanism: &str, asks_name: bool) -> Vec<Branch> {
    let plain: &[(Turnout, u32)] = match mechanism {
        // `exists` without an answer is a void lookup.
        "exists" => &[(Turnout::Match, 0), (Turnout::NoMatch, 1)],
        "ptr" | "mx" => &[
            (Turnout::Match, 0),
            (Turnout::Match, 1),
            (Turnout::Match, 2),
            (Turnout::Match, MANY),
            (Turnout::NoMatch, 0),
            (Turnout::NoMatch, 1),
            (Turnout::NoMatch, 2),
            (Turnout::NoMatch, MANY),
        ],
        "include" => &[
            (Turnout::Match, 0),
            (Turnout::NoMatch, 0),
            (Turnout::Result(SpfResult::TempError), 0),
            (Turnout::Result(SpfResult::PermError), 0),
        ],
        "redirect" => &[
            (Turnout::Result(SpfResult::Neutral), 0),
            (Turnout::Result(SpfResult::Pass), 0),
            (Turnout::Result(SpfResult::Fail), 0),
            (Turnout::Result(SpfResult::SoftFail), 0),
            (Turnout::Result(SpfResult::TempError), 0),
            (Turnout::Result(SpfResult::PermError), 0),
        ],
        _ => &[(Turnout::Match, 0), (Turnout::NoMatch, 0), (Turnout::NoMatch, 1)],
    };
    let names: &[u32] = if asks_name { &[0, 1, 2, MANY] } else { &[0] };
    let each = |extra: &u32| {
        let extra = *extra;
        plain.iter().map(move |(turnout, voids)| Branch { turnout: *turnout, void_queries: voids + extra })
    };
    names.iter().flat_map(each).collect()
}

/// The most void queries that a `ptr` or an `mx` can cause: ten names without addresses (RFC 7208 section 4.6.4).
const MANY: u32 = 10;

/// Octets that a label may have in a target and be a label of at most 63 (RFC 1035 section 2.3.4) in every expansion: an
/// address or `in-addr` adds less than the rest.
const SURE_LABEL: usize = 40;

/// Where evaluation ends: a result, and what was spent on the way, no limit applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Leaf {
    /// The result.
    pub result: SpfResult,
    /// What it took.
    pub spent: Spent,
}

impl Leaf {
    /// The result at a receiver: its limits are applied last.
    pub fn under(&self, profile: &Profile) -> SpfResult {
        if self.spent.is_within(profile) { self.result } else { SpfResult::PermError }
    }
}

/// A node of a [`Diagram`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Node<L> {
    Leaf(L),
    Choice(usize),
}

/// A choice: an unknown and a node for each of its branches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Choice<L> {
    pub(super) unknown: usize,
    pub(super) branches: Vec<Node<L>>,
}

/// All choices of one policy; results stand in the nodes themselves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Diagram<L> {
    pub(super) unknowns: Vec<Unknown>,
    choices: Vec<Choice<L>>,
    index: BTreeMap<Choice<L>, usize>,
    /// Steps taken so far by operations that can take very many.
    work: usize,
}

/// Choices that a diagram may hold, and steps that building it may take: an end for hostile records.
const MAX_CHOICES: usize = 100_000;
const MAX_WORK: usize = 2_000_000;

/// The ways through a diagram from one of its nodes.
#[derive(Clone, Copy)]
pub(super) struct Ways {
    pub(super) count: usize,
    /// The turnouts on all of them together.
    pub(super) turnouts: usize,
}

impl<L: Copy + Ord> Diagram<L> {
    pub(super) fn new(unknowns: Vec<Unknown>) -> Self {
        Self { unknowns, choices: Vec::new(), index: BTreeMap::new(), work: 0 }
    }

    /// Whether the diagram became too large to be finished; what it says then means nothing.
    pub(super) fn is_exhausted(&self) -> bool {
        self.choices.len() > MAX_CHOICES || self.work > MAX_WORK
    }

    pub(super) fn unknown(&mut self, unknown: Unknown) -> usize {
        self.unknowns.iter().position(|known| *known == unknown).unwrap_or_else(|| {
            self.unknowns.push(unknown);
            self.unknowns.len() - 1
        })
    }

    /// The unknown that a node chooses by.
    fn top(&self, node: Node<L>) -> Option<usize> {
        match node {
            Node::Leaf(_) => None,
            Node::Choice(index) => self.choices.get(index).map(|choice| choice.unknown),
        }
    }

    /// The node that a node becomes once `unknown`, which may only stand at its top, turned out as `branch`.
    fn given(&self, node: Node<L>, unknown: usize, branch: usize) -> Node<L> {
        match node {
            Node::Choice(index) => match self.choices.get(index) {
                Some(choice) if choice.unknown == unknown => {
                    choice.branches.get(branch).copied().unwrap_or(node)
                }
                _ => node,
            },
            Node::Leaf(_) => node,
        }
    }

    /// The unknown that a node of a canonical diagram chooses by.
    pub(super) fn unknown_at(&self, node: Node<L>) -> Option<&Unknown> {
        self.unknowns.get(self.top(node)?)
    }

    /// The node that a node becomes once an unknown, which may only stand at its top, turned out as a branch.
    pub(super) fn turned_out(&self, node: Node<L>, unknown: &Unknown, branch: usize) -> Node<L> {
        match self.top(node).filter(|at| self.unknowns.get(*at) == Some(unknown)) {
            Some(at) => self.given(node, at, branch),
            None => node,
        }
    }

    /// The choice between `branches` by `unknown`, in canonical form.
    pub(super) fn choose(&mut self, unknown: usize, branches: &[Node<L>]) -> Node<L> {
        self.choose_once(unknown, branches, &mut BTreeMap::new())
    }

    /// As `choose`; `done` holds what is chosen already. There may be many more paths than choices.
    fn choose_once(
        &mut self,
        unknown: usize,
        branches: &[Node<L>],
        done: &mut BTreeMap<Vec<Node<L>>, Node<L>>,
    ) -> Node<L> {
        if let Some(node) = done.get(branches) {
            return *node;
        }
        self.work += 1;
        if let (true, Some(any)) = (self.is_exhausted(), branches.first()) {
            return *any;
        }
        let tops = branches.iter().filter_map(|node| self.top(*node));
        let key = |index: &usize| self.unknowns.get(*index);
        let first = tops.chain([unknown]).min_by(|one, two| key(one).cmp(&key(two))).unwrap_or(unknown);
        let node = if first == unknown {
            let branches =
                branches.iter().enumerate().map(|(at, node)| self.given(*node, unknown, at)).collect();
            self.intern(Choice { unknown, branches })
        } else {
            let count = self.unknowns.get(first).map_or(0, |unknown| unknown.branches().len());
            let above = (0..count)
                .map(|branch| {
                    let below: Vec<Node<L>> =
                        branches.iter().map(|node| self.given(*node, first, branch)).collect();
                    self.choose_once(unknown, &below, done)
                })
                .collect();
            self.intern(Choice { unknown: first, branches: above })
        };
        done.insert(branches.to_vec(), node);
        node
    }

    fn intern(&mut self, choice: Choice<L>) -> Node<L> {
        if let [first, rest @ ..] = choice.branches.as_slice()
            && rest.iter().all(|node| node == first)
        {
            return *first;
        }
        if let Some(index) = self.index.get(&choice) {
            return Node::Choice(*index);
        }
        self.index.insert(choice.clone(), self.choices.len());
        self.choices.push(choice);
        Node::Choice(self.choices.len() - 1)
    }

    /// The diagram `node`, with every leaf replaced by what `leaf` gives for it, which may be a diagram of its own.
    pub(super) fn replace(
        &mut self,
        node: Node<L>,
        leaf: &mut impl FnMut(&mut Self, L) -> Node<L>,
    ) -> Node<L> {
        match node {
            Node::Leaf(value) => leaf(self, value),
            Node::Choice(_) => self.replace_once(node, leaf, &mut BTreeMap::new()),
        }
    }

    fn replace_once(
        &mut self,
        node: Node<L>,
        leaf: &mut impl FnMut(&mut Self, L) -> Node<L>,
        done: &mut BTreeMap<Node<L>, Node<L>>,
    ) -> Node<L> {
        if let Some(replaced) = done.get(&node) {
            return *replaced;
        }
        self.work += 1;
        if self.is_exhausted() {
            return node;
        }
        let replaced = match node {
            Node::Leaf(value) => leaf(self, value),
            Node::Choice(index) => {
                let Some(choice) = self.choices.get(index).cloned() else { return node };
                let branches: Vec<Node<L>> =
                    choice.branches.into_iter().map(|node| self.replace_once(node, leaf, done)).collect();
                self.choose(choice.unknown, &branches)
            }
        };
        done.insert(node, replaced);
        replaced
    }

    /// Copies `node` into a diagram with leaves of another kind, whose unknowns are numbered by `unknowns`; `done` holds
    /// what is copied already.
    pub(super) fn copy<M: Copy + Ord>(
        &self,
        node: Node<L>,
        into: &mut Diagram<M>,
        unknowns: &[usize],
        leaf: &impl Fn(L) -> M,
        done: &mut BTreeMap<usize, Node<M>>,
    ) -> Node<M> {
        let index = match node {
            Node::Leaf(value) => return Node::Leaf(leaf(value)),
            Node::Choice(index) => index,
        };
        if let Some(copied) = done.get(&index) {
            return *copied;
        }
        let (unknown, branches) = match self.choices.get(index) {
            Some(choice) => {
                (unknowns.get(choice.unknown).copied().unwrap_or(choice.unknown), &*choice.branches)
            }
            None => (0, &[][..]),
        };
        let branches = branches.iter().map(|node| self.copy(*node, into, unknowns, leaf, done)).collect();
        let copied = into.intern(Choice { unknown, branches });
        done.insert(index, copied);
        copied
    }

    /// The unknowns of all choices below some nodes.
    pub(super) fn unknowns_below(&self, nodes: impl IntoIterator<Item = Node<L>>) -> BTreeSet<usize> {
        // Leaves have none, and are nearly all that there is.
        self.walk(nodes.into_iter().filter(|node| matches!(node, Node::Choice(_))), |_, _| true).1
    }

    /// The different leaves below some nodes.
    pub(super) fn leaves(&self, nodes: impl IntoIterator<Item = Node<L>>) -> BTreeSet<L> {
        self.walk(nodes, |_, _| true).0
    }

    /// The different leaves below a node where no unknown matches.
    pub(super) fn leaves_unmatched(&self, node: Node<L>) -> BTreeSet<L> {
        let is_unmatched = |unknown: &Unknown, branch: usize| {
            unknown.branches().get(branch).is_some_and(|branch| branch.turnout == Turnout::NoMatch)
        };
        self.walk([node], |unknown, branch| {
            self.unknowns.get(unknown).is_some_and(|unknown| is_unmatched(unknown, branch))
        })
        .0
    }

    /// The different leaves that a node leads to where `turned_out` tells the branch of some unknowns.
    pub(super) fn leaves_given(
        &self,
        node: Node<L>,
        turned_out: impl Fn(&Unknown) -> Option<usize>,
    ) -> BTreeSet<L> {
        let told = |unknown: usize| self.unknowns.get(unknown).and_then(&turned_out);
        self.walk([node], |unknown, branch| told(unknown).is_none_or(|told| told == branch)).0
    }

    /// The leaves and unknowns below some nodes, down the branches that `follows` tells of an unknown. There may be many more paths
    /// than choices, so none is walked twice.
    fn walk(
        &self,
        nodes: impl IntoIterator<Item = Node<L>>,
        follows: impl Fn(usize, usize) -> bool,
    ) -> (BTreeSet<L>, BTreeSet<usize>) {
        let (mut leaves, mut unknowns, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut open: Vec<Node<L>> = nodes.into_iter().collect();
        while let Some(node) = open.pop() {
            match node {
                Node::Leaf(leaf) => {
                    leaves.insert(leaf);
                }
                Node::Choice(index) if seen.insert(index) => {
                    let Some(choice) = self.choices.get(index) else { continue };
                    unknowns.insert(choice.unknown);
                    let branches = choice.branches.iter().enumerate();
                    let followed = branches.filter(|(branch, _)| follows(choice.unknown, *branch));
                    open.extend(followed.map(|(_, node)| *node));
                }
                Node::Choice(_) => {}
            }
        }
        (leaves, unknowns)
    }

    /// How many ways lead from a node to its leaves, without walking them; `done` holds what is counted already.
    pub(super) fn ways(&self, node: Node<L>, done: &mut BTreeMap<usize, Ways>) -> Ways {
        let Node::Choice(index) = node else { return Ways { count: 1, turnouts: 0 } };
        if let Some(ways) = done.get(&index) {
            return *ways;
        }
        let mut ways = Ways { count: 0, turnouts: 0 };
        for node in self.choices.get(index).into_iter().flat_map(|choice| &choice.branches) {
            let below = self.ways(*node, done);
            ways.count = ways.count.saturating_add(below.count);
            ways.turnouts = ways.turnouts.saturating_add(below.turnouts).saturating_add(below.count);
        }
        done.insert(index, ways);
        ways
    }

    /// Calls `visit` with every leaf below a node and the turnouts that lead to it; with `seen`, no choice is walked twice.
    pub(super) fn each_leaf<'d>(
        &'d self,
        node: Node<L>,
        path: &mut Vec<(&'d Unknown, Branch)>,
        mut seen: Option<&mut BTreeSet<usize>>,
        visit: &mut impl FnMut(&[(&'d Unknown, Branch)], L),
    ) {
        match node {
            Node::Leaf(value) => visit(path, value),
            Node::Choice(index) => {
                if seen.as_mut().is_some_and(|seen| !seen.insert(index)) {
                    return;
                }
                let Some(choice) = self.choices.get(index) else { return };
                let Some(unknown) = self.unknowns.get(choice.unknown) else { return };
                for (branch, node) in unknown.branches().into_iter().zip(&choice.branches) {
                    path.push((unknown, branch));
                    self.each_leaf(*node, path, seen.as_deref_mut(), visit);
                    path.pop();
                }
            }
        }
    }
}
