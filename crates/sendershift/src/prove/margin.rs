//! How much staler caches and longer queues may be before a plan that is safe no longer is.
//!
//! More time never makes fewer worlds: with longer caches and queues every mix of versions that could be held before still can be,
//! and every message that could be judged. So the verdict only ever turns from safe to something else, at a value where some
//! distance of the plan is passed. These values are read off the table of distances, and between them the last safe one
//! is found by halving: each look is a whole proof.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::binding::spans;
use super::explore::BUDGET;
use super::mta_sts::enforced;
use super::users::Users;
use super::world::Flux;
use super::{Judged, Proof, TakenBack, prove_course, prove_with, reversible};
use crate::error::{Error, Invalid};
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Parameters, Plan, StepKind};

/// The most sets of versions that the proof of a plan may have looked at: a margin takes some dozens of proofs.
const MOST_MIXES: u64 = 20_000;
/// The most ways to take a plan back that are looked at, for the same reason.
const MOST_COURSES: usize = 64;
/// The largest time that is looked at, in seconds: a hundred years. Longer ones count as any.
const MOST_SECONDS: u64 = 36_525 * 86_400;

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
    proof.margin = margin(plan, &proof, progress)?;
    Ok(proof)
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
    if proof.verdict != Judged::Safe || proof.explored.mixes_judged > MOST_MIXES {
        return Ok(None);
    }
    let mut limits = Limits::default();
    let mut search = Search { plan, taken_back: None, progress: &mut *progress, stopped: false };
    search.lower(&mut limits)?;
    if search.stopped {
        return Ok(None);
    }
    if proof.judged.contains(&reversible::PROMISE) {
        let Some(courses) = reversible::courses(plan, MOST_COURSES)? else { return Ok(None) };
        let users = Users::whole(plan)?;
        for (course, undo_from) in &courses {
            let taken_back = Some(TakenBack { undo_from: *undo_from, users: &users });
            let mut search = Search { plan: course, taken_back, progress: &mut *progress, stopped: false };
            search.lower(&mut limits)?;
            if search.stopped {
                return Ok(None);
            }
        }
    }
    Ok(Some(Margin {
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
    for time in
        [&mut parameters.resolver_stale, &mut parameters.queue_lifetime, &mut parameters.publication_delay]
    {
        *time = time.saturating_mul(per_mille).div_ceil(1000);
    }
}

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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stale,
    Queue,
    Delay,
}

impl Kind {
    fn time(self, parameters: &mut Parameters) -> &mut u64 {
        match self {
            Self::Stale => &mut parameters.resolver_stale,
            Self::Queue => &mut parameters.queue_lifetime,
            Self::Delay => &mut parameters.publication_delay,
        }
    }
}

/// The values of one time behind which the verdict can be another one: up to each of them, some event cannot come before
/// a version is forgotten, or a queue is empty, and with a second more it can.
fn thresholds(plan: &Plan, flux: &Flux, timeline: &Timeline, kind: Kind) -> BTreeSet<u64> {
    let parameters = &plan.parameters;
    // An event, the seconds after it that do not depend on the time, and how often the time is added to them.
    let mut ends: Vec<(usize, u64, u64)> = Vec::new();
    if kind == Kind::Queue {
        let spans = plan.streams.iter().flat_map(|stream| spans(plan, flux, timeline, stream));
        // A message waits in one queue, its bounce in another one after it.
        ends.extend(spans.filter_map(|(_, span)| span.stop).flat_map(|stop| [(stop, 0, 1), (stop, 0, 2)]));
    } else {
        let questions = flux.questions();
        let versions = questions.flat_map(|question| flux.versions(&question).unwrap_or_default().to_vec());
        for (step, seconds) in versions.filter_map(|version| version.until) {
            let external = plan.steps.get(step).is_some_and(|step| step.kind == StepKind::External);
            let time = match kind {
                Kind::Delay if external => parameters.publication_delay,
                Kind::Delay => continue,
                _ => parameters.resolver_stale,
            };
            ends.push((step, seconds.saturating_sub(time), 1));
        }
        // No resolver keeps a policy, but what others do on a date takes its time.
        let domains = plan.mta_sts.iter().map(|published| &published.domain).filter(|_| kind == Kind::Delay);
        let held = domains.flat_map(|domain| enforced(plan, flux, domain)).filter_map(|held| held.until);
        let external = |step: &usize| plan.steps.get(*step).is_some_and(|of| of.kind == StepKind::External);
        let late = held.filter(|(step, _)| external(step));
        ends.extend(
            late.map(|(step, seconds)| (step, seconds.saturating_sub(parameters.publication_delay), 1)),
        );
    }
    let steps = 0..plan.steps.len();
    let events: Vec<Event> =
        [Event::Origin].into_iter().chain(steps.flat_map(|at| [Event::Start(at), Event::Done(at)])).collect();
    let mut thresholds = BTreeSet::new();
    for (step, rest, times) in ends {
        for event in &events {
            let distance = timeline.distance(Event::Done(step), *event);
            let distance = distance.and_then(|distance| u64::try_from(distance).ok());
            thresholds.extend(distance.and_then(|distance| Some(distance.checked_sub(rest)? / times)));
        }
    }
    thresholds
}

/// In one course: the plan, or one that is taken back.
struct Search<'a> {
    plan: &'a Plan,
    taken_back: Option<TakenBack<'a>>,
    progress: &'a mut dyn FnMut(u64) -> bool,
    stopped: bool,
}

