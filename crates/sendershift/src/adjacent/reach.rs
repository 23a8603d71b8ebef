//! Whether a domain accepts mail (RFC 5321 section 5.1, RFC 7505).

use std::net::{IpAddr, Ipv4Addr};

use super::is_null_mx;
use crate::dns::{Answer, Evidence, Mx, RecordType, Records, Resolved, resolve};
use crate::name::DomainName;

/// Why nothing that is sent to a domain arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// It says that it accepts no mail.
    NullMx,
    /// It says so, and names mail hosts beside it: senders differ in which of both they believe.
    NullMxBesideOthers,
    /// It has no mail host with an address at which others find it.
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
            Records::Mx(exchanges) if exchanges.iter().any(|mx| mx.exchange.is_root()) => {
                Some(Unreachable::NullMxBesideOthers)
            }
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

/// The names of which the evidence does not tell whether mail to a domain arrives: the domain itself, or mail hosts of it.
pub(crate) fn untold(evidence: &dyn Evidence, domain: &DomainName) -> Vec<DomainName> {
    if matches!(resolve(evidence, domain, RecordType::Mx), Resolved::Failed | Resolved::Unknown) {
        return vec![domain.clone()];
    }
    let is_open = |host: &DomainName| may_have_address(evidence, host) && is_untold(evidence, host);
    mail_hosts(evidence, domain).into_iter().filter(is_open).collect()
}

/// Whether the evidence does not tell if a host has an address.
pub(crate) fn is_untold(evidence: &dyn Evidence, host: &DomainName) -> bool {
    let told = [RecordType::A, RecordType::Aaaa].map(|kind| resolve(evidence, host, kind));
    let has_some = told.iter().any(|told| matches!(told, Resolved::Records(_)));
    !has_some && told.iter().any(|told| matches!(told, Resolved::Failed | Resolved::Unknown))
}

/// Whether all mail exchanges of a domain that have an address are aliases. What a sender makes of an alias there is beyond the standard (RFC 5321
/// section 5.1, RFC 2181 section 10.3); many follow it.
pub(crate) fn only_behind_aliases(
    evidence: &dyn Evidence,
    hosts: &dyn Evidence,
    domain: &DomainName,
) -> bool {
    let Resolved::Records(rrset) = resolve(evidence, domain, RecordType::Mx) else { return false };
    let Records::Mx(exchanges) = rrset.records() else { return false };
    let is_alias = |host: &DomainName| {
        let told = |kind| matches!(hosts.answer(host, kind), Answer::Alias(_));
        told(RecordType::A) || told(RecordType::Aaaa)
    };
    let mut found = exchanges.iter().filter(|mx| may_have_address(hosts, &mx.exchange)).peekable();
    found.peek().is_some() && found.all(|mx| is_alias(&mx.exchange))
}

/// Whether a mail host may have an address at which others find it: not `localhost`, nor what never exists (RFC 6761 sections 6.3 and 6.4).
fn may_have_address(evidence: &dyn Evidence, host: &DomainName) -> bool {
    let found = |kind| match resolve(evidence, host, kind) {
        Resolved::Records(rrset) => match rrset.records() {
            Records::A(ips) => ips.iter().any(|ip| is_elsewhere((*ip).into())),
            Records::Aaaa(ips) => ips.iter().any(|ip| is_elsewhere((*ip).into())),
            _ => false,
        },
        Resolved::Absent { .. } => false,
        Resolved::Failed | Resolved::Unknown => true,
    };
    !matches!(host.labels().last(), Some("localhost" | "invalid"))
        && (found(RecordType::A) || found(RecordType::Aaaa))
}

/// Whether an address is not one that is only good within a host, a link or a network, or for nobody (RFC 6890 sections 2.2.2 and 2.2.3).
fn is_elsewhere(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let within = |network: [u8; 4], host_bits: u32| {
                (u32::from(ip) ^ u32::from(Ipv4Addr::from(network))) >> host_bits == 0
            };
            // RFC 1122 section 3.2.1.3, RFC 6598, RFC 6890, RFC 2544, RFC 1112 section 4.
            let reserved = within([0, 0, 0, 0], 24)
                || within([100, 64, 0, 0], 22)
                || within([192, 0, 0, 0], 8)
                || within([198, 18, 0, 0], 17)
                || within([240, 0, 0, 0], 28);
            let local = ip.is_loopback() || ip.is_private() || ip.is_link_local();
            !(reserved || local || ip.is_multicast())
        }
        IpAddr::V6(ip) => match ip.segments() {
            // What leads to an IPv4 address is as good as that (RFC 6052 section 2.1, RFC 3056 section 2).
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
                is_elsewhere(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)).into())
            }
            // RFC 4291 section 2.5, RFC 8215, RFC 6666, RFC 3879.
            [0, 0, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] | [0x100, 0, 0, 0, ..] | [0xfec0..=0xfeff, ..] => {
                false
            }
            _ => !(ip.is_unicast_link_local() || ip.is_unique_local() || ip.is_multicast()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::is_elsewhere;

    #[test]
    fn addresses_of_mail_hosts() {
        for (ip, elsewhere) in [
            ("192.0.2.1", true),
            ("100.63.255.255", true),
            ("100.128.0.0", true),
            ("2001:db8::1", true),
            ("::ffff:192.0.2.1", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.1.2.3", false),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("169.254.0.1", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("224.0.0.1", false),
            ("198.17.255.255", true),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("198.20.0.0", true),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("fec0::1", false),
            ("::10.0.0.1", false),
            ("100::1", false),
            ("64:ff9b:1::a00:1", false),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::192.0.2.1", true),
            ("2002:a00:1::1", false),
            ("2002:c000:201::1", true),
        ] {
            assert_eq!(is_elsewhere(ip.parse().unwrap()), elsewhere, "{ip}");
        }
    }
}
