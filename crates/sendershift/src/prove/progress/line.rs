//! The states that an RRset passes through, and those of them that it is in now.

use std::collections::{BTreeMap, BTreeSet};

use crate::dns::{Answer, Evidence as _, Quality, Question, Records, RrSet, Snapshot};
use crate::plan::{Change, Plan};

/// How many records of a state are told, and how many characters of each.
const MOST_TOLD: usize = 4;
const MOST_CHARACTERS: usize = 60;

/// An RRset that the plan changes: its states are what there is of the records that these changes name, before the first of
/// them, and after each.
pub(super) struct Line<'p> {
    pub(super) question: Question,
    /// Its changes, in the order of the steps.
    pub(super) changes: Vec<Edit<'p>>,
    /// What the plan's evidence has.
    pub(super) then: Option<&'p RrSet>,
    /// What there is now.
    pub(super) now: Option<&'p RrSet>,
    /// Whether a cache said so, and not a server of the zone.
    pub(super) cached: bool,
    /// How many of the changes may be done, ascending.
    pub(super) possible: Vec<usize>,
}

/// A change, and where it stands.
pub(super) struct Edit<'p> {
    pub(super) step: usize,
    /// Which of the step's changes it is.
    pub(super) index: usize,
    pub(super) change: &'p Change,
}

impl<'p> Line<'p> {
    /// Every RRset that the plan changes, with the states that it may be in; `order` has the steps, each after those it waits for.
    pub(super) fn all(plan: &'p Plan, now: &'p Snapshot, order: &[usize]) -> Vec<Self> {
        let mut changes: BTreeMap<Question, Vec<Edit<'p>>> = BTreeMap::new();
        for (step, of) in order.iter().filter_map(|step| Some((*step, plan.steps.get(*step)?))) {
            for (index, change) in of.changes.iter().enumerate() {
                let question = Question::new(change.name.clone(), change.record_type);
                changes.entry(question).or_default().push(Edit { step, index, change });
            }
        }
        let lines = changes.into_iter().map(|(question, changes)| {
            let then = published(&plan.evidence, &question);
            let (now, cached) = (published(now, &question), is_cached(now, &question));
            let mut line = Self { question, changes, then, now, cached, possible: Vec::new() };
            line.possible = line.states_now();
            line
        });
        lines.collect()
    }

    /// The numbers of changes after which the RRset has, of all records that the changes name, those that it has now.
    fn states_now(&self) -> Vec<usize> {
        let named = self.named();
        let of = |rrset: Option<&RrSet>| {
            counted(texts(rrset.map(RrSet::records)).filter(|text| named.contains(text)))
        };
        let (mut state, now) = (of(self.then), of(self.now));
        // Kept up to date from change to change: what one of both has and the other has not, or more often.
        let mut differs: BTreeSet<String> = BTreeSet::new();
        let mut compare = |state: &BTreeMap<String, usize>, touched: Vec<String>| {
            for text in touched {
                if state.get(&text) == now.get(&text) {
                    differs.remove(&text);
                } else {
                    differs.insert(text);
                }
            }
            differs.is_empty()
        };
        let all = state.keys().chain(now.keys()).cloned().collect();
        let mut same: Vec<usize> = compare(&state, all).then_some(0).into_iter().collect();
        for (number, Edit { change, .. }) in (1..).zip(&self.changes) {
            let mut touched: Vec<String> = texts(change.remove.as_ref()).collect();
            for text in &touched {
                state.remove(text);
            }
            for (text, count) in counted(texts(change.add.as_ref())) {
                touched.push(text.clone());
                state.entry(text).or_insert(count);
            }
            if compare(&state, touched) {
                same.push(number);
            }
        }
        // Where only the TTL changes, that tells, if a server of the zone says it.
        let told = self.now.filter(|now| now.quality() == Quality::Authoritative).and_then(RrSet::ttl);
        let by_ttl: Vec<usize> =
            same.iter().copied().filter(|number| told.is_some() && self.ttl(*number) == told).collect();
        if by_ttl.is_empty() { same } else { by_ttl }
    }

