//! The DNS tree walk (RFC 9989 section 4.10).

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Alignment, DmarcRecord, Psd};
use crate::dns::{Evidence, RecordType, Resolved, RrSet, resolve};
use crate::error::Invalid;
use crate::name::DomainName;

/// Labels that a walk jumps to from longer names, which makes at most eight queries: RFC 9989 section 4.10.
const MAX_LABELS_ABOVE: usize = 7;

/// What a query for a policy record found, read as records of type `R`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "found", rename_all = "snake_case", bound = "R: Display")]
pub enum Found<R = DmarcRecord> {
    /// One policy record.
    Record {
        /// The record.
        #[serde(serialize_with = "as_text")]
        record: Arc<R>,
    },
    /// One record that begins as a policy record and is none: the walk passes it by, and a message to which it
    /// would apply gets no DMARC processing (RFC 9989 section 4.10.1, RFC 7489 section 6.6.3).
    Broken(Invalid),
    /// Several policy records: RFC 9989 discards all, as if there were none; RFC 7489 ends the search.
    Several {
        /// How many.
        count: usize,
    },
    /// No policy record.
    Absent,
    /// The query failed.
    Failed,
}

pub(super) fn as_text<R: Display, S: Serializer>(record: &Arc<R>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(record)
}

impl<R> Found<R> {
    /// The policy record, if there is exactly one.
    pub fn record(&self) -> Option<&Arc<R>> {
        match self {
            Self::Record { record } => Some(record),
            _ => None,
        }
    }

    /// Asks for the policy record of a domain.
    pub(super) fn ask(
        evidence: &dyn Evidence,
        domain: &DomainName,
        parse: impl Fn(&[u8]) -> Result<R, Invalid>,
    ) -> Self
    where
        R: Clone + Send + Sync + 'static,
    {
        match domain.prefixed("_dmarc").map(|name| resolve(evidence, &name, RecordType::Txt)) {
            Ok(Resolved::Records(rrset)) => rrset.parsed(|rrset| Self::read(rrset, &parse)).into_owned(),
            Ok(Resolved::Failed) => Self::Failed,
            // A name that would be too long has no records either.
            Ok(Resolved::Absent { .. } | Resolved::Unknown) | Err(_) => Self::Absent,
        }
    }

    fn read(rrset: &RrSet, parse: impl Fn(&[u8]) -> Result<R, Invalid>) -> Self {
        let mut records = rrset.texts().iter().filter(|text| DmarcRecord::is_dmarc(text.octets()));
        match (records.next(), records.count()) {
            (None, _) => Self::Absent,
            (Some(text), 0) => match parse(text.octets()) {
                Ok(record) => Self::Record { record: Arc::new(record) },
                Err(invalid) => Self::Broken(invalid),
            },
            (Some(_), others) => Self::Several { count: others + 1 },
        }
    }
}

/// One query for a policy record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(bound = "R: Display")]
#[non_exhaustive]
pub struct Query<R = DmarcRecord> {
    /// The domain whose policy record was asked for, at `_dmarc` below it.
    pub domain: DomainName,
    /// What was found.
    #[serde(flatten)]
    pub found: Found<R>,
}

/// How an organizational domain was chosen (RFC 9989 section 4.10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChosenBy {
    /// Its record says `psd=n`.
    PsdNo,
    /// It is one label below a domain whose record says `psd=y`.
    BelowPsd,
    /// It has the record with the fewest labels.
    FewestLabels,
    /// No record was found that decides: it is where the walk began.
    Itself,
}

/// A walk from a domain towards the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Walk {
    /// The queries in their order; the first is for the domain where the walk began.
    pub queries: Vec<Query>,
    /// The organizational domain. Only a guess if a query [failed](Walk::has_failed).
    pub organizational_domain: DomainName,
    /// How it was chosen.
    pub chosen_by: ChosenBy,
}

impl Walk {
    /// Whether a query failed, so that another domain may be the organizational one.
    pub fn has_failed(&self) -> bool {
        self.queries.iter().any(|query| query.found == Found::Failed)
    }

    /// What was found for a domain; `None` if the walk did not ask.
    pub fn found(&self, domain: &DomainName) -> Option<&Found> {
        self.queries.iter().find(|query| query.domain == *domain).map(|query| &query.found)
    }

    /// The public suffix above the start that a record with `psd=y` declares.
    pub fn public_suffix(&self) -> Option<&DomainName> {
        let is_suffix = |query: &&Query| query.found.record().is_some_and(|record| record.psd() == Psd::Yes);
        self.queries.iter().skip(1).find(is_suffix).map(|query| &query.domain)
    }
}

