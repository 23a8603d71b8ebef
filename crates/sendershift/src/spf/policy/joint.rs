//! Two policies side by side: what each says of the same address when the unknowns turn out in the same way.

use std::collections::{BTreeMap, BTreeSet};

use super::diagram::{Diagram, Leaf, Node, Unknown};
use super::{Branch, Case, Policy, Results};
use crate::error::Problem;
use crate::net::{AddressSet, IpRange};
use crate::spf::{Profile, SpfResult};

/// Pairs of nodes that are visited for one pair of policies: an end for hostile records.
const MAX_PAIRS: usize = 1_000_000;

/// Where both evaluations of one address end.
type Both = (Leaf, Leaf);

/// Addresses that two policies treat alike, with the ways in which both evaluations can go.
type Class = (IpRange, Vec<Case<Both>>);

/// Addresses at which two results can differ, all in the same way.
#[derive(Clone, Debug)]
pub(in crate::spf) struct Differing {
    pub(in crate::spf) range: IpRange,
    /// The results that each side can have.
    pub(in crate::spf) left: BTreeSet<SpfResult>,
    pub(in crate::spf) right: BTreeSet<SpfResult>,
    /// One case for each pair of different results, with no more assumptions than it takes.
    pub(in crate::spf) cases: Vec<Case<(SpfResult, SpfResult)>>,
}

impl Policy {
    /// The ranges of addresses, within `scope`, that this policy and another treat alike, each with the ways in which
    /// both evaluations can go together: one for each pair of leaves.
    ///
    /// An unknown that both depend on is one question, which has one answer.
    ///
    /// # Errors
    ///
    /// `spf.too-complex` where hostile records would take too long.
    pub fn beside(&self, other: &Self, scope: &AddressSet) -> Result<Vec<Class>, Problem> {
        let here = self.leaves.zip(scope.as_partition(), |node, inside| inside.then_some(*node));
        let both = here.zip(&other.leaves, |here, there| here.map(|here| (here, *there)));
        let mut ranges = Vec::new();
        for (range, nodes) in both.runs() {
            if let Some(nodes) = *nodes {
                ranges.push((range, Pairs::new(&self.diagram, &other.diagram).outcomes(nodes)?));
            }
        }
        Ok(ranges)
    }

    /// The addresses at which a term of unbounded cost could be what makes one side, and not the other, pass a limit, though both
    /// have the same results while such terms cost nothing.
    ///
    /// They stay alike where both sides have as much left of each limit, and spend the same on the same such terms. Which
    /// terms a leaf spends on is not kept, only how many; so with more than one on the way nothing is proven.
    pub(in crate::spf) fn hinges_on_cost(
        &self,
        limits: &Profile,
        other: &Self,
        others: &Profile,
    ) -> Result<AddressSet, Problem> {
        let unknowns = || self.unknowns().iter().chain(other.unknowns());
        if !unknowns().any(Unknown::is_unbounded) {
            return Ok(AddressSet::empty());
        }
        let both = self.leaves.zip(&other.leaves, |here, there| (*here, *there));
        let mut pairs = Pairs::new(&self.diagram, &other.diagram);
        let mut judged: BTreeMap<(Node<Leaf>, Node<Leaf>), bool> = BTreeMap::new();
        for (_, nodes) in both.runs() {
            if judged.contains_key(nodes) {
                continue;
            }
            let below = self.unbounded_below(nodes.0).chain(other.unbounded_below(nodes.1));
            let is_one = below.collect::<BTreeSet<&Unknown>>().len() < 2;
            let mut cases = pairs.outcomes(*nodes)?.into_iter();
            let hinges =
                cases.any(|case| hinges_on_cost((case.leaf.0, limits), (case.leaf.1, others), is_one));
            judged.insert(*nodes, hinges);
        }
        Ok(both.addresses_where(|nodes| judged.get(nodes) == Some(&true)))
    }

    fn unbounded_below(&self, node: Node<Leaf>) -> impl Iterator<Item = &Unknown> {
        let below = self.diagram.unknowns_below([node]).into_iter();
        below.filter_map(|index| self.diagram.unknowns.get(index)).filter(|unknown| unknown.is_unbounded())
    }
}

