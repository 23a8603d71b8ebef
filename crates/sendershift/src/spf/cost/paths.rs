//! What has been spent when an address has its result: by address, and by the terms that decide.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use super::{RecordCost, TermCost};
use crate::name::DomainName;
use crate::net::{AddressCount, AddressSet, Family, IpRange};
use crate::spf::policy::{Assumed, Decider, Deciders, Idle, Leaf, Policy, Reach, Role, Spent};
use crate::spf::{Profile, SpfResult};

/// The least and the most of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Between {
    /// The least.
    pub least: u32,
    /// The most.
    pub most: u32,
}

impl Between {
    fn one(number: u32) -> Self {
        Self { least: number, most: number }
    }

    fn and(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }
}

/// What has been spent, in the receiver's units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Spending {
    /// Lookups.
    pub lookups: Between,
    /// Void lookups.
    pub voids: Between,
}

impl Spending {
    fn of(spent: Spent, profile: &Profile) -> Self {
        let (lookups, voids) = (spent.lookups_for(profile), spent.voids_for(profile));
        Self { lookups: Between::one(lookups), voids: Between::one(voids) }
    }

    fn and(self, other: Self) -> Self {
        Self { lookups: self.lookups.and(other.lookups), voids: self.voids.and(other.voids) }
    }
}

/// Some addresses, counted, as the longest ranges: those that are left over by others would be very many prefixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AddressRanges {
    /// How many.
    pub count: AddressCount,
    /// Which, IPv4 first, in ascending order.
    pub ranges: Vec<IpRange>,
}

impl AddressRanges {
    fn of(ranges: Vec<IpRange>) -> Self {
        let ranges = AddressSet::from_ranges(ranges);
        Self { count: ranges.count(), ranges: ranges.ranges().collect() }
    }
}

/// Addresses for which as much has been spent when they have their result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CostClass {
    /// What has been spent: more than one number where it depends on the unknowns.
    #[serde(flatten)]
    pub spent: Spending,
    /// The addresses.
    #[serde(flatten)]
    pub addresses: AddressRanges,
}

/// What a term decides, without limits, wherever its record is referred to; alone or by what it refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Decides {
    /// The addresses that it can decide.
    #[serde(flatten)]
    pub addresses: AddressRanges,
    /// What an IPv4 client has spent when it does.
    pub v4: Option<Spending>,
    /// What an IPv6 client has spent when it does.
    pub v6: Option<Spending>,
}

/// Authorised addresses that limits keep from their pass, by the terms that authorise them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Behind {
    /// The part of `beyond` that they are in.
    pub reach: Reach,
    /// The terms that authorise them, from the domain's own record to the one that lists them.
    pub by: Vec<Decider>,
    /// What has been spent by then.
    #[serde(flatten)]
    pub spent: Spending,
    /// The addresses.
    #[serde(flatten)]
    pub addresses: AddressRanges,
}

/// What decides one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AddressCost {
    /// The address.
    pub ip: IpAddr,
    /// How its evaluation can end: one case for each different end.
    pub cases: Vec<AddressCase>,
}

/// One end that the evaluation for an address can come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AddressCase {
    /// How unknowns turn out.
    pub assuming: Vec<Assumed>,
    /// The result at the receiver: permerror where a limit is passed on the way.
    pub result: SpfResult,
    /// The result without limits.
    pub intended: SpfResult,
    /// The terms that decide it.
    pub by: Vec<Decider>,
    /// Lookups that it takes, no limit applied, as the receiver counts them.
    pub lookups: u32,
    /// Void lookups, likewise.
    pub voids: u32,
}

/// The addresses of each class, the cheapest first.
pub(super) fn classes(policy: &Policy, profile: &Profile) -> Vec<CostClass> {
    let spent = policy.map_leaves(|leaves| {
        let each = leaves.iter().map(|leaf| Spending::of(leaf.spent, profile));
        each.reduce(Spending::and)
    });
    let mut classes: BTreeMap<Spending, Vec<IpRange>> = BTreeMap::new();
    for (range, spent) in spent.runs() {
        if let Some(spent) = spent {
            classes.entry(*spent).or_default().push(range);
        }
    }
    let class = |(spent, ranges)| CostClass { spent, addresses: AddressRanges::of(ranges) };
    classes.into_iter().map(class).collect()
}

/// What is decided, by term.
type ByTerm<'d> = BTreeMap<(&'d DomainName, usize), (Vec<IpRange>, [Option<Spending>; 2])>;

