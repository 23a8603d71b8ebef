//! P4 for what is given up: addresses and names that may be somebody else's from a step on.

use std::collections::BTreeSet;

use super::authority::domains;
use super::{Judged, Receiver};
use crate::adjacent::{TlsRpt, is_bimi};
use crate::dmarc::{DmarcRecord, ReportUri};
use crate::dns::{Question, Records, RrSet};
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{GivenUp, Plan, Remark, StepKind, Stream};
use crate::prove::binding::{Binding, Context, answered, bindings};
use crate::prove::explore::Bounds;
use crate::prove::users::Users;
use crate::prove::world::{Content, Flux, World};
use crate::spf::{Mechanism, Modifier, Partial, PartialContext, Policy, SpfRecord, SpfResult, TermKind};
use crate::tag_list;

/// Something that a step gives up.
#[derive(Clone, Copy)]
pub(in crate::prove) struct Gift<'p> {
    pub(in crate::prove) step: usize,
    pub(in crate::prove) what: &'p GivenUp,
}

/// All that is given up by steps that happen.
pub(in crate::prove) fn gifts<'p>(plan: &'p Plan, flux: &Flux) -> Vec<Gift<'p>> {
    let steps = plan.steps.iter().enumerate().filter(|(at, _)| flux.happens.get(*at) == Some(&true));
    steps.flat_map(|(step, of)| of.gives_up.iter().map(move |what| Gift { step, what })).collect()
}

impl Gift<'_> {
    /// An instant from which on it may be somebody else's.
    pub(in crate::prove) fn bounds(&self) -> Bounds {
        Bounds { lower: vec![Event::Origin, Event::Start(self.step)], upper: Vec::new() }
    }

    /// The addresses that go with a source: those that no other source has that is still ours then.
    pub(in crate::prove) fn addresses(
        &self,
        plan: &Plan,
        timeline: &Timeline,
        of: &dyn Fn(&str) -> AddressSet,
    ) -> Option<AddressSet> {
        let GivenUp::Source(id) = self.what else { return None };
        let is_later = |step: usize| {
            step != self.step
                && timeline
                    .distance(Event::Start(self.step), Event::Start(step))
                    .is_some_and(|distance| distance >= 0)
        };
        let gives = |source: &String| {
            let steps = plan.steps.iter().enumerate().filter(|(at, _)| !is_later(*at));
            let mut given = steps.flat_map(|(_, step)| &step.gives_up);
            given.any(|what| matches!(what, GivenUp::Source(other) if other == source))
        };
        let ours = plan.sources.iter().filter(|source| !gives(&source.id));
        Some(ours.fold(of(id), |left, source| left.difference(&of(&source.id))))
    }
}

/// The domains whose records are ours to clean: those of identities, and what stands below them; and what the plan changes.
pub(in crate::prove) fn ours(plan: &Plan, users: &Users<'_>) -> BTreeSet<DomainName> {
    let identities = plan.streams.iter().flat_map(|stream| &stream.identities);
    let names: BTreeSet<&DomainName> = identities
        .flat_map(|identity| {
            [Some(&identity.author_domain), identity.mail_from.as_ref(), identity.helo.as_ref()]
        })
        .flatten()
        .collect();
    let is_ours = |domain: &DomainName| {
        let changes =
            || plan.steps.iter().filter(|step| step.kind == StepKind::Dns).flat_map(|step| &step.changes);
        names.iter().any(|name| domain.is_within(name)) || changes().any(|change| change.name == *domain)
    };
    domains(plan, users).into_iter().filter(is_ours).chain(names.iter().copied().cloned()).collect()
}

