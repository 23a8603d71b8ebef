//! Findings: what a rule says of records that can be read, and are unwise or do not do what they seem to.
//!
//! A text that is no record at all is an error ([`Invalid`](crate::error::Invalid)); a finding is about a record that
//! is there. Each [`Rule`] is the one source of its code, its severity and its page in `docs/findings`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::dns::{Question, RecordType};
use crate::error::{Problem, Span};
use crate::name::DomainName;

/// How much a finding matters, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing has to be done.
    Note,
    /// It can harm mail, or will when something else changes.
    Warning,
    /// It harms mail now, at some receiver at least.
    Error,
}

/// What is looked for, and what its page says.
///
/// In texts, names of terms and records stand between backticks.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rule {
    /// The stable name, `area.kebab-case`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one line without a final stop.
    pub title: &'static str,
    /// What comes of it, for whom, and when: a paragraph.
    pub why: &'static str,
    /// What to do about it: a sentence or two, also told with every finding that knows nothing better.
    pub remedy: &'static str,
    /// The section of a standard, or another source, with its date where it has one.
    pub source: &'static str,
}

/// Octets of a record that are repeated in each of its findings.
const MAX_SHOWN: usize = 4096;

/// Findings of one rule at one record that a report lists: who has so many more can see what is wrong.
const MAX_LISTED: usize = 50;

/// A rule met by a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The name of the record, or the one at which it is missing.
    pub name: DomainName,
    /// The type of the record.
    #[serde(rename = "type")]
    pub record_type: RecordType,
    /// The text that the span is of, where there is one record to point at, of up to 4,096 octets: a longer one would stand
    /// in each of its findings, which may be as many as it has words.
    pub record: Option<String>,
    /// The names whose records lead to this one, the one that was asked about first; empty where it is that one.
    pub via: Vec<DomainName>,
    /// Code, message, place in the record, and remedy.
    #[serde(flatten)]
    pub problem: Problem,
}

impl Rule {
    /// A finding by this rule; `message` says what it is here, in lower case and without a final stop.
    #[must_use]
    pub fn finding(&self, name: &DomainName, record_type: RecordType, message: impl Into<String>) -> Finding {
        Finding {
            severity: self.severity,
            name: name.clone(),
            record_type,
            record: None,
            via: Vec::new(),
            problem: Problem::new(self.code, message).help(self.remedy),
        }
    }
}

impl Finding {
    /// The same finding in the text of one record, which is kept if it is short enough to be shown.
    #[must_use]
    pub fn in_record(mut self, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        self.record = (text.len() <= MAX_SHOWN).then(|| text.to_owned());
        self
    }

    /// The same finding at a place in the record.
    #[must_use]
    pub fn at(mut self, span: impl Into<Span>) -> Self {
        self.problem.span = Some(span.into());
        self
    }

    /// The same finding with advice that fits better than that of the rule.
    #[must_use]
    pub fn help(mut self, help: impl Into<Box<str>>) -> Self {
        self.problem.help = Some(help.into());
        self
    }
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Errors.
    pub error: usize,
    /// Warnings.
    pub warning: usize,
    /// Notes.
    pub note: usize,
}

/// What was looked at and what was found (`sendershift-lint/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// `sendershift-lint/1`.
    pub format: &'static str,
    /// The area whose rules were applied, the first word of their codes.
    pub area: &'static str,
    /// The domain, or the text of a record.
    pub subject: String,
    /// The kind of receiver, where the area knows several.
    pub receiver: Option<&'static str>,
    /// How many findings there are of each severity, listed or not.
    pub counts: Counts,
    /// The findings: the worst first, then those nearest to the subject, then by name and place. Of one rule at one record
    /// the first 50 are listed, and the last of them says how many more there are.
    pub findings: Vec<Finding>,
    /// Questions that only a rule of little weight would ask and the evidence does not answer: it was left out.
    pub skipped: Vec<Question>,
}

impl Report {
    /// A report of these findings, in the one order that they have.
    pub fn new(area: &'static str, subject: impl Into<String>, mut findings: Vec<Finding>) -> Self {
        fn order(finding: &Finding) -> impl Ord + '_ {
            let Finding { severity, via, name, record_type, problem, .. } = finding;
            let place = (problem.span, problem.code, &problem.message);
            (Reverse(*severity), via.len(), name, *record_type, place, via)
        }
        findings.sort_by(|one, other| order(one).cmp(&order(other)));
        findings.dedup();
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let counts = Counts {
            error: count(Severity::Error),
            warning: count(Severity::Warning),
            note: count(Severity::Note),
        };
        shorten(&mut findings);
        let (format, subject) = ("sendershift-lint/1", subject.into());
        Self { format, area, subject, receiver: None, counts, findings, skipped: Vec::new() }
    }

    /// The same report, by the limits of a kind of receiver.
    #[must_use]
    pub fn at_receiver(mut self, receiver: &'static str) -> Self {
        self.receiver = Some(receiver);
        self
    }

    /// The same report, without what these questions would have told.
    #[must_use]
    pub fn with_skipped(mut self, skipped: Vec<Question>) -> Self {
        self.skipped = skipped;
        self
    }
}

/// Leaves out what is more than [`MAX_LISTED`] findings of a rule at a record, and says so in the last that stays. A hostile
/// record has one fault in every few octets, and each finding repeats by way of which names it is reached.
fn shorten(findings: &mut Vec<Finding>) {
    let alike = |finding: &Finding| (finding.problem.code, finding.name.clone(), finding.record_type);
    let mut counts = BTreeMap::new();
    for finding in findings.iter() {
        *counts.entry(alike(finding)).or_insert(0_usize) += 1;
    }
    counts.retain(|_, count| *count > MAX_LISTED);
    if counts.is_empty() {
        return;
    }
    let mut listed = BTreeMap::new();
    findings.retain_mut(|finding| {
        let key = alike(finding);
        let Some(count) = counts.get(&key) else { return true };
        let nth = listed.entry(key).or_insert(0_usize);
        *nth += 1;
        if *nth == MAX_LISTED {
            let _ = write!(finding.problem.message, ", and {} more like it", count - MAX_LISTED);
        }
        *nth <= MAX_LISTED
    });
}
