//! What receivers of each generation of DMARC make of a message: RFC 9989 section 5.3, RFC 7489 section 6.6.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::evaluate::result;
use super::legacy::LegacyRecord;
use super::report::{Authorised, authorisation};
use super::walk::Walker;
use super::{
    Alignment, ChosenBy, DmarcResult, Found, Message, Policy, PublicSuffix, Query, ReportUri, Section,
    Source, Walk,
};
use crate::dns::Evidence;
use crate::name::DomainName;

/// The verdict of one generation of receivers, and the reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reading {
    /// The result.
    pub result: DmarcResult,
    /// The policy in effect for mail that fails; none where DMARC does not apply.
    pub policy: Option<InEffect>,
    /// The record that applies.
    pub policy_record: Option<PolicyRecord>,
    /// The organizational domain of the author domain. Its queries are those for the policy record too, for RFC 9989.
    pub author: Organization,
    /// The queries for the policy record, where they are not those of the walk.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<Query<LegacyRecord>>,
    /// The identifiers, that of SPF first.
    pub identifiers: Vec<Identifier>,
    /// Where reports would go, and whether they may.
    pub reports: Vec<Report>,
}

/// The policy in effect for mail that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InEffect {
    /// The policy.
    pub policy: Policy,
    /// To how many in a hundred messages it applies: always 100 for RFC 9989. `pct=0` applies the policy one level
    /// lower to all (RFC 7489 section 6.6.4).
    pub percent: u8,
    /// What applies to the others.
    pub otherwise: Option<Policy>,
}

/// `reject`, or `reject for 20 %, else quarantine`.
impl fmt::Display for InEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.policy.as_str())?;
        match self.otherwise {
            Some(otherwise) => write!(f, " for {} %, else {}", self.percent, otherwise.as_str()),
            None => Ok(()),
        }
    }
}

/// The policy record that applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicyRecord {
    /// The policy domain.
    pub domain: DomainName,
    /// Which domain that is, seen from the author domain.
    pub source: Source,
    /// The record.
    pub record: String,
    /// The tag whose value or default counts: `p`, `sp` or `np`.
    pub tag: &'static str,
    /// The policy that the tag declares.
    pub declared: Policy,
}

/// An organizational domain, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum Organization {
    /// By tree walk (RFC 9989 section 4.10.2).
    TreeWalk {
        /// The organizational domain; none where a failed query leaves it open.
        domain: Option<DomainName>,
        /// How it was chosen.
        chosen_by: ChosenBy,
        /// The queries of the walk.
        queries: Vec<Query>,
    },
    /// By public suffix list (RFC 7489 section 3.2).
    Psl {
        /// The organizational domain; none for a name that is a public suffix itself.
        domain: Option<DomainName>,
        /// The rule that matched.
        rule: String,
        /// Which part of the list it is from.
        section: Section,
    },
}

impl Organization {
    /// The organizational domain, if there is one and it is known.
    pub fn domain(&self) -> Option<&DomainName> {
        match self {
            Self::TreeWalk { domain, .. } | Self::Psl { domain, .. } => domain.as_ref(),
        }
    }

    /// How it was found, in words.
    pub fn because(&self) -> String {
        match self {
            Self::TreeWalk { domain: None, .. } => "a query of the tree walk failed".to_owned(),
            Self::TreeWalk { chosen_by, .. } => match chosen_by {
                ChosenBy::PsdNo => "the tree walk ends at a record with `psd=n`",
                ChosenBy::BelowPsd => "the tree walk ends at a record with `psd=y`, one label above",
                ChosenBy::FewestLabels => "the tree walk takes the record with the fewest labels",
                ChosenBy::Itself => "the tree walk finds no record",
            }
            .to_owned(),
            Self::Psl { section: Section::Unlisted, .. } => {
                "the public suffix list does not have its last label, which is the suffix then".to_owned()
            }
            Self::Psl { rule, .. } => format!("the public suffix list has the rule `{rule}`"),
        }
    }

    /// Whether two names that are not the same have one organizational domain; `None` where that is open.
    fn same_as(&self, other: &Self) -> Option<bool> {
        let is_open = |of: &Self| matches!(of, Self::TreeWalk { domain: None, .. });
        if is_open(self) || is_open(other) {
            return None;
        }
        Some(self.domain().is_some() && self.domain() == other.domain())
    }
}

