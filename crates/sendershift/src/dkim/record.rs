//! Key records (RFC 6376 section 3.6.1, RFC 8301, RFC 8463).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::der;
use crate::error::{Invalid, Problem, Span};
use crate::spf::Profile;
use crate::tag_list::{self, Part, Tag};

/// The algorithm of a key, tag `k`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// `rsa`, the default (RFC 6376 section 3.3).
    Rsa,
    /// `ed25519` (RFC 8463).
    Ed25519,
    /// Another name: verifiers that do not know it cannot use the key.
    Unknown(String),
}

impl Algorithm {
    /// Whether a kind of receiver verifies signatures of such keys.
    pub fn is_verified_by(&self, profile: &Profile) -> bool {
        match self {
            Self::Rsa => true,
            Self::Ed25519 => profile.ed25519,
            Self::Unknown(_) => false,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
            Self::Unknown(name) => name,
        })
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A DKIM key record: every tag as it was written, in order, and what the known ones mean.
///
/// `Display` writes the tags with single spaces between them; reading that again gives an equal record.
///
/// # Examples
///
/// ```
/// use sendershift::dkim::KeyRecord;
///
/// let record = KeyRecord::parse(b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")?;
/// assert_eq!(record.bits(), Some(256));
/// assert!(record.is_for_email() && !record.is_testing());
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyRecord {
    tags: Vec<Tag>,
    algorithm: Algorithm,
    bits: Option<usize>,
    revoked: bool,
    hashes: Option<Vec<String>>,
    services: Vec<String>,
    flags: Vec<String>,
}

impl KeyRecord {
    /// Reads a key record: the joined octets of one TXT record.
    ///
    /// # Errors
    ///
    /// Every problem, with its place: `dkim.not-text`, `dkim.bad-tag`, `dkim.duplicate-tag`, `dkim.bad-version`,
    /// `dkim.version-not-first`, `dkim.bad-value`, `dkim.no-key`, `dkim.bad-base64`, and `dkim.bad-key` for
    /// key data that is not what the algorithm needs, such as a key that was cut off.
    pub fn parse(octets: &[u8]) -> Result<Self, Invalid> {
        let text = std::str::from_utf8(octets).map_err(|error| {
            let at = error.valid_up_to();
            Invalid::one(Problem::new("dkim.not-text", "the key record is not text").at(at..at + 1))
        })?;
        let mut reader = Reader::default();
        let mut record = Self {
            tags: Vec::new(),
            algorithm: Algorithm::Rsa,
            bits: None,
            revoked: false,
            hashes: None,
            services: vec!["*".to_owned()],
            flags: Vec::new(),
        };
        let mut key = None;
        for (index, part) in tag_list::parts(text).enumerate() {
            let Some(value) = reader.tag(part) else { continue };
            match part.name {
                "v" if index > 0 => {
                    reader.problem("dkim.version-not-first", "`v` is not the first tag", part.span);
                }
                "v" if value != "DKIM1" => {
                    reader.problem("dkim.bad-version", "the version is not `DKIM1`", part.span);
                }
                "k" => record.algorithm = algorithm(value),
                "p" => key = Some((value, part.span)),
                "h" => record.hashes = Some(reader.list(part, value)),
                "s" => record.services = reader.list(part, value),
                "t" => record.flags = reader.list(part, value),
                _ => {}
            }
            record.tags.push(part.to_tag());
        }
        // The algorithm may stand after the key.
        match key {
            Some((value, span)) => {
                record.revoked = value.is_empty();
                record.bits = reader.key(&record.algorithm, value, span);
            }
            None => reader.problem("dkim.no-key", "the key, tag `p`, is missing", Span::new(0, text.len())),
        }
        Invalid::unless(reader.problems, text, record)
    }

    /// The tags as they were written, in order.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags.iter().map(|tag| (tag.name.as_str(), tag.value.as_deref().unwrap_or_default()))
    }

    /// The algorithm of the key, tag `k`.
    pub fn algorithm(&self) -> &Algorithm {
        &self.algorithm
    }

    /// The size of the key in bits; none if it is revoked or its algorithm unknown.
    pub fn bits(&self) -> Option<usize> {
        self.bits
    }

    /// Whether the key was revoked by an empty `p`.
    pub fn is_revoked(&self) -> bool {
        self.revoked
    }

    /// Whether signatures with SHA-256 are allowed, tag `h`: the only hash that RFC 8301 section 3.1 leaves.
    pub fn allows_sha256(&self) -> bool {
        self.hashes
            .as_ref()
            .is_none_or(|hashes| hashes.iter().any(|hash| hash.eq_ignore_ascii_case("sha256")))
    }

