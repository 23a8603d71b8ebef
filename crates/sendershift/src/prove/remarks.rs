//! What a proof says besides its verdicts.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::JUDGED;
use super::binding::Sources;
use super::explore::Halt;
use super::story::duration;
use super::wildcards;
use super::world::Flux;
use crate::dns::{Evidence as _, Question, RecordType};
use crate::name::DomainName;
use crate::plan::timeline::Timeline;
use crate::plan::{Plan, Remark, Stream};
use crate::suffix::public_suffix;

/// What a walk that ended early has not judged.
pub(super) fn unexplored(halt: Halt, stream: &Stream, streams_after: usize) -> Remark {
    let rest = match streams_after {
        0 => String::new(),
        1 => ", and nothing of 1 stream after it".to_owned(),
        several => format!(", and nothing of {several} streams after it"),
    };
    let (code, why) = why(halt);
    let message = format!("not all was judged of stream `{}`{rest}. {why}", stream.id);
    Remark::new(code, Some(&stream.id), message)
}

/// Why a walk ended, with its code.
fn why(halt: Halt) -> (&'static str, &'static str) {
    match halt {
        Halt::Budget => (
            "proof.budget",
            "too many mixes of record versions are possible: fewer records that change at a time, or longer waits between them, make it fewer",
        ),
        Halt::Cancelled => ("proof.cancelled", "the proof was stopped before its end"),
    }
}

/// What was not looked at of other mail, when a walk ended early at this domain.
pub(super) fn unexplored_domain(halt: Halt, promise: &str, domain: &DomainName) -> Remark {
    let (code, why) = why(halt);
    let message = format!("not all was judged of {promise} for {domain} and the domains after it. {why}");
    Remark::new(code, Some(domain.as_str()), message)
}

/// A failure that plain evaluation does not show again.
pub(super) fn not_confirmed(code: &str, subject: &str) -> Remark {
    let message = format!(
        "{code} was found, and replaying it does not confirm it: no course of events leads there, or plain evaluation differs"
    );
    Remark::new("proof.not-confirmed", Some(subject), message)
}

/// The first domain of an identity of which the list of this build says something else than the rules in the evidence.
pub(super) fn other_suffix(plan: &Plan) -> Option<Remark> {
    let identities = plan.streams.iter().flat_map(|stream| &stream.identities);
    let domains = identities.flat_map(|identity| {
        let signing = identity.dkim.iter().map(|signature| &signature.domain);
        [&identity.author_domain].into_iter().chain(&identity.mail_from).chain(&identity.helo).chain(signing)
    });
    domains.into_iter().find_map(|domain| {
        let (told, built) = (plan.evidence.public_suffix(domain)?, public_suffix(domain)?);
        let message = format!(
            "the evidence has the rule `{}` of the public suffix list for {domain}, this build has `{}`: receivers of RFC 7489 may have either, look at the plan with both",
            told.rule, built.rule
        );
        (told.suffix != built.suffix).then(|| Remark::new("proof.suffix-differs", Some(domain.as_str()), message))
    })
}

/// The steps of others whose date had passed when the evidence was taken, which shows what was there before them.
pub(super) fn overdue(plan: &Plan) -> impl Iterator<Item = Remark> {
    let delay = i64::try_from(plan.parameters.publication_delay).unwrap_or(i64::MAX);
    let taken = plan.evidence.taken().map(Timestamp::as_second);
    let steps = plan.steps.iter().filter(|step| !step.changes.is_empty());
    steps.filter_map(move |step| {
        let settled = step.on?.as_second().saturating_add(delay);
        let message = "its date had passed when the evidence was taken, and what is known of the DNS is from before: take the step out of the plan if it was done, or give it the date on which it will be";
        (settled < taken?).then(|| Remark::new("proof.overdue", Some(&step.id), message))
    })
}

/// What the age of the evidence asks for: the verdict is about the DNS that is in it.
pub(super) fn age(plan: &Plan) -> Option<Remark> {
    const DAY: i64 = 86_400;
    let start = plan.parameters.start;
    let Some(taken) = plan.evidence.taken() else {
        let message = "the evidence does not say when it was `taken`: the verdict holds if DNS says the same when the plan starts";
        return Some(Remark::new("proof.evidence-undated", None, message));
    };
    let age = start.as_second().saturating_sub(taken.as_second());
    let message = match age {
        DAY.. => format!(
            "the evidence is {} older than the start of the plan: the verdict holds if DNS still says the same then",
            duration(age)
        ),
        ..0 => format!(
            "the evidence is from {} after the start of the plan: the verdict holds if no step had begun by then",
            duration(age.saturating_neg())
        ),
        _ => return None,
    };
    Some(Remark::new("proof.evidence-age", None, message))
}

/// From when a stream is judged whose plan names a step that repairs it.
pub(super) fn judged_from(stream: &Stream, step: &str, fail_today: &BTreeSet<&str>) -> Remark {
    if fail_today.is_empty() {
        let message = "the stream passes today, so it is judged from the start and not only from the step that the plan names";
        return Remark::new("proof.passes-today", Some(&stream.id), message);
    }
    let identities: Vec<String> = fail_today.iter().map(|id| format!("`{id}`")).collect();
    let message = format!(
        "messages of {} fail today; those that do are judged from when step `{step}` is done, all others from the start",
        identities.join(", ")
    );
    Remark::new("proof.fails-today", Some(&stream.id), message)
}

