//! The way to the point of no return, and the courses that are given up on it.

use std::collections::{BTreeMap, BTreeSet};

use super::free::free;
use crate::adjacent::MtaStsPolicy;
use crate::plan::{After, Plan, PublishedPolicy, Remark, Step, StepKind, Undo};

/// The most steps of a plan whose undo is judged: a course has all of them twice.
pub(super) const MOST_STEPS: usize = 1000;

/// Steps by index.
pub(super) type Steps = BTreeSet<usize>;

/// Whether a step of a plan changes what others see; a policy of MTA-STS is nowhere but there.
pub(super) fn has_effect(plan: &Plan, step: &Step) -> bool {
    publishes_policy(plan, step) || changes_something(step)
}

/// Whether a step changes records, or who sends.
fn changes_something(step: &Step) -> bool {
    !(step.changes.is_empty() && step.starts.is_empty() && step.stops.is_empty())
}

/// Whether a step of a plan publishes a policy of MTA-STS.
pub(super) fn publishes_policy(plan: &Plan, step: &Step) -> bool {
    plan.mta_sts.iter().any(|published| published.from.as_ref() == Some(&step.id))
}

/// The way to the point of no return.
pub(super) struct Way<'p> {
    pub(super) plan: &'p Plan,
    /// The steps, each after those it waits for.
    order: Vec<usize>,
    /// For each step all those before it, directly or through others.
    ancestors: Vec<Steps>,
    /// The steps that are not before the point of no return: those that mark it and what comes after them.
    beyond: Steps,
    /// The steps that make no difference to what a receiver can meet (`free`).
    pub(super) free: Steps,
}

impl<'p> Way<'p> {
    pub(super) fn new(plan: &'p Plan, order: Vec<usize>) -> Self {
        let index: BTreeMap<&str, usize> =
            plan.steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        let mut way = Self { plan, order, ancestors: Vec::new(), beyond: Steps::new(), free: Steps::new() };
        if plan.steps.len() > MOST_STEPS {
            return way;
        }
        way.ancestors = vec![Steps::new(); plan.steps.len()];
        let declared = plan.point_of_no_return.as_deref().and_then(|id| index.get(id).copied());
        for at in way.order.iter().copied() {
            let Some(step) = plan.steps.get(at) else { continue };
            let mut before = Steps::new();
            for earlier in step.after.iter().filter_map(|after| index.get(after.step.as_str())) {
                before.insert(*earlier);
                before.extend(way.ancestors.get(*earlier).into_iter().flatten());
            }
            let marks = match declared {
                Some(declared) => at == declared,
                None => has_effect(plan, step) && !step.reversible,
            };
            // What others do on a date is not taken back by us, nor what is somebody else's from then on.
            let lost =
                (step.kind == StepKind::External && has_effect(plan, step)) || !step.gives_up.is_empty();
            if marks || lost || !before.is_disjoint(&way.beyond) {
                way.beyond.insert(at);
            }
            if let Some(slot) = way.ancestors.get_mut(at) {
                *slot = before;
            }
        }
        way.free = free(plan);
        way
    }

