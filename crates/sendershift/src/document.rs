//! Input documents, JSON or TOML, as one tree that knows where everything stands.
//!
//! A [`Reader`] walks the tree, takes what it knows, and gathers every problem instead of stopping at the
//! first: unknown keys with the nearest known one, missing keys, wrong types, values that do not parse.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions};

use crate::error::{Invalid, Problem, Span};

/// The first instant of the year 1 (RFC 3339 knows a year 0, which calendars do not).
const FIRST: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// Three octets that say that a text is UTF-8.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The formats that people give to somebody, what they are, and who takes them.
const FORMATS: [(&str, &str, &str); 4] = [
    (
        "sendershift-snapshot/1",
        "a snapshot",
        "it is evidence: on the command line `--dns FILE` takes it, in a request `dns`",
    ),
    ("sendershift-migration/1", "a migration", "`plan` takes it"),
    ("sendershift-plan/1", "a plan", "`prove` takes it"),
    ("sendershift-proof/1", "a proof", "it is a result, and nothing takes it"),
];

/// A value of a document.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that is no integer, or one that does not fit.
    Number,
    Text(String),
    List(Vec<Value>),
    Table(Vec<Entry>),
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Value,
}

impl Kind {
    fn describe(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Number => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Value {
    /// Reads strict JSON (RFC 8259). A byte order mark in front, which some editors write, is skipped (section 8.1).
    pub(crate) fn from_json(text: &str) -> Result<Self, Problem> {
        // As many spaces leave every place what it is.
        let without_mark = text.strip_prefix(BYTE_ORDER_MARK).map(|rest| format!("   {rest}"));
        let text = without_mark.as_deref().unwrap_or(text);
        let strict = ParseOptions {
            allow_comments: false,
            allow_loose_object_property_names: false,
            allow_trailing_commas: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let syntax = |message: String, span: Span| Problem::new("json.syntax", message).at(span);
        match jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &strict) {
            Ok(parsed) => parsed
                .value
                .map(json_value)
                .ok_or_else(|| syntax("the document is empty".to_owned(), Span::new(0, text.len()))),
            Err(error) => {
                let range = error.range();
                let message = error.kind().to_string();
                let mut chars = message.chars();
                let lower = chars.next().map(|c| c.to_lowercase().collect::<String>() + chars.as_str());
                let problem = syntax(lower.unwrap_or_default(), Span::new(range.start, range.end));
                Err(if range.end >= text.len() { problem.help("is the file cut off?") } else { problem })
            }
        }
    }

    /// Reads TOML 1.0.
    pub(crate) fn from_toml(text: &str) -> Result<Self, Problem> {
        let document = toml_edit::Document::parse(text).map_err(|error| {
            let message = error.message().trim().replace('\n', ", ");
            Problem::new("toml.syntax", message).at(error.span().unwrap_or(0..text.len()))
        })?;
        Ok(Self { span: Span::new(0, text.len()), kind: toml_table(document.as_table()) })
    }
}

fn json_value(value: ast::Value<'_>) -> Value {
    let range = value.range();
    let kind = match value {
        ast::Value::NullKeyword(_) => Kind::Null,
        ast::Value::BooleanLit(literal) => Kind::Bool(literal.value),
        ast::Value::NumberLit(literal) => literal.value.parse().map_or(Kind::Number, Kind::Integer),
        ast::Value::StringLit(literal) => Kind::Text(literal.value.into_owned()),
        ast::Value::Array(array) => Kind::List(array.elements.into_iter().map(json_value).collect()),
        ast::Value::Object(object) => Kind::Table(
            object
                .properties
                .into_iter()
                .map(|property| {
                    let key = property.name.range();
                    Entry {
                        key: property.name.as_str().to_owned(),
                        key_span: Span::new(key.start, key.end),
                        value: json_value(property.value),
                    }
                })
                .collect(),
        ),
    };
    Value { span: Span::new(range.start, range.end), kind }
}

fn toml_table(table: &toml_edit::Table) -> Kind {
    let entry = |(key, item): (&str, &toml_edit::Item)| {
        let key_span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span()).unwrap_or(0..0);
        toml_item(item, key_span.clone()).map(|value| Entry {
            key: key.to_owned(),
            key_span: key_span.into(),
            value,
        })
    };
    Kind::Table(table.iter().filter_map(entry).collect())
}

/// The value of an item; implicit tables have no span of their own and take that of their key.
fn toml_item(item: &toml_edit::Item, key_span: std::ops::Range<usize>) -> Option<Value> {
    let span = Span::from(item.span().unwrap_or_else(|| key_span.clone()));
    let kind = match item {
        toml_edit::Item::None => return None,
        toml_edit::Item::Value(value) => return Some(toml_value(value, key_span)),
        toml_edit::Item::Table(table) => toml_table(table),
        toml_edit::Item::ArrayOfTables(tables) => Kind::List(
            tables
                .iter()
                .map(|table| Value {
                    span: table.span().unwrap_or_else(|| key_span.clone()).into(),
                    kind: toml_table(table),
                })
                .collect(),
        ),
    };
    Some(Value { span, kind })
}

fn toml_value(value: &toml_edit::Value, key_span: std::ops::Range<usize>) -> Value {
    let span = value.span().unwrap_or_else(|| key_span.clone());
    let kind = match value {
        toml_edit::Value::String(text) => Kind::Text(text.value().clone()),
        toml_edit::Value::Integer(number) => Kind::Integer(*number.value()),
        toml_edit::Value::Float(_) => Kind::Number,
        toml_edit::Value::Boolean(value) => Kind::Bool(*value.value()),
        toml_edit::Value::Datetime(time) => Kind::Text(time.value().to_string()),
        toml_edit::Value::Array(array) => {
            Kind::List(array.iter().map(|value| toml_value(value, span.clone())).collect())
        }
        toml_edit::Value::InlineTable(table) => Kind::Table(
            table
                .iter()
                .map(|(key, value)| {
                    let key_span =
                        table.key(key).and_then(toml_edit::Key::span).unwrap_or_else(|| span.clone());
                    Entry {
                        key: key.to_owned(),
                        key_span: key_span.clone().into(),
                        value: toml_value(value, key_span),
                    }
                })
                .collect(),
        ),
    };
    Value { span: span.into(), kind }
}

impl Value {
    /// The text that stands at a place, in this value or below it.
    pub(crate) fn text_at(&self, place: Span) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => (self.span == place).then_some(text),
            Kind::List(values) => values.iter().find_map(|value| value.text_at(place)),
            Kind::Table(entries) => entries.iter().find_map(|entry| entry.value.text_at(place)),
            _ => None,
        }
    }
}

