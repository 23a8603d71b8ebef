//! A [`Plan`]: the steps of a migration as data (`sendershift-plan/1`).
//!
//! A plan is complete in itself: with its evidence and its parameters inside, anybody can judge it again, years
//! later, with the same verdict. It may come from the planner or from a person. Steps have no fixed dates: they have
//! minimal distances from each other, and dates are derived for people.

mod apply;
mod check;
mod customer;
mod mta_sts;
mod read;
#[cfg(test)]
mod tests;
pub(crate) mod timeline;
mod undo;
mod write;

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

pub use apply::ApplyError;
pub(crate) use apply::edited;
pub use check::{MAX_STEPS, MAX_WAITS};
pub use customer::{Customer, Fallback};
pub use mta_sts::PublishedPolicy;
pub(crate) use read::MAX_SECONDS;
pub use undo::Undo;

use crate::dkim::Selector;
use crate::dns::{RecordType, Records, Snapshot};
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::spf::Profile;

/// The `format` of a plan document.
pub const FORMAT: &str = "sendershift-plan/1";

/// A migration as ordered steps, with all that is needed to judge it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "format", rename = "sendershift-plan/1")]
#[non_exhaustive]
pub struct Plan {
    /// What the plan is about, for people.
    pub title: String,
    /// Assumed times and limits.
    pub parameters: Parameters,
    /// Where messages come from.
    pub sources: Vec<Source>,
    /// Who sends what.
    pub streams: Vec<Stream>,
    /// Who has to hear of a move before it reaches them.
    pub customers: Vec<Customer>,
    /// The MTA-STS policies of domains that bounces or answers go to: those of each domain in the order in which they are published.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mta_sts: Vec<PublishedPolicy>,
    /// The steps, each after those it depends on where possible.
    pub steps: Vec<Step>,
    /// What DNS said before the first step.
    pub evidence: Snapshot,
    /// What the plan takes for granted, for people.
    pub assumptions: Vec<Remark>,
    /// What is worth knowing about the plan or today's records.
    pub findings: Vec<Remark>,
    /// Why there is no complete plan; empty for a complete one.
    pub blockers: Vec<Remark>,
    /// The chain of steps that decides the last date (derived).
    pub critical_path: Vec<String>,
    /// The step after which there is no way back (derived; P3 is about what comes before).
    pub point_of_no_return: Option<String>,
}

/// Times and limits that a plan is judged by. Durations are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Parameters {
    /// The instant of the evidence: no step starts before it.
    #[serde(serialize_with = "write::time")]
    pub start: Timestamp,
    /// When the migration has to be finished, if ever.
    #[serde(serialize_with = "write::time_or_null")]
    pub deadline: Option<Timestamp>,
    /// Seconds east of UTC in which dates are shown.
    #[serde(serialize_with = "write::offset")]
    pub utc_offset: i32,
    /// How long a message may wait in the sender's queue (RFC 5321 section 4.5.4.1).
    #[serde(serialize_with = "write::seconds")]
    pub queue_lifetime: u64,
    /// How long after its injection a signature may be verified, queues and quarantines behind the first receiver included.
    #[serde(serialize_with = "write::seconds")]
    pub signature_lifetime: u64,
    /// How long a resolver may answer from a cache entry whose TTL has run out (RFC 8767).
    #[serde(serialize_with = "write::seconds")]
    pub resolver_stale: u64,
    /// The TTL that is assumed where no server of the zone said one.
    #[serde(serialize_with = "write::seconds")]
    pub ttl_ceiling: u64,
    /// How long publication usually takes; only dates depend on it, waits begin when a step is seen to be done.
    #[serde(serialize_with = "write::seconds")]
    pub publication_delay: u64,
    /// The kinds of receivers that the plan has to be safe for.
    pub receivers: Vec<&'static Profile>,
    /// The step from whose completion on every path of a declared source has to be within the limits.
    pub within_limits_from: Option<String>,
}

