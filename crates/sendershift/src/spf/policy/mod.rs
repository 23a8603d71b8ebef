//! A record's [`Policy`]: its result at every address there is, exactly.
//!
//! A policy is compiled once, without limits. Each of its leaves keeps the result and what the evaluation spent to get
//! there, so that one policy tells what a record intends ([`Policy::intended`]), what it does at any kind of receiver
//! ([`Policy::under`]) and what it costs whom ([`Policy::worst`]). Terms that depend on more than the address
//! stay in it as named [`Unknown`]s. Two policies are equal if and only if they have the same result for every address
//! and every turnout of the unknowns, at the same cost.

mod compile;
mod deciders;
mod diagram;
mod joint;
mod marks;
mod spent;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub use deciders::{Decider, Deciders, Decision, Idle, Role, TermRole};
pub(super) use diagram::most_void_queries;
pub use diagram::{Assumed, Branch, Leaf, Turnout, Unknown};
use diagram::{Diagram, Node};
pub(super) use joint::Differing;
pub use marks::End;
use serde::Serialize;
pub use spent::Spent;

use super::{Profile, SpfResult};
use crate::dns::{Evidence, Recording};
use crate::error::Error;
use crate::name::DomainName;
use crate::net::{AddressCount, AddressSet, Family, IpRange, Partition};

type Leaves = Partition<Node<Leaf>>;

/// The result of a domain's SPF record at every address, with the cost of getting there.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::{Policy, Profile, SpfResult};
///
/// let dns = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [{ "name": "example.net", "type": "TXT", "records": ["v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 ~all"] }]
/// }"#)?;
/// let policy = Policy::compile(&dns, &"example.net".parse()?)?;
/// let pass = policy.under(&Profile::RFC7208).always(SpfResult::Pass);
/// assert_eq!(pass.count().to_string(), "255");
/// # Ok::<(), sendershift::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    leaves: Leaves,
    diagram: Diagram<Leaf>,
}

/// One way in which the evaluation for an address can go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Case<L> {
    /// How the unknowns on the way turned out.
    pub assuming: Vec<(Unknown, Branch)>,
    /// What it leads to.
    #[serde(flatten)]
    pub leaf: L,
}

impl Policy {
    /// Compiles the policy of a domain, as `check_host()` applies it to senders of that domain.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] with the questions that some address needs and the evidence does not answer;
    /// `spf.too-complex` where hostile records would take too long.
    pub fn compile(evidence: &dyn Evidence, domain: &DomainName) -> Result<Self, Error> {
        Self::compile_within(evidence, domain, &AddressSet::all())
    }

    /// As [`Policy::compile`], for some addresses only: nothing is asked that none of them needs. At other
    /// addresses the policy means nothing.
    ///
    /// # Errors
    ///
    /// As [`Policy::compile`].
    pub fn compile_within(
        evidence: &dyn Evidence,
        domain: &DomainName,
        scope: &AddressSet,
    ) -> Result<Self, Error> {
        let recording = Recording::new(evidence);
        let mut compiler = compile::Compiler::new(&recording, domain.clone(), ());
        let leaves = compiler.run(scope)?;
        let (leaves, diagram) = canonical(&leaves, &compiler.diagram, |marked| marked.leaf);
        recording.complete(Self { leaves, diagram }).map_err(Error::from)
    }

    /// The results at a receiver with these limits.
    pub fn under(&self, profile: &Profile) -> Results {
        let (results, diagram) = canonical(&self.leaves, &self.diagram, |leaf| leaf.under(profile));
        Results { results, diagram }
    }

    /// What the record intends: its results without limits.
    pub fn intended(&self) -> Results {
        self.under(&Profile::LIFTED)
    }

    /// The unknowns that the policy depends on, sorted.
    pub fn unknowns(&self) -> &[Unknown] {
        &self.diagram.unknowns
    }

    /// Every way in which the evaluation for an address can go; only one if no unknown is on the way. Where hostile records
    /// make more ways than could be listed there is one for each different leaf.
    pub fn cases(&self, ip: IpAddr) -> Vec<Case<Leaf>> {
        cases(&self.diagram, *self.leaves.at(ip.to_canonical()))
    }

