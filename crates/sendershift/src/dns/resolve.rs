//! What a resolver makes of answers: aliases followed, existence, the TTL of absence.

use super::{Answer, Evidence, Quality, RecordType, Records, RrSet, Soa};
use crate::name::DomainName;

/// How many aliases are followed before the answer counts as failed, as common resolvers do.
pub const MAX_ALIASES: usize = 16;

/// The end of a chain of aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved<'a> {
    /// The records of the type asked for; never empty.
    Records(&'a RrSet),
    /// No records of the type, with `nxdomain` set where the name at the end does not exist. Void for SPF.
    Absent {
        /// Whether the name at the end of the chain does not exist.
        nxdomain: bool,
    },
    /// A server failure, a timeout, or a chain of aliases that does not end.
    Failed,
    /// The evidence does not say.
    Unknown,
}

/// Answers a question as a resolver does: aliases are followed (RFC 1034 section 3.6.2).
pub fn resolve<'e>(evidence: &'e dyn Evidence, name: &DomainName, record_type: RecordType) -> Resolved<'e> {
    let mut answer = evidence.answer(name, record_type);
    for _ in 0..=MAX_ALIASES {
        answer = match answer {
            Answer::Records(rrset) => return Resolved::Records(rrset),
            Answer::NoData => return Resolved::Absent { nxdomain: false },
            Answer::NxDomain => return Resolved::Absent { nxdomain: true },
            Answer::Failed => return Resolved::Failed,
            Answer::Unknown => return Resolved::Unknown,
            Answer::Alias(alias) => match alias.records() {
                Records::Cname(target) => evidence.answer(target, record_type),
                _ => return Resolved::Failed,
            },
        };
    }
    Resolved::Failed
}

/// Whether a name exists: `None` where the evidence does not say (RFC 8020: a name without records exists if
/// something is below it).
pub fn existence(evidence: &dyn Evidence, name: &DomainName) -> Option<bool> {
    [RecordType::Txt, RecordType::A].into_iter().find_map(|record_type| {
        match evidence.answer(name, record_type) {
            Answer::Records(_) | Answer::Alias(_) | Answer::NoData => Some(true),
            Answer::NxDomain => Some(false),
            Answer::Failed | Answer::Unknown => None,
        }
    })
}

/// How long, in seconds, a resolver may remember that something is absent at a name: the smaller of MINIMUM and TTL
/// of the SOA record of the closest enclosing zone (RFC 2308 section 5). `None` where the evidence
/// does not settle which zone that is, or has no such record from a server of the zone.
pub fn negative_ttl(evidence: &dyn Evidence, name: &DomainName) -> Option<u32> {
    let (_, soa, rrset) = authority(evidence, name)?;
    match rrset.quality() {
        Quality::Authoritative => rrset.ttl().map(|ttl| ttl.min(soa.minimum)),
        Quality::Cached => None,
    }
}

/// The closest enclosing zone of a name, and its SOA record; none where the evidence does not settle which zone that is.
pub(crate) fn authority<'e>(
    evidence: &'e dyn Evidence,
    name: &DomainName,
) -> Option<(DomainName, &'e Soa, &'e RrSet)> {
    for zone in name.ancestors() {
        match evidence.answer(&zone, RecordType::Soa) {
            Answer::Records(rrset) => {
                let Records::Soa(soa) = rrset.records() else { return None };
                return Some((zone, soa, rrset));
            }
            // Name servers mark a zone of its own (RFC 1034 section 4.2), whose SOA record is then not known.
            Answer::NoData if matches!(evidence.answer(&zone, RecordType::Ns), Answer::Records(_)) => {
                return None;
            }
            Answer::NoData | Answer::NxDomain | Answer::Alias(_) => {}
            // There may be a zone of its own here, with a longer TTL than that of the zone above.
            Answer::Failed | Answer::Unknown => return None,
        }
    }
    None
}
