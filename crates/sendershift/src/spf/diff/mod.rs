//! Whether two policies are the same, and where exactly they are not.
//!
//! They are compared over all seven results, all addresses, and all turnouts of the unknowns that either depends on. What
//! is not proven either way is said to be so: a difference that rests on unknowns which cannot turn out
//! independently of each other, and a likeness that lasts only while a term of unbounded cost takes little.

mod compare;
mod plausible;

use std::net::IpAddr;

use compare::{Compared as Outcome, compare};
use serde::Serialize;

use super::policy::{Assumed, Authorised, Policy};
use super::{Profile, SpfResult, Subject};
use crate::dns::Evidence;
use crate::error::{Error, Missing};
use crate::name::DomainName;
use crate::net::{AddressCount, IpRange};

/// What two policies are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// What they do at a receiver, its limits included.
    Actual(&'static Profile),
    /// What they intend: without limits.
    Intended,
}

impl Compared {
    /// The limits that apply.
    pub fn profile(self) -> &'static Profile {
        match self {
            Self::Actual(profile) => profile,
            Self::Intended => &Profile::LIFTED,
        }
    }
}

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The results are the same for every address and every turnout of the unknowns.
    Equivalent,
    /// There is an address, and a turnout, with two results.
    Different,
    /// Neither is proven.
    Undecided,
}

/// Where two policies differ (`sendershift-diff/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// `sendershift-diff/1`.
    pub format: &'static str,
    /// The left side.
    pub left: Side,
    /// The right side.
    pub right: Side,
    /// `actual` or `intended`.
    pub compared: &'static str,
    /// The receiver whose limits apply; none where intentions are compared.
    pub receiver: Option<&'static Profile>,
    /// Whether the policies are proven to be the same.
    pub equivalent: bool,
    /// The same with its third value: what is not proven to be the same need not be different.
    pub verdict: Verdict,
    /// One address, one turnout, two results.
    pub witness: Option<Witness>,
    /// Other receivers at which the policies are not proven to be the same.
    pub elsewhere: Vec<Elsewhere>,
    /// The ranges at which the policies differ, IPv4 first, in ascending order.
    pub ranges: Vec<DifferentRange>,
    /// The ranges at which it is not proven whether they do.
    pub doubts: Vec<Doubt>,
    /// The addresses that pass on the right and not on the left.
    pub adds: Authorised,
    /// The addresses that pass on the left and not on the right.
    pub removes: Authorised,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Side {
    /// The domain; `record.invalid` for a record that is at home anywhere.
    pub domain: DomainName,
    /// Whether the record is the published one.
    pub published: bool,
}

/// One address at which two policies differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Witness {
    /// The address.
    pub ip: IpAddr,
    /// The results, and what they take for granted.
    #[serde(flatten)]
    pub case: DifferentCase,
}

/// Two results for one client and message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DifferentCase {
    /// The result on the left.
    pub left: SpfResult,
    /// The result on the right.
    pub right: SpfResult,
    /// How the unknowns turn out; no assumption can be dropped.
    pub assuming: Vec<Assumed>,
}

/// Other receivers at which two policies are not proven to be the same, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Elsewhere {
    /// The receivers.
    pub receivers: Vec<&'static Profile>,
    /// `different` or `undecided`.
    pub verdict: Verdict,
    /// Where they differ.
    pub witness: Option<Witness>,
}

/// Addresses at which two policies differ, all in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DifferentRange {
    /// The addresses.
    pub range: IpRange,
    /// How many.
    pub count: AddressCount,
    /// The results that are possible on the left.
    pub left: Vec<SpfResult>,
    /// The results that are possible on the right.
    pub right: Vec<SpfResult>,
    /// One case for each pair of different results.
    pub cases: Vec<DifferentCase>,
}

/// Addresses at which it is not proven whether two policies differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Doubt {
    /// Why: `spf.related-unknowns`, the only cases found rest on unknowns that ask the same of DNS and may not turn out so
    /// together; `spf.unbounded-cost`, a term whose cost is not known may make one side alone pass a limit.
    pub code: &'static str,
    /// The addresses.
    pub range: IpRange,
    /// How many.
    pub count: AddressCount,
}

