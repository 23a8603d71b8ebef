//! DKIM keys, as far as planning needs them: is there a key at a selector with which a signature can be verified?
//!
//! Signatures themselves are not read here. [`key`] says in what state a key is; whoever asks
//! supposes that mail is signed with the private half of it.

mod der;
mod lint;
mod record;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use lint::{RULES, lint};
pub use record::{Algorithm, KeyRecord};

use crate::dns::{Evidence, RecordType, Resolved, RrSet, resolve};
use crate::error::{Invalid, Problem};
use crate::name::DomainName;

/// Verifiers refuse RSA keys with fewer bits: RFC 8301 section 3.2.
pub const MIN_RSA_BITS: usize = 1024;

/// A selector: one label or several (RFC 6376 section 3.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(DomainName);

impl Selector {
    /// The canonical text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name of the key record: `<selector>._domainkey.<domain>` (RFC 6376 section 3.6.2.1).
    ///
    /// # Errors
    ///
    /// `name.too-long`.
    pub fn key_name(&self, signing_domain: &DomainName) -> Result<DomainName, Problem> {
        signing_domain.prefixed(&format!("{self}._domainkey"))
    }
}

impl FromStr for Selector {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let name = DomainName::parse(text)?;
        if name.is_host_name() {
            return Ok(Self(name));
        }
        Err(Problem::new("dkim.bad-selector", format!("`{text}` is not a selector"))
            .at(0..text.len())
            .help("a selector consists of letters, digits and hyphens, with dots between labels"))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// In what state the key at a selector is. Only [`KeyState::Usable`] lets a signature count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum KeyState {
    /// Verifiers can use the key.
    Usable(Arc<KeyRecord>),
    /// The key is whole, but its domain says that it is only testing (`t=y`). A verifier treats such mail no better
    /// than unsigned mail (RFC 6376 section 3.6.1), so a plan must not rely on it.
    Testing(Arc<KeyRecord>),
    /// The key was withdrawn: an empty `p` (RFC 6376 section 3.6.1).
    Revoked,
    /// The key is for other services than mail, tag `s`.
    NotForEmail,
    /// There is no record at the name.
    Absent,
    /// The question for the record failed.
    Failed,
    /// No verifier can rely on what is there: not a key record, several records, a key that is too weak or of
    /// an unknown algorithm, no usable hash.
    Malformed(Invalid),
    /// The evidence does not say.
    Unknown,
}

impl KeyState {
    /// Whether a signature with this key may count as a pass.
    pub fn is_usable(&self) -> bool {
        matches!(self, Self::Usable(_))
    }
}

/// The state of the key of a signing domain at a selector (RFC 6376 sections 3.6.2.2 and 6.1.2).
///
/// Aliases are followed. Several records at the name are [`KeyState::Malformed`] with the code
/// `dkim.several-records`: the RFC leaves undefined which one counts. Other codes beside those of
/// [`KeyRecord::parse`]: `dkim.weak-key`, `dkim.unknown-algorithm` and `dkim.no-usable-hash`.
///
/// # Examples
///
/// ```
/// use sendershift::dkim::{KeyState, key};
/// use sendershift::dns::Snapshot;
///
/// let snapshot = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1",
///     "answers": [
///         { "name": "s1._domainkey.example.net", "type": "TXT", "records": ["v=DKIM1; p="] }
///     ]
/// }"#)?;
/// let state = |selector: &str| key(&snapshot, &"example.net".parse().unwrap(), &selector.parse().unwrap());
/// assert_eq!(state("s1"), KeyState::Revoked);
/// assert_eq!(state("s2"), KeyState::Unknown);
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
pub fn key(evidence: &dyn Evidence, signing_domain: &DomainName, selector: &Selector) -> KeyState {
    let name = match selector.key_name(signing_domain) {
        Ok(name) => name,
        Err(problem) => return KeyState::Malformed(Invalid::one(problem)),
    };
    match resolve(evidence, &name, RecordType::Txt) {
        Resolved::Records(rrset) => rrset.parsed(state).into_owned(),
        Resolved::Absent { .. } => KeyState::Absent,
        Resolved::Failed => KeyState::Failed,
        Resolved::Unknown => KeyState::Unknown,
    }
}

fn state(rrset: &RrSet) -> KeyState {
    let malformed = |code, message: String| KeyState::Malformed(Invalid::one(Problem::new(code, message)));
    let [text] = rrset.texts() else {
        let count = rrset.texts().len();
        return malformed("dkim.several-records", format!("there are {count} records where one key is due"));
    };
    let record = match KeyRecord::parse(text.octets()) {
        Ok(record) => record,
        Err(invalid) => return KeyState::Malformed(invalid),
    };
    if record.is_revoked() {
        return KeyState::Revoked;
    }
    if !record.is_for_email() {
        return KeyState::NotForEmail;
    }
    if !record.allows_sha256() {
        return malformed("dkim.no-usable-hash", "the key does not allow `sha256`".to_owned());
    }
    match (record.algorithm(), record.bits()) {
        (Algorithm::Unknown(name), _) => {
            return malformed("dkim.unknown-algorithm", format!("`{name}` is not a known algorithm"));
        }
        (Algorithm::Rsa, Some(bits)) if bits < MIN_RSA_BITS => {
            return malformed(
                "dkim.weak-key",
                format!("the key has {bits} bits, verifiers ask for {MIN_RSA_BITS}"),
            );
        }
        _ => {}
    }
    let record = Arc::new(record);
    if record.is_testing() { KeyState::Testing(record) } else { KeyState::Usable(record) }
}

#[cfg(test)]
mod tests;
