//! The steps that take a step back.

use std::collections::BTreeSet;

use super::order::Order;
use super::{Check, Index};
use crate::plan::{Step, StepKind, Undo};

impl<'p> Check<'p> {
    /// Looks at the undo steps of all steps: their ids are found nowhere else, and they wait for each other and the plan's steps.
    pub(super) fn undo(&mut self) {
        let mut taken: BTreeSet<&str> = self.names.steps.keys().copied().collect();
        for (index, step) in self.plan.steps.iter().enumerate() {
            let place = format!("/steps/{index}/undo");
            for (index, undo) in step.undo.steps().iter().enumerate() {
                let place = format!("{place}/{index}/id");
                if undo.id.is_empty() {
                    self.found(place, "plan.empty-id", "the id of this step is empty");
                } else if !taken.insert(&undo.id) {
                    let message = format!("another step has the id `{}`, too", undo.id);
                    self.found(place, "plan.duplicate-id", message);
                }
            }
            self.undo_of(&place, step);
        }
    }

    fn undo_of(&mut self, place: &str, step: &'p Step) {
        let undo = step.undo.steps();
        if undo.is_empty() {
            return;
        }
        let own: Index<'p> = undo.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        for (index, step) in undo.iter().enumerate() {
            let place = format!("{place}/{index}");
            self.step(&place, step, &own);
            if !matches!(step.kind, StepKind::Dns | StepKind::Gate | StepKind::Send) {
                let message = format!(
                    "undo step `{}` is neither a dns nor a send step nor a gate: nothing else can be relied on",
                    step.id
                );
                self.found(format!("{place}/kind"), "plan.undo-kind", message);
            }
            if matches!(step.undo, Undo::Steps(_)) {
                let message = format!("undo step `{}` has undo steps itself", step.id);
                self.found(format!("{place}/undo"), "plan.nested-undo", message);
            }
        }
        let index = |id: &str| own.get(id).copied();
        let before = |step: &Step| step.after.iter().filter_map(|after| index(&after.step)).collect();
        if let Err(cycle) = Order::new(undo.iter().map(before).collect()) {
            let at = cycle.first().copied().unwrap_or_default();
            let message = "these undo steps wait for each other in a circle";
            self.found(format!("{place}/{at}/after"), "plan.cycle", message);
        }
    }
}
