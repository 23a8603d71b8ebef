//! Several texts as one snapshot.

use std::cmp::Reverse;

#[cfg(feature = "zone")]
use super::Note;
use super::places::{Place, Places};
use super::zones::Extent;
use super::{Content, FORMAT, Snapshot, Stored};
#[cfg(feature = "zone")]
use crate::dns::zone::ZoneFile;
use crate::dns::{Answer, Evidence, Quality, RecordType};
use crate::document::{BYTE_ORDER_MARK, Reader, Value, misplaced};
use crate::error::{Problem, Span};
use crate::name::DomainName;

/// A text with evidence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// The name by which problems refer to it.
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    /// The snapshot document, where it is a part of the text.
    pub(crate) value: Option<&'a Value>,
}

/// One text, read by itself.
struct Document<'a> {
    snapshot: Snapshot,
    places: Places<'a>,
}

/// Reads all texts. With problems, each with the index of its text, the snapshot is of no use.
pub(crate) fn read<'a>(sources: &'a [Source<'a>]) -> (Snapshot, Vec<(usize, Problem)>) {
    let mut documents: Vec<Document<'a>> =
        (0..).zip(sources).map(|(index, source)| Document::read(sources, index, source)).collect();
    let problems: Vec<_> =
        documents.iter_mut().flat_map(|document| std::mem::take(&mut document.places.problems)).collect();
    match documents.pop() {
        Some(only) if documents.is_empty() => (only.snapshot, problems),
        Some(last) if problems.is_empty() => {
            documents.push(last);
            merged(sources, &documents)
        }
        _ => (Snapshot::default(), problems),
    }
}

impl<'a> Document<'a> {
    fn read(sources: &'a [Source<'a>], index: usize, source: &Source<'_>) -> Self {
        let mut places = Places::new(sources, index);
        let mut reader = Reader::default();
        let mut snapshot = None;
        match source.value {
            Some(value) => snapshot = Snapshot::read_document(&mut reader, value, &mut places),
            None if is_json(source.text) => match Value::from_json(source.text) {
                Ok(value) => snapshot = Snapshot::read_document(&mut reader, &value, &mut places),
                Err(problem) => reader.problem(misplaced(source.text, FORMAT).unwrap_or(problem)),
            },
            None => snapshot = Snapshot::read_zone(source.text, &mut reader, &mut places),
        }
        places.problems.extend(reader.problems.into_iter().map(|problem| (index, problem)));
        Self { snapshot: snapshot.unwrap_or_default(), places }
    }
}

/// Without the reader of zone files every text is a document.
fn is_json(text: &str) -> bool {
    cfg!(not(feature = "zone")) || text.trim_start_matches(BYTE_ORDER_MARK).trim_start().starts_with('{')
}

fn merged<'a>(sources: &'a [Source<'a>], documents: &[Document<'a>]) -> (Snapshot, Vec<(usize, Problem)>) {
    let mut places = Places::new(sources, 0);
    let taken = documents.iter().map(|document| document.snapshot.taken);
    let mut snapshot = Snapshot {
        taken: taken.reduce(|one, two| one.zip(two).map(|(one, two)| one.min(two))).flatten(),
        closed: documents.iter().all(|document| document.snapshot.closed),
        zones: documents.iter().flat_map(|document| document.snapshot.zones.iter().cloned()).collect(),
        ..Snapshot::default()
    };
    let rules = documents.iter().flat_map(|document| document.snapshot.public_suffixes.iter().cloned());
    snapshot.public_suffixes.extend(rules);
    for (index, document) in documents.iter().enumerate() {
        for (name, node) in &document.snapshot.nodes {
            let denial = node.nxdomain.iter().map(|stored| (RecordType::Txt, stored));
            for (record_type, stored) in denial.chain(node.sets.iter().map(|(kind, stored)| (*kind, stored)))
            {
                let place = document.places.of.get(&(name.clone(), record_type)).copied();
                let place = place.or_else(|| document.places.first(name)).unwrap_or((index, Span::default()));
                let question = (name.clone(), record_type);
                if !decided(documents, index, &question, stored, place, &mut places) {
                    snapshot.add(&mut places, question, stored.clone(), place);
                }
            }
        }
    }
    snapshot.complete(&mut places);
    (snapshot, places.problems)
}