/// Gathers the problems of one document.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) problems: Vec<Problem>,
    /// Problems of texts that stand inside the document, with their places in those.
    pub(crate) elsewhere: Vec<Problem>,
}

impl Reader {
    /// `value`, unless there were problems: then these, placed in `text`.
    pub(crate) fn finish<T>(self, text: &str, value: T) -> Result<T, Invalid> {
        let own = Invalid::unless(self.problems, text, ()).err();
        let problems: Vec<Problem> =
            own.into_iter().flat_map(|invalid| invalid.problems).chain(self.elsewhere).collect();
        if problems.is_empty() { Ok(value) } else { Err(Invalid { problems }) }
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn wrong_type(&mut self, value: &Value, wanted: &str) {
        let message = format!("expected {wanted}, found {}", value.kind.describe());
        self.problem(Problem::new("document.wrong-type", message).at(value.span));
    }

    /// The fields of a table; `None`, with a problem, for anything else.
    pub(crate) fn fields<'v>(&mut self, value: &'v Value) -> Option<Fields<'v>> {
        let Kind::Table(entries) = &value.kind else {
            self.wrong_type(value, "a table");
            return None;
        };
        let mut seen = std::collections::BTreeSet::new();
        for entry in entries {
            if !seen.insert(entry.key.as_str()) {
                let message = format!("the key `{}` stands twice", entry.key);
                self.problem(Problem::new("document.duplicate-key", message).at(entry.key_span));
            }
        }
        Some(Fields { span: value.span, entries, asked: Vec::new() })
    }

    /// Reports keys that stand twice in any table.
    pub(crate) fn each_key_once(&mut self, value: &Value) {
        match &value.kind {
            Kind::Table(entries) => {
                self.fields(value);
                for entry in entries {
                    self.each_key_once(&entry.value);
                }
            }
            Kind::List(values) => {
                for value in values {
                    self.each_key_once(value);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn text<'v>(&mut self, value: &'v Value) -> Option<&'v str> {
        match &value.kind {
            Kind::Text(text) => Some(text),
            _ => {
                self.wrong_type(value, "a string");
                None
            }
        }
    }

    pub(crate) fn boolean(&mut self, value: &Value) -> Option<bool> {
        match value.kind {
            Kind::Bool(value) => Some(value),
            _ => {
                self.wrong_type(value, "true or false");
                None
            }
        }
    }

    /// An integer that fits `T`.
    pub(crate) fn integer<T: TryFrom<i64>>(&mut self, value: &Value) -> Option<T> {
        match value.kind {
            Kind::Integer(number) => {
                let fits = T::try_from(number).ok();
                if fits.is_none() {
                    let message = format!("{number} is out of range");
                    self.problem(Problem::new("document.out-of-range", message).at(value.span));
                }
                fits
            }
            _ => {
                self.wrong_type(value, "an integer");
                None
            }
        }
    }

    /// The values of a list.
    pub(crate) fn list<'v>(&mut self, value: &'v Value) -> &'v [Value] {
        if let Kind::List(values) = &value.kind {
            values
        } else {
            self.wrong_type(value, "a list");
            &[]
        }
    }

    /// What `read` makes of a string; its problem is placed at the string.
    pub(crate) fn parsed<T>(
        &mut self,
        value: &Value,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let text = self.text(value)?;
        match read(text) {
            Ok(parsed) => Some(parsed),
            Err(mut problem) => {
                problem.span = Some(value.span);
                self.problem(problem);
                None
            }
        }
    }

    /// A point in time, RFC 3339, such as `2022-01-24T00:00:00Z`; a date alone is its first second in UTC.
    pub(crate) fn timestamp(&mut self, value: &Value) -> Option<Timestamp> {
        self.timestamp_at(value, Offset::UTC)
    }

    /// As `timestamp`, where days begin at an offset from UTC.
    pub(crate) fn timestamp_at(&mut self, value: &Value, offset: Offset) -> Option<Timestamp> {
        self.parsed(value, |text| {
            let midnight = |day: Date| offset.to_timestamp(day.to_datetime(Time::midnight())).ok();
            let date = || text.parse().ok().and_then(midnight);
            let time = text.parse::<Timestamp>().ok().or_else(|| (text.len() == 10).then(date)?);
            // Clocks of other languages begin with the year 1.
            time.filter(|time| *time >= FIRST).ok_or_else(|| {
                Problem::new("document.bad-time", format!("`{text}` is not a time"))
                    .help("write it as 2022-01-24T00:00:00Z, or a date as 2022-01-24")
            })
        })
    }

    /// A duration, ISO 8601 as `PT432000S` or `P5D`, or as `5 days`; never negative, whole seconds.
    pub(crate) fn seconds(&mut self, value: &Value) -> Option<u64> {
        self.parsed(value, |text| {
            let span = text.parse::<jiff::Span>().ok();
            // Days have 24 hours here: a plan's calendar has one fixed offset from UTC.
            let duration =
                span.and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok());
            duration
                .filter(|d| *d >= SignedDuration::ZERO && d.subsec_nanos() == 0)
                .and_then(|d| u64::try_from(d.as_secs()).ok())
                .ok_or_else(|| {
                    Problem::new(
                        "document.bad-duration",
                        format!("`{text}` is not a duration in whole seconds"),
                    )
                    .help("write it as PT432000S, P5D or `5 days`")
                })
        })
    }

    /// Checks the document's `format` field: whether it is worth while to read on.
    pub(crate) fn format(&mut self, fields: &mut Fields<'_>, wanted: &str) -> bool {
        let Some(value) = fields.required(self, "format") else { return true };
        match self.text(value) {
            Some(text) if text != wanted => {
                self.problem(wrong_format(text, wanted).at(value.span));
                // A misspelt format is one problem among others, another kind of document is nothing but problems.
                kind_of(text).is_none()
            }
            _ => true,
        }
    }
}

