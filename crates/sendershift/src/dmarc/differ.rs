//! Where the two generations of DMARC read the same message differently, and why.

use std::fmt;

use serde::Serialize;

use super::reading::{Organization, Reading};
use super::{DmarcRecord, DmarcResult, Found, LegacyRecord, Message, Source};
use crate::name::DomainName;

/// What is read differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Differing {
    /// The organizational domain.
    OrganizationalDomain,
    /// Whose record applies, if any.
    PolicyRecord,
    /// The policy in effect.
    Policy,
    /// Whether an identifier aligns.
    Alignment,
}

impl fmt::Display for Differing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OrganizationalDomain => "organizational domain",
            Self::PolicyRecord => "policy record",
            Self::Policy => "policy",
            Self::Alignment => "alignment",
        })
    }
}

/// One thing that the two generations read differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What.
    pub what: Differing,
    /// Of which domain.
    pub domain: DomainName,
    /// What RFC 9989 makes of it.
    pub rfc9989: String,
    /// What RFC 7489 makes of it.
    pub rfc7489: String,
    /// Why, for people.
    pub why: String,
}

pub(super) fn differences(message: &Message, new: &Reading, old: &Reading) -> Vec<Difference> {
    let author = &message.author_domain;
    let mut differences = Vec::new();
    let mut add = |what, domain: &DomainName, rfc9989: String, rfc7489: String, why: String| {
        let difference = Difference { what, domain: domain.clone(), rfc9989, rfc7489, why };
        if difference.rfc9989 != difference.rfc7489 {
            differences.push(difference);
        }
    };
    let why = format!("{}, {}", new.author.because(), old.author.because());
    let [by_walk, by_list] = [&new.author, &old.author].map(|found| organization(Some(found)));
    add(Differing::OrganizationalDomain, author, by_walk.clone(), by_list.clone(), why);
    add(Differing::PolicyRecord, author, place(new), place(old), record_why(new, old));
    if let (Some(in_new), Some(in_old)) = (new.policy, old.policy) {
        add(Differing::Policy, author, in_new.to_string(), in_old.to_string(), policy_why(new, old));
    }
    for (new, old) in new.identifiers.iter().zip(&old.identifiers) {
        let [in_walk, in_list] = [new, old].map(|found| organization(found.organization.as_ref()));
        let why = format!(
            "the organizational domains of both are {by_walk} and {in_walk} by tree walk, {by_list} and {in_list} by list"
        );
        let shown = |aligned| match aligned {
            Some(true) => "aligned",
            Some(false) => "not aligned",
            None => "open",
        };
        let [in_new, in_old] = [new, old].map(|found| shown(found.aligned).to_owned());
        add(Differing::Alignment, &new.domain, in_new, in_old, why);
    }
    differences
}

fn organization(of: Option<&Organization>) -> String {
    match (of, of.and_then(Organization::domain)) {
        (_, Some(domain)) => domain.to_string(),
        (Some(Organization::TreeWalk { .. }), None) => "open".to_owned(),
        (Some(Organization::Psl { .. }), None) => "none".to_owned(),
        // Strict alignment asks for none.
        (None, None) => "of no account".to_owned(),
    }
}

fn place(reading: &Reading) -> String {
    match &reading.policy_record {
        Some(record) => record.domain.to_string(),
        None if reading.result == DmarcResult::TempError => "open".to_owned(),
        None => "none".to_owned(),
    }
}

fn record_why(new: &Reading, old: &Reading) -> String {
    let last = old.queries.last().map(|query| (&query.domain, &query.found));
    match (last, &new.policy_record) {
        (Some((domain, Found::Several { count })), _) => {
            format!("{domain} has {count} records: RFC 9989 discards them and looks on, RFC 7489 ends there")
        }
        (Some((_, Found::Broken(invalid))), _) => format!("to RFC 7489 the record is broken: {invalid}"),
        (_, Some(record)) if record.source == Source::PublicSuffix => {
            "only RFC 9989 takes the record of a public suffix that says `psd=y`".to_owned()
        }
        (Some((_, Found::Failed)), _) => "a query that only RFC 7489 needs failed".to_owned(),
        (Some((_, Found::Record { .. })), None) => match new.result {
            DmarcResult::TempError => "a query of the tree walk failed".to_owned(),
            _ => "to RFC 9989 the record is broken".to_owned(),
        },
        _ => "the organizational domains differ".to_owned(),
    }
}

fn policy_why(new: &Reading, old: &Reading) -> String {
    let (Some(in_new), Some(in_old)) = (&new.policy_record, &old.policy_record) else { return String::new() };
    let mut reasons = Vec::new();
    if in_new.domain != in_old.domain {
        reasons.push("another record applies".to_owned());
    }
    if in_new.tag == "np" {
        reasons.push("the author domain does not exist, and only RFC 9989 knows `np`".to_owned());
    }
    if DmarcRecord::parse(in_new.record.as_bytes()).is_ok_and(|record| record.is_testing()) {
        reasons.push("only RFC 9989 knows `t=y`, one level lower".to_owned());
    }
    let legacy = LegacyRecord::parse(in_old.record.as_bytes()).ok();
    if let Some(fault) = legacy.as_ref().and_then(LegacyRecord::fault) {
        reasons.push(format!("RFC 7489 reads `p=none`, for {fault}"));
    }
    if legacy.is_some_and(|record| record.percent() < 100) {
        reasons.push("only RFC 7489 knows `pct`".to_owned());
    }
    if reasons.is_empty() {
        reasons.push("RFC 9989 reads `p=none`, for a policy in the record is none".to_owned());
    }
    reasons.join("; ")
}
