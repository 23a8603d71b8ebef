//! What receivers may refuse the mail of a stream for: before the plan, and then.

use std::collections::BTreeMap;

use super::Receiver;
use super::limits::broken;
use crate::net::{AddressSet, IpRange};
use crate::plan::{Identity, Plan};
use crate::prove::binding::Binding;
use crate::prove::world::{Flux, World};
use crate::spf::{Case, Leaf, Policy, Profile, SpfResult};

/// Something that a receiver may refuse mail for, or hold against it, before it sees a signature (RFC 7208 sections 8.4, 8.5 and 8.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Objection {
    SoftFail,
    Fail,
    Error,
}

impl Objection {
    const ALL: [Self; 3] = [Self::SoftFail, Self::Fail, Self::Error];

    /// What is said against a result within the limits.
    pub(super) fn to(result: SpfResult) -> Option<Self> {
        match result {
            SpfResult::Fail => Some(Self::Fail),
            SpfResult::SoftFail => Some(Self::SoftFail),
            _ => None,
        }
    }

    /// Whether a path meets this, or for softfail the harsher fail.
    fn is_met_by(self, leaf: &Leaf, profile: &Profile) -> bool {
        if broken(leaf, profile).is_some() {
            return self == Self::Error;
        }
        Self::to(leaf.result).is_some_and(|met| self <= met)
    }
}

/// What SPF says against mail of a stream before the plan, at one kind of receiver.
#[derive(Clone, Debug, Default)]
pub(in crate::prove) struct Against {
    /// The addresses that it comes from.
    known: AddressSet,
    /// Those at which some mail does not surely meet an objection.
    not_surely: BTreeMap<Objection, AddressSet>,
    /// Those at which some mail cannot meet it, whatever the message is.
    never: BTreeMap<Objection, AddressSet>,
}

/// What is said against it, by index of the receiver.
pub(in crate::prove) type AgainstToday = BTreeMap<usize, Against>;

impl Against {
    fn note(&mut self, classes: &[(IpRange, Vec<Case<Leaf>>)], profile: &Profile) {
        let here = |is: &dyn Fn(&[Case<Leaf>]) -> bool| {
            let ranges = classes.iter().filter(|(_, cases)| is(cases)).map(|(range, _)| *range);
            AddressSet::from_ranges(ranges)
        };
        for objection in Objection::ALL {
            let meets = |case: &Case<Leaf>| objection.is_met_by(&case.leaf, profile);
            let not_surely = here(&|cases| !cases.iter().all(meets));
            let never = here(&|cases| !cases.iter().any(meets));
            for (all, some) in [(&mut self.not_surely, not_surely), (&mut self.never, never)] {
                let all = all.entry(objection).or_default();
                *all = all.union(&some);
            }
        }
        self.known = self.known.union(&here(&|_| true));
    }

    /// The first of some addresses at which an objection is new: what comes from there does not surely meet it before the plan, and neither
    /// does all mail of the stream.
    pub(super) fn is_new(&self, objection: Objection, range: IpRange) -> Option<IpRange> {
        self.beyond(self.not_surely.get(&objection), range)
    }

    /// The same for an objection that some message may meet: none may before the plan.
    pub(super) fn may_be_new(&self, objection: Objection, range: IpRange) -> Option<IpRange> {
        self.beyond(self.never.get(&objection), range)
    }

    fn beyond(&self, spared: Option<&AddressSet>, range: IpRange) -> Option<IpRange> {
        let Some(spared) = spared else { return Some(range) };
        // Where all mail meets it, other addresses fare no worse.
        if spared.is_empty() && !self.known.is_empty() {
            return None;
        }
        let first = range.first();
        if !self.known.contains(first) || spared.contains(first) {
            return Some(range);
        }
        let met = self.known.difference(spared);
        AddressSet::from_ranges([range]).difference(&met).ranges().next()
    }
}

/// Adds what is said against the messages of a binding.
pub(in crate::prove) fn against(
    world: &World<'_>,
    binding: &Binding<'_>,
    addresses: &AddressSet,
    receivers: &[Receiver<'_>],
    today: &mut AgainstToday,
) {
    let Some(domain) = binding.checked_domain() else { return };
    // What cannot be compiled excuses nothing.
    let Ok(policy) = Policy::compile_within(world, domain, addresses) else { return };
    let classes = policy.classes(addresses);
    for (index, profile) in receivers {
        today.entry(*index).or_default().note(&classes, profile);
    }
}

/// The identities in use before the plan whose mail the identity of a binding takes over: those that stop as it starts, else those that
/// stop at all, and else all. One that goes on, as what a customer falls back to, says nothing of the mail that moves. An identity that is
/// in use itself is compared with all.
pub(in crate::prove) fn replaces<'p>(plan: &Plan, flux: &Flux, binding: &Binding<'p>) -> Vec<&'p Identity> {
    let (stream, new) = (binding.stream, &binding.identity.id);
    let live = || stream.identities.iter().filter(|identity| stream.live.contains(&identity.id));
    if stream.live.contains(new) {
        return live().collect();
    }
    let starts = |at: &usize| flux.starts(plan, &stream.id, *at).any(|used| used.identity == *new);
    let ends = |at: usize, id: &str| flux.stops(plan, &stream.id, at).any(|used| used.identity == id);
    let ended = |only_as_it_starts: bool| -> Vec<&'p Identity> {
        let steps = || flux.uses(&stream.id).filter(|at| !only_as_it_starts || starts(at));
        live().filter(|identity| steps().any(|at| ends(at, &identity.id))).collect()
    };
    let candidates = [ended(true), ended(false)];
    candidates.into_iter().find(|found| !found.is_empty()).unwrap_or_else(|| live().collect())
}