fn wrong_format(found: &str, wanted: &str) -> Problem {
    let problem = |message| Problem::new("document.wrong-format", message);
    match (kind_of(found), kind_of(wanted)) {
        (Some((what, taken)), Some((other, _))) => {
            problem(format!("this is {what} (`{found}`), and {other} (`{wanted}`) is wanted here"))
                .help(taken)
        }
        _ => problem(format!("the format is `{found}`, expected `{wanted}`"))
            .help("is this the right file for this argument?"),
    }
}

/// What documents of a format are, and who takes them.
fn kind_of(format: &str) -> Option<(&'static str, &'static str)> {
    FORMATS.iter().find(|(known, ..)| *known == format).map(|(_, what, taken)| (*what, *taken))
}

/// The document that a TOML text is. A build without migrations has no use for the reader of TOML.
fn from_toml(text: &str) -> Option<Value> {
    if cfg!(feature = "plan") { Value::from_toml(text).ok() } else { None }
}

/// Why a text could not be read, if it is a document of another kind: what it is, and who takes it.
pub(crate) fn misplaced(text: &str, wanted: &str) -> Option<Problem> {
    let value = Value::from_json(text).ok().or_else(|| from_toml(text))?;
    let Kind::Table(entries) = &value.kind else { return None };
    let format = entries.iter().find(|entry| entry.key == "format")?;
    let Kind::Text(found) = &format.value.kind else { return None };
    let is_other = found != wanted && found.starts_with("sendershift-");
    is_other.then(|| wrong_format(found, wanted).at(format.value.span))
}

