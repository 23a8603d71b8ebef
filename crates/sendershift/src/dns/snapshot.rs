//! A [`Snapshot`]: what DNS said, and when, as a document (`sendershift-snapshot/1`).

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;
use read::read_answer;
pub(crate) use read::read_record_list;

use super::{Answer, Evidence, Quality, RecordType, RrSet};
use crate::document::{Reader, Value};
use crate::error::{Invalid, Problem, Span};
use crate::name::DomainName;

/// The `format` of a snapshot document.
pub const FORMAT: &str = "sendershift-snapshot/1";

/// What DNS said: answers to questions, each with its quality.
///
/// A name that is listed exists, and so do its ancestors. In a *closed* snapshot everything else does not exist;
/// in an open one it is unknown.
///
/// # Examples
///
/// ```
/// use sendershift::dns::{Answer, Evidence, RecordType, Snapshot};
///
/// let snapshot = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1",
///     "answers": [
///         { "name": "example.net", "type": "TXT", "ttl": 3600, "records": ["v=spf1 -all"] },
///         { "name": "gone.example.net", "type": "TXT", "status": "nxdomain" }
///     ]
/// }"#)?;
/// let answer = |name: &str| snapshot.answer(&name.parse().unwrap(), RecordType::Txt);
/// assert!(matches!(answer("example.net"), Answer::Records(_)));
/// assert_eq!(answer("below.gone.example.net"), Answer::NxDomain);
/// assert_eq!(answer("www.example.net"), Answer::Unknown);
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    taken: Option<Timestamp>,
    closed: bool,
    nodes: BTreeMap<DomainName, Node>,
}

/// What is known of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    /// Set when the name does not exist; then there are no sets.
    nxdomain: Option<Stored>,
    sets: Vec<(RecordType, Stored)>,
}

/// One answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stored {
    content: Content,
    ttl: Option<u32>,
    quality: Quality,
    note: Note,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Records(RrSet),
    NoData,
    NxDomain,
    Failed(&'static str),
}

/// Where an answer comes from, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// The server that said it.
    pub server: Option<String>,
    /// When it was said.
    pub at: Option<Timestamp>,
    /// Set when nobody said it: why the value was assumed.
    pub assumed: Option<String>,
}

