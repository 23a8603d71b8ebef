//! What an operation is given: one document, or arguments one by one.

use std::borrow::Cow;

use crate::dns::Snapshot;
use crate::document::{Fields, Kind, Reader, Value};
use crate::error::{Invalid, Problem, Span};

/// The arguments of an operation: its input document, but for the evidence, which is read already.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a>(pub(super) Input<'a>);

impl<'a> Arguments<'a> {
    /// A JSON object with an argument under each key, and the snapshots by the keys that they would have had in it.
    pub fn new(document: &'a str, evidence: &'a [(&'a str, &'a Snapshot)]) -> Self {
        Self(Input::one_by_one(document, evidence))
    }
}

/// What an operation reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a> {
    pub(super) text: &'a str,
    evidence: &'a [(&'a str, &'a Snapshot)],
    /// Whether places are those in each argument, and not in the document that holds them.
    one_by_one: bool,
}

impl<'a> Input<'a> {
    pub(super) fn whole(text: &'a str) -> Self {
        Self { text, evidence: &[], one_by_one: false }
    }

    pub(super) fn one_by_one(text: &'a str, evidence: &'a [(&'a str, &'a Snapshot)]) -> Self {
        Self { text, evidence, one_by_one: true }
    }

    /// Evidence under a key, read or to be read.
    pub(super) fn snapshot(
        &self,
        reader: &mut Reader,
        fields: &mut Fields<'_>,
        key: &'static str,
        read: impl FnOnce(&mut Reader, &Value, &str) -> Option<Snapshot>,
    ) -> Option<Cow<'a, Snapshot>> {
        if let Some((_, snapshot)) = self.evidence.iter().find(|(given, _)| *given == key) {
            fields.known(key);
            return Some(Cow::Borrowed(snapshot));
        }
        let value = fields.optional(key)?;
        read(reader, value, self.text).map(Cow::Owned)
    }

    /// The same, where it must be there.
    pub(super) fn required_snapshot(
        &self,
        reader: &mut Reader,
        fields: &mut Fields<'_>,
        key: &'static str,
        read: impl FnOnce(&mut Reader, &Value, &str) -> Option<Snapshot>,
    ) -> Option<Cow<'a, Snapshot>> {
        if self.evidence.iter().all(|(given, _)| *given != key) {
            fields.required(reader, key)?;
        }
        self.snapshot(reader, fields, key, read)
    }

    /// Problems of a text that is an argument, with their places in it.
    pub(super) fn of(&self, argument: &str, mut invalid: Invalid) -> Invalid {
        if self.one_by_one {
            invalid.problems.iter_mut().for_each(|problem| problem.argument = Some(argument.into()));
        }
        invalid
    }

    /// Notes problems of a text that is an argument: in a document they stand where it does, as it may be one of several.
    pub(super) fn note(&self, reader: &mut Reader, argument: &str, value: &Value, invalid: Invalid) {
        let problems = self.of(argument, invalid).problems;
        if self.one_by_one {
            return reader.elsewhere.extend(problems);
        }
        for problem in problems {
            reader.problem(Problem { line: None, column: None, ..problem }.at(value.span));
        }
    }

    /// Problems, of which the first so many are of the document: placed in the arguments if they were given one by one.
    pub(super) fn placed(&self, document: &Value, own: usize, mut invalid: Invalid) -> Invalid {
        let Kind::Table(entries) = &document.kind else { return invalid };
        if !self.one_by_one {
            return invalid;
        }
        for problem in invalid.problems.iter_mut().take(own) {
            let Some(span) = problem.span else { continue };
            let within = |place: Span| place.start <= span.start && span.end <= place.end;
            let entry = entries.iter().find(|entry| within(entry.key_span) || within(entry.value.span));
            problem.argument = entry.map(|entry| entry.key.as_str().into());
            let text = entry.and_then(|entry| entry.value.text_at(span));
            problem.span = text.map(|text| Span::new(0, text.len()));
            let first = text.map(|_| 1);
            (problem.line, problem.column) = (first, first);
        }
        invalid
    }
}
