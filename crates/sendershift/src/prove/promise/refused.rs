//! What receivers may refuse the mail of a stream for: before the plan, and then.

use std::collections::BTreeMap;

use super::Receiver;
use super::limits::broken;
use crate::net::AddressSet;
use crate::prove::binding::Binding;
use crate::prove::world::World;
use crate::spf::{Leaf, Policy, Profile, SpfResult};

/// What SPF says against mail of a stream before the plan, at one kind of receiver. Each is something that a receiver may refuse it for, or
/// hold against it, before it sees a signature (RFC 7208 sections 8.4, 8.5 and 8.7).
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::prove) struct Against {
    pub(super) fail: bool,
    pub(super) softfail: bool,
    pub(super) error: bool,
}

/// What is said against it, by index of the receiver.
pub(in crate::prove) type AgainstToday = BTreeMap<usize, Against>;

impl Against {
    fn note(&mut self, leaf: &Leaf, profile: &Profile) {
        match leaf.result {
            _ if broken(leaf, profile).is_some() => self.error = true,
            SpfResult::Fail => self.fail = true,
            SpfResult::SoftFail => self.softfail = true,
            _ => {}
        }
    }

    /// Whether a result that is within the limits is one that no mail of the stream gets before the plan.
    pub(super) fn is_exceeded_by(self, result: SpfResult) -> bool {
        match result {
            SpfResult::Fail => !self.fail,
            SpfResult::SoftFail => !self.fail && !self.softfail,
            _ => false,
        }
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
    for (_, cases) in policy.classes(addresses) {
        for (index, profile) in receivers {
            let known = today.entry(*index).or_default();
            for case in &cases {
                known.note(&case.leaf, profile);
            }
        }
    }
}
