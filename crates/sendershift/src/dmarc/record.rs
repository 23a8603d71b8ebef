//! Policy records (RFC 9989 sections 4.5 to 4.8).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Alignment, Policy, ReportUri};
use crate::error::{Invalid, Problem, Span};
use crate::tag_list::{self, Part, Tag};

/// What tag `psd` says of the domain (RFC 9989 section 4.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Psd {
    /// `y`: it is a public suffix; organizations are one label below it.
    Yes,
    /// `n`: it is an organizational domain, whatever stands above it.
    No,
    /// `u`, the default: the tree walk decides.
    #[default]
    Unspecified,
}

/// Which policy of a record is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The domain of the record.
    Itself,
    /// A domain below it that exists.
    Subdomain,
    /// A domain below it that does not exist.
    NonExistent,
}

/// A DMARC policy record: every tag as it was written, in order, and what the known ones mean.
///
/// What a receiver ignores is no error: it is in [`DmarcRecord::notes`]. `Display` writes the tags with
/// single spaces between them; reading that again gives an equal record.
///
/// # Examples
///
/// ```
/// use sendershift::dmarc::{DmarcRecord, Policy};
///
/// let record = DmarcRecord::parse(b"v=DMARC1;p=reject;pct=50;rua=mailto:dmarc@example.net")?;
/// assert_eq!(record.policy(), Policy::Reject);
/// assert_eq!(record.notes()[0].code, "dmarc.removed-tag");
/// assert_eq!(record.to_string(), "v=DMARC1; p=reject; pct=50; rua=mailto:dmarc@example.net");
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct DmarcRecord {
    tags: Vec<Tag>,
    p: Option<Policy>,
    sp: Option<Policy>,
    np: Option<Policy>,
    psd: Psd,
    testing: bool,
    adkim: Alignment,
    aspf: Alignment,
    rua: Vec<ReportUri>,
    ruf: Vec<ReportUri>,
    fo: FailureOptions,
    notes: Vec<Problem>,
}

impl DmarcRecord {
    /// Whether octets begin as a policy record must, with the version in exactly this spelling. Other strings at
    /// the name do not matter; two records that begin so make each other void (RFC 9989 section 4.10).
    pub fn is_dmarc(octets: &[u8]) -> bool {
        let version = || {
            let rest = behind_space(octets.strip_prefix(b"v")?);
            behind_space(rest.strip_prefix(b"=")?).strip_prefix(b"DMARC1")
        };
        version().is_some_and(|rest| matches!(behind_space(rest), [] | [b';', ..]))
    }

    /// Reads a policy record: the joined octets of one TXT record.
    ///
    /// A wrong `p`, `sp` or `np` beside a usable `rua` makes the whole a record with `p=none`
    /// (RFC 9989 section 4.10.1).
    ///
    /// # Errors
    ///
    /// `dmarc.not-dmarc`; `dmarc.duplicate-tag` (RFC 6376 section 3.2: the list is void); `dmarc.bad-policy` for a
    /// wrong `p`, `sp` or `np` without a usable `rua`. Receivers then apply no DMARC.
    pub fn parse(octets: &[u8]) -> Result<Self, Invalid> {
        Self::parse_noting(octets).map_err(|(invalid, _)| invalid)
    }

    /// As [`DmarcRecord::parse`]; what is to be noted of a record that no receiver applies comes with its problems.
    pub(super) fn parse_noting(octets: &[u8]) -> Result<Self, (Invalid, Vec<Problem>)> {
        let text = String::from_utf8_lossy(octets);
        if !Self::is_dmarc(octets) {
            return Err((not_dmarc(&text), Vec::new()));
        }
        let mut record = Self {
            tags: Vec::new(),
            p: None,
            sp: None,
            np: None,
            psd: Psd::default(),
            testing: false,
            adkim: Alignment::default(),
            aspf: Alignment::default(),
            rua: Vec::new(),
            ruf: Vec::new(),
            fo: FailureOptions::default(),
            notes: Vec::new(),
        };
        let (mut fatal, mut bad_policies) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for part in tag_list::parts(&text) {
            if part.value.is_some() && !seen.insert(part.name) {
                let message = format!("the tag `{}` stands twice", part.name);
                fatal.push(Problem::new("dmarc.duplicate-tag", message).at(part.span));
                continue;
            }
            record.tags.push(part.to_tag());
            record.read(part, &mut bad_policies);
        }
        if !seen.contains("p") {
            let problem = Problem::new("dmarc.no-policy", "there is no tag `p`, so the policy is `none`");
            record.notes.push(problem.at(0..text.len()).help("older receivers ignore a record without `p`"));
        }
        if !bad_policies.is_empty() {
            if record.rua.is_empty() {
                fatal.append(&mut bad_policies);
            }
            (record.p, record.sp, record.np) = (None, None, None);
        }
        record.notes.append(&mut bad_policies);
        record.notes.sort_by_key(|note| note.span);
        if fatal.is_empty() {
            return Ok(record);
        }
        Invalid::unless(fatal, &text, record.clone()).map_err(|invalid| (invalid, record.notes))
    }

