//! P1: every message is authenticated.

use std::collections::BTreeMap;

use super::{Failure, Judged, Receiver, harshest, passes};
use crate::dmarc::{self, Authenticated, Policy as DmarcPolicy};
use crate::error::Error;
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::prove::binding::{Binding, Judgement};
use crate::prove::listed::possible;
use crate::prove::world::World;
use crate::spf::{Case, Leaf, Policy};

/// What P1 still asks of SPF, once signatures and policy are known.
enum Asked<'p> {
    /// Nothing: the message passes.
    Nothing,
    /// It fails whatever SPF says.
    Fails(&'static str),
    /// SPF has to pass for the domain, otherwise it fails so.
    Spf(&'p DomainName, &'static str),
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
pub(in crate::prove) fn authenticated(
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

/// How messages fare before the plan that P1 fails for.
#[derive(Clone, Debug)]
pub(in crate::prove) struct Today {
    /// The addresses for which it fails.
    pub(in crate::prove) fails: AddressSet,
    /// Those among them that SPF passes, aligned.
    pub(in crate::prove) spf: AddressSet,
    /// Whether a signature is verified and aligned.
    dkim: bool,
    /// The harshest reading of the policy; without a record nothing is asked of receivers either.
    policy: DmarcPolicy,
}

/// How messages that P1 fails for fare before the plan, by index of the receiver.
pub(in crate::prove) fn today(
    world: &World<'_>,
    binding: &Binding<'_>,
    addresses: &AddressSet,
    receivers: &[Receiver<'_>],
) -> Result<BTreeMap<usize, Today>, Error> {
    let mut found = BTreeMap::new();
    for (verified, receivers) in alike(world, binding, receivers) {
        let asked = asked(world, binding, &verified);
        if matches!(asked, Asked::Nothing) {
            continue;
        }
        let state = State::of(world, binding, &verified);
        let classes = match state.spf {
            Some(domain) => Policy::compile_within(world, domain, addresses)?.classes(addresses),
            None => Vec::new(),
        };
        for (index, profile) in receivers {
            let passed = |cases: &[Case<Leaf>]| cases.iter().any(|case| passes(&case.leaf, profile));
            let spf = classes.iter().filter(|(_, cases)| passed(cases));
            let spf = AddressSet::from_ranges(spf.map(|(range, _)| *range));
            let fails =
                if matches!(asked, Asked::Spf(..)) { addresses.difference(&spf) } else { addresses.clone() };
            let spf = fails.intersection(&spf);
            found.insert(index, Today { fails, spf, dkim: state.dkim, policy: state.policy });
        }
    }
    Ok(found)
}

/// What a world makes of the messages of a binding, SPF aside.
struct State<'p> {
    /// The domain that SPF can align with.
    spf: Option<&'p DomainName>,
    dkim: bool,
    policy: DmarcPolicy,
    judgement: Judgement,
}

impl<'p> State<'p> {
    fn of(world: &World<'_>, binding: &Binding<'p>, verified: &[DomainName]) -> Self {
        let (author_domain, spf) = (&binding.identity.author_domain, binding.spf_domain());
        let verdict = dmarc::evaluate(world, &Authenticated { author_domain, spf, dkim: verified });
        Self {
            spf: spf.filter(|_| verdict.spf_aligned && binding.judgement == Judgement::Delivery),
            dkim: verdict.dkim_aligned,
            policy: verdict
                .discovery
                .applied
                .as_ref()
                .map_or(DmarcPolicy::None, |applied| harshest(world, author_domain, applied)),
            judgement: binding.judgement,
        }
    }

    /// Whether a message fares worse than before the plan: a signature aligned and does not now, SPF did and nothing does now,
    /// or a harsher policy meets one that has no signature and no more than before.
    fn is_worse(&self, spf: bool, today: &Today, spf_today: bool) -> bool {
        if self.judgement != Judgement::Delivery {
            return today.dkim && !self.dkim;
        }
        let no_better = spf_today || !spf;
        !self.dkim && (today.dkim || (spf_today && !spf) || (self.policy > today.policy && no_better))
    }
}

/// P1 for messages that fail before the plan, with or without SPF, and may go on failing: not worse than that.
pub(in crate::prove) fn no_worse(
    world: &World<'_>,
    binding: &Binding<'_>,
    addresses: &AddressSet,
    (index, profile): Receiver<'_>,
    (today, spf_today): (&Today, bool),
) -> Judged {
    let mut judged = Judged::default();
    for (verified, _) in alike(world, binding, &[(index, profile)]) {
        let (code, by_spf) = match asked(world, binding, &verified) {
            Asked::Nothing => continue,
            Asked::Fails(code) => (code, false),
            Asked::Spf(_, code) => (code, true),
        };
        let state = State::of(world, binding, &verified);
        let Some(domain) = state.spf else {
            if state.is_worse(false, today, spf_today) {
                judged.failures.insert(index, Failure::new(code));
            }
            continue;
        };
        match Policy::compile_within(world, domain, addresses) {
            Ok(policy) => {
                for (range, cases) in policy.classes(addresses) {
                    judged.classes += 1;
                    for Case { assuming, leaf } in &cases {
                        judged.unbounded |= leaf.spent.unbounded > 0;
                        let fails = |leaf: &Leaf| {
                            let spf = passes(leaf, profile);
                            (!by_spf || !spf) && state.is_worse(spf, today, spf_today)
                        };
                        if fails(leaf) && !judged.failures.contains_key(&index) {
                            let message = possible(world, binding, &policy, range, assuming, &fails);
                            judged.failures.extend(message.map(|(address, assuming)| {
                                (index, Failure { code, address: Some(address), assuming })
                            }));
                        }
                    }
                }
            }
            Err(error) => judged.error = judged.error.or(Some(error)),
        }
    }
    judged
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
    let enforcing = harshest(world, author_domain, applied) > DmarcPolicy::None;
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
