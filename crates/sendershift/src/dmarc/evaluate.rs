//! The verdict on a message (RFC 9989 section 5.3).

use serde::Serialize;

use super::walk::Walker;
use super::{Alignment, Discovery, Policy};
use crate::dns::Evidence;
use crate::name::DomainName;

/// What is known of a message: its author domain and its authenticated identifiers.
#[derive(Clone, Copy, Debug)]
pub struct Authenticated<'a> {
    /// The domain of the From header field.
    pub author_domain: &'a DomainName,
    /// The MAIL FROM domain, if SPF passed for it.
    pub spf: Option<&'a DomainName>,
    /// The signing domains whose signatures were verified.
    pub dkim: &'a [DomainName],
}

/// The result of DMARC (RFC 8601 section 2.7.1, RFC 9989 section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DmarcResult {
    /// An authenticated identifier aligns.
    Pass,
    /// None does.
    Fail,
    /// No policy record applies, so DMARC does not either.
    None,
    /// A failed query leaves it open.
    TempError,
}

impl DmarcResult {
    /// The name that the standard uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::None => "none",
            Self::TempError => "temperror",
        }
    }
}

/// The result for a message, and the reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The result.
    pub result: DmarcResult,
    /// The policy in effect for mail that fails; none if no policy record applies.
    pub policy: Option<Policy>,
    /// Whether the SPF domain aligns, relaxed where there is no policy record.
    pub spf_aligned: bool,
    /// Whether a signing domain aligns, relaxed where there is no policy record.
    pub dkim_aligned: bool,
    /// How the policy was found.
    pub discovery: Discovery,
}

/// Judges a message as a receiver does by RFC 9989 section 5.3.
///
/// # Examples
///
/// ```
/// use sendershift::dmarc::{Authenticated, DmarcResult, evaluate};
/// use sendershift::dns::Snapshot;
///
/// let snapshot = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [
///         { "name": "_dmarc.example.net", "type": "TXT", "records": ["v=DMARC1; p=reject"] }
///     ]
/// }"#)?;
/// let (author, bounce) = ("example.net".parse().unwrap(), "bounce.example.net".parse().unwrap());
/// let message = Authenticated { author_domain: &author, spf: Some(&bounce), dkim: &[] };
/// assert_eq!(evaluate(&snapshot, &message).result, DmarcResult::Pass);
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
pub fn evaluate(evidence: &dyn Evidence, message: &Authenticated<'_>) -> Verdict {
    let mut walker = Walker::new(evidence);
    let author = message.author_domain;
    let discovery = walker.discover(author);
    let (aspf, adkim) = match &discovery.applied {
        Some(applied) => (applied.record.aspf(), applied.record.adkim()),
        None => (Alignment::Relaxed, Alignment::Relaxed),
    };
    let mut open = false;
    let mut aligned = |identifier: &DomainName, mode| {
        let aligned = walker.aligned(author, identifier, mode);
        open |= aligned.is_none();
        aligned == Some(true)
    };
    let spf_aligned = message.spf.is_some_and(|domain| aligned(domain, aspf));
    let dkim_aligned = message.dkim.iter().any(|domain| aligned(domain, adkim));
    let passes = spf_aligned || dkim_aligned;
    let has_policy = (!discovery.temperror).then_some(discovery.applied.is_some());
    let result = result(has_policy, (passes || !open).then_some(passes));
    let policy = discovery.applied.as_ref().map(|applied| applied.policy);
    Verdict { result, policy, spf_aligned, dkim_aligned, discovery }
}

/// The result: whether there is a policy and whether an identifier aligns, `None` where failed queries leave that open.
pub(super) fn result(has_policy: Option<bool>, aligned: Option<bool>) -> DmarcResult {
    match (has_policy, aligned) {
        (None, _) | (Some(true), None) => DmarcResult::TempError,
        (Some(false), _) => DmarcResult::None,
        (Some(true), Some(true)) => DmarcResult::Pass,
        (Some(true), Some(false)) => DmarcResult::Fail,
    }
}
