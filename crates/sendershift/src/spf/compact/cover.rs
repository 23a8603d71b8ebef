//! The shortest terms `ip4` and `ip6` that give addresses their results.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::net::{Family, Partition};
use crate::spf::{Directive, Mechanism, Qualifier, SpfResult};

/// What the terms have to do with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Want {
    /// No term may match it.
    Nothing,
    /// A term with this qualifier has to be the first that matches it.
    Need(Qualifier),
    /// Such a term may be, or none.
    May(Qualifier),
    /// Any term may match it, as it never comes to them.
    Any,
}

/// One `ip4` or `ip6` term.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Net {
    pub(super) qualifier: Qualifier,
    pub(super) net: IpNet,
}

impl Net {
    /// The term as a record has it.
    pub(super) fn text(&self) -> String {
        let mechanism = match self.net {
            IpNet::V4(net) => Mechanism::Ip4 { address: net.addr(), prefix: Some(net.prefix_len()) },
            IpNet::V6(net) => Mechanism::Ip6 { address: net.addr(), prefix: Some(net.prefix_len()) },
        };
        Directive { qualifier: Some(self.qualifier), mechanism }.to_string()
    }
}

/// The terms and octets of a choice of terms: what is made small, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Size {
    terms: usize,
    octets: usize,
}

impl Size {
    fn plus(self, other: Self) -> Self {
        Self { terms: self.terms + other.terms, octets: self.octets + other.octets }
    }
}

/// The fewest terms, of these the ones with the fewest octets, that do what is wanted; longer prefixes come before
/// those that hold them, as the first match decides.
///
/// Prefixes are nested or apart, so of two that meet, the shorter one must come later: a choice of terms is a choice of
/// nodes in the tree of prefixes, and the best choice below a node depends only on the term above it.
pub(super) fn cover(wanted: &Partition<Want>) -> Vec<Net> {
    let mut nets = Vec::new();
    for family in [Family::V4, Family::V6] {
        let runs: Vec<Run> = wanted
            .runs()
            .filter(|(range, _)| range.family() == family)
            .map(|(range, want)| Run {
                first: number(range.first()),
                last: number(range.last()),
                want: *want,
            })
            .collect();
        let qualifiers: BTreeSet<Qualifier> = runs
            .iter()
            .filter_map(|run| match run.want {
                // An exception may have exceptions in turn.
                Want::Need(qualifier) | Want::May(qualifier) => Some(qualifier),
                Want::Nothing | Want::Any => None,
            })
            .collect();
        let tree = Tree { family, qualifiers: qualifiers.into_iter().collect() };
        let root = tree.node(&runs, 0, 0);
        tree.collect(&root, None, &mut nets);
    }
    nets
}

#[derive(Clone, Copy)]
struct Run {
    first: u128,
    last: u128,
    want: Want,
}

/// What is best below one prefix, for each term that may stand above it.
struct Best {
    base: u128,
    length: u8,
    /// Without a term above, then under each of the qualifiers in order; none where it cannot be.
    under: Vec<Option<Size>>,
    below: Option<Box<[Best; 2]>>,
    want: Option<Want>,
}

struct Tree {
    family: Family,
    qualifiers: Vec<Qualifier>,
}

impl Tree {
    fn bits(&self) -> u8 {
        if self.family == Family::V4 { 32 } else { 128 }
    }

    /// The terms that may stand above a prefix.
    fn above(&self) -> impl Iterator<Item = Option<Qualifier>> {
        std::iter::once(None).chain(self.qualifiers.iter().copied().map(Some))
    }

    fn position(&self, above: Option<Qualifier>) -> usize {
        self.above().position(|one| one == above).unwrap_or(0)
    }

    fn last(&self, base: u128, length: u8) -> u128 {
        let hosts = self.bits() - length;
        base | 1u128.checked_shl(u32::from(hosts)).map_or(u128::MAX, |size| size - 1)
    }

    fn net(&self, base: u128, length: u8, qualifier: Qualifier) -> Net {
        let net = IpNet::new(address(self.family, base), length).unwrap_or_default();
        Net { qualifier, net }
    }

    fn size(&self, base: u128, length: u8, qualifier: Qualifier) -> Size {
        // A space stands before each term.
        Size { terms: 1, octets: 1 + self.net(base, length, qualifier).text().len() }
    }

