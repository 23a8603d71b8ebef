//! What is said beside the verdict on a plan under way.

use super::super::duration;
use super::super::world::positive_ttl;
use super::Progress;
use super::line::{Line, published};
use crate::dns::{Question, Snapshot, negative_ttl};
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
    line.possible.is_empty().then(|| Remark::new("proof.state-unknown", subject, message()))
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
            duration(changed.iter().map(|question| remembered(plan, question)).max().unwrap_or(0))
        );
        conditions.push(Remark::new("proof.drift-settles", None, message));
    }
    conditions
}

/// How long, in seconds, a cache may have what the plan's evidence says.
fn remembered(plan: &Plan, question: &Question) -> i64 {
    let ttl = match published(&plan.evidence, question) {
        Some(rrset) => positive_ttl(plan, &question.name, rrset).0,
        None => negative_ttl(&plan.evidence, &question.name).map_or(plan.parameters.ttl_ceiling, u64::from),
    };
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