    /// The ranges of addresses, within `scope`, that the policy treats alike, with the ways that it can go for them: one
    /// for each leaf, as there may be very many.
    pub fn classes(&self, scope: &AddressSet) -> Vec<(IpRange, Vec<Case<Leaf>>)> {
        let within = self.leaves.zip(scope.as_partition(), |node, inside| inside.then_some(*node));
        within.runs().filter_map(|(range, node)| Some((range, outcomes(&self.diagram, (*node)?)))).collect()
    }

    /// Whether the evidence bounds what every evaluation costs that does not end in permerror.
    pub(in crate::spf) fn is_bounded(&self) -> bool {
        let leaves = self.diagram.leaves(self.leaves.runs().map(|(_, node)| *node));
        leaves.iter().all(|leaf| leaf.spent.unbounded == 0 || leaf.result == SpfResult::PermError)
    }

    /// What `f` makes of the ways in which the evaluation for an address can end.
    pub(in crate::spf) fn map_leaves<V: Clone + Eq>(
        &self,
        mut f: impl FnMut(&BTreeSet<Leaf>) -> V,
    ) -> Partition<V> {
        let mut known: BTreeMap<Node<Leaf>, V> = BTreeMap::new();
        self.leaves.map(|node| known.entry(*node).or_insert_with(|| f(&self.diagram.leaves([*node]))).clone())
    }

    /// As [`Self::map_leaves`], with the leaves that are left where `turned_out` tells the branch of some unknowns beside all.
    pub(in crate::spf) fn map_leaves_given<V: Clone + Eq>(
        &self,
        turned_out: impl Fn(&Unknown) -> Option<usize>,
        mut f: impl FnMut(&BTreeSet<Leaf>, &BTreeSet<Leaf>) -> V,
    ) -> Partition<V> {
        let mut known: BTreeMap<Node<Leaf>, V> = BTreeMap::new();
        let mut map =
            |node: Node<Leaf>| f(&self.diagram.leaves([node]), &self.diagram.leaves_given(node, &turned_out));
        self.leaves.map(|node| known.entry(*node).or_insert_with(|| map(*node)).clone())
    }

    /// The most that the evaluation spends for any address of a family, each part on its own.
    pub fn worst(&self, family: Family) -> Spent {
        let runs = self.leaves.runs().filter(|(range, _)| range.family() == family);
        let leaves = self.diagram.leaves(runs.map(|(_, node)| *node));
        leaves.into_iter().fold(Spent::default(), |worst, leaf| worst.max(leaf.spent))
    }

    /// The authorised addresses that do not get a pass at a receiver because of its limits.
    pub fn beyond(&self, profile: &Profile) -> Beyond {
        let mut judged: BTreeMap<Node<Leaf>, Option<Reach>> = BTreeMap::new();
        let reached = self.leaves.map(|node| {
            *judged.entry(*node).or_insert_with(|| Reach::of(&self.diagram.leaves([*node]), profile))
        });
        let part = |reach| AddressPart::from(reached.addresses_where(|at| *at == Some(reach)));
        Beyond { always: part(Reach::Always), sometimes: part(Reach::Sometimes), open: part(Reach::Open) }
    }

    /// The addresses that the record passes where no unknown matches, and that a receiver may refuse even then, because
    /// of its limits.
    pub(in crate::spf) fn listed_beyond(&self, profile: &Profile) -> AddressSet {
        let is_refused = |leaf: &Leaf| leaf.result == SpfResult::Pass && !leaf.spent.is_within(profile);
        let mut judged: BTreeMap<Node<Leaf>, bool> = BTreeMap::new();
        let refused = self.leaves.map(|node| {
            *judged
                .entry(*node)
                .or_insert_with(|| self.diagram.leaves_unmatched(*node).iter().any(is_refused))
        });
        refused.addresses_where(|is_refused| *is_refused)
    }
}

