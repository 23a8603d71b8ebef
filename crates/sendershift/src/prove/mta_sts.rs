//! MTA-STS policies that whoever returns or answers a message may hold (RFC 8461), and what a plan does not tell of them.
//!
//! A sender that holds a policy in mode `enforce` delivers to no host that the policy does not allow. It fetched the policy at some instant between
//! the start of the step that publishes it and the done of the step that publishes the next one, and holds it for `max_age` from there: two more bounds
//! on the instant of judgement. Where the plan moves the web server of the policies, a cache may lead to the old one for some time after. It may as well hold none, which asks no more of mail hosts than P9 does without.

use std::collections::BTreeSet;

use super::Prover;
use super::aliases::{chain, end_of_aliases, ever};
use super::binding::Binding;
use super::explore::Halt;
use super::promise::{self, Receiver};
use super::proof::HeldPolicy;
use super::story::duration;
use super::world::{Flux, Lenient, World};
use crate::adjacent::{self, MtaSts, MtaStsMode, MtaStsPolicy, MxPattern};
use crate::dns::{Answer, Evidence, Question, RecordType, Resolved, resolve};
use crate::name::DomainName;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Plan, PublishedPolicy, Remark, StepKind};

/// A policy in mode `enforce`, and when a sender may hold it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'p> {
    published: &'p PublishedPolicy,
    /// The step from whose start on it can be fetched; none for one that is there before the plan.
    from: Option<usize>,
    /// The step at whose done the last sender has fetched it, and how many seconds it is held after.
    pub(super) until: Option<(usize, u64)>,
}

impl<'p> Held<'p> {
    pub(super) fn policy(&self) -> &'p MtaStsPolicy {
        &self.published.policy
    }

    /// The messages of a binding that are sent back by somebody who holds the policy, if there can be any.
    fn bound(self, binding: &Binding<'p>, timeline: &Timeline) -> Option<Binding<'p>> {
        let mut bound = binding.clone();
        bound.bounds.lower.extend(self.from.map(Event::Start));
        bound.bounds.upper.extend(self.until.map(|(step, seconds)| (Event::Done(step), seconds)));
        bound.policy = Some(self);
        bound.bounds.feasible(timeline).then_some(bound)
    }

    pub(super) fn document(&self, plan: &Plan) -> HeldPolicy {
        HeldPolicy {
            domain: self.published.domain.clone(),
            policy: self.published.policy.clone(),
            published_by: self.published.from.clone(),
            replaced_by: self.until.and_then(|(step, _)| plan.steps.get(step)).map(|step| step.id.clone()),
            kept_for: self.until.map(|(_, seconds)| seconds),
        }
    }

    /// What a sender holds, and what it finds.
    pub(super) fn story(&self, plan: &Plan, evidence: &dyn Evidence) -> [String; 2] {
        let HeldPolicy { domain, policy, published_by, replaced_by, kept_for } = self.document(plan);
        let since = published_by.map_or("of before the plan".to_owned(), |step| format!("of step `{step}`"));
        let kept = replaced_by.zip(kept_for).map_or(String::new(), |(step, seconds)| {
            let seconds = duration(i64::try_from(seconds).unwrap_or(i64::MAX));
            format!(", replaced by step `{step}` and held for up to {seconds} after")
        });
        let hosts: Vec<String> =
            adjacent::mail_hosts(evidence, &domain).iter().map(ToString::to_string).collect();
        let found = match hosts.as_slice() {
            [] => "finds no mail host".to_owned(),
            _ => format!("finds the mail hosts {}", hosts.join(", ")),
        };
        let allowed: Vec<String> = policy.mx().iter().map(MxPattern::to_string).collect();
        [
            format!("The sender holds the MTA-STS policy of {domain} {since}{kept}."),
            format!("It may deliver to {} only, and {found}.", allowed.join(", ")),
        ]
    }
}