/// Compares the policies of two domains or records.
///
/// Unknowns are questions whose answers depend on the message: what they hold is not read from the evidence, and every
/// turnout counts. One question has one answer, on both sides. They are taken to be answered (no DNS failures), by names that
/// can exist, and not to lead back into the records that are compared. The message is the same on both sides but for the domain of the sender. `::ffff:0:0/96` has no meaning of its
/// own (RFC 7208 section 5) and counts with the addresses below it. Limits apply as in
/// section 4.6.4; explanations (section 6.2) are no part of the result.
///
/// # Errors
///
/// [`Error::Missing`] with the questions that some address needs on either side and the evidence does not answer;
/// `spf.too-complex` where hostile records would take too long.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::{Compared, Profile, SpfResult, Subject, diff};
///
/// let dns = Snapshot::from_json(r#"{ "format": "sendershift-snapshot/1", "closed": true, "answers": [] }"#)?;
/// let left = Subject::parse("v=spf1 -ip4:203.0.113.7 ip4:203.0.113.0/24 ~all", None)?;
/// let right = Subject::parse("v=spf1 ip4:203.0.113.0/24 ~all", None)?;
/// let difference = diff(&dns, &left, &right, Compared::Actual(&Profile::RFC7208))?;
/// let witness = difference.witness.unwrap();
/// assert_eq!(witness.ip.to_string(), "203.0.113.7");
/// assert_eq!((witness.case.left, witness.case.right), (SpfResult::Fail, SpfResult::Pass));
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn diff(
    evidence: &dyn Evidence,
    left: &Subject,
    right: &Subject,
    compared: Compared,
) -> Result<Difference, Error> {
    difference((evidence, left), (evidence, right), compared, left == right)
}

/// As [`diff`], each side with evidence of its own, such as that of two days.
///
/// What both sides leave open is taken to be one question with one answer, as the message is one.
///
/// # Errors
///
/// As [`diff`].
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::{Compared, Profile, Subject, diff_between};
///
/// let day = |record: &str| Snapshot::from_json(&format!(r#"{{ "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [{{ "name": "a.example", "type": "TXT", "records": ["{record}"] }}] }}"#));
/// let (monday, friday) = (day("v=spf1 ip4:192.0.2.0/25 -all")?, day("v=spf1 ip4:192.0.2.0/24 -all")?);
/// let domain = Subject::parse("a.example", None)?;
/// let difference = diff_between((&monday, &domain), (&friday, &domain), Compared::Actual(&Profile::RFC7208))?;
/// assert_eq!(difference.adds.always.ranges.to_string(), "192.0.2.128/25");
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn diff_between(
    left: (&dyn Evidence, &Subject),
    right: (&dyn Evidence, &Subject),
    compared: Compared,
) -> Result<Difference, Error> {
    difference(left, right, compared, false)
}

/// `is_same` says that both sides are one record on one evidence.
fn difference(
    (evidence, left): (&dyn Evidence, &Subject),
    (right_evidence, right): (&dyn Evidence, &Subject),
    compared: Compared,
    is_same: bool,
) -> Result<Difference, Error> {
    let policies = both(
        Policy::compile(&left.publish_on(evidence), &left.domain),
        Policy::compile(&right.publish_on(right_evidence), &right.domain),
    )?;
    let profile = compared.profile();
    let found = compare((&policies.0, profile), (&policies.1, profile), is_same)?;
    let mut elsewhere: Vec<Elsewhere> = Vec::new();
    for other in Profile::ALL.iter().copied().filter(|other| other.name != profile.name) {
        let found = compare((&policies.0, other), (&policies.1, other), is_same)?;
        let (verdict, witness) = (found.verdict(), found.witness());
        if verdict == Verdict::Equivalent {
            continue;
        }
        match elsewhere.iter_mut().find(|known| known.verdict == verdict && known.witness == witness) {
            Some(known) => known.receivers.push(other),
            None => elsewhere.push(Elsewhere { receivers: vec![other], verdict, witness }),
        }
    }
    let [from, to] = [&policies.0, &policies.1].map(|policy| policy.under(profile).authorised());
    let side =
        |subject: &Subject| Side { domain: subject.domain.clone(), published: subject.record.is_none() };
    let (verdict, witness) = (found.verdict(), found.witness());
    let Outcome { ranges, doubts } = found;
    Ok(Difference {
        format: "sendershift-diff/1",
        left: side(left),
        right: side(right),
        compared: if compared == Compared::Intended { "intended" } else { "actual" },
        receiver: (compared != Compared::Intended).then_some(profile),
        equivalent: verdict == Verdict::Equivalent,
        verdict,
        witness,
        elsewhere,
        ranges: ranges.into_iter().map(|(range, _)| range).collect(),
        doubts,
        adds: to.without(&from),
        removes: from.without(&to),
    })
}

/// Both values, or the open questions of both.
fn both<T>(left: Result<T, Error>, right: Result<T, Error>) -> Result<(T, T), Error> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (Err(Error::Missing(left)), Err(Error::Missing(right))) => {
            let mut questions = left.questions;
            questions.extend(right.questions);
            questions.sort();
            questions.dedup();
            Err(Missing { questions }.into())
        }
        // What is too complex stays so, whatever else is answered.
        (Err(error), Ok(_) | Err(Error::Missing(_))) | (_, Err(error)) => Err(error),
    }
}
