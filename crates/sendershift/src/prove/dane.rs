//! What a plan tells senders of the certificates of mail hosts (DANE, RFC 7672), which no evidence has.

use std::collections::BTreeSet;

use super::aliases::end_of_aliases;
use super::world::Flux;
use crate::adjacent;
use crate::dns::{Answer, Evidence, RecordType, resolve};
use crate::name::DomainName;
use crate::plan::{Change, Plan, Remark};

/// The first step at each mail host, of declared mail or of others', that changes which certificates it may have, by an alias or not, and leaves some: senders
/// that go by it deliver to no host that has another (RFC 7672 section 2.2).
pub(super) fn published(plan: &Plan, flux: &Flux) -> Vec<Remark> {
    let says_of_certificates =
        |change: &Change| matches!(change.record_type, RecordType::TLSA | RecordType::Cname);
    if !plan.steps.iter().flat_map(|step| &step.changes).any(says_of_certificates) {
        return Vec::new();
    }
    let steps = plan.steps.iter().flat_map(|step| &step.changes);
    let others =
        steps.filter_map(|change| DomainName::parse(change.name.as_str().strip_prefix("_25._tcp.")?).ok());
    let hosts: BTreeSet<DomainName> = mail_hosts(plan, flux).into_iter().chain(others).collect();
    let changed = hosts.into_iter().filter_map(|host| {
        let name = certificates_of(&host)?;
        let (mut before, mut found) = (None, None);
        flux.each_era(plan, |era| {
            let now = certificates(era, &name);
            let changes = !now.is_empty() && before.as_ref().is_some_and(|before| *before != now);
            found = found.or(era.begun_by().filter(|_| changes));
            before = Some(now);
        });
        let message = format!(
            "step `{}` changes the TLSA records of this mail host: the verdict holds if its certificate fits one of those that are there from then on, as senders that go by DANE deliver to no other (RFC 7672 section 2.2)",
            plan.steps.get(found?)?.id
        );
        Some(Remark::new("proof.tlsa", Some(host.as_str()), message))
    });
    changed.collect()
}

/// What somebody asks who wants to know which certificates a mail host may have.
pub(super) fn ask(evidence: &dyn Evidence, host: &DomainName) {
    let end = end_of_aliases(evidence, host);
    for name in [Some(host), end.as_ref()].into_iter().flatten().filter_map(certificates_of) {
        resolve(evidence, &name, RecordType::TLSA);
    }
}

/// Where the TLSA records of a mail host stand (RFC 7672 section 2.2.3).
fn certificates_of(host: &DomainName) -> Option<DomainName> {
    host.prefixed("_25._tcp").ok()
}

/// What is said of certificates at a name; of what it is an alias of and the evidence does not have, the name.
fn certificates(evidence: &dyn Evidence, name: &DomainName) -> Vec<String> {
    let end = end_of_aliases(evidence, name);
    match evidence.answer(end.as_ref().unwrap_or(name), RecordType::TLSA) {
        Answer::Records(rrset) => rrset.records().to_texts(),
        Answer::Unknown | Answer::Failed => end.iter().map(DomainName::to_string).collect(),
        _ => Vec::new(),
    }
}

/// The hosts that mail of the identities is returned or answered to, at any time, and what these are aliases of, which senders look at first
/// (RFC 7672 section 2.2.2).
fn mail_hosts(plan: &Plan, flux: &Flux) -> BTreeSet<DomainName> {
    let identities = plan.streams.iter().flat_map(|stream| &stream.identities);
    let domains: BTreeSet<&DomainName> =
        identities.flat_map(|of| [Some(&of.author_domain), of.mail_from.as_ref()]).flatten().collect();
    let mut hosts = BTreeSet::new();
    for domain in domains {
        flux.each_era(plan, |era| {
            for host in adjacent::mail_hosts(era, domain) {
                hosts.extend(end_of_aliases(era, &host));
                hosts.insert(host);
            }
        });
    }
    hosts
}
