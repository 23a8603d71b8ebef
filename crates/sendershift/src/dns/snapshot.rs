//! A [`Snapshot`]: what DNS said, and when, as a document (`sendershift-snapshot/1`).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::{Answer, Evidence, Quality, RecordType, Records, RrSet, Txt};
use crate::document::{Fields, Kind, Reader, Value};
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

fn read_answer(reader: &mut Reader, value: &Value) -> Option<(DomainName, RecordType, Stored)> {
    let mut fields = reader.fields(value)?;
    let name = fields.required(reader, "name").and_then(|value| {
        reader.parsed(value, |text| {
            if text.is_ascii() {
                return DomainName::parse(text);
            }
            Err(Problem::new("dns.not-ascii", format!("the name `{text}` is not ASCII"))
                .help("write its A-label form"))
        })
    });
    let record_type = fields.required(reader, "type").and_then(|value| reader.parsed(value, str::parse));
    let ttl = fields.optional("ttl").and_then(|value| reader.integer::<u32>(value));
    let authoritative =
        fields.optional("authoritative").and_then(|value| reader.boolean(value)).unwrap_or(false);
    let quality = if authoritative { Quality::Authoritative } else { Quality::Cached };
    let note = Note {
        server: fields.optional("server").and_then(|value| reader.text(value)).map(str::to_owned),
        at: fields.optional("at").and_then(|value| reader.timestamp(value)),
        assumed: fields.optional("assumed").and_then(|value| reader.text(value)).map(str::to_owned),
    };
    let status = match fields.optional("status") {
        Some(value) => reader.parsed(value, |text| match text {
            "noerror" => Ok(Status::NoError),
            "nxdomain" => Ok(Status::NxDomain),
            "servfail" => Ok(Status::Failed("servfail")),
            "timeout" => Ok(Status::Failed("timeout")),
            _ => Err(Problem::new("snapshot.unknown-status", format!("unknown status `{text}`"))
                .help("known are noerror, nxdomain, servfail and timeout")),
        }),
        None => Some(Status::NoError),
    };
    let records = read_records(reader, &mut fields, record_type);
    let records_span = fields.key_span("records");
    fields.finish(reader);
    let content = match (status?, records.ok()?) {
        (Status::NoError, Some(records)) => Content::Records(RrSet::new(records, ttl, quality)),
        (Status::NoError, None) => Content::NoData,
        (Status::NxDomain, None) => Content::NxDomain,
        (Status::Failed(status), None) => Content::Failed(status),
        (_, Some(_)) => {
            reader.problem(
                Problem::new("snapshot.status-with-records", "an answer with this status has no records")
                    .at(records_span),
            );
            return None;
        }
    };
    Some((name?, record_type?, Stored { content, ttl, quality, note }))
}

