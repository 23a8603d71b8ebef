//! P10: which domains of the evidence mail comes from, as far as it shows.

use std::collections::BTreeSet;

use super::cut_off::has_key;
use crate::adjacent::is_null_mx;
use crate::dns::{Answer, Evidence, RecordType, Resolved, RrSet, Txt, resolve};
use crate::name::DomainName;
use crate::plan::{Change, GivenUp, Plan};
use crate::prove::aliases::Aliases;
use crate::prove::users::{Users, followed};
use crate::spf::{Mechanism, Modifier, Policy, SpfRecord, SpfResult, TermKind};

/// Whether all that the evidence shows of mail from a domain is keys that declared identities sign with: that is their mail, and what they
/// need is judged.
pub(in crate::prove) fn only_signs_declared(plan: &Plan, domain: &DomainName) -> bool {
    let keys = declared_keys(plan);
    own(plan, domain, RecordType::Mx).is_none()
        && spf_texts(plan, domain).is_empty()
        && keys_of(plan, domain).all(|name| keys.contains(name))
}

/// The names of the keys that declared identities sign with.
fn declared_keys(plan: &Plan) -> BTreeSet<DomainName> {
    let identities = plan.streams.iter().flat_map(|stream| &stream.identities);
    let signatures = identities.flat_map(|identity| &identity.dkim);
    signatures.filter_map(|signature| signature.selector.key_name(&signature.domain).ok()).collect()
}

/// The names of the evidence where a key of a domain may be.
fn keys_of<'p>(plan: &'p Plan, domain: &DomainName) -> impl Iterator<Item = &'p DomainName> {
    plan.evidence.names().filter(move |name| {
        name.as_str().split_once("._domainkey.").is_some_and(|(_, of)| of == domain.as_str())
    })
}

/// Whether a domain has a key that no declared identity signs with.
fn is_signed_by_others(plan: &Plan, domain: &DomainName) -> bool {
    let keys = declared_keys(plan);
    keys_of(plan, domain).any(|name| !keys.contains(name) && has_key(&plan.evidence, name))
}

/// The domains of the evidence with an SPF record.
pub(in crate::prove) fn with_spf(plan: &Plan) -> impl Iterator<Item = &DomainName> {
    plan.evidence.names().filter(|name| spf_record(plan, name).is_some())
}

fn spf_record(plan: &Plan, name: &DomainName) -> Option<SpfRecord> {
    SpfRecord::parse(spf_texts(plan, name).first()?.octets()).ok()
}

/// The SPF records of a name, be they in order or not.
fn spf_texts<'p>(plan: &'p Plan, name: &DomainName) -> Vec<&'p Txt> {
    let Resolved::Records(rrset) = resolve(&plan.evidence, name, RecordType::Txt) else { return Vec::new() };
    rrset.texts().iter().filter(|text| SpfRecord::is_spf(text.octets())).collect()
}

/// What the evidence lists at a name itself.
pub(super) fn own<'p>(plan: &'p Plan, name: &DomainName, record_type: RecordType) -> Option<&'p RrSet> {
    match plan.evidence.answer(name, record_type) {
        Answer::Records(rrset) => Some(rrset),
        _ => None,
    }
}

/// The domains of the evidence that mail comes from without anybody having declared it, as far as it shows: they have mail exchanges,
/// DKIM keys, or an SPF record that is not there for others to include.
pub(in crate::prove) fn undeclared(plan: &Plan) -> BTreeSet<DomainName> {
    let mut included: BTreeSet<DomainName> =
        plan.sources.iter().filter_map(|source| source.include.clone()).collect();
    let (mut domains, mut sends) = (BTreeSet::new(), BTreeSet::new());
    for name in plan.evidence.names() {
        if let Some((_, domain)) = name.as_str().split_once("._domainkey.") {
            sends.extend(DomainName::parse(domain));
        }
        let has_mail = own(plan, name, RecordType::Mx).is_some_and(|rrset| !is_null_mx(rrset));
        if has_mail {
            domains.insert(name.clone());
        }
        let Some(record) = spf_record(plan, name) else { continue };
        for term in record.terms() {
            let target = match &term.kind {
                TermKind::Directive(directive) => match &directive.mechanism {
                    Mechanism::Include(domain) => Some(domain),
                    _ => None,
                },
                TermKind::Modifier(Modifier::Redirect(domain)) => Some(domain),
                TermKind::Modifier(_) => None,
            };
            included.extend(target.and_then(|target| target.literal()).cloned());
        }
    }
    let speaks = plan.evidence.names().filter(|name| !spf_texts(plan, name).is_empty());
    sends.extend(speaks.filter(|name| !included.contains(*name) && may_send(plan, name)).cloned());
    domains.extend(sends.iter().cloned());
    domains.retain(|name| may_be_others(plan, name));
    domains.retain(|name| {
        let is_declared = publishes_policy(plan, name);
        if sends_nothing(plan, name) {
            !is_declared && is_signed_by_others(plan, name)
        } else {
            sends.contains(name) || !is_declared
        }
    });
    domains
}