    fn read(&mut self, part: Part<'_>, bad_policies: &mut Vec<Problem>) {
        let Some(value) = part.value else {
            self.note("dmarc.bad-tag", "expected a tag, a name, `=` and a value", part.span);
            return;
        };
        let word = value.to_ascii_lowercase();
        let mut policy = || {
            let policy = Policy::from_word(&word);
            if policy.is_none() {
                let message = format!("`{value}` is not a policy for `{}`", part.name);
                let problem = Problem::new("dmarc.bad-policy", message).at(part.span);
                bad_policies.push(problem.help("policies are `none`, `quarantine` and `reject`"));
            }
            policy
        };
        match part.name {
            "v" => {}
            "p" => self.p = policy(),
            "sp" => self.sp = policy(),
            "np" => self.np = policy(),
            "psd" => self.psd = self.or_default(part, psd(&word)),
            "t" => self.testing = self.or_default(part, yes_or_no(&word)),
            "adkim" => self.adkim = self.or_default(part, alignment(&word)),
            "aspf" => self.aspf = self.or_default(part, alignment(&word)),
            "rua" => self.rua = self.uris(part, value),
            "ruf" => self.ruf = self.uris(part, value),
            "fo" => self.fo = self.or_default(part, failure_options(&word)),
            "pct" | "rf" | "ri" => {
                let message = format!("the tag `{}` was removed, only older receivers read it", part.name);
                self.note("dmarc.removed-tag", message, part.span);
            }
            name => {
                let message = format!("receivers ignore the unknown tag `{name}`");
                self.note("dmarc.unknown-tag", message, part.span);
            }
        }
    }

    /// The value, or the default if it could not be read.
    fn or_default<T: Default>(&mut self, part: Part<'_>, read: Option<T>) -> T {
        read.unwrap_or_else(|| {
            let message =
                format!("receivers ignore the value of `{}`, it is none of the known ones", part.name);
            self.note("dmarc.bad-value", message, part.span);
            T::default()
        })
    }

    /// The usable URIs of a list.
    fn uris(&mut self, part: Part<'_>, value: &str) -> Vec<ReportUri> {
        let mut uris = Vec::new();
        for text in value.split(',').map(|uri| uri.trim_matches(tag_list::is_space)) {
            let Some(uri) = ReportUri::parse(text) else {
                self.note(
                    "dmarc.bad-uri",
                    format!("`{text}` in `{}` is no usable URI", part.name),
                    part.span,
                );
                continue;
            };
            if uri.size.is_some() {
                let message = format!("the size limit of `{text}` has no meaning any more");
                self.note("dmarc.obsolete-size", message, part.span);
            }
            if uri.host.is_none() {
                let message = format!("receivers need not support `{text}`, only `mailto:`");
                self.note("dmarc.unsupported-uri", message, part.span);
            }
            uris.push(uri);
        }
        uris
    }

    fn note(&mut self, code: &'static str, message: impl Into<String>, span: Span) {
        self.notes.push(Problem::new(code, message).at(span));
    }

    /// The tags as they were written, in order; what is no tag has no value.
    pub fn tags(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.tags.iter().map(|tag| (tag.name.as_str(), tag.value.as_deref()))
    }