    /// The TTL after so many changes, as far as somebody says it who has to know.
    fn ttl(&self, changes: usize) -> Option<u32> {
        let Some(last) = changes.checked_sub(1) else {
            let then = self.then.filter(|then| then.quality() == Quality::Authoritative);
            return then
                .and_then(RrSet::ttl)
                .or_else(|| self.changes.first().and_then(|first| first.change.ttl_before));
        };
        self.changes.get(last).and_then(|last| last.change.ttl_after)
    }

    /// The records that the changes name.
    pub(super) fn named(&self) -> BTreeSet<String> {
        let changes = self.changes.iter().map(|edit| edit.change);
        let named = changes.flat_map(|change| [change.remove.as_ref(), change.add.as_ref()]);
        named.flat_map(texts).collect()
    }

    /// Whether this change, counted from 0, is done for certain.
    pub(super) fn is_seen(&self, change: usize) -> bool {
        self.possible.first().is_some_and(|least| *least > change)
    }

    /// Whether this change is certainly not done.
    pub(super) fn is_unseen(&self, change: usize) -> bool {
        self.possible.last().is_some_and(|most| *most <= change)
    }

    /// Lets only those states stand in which this change is done, or not done; whether any is left.
    pub(super) fn settle(&mut self, change: usize, is_done: bool) -> bool {
        self.possible.retain(|done| (*done > change) == is_done);
        !self.possible.is_empty()
    }

    /// What there is now of the records that the changes name, for people.
    pub(super) fn told_now(&self) -> String {
        let named = self.named();
        let quality = if self.cached { ", as a cache has it" } else { "" };
        let now = texts(self.now.map(RrSet::records)).filter(|text| named.contains(text));
        format!("{}{quality}", listed(now))
    }

    /// The states that the plan knows of, for people.
    pub(super) fn told_states(&self, plan: &Plan) -> String {
        let named = self.named();
        let then = texts(self.then.map(RrSet::records)).filter(|text| named.contains(text));
        let mut state: Vec<String> = then.collect();
        let mut told = vec![format!("before the plan {}", listed(state.iter().cloned()))];
        for Edit { step, change, .. } in self.changes.iter().take(MOST_TOLD) {
            let removed: BTreeSet<String> = texts(change.remove.as_ref()).collect();
            state.retain(|text| !removed.contains(text));
            let added = texts(change.add.as_ref()).filter(|text| !state.contains(text));
            state.extend(added.collect::<Vec<_>>());
            let id = plan.steps.get(*step).map_or("", |step| &step.id);
            told.push(format!("after `{id}` {}", listed(state.iter().cloned())));
        }
        let more = self.changes.len().saturating_sub(MOST_TOLD);
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        told.join("; ")
    }
}

/// The RRset at a name, if there is one.
pub(super) fn published<'s>(evidence: &'s Snapshot, question: &Question) -> Option<&'s RrSet> {
    match evidence.answer(&question.name, question.record_type) {
        Answer::Records(rrset) => Some(rrset),
        _ => None,
    }
}

/// Whether an answer is known from a cache alone.
fn is_cached(evidence: &Snapshot, question: &Question) -> bool {
    let quality = match evidence.answer(&question.name, question.record_type) {
        Answer::Records(rrset) | Answer::Alias(rrset) => Some(rrset.quality()),
        _ => evidence.negative(&question.name, question.record_type).map(|(_, quality)| quality),
    };
    quality == Some(Quality::Cached)
}

pub(super) fn texts(records: Option<&Records>) -> impl Iterator<Item = String> + use<> {
    records.map(Records::to_texts).unwrap_or_default().into_iter()
}

/// How often each record is there: one text may be there in several strings.
fn counted(texts: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    texts.fold(BTreeMap::new(), |mut counted, text| {
        *counted.entry(text).or_default() += 1;
        counted
    })
}

/// Some records, in short.
fn listed(records: impl Iterator<Item = String>) -> String {
    let mut records: Vec<String> = records
        .map(|text| {
            let mut short: String = text.chars().take(MOST_CHARACTERS).collect();
            if short.len() < text.len() {
                short.push_str("...");
            }
            format!("\"{short}\"")
        })
        .collect();
    let more = records.len().saturating_sub(MOST_TOLD);
    if more > 0 {
        records.truncate(MOST_TOLD);
        records.push(format!("{more} more"));
    }
    if records.is_empty() { "none of them".to_owned() } else { records.join(", ") }
}