/// No record lets one of these addresses pass; it fails so.
pub(in crate::prove) fn not_authorised(
    world: &World<'_>,
    domain: &DomainName,
    (addresses, code): (&AddressSet, &'static str),
    receivers: &[Receiver<'_>],
) -> Judged {
    let policy = match Policy::compile_within(world, domain, addresses) {
        Ok(policy) => policy,
        Err(error) => return Judged::error(error),
    };
    let mut judged = Judged::default();
    for (range, cases) in policy.classes(addresses) {
        judged.classes += 1;
        for case in &cases {
            judged.class(receivers, (range, &case.assuming), |_| {
                (case.leaf.result == SpfResult::Pass).then_some(code)
            });
        }
    }
    judged
}

/// Domains that are not ours to clean, and whose SPF records let addresses pass that the plan gives up: whoever has these next may send as
/// them. Where the evidence does not tell that is said, too.
pub(in crate::prove) fn elsewhere(
    plan: &Plan,
    flux: &Flux,
    timeline: &Timeline,
    users: &Users<'_>,
) -> Vec<Remark> {
    let gifts = gifts(plan, flux);
    if gifts.is_empty() {
        return Vec::new();
    }
    let last = flux.last_era(plan);
    let (all, ours) = (domains(plan, users), ours(plan, users));
    let mut remarks = Vec::new();
    for gift in gifts {
        let given = gift.addresses(plan, timeline, &|source| users.listed(source));
        let (Some(given), Some(step)) = (given, plan.steps.get(gift.step)) else { continue };
        for domain in all.difference(&ours) {
            let authorised = Policy::compile_within(&last, domain, &given)
                .map(|policy| policy.intended().sometimes(SpfResult::Pass).intersection(&given));
            let message = match authorised {
                Ok(authorised) => match authorised.ranges().next() {
                    Some(range) => format!(
                        "the SPF record of {domain} lets {range} pass, which step `{}` gives up: whoever has that next may send as {domain}, unless its owner takes it out before",
                        step.id
                    ),
                    None => continue,
                },
                Err(_) => format!(
                    "the evidence does not tell whether the SPF record of {domain} lets addresses pass that step `{}` gives up: whoever has them next may then send as {domain}",
                    step.id
                ),
            };
            remarks.push(Remark::new("proof.given-up-elsewhere", Some(domain.as_str()), message));
        }
    }
    remarks
}

/// A message that is still delivered from what is given up, or that still needs it: its name stands in From, MAIL FROM, HELO or a
/// signature, for as long as it is judged, returned and answered.
pub(in crate::prove) fn in_use<'p>(context: Context<'p>, gift: Gift<'p>) -> Option<(Binding<'p>, Bounds)> {
    let (plan, flux, timeline) = context;
    let all = |stream: &'p Stream| {
        bindings(plan, flux, timeline, stream).into_iter().chain(answered(plan, flux, timeline, stream))
    };
    plan.streams.iter().flat_map(all).filter(|binding| needs(binding, gift.what)).find_map(|binding| {
        let mut bounds = binding.bounds.clone();
        bounds.lower.push(Event::Start(gift.step));
        bounds.feasible(timeline).then_some((binding, bounds))
    })
}

fn needs(binding: &Binding<'_>, what: &GivenUp) -> bool {
    use crate::prove::Judgement::{Bounce, Delivery, Later, Reply};
    match (what, binding.judgement) {
        (GivenUp::Source(id), Delivery) => binding.delivered_by.sources.contains(id),
        (GivenUp::Source(_), _) => false,
        (GivenUp::Name(name), judgement) => {
            let signed = binding.signatures().iter().any(|signature| signature.domain.is_within(name));
            let within = |domain: Option<&DomainName>| domain.is_some_and(|domain| domain.is_within(name));
            match judgement {
                Delivery => {
                    let names = [
                        Some(&binding.identity.author_domain),
                        binding.identity.mail_from.as_ref(),
                        binding.delivered_by.helo.as_ref(),
                    ];
                    signed || names.into_iter().any(within)
                }
                Later => signed,
                Bounce | Reply => within(binding.answers_to()),
            }
        }
    }
}