impl From<Walk> for Organization {
    fn from(walk: Walk) -> Self {
        let domain = (!walk.has_failed()).then_some(walk.organizational_domain);
        Self::TreeWalk { domain, chosen_by: walk.chosen_by, queries: walk.queries }
    }
}

impl From<PublicSuffix> for Organization {
    fn from(found: PublicSuffix) -> Self {
        Self::Psl { domain: found.organizational_domain, rule: found.rule, section: found.section }
    }
}

/// How an identifier stands to the author domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Identifier {
    /// `spf` or `dkim`.
    pub method: &'static str,
    /// The domain.
    pub domain: DomainName,
    /// How near it must be, relaxed where there is no policy record.
    pub mode: Alignment,
    /// Whether it aligns; null where failed queries leave that open.
    pub aligned: Option<bool>,
    /// Its organizational domain, where that matters.
    pub organization: Option<Organization>,
}

/// A place for reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// `rua` or `ruf`.
    pub tag: &'static str,
    /// The URI.
    pub uri: String,
    /// Whether the host takes reports about the policy domain; none for a URI without a mail host.
    #[serde(flatten)]
    pub authorised: Option<Authorised>,
}

/// How a receiver of RFC 9989 judges a message.
pub(super) fn rfc9989(evidence: &dyn Evidence, message: &Message) -> Reading {
    let mut walker = Walker::new(evidence);
    let discovery = walker.discover(&message.author_domain);
    let applied = discovery.applied.as_ref();
    let record = applied.map(|applied| Arc::clone(&applied.record));
    let modes = record.as_ref().map_or_else(Default::default, |record| (record.aspf(), record.adkim()));
    let author = Organization::from(discovery.walk);
    let identifiers = identifiers(message, modes, &author, |domain| walker.walk(domain).into());
    let reports = applied.zip(record.as_ref()).map_or_else(Vec::new, |(applied, record)| {
        reports(record.rua(), record.ruf(), |host| {
            let same = walker.aligned(&applied.domain, host, Alignment::Relaxed);
            authorisation(evidence, &applied.domain, host, same)
        })
    });
    Reading {
        result: judge(message, &identifiers, (!discovery.temperror).then_some(applied.is_some())),
        policy: applied.map(|applied| InEffect { policy: applied.policy, percent: 100, otherwise: None }),
        policy_record: applied.map(|applied| PolicyRecord {
            domain: applied.domain.clone(),
            source: applied.source,
            record: applied.record.to_string(),
            tag: applied.tag,
            declared: applied.declared,
        }),
        author,
        queries: Vec::new(),
        identifiers,
        reports,
    }
}

/// How a receiver of RFC 7489 judges a message; `None` where there is no public suffix list for one of the domains.
pub(super) fn rfc7489(evidence: &dyn Evidence, message: &Message) -> Option<Reading> {
    // Where only evidence has rules of the list, they may not be there for all names.
    let find = |domain: &DomainName| evidence.public_suffix(domain).map(Organization::from);
    let author = find(&message.author_domain)?;
    let mut identifiers =
        message.spf.iter().map(|(domain, _)| domain).chain(message.dkim.iter().map(|(domain, _)| domain));
    if identifiers.any(|domain| find(domain).is_none()) {
        return None;
    }
    let (queries, applied, temperror) = discover(evidence, &message.author_domain, author.domain());
    let modes = applied.as_ref().map_or_else(Default::default, |(_, _, record)| (record.aspf, record.adkim));
    let identifiers =
        self::identifiers(message, modes, &author, |domain| find(domain).unwrap_or_else(|| author.clone()));
    let reports = applied.as_ref().map_or_else(Vec::new, |(domain, _, record)| {
        reports(&record.rua, &record.ruf, |host| {
            let both = find(domain).zip(find(host));
            let same = domain == host || both.is_some_and(|(one, two)| one.same_as(&two) == Some(true));
            authorisation(evidence, domain, host, Some(same))
        })
    });
    let result = judge(message, &identifiers, (!temperror).then_some(applied.is_some()));
    let (policy_record, policy) = applied.map(in_effect).unzip();
    Some(Reading { result, policy, policy_record, author, queries, identifiers, reports })
}

