//! P2: every path is within limits, and nobody is worse off.

use std::cell::RefCell;

use super::refused::{Against, AgainstToday, Objection};
use super::{Judged, Receiver, passes};
use crate::dns::{RecordType, Resolved, resolve};
use crate::name::DomainName;
use crate::net::{AddressSet, IpRange};
use crate::plan::{Change, Plan};
use crate::prove::aliases::Aliases;
use crate::prove::binding::Binding;
use crate::prove::listed::possible;
use crate::prove::proof::Counterexample;
use crate::prove::world::{Content, Flux, Version, World};
use crate::spf::{Case, Leaf, Policy, Profile, SpfRecord, SpfResult, Unknown};

/// Octets that a record and its name should have at most (RFC 7208 section 3.4).
const MAX_OCTETS: usize = 450;

/// What SPF says before the plan.
pub(in crate::prove) struct Before<'b> {
    /// The policy of the domain that is judged.
    pub(in crate::prove) policy: Policy,
    /// What is said against mail of the stream, whatever its domain and sources.
    pub(in crate::prove) against: &'b AgainstToday,
    /// A question by which alone a message may be refused that is not before the plan.
    pub(in crate::prove) open: RefCell<Option<Unknown>>,
}

/// P2: the path of every address is within the limits and leads to no permerror, and none is worse off than today.
///
/// Where `today` is given, what was before the plan, an address whose path is over a limit or leads to an error already may
/// stay so, if it is the stream's own mail that fares so. Each address is compared with itself, and each turnout of the unknowns with the
/// same one; and what comes from an identity's own sources with all that comes from the stream today.
pub(in crate::prove) fn within_limits(
    world: &World<'_>,
    binding: &Binding<'_>,
    addresses: &AddressSet,
    receivers: &[Receiver<'_>],
    today: Option<&Before<'_>>,
) -> Judged {
    let Some(domain) = binding.checked_domain() else { return Judged::default() };
    let policy = match Policy::compile_within(world, domain, addresses) {
        Ok(policy) => policy,
        Err(error) => return Judged::error(error),
    };
    let own = binding.delivered_by.id == binding.identity.id;
    let mut judged = Judged::default();
    let Some(today) = today else {
        for (range, cases) in policy.classes(addresses) {
            judged.classes += 1;
            for Case { assuming, leaf } in &cases {
                judged.unbounded |= leaf.spent.unbounded > 0;
                judged.class(receivers, (range, assuming), |profile| broken(leaf, profile));
            }
        }
        return judged;
    };
    // Each turnout is compared with the same one of today, which says nothing of an answer that comes or goes.
    let mut unknowns = policy.unknowns().iter().chain(today.policy.unknowns());
    judged.unsettled = unknowns.find_map(|unknown| Some((unknown.clone(), changes(world.plan, unknown)?)));
    let classes = match policy.beside(&today.policy, addresses) {
        Ok(classes) => classes,
        Err(problem) => return Judged::error(problem),
    };
    let nothing = Against::default();
    let against = |index: &usize| today.against.get(index).unwrap_or(&nothing);
    for (range, cases) in classes {
        judged.classes += 1;
        for Case { assuming, leaf: (leaf, was) } in &cases {
            judged.unbounded |= leaf.spent.unbounded > 0;
            for (index, profile) in receivers {
                let only = [(*index, *profile)];
                let is_new = || own && against(index).is_new(Objection::Error, range).is_some();
                judged.class(&only, (range, assuming), |profile| worse(leaf, was, profile, own, &is_new));
            }
        }
    }
    if own {
        for (range, cases) in policy.classes(addresses) {
            for (index, profile) in receivers {
                judged.refused((world, binding, &policy), (range, &cases), (*index, profile), today);
            }
        }
    }
    judged
}

impl Judged {
    /// What comes from an identity's own sources may be refused, and no mail of the stream may for that before the plan.
    fn refused(
        &mut self,
        (world, binding, policy): (&World<'_>, &Binding<'_>, &Policy),
        (range, cases): (IpRange, &[Case<Leaf>]),
        (index, profile): Receiver<'_>,
        today: &Before<'_>,
    ) {
        let nothing = Against::default();
        let against = today.against.get(&index).unwrap_or(&nothing);
        let objection = |leaf: &Leaf| Objection::to(leaf.result).filter(|_| over(leaf, profile).is_none());
        // The mildest that every message meets, and what some may.
        let surely = cases.iter().map(|case| objection(&case.leaf)).min().flatten();
        if let Some(at) = surely.and_then(|objection| against.is_new(objection, range)) {
            let assuming = cases.first().map_or(&[][..], |case| &case.assuming);
            self.class(&[(index, profile)], (at, assuming), |_| Some("p2.refused"));
            return;
        }
        let may_be_new =
            |leaf: &Leaf| objection(leaf).is_some_and(|it| against.may_be_new(it, range).is_some());
        let Some(first) = cases.iter().find(|case| may_be_new(&case.leaf)) else { return };
        if let Some((_, assuming)) = possible(world, binding, policy, range, &first.assuming, &may_be_new) {
            // Some message may be refused, and no record says whether any is.
            let unknown = assuming.into_iter().next().map(|(unknown, _)| unknown);
            *today.open.borrow_mut() = unknown.or_else(|| today.open.take());
        }
    }
}

/// A name that the plan changes and that the question may lead to for some message, by aliases or not.
pub(super) fn changes(plan: &Plan, unknown: &Unknown) -> Option<DomainName> {
    let asked: &[RecordType] = match unknown.mechanism {
        "exists" => &[RecordType::A],
        "a" => &[RecordType::A, RecordType::Aaaa],
        "mx" => &[RecordType::Mx, RecordType::A, RecordType::Aaaa],
        "ptr" => &[RecordType::Ptr, RecordType::A, RecordType::Aaaa],
        _ => &[RecordType::Txt],
    };
    // An address that `mx` or `ptr` ask for may be anywhere.
    let fixed = behind_macros(unknown).filter(|_| !matches!(unknown.mechanism, "mx" | "ptr"));
    let answers =
        |change: &&Change| asked.contains(&change.record_type) || change.record_type == RecordType::Cname;
    let mut changes = plan.steps.iter().flat_map(|step| &step.changes).filter(answers).peekable();
    // Of most plans nothing changes that may be an answer.
    changes.peek()?;
    let Some(fixed) = fixed else { return changes.next().map(|change| change.name.clone()) };
    let is_below = |name: &DomainName| name.is_within(&fixed) && *name != fixed;
    let aliases = Aliases::new(plan);
    let leads_there = |name: &DomainName| aliases.leading_to([name]).into_iter().any(is_below);
    changes.map(|change| &change.name).find(|name| leads_there(name)).cloned()
}

/// The labels behind the last macro, which stand in every name that is asked for.
pub(in crate::prove) fn behind_macros(unknown: &Unknown) -> Option<DomainName> {
    let behind = unknown.target.rsplit('}').next().unwrap_or_default();
    DomainName::parse(behind.split_once('.').map_or("", |(_, labels)| labels)).ok()
}

/// What is wrong with a path.
pub(super) fn broken(leaf: &Leaf, profile: &Profile) -> Option<&'static str> {
    over(leaf, profile).or_else(|| (leaf.result == SpfResult::PermError).then_some("p2.permerror"))
}

