//! How to take steps back: the steps that a prover can judge, too.
//!
//! They are taken back in reverse order, so each finds the records as its own step left them. What waits is at the end of an undo, for those of the steps
//! before it.

use super::draft::{Draft, words};
use super::zone::covering;
use crate::plan::{After, Change, Expect, Preview, Step, StepKind, Undo};

/// Gives undo steps to all steps that change records or move streams.
pub(super) fn give(draft: &mut Draft<'_>) {
    let drained = drained(draft);
    let mut steps = std::mem::take(&mut draft.steps);
    for step in &mut steps {
        let Undo::Text(why) = &step.undo else { continue };
        let undo = match step.kind {
            StepKind::Dns => records(draft, step, why),
            StepKind::Send => streams(step, why, drained),
            _ => continue,
        };
        step.undo = Undo::Steps(undo);
    }
    draft.steps = steps;
}

// No other step of the planner has an id that begins so.
const UNDO: &str = "undo-";
const WAIT: &str = "undone-";

/// The time after which the last message of an identity that was stopped is judged and answered, in seconds: its signature, and its bounce, which waits in
/// two queues.
fn drained(draft: &Draft<'_>) -> u64 {
    let parameters = &draft.facts.migration.parameters;
    covering(parameters.signature_lifetime.max(parameters.queue_lifetime.saturating_mul(2)))
}

fn named(prefix: &str, of: &Step, kind: StepKind, title: String) -> Step {
    let mut step = Step::new(format!("{prefix}{}", of.id), kind);
    "undo".clone_into(&mut step.phase);
    step.owner.clone_from(&of.owner);
    step.title = title;
    step
}

/// A gate that lets go on so long after a step.
fn pause(of: &Step, after: &Step, (title, why): (&str, String), seconds: u64) -> Step {
    let mut gate = named(WAIT, of, StepKind::Gate, title.to_owned());
    gate.why = why;
    gate.after = vec![After { step: after.id.clone(), at_least: seconds }];
    gate
}

/// The records as they were. Before a stream moves nobody relies on what is taken out; later, what is brought back has to be seen
/// everywhere before anything else is taken back.
fn records(draft: &Draft<'_>, step: &Step, why: &str) -> Vec<Step> {
    let mut back = named(UNDO, step, StepKind::Dns, format!("Take back: {}", step.title));
    why.clone_into(&mut back.why);
    back.changes = step.changes.iter().rev().map(inverse).collect();
    if step.phase == "prepare" {
        return vec![back];
    }
    let lasting = draft.zone.lasting(&step.changes);
    let why = format!("Caches may hold the records that were taken back for {}.", words(lasting));
    let wait = pause(step, &back, ("Wait until the records are seen everywhere", why), lasting);
    vec![back, wait]
}

/// The edit that takes an edit back.
fn inverse(change: &Change) -> Change {
    let expect = match (&change.add, change.ttl_after) {
        (Some(records), _) => Some(Expect::Present(records.clone())),
        (None, None) => Some(Expect::Absent),
        (None, Some(_)) => None,
    };
    let preview =
        |preview: &Preview| Preview { before: preview.after.clone(), after: preview.before.clone() };
    Change {
        name: change.name.clone(),
        record_type: change.record_type,
        ttl_before: change.ttl_after,
        ttl_after: change.ttl_before,
        remove: change.add.clone(),
        add: change.remove.clone(),
        expect,
        preview: change.preview.as_ref().map(preview),
    }
}

/// The streams move back, and what they leave behind stays until its last message is judged.
fn streams(step: &Step, why: &str, drained: u64) -> Vec<Step> {
    let mut back = named(UNDO, step, StepKind::Send, format!("Move back: {}", step.title));
    why.clone_into(&mut back.why);
    back.starts.clone_from(&step.stops);
    back.stops.clone_from(&step.starts);
    let why = format!(
        "Messages of the new identities may be in queues, and their signatures, bounces and answers on the way, for {}.",
        words(drained)
    );
    let wait =
        pause(step, &back, ("Wait until no message of the new identities is judged any more", why), drained);
    vec![back, wait]
}
