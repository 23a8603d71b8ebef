//! What is wrong with the keys of a domain, or unwise.

use std::collections::{BTreeMap, BTreeSet};

use super::{Algorithm, KeyRecord, KeyState, Selector, state};
use crate::dns::{Answer, Evidence, RecordType, Recording, Records, Resolved, Snapshot, resolve};
use crate::error::{Error, Problem, readable};
use crate::finding::{Finding, Report, Rule, Severity};
use crate::name::DomainName;
use crate::tag_list;

pub(super) const NO_KEYS: Rule = Rule {
    code: "dkim.no-keys",
    severity: Severity::Warning,
    title: "The evidence has no key of the domain",
    why: "DNS cannot list selectors, so keys that nobody asked about are not looked at. A domain without any \
          key has nothing that survives forwarding.",
    remedy: "Name the selectors that the senders use, or add the answers to the evidence.",
    source: "RFC 6376 section 3.1",
};

pub(super) const NO_RECORD: Rule = Rule {
    code: "dkim.no-record",
    severity: Severity::Error,
    title: "There is no key at the selector",
    why: "Signatures with this selector cannot be verified: to receivers the mail is not signed.",
    remedy: "Publish the key, or stop signing with the selector.",
    source: "RFC 6376 section 6.1.2",
};

pub(super) const DANGLING_ALIAS: Rule = Rule {
    code: "dkim.dangling-alias",
    severity: Severity::Error,
    title: "The selector is an alias of a name without a key",
    why: "Signatures cannot be verified. Whoever gets hold of the target can sign for the domain.",
    remedy: "Have the owner of the target publish the key, or remove the alias.",
    source: "RFC 6376 section 6.1.2",
};

pub(super) const DNS_FAILURE: Rule = Rule {
    code: "dkim.dns-failure",
    severity: Severity::Error,
    title: "DNS does not answer the question for a key",
    why: "Receivers put mail off, or treat it as not signed.",
    remedy: "Repair the name servers of the zone.",
    source: "RFC 6376 section 6.1.2",
};

pub(super) const SEVERAL_RECORDS: Rule = Rule {
    code: "dkim.several-records",
    severity: Severity::Error,
    title: "There are several records where one key is due",
    why: "Which of them a verifier takes is undefined.",
    remedy: "Leave one; a new key goes under a new selector.",
    source: "RFC 6376 section 3.6.2.2",
};

pub(super) const BAD_RECORD: Rule = Rule {
    code: "dkim.bad-record",
    severity: Severity::Error,
    title: "The record is no key",
    why: "Verifiers cannot read it: signatures count for nothing. Often the key was cut off when it was \
          pasted, at 255 octets or at a quotation mark.",
    remedy: "Publish the key anew, in character-strings of at most 255 octets.",
    source: "RFC 6376 section 3.6.1",
};

pub(super) const WEAK_KEY: Rule = Rule {
    code: "dkim.weak-key",
    severity: Severity::Error,
    title: "The key is too short to be used",
    why: "Verifiers must not accept RSA keys of fewer than 1024 bits.",
    remedy: "Make a key of 2048 bits under a new selector.",
    source: "RFC 8301 section 3.2",
};

pub(super) const SHORT_KEY: Rule = Rule {
    code: "dkim.short-key",
    severity: Severity::Warning,
    title: "The key is shorter than signers should use",
    why: "RSA keys should have at least 2048 bits; those of 1024 are within reach of those who can pay for it.",
    remedy: "Make a key of 2048 bits under a new selector.",
    source: "RFC 8301 section 3.2",
};

pub(super) const UNKNOWN_ALGORITHM: Rule = Rule {
    code: "dkim.unknown-algorithm",
    severity: Severity::Error,
    title: "The algorithm of the key is unknown",
    why: "Verifiers ignore keys of algorithms that they do not know.",
    remedy: "Use `rsa`, which every verifier knows, or `ed25519` beside it.",
    source: "RFC 6376 section 3.6.1; RFC 8463",
};

