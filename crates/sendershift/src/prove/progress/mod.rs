//! A plan that is under way, judged on what DNS says now.
//!
//! Nothing is cut off a plan: what caches may still hold of steps long done stays possible, and so does every step to come, in
//! the order and with the waits that the plan has. What is exchanged is the evidence. In an RRset that the plan changes, the records
//! that it names are a clock: before the plan they are in a first state, and each step that changes them leads to the next.
//! All other records there, and all other RRsets, are taken as they are now.
//!
//! So which steps are done makes no difference to the verdict on the plan. It decides whether the plan is what happens: a
//! state of DNS to which no course of the plan leads is judged by nobody, and the verdict is `undecided`.

mod authentication;
mod authority;
mod keys;
mod line;
mod mail_hosts;
mod order;
mod rebase;
mod remarks;

use std::collections::BTreeSet;

use serde::Serialize;

use self::authentication::{Side, worse};
use self::line::Line;
use self::mail_hosts::{policies_served, policies_told, worse_reachable};
use self::order::{Shown, Steps};
use self::rebase::Rebased;
use self::remarks::{conditions, delegated, unknown};
use super::margin::tell;
use super::users::Users;
use super::{Judged, Proof, prove_with};
use crate::adjacent::{self, drift};
use crate::dns::{Answer, Evidence as _, Question, RecordType, Snapshot};
use crate::error::{Error, Invalid, Missing, Problem};
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Plan, Remark, StepKind};

/// Of how many RRsets that drifted it is found out whether the verdict would be better without: each takes a proof.
const MOST_JUDGED: usize = 20;
/// How many sets of versions a proof may have looked at for that.
const MOST_MIXES: u64 = 20_000;

/// How far a plan has come, and what else has changed since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// When DNS said so, RFC 3339; none where that is not known.
    pub taken: Option<String>,
    /// How many steps the plan has.
    pub steps: usize,
    /// The steps that DNS shows to be done, by id, each after those that it waits for.
    pub done: Vec<String>,
    /// The steps that DNS does not show, and that are done if the order was kept, as a step that waits for them has begun.
    pub implied: Vec<String>,
    /// The steps that have begun, by what DNS shows, and are not known to be done.
    pub begun: Vec<String>,
    /// The steps that may come next: all that they wait for is done. Those that DNS does not show may be done, too.
    pub next: Vec<String>,
    /// What others changed, and what the plan did not.
    pub drift: Vec<Drifted>,
    /// The verdict on the plan without the drift, where there is drift and the verdict is not safe.
    pub without_drift: Option<Judged>,
}

/// Something that is not as the plan's evidence has it, though no step changes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drifted {
    /// What was there, and what is there now; of an RRset that the plan changes, without what its steps have done.
    #[serde(flatten)]
    pub change: adjacent::Change,
    /// Whether the verdict would be better if this alone were as before. None where that was not asked: the verdict is safe,
    /// or no better without all of the drift, or it would take too long.
    pub changes_verdict: Option<bool>,
}

/// Judges a plan that may be under way on what DNS says `now`: which of its steps are done, what others have changed since its evidence
/// was gathered, and whether all that is left is safe. `progress` is called as by [`prove_with`].
///
/// Where DNS is in no state to which the plan leads, the verdict is at best `undecided`: `proof.state-unknown`,
/// `proof.out-of-order`, `proof.too-early` or `proof.overdue`.
///
/// # Errors
///
/// As [`prove`](super::prove); [`Error::Missing`] with all that the plan's evidence answers and `now` does not, or that new records ask
/// for; `prove.older-evidence` where `now` is older than the plan's evidence, and `prove.no-baseline` where that does not answer
/// what the plan changes.
///
/// # Examples
///
/// ```
/// use sendershift::plan::Plan;
/// use sendershift::prove::{Judged, prove_now};
///
/// let plan = Plan::from_json(include_str!("../../../../../tests/plans/safe-split.json"))?;
/// let proof = prove_now(&plan, &plan.evidence, &mut |_| true)?;
/// let progress = proof.progress.unwrap();
/// assert_eq!((proof.verdict, progress.done.len()), (Judged::Safe, 0));
/// assert_eq!(progress.next, ["authorise-reports", "announce"]);
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn prove_now(plan: &Plan, now: &Snapshot, progress: &mut dyn FnMut(u64) -> bool) -> Result<Proof, Error> {
    Ok(standing(plan, now, progress)?.0)
}

