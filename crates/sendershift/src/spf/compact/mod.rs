//! The best record that says the same: within the limits, and with the least of it frozen.
//!
//! A record that passes a receiver's limits is rewritten so that it does not, and so that no address has another
//! intended result. What a record refers to is *opened*, replaced by what it says today, as little of it as possible:
//! whatever is opened no longer follows its owner. The candidates are all records in which
//!
//! - some of the records that the tree refers to are opened and the others stay live, where each of them is opened
//!   wherever it stands, and what an opened record refers to may be opened in turn or stay live in its place;
//! - `a` and `mx` terms are opened where the caller says so;
//! - the record's own networks stand as written, or are merged with the others;
//! - networks are written with the fewest terms, ahead of live terms with the same qualifier;
//! - what an opened record says is left out where the record itself says the same anyway, with nothing live in between: an
//!   error of a live term must not come to decide what was decided ahead of it;
//! - terms are left out that can decide nothing but an error, whatever anybody publishes: that repeat another one, or that say
//!   what all behind them says anyway;
//! - terms of the longest stretch with one qualifier may stand in extra TXT records below the domain.
//!
//! The best of them is found by trying them in the order of the [`Objective`]. Each is checked by a policy that is
//! compiled from the evidence as it would be then, which has no part in the search.

mod bounds;
mod classes;
mod cover;
mod draft;
mod fronts;
mod idle;
mod infeasible;
mod islands;
mod names;
mod obsolete;
mod pack;
mod prepare;
mod remove;
mod search;
mod tree;
mod verify;

use serde::Serialize;

pub use infeasible::{Infeasible, Remedy, Staying};
pub use search::Objective;

use super::{AddressPart, Authorised, Beyond, Profile, Subject};
use crate::dns::{Evidence, RecordType, Txt};
use crate::error::Error;
use crate::name::DomainName;

/// Octets of name and data above which answers may not fit (RFC 7208 section 3.4).
pub const RECOMMENDED_OCTETS: usize = 450;

/// What is asked of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactRequest {
    /// The receivers whose limits have to hold; RFC 7208 where there is none.
    pub receivers: Vec<&'static Profile>,
    /// Lookups that have to be left.
    pub reserve: u32,
    /// The most octets of name and TXT data at one name that the DNS provider allows.
    pub octets: Option<usize>,
    /// The most extra records.
    pub max_records: Option<usize>,
    /// Names whose records stay live.
    pub keep: Vec<DomainName>,
    /// Names that say the same for long: their records are opened, and `a`, `mx` and `exists` terms that ask about them.
    pub flatten: Vec<DomainName>,
    /// Names that the record no longer refers to: it changes what the record intends.
    pub drop: Vec<DomainName>,
    /// Whether includes and redirects go that find no record and end every evaluation with an error, also those in records
    /// that the record refers to, which are opened for it: it changes what the record intends.
    pub repair: bool,
    /// Whether other records include this one: its cost may not rise.
    pub contract: bool,
    /// How many steps the search may take: a decision is one; a draft that is looked at, or judged, is ten and one more for
    /// each 40 ranges of addresses that the records tell apart.
    pub budget: usize,
}

impl Default for CompactRequest {
    fn default() -> Self {
        Self {
            receivers: Vec::new(),
            reserve: 0,
            octets: None,
            max_records: None,
            keep: Vec::new(),
            flatten: Vec::new(),
            drop: Vec::new(),
            repair: false,
            contract: false,
            budget: 100_000,
        }
    }
}

/// The best record, or why there is none (`sendershift-compact/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Compacted {
    /// `sendershift-compact/1`.
    pub format: &'static str,
    /// The domain.
    pub domain: DomainName,
    /// The receivers whose limits hold.
    pub receivers: Vec<&'static Profile>,
    /// Lookups that are left at each of them, at least.
    pub reserve: u32,
    /// The RRsets to publish; empty where no record keeps to the limits.
    pub records: Vec<RrSetDocument>,
    /// Extra records of today that nothing in the evidence refers to any more, once the new record is published: neither the
    /// new record, nor another one, nor an alias. What the evidence does not know may.
    pub obsolete: Vec<DomainName>,
    /// Whether what is published today is the best.
    pub unchanged: bool,
    /// What the record costs today.
    pub before: Figures,
    /// What the best record costs.
    pub after: Option<Figures>,
    /// Addresses that the record authorises and the first receiver refuses, because of its limits.
    pub healed: Beyond,
    /// Addresses for which the record intends an error: it is no better afterwards.
    pub broken: AddressPart,
    /// What is replaced by what it says today.
    pub opened: Vec<OpenedName>,
    /// Names to flatten that stay as they are somewhere.
    pub unopened: Vec<UnopenedName>,
    /// Terms of the record that cost lookups and can decide nothing but an error, whatever anybody publishes: the new record
    /// leaves them out.
    pub idle: Vec<String>,
    /// Terms that were taken out, because the caller said so: the proof is about the record without them.
    pub removed: Vec<Removed>,
    /// What is proven.
    pub proof: Proof,
    /// Why no record keeps to the limits, if none does.
    pub infeasible: Option<Infeasible>,
}

