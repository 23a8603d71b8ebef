//! A [`Snapshot`]: what DNS said, and when, as a document (`sendershift-snapshot/1`).

mod complete;
mod merge;
mod message;
mod places;
mod read;
mod rebase;
#[cfg(test)]
mod tests;
mod write;
mod zones;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
pub(crate) use merge::{Source, read as merge};
use places::{Place, Places};
pub(crate) use read::read_record_list;
use read::{read_answer, read_name};
use zones::Extent;

use super::{Answer, Evidence, Quality, RecordType, RrSet};
use crate::document::{Reader, Value};
use crate::error::{Invalid, Problem};
use crate::name::DomainName;
use crate::suffix::{PublicSuffix, SuffixRule, SuffixRules, public_suffix};

/// The `format` of a snapshot document.
pub const FORMAT: &str = "sendershift-snapshot/1";

/// What DNS said: answers to questions, each with its quality.
///
/// A name that is listed exists, and so do its ancestors. In a *closed* snapshot everything else does not exist;
/// in an open one it is unknown, except within its *zones*: at and below their names, down to delegations, what is not listed
/// does not exist either, and wildcards answer (RFC 4592).
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
    /// The zones whose answers these are, by their names.
    zones: BTreeSet<DomainName>,
    nodes: BTreeMap<DomainName, Node>,
    /// The rules of the public suffix list for some of the names.
    public_suffixes: SuffixRules,
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

    /// Reads several texts as one snapshot; each comes with the name by which problems refer to it. A text that begins with
    /// `{` is a snapshot document, any other a zone file ([`Snapshot::from_zone`]).
    ///
    /// Of two answers to one question the better quality wins, and a zone decides what is in it. What is not listed does not
    /// exist only if every document says so of itself, and the snapshot is as old as the oldest of them.
    ///
    /// # Errors
    ///
    /// The problems of each text that has any, with its index, as for [`Snapshot::from_json`] and [`Snapshot::from_zone`].
    pub fn from_sources(sources: &[(&str, &str)]) -> Result<Self, Vec<(usize, Invalid)>> {
        let sources: Vec<Source<'_>> =
            sources.iter().map(|(name, text)| Source { name, text, value: None }).collect();
        let (snapshot, problems) = merge(&sources);
        let mut invalid = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            let of_this = problems.iter().filter(|(of, _)| *of == index);
            let problems = of_this.map(|(_, problem)| problem.clone()).collect();
            let told = Invalid::unless(problems, source.text, ()).err();
            invalid.extend(told.map(|problems| (index, problems)));
        }
        if invalid.is_empty() { Ok(snapshot) } else { Err(invalid) }
    }

    /// Reads a snapshot that stands inside another document.
    pub(crate) fn read(reader: &mut Reader, value: &Value, text: &str) -> Option<Self> {
        let (snapshot, problems) = merge(&[Source { name: "", text, value: Some(value) }]);
        let good = problems.is_empty();
        reader.problems.extend(problems.into_iter().map(|(_, problem)| problem));
        good.then_some(snapshot)
    }

    /// Reads a document.
    fn read_document(reader: &mut Reader, value: &Value, places: &mut Places<'_>) -> Option<Self> {
        let mut fields = reader.fields(value)?;
        if !reader.format(&mut fields, FORMAT) {
            return None;
        }
        let taken = fields.optional("taken").and_then(|value| reader.timestamp(value));
        let closed = fields.optional("closed").and_then(|value| reader.boolean(value)).unwrap_or(false);
        let mut snapshot = Self { taken, closed, ..Self::default() };
        let zones = fields.optional("zones").map(|value| reader.list(value)).unwrap_or_default();
        if let Some(answers) = fields.required(reader, "answers") {
            for answer in reader.list(answers) {
                if let Some((name, record_type, stored)) = read_answer(reader, answer) {
                    let place = (places.source, answer.span);
                    snapshot.add(places, (name, record_type), stored, place);
                }
            }
        }
        for zone in zones {
            let Some(name) = reader.parsed(zone, read_name) else { continue };
            if !matches!(snapshot.listed(&name, RecordType::Soa), Some(Content::Records(_))) {
                let message = format!("there is no SOA record of the zone {name}");
                let problem = Problem::new("snapshot.zone-without-soa", message).at(zone.span);
                reader.problem(problem.help("list its SOA record among the answers, or take the zone out"));
            }
            snapshot.zones.insert(name);
        }
        if let Some(rules) = fields.optional("public_suffixes") {
            let rules = reader.list(rules).iter().filter_map(|rule| reader.parsed(rule, SuffixRule::parse));
            snapshot.public_suffixes.extend(rules.collect::<Vec<_>>());
        }
        fields.finish(reader);
        snapshot.complete(places);
        Some(snapshot)
    }

    /// What is listed for a question.
    fn listed(&self, name: &DomainName, record_type: RecordType) -> Option<&Content> {
        self.nodes.get(name)?.content(record_type)
    }

    /// Adds an answer; of two to one question the better quality wins.
    fn add(
        &mut self,
        places: &mut Places<'_>,
        (name, record_type): (DomainName, RecordType),
        stored: Stored,
        place: Place,
    ) {
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
            (Ordering::Less, _) => {
                *old = stored;
                places.of.insert((name, record_type), place);
            }
            (Ordering::Equal, false) => {
                let first = places.of.get(&(name.clone(), record_type)).copied();
                places.contradiction(&format!("two answers to {name} {record_type} differ"), place, first);
            }
            _ => {}
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

    /// The rules of the public suffix list that come with the answers.
    pub fn public_suffixes(&self) -> &SuffixRules {
        &self.public_suffixes
    }

    /// Keeps the rules of the public suffix list of this build that are for any of some names: so the evidence says the same
    /// of them when the list is another one. Rules that are there already stay.
    pub(crate) fn keep_public_suffixes<'n>(&mut self, names: impl Iterator<Item = &'n DomainName>) {
        let rules: Vec<SuffixRule> = names.filter_map(|name| self.public_suffix(name)?.as_rule()).collect();
        self.public_suffixes.extend(rules);
    }

    /// The names that exist by this snapshot, in text order.
    pub fn names(&self) -> impl Iterator<Item = &DomainName> {
        self.nodes.iter().filter(|(_, node)| node.nxdomain.is_none()).map(|(name, _)| name)
    }

    /// The names that do not exist by an answer of this snapshot, in text order.
    pub(crate) fn nonexistent(&self) -> impl Iterator<Item = &DomainName> {
        self.nodes.iter().filter(|(_, node)| node.nxdomain.is_some()).map(|(name, _)| name)
    }

    /// Whether a name is listed as one that exists, or something below it is.
    pub fn lists(&self, name: &DomainName) -> bool {
        self.nodes.get(name).is_some_and(|node| node.nxdomain.is_none())
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
        self.nonexistence(name).or_else(|| {
            let is_asked =
                |(kind, s): &&(RecordType, Stored)| *kind == record_type && s.content == Content::NoData;
            let (_, stored) = self.nodes.get(name)?.sets.iter().find(is_asked)?;
            Some((stored.ttl, stored.quality))
        })
    }

    /// The TTL, in seconds, and the quality of an answer that denies the name, where one is listed.
    pub fn nonexistence(&self, name: &DomainName) -> Option<(Option<u32>, Quality)> {
        let stored = self.nodes.get(name)?.nxdomain.as_ref()?;
        Some((stored.ttl, stored.quality))
    }
}

