//! Which sets of cached versions a receiver can hold at one instant, and a walk over all of them.
//!
//! At the instant of judgement every chosen version and every binding of the message says that some event has
//! happened by then ([`Bounds::lower`]) or did not happen too long ago ([`Bounds::upper`]). All of these involve that one
//! instant, so together they can hold if and only if each pair of them can: `docs/prover.md` has the proof.

use super::world::{Choices, Flux, Version, World};
use crate::dns::Question;
use crate::plan::Plan;
use crate::plan::timeline::{Event, Timeline};

/// What is known about the instant of judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Events that are not after it.
    pub(super) lower: Vec<Event>,
    /// Events that it comes less than so many seconds after: a horizon is over when it is reached, as a TTL is.
    pub(super) upper: Vec<(Event, u64)>,
}

impl Bounds {
    /// These with those of a version, if the whole can then hold.
    pub(super) fn with(&self, version: &Version, timeline: &Timeline) -> Option<Self> {
        let lower = version.from.map(Event::Start);
        let upper = version.until.map(|(step, seconds)| (Event::Done(step), seconds));
        let feasible = lower
            .is_none_or(|lower| self.upper.iter().all(|upper| reaches(timeline, *upper, lower)))
            && upper.is_none_or(|upper| {
                self.lower.iter().chain(&lower).all(|lower| reaches(timeline, upper, *lower))
            });
        feasible.then(|| {
            let mut with = self.clone();
            with.lower.extend(lower);
            with.upper.extend(upper);
            with
        })
    }

    /// Whether all can hold together.
    pub(super) fn feasible(&self, timeline: &Timeline) -> bool {
        self.upper.iter().all(|upper| self.lower.iter().all(|lower| reaches(timeline, *upper, *lower)))
    }
}

/// Whether an instant less than so long after one event can come after the other: the plan must not force that much time
/// between them.
fn reaches(timeline: &Timeline, (event, seconds): (Event, u64), later: Event) -> bool {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    timeline.distance(event, later).is_none_or(|distance| distance < seconds)
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Explored {
    /// RRsets that change in the plan.
    pub rrsets_in_flux: usize,
    /// Times that an evaluation asked for one of them and all its versions were considered.
    pub rrsets_forked: u64,
    /// Versions that cannot be seen together with the rest, by a pair of bounds.
    pub pairs_excluded: u64,
    /// Complete sets of versions that were judged.
    pub mixes_judged: u64,
    /// Address classes that were judged, over all mixes.
    pub address_classes: u64,
    /// Ways in which messages are bound to identities, sources and signatures.
    pub bindings: u64,
    /// Ways to give the plan up half way and take it back that were judged, each as a plan of its own; the other numbers leave
    /// these out.
    pub courses: u64,
}

/// Why a walk ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The budget is used up.
    Budget,
    /// The caller wants to stop.
    Cancelled,
}

/// How many versions are read, over all mixes, before the verdict is undecided: some seconds of work.
pub(super) const BUDGET: u64 = 600_000;
/// So many more for each stream: what is large is not entangled yet.
const FOR_EACH_STREAM: u64 = 1_500;

/// The budget of a plan.
pub(super) fn budget(plan: &Plan) -> u64 {
    let streams = u64::try_from(plan.streams.len()).unwrap_or(u64::MAX);
    BUDGET.saturating_add(FOR_EACH_STREAM.saturating_mul(streams))
}

/// Walks over all sets of versions that an evaluation can meet.
pub(super) struct Explorer<'a> {
    pub(super) plan: &'a Plan,
    pub(super) flux: &'a Flux,
    pub(super) timeline: &'a Timeline,
    pub(super) explored: Explored,
    /// How many versions may still be read.
    pub(super) budget: u64,
    pub(super) progress: &'a mut dyn FnMut(u64) -> bool,
}

impl<'a> Explorer<'a> {
    /// A walk that has seen nothing yet. `progress` is told now and then how many mixes were judged, and whether to go on.
    pub(super) fn new(
        plan: &'a Plan,
        flux: &'a Flux,
        timeline: &'a Timeline,
        progress: &'a mut dyn FnMut(u64) -> bool,
    ) -> Self {
        let explored = Explored { rrsets_in_flux: flux.len(), ..Explored::default() };
        Self { plan, flux, timeline, explored, budget: BUDGET, progress }
    }

