//! What a plan tells senders of the certificates of mail hosts (DANE, RFC 7672), which no evidence has.

use std::collections::BTreeSet;

use super::world::Flux;
use crate::adjacent;
use crate::dns::RecordType;
use crate::name::DomainName;
use crate::plan::{Change, Plan, Remark};

/// The first change at each mail host of declared mail that says which certificates it may have: senders that go by it deliver to no host
/// that has another (RFC 7672 section 2.2).
pub(super) fn published(plan: &Plan, flux: &Flux) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = Vec::new();
    let mut hosts = None;
    for step in &plan.steps {
        for change in &step.changes {
            let Some(host) = says_of(change) else { continue };
            let hosts = hosts.get_or_insert_with(|| mail_hosts(plan, flux));
            if !hosts.contains(&host) || remarks.iter().any(|of| of.subject.as_deref() == Some(host.as_str()))
            {
                continue;
            }
            let message = format!(
                "step `{}` publishes TLSA records for this mail host: the verdict holds if its certificate fits one of them from then on, as senders that go by DANE deliver to no other (RFC 7672 section 2.2)",
                step.id
            );
            remarks.push(Remark::new("proof.tlsa", Some(host.as_str()), message));
        }
    }
    remarks
}

/// The mail host that a change adds TLSA records for, be it by an alias.
fn says_of(change: &Change) -> Option<DomainName> {
    let kind = change.record_type;
    let adds = change.add.is_some() && (kind == RecordType::TLSA || kind == RecordType::Cname);
    let host = change.name.as_str().strip_prefix("_25._tcp.").filter(|_| adds)?;
    DomainName::parse(host).ok()
}

/// The hosts that mail of the identities is returned or answered to, at any time.
fn mail_hosts(plan: &Plan, flux: &Flux) -> BTreeSet<DomainName> {
    let identities = plan.streams.iter().flat_map(|stream| &stream.identities);
    let domains: BTreeSet<&DomainName> =
        identities.flat_map(|of| [Some(&of.author_domain), of.mail_from.as_ref()]).flatten().collect();
    let mut hosts = BTreeSet::new();
    for domain in domains {
        flux.each_era(plan, |era| hosts.extend(adjacent::mail_hosts(era, domain)));
    }
    hosts
}