/// A record that leads to a name that is given up, outside of it, and the version that somebody may hold then if it changes.
pub(in crate::prove) fn referenced(
    plan: &Plan,
    flux: &Flux,
    timeline: &Timeline,
    (gift, name): (Gift<'_>, &DomainName),
) -> Option<(Question, Option<usize>, DomainName)> {
    for owner in plan.evidence.names().filter(|owner| !owner.is_within(name)) {
        for (kind, rrset) in plan.evidence.rrsets(owner) {
            let question = Question::new(owner.clone(), kind);
            if flux.versions(&question).is_none()
                && let Some(target) = leads_to(owner, rrset, name)
            {
                return Some((question, None, target));
            }
        }
    }
    for question in flux.questions().filter(|question| !question.name.is_within(name)) {
        for (index, version) in flux.versions(&question).into_iter().flatten().enumerate() {
            let (Content::Set(rrset) | Content::Alias(rrset)) = &version.content else { continue };
            let target = leads_to(&question.name, rrset, name);
            if let Some(target) = target.filter(|_| gift.bounds().with(version, timeline).is_some()) {
                return Some((question, Some(index), target));
            }
        }
    }
    None
}

/// The name at or below another one that records lead to, if any does.
fn leads_to(owner: &DomainName, rrset: &RrSet, name: &DomainName) -> Option<DomainName> {
    let targets: Vec<DomainName> = match rrset.records() {
        Records::Cname(target) => vec![target.clone()],
        Records::Ns(targets) => targets.clone(),
        Records::Mx(exchanges) => exchanges.iter().map(|mx| mx.exchange.clone()).collect(),
        Records::Txt(texts) => texts.iter().flat_map(|text| named(owner, text.octets())).collect(),
        // NAPTR, SRV, DNAME, SVCB and HTTPS: names stand there with a dot at their end.
        Records::Other(33 | 35 | 39 | 64 | 65, texts) => {
            let words = texts.iter().flat_map(|text| text.split_ascii_whitespace());
            words.filter(|word| word.ends_with('.')).filter_map(|word| DomainName::parse(word).ok()).collect()
        }
        _ => Vec::new(),
    };
    targets.into_iter().find(|target| target.is_within(name))
}

/// The domains that take the reports that a policy record asks for, or one of TLS reports (RFC 8460).
pub(super) fn report_hosts(text: &[u8]) -> Vec<DomainName> {
    if let Ok(record) = DmarcRecord::parse(text) {
        return record.rua().iter().chain(record.ruf()).filter_map(|uri| uri.host.clone()).collect();
    }
    let uris = TlsRpt::parse(text).map(|record| record.rua).unwrap_or_default();
    uris.iter().filter_map(|uri| ReportUri::parse(uri)?.host).collect()
}

/// The host of an `https:` URI.
fn web_host(uri: &str) -> Option<DomainName> {
    let rest = uri.strip_prefix("https://")?;
    DomainName::parse(rest.split(['/', ':', '?', '#']).next()?).ok()
}

/// The names in an SPF record, the hosts to which reports go, and that of a logo.
fn named(owner: &DomainName, text: &[u8]) -> Vec<DomainName> {
    if DmarcRecord::is_dmarc(text) {
        return report_hosts(text);
    }
    if TlsRpt::is_tls_rpt(text) || is_bimi(text) {
        let text = String::from_utf8_lossy(text);
        let values = tag_list::parts(&text).filter_map(|part| part.value);
        let web_hosts = values.flat_map(|value| value.split(',')).filter_map(|uri| web_host(uri.trim()));
        return report_hosts(text.as_bytes()).into_iter().chain(web_hosts).collect();
    }
    let Ok(record) = SpfRecord::parse(text) else { return Vec::new() };
    let specs = record.terms().iter().filter_map(|term| match &term.kind {
        TermKind::Directive(directive) => match &directive.mechanism {
            Mechanism::Include(spec) | Mechanism::Exists(spec) => Some(spec),
            Mechanism::A { domain, .. } | Mechanism::Mx { domain, .. } | Mechanism::Ptr(domain) => {
                domain.as_ref()
            }
            _ => None,
        },
        TermKind::Modifier(Modifier::Redirect(spec) | Modifier::Exp(spec)) => Some(spec),
        TermKind::Modifier(_) => None,
    });
    let expanded = specs.filter_map(|spec| match spec.expand_known(&PartialContext::new(owner)).ok()? {
        Partial::Known(name) => Some(name),
        // The labels behind the last macro stand in every name that is asked for.
        Partial::Open(text) => {
            let behind = text.rsplit('}').next()?.split_once('.')?.1.to_owned();
            DomainName::parse(&behind).ok()
        }
    });
    expanded.collect()
}