    /// Calls `evaluate` with every world that is possible within the bounds. An evaluation that asks for an RRset in
    /// flux for the first time is repeated for each version of it; only when it asks for no more is `judged` called with what it gave; it says whether to go on.
    pub(super) fn walk<T>(
        &mut self,
        bounds: &Bounds,
        evaluate: &mut dyn FnMut(&World<'_>) -> T,
        judged: &mut dyn FnMut(&mut Explored, World<'_>, T) -> bool,
    ) -> Result<(), Halt> {
        let mut open = vec![(Choices::new(), bounds.clone())];
        while let Some((choices, bounds)) = open.pop() {
            let read = u64::try_from(choices.len()).unwrap_or(u64::MAX).saturating_add(1);
            self.budget = self.budget.checked_sub(read).ok_or(Halt::Budget)?;
            let world = World::new(self.plan, self.flux, &choices);
            let value = evaluate(&world);
            let Some(question) = world.undecided() else {
                self.explored.mixes_judged += 1;
                if self.explored.mixes_judged.is_multiple_of(64)
                    && !(self.progress)(self.explored.mixes_judged)
                {
                    return Err(Halt::Cancelled);
                }
                if !judged(&mut self.explored, world, value) {
                    return Ok(());
                }
                continue;
            };
            self.explored.rrsets_forked += 1;
            self.fork(&question, &choices, &bounds, &mut open);
        }
        Ok(())
    }

    fn fork(
        &mut self,
        question: &Question,
        choices: &Choices,
        bounds: &Bounds,
        open: &mut Vec<(Choices, Bounds)>,
    ) {
        let versions = self.flux.versions(question).unwrap_or_default();
        // The last one pushed is walked first: the newest version.
        for (index, version) in versions.iter().enumerate() {
            if let Some(bounds) = bounds.with(version, self.timeline) {
                let mut choices = choices.clone();
                choices.insert(question.clone(), index);
                open.push((choices, bounds));
            } else {
                self.explored.pairs_excluded += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Bounds, Event, Timeline};
    use crate::plan::{After, Plan, Step, StepKind};
    use crate::prove::{Judged, prove_within};

    /// What a budget leaves unexplored is never safe, and the proof says where it ended.
    #[test]
    fn a_budget_that_is_used_up() {
        let text = include_str!("../../../../tests/plans/safe-split.json");
        let plan = Plan::from_json(text).unwrap();
        let verdict = |budget| {
            let proof = prove_within(&plan, budget, &mut |_| true).unwrap();
            let said: Vec<String> = proof.undecided.iter().map(ToString::to_string).collect();
            (proof.verdict, said.join("; "))
        };
        let enough = (1..1000).find(|budget| verdict(*budget).0 == Judged::Safe).unwrap();
        let (judged, said) = verdict(enough - 1);
        assert_eq!(judged, Judged::Undecided);
        assert!(said.contains(&format!("stream `{}`", plan.streams[1].id)), "{said}");
        let (judged, said) = verdict(0);
        assert_eq!(judged, Judged::Undecided);
        assert!(
            said.contains(&format!("stream `{}`", plan.streams[0].id)) && said.contains("1 stream "),
            "{said}"
        );
    }

    /// Constraints `later - earlier >= distance` over numbered instants: can all of them hold?
    fn satisfiable(instants: usize, constraints: &[(usize, usize, i64)]) -> bool {
        let mut at = vec![0i64; instants];
        for _ in 0..=instants {
            let mut moved = false;
            for (earlier, later, distance) in constraints {
                if at[*later] < at[*earlier] + distance {
                    at[*later] = at[*earlier] + distance;
                    moved = true;
                }
            }
            if !moved {
                return true;
            }
        }
        false
    }

    type Waits = Vec<(prop::sample::Index, u64)>;

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = (
            prop::collection::vec((any::<prop::sample::Index>(), 0u64..20), 0..3),
            prop::option::weighted(0.2, 0i64..60),
        );
        prop::collection::vec(step, 1..6).prop_map(|steps| {
            let of = |(at, (after, on)): (usize, (Waits, Option<i64>))| {
                let mut step = Step::new(
                    format!("s{at}"),
                    if on.is_some() { StepKind::External } else { StepKind::Gate },
                );
                step.on = on.map(|second| jiff::Timestamp::from_second(second).unwrap());
                if at > 0 && on.is_none() {
                    step.after = after
                        .into_iter()
                        .map(|(index, at_least)| After { step: format!("s{}", index.index(at)), at_least })
                        .collect();
                }
                step
            };
            steps.into_iter().enumerate().map(of).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// The lemma of `docs/prover.md`: bounds on one instant can hold together if and only if each pair can, external
        /// dates included.
        #[test]
        fn pairs_decide(
            steps in steps(),
            lower in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..5),
            upper in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 0u64..30), 0..5),
        ) {
            let timeline = Timeline::new(&steps, jiff::Timestamp::UNIX_EPOCH).unwrap();
            let event = |index: prop::sample::Index, done: bool| {
                let step = index.index(steps.len());
                if done { Event::Done(step) } else { Event::Start(step) }
            };
            let bounds = Bounds {
                lower: lower.into_iter().map(|(index, done)| event(index, done)).collect(),
                upper: upper.into_iter().map(|(index, done, seconds)| (event(index, done), seconds)).collect(),
            };
            // The same in full: the origin, start and done of each step, and the instant.
            let node = |event: Event| match event {
                Event::Origin => 0,
                Event::Start(step) => 1 + 2 * step,
                Event::Done(step) => 2 + 2 * step,
            };
            let instant = 1 + 2 * steps.len();
            let mut constraints = Vec::new();
            for (at, step) in steps.iter().enumerate() {
                let (start, done) = (node(Event::Start(at)), node(Event::Done(at)));
                constraints.extend([(0, start, 0), (start, done, 0)]);
                if let Some(on) = step.on {
                    let on = on.as_second();
                    constraints.extend([(0, start, on), (start, 0, -on), (done, start, 0)]);
                }
                for after in &step.after {
                    let earlier = steps.iter().position(|other| other.id == after.step).unwrap();
                    constraints.push((node(Event::Done(earlier)), start, i64::try_from(after.at_least).unwrap()));
                }
            }
            for event in &bounds.lower {
                constraints.push((node(*event), instant, 0));
            }
            for (event, seconds) in &bounds.upper {
                // Less than so long after: one second less, as all distances are whole seconds.
                constraints.push((instant, node(*event), 1 - i64::try_from(*seconds).unwrap()));
            }
            prop_assert_eq!(bounds.feasible(&timeline), satisfiable(instant + 1, &constraints));
        }
    }
}
