//! One table of a migration, and names that lead from one table to another.

use std::collections::BTreeSet;

use crate::document::{Fields, Kind, Reader, Value, nearest};
use crate::error::{Problem, Span};

/// The longest duration: a hundred years, so that sums of durations stay far from every limit.
const MAX_SECONDS: u64 = 100 * 365 * 86_400;

/// How many unknown names get the nearest known one as help: measuring is slow.
const MAX_HINTS: usize = 20;

/// A table that is being read.
///
/// What cannot be read becomes a problem, and some value stands in for it: whoever reads on need not care, because
/// nothing but the problems is handed back in the end.
pub(super) struct Table<'r, 'v> {
    pub(super) reader: &'r mut Reader,
    fields: Fields<'v>,
    span: Span,
}

impl<'r, 'v> Table<'r, 'v> {
    pub(super) fn new(reader: &'r mut Reader, value: &'v Value) -> Option<Self> {
        let fields = reader.fields(value)?;
        Some(Self { reader, fields, span: value.span })
    }

    /// Where the value of a key stands, or else the table: of anything long the first octet.
    pub(super) fn place(&mut self, key: &'static str) -> Span {
        match self.fields.optional(key) {
            Some(Value { span, kind: Kind::List(_) | Kind::Table(_) }) => first_octet(*span),
            Some(value) => value.span,
            None => first_octet(self.span),
        }
    }

    pub(super) fn optional(&mut self, key: &'static str) -> Option<&'v Value> {
        self.fields.optional(key)
    }

    pub(super) fn required(&mut self, key: &'static str) -> Option<&'v Value> {
        self.fields.required(self.reader, key)
    }

    /// Checks the format: whether it is worth while to read on.
    pub(super) fn format(&mut self, wanted: &str) -> bool {
        self.reader.format(&mut self.fields, wanted)
    }

    pub(super) fn problem(&mut self, at: Span, code: &'static str, message: impl Into<String>) {
        self.reader.problem(Problem::new(code, message).at(at));
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.optional(key).and_then(|value| self.reader.text(value)).map(str::to_owned)
    }

    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        self.optional(key).and_then(|value| self.reader.boolean(value)).unwrap_or_default()
    }

    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        self.optional(key).and_then(|value| self.reader.parsed(value, read))
    }

    pub(super) fn seconds(&mut self, key: &'static str, default: u64) -> u64 {
        let seconds = self.optional(key).and_then(|value| self.reader.seconds(value)).unwrap_or(default);
        if seconds > MAX_SECONDS {
            let message = format!("a duration of {seconds} seconds is longer than a hundred years");
            let at = self.place(key);
            self.problem(at, "migration.duration-too-long", message);
        }
        seconds
    }

    /// The entries of a list that could be read; no key is the same as no entries.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Reader, &'v Value) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.optional(key) else { return Vec::new() };
        self.reader.list(value).iter().filter_map(|value| read(self.reader, value)).collect()
    }

    /// Whether the list of a key is there and has no entry.
    pub(super) fn says_none(&mut self, key: &'static str) -> bool {
        self.optional(key).is_some_and(|value| matches!(&value.kind, Kind::List(values) if values.is_empty()))
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        self.list(key, |reader, value| reader.text(value).map(str::to_owned))
    }

    /// The id and the title of what the table describes; the title is the id where there is none.
    pub(super) fn id(&mut self, ids: &mut Ids) -> (String, String) {
        let id = self.required("id").and_then(|value| ids.add(self.reader, value)).unwrap_or_default();
        let title = self.text("title").unwrap_or_else(|| id.clone());
        (id, title)
    }

    pub(super) fn finish(self) {
        self.fields.finish(self.reader);
    }
}

fn first_octet(span: Span) -> Span {
    Span::new(span.start, span.start + 1)
}

/// The names of one kind of thing.
pub(super) struct Ids {
    what: &'static str,
    unknown: &'static str,
    known: BTreeSet<String>,
    hints: usize,
}

impl Ids {
    /// No names yet. `unknown` is the code of a name that leads nowhere.
    pub(super) fn new(what: &'static str, unknown: &'static str) -> Self {
        Self { what, unknown, known: BTreeSet::new(), hints: 0 }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.known.contains(id)
    }

    /// A new name.
    pub(super) fn add(&mut self, reader: &mut Reader, value: &Value) -> Option<String> {
        let what = self.what;
        reader.parsed(value, |id| {
            if id.is_empty() {
                return Err(Problem::new("migration.empty-id", format!("the id of this {what} is empty")));
            }
            if !self.known.insert(id.to_owned()) {
                return Err(Problem::new(
                    "migration.duplicate-id",
                    format!("there is another {what} `{id}`"),
                ));
            }
            Ok(id.to_owned())
        })
    }

    /// A name that has to be known.
    pub(super) fn reference(&mut self, reader: &mut Reader, value: &Value) -> Option<String> {
        reader.parsed(value, |id| self.check(id).map(|()| id.to_owned()))
    }

    /// Whether a name is known.
    pub(super) fn check(&mut self, id: &str) -> Result<(), Problem> {
        if self.contains(id) {
            return Ok(());
        }
        let problem = Problem::new(self.unknown, format!("there is no {} `{id}` here", self.what));
        self.hints += 1;
        let known = self.known.iter().map(String::as_str).filter(|_| self.hints <= MAX_HINTS);
        if let Some(hint) = nearest(id, known) {
            return Err(problem.help(format!("did you mean `{hint}`?")));
        }
        let table = self.unknown.trim_start_matches("migration.unknown-");
        Err(problem
            .help(format!("declare it in a table `[[{table}]]` of its own, or name one that is declared")))
    }
}

/// What a word means, among a few known ones.
pub(super) fn word<T: Copy>(text: &str, known: &[(&'static str, T)]) -> Result<T, Problem> {
    known.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        Problem::new("migration.unknown-word", format!("`{text}` is not known here"))
            .help(format!("known are {}", words.join(", ")))
    })
}
