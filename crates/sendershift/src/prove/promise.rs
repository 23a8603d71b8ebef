//! What is asked of a message in one world: P1, that it is authenticated, and P2, that its path is within limits.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::binding::{Binding, Judgement};
use super::listed::possible;
use super::world::World;
use crate::dmarc::{self, Authenticated, Policy as DmarcPolicy};
use crate::dns::RecordType;
use crate::error::Error;
use crate::name::DomainName;
use crate::net::{AddressSet, IpRange};
use crate::plan::{Change, Plan};
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

/// The judgement of all messages of a binding in one world, for each receiver asked for.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// The failures by index of the receiver's profile, one for each at most.
    pub(super) failures: BTreeMap<usize, Failure>,
    /// How many address classes were looked at.
    pub(super) classes: u64,
    /// Why it could not be judged.
    pub(super) error: Option<Error>,
    /// Set where a path may cost more than the evidence tells.
    pub(super) unbounded: bool,
    /// A question whose answer depends on the message, and the name that the plan changes and that may be its answer.
    pub(super) unsettled: Option<(Unknown, DomainName)>,
}

impl Judged {
    fn error(error: impl Into<Error>) -> Self {
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
pub(super) type Receiver<'a> = (usize, &'a Profile);

/// What P1 still asks of SPF, once signatures and policy are known.
enum Asked<'p> {
    /// Nothing: the message passes.
    Nothing,
    /// It fails whatever SPF says.
    Fails(&'static str),
    /// SPF has to pass for the domain, otherwise it fails so.
    Spf(&'p DomainName, &'static str),
}

fn passes(leaf: &Leaf, profile: &Profile) -> bool {
    leaf.result == SpfResult::Pass && leaf.spent.is_within(profile)
}

/// Receivers that can verify the same signatures of a message, with the domains of these.
fn alike<'r>(
    world: &World<'_>,
    binding: &Binding<'_>,
    receivers: &[Receiver<'r>],
) -> Vec<(Vec<DomainName>, Vec<Receiver<'r>>)> {
    let mut groups: Vec<(Vec<DomainName>, Vec<Receiver<'r>>)> = Vec::new();
    for receiver in receivers {
        let verified = binding.verifiable(world, receiver.1).into_iter();
        let verified: Vec<DomainName> = verified.map(|signature| signature.domain.clone()).collect();
        match groups.iter_mut().find(|(known, _)| *known == verified) {
            Some((_, group)) => group.push(*receiver),
            None => groups.push((verified, vec![*receiver])),
        }
    }
    groups
}

/// P1: an aligned DMARC pass; under an enforcing policy, or where a signature is verified later, by DKIM alone;
/// with SPF and DKIM both where the stream needs both.
pub(super) fn authenticated(
    world: &World<'_>,
    binding: &Binding<'_>,
    addresses: &AddressSet,
    receivers: &[Receiver<'_>],
) -> Judged {
    let mut judged = Judged::default();
    for (verified, receivers) in alike(world, binding, receivers) {
        match asked(world, binding, &verified) {
            Asked::Nothing => {}
            Asked::Fails(code) => {
                judged.failures.extend(receivers.iter().map(|(index, _)| (*index, Failure::new(code))));
            }
            Asked::Spf(domain, code) => match Policy::compile_within(world, domain, addresses) {
                Ok(policy) => {
                    for (range, cases) in policy.classes(addresses) {
                        judged.classes += 1;
                        for Case { assuming, leaf } in &cases {
                            judged.unbounded |= leaf.spent.unbounded > 0;
                            for (index, profile) in &receivers {
                                let fails = |leaf: &Leaf| !passes(leaf, profile);
                                if !fails(leaf) || judged.failures.contains_key(index) {
                                    continue;
                                }
                                let message = possible(world, binding, &policy, range, assuming, &fails);
                                judged.failures.extend(message.map(|(address, assuming)| {
                                    (*index, Failure { code, address: Some(address), assuming })
                                }));
                            }
                        }
                    }
                }
                Err(error) => judged.error = judged.error.or(Some(error)),
            },
        }
    }
    judged
}

/// The addresses, by index of the receiver, for which P1 fails in a world.
pub(super) fn failing(
    world: &World<'_>,
    binding: &Binding<'_>,
    addresses: &AddressSet,
    receivers: &[Receiver<'_>],
) -> Result<BTreeMap<usize, AddressSet>, Error> {
    let mut failing = BTreeMap::new();
    for (verified, receivers) in alike(world, binding, receivers) {
        match asked(world, binding, &verified) {
            Asked::Nothing => {}
            Asked::Fails(_) => failing.extend(receivers.iter().map(|(index, _)| (*index, addresses.clone()))),
            Asked::Spf(domain, _) => {
                let classes = Policy::compile_within(world, domain, addresses)?.classes(addresses);
                for (index, profile) in receivers {
                    let passed = |cases: &[Case<Leaf>]| cases.iter().any(|case| passes(&case.leaf, profile));
                    let fails = classes.iter().filter(|(_, cases)| !passed(cases));
                    failing.insert(index, AddressSet::from_ranges(fails.map(|(range, _)| *range)));
                }
            }
        }
    }
    Ok(failing)
}

fn asked<'p>(world: &World<'_>, binding: &Binding<'p>, verified: &[DomainName]) -> Asked<'p> {
    let author_domain = &binding.identity.author_domain;
    let spf_domain = binding.spf_domain();
    let message = Authenticated { author_domain, spf: spf_domain, dkim: verified };
    let verdict = dmarc::evaluate(world, &message);
    let Some(applied) = &verdict.discovery.applied else {
        return Asked::Fails("p1.no-dmarc-policy");
    };
    if binding.judgement == Judgement::Later {
        // Only signatures can be verified again; a stream that has none is judged at delivery alone.
        let relies = !binding.stream.spf_only && !binding.signatures().is_empty();
        return if relies && !verdict.dkim_aligned {
            Asked::Fails("p1.signature-not-verifiable")
        } else {
            Asked::Nothing
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
        return Asked::Fails("p1.no-dkim-under-enforcement");
    }
    if binding.stream.needs_both && !verdict.dkim_aligned {
        return Asked::Fails("p1.dkim-needed-too");
    }
    if verdict.dkim_aligned && !binding.stream.needs_both {
        return Asked::Nothing;
    }
    let code = if verdict.dkim_aligned { "p1.spf-needed-too" } else { "p1.not-authenticated" };
    match spf_domain.filter(|_| verdict.spf_aligned) {
        Some(domain) => Asked::Spf(domain, code),
        None => Asked::Fails(code),
    }
}

/// P2: the path of every address is within the limits and leads to no permerror, and none is worse off than today.
///
/// Where `today` is given, the policy before the plan, an address whose path is over a limit or leads to an error already may
/// stay so. Each address is compared with itself, and each turnout of the unknowns with the same one.
pub(super) fn within_limits(
    world: &World<'_>,
    binding: &Binding<'_>,
    addresses: &AddressSet,
    receivers: &[Receiver<'_>],
    today: Option<&Policy>,
) -> Judged {
    let Some(domain) = binding.spf_domain() else { return Judged::default() };
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
    let mut unknowns = policy.unknowns().iter().chain(today.unknowns());
    judged.unsettled = unknowns.find_map(|unknown| Some((unknown.clone(), changes(world.plan, unknown)?)));
    match policy.beside(today, addresses) {
        Ok(classes) => {
            for (range, cases) in classes {
                judged.classes += 1;
                for Case { assuming, leaf: (leaf, was) } in &cases {
                    judged.unbounded |= leaf.spent.unbounded > 0;
                    judged.class(receivers, (range, assuming), |profile| worse(leaf, was, profile, own));
                }
            }
            judged
        }
        Err(problem) => Judged::error(problem),
    }
}

/// A name that the plan changes and that the question may lead to for some message.
fn changes(plan: &Plan, unknown: &Unknown) -> Option<DomainName> {
    let asked: &[RecordType] = match unknown.mechanism {
        "exists" => &[RecordType::A],
        "a" => &[RecordType::A, RecordType::Aaaa],
        "mx" => &[RecordType::Mx, RecordType::A, RecordType::Aaaa],
        "ptr" => &[RecordType::Ptr, RecordType::A, RecordType::Aaaa],
        _ => &[RecordType::Txt],
    };
    // The labels behind the last macro stand in every name that is asked for; an address that `mx` or `ptr` ask for may be anywhere.
    let behind = unknown.target.rsplit('}').next().unwrap_or_default();
    let fixed = behind.split_once('.').map_or("", |(_, labels)| labels);
    let fixed = DomainName::parse(fixed).ok().filter(|_| !matches!(unknown.mechanism, "mx" | "ptr"));
    let touches = |change: &&Change| {
        let leads_there =
            fixed.as_ref().is_none_or(|fixed| change.name.is_within(fixed) && change.name != *fixed);
        leads_there && (asked.contains(&change.record_type) || change.record_type == RecordType::Cname)
    };
    plan.steps.iter().flat_map(|step| &step.changes).find(touches).map(|change| change.name.clone())
}

/// What is wrong with a path.
fn broken(leaf: &Leaf, profile: &Profile) -> Option<&'static str> {
    over(leaf, profile).or_else(|| (leaf.result == SpfResult::PermError).then_some("p2.permerror"))
}

/// What is wrong with a path that was another before the plan; `own` says that the address is of the identity itself.
fn worse(leaf: &Leaf, was: &Leaf, profile: &Profile, own: bool) -> Option<&'static str> {
    let refused = match was.result {
        _ if over(was, profile).is_some() => false,
        SpfResult::None | SpfResult::Neutral => {
            matches!(leaf.result, SpfResult::Fail | SpfResult::SoftFail)
        }
        SpfResult::SoftFail => leaf.result == SpfResult::Fail,
        _ => false,
    };
    match broken(leaf, profile) {
        Some(_) if broken(was, profile).is_some() => None,
        Some(code) => Some(code),
        None if passes(was, profile) && !passes(leaf, profile) => Some("p2.worse-than-today"),
        // From its own sources a message is not to be refused more than today.
        None if own && refused => Some("p2.worse-than-today"),
        None => None,
    }
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
