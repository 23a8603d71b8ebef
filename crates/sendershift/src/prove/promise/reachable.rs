//! P9: whatever is answered or returned finds somebody.

use super::{Judged, Receiver};
use crate::adjacent::{Unreachable, only_behind_aliases, unreachable, unreachable_by};
use crate::dns::Evidence;
use crate::name::DomainName;
use crate::prove::binding::Binding;

/// P9: the domain that a bounce goes to (MAIL FROM), or an answer (From), accepts mail; from a sender that holds a policy of MTA-STS, at
/// a host that this allows.
///
/// Addresses of mail hosts are asked of `hosts`: those that the evidence does not tell are taken to be there.
pub(in crate::prove) fn reachable(
    evidence: &dyn Evidence,
    hosts: &dyn Evidence,
    binding: &Binding<'_>,
    receivers: &[Receiver<'_>],
) -> Judged {
    let Some(domain) = binding.answers_to() else { return Judged::default() };
    let code = match (unreachable(evidence, hosts, domain), binding.policy) {
        (Some(Unreachable::NullMx), None) => Some("p9.null-mx"),
        (Some(Unreachable::NullMxBesideOthers), None) => Some("p9.null-mx-beside-others"),
        (Some(Unreachable::NoMailHost), None) => Some("p9.no-mail-host"),
        (Some(Unreachable::NoSuchDomain), None) => Some("p9.no-such-domain"),
        // That is found without the policy, too.
        (Some(_), Some(_)) | (None, None) => None,
        (None, Some(held)) => {
            let allowed = |host: &DomainName| held.policy().matches(host);
            unreachable_by(evidence, hosts, domain, &allowed).map(|_| "p9.mta-sts")
        }
    };
    Judged::everywhere(code, receivers)
}

/// P9 of a domain that is found: not all its mail exchanges are aliases, which senders need not follow.
pub(in crate::prove) fn by_alias(
    evidence: &dyn Evidence,
    hosts: &dyn Evidence,
    binding: &Binding<'_>,
    receivers: &[Receiver<'_>],
) -> Judged {
    let by_alias = binding.answers_to().is_some_and(|domain| only_behind_aliases(evidence, hosts, domain));
    Judged::everywhere(by_alias.then_some("p9.mx-alias"), receivers)
}
