//! P5: reports reach somebody before a policy relies on them.

use super::{Judged, Receiver, harshest};
use crate::adjacent::unreachable;
use crate::dmarc::{self, Applied, Authorised, Policy};
use crate::dns::Evidence;
use crate::name::DomainName;
use crate::prove::binding::Binding;

/// A policy record as it is found: where, and its text.
pub(in crate::prove) type Declared = (DomainName, String);

/// P5: where an enforcing policy applies, a host takes aggregate reports about it and the receiver knows that it may
/// send them there (RFC 9990, "Verifying External Destinations").
///
/// A policy that applies `today`, and that nobody sees reports about then either, is left as it is. What is not known of `hosts` is taken to be there.
pub(in crate::prove) fn seen(
    evidence: &dyn Evidence,
    hosts: &dyn Evidence,
    binding: &Binding<'_>,
    receivers: &[Receiver<'_>],
    today: Option<&Declared>,
) -> Judged {
    let found = dmarc::discover(evidence, &binding.identity.author_domain).applied;
    let relies = |applied: &Applied| {
        harshest(evidence, &binding.identity.author_domain, applied) > Policy::None
            && Some(&declared(applied)) != today
    };
    let code = found.filter(relies).and_then(|applied| unseen(evidence, hosts, &applied));
    Judged::everywhere(code, receivers)
}

/// Whether an enforcing policy applies to an author domain, and nobody sees reports about it.
pub(in crate::prove) fn is_unseen(evidence: &dyn Evidence, author_domain: &DomainName) -> bool {
    let applied = dmarc::discover(evidence, author_domain).applied;
    applied.is_some_and(|applied| {
        harshest(evidence, author_domain, &applied) > Policy::None
            && unseen(evidence, evidence, &applied).is_some()
    })
}

pub(in crate::prove) fn declared(applied: &Applied) -> Declared {
    (applied.domain.clone(), applied.record.to_string())
}

/// Why nobody sees the reports about a policy: the reason at the place that comes nearest.
fn unseen(evidence: &dyn Evidence, hosts: &dyn Evidence, applied: &Applied) -> Option<&'static str> {
    let mut worst = "p5.no-report-address";
    for host in applied.record.rua().iter().filter_map(|uri| uri.host.as_ref()) {
        worst = match dmarc::report_authorisation(evidence, &applied.domain, host) {
            Authorised::Missing { .. } | Authorised::TooLong => "p5.report-not-authorised",
            _ if unreachable(hosts, hosts, host).is_some() => "p5.report-host-unreachable",
            _ => return None,
        };
    }
    Some(worst)
}