impl Snapshot {
    /// Reads a snapshot document.
    ///
    /// # Errors
    ///
    /// Every problem of the document, with its place: `json.syntax`, `document.*`, `name.*`, `dns.*`, and
    /// `snapshot.contradiction` where two answers exclude each other.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        Self::from_sources(&[("", text)]).map_err(|mut problems| {
            // There is one text, so there are problems of one text.
            problems.pop().map_or_else(|| Invalid { problems: Vec::new() }, |(_, invalid)| invalid)
        })
    }

    /// Reads several documents as one snapshot; each comes with the name by which problems refer to it.
    ///
    /// Of two answers to one question the better quality wins. What is not listed does not exist only if every document
    /// says so of itself, and the snapshot is as old as the oldest of them.
    ///
    /// # Errors
    ///
    /// The problems of each document that has any, with its index, as for [`Snapshot::from_json`].
    pub fn from_sources(sources: &[(&str, &str)]) -> Result<Self, Vec<(usize, Invalid)>> {
        let mut places = Places::new(sources);
        let mut merged: Option<Self> = None;
        for (index, (_, text)) in sources.iter().enumerate() {
            let mut reader = Reader::default();
            places.source = index;
            match Value::from_json(text) {
                Ok(value) => merged = Self::read_onto(merged.take(), &mut reader, &value, &mut places),
                Err(problem) => reader.problem(problem),
            }
            places.problems.extend(reader.problems.into_iter().map(|problem| (index, problem)));
        }
        let mut snapshot = merged.unwrap_or_default();
        snapshot.complete(&mut places);
        let mut invalid = Vec::new();
        for (index, (_, text)) in sources.iter().enumerate() {
            let of_this = places.problems.iter().filter(|(source, _)| *source == index);
            let problems = of_this.map(|(_, problem)| problem.clone()).collect();
            invalid.extend(Invalid::unless(problems, text, ()).err().map(|problems| (index, problems)));
        }
        if invalid.is_empty() { Ok(snapshot) } else { Err(invalid) }
    }

    /// Reads a snapshot that stands inside another document.
    pub(crate) fn read(reader: &mut Reader, value: &Value, text: &str) -> Option<Self> {
        let sources = [("", text)];
        let mut places = Places::new(&sources);
        let mut snapshot = Self::read_onto(None, reader, value, &mut places)?;
        snapshot.complete(&mut places);
        places.problems.into_iter().for_each(|(_, problem)| reader.problem(problem));
        Some(snapshot)
    }

    /// Reads a document and adds its answers to those of the documents before it.
    fn read_onto(
        before: Option<Self>,
        reader: &mut Reader,
        value: &Value,
        places: &mut Places<'_>,
    ) -> Option<Self> {
        let Some(mut fields) = reader.fields(value) else { return before };
        reader.format(&mut fields, FORMAT);
        let taken = fields.optional("taken").and_then(|value| reader.timestamp(value));
        let closed = fields.optional("closed").and_then(|value| reader.boolean(value)).unwrap_or(false);
        let mut snapshot = match before {
            Some(before) => Self {
                taken: before.taken.zip(taken).map(|(one, two)| one.min(two)),
                closed: before.closed && closed,
                ..before
            },
            None => Self { taken, closed, nodes: BTreeMap::new() },
        };
        if let Some(answers) = fields.required(reader, "answers") {
            for answer in reader.list(answers) {
                if let Some((name, record_type, stored)) = read_answer(reader, answer) {
                    snapshot.add(places, (name, record_type), stored, answer.span);
                }
            }
        }
        fields.finish(reader);
        Some(snapshot)
    }

    /// Adds an answer; of two to one question the better quality wins.
    fn add(
        &mut self,
        places: &mut Places<'_>,
        (name, record_type): (DomainName, RecordType),
        stored: Stored,
        span: Span,
    ) {
        let place = (places.source, span);
        let node = self.nodes.entry(name.clone()).or_default();
        if stored.content == Content::NxDomain {
            places.of.entry((name, record_type)).or_insert(place);
            if node.nxdomain.as_ref().is_none_or(|old| old.quality < stored.quality) {
                node.nxdomain = Some(stored);
            }
            return;
        }
        let Some((_, old)) = node.sets.iter_mut().find(|(kind, _)| *kind == record_type) else {
            node.sets.push((record_type, stored));
            places.of.insert((name, record_type), place);
            return;
        };
        match (old.quality.cmp(&stored.quality), old.says_the_same(&stored)) {
            (std::cmp::Ordering::Less, _) => {
                *old = stored;
                places.of.insert((name, record_type), place);
            }
            (std::cmp::Ordering::Equal, false) => {
                let first = places.of.get(&(name.clone(), record_type)).copied();
                places.contradiction(&format!("two answers to {name} {record_type} differ"), place, first);
            }
            _ => {}
        }
    }

    /// Adds the ancestors of all names that exist, and reports what cannot be true together.
    fn complete(&mut self, places: &mut Places<'_>) {
        let existing: Vec<DomainName> =
            self.nodes.iter().filter(|(_, n)| !n.sets.is_empty()).map(|(n, _)| n.clone()).collect();
        for name in existing {
            let Some(node) = self.nodes.get_mut(&name) else { continue };
            if let Some(stored) = &node.nxdomain {
                // A server failure says nothing about existence, anything else does.
                if node.sets.iter().any(|(_, other)| {
                    !matches!(other.content, Content::Failed(_)) && other.quality >= stored.quality
                }) {
                    let problem = format!("{name} is said to exist and not to exist");
                    places.contradiction(&problem, places.first(&name).unwrap_or_default(), None);
                }
            }
            let alias = node
                .sets
                .iter()
                .any(|(kind, s)| *kind == RecordType::Cname && matches!(s.content, Content::Records(_)));
            let other = node
                .sets
                .iter()
                .any(|(kind, s)| *kind != RecordType::Cname && matches!(s.content, Content::Records(_)));
            if alias && other {
                let (source, span) = places.first(&name).unwrap_or_default();
                let problem = Problem::new(
                    "snapshot.alias-with-data",
                    format!("{name} has a CNAME record and other records"),
                )
                .at(span)
                .help("a name with a CNAME record has no other records (RFC 1034 section 3.6.2)");
                places.problems.push((source, problem));
            }
            node.sets.sort_by_key(|(kind, _)| *kind);
            if node.sets.iter().all(|(_, stored)| matches!(stored.content, Content::Failed(_))) {
                continue;
            }
            for ancestor in name.ancestors().skip(1) {
                match self.nodes.entry(ancestor) {
                    Entry::Vacant(entry) => {
                        entry.insert(Node::default());
                    }
                    Entry::Occupied(entry) if entry.get().nxdomain.is_some() => {
                        let ancestor = entry.key();
                        let problem = format!("{ancestor} is said not to exist, but {name} below it does");
                        let place = places.first(ancestor).unwrap_or_default();
                        places.contradiction(&problem, place, places.first(&name));
                        break;
                    }
                    // Its own ancestors are there already, or follow when it is reached.
                    Entry::Occupied(_) => {}
                }
            }
        }
    }

    /// When the answers were gathered.
    pub fn taken(&self) -> Option<Timestamp> {
        self.taken
    }

    /// Whether what is not listed does not exist.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// The names that exist by this snapshot, in text order.
    pub fn names(&self) -> impl Iterator<Item = &DomainName> {
        self.nodes.iter().filter(|(_, node)| node.nxdomain.is_none()).map(|(name, _)| name)
    }

    /// The RRsets at a name, by type.
    pub fn rrsets(&self, name: &DomainName) -> impl Iterator<Item = (RecordType, &RrSet)> {
        self.nodes.get(name).into_iter().flat_map(|node| &node.sets).filter_map(
            |(kind, stored)| match &stored.content {
                Content::Records(rrset) => Some((*kind, rrset)),
                _ => None,
            },
        )
    }

    /// The TTL, in seconds, and the quality of a negative answer about the name, where one is listed.
    pub fn negative(&self, name: &DomainName, record_type: RecordType) -> Option<(Option<u32>, Quality)> {
        let node = self.nodes.get(name)?;
        let stored = node.nxdomain.as_ref().or_else(|| {
            node.sets
                .iter()
                .find(|(kind, s)| *kind == record_type && s.content == Content::NoData)
                .map(|(_, stored)| stored)
        })?;
        Some((stored.ttl, stored.quality))
    }
}

