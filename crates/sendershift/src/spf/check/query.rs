//! The client and the sender that a check is about.

use std::net::IpAddr;

use crate::name::DomainName;

/// A client's address, the MAIL FROM address and the HELO name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    ip: IpAddr,
    /// The domain to check, if it can be one (RFC 7208 section 4.3).
    domain: Option<DomainName>,
    /// The local part and the HELO name, one after the other: only macros ask for them.
    texts: Box<str>,
    local_octets: usize,
}

impl Query {
    /// A message from `mail_from`, sent by a client at `ip` that greeted with `helo`.
    ///
    /// An empty `mail_from` is the null sender: `postmaster` at the HELO name is checked (RFC 7208 section 2.4). An IPv6 address
    /// that holds an IPv4 address counts as that one (section 5).
    pub fn new(ip: IpAddr, mail_from: &str, helo: &str) -> Self {
        let (local_part, domain) = match mail_from.rsplit_once('@') {
            Some((local_part, domain)) => (local_part, domain),
            None if mail_from.is_empty() => ("", helo),
            None => ("", mail_from),
        };
        // Section 4.3: a sender without a local part is `postmaster`.
        let local_part = if local_part.is_empty() { "postmaster" } else { local_part };
        Self {
            ip: ip.to_canonical(),
            // Section 4.3: it is a name of more than one label that DNS can hold.
            domain: DomainName::from_octets(domain.as_bytes())
                .ok()
                .filter(|domain| domain.labels().nth(1).is_some()),
            texts: [local_part, helo].concat().into(),
            local_octets: local_part.len(),
        }
    }

    /// The client's address.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The local part of the sender.
    pub(super) fn local_part(&self) -> &str {
        self.texts.get(..self.local_octets).unwrap_or_default()
    }

    /// The name that the client greeted with.
    pub(super) fn helo(&self) -> &str {
        self.texts.get(self.local_octets..).unwrap_or_default()
    }

    /// The domain to check, if the sender has one (RFC 7208 section 4.3).
    pub fn domain(&self) -> Option<&DomainName> {
        self.domain.as_ref()
    }
}
