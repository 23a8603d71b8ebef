//! Evidence with changes on top.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Evidence, RecordType, RrSet};
use crate::name::DomainName;
use crate::suffix::PublicSuffix;

/// Evidence as it would be after some RRsets were published, replaced or removed.
///
/// Publishing makes a name and its ancestors exist, and so hides a wildcard of the base from them and from what is below
/// them, for all types (RFC 4592 section 2.2.1). Removing makes a question NODATA, and leaves the rest of
/// what the base says about the name; a name whose existence the base denies still does not exist unless
/// something is published at it or below it. A name that is removed does not fall back to a wildcard, and a name that begins
/// with an asterisk is an ordinary name when it is published.
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

impl<E: Evidence> Overlay<E> {
    /// What is published at the name itself, or failed.
    fn changed(&self, name: &DomainName, record_type: RecordType) -> Option<Answer<'_>> {
        let change = |kind| self.changes.get(&(name.clone(), kind));
        match (change(record_type), change(RecordType::Cname)) {
            (Some(Change::Published(rrset)), _) => Some(Answer::Records(rrset)),
            (Some(Change::Failed), _) | (_, Some(Change::Failed)) => Some(Answer::Failed),
            (_, Some(Change::Published(alias))) => Some(Answer::Alias(alias)),
            _ => None,
        }
    }

    /// What is left of the base at a name.
    fn kept(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        let removed = |record_type| self.changes.contains_key(&(name.clone(), record_type));
        match self.base.answer(name, record_type) {
            Answer::NxDomain if self.existing.contains(name) => Answer::NoData,
            Answer::NxDomain => Answer::NxDomain,
            Answer::Alias(_) if removed(RecordType::Cname) => Answer::NoData,
            Answer::Alias(alias) => Answer::Alias(alias),
            _ if removed(record_type) => Answer::NoData,
            other => other,
        }
    }

    /// Whether something is published between a name and the closest encloser that the base knows, so that the
    /// wildcard right below that one no longer answers.
    fn hides(&self, wildcard: &DomainName, name: &DomainName) -> bool {
        let encloser = wildcard.parent();
        let between = name.ancestors().take_while(|ancestor| Some(ancestor) != encloser.as_ref());
        between.into_iter().any(|ancestor| self.existing.contains(&ancestor))
    }
}

impl<E: Evidence> Evidence for Overlay<E> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        if let Some(answer) = self.changed(name, record_type) {
            return answer;
        }
        match self.base.wildcard(name) {
            None => self.kept(name, record_type),
            Some(wildcard) if !self.hides(&wildcard, name) => {
                self.changed(&wildcard, record_type).unwrap_or_else(|| self.kept(&wildcard, record_type))
            }
            Some(_) if self.existing.contains(name) => Answer::NoData,
            Some(_) => Answer::NxDomain,
        }
    }

    fn assumed(&self, name: &DomainName, record_type: RecordType) -> Option<&str> {
        let is_ours = self.changes.contains_key(&(name.clone(), record_type));
        if is_ours { None } else { self.base.assumed(name, record_type) }
    }

    fn wildcard(&self, name: &DomainName) -> Option<DomainName> {
        self.base.wildcard(name).filter(|wildcard| !self.hides(wildcard, name))
    }

    fn listed_names(&self) -> Vec<&DomainName> {
        let mut names = self.base.listed_names();
        names.extend(&self.existing);
        names.sort_unstable();
        names.dedup();
        names
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.base.public_suffix(name)
    }
}