/// How a receiver's limits stand between an address and its pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reach {
    /// The record passes it and the receiver never does.
    Always,
    /// The record passes it and the receiver only sometimes, as unknowns turn out.
    Sometimes,
    /// The record passes it only if an unknown matches; if so, the receiver may refuse to.
    Open,
}

impl Reach {
    pub(super) fn of(leaves: &BTreeSet<Leaf>, profile: &Profile) -> Option<Self> {
        let is_over = |leaf: &&Leaf| !leaf.spent.is_within(profile);
        let passes: Vec<&Leaf> = leaves.iter().filter(|leaf| leaf.result == SpfResult::Pass).collect();
        let over = passes.iter().filter(|leaf| is_over(leaf)).count();
        match over {
            0 => None,
            _ if passes.len() < leaves.len() => Some(Self::Open),
            _ if over == passes.len() => Some(Self::Always),
            _ => Some(Self::Sometimes),
        }
    }
}

/// Authorised addresses that limits keep from their pass: permerror in place of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Beyond {
    /// Addresses that the record passes and the receiver never does.
    pub always: AddressPart,
    /// Addresses that the record passes and the receiver only sometimes, as unknowns turn out.
    pub sometimes: AddressPart,
    /// Addresses that the record passes only if an unknown matches; if so, the receiver may refuse to.
    pub open: AddressPart,
}

/// Some addresses, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AddressPart {
    /// How many.
    pub count: AddressCount,
    /// Which.
    pub ranges: AddressSet,
}

impl From<AddressSet> for AddressPart {
    fn from(ranges: AddressSet) -> Self {
        Self { count: ranges.count(), ranges }
    }
}

/// The addresses that a policy lets pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Authorised {
    /// Those that pass however the unknowns turn out.
    pub always: AddressPart,
    /// Those that can pass, the ones that always do among them.
    pub sometimes: AddressPart,
}

impl Authorised {
    /// What is authorised here and not there: surely here and not surely there, possibly here and not at all there.
    pub(super) fn without(&self, other: &Self) -> Self {
        let part = |here: &AddressPart, there: &AddressPart| here.ranges.difference(&there.ranges).into();
        Self { always: part(&self.always, &other.always), sometimes: part(&self.sometimes, &other.sometimes) }
    }
}

/// A result at every address, for every turnout of the unknowns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Results {
    results: Partition<Node<SpfResult>>,
    diagram: Diagram<SpfResult>,
}

impl Results {
    /// The result at an address, for each turnout of the unknowns that it depends on; where hostile records make more of
    /// these than could be listed, for one that leads to each result.
    pub fn at(&self, ip: IpAddr) -> Vec<Case<SpfResult>> {
        cases(&self.diagram, *self.results.at(ip.to_canonical()))
    }

    /// The addresses that may send: those that always pass, and those that pass if unknowns turn out so.
    pub fn authorised(&self) -> Authorised {
        Authorised {
            always: self.always(SpfResult::Pass).into(),
            sometimes: self.sometimes(SpfResult::Pass).into(),
        }
    }

    /// The result at an address, if it is the same however the unknowns turn out; for many addresses the fastest way to ask.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::dns::Snapshot;
    /// use sendershift::spf::{Policy, SpfResult};
    ///
    /// let dns = Snapshot::from_json(r#"{
    ///     "format": "sendershift-snapshot/1", "closed": true,
    ///     "answers": [{ "name": "example.net", "type": "TXT", "records": ["v=spf1 ip4:192.0.2.0/24 exists:%{i}.example.net -all"] }]
    /// }"#)?;
    /// let results = Policy::compile(&dns, &"example.net".parse()?)?.intended();
    /// assert_eq!(results.certain("192.0.2.1".parse().unwrap()), Some(SpfResult::Pass));
    /// assert_eq!(results.certain("198.51.100.1".parse().unwrap()), None);
    /// # Ok::<(), sendershift::error::Error>(())
    /// ```
    pub fn certain(&self, ip: IpAddr) -> Option<SpfResult> {
        // A choice that makes no difference is none.
        match self.results.at(ip.to_canonical()) {
            Node::Leaf(result) => Some(*result),
            Node::Choice(_) => None,
        }
    }

