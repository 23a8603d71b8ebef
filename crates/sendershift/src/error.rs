//! What can be wrong with input, and which evidence is missing.
//!
//! There are two kinds of [`Error`]. [`Invalid`] lists every problem that was found in a text, each with a
//! stable [code](Problem::code) and its place. [`Missing`] lists the questions to DNS whose answers were
//! needed and are not in the evidence: ask them all, add the answers, call again.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Serialize;
use serde::ser::{SerializeTuple, Serializer};

use crate::dns::Question;

/// A range of octets in a text, `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first octet.
    pub start: usize,
    /// The octet after the last one.
    pub end: usize,
}

impl Span {
    /// The span of `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The same span in a text that has `offset` octets before this one.
    #[must_use]
    pub fn shifted(self, offset: usize) -> Self {
        Self::new(self.start + offset, self.end + offset)
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

impl From<Span> for Range<usize> {
    fn from(span: Span) -> Self {
        span.start..span.end
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&self.start)?;
        pair.serialize_element(&self.end)?;
        pair.end()
    }
}

/// One thing that is wrong with a text.
///
/// The code is stable; the message is for people and may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// A stable name for the kind of problem, such as `spf.bad-ip4`.
    pub code: &'static str,
    /// What is wrong, in lower case and without a final stop.
    pub message: String,
    /// Where, in octets of the text that was read.
    pub span: Option<Span>,
    /// The line of the place, counted from 1.
    pub line: Option<u32>,
    /// The column of the place in characters, counted from 1.
    pub column: Option<u32>,
    /// What to do about it.
    pub help: Option<Box<str>>,
    /// The argument that the place lies in, where an operation was given arguments one by one ([`wire::Arguments`](crate::wire::Arguments)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argument: Option<Box<str>>,
}

impl Problem {
    /// A problem without a place.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            span: None,
            line: None,
            column: None,
            help: None,
            argument: None,
        }
    }

    /// The same problem at a place in the text.
    #[must_use]
    pub fn at(mut self, span: impl Into<Span>) -> Self {
        self.span = Some(span.into());
        self
    }

    /// The same problem with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<Box<str>>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// Input that is not what it should be: every problem that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", summary(.problems))]
#[non_exhaustive]
pub struct Invalid {
    /// The problems, in the order of the text; never empty.
    pub problems: Vec<Problem>,
}

impl Invalid {
    /// One problem.
    pub fn one(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }

    /// `value` if there are no problems, otherwise the problems with their lines and columns in `text`.
    pub(crate) fn unless<T>(mut problems: Vec<Problem>, text: &str, value: T) -> Result<T, Self> {
        if problems.is_empty() {
            return Ok(value);
        }
        problems.sort_by_key(|problem| problem.span);
        locate(&mut problems, text);
        Err(Self { problems })
    }
}

/// Fills in lines and columns, in one pass over the text. Where a place is the first octet of something, it becomes the whole
/// character, or nothing at the end of the text.
fn locate(sorted: &mut [Problem], text: &str) {
    let (mut at, mut line, mut column) = (0, 1, 1);
    for problem in sorted {
        let Some(span) = &mut problem.span else { continue };
        span.start = text.floor_char_boundary(span.start);
        span.end = text.ceil_char_boundary(span.end).max(span.start);
        let passed = text.get(at..span.start).unwrap_or_default();
        match passed.rfind('\n') {
            Some(newline) => {
                line += passed.matches('\n').count();
                column = passed.get(newline..).unwrap_or_default().chars().count();
            }
            None => column += passed.chars().count(),
        }
        at = span.start;
        problem.line = u32::try_from(line).ok();
        problem.column = u32::try_from(column).ok();
    }
}

/// Octets as text: where they are none, all beyond ASCII become question marks, so that places stay what they are.
pub(crate) fn readable(octets: &[u8]) -> Cow<'_, str> {
    let character = |octet: &u8| if octet.is_ascii() { char::from(*octet) } else { '?' };
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(octets.iter().map(character).collect()),
    }
}

fn summary(problems: &[Problem]) -> String {
    match problems {
        [] => "no problem".to_owned(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}

/// Evidence that is needed and not there: the questions that are still open, sorted, each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("evidence is missing: {}", listed(.questions))]
#[non_exhaustive]
pub struct Missing {
    /// The questions, sorted, each once; never empty.
    pub questions: Vec<Question>,
}

fn listed(questions: &[Question]) -> String {
    questions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Why an operation has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is not what it should be.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The evidence does not hold answers that are needed.
    #[error(transparent)]
    Missing(#[from] Missing),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Invalid(Invalid::one(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::{Invalid, Problem, Span};

    #[test]
    fn places_are_whole_characters_of_the_text() {
        for (text, place, expected) in [
            ("", 0..1, (0, 0, 1, 1)),
            ("\u{e9}", 0..1, (0, 2, 1, 1)),
            ("a\n\u{e9}b", 3..4, (2, 4, 2, 1)),
            ("ab", 2..9, (2, 2, 1, 3)),
        ] {
            let invalid = Invalid::unless(vec![Problem::new("a.b", "c").at(place)], text, ()).unwrap_err();
            let problem = &invalid.problems[0];
            let (start, end, line, column) = expected;
            assert_eq!(problem.span, Some(Span::new(start, end)), "{text}");
            assert_eq!((problem.line, problem.column), (Some(line), Some(column)), "{text}");
        }
    }
}