    /// What was written for a tag.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|tag| tag.name == name)?.value.as_deref()
    }

    /// The record with a tag replaced in its place, added at the end, or removed.
    ///
    /// # Errors
    ///
    /// As [`DmarcRecord::parse`] of the outcome.
    pub fn with(&self, name: &str, value: Option<&str>) -> Result<Self, Invalid> {
        let mut tags = self.tags.clone();
        let place = tags.iter().position(|tag| tag.name == name && tag.value.is_some());
        match (place.and_then(|place| tags.get_mut(place)), value) {
            (Some(tag), Some(_)) => tag.value = value.map(ToOwned::to_owned),
            (Some(_), None) => tags.retain(|tag| tag.name != name),
            (None, Some(_)) => tags.push(Tag { name: name.to_owned(), value: value.map(ToOwned::to_owned) }),
            (None, None) => {}
        }
        tag_list::to_text(&tags).parse()
    }

    /// The policy for the domain itself, tag `p`; `none` where there is no such tag.
    pub fn policy(&self) -> Policy {
        self.p.unwrap_or(Policy::None)
    }

    /// The policy for domains below that exist: `sp`, else `p`.
    pub fn subdomain_policy(&self) -> Policy {
        self.sp.unwrap_or(self.policy())
    }

    /// The policy for domains below that do not exist: `np`, else `sp`, else `p`.
    pub fn nonexistent_policy(&self) -> Policy {
        self.np.unwrap_or(self.subdomain_policy())
    }

    /// The policy for a subject, and the tag that says so.
    pub(super) fn policy_for(&self, subject: Subject) -> (&'static str, Policy) {
        let tags = [("np", self.np), ("sp", self.sp)];
        let skipped = match subject {
            Subject::Itself => 2,
            Subject::Subdomain => 1,
            Subject::NonExistent => 0,
        };
        let said = tags.into_iter().skip(skipped).find_map(|(tag, policy)| Some((tag, policy?)));
        said.unwrap_or(("p", self.policy()))
    }

    /// What the record says of the place of its domain in the tree.
    pub fn psd(&self) -> Psd {
        self.psd
    }

    /// Whether policies apply one level lower, `t=y`.
    pub fn is_testing(&self) -> bool {
        self.testing
    }

    /// How a DKIM signing domain must align.
    pub fn adkim(&self) -> Alignment {
        self.adkim
    }

    /// How an SPF domain must align.
    pub fn aspf(&self) -> Alignment {
        self.aspf
    }

    /// Where aggregate reports go.
    pub fn rua(&self) -> &[ReportUri] {
        &self.rua
    }

    /// Where failure reports go.
    pub fn ruf(&self) -> &[ReportUri] {
        &self.ruf
    }

    /// What receivers ignore or read differently, in the order of the text.
    pub fn notes(&self) -> &[Problem] {
        &self.notes
    }
}

/// What follows after white space, which is that of tag lists and no other.
fn behind_space(octets: &[u8]) -> &[u8] {
    let space = octets.iter().take_while(|octet| tag_list::is_space(char::from(**octet))).count();
    octets.get(space..).unwrap_or_default()
}

pub(super) fn not_dmarc(text: &str) -> Invalid {
    let problem = Problem::new("dmarc.not-dmarc", "the text does not begin with `v=DMARC1`");
    Invalid::one(problem.at(0..text.floor_char_boundary(8)))
}

fn psd(word: &str) -> Option<Psd> {
    match word {
        "y" => Some(Psd::Yes),
        "n" => Some(Psd::No),
        "u" => Some(Psd::Unspecified),
        _ => None,
    }
}

pub(super) fn alignment(word: &str) -> Option<Alignment> {
    match word {
        "r" => Some(Alignment::Relaxed),
        "s" => Some(Alignment::Strict),
        _ => None,
    }
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word {
        "y" => Some(true),
        "n" => Some(false),
        _ => None,
    }
}

/// Which failures to report, tag `fo`.
#[derive(Clone, Debug, Serialize)]
struct FailureOptions(Vec<String>);

impl Default for FailureOptions {
    fn default() -> Self {
        Self(vec!["0".to_owned()])
    }
}

fn failure_options(word: &str) -> Option<FailureOptions> {
    let one = |option: &str| {
        let option = option.trim_matches(tag_list::is_space);
        matches!(option, "0" | "1" | "d" | "s").then(|| option.to_owned())
    };
    word.split(':').map(one).collect::<Option<_>>().map(FailureOptions)
}

/// Two records are equal if their tags are, as written and in order.
impl PartialEq for DmarcRecord {
    fn eq(&self, other: &Self) -> bool {
        self.tags == other.tags
    }
}

impl Eq for DmarcRecord {}

impl FromStr for DmarcRecord {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for DmarcRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&tag_list::to_text(&self.tags))
    }
}

impl Serialize for DmarcRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("DmarcRecord", 12)?;
        record.serialize_field("record", &self.to_string())?;
        record.serialize_field("p", &self.policy())?;
        record.serialize_field("sp", &self.sp)?;
        record.serialize_field("np", &self.np)?;
        record.serialize_field("psd", &self.psd)?;
        record.serialize_field("t", &self.testing)?;
        record.serialize_field("adkim", &self.adkim)?;
        record.serialize_field("aspf", &self.aspf)?;
        record.serialize_field("rua", &self.rua)?;
        record.serialize_field("ruf", &self.ruf)?;
        record.serialize_field("fo", &self.fo)?;
        record.serialize_field("notes", &self.notes)?;
        record.end()
    }
}
