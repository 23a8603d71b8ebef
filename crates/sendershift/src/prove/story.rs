//! From a failure to a counterexample: a course of events in which it happens, replayed and told.

use std::net::IpAddr;

use jiff::{Timestamp, tz};

use super::binding::{Binding, Judgement};
use super::explore::Bounds;
use super::promise::Failure;
use super::proof::{Counterexample, Happening, Holding};
use super::world::{Choices, Content, Flux};
use crate::dmarc::{self, Authenticated, DmarcResult};
use crate::dns::{Overlay, Quality, RecordType, Records, RrSet, Snapshot, Txt};
use crate::name::DomainName;
use crate::plan::timeline::Event;
use crate::plan::{Plan, Signature, StepKind};
use crate::spf::{
    Branch, Checked, MacroContext, Mechanism, Profile, Query, SpfRecord, SpfResult, Turnout, Unknown, check,
};

/// Everything about one failure.
pub(super) struct Found<'a> {
    pub(super) plan: &'a Plan,
    pub(super) flux: &'a Flux,
    pub(super) binding: &'a Binding<'a>,
    pub(super) choices: &'a Choices,
    pub(super) profile: &'a Profile,
    pub(super) failure: &'a Failure,
}

/// How much there is to tell: bounds and versions, whether two identities play a part, RRsets.
pub(super) type Length = (usize, bool, usize);

/// What replaying the failure through plain evaluation gives.
struct Replay {
    checked: Option<Checked>,
    verified: Vec<Signature>,
    result: DmarcResult,
    policy: Option<dmarc::Policy>,
    spf_passes: bool,
    dkim_aligned: bool,
}

/// Ticks of a schedule in a second.
const TICKS: i64 = 1000;

/// A mailbox of the domain that SPF is checked for; which one plays no part.
const LOCAL_PART: &str = "sender";