enum Status {
    NoError,
    NxDomain,
    Failed(&'static str),
}

/// The records of an answer: `Err` after a problem, `Ok(None)` where there are none.
fn read_records(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    record_type: Option<RecordType>,
) -> Result<Option<Records>, ()> {
    let Some(list) = fields.optional("records") else { return Ok(None) };
    let values = reader.list(list);
    if values.is_empty() {
        return if matches!(list.kind, Kind::List(_)) { Ok(None) } else { Err(()) };
    }
    read_record_list(reader, values, record_type.ok_or(())?).map(Some).ok_or(())
}

/// Records in snapshot syntax: strings, for TXT also lists of character-strings.
pub(crate) fn read_record_list(
    reader: &mut Reader,
    values: &[Value],
    record_type: RecordType,
) -> Option<Records> {
    if record_type == RecordType::Txt {
        let texts: Vec<Option<Txt>> = values.iter().map(|value| read_txt(reader, value)).collect();
        return texts.into_iter().collect::<Option<_>>().map(Records::Txt);
    }
    let texts: Vec<Option<&str>> = values.iter().map(|value| reader.text(value)).collect();
    let texts: Vec<&str> = texts.into_iter().collect::<Option<_>>()?;
    match Records::parse(record_type, &texts) {
        Ok(records) => Some(records),
        Err((index, problem)) => {
            reader.problem(problem.at(values.get(index).or(values.last())?.span));
            None
        }
    }
}

fn read_txt(reader: &mut Reader, value: &Value) -> Option<Txt> {
    let Kind::List(strings) = &value.kind else {
        return reader.parsed(value, Txt::from_text);
    };
    let strings: Vec<Option<&str>> = strings.iter().map(|string| reader.text(string)).collect();
    let strings: Vec<&str> = strings.into_iter().collect::<Option<_>>()?;
    match Txt::from_strings(&strings) {
        Ok(txt) => Some(txt),
        Err(problem) => {
            reader.problem(problem.at(value.span));
            None
        }
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Answers<'a>(&'a Snapshot);
        impl Serialize for Answers<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_seq(None)?;
                for (name, node) in &self.0.nodes {
                    if let Some(stored) = &node.nxdomain {
                        list.serialize_element(&Written { name, record_type: RecordType::Txt, stored })?;
                    }
                    for (record_type, stored) in &node.sets {
                        list.serialize_element(&Written { name, record_type: *record_type, stored })?;
                    }
                }
                list.end()
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format", FORMAT)?;
        if let Some(taken) = self.taken {
            map.serialize_entry("taken", &taken.to_string())?;
        }
        map.serialize_entry("closed", &self.closed)?;
        map.serialize_entry("answers", &Answers(self))?;
        map.end()
    }
}