/// Changes whose effect the model does not have: the verdict is never safe with them.
pub(super) fn not_modelled(plan: &Plan, flux: &Flux, timeline: &Timeline) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let delegates = |kind: RecordType| {
        // DNAME, DS and DNSKEY have no names of their own here.
        matches!(kind, RecordType::Ns | RecordType::Other(39 | 43 | 48))
    };
    for step in &plan.steps {
        for change in &step.changes {
            let name = &change.name;
            let cut = change.record_type == RecordType::Soa
                && (change.ttl_before.is_none() || change.ttl_after.is_none());
            if cut || delegates(change.record_type) {
                let message = format!(
                    "it changes {name} {}: what becomes of the answers below is not judged",
                    change.record_type
                );
                remarks.push(Remark::new("proof.delegation-changes", Some(&step.id), message));
            }
            if name.labels().next() == Some("*") || wildcards::may_answer(plan, flux, timeline, name) {
                let message = format!(
                    "{name} is a wildcard or below one: which names it answers for is not judged (RFC 4592)"
                );
                remarks.push(Remark::new("proof.wildcard", Some(&step.id), message));
            }
        }
    }
    remarks
}

fn days(seconds: u64) -> String {
    duration(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// TTLs that nobody told.
fn ttls(flux: &Flux, ceiling: u64) -> Vec<Remark> {
    let assumed = days(ceiling);
    let remark = |question: &Question, message: String| {
        Remark::new("assume.ttl", Some(question.name.as_str()), format!("{message}; {assumed} is assumed"))
    };
    let known = flux.assumed_ttls.iter().map(|question| {
        let message =
            format!("the TTL of the {} records is not known from a server of the zone", question.record_type);
        remark(question, message)
    });
    let absent = flux.assumed_absences.iter().map(|question| {
        let message = format!(
            "how long caches remember that there is no {} is not known (the SOA record of the zone would tell, RFC 2308)",
            question.record_type
        );
        remark(question, message)
    });
    known.chain(absent).collect()
}

/// What every verdict on a plan takes for granted.
pub(super) fn assumptions(plan: &Plan, flux: &Flux, sources: &Sources<'_>) -> Vec<Remark> {
    let parameters = &plan.parameters;
    let mut assumptions = vec![
        Remark::new(
            "assume.queue-lifetime",
            None,
            format!(
                "no message waits in the sender's queue for more than {}",
                days(parameters.queue_lifetime)
            ),
        ),
        Remark::new(
            "assume.signature-lifetime",
            None,
            format!(
                "no signature is verified more than {} after its message was injected",
                days(parameters.signature_lifetime)
            ),
        ),
        Remark::new(
            "assume.resolver-stale",
            None,
            format!(
                "no resolver answers from a cache entry more than {} after its TTL has run out",
                days(parameters.resolver_stale)
            ),
        ),
        Remark::new(
            "assume.third-parties",
            None,
            "records that the plan does not change stay as they are in its evidence",
        ),
        Remark::new(
            "assume.answers-arrive",
            None,
            "DNS questions are answered, delegation and DNSSEC stay as they are",
        ),
        Remark::new(
            "assume.content-intact",
            None,
            "nobody rewrites a message before its signature is verified",
        ),
        Remark::new(
            "assume.private-keys",
            None,
            "whoever signs holds the private half of the key that is published",
        ),
        Remark::new(
            "assume.quiet-before",
            None,
            "what the plan changes was not changed shortly before its evidence: no cache holds an older version",
        ),
        if JUDGED.contains(&"p8") {
            let message = if plan.evidence.public_suffixes().is_empty() {
                "receivers of RFC 7489 have the public suffix list that this build has"
            } else {
                "receivers of RFC 7489 have the rules of the public suffix list that the evidence has"
            };
            Remark::new("assume.public-suffix-list", None, message)
        } else {
            let message = "organizational domains are found by tree walk (RFC 9989): this build has no public suffix list";
            Remark::new("assume.tree-walk", None, message)
        },
    ];
    assumptions.extend(ttls(flux, parameters.ttl_ceiling));
    assumptions.extend(sources.assumptions.iter().cloned());
    for source in &plan.sources {
        if let Some(why) = &source.assumed {
            assumptions.push(Remark::new(
                "assume.source",
                Some(&source.id),
                format!("the addresses are assumed: {why}"),
            ));
        }
    }
    for name in plan.evidence.names() {
        for (record_type, _) in plan.evidence.rrsets(name) {
            if let Some(why) = plan.evidence.assumed(name, record_type) {
                assumptions.push(Remark::new(
                    "assume.record",
                    Some(name.as_str()),
                    format!("the {record_type} records are assumed: {why}"),
                ));
            }
        }
    }
    assumptions.extend(plan.assumptions.iter().cloned());
    assumptions
}
