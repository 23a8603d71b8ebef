//! The last word on a record, by code that has no part in finding it.

use super::RrSetDocument;
use crate::dns::{Evidence, Overlay, Quality, Records, RrSet};
use crate::error::Error;
use crate::name::DomainName;
use crate::net::Partition;
use crate::spf::policy::Results;
use crate::spf::{Policy, Profile, Query, SpfResult, check};

/// The evidence as it would be with the RRsets published.
pub(super) fn published<'e>(
    evidence: &'e dyn Evidence,
    rrsets: &[RrSetDocument],
) -> Overlay<&'e dyn Evidence> {
    let mut overlay = Overlay::new(evidence);
    for rrset in rrsets {
        let records = Records::Txt(rrset.records.clone());
        overlay.publish(&rrset.name, RrSet::new(records, rrset.ttl, Quality::Authoritative));
    }
    overlay
}

/// The policy of the new record, if it does what was intended, for every address, message and receiver.
pub(super) fn policy(
    evidence: &dyn Evidence,
    domain: &DomainName,
    intended: &Results,
    limits: &[Profile],
) -> Result<Option<Policy>, Error> {
    let policy = Policy::compile(evidence, domain)?;
    let results = policy.intended();
    let holds = results == *intended
        && limits.iter().all(|limits| policy.under(limits) == results)
        && policy.is_bounded();
    Ok(holds.then_some(policy))
}

/// Whether `check_host()`, which shares no code with policies, says the same of old and new at the first address of
/// every class.
pub(super) fn agrees<V>(
    (old, new): (&dyn Evidence, &dyn Evidence),
    domain: &DomainName,
    classes: &Partition<V>,
    limits: &[Profile],
) -> bool {
    for ip in classes.starts() {
        let query = Query::new(ip, &format!("sample@{domain}"), domain.as_str());
        // Questions that depend on the message have no answer in the evidence: policies compare those.
        let Ok(before) = check(old, &query, &Profile::LIFTED) else { continue };
        for limits in limits {
            let Ok(after) = check(new, &query, limits) else { continue };
            if after.result != before.result && before.result != SpfResult::PermError {
                return false;
            }
        }
    }
    true
}
