//! What a check did, term by term.

use serde::Serialize;

use crate::dns::{Question, RecordType, Resolved};
use crate::error::Span;
use crate::name::DomainName;
use crate::spf::SpfResult;

/// Listens to a check. `()` listens to nothing and costs nothing.
pub trait Trace {
    /// Whether it wants to hear of every term. If not, networks that stand side by side are looked up all at once.
    const LISTENS: bool = true;

    /// The evaluation of a term of the record at `domain` begins; the totals are those of the whole check so far.
    fn begin(&mut self, _domain: &DomainName, _term: &str, _span: Span, _lookups: u32, _voids: u32) {}
    /// The term asked a question.
    fn asked(&mut self, _name: &DomainName, _record_type: RecordType, _answer: &Resolved<'_>) {}
    /// The evaluation of the term ends; the totals are those of the whole check so far.
    fn end(&mut self, _outcome: Outcome, _lookups: u32, _voids: u32) {}
}

impl Trace for () {
    const LISTENS: bool = false;
}

/// How the evaluation of a term ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The mechanism matched.
    Match,
    /// It did not.
    NoMatch,
    /// The record of another domain decided (`redirect`).
    Decided(SpfResult),
    /// The check ended in an error.
    Error(SpfResult),
}

/// A question and what it got, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Asked {
    /// The question.
    #[serde(flatten)]
    pub question: Question,
    /// The records, or `nodata`, `nxdomain`, `failed` or `unknown`.
    pub answer: Vec<String>,
}

/// One term that was evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TraceStep {
    /// How many includes and redirects deep; 0 in the record of the checked domain.
    pub depth: usize,
    /// The domain whose record holds the term.
    pub domain: DomainName,
    /// The term as written.
    pub term: String,
    /// Its place in the record.
    pub span: Span,
    /// The questions that it asked itself.
    pub asked: Vec<Asked>,
    /// How it ended; none where the check ended inside it.
    pub outcome: Option<Outcome>,
    /// Lookups that it spent, those of the records it refers to included.
    pub lookups: u32,
    /// Voids that it spent, likewise.
    pub voids: u32,
}

/// A trace that keeps every step, in the order in which they began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TraceLog {
    /// The steps.
    pub steps: Vec<TraceStep>,
    #[serde(skip)]
    open: Vec<usize>,
}

impl Trace for TraceLog {
    fn begin(&mut self, domain: &DomainName, term: &str, span: Span, lookups: u32, voids: u32) {
        let (domain, term, depth) = (domain.clone(), term.to_owned(), self.open.len());
        self.open.push(self.steps.len());
        self.steps.push(TraceStep {
            depth,
            domain,
            term,
            span,
            asked: Vec::new(),
            outcome: None,
            lookups,
            voids,
        });
    }

    fn asked(&mut self, name: &DomainName, record_type: RecordType, answer: &Resolved<'_>) {
        let answer = match answer {
            Resolved::Records(rrset) => rrset.records().to_texts(),
            Resolved::Absent { nxdomain: true } => vec!["nxdomain".to_owned()],
            Resolved::Absent { nxdomain: false } => vec!["nodata".to_owned()],
            Resolved::Failed => vec!["failed".to_owned()],
            Resolved::Unknown => vec!["unknown".to_owned()],
        };
        if let Some(step) = self.open.last().and_then(|index| self.steps.get_mut(*index)) {
            step.asked.push(Asked { question: Question::new(name.clone(), record_type), answer });
        }
    }

    fn end(&mut self, outcome: Outcome, lookups: u32, voids: u32) {
        if let Some(step) = self.open.pop().and_then(|index| self.steps.get_mut(index)) {
            step.outcome = Some(outcome);
            // Until here the step held the totals at its beginning.
            step.lookups = lookups - step.lookups;
            step.voids = voids - step.voids;
        }
    }
}
