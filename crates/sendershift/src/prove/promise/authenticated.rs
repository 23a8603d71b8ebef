//! P1: every message is authenticated.

use std::collections::{BTreeMap, BTreeSet};

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

/// What P1 fails for, and how.
#[derive(Clone, Debug, Default)]
pub(in crate::prove) struct Failing {
    pub(in crate::prove) addresses: AddressSet,
    pub(in crate::prove) codes: BTreeSet<&'static str>,
}

impl Failing {
    /// Whether a later failure is none that is worse: as many of SPF and DKIM pass as today, and receivers that let mail pass
    /// all the same still do.
    pub(in crate::prove) fn excuses(&self, code: &str) -> bool {
        self.codes.iter().any(|today| {
            code == *today
                || match *today {
                    "p1.no-dkim-under-enforcement" => true,
                    "p1.no-dmarc-policy" => code != "p1.no-dkim-under-enforcement",
                    "p1.not-authenticated" => {
                        matches!(
                            code,
                            "p1.dkim-needed-too" | "p1.spf-needed-too" | "p1.signature-not-verifiable"
                        )
                    }
                    "p1.dkim-needed-too" => {
                        matches!(code, "p1.spf-needed-too" | "p1.signature-not-verifiable")
                    }
                    _ => false,
                }
        })
    }
}

/// What P1 fails for in a world, by index of the receiver.
pub(in crate::prove) fn failing(
    world: &World<'_>,
    binding: &Binding<'_>,
    addresses: &AddressSet,
    receivers: &[Receiver<'_>],
) -> Result<BTreeMap<usize, Failing>, Error> {
    let mut failing = BTreeMap::new();
    for (verified, receivers) in alike(world, binding, receivers) {
        match asked(world, binding, &verified) {
            Asked::Nothing => {}
            Asked::Fails(code) => {
                let all = Failing { addresses: addresses.clone(), codes: BTreeSet::from([code]) };
                failing.extend(receivers.iter().map(|(index, _)| (*index, all.clone())));
            }
            Asked::Spf(domain, code) => {
                let classes = Policy::compile_within(world, domain, addresses)?.classes(addresses);
                for (index, profile) in receivers {
                    let passed = |cases: &[Case<Leaf>]| cases.iter().any(|case| passes(&case.leaf, profile));
                    let fails = classes.iter().filter(|(_, cases)| !passed(cases));
                    let addresses = AddressSet::from_ranges(fails.map(|(range, _)| *range));
                    failing.insert(index, Failing { addresses, codes: BTreeSet::from([code]) });
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
    let enforcing = harshest(applied) > DmarcPolicy::None;
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
