//! `check_host()` of [RFC 7208 section 4], for one client.
//!
//! [`check`] gives the result; [`check_traced`] also tells a [`Trace`] what each term asked, got and cost. A timeout
//! or server failure in the evidence is temperror; an answer that the evidence does not hold is
//! [`Missing`](crate::error::Missing). There is no time limit here (section 4.6.4 asks receivers for one).
//!
//! [RFC 7208 section 4]: https://www.rfc-editor.org/rfc/rfc7208#section-4

mod evaluate;
mod outline;
mod query;
mod select;
mod trace;

pub(super) use evaluate::MAX_DEPTH;
pub(super) use outline::Outline;
pub use query::Query;
pub(super) use select::{Selection, select};
pub use trace::{Asked, Outcome, Trace, TraceLog, TraceStep};

use serde::Serialize;

use super::{Profile, SpfResult};
use crate::dns::{Evidence, Recording};
use crate::error::{Missing, Span};
use crate::name::DomainName;

/// What `check_host()` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Checked {
    /// The result.
    pub result: SpfResult,
    /// Terms that caused DNS queries, counted as the receiver does; at the limit, the one that was too much included.
    pub lookups: u32,
    /// Void lookups, in the unit of the receiver's profile.
    pub voids: u32,
    /// Why the result is an error, or none.
    pub problem: Option<CheckProblem>,
    /// The explanation that the domain publishes for a fail (RFC 7208 section 6.2).
    pub explanation: Option<String>,
}

/// Why a check ended in temperror, permerror or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckProblem {
    /// A stable name for the kind of problem.
    pub code: &'static str,
    /// The domain whose record was being evaluated.
    pub domain: Option<DomainName>,
    /// The place in that record, in octets, where there is one.
    pub span: Option<Span>,
}

/// Evaluates `check_host()` for a client and a sender.
///
/// # Errors
///
/// The questions whose answers the evidence does not hold.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::{Profile, Query, SpfResult, check};
///
/// let dns = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [{ "name": "example.net", "type": "TXT", "records": ["v=spf1 ip4:192.0.2.0/24 -all"] }]
/// }"#)?;
/// let query = Query::new("192.0.2.1".parse().unwrap(), "bob@example.net", "mail.example.net");
/// assert_eq!(check(&dns, &query, &Profile::RFC7208)?.result, SpfResult::Pass);
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn check(evidence: &dyn Evidence, query: &Query, profile: &Profile) -> Result<Checked, Missing> {
    check_traced(evidence, query, profile, &mut ())
}

/// As [`check`], and tells `trace` each step.
///
/// # Errors
///
/// The questions whose answers the evidence does not hold.
pub fn check_traced(
    evidence: &dyn Evidence,
    query: &Query,
    profile: &Profile,
    trace: &mut impl Trace,
) -> Result<Checked, Missing> {
    let recording = Recording::new(evidence);
    let checked = evaluate::Evaluation::new(&recording, query, profile, trace).run();
    recording.complete(checked)
}
