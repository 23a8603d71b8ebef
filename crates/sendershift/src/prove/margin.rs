//! How much staler caches and longer queues may be before a plan that is safe no longer is.
//!
//! More time never makes fewer worlds: with longer caches and queues every mix of versions that could be held before still can be,
//! and every message that could be judged. So with each time there is a largest value with which a plan is safe, and it is the least of those of its
//! parts: its streams one by one, and what is asked besides. A part is judged once with what the parts before it stand; only where it does not
//! stand that, its own value is found by halving.

use std::ops::Range;

use serde::{Serialize, Serializer};

use super::explore::budget;
use super::ground::Ground;
use super::remarks::unexplored;
use super::users::Users;
use super::{Judged, Proof, Prover, TakenBack, prove_with, reversible};
use crate::error::{Error, Invalid};
use crate::plan::timeline::Timeline;
use crate::plan::{MAX_SECONDS, Parameters, Plan, Remark, StepKind};

/// The most sets of versions that are looked at, over all proofs that a margin takes: some seconds of work.
const MOST_MIXES: u64 = 500_000;
/// The most ways to take a plan back that are looked at, for the same reason.
const MOST_COURSES: usize = 64;
/// The largest time that is looked at, in seconds: the longest that a plan may have. Longer ones count as any.
const MOST_SECONDS: u64 = MAX_SECONDS;

/// How far a safe plan is from being none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Margin {
    /// How long a resolver may answer from a cache entry whose TTL has run out, the rest as the plan has it.
    pub resolver_stale: Most,
    /// How long a message may wait in the sender's queue, the rest as the plan has it.
    pub queue_lifetime: Most,
    /// How long publication may take where somebody else does it on a date, the rest as the plan has it.
    pub publication_delay: Most,
    /// The largest factor on all three together, per mille.
    pub factor_per_mille: Most<PerMille>,
}

/// The largest value with which a plan is still safe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Most<T = Seconds> {
    /// The value; none where the plan is safe with any.
    pub value: Option<T>,
    /// What goes wrong with the next larger one.
    pub then: Option<Breaks>,
}

/// Some seconds, written as a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("PT{}S", self.0))
    }
}

/// A factor in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PerMille(pub u64);

/// What fails first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Breaks {
    /// The promise; none where the proof is undecided.
    pub promise: Option<&'static str>,
    /// The kind of receiver.
    pub receiver: Option<&'static str>,
    /// What fails, or why it is undecided.
    pub code: String,
    /// The step that comes too early then: the last that begins before the message is judged.
    pub step: Option<String>,
}

/// As [`prove_with`], with the [`margin`] in the proof.
///
/// # Errors
///
/// As [`prove`](super::prove).
pub fn prove_with_margin(plan: &Plan, progress: &mut dyn FnMut(u64) -> bool) -> Result<Proof, Error> {
    let mut proof = prove_with(plan, progress)?;
    tell(plan, &mut proof, progress)?;
    Ok(proof)
}

