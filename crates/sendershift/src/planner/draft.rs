//! The plan as it grows.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use super::zone::{Wish, Zone};
use crate::dns::Question;
use crate::migration::{Domain, Stream, Wave};
use crate::name::DomainName;
use crate::plan::{After, Change, Identity, Remark, Step, StepKind};
use crate::prove::duration;

/// A stream that moves.
#[derive(Clone)]
pub(super) struct Move<'m> {
    pub(super) stream: &'m Stream,
    pub(super) then: &'m Identity,
    /// The step that moves it, and the gate behind that.
    pub(super) step: String,
    pub(super) gate: String,
    /// Whether its messages are authenticated today.
    pub(super) passes_today: bool,
    /// Whether some of them are.
    pub(super) some_pass_today: bool,
}

/// The plan as it grows: steps are added after those that they wait for.
pub(super) struct Draft<'m> {
    pub(super) facts: &'m Facts<'m>,
    pub(super) zone: Zone<'m>,
    pub(super) moves: Vec<Move<'m>>,
    /// The waves that something moves in, in order.
    pub(super) waves: Vec<&'m Wave>,
    pub(super) steps: Vec<Step>,
    pub(super) findings: Vec<Remark>,
    pub(super) blockers: Vec<Remark>,
    /// Terms that were added to SPF records for the time of the move only.
    pub(super) temporary: BTreeMap<DomainName, BTreeSet<String>>,
}

impl<'m> Draft<'m> {
    pub(super) fn finding(&mut self, code: &str, subject: &str, message: impl Into<String>) {
        let remark = Remark::new(code, Some(subject), message);
        if !self.findings.contains(&remark) {
            self.findings.push(remark);
        }
    }

    pub(super) fn blocker(&mut self, code: &str, subject: &str, message: impl Into<String>) {
        let remark = Remark::new(code, Some(subject), message);
        if !self.blockers.contains(&remark) {
            self.blockers.push(remark);
        }
    }

    /// The domain of the migration that a name belongs to; none where it is not ours to change.
    pub(super) fn ours(&self, name: &DomainName) -> Option<&'m Domain> {
        let domains = self.facts.migration.domains.iter();
        domains.filter(|domain| name.is_within(&domain.name)).max_by_key(|domain| domain.name.label_count())
    }

    /// The changes that fulfil wishes. What does not fit what is there becomes a blocker.
    pub(super) fn changes(&mut self, wishes: &[Wish]) -> Vec<Change> {
        let mut changes = Vec::new();
        for wish in wishes {
            match self.zone.change(wish) {
                Some(change) => changes.push(change),
                None => {
                    let message = "the records there do not allow the change that the plan needs";
                    self.blocker("plan.change-does-not-fit", wish.name.as_str(), message);
                }
            }
        }
        changes
    }

    /// Adds a step under an id that is not taken, and takes over its changes. Returns the id.
    pub(super) fn add(&mut self, mut step: Step) -> String {
        let wanted = step.id.clone();
        let mut number = 1;
        while self.steps.iter().any(|other| other.id == step.id) {
            number += 1;
            step.id = format!("{wanted}-{number}");
        }
        for change in &step.changes {
            // Two edits of one RRset come one after the other.
            let question = Question::new(change.name.clone(), change.record_type);
            let earlier = self.zone.editors(&question).into_iter();
            step.after.extend(earlier.map(|step| After { step, at_least: 0 }));
        }
        for change in &step.changes {
            self.zone.commit(&step.id, change);
        }
        let id = step.id.clone();
        self.steps.push(step);
        id
    }
}

/// The identity of a stream in the end.
pub(super) fn last(stream: &Stream) -> &Identity {
    stream.then.as_ref().unwrap_or(&stream.now)
}

/// A step with its texts.
pub(super) struct Texts {
    pub(super) title: String,
    pub(super) why: String,
    pub(super) done_when: String,
    pub(super) abort_when: String,
    pub(super) undo: String,
}

/// A new step.
pub(super) fn step(id: String, kind: StepKind, (phase, owner): (&str, &str), texts: Texts) -> Step {
    let mut step = Step::new(id, kind);
    phase.clone_into(&mut step.phase);
    owner.clone_into(&mut step.owner);
    step.title = texts.title;
    step.why = texts.why;
    step.done_when = texts.done_when;
    step.abort_when = texts.abort_when;
    step.undo = texts.undo.into();
    step
}

/// A name as part of an id.
pub(super) fn slug(name: &DomainName) -> String {
    let text: String =
        name.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    text.trim_matches('-').to_owned()
}

/// A time in words.
pub(super) fn words(seconds: u64) -> String {
    duration(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// How to see that an RRset is published, for people.
pub(super) fn seen(changes: &[Change]) -> String {
    let mut queries: Vec<String> = Vec::new();
    for change in changes {
        let query = match change.ttl_after {
            Some(_) => format!("`dig +short {} {}`", change.record_type, change.name),
            None => format!("`dig {} {}` (no answer)", change.record_type, change.name),
        };
        if !queries.contains(&query) {
            queries.push(query);
        }
    }
    format!(
        "each authoritative server of the zone, asked directly (`@server`), shows the new state to {}",
        queries.join(" and ")
    )
}