/// The policies of a plan in mode `enforce`, one by one. What a step publishes that never happens is not there.
pub(super) fn enforced<'p>(plan: &'p Plan, flux: &Flux, domain: &DomainName) -> Vec<Held<'p>> {
    let step = |id: &str| {
        plan.steps.iter().position(|step| step.id == id).filter(|at| flux.happens.get(*at) == Some(&true))
    };
    let of_domain = plan.mta_sts.iter().filter(|published| published.domain == *domain);
    let versions: Vec<(Option<usize>, &PublishedPolicy)> = of_domain
        .filter_map(|published| {
            let from = published.from.as_ref().map(|id| step(id));
            from.is_none_or(|from| from.is_some()).then_some((from.flatten(), published))
        })
        .collect();
    let old_host = moves(plan, flux, domain).into_iter().map(|(_, kept)| kept).max().unwrap_or(0);
    let next = versions.iter().skip(1).map(|(step, _)| *step).chain([None]);
    let until = |step: usize, published: &PublishedPolicy| {
        // What others do on a date takes its time from there.
        let external = plan.steps.get(step).is_some_and(|step| step.kind == StepKind::External);
        let delay = if external { plan.parameters.publication_delay } else { 0 };
        (step, delay.max(old_host).saturating_add(u64::from(published.policy.max_age())))
    };
    let held = versions.iter().zip(next).map(|((from, published), next)| Held {
        published,
        from: *from,
        until: next.map(|step| until(step, published)),
    });
    held.filter(|held| held.policy().mode() == MtaStsMode::Enforce).collect()
}

/// The steps that move the web server of the policies, each with how long after it, in seconds, a cache may lead to the old one.
fn moves(plan: &Plan, flux: &Flux, domain: &DomainName) -> Vec<(usize, u64)> {
    let Ok(server) = domain.prefixed("mta-sts") else { return Vec::new() };
    let mut moves = Vec::new();
    // An alias that changes is one of the versions.
    for name in chain(&plan.evidence, &server) {
        let questions = [RecordType::Cname, RecordType::A, RecordType::Aaaa]
            .map(|record_type| Question::new(name.clone(), record_type));
        let versions = questions.iter().filter_map(|question| flux.versions(question)).flatten();
        moves.extend(versions.filter_map(|version| version.until));
    }
    moves
}

/// What a plan does not tell of the policies of a domain.
#[derive(Debug, PartialEq, Eq)]
enum Untold {
    /// There is a policy that the plan does not have.
    Lacking(String),
    /// Two steps that change what is found may come in either order.
    Unordered(usize, usize),
    /// Whether there is one is not known.
    Unknown,
}

fn untold(plan: &Plan, flux: &Flux, timeline: &Timeline, domain: &DomainName) -> Option<Untold> {
    let (record, server) = (domain.prefixed("_mta-sts").ok()?, domain.prefixed("mta-sts").ok()?);
    let policies: Vec<&PublishedPolicy> =
        plan.mta_sts.iter().filter(|published| published.domain == *domain).collect();
    let from_the_start = policies.first().map(|first| first.from.is_none());
    let order: Vec<usize> = timeline.steps().collect();
    let place = |id: &str| order.iter().position(|at| plan.steps.get(*at).is_some_and(|step| step.id == id));
    let published: Vec<Option<usize>> =
        policies.iter().map(|published| published.from.as_deref().and_then(place)).collect();
    let serves_from = |id: &String| policies.iter().any(|published| published.from.as_ref() == Some(id));
    let today = flux.era(plan, 0);
    let is_there = is_announced(&today, &record);
    // What is there today, and no step has to do with it, does not matter as long as the mail hosts stay.
    let known = if from_the_start == Some(true) { BTreeSet::new() } else { identifiers(&today, &record) };
    let finds = |name, kinds: &[RecordType]| steps_for(plan, flux, name, kinds);
    let announcing = finds(&record, &[RecordType::Cname, RecordType::Txt]);
    if is_there || !policies.is_empty() || !announcing.is_empty() {
        let serving = finds(&server, &[RecordType::Cname, RecordType::A, RecordType::Aaaa]);
        let publishing = published.iter().flatten().filter_map(|place| order.get(*place)).copied();
        let all: BTreeSet<usize> = announcing.into_iter().chain(serving).chain(publishing).collect();
        let all: Vec<usize> = order.iter().copied().filter(|step| all.contains(step)).collect();
        // What follows looks at them in one order, so it has to be the only one.
        let waits = |one, other| {
            timeline.distance(Event::Done(one), Event::Start(other)).is_some_and(|least| least >= 0)
        };
        let pairs = all.iter().zip(all.iter().skip(1));
        if let Some((one, other)) =
            pairs.map(|(one, other)| (*one, *other)).find(|(one, other)| !waits(*one, *other))
        {
            return Some(Untold::Unordered(one, other));
        }
    }
    let mut ids = BTreeSet::new();
    let (mut was_announced, mut serving, mut lacking) = (false, served(&today, &server), None);
    flux.each_era(plan, |era| {
        let step = era.begun_by().and_then(|step| plan.steps.get(step));
        let is_announced = is_announced(era, &record);
        was_announced |= is_announced;
        // From which of two steps on a policy is served, where the web server moves with another one than publishes it? None is fetched
        // before the record announces one (RFC 8461 section 3.1).
        let now = served(era, &server);
        let moves = was_announced && now.as_ref().is_some_and(|now| now.is_another_than(serving.as_ref()));
        serving = now;
        if let Some(id) = step.map(|step| &step.id).filter(|id| moves && !serves_from(id))
            && lacking.is_none()
        {
            lacking = Some(format!(
                "step `{id}` moves the web server {server}, and no policy of the plan is `from` that step, be it the same as before"
            ));
        }
        // With the text of each policy in it, a plan is judged by these. A new `id` says that there is one more by then.
        ids.extend(identifiers(era, &record).into_iter().filter(|id| !known.contains(id)));
        let announced = ids.len().max(usize::from(is_announced && !is_there));
        let now = step.and_then(|step| place(&step.id));
        let policies = published.iter().filter(|from| **from <= now).count();
        if announced > policies && lacking.is_none() {
            let by = step.map_or("before the plan".to_owned(), |step| format!("with step `{}`", step.id));
            let others = if known.is_empty() { "" } else { ", besides that of today," };
            lacking = Some(format!(
                "{record} has had {announced} different `id`{others} {by}, and the plan has only {policies} of the policies by then"
            ));
        }
    });
    if let Some(why) = lacking {
        return Some(Untold::Lacking(why));
    }
    if from_the_start == Some(true) || !hosts_change(plan, flux, domain) {
        return None;
    }
    if is_there {
        let which = if from_the_start.is_some() { "not the one that is there before it" } else { "none" };
        return Some(Untold::Lacking(format!(
            "{record} announces a policy, and of the policies of {domain} the plan has {which}"
        )));
    }
    let unknown = matches!(resolve(&today, &record, RecordType::Txt), Resolved::Unknown | Resolved::Failed);
    unknown.then_some(Untold::Unknown)
}