/// An RRset as it has to be published, the other strings at its name included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RrSetDocument {
    /// The name.
    pub name: DomainName,
    /// `TXT`.
    #[serde(rename = "type")]
    pub record_type: RecordType,
    /// The TTL in seconds, if the evidence tells one.
    pub ttl: Option<u32>,
    /// The records.
    pub records: Vec<Txt>,
    /// Octets of name and data in wire form.
    pub octets: usize,
}

/// What a record costs, in the worst case over both address families, as the first receiver counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Figures {
    /// Lookups.
    pub lookups: u32,
    /// Void lookups.
    pub voids: u32,
    /// Octets at the domain itself, in wire form.
    pub octets: usize,
}

/// A record, or the addresses of a host, that the new record has in itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OpenedName {
    /// Its name.
    pub name: DomainName,
    /// `include`, `a` or `mx`.
    pub mechanism: &'static str,
    /// Whether somebody else may change it at any time: from then on the new record is wrong.
    pub volatile: bool,
    /// Its TTL in seconds, if the evidence tells one.
    pub ttl: Option<u32>,
    /// Why the answer was assumed, if it was: then so is the new record.
    pub assumed: Option<String>,
}

/// A name to flatten that the new record goes on to ask about: in a record that stays live nothing can be written out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnopenedName {
    /// The name.
    pub name: DomainName,
    /// The records that stay live and refer to it: to flatten them as well would open it there. None where the new record
    /// itself goes on to, as there are no addresses to write out.
    pub within: Vec<DomainName>,
}

/// A term that was taken out of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Removed {
    /// The domain of the record that it stood in.
    pub record: DomainName,
    /// The term as written.
    pub term: String,
    /// `drop`, `repair`.
    pub why: &'static str,
    /// Who is authorised only without it: surely and not surely before, possibly and not at all before.
    pub adds: Authorised,
    /// Who is authorised only with it.
    pub removes: Authorised,
}

/// What is proven of the new record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Proof {
    /// Whether every address has the intended result that it had, and has it at every receiver that was asked for.
    pub equivalent: bool,
    /// `proven` where no candidate is better, `unknown` where the search ended first.
    pub minimal: &'static str,
    /// What the record reaches; none where there is no record.
    pub objective: Option<Objective>,
    /// What no candidate can be better than.
    pub bound: Objective,
    /// Drafts that were looked at.
    pub examined: usize,
}

/// The best record for a domain, or a proof that there is none in the space of candidates.
///
/// A record given in the subject is what is meant; what the domain publishes is what is changed as little as possible.
///
/// # Errors
///
/// [`Error::Missing`] with the questions that are not answered, those that failed included: nothing is rewritten by
/// evidence with holes. `spf.alias` and `spf.wildcard` where a record at the name would take the place of more than a record. `spf.no-record`, `spf.several-records` and others where there is no record that could be rewritten, or repaired, `spf.not-in-record`
/// for names to drop or to flatten that it does not refer to, `spf.too-complex` where hostile records would take too long.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::{CompactRequest, Subject, compact};
///
/// let dns = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [
///         { "name": "example.net", "type": "TXT", "records": ["v=spf1 include:a.example include:b.example ~all"] },
///         { "name": "a.example", "type": "TXT", "records": ["v=spf1 ip4:192.0.2.0/24 -all"] },
///         { "name": "b.example", "type": "TXT", "records": ["v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/25 -all"] }
///     ]
/// }"#)?;
/// let request = CompactRequest { reserve: 9, ..CompactRequest::default() };
/// let best = compact(&dns, &Subject::parse("example.net", None)?, &request)?;
/// assert_eq!(best.records[0].records[0].text(), "v=spf1 ip4:192.0.2.0/24 include:b.example ~all");
/// assert_eq!(best.proof.minimal, "proven");
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn compact(
    evidence: &dyn Evidence,
    subject: &Subject,
    request: &CompactRequest,
) -> Result<Compacted, Error> {
    compact_watched(evidence, subject, request, |_| true)
}

/// As [`compact`], and tells `watch` now and then how many drafts were looked at so far; where it says `false`, the search
/// ends with what it has, as if its budget had.
///
/// # Errors
///
/// As [`compact`].
pub fn compact_watched(
    evidence: &dyn Evidence,
    subject: &Subject,
    request: &CompactRequest,
    mut watch: impl FnMut(usize) -> bool,
) -> Result<Compacted, Error> {
    prepare::Prepared::new(evidence, subject, request)?.compact(&mut watch)
}

/// The limits of a receiver with the reserve taken off.
fn limits(profile: &Profile, reserve: u32) -> Profile {
    Profile { lookups: profile.lookups.saturating_sub(reserve), ..*profile }
}
