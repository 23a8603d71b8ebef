//! What a record costs: the tree of what it refers to, the worst case, and who pays for passing a limit.
//!
//! Two readings stand side by side. The *tree* adds up what every term spends if nothing matches. The *worst case* is
//! that of the [`Policy`]: the most that any one address spends on its way to a result, in each family. Beside them stands
//! what each address has spent when it has its result, and by which terms.

mod paths;
mod walk;

use std::net::IpAddr;

pub use paths::{AddressCase, AddressCost, AddressRanges, Behind, Between, CostClass, Decides, Spending};
use serde::Serialize;
pub(super) use walk::tree;

use super::policy::{AddressPart, Beyond, Deciders, Idle, Policy, Role, Spent, Unknown};
use super::{Counting, Profile, SpfResult, Subject, VoidUnit};
use crate::dns::{Evidence, Recording};
use crate::error::{Error, Span};
use crate::name::DomainName;
use crate::net::{AddressSet, Family};

/// The cost of a record (`sendershift-cost/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cost {
    /// `sendershift-cost/1`.
    pub format: &'static str,
    /// The domain of the record; `record.invalid` for one that is at home anywhere.
    pub domain: DomainName,
    /// Whether the record is the published one.
    pub published: bool,
    /// The receiver whose limits apply.
    pub receiver: &'static Profile,
    /// Whether every evaluation provably stays within the limits.
    pub within: bool,
    /// The lookups if nothing matches.
    pub lookups: Lookups,
    /// The limits of the receiver.
    pub limits: Limits,
    /// What the worst case leaves of them.
    pub remaining: Remaining,
    /// The most that any IPv4 client makes the evaluation spend, each part on its own.
    pub worst_v4: Spent,
    /// The most that any IPv6 client does.
    pub worst_v6: Spent,
    /// The authorised addresses that the limits keep from their pass.
    pub beyond: Beyond,
    /// The same addresses, by the terms that authorise them.
    pub behind: Vec<Behind>,
    /// The addresses whose evaluation can end in an error whatever the limits are.
    pub broken: AddressPart,
    /// All addresses, by what has been spent when they have their result; the cheapest first.
    pub classes: Vec<CostClass>,
    /// What decides the address that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressCost>,
    /// What the result depends on besides the address.
    pub unknowns: Vec<Unknown>,
    /// Whether records were left out of the tree; the sums have them all.
    pub truncated: bool,
    /// The record and what it refers to.
    pub tree: RecordCost,
}

/// Lookups if nothing matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lookups {
    /// All.
    pub total: u32,
    /// By terms of records that are in the evidence as somebody published them.
    pub published: u32,
    /// By terms of records that were assumed.
    pub assumed: u32,
}

/// The limits of a receiver: the largest numbers that are still fine; none where there is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Limits {
    /// Lookups.
    pub lookups: Option<u32>,
    /// When lookups are counted: as they are `evaluated`, or as they are `written` in the records that are entered.
    pub counting: Counting,
    /// Void lookups.
    pub voids: Option<u32>,
    /// What counts as one void lookup: `term` or `query`.
    pub void_unit: VoidUnit,
}

/// What is left of the limits; negative where they are passed, none where there is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Remaining {
    /// Lookups.
    pub lookups: Option<i64>,
    /// Void lookups.
    pub voids: Option<i64>,
}

/// What terms spend, if nothing matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// Lookups.
    pub lookups: u32,
    /// Those among them that terms of assumed records cause.
    pub assumed: u32,
    /// Void lookups of an IPv4 client at worst, in the receiver's unit.
    pub voids_v4: u32,
    /// Void lookups of an IPv6 client at worst, in the receiver's unit.
    pub voids_v6: u32,
}

impl Totals {
    fn plus(self, other: Self) -> Self {
        Self {
            lookups: self.lookups.saturating_add(other.lookups),
            assumed: self.assumed.saturating_add(other.assumed),
            voids_v4: self.voids_v4.saturating_add(other.voids_v4),
            voids_v6: self.voids_v6.saturating_add(other.voids_v6),
        }
    }
}

/// A record in the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordCost {
    /// The domain.
    pub domain: DomainName,
    /// The text of the record, if there is exactly one that can be read.
    pub record: Option<String>,
    /// Octets of the name and of all TXT data at it, in wire form (RFC 7208 section 3.4); none for a record without a
    /// domain.
    pub octets: Option<usize>,
    /// The TTL in seconds.
    pub ttl: Option<u32>,
    /// Why the record was assumed, if it was.
    pub assumed: Option<String>,
    /// Why there is no record to go by.
    pub problem: Option<CostProblem>,
    /// What all its terms spend together, what they refer to included.
    pub total: Totals,
    /// The terms in order.
    pub terms: Vec<TermCost>,
}

/// A term in the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TermCost {
    /// The term as written.
    pub term: String,
    /// Its place in the record.
    pub span: Span,
    /// What it spends itself.
    pub own: Totals,
    /// What it spends together with what it refers to.
    pub total: Totals,
    /// Why an answer that it asks for was assumed, if one was.
    pub assumed: Option<String>,
    /// What makes an evaluation end in an error here.
    pub problem: Option<CostProblem>,
    /// What else there is to say.
    pub note: Option<Note>,
    /// What it can do, limits lifted; none where nothing gets to its record, for modifiers but `redirect`, and where records
    /// are too entangled to tell.
    pub role: Option<Role>,
    /// Why it is idle, if it is.
    pub idle: Option<Idle>,
    /// The addresses that it decides, and what they have spent by then.
    pub decides: Option<Decides>,
    /// The record that it refers to.
    pub child: Option<RecordCost>,
}

