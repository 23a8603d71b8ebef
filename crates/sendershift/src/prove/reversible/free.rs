//! The steps that need not be looked at both begun and not begun: `docs/prover.md` has the argument.

use std::collections::{BTreeMap, BTreeSet};

use super::way::{Steps, has_effect, publishes_policy};
use crate::dns::{RecordType, Records};
use crate::name::DomainName;
use crate::plan::{Change, Plan, Step, StepKind};

/// The steps that can begin, be done and be taken back at the instant at which the plan is given up, whatever else has begun. Whatever a receiver can hold in
/// a course without such a step, it can then hold in the course with it.
///
/// They are notices and gates that wait for no time, and steps that publish where there is nothing and is nothing else in the plan, so that all that they leave
/// behind is absence, as before.
pub(super) fn free(plan: &Plan) -> Steps {
    // An undo waits for a step only if that has begun: having begun it would hold others up.
    let holds_up: BTreeSet<&str> = plan
        .steps
        .iter()
        .flat_map(|step| step.undo.steps())
        .flat_map(|undo| &undo.after)
        .map(|after| after.step.as_str())
        .collect();
    let touched = Touched::new(plan);
    let is_free = |(at, step): (usize, &Step)| {
        let waits_for_no_time = step.after.iter().all(|after| after.at_least == 0);
        let undone_at_once = match step.kind {
            StepKind::Gate | StepKind::Notify => !has_effect(plan, step) && step.undo.steps().is_empty(),
            StepKind::Dns => {
                publishes(step)
                    && is_undone_at_once(step)
                    && step.changes.iter().all(|change| touched.only_by(at, change))
            }
            _ => false,
        };
        (waits_for_no_time
            && undone_at_once
            // A policy of MTA-STS is held long after it is taken back.
            && !publishes_policy(plan, step)
            && !holds_up.contains(step.id.as_str()))
        .then_some(at)
    };
    plan.steps.iter().enumerate().filter_map(is_free).collect()
}

/// Whether a step only makes RRsets that are not there.
fn publishes(step: &Step) -> bool {
    step.changes.iter().all(|change| change.ttl_before.is_none() && change.remove.is_none())
}

/// Whether the undo of a step is one step without waits that takes all its changes back, and does nothing else.
fn is_undone_at_once(step: &Step) -> bool {
    let inverse = |change: &Change, undo: &Change| {
        change.name == undo.name
            && change.record_type == undo.record_type
            && change.add == undo.remove
            && change.remove == undo.add
            && change.ttl_before == undo.ttl_after
            && change.ttl_after == undo.ttl_before
    };
    let [undo] = step.undo.steps() else { return false };
    let inverses = |change| undo.changes.iter().filter(|undo| inverse(change, undo)).count();
    undo.kind == StepKind::Dns
        && undo.after.is_empty()
        && step.changes.len() == undo.changes.len()
        && step.changes.iter().all(|change| inverses(change) == 1)
}

/// Which steps change what, themselves or by their undo.
struct Touched<'p> {
    /// The types at a name, each with the step.
    names: BTreeMap<&'p DomainName, BTreeSet<(RecordType, usize)>>,
    /// The targets of aliases that come or go: which key a message is signed with depends on what was behind them.
    targets: BTreeSet<&'p DomainName>,
}

impl<'p> Touched<'p> {
    fn new(plan: &'p Plan) -> Self {
        let mut touched = Self { names: BTreeMap::new(), targets: BTreeSet::new() };
        for (at, step) in plan.steps.iter().enumerate() {
            let steps = step.undo.steps().iter().chain([step]);
            for change in steps.flat_map(|step| &step.changes) {
                touched.names.entry(&change.name).or_default().insert((change.record_type, at));
                for records in [&change.add, &change.remove].into_iter().flatten() {
                    if let Records::Cname(target) = records {
                        touched.targets.insert(target);
                    }
                }
            }
        }
        touched
    }

    /// Whether an RRset is changed by one step alone; an alias stands for all types at its name.
    fn only_by(&self, step: usize, change: &Change) -> bool {
        let Change { name, record_type, .. } = change;
        let alias = RecordType::Cname;
        let apart = |(of_type, at): &(RecordType, usize)| {
            *at == step || ![*of_type, alias].contains(record_type) && *of_type != alias
        };
        !self.targets.contains(name) && self.names.get(name).is_some_and(|types| types.iter().all(apart))
    }
}
