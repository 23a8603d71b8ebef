//! Findings: what a rule says of records that can be read, and are unwise or do not do what they seem to.
//!
//! A text that is no record at all is an error ([`Invalid`](crate::error::Invalid)); a finding is about a record that
//! is there. Each [`Rule`] is the one source of its code, its severity and its page in `docs/findings`.

use serde::Serialize;

use crate::dns::RecordType;
use crate::error::Problem;
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
#[derive(Debug, PartialEq, Eq)]
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
    /// What to do about it: a paragraph.
    pub remedy: &'static str,
    /// The section of a standard, or another source, with its date where it has one.
    pub source: &'static str,
}

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
    /// The text that the span is of, where there is one record to point at.
    pub record: Option<String>,
    /// Code, message, place in the record, and remedy.
    #[serde(flatten)]
    pub problem: Problem,
}

impl Rule {
    /// A finding by this rule; `message` says what it is here, in lower case and without a final stop.
    #[must_use]
    pub fn finding(&self, name: &DomainName, record_type: RecordType, message: String) -> Finding {
        Finding {
            severity: self.severity,
            name: name.clone(),
            record_type,
            record: None,
            problem: Problem::new(self.code, message),
        }
    }
}