/// Notes in the tree what each of its terms decides, and what it can do at all.
pub(super) fn note(tree: &mut RecordCost, deciders: &Deciders, profile: &Profile) {
    let mut by_term: ByTerm<'_> = BTreeMap::new();
    deciders.each_end(|range, ends| {
        for (leaf, chain) in ends {
            for (domain, index) in deciders.path(*chain) {
                let Some(index) = index else { continue };
                let (ranges, spent) = by_term.entry((domain, index)).or_default();
                if ranges.last() != Some(&range) {
                    ranges.push(range);
                }
                let [v4, v6] = spent;
                let family = if range.family() == Family::V4 { v4 } else { v6 };
                let here = Spending::of(leaf.spent, profile);
                *family = Some(family.map_or(here, |known| known.and(here)));
            }
        }
    });
    let parts = by_term.into_iter().map(|((domain, index), (ranges, [v4, v6]))| {
        ((domain.clone(), index), Decides { addresses: AddressRanges::of(ranges), v4, v6 })
    });
    let roles = deciders.terms().into_iter();
    let roles = roles.map(|role| ((role.domain, role.span.start), (role.role, role.idle)));
    Noting { decides: parts.collect(), roles: roles.collect() }.record(tree);
}

/// Whether a term, or something that it refers to, ends in an error.
fn has_error(term: &TermCost) -> bool {
    let within = |child: &RecordCost| child.problem.is_some() || child.terms.iter().any(has_error);
    term.problem.is_some() || term.child.as_ref().is_some_and(within)
}

struct Noting {
    decides: BTreeMap<(DomainName, usize), Decides>,
    /// By the place of the term.
    roles: BTreeMap<(DomainName, usize), (Role, Option<Idle>)>,
}

impl Noting {
    fn record(&self, record: &mut RecordCost) {
        let mut behind_error = false;
        for (index, term) in record.terms.iter_mut().enumerate() {
            self.term(&record.domain, index, term);
            // What shadows it may be the error alone.
            if behind_error && term.idle == Some(Idle::Shadowed) {
                term.idle = Some(Idle::BehindError);
            }
            behind_error |= has_error(term);
        }
    }

    fn term(&self, domain: &DomainName, index: usize, term: &mut TermCost) {
        let role = self.roles.get(&(domain.clone(), term.span.start));
        (term.role, term.idle) = role.map_or((None, None), |(role, idle)| (Some(*role), *idle));
        term.decides = self.decides.get(&(domain.clone(), index)).cloned();
        if let Some(child) = &mut term.child {
            self.record(child);
        }
    }
}

/// The authorised addresses behind a limit, by the terms that authorise them; sorted by part and address.
pub(super) fn behind(deciders: &Deciders, profile: &Profile) -> Vec<Behind> {
    let mut behind: BTreeMap<(Reach, usize), (Vec<IpRange>, Spending)> = BTreeMap::new();
    deciders.each_end(|range, ends| {
        let leaves = ends.iter().map(|(leaf, _)| *leaf).collect();
        let Some(reach) = Reach::of(&leaves, profile) else { return };
        let is_behind = |leaf: &Leaf| leaf.result == SpfResult::Pass && !leaf.spent.is_within(profile);
        for (leaf, chain) in ends.iter().filter(|(leaf, _)| is_behind(leaf)) {
            let here = Spending::of(leaf.spent, profile);
            let (ranges, spent) = behind.entry((reach, *chain)).or_insert_with(|| (Vec::new(), here));
            *spent = spent.and(here);
            if ranges.last() != Some(&range) {
                ranges.push(range);
            }
        }
    });
    let mut behind: Vec<(Option<IpRange>, Behind)> = behind
        .into_iter()
        .map(|((reach, chain), (ranges, spent))| {
            let (first, by) = (ranges.first().copied(), deciders.deciders(chain));
            (first, Behind { reach, by, spent, addresses: AddressRanges::of(ranges) })
        })
        .collect();
    behind.sort_by(|(here, one), (there, other)| {
        (one.reach, here, &one.by).cmp(&(other.reach, there, &other.by))
    });
    behind.into_iter().map(|(_, behind)| behind).collect()
}

/// What decides an address.
pub(super) fn address(deciders: &Deciders, ip: IpAddr, profile: &Profile) -> AddressCost {
    let case = |case: crate::spf::Case<crate::spf::Decision>| {
        let Leaf { result: intended, spent } = case.leaf.leaf;
        AddressCase {
            assuming: case.assuming.into_iter().map(Assumed::from).collect(),
            result: case.leaf.leaf.under(profile),
            intended,
            by: case.leaf.by,
            lookups: spent.lookups_for(profile),
            voids: spent.voids_for(profile),
        }
    };
    AddressCost { ip, cases: deciders.outcomes(ip).into_iter().map(case).collect() }
}
