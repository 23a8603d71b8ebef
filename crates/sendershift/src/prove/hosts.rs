//! The hosts that a plan brings to declared mail and of which its evidence does not tell whether they are there: P9 takes them to be.

use std::collections::BTreeSet;

use super::world::Flux;
use crate::adjacent;
use crate::dmarc;
use crate::dns::Evidence;
use crate::name::DomainName;
use crate::plan::{Identity, Plan, Remark};

/// An assumption for each host that bounces, answers or reports may go to, or that is greeted with, and that no mail has to do with before
/// the plan.
pub(super) fn untold(plan: &Plan, flux: &Flux) -> Vec<Remark> {
    if plan.evidence.closed() {
        return Vec::new();
    }
    let today = flux.era(plan, 0);
    let (mut old, mut all) = (BTreeSet::new(), BTreeSet::new());
    let (mut senders, mut greetings) = (BTreeSet::new(), BTreeSet::new());
    for stream in &plan.streams {
        for identity in &stream.identities {
            if stream.live.contains(&identity.id) {
                old.extend(names_of(&today, identity));
            }
            senders.extend([(&identity.author_domain, true)]);
            senders.extend(identity.mail_from.iter().map(|domain| (domain, false)));
            greetings.extend(&identity.helo);
        }
    }
    for (domain, is_author) in senders {
        flux.each_era(plan, |era| all.extend(arrivals(era, domain, is_author)));
    }
    for helo in greetings {
        flux.each_era(plan, |era| all.extend(adjacent::is_untold(era, helo).then(|| helo.clone())));
    }
    let new = all.difference(&old);
    new.map(|host| {
        let message = format!(
            "{host} is there, and others find it: the evidence does not tell of its mail exchanges or addresses"
        );
        Remark::new("assume.host", Some(host.as_str()), message)
    })
    .collect()
}

/// What is not told of the hosts of an identity.
fn names_of(evidence: &dyn Evidence, identity: &Identity) -> Vec<DomainName> {
    let mut names = arrivals(evidence, &identity.author_domain, true);
    names.extend(identity.mail_from.iter().flat_map(|domain| arrivals(evidence, domain, false)));
    names.extend(identity.helo.iter().filter(|helo| adjacent::is_untold(evidence, helo)).cloned());
    names
}

/// What is not told of the hosts that get what is sent to a domain, and the reports about it if mail is from there.
fn arrivals(evidence: &dyn Evidence, domain: &DomainName, is_author: bool) -> Vec<DomainName> {
    let mut names = adjacent::untold(evidence, domain);
    let applied = dmarc::discover(evidence, domain).applied.filter(|_| is_author);
    let reports = applied.iter().flat_map(|applied| applied.record.rua());
    let hosts = reports.filter_map(|uri| uri.host.as_ref());
    names.extend(hosts.flat_map(|host| adjacent::untold(evidence, host)));
    names
}
