//! One message before receivers of both generations of DMARC: two verdicts, and where and why they differ.

use std::fmt;

use serde::{Serialize, Serializer};

use super::differ::{Difference, differences};
use super::reading::{self, Outcome, Reading};
use crate::dns::Evidence;
use crate::error::Problem;
use crate::name::DomainName;
use crate::spf::SpfResult;

/// The result of a DKIM signature (RFC 8601 section 2.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DkimResult {
    /// The message was not signed.
    None,
    /// The signature was verified.
    Pass,
    /// The signature was not.
    Fail,
    /// It was, and the verifier does not accept it.
    Policy,
    /// It could not be read.
    Neutral,
    /// A passing fault, usually of DNS.
    TempError,
    /// A lasting fault.
    PermError,
}

impl DkimResult {
    /// All seven, in the order of RFC 8601.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Pass, Self::Fail, Self::Policy, Self::Neutral, Self::TempError, Self::PermError];

    /// The result with a name that the standard uses.
    ///
    /// # Errors
    ///
    /// `dkim.unknown-result`.
    pub fn named(name: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|result| result.as_str() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Problem::new("dkim.unknown-result", format!("`{name}` is not a result of DKIM"))
                .help(format!("the results are {names}"))
        })
    }

    /// The name that the standard uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Policy => "policy",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for DkimResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A message: its author domain, and what SPF and the verifier of its signatures said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// The domain of the From header field.
    #[serde(rename = "from")]
    pub author_domain: DomainName,
    /// The MAIL FROM domain, or that of HELO for the null sender, and the result of SPF.
    #[serde(serialize_with = "one")]
    pub spf: Option<(DomainName, SpfResult)>,
    /// The signing domains and the results of their signatures.
    #[serde(serialize_with = "many")]
    pub dkim: Vec<(DomainName, DkimResult)>,
}

#[derive(Serialize)]
struct Told<'a> {
    domain: &'a DomainName,
    result: &'static str,
}

#[expect(clippy::ref_option, reason = "serde gives it so")]
fn one<S: Serializer>(spf: &Option<(DomainName, SpfResult)>, serializer: S) -> Result<S::Ok, S::Error> {
    spf.as_ref().map(|(domain, result)| Told { domain, result: result.as_str() }).serialize(serializer)
}

fn many<S: Serializer>(dkim: &[(DomainName, DkimResult)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(dkim.iter().map(|(domain, result)| Told { domain, result: result.as_str() }))
}

impl Message {
    /// A message without results.
    pub fn new(author_domain: DomainName) -> Self {
        Self { author_domain, spf: None, dkim: Vec::new() }
    }

    /// The same message with the result of SPF for a domain.
    #[must_use]
    pub fn with_spf(self, domain: DomainName, result: SpfResult) -> Self {
        Self { spf: Some((domain, result)), ..self }
    }

    /// The same message with one more signature.
    #[must_use]
    pub fn with_dkim(mut self, domain: DomainName, result: DkimResult) -> Self {
        self.dkim.push((domain, result));
        self
    }

    /// What the results mean, that of SPF first.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        let spf = self.spf.iter().map(|(_, result)| result.as_str());
        let dkim = self.dkim.iter().map(|(_, result)| result.as_str());
        spf.chain(dkim).map(|result| match result {
            "pass" => Outcome::Pass,
            "temperror" => Outcome::TempError,
            _ => Outcome::Other,
        })
    }
}

/// The verdicts on a message (`sendershift-dmarc/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Checked {
    /// `sendershift-dmarc/1`.
    pub format: &'static str,
    /// The message, repeated.
    #[serde(flatten)]
    pub message: Message,
    /// The verdict of receivers that read RFC 9989.
    pub rfc9989: Reading,
    /// The verdict of receivers that still read RFC 7489; none in a build without the public suffix list.
    pub rfc7489: Option<Reading>,
    /// Where the two differ, and why.
    pub differences: Vec<Difference>,
}

/// Judges a message by both generations of DMARC.
///
/// Names without an answer in the evidence count as names without records.
///
/// # Examples
///
/// ```
/// use sendershift::dmarc::{DmarcResult, Message, check};
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::SpfResult;
///
/// let snapshot = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [
///         { "name": "_dmarc.news.shop.example", "type": "TXT", "records": ["v=DMARC1; p=reject"] }
///     ]
/// }"#)?;
/// let message = Message::new("news.shop.example".parse().unwrap())
///     .with_spf("bounce.shop.example".parse().unwrap(), SpfResult::Pass);
/// let checked = check(&snapshot, message);
/// // Without a record at shop.example the two are organizations of their own.
/// assert_eq!(checked.rfc9989.result, DmarcResult::Fail);
/// # #[cfg(feature = "psl")]
/// assert_eq!(checked.rfc7489.unwrap().result, DmarcResult::Pass);
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
pub fn check(evidence: &dyn Evidence, message: Message) -> Checked {
    let rfc9989 = reading::rfc9989(evidence, &message);
    let rfc7489 = reading::rfc7489(evidence, &message);
    let differences = rfc7489.as_ref().map_or_else(Vec::new, |old| differences(&message, &rfc9989, old));
    Checked { format: "sendershift-dmarc/1", message, rfc9989, rfc7489, differences }
}