/// The policy that receivers of RFC 7489 take to be in effect for an author domain; `None` without a record or a public suffix list.
pub(crate) fn legacy_policy(evidence: &dyn Evidence, author_domain: &DomainName) -> Option<Policy> {
    let author = Organization::from(evidence.public_suffix(author_domain)?);
    let (_, applied, _) = discover(evidence, author_domain, author.domain());
    applied.map(|chosen| in_effect(chosen).1.policy)
}

type Chosen = (DomainName, Source, Arc<LegacyRecord>);

/// Policy discovery of RFC 7489 section 6.6.3: the author domain, then its organizational domain if there was nothing.
fn discover(
    evidence: &dyn Evidence,
    author_domain: &DomainName,
    organizational_domain: Option<&DomainName>,
) -> (Vec<Query<LegacyRecord>>, Option<Chosen>, bool) {
    let above = organizational_domain.filter(|domain| *domain != author_domain);
    let places = std::iter::once((author_domain, Source::AuthorDomain))
        .chain(above.map(|domain| (domain, Source::OrganizationalDomain)));
    let mut queries = Vec::new();
    for (domain, source) in places {
        let found = Found::ask(evidence, domain, LegacyRecord::parse);
        let chosen = found.record().map(|record| (domain.clone(), source, Arc::clone(record)));
        let (failed, absent) = (found == Found::Failed, found == Found::Absent);
        queries.push(Query { domain: domain.clone(), found });
        if !absent {
            return (queries, chosen, failed);
        }
    }
    (queries, None, false)
}

fn in_effect((domain, source, record): Chosen) -> (PolicyRecord, InEffect) {
    let (tag, declared) = match source {
        Source::AuthorDomain => ("p", record.policy()),
        _ => record.subdomain_policy(),
    };
    let policy_record = PolicyRecord { domain, source, record: record.to_string(), tag, declared };
    let lowered = declared.lowered();
    let effect = match record.percent() {
        0 => InEffect { policy: lowered, percent: 100, otherwise: None },
        percent @ 1..100 if declared != lowered => {
            InEffect { policy: declared, percent, otherwise: Some(lowered) }
        }
        _ => InEffect { policy: declared, percent: 100, otherwise: None },
    };
    (policy_record, effect)
}

/// Which identifiers align (RFC 9989 section 4.4, RFC 7489 section 3.1).
fn identifiers(
    message: &Message,
    (aspf, adkim): (Alignment, Alignment),
    author: &Organization,
    mut find: impl FnMut(&DomainName) -> Organization,
) -> Vec<Identifier> {
    let author_domain = &message.author_domain;
    let spf = message.spf.iter().map(|(domain, _)| ("spf", domain, aspf));
    let dkim = message.dkim.iter().map(|(domain, _)| ("dkim", domain, adkim));
    spf.chain(dkim)
        .map(|(method, domain, mode)| {
            let (aligned, organization) = if domain == author_domain {
                (Some(true), Some(author.clone()))
            } else if mode == Alignment::Strict || !domain.shares_top_level(author_domain) {
                (Some(false), None)
            } else {
                let organization = find(domain);
                (author.same_as(&organization), Some(organization))
            };
            Identifier { method, domain: domain.clone(), mode, aligned, organization }
        })
        .collect()
}

/// A passing fault of an identifier that may align leaves the result open (RFC 7489 section 6.6.2).
fn judge(message: &Message, identifiers: &[Identifier], has_policy: Option<bool>) -> DmarcResult {
    let (mut passes, mut open) = (false, false);
    for (identifier, outcome) in identifiers.iter().zip(message.outcomes()) {
        passes |= outcome == Outcome::Pass && identifier.aligned == Some(true);
        open |= match outcome {
            Outcome::Pass => identifier.aligned.is_none(),
            Outcome::TempError => identifier.aligned != Some(false),
            Outcome::Other => false,
        };
    }
    result(has_policy, (passes || !open).then_some(passes))
}

/// What the result of SPF or of a signature means for DMARC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Pass,
    TempError,
    Other,
}

fn reports(
    rua: &[ReportUri],
    ruf: &[ReportUri],
    mut ask: impl FnMut(&DomainName) -> Authorised,
) -> Vec<Report> {
    let uris = rua.iter().map(|uri| ("rua", uri)).chain(ruf.iter().map(|uri| ("ruf", uri)));
    uris.map(|(tag, uri)| Report { tag, uri: uri.uri.clone(), authorised: uri.host.as_ref().map(&mut ask) })
        .collect()
}