impl Evidence for Snapshot {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        let unlisted = if self.closed { Answer::NoData } else { Answer::Unknown };
        let Some(node) = self.nodes.get(name) else {
            let nearest = name.ancestors().skip(1).find_map(|ancestor| self.nodes.get(&ancestor));
            return match nearest {
                Some(node) if node.nxdomain.is_some() => Answer::NxDomain,
                _ if self.closed => Answer::NxDomain,
                _ => Answer::Unknown,
            };
        };
        if node.nxdomain.is_some() {
            return Answer::NxDomain;
        }
        let find =
            |wanted| node.sets.iter().find(|(kind, _)| *kind == wanted).map(|(_, stored)| &stored.content);
        match find(record_type) {
            Some(Content::Records(rrset)) => Answer::Records(rrset),
            Some(Content::Failed(_)) => Answer::Failed,
            Some(Content::NoData) => Answer::NoData,
            _ => match find(RecordType::Cname) {
                Some(Content::Records(rrset)) => Answer::Alias(rrset),
                _ => unlisted,
            },
        }
    }

    fn assumed(&self, name: &DomainName, record_type: RecordType) -> Option<&str> {
        let node = self.nodes.get(name)?;
        let says = |kind| kind == record_type || kind == RecordType::Cname;
        let stored = node.sets.iter().filter(|(kind, _)| says(*kind)).map(|(_, stored)| stored);
        stored.chain(&node.nxdomain).find_map(|stored| stored.note.assumed.as_deref())
    }
}

impl Stored {
    fn says_the_same(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Records(one), Content::Records(two)) => {
                one.records().same_as(two.records()) && one.ttl() == two.ttl()
            }
            (one, two) => one == two,
        }
    }
}

/// Where answers stand, and what is wrong with them, by the index of the text.
struct Places<'a> {
    sources: &'a [(&'a str, &'a str)],
    /// The text being read.
    source: usize,
    of: BTreeMap<(DomainName, RecordType), (usize, Span)>,
    problems: Vec<(usize, Problem)>,
}

impl<'a> Places<'a> {
    fn new(sources: &'a [(&'a str, &'a str)]) -> Self {
        Self { sources, source: 0, of: BTreeMap::new(), problems: Vec::new() }
    }

    /// The first answer about a name.
    fn first(&self, name: &DomainName) -> Option<(usize, Span)> {
        let from = (name.clone(), RecordType::A);
        self.of.range(from..).next().filter(|((at, _), _)| at == name).map(|(_, place)| *place)
    }

    fn contradiction(&mut self, message: &str, (source, span): (usize, Span), other: Option<(usize, Span)>) {
        let problem = Problem::new("snapshot.contradiction", message).at(span);
        let problem = match other.and_then(|(at, span)| Some((at, span, self.sources.get(at)?))) {
            Some((at, span, (name, text))) => {
                let line = text.get(..span.start).unwrap_or(text).matches('\n').count() + 1;
                let file = if at == source { String::new() } else { format!(" of {name}") };
                problem.help(format!("the other answer is on line {line}{file}; keep the right one"))
            }
            None => problem.help("keep the answer that is right"),
        };
        self.problems.push((source, problem));
    }
}
