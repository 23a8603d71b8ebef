//! What the order of the steps says of the states in which DNS may be.
//!
//! The only rule is "a step begins when those that it waits for are done". For two RRsets that is: where this one is past its
//! change *j*, that one is past its change *i*. Rules of this form are kept by the least of all possible states if each
//! state that is left has one beside it in every other RRset that goes with it: so what this leaves over can happen, and what it
//! takes away cannot.

use std::collections::BTreeMap;

use super::line::Line;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Plan, Remark, Step, StepKind};

/// How often the steps are gone through: what one state excludes may exclude others.
const MOST_ROUNDS: usize = 1000;

/// The steps of a plan beside what DNS says now.
pub(super) struct Steps<'p> {
    plan: &'p Plan,
    /// Each after those it waits for.
    order: &'p [usize],
    /// The indexes of the steps that each waits for.
    after: Vec<Vec<usize>>,
    /// The changes of each step: the RRset, and which of its changes.
    changes: Vec<Vec<(usize, usize)>>,
}

/// What DNS shows of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Done,
    /// A part of it is done for certain, and of the rest that is not certain.
    Begun,
    NotDone,
    /// It changes nothing that could be seen.
    Nothing,
}

impl<'p> Steps<'p> {
    pub(super) fn new(plan: &'p Plan, order: &'p [usize], lines: &[Line<'_>]) -> Self {
        let index: BTreeMap<&str, usize> =
            plan.steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        // What comes on its date waits for nothing.
        let waits = |step: &Step| {
            let after = step.after.iter().filter(|_| step.kind != StepKind::External);
            after.filter_map(|after| index.get(after.step.as_str()).copied()).collect()
        };
        let mut changes = vec![Vec::new(); plan.steps.len()];
        for (at, line) in lines.iter().enumerate() {
            for (number, edit) in line.changes.iter().enumerate() {
                if let Some(changes) = changes.get_mut(edit.step) {
                    changes.push((at, number));
                }
            }
        }
        Self { plan, order, after: plan.steps.iter().map(waits).collect(), changes }
    }

    fn is_external(&self, step: usize) -> bool {
        self.plan.steps.get(step).is_some_and(|step| step.kind == StepKind::External)
    }

    fn after(&self, step: usize) -> &[usize] {
        self.after.get(step).map_or(&[], Vec::as_slice)
    }

    fn changes(&self, step: usize) -> &[(usize, usize)] {
        self.changes.get(step).map_or(&[], Vec::as_slice)
    }

    fn id(&self, step: usize) -> &'p str {
        self.plan.steps.get(step).map_or("", |step| &step.id)
    }