/// Whether two leaves, each at a receiver, are alike only as long as terms of unbounded cost take little.
fn hinges_on_cost(here: (Leaf, &Profile), there: (Leaf, &Profile), is_one_unknown: bool) -> bool {
    let can_pass_limit = |(leaf, limits): (Leaf, &Profile)| {
        leaf.spent.unbounded > 0 && limits.has_limits() && leaf.under(limits) != SpfResult::PermError
    };
    if here.0.under(here.1) != there.0.under(there.1) || !(can_pass_limit(here) || can_pass_limit(there)) {
        return false;
    }
    let left = |(leaf, limits): (Leaf, &Profile)| {
        let Leaf { spent, .. } = leaf;
        let rest = |most: u32, spent: u32| (most < Profile::UNLIMITED).then(|| most.saturating_sub(spent));
        (
            (rest(limits.lookups, spent.lookups_for(limits)), limits.counting),
            (rest(limits.voids, spent.voids_for(limits)), limits.void_unit),
            (limits.mx_names, limits.mx_addresses),
        )
    };
    let is_same_cost = is_one_unknown && here.0.spent.unbounded == there.0.spent.unbounded;
    !(is_same_cost && left(here) == left(there))
}

impl Results {
    /// The ranges of addresses at which this and another can differ, IPv4 first, in ascending order.
    ///
    /// # Errors
    ///
    /// `spf.too-complex` where hostile records would take too long.
    pub(in crate::spf) fn differences(&self, other: &Self) -> Result<Vec<Differing>, Problem> {
        let both = self.results.zip(&other.results, |here, there| (*here, *there));
        let mut pairs = Pairs::new(&self.diagram, &other.diagram);
        let mut done: BTreeMap<_, Vec<Case<(SpfResult, SpfResult)>>> = BTreeMap::new();
        let mut differing = Vec::new();
        for (range, nodes) in both.runs() {
            let cases = match done.get(nodes) {
                Some(cases) => cases.clone(),
                None => {
                    let cases = pairs.differences(*nodes)?;
                    done.insert(*nodes, cases.clone());
                    cases
                }
            };
            if !cases.is_empty() {
                let (left, right) = (self.diagram.leaves([nodes.0]), other.diagram.leaves([nodes.1]));
                differing.push(Differing { range, left, right, cases });
            }
        }
        Ok(differing)
    }
}

/// A pair of nodes on the way, and how it was come by: from another pair, by a turnout.
struct Visit<'d, L> {
    nodes: (Node<L>, Node<L>),
    from: Option<(usize, &'d Unknown, Branch)>,
}

/// Two diagrams that are walked together.
struct Pairs<'d, L> {
    left: &'d Diagram<L>,
    right: &'d Diagram<L>,
    /// Pairs visited so far.
    visited: usize,
}

impl<'d, L: Copy + Ord> Pairs<'d, L> {
    fn new(left: &'d Diagram<L>, right: &'d Diagram<L>) -> Self {
        Self { left, right, visited: 0 }
    }

