//! What a receiver of RFC 7489 makes of a policy record (sections 6.3, 6.4 and 6.6.3).

use std::collections::BTreeSet;
use std::fmt;

use super::record::alignment;
use super::{Alignment, DmarcRecord, Policy, ReportUri};
use crate::error::{Invalid, Problem};
use crate::tag_list::{self, Part};

/// A policy record as RFC 7489 reads it: `pct` counts, `np`, `psd` and `t` do not, `p` must be the second tag.
///
/// # Examples
///
/// ```
/// use sendershift::dmarc::{LegacyRecord, Policy};
///
/// let record = LegacyRecord::parse(b"v=DMARC1; p=reject; t=y; pct=20")?;
/// assert_eq!((record.policy(), record.percent()), (Policy::Reject, 20));
/// assert!(LegacyRecord::parse(b"v=DMARC1; sp=none; p=reject").is_err());
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyRecord {
    text: String,
    policy: Policy,
    subdomain_policy: Option<Policy>,
    percent: u8,
    pub(super) adkim: Alignment,
    pub(super) aspf: Alignment,
    pub(super) rua: Vec<ReportUri>,
    pub(super) ruf: Vec<ReportUri>,
    fault: Option<Problem>,
}

impl LegacyRecord {
    /// Reads a policy record: the joined octets of one TXT record.
    ///
    /// Section 6.3 asks that `v` and `p` stand first, in this order, and has other errors ignored; without a valid
    /// `p`, or with a wrong `sp`, a usable `rua` makes the whole a record with `p=none` (section 6.6.3). This is the
    /// text taken by its word: many receivers also read a `p` that stands elsewhere.
    ///
    /// # Errors
    ///
    /// `dmarc.not-dmarc`, `dmarc.duplicate-tag`, and without a usable `rua` `dmarc.no-policy`,
    /// `dmarc.policy-not-second` or `dmarc.bad-policy`. Receivers then apply no DMARC.
    pub fn parse(octets: &[u8]) -> Result<Self, Invalid> {
        let text = String::from_utf8_lossy(octets);
        if !DmarcRecord::is_dmarc(octets) {
            return Err(super::record::not_dmarc(&text));
        }
        let mut record = Self {
            text: text.to_string(),
            policy: Policy::None,
            subdomain_policy: None,
            percent: 100,
            adkim: Alignment::default(),
            aspf: Alignment::default(),
            rua: Vec::new(),
            ruf: Vec::new(),
            fault: None,
        };
        let (mut faults, mut seen, mut has_policy) = (Vec::new(), BTreeSet::new(), false);
        let tags = tag_list::parts(&text).filter_map(|part| Some((part, part.value?)));
        for (index, (part, value)) in tags.enumerate() {
            if !seen.insert(part.name) {
                let message = format!("the tag `{}` stands twice", part.name);
                let problem = Problem::new("dmarc.duplicate-tag", message).at(part.span);
                return Invalid::unless(vec![problem], &text, record);
            }
            has_policy |= part.name == "p";
            if part.name == "p" && index != 1 {
                let message = "`p` is not the second tag, right after the version";
                faults.push(Problem::new("dmarc.policy-not-second", message).at(part.span));
            }
            record.read(part, value, &mut faults);
        }
        if !has_policy {
            let problem = Problem::new("dmarc.no-policy", "there is no tag `p`");
            faults.push(problem.at(0..text.len()));
        }
        if let Some(first) = faults.first() {
            if record.rua.is_empty() {
                return Invalid::unless(faults, &text, record);
            }
            (record.policy, record.subdomain_policy) = (Policy::None, None);
            record.fault = Some(first.clone());
        }
        Ok(record)
    }

