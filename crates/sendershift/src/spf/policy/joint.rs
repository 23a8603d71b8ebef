//! Two policies side by side: what each says of the same address when the unknowns turn out in the same way.

use std::collections::{BTreeMap, BTreeSet};

use super::diagram::{Diagram, Leaf, Node, Unknown};
use super::{Branch, Case, Policy};
use crate::error::Problem;
use crate::net::{AddressSet, IpRange};

/// Pairs of nodes that are visited for one range: an end for hostile records.
const MAX_PAIRS: usize = 1_000_000;

/// Where both evaluations of one address end.
type Both = (Leaf, Leaf);

/// Addresses that two policies treat alike, with the ways in which both evaluations can go.
type Class = (IpRange, Vec<Case<Both>>);

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
                ranges.push((range, outcomes(&self.diagram, &other.diagram, nodes)?));
            }
        }
        Ok(ranges)
    }
}

/// A pair of nodes on the way, and how it was come by: from another pair, by a turnout.
struct Visit<'d> {
    nodes: (Node<Leaf>, Node<Leaf>),
    from: Option<(usize, &'d Unknown, Branch)>,
}

fn outcomes<'d>(
    left: &'d Diagram<Leaf>,
    right: &'d Diagram<Leaf>,
    nodes: (Node<Leaf>, Node<Leaf>),
) -> Result<Vec<Case<Both>>, Problem> {
    let mut visits = vec![Visit { nodes, from: None }];
    let mut seen = BTreeSet::from([nodes]);
    let mut ends: BTreeMap<Both, usize> = BTreeMap::new();
    let mut at = 0;
    while let Some(Visit { nodes, .. }) = visits.get(at) {
        let nodes = *nodes;
        if let (Node::Leaf(here), Node::Leaf(there)) = nodes {
            ends.entry((here, there)).or_insert(at);
        }
        // Unknowns stand in one order in every policy, so the smaller of the two is the next for both.
        let next = [left.unknown_at(nodes.0), right.unknown_at(nodes.1)].into_iter().flatten().min();
        for (index, branch) in next.map(Unknown::branches).unwrap_or_default().into_iter().enumerate() {
            let Some(unknown) = next else { break };
            let nodes = (left.turned_out(nodes.0, unknown, index), right.turned_out(nodes.1, unknown, index));
            if seen.insert(nodes) {
                visits.push(Visit { nodes, from: Some((at, unknown, branch)) });
            }
        }
        at += 1;
        if at > MAX_PAIRS {
            let message = "two policies depend on too much besides the address to be compared";
            return Err(Problem::new("spf.too-complex", message));
        }
    }
    Ok(ends.into_iter().map(|(leaf, at)| Case { assuming: way(&visits, at), leaf }).collect())
}

/// The turnouts that lead to a visit.
fn way(visits: &[Visit<'_>], mut at: usize) -> Vec<(Unknown, Branch)> {
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