impl Evidence for Snapshot {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        match self.nodes.get(name) {
            Some(node) => node.answer(record_type).unwrap_or_else(|| match self.extent(name, record_type) {
                Extent::Zone(_) | Extent::Closed => Answer::NoData,
                Extent::Open => Answer::Unknown,
            }),
            None => self.unlisted(name, record_type),
        }
    }

    fn assumed(&self, name: &DomainName, record_type: RecordType) -> Option<&str> {
        let wildcard = if self.nodes.contains_key(name) { None } else { self.wildcard(name) };
        let node = self.nodes.get(wildcard.as_ref().unwrap_or(name))?;
        let says = |kind| kind == record_type || kind == RecordType::Cname;
        let stored = node.sets.iter().filter(|(kind, _)| says(*kind)).map(|(_, stored)| stored);
        stored.chain(&node.nxdomain).find_map(|stored| stored.note.assumed.as_deref())
    }

    fn wildcard(&self, name: &DomainName) -> Option<DomainName> {
        if self.zones.is_empty() || self.nodes.contains_key(name) {
            return None;
        }
        self.source_of_synthesis(name, RecordType::A).map(|(wildcard, _)| wildcard)
    }

    fn listed_names(&self) -> Vec<&DomainName> {
        self.names().collect()
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.public_suffixes.look_up(name).or_else(|| public_suffix(name))
    }
}

impl Node {
    fn content(&self, record_type: RecordType) -> Option<&Content> {
        self.sets.iter().find(|(kind, _)| *kind == record_type).map(|(_, stored)| &stored.content)
    }

    fn has(&self, record_type: RecordType) -> bool {
        matches!(self.content(record_type), Some(Content::Records(_)))
    }

    /// What is listed at the name; none where that does not answer the question.
    fn answer(&self, record_type: RecordType) -> Option<Answer<'_>> {
        if self.nxdomain.is_some() {
            return Some(Answer::NxDomain);
        }
        match (self.content(record_type), self.content(RecordType::Cname)) {
            (Some(Content::Records(rrset)), _) => Some(Answer::Records(rrset)),
            (Some(Content::Failed(_)), _) => Some(Answer::Failed),
            (Some(Content::NoData), _) => Some(Answer::NoData),
            (_, Some(Content::Records(rrset))) => Some(Answer::Alias(rrset)),
            _ => None,
        }
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
