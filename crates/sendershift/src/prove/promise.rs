//! What is asked of a message in one world: P1, that it is authenticated, and P2, that its path is within limits.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::binding::{Binding, Judgement};
use super::world::World;
use crate::dmarc::{self, Authenticated, Policy as DmarcPolicy};
use crate::dns::Evidence;
use crate::error::Error;
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::spf::{Branch, Case, Leaf, Policy, Profile, SpfResult, Unknown};

/// What is wrong with one message at one kind of receiver.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    /// An address for which it is.
    pub(super) address: Option<IpAddr>,
    /// How unknown questions turn out for it.
    pub(super) assuming: Vec<(Unknown, Branch)>,
}

impl Failure {
    fn new(code: &'static str) -> Self {
        Self { code, address: None, assuming: Vec::new() }
    }
}

/// The judgement of all messages of a binding in one world, for each receiver profile asked for.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// The failures by index of the profile, one for each at most.
    pub(super) failures: BTreeMap<usize, Failure>,
    /// How many address classes were looked at.
    pub(super) classes: u64,
    /// Why it could not be judged.
    pub(super) error: Option<Error>,
    /// Set where a path may cost more than the evidence tells.
    pub(super) unbounded: bool,
}

/// Addresses that are treated alike, by the first of them, and how their evaluation can go.
type Class = (IpAddr, Vec<Case<Leaf>>);

/// The results of SPF for all addresses of a binding.
fn classes(world: &World<'_>, domain: &DomainName, sources: &AddressSet) -> Result<Vec<Class>, Error> {
    let policy = Policy::compile_within(world, domain, sources)?;
    Ok(policy.classes(sources).into_iter().map(|(range, cases)| (range.first(), cases)).collect())
}

/// P1: an aligned DMARC pass; under an enforcing policy, or where a signature is verified later, by DKIM alone;
/// with SPF and DKIM both where the stream needs both.
pub(super) fn authenticated(
    world: &World<'_>,
    binding: &Binding<'_>,
    sources: &AddressSet,
    profiles: &[&Profile],
) -> Judged {
    let all = |failure: &Failure| Judged {
        failures: (0..profiles.len()).map(|index| (index, failure.clone())).collect(),
        ..Judged::default()
    };
    let author_domain = &binding.identity.author_domain;
    let verified: Vec<DomainName> =
        binding.verifiable(world).into_iter().map(|signature| signature.domain.clone()).collect();
    let spf_domain = binding.spf_domain();
    let message = Authenticated { author_domain, spf: spf_domain, dkim: &verified };
    let verdict = dmarc::evaluate(world, &message);
    let Some(applied) = &verdict.discovery.applied else {
        return all(&Failure::new("p1.no-dmarc-policy"));
    };
    if binding.judgement == Judgement::Later {
        // Only signatures can be verified again; a stream that has none is judged at delivery alone.
        let relies = !binding.stream.spf_only && !binding.signatures().is_empty();
        return if relies && !verdict.dkim_aligned {
            all(&Failure::new("p1.signature-not-verifiable"))
        } else {
            Judged::default()
        };
    }
    // Receivers differ on `t=y`, which RFC 7489 did not have, and on whether the author domain exists, which decides
    // between `sp` and `np`: the harsher reading counts.
    let harshest = match applied.source {
        dmarc::Source::AuthorDomain => applied.declared,
        _ => applied.declared.max(applied.record.subdomain_policy()).max(applied.record.nonexistent_policy()),
    };
    let enforcing = harshest > DmarcPolicy::None;
    if enforcing && !binding.stream.spf_only && !verdict.dkim_aligned {
        return all(&Failure::new("p1.no-dkim-under-enforcement"));
    }
    if binding.stream.needs_both && !verdict.dkim_aligned {
        return all(&Failure::new("p1.dkim-needed-too"));
    }
    if verdict.dkim_aligned && !binding.stream.needs_both {
        return Judged::default();
    }
    let code = if verdict.dkim_aligned { "p1.spf-needed-too" } else { "p1.not-authenticated" };
    let Some(domain) = spf_domain.filter(|_| verdict.spf_aligned) else {
        return all(&Failure::new(code));
    };
    match classes(world, domain, sources) {
        Ok(classes) => first_failures(&classes, profiles, |leaf, profile, _| {
            let passes = leaf.result == SpfResult::Pass && leaf.spent.is_within(profile);
            (!passes).then_some(code)
        }),
        Err(error) => Judged { error: Some(error), ..Judged::default() },
    }
}

