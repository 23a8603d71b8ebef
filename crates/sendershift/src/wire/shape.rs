//! What a document has to hold for somebody who relies on it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::dns;
use crate::document::{Kind, Reader, Value};
use crate::error::{Invalid, Problem};
use crate::net::parse_address;

/// What a value of a document has to be. In JSON a word, or a table of one key:
/// `{ "keys": { "result": { "one_of": ["pass", "fail"] }, "lookups": "integer", "problem": { "maybe": "table" } } }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Whatever it is.
    Any,
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// An integer; as text where it is too large for others.
    Integer,
    /// A point in time, as the core writes it (RFC 3339, in UTC).
    Time,
    /// An address.
    Address,
    /// A table, whatever its keys are.
    Table,
    /// Evidence: a snapshot, or several.
    Evidence,
    /// One of these texts.
    OneOf(Vec<String>),
    /// A list of such values.
    List(Box<Shape>),
    /// A table with these keys and any others.
    Keys(BTreeMap<String, Shape>),
    /// A table with these keys and no others.
    Only(BTreeMap<String, Shape>),
    /// `null`, or missing, or this.
    Maybe(Box<Shape>),
}

impl Shape {
    fn look(&self, reader: &mut Reader, value: &Value, text: &str) {
        match self {
            Self::Any => {}
            Self::Text => {
                reader.text(value);
            }
            Self::Boolean => {
                reader.boolean(value);
            }
            Self::Integer => integer(reader, value),
            Self::Time => time(reader, value),
            Self::Address => {
                reader.parsed(value, parse_address);
            }
            Self::Table => {
                reader.fields(value);
            }
            Self::Evidence => {
                dns::evidence(reader, value, text);
            }
            Self::OneOf(words) => {
                reader.parsed(value, |word| one_of(words, word));
            }
            Self::List(each) => reader.list(value).iter().for_each(|value| each.look(reader, value, text)),
            Self::Keys(keys) | Self::Only(keys) => {
                let Some(mut fields) = reader.fields(value) else { return };
                for (key, shape) in keys {
                    match fields.optional(key) {
                        Some(value) => shape.look(reader, value, text),
                        None if shape.may_lack(fields.has(key)) => {}
                        None => reader.problem(fields.missing(key)),
                    }
                }
                if matches!(self, Self::Only(_)) {
                    fields.finish(reader);
                }
            }
            Self::Maybe(shape) => {
                if !matches!(value.kind, Kind::Null) {
                    shape.look(reader, value, text);
                }
            }
        }
    }

    /// Whether there may be nothing, which is `null` or not even that.
    fn may_lack(&self, is_null: bool) -> bool {
        matches!(self, Self::Maybe(_)) || is_null && matches!(self, Self::Any)
    }
}

/// What the core writes, and nothing else that RFC 3339 allows: others do not read all of it.
fn time(reader: &mut Reader, value: &Value) {
    let Some(time) = reader.timestamp(value) else { return };
    reader.parsed(value, |text| {
        let written = time.to_string();
        let differs = || Problem::new("document.bad-time", format!("`{text}` would be written as {written}"));
        if text == written { Ok(()) } else { Err(differs()) }
    });
}

fn integer(reader: &mut Reader, value: &Value) {
    match &value.kind {
        Kind::Text(digits) if digits.parse::<u128>().is_ok() => {}
        _ => {
            reader.integer::<i64>(value);
        }
    }
}

fn one_of(words: &[String], word: &str) -> Result<(), Problem> {
    if words.iter().any(|known| known == word) {
        return Ok(());
    }
    Err(Problem::new("document.unknown-word", format!("`{word}` is not known here"))
        .help(format!("it is one of {}", words.join(", "))))
}