pub(super) const NO_USABLE_HASH: Rule = Rule {
    code: "dkim.no-usable-hash",
    severity: Severity::Error,
    title: "The key allows no hash that is still in use",
    why: "`h` leaves out `sha256`, and `sha1` must not be used any more.",
    remedy: "Leave `h` out.",
    source: "RFC 8301 section 3.1",
};

pub(super) const NOT_FOR_EMAIL: Rule = Rule {
    code: "dkim.not-for-email",
    severity: Severity::Error,
    title: "The key is not for mail",
    why: "`s` names other services, so signatures of mail count for nothing.",
    remedy: "Leave `s` out.",
    source: "RFC 6376 section 3.6.1",
};

pub(super) const REVOKED: Rule = Rule {
    code: "dkim.revoked",
    severity: Severity::Note,
    title: "The key was revoked",
    why: "An empty `p` says that the key is withdrawn. Signatures with it fail, also those of mail that is \
          still on its way.",
    remedy: "Keep it as long as old mail may be judged, then remove the record.",
    source: "RFC 6376 section 3.6.1",
};

pub(super) const TESTING: Rule = Rule {
    code: "dkim.testing",
    severity: Severity::Warning,
    title: "The key says that the domain is only testing",
    why: "Verifiers treat such mail no better than unsigned mail, though many ignore the flag.",
    remedy: "Take `y` out of `t`.",
    source: "RFC 6376 section 3.6.1",
};

pub(super) const DELEGATED: Rule = Rule {
    code: "dkim.delegated",
    severity: Severity::Note,
    title: "The key is published by somebody else",
    why: "The selector is an alias: the owner of the target chooses the key, changes it without notice, and \
          can sign for the domain.",
    remedy: "Keep the alias as long as mail is signed with the selector, and remove it with the contract.",
    source: "RFC 6376 section 3.6.2; practice, 2026",
};

pub(super) const SAME_KEY: Rule = Rule {
    code: "dkim.same-key",
    severity: Severity::Warning,
    title: "One key stands at several names",
    why: "Whoever holds the private half signs for all of them, and to replace it means to replace it \
          everywhere at once.",
    remedy: "Make a key for each domain and each sender.",
    source: "M3AAWG DKIM Key Rotation Best Common Practices, 2019",
};

pub(super) const REUSED_SELECTOR: Rule = Rule {
    code: "dkim.reused-selector",
    severity: Severity::Error,
    title: "A selector has another key than before",
    why: "Mail that was signed with the old key cannot be verified any more, nor any that is judged from a \
          cache that holds the old one.",
    remedy: "Publish a new key under a new selector, and keep the old one until the last message has been \
          judged.",
    source: "RFC 6376 section 3.1; https://github.com/simple-login/app/issues/2057",
};

pub(super) const VANISHED: Rule = Rule {
    code: "dkim.vanished",
    severity: Severity::Warning,
    title: "A key that was there is gone",
    why: "Mail that was signed with it and is still on its way cannot be verified.",
    remedy: "Put it back for two weeks after the last signature.",
    source: "RFC 6376 section 3.1; practice, 2026",
};

/// The rules, in no order.
pub const RULES: &[&Rule] = &[
    &BAD_RECORD,
    &DANGLING_ALIAS,
    &DELEGATED,
    &DNS_FAILURE,
    &NOT_FOR_EMAIL,
    &NO_KEYS,
    &NO_RECORD,
    &NO_USABLE_HASH,
    &REUSED_SELECTOR,
    &REVOKED,
    &SAME_KEY,
    &SEVERAL_RECORDS,
    &SHORT_KEY,
    &TESTING,
    &UNKNOWN_ALGORITHM,
    &VANISHED,
    &WEAK_KEY,
];

/// Signers should use at least so many bits: RFC 8301 section 3.2.
const GOOD_RSA_BITS: usize = 2048;