/// Compares an answer with the zones of other documents that the name is in, and says whether one of them answers in its
/// place: the deepest zone decides, at equal depth the first document that holds it.
fn decided(
    documents: &[Document<'_>],
    index: usize,
    (name, record_type): &(DomainName, RecordType),
    stored: &Stored,
    place: Place,
    places: &mut Places<'_>,
) -> bool {
    let zones: Vec<(usize, DomainName)> = (0..)
        .zip(documents)
        .filter_map(|(at, document)| match document.snapshot.extent(name, *record_type) {
            Extent::Zone(zone) => Some((at, zone)),
            Extent::Closed | Extent::Open => None,
        })
        .collect();
    let own = |zone| documents.get(index).is_some_and(|document| document.snapshot.zones.contains(zone));
    for (at, zone) in zones.iter().filter(|(at, _)| *at != index) {
        let Some(other) = documents.get(*at) else { continue };
        // What a zone says is authoritative, also of what is not in it. Two files with one zone have to agree in all of it.
        let may_be_worse = !own(zone) && stored.quality < Quality::Authoritative;
        if may_be_worse || stored.agrees(other.snapshot.answer(name, *record_type)) {
            continue;
        }
        let of = &other.places.of;
        let listed = of.get(&(name.clone(), *record_type)).copied().or_else(|| other.places.first(name));
        let wildcard = other.snapshot.wildcard(name).and_then(|wildcard| other.places.first(&wildcard));
        let soa = of.get(&(zone.clone(), RecordType::Soa)).copied();
        let message = format!("the answer to {name} {record_type} is not that of the zone {zone}");
        places.contradiction(&message, place, listed.or(wildcard).or(soa));
    }
    let deepest = zones.iter().max_by_key(|(at, zone)| (zone.label_count(), Reverse(*at)));
    deepest.is_some_and(|(at, _)| *at != index)
}

impl Stored {
    /// Whether another document gives the same answer; a failure says nothing against any.
    fn agrees(&self, answer: Answer<'_>) -> bool {
        match (&self.content, answer) {
            (Content::Failed(_), _)
            | (Content::NoData, Answer::NoData)
            | (Content::NxDomain, Answer::NxDomain) => true,
            (Content::Records(one), Answer::Records(two)) => {
                one.records().same_as(two.records()) && one.ttl() == two.ttl()
            }
            _ => false,
        }
    }
}

impl Snapshot {
    /// Reads a zone file.
    #[cfg(feature = "zone")]
    fn read_zone(text: &str, reader: &mut Reader, places: &mut Places<'_>) -> Option<Self> {
        let (zone, problems) = ZoneFile::read(text, None);
        if !problems.is_empty() {
            match misplaced(text, FORMAT) {
                Some(problem) => reader.problem(problem),
                None => reader.problems.extend(problems),
            }
            return None;
        }
        let zone = zone?;
        for set in &zone.rrsets {
            let question = (set.name.clone(), set.rrset.records().record_type());
            places.of.insert(question, (places.source, set.span));
        }
        Some(Self::of_zone(&zone))
    }

    /// A build without the reader of zone files.
    #[cfg(not(feature = "zone"))]
    fn read_zone(_text: &str, _reader: &mut Reader, _places: &mut Places<'_>) -> Option<Self> {
        None
    }

    /// The answers of a zone's own servers.
    #[cfg(feature = "zone")]
    pub(in crate::dns) fn of_zone(zone: &ZoneFile) -> Self {
        let mut snapshot = Self { zones: [zone.apex.clone()].into(), ..Self::default() };
        for set in zone.rrsets.iter().filter(|set| set.answers) {
            let stored = Stored {
                content: Content::Records(set.rrset.clone()),
                ttl: set.rrset.ttl(),
                quality: set.rrset.quality(),
                note: Note::default(),
            };
            let node = snapshot.nodes.entry(set.name.clone()).or_default();
            node.sets.push((set.rrset.records().record_type(), stored));
        }
        snapshot.complete(&mut Places::new(&[], 0));
        snapshot
    }
}