/// Writes the margin into the proof of a safe plan, or why there is none.
pub(super) fn tell(
    plan: &Plan,
    proof: &mut Proof,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<(), Error> {
    if proof.verdict != Judged::Safe {
        return Ok(());
    }
    match found(plan, proof, progress)? {
        Ok(margin) => proof.margin = Some(margin),
        Err(why) => {
            let message = format!(
                "how much staler caches, longer queues and slower publication the plan survives was not found out: {why}"
            );
            proof.findings.push(Remark::new("proof.no-margin", None, message));
        }
    }
    Ok(())
}

/// The margin of a plan with this proof; none for a plan that is not safe, and where so much changes at a time that it would
/// take too long. `progress` is called as by [`prove_with`], and ends the work by returning false.
///
/// # Errors
///
/// As [`prove`](super::prove).
///
/// # Examples
///
/// ```
/// use sendershift::plan::Plan;
/// use sendershift::prove::{Seconds, margin, prove};
///
/// let plan = Plan::from_json(include_str!("../../../../tests/plans/safe-split.json"))?;
/// let margin = margin(&plan, &prove(&plan)?, &mut |_| true)?.unwrap();
/// assert!(margin.queue_lifetime.value >= Some(Seconds(5 * 86_400)));
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn margin(
    plan: &Plan,
    proof: &Proof,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<Margin>, Error> {
    if proof.verdict != Judged::Safe {
        return Ok(None);
    }
    Ok(found(plan, proof, progress)?.ok())
}

/// The margin of a safe plan, or why it was not found.
fn found(
    plan: &Plan,
    proof: &Proof,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Result<Margin, String>, Error> {
    // Each of the times, in each course: what stands all is looked at once for each at least.
    let least = proof.explored.mixes_judged.saturating_mul(3 * (1 + proof.explored.courses));
    if least > MOST_MIXES {
        return Ok(Err(too_many()));
    }
    let mut limits = Limits::default();
    let mut search = Search { left: MOST_MIXES, progress, stopped: None };
    search.lower(&mut limits, Course::new(plan, None)?)?;
    if proof.judged.contains(&reversible::PROMISE) {
        let Some(courses) = reversible::courses(plan, MOST_COURSES)? else {
            return Ok(Err(format!("there are more than {MOST_COURSES} ways to be half way through")));
        };
        let users = Users::whole(plan)?;
        for (course, undo_from) in &courses {
            let taken_back = TakenBack { undo_from: *undo_from, users: &users };
            search.lower(&mut limits, Course::new(course, Some(taken_back))?)?;
        }
    }
    if let Some(why) = search.stopped {
        return Ok(Err(why));
    }
    Ok(Ok(Margin {
        resolver_stale: limits.stale.map(Seconds),
        queue_lifetime: limits.queue.map(Seconds),
        publication_delay: limits.delay.map(Seconds),
        factor_per_mille: limits.factor.map(PerMille),
    }))
}

/// The least of what was found so far.
#[derive(Default)]
struct Limits {
    stale: Most<u64>,
    queue: Most<u64>,
    delay: Most<u64>,
    factor: Most<u64>,
}

/// All three times, so many thousandths of what they were, rounded up.
fn scale(parameters: &mut Parameters, per_mille: u64) {
    for time in [STALE, QUEUE, DELAY] {
        let time = time(parameters);
        *time = time.saturating_mul(per_mille).div_ceil(1000);
    }
}

/// One of the times of a plan.
type Time = fn(&mut Parameters) -> &mut u64;

const STALE: Time = |parameters| &mut parameters.resolver_stale;
const QUEUE: Time = |parameters| &mut parameters.queue_lifetime;
const DELAY: Time = |parameters| &mut parameters.publication_delay;

impl<T> Default for Most<T> {
    fn default() -> Self {
        Self { value: None, then: None }
    }
}

impl Most<u64> {
    fn lower(&mut self, found: Self) {
        if found.value.is_some_and(|value| self.value.is_none_or(|least| value < least)) {
            *self = found;
        }
    }
}

impl<T> Most<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Most<U> {
        Most { value: self.value.map(f), then: self.then }
    }
}

/// Looks for what a plan stands.
struct Search<'a> {
    /// How many sets of versions may still be looked at.
    left: u64,
    progress: &'a mut dyn FnMut(u64) -> bool,
    /// Why it was ended before all is known.
    stopped: Option<String>,
}

/// A course of steps: the plan, or one that is taken back. Its times are exchanged.
struct Course<'a> {
    plan: Plan,
    timeline: Timeline,
    taken_back: Option<TakenBack<'a>>,
}

impl<'a> Course<'a> {
    fn new(plan: &Plan, taken_back: Option<TakenBack<'a>>) -> Result<Self, Error> {
        let timeline = Timeline::new(&plan.steps, plan.parameters.start).map_err(Invalid::one)?;
        Ok(Self { plan: plan.clone(), timeline, taken_back })
    }

