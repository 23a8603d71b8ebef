//! What is said beside the verdict on a plan under way.

use std::collections::BTreeSet;

use super::super::binding::key_data;
use super::super::duration;
use super::super::world::positive_ttl;
use super::line::{Edit, Line, published};
use super::{Drifted, Progress};
use crate::adjacent::Change;
use crate::dkim::KeyRecord;
use crate::dns::{Question, RecordType, Records, Snapshot, Txt, negative_ttl};
use crate::plan::{Plan, Remark};

/// How many RRsets a remark names.
const MOST_NAMED: usize = 5;

/// What there is to say of an RRset that is in no state of the plan.
pub(super) fn unknown(plan: &Plan, line: &Line<'_>) -> Option<Remark> {
    let message = || {
        format!(
            "of the records that the plan changes, {} has {}; the states of the plan are: {}. Finish or take back the step that was begun, or judge a plan that begins with what is there",
            line.question,
            line.told_now(),
            line.told_states(plan)
        )
    };
    let subject = Some(line.question.name.as_str());
    let is_unknown = line.possible.is_empty();
    let message = is_unknown.then(message).or_else(|| in_other_words(plan, line));
    message.map(|message| Remark::new("proof.state-unknown", subject, message))
}

/// That a key which a step publishes is there in other words. Whoever did the step again would have two records there, by which nothing is
/// verified (RFC 6376 section 3.6.2.2).
fn in_other_words(plan: &Plan, line: &Line<'_>) -> Option<String> {
    let (now, named) = (line.now?.texts(), line.named());
    let keys = |texts: &[Txt], is_named: bool| -> BTreeSet<String> {
        let texts = texts.iter().filter(|text| named.contains(&text.text()) == is_named);
        texts.filter_map(|text| KeyRecord::parse(text.octets()).ok()).map(|key| key_data(&key)).collect()
    };
    let there: BTreeSet<String> = keys(now, false).difference(&keys(now, true)).cloned().collect();
    let adds = |edit: &&Edit<'_>| match &edit.change.add {
        Some(Records::Txt(texts)) => !keys(texts, true).is_disjoint(&there),
        _ => false,
    };
    let step = line.changes.iter().find(adds).and_then(|edit| plan.steps.get(edit.step))?;
    let id = &step.id;
    Some(format!(
        "{} has the key that step `{id}` publishes, in other words: the step would leave two records, by which nothing is verified. Write the record into the plan as it is there, or publish it in the words of the plan",
        line.question
    ))
}

/// Where others have moved names that the plan changes to other name servers. Caches may go on to ask the old ones, which have nothing of what the
/// plan does since, and how long the zone above lets them do so is in no evidence.
pub(super) fn delegated(plan: &Plan, drift: &[Drifted]) -> Vec<Remark> {
    let changes = || plan.steps.iter().flat_map(|step| &step.changes);
    let is_moved = |change: &&Change| {
        let Question { name, record_type } = &change.question;
        // A zone always has name servers: what evidence does not list did not come into being since.
        let is_listed_now = change.before.is_empty()
            && published(&plan.evidence, &Question::new(name.clone(), RecordType::Soa)).is_some();
        // With more of them the old ones serve the zone still.
        let is_grown =
            !change.before.is_empty() && change.before.iter().all(|host| change.after.contains(host));
        matches!(*record_type, RecordType::Ns | RecordType::DNAME)
            && !is_listed_now
            && !is_grown
            && changes().any(|step| step.name.is_within(name))
    };
    let moved = drift.iter().map(|drifted| &drifted.change).filter(is_moved);
    let says = |change: &Change| {
        let message = format!(
            "{} changed, and no step of the plan did it: caches may ask the old servers still, which may not have what the plan publishes, and for how long depends on the zone above, too. Judge a plan with today's evidence once nobody asks them any more",
            change.question
        );
        Remark::new("proof.delegation-changes", Some(change.question.name.as_str()), message)
    };
    moved.map(says).collect()
}

/// What has to hold for the verdict to be about what there is now.
pub(super) fn conditions(plan: &Plan, now: &Snapshot, lines: &[Line<'_>], told: &Progress) -> Vec<Remark> {
    let mut conditions = Vec::new();
    if now.taken().is_none() {
        let message = "the answers of now do not say when they were `taken`: the verdict holds if DNS still says the same, and whether a step came too early is not known";
        conditions.push(Remark::new("proof.evidence-undated", None, message));
    }
    let cached: Vec<&Question> = lines.iter().filter(|line| line.cached).map(|line| &line.question).collect();
    if !cached.is_empty() {
        let message = format!(
            "{} {} known from a cache, which may be older than what the servers say: the verdict holds if these say the same",
            named(&cached),
            if cached.len() == 1 { "is" } else { "are" }
        );
        conditions.push(Remark::new("proof.cached-answer", None, message));
    }
    let changed: Vec<&Question> = told.drift.iter().map(|drifted| &drifted.change.question).collect();
    if !changed.is_empty() {
        let message = format!(
            "{} changed, and no step of the plan did it: the verdict holds from {} after that, when no cache has what was there before",
            named(&changed),
            duration(changed.iter().map(|question| settled(plan, question)).max().unwrap_or(0))
        );
        conditions.push(Remark::new("proof.drift-settles", None, message));
    }
    conditions
}

/// How long, in seconds, after a change by others a cache may have what was there before. Of name servers that have changed it may get an old answer
/// to the last.
fn settled(plan: &Plan, question: &Question) -> i64 {
    if question.record_type != RecordType::Ns {
        return remembered(plan, question);
    }
    let of_zone = match published(&plan.evidence, question) {
        Some(_) => remembered(plan, question),
        None => cached(plan, plan.parameters.ttl_ceiling),
    };
    let zone = &question.name;
    let below = plan.evidence.answered().filter(|of| of.name.is_within(zone) && of != question);
    let asked = below.chain([Question::new(zone.clone(), RecordType::Txt)]);
    of_zone.saturating_add(asked.map(|of| remembered(plan, &of)).max().unwrap_or(0))
}

/// How long, in seconds, a cache may have what the plan's evidence says.
fn remembered(plan: &Plan, question: &Question) -> i64 {
    let ttl = match published(&plan.evidence, question) {
        Some(rrset) => positive_ttl(plan, &question.name, rrset).0,
        None => negative_ttl(&plan.evidence, &question.name).map_or(plan.parameters.ttl_ceiling, u64::from),
    };
    cached(plan, ttl)
}

/// How long a cache may have what has a TTL, both in seconds.
fn cached(plan: &Plan, ttl: u64) -> i64 {
    i64::try_from(ttl.saturating_add(plan.parameters.resolver_stale)).unwrap_or(i64::MAX)
}

/// A few questions, and how many more there are.
fn named(questions: &[&Question]) -> String {
    let mut named: Vec<String> = questions.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    let more = questions.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join(", ")
}