/// P2: the path of every address is within the limits and leads to no permerror, and none is worse off than today.
///
/// Where `today` is given, an address whose path is over a limit or leads to an error already may stay so.
pub(super) fn within_limits(
    world: &World<'_>,
    binding: &Binding<'_>,
    sources: &AddressSet,
    profiles: &[&Profile],
    today: Option<&Today>,
) -> Judged {
    let Some(domain) = binding.spf_domain() else { return Judged::default() };
    let own = binding.delivered_by.id == binding.identity.id;
    match classes(world, domain, sources) {
        Ok(classes) => first_failures(&classes, profiles, |leaf, profile, (ip, index)| {
            let was = |sets: &[AddressSet]| sets.get(index).is_some_and(|set| set.contains(ip));
            let passes = leaf.result == SpfResult::Pass && leaf.spent.is_within(profile);
            match (over(leaf, profile), today) {
                (Some(_), Some(today)) if was(&today.over) => None,
                (Some(limit), _) => Some(limit),
                (None, Some(today)) if !passes && was(&today.pass) => Some("p2.worse-than-today"),
                // From its own sources a message is not to be called forged where today nothing is said of it.
                (None, Some(today)) if own && refused(leaf.result) && was(&today.unsaid) => {
                    Some("p2.worse-than-today")
                }
                (None, Some(today)) if was(&today.permerror) => None,
                (None, _) => (leaf.result == SpfResult::PermError).then_some("p2.permerror"),
            }
        }),
        Err(error) => Judged { error: Some(error), ..Judged::default() },
    }
}

/// Whether a result says that the address should not send.
fn refused(result: SpfResult) -> bool {
    matches!(result, SpfResult::Fail | SpfResult::SoftFail)
}

/// What SPF says today, for each profile.
pub(super) struct Today {
    /// The addresses whose path is over a limit.
    over: Vec<AddressSet>,
    /// The addresses that pass.
    pass: Vec<AddressSet>,
    /// The addresses of which SPF says neither yes nor no.
    unsaid: Vec<AddressSet>,
    /// The addresses that get an error from a record that is wrong.
    permerror: Vec<AddressSet>,
}

/// The results of SPF before the plan.
pub(super) fn today<E: Evidence>(
    evidence: &E,
    domain: &DomainName,
    sources: &AddressSet,
    profiles: &[&Profile],
) -> Result<Today, Error> {
    let classes = Policy::compile_within(evidence, domain, sources)?.classes(sources);
    let each = |holds: &dyn Fn(&Leaf, &Profile) -> bool, for_all: bool| -> Vec<AddressSet> {
        let of = |profile: &&Profile| {
            let chosen = classes.iter().filter(|(_, cases)| {
                let mut cases = cases.iter().map(|case| holds(&case.leaf, profile));
                if for_all { cases.all(|holds| holds) } else { cases.any(|holds| holds) }
            });
            AddressSet::from_ranges(chosen.map(|(range, _)| *range))
        };
        profiles.iter().map(of).collect()
    };
    Ok(Today {
        over: each(&|leaf, profile| over(leaf, profile).is_some(), false),
        unsaid: each(&|leaf, _| matches!(leaf.result, SpfResult::None | SpfResult::Neutral), true),
        permerror: each(&|leaf, _| leaf.result == SpfResult::PermError, false),
        pass: each(&|leaf, profile| leaf.result == SpfResult::Pass && leaf.spent.is_within(profile), true),
    })
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

/// The first failure for each profile. `judge` is told the address and the index of the profile.
fn first_failures(
    classes: &[Class],
    profiles: &[&Profile],
    judge: impl Fn(&Leaf, &Profile, (IpAddr, usize)) -> Option<&'static str>,
) -> Judged {
    let mut judged =
        Judged { classes: u64::try_from(classes.len()).unwrap_or(u64::MAX), ..Judged::default() };
    for (address, cases) in classes {
        for case in cases {
            judged.unbounded |= case.leaf.spent.unbounded > 0;
            for (index, profile) in profiles.iter().enumerate() {
                if let Some(code) = judge(&case.leaf, profile, (*address, index)) {
                    judged.failures.entry(index).or_insert_with(|| Failure {
                        code,
                        address: Some(*address),
                        assuming: case.assuming.clone(),
                    });
                }
            }
        }
    }
    judged
}