struct Written<'a> {
    name: &'a DomainName,
    record_type: RecordType,
    stored: &'a Stored,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Stored { content, ttl, quality, note } = self.stored;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.name)?;
        map.serialize_entry("type", &self.record_type)?;
        match content {
            Content::Records(_) => {}
            Content::NoData => map.serialize_entry("records", &[(); 0])?,
            Content::NxDomain => map.serialize_entry("status", "nxdomain")?,
            Content::Failed(status) => map.serialize_entry("status", status)?,
        }
        if let Some(ttl) = ttl {
            map.serialize_entry("ttl", ttl)?;
        }
        if *quality == Quality::Authoritative {
            map.serialize_entry("authoritative", &true)?;
        }
        if let Content::Records(rrset) = content {
            map.serialize_entry("records", rrset.records())?;
        }
        if let Some(server) = &note.server {
            map.serialize_entry("server", server)?;
        }
        if let Some(at) = note.at {
            map.serialize_entry("at", &at.to_string())?;
        }
        if let Some(assumed) = &note.assumed {
            map.serialize_entry("assumed", assumed)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::Snapshot;
    use crate::dns::{
        Answer, Evidence, Overlay, Quality, Question, RecordType, Recording, Records, Resolved, RrSet, Txt,
    };
    use crate::dns::{negative_ttl, resolve};
    use crate::name::DomainName;

    fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    fn snapshot(closed: bool, answers: &str) -> Snapshot {
        Snapshot::from_json(&format!(
            r#"{{"format":"sendershift-snapshot/1","closed":{closed},"answers":[{answers}]}}"#
        ))
        .unwrap()
    }

    fn codes(answers: &str) -> Vec<&'static str> {
        let text = format!(r#"{{"format":"sendershift-snapshot/1","answers":[{answers}]}}"#);
        Snapshot::from_json(&text).unwrap_err().problems.into_iter().map(|problem| problem.code).collect()
    }

    const ANSWERS: &str = r#"
        {"name":"a.example","type":"TXT","records":["one",["t","wo"]]},
        {"name":"x.y.example","type":"A","records":["192.0.2.1"]},
        {"name":"alias.example","type":"CNAME","records":["a.example."]},
        {"name":"loop.example","type":"CNAME","records":["loop.example."]},
        {"name":"gone.example","type":"TXT","status":"nxdomain"},
        {"name":"slow.example","type":"A","status":"timeout"},
        {"name":"empty.example","type":"MX","records":[]}"#;

    #[test]
    fn three_states() {
        for closed in [false, true] {
            let snapshot = snapshot(closed, ANSWERS);
            let (unknown_name, unknown_type) =
                if closed { (Answer::NxDomain, Answer::NoData) } else { (Answer::Unknown, Answer::Unknown) };
            for (at, record_type, expected) in [
                ("a.example", RecordType::A, unknown_type),
                ("y.example", RecordType::A, unknown_type),
                ("z.y.example", RecordType::A, unknown_name),
                ("gone.example", RecordType::Mx, Answer::NxDomain),
                ("deep.below.gone.example", RecordType::Mx, Answer::NxDomain),
                ("slow.example", RecordType::A, Answer::Failed),
                ("empty.example", RecordType::Mx, Answer::NoData),
            ] {
                assert_eq!(
                    snapshot.answer(&name(at), record_type),
                    expected,
                    "{at} {record_type} closed: {closed}"
                );
            }
            let Resolved::Records(rrset) = resolve(&snapshot, &name("alias.example"), RecordType::Txt) else {
                panic!()
            };
            assert_eq!(rrset.texts()[1].octets(), b"two");
            assert_eq!(resolve(&snapshot, &name("loop.example"), RecordType::Txt), Resolved::Failed);
        }
    }

    #[test]
    fn round_trip() {
        let first = snapshot(true, ANSWERS);
        let text = serde_json::to_string(&first).unwrap();
        let second = Snapshot::from_json(&text).unwrap();
        assert_eq!(first, second);
        assert_eq!(text, serde_json::to_string(&second).unwrap());
    }

    #[test]
    fn contradictions() {
        for (answers, code) in [
            (
                r#"{"name":"a.example","type":"A","records":["192.0.2.1"]},{"name":"a.example","type":"A","records":["192.0.2.2"]}"#,
                "snapshot.contradiction",
            ),
            (
                r#"{"name":"a.example","type":"A","records":["192.0.2.1"]},{"name":"a.example","type":"TXT","status":"nxdomain"}"#,
                "snapshot.contradiction",
            ),
            (
                r#"{"name":"b.a.example","type":"A","records":["192.0.2.1"]},{"name":"a.example","type":"TXT","status":"nxdomain"}"#,
                "snapshot.contradiction",
            ),
            (
                r#"{"name":"a.example","type":"A","records":["192.0.2.1"]},{"name":"a.example","type":"CNAME","records":["b.example"]}"#,
                "snapshot.alias-with-data",
            ),
            (
                r#"{"name":"a.example","type":"A","status":"nxdomain","records":["192.0.2.1"]}"#,
                "snapshot.status-with-records",
            ),
            (r#"{"name":"a.example","type":"A","status":"refused"}"#, "snapshot.unknown-status"),
            (r#"{"name":"a.example","type":"A","records":["192.0.2"]}"#, "dns.bad-record"),
            (r#"{"name":"ä.example","type":"A"}"#, "dns.not-ascii"),
            (r#"{"name":"a.example","type":"TXT","records":["ä"]}"#, "dns.not-ascii"),
            (r#"{"name":"a.example","type":"TXT","records":["\\9"]}"#, "dns.bad-escape"),
            (r#"{"name":"a.example","type":"BOGUS"}"#, "dns.unknown-type"),
        ] {
            assert_eq!(codes(answers), [code], "{answers}");
        }
    }

    #[test]
    fn better_quality_wins() {
        let two = r#"{"name":"a.example","type":"A","ttl":60,"records":["192.0.2.1"]},
            {"name":"a.example","type":"A","ttl":300,"authoritative":true,"records":["192.0.2.2"]}"#;
        let snapshot = snapshot(false, two);
        let Answer::Records(rrset) = snapshot.answer(&name("a.example"), RecordType::A) else { panic!() };
        assert_eq!((rrset.ttl(), rrset.quality()), (Some(300), Quality::Authoritative));
    }

    #[test]
    fn several_documents_are_one_snapshot() {
        let document = |head: &str, answers: &str| {
            format!("{{\"format\":\"sendershift-snapshot/1\",{head}\n\"answers\":[{answers}]}}")
        };
        let cached = r#"{"name":"a.example","type":"A","ttl":60,"records":["192.0.2.1"]}"#;
        let better = r#"{"name":"a.example","type":"A","authoritative":true,"records":["192.0.2.2"]}"#;
        let gone = r#"{"name":"example","type":"TXT","status":"nxdomain"}"#;
        let closed = document(r#""closed":true,"taken":"2022-01-24","#, cached);
        let open = document(r#""taken":"2022-01-23","#, better);
        let read = |texts: &[&str]| {
            let names = ["one.json", "two.json"];
            Snapshot::from_sources(&names.into_iter().zip(texts.iter().copied()).collect::<Vec<_>>())
        };
        for texts in [[&*closed, &*open], [&*open, &*closed]] {
            let merged = read(&texts).unwrap();
            assert!(!merged.closed());
            assert_eq!(merged.taken(), Some("2022-01-23T00:00:00Z".parse().unwrap()));
            let Answer::Records(rrset) = merged.answer(&name("a.example"), RecordType::A) else { panic!() };
            assert_eq!(rrset.records().to_texts(), ["192.0.2.2"]);
        }
        let differs = document("", &cached.replace("192.0.2.1", "192.0.2.9"));
        let (index, invalid) = read(&[&closed, &differs]).unwrap_err().pop().unwrap();
        assert_eq!((index, invalid.problems[0].code), (1, "snapshot.contradiction"));
        assert!(invalid.problems[0].help.as_deref().unwrap().contains("line 2 of one.json"));
        let (index, invalid) = read(&[&closed, &document("", gone)]).unwrap_err().pop().unwrap();
        assert_eq!((index, invalid.problems[0].code), (1, "snapshot.contradiction"));
        let both = read(&["{", "["]).unwrap_err();
        assert_eq!(both.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn recording_asks_each_question_once() {
        let base = snapshot(false, ANSWERS);
        let recording = Recording::new(&base);
        for at in ["new.example", "new.example", "a.example", "gone.example"] {
            recording.answer(&name(at), RecordType::Txt);
        }
        let missing = recording.complete(()).unwrap_err();
        assert_eq!(missing.questions, [Question::new(name("new.example"), RecordType::Txt)]);
    }

    #[test]
    fn overlay() {
        let base = snapshot(true, ANSWERS);
        let mut overlay = Overlay::new(&base);
        let txt = |text| {
            RrSet::new(Records::Txt(vec![Txt::from_text(text).unwrap()]), Some(60), Quality::Authoritative)
        };
        overlay.publish(&name("new.gone.example"), txt("new"));
        overlay.publish(&name("alias.example"), txt("now a text"));
        overlay.remove(&name("alias.example"), RecordType::Cname);
        overlay.remove(&name("a.example"), RecordType::Txt);
        overlay.fail(&name("x.y.example"), RecordType::A);
        assert_eq!(overlay.answer(&name("gone.example"), RecordType::A), Answer::NoData);
        assert_eq!(overlay.answer(&name("other.gone.example"), RecordType::A), Answer::NxDomain);
        assert_eq!(overlay.answer(&name("alias.example"), RecordType::A), Answer::NoData);
        assert_eq!(overlay.answer(&name("a.example"), RecordType::Txt), Answer::NoData);
        assert_eq!(overlay.answer(&name("x.y.example"), RecordType::A), Answer::Failed);
        assert!(matches!(overlay.answer(&name("alias.example"), RecordType::Txt), Answer::Records(_)));
    }

    #[test]
    fn negative_ttl_is_the_smaller_of_ttl_and_minimum() {
        let soa = r#"{"name":"example","type":"SOA","ttl":900,"authoritative":true,"records":["ns. host. 1 2 3 4 3600"]},
            {"name":"cached.test","type":"SOA","ttl":900,"records":["ns. host. 1 2 3 4 3600"]}"#;
        assert_eq!(negative_ttl(&snapshot(true, soa), &name("a.b.example")), Some(900));
        assert_eq!(
            negative_ttl(&snapshot(true, soa), &name("cached.test")),
            None,
            "a cached TTL is no bound"
        );
        assert_eq!(
            negative_ttl(&snapshot(false, soa), &name("a.b.example")),
            None,
            "b.example may be a zone of its own"
        );
    }
}
