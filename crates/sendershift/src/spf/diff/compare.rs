//! Two policies, each under its limits.

use std::net::IpAddr;

use super::plausible::can_turn_out;
use super::{DifferentCase, DifferentRange, Doubt, Verdict, Witness};
use crate::error::Problem;
use crate::net::IpRange;
use crate::spf::policy::{Assumed, Differing, Policy};
use crate::spf::{Profile, SpfResult};

/// What is found.
pub(super) struct Compared {
    /// The ranges that differ, each with an address at which its cases can turn out.
    pub(super) ranges: Vec<(DifferentRange, IpAddr)>,
    pub(super) doubts: Vec<Doubt>,
}

/// Compares two policies, each at a receiver; `is_same` says that they are one policy, which then needs no proof.
pub(super) fn compare(
    left: (&Policy, &Profile),
    right: (&Policy, &Profile),
    is_same: bool,
) -> Result<Compared, Problem> {
    let mut compared = Compared { ranges: Vec::new(), doubts: Vec::new() };
    if is_same && left.1 == right.1 {
        return Ok(compared);
    }
    for differing in left.0.under(left.1).differences(&right.0.under(right.1))? {
        match different(&differing) {
            Some(range) => compared.ranges.push(range),
            None => compared.doubts.push(doubt("spf.related-unknowns", differing.range)),
        }
    }
    let hinges = left.0.hinges_on_cost(left.1, right.0, right.1)?;
    compared.doubts.extend(hinges.ranges().map(|range| doubt("spf.unbounded-cost", range)));
    compared.doubts.sort_by_key(|doubt| (doubt.range, doubt.code));
    Ok(compared)
}

impl Compared {
    pub(super) fn verdict(&self) -> Verdict {
        match (self.ranges.is_empty(), self.doubts.is_empty()) {
            (false, _) => Verdict::Different,
            (true, false) => Verdict::Undecided,
            (true, true) => Verdict::Equivalent,
        }
    }

    /// The case with the fewest assumptions, at the lowest address, IPv4 before IPv6.
    pub(super) fn witness(&self) -> Option<Witness> {
        let cases = self.ranges.iter().flat_map(|(range, ip)| range.cases.iter().map(|case| (*ip, case)));
        let (ip, case) = cases.min_by_key(|(_, case)| case.assuming.len())?;
        Some(Witness { ip, case: case.clone() })
    }
}

/// A range with the cases that can turn out at one of its addresses; `None` where there is no such address.
fn different(differing: &Differing) -> Option<(DifferentRange, IpAddr)> {
    let Differing { range, left, right, cases } = differing;
    let cases: Vec<DifferentCase> = cases
        .iter()
        .map(|case| DifferentCase {
            left: case.leaf.0,
            right: case.leaf.1,
            assuming: case.assuming.iter().cloned().map(Assumed::from).collect(),
        })
        .collect();
    let at = |ip: IpAddr| -> Vec<DifferentCase> {
        cases.iter().filter(|case| can_turn_out(&case.assuming, ip)).cloned().collect()
    };
    // Macros may expand alike for one address and not for its neighbour, such as `%{i}` and `%{ir}` for 0.0.0.0.
    let tries =
        [Some(range.first()), next(range.first()).filter(|ip| range.contains(*ip)), Some(range.last())];
    let (cases, ip) = tries
        .into_iter()
        .flatten()
        .filter(|ip| ip.to_canonical() == *ip)
        .map(|ip| (at(ip), ip))
        .find(|(cases, _)| !cases.is_empty())?;
    let results = |results: &std::collections::BTreeSet<SpfResult>| results.iter().copied().collect();
    let range = DifferentRange {
        range: *range,
        count: range.count(),
        left: results(left),
        right: results(right),
        cases,
    };
    Some((range, ip))
}

fn next(ip: IpAddr) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().checked_add(1).map(|bits| IpAddr::V4(bits.into())),
        IpAddr::V6(ip) => ip.to_bits().checked_add(1).map(|bits| IpAddr::V6(bits.into())),
    }
}

fn doubt(code: &'static str, range: IpRange) -> Doubt {
    Doubt { code, range, count: range.count() }
}