/// Something in the tree that ends an evaluation with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CostProblem {
    /// A stable name for the kind of problem, as in a check.
    pub code: &'static str,
}

/// What else there is to say about a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// The record that it refers to stands in full further up.
    ShownAbove,
    /// The record that it refers to is left out, since the tree is too large; its cost is counted.
    Truncated,
    /// What it asks for depends on the message.
    DependsOnMessage,
    /// IPv4 and IPv6 clients are sent to different records by `%{v}`; the one that costs more lookups stands here.
    DependsOnFamily,
    /// It is never evaluated, because of an `all`.
    Idle,
}

/// What a record costs at a receiver.
///
/// # Errors
///
/// [`Error::Missing`] with the questions that some address needs and the evidence does not answer; `spf.too-complex`
/// where hostile records would take too long.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::{Profile, Subject, cost};
///
/// let dns = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [
///         { "name": "example.net", "type": "TXT", "records": ["v=spf1 include:_spf.example.net ~all"] },
///         { "name": "_spf.example.net", "type": "TXT", "records": ["v=spf1 exists:%{i}.example.net -all"] }
///     ]
/// }"#)?;
/// let cost = cost(&dns, &Subject::parse("example.net", None)?, &Profile::RFC7208)?;
/// assert_eq!((cost.lookups.total, cost.remaining.lookups), (2, Some(8)));
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn cost(evidence: &dyn Evidence, subject: &Subject, profile: &'static Profile) -> Result<Cost, Error> {
    cost_at(evidence, subject, profile, None)
}

/// As [`cost`], and what decides one address.
///
/// # Errors
///
/// As [`cost`]; `spf.too-complex` also where an address is asked for and records are too entangled to tell.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::{Profile, Subject, cost_at};
///
/// let subject = Subject::parse("v=spf1 ip4:192.0.2.0/24 ~all", None)?;
/// let ip = "192.0.2.7".parse().unwrap();
/// let cost = cost_at(&Snapshot::default(), &subject, &Profile::RFC7208, Some(ip))?;
/// let by = &cost.address.unwrap().cases[0].by;
/// assert_eq!(by[0].term.as_deref(), Some("ip4:192.0.2.0/24"));
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn cost_at(
    evidence: &dyn Evidence,
    subject: &Subject,
    profile: &'static Profile,
    ip: Option<IpAddr>,
) -> Result<Cost, Error> {
    let evidence = subject.publish_on(evidence);
    let recording = Recording::new(&evidence);
    let walked = walk::tree(&evidence, &recording, &subject.domain, profile);
    let deciders = Deciders::compile_noting(&recording, &evidence, &subject.domain);
    let policy = match &deciders {
        Ok(deciders) => Ok(deciders.policy()),
        // Without the terms that decide there is less to keep apart.
        Err(_) => Policy::compile(&recording, &subject.domain),
    };
    let (mut tree, truncated) = walked?;
    if subject.is_placed_anywhere() {
        tree.octets = None;
    }
    // The tree may need more answers than the policy: all questions are told together.
    recording.complete(())?;
    let policy = policy?;
    let (deciders, address) = match (deciders, ip) {
        (Ok(deciders), ip) => {
            let address = ip.map(|ip| paths::address(&deciders, ip, profile));
            (Some(deciders), address)
        }
        (Err(problem), Some(_)) => return Err(problem.into()),
        (Err(_), None) => (None, None),
    };
    if let Some(deciders) = &deciders {
        paths::note(&mut tree, deciders, profile);
    }
    let [worst_v4, worst_v6] = [Family::V4, Family::V6].map(|family| policy.worst(family));
    let worst = worst_v4.max(worst_v6);
    let left = |most: u32, spent: u32| Some(i64::from(Profile::limit(most)?) - i64::from(spent));
    let Totals { lookups: total, assumed, .. } = tree.total;
    Ok(Cost {
        format: "sendershift-cost/1",
        domain: subject.domain.clone(),
        published: subject.record.is_none(),
        receiver: profile,
        within: worst.is_within(profile) && worst.unbounded == 0,
        lookups: Lookups { total, published: total - assumed, assumed },
        limits: Limits {
            lookups: Profile::limit(profile.lookups),
            counting: profile.counting,
            voids: Profile::limit(profile.voids),
            void_unit: profile.void_unit,
        },
        remaining: Remaining {
            lookups: left(profile.lookups, worst.lookups_for(profile)),
            voids: left(profile.voids, worst.voids_for(profile)),
        },
        worst_v4,
        worst_v6,
        beyond: policy.beyond(profile),
        behind: deciders.map_or_else(Vec::new, |deciders| paths::behind(&deciders, profile)),
        broken: AddressPart::from(errors(&policy)),
        classes: paths::classes(&policy, profile),
        address,
        unknowns: policy.unknowns().to_vec(),
        truncated,
        tree,
    })
}

fn errors(policy: &Policy) -> AddressSet {
    let intended = policy.intended();
    intended.sometimes(SpfResult::PermError).union(&intended.sometimes(SpfResult::TempError))
}

#[cfg(test)]
mod tests;