/// The fields of one table; those never asked for are unknown keys.
#[derive(Debug)]
pub(crate) struct Fields<'v> {
    pub(crate) span: Span,
    entries: &'v [Entry],
    asked: Vec<&'v str>,
}

impl<'v> Fields<'v> {
    /// Takes note that a key is known, though it is not read from the table.
    pub(crate) fn known(&mut self, key: &'v str) {
        self.asked.push(key);
    }

    /// The value of a key, if it is there and not null.
    pub(crate) fn optional(&mut self, key: &'v str) -> Option<&'v Value> {
        self.asked.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!matches!(entry.value.kind, Kind::Null)).then_some(&entry.value)
    }

    /// Whether the key is there, even with the value null.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// The value of a key that must be there.
    pub(crate) fn required(&mut self, reader: &mut Reader, key: &'v str) -> Option<&'v Value> {
        let value = self.optional(key);
        if value.is_none() {
            reader.problem(self.missing(key));
        }
        value
    }

    /// That a key is missing.
    pub(crate) fn missing(&self, key: &str) -> Problem {
        // The table may be long: its first octet is place enough.
        let place = Span::new(self.span.start, self.span.start + 1);
        Problem::new("document.missing-key", format!("the key `{key}` is missing")).at(place)
    }

    /// The span of a key, for problems about its presence.
    pub(crate) fn key_span(&self, key: &str) -> Span {
        self.entries.iter().find(|entry| entry.key == key).map_or(self.span, |entry| entry.key_span)
    }

    /// Reports every key that was not asked for, with the nearest known one.
    pub(crate) fn finish(self, reader: &mut Reader) {
        for entry in self.entries {
            if self.asked.contains(&entry.key.as_str()) {
                continue;
            }
            let problem = Problem::new("document.unknown-key", format!("unknown key `{}`", entry.key))
                .at(entry.key_span);
            reader.problem(match nearest(&entry.key, self.asked.iter().copied()) {
                Some(known) => problem.help(format!("did you mean `{known}`?")),
                None => problem.help(format!("known keys here are {}", in_order(&self.asked).join(", "))),
            });
        }
    }
}

/// Each word once, in the order in which they were named first.
fn in_order<'k>(words: &[&'k str]) -> Vec<&'k str> {
    let mut seen = std::collections::BTreeSet::new();
    words.iter().copied().filter(|word| seen.insert(*word)).collect()
}