/// What there is to say of the keys of domains: those at the selectors, or without any those that the snapshot holds. `earlier`
/// is evidence of another day, for keys that changed.
///
/// # Errors
///
/// The questions that the evidence does not answer.
///
/// # Examples
///
/// ```
/// use sendershift::dkim::lint;
/// use sendershift::dns::Snapshot;
///
/// let snapshot = Snapshot::from_json(r#"{ "format": "sendershift-snapshot/1", "answers": [
///     { "name": "s1._domainkey.example.net", "type": "TXT", "records": ["v=DKIM1; p="] }] }"#)?;
/// let report = lint(&snapshot, &["example.net".parse()?], &[], None)?;
/// assert_eq!(report.findings[0].problem.code, "dkim.revoked");
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn lint(
    snapshot: &Snapshot,
    domains: &[DomainName],
    selectors: &[Selector],
    earlier: Option<&Snapshot>,
) -> Result<Report, Error> {
    let evidence = Recording::new(snapshot);
    let mut lint = Lint { evidence: &evidence, keys: BTreeMap::new(), findings: Vec::new() };
    for domain in domains {
        let mut names: BTreeSet<DomainName> = BTreeSet::new();
        for selector in selectors {
            names.insert(selector.key_name(domain)?);
        }
        if selectors.is_empty() {
            names = [Some(snapshot), earlier]
                .into_iter()
                .flatten()
                .flat_map(|dns| keys_of(dns, domain))
                .collect();
        }
        if names.is_empty() {
            let name = domain.prefixed("_domainkey")?;
            let message = format!("no key of {domain} is in the evidence, and no selector was named");
            lint.findings.push(NO_KEYS.finding(&name, RecordType::Txt, message));
        }
        for name in names {
            let before = earlier.and_then(|dns| published(dns, &name));
            lint.key(&name, before.as_deref());
        }
    }
    lint.same_keys();
    let subject = domains.iter().map(DomainName::as_str).collect::<Vec<_>>().join(",");
    let findings = lint.findings;
    Ok(evidence.complete(Report::new("dkim", subject, findings))?)
}

/// The names in the evidence at which keys of a domain stand.
fn keys_of(snapshot: &Snapshot, domain: &DomainName) -> Vec<DomainName> {
    let Ok(above) = domain.prefixed("_domainkey") else { return Vec::new() };
    let holds = |name: &DomainName| {
        snapshot.rrsets(name).any(|(kind, _)| matches!(kind, RecordType::Txt | RecordType::Cname))
    };
    snapshot
        .names()
        .filter(|name| **name != above && name.is_within(&above) && holds(name))
        .cloned()
        .collect()
}

/// The key data at a name, without spaces, where there is one record that can be read.
fn published(evidence: &dyn Evidence, name: &DomainName) -> Option<String> {
    let Resolved::Records(rrset) = resolve(evidence, name, RecordType::Txt) else { return None };
    let [text] = rrset.texts() else { return None };
    data(&KeyRecord::parse(text.octets()).ok()?)
}

/// The key data of a record; none if it is revoked.
fn data(record: &KeyRecord) -> Option<String> {
    let (_, data) = record.tags().find(|(name, _)| *name == "p")?;
    let data: String = data.chars().filter(|c| !tag_list::is_space(*c)).collect();
    (!data.is_empty()).then_some(data)
}