impl Search<'_> {
    /// Lowers each limit that this course does not stand.
    fn lower(&mut self, limits: &mut Limits) -> Result<(), Error> {
        let timeline = Timeline::new(&self.plan.steps, self.plan.parameters.start).map_err(Invalid::one)?;
        let order: Vec<usize> = timeline.steps().collect();
        let flux = Flux::new(self.plan, &order);
        let Limits { stale, queue, delay, factor } = limits;
        for (kind, limit) in [(Kind::Stale, stale), (Kind::Queue, queue), (Kind::Delay, delay)] {
            let set = |parameters: &mut Parameters, value| *kind.time(parameters) = value;
            if self.stands(limit, &set)? {
                continue;
            }
            let current = *kind.time(&mut self.plan.parameters.clone());
            let found = self.most(current, &thresholds(self.plan, &flux, &timeline, kind), set)?;
            limit.lower(found);
        }
        if !self.stands(factor, &scale)? {
            let found = self.factor()?;
            factor.lower(found);
        }
        Ok(())
    }

    /// Whether a limit is known to hold in this course.
    fn stands(&mut self, limit: &Most<u64>, set: &impl Fn(&mut Parameters, u64)) -> Result<bool, Error> {
        let Some(value) = limit.value else { return Ok(false) };
        Ok(self.breaks(value, set)?.is_none())
    }

    /// The largest value that is safe, given that `current` is: only behind one of the thresholds it can be otherwise.
    fn most(
        &mut self,
        current: u64,
        thresholds: &BTreeSet<u64>,
        set: impl Fn(&mut Parameters, u64),
    ) -> Result<Most<u64>, Error> {
        let values: Vec<u64> = thresholds.range(current..).copied().collect();
        let Some(last) = values.last() else { return Ok(Most { value: None, then: None }) };
        let mut then = self.breaks(last.saturating_add(1), &set)?;
        if then.is_none() {
            return Ok(Most { value: None, then: None });
        }
        // The first is safe, as nothing changes up to there; behind the last something breaks.
        let (mut safe, mut broken) = (0, values.len());
        while broken - safe > 1 {
            let middle = safe.midpoint(broken);
            let value = values.get(middle).copied().unwrap_or(current);
            match self.breaks(value, &set)? {
                None => safe = middle,
                Some(found) => (broken, then) = (middle, Some(found)),
            }
        }
        let value = values.get(safe).copied();
        // With a second more.
        let next = self.breaks(value.unwrap_or(current).saturating_add(1), &set)?;
        Ok(Most { value, then: next.or(then) })
    }

    /// The largest factor, per mille.
    fn factor(&mut self) -> Result<Most<u64>, Error> {
        let Parameters { resolver_stale, queue_lifetime, publication_delay, .. } = self.plan.parameters;
        let shortest =
            [resolver_stale, queue_lifetime, publication_delay].into_iter().filter(|time| *time > 0).min();
        let Some(shortest) = shortest else { return Ok(Most { value: None, then: None }) };
        let (mut safe, mut broken) = (1000, MOST_SECONDS.saturating_mul(1000) / shortest);
        let Some(mut then) = self.breaks(broken, &scale)? else {
            return Ok(Most { value: None, then: None });
        };
        while broken.saturating_sub(safe) > 1 {
            let middle = safe.midpoint(broken);
            match self.breaks(middle, &scale)? {
                None => safe = middle,
                Some(found) => (broken, then) = (middle, found),
            }
        }
        Ok(Most { value: Some(safe), then: Some(then) })
    }

    /// What breaks with another value, if anything does.
    fn breaks(&mut self, value: u64, set: &impl Fn(&mut Parameters, u64)) -> Result<Option<Breaks>, Error> {
        if self.stopped {
            return Ok(None);
        }
        let mut plan = self.plan.clone();
        set(&mut plan.parameters, value);
        let proof = prove_course(&plan, self.taken_back, &mut BUDGET.clone(), self.progress)?;
        self.stopped = proof.undecided.iter().any(|remark| remark.code == "proof.cancelled");
        let broken = (proof.verdict != Judged::Safe).then(|| broken(&proof));
        Ok(broken
            .map(|broken| if self.taken_back.is_some() { reversible::as_its_own(broken) } else { broken }))
    }
}

/// What a proof says is broken first.
fn broken(proof: &Proof) -> Breaks {
    let found = proof.promises.iter().find_map(|promise| Some((promise, promise.counterexample.as_ref()?)));
    let Some((promise, counterexample)) = found else {
        let code = proof.undecided.first().map_or("", |remark| remark.code.as_str());
        return Breaks { promise: None, receiver: None, code: code.to_owned(), step: None };
    };
    let judged = counterexample.schedule.iter().position(|happening| happening.what == "judged");
    let mut before = counterexample.schedule.iter().take(judged.unwrap_or(usize::MAX)).rev();
    let step = before.find(|happening| happening.what == "started").and_then(|last| last.step.clone());
    Breaks {
        promise: Some(promise.promise),
        receiver: Some(promise.receiver),
        code: counterexample.code.to_owned(),
        step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::prove_within;

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
