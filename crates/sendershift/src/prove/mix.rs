//! Versions that a receiver holds together, and what follows from them: what it sees, and when that can be.

use super::binding::Injected;
use super::explore::Bounds;
use super::proof::Holding;
use super::world::{Choices, Content, Flux, Version};
use crate::dns::{Overlay, Question, RecordType, Snapshot};
use crate::plan::Plan;
use crate::plan::timeline::Event;

/// A set of versions that is held at one instant.
#[derive(Clone, Copy)]
pub(super) struct Mix<'a> {
    pub(super) plan: &'a Plan,
    pub(super) flux: &'a Flux,
    pub(super) choices: &'a Choices,
    /// What else is known of the instant: all that a message brings with it.
    pub(super) bounds: &'a Bounds,
    /// When the message was injected, where there is one.
    pub(super) injected: Option<&'a Injected>,
}

impl<'a> Mix<'a> {
    /// The same with other versions.
    pub(super) fn with<'b>(self, choices: &'b Choices) -> Mix<'b>
    where
        'a: 'b,
    {
        Mix { choices, ..self }
    }

    pub(super) fn versions(&self) -> impl Iterator<Item = (&'a Question, &'a Version)> + use<'a> {
        let flux = self.flux;
        let version = move |question, index: &usize| flux.versions(question)?.get(*index);
        self.choices.iter().filter_map(move |(question, index)| Some((question, version(question, index)?)))
    }

    /// The same choices with one version exchanged for the one before it, each in turn.
    pub(super) fn exchanged(&self) -> impl Iterator<Item = Choices> + use<'a> {
        let choices = self.choices;
        choices.iter().filter_map(|(question, index)| {
            let mut before = choices.clone();
            before.insert(question.clone(), index.checked_sub(1)?);
            Some(before)
        })
    }

    /// How many bounds there are, and how many versions that change: the least is told.
    pub(super) fn length(&self) -> usize {
        let changes = |version: &Version| version.from.is_some() || version.until.is_some();
        let versions = self.versions().filter(|(_, version)| changes(version)).count();
        self.bounds.lower.len() + self.bounds.upper.len() + versions
    }

    /// All bounds on the instant: those that were given and those of the versions.
    pub(super) fn all_bounds(&self) -> Bounds {
        let mut bounds = self.bounds.clone();
        for (_, version) in self.versions() {
            bounds.lower.extend(version.from.map(Event::Start));
            bounds.upper.extend(version.until.map(|(step, seconds)| (Event::Done(step), seconds)));
        }
        bounds
    }

    /// Puts the versions over the evidence.
    pub(super) fn published<'e>(&self, mut overlay: Overlay<&'e Snapshot>) -> Overlay<&'e Snapshot> {
        for (question, version) in self.versions() {
            match &version.content {
                Content::Set(rrset) | Content::Alias(rrset) => {
                    // The records that come in place of an alias hide it, and the other way round.
                    let hidden = if matches!(version.content, Content::Set(_)) {
                        RecordType::Cname
                    } else {
                        question.record_type
                    };
                    if hidden != rrset.records().record_type() {
                        overlay.remove(&question.name, hidden);
                    }
                    overlay.publish(&question.name, rrset.clone());
                }
                Content::Absent => {
                    overlay.remove(&question.name, question.record_type);
                    overlay.remove(&question.name, RecordType::Cname);
                }
            }
        }
        overlay
    }

    pub(super) fn holding(&self) -> Vec<Holding> {
        self.versions().map(|(question, version)| version.holding(question, self.plan)).collect()
    }
}

impl Version {
    /// The document that says of it what it is.
    pub(super) fn holding(&self, question: &Question, plan: &Plan) -> Holding {
        let id = |step: usize| plan.steps.get(step).map(|step| step.id.clone());
        Holding {
            question: question.clone(),
            records: match &self.content {
                Content::Set(rrset) | Content::Alias(rrset) => Some(rrset.records().clone()),
                Content::Absent => None,
            },
            published_by: self.from.and_then(id),
            replaced_by: self.until.and_then(|(step, _)| id(step)),
            kept_for: self.until.map(|(_, seconds)| seconds),
        }
    }
}