    /// The addresses that have this result however the unknowns turn out.
    pub fn always(&self, result: SpfResult) -> AddressSet {
        self.results.addresses_where(|node| *node == Node::Leaf(result))
    }

    /// The addresses that can have this result.
    pub fn sometimes(&self, result: SpfResult) -> AddressSet {
        self.results.addresses_where(|node| self.diagram.leaves([*node]).contains(&result))
    }

    /// The longest ranges of addresses that are treated alike, with their results.
    pub fn runs(&self) -> impl Iterator<Item = (IpRange, Vec<Case<SpfResult>>)> {
        self.results.runs().map(|(range, node)| (range, cases(&self.diagram, *node)))
    }
}

/// Turnouts that the cases of one address may have in all: ways can be many more than choices.
const MAX_TURNOUTS: usize = 500_000;

fn cases<L: Copy + Ord>(diagram: &Diagram<L>, node: Node<L>) -> Vec<Case<L>> {
    if diagram.ways(node, &mut BTreeMap::new()).turnouts > MAX_TURNOUTS {
        return outcomes(diagram, node);
    }
    let mut cases = Vec::new();
    diagram.each_leaf(node, &mut Vec::new(), None, &mut |path, leaf| {
        let assuming = path.iter().map(|(unknown, branch)| ((*unknown).clone(), *branch)).collect();
        cases.push(Case { assuming, leaf });
    });
    cases
}

/// One case for each different leaf.
fn outcomes<L: Copy + Ord>(diagram: &Diagram<L>, node: Node<L>) -> Vec<Case<L>> {
    let mut cases: BTreeMap<L, Case<L>> = BTreeMap::new();
    diagram.each_leaf(node, &mut Vec::new(), Some(&mut BTreeSet::new()), &mut |path, leaf| {
        cases.entry(leaf).or_insert_with(|| {
            let assuming = path.iter().map(|(unknown, branch)| ((*unknown).clone(), *branch)).collect();
            Case { assuming, leaf }
        });
    });
    cases.into_values().collect()
}

/// Rebuilds a policy in the one form that equal policies share: unknowns that matter, sorted, and choices numbered in
/// the order of the addresses.
fn canonical<L: Copy + Ord, M: Copy + Ord>(
    leaves: &Partition<Node<L>>,
    diagram: &Diagram<L>,
    leaf: impl Fn(L) -> M,
) -> (Partition<Node<M>>, Diagram<M>) {
    let mut order: Vec<usize> = (0..diagram.unknowns.len()).collect();
    order.sort_by_key(|index| diagram.unknowns.get(*index));
    // First with every unknown, to see which still matter; then with these alone.
    let (copied, all) = copied(leaves, diagram, &order, &leaf);
    let used = all.unknowns_below(copied.runs().map(|(_, node)| *node));
    if used.len() == order.len() {
        return (copied, all);
    }
    let kept: Vec<usize> =
        order.iter().enumerate().filter(|(at, _)| used.contains(at)).map(|(_, index)| *index).collect();
    self::copied(leaves, diagram, &kept, &leaf)
}

fn copied<L: Copy + Ord, M: Copy + Ord>(
    leaves: &Partition<Node<L>>,
    diagram: &Diagram<L>,
    order: &[usize],
    leaf: &impl Fn(L) -> M,
) -> (Partition<Node<M>>, Diagram<M>) {
    let unknowns = order.iter().filter_map(|index| diagram.unknowns.get(*index).cloned()).collect();
    let mut into = Diagram::new(unknowns);
    let mut numbers = vec![usize::MAX; diagram.unknowns.len()];
    for (new, old) in order.iter().enumerate() {
        if let Some(number) = numbers.get_mut(*old) {
            *number = new;
        }
    }
    let mut done = BTreeMap::new();
    let copied = leaves.map(|node| diagram.copy(*node, &mut into, &numbers, leaf, &mut done));
    (copied, into)
}