    /// The unknown that is the next for both: they stand in one order in every policy, so it is the smaller of the two.
    fn next(&self, nodes: (Node<L>, Node<L>)) -> Option<&'d Unknown> {
        [self.left.unknown_at(nodes.0), self.right.unknown_at(nodes.1)].into_iter().flatten().min()
    }

    fn turned_out(&self, nodes: (Node<L>, Node<L>), unknown: &Unknown, branch: usize) -> (Node<L>, Node<L>) {
        (self.left.turned_out(nodes.0, unknown, branch), self.right.turned_out(nodes.1, unknown, branch))
    }

    fn count_visit(&mut self) -> Result<(), Problem> {
        self.visited += 1;
        if self.visited > MAX_PAIRS {
            let message = "two policies depend on too much besides the address to be compared";
            return Err(Problem::new("spf.too-complex", message));
        }
        Ok(())
    }

    /// One case for each pair of leaves, by a way with few turnouts.
    fn outcomes(&mut self, nodes: (Node<L>, Node<L>)) -> Result<Vec<Case<(L, L)>>, Problem> {
        let mut visits = vec![Visit { nodes, from: None }];
        let mut seen = BTreeSet::from([nodes]);
        let mut ends: BTreeMap<(L, L), usize> = BTreeMap::new();
        let mut at = 0;
        while let Some(Visit { nodes, .. }) = visits.get(at) {
            let nodes = *nodes;
            if let (Node::Leaf(here), Node::Leaf(there)) = nodes {
                ends.entry((here, there)).or_insert(at);
            }
            if let Some(unknown) = self.next(nodes) {
                for (index, branch) in unknown.branches().into_iter().enumerate() {
                    let nodes = self.turned_out(nodes, unknown, index);
                    if seen.insert(nodes) {
                        visits.push(Visit { nodes, from: Some((at, unknown, branch)) });
                    }
                }
            }
            at += 1;
            self.count_visit()?;
        }
        Ok(ends.into_iter().map(|(leaf, at)| Case { assuming: way(&visits, at), leaf }).collect())
    }

    /// The cases in which the leaves differ, each with no assumption that can be dropped.
    fn differences(&mut self, nodes: (Node<L>, Node<L>)) -> Result<Vec<Case<(L, L)>>, Problem> {
        let mut cases = self.outcomes(nodes)?;
        cases.retain(|case| case.leaf.0 != case.leaf.1);
        for case in &mut cases {
            let mut at = 0;
            while at < case.assuming.len() {
                let dropped = case.assuming.remove(at);
                if !self.is_enough(nodes, &case.assuming, case.leaf)? {
                    case.assuming.insert(at, dropped);
                    at += 1;
                }
            }
        }
        Ok(cases)
    }

    /// Whether both evaluations end at these leaves under the assumptions, however other unknowns turn out.
    fn is_enough(
        &mut self,
        nodes: (Node<L>, Node<L>),
        assuming: &[(Unknown, Branch)],
        leaves: (L, L),
    ) -> Result<bool, Problem> {
        let mut open = vec![nodes];
        let mut seen = BTreeSet::from([nodes]);
        while let Some(nodes) = open.pop() {
            self.count_visit()?;
            let Some(unknown) = self.next(nodes) else {
                if nodes != (Node::Leaf(leaves.0), Node::Leaf(leaves.1)) {
                    return Ok(false);
                }
                continue;
            };
            let assumed = assuming.iter().find(|(assumed, _)| assumed == unknown).map(|(_, branch)| *branch);
            for (index, branch) in unknown.branches().into_iter().enumerate() {
                if assumed.is_none_or(|assumed| assumed == branch) {
                    let nodes = self.turned_out(nodes, unknown, index);
                    if seen.insert(nodes) {
                        open.push(nodes);
                    }
                }
            }
        }
        Ok(true)
    }
}

/// The turnouts that lead to a visit.
fn way<L>(visits: &[Visit<'_, L>], mut at: usize) -> Vec<(Unknown, Branch)> {
    let mut way = Vec::new();
    while let Some((from, unknown, branch)) = visits.get(at).and_then(|visit| visit.from) {
        way.push((unknown.clone(), branch));
        at = from;
    }
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use crate::dns::Snapshot;
    use crate::net::{AddressSet, parse_net};
    use crate::spf::{Policy, SpfResult};

    fn policy(record: &str) -> Policy {
        let text = format!(
            r#"{{ "format": "sendershift-snapshot/1", "closed": true, "answers": [
                {{ "name": "a.example", "type": "TXT", "records": ["{record}"] }}] }}"#
        );
        Policy::compile(&Snapshot::from_json(&text).unwrap(), &"a.example".parse().unwrap()).unwrap()
    }

    /// The results of both, and how many unknowns lead there.
    type Pair = (SpfResult, SpfResult, usize);

    fn pairs(left: &str, right: &str) -> Vec<(String, Vec<Pair>)> {
        let scope: AddressSet = [parse_net("192.0.2.0/31").unwrap()].into_iter().collect();
        let beside = policy(left).beside(&policy(right), &scope).unwrap();
        let case =
            |case: &super::Case<super::Both>| (case.leaf.0.result, case.leaf.1.result, case.assuming.len());
        beside.iter().map(|(range, cases)| (range.to_string(), cases.iter().map(case).collect())).collect()
    }

    #[test]
    fn a_shared_unknown_turns_out_once() {
        use SpfResult::{Fail, Neutral, Pass};
        let both = "192.0.2.0/31".to_owned();
        let same = "v=spf1 exists:%{i}.b.example -all";
        assert_eq!(pairs(same, same), [(both.clone(), vec![(Pass, Pass, 1), (Fail, Fail, 1)])]);
        let other = "v=spf1 exists:%{i}.c.example ?all";
        let mut found = pairs(same, other).remove(0).1;
        let mut expected = [(Fail, Neutral, 2), (Fail, Pass, 2), (Pass, Neutral, 2), (Pass, Pass, 2)];
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn ranges_are_cut_where_either_policy_changes() {
        use SpfResult::{Fail, Pass};
        let found = pairs("v=spf1 ip4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.0/24 -all");
        let one = |ip: &str, left| (ip.to_owned(), vec![(left, Pass, 0)]);
        assert_eq!(found, [one("192.0.2.0", Fail), one("192.0.2.1", Pass)]);
    }
}