/// As [`prove_now`], with the [`margin`](super::margin()) in the proof.
///
/// # Errors
///
/// As [`prove_now`].
pub fn prove_now_with_margin(
    plan: &Plan,
    now: &Snapshot,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Proof, Error> {
    let (mut proof, rebased) = standing(plan, now, progress)?;
    tell(&rebased, &mut proof, progress)?;
    Ok(proof)
}

/// The proof, and the plan on today's evidence that it is of.
fn standing(
    plan: &Plan,
    now: &Snapshot,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<(Proof, Plan), Error> {
    plan.check()?;
    let timeline = Timeline::new(&plan.steps, plan.parameters.start).map_err(Invalid::one)?;
    let order: Vec<usize> = timeline.steps().collect();
    comparable(plan, now)?;
    let mut lines = Line::all(plan, now, &order);
    let mut undecided: Vec<Remark> = lines.iter().filter_map(|line| unknown(plan, line)).collect();
    let steps = Steps::new(plan, &order, &lines);
    if undecided.is_empty() {
        let age =
            now.taken().map(|taken| taken.as_second().saturating_sub(plan.parameters.start.as_second()));
        let by_date = age.map_or(Ok(()), |age| steps.by_date(&timeline, age, &mut lines));
        undecided.extend(by_date.and_then(|()| steps.by_order(&mut lines)).err());
    }
    let mut rebased = Rebased::new(plan, now, &lines);
    let mut proof = prove_with(&rebased.plan, progress)?;
    undecided.append(&mut rebased.undecided);
    let mut told = told(plan, now, (&order, &timeline), &steps, &lines);
    if !undecided.is_empty() {
        // Where the order was not kept it tells nothing.
        (told.implied, told.next) = (Vec::new(), Vec::new());
    }
    told.drift = drifted(plan, &rebased.plan);
    effects(plan, &rebased.plan, &proof, &mut told, progress)?;
    undecided.append(&mut worse_reachable(plan, &mut proof, progress)?);
    if !told.drift.is_empty() {
        let (then, now) = (Side::new(plan)?, Side::new(&rebased.plan)?);
        undecided.extend(policies_told(&then, &now, &told.drift));
        undecided.extend(delegated(plan, &told.drift));
        for worse in [policies_served(&rebased.plan, &told.drift), worse(&then, &now)?] {
            undecided.extend(worse.undecided);
            proof.conditions.extend(worse.conditions);
        }
    }
    add(&mut proof, undecided);
    proof.findings.append(&mut rebased.findings);
    proof.conditions.extend(conditions(plan, now, &lines, &told));
    if !(told.done.is_empty() && told.begun.is_empty()) {
        let message = "the steps that are done were done as the plan has them, in its order and with its waits, also those that DNS does not show";
        proof.assumptions.push(Remark::new("assume.order-kept", None, message));
    }
    proof.progress = Some(told);
    Ok((proof, rebased.plan))
}

/// Whether today's evidence can be held beside the plan's.
fn comparable(plan: &Plan, now: &Snapshot) -> Result<(), Error> {
    if let (Some(then), Some(taken)) = (plan.evidence.taken(), now.taken())
        && taken < then
    {
        let message = format!(
            "the answers of {taken} are older than those that the plan was made from ({then}): they do not tell how far it has come"
        );
        let problem = Problem::new("prove.older-evidence", message);
        return Err(problem.help("gather the answers anew, or judge the plan without them").into());
    }
    let changed = plan.steps.iter().flat_map(|step| &step.changes);
    let changed: BTreeSet<Question> =
        changed.map(|change| Question::new(change.name.clone(), change.record_type)).collect();
    let lacks = |evidence: &Snapshot, question: &Question| {
        let answer = evidence.answer(&question.name, question.record_type);
        matches!(answer, Answer::Unknown | Answer::Failed)
    };
    if let Some(question) = changed.iter().find(|question| lacks(&plan.evidence, question)) {
        let message = format!(
            "the plan's own evidence does not answer {question}: what was there before the plan is not known"
        );
        let problem = Problem::new("prove.no-baseline", message);
        return Err(problem
            .help("write the answer of that day into the `evidence` of the plan; today's is no substitute")
            .into());
    }
    let mut wanted: BTreeSet<Question> = plan.evidence.answered().chain(changed).collect();
    if !now.closed() {
        // What is not listed may be an answer, too: that there is nothing.
        let side = Side::new(plan)?;
        let users = Users::new(plan, &side.flux, &side.timeline, &side.sources);
        let kinds = [RecordType::A, RecordType::Aaaa, RecordType::Mx, RecordType::Txt];
        let asked = users.asked(plan, &side.flux).into_iter();
        let asked = asked.filter(|question| kinds.contains(&question.record_type));
        wanted.extend(asked.filter(|question| !lacks(&plan.evidence, question)));
    }
    let questions: Vec<Question> = wanted.into_iter().filter(|question| lacks(now, question)).collect();
    if questions.is_empty() { Ok(()) } else { Err(Missing { questions }.into()) }
}

/// Makes a proof undecided that is safe otherwise.
fn add(proof: &mut Proof, undecided: Vec<Remark>) {
    if undecided.is_empty() {
        return;
    }
    let at_best = |verdict: &mut Judged| *verdict = (*verdict).max(Judged::Undecided);
    at_best(&mut proof.verdict);
    proof.promises.iter_mut().for_each(|promise| at_best(&mut promise.verdict));
    proof.undecided.extend(undecided);
}

/// Which steps are done, and which come next.
fn told(
    plan: &Plan,
    now: &Snapshot,
    (order, timeline): (&[usize], &Timeline),
    steps: &Steps<'_>,
    lines: &[Line<'_>],
) -> Progress {
    let shown = |step: usize| steps.shown(step, lines);
    let implied = steps.implied(lines);
    // What only happens on a date has happened then.
    let age = now.taken().map(|taken| taken.as_second().saturating_sub(plan.parameters.start.as_second()));
    let past = |step: usize| {
        let is_external = plan.steps.get(step).is_some_and(|step| step.kind == StepKind::External);
        is_external && timeline.distance(Event::Origin, Event::Start(step)) <= age
    };
    let is_implied = |step: usize| {
        shown(step) == Shown::Nothing && (implied.get(step).copied().flatten().is_some() || past(step))
    };
    let ids = |steps: &mut dyn Iterator<Item = usize>| -> Vec<String> {
        steps.filter_map(|step| Some(plan.steps.get(step)?.id.clone())).collect()
    };
    let of = |is: &dyn Fn(usize) -> bool| ids(&mut order.iter().copied().filter(|step| is(*step)));
    let all = 0..plan.steps.len();
    let done: Vec<bool> = all.clone().map(|step| shown(step) == Shown::Done || is_implied(step)).collect();
    let begun: Vec<bool> = all.map(|step| shown(step) == Shown::Begun).collect();
    Progress {
        taken: now.taken().map(|taken| taken.to_string()),
        steps: plan.steps.len(),
        done: of(&|step| shown(step) == Shown::Done),
        implied: of(&is_implied),
        begun: of(&|step| shown(step) == Shown::Begun),
        next: ids(&mut steps.next(&done, &begun)),
        drift: Vec::new(),
        without_drift: None,
    }
}

/// What is not as it was, though no step changes it.
fn drifted(plan: &Plan, rebased: &Plan) -> Vec<Drifted> {
    let changes = drift(&plan.evidence, &rebased.evidence).changes;
    changes.into_iter().map(|change| Drifted { change, changes_verdict: None }).collect()
}

/// Finds out what the verdict would be without the drift, and without each part of it.
fn effects(
    plan: &Plan,
    rebased: &Plan,
    proof: &Proof,
    told: &mut Progress,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<(), Error> {
    if told.drift.is_empty() || proof.verdict == Judged::Safe {
        return Ok(());
    }
    let without = prove_with(plan, progress)?.verdict;
    told.without_drift = Some(without);
    let each = told.drift.len() <= MOST_JUDGED && proof.explored.mixes_judged <= MOST_MIXES;
    for drifted in told.drift.iter_mut().filter(|_| each && without < proof.verdict) {
        let mut as_before = rebased.clone();
        let question = &drifted.change.question;
        match line::published(&plan.evidence, question) {
            Some(rrset) => as_before.evidence.publish(question, rrset.clone(), &plan.evidence),
            None => {
                let negative = plan.evidence.negative(&question.name, question.record_type);
                let (ttl, quality) = negative.unwrap_or_default();
                as_before.evidence.withhold(question, ttl, quality);
            }
        }
        // Half of a change may make no sense, or ask for what nobody looked up.
        let verdict = prove_with(&as_before, progress).ok().map(|proof| proof.verdict);
        drifted.changes_verdict = verdict.map(|verdict| verdict < proof.verdict);
    }
    Ok(())
}
