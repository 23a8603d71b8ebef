//! Which names exist in the middle of a plan: a name does as long as there is a record at it or below it (RFC 8020).

use std::collections::{BTreeMap, BTreeSet};

use super::wildcards::exists_throughout;
use super::world::{Flux, World, published};
use crate::dns::{Answer, Evidence, Question, RecordType};
use crate::name::DomainName;
use crate::plan::timeline::Timeline;
use crate::plan::{Change, Plan};
use crate::suffix::PublicSuffix;

/// The names whose existence hangs on what the plan changes, each with the RRsets at it or below it that change: nothing else is known to be
/// there.
#[derive(Debug, Default)]
pub(super) struct Hanging(BTreeMap<DomainName, BTreeSet<Question>>);

impl Hanging {
    /// Those of the changes that happen, by their names.
    pub(super) fn new(plan: &Plan, changes: &BTreeMap<DomainName, Vec<(usize, &Change)>>) -> Self {
        let mut names: BTreeMap<DomainName, BTreeSet<Question>> = BTreeMap::new();
        for (_, change) in changes.values().flatten() {
            for name in change.name.ancestors() {
                let question = Question::new(change.name.clone(), change.record_type);
                names.entry(name).or_default().insert(question);
            }
        }
        for name in plan.evidence.names() {
            let changes = changes.get(name).map(Vec::as_slice).unwrap_or_default();
            let stays = |kind| !changes.iter().any(|(_, change)| change.record_type == kind);
            if plan.evidence.rrsets(name).any(|(kind, _)| stays(kind)) {
                for above in name.ancestors() {
                    names.remove(&above);
                }
            }
        }
        // A name that exists today, though not by what is known to change, exists by what is not known.
        names.retain(|name, questions| {
            matches!(plan.evidence.answer(name, RecordType::Txt), Answer::NxDomain | Answer::Unknown)
                || questions.iter().any(|question| published(&plan.evidence, question).is_some())
        });
        Self(names)
    }

    /// The names that somebody could write mail in.
    pub(super) fn domains(&self) -> impl Iterator<Item = &DomainName> {
        let is_host = |name: &&DomainName| !name.labels().any(|label| label.starts_with(['_', '*']));
        self.0.keys().filter(is_host)
    }

    /// An answer; a negative one says whether the name exists, by what `answer` says of the RRsets that change.
    pub(super) fn settled<'e>(
        &self,
        name: &DomainName,
        found: Answer<'e>,
        answer: impl Fn(&Question) -> Answer<'e>,
    ) -> Answer<'e> {
        if !matches!(found, Answer::NoData | Answer::NxDomain) {
            return found;
        }
        let Some(questions) = self.0.get(name) else { return found };
        let is_there = |question| matches!(answer(question), Answer::Records(_) | Answer::Alias(_));
        if questions.iter().any(is_there) { Answer::NoData } else { Answer::NxDomain }
    }
}

impl Flux {
    /// Whether a name may come into being or cease to be with the plan.
    pub(super) fn may_come_or_go(&self, plan: &Plan, timeline: &Timeline, name: &DomainName) -> bool {
        self.hanging.0.contains_key(name) && !exists_throughout(plan, self, timeline, name)
    }
}

/// The world of a receiver to which a name does not exist where it holds nothing at it and below it, and what the evidence does not tell may
/// stay unknown. So a policy is read as it was before the name came, or after it went; what else an old denial of the name hides is left out.
pub(super) struct Existing<'w, 'a>(pub(super) &'w World<'a>);

impl Evidence for Existing<'_, '_> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        let lenient = |question: &Question| self.0.look(question).0;
        let answer = lenient(&Question::new(name.clone(), record_type));
        self.0.flux.hanging.settled(name, answer, lenient)
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.0.public_suffix(name)
    }
}