/// Whether a text is a document of a format, where one is asked for, and of a shape, and has no key of any table twice: what else it holds
/// is believed.
///
/// # Errors
///
/// Every problem, with its place: `json.syntax`, `document.wrong-type`, `document.wrong-format`, `document.missing-key`,
/// `document.unknown-key`, `document.unknown-word`, `document.bad-time`, `document.out-of-range`, `document.duplicate-key`,
/// `net.bad-address`, and those of evidence.
///
/// # Examples
///
/// ```
/// use sendershift::wire::{Shape, expect_document};
///
/// let keys = |name: &str, shape| Shape::Keys([(name.to_owned(), shape)].into());
/// let drift = r#"{ "format": "sendershift-drift/1", "changes": [] }"#;
/// let changes = keys("changes", Shape::List(Box::new(Shape::Table)));
/// assert!(expect_document(drift, Some("sendershift-drift/1"), &changes).is_ok());
/// let code = |text| expect_document(text, None, &changes).unwrap_err().problems[0].code;
/// assert_eq!(code("{}"), "document.missing-key");
/// assert_eq!(code(r#"{ "changes": [5] }"#), "document.wrong-type");
/// // One reader would take the first `closed`, another one the last.
/// assert_eq!(code(r#"{ "changes": [{ "closed": true, "closed": false }] }"#), "document.duplicate-key");
/// ```
pub fn expect_document(text: &str, format: Option<&str>, shape: &Shape) -> Result<(), Invalid> {
    let mut reader = Reader::default();
    match Value::from_json(text) {
        Ok(value) => {
            reader.each_key_once(&value);
            if let (true, Some(format)) = (reader.problems.is_empty(), format)
                && let Some(mut fields) = reader.fields(&value)
            {
                reader.format(&mut fields, format);
            }
            // A document that is another one has other keys, and nobody wants to hear of all of them.
            if reader.problems.is_empty() {
                shape.look(&mut reader, &value, text);
            }
        }
        Err(problem) => reader.problem(problem),
    }
    reader.finish(text, ())
}

#[cfg(test)]
mod tests {
    use super::{Shape, expect_document};

    #[test]
    fn every_kind_of_value() {
        let places = |shape: &str, text: &str| {
            let shape: Shape = serde_json::from_str(shape).unwrap();
            match expect_document(text, None, &shape) {
                Ok(()) => Vec::new(),
                Err(invalid) => {
                    let told = invalid.problems.iter().map(|problem| {
                        let span = problem.span.unwrap();
                        format!("{} {}", problem.code, text.get(span.start..span.end).unwrap())
                    });
                    told.collect()
                }
            }
        };
        for (shape, good, bad, told) in [
            (r#""any""#, "[null, 5]", "{", "json.syntax {"),
            (r#""text""#, r#""x""#, "5", "document.wrong-type 5"),
            (r#""boolean""#, "true", "null", "document.wrong-type null"),
            (
                r#""integer""#,
                r#""340282366920938463463374607431768211455""#,
                r#""-1""#,
                r#"document.wrong-type "-1""#,
            ),
            (r#""integer""#, "-1", "1.5", "document.wrong-type 1.5"),
            (r#""time""#, r#""2026-11-02T00:00:00Z""#, r#""soon""#, r#"document.bad-time "soon""#),
            (
                r#""time""#,
                r#""2026-11-02T00:00:00.5Z""#,
                r#""2026-11-02t00:00:00z""#,
                r#"document.bad-time "2026-11-02t00:00:00z""#,
            ),
            (r#""address""#, r#""2001:db8::1""#, r#""192.0.2""#, r#"net.bad-address "192.0.2""#),
            (r#""table""#, r#"{"a": 5}"#, "[]", "document.wrong-type []"),
            (
                r#"{"one_of": ["pass", "fail"]}"#,
                r#""fail""#,
                r#""passed""#,
                r#"document.unknown-word "passed""#,
            ),
            (r#"{"list": "text"}"#, r#"["a", "b"]"#, r#"["a", 5]"#, "document.wrong-type 5"),
            (r#"{"maybe": "text"}"#, "null", "5", "document.wrong-type 5"),
            (
                r#"{"keys": {"a": "any", "b": {"maybe": "text"}}}"#,
                r#"{"a": null, "c": 5}"#,
                r#"{"b": "x"}"#,
                "document.missing-key {",
            ),
            (
                r#"{"only": {"a": "text"}}"#,
                r#"{"a": "x"}"#,
                r#"{"a": "x", "A": "y"}"#,
                r#"document.unknown-key "A""#,
            ),
            (
                r#"{"keys": {"dns": "evidence"}}"#,
                r#"{"dns": {"format": "sendershift-snapshot/1", "answers": []}}"#,
                r#"{"dns": {"format": "sendershift-snapshot/1", "answers": 5}}"#,
                "document.wrong-type 5",
            ),
        ] {
            assert_eq!(places(shape, good), [""; 0], "{shape}");
            assert_eq!(places(shape, bad), [told], "{shape}");
        }
    }
}
