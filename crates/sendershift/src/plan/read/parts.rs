//! What the tables of a plan have in common.
//!
//! A function that reads something that has to be there is `None` after a problem; with `read` in its name it has a
//! default for what is left out.

use crate::document::{Fields, Kind, Reader, Value, nearest};
use crate::error::Problem;
use crate::name::DomainName;

/// The longest duration: a hundred years, so that sums of durations stay far from every limit.
pub(crate) const MAX_SECONDS: u64 = 100 * 365 * 86_400;

/// What was there and could be read, or was not there; `None` if it could not be read.
#[expect(clippy::option_option, reason = "the outer one says whether there was a problem")]
pub(super) fn transposed<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(read) => read.map(Some),
        None => Some(None),
    }
}

pub(super) fn required_text(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<String> {
    fields.required(reader, key).and_then(|value| reader.text(value)).map(str::to_owned)
}

pub(super) fn optional_text(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<String> {
    fields.optional(key).and_then(|value| reader.text(value)).map(str::to_owned)
}

pub(super) fn read_text(reader: &mut Reader, fields: &mut Fields<'_>, key: &'static str) -> String {
    optional_text(reader, fields, key).unwrap_or_default()
}

pub(super) fn required_name(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<DomainName> {
    fields.required(reader, key).and_then(|value| reader.parsed(value, DomainName::parse))
}

pub(super) fn required_list<T>(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    read: impl FnMut(&mut Reader, &Value) -> Option<T>,
) -> Option<Vec<T>> {
    fields.required(reader, key).and_then(|value| list(reader, value, read))
}

pub(super) fn read_list<T>(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    read: impl FnMut(&mut Reader, &Value) -> Option<T>,
) -> Option<Vec<T>> {
    match fields.optional(key) {
        Some(value) => list(reader, value, read),
        None => Some(Vec::new()),
    }
}

/// All entries are read, so that all problems are found.
pub(super) fn list<T>(
    reader: &mut Reader,
    value: &Value,
    mut read: impl FnMut(&mut Reader, &Value) -> Option<T>,
) -> Option<Vec<T>> {
    let values = reader.list(value);
    let entries: Vec<Option<T>> = values.iter().map(|value| read(reader, value)).collect();
    matches!(value.kind, Kind::List(_)).then(|| entries.into_iter().collect())?
}

/// One of a few words.
pub(super) fn read_word<T: Copy>(
    reader: &mut Reader,
    value: &Value,
    code: &'static str,
    known: &[(&'static str, T)],
) -> Option<T> {
    reader.parsed(value, |text| {
        known.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words = || known.iter().map(|(word, _)| *word);
            Problem::new(code, format!("`{text}` is not known here")).help(match nearest(text, words()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("known are {}", words().collect::<Vec<_>>().join(", ")),
            })
        })
    })
}

pub(super) fn read_seconds(reader: &mut Reader, value: &Value) -> Option<u64> {
    let seconds = reader.seconds(value)?;
    if seconds > MAX_SECONDS {
        let message = format!("a duration of {seconds} seconds is longer than a hundred years");
        reader.problem(Problem::new("plan.duration-too-long", message).at(value.span));
        return None;
    }
    Some(seconds)
}