/// The other domains of the evidence that nobody declared and that have records about mail: nothing comes from them, as far as it shows, and
/// what is written in their names may be refused. What the plan gives up is not its own to protect.
pub(in crate::prove) fn silent(plan: &Plan, sending: &BTreeSet<DomainName>) -> BTreeSet<DomainName> {
    let mut domains = BTreeSet::new();
    for name in plan.evidence.names() {
        let of = name.as_str().split_once("._domainkey.").map(|(_, of)| of);
        let of = of.or_else(|| name.as_str().strip_prefix("_dmarc."));
        domains.extend(of.and_then(|of| DomainName::parse(of).ok()));
        if own(plan, name, RecordType::Mx).is_some() || !spf_texts(plan, name).is_empty() {
            domains.insert(name.clone());
        }
    }
    domains
        .retain(|name| !sending.contains(name) && may_be_others(plan, name) && !is_ever_given_up(plan, name));
    domains
}

/// Whether a name may have mail that nobody declared, and that the plan may do something to by its policy. A wildcard stands for names that may.
fn may_be_others(plan: &Plan, name: &DomainName) -> bool {
    let below = name.as_str().strip_prefix("*.").and_then(|above| DomainName::parse(above).ok());
    below.as_ref().unwrap_or(name).check_for_mail().is_ok()
        && !Users::declare(plan, name)
        && may_change(plan, name)
}

/// Whether a name is given up by any step.
pub(in crate::prove) fn is_ever_given_up(plan: &Plan, name: &DomainName) -> bool {
    let mut gifts = plan.steps.iter().flat_map(|step| &step.gives_up);
    gifts.any(|gift| matches!(gift, GivenUp::Name(given) if name.is_within(given)))
}

/// Whether the SPF record of a domain says that nothing comes from it: it names nobody and refuses all (RFC 7208 section 10.1.2). A record in
/// error does not say so, nor one of hosts that are not there.
fn sends_nothing(plan: &Plan, name: &DomainName) -> bool {
    let refuses_all = |policy: &Policy| {
        let results = policy.intended();
        let other = [
            SpfResult::Pass,
            SpfResult::Neutral,
            SpfResult::None,
            SpfResult::TempError,
            SpfResult::PermError,
        ];
        other.into_iter().all(|result| results.sometimes(result).is_empty())
    };
    let names_nobody = |record: SpfRecord| {
        record.directives().all(|(_, directive)| matches!(directive.mechanism, Mechanism::All))
    };
    spf_record(plan, name).is_some_and(names_nobody)
        && Policy::compile(&plan.evidence, name).is_ok_and(|policy| refuses_all(&policy))
}

/// Whether the plan changes the policy record of a domain itself: for one that only receives mail, as far as the evidence shows, that is
/// what is declared. So it is where that is an alias, unless another domain has the record, too.
fn publishes_policy(plan: &Plan, domain: &DomainName) -> bool {
    let Ok(own) = domain.prefixed("_dmarc") else { return false };
    let is_own_alone = |name: &DomainName| {
        let mut policies = Aliases::new(plan).leading_to([name]);
        policies.retain(|name| name.labels().next() == Some("_dmarc"));
        policies.into_iter().eq([&own])
    };
    let names = followed(&plan.evidence, &own);
    let mut changes = plan.steps.iter().flat_map(|step| &step.changes);
    changes.any(|change| change.name == own || names.contains(&change.name) && is_own_alone(&change.name))
}

/// Whether mail may come from a domain: not from one to which nothing can be returned, as it has neither mail exchanges nor an address
/// (RFC 5321 section 5.1).
fn may_send(plan: &Plan, domain: &DomainName) -> bool {
    let absent = |kind| matches!(resolve(&plan.evidence, domain, kind), Resolved::Absent { .. });
    ![RecordType::Mx, RecordType::A, RecordType::Aaaa].into_iter().all(absent)
}

/// Whether the policy of a domain may change, or what aligns with it: the plan changes a record that it may be found in, directly or by an
/// alias, or one below it.
fn may_change(plan: &Plan, domain: &DomainName) -> bool {
    let below = |change: &Change| {
        let policy_domain = change.name.parent().filter(|_| change.name.labels().next() == Some("_dmarc"));
        policy_domain.is_some_and(|policy_domain| policy_domain.is_within(domain))
    };
    let mut changes = plan.steps.iter().flat_map(|step| &step.changes);
    changes.any(below)
        || domain.ancestors().filter_map(|above| above.prefixed("_dmarc").ok()).any(|name| {
            let mut changes = plan.steps.iter().flat_map(|step| &step.changes);
            changes.any(|change| change.name == name)
                || !matches!(
                    plan.evidence.answer(&name, RecordType::Txt),
                    Answer::Records(_) | Answer::NoData | Answer::NxDomain
                )
        })
}
