//! Whether a domain accepts mail (RFC 5321 section 5.1, RFC 7505).

use super::is_null_mx;
use crate::dns::{Evidence, Mx, RecordType, Records, Resolved, resolve};
use crate::name::DomainName;

/// Why nothing that is sent to a domain arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// It says that it accepts no mail.
    NullMx,
    /// It has no mail host with an address.
    NoMailHost,
    /// It does not exist.
    NoSuchDomain,
}

/// Why a domain accepts no mail, if it does not; what the evidence leaves open counts as accepted.
///
/// Addresses of mail hosts are asked of `hosts`, which may be more patient about what nobody knows: they are often somebody else's.
pub(crate) fn unreachable(
    evidence: &dyn Evidence,
    hosts: &dyn Evidence,
    domain: &DomainName,
) -> Option<Unreachable> {
    unreachable_by(evidence, hosts, domain, &|_| true)
}

/// As [`unreachable`], to whoever delivers only to the mail hosts that `allowed` has.
pub(crate) fn unreachable_by(
    evidence: &dyn Evidence,
    hosts: &dyn Evidence,
    domain: &DomainName,
    allowed: &dyn Fn(&DomainName) -> bool,
) -> Option<Unreachable> {
    let accepts = |mx: &Mx| allowed(&mx.exchange) && may_have_address(hosts, &mx.exchange);
    match resolve(evidence, domain, RecordType::Mx) {
        Resolved::Records(rrset) if is_null_mx(rrset) => Some(Unreachable::NullMx),
        Resolved::Records(rrset) => match rrset.records() {
            Records::Mx(exchanges) if !exchanges.iter().any(accepts) => Some(Unreachable::NoMailHost),
            _ => None,
        },
        Resolved::Absent { nxdomain: true } => Some(Unreachable::NoSuchDomain),
        // Without MX records the domain is its own mail host.
        Resolved::Absent { nxdomain: false } if !(allowed(domain) && may_have_address(evidence, domain)) => {
            Some(Unreachable::NoMailHost)
        }
        _ => None,
    }
}

/// The mail hosts of a domain as far as the evidence tells, whether they accept mail or not; without MX records the domain itself.
pub(crate) fn mail_hosts(evidence: &dyn Evidence, domain: &DomainName) -> Vec<DomainName> {
    match resolve(evidence, domain, RecordType::Mx) {
        Resolved::Records(rrset) => match rrset.records() {
            Records::Mx(exchanges) => exchanges.iter().map(|mx| mx.exchange.clone()).collect(),
            _ => Vec::new(),
        },
        Resolved::Absent { .. } => vec![domain.clone()],
        Resolved::Failed | Resolved::Unknown => Vec::new(),
    }
}

fn may_have_address(evidence: &dyn Evidence, host: &DomainName) -> bool {
    let absent = |kind| matches!(resolve(evidence, host, kind), Resolved::Absent { .. });
    !(absent(RecordType::A) && absent(RecordType::Aaaa))
}