    fn read(&mut self, part: Part<'_>, value: &str, faults: &mut Vec<Problem>) {
        let word = value.to_ascii_lowercase();
        let mut policy = || {
            let policy = Policy::from_word(&word);
            if policy.is_none() {
                let message = format!("`{value}` is not a policy for `{}`", part.name);
                faults.push(Problem::new("dmarc.bad-policy", message).at(part.span));
            }
            policy
        };
        match part.name {
            "p" => self.policy = policy().unwrap_or(Policy::None),
            "sp" => self.subdomain_policy = policy(),
            "pct" => self.percent = percent(value).unwrap_or(100),
            "adkim" => self.adkim = alignment(&word).unwrap_or_default(),
            "aspf" => self.aspf = alignment(&word).unwrap_or_default(),
            "rua" => self.rua = uris(value),
            "ruf" => self.ruf = uris(value),
            _ => {}
        }
    }

    /// The policy for the domain itself.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The policy for domains below, and the tag that says so.
    pub fn subdomain_policy(&self) -> (&'static str, Policy) {
        self.subdomain_policy.map_or(("p", self.policy), |policy| ("sp", policy))
    }

    /// To how many in a hundred messages that fail the policy applies, tag `pct`; the policy one level
    /// lower applies to the others (section 6.6.4).
    pub fn percent(&self) -> u8 {
        self.percent
    }

    /// Why the record is read as `p=none` whatever it says.
    pub fn fault(&self) -> Option<&Problem> {
        self.fault.as_ref()
    }
}

/// One to three digits, at most 100 (section 6.4).
pub(super) fn percent(text: &str) -> Option<u8> {
    let is_number = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|percent| is_number && *percent <= 100)
}

fn uris(value: &str) -> Vec<ReportUri> {
    value.split(',').filter_map(|uri| ReportUri::parse(uri.trim_matches(tag_list::is_space))).collect()
}

impl fmt::Display for LegacyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{LegacyRecord, Policy, percent};

    /// RFC 7489 sections 6.3, 6.4 and 6.6.3.
    #[test]
    fn policies() {
        use Policy::{None, Quarantine, Reject};
        for (text, expected) in [
            ("v=DMARC1; p=reject", Ok((Reject, Reject, 100))),
            ("v=DMARC1;p=REJECT;sp=quarantine;pct=7", Ok((Reject, Quarantine, 7))),
            ("v=DMARC1; p=reject; np=x; psd=n; t=y; foo=bar; junk", Ok((Reject, Reject, 100))),
            ("v=DMARC1; p=reject; pct=101; sp=none", Ok((Reject, None, 100))),
            ("v=DMARC1; p=reject; pct=0", Ok((Reject, Reject, 0))),
            ("v=DMARC1; p=rejct; rua=mailto:d@example.net", Ok((None, None, 100))),
            ("v=DMARC1; p=reject; sp=x; rua=mailto:d@example.net!10m", Ok((None, None, 100))),
            ("v=DMARC1; sp=reject; p=reject; rua=mailto:d@example.net", Ok((None, None, 100))),
            ("v=DMARC1; rua=mailto:d@example.net", Ok((None, None, 100))),
            ("v=DMARC1", Err("dmarc.no-policy")),
            ("v=DMARC1; rua=mailto:", Err("dmarc.no-policy")),
            ("v=DMARC1; p=rejct", Err("dmarc.bad-policy")),
            ("v=DMARC1; p=reject; sp=x", Err("dmarc.bad-policy")),
            ("v=DMARC1; sp=reject; p=reject", Err("dmarc.policy-not-second")),
            ("v=DMARC1; p=none; p=none", Err("dmarc.duplicate-tag")),
            ("v=DMARC2; p=none", Err("dmarc.not-dmarc")),
        ] {
            let found = LegacyRecord::parse(text.as_bytes());
            let found = found.map(|record| (record.policy(), record.subdomain_policy().1, record.percent()));
            assert_eq!(found.map_err(|invalid| invalid.problems[0].code), expected, "{text}");
        }
    }

    #[test]
    fn percentages() {
        for (text, expected) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("100", Some(100)),
            ("101", None),
            ("0100", None),
            ("+7", None),
            ("", None),
        ] {
            assert_eq!(percent(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            let mut text = b"v=DMARC1;".to_vec();
            text.extend(octets);
            let _ = LegacyRecord::parse(&text);
        }
    }
}
