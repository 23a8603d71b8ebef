//! A [`Migration`]: what somebody wants to change, as a document (`sendershift-migration/1`, TOML).
//!
//! It says who sends what today and how it shall be afterwards, never in which steps: those are the planner's.
//! `docs/examples/qualys/migration.toml` is the reference example.

mod read;

use jiff::Timestamp;

use crate::dmarc;
use crate::dns::Records;
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::{Identity, Parameters, Signature, SignedAt};

/// The `format` of a migration document.
pub const FORMAT: &str = "sendershift-migration/1";

/// What shall change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// What it is about, for people.
    pub title: String,
    /// Dates.
    pub calendar: Calendar,
    /// Times and limits; `start` is the announcement: whoever adds the evidence starts when that was taken, if later.
    pub parameters: Parameters,
    /// Lookups that new or changed SPF records leave unused, below the limit.
    pub reserve: u32,
    /// The domains that records are published for.
    pub domains: Vec<Domain>,
    /// Where messages come from.
    pub sources: Vec<Source>,
    /// Groups of streams that move together, in order.
    pub waves: Vec<Wave>,
    /// Who sends what, now and then.
    pub streams: Vec<Stream>,
    /// Who has to be told.
    pub customers: Vec<CustomerClass>,
    /// What is taken for granted, for people.
    pub assumptions: Vec<String>,
}

/// The dates of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Calendar {
    /// When it is announced: nothing happens before.
    pub announce: Timestamp,
    /// When it has to be finished; a day alone in the document ends with the day.
    pub deadline: Option<Timestamp>,
    /// Times in which nothing is changed, with the reason.
    pub freezes: Vec<Freeze>,
    /// The days of the week on which changes may start, Monday first.
    pub working_days: [bool; 7],
}

/// A time in which nothing is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Freeze {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it; a day alone in the document is part of the freeze.
    pub until: Timestamp,
    /// Why.
    pub why: String,
}

/// A domain whose records the plan may change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// The name.
    pub name: DomainName,
    /// What it is for, for people.
    pub role: String,
    /// MX records that it needs, if it has none yet: replies or bounces arrive there.
    pub mx: Option<Records>,
    /// The DMARC policy that it shall have in the end.
    pub dmarc: Option<DmarcGoal>,
    /// The TTL of new records, in seconds.
    pub ttl: u32,
}

/// How the DMARC policy of a domain shall become.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DmarcGoal {
    /// The policy in the end.
    pub goal: dmarc::Policy,
    /// Where aggregate reports go, as `rua` has it.
    pub rua: Vec<String>,
    /// How long each policy on the way stays, in seconds (RFC 9989 section 7.4).
    pub dwell: u64,
    /// Other tags of the record, such as `adkim=s`, in order.
    pub tags: Vec<(String, String)>,
}

/// Where messages come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// A name within the migration.
    pub id: String,
    /// What it is, for people.
    pub title: String,
    /// Its addresses, where they are listed.
    pub addresses: AddressSet,
    /// A provider's name whose SPF record lists the addresses.
    pub include: Option<DomainName>,
    /// The SPF terms that authorise it in today's records, in canonical text: they go when no stream needs them any more.
    pub terms: Vec<String>,
    /// The SPF terms that authorise it in new records; by default its `include`, else its addresses.
    pub publish: Vec<String>,
    /// Why the addresses are assumed, if they are.
    pub assumed: Option<String>,
}

/// Streams that move together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wave {
    /// A name within the migration.
    pub id: String,
    /// What it is, for people.
    pub title: String,
    /// How long it is watched before the next wave moves, in seconds.
    pub watch: u64,
    /// How long the roll-out across the senders takes, in seconds, for the dates.
    pub over: u64,
}

/// Messages of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream {
    /// A name within the migration.
    pub id: String,
    /// What it is, for people.
    pub title: String,
    /// The identity today; its id is `now`.
    pub now: Identity,
    /// The identity afterwards, with the id `then`; none for a stream that stays as it is.
    pub then: Option<Identity>,
    /// Keys to be published for the signatures of `then`; streams with one signature have the same key. A signature
    /// without a key here has one that is published already.
    pub keys: Vec<Key>,
    /// The wave that it moves in.
    pub wave: Option<String>,
    /// Whether messages need SPF and DKIM both.
    pub needs_both: bool,
    /// Whether it is declared to rely on SPF alone.
    pub spf_only: bool,
    /// When messages are signed.
    pub signed_at: SignedAt,
}

/// A DKIM key to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// Where.
    pub signature: Signature,
    /// What: a TXT or a CNAME record.
    pub records: Records,
    /// Why the key is assumed, if it is.
    pub assumed: Option<String>,
}

/// Customers who have to do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CustomerClass {
    /// A name within the migration.
    pub id: String,
    /// Who they are, for people.
    pub title: String,
    /// What they have to do, in one sentence; empty for nothing, none where it is not said.
    pub must: Option<String>,
    /// How long before the first wave they are told, in seconds.
    pub lead: u64,
}

#[cfg(test)]
mod tests;