struct Lint<'e> {
    evidence: &'e dyn Evidence,
    /// The names at which each key stands.
    keys: BTreeMap<String, Vec<DomainName>>,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    fn key(&mut self, name: &DomainName, before: Option<&str>) {
        let target = match self.evidence.answer(name, RecordType::Txt) {
            Answer::Alias(alias) => match alias.records() {
                Records::Cname(target) => Some(target.clone()),
                _ => None,
            },
            _ => None,
        };
        let rrset = match resolve(self.evidence, name, RecordType::Txt) {
            Resolved::Records(rrset) => rrset,
            Resolved::Absent { .. } => return self.absent(name, target.as_ref(), before.is_some()),
            Resolved::Failed => {
                return self.add(&DNS_FAILURE, name, "DNS does not answer, so nothing can be verified");
            }
            // The question is asked.
            Resolved::Unknown => return,
        };
        if let Some(target) = target {
            self.add(&DELEGATED, name, format!("the key is published at {target}"));
        }
        let text = rrset.texts().first().map(|text| readable(text.octets()).into_owned());
        let shown = |finding: Finding| match &text {
            Some(text) => finding.in_record(text),
            None => finding,
        };
        let mut found = Vec::new();
        match state(rrset) {
            KeyState::Usable(record) => found.extend(self.usable(name, &record, before)),
            KeyState::Testing(record) => {
                let message = "flag `y` says that the domain is only testing";
                found.push(TESTING.finding(name, RecordType::Txt, message));
                found.extend(self.usable(name, &record, before));
            }
            KeyState::Revoked => {
                found.push(REVOKED.finding(name, RecordType::Txt, "the key was revoked: `p` is empty"));
            }
            KeyState::NotForEmail => {
                found.push(NOT_FOR_EMAIL.finding(name, RecordType::Txt, "`s` leaves out mail"));
            }
            KeyState::Malformed(invalid) => {
                found.extend(invalid.problems.into_iter().map(|problem| of(name, problem)));
            }
            KeyState::Absent | KeyState::Failed | KeyState::Unknown => {}
        }
        // With several records there is none to point at.
        let is_one = rrset.texts().len() == 1;
        self.findings.extend(found.into_iter().map(|finding| if is_one { shown(finding) } else { finding }));
    }

    fn usable(&mut self, name: &DomainName, record: &KeyRecord, before: Option<&str>) -> Vec<Finding> {
        let mut found = Vec::new();
        if let (Algorithm::Rsa, Some(bits)) = (record.algorithm(), record.bits())
            && bits < GOOD_RSA_BITS
        {
            let message = format!("the key has {bits} bits, signers should use {GOOD_RSA_BITS}");
            found.push(SHORT_KEY.finding(name, RecordType::Txt, message));
        }
        let now = data(record);
        if before.is_some() && before != now.as_deref() {
            let message = "the key is not that of the earlier evidence";
            found.push(REUSED_SELECTOR.finding(name, RecordType::Txt, message));
        }
        if let Some(now) = now {
            self.keys.entry(now).or_default().push(name.clone());
        }
        found
    }

    fn absent(&mut self, name: &DomainName, target: Option<&DomainName>, was_there: bool) {
        match target {
            Some(target) => self.add(&DANGLING_ALIAS, name, format!("there is no key at {target}")),
            None if was_there => self.add(&VANISHED, name, "the key of the earlier evidence is gone"),
            None => self.add(&NO_RECORD, name, "there is no record"),
        }
    }

    /// Keys that stand at several names.
    fn same_keys(&mut self) {
        for names in std::mem::take(&mut self.keys).into_values() {
            let mut names = names.into_iter();
            let Some(first) = names.next() else { continue };
            for name in names {
                self.add(&SAME_KEY, &name, format!("the key is that of {first}"));
            }
        }
    }

    fn add(&mut self, rule: &Rule, name: &DomainName, message: impl Into<String>) {
        self.findings.push(rule.finding(name, RecordType::Txt, message));
    }
}

/// The finding for why a key cannot be used.
fn of(name: &DomainName, problem: Problem) -> Finding {
    let rules = [&SEVERAL_RECORDS, &WEAK_KEY, &UNKNOWN_ALGORITHM, &NO_USABLE_HASH];
    let rule = rules.into_iter().find(|rule| rule.code == problem.code).unwrap_or(&BAD_RECORD);
    let mut finding = rule.finding(name, RecordType::Txt, problem.message);
    finding.problem.span = problem.span;
    match problem.help {
        Some(help) => finding.help(help),
        None => finding,
    }
}