    /// The best below a prefix; `runs` are those that reach into it.
    fn node(&self, runs: &[Run], base: u128, length: u8) -> Best {
        let last = self.last(base, length);
        let begin = runs.partition_point(|run| run.last < base);
        let end = runs.partition_point(|run| run.first <= last);
        let runs = runs.get(begin..end).unwrap_or_default();
        if let [run] = runs {
            let under = self.above().map(|above| self.uniform(run.want, above, base, length)).collect();
            return Best { base, length, under, below: None, want: Some(run.want) };
        }
        // Where no term may match at an end, none stands above: only the shortest prefix counts that holds the rest.
        if let Some((base, length)) = self.shortest_that_holds_terms(runs, base, length) {
            let mut best = self.node(runs, base, length);
            best.under.iter_mut().skip(1).for_each(|size| *size = None);
            return best;
        }
        let half = 1u128.checked_shl(u32::from(self.bits() - length - 1)).unwrap_or(0);
        let below = [self.node(runs, base, length + 1), self.node(runs, base | half, length + 1)];
        let both = |at: usize| {
            let [left, right] = below.each_ref().map(|best| best.under.get(at).copied().flatten());
            Some(left?.plus(right?))
        };
        let under = self
            .above()
            .enumerate()
            .map(|(at, above)| {
                let new = self.qualifiers.iter().enumerate().filter(|(_, one)| Some(**one) != above);
                let put = new.filter_map(|(index, qualifier)| {
                    both(index + 1).map(|both| self.size(base, length, *qualifier).plus(both))
                });
                both(at).into_iter().chain(put).min()
            })
            .collect();
        Best { base, length, under, below: Some(Box::new(below)), want: None }
    }

    /// The shortest prefix that holds all that terms may match, where it is a longer one than a prefix.
    fn shortest_that_holds_terms(&self, runs: &[Run], base: u128, length: u8) -> Option<(u128, u8)> {
        let may_match = |run: &Run| run.want != Want::Nothing;
        let (begin, end) = (runs.iter().position(may_match)?, runs.iter().rposition(may_match)?);
        let (first, last) =
            (runs.get(begin)?.first.max(base), runs.get(end)?.last.min(self.last(base, length)));
        let differing = u8::try_from(u128::BITS - (first ^ last).leading_zeros()).ok()?;
        let longer = self.bits().checked_sub(differing)?;
        let base = first.checked_shr(u32::from(differing)).unwrap_or(0);
        let base = base.checked_shl(u32::from(differing)).unwrap_or(0);
        (longer > length).then_some((base, longer))
    }

    fn uniform(&self, want: Want, above: Option<Qualifier>, base: u128, length: u8) -> Option<Size> {
        match (want, above) {
            (Want::Any, _) | (Want::Nothing | Want::May(_), None) => Some(Size::default()),
            (Want::Nothing, Some(_)) => None,
            (Want::Need(wanted) | Want::May(wanted), Some(above)) if wanted == above => Some(Size::default()),
            (Want::Need(wanted) | Want::May(wanted), _) => Some(self.size(base, length, wanted)),
        }
    }

    /// The terms of the best choice, longer prefixes first.
    fn collect(&self, best: &Best, above: Option<Qualifier>, nets: &mut Vec<Net>) {
        let (base, length) = (best.base, best.length);
        let size = best.under.get(self.position(above)).copied().flatten();
        let Some(below) = &best.below else {
            if size.is_some_and(|size| size.terms > 0)
                && let Some(Want::Need(qualifier) | Want::May(qualifier)) = best.want
            {
                nets.push(self.net(base, length, qualifier));
            }
            return;
        };
        let both = |above: Option<Qualifier>| {
            let at = self.position(above);
            let [left, right] = below.each_ref().map(|best| best.under.get(at).copied().flatten());
            Some(left?.plus(right?))
        };
        let put = if both(above) == size {
            None
        } else {
            self.qualifiers.iter().copied().find(|qualifier| {
                Some(*qualifier) != above
                    && both(Some(*qualifier)).map(|both| self.size(base, length, *qualifier).plus(both))
                        == size
            })
        };
        let [left, right] = below.as_ref();
        let inner = put.or(above);
        self.collect(left, inner, nets);
        self.collect(right, inner, nets);
        nets.extend(put.map(|qualifier| self.net(base, length, qualifier)));
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

fn address(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX)).into(),
        Family::V6 => Ipv6Addr::from_bits(number).into(),
    }
}