    /// Of how many parts it is: its streams, and behind them what is asked besides.
    fn parts(&self) -> usize {
        self.plan.streams.len() + 1
    }
}

impl Search<'_> {
    /// Lowers each limit that a course does not stand.
    fn lower(&mut self, limits: &mut Limits, mut course: Course<'_>) -> Result<(), Error> {
        let Limits { stale, queue, delay, factor } = limits;
        let own = course.plan.parameters.clone();
        // We look whether what we publish is there; only what others do on a date takes a time that we do not see.
        let by_others = course.plan.steps.iter().any(|step| step.kind == StepKind::External);
        // With a larger factor one of the times is longer than a plan may have it. None where all are nothing.
        let longest =
            [STALE, QUEUE, DELAY].into_iter().map(|time| *time(&mut own.clone())).max().unwrap_or(0);
        let most = MOST_SECONDS.max(longest).saturating_mul(1000).checked_div(longest);
        for (time, limit, counts) in [(STALE, stale, true), (QUEUE, queue, true), (DELAY, delay, by_others)] {
            let now = *time(&mut own.clone());
            if counts {
                let set = |parameters: &mut Parameters, value| *time(parameters) = value;
                self.lower_one(limit, (now, MOST_SECONDS.max(now)), &mut course, &set)?;
                course.plan.parameters = own.clone();
            }
            // What is too much alone is too much with the others.
            let value = limit.value.and_then(|value| value.saturating_mul(1000).checked_div(now));
            factor.lower(Most { value: value.filter(|value| Some(*value) < most), then: None });
        }
        let Some(most) = most else { return Ok(()) };
        let set = |parameters: &mut Parameters, per_mille| {
            *parameters = own.clone();
            scale(parameters, per_mille);
        };
        self.lower_one(factor, (1000, most), &mut course, &set)?;
        // It ended where one of the times does alone: what breaks then may be something else.
        if let Most { value: Some(value), then: None } = *factor {
            set(&mut course.plan.parameters, value.saturating_add(1));
            if let Some(part) = self.broken(&course, 0..course.parts())? {
                factor.then = self.breaks(&course, part)?;
            }
        }
        Ok(())
    }

    /// Lowers a limit to the largest value that each part of a course stands, from the least, which all do, to the most.
    fn lower_one(
        &mut self,
        limit: &mut Most<u64>,
        (least, most): (u64, u64),
        course: &mut Course<'_>,
        set: &dyn Fn(&mut Parameters, u64),
    ) -> Result<(), Error> {
        let mut from = 0;
        while from < course.parts() && limit.value.is_none_or(|value| value > least) {
            let value = limit.value.unwrap_or(most);
            set(&mut course.plan.parameters, value);
            let Some(part) = self.broken(course, from..course.parts())? else { return Ok(()) };
            let (mut safe, mut broken) = (least, value);
            while broken - safe > 1 {
                let middle = safe.midpoint(broken);
                set(&mut course.plan.parameters, middle);
                match self.broken(course, part..part + 1)? {
                    None => safe = middle,
                    Some(_) => broken = middle,
                }
            }
            set(&mut course.plan.parameters, broken);
            *limit = Most { value: Some(safe), then: self.breaks(course, part)? };
            from = part + 1;
        }
        Ok(())
    }

    /// The first of some parts of a course that is not safe.
    fn broken(&mut self, course: &Course<'_>, parts: Range<usize>) -> Result<Option<usize>, Error> {
        if !(self.progress)(MOST_MIXES - self.left) {
            self.spend(0, true);
        }
        if self.stopped.is_some() {
            return Ok(None);
        }
        let ground = Ground::new(&course.plan, &course.timeline)?;
        let mut prover = Prover::new(&ground, course.taken_back, budget(&course.plan), &mut *self.progress);
        prover.at_once = true;
        let mut cancelled = false;
        let mut parts = parts;
        let broken = parts.find(|part| {
            let halted = prover.part(*part, course.taken_back);
            cancelled |= halted.as_ref().is_some_and(|remark| remark.code == "proof.cancelled");
            halted.is_some() || prover.is_broken()
        });
        let mixes = prover.explorer.explored.mixes_judged;
        self.spend(mixes, cancelled);
        Ok(broken)
    }

    /// What breaks in a part of a course.
    fn breaks(&mut self, course: &Course<'_>, part: usize) -> Result<Option<Breaks>, Error> {
        if self.stopped.is_some() {
            return Ok(None);
        }
        let ground = Ground::new(&course.plan, &course.timeline)?;
        let mut prover = Prover::new(&ground, course.taken_back, budget(&course.plan), &mut *self.progress);
        let halted = prover.part(part, course.taken_back);
        let mixes = prover.explorer.explored.mixes_judged;
        let cancelled = halted.as_ref().is_some_and(|remark| remark.code == "proof.cancelled");
        let users = prover.users(course.taken_back);
        let proof = prover.proof(halted.into_iter().collect(), &users)?;
        self.spend(mixes, cancelled);
        Ok((proof.verdict != Judged::Safe).then(|| breaks(&proof, course.taken_back.is_some())))
    }

    /// Counts what was looked at.
    fn spend(&mut self, mixes: u64, cancelled: bool) {
        let left = self.left.checked_sub(mixes);
        self.left = left.unwrap_or(0);
        if cancelled {
            self.stopped.get_or_insert("it was stopped before its end".to_owned());
        } else if left.is_none() {
            self.stopped.get_or_insert(too_many());
        }
    }
}

