//! What drift does to the mail that comes back: mail hosts that are gone, and policies of MTA-STS that the plan does not have.

use std::collections::BTreeSet;

use super::Drifted;
use super::authentication::{Side, Worse};
use crate::adjacent::MtaSts;
use crate::dns::{Answer, Evidence as _, RecordType, Records};
use crate::error::Error;
use crate::name::DomainName;
use crate::plan::{Plan, Remark};
use crate::prove::mta_sts::{hosts_change, is_announced};
use crate::prove::{Proof, prove_with};

/// Where others have changed what DNS says of MTA-STS policies, or the mail hosts of a domain that announces one, and so the policies that the plan
/// has are perhaps not those that are served. That the record is gone ends none that senders hold (RFC 8461 section 5.1).
pub(super) fn policies_told(then: &Side<'_>, now: &Side<'_>, drift: &[Drifted]) -> Vec<Remark> {
    let changes = |name: &DomainName| {
        let names: BTreeSet<DomainName> =
            [then.plan, now.plan].into_iter().flat_map(|plan| aliases(plan, name.clone())).collect();
        drift
            .iter()
            .map(|drifted| &drifted.change)
            .filter(move |change| names.contains(&change.question.name))
    };
    let is_another = |record: &DomainName| {
        changes(record).any(|change| {
            change.question.record_type == RecordType::Cname || ids(&change.before) != ids(&change.after)
        })
    };
    let hosts_changed = |domain: &DomainName| {
        changes(domain)
            .any(|change| matches!(change.question.record_type, RecordType::Mx | RecordType::Cname))
    };
    let hosts_differ = |domain: &DomainName| {
        hosts_changed(domain) || [then, now].iter().any(|side| hosts_change(side.plan, &side.flux, domain))
    };
    let identities = now.plan.streams.iter().flat_map(|stream| &stream.identities);
    let domains: BTreeSet<&DomainName> = identities
        .flat_map(|identity| identity.mail_from.iter().chain([&identity.author_domain]))
        .chain(now.plan.mta_sts.iter().map(|published| &published.domain))
        .collect();
    let told = |domain: &DomainName| {
        let record = domain.prefixed("_mta-sts").ok()?;
        let has_policies = now.plan.mta_sts.iter().any(|published| published.domain == *domain);
        let [was_announced, is_announced] =
            [then, now].map(|side| is_announced(&side.flux.era(side.plan, 0), &record));
        let why = if has_policies {
            is_another(&record).then(|| format!(
                "{record} changed, and no step of the plan did it: another policy may have been published than the plan has"
            ))
        } else if was_announced && !is_announced {
            hosts_differ(domain).then(|| format!(
                "the mail hosts of {domain} change, others took {record} away, which announced a policy that the plan does not have, and senders hold that for its `max_age`"
            ))
        } else if is_announced {
            hosts_changed(domain).then(|| {
                format!(
                    "the mail hosts of {domain} changed, {record} announces a policy, and the plan has none"
                )
            })
        } else {
            None
        };
        let message = format!(
            "{}: whether senders that hold one find a mail host is not judged (RFC 8461). Write the policy that is served now into the plan, under `mta_sts`, with today's evidence",
            why?
        );
        Some(Remark::new("proof.mta-sts", Some(domain.as_str()), message))
    };
    domains.into_iter().filter_map(told).collect()
}

/// Where others have moved the web server of the policies that the plan has. What another one serves is not known, an `id` that is the same does not
/// tell, and it is held for `max_age` (RFC 8461 sections 3.1 and 3.3). With other addresses it may be the same one.
pub(super) fn policies_served(rebased: &Plan, drift: &[Drifted]) -> Worse {
    let domains: BTreeSet<&DomainName> = rebased.mta_sts.iter().map(|published| &published.domain).collect();
    let mut worse = Worse::default();
    for domain in domains {
        let Ok(server) = domain.prefixed("mta-sts") else { continue };
        let names = aliases(rebased, server.clone());
        let moved = |types: &[RecordType]| {
            let mut changed = drift.iter().map(|drifted| &drifted.change.question);
            changed.find(|question| names.contains(&question.name) && types.contains(&question.record_type))
        };
        let says = |message| Remark::new("proof.mta-sts", Some(domain.as_str()), message);
        if let Some(question) = moved(&[RecordType::Cname]) {
            worse.undecided.push(says(format!(
                "{question} changed, and no step of the plan did it: {server} may serve other policies than the plan has, and whether senders that hold one find a mail host is not judged (RFC 8461). Have it lead back; or write the policy that is served now into the plan, under `mta_sts`, with today's evidence"
            )));
        } else if let Some(question) = moved(&[RecordType::A, RecordType::Aaaa]) {
            worse.conditions.push(says(format!(
                "{question} changed, and no step of the plan did it: the verdict holds if {server} serves the policies of the plan there, too (RFC 8461)"
            )));
        }
    }
    worse
}

/// A name, and all that it is an alias of before the plan or by one of its steps.
fn aliases(plan: &Plan, name: DomainName) -> BTreeSet<DomainName> {
    let changes = || plan.steps.iter().flat_map(|step| &step.changes);
    let (mut names, mut open) = (BTreeSet::new(), vec![name]);
    while let Some(name) = open.pop() {
        let today = match plan.evidence.answer(&name, RecordType::Cname) {
            Answer::Records(rrset) | Answer::Alias(rrset) => Some(rrset.records()),
            _ => None,
        };
        let added = changes().filter(|change| change.name == name).filter_map(|change| change.add.as_ref());
        for records in today.into_iter().chain(added) {
            if let Records::Cname(target) = records
                && !names.contains(target)
            {
                open.push(target.clone());
            }
        }
        names.insert(name);
    }
    names
}

/// The `id` of each record among these texts that can be read (RFC 8461 section 3.1).
fn ids(texts: &[String]) -> BTreeSet<String> {
    texts.iter().filter_map(|text| MtaSts::parse(text.as_bytes()).ok()).map(|record| record.id).collect()
}

/// What accepted mail when the plan was made and does not any more: no condition, as it is when nothing ever came.
pub(super) fn worse_reachable(
    plan: &Plan,
    proof: &mut Proof,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Vec<Remark>, Error> {
    let is_of = |remark: &Remark| remark.code == "proof.unreachable-today";
    if !proof.conditions.iter().any(is_of) {
        return Ok(Vec::new());
    }
    let before = prove_with(plan, progress)?.conditions;
    let (worse, conditions) = std::mem::take(&mut proof.conditions)
        .into_iter()
        .partition(|remark| is_of(remark) && !before.contains(remark));
    proof.conditions = conditions;
    let told = |remark: Remark| {
        let message = format!("{}; it did when the plan was made", remark.message);
        Remark { code: "proof.unreachable-now".to_owned(), message, ..remark }
    };
    Ok(Vec::into_iter(worse).map(told).collect())
}