    pub(super) fn step(&self, at: usize) -> Option<&'p Step> {
        self.plan.steps.get(at)
    }

    fn ancestors(&self, at: usize) -> impl Iterator<Item = usize> {
        self.ancestors.get(at).into_iter().flatten().copied()
    }

    /// The steps before the point of no return that change something, or whose undo steps might, in order.
    pub(super) fn effective(&self) -> impl Iterator<Item = usize> {
        let before = self.order.iter().copied().filter(|at| !self.beyond.contains(at));
        before.filter(|at| {
            self.step(*at).is_some_and(|step| has_effect(self.plan, step) || !step.undo.steps().is_empty())
        })
    }

    /// The first of them that has no undo steps.
    pub(super) fn without_undo(&self) -> Option<&'p Step> {
        self.effective().filter_map(|at| self.step(at)).find(|step| step.undo.steps().is_empty())
    }

    /// Where the way back ends, and what stays on it: what customers were told, and what they did.
    pub(super) fn ends(&self) -> Option<Remark> {
        let ends = |at: &usize| {
            let has_effect = |step: &Step| has_effect(self.plan, step) || !step.gives_up.is_empty();
            self.beyond.contains(at) && self.step(*at).is_some_and(has_effect)
        };
        let first = |at: &&usize| ends(at) && !self.ancestors(**at).any(|earlier| ends(&earlier));
        let firsts: Vec<&str> =
            self.order.iter().filter(first).filter_map(|at| Some(self.step(*at)?.id.as_str())).collect();
        let before = self.order.iter().filter(|at| !self.beyond.contains(at)).filter_map(|at| self.step(*at));
        let told = before.filter(|step| matches!(step.kind, StepKind::Notify | StepKind::Customer));
        let told: Vec<&str> = told.map(|step| step.id.as_str()).collect();
        let until = firsts.split_first().map(|(_, others)| {
            let others: Vec<String> = others.iter().map(|id| format!(" and before `{id}`")).collect();
            format!("if the plan is given up, then before this step begins{}", others.concat())
        });
        let stays = told.first().map(|first| {
            let more = match told.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more steps"),
            };
            format!("no undo takes back what customers hear and do by `{first}`{more}: who gives the plan up tells them")
        });
        let message = until.into_iter().chain(stays).collect::<Vec<_>>().join("; ");
        (!message.is_empty()).then(|| Remark::new("assume.undo-ends", firsts.first().copied(), message))
    }

    /// The last effective one of these steps.
    pub(super) fn last(&self, begun: &Steps) -> Option<&'p Step> {
        self.effective().filter(|at| begun.contains(at)).last().and_then(|at| self.step(at))
    }

    /// Every set of steps that may have begun when the plan is given up, each with all that its steps wait for. Sets that differ only in steps that
    /// are `free` count as one: the largest. The smallest come first. None if there are more than so many.
    pub(super) fn courses(&self, most: usize) -> Option<Vec<Steps>> {
        if self.plan.steps.len() > MOST_STEPS {
            return None;
        }
        let steps: Steps = self.effective().collect();
        // Those of them that each waits for.
        let before: Vec<(usize, Vec<usize>)> = steps
            .iter()
            .map(|at| (*at, self.ancestors(*at).filter(|at| steps.contains(at)).collect()))
            .collect();
        let first = self.closed(Steps::new());
        let mut courses = BTreeSet::from([first.clone()]);
        let mut open = vec![first];
        while let Some(begun) = open.pop() {
            // One step that changes something at a time: the others are on the way to it.
            let can_begin = |(at, before): &&(usize, Vec<usize>)| {
                !begun.contains(at) && before.iter().rev().all(|before| begun.contains(before))
            };
            for (at, _) in before.iter().filter(can_begin) {
                let mut next = begun.clone();
                next.extend(self.ancestors(*at));
                next.insert(*at);
                let next = self.closed(next);
                if courses.insert(next.clone()) {
                    if courses.len() > most {
                        return None;
                    }
                    open.push(next);
                }
            }
        }
        courses.retain(|begun| begun.iter().any(|at| steps.contains(at)));
        let mut courses: Vec<Steps> = courses.into_iter().collect();
        courses.sort_by_key(BTreeSet::len);
        Some(courses)
    }

    /// The steps with all that are free and wait for nothing else.
    pub(super) fn closed(&self, mut begun: Steps) -> Steps {
        // In this order those that a free step waits for have been looked at before it.
        for at in &self.order {
            let can_begin =
                !self.beyond.contains(at) && self.ancestors(*at).all(|before| begun.contains(&before));
            if can_begin && self.free.contains(at) {
                begun.insert(*at);
            }
        }
        begun
    }

    /// A step among these that publishes a policy, and whose undo has more than one step that might publish the one before again.
    pub(super) fn policy_step(&self, begun: &Steps) -> Option<&'p Step> {
        let mut steps = begun.iter().filter_map(|at| self.step(*at));
        steps.find(|step| {
            publishes_policy(self.plan, step) && !step.undo.steps().is_empty() && puts_back(step).is_none()
        })
    }

    /// The policies in a course: those of the steps that have begun, and with the undo of each the one before it again.
    fn policies(&self, begun: &Steps) -> Vec<PublishedPolicy> {
        let happens = |step: &Option<String>| {
            let Some(id) = step else { return true };
            begun.iter().filter_map(|at| self.step(*at)).any(|step| step.id == *id)
        };
        let forward: Vec<&PublishedPolicy> =
            self.plan.mta_sts.iter().filter(|published| happens(&published.from)).collect();
        let mut policies: Vec<PublishedPolicy> = forward.iter().copied().cloned().collect();
        for step in self.order.iter().rev().filter(|at| begun.contains(at)).filter_map(|at| self.step(*at)) {
            let Some(undo) = puts_back(step) else { continue };
            for (index, published) in forward.iter().enumerate() {
                if published.from.as_ref() != Some(&step.id) {
                    continue;
                }
                let mut earlier = forward.iter().take(index).rev();
                let before = earlier.find(|before| before.domain == published.domain);
                let policy = before.map_or_else(MtaStsPolicy::none, |before| before.policy.clone());
                let domain = published.domain.clone();
                policies.push(PublishedPolicy { domain, policy, from: Some(undo.id.clone()) });
            }
        }
        policies
    }

    /// The course: these steps, and then the undo of each once those of all that come after it are done. Also the index at which the undo begins.
    pub(super) fn course(&self, begun: &Steps) -> (Plan, usize) {
        let plan = self.plan;
        let ids: BTreeSet<&str> = begun.iter().filter_map(|at| Some(self.step(*at)?.id.as_str())).collect();
        let mut steps: Vec<Step> = Vec::new();
        for at in self.order.iter().filter(|at| begun.contains(at)) {
            steps.extend(self.step(*at).map(|step| Step { undo: Undo::default(), ..step.clone() }));
        }
        // From here on nothing goes forward. No gate: nobody looks at anything.
        let mut stop = Step::new(unused_id(plan, "give-up"), StepKind::Notify);
        stop.after = steps.iter().map(|step| wait(&step.id)).collect();
        let stop_id = stop.id.clone();
        steps.push(stop);
        let undo_from = steps.len();
        for at in self.order.iter().rev().copied().filter(|at| begun.contains(at)) {
            let undo = self.step(at).map_or(&[][..], |step| step.undo.steps());
            let own: BTreeSet<&str> = undo.iter().map(|step| step.id.as_str()).collect();
            let later =
                begun.iter().filter(|later| self.ancestors.get(**later).is_some_and(|of| of.contains(&at)));
            let mut waits: Vec<After> = vec![wait(&stop_id)];
            for later in later {
                let undo = self.step(*later).map_or(&[][..], |step| step.undo.steps());
                waits.extend(undo.iter().map(|step| wait(&step.id)));
            }
            for undo_step in undo {
                let mut undo_step = undo_step.clone();
                let is_there = |id: &str| own.contains(id) || ids.contains(id);
                undo_step.after.retain(|after| is_there(&after.step));
                undo_step.after.extend(waits.iter().cloned());
                steps.push(undo_step);
            }
        }
        // P7 is about the way forward.
        let customers = Vec::new();
        let mta_sts = self.policies(begun);
        let mut course = Plan {
            steps,
            customers,
            mta_sts,
            point_of_no_return: None,
            blockers: Vec::new(),
            ..plan.clone()
        };
        course.parameters.within_limits_from = None;
        for stream in &mut course.streams {
            // The step may not be among those begun; what was repaired fails again afterwards, so it does not matter which.
            stream.judged_from = stream.judged_from.take().map(|_| stop_id.clone());
        }
        (course, undo_from)
    }
}

/// The undo step that puts things back: the only one, or the only one that changes something.
fn puts_back(step: &Step) -> Option<&Step> {
    if let [only] = step.undo.steps() {
        return Some(only);
    }
    let mut effective = step.undo.steps().iter().filter(|step| changes_something(step));
    effective.next().filter(|_| effective.next().is_none())
}

/// An id that no step of the plan has.
fn unused_id(plan: &Plan, wanted: &str) -> String {
    let mut id = wanted.to_owned();
    let taken = |id: &str| {
        plan.steps.iter().any(|step| step.id == id || step.undo.steps().iter().any(|step| step.id == id))
    };
    while taken(&id) {
        id.push('-');
    }
    id
}

fn wait(step: &str) -> After {
    After { step: step.to_owned(), at_least: 0 }
}