    /// Whether any change of a step is done for certain.
    fn is_seen(&self, step: usize, lines: &[Line<'_>]) -> bool {
        self.changes(step).iter().any(|(at, number)| lines.get(*at).is_some_and(|line| line.is_seen(*number)))
    }

    /// Whether any change of a step is certainly not done.
    fn is_unseen(&self, step: usize, lines: &[Line<'_>]) -> bool {
        self.changes(step)
            .iter()
            .any(|(at, number)| lines.get(*at).is_some_and(|line| line.is_unseen(*number)))
    }

    pub(super) fn shown(&self, step: usize, lines: &[Line<'_>]) -> Shown {
        let seen = |(at, number): &(usize, usize)| lines.get(*at).is_some_and(|line| line.is_seen(*number));
        if !self.is_seen(step, lines) {
            return if self.is_unseen(step, lines) { Shown::NotDone } else { Shown::Nothing };
        }
        if self.changes(step).iter().all(seen) { Shown::Done } else { Shown::Begun }
    }

    /// Takes away the states that the dates exclude: those in which a step is done that cannot have begun `now` seconds after
    /// the start of the plan, or in which what has come on its date has not.
    ///
    /// # Errors
    ///
    /// Why no state is left.
    pub(super) fn by_date(
        &self,
        timeline: &Timeline,
        now: i64,
        lines: &mut [Line<'_>],
    ) -> Result<(), Remark> {
        let delay = i64::try_from(self.plan.parameters.publication_delay).unwrap_or(i64::MAX);
        for step in self.order.iter().copied() {
            let earliest = timeline.distance(Event::Origin, Event::Start(step)).unwrap_or(0);
            let settled = if earliest > now {
                false
            } else if self.is_external(step) && earliest.saturating_add(delay) <= now {
                true
            } else {
                continue;
            };
            for (at, number) in self.changes(step) {
                let Some(line) = lines.get_mut(*at) else { continue };
                if !line.settle(*number, settled) {
                    let (id, question, has) = (self.id(step), &line.question, line.told_now());
                    let (code, message) = if settled {
                        (
                            "proof.overdue",
                            "it comes on its date, which has passed, and is not seen to be done",
                        )
                    } else {
                        (
                            "proof.too-early",
                            "it is seen to be done, and the waits of the plan do not let it begin so early: whether they are safe says nothing of what was done without them",
                        )
                    };
                    return Err(Remark::new(code, Some(id), format!("{message} ({question} has {has})")));
                }
            }
        }
        Ok(())
    }

    /// Takes away the states that the order of the steps excludes.
    ///
    /// # Errors
    ///
    /// The steps that were not done in their order.
    pub(super) fn by_order(&self, lines: &mut [Line<'_>]) -> Result<(), Remark> {
        let size = |lines: &[Line<'_>]| lines.iter().map(|line| line.possible.len()).sum::<usize>();
        for _ in 0..MOST_ROUNDS {
            let before = size(lines);
            let done = self.implied(lines);
            let barred = self.barred(lines);
            for (of, is_done) in [(&done, true), (&barred, false)] {
                for (step, because) in of.iter().enumerate().filter_map(|(step, of)| Some((step, (*of)?))) {
                    for (at, number) in self.changes(step) {
                        let Some(line) = lines.get_mut(*at) else { continue };
                        if !line.settle(*number, is_done) {
                            let (first, later) = if is_done { (step, because) } else { (because, step) };
                            return Err(self.out_of_order(first, later, line));
                        }
                    }
                }
            }
            if size(lines) == before {
                return Ok(());
            }
        }
        let message = "which steps are done was not found out: too many RRsets are in states that they are in more than once";
        Err(Remark::new("proof.budget", None, message))
    }

    fn out_of_order(&self, first: usize, later: usize, line: &Line<'_>) -> Remark {
        let (first, later) = (self.id(first), self.id(later));
        let message = format!(
            "it is seen to have begun, and `{first}`, which has to be done before, is not done: {} has {}. What is done out of order is not proven; finish `{first}`, or judge a plan that begins with what is there",
            line.question,
            line.told_now(),
        );
        Remark::new("proof.out-of-order", Some(later), message)
    }

    /// The steps that have to be done because one that waits for them has begun: the last such one.
    pub(super) fn implied(&self, lines: &[Line<'_>]) -> Vec<Option<usize>> {
        let mut implied = vec![None; self.plan.steps.len()];
        for step in self.order.iter().rev().copied() {
            let because = implied.get(step).copied().flatten();
            let begun = self.is_seen(step, lines).then_some(step);
            let Some(because) = because.or(begun) else { continue };
            for earlier in self.after(step) {
                // What comes on its date may be late to be seen.
                if !(self.is_external(*earlier) && self.is_unseen(*earlier, lines))
                    && let Some(slot) = implied.get_mut(*earlier)
                {
                    slot.get_or_insert(because);
                }
            }
        }
        implied
    }

    /// The steps that cannot have begun because one that they wait for is not done.
    fn barred(&self, lines: &[Line<'_>]) -> Vec<Option<usize>> {
        let mut barred = vec![None; self.plan.steps.len()];
        for step in self.order.iter().copied() {
            let mut waits = self.after(step).iter().copied().filter(|earlier| !self.is_external(*earlier));
            let because = waits.find_map(|earlier| {
                let unseen = self.is_unseen(earlier, lines).then_some(earlier);
                unseen.or_else(|| barred.get(earlier).copied().flatten())
            });
            if let Some(slot) = barred.get_mut(step) {
                *slot = because;
            }
        }
        barred
    }

    /// The steps that may come next: all that they wait for is among the done ones.
    pub(super) fn next(&self, done: &[bool], begun: &[bool]) -> impl Iterator<Item = usize> {
        let is = |of: &[bool], step: usize| of.get(step) == Some(&true);
        let open = move |step: &usize| !is(done, *step) && !is(begun, *step);
        (0..self.plan.steps.len())
            .filter(open)
            .filter(move |step| self.after(*step).iter().all(|earlier| is(done, *earlier)))
    }
}