impl Found<'_> {
    /// A measure of how much there is to tell: the least is told.
    pub(super) fn length(&self) -> Length {
        let changed =
            self.versions().filter(|(_, version)| version.from.is_some() || version.until.is_some()).count();
        let mixed = self.binding.delivered_by != self.binding.identity;
        (
            self.binding.bounds.lower.len() + self.binding.bounds.upper.len() + changed,
            mixed,
            self.choices.len(),
        )
    }

    /// The counterexample; `None` where plain evaluation does not confirm it, which would be a defect of the prover.
    pub(super) fn counterexample(&self) -> Option<Counterexample> {
        let replay = self.replay()?;
        if !self.confirms(&replay) {
            return None;
        }
        let schedule = self.schedule()?;
        let binding = self.binding;
        let story = self.story(&replay, &schedule);
        Some(Counterexample {
            code: self.failure.code,
            stream: Some(binding.stream.id.clone()),
            identity: Some(binding.identity.id.clone()),
            delivered_by: Some(binding.delivered_by.id.clone()),
            address: self.failure.address,
            mail_from: binding.spf_domain().cloned(),
            helo: binding.delivered_by.helo.clone(),
            judgement: Some(binding.judgement),
            holding: self.holding(),
            assuming: self.failure.assuming.iter().map(|(unknown, _)| unknown.clone()).collect(),
            schedule: self.happenings(&schedule),
            spf: replay.checked.clone(),
            dmarc: Some(replay.result),
            policy: replay.policy,
            story,
        })
    }

    fn versions(&self) -> impl Iterator<Item = (&crate::dns::Question, &super::world::Version)> {
        self.choices
            .iter()
            .filter_map(|(question, index)| Some((question, self.flux.versions(question)?.get(*index)?)))
    }

    /// The evidence as the receiver has it.
    fn evidence(&self) -> Option<Overlay<&Snapshot>> {
        let mut overlay = Overlay::new(&self.plan.evidence);
        for (question, version) in self.versions() {
            match &version.content {
                Content::Set(rrset) | Content::Alias(rrset) => {
                    // The records that come in place of an alias hide it, and the other way round.
                    let hidden = if matches!(version.content, Content::Set(_)) {
                        RecordType::Cname
                    } else {
                        question.record_type
                    };
                    if hidden != rrset.records().record_type() {
                        overlay.remove(&question.name, hidden);
                    }
                    overlay.publish(&question.name, rrset.clone());
                }
                Content::Absent => {
                    overlay.remove(&question.name, question.record_type);
                    overlay.remove(&question.name, RecordType::Cname);
                }
            }
        }
        if let Some(ip) = self.failure.address {
            for (unknown, branch) in &self.failure.assuming {
                self.assume(&mut overlay, ip, unknown, *branch)?;
            }
        }
        Some(overlay)
    }

    /// Adds the answers that let an unknown turn out as assumed for one client.
    fn assume(
        &self,
        evidence: &mut Overlay<&Snapshot>,
        ip: IpAddr,
        unknown: &Unknown,
        branch: Branch,
    ) -> Option<()> {
        let rrset = |records| RrSet::new(records, None, Quality::Cached);
        let address = rrset(match ip {
            IpAddr::V4(ip) => Records::A(vec![ip]),
            IpAddr::V6(ip) => Records::Aaaa(vec![ip]),
        });
        if unknown.mechanism == "ptr" {
            let target: DomainName = unknown.target.parse().ok()?;
            let validated =
                if branch.turnout == Turnout::Match { target } else { "client.invalid".parse().ok()? };
            let voids = (1..branch.void_queries).filter_map(|n| validated.prefixed(&format!("void{n}")).ok());
            let names: Vec<DomainName> = voids.chain([validated.clone()]).collect();
            if branch != (Branch { turnout: Turnout::NoMatch, void_queries: 1 }) {
                evidence.publish(&validated, address);
                evidence.publish(&DomainName::reverse(ip), rrset(Records::Ptr(names)));
            }
            return Some(());
        }
        let record: SpfRecord = format!("v=spf1 exists:{}", unknown.target).parse().ok()?;
        let (_, directive) = record.directives().next()?;
        let Mechanism::Exists(spec) = &directive.mechanism else { return None };
        let domain = self.binding.spf_domain()?;
        let helo = self.binding.delivered_by.helo.as_ref().unwrap_or(domain);
        let context = MacroContext {
            local_part: LOCAL_PART,
            sender_domain: domain,
            domain,
            ip,
            helo: helo.as_str(),
            validated: None,
            receiver: None,
            timestamp: 0,
        };
        let name = spec.expand(&context).ok()?;
        let text = |text: &str| Some(rrset(Records::Txt(vec![Txt::from_text(text).ok()?])));
        match (unknown.mechanism, branch.turnout) {
            ("exists", Turnout::Match) => {
                evidence.publish(&name, rrset(Records::A(vec![[127, 0, 0, 2].into()])));
            }
            ("a", Turnout::Match) => evidence.publish(&name, address),
            ("include", Turnout::Match) | ("redirect", Turnout::Result(SpfResult::Pass)) => {
                evidence.publish(&name, text("v=spf1 +all")?);
            }
            ("include", Turnout::NoMatch) | ("redirect", Turnout::Result(SpfResult::Fail)) => {
                evidence.publish(&name, text("v=spf1 -all")?);
            }
            ("redirect", Turnout::Result(SpfResult::SoftFail)) => {
                evidence.publish(&name, text("v=spf1 ~all")?);
            }
            ("redirect", Turnout::Result(SpfResult::Neutral)) => {
                evidence.publish(&name, text("v=spf1 ?all")?);
            }
            (_, Turnout::Result(SpfResult::TempError)) => evidence.fail(&name, RecordType::Txt),
            _ => {
                evidence.remove(&name, RecordType::A);
                evidence.remove(&name, RecordType::Txt);
            }
        }
        Some(())
    }

    fn replay(&self) -> Option<Replay> {
        let evidence = self.evidence()?;
        let binding = self.binding;
        let verified: Vec<Signature> = binding.verifiable(&evidence).into_iter().cloned().collect();
        let checked = match (self.failure.address, binding.spf_domain()) {
            (Some(ip), Some(domain)) => {
                let helo = binding.delivered_by.helo.as_ref().unwrap_or(domain);
                let query = Query::new(ip, &format!("{LOCAL_PART}@{domain}"), helo.as_str());
                Some(check(&evidence, &query, self.profile).ok()?)
            }
            _ => None,
        };
        let domains: Vec<DomainName> = verified.iter().map(|signature| signature.domain.clone()).collect();
        // Where the failure does not depend on the address, SPF is granted: it fails even so.
        let spf_passes = checked.as_ref().is_none_or(|checked| checked.result == SpfResult::Pass);
        let spf = binding.spf_domain().filter(|_| spf_passes && binding.judgement == Judgement::Delivery);
        let message = Authenticated { author_domain: &binding.identity.author_domain, spf, dkim: &domains };
        let verdict = dmarc::evaluate(&evidence, &message);
        Some(Replay {
            checked,
            verified,
            result: verdict.result,
            policy: verdict.policy,
            spf_passes: spf_passes && verdict.spf_aligned,
            dkim_aligned: verdict.dkim_aligned,
        })
    }

    /// Whether the plain evaluation shows the same failure.
    fn confirms(&self, replay: &Replay) -> bool {
        match self.failure.code {
            "p1.no-dmarc-policy" => replay.result == DmarcResult::None,
            "p1.signature-not-verifiable" | "p1.no-dkim-under-enforcement" | "p1.dkim-needed-too" => {
                !replay.dkim_aligned
            }
            "p1.spf-needed-too" => !replay.spf_passes,
            "p1.not-authenticated" => replay.result != DmarcResult::Pass,
            "p2.worse-than-today" => {
                replay.checked.as_ref().is_some_and(|checked| checked.result != SpfResult::Pass)
            }
            _ => replay.checked.as_ref().is_some_and(|checked| {
                // Beyond a limit every receiver of the profile stops, unless an error ended the evaluation before.
                checked.result == SpfResult::PermError
            }),
        }
    }

    fn holding(&self) -> Vec<Holding> {
        let id = |step: usize| self.plan.steps.get(step).map(|step| step.id.clone());
        self.versions()
            .map(|(question, version)| Holding {
                question: question.clone(),
                records: match &version.content {
                    Content::Set(rrset) | Content::Alias(rrset) => Some(rrset.records().clone()),
                    Content::Absent => None,
                },
                published_by: version.from.and_then(id),
                replaced_by: version.until.and_then(|(step, _)| id(step)),
                kept_for: version.until.map(|(_, seconds)| seconds),
            })
            .collect()
    }

    /// All bounds on the instant of judgement: those of the message and those of the versions.
    fn bounds(&self) -> Bounds {
        let mut bounds = self.binding.bounds.clone();
        for (_, version) in self.versions() {
            bounds.lower.extend(version.from.map(Event::Start));
            bounds.upper.extend(version.until.map(|(step, seconds)| (Event::Done(step), seconds)));
        }
        bounds
    }

    /// The earliest course of events with this failure: the seconds after the origin of each event.
    fn schedule(&self) -> Option<Schedule> {
        let steps = &self.plan.steps;
        // Nodes: the origin, start and done of every step, injection, judgement.
        let node = |event: Event| match event {
            Event::Origin => 0,
            Event::Start(step) => 1 + 2 * step,
            Event::Done(step) => 2 + 2 * step,
        };
        let injected = 1 + 2 * steps.len();
        let judged = injected + 1;
        let mut edges: Vec<(usize, usize, i64)> = Vec::new();
        // Milliseconds, so that "less than" can be a millisecond less, several times over.
        let ticks = |seconds: u64| Some(i64::try_from(seconds).ok()?.saturating_mul(TICKS));
        let less = |seconds: u64| Some(1 - ticks(seconds)?);
        for (at, step) in steps.iter().enumerate() {
            let (start, done) = (node(Event::Start(at)), node(Event::Done(at)));
            edges.push((start, done, 0));
            match (step.kind, step.on) {
                (StepKind::External, Some(on)) => {
                    let date = (on.as_second() - self.plan.parameters.start.as_second()) * TICKS;
                    edges.extend([(0, start, date), (start, 0, -date), (done, start, 0)]);
                }
                _ => {
                    edges.push((0, start, 0));
                    for after in &step.after {
                        let earlier = steps.iter().position(|other| other.id == after.step)?;
                        edges.push((node(Event::Done(earlier)), start, ticks(after.at_least)?));
                    }
                }
            }
        }
        let bounds = self.bounds();
        edges.push((0, judged, 0));
        edges.extend(bounds.lower.iter().map(|event| (node(*event), judged, 0)));
        for (event, seconds) in &bounds.upper {
            edges.push((judged, node(*event), less(*seconds)?));
        }
        let (from, until, horizon) = &self.binding.injected;
        edges.extend([(0, injected, 0), (injected, judged, 0), (judged, injected, less(*horizon)?)]);
        edges.extend(from.iter().map(|event| (node(*event), injected, 0)));
        edges.extend(until.map(|event| (injected, node(event), 1)));
        let mut at = vec![0i64; judged + 1];
        // Longest paths by relaxation: they exist, unless the bounds contradict each other.
        for _ in 0..=at.len() {
            let mut moved = false;
            for (from, to, distance) in &edges {
                let earliest = at.get(*from)?.saturating_add(*distance);
                let slot = at.get_mut(*to)?;
                if *slot < earliest {
                    *slot = earliest;
                    moved = true;
                }
            }
            if !moved {
                let judged = at.pop()? / TICKS;
                let injected = at.pop()? / TICKS;
                for at in &mut at {
                    *at /= TICKS;
                }
                return Some(Schedule { events: at, injected, judged });
            }
        }
        None
    }

    /// The steps that play a part: those that the bounds name.
    fn parts(&self) -> Vec<usize> {
        let bounds = self.bounds();
        let (from, until, _) = &self.binding.injected;
        let events = bounds
            .lower
            .into_iter()
            .chain(bounds.upper.into_iter().map(|(event, _)| event))
            .chain(from.iter().copied())
            .chain(*until);
        let mut steps: Vec<usize> = events
            .filter_map(|event| match event {
                Event::Start(step) | Event::Done(step) => Some(step),
                Event::Origin => None,
            })
            .collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    fn happenings(&self, schedule: &Schedule) -> Vec<Happening> {
        let mut happenings: Vec<(i64, u8, Happening)> = Vec::new();
        let mut push = |at: i64, rank: u8, what: &'static str, step: Option<String>| {
            happenings.push((at, rank, Happening { at: self.time(at, true), what, step }));
        };
        for step in self.parts() {
            let id = self.plan.steps.get(step).map(|step| step.id.clone());
            push(schedule.start(step), 0, "started", id.clone());
            push(schedule.done(step), 3, "done", id);
        }
        push(schedule.injected, 1, "injected", None);
        push(schedule.judged, 2, "judged", None);
        happenings.sort_by(|a, b| (a.0, a.1, &a.2.step).cmp(&(b.0, b.1, &b.2.step)));
        happenings.into_iter().map(|(_, _, happening)| happening).collect()
    }

    /// An instant as text: RFC 3339 for documents, shorter for people.
    fn time(&self, seconds: i64, for_documents: bool) -> String {
        let instant = Timestamp::from_second(self.plan.parameters.start.as_second().saturating_add(seconds));
        let Ok(instant) = instant else { return format!("{seconds} s after the start") };
        if for_documents {
            return instant.to_string();
        }
        let offset = tz::Offset::from_seconds(self.plan.parameters.utc_offset).unwrap_or(tz::Offset::UTC);
        offset.to_datetime(instant).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn story(&self, replay: &Replay, schedule: &Schedule) -> Vec<String> {
        let binding = self.binding;
        let identity = binding.identity;
        let from = match &identity.mail_from {
            Some(domain) => format!("MAIL FROM {domain}"),
            None => "the null sender".to_owned(),
        };
        let mut events = vec![(
            schedule.injected,
            1,
            format!(
                "a message of `{}` is injected as `{}`: From {}, {from}.",
                binding.stream.id, identity.id, identity.author_domain
            ),
        )];
        for step in self.parts() {
            let Some(named) = self.plan.steps.get(step) else { continue };
            let (start, done) = (schedule.start(step), schedule.done(step));
            let title = if named.title.is_empty() { String::new() } else { format!(" ({})", named.title) };
            if start == done {
                events.push((start, 0, format!("step `{}` is done{title}.", named.id)));
            } else {
                events.push((start, 0, format!("step `{}` starts{title}.", named.id)));
                events.push((done, 3, format!("step `{}` is done.", named.id)));
            }
        }
        let address =
            self.failure.address.map_or_else(|| "any of its addresses".to_owned(), |ip| ip.to_string());
        let by = if binding.delivered_by.id == identity.id {
            String::new()
        } else {
            format!(", with the sources of `{}`", binding.delivered_by.id)
        };
        let waited = duration(schedule.judged - schedule.injected);
        events.push((
            schedule.judged,
            2,
            match binding.judgement {
                Judgement::Delivery if schedule.judged == schedule.injected => {
                    format!("it is delivered at once, from {address}{by}, and judged.")
                }
                Judgement::Delivery => {
                    format!("after {waited} in the queue it is delivered from {address}{by}, and judged.")
                }
                Judgement::Later => {
                    format!("{waited} after its injection its signature is verified again, behind the first receiver.")
                }
            },
        ));
        events.sort();
        let mut story: Vec<String> =
            events.into_iter().map(|(at, _, text)| format!("{}: {text}", self.time(at, false))).collect();
        for holding in self.holding() {
            let records = holding.records.as_ref().map_or_else(
                || "that there is none".to_owned(),
                |records| {
                    records
                        .to_texts()
                        .iter()
                        .map(|text| format!("\"{}\"", shortened(text)))
                        .collect::<Vec<_>>()
                        .join(", ")
                },
            );
            let since = match (&holding.published_by, &holding.replaced_by) {
                (None, None) => String::new(),
                (None, Some(step)) => format!(", as before step `{step}`"),
                (Some(step), None) => format!(", as step `{step}` left it"),
                (Some(first), Some(second)) => format!(", as between steps `{first}` and `{second}`"),
            };
            let kept = match (&holding.replaced_by, holding.kept_for) {
                (Some(_), Some(seconds)) => format!(
                    "; caches may keep it for {} after",
                    duration(i64::try_from(seconds).unwrap_or(i64::MAX))
                ),
                _ => String::new(),
            };
            story.push(format!("The receiver holds for {}: {records}{since}{kept}.", holding.question));
        }
        for (unknown, branch) in &self.failure.assuming {
            let turnout = match branch.turnout {
                Turnout::Match => "matches".to_owned(),
                Turnout::NoMatch => "does not match".to_owned(),
                Turnout::Result(result) => format!("gives {result}"),
            };
            story.push(format!("Here {}:{} {turnout}.", unknown.mechanism, unknown.target));
        }
        story.push(self.verdict(replay));
        story.push(format!("{}.", reason(self.failure.code)));
        story
    }

    fn verdict(&self, replay: &Replay) -> String {
        let mut parts = Vec::new();
        if let (Some(checked), Some(domain)) = (&replay.checked, self.binding.spf_domain()) {
            let problem =
                checked.problem.as_ref().map(|problem| format!(", {}", problem.code)).unwrap_or_default();
            parts.push(format!(
                "SPF for {domain}: {} ({} lookups, {} void{problem})",
                checked.result, checked.lookups, checked.voids
            ));
        }
        for signature in self.binding.signatures() {
            let state =
                if replay.verified.contains(signature) { "key found" } else { "no key that verifies it" };
            let aligned = if replay.dkim_aligned { "" } else { ", nothing aligned" };
            parts.push(format!("DKIM {} at {}: {state}{aligned}", signature.selector, signature.domain));
        }
        if self.binding.signatures().is_empty() {
            parts.push("no DKIM signature".to_owned());
        }
        let policy = match replay.policy {
            None => "no policy record".to_owned(),
            Some(dmarc::Policy::None) => "p=none".to_owned(),
            Some(dmarc::Policy::Quarantine) => "p=quarantine".to_owned(),
            Some(dmarc::Policy::Reject) => "p=reject".to_owned(),
        };
        let result = match replay.result {
            DmarcResult::Pass => "pass",
            DmarcResult::Fail => "fail",
            DmarcResult::None => "none",
            DmarcResult::TempError => "temperror",
        };
        parts.push(format!("DMARC: {result} ({policy})"));
        format!("{}.", parts.join("; "))
    }
}

