//! A snapshot in which some answers are exchanged for those of another day.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Content, Node, Note, Snapshot, Stored};
use crate::dns::{Answer, Evidence, Quality, Question, RecordType, RrSet};
use crate::name::DomainName;

/// What a denial of a name says of each type, once something turns out to be there.
const DENIED: [RecordType; 8] = [
    RecordType::A,
    RecordType::Aaaa,
    RecordType::Cname,
    RecordType::Mx,
    RecordType::Ns,
    RecordType::Ptr,
    RecordType::Soa,
    RecordType::Txt,
];

impl Snapshot {
    /// The questions that somebody answered: not those that failed, nor those whose answer was assumed.
    pub(crate) fn answered(&self) -> impl Iterator<Item = Question> + '_ {
        let is_told =
            |stored: &Stored| stored.note.assumed.is_none() && !matches!(stored.content, Content::Failed(_));
        self.nodes.iter().flat_map(move |(name, node)| {
            let denial = node.nxdomain.iter().map(|stored| (RecordType::Txt, stored));
            let all = denial.chain(node.sets.iter().map(|(kind, stored)| (*kind, stored)));
            all.filter(move |(_, stored)| is_told(stored)).map(|(kind, _)| Question::new(name.clone(), kind))
        })
    }

    /// The snapshot as if it had been taken at another time.
    pub(crate) fn dated(self, taken: Option<Timestamp>) -> Self {
        Self { taken, ..self }
    }

    /// Takes over what was assumed on another day, where nothing is known here, and the rules of the public suffix list that were
    /// used then.
    pub(crate) fn assume(&mut self, other: &Self) {
        self.public_suffixes.extend(other.public_suffixes.iter().cloned());
        for (name, node) in &other.nodes {
            for (kind, stored) in node.sets.iter().filter(|(_, stored)| stored.note.assumed.is_some()) {
                if self.answer(name, *kind) == Answer::Unknown {
                    self.store(name, *kind, stored.clone());
                }
            }
            let denial = node.nxdomain.as_ref().filter(|stored| stored.note.assumed.is_some());
            if let Some(stored) = denial.filter(|_| self.answer(name, RecordType::Txt) == Answer::Unknown) {
                let node = self.nodes.entry(name.clone()).or_default();
                if node.sets.is_empty() {
                    node.nxdomain = Some(stored.clone());
                }
            }
        }
    }

    /// Lets a question have this RRset for an answer, with the note that `from` has beside it. The name exists from now on, as do
    /// those above it; of a name that was denied it stays known that it has nothing else.
    pub(crate) fn publish(&mut self, question: &Question, rrset: RrSet, from: &Self) {
        let denied = |name: &DomainName| self.nodes.get(name).and_then(|node| node.nxdomain.clone());
        let top = question.name.ancestors().filter(|name| denied(name).is_some()).last();
        if let Some(denial) = top.as_ref().and_then(denied) {
            let denied = question.name.ancestors().take_while(|name| Some(name) != top.as_ref());
            for name in denied.collect::<Vec<_>>().into_iter().chain(top) {
                self.nodes.entry(name.clone()).or_default().nxdomain = None;
                for kind in DENIED {
                    self.store(&name, kind, Stored { content: Content::NoData, ..denial.clone() });
                }
            }
        }
        let note = from.note(question).cloned().unwrap_or_default();
        let (ttl, quality) = (rrset.ttl(), rrset.quality());
        let stored = Stored { content: Content::Records(rrset), ttl, quality, note };
        self.store(&question.name, question.record_type, stored);
    }

    /// Lets a question have no records for an answer, which may be remembered for `ttl` seconds. A name that does not exist
    /// stays one, and an alias says it itself.
    pub(crate) fn withhold(&mut self, question: &Question, ttl: Option<u32>, quality: Quality) {
        let Question { name, record_type } = question;
        if *record_type != RecordType::Cname
            && let Some(node) = self.nodes.get_mut(name)
            && node.sets.iter().any(|(kind, stored)| {
                *kind == RecordType::Cname && matches!(stored.content, Content::Records(_))
            })
        {
            node.sets.retain(|(kind, _)| kind != record_type);
            return;
        }
        let content = match self.answer(name, *record_type) {
            Answer::NxDomain => Content::NxDomain,
            _ => Content::NoData,
        };
        let is_denied = content == Content::NxDomain;
        let stored = Stored { content, ttl, quality, note: Note::default() };
        if is_denied {
            self.nodes.entry(name.clone()).or_default().nxdomain = Some(stored);
        } else {
            self.store(name, *record_type, stored);
        }
    }

    /// Lets those of some names not exist that exist for what was withheld alone, and do not by another snapshot: so nobody takes them for names
    /// that are there.
    pub(crate) fn deny<'n>(&mut self, names: impl Iterator<Item = &'n DomainName>, other: &Self) {
        let has_records =
            |node: &Node| node.sets.iter().any(|(_, of)| matches!(of.content, Content::Records(_)));
        let exist = self.nodes.iter().filter(|(_, node)| has_records(node));
        let exist: BTreeSet<DomainName> = exist.flat_map(|(name, _)| name.ancestors()).collect();
        for name in names {
            let negative = self.nodes.get(name).and_then(|node| {
                let negative =
                    node.sets.iter().map(|(_, stored)| stored).filter(|of| of.content == Content::NoData);
                negative.max_by_key(|stored| stored.ttl).cloned()
            });
            let Some(negative) = negative else { continue };
            let is_gone = |name: &DomainName| {
                !exist.contains(name) && other.answer(name, RecordType::Txt) == Answer::NxDomain
            };
            for name in name.ancestors().take_while(is_gone) {
                let node = self.nodes.entry(name).or_default();
                node.sets.clear();
                let longer = node.nxdomain.take().filter(|known| known.ttl >= negative.ttl);
                node.nxdomain =
                    longer.or_else(|| Some(Stored { content: Content::NxDomain, ..negative.clone() }));
            }
        }
    }

    fn note(&self, question: &Question) -> Option<&Note> {
        let sets = &self.nodes.get(&question.name)?.sets;
        let is_asked = |(kind, _): &&(RecordType, Stored)| *kind == question.record_type;
        sets.iter().find(is_asked).map(|(_, stored)| &stored.note)
    }

    /// Puts an answer in the place of the one that is there.
    fn store(&mut self, name: &DomainName, kind: RecordType, stored: Stored) {
        for above in name.ancestors().skip(1) {
            self.nodes.entry(above).or_default();
        }
        let sets = &mut self.nodes.entry(name.clone()).or_default().sets;
        sets.retain(|(other, _)| *other != kind);
        sets.push((kind, stored));
        sets.sort_by_key(|(kind, _)| *kind);
    }
}
