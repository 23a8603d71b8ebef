//! MTA-STS policies of domains that bounces or answers go to (RFC 8461).

use serde::Serialize;

use crate::adjacent::MtaStsPolicy;
use crate::name::DomainName;

/// A policy that is served for a domain, from a step on or from before the plan, until that of the domain which follows it in the plan.
///
/// DNS does not show policies, so a plan has to say what they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PublishedPolicy {
    /// The domain of the addresses that mail is sent to.
    pub domain: DomainName,
    /// The policy.
    pub policy: MtaStsPolicy,
    /// The step that publishes it; none where it is there before the plan.
    pub from: Option<String>,
}

impl PublishedPolicy {
    /// A policy that is there before the plan.
    pub fn new(domain: DomainName, policy: MtaStsPolicy) -> Self {
        Self { domain, policy, from: None }
    }
}
