//! Those who have to hear of a move before it reaches them.

use serde::Serialize;

use super::{Identity, write};
use crate::name::DomainName;

/// Somebody who receives, or lends a name to, the messages of some streams, and has to be told before they change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Customer {
    /// A name within the plan.
    pub id: String,
    /// The streams whose messages reach this customer.
    pub streams: Vec<String>,
    /// The seconds from the done of the notice to the first use of a new identity.
    #[serde(serialize_with = "write::seconds")]
    pub lead_time: u64,
    /// The step that tells this customer.
    pub notified_by: String,
    /// The customer's own domains that messages are sent with.
    pub own_domains: Vec<DomainName>,
    /// The step that has seen this customer's records.
    pub ready_when: Option<String>,
    /// What is used until then.
    pub fallback: Option<Fallback>,
}

/// An identity that needs nothing of the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fallback {
    /// The stream.
    pub stream: String,
    /// The identity.
    pub identity: String,
}

impl Customer {
    /// A customer who has to be told so long before, and has no domain of its own in use.
    pub fn new(
        id: impl Into<String>,
        streams: Vec<String>,
        lead_time: u64,
        notified_by: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            streams,
            lead_time,
            notified_by: notified_by.into(),
            own_domains: Vec::new(),
            ready_when: None,
            fallback: None,
        }
    }

    /// Whether messages of an identity are written or returned to a domain of this customer.
    pub(crate) fn lends(&self, identity: &Identity) -> bool {
        self.owns([&identity.author_domain].into_iter().chain(&identity.mail_from))
    }

    /// Whether an identity has no name of this customer in it.
    pub(crate) fn is_apart_from(&self, identity: &Identity) -> bool {
        let signed = identity.dkim.iter().map(|signature| &signature.domain);
        !self.lends(identity) && !self.owns(identity.helo.iter().chain(signed))
    }

    fn owns<'n>(&self, mut names: impl Iterator<Item = &'n DomainName>) -> bool {
        names.any(|name| self.own_domains.iter().any(|own| name.is_within(own)))
    }
}