impl Parameters {
    /// The defaults, for a plan that starts at `start`: a queue of 5 days, 14 days for signatures, 3 days of stale answers
    /// (the upper end of RFC 8767 section 5), a TTL ceiling of 1 day, an hour for publication, the profiles `rfc7208` and `strict`.
    pub fn new(start: Timestamp) -> Self {
        const DAY: u64 = 86_400;
        Self {
            start,
            deadline: None,
            utc_offset: 0,
            queue_lifetime: 5 * DAY,
            signature_lifetime: 14 * DAY,
            resolver_stale: 3 * DAY,
            ttl_ceiling: DAY,
            publication_delay: 3600,
            receivers: vec![&Profile::RFC7208, &Profile::STRICT],
            within_limits_from: None,
        }
    }
}

/// Addresses that messages come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Source {
    /// A name within the plan.
    pub id: String,
    /// The addresses that are listed.
    pub addresses: AddressSet,
    /// A name whose SPF record lists (more of) the addresses, as the evidence has it.
    pub include: Option<DomainName>,
    /// Why the addresses are assumed, if they are.
    pub assumed: Option<String>,
}

/// Messages of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stream {
    /// A name within the plan.
    pub id: String,
    /// What it is, for people.
    pub title: String,
    /// The identities that it uses at some time.
    pub identities: Vec<Identity>,
    /// The identities that it uses before the first step.
    pub live: Vec<String>,
    /// Whether messages need an aligned SPF pass and an aligned DKIM pass, not just one of them (bulk sender rules).
    pub needs_both: bool,
    /// Whether the stream is declared to rely on SPF alone, and so to be fragile.
    pub spf_only: bool,
    /// When messages are signed.
    pub signed_at: SignedAt,
    /// The step that repairs a stream that fails today; it is judged from there on.
    pub judged_from: Option<String>,
}

/// When the signature of a message is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignedAt {
    /// When the message is injected: the signature belongs to the identity in its From field.
    #[default]
    Injection,
    /// At each delivery attempt: a message that waited is signed by the identity that is live then.
    Delivery,
}

/// What a message says it is, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Identity {
    /// A name within the stream.
    pub id: String,
    /// The domain of the From field (RFC 9989).
    pub author_domain: DomainName,
    /// The domain of MAIL FROM; none for the null sender, which is judged by HELO (RFC 7208 section 2.4).
    pub mail_from: Option<DomainName>,
    /// The name that the sources greet with.
    pub helo: Option<DomainName>,
    /// The signatures that every message carries.
    pub dkim: Vec<Signature>,
    /// The sources, by id.
    pub sources: Vec<String>,
}

/// A DKIM signature: where its key is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Signature {
    /// The signing domain, `d=`.
    pub domain: DomainName,
    /// The selector, `s=`.
    pub selector: Selector,
}

/// The kinds of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepKind {
    /// A customer does something, perhaps never.
    Customer,
    /// Records are published, changed or removed.
    Dns,
    /// Something happens on its date, whether the plan is ready or not.
    External,
    /// The plan goes on only when something is observed.
    Gate,
    /// Somebody is told.
    Notify,
    /// Streams start or stop to use an identity.
    Send,
}

/// One step.
///
/// It has a start and a done. Nothing of it is visible before its start, everything is once it is done; it may take
/// arbitrarily long and start arbitrarily late, but not before all of `after` holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// A name within the plan.
    pub id: String,
    /// The phase that it belongs to, for people.
    pub phase: String,
    /// What kind of step it is.
    pub kind: StepKind,
    /// Who does it.
    pub owner: String,
    /// What to do.
    pub title: String,
    /// Why, and why then.
    pub why: String,
    /// What has to be done before, and how long before.
    pub after: Vec<After>,
    /// The date of an external step.
    #[serde(serialize_with = "write::time_or_null")]
    pub on: Option<Timestamp>,
    /// The records that a `dns` step changes.
    pub changes: Vec<Change>,
    /// The identities that a `send` step starts to use.
    pub starts: Vec<Use>,
    /// The identities that a `send` step stops using.
    pub stops: Vec<Use>,
    /// What may be somebody else's from the start of the step on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gives_up: Vec<GivenUp>,
    /// What shows that the step is done.
    pub done_when: String,
    /// What shows that the plan must not go on.
    pub abort_when: String,
    /// How to take it back.
    pub undo: Undo,
    /// Whether it can be taken back.
    pub reversible: bool,
    /// Dates, derived for people; never read by the prover.
    #[serde(flatten)]
    pub dates: Option<Dates>,
}