/// What is wrong with a path that was another before the plan; `own` says that the address is of the identity itself, and `is_new` whether
/// mail of the stream met no error before.
fn worse(
    leaf: &Leaf,
    was: &Leaf,
    profile: &Profile,
    own: bool,
    is_new: &dyn Fn() -> bool,
) -> Option<&'static str> {
    let refused = match was.result {
        _ if over(was, profile).is_some() => false,
        SpfResult::None | SpfResult::Neutral => {
            matches!(leaf.result, SpfResult::Fail | SpfResult::SoftFail)
        }
        SpfResult::SoftFail => leaf.result == SpfResult::Fail,
        _ => false,
    };
    match broken(leaf, profile) {
        // Nobody's mail was in error for that: the path is new to the stream.
        Some(_) if broken(was, profile).is_some() && !is_new() => None,
        Some(code) => Some(code),
        None if passes(was, profile) && !passes(leaf, profile) => Some("p2.worse-than-today"),
        // From its own sources a message is not to be refused more than today.
        None if own && refused => Some("p2.worse-than-today"),
        None => None,
    }
}

/// Whether a path is worse for mail of a stream than it was: it passed, or was not refused, or was in no error.
pub(in crate::prove) fn got_worse(leaf: &Leaf, was: &Leaf, profile: &Profile) -> bool {
    worse(leaf, was, profile, true, &|| false).is_some()
}

/// The limit that a path is over, if any.
fn over(leaf: &Leaf, profile: &Profile) -> Option<&'static str> {
    let spent = &leaf.spent;
    if spent.lookups_for(profile) > profile.lookups {
        Some("p2.too-many-lookups")
    } else if spent.voids_for(profile) > profile.voids {
        Some("p2.too-many-voids")
    } else if spent.mx_names > profile.mx_names {
        Some("p2.too-many-mx")
    } else if spent.mx_addresses > profile.mx_addresses {
        Some("p2.too-many-mx-addresses")
    } else {
        None
    }
}

/// An SPF record that a step makes larger than it should be (RFC 7208 section 3.4), and than it is today.
pub(in crate::prove) fn too_large(plan: &Plan, flux: &Flux) -> Option<Counterexample> {
    for question in flux.questions().filter(|question| question.record_type == RecordType::Txt) {
        let sizes: Vec<(usize, &Version)> = flux
            .versions(&question)?
            .iter()
            .filter_map(|version| match &version.content {
                Content::Set(rrset) if rrset.texts().iter().any(|text| SpfRecord::is_spf(text.octets())) => {
                    Some((rrset.size(&question.name), version))
                }
                _ => None,
            })
            .collect();
        let today = match resolve(&plan.evidence, &question.name, RecordType::Txt) {
            Resolved::Records(rrset) => rrset.size(&question.name),
            _ => 0,
        };
        let allowed = today.max(MAX_OCTETS);
        if let Some((size, version)) = sizes.into_iter().find(|(size, _)| *size > allowed) {
            let step = version.from.and_then(|step| plan.steps.get(step)).map_or("", |step| step.id.as_str());
            let story = format!(
                "Step `{step}` makes the answer for {question} {size} octets long; {allowed} are allowed."
            );
            return Some(Counterexample::of_record("p2.record-too-large", story));
        }
    }
    None
}