/// Walks from a domain to find its organizational domain (RFC 9989 section 4.10.2).
///
/// Names without an answer in the evidence count as names without a policy record.
///
/// # Examples
///
/// ```
/// use sendershift::dmarc::{ChosenBy, organizational_domain};
/// use sendershift::dns::Snapshot;
///
/// let snapshot = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [
///         { "name": "_dmarc.example.net", "type": "TXT", "records": ["v=DMARC1; p=none"] }
///     ]
/// }"#)?;
/// let walk = organizational_domain(&snapshot, &"bounce.example.net".parse().unwrap());
/// assert_eq!(walk.organizational_domain.as_str(), "example.net");
/// assert_eq!(walk.chosen_by, ChosenBy::FewestLabels);
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
pub fn organizational_domain(evidence: &dyn Evidence, domain: &DomainName) -> Walk {
    Walker::new(evidence).walk(domain)
}

/// Whether an authenticated identifier aligns with an author domain (RFC 9989 section 4.4).
///
/// False where a failed query leaves the organizational domains open.
pub fn aligned(
    evidence: &dyn Evidence,
    author_domain: &DomainName,
    identifier: &DomainName,
    mode: Alignment,
) -> bool {
    Walker::new(evidence).aligned(author_domain, identifier, mode) == Some(true)
}

/// Walks that share their queries: no name is asked for twice.
pub(super) struct Walker<'e> {
    pub(super) evidence: &'e dyn Evidence,
    asked: BTreeMap<DomainName, Found>,
}

impl<'e> Walker<'e> {
    pub(super) fn new(evidence: &'e dyn Evidence) -> Self {
        Self { evidence, asked: BTreeMap::new() }
    }

    fn find(&mut self, domain: &DomainName) -> Found {
        let evidence = self.evidence;
        let ask = || Found::ask(evidence, domain, DmarcRecord::parse);
        self.asked.entry(domain.clone()).or_insert_with(ask).clone()
    }

    pub(super) fn walk(&mut self, start: &DomainName) -> Walk {
        let mut queries = Vec::new();
        for domain in targets(start) {
            let found = self.find(&domain);
            let decided = found.record().is_some_and(|record| record.psd() != Psd::Unspecified);
            queries.push(Query { domain, found });
            if decided {
                break;
            }
        }
        let (organizational_domain, chosen_by) = select(start, &queries);
        Walk { queries, organizational_domain, chosen_by }
    }

    /// Whether an identifier aligns; `None` where a failed query leaves it open.
    pub(super) fn aligned(
        &mut self,
        author_domain: &DomainName,
        identifier: &DomainName,
        mode: Alignment,
    ) -> Option<bool> {
        if author_domain == identifier {
            return Some(true);
        }
        // An organizational domain is never the root, so names without a common label have none in common.
        if mode == Alignment::Strict || !author_domain.shares_top_level(identifier) {
            return Some(false);
        }
        let (author, identifier) = (self.walk(author_domain), self.walk(identifier));
        let same = author.organizational_domain == identifier.organizational_domain;
        (!author.has_failed() && !identifier.has_failed()).then_some(same)
    }
}

/// The domains that a walk asks for, in order, unless a record stops it.
fn targets(start: &DomainName) -> impl Iterator<Item = DomainName> {
    let labels = start.label_count();
    let skipped = if labels > MAX_LABELS_ABOVE { labels - MAX_LABELS_ABOVE } else { 1 };
    let above = start.ancestors().skip(skipped);
    std::iter::once(start.clone()).chain(above).filter(|domain| !domain.is_root())
}

/// The choice of the organizational domain among records, the longest name first.
fn select(start: &DomainName, queries: &[Query]) -> (DomainName, ChosenBy) {
    let mut fewest = None;
    for (index, query) in queries.iter().enumerate() {
        let Some(record) = query.found.record() else { continue };
        match record.psd() {
            Psd::No => return (query.domain.clone(), ChosenBy::PsdNo),
            Psd::Yes if index > 0 => {
                let below = start.ancestors().find(|name| name.parent().as_ref() == Some(&query.domain));
                return (below.unwrap_or_else(|| start.clone()), ChosenBy::BelowPsd);
            }
            Psd::Yes | Psd::Unspecified => fewest = Some(query.domain.clone()),
        }
    }
    match fewest {
        Some(domain) => (domain, ChosenBy::FewestLabels),
        None => (start.clone(), ChosenBy::Itself),
    }
}
