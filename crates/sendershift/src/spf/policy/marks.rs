//! What a compiler notes at the leaves besides results and costs: nothing, or which terms lead there.

use std::collections::BTreeMap;

use serde::Serialize;

use super::diagram::Leaf;
use crate::name::DomainName;
use crate::spf::SpfRecord;

/// Where in the evaluation of a domain's record it ends, or goes on to another record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// At the term with this index.
    Term(usize),
    /// Nowhere in the record.
    Other(End),
}

/// What ends an evaluation that is no term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum End {
    /// No term matches: neutral (RFC 7208 section 4.7).
    Default,
    /// The domain has no record (sections 4.5, 5.2, 6.1).
    NoRecord,
    /// It has more than one (section 4.5).
    SeveralRecords,
    /// It has one that does not keep to the grammar (section 4.6).
    InvalidRecord,
    /// DNS does not answer (section 4.4).
    NoAnswer,
    /// Its record is being evaluated already.
    Loop,
    /// Records are nested too deep.
    TooDeep,
    /// The name is none that has a record (section 4.3).
    BadName,
}

/// Notes of one kind.
pub(super) trait Marks {
    /// A note at a leaf.
    type Mark: Copy + Ord;

    /// The record of a domain is evaluated.
    fn enter(&mut self, _domain: &DomainName, _record: &SpfRecord) {}

    /// The evaluation of a domain's record ends at this place.
    fn end(&mut self, domain: &DomainName, place: Place) -> Self::Mark;

    /// The same, by what the record says that the term refers to.
    fn through(&mut self, domain: &DomainName, term: usize, inner: Self::Mark) -> Self::Mark;

    /// An include does not match, since its record ends at `inner`, and the evaluation ends at `rest`.
    fn pass_by(&mut self, inner: Self::Mark, rest: Self::Mark) -> Self::Mark;
}

/// A leaf with a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Marked<M> {
    pub(super) leaf: Leaf,
    pub(super) mark: M,
}

/// Notes nothing, and costs nothing.
impl Marks for () {
    type Mark = ();

    fn end(&mut self, _domain: &DomainName, _place: Place) {}
    fn through(&mut self, _domain: &DomainName, _term: usize, _inner: ()) {}
    fn pass_by(&mut self, _inner: (), _rest: ()) {}
}

/// A place in the record of the domain with this number.
pub(super) type Site = (usize, Place);

/// Notes the chain of terms that decides: from the term of the first record on to the last term in the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chains {
    /// The domains, in the order in which they were met.
    pub(super) domains: Vec<DomainName>,
    numbers: BTreeMap<DomainName, usize>,
    /// The records that are evaluated.
    pub(super) records: BTreeMap<DomainName, SpfRecord>,
    /// Each chain by its first site, and the chain of the rest.
    links: Vec<(Site, Option<usize>)>,
    index: BTreeMap<(Site, Option<usize>), usize>,
}

impl Chains {
    fn site(&mut self, domain: &DomainName, place: Place) -> Site {
        if let Some(number) = self.numbers.get(domain) {
            return (*number, place);
        }
        let number = self.domains.len();
        self.domains.push(domain.clone());
        self.numbers.insert(domain.clone(), number);
        (number, place)
    }

    fn link(&mut self, site: Site, rest: Option<usize>) -> usize {
        *self.index.entry((site, rest)).or_insert_with(|| {
            self.links.push((site, rest));
            self.links.len() - 1
        })
    }

    /// The number of a domain.
    pub(super) fn number(&self, domain: &DomainName) -> Option<usize> {
        self.numbers.get(domain).copied()
    }

    /// The sites of a chain, the outermost first.
    pub(super) fn sites(&self, chain: usize) -> impl Iterator<Item = Site> {
        let link = |chain: usize| self.links.get(chain).copied();
        std::iter::successors(link(chain), move |(_, rest)| link((*rest)?)).map(|(site, _)| site)
    }
}

impl Marks for Chains {
    type Mark = usize;

    fn enter(&mut self, domain: &DomainName, record: &SpfRecord) {
        if !self.records.contains_key(domain) {
            self.records.insert(domain.clone(), record.clone());
        }
    }

    fn end(&mut self, domain: &DomainName, place: Place) -> usize {
        let site = self.site(domain, place);
        self.link(site, None)
    }

    fn through(&mut self, domain: &DomainName, term: usize, inner: usize) -> usize {
        let site = self.site(domain, Place::Term(term));
        self.link(site, Some(inner))
    }

    fn pass_by(&mut self, _inner: usize, rest: usize) -> usize {
        rest
    }
}

/// Notes which of some terms an evaluation meets: they match first in their record, or refer to a record that decides or that makes
/// an include not match.
pub(super) struct Met<'a> {
    /// The terms looked for, by domain and index, each with a bit of its own.
    pub(super) wanted: &'a BTreeMap<DomainName, BTreeMap<usize, u64>>,
}

impl Met<'_> {
    fn bit(&self, domain: &DomainName, term: usize) -> u64 {
        self.wanted.get(domain).and_then(|terms| terms.get(&term)).copied().unwrap_or(0)
    }
}

impl Marks for Met<'_> {
    type Mark = u64;

    fn end(&mut self, domain: &DomainName, place: Place) -> u64 {
        match place {
            Place::Term(term) => self.bit(domain, term),
            Place::Other(_) => 0,
        }
    }

    fn through(&mut self, domain: &DomainName, term: usize, inner: u64) -> u64 {
        self.bit(domain, term) | inner
    }

    fn pass_by(&mut self, inner: u64, rest: u64) -> u64 {
        inner | rest
    }
}
