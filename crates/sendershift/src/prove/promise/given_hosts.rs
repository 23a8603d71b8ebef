//! P4 for addresses that are given up: no mail host has one of them while anybody may still answer or return mail to it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::given_up::{Gift, report_hosts};
use crate::dns::{Answer, Evidence as _, MAX_ALIASES, Question, RecordType, Records, RrSet};
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::Plan;
use crate::plan::timeline::{Event, Timeline};
use crate::prove::binding::{Context, answered};
use crate::prove::world::{Content, Flux};

/// A record by which mail for a domain of a stream goes to an address that is given up, while its messages may be returned or answered
/// (RFC 5321 section 5.1); the same for the web server of its policy (RFC 8461 section 3.3), for reports on TLS at it (RFC 8460) and for those
/// that an author domain asks for, which come as long as they are asked for. With the version that somebody may hold then.
pub(in crate::prove) fn addressed(
    (plan, flux, timeline): Context<'_>,
    gift: Gift<'_>,
    addresses: &AddressSet,
) -> Option<(Question, Option<usize>, IpAddr)> {
    let seen = Seen { plan, flux, timeline, gift };
    let bindings = plan.streams.iter().flat_map(|stream| answered(plan, flux, timeline, stream));
    let domains = bindings.filter_map(|binding| {
        let mut bounds = binding.bounds.clone();
        bounds.lower.push(Event::Start(gift.step));
        binding.answers_to().filter(|_| bounds.feasible(timeline))
    });
    let mut hosts: Vec<DomainName> = Vec::new();
    let identities = plan.streams.iter().flat_map(|stream| &stream.identities);
    let authors: BTreeSet<&DomainName> = identities.map(|identity| &identity.author_domain).collect();
    let above = authors.into_iter().flat_map(DomainName::ancestors).collect::<BTreeSet<_>>();
    let mut asking: Vec<DomainName> =
        above.iter().filter_map(|domain| domain.prefixed("_dmarc").ok()).collect();
    for domain in domains.collect::<BTreeSet<_>>() {
        seen.mail_hosts(domain, 0, &mut hosts);
        hosts.extend(domain.prefixed("mta-sts"));
        asking.extend(domain.prefixed("_smtp._tls"));
    }
    let mut reported_to = Vec::new();
    for name in &asking {
        seen.report_hosts(name, 0, &mut reported_to);
    }
    for domain in reported_to {
        seen.mail_hosts(&domain, 0, &mut hosts);
    }
    hosts.sort();
    hosts.dedup();
    hosts.iter().find_map(|host| seen.address(host, 0, addresses))
}

/// What a receiver may see once something may be somebody else's.
#[derive(Clone, Copy)]
struct Seen<'a> {
    plan: &'a Plan,
    flux: &'a Flux,
    timeline: &'a Timeline,
    gift: Gift<'a>,
}

/// One answer: records, an alias, or nothing; and which version, where it changes.
type Told<'a> = (Option<&'a RrSet>, Option<usize>);

impl<'a> Seen<'a> {
    /// The answers to a question that may be seen, none where that is not known.
    fn answers(self, question: &Question) -> Vec<Told<'a>> {
        let Some(versions) = self.flux.versions(question) else {
            return match self.plan.evidence.answer(&question.name, question.record_type) {
                Answer::Records(rrset) | Answer::Alias(rrset) => vec![(Some(rrset), None)],
                Answer::NoData | Answer::NxDomain => vec![(None, None)],
                _ => Vec::new(),
            };
        };
        let held = versions.iter().enumerate();
        let held = held.filter(|(_, version)| self.gift.bounds().with(version, self.timeline).is_some());
        held.map(|(index, version)| match &version.content {
            Content::Set(rrset) | Content::Alias(rrset) => (Some(rrset), Some(index)),
            Content::Absent => (None, Some(index)),
        })
        .collect()
    }

    fn mail_hosts(self, domain: &DomainName, aliases: usize, hosts: &mut Vec<DomainName>) {
        for (rrset, _) in self.answers(&Question::new(domain.clone(), RecordType::Mx)) {
            match rrset.map(RrSet::records) {
                Some(Records::Mx(exchanges)) => hosts.extend(exchanges.iter().map(|mx| mx.exchange.clone())),
                Some(Records::Cname(target)) if aliases < MAX_ALIASES => {
                    self.mail_hosts(target, aliases + 1, hosts);
                }
                Some(_) => {}
                // Without mail exchanges it is its own mail host.
                None => hosts.push(domain.clone()),
            }
        }
    }

    /// The domains that reports go to which a record asks for.
    fn report_hosts(self, name: &DomainName, aliases: usize, domains: &mut Vec<DomainName>) {
        for (rrset, _) in self.answers(&Question::new(name.clone(), RecordType::Txt)) {
            match rrset.map(RrSet::records) {
                Some(Records::Txt(texts)) => {
                    domains.extend(texts.iter().flat_map(|text| report_hosts(text.octets())));
                }
                Some(Records::Cname(target)) if aliases < MAX_ALIASES => {
                    self.report_hosts(target, aliases + 1, domains);
                }
                _ => {}
            }
        }
    }

    /// A record that leads a host to one of these addresses.
    fn address(
        self,
        host: &DomainName,
        aliases: usize,
        addresses: &AddressSet,
    ) -> Option<(Question, Option<usize>, IpAddr)> {
        [RecordType::A, RecordType::Aaaa].into_iter().find_map(|kind| {
            let question = Question::new(host.clone(), kind);
            self.answers(&question).into_iter().find_map(|(rrset, version)| {
                let listed: Vec<IpAddr> = match rrset?.records() {
                    Records::A(ips) => ips.iter().copied().map(IpAddr::V4).collect(),
                    Records::Aaaa(ips) => ips.iter().copied().map(IpAddr::V6).collect(),
                    Records::Cname(target) if aliases < MAX_ALIASES => {
                        return self.address(target, aliases + 1, addresses);
                    }
                    _ => Vec::new(),
                };
                let given = listed.into_iter().find(|ip| addresses.contains(*ip))?;
                Some((question.clone(), version, given))
            })
        })
    }
}
