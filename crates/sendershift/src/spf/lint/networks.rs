//! Rules about the addresses that the domain's own records list.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::Lint;
use crate::finding::{Rule, Severity};
use crate::net::{AddressSet, Family};
use crate::spf::{Mechanism, Policy, Qualifier, SpfResult, Term};

/// Addresses above which a record authorises as much as the widest third of all domains.
const MANY: u64 = 100_000;

pub(super) const BROAD_NETWORK: Rule = Rule {
    code: "spf.broad-network",
    severity: Severity::Warning,
    title: "A term authorises a very large network",
    why: "Networks wider than /16 (IPv4) or /32 (IPv6) hold hosts of many strangers, and each of them passes as this domain.",
    remedy: "List the networks that really send.",
    source: "BreakSPF, NDSS 2024; the bounds are ours",
};

pub(super) const HOST_BITS: Rule = Rule {
    code: "spf.host-bits",
    severity: Severity::Note,
    title: "A network is written with bits of a host",
    why: "Only the bits of the prefix are compared, so the term covers more than the address that is written, or a prefix length is wrong.",
    remedy: "Write the first address of the network, or the prefix length that is meant.",
    source: "RFC 7208 section 5.6",
};

pub(super) const MANY_ADDRESSES: Rule = Rule {
    code: "spf.many-addresses",
    severity: Severity::Note,
    title: "The record authorises more than 100,000 IPv4 addresses",
    why: "Shared hosts of large providers are among them: whoever rents one may send as this domain with a pass. \
          34.7 % of domains with SPF do so.",
    remedy: "Send by return paths of their own where providers offer that, so that their includes are not needed here.",
    source: "Lazy Gatekeepers, IMC 2023",
};

pub(super) const RESERVED_NETWORK: Rule = Rule {
    code: "spf.reserved-network",
    severity: Severity::Warning,
    title: "Terms list addresses from which no mail arrives",
    why: "Private, loopback, link-local, documentation, multicast and reserved addresses never send across the Internet. \
          Such a term does nothing there, and it may stand where a public address was meant.",
    remedy: "Write the public address that the mail leaves from, or take the term out.",
    source: "RFC 6890 (special-purpose addresses); RFC 7208 section 5 for IPv4-mapped ones",
};

/// Special-purpose networks (RFC 6890 and its registries), and what they are.
const RESERVED: [(&str, &str); 20] = [
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared by carriers"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.2.0/24", "for documentation"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/127", "loopback and unspecified"),
    ("::ffff:0:0/96", "IPv4-mapped: such clients are IPv4 clients"),
    ("2001:db8::/32", "for documentation"),
    ("3fff::/20", "for documentation"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
];

impl Lint<'_> {
    pub(super) fn networks(&mut self) {
        let reserved = RESERVED.iter().filter_map(|(net, what)| Some((net.parse::<IpNet>().ok()?, *what)));
        let reserved: Vec<(IpNet, &str)> = reserved.collect();
        let mut findings = Vec::new();
        for (visited, record) in self.own() {
            let mut unsent: BTreeMap<&str, Vec<&Term>> = BTreeMap::new();
            for (term, directive) in record.directives() {
                let written = record.written(term);
                let mut find = |rule, message| findings.push(visited.finding(rule, Some(term.span), message));
                if let Some(net) = directive.mechanism.net() {
                    if let Some((_, what)) = reserved.iter().find(|(reserved, _)| reserved.contains(&net)) {
                        unsent.entry(*what).or_default().push(term);
                    }
                    if has_host_bits(&directive.mechanism, net) {
                        find(&HOST_BITS, format!("`{written}` covers {net}"));
                    }
                }
                if directive.qualifier_or_default() == Qualifier::Pass
                    && let Some(prefix) = broad(&directive.mechanism)
                {
                    find(&BROAD_NETWORK, format!("`{written}` authorises whole networks of /{prefix}"));
                }
            }
            for (what, terms) in unsent {
                let Some((first, more)) = terms.split_first() else { continue };
                let count = match more.len() {
                    0 => String::new(),
                    1 => " and one more term".to_owned(),
                    more => format!(" and {more} more terms"),
                };
                let message = format!("addresses of `{}`{count} are {what}", record.written(first));
                findings.push(visited.finding(&RESERVED_NETWORK, Some(first.span), message));
            }
        }
        self.findings.append(&mut findings);
    }

    pub(super) fn addresses(&mut self, policy: &Policy) {
        let pass = policy.intended().always(SpfResult::Pass).of_family(Family::V4);
        let is_all = pass == AddressSet::all().of_family(Family::V4);
        let count: u64 = pass.count().to_string().parse().unwrap_or(u64::MAX);
        if count > MANY
            && !is_all
            && let Some(visited) = self.records.first()
        {
            let message = format!("the record authorises {count} IPv4 addresses");
            self.findings.push(visited.finding(&MANY_ADDRESSES, None, message));
        }
    }
}

fn has_host_bits(mechanism: &Mechanism, net: IpNet) -> bool {
    match mechanism {
        Mechanism::Ip4 { address, .. } => net.network() != *address,
        Mechanism::Ip6 { address, .. } => net.network() != *address,
        _ => false,
    }
}

/// The prefix length of a term that covers more than a large network.
fn broad(mechanism: &Mechanism) -> Option<u8> {
    match mechanism {
        Mechanism::Ip4 { prefix, .. } => prefix.filter(|prefix| *prefix < 16),
        Mechanism::Ip6 { prefix, .. } => prefix.filter(|prefix| *prefix < 32),
        Mechanism::A { cidr, .. } | Mechanism::Mx { cidr, .. } => {
            cidr.v4.filter(|prefix| *prefix < 16).or(cidr.v6.filter(|prefix| *prefix < 32))
        }
        _ => None,
    }
}