/// The known word that is most like `word`, if it may have been meant: two letters of a long one may be wrong, since `old-step` is
/// not meant by `new-step`.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    // The measure takes time in the product of both lengths, so hostile words are not measured.
    if word.len() > 64 {
        return None;
    }
    known
        .map(|known| (strsim::osa_distance(word, known), known))
        .filter(|(distance, known)| *distance <= (known.len().max(3) / 3).min(2))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::{Reader, Value, misplaced};

    /// The code, line, column and help of a problem.
    type Found = (&'static str, Option<u32>, Option<u32>, Option<String>);

    fn read(text: &str, value: &Value) -> Vec<Found> {
        let mut reader = Reader::default();
        if let Some(mut fields) = reader.fields(value) {
            if let Some(name) = fields.required(&mut reader, "name") {
                reader.text(name);
            }
            if let Some(wait) = fields.optional("wait") {
                reader.seconds(wait);
            }
            if let Some(count) = fields.optional("count") {
                reader.integer::<u8>(count);
            }
            fields.finish(&mut reader);
        }
        let invalid = reader.finish(text, ()).unwrap_err();
        invalid.problems.into_iter().map(|p| (p.code, p.line, p.column, p.help.map(String::from))).collect()
    }

    #[test]
    fn every_problem_has_its_place() {
        let json = "{\n  \"nmae\": 1,\n  \"wait\": \"PT1.5S\",\n  \"count\": 256\n}";
        let toml = "nmae = 1\nwait = \"PT1.5S\"\ncount = 256\n";
        let expected = |lines: [(u32, u32); 4]| {
            let codes = [
                "document.missing-key",
                "document.unknown-key",
                "document.bad-duration",
                "document.out-of-range",
            ];
            codes
                .into_iter()
                .zip(lines)
                .map(|(code, (line, column))| (code, Some(line), Some(column)))
                .collect::<Vec<_>>()
        };
        let strip = |found: Vec<Found>| {
            assert_eq!(found[1].3.as_deref(), Some("did you mean `name`?"));
            found.into_iter().map(|(code, line, column, _)| (code, line, column)).collect::<Vec<_>>()
        };
        assert_eq!(
            strip(read(json, &Value::from_json(json).unwrap())),
            expected([(1, 1), (2, 3), (3, 11), (4, 12)])
        );
        assert_eq!(
            strip(read(toml, &Value::from_toml(toml).unwrap())),
            expected([(1, 1), (1, 1), (2, 8), (3, 9)])
        );
    }

    #[test]
    fn durations_and_times() {
        for (text, seconds) in [
            ("PT432000S", Some(432_000)),
            ("P5D", Some(432_000)),
            ("5 days", Some(432_000)),
            ("-PT1S", None),
            ("P1M", None),
            ("x", None),
        ] {
            let json = format!("\"{text}\"");
            assert_eq!(Reader::default().seconds(&Value::from_json(&json).unwrap()), seconds, "{text}");
        }
        for (text, seconds) in [
            ("2022-01-24T00:00:00Z", Some(1_642_982_400)),
            ("2022-01-24", Some(1_642_982_400)),
            ("24.1.2022", None),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800)),
            ("0001-01-01T00:00:00+00:01", None),
            ("0000-06-01", None),
        ] {
            let json = format!("\"{text}\"");
            let time = Reader::default().timestamp(&Value::from_json(&json).unwrap());
            assert_eq!(time.map(jiff::Timestamp::as_second), seconds, "{text}");
        }
    }

    /// RFC 8259 section 8.1: a reader may skip it; TOML 1.0 has it skipped. Places are those of the text with it.
    #[test]
    fn byte_order_marks() {
        for value in [Value::from_json("\u{feff}{\"nmae\":1}"), Value::from_toml("\u{feff}nmae = 1\n")] {
            let value = value.unwrap();
            let mut reader = Reader::default();
            let mut fields = reader.fields(&value).unwrap();
            let _ = fields.optional("name");
            fields.finish(&mut reader);
            let start = reader.problems[0].span.unwrap().start;
            assert!(start == 3 || start == 4, "{start}");
        }
    }

    #[test]
    fn documents_of_another_kind() {
        let told = |text: &str, wanted: &str| {
            misplaced(text, wanted).map(|problem| (problem.message, problem.help.unwrap()))
        };
        let plan = "\u{feff}{ \"steps\": [], \"format\": \"sendershift-plan/1\" }";
        let (message, help) = told(plan, "sendershift-migration/1").unwrap();
        assert_eq!(
            message,
            "this is a plan (`sendershift-plan/1`), and a migration (`sendershift-migration/1`) is wanted here"
        );
        assert_eq!(&*help, "`prove` takes it");
        let (message, _) = told("format = \"sendershift-cost/1\"", "sendershift-plan/1").unwrap();
        assert_eq!(message, "the format is `sendershift-cost/1`, expected `sendershift-plan/1`");
        for text in [plan, "", "format = 1", "{ \"format\": \"other\" }", "[\"format\"]", "@ SOA"] {
            assert_eq!(told(text, "sendershift-plan/1"), None, "{text}");
        }
    }

    #[test]
    fn syntax_errors() {
        for text in [
            "",
            "{",
            "{\"a\":1,}",
            "{'a':1}",
            "// x\n{}",
            "[1 2]",
            "{\"a\":1",
            "\u{feff}",
            "\u{feff}{",
            "{\u{feff}}",
            "nul",
        ] {
            assert_eq!(Value::from_json(text).unwrap_err().code, "json.syntax", "{text}");
        }
        assert_eq!(Value::from_json(&"[".repeat(100_000)).unwrap_err().code, "json.syntax");
        assert_eq!(Value::from_toml("a = ").unwrap_err().code, "toml.syntax");
        assert_eq!(
            Value::from_toml(&format!("a = {}", "[".repeat(100_000))).unwrap_err().code,
            "toml.syntax"
        );
    }
}