impl Step {
    /// A step of which nothing is said but its name and kind.
    pub fn new(id: impl Into<String>, kind: StepKind) -> Self {
        Self {
            id: id.into(),
            phase: String::new(),
            kind,
            owner: String::new(),
            title: String::new(),
            why: String::new(),
            after: Vec::new(),
            on: None,
            changes: Vec::new(),
            starts: Vec::new(),
            stops: Vec::new(),
            gives_up: Vec::new(),
            done_when: String::new(),
            abort_when: String::new(),
            undo: Undo::default(),
            reversible: true,
            dates: None,
        }
    }
}

/// When a step happens if everything goes well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Dates {
    /// The earliest start.
    #[serde(serialize_with = "write::time")]
    pub earliest: Timestamp,
    /// The latest start at which the deadline is still met.
    #[serde(serialize_with = "write::time_or_null")]
    pub latest: Option<Timestamp>,
    /// The seconds between both.
    #[serde(serialize_with = "write::slack")]
    pub slack: Option<i64>,
}

/// A minimal distance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct After {
    /// The earlier step.
    pub step: String,
    /// The seconds from its done to this one's start.
    #[serde(serialize_with = "write::seconds")]
    pub at_least: u64,
}

/// A stream's use of an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Use {
    /// The stream.
    pub stream: String,
    /// The identity.
    pub identity: String,
    /// The share of messages, per mille; none for all that there are. Any share above 0 counts as use.
    pub share: Option<u16>,
    /// The seconds that the change takes across the senders, for people.
    #[serde(serialize_with = "write::seconds_or_null")]
    pub over: Option<u64>,
}

impl Use {
    /// All messages of a stream, per mille. An identity that is in use before the plan carries them all, whatever it did.
    pub(crate) const ALL: u16 = 1000;

    /// The share of messages that is meant, where it is not all.
    fn part(&self) -> Option<u16> {
        self.share.filter(|share| *share < Self::ALL)
    }

    /// What the identity carries once it is started, per mille; none if it carried that already.
    pub(crate) fn started(&self, carried: u16) -> Option<u16> {
        let more = match self.part() {
            Some(part) => carried.checked_add(part)?,
            None => Self::ALL,
        };
        (carried < Self::ALL && more <= Self::ALL).then_some(more)
    }

    /// What the identity carries once it is stopped, per mille; none if it did not carry that.
    pub(crate) fn stopped(&self, carried: u16) -> Option<u16> {
        match self.part() {
            Some(part) => carried.checked_sub(part),
            None => (carried > 0).then_some(0),
        }
    }
}

/// Something that is ours until a step gives it up: an account ends, addresses go back, a name expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GivenUp {
    /// A source, by id: its addresses, where no source that is kept has them too.
    Source(String),
    /// A name, with all names below it.
    Name(DomainName),
}

/// An edit of one RRset. What it does not name stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The name.
    pub name: DomainName,
    /// The type.
    #[serde(rename = "type")]
    pub record_type: RecordType,
    /// The TTL of the RRset before, in seconds; none where it does not exist.
    pub ttl_before: Option<u32>,
    /// The TTL after, in seconds; none where the RRset is removed.
    pub ttl_after: Option<u32>,
    /// The records that go.
    pub remove: Option<Records>,
    /// The records that come.
    pub add: Option<Records>,
    /// What has to be there for the step to go on.
    pub expect: Option<Expect>,
    /// The RRset before and after, as the evidence had it (derived, for people).
    pub preview: Option<Preview>,
}

/// A condition on an RRset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is no such RRset.
    Absent,
    /// These records are among those there.
    Present(Records),
}

/// An RRset before and after a change; none where it does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Preview {
    /// Before.
    pub before: Option<Records>,
    /// After.
    pub after: Option<Records>,
}

/// Something said about a plan, with a stable code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Remark {
    /// A stable name for what is said.
    pub code: String,
    /// The step, stream or name that it is about.
    pub subject: Option<String>,
    /// The text.
    pub message: String,
}

impl Remark {
    /// A remark.
    pub fn new(code: &str, subject: Option<&str>, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), subject: subject.map(str::to_owned), message: message.into() }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Some(subject) => write!(f, "{subject}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