/// The qualifier whose match has a result, if there is one.
pub(super) fn qualifier(result: SpfResult) -> Option<Qualifier> {
    [Qualifier::Pass, Qualifier::Fail, Qualifier::SoftFail, Qualifier::Neutral]
        .into_iter()
        .find(|qualifier| SpfResult::from(*qualifier) == result)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Net, Want, cover};
    use crate::net::{AddressSet, IpRange, Partition, parse_net};
    use crate::spf::Qualifier;

    fn wanted(ranges: &[(&str, Want)]) -> Partition<Want> {
        let range = |net: &str| IpRange::from(parse_net(net).unwrap());
        Partition::from_ranges(
            Want::Nothing,
            Want::Nothing,
            ranges.iter().map(|(net, want)| (range(net), *want)),
        )
    }

    fn texts(ranges: &[(&str, Want)]) -> Vec<String> {
        cover(&wanted(ranges)).iter().map(super::Net::text).collect()
    }

    #[test]
    fn neighbours_are_merged_and_v6_is_covered() {
        let pass = Want::Need(Qualifier::Pass);
        assert_eq!(texts(&[("192.0.2.0/25", pass), ("192.0.2.128/25", pass)]), ["ip4:192.0.2.0/24"]);
        assert_eq!(texts(&[("0.0.0.0/0", pass), ("::/0", pass)]), ["ip4:0.0.0.0/0", "ip6:::/0"]);
        assert_eq!(texts(&[("2001:db8::1", pass), ("2001:db8::", pass)]), ["ip6:2001:db8::/127"]);
        assert_eq!(texts(&[]), [""; 0]);
    }

    #[test]
    fn an_exception_stands_before_what_it_is_taken_from() {
        let both =
            [("203.0.113.7", Want::Need(Qualifier::Fail)), ("203.0.113.0/24", Want::Need(Qualifier::Pass))];
        assert_eq!(texts(&both), ["-ip4:203.0.113.7", "ip4:203.0.113.0/24"]);
        // Where no term may match, there is no exception to write.
        let hole = [("203.0.113.7", Want::Nothing), ("203.0.113.0/24", Want::Need(Qualifier::Pass))];
        assert_eq!(texts(&hole).len(), 8);
        let may = [
            ("203.0.113.7", Want::May(Qualifier::SoftFail)),
            ("203.0.113.0/24", Want::Need(Qualifier::Pass)),
        ];
        assert_eq!(texts(&may), ["~ip4:203.0.113.7", "ip4:203.0.113.0/24"]);
    }

    /// What the first match means.
    fn applied(nets: &[Net]) -> Partition<Option<Qualifier>> {
        let first = nets.iter().map(|net| (IpRange::from(net.net), Some(net.qualifier)));
        Partition::from_ranges(None, None, first)
    }

    fn small() -> impl Strategy<Value = Vec<Want>> {
        let want = prop_oneof![
            Just(Want::Nothing),
            Just(Want::Need(Qualifier::Pass)),
            Just(Want::Need(Qualifier::Fail)),
            Just(Want::May(Qualifier::Pass)),
            Just(Want::May(Qualifier::Fail)),
            Just(Want::Any),
        ];
        prop::collection::vec(want, 8)
    }

    type Chosen = Vec<(usize, usize, Qualifier)>;

    /// Whether prefixes, given by first address and size, do what is wanted; the smallest that holds an address decides.
    fn does(wants: &[Want], chosen: &Chosen) -> bool {
        wants.iter().enumerate().all(|(at, want)| {
            let holds = |(first, size, _): &&(usize, usize, Qualifier)| (*first..first + size).contains(&at);
            let found = chosen.iter().filter(holds).min_by_key(|(_, size, _)| *size).map(|(.., q)| *q);
            match want {
                Want::Nothing => found.is_none(),
                Want::Need(wanted) => found == Some(*wanted),
                Want::May(wanted) => found.is_none_or(|found| found == *wanted),
                Want::Any => true,
            }
        })
    }

    fn search(wants: &[Want], prefixes: &[(usize, usize)], chosen: &mut Chosen, left: usize) -> bool {
        if does(wants, chosen) {
            return true;
        }
        if left == 0 {
            return false;
        }
        for (index, (first, size)) in prefixes.iter().enumerate() {
            for qualifier in [Qualifier::Pass, Qualifier::Fail] {
                chosen.push((*first, *size, qualifier));
                let found = search(wants, &prefixes[index + 1..], chosen, left - 1);
                chosen.pop();
                if found {
                    return true;
                }
            }
        }
        false
    }

    /// The fewest terms, by trying every set of prefixes of a /29: independent of the tree.
    fn fewest(wants: &[Want]) -> usize {
        let of = |size: usize| (0..8).step_by(size).map(move |first| (first, size));
        let prefixes: Vec<(usize, usize)> = [1, 2, 4, 8].into_iter().flat_map(of).collect();
        (0..=8).find(|most| search(wants, &prefixes, &mut Vec::new(), *most)).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn it_does_what_is_wanted_with_the_fewest_terms(wants in small(), v6 in any::<bool>()) {
            let name = |at: usize| if v6 { format!("2001:db8::{at:x}") } else { format!("192.0.2.{at}") };
            let names: Vec<(String, Want)> = wants.iter().enumerate().map(|(at, want)| (name(at), *want)).collect();
            let ranges: Vec<(&str, Want)> = names.iter().map(|(name, want)| (name.as_str(), *want)).collect();
            let wanted = wanted(&ranges);
            let nets = cover(&wanted);
            let wrong: AddressSet = wanted
                .zip(&applied(&nets), |want, found| match want {
                    Want::Nothing => found.is_some(),
                    Want::Need(wanted) => *found != Some(*wanted),
                    Want::May(wanted) => found.is_some_and(|found| found != *wanted),
                    Want::Any => false,
                })
                .into();
            prop_assert!(wrong.is_empty(), "{wrong} of {nets:?}");
            prop_assert_eq!(nets.len(), fewest(&wants), "{:?}", nets);
        }
    }
}