/// Why a failure is one, for people.
fn reason(code: &str) -> &'static str {
    match code {
        "p1.no-dmarc-policy" => {
            "Without a policy record there is no DMARC pass, and nothing aligns between sibling domains"
        }
        "p1.no-dkim-under-enforcement" => {
            "Under an enforcing policy an aligned DKIM pass is needed: SPF alone is lost wherever mail is forwarded (RFC 9989 section 7)"
        }
        "p1.dkim-needed-too" => "The stream needs SPF and DKIM both, and DKIM does not pass",
        "p1.spf-needed-too" => "The stream needs SPF and DKIM both, and SPF does not pass",
        "p1.not-authenticated" => "Neither SPF nor DKIM gives an aligned pass",
        "p1.signature-not-verifiable" => {
            "Behind the first receiver only the signature can be verified, and no aligned key is there any more"
        }
        "p2.worse-than-today" => "Today this address passes SPF for this domain",
        "p2.too-many-lookups" => "That is more lookups than this receiver allows (RFC 7208 section 4.6.4)",
        "p2.too-many-voids" => "That is more void lookups than this receiver allows (RFC 7208 section 4.6.4)",
        "p2.too-many-mx" | "p2.too-many-mx-addresses" => {
            "That is more than this receiver looks up for one `mx` (RFC 7208 section 4.6.4)"
        }
        _ => "The promise is broken",
    }
}

/// A record for a line of text: the rest of a long one is left out.
fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// Seconds after the origin.
struct Schedule {
    events: Vec<i64>,
    injected: i64,
    judged: i64,
}

impl Schedule {
    fn start(&self, step: usize) -> i64 {
        self.events.get(1 + 2 * step).copied().unwrap_or_default()
    }

    fn done(&self, step: usize) -> i64 {
        self.events.get(2 + 2 * step).copied().unwrap_or_default()
    }
}

/// A duration for people.
pub(crate) fn duration(seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hours, minutes, rest) = (rest / 3600, rest % 3600 / 60, rest % 60);
    let parts: Vec<String> = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
        .into_iter()
        .filter(|(count, _)| *count != 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if parts.is_empty() { "no time".to_owned() } else { parts.join(" ") }
}
