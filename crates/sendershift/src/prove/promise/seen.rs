//! P5: reports reach somebody before a policy relies on them.

use super::policy::{Author, earlier};
use super::{Judged, Receiver, harshest};
use crate::adjacent::unreachable;
use crate::dmarc::{self, Applied, Authorised, Message, Policy, Reading};
use crate::dns::Evidence;
use crate::name::DomainName;
use crate::plan::timeline::Timeline;
use crate::prove::binding::Binding;
use crate::prove::world::{Lenient, World};

/// A policy record as it is found: where, and its text.
pub(in crate::prove) type Declared = (DomainName, String);

/// The enforcing policies of an author domain that nobody sees reports about, each with the reason: of the record that receivers of RFC 9989
/// apply, and of the one that receivers of RFC 7489 do, where that is another.
#[derive(Default)]
pub(in crate::prove) struct Unseen([Option<(Declared, &'static str)>; 2]);

impl Unseen {
    /// What is not known of `hosts` is taken to be there.
    pub(in crate::prove) fn of(
        evidence: &dyn Evidence,
        hosts: &dyn Evidence,
        author_domain: &DomainName,
    ) -> Self {
        let applied = dmarc::discover(evidence, author_domain).applied;
        let enforces = |applied: &&Applied| harshest(evidence, author_domain, applied) > Policy::None;
        let new = applied
            .as_ref()
            .filter(enforces)
            .and_then(|applied| Some((declared(applied), unseen(evidence, hosts, applied)?)));
        let old = dmarc::check(hosts, Message::new(author_domain.clone())).rfc7489;
        let old = old.and_then(|reading| {
            let found = reading.policy_record.as_ref()?;
            let is_other = applied.as_ref().is_none_or(|applied| applied.domain != found.domain);
            let acts = reading.policy.is_some_and(|effect| effect.policy > Policy::None);
            let record = (found.domain.clone(), found.record.clone());
            Some((record, unseen_by_list(hosts, &reading).filter(|_| is_other && acts)?))
        });
        Self([new, old])
    }

    /// The reasons for which these are unseen and the others, those of today, are not.
    fn beside(&self, today: &Self) -> Option<&'static str> {
        let is_new = |(now, was): (&Option<(Declared, &'static str)>, &Option<(Declared, _)>)| {
            let (declared, code) = now.as_ref()?;
            was.as_ref().is_none_or(|(was, _)| was != declared).then_some(*code)
        };
        self.0.iter().zip(&today.0).find_map(is_new)
    }

    /// The reason for one that is unseen where it was not before.
    fn since(&self, before: &Self) -> Option<&'static str> {
        let mut pairs = self.0.iter().zip(&before.0);
        pairs.find_map(|(now, was)| now.as_ref().filter(|_| was.is_none()).map(|(_, code)| *code))
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

/// P5: where an enforcing policy applies, a host takes aggregate reports about it and the receiver knows that it may
/// send them there (RFC 9990, "Verifying External Destinations").
///
/// A policy that applies `today`, and that nobody sees reports about then either, is left as it is.
pub(in crate::prove) fn seen(
    evidence: &dyn Evidence,
    hosts: &dyn Evidence,
    binding: &Binding<'_>,
    receivers: &[Receiver<'_>],
    today: &Unseen,
) -> Judged {
    let now = Unseen::of(evidence, hosts, &binding.identity.author_domain);
    Judged::everywhere(now.beside(today), receivers)
}

/// P5 for what is left as it is today: once somebody sees reports about an author domain, no step takes that away again.
pub(in crate::prove) fn goes_unseen(
    world: &World<'_>,
    timeline: &Timeline,
    author: Author<'_>,
    receivers: &[Receiver<'_>],
) -> Judged {
    let now = Unseen::of(world, &Lenient(world), author.domain);
    if world.undecided().is_some() || now.is_empty() {
        return Judged::default();
    }
    let mut code = None;
    for (_, before) in earlier(world, timeline, author.bounds) {
        let then = World::new(world.plan, world.flux, &before);
        let was = Unseen::of(&Lenient(&then), &Lenient(&then), author.domain);
        if let Some(question) = then.undecided() {
            // It reads more: what is compared has to be chosen for both.
            world.answer(&question.name, question.record_type);
            return Judged::default();
        }
        // While no message is under way a policy may come before anybody sees reports about it: only what was seen stays so.
        let counts = author.in_use || enforces(&Lenient(&then), author.domain);
        code = code.or_else(|| now.since(&was).filter(|_| counts));
    }
    Judged::everywhere(code, receivers)
}

/// Whether nobody sees reports about an author domain any more whose reports somebody saw before.
pub(in crate::prove) fn stopped_being_seen(
    now: &dyn Evidence,
    before: &dyn Evidence,
    author_domain: &DomainName,
) -> bool {
    let of = |evidence| Unseen::of(evidence, evidence, author_domain);
    of(now).since(&of(before)).is_some() && enforces(before, author_domain)
}

/// Whether an enforcing policy applies to an author domain.
fn enforces(evidence: &dyn Evidence, author_domain: &DomainName) -> bool {
    let applied = dmarc::discover(evidence, author_domain).applied;
    applied.is_some_and(|applied| harshest(evidence, author_domain, &applied) > Policy::None)
}

/// Whether an enforcing policy applies to an author domain, and nobody sees reports about it.
pub(in crate::prove) fn is_unseen(evidence: &dyn Evidence, author_domain: &DomainName) -> bool {
    !Unseen::of(evidence, evidence, author_domain).is_empty()
}

pub(in crate::prove) fn declared(applied: &Applied) -> Declared {
    (applied.domain.clone(), applied.record.to_string())
}

/// Why nobody sees the reports about a policy: the reason at the place that comes nearest.
fn unseen(evidence: &dyn Evidence, hosts: &dyn Evidence, applied: &Applied) -> Option<&'static str> {
    let named = applied.record.rua().iter().filter_map(|uri| uri.host.as_ref());
    nearest(
        hosts,
        named.map(|host| (host.clone(), dmarc::report_authorisation(evidence, &applied.domain, host))),
    )
}

/// The same to receivers of RFC 7489.
fn unseen_by_list(hosts: &dyn Evidence, reading: &Reading) -> Option<&'static str> {
    let rua = reading.reports.iter().filter(|report| report.tag == "rua");
    let host = |uri: &str| DomainName::parse(uri.rsplit_once('@')?.1.split(['!', '?']).next()?).ok();
    nearest(hosts, rua.filter_map(|report| Some((host(&report.uri)?, report.authorised.clone()?))))
}

fn nearest(
    hosts: &dyn Evidence,
    named: impl Iterator<Item = (DomainName, Authorised)>,
) -> Option<&'static str> {
    let mut worst = "p5.no-report-address";
    for (host, authorised) in named {
        worst = match authorised {
            Authorised::Missing { .. } | Authorised::TooLong => "p5.report-not-authorised",
            _ if unreachable(hosts, hosts, &host).is_some() => "p5.report-host-unreachable",
            _ => return None,
        };
    }
    Some(worst)
}