    /// Whether the key may be used for mail, tag `s`.
    pub fn is_for_email(&self) -> bool {
        self.services.iter().any(|service| service == "*" || service.eq_ignore_ascii_case("email"))
    }

    /// Whether the domain is testing DKIM, flag `t=y`.
    pub fn is_testing(&self) -> bool {
        self.has_flag("y")
    }

    /// Whether the domain of `i=` must be the signing domain itself, flag `t=s`.
    pub fn is_strict(&self) -> bool {
        self.has_flag("s")
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|found| found.eq_ignore_ascii_case(flag))
    }
}

fn algorithm(name: &str) -> Algorithm {
    match name.to_ascii_lowercase().as_str() {
        "rsa" => Algorithm::Rsa,
        "ed25519" => Algorithm::Ed25519,
        _ => Algorithm::Unknown(name.to_owned()),
    }
}

#[derive(Default)]
struct Reader<'t> {
    problems: Vec<Problem>,
    seen: BTreeSet<&'t str>,
}

impl<'t> Reader<'t> {
    fn problem(&mut self, code: &'static str, message: impl Into<String>, span: Span) {
        self.problems.push(Problem::new(code, message).at(span));
    }

    /// The value of a part that is a tag by the grammar of RFC 6376 section 3.2, and not there yet.
    fn tag(&mut self, part: Part<'t>) -> Option<&'t str> {
        let name = part.name;
        let well_named = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let Some(value) = part.value.filter(|_| well_named) else {
            self.problem("dkim.bad-tag", "expected a tag, a name, `=` and a value", part.span);
            return None;
        };
        if !self.seen.insert(name) {
            self.problem("dkim.duplicate-tag", format!("the tag `{name}` stands twice"), part.span);
            return None;
        }
        // Notes may hold text in any script (RFC 8616).
        let allowed =
            |c: char| c.is_ascii_graphic() || tag_list::is_space(c) || (name == "n" && !c.is_ascii());
        if !value.chars().all(allowed) {
            self.problem(
                "dkim.bad-value",
                format!("the value of `{name}` is not printable ASCII"),
                part.span,
            );
        }
        Some(value)
    }

    /// The words of a list with colons between them.
    fn list(&mut self, part: Part<'_>, value: &str) -> Vec<String> {
        let words: Vec<String> =
            value.split(':').map(|word| word.trim_matches(tag_list::is_space).to_owned()).collect();
        if words.iter().any(|word| word.is_empty() || word.contains(tag_list::is_space)) {
            let message =
                format!("the value of `{}` is not a list of words with colons between them", part.name);
            self.problem("dkim.bad-value", message, part.span);
        }
        words
    }

    /// The bits of a key that is there and whole.
    fn key(&mut self, algorithm: &Algorithm, value: &str, span: Span) -> Option<usize> {
        let text: String = value.chars().filter(|c| !tag_list::is_space(*c)).collect();
        if text.is_empty() {
            return None;
        }
        let Some(octets) = der::from_base64(&text) else {
            self.problem("dkim.bad-base64", "the key is not base64", span);
            return None;
        };
        let (bits, what) = match algorithm {
            Algorithm::Unknown(_) => return None,
            Algorithm::Rsa => (der::rsa_bits(&octets), "an RSA public key"),
            Algorithm::Ed25519 => ((octets.len() == 32).then_some(256), "an Ed25519 public key of 32 octets"),
        };
        if bits.is_none() {
            let problem = Problem::new("dkim.bad-key", format!("the key data is not {what}"));
            self.problems.push(problem.at(span).help("was the key cut off, or is `k` another algorithm?"));
        }
        bits
    }
}

/// Two records are equal if their tags are, as written and in order.
impl PartialEq for KeyRecord {
    fn eq(&self, other: &Self) -> bool {
        self.tags == other.tags
    }
}

impl Eq for KeyRecord {}

impl FromStr for KeyRecord {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&tag_list::to_text(&self.tags))
    }
}

impl Serialize for KeyRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("KeyRecord", 8)?;
        record.serialize_field("record", &self.to_string())?;
        record.serialize_field("algorithm", &self.algorithm)?;
        record.serialize_field("bits", &self.bits)?;
        record.serialize_field("revoked", &self.revoked)?;
        record.serialize_field("hashes", &self.hashes)?;
        record.serialize_field("services", &self.services)?;
        record.serialize_field("testing", &self.is_testing())?;
        record.serialize_field("strict", &self.is_strict())?;
        record.end()
    }
}