/// The steps after which one of these questions about a name, or about any that it is an alias of at some time, has another answer.
fn steps_for(plan: &Plan, flux: &Flux, name: &DomainName, kinds: &[RecordType]) -> BTreeSet<usize> {
    let names = ever(plan, flux, name);
    let questions = names.iter().flat_map(|name| kinds.iter().map(|kind| Question::new(name.clone(), *kind)));
    let versions = questions.filter_map(|question| flux.versions(&question)).flatten();
    versions.filter_map(|version| version.from).collect()
}

/// Where a host is found: all names that lead to its addresses, and these.
struct Served {
    names: Vec<DomainName>,
    addresses: BTreeSet<String>,
}

impl Served {
    /// Whether others may answer there than before. Fewer addresses are the same servers.
    fn is_another_than(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| self.names != before.names || !self.addresses.is_subset(&before.addresses))
    }
}

/// Where a host is found; none where it is known to have no address.
fn served(evidence: &dyn Evidence, host: &DomainName) -> Option<Served> {
    let answers = [RecordType::A, RecordType::Aaaa].map(|kind| resolve(evidence, host, kind));
    let of = |answer: &Resolved<'_>| match answer {
        Resolved::Records(rrset) => rrset.records().to_texts(),
        _ => Vec::new(),
    };
    let addresses: BTreeSet<String> = answers.iter().flat_map(of).collect();
    let is_unknown = matches!(answers, [Resolved::Unknown | Resolved::Failed, _]);
    let names = chain(evidence, host);
    (is_unknown || !addresses.is_empty()).then_some(Served { names, addresses })
}

/// Whether a record says that there is a policy.
pub(super) fn is_announced(evidence: &dyn Evidence, record: &DomainName) -> bool {
    match resolve(evidence, record, RecordType::Txt) {
        Resolved::Records(rrset) => rrset.texts().iter().any(|text| MtaSts::is_mta_sts(text.octets())),
        // Who is given the name by an alias serves a policy there.
        Resolved::Unknown | Resolved::Failed => {
            matches!(evidence.answer(record, RecordType::Txt), Answer::Alias(_))
        }
        Resolved::Absent { .. } => false,
    }
}

/// The `id` of each record there that can be read (RFC 8461 section 3.1). Where an alias leads to what is not known, the name that it leads to
/// stands for one.
fn identifiers(evidence: &dyn Evidence, record: &DomainName) -> BTreeSet<String> {
    match resolve(evidence, record, RecordType::Txt) {
        Resolved::Records(rrset) => {
            let texts = rrset.texts().iter();
            texts.filter_map(|text| MtaSts::parse(text.octets()).ok()).map(|record| record.id).collect()
        }
        Resolved::Unknown | Resolved::Failed => {
            end_of_aliases(evidence, record).iter().map(ToString::to_string).collect()
        }
        Resolved::Absent { .. } => BTreeSet::new(),
    }
}

