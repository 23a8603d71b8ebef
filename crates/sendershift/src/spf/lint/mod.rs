//! What is wrong with a record or unwise, in it and in all that it refers to.
//!
//! Each file holds the rules of one kind: the [`Rule`]s, and what finds them. What ends evaluations in an error is looked
//! for in every record of the tree, since it breaks the whole; taste and habit only in the domain's own records.

mod all;
mod limits;
mod networks;
mod published;
mod reach;
mod terms;
mod tree;

use super::check::Selection;
use super::{Policy, Profile, SpfRecord, Subject, cost};
use crate::dns::{Evidence, Question, RecordType, Recording};
use crate::error::{Error, Invalid, Span};
use crate::finding::{Finding, Report, Rule};
use crate::name::DomainName;

/// The rules, in no order.
pub const RULES: &[&Rule] = &[
    &all::AFTER_ALL,
    &all::NEUTRAL_ALL,
    &all::NO_ALL,
    &all::PASS_ALL,
    &all::REDIRECT_WITH_ALL,
    &limits::FEW_LOOKUPS_LEFT,
    &limits::OVER_FOR_OTHERS,
    &limits::REFUSED_BY_RECEIVERS,
    &limits::TOO_MANY_LOOKUPS,
    &limits::TOO_MANY_MX,
    &limits::TOO_MANY_VOIDS,
    &limits::VOID_BY_FAMILY,
    &networks::BROAD_NETWORK,
    &networks::HOST_BITS,
    &networks::MANY_ADDRESSES,
    &networks::RESERVED_NETWORK,
    &published::ALIAS,
    &published::GLUED_STRINGS,
    &published::HIGH_TTL_RULE,
    &published::LARGE_ANSWER,
    &published::LOW_TTL_RULE,
    &published::NOT_QUITE,
    &published::ODD_SPELLING,
    &published::TRAILING_SPACE,
    &published::TYPE_SPF,
    &reach::UNREACHABLE,
    &terms::DUPLICATE_TERM,
    &terms::EXISTS_FIRST,
    &terms::EXP_NOWHERE,
    &terms::MACRO_P,
    &terms::NEEDLESS_INCLUDE,
    &terms::OPEN_TARGET,
    &terms::PTR,
    &terms::STALE_NETBLOCK,
    &terms::VOID_TERM,
    &tree::DNS_FAILURE,
    &tree::INCLUDE_OF_NONE,
    &tree::LOOP,
    &tree::NO_RECORD,
    &tree::REDIRECT_TO_NONE,
    &tree::REPEATED_INCLUDE,
    &tree::SEVERAL_RECORDS,
    &tree::SYNTAX,
    &tree::TOO_COMPLEX,
];

/// What there is to say of a domain's record, or of a text that begins with `v=spf1`, to be read at `at`.
///
/// # Errors
///
/// The problems of the domain's name, or `spf.needs-domain`; those of a record are findings. [`Error::Missing`] with the
/// questions that the evidence does not answer.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::{Profile, lint};
///
/// let report = lint(&Snapshot::default(), "v=spf1 ip4:192.0.2.1 +all", None, &Profile::RFC7208)?;
/// let codes: Vec<&str> = report.findings.iter().map(|finding| finding.problem.code).collect();
/// assert!(codes.contains(&"spf.pass-all"));
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn lint(
    evidence: &dyn Evidence,
    text: &str,
    at: Option<DomainName>,
    profile: &'static Profile,
) -> Result<Report, Error> {
    let report = |findings| Report::new("spf", text, findings).at_receiver(profile.name);
    let subject = match Subject::parse(text, at.clone()) {
        Ok(subject) => subject,
        Err(invalid) => return Ok(report(unreadable(text, at, invalid)?)),
    };
    let known = subject.publish_on(evidence);
    let evidence = Recording::new(&known);
    let mut lint = Lint {
        evidence: &evidence,
        known: &known,
        domain: &subject.domain,
        published: subject.record.is_none(),
        records: Vec::new(),
        findings: Vec::new(),
        skipped: Vec::new(),
    };
    lint.tree();
    lint.published();
    lint.all();
    lint.networks();
    lint.terms();
    let tree = cost::tree(&known, &evidence, lint.domain, profile);
    match (Policy::compile(&evidence, lint.domain), tree) {
        (Ok(policy), Ok((tree, _))) => {
            lint.addresses(&policy);
            lint.limits(&policy, &tree, profile);
            lint.failures(&policy, &tree);
            lint.reach();
        }
        // The questions are noted.
        (Err(Error::Missing(_)), _) => {}
        (Err(Error::Invalid(_)), _) | (_, Err(_)) => lint.too_complex(),
    }
    let report = report(lint.findings).with_skipped(lint.skipped);
    Ok(evidence.complete(report)?)
}

/// The findings of a text that begins as a record does, and is none.
fn unreadable(text: &str, at: Option<DomainName>, invalid: Invalid) -> Result<Vec<Finding>, Error> {
    let is_record = text.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("v=spf1"));
    if !is_record || SpfRecord::parse(text.as_bytes()).is_ok() {
        return Err(invalid.into());
    }
    let domain = at.map_or_else(Subject::anywhere, Ok)?;
    Ok(tree::syntax(&domain, text, &invalid))
}

/// A record of the tree, visited once.
struct Visited {
    domain: DomainName,
    /// The domains whose records lead here.
    via: Vec<DomainName>,
    selection: Selection,
}

impl Visited {
    fn record(&self) -> Option<&SpfRecord> {
        match &self.selection {
            Selection::Record(record) => Some(record),
            _ => None,
        }
    }

    /// A finding about the record, or about a place in it.
    fn finding(&self, rule: &Rule, span: Option<Span>, message: impl Into<String>) -> Finding {
        let mut finding = rule.finding(&self.domain, RecordType::Txt, message);
        if let Some(record) = self.record() {
            finding = finding.in_record(record.text());
        }
        finding.via.clone_from(&self.via);
        finding.problem.span = span;
        finding
    }
}

struct Lint<'e> {
    /// What is asked of it has to be answered.
    evidence: &'e dyn Evidence,
    /// The same evidence for questions without which a rule is left out.
    known: &'e dyn Evidence,
    domain: &'e DomainName,
    /// Whether the record is the one that DNS has.
    published: bool,
    /// The records, the domain's own first.
    records: Vec<Visited>,
    findings: Vec<Finding>,
    /// Questions whose rules were left out.
    skipped: Vec<Question>,
}

impl Lint<'_> {
    /// The records that whoever asks can be expected to edit: at the domain, and at names below it.
    fn own(&self) -> impl Iterator<Item = (&Visited, &SpfRecord)> {
        let is_own = |visited: &&Visited| visited.domain.is_within(self.domain);
        self.records.iter().filter(is_own).filter_map(|visited| Some((visited, visited.record()?)))
    }
}

#[cfg(test)]
mod tests;
