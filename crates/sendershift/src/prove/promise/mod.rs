//! What is asked of a message in one world, a file for each promise.
//!
//! | promise | file |
//! |---|---|
//! | P1 authenticated | `authenticated` |
//! | P2 within limits | `limits` |
//! | P4 no more authority than needed | `authority`, `keys`, `given_up` |
//! | P5 reports are seen | `seen` |
//! | P6 policies never weaken, or tighten unseen | `policy` |
//! | P7 customers first | `customers` |
//! | P8 one reading | `one_reading` |
//! | P9 reachable | `reachable`, `greets` |
//! | P10 no collateral | `collateral`, `senders`, `alignment`, `cut_off` |

mod alignment;
mod authenticated;
mod authority;
mod collateral;
mod customers;
mod cut_off;
mod given_hosts;
mod given_up;
mod greets;
mod keys;
mod limits;
mod one_reading;
mod policy;
mod reachable;
mod refused;
mod seen;
mod senders;

use std::collections::BTreeMap;
use std::net::IpAddr;

pub(super) use alignment::{Alignments, identifiers};
pub(super) use authenticated::{Today, authenticated, no_worse, today};
pub(super) use authority::{added, authority, domains};
pub(super) use collateral::{Others, policy_unchanged, removed, spf_unchanged, still_protected};
pub(super) use customers::{Early, customers};
pub(super) use cut_off::cut_off;
pub(super) use given_hosts::addressed;
pub(super) use given_up::{Gift, elsewhere, gifts, in_use, not_authorised, ours, referenced};
pub(super) use greets::greets;
pub(super) use keys::{key_for_nobody, key_left_behind};
pub(super) use limits::{Before, behind_macros, got_worse, too_large, within_limits};
pub(super) use one_reading::{Differing, differing, one_reading};
pub(super) use policy::{Author, Effect, policy, taken_back};
pub(super) use reachable::{by_alias, reachable};
pub(super) use refused::{AgainstToday, against, replaces};
pub(super) use seen::{Unseen, declared, goes_unseen, is_unseen, seen, stopped_being_seen};
pub(super) use senders::{is_ever_given_up, only_signs_declared, silent, undeclared, with_spf};

use super::binding::Binding;
use crate::dmarc;
use crate::dns::Evidence;
use crate::error::Error;
use crate::name::DomainName;
use crate::net::IpRange;
use crate::spf::{Branch, Leaf, Profile, SpfResult, Unknown};

/// What is wrong with one message at one kind of receiver.
#[derive(Clone, Debug)]
pub(in crate::prove) struct Failure {
    pub(in crate::prove) code: &'static str,
    /// An address for which it is.
    pub(in crate::prove) address: Option<IpAddr>,
    /// How unknown questions turn out for it.
    pub(in crate::prove) assuming: Vec<(Unknown, Branch)>,
}

impl Failure {
    fn new(code: &'static str) -> Self {
        Self { code, address: None, assuming: Vec::new() }
    }
}

/// The judgement of all messages of a binding in one world, for each receiver asked for.
#[derive(Debug, Default)]
pub(in crate::prove) struct Judged {
    /// The failures by index of the receiver's profile, one for each at most.
    pub(in crate::prove) failures: BTreeMap<usize, Failure>,
    /// How many address classes were looked at.
    pub(in crate::prove) classes: u64,
    /// Why it could not be judged.
    pub(in crate::prove) error: Option<Error>,
    /// Set where a path may cost more than the evidence tells.
    pub(in crate::prove) unbounded: bool,
    /// A question whose answer depends on the message, and the name that the plan changes and that may be its answer.
    pub(in crate::prove) unsettled: Option<(Unknown, DomainName)>,
}

impl Judged {
    /// One failure for every receiver: it has nothing to do with how they differ.
    pub(in crate::prove) fn everywhere(code: Option<&'static str>, receivers: &[Receiver<'_>]) -> Self {
        let failures = code
            .into_iter()
            .flat_map(|code| receivers.iter().map(move |(index, _)| (*index, Failure::new(code))));
        Self { failures: failures.collect(), ..Self::default() }
    }

    pub(in crate::prove) fn error(error: impl Into<Error>) -> Self {
        Self { error: Some(error.into()), ..Self::default() }
    }

    /// Counts a range of addresses that are treated alike, and keeps what is wrong with its first for each receiver
    /// that has no failure yet.
    fn class(
        &mut self,
        receivers: &[Receiver<'_>],
        (range, assuming): (IpRange, &[(Unknown, Branch)]),
        judge: impl Fn(&Profile) -> Option<&'static str>,
    ) {
        for (index, profile) in receivers {
            if let Some(code) = judge(profile) {
                self.failures.entry(*index).or_insert_with(|| Failure {
                    code,
                    address: Some(range.first()),
                    assuming: assuming.to_vec(),
                });
            }
        }
    }
}

/// A receiver's profile with its index among those of the plan.
pub(in crate::prove) type Receiver<'a> = (usize, &'a Profile);

fn passes(leaf: &Leaf, profile: &Profile) -> bool {
    leaf.result == SpfResult::Pass && leaf.spent.is_within(profile)
}

/// The harshest policy that a receiver may take to be in effect: they differ on `t=y`, which RFC 7489 did not have, on
/// whether the author domain exists, which decides between `sp` and `np`, and on whose record applies.
fn harshest(evidence: &dyn Evidence, author_domain: &DomainName, applied: &dmarc::Applied) -> dmarc::Policy {
    let declared = match applied.source {
        dmarc::Source::AuthorDomain => applied.declared,
        _ => applied.declared.max(applied.record.subdomain_policy()).max(applied.record.nonexistent_policy()),
    };
    declared.max(dmarc::legacy_policy(evidence, author_domain).unwrap_or(dmarc::Policy::None))
}

/// Whether plain evidence shows a failure of P5, P8 or P9 again; `None` for those of other promises. Why a domain is not reached
/// may differ: worlds do not tell a name without records from one that is gone.
pub(super) fn shows(
    code: &str,
    evidence: &dyn Evidence,
    binding: &Binding<'_>,
    profile: &Profile,
) -> Option<bool> {
    let receivers = [(0, profile)];
    let (promise, _) = code.split_once('.')?;
    let judged = match promise {
        "p5" => seen(evidence, evidence, binding, &receivers, &Unseen::default()),
        "p8" => one_reading(evidence, binding, &receivers, &Differing::default()),
        "p9" if code == "p9.helo-without-address" => greets(evidence, binding, &receivers),
        "p9" if code == "p9.mx-alias" => by_alias(evidence, evidence, binding, &receivers),
        "p9" => reachable(evidence, evidence, binding, &receivers),
        _ => return None,
    };
    Some(judged.failures.values().any(|failure| failure.code == code || promise == "p9"))
}