/// Whether a policy is announced today of which the plan has no text.
fn is_unseen(plan: &Plan, flux: &Flux, domain: &DomainName) -> bool {
    let is_announced = |record: DomainName| is_announced(&flux.era(plan, 0), &record);
    plan.mta_sts.iter().all(|published| published.domain != *domain)
        && domain.prefixed("_mta-sts").is_ok_and(is_announced)
}

/// Whether the plan changes which mail hosts a domain has, or which of them have addresses.
pub(super) fn hosts_change(plan: &Plan, flux: &Flux, domain: &DomainName) -> bool {
    let now = flux.era(plan, 0);
    for host in adjacent::mail_hosts(&now, domain) {
        resolve(&now, &host, RecordType::A);
        resolve(&now, &host, RecordType::Aaaa);
    }
    now.changes()
}

impl<'a> Prover<'a> {
    /// Judges P9 for messages that are returned or answered by somebody who holds a policy. `live` says whether mail goes to the
    /// domain before the plan already.
    pub(super) fn reachable_by_policy(
        &mut self,
        binding: &Binding<'a>,
        receivers: &[Receiver<'_>],
        live: bool,
    ) -> Result<(), Halt> {
        let (plan, flux, timeline) = (self.explorer.plan, self.explorer.flux, self.explorer.timeline);
        let Some(domain) = binding.answers_to() else { return Ok(()) };
        match untold(plan, flux, timeline, domain) {
            Some(Untold::Lacking(why)) => {
                let message = format!(
                    "{why}: whether senders that hold one find a mail host is not judged (RFC 8461). Add the text of each policy to the plan, under `mta_sts`"
                );
                self.unjudged(domain, message);
            }
            Some(Untold::Unordered(one, other)) => {
                let id = |step: usize| plan.steps.get(step).map_or("", |step| step.id.as_str());
                let (one, other) = (id(one), id(other));
                let message = format!(
                    "nothing says which of the steps `{one}` and `{other}` comes first, and both have to do with the MTA-STS policies of {domain}: which policy a sender holds when is not judged (RFC 8461). Let one of them wait for the other, under `after`"
                );
                self.unjudged(domain, message);
            }
            Some(Untold::Unknown) => {
                let message = format!(
                    "{domain} has no MTA-STS policy: the evidence does not tell of _mta-sts.{domain} TXT, and senders that hold a policy would not deliver to other mail hosts than those in it"
                );
                self.assume("assume.no-mta-sts", domain, message);
            }
            None if !live && is_unseen(plan, flux, domain) => {
                let message = format!(
                    "nothing comes to {domain} before the plan, and _mta-sts.{domain} announces a policy that the plan does not have: the verdict holds if it allows the mail hosts there (RFC 8461). Add its text to the plan, under `mta_sts`, and it is judged"
                );
                self.condition("proof.mta-sts", binding, message);
            }
            None => {}
        }
        for held in enforced(plan, flux, domain) {
            let message = format!(
                "the mail hosts that the MTA-STS policy of {domain} allows have certificates that senders accept"
            );
            self.assume("assume.mta-sts-certificates", domain, message);
            let Some(binding) = held.bound(binding, timeline) else { continue };
            if live && held.from.is_none() {
                let baseline = self.baseline;
                let world = World::new(plan, flux, baseline);
                let today = promise::reachable(&Lenient(&world), &Lenient(&world), &binding, receivers);
                if !today.failures.is_empty() {
                    let message = format!(
                        "senders that hold the MTA-STS policy of {domain} find no mail host today that it allows: whether they ever do is not judged"
                    );
                    self.condition("proof.unreachable-today", &binding, message);
                    continue;
                }
            }
            self.walk("p9", &binding, &|world| {
                promise::reachable(world, &Lenient(world), &binding, receivers)
            })?;
        }
        Ok(())
    }

    fn unjudged(&mut self, domain: &DomainName, message: String) {
        let remark = Remark::new("proof.mta-sts", Some(domain.as_str()), message);
        self.undecided.insert(("p9", format!("proof.mta-sts {domain}")), remark);
    }

    /// Notes an assumption, once.
    fn assume(&mut self, code: &str, domain: &DomainName, message: String) {
        let remark = Remark::new(code, Some(domain.as_str()), message);
        if !self.assumptions.contains(&remark) {
            self.assumptions.push(remark);
        }
    }
}
