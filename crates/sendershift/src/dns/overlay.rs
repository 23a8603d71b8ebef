//! Evidence with changes on top.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Evidence, RecordType, RrSet};
use crate::name::DomainName;

/// Evidence as it would be after some RRsets were published, replaced or removed.
///
/// Publishing makes a name and its ancestors exist. Removing makes a question NODATA, and leaves the rest of
/// what the base says about the name; a name whose existence the base denies still does not exist unless
/// something is published at it or below it.
#[derive(Clone, Debug)]
pub struct Overlay<E> {
    base: E,
    changes: BTreeMap<(DomainName, RecordType), Change>,
    existing: BTreeSet<DomainName>,
}

#[derive(Clone, Debug)]
enum Change {
    Published(RrSet),
    Removed,
    Failed,
}

impl<E: Evidence> Overlay<E> {
    /// The base without changes.
    pub fn new(base: E) -> Self {
        Self { base, changes: BTreeMap::new(), existing: BTreeSet::new() }
    }

    /// Publishes an RRset in place of what is there.
    pub fn publish(&mut self, name: &DomainName, rrset: RrSet) {
        let record_type = rrset.records().record_type();
        self.existing.extend(name.ancestors());
        self.changes.insert((name.clone(), record_type), Change::Published(rrset));
    }

    /// Removes an RRset, if it is there.
    pub fn remove(&mut self, name: &DomainName, record_type: RecordType) {
        self.changes.insert((name.clone(), record_type), Change::Removed);
    }

    /// Lets a question fail, as if servers did not answer.
    pub fn fail(&mut self, name: &DomainName, record_type: RecordType) {
        self.changes.insert((name.clone(), record_type), Change::Failed);
    }
}

impl<E: Evidence> Evidence for Overlay<E> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        match self.changes.get(&(name.clone(), record_type)) {
            Some(Change::Published(rrset)) => return Answer::Records(rrset),
            Some(Change::Failed) => return Answer::Failed,
            Some(Change::Removed) | None => {}
        }
        let removed = |record_type| self.changes.contains_key(&(name.clone(), record_type));
        match self.changes.get(&(name.clone(), RecordType::Cname)) {
            Some(Change::Published(alias)) => return Answer::Alias(alias),
            Some(Change::Failed) => return Answer::Failed,
            Some(Change::Removed) | None => {}
        }
        match self.base.answer(name, record_type) {
            Answer::NxDomain if self.existing.contains(name) => Answer::NoData,
            Answer::NxDomain => Answer::NxDomain,
            Answer::Alias(_) if removed(RecordType::Cname) => Answer::NoData,
            Answer::Alias(alias) => Answer::Alias(alias),
            _ if removed(record_type) => Answer::NoData,
            other => other,
        }
    }

    fn assumed(&self, name: &DomainName, record_type: RecordType) -> Option<&str> {
        let is_ours = self.changes.contains_key(&(name.clone(), record_type));
        if is_ours { None } else { self.base.assumed(name, record_type) }
    }
}