/// Why too much would have to be looked at.
fn too_many() -> String {
    format!("it would take more than about {MOST_MIXES} sets of record versions")
}

impl<'a> Prover<'a> {
    /// Judges one part of a course. What a proof says besides of records that go (P10) is the same with longer times, or milder.
    fn part(&mut self, part: usize, taken_back: Option<TakenBack<'a>>) -> Option<Remark> {
        match self.explorer.plan.streams.get(part) {
            Some(stream) => self.stream(part).err().map(|halt| unexplored(halt, stream, 0)),
            None => self.besides(&self.users(taken_back)),
        }
    }
}

/// What a proof says is broken first, in a course that is taken back or not.
fn breaks(proof: &Proof, taken_back: bool) -> Breaks {
    let found = proof.promises.iter().find_map(|promise| Some((promise, promise.counterexample.as_ref()?)));
    let Some((promise, counterexample)) = found else {
        let code = proof.undecided.first().map_or("", |remark| remark.code.as_str());
        return Breaks { promise: None, receiver: None, code: code.to_owned(), step: None };
    };
    let judged = counterexample.schedule.iter().position(|happening| happening.what == "judged");
    let mut before = counterexample.schedule.iter().take(judged.unwrap_or(usize::MAX)).rev();
    let step = before.find(|happening| happening.what == "started").and_then(|last| last.step.clone());
    let code = counterexample.code.to_owned();
    let breaks = Breaks { promise: Some(promise.promise), receiver: Some(promise.receiver), code, step };
    if taken_back { reversible::as_its_own(breaks) } else { breaks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::explore::BUDGET;
    use crate::prove::{prove, prove_within};

    fn of(plan: &Plan) -> Margin {
        let proof = prove_within(plan, BUDGET, &mut |_| true).unwrap();
        margin(plan, &proof, &mut |_| true).unwrap().unwrap()
    }

    /// One second more than each margin is not safe, and the value itself is.
    #[test]
    fn a_second_more_breaks() {
        for text in [
            include_str!("../../../../tests/plans/safe-split.json"),
            include_str!("../../../../tests/plans/safe-make-before-break.json"),
        ] {
            let plan = Plan::from_json(text).unwrap();
            let margin = of(&plan);
            let verdict = |set: &dyn Fn(&mut Parameters)| {
                let mut plan = plan.clone();
                set(&mut plan.parameters);
                prove_within(&plan, BUDGET, &mut |_| true).unwrap().verdict
            };
            let (stale, queue) =
                (margin.resolver_stale.value.unwrap().0, margin.queue_lifetime.value.unwrap().0);
            for (more, expected) in [(0, true), (1, false)] {
                let is_safe = verdict(&|parameters| parameters.resolver_stale = stale + more) == Judged::Safe;
                assert_eq!(is_safe, expected, "{stale} + {more}");
                let is_safe = verdict(&|parameters| parameters.queue_lifetime = queue + more) == Judged::Safe;
                assert_eq!(is_safe, expected, "{queue} + {more}");
                let factor = margin.factor_per_mille.value.unwrap().0;
                assert_eq!(verdict(&|parameters| scale(parameters, factor + more)) == Judged::Safe, expected);
            }
            assert!(margin.resolver_stale.then.unwrap().step.is_some());
        }
    }

    /// A factor is one with which the plan can be read: each of its times is at most a hundred years.
    #[test]
    fn no_factor_makes_a_time_too_long() {
        let mut plan = Plan::from_json(include_str!(
            "../../../../tests/plans/corpus/safe/policy-for-both-hosts-then-max-age-then-the-mx.json"
        ))
        .unwrap();
        (plan.parameters.resolver_stale, plan.parameters.queue_lifetime) = (1, 1_000_000);
        let margin = of(&plan);
        assert_eq!(margin.resolver_stale.value, Some(Seconds(3600)));
        // An hour of stale answers is 3,600 times as long, and less than 3,154 times the queue is a hundred years.
        let read = |per_mille| {
            let mut plan = plan.clone();
            scale(&mut plan.parameters, per_mille);
            Plan::from_json(&serde_json::to_string(&plan).unwrap())
                .map(|plan| (prove(&plan).unwrap().verdict, plan))
        };
        let most = MOST_SECONDS * 1000 / 1_000_000;
        assert_eq!(margin.factor_per_mille, Most { value: None, then: None });
        assert_eq!(read(most).unwrap().0, Judged::Safe);
        assert!(read(most + 1).is_err());
    }

    /// A margin is that of the way back, too, where this is less.
    #[test]
    fn the_way_back_counts() {
        let text = include_str!(
            "../../../../tests/plans/corpus/safe/undo-that-stands-an-hour-of-stale-answers.json"
        );
        let plan = Plan::from_json(text).unwrap();
        let margin = prove_with_margin(&plan, &mut |_| true).unwrap().margin.unwrap();
        assert_eq!(margin.resolver_stale.value, Some(Seconds(3600)));
        let then = margin.resolver_stale.then.unwrap();
        assert_eq!((then.promise, then.code.as_str()), (Some("p3"), "p3.p1.spf-needed-too"));
    }

    /// The last safe value is the last of all, not just of those that were looked at.
    #[test]
    fn nothing_between_thresholds() {
        let plan =
            Plan::from_json(include_str!("../../../../tests/plans/safe-make-before-break.json")).unwrap();
        let most = of(&plan).resolver_stale.value.unwrap().0;
        let mut step = most / 97 + 1;
        for value in (plan.parameters.resolver_stale..most).step_by(usize::try_from(step).unwrap()) {
            let mut plan = plan.clone();
            plan.parameters.resolver_stale = value;
            assert_eq!(prove_within(&plan, BUDGET, &mut |_| true).unwrap().verdict, Judged::Safe, "{value}");
        }
        step = most / 13;
        for value in (most + 1..most * 3).step_by(usize::try_from(step).unwrap()) {
            let mut plan = plan.clone();
            plan.parameters.resolver_stale = value;
            assert_ne!(prove_within(&plan, BUDGET, &mut |_| true).unwrap().verdict, Judged::Safe, "{value}");
        }
    }
}
