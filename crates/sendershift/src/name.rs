//! Domain names in one canonical form.
//!
//! A [`DomainName`] is lower-case presentation text (RFC 1035 section 5.1) without the trailing dot; the root is `.`.
//! DNS allows any octet in a label, and SPF macros do produce spaces and `%`, so no host-name rule is applied
//! here; [`DomainName::is_host_name`] is the separate check. Labels outside ASCII become A-labels (RFC 5890).

mod address;
#[cfg(test)]
mod tests;

use std::borrow::{Borrow, Cow};
use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

pub use address::{domain_of_address, return_path};
#[cfg(feature = "idna")]
use hickory_proto::rr::domain::Label;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Problem;

/// Octets in the longest label: RFC 1035 section 2.3.4.
pub const MAX_LABEL_OCTETS: usize = 63;
/// Octets in the longest name in wire form, length octets and the root included: RFC 1035 section 2.3.4.
pub const MAX_NAME_OCTETS: usize = 255;

/// An absolute domain name in canonical presentation form.
///
/// # Examples
///
/// ```
/// use sendershift::name::DomainName;
///
/// let name: DomainName = "Mail.BÜCHER.example.".parse()?;
/// assert_eq!(name.as_str(), "mail.xn--bcher-kva.example");
/// assert!(name.is_within(&"example".parse()?));
/// # Ok::<(), sendershift::error::Problem>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Arc<str>);

impl DomainName {
    /// The root of the DNS, written `.`.
    pub fn root() -> Self {
        Self(Arc::from("."))
    }

    /// Reads presentation text: `\.` and `\DDD` are escapes, a trailing dot is optional.
    ///
    /// # Errors
    ///
    /// `name.empty`, `name.empty-label`, `name.label-too-long`, `name.too-long`, `name.bad-escape` or
    /// `name.bad-idn`, with the place in the text.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::new("name.empty", "a domain name is empty").at(0..0));
        }
        if text == "." {
            return Ok(Self::root());
        }
        if let Some(name) = Self::from_plain(text.strip_suffix('.').unwrap_or(text).as_bytes()) {
            return Ok(name);
        }
        let mut labels = Labels::default();
        let mut label = Vec::new();
        let mut start = 0;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '.' => {
                    labels.push(&label, start..at)?;
                    label.clear();
                    start = at + 1;
                    if start == text.len() {
                        return labels.finish(text.len());
                    }
                }
                '\\' => {
                    let octet = match chars.next() {
                        Some((_, first @ '0'..='9')) => {
                            let mut value = first.to_digit(10);
                            for _ in 0..2 {
                                let digit = chars.next().and_then(|(_, c)| c.to_digit(10));
                                value = value.zip(digit).map(|(value, digit)| value * 10 + digit);
                            }
                            value.and_then(|value| u8::try_from(value).ok())
                        }
                        Some((_, c)) if c.is_ascii() => u8::try_from(c).ok(),
                        _ => None,
                    };
                    match octet {
                        Some(octet) => label.push(octet),
                        None => {
                            let end = chars.peek().map_or(text.len(), |(at, _)| *at);
                            return Err(Problem::new(
                                "name.bad-escape",
                                "a backslash escape is not `\\DDD` with a value up to 255",
                            )
                            .at(at..end));
                        }
                    }
                }
                c => label.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        labels.push(&label, start..text.len())?;
        labels.finish(text.len())
    }

    /// Reads the domain of a mailbox, or the name that a client greets with.
    ///
    /// # Errors
    ///
    /// As [`DomainName::parse`] and [`DomainName::check_for_mail`].
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::name::DomainName;
    ///
    /// assert!(DomainName::parse_for_mail("bounces.example.net").is_ok());
    /// let problem = DomainName::parse_for_mail("bounce@example.net").unwrap_err();
    /// assert_eq!(problem.code, "name.mailbox");
    /// assert_eq!(problem.help.as_deref(), Some("write the domain of the address: `example.net`"));
    /// ```
    pub fn parse_for_mail(text: &str) -> Result<Self, Problem> {
        let name = Self::parse(text)?;
        name.check_for_mail()?;
        Ok(name)
    }

    /// Whether mail can have this domain: labels of letters, digits and hyphens (RFC 5321 section 2.3.5), and underscores,
    /// which some return paths have. An address taken for a domain would be a name that nobody asks for.
    ///
    /// # Errors
    ///
    /// `name.mailbox` for a whole address, `name.not-for-mail` for the root, an IP address, `<>` and what else is no such
    /// domain, with the remedy.
    pub fn check_for_mail(&self) -> Result<(), Problem> {
        if self.as_str().contains('@') {
            let domain = self.as_str().rsplit('@').next().unwrap_or_default().trim_end_matches('>');
            let help = match Self::parse(domain) {
                Ok(domain) if domain.is_host_name() => {
                    format!("write the domain of the address: `{domain}`")
                }
                _ => "write the domain of the address".to_owned(),
            };
            let message = format!("`{self}` is an address, not a domain");
            return Err(Problem::new("name.mailbox", message).help(help));
        }
        let is_number = |label: &str| label.bytes().all(|octet| octet.is_ascii_digit());
        let help = if self.as_str() == "<>" {
            "for the null sender leave the domain empty: null in a plan, \"\" in a migration"
        } else if !self.is_host_name() || self.labels().next_back().is_some_and(is_number) {
            "write a domain name, such as `mail.example.com`"
        } else {
            return Ok(());
        };
        Err(Problem::new("name.not-for-mail", format!("`{self}` is no domain that mail can have")).help(help))
    }

    /// Reads the domain that is asked about, where the text is no record that begins with `version`.
    ///
    /// # Errors
    ///
    /// As [`DomainName::parse_for_mail`], and `name.not-a-domain` for a record that is not written as one.
    pub(crate) fn parse_or_hint(text: &str, version: &str) -> Result<Self, Problem> {
        let host = text.split_once("://").map(|(_, rest)| rest.split(['/', ':']).next().unwrap_or_default());
        let help = match host {
            Some(host) => format!("write the domain alone: `{host}`"),
            None if text.contains(['=', '"', ';']) => {
                format!("a record begins with `{version}`, without a space or quotation marks before it")
            }
            None if text.contains(char::is_whitespace) => "a domain has no space in it".to_owned(),
            None => {
                return Self::parse_for_mail(text).map_err(|problem| match problem.span {
                    Some(_) => problem,
                    None => problem.at(0..text.len()),
                });
            }
        };
        let message = format!("`{text}` is neither a domain nor a record");
        Err(Problem::new("name.not-a-domain", message).at(0..text.len()).help(help))
    }

    /// Reads octets in which only `.` is special, as an expanded SPF macro-string is (RFC 7208 section 7.3).
    ///
    /// # Errors
    ///
    /// As [`DomainName::parse`], except that there are no escapes.
    pub fn from_octets(octets: &[u8]) -> Result<Self, Problem> {
        let body = octets.strip_suffix(b".").unwrap_or(octets);
        if let Some(name) = Self::from_plain(body) {
            return Ok(name);
        }
        let mut labels = Labels::default();
        let mut start = 0;
        if body.is_empty() {
            return Err(Problem::new("name.empty", "a domain name is empty").at(0..0));
        }
        for label in body.split(|octet| *octet == b'.') {
            labels.push(label, start..start + label.len())?;
            start += label.len() + 1;
        }
        labels.finish(octets.len())
    }

    /// The name that these octets are the text of, but for upper case, as it is with nearly every name; none where it takes a
    /// closer look.
    fn from_plain(octets: &[u8]) -> Option<Self> {
        // In wire form a name without escapes has two octets more: a length in front and the root.
        if octets.len() > MAX_NAME_OCTETS - 2 {
            return None;
        }
        let (mut label, mut has_upper) = (0, false);
        for octet in octets {
            match octet {
                b'.' if label == 0 => return None,
                b'.' => label = 0,
                b'!'..=b'~' if *octet != b'\\' && label < MAX_LABEL_OCTETS => label += 1,
                _ => return None,
            }
            has_upper |= octet.is_ascii_uppercase();
        }
        let text = std::str::from_utf8(octets).ok().filter(|_| label > 0)?;
        Some(Self(if has_upper { Arc::from(text.to_ascii_lowercase()) } else { Arc::from(text) }))
    }

    /// A name of labels as DNS messages have them, each octet for itself (RFC 1035 section 3.1); none where one is outside ASCII, which the
    /// canonical text cannot hold.
    pub(crate) fn from_labels<'l>(labels: impl Iterator<Item = &'l [u8]>) -> Option<Self> {
        let mut read = Labels::default();
        for label in labels {
            read.push(label.is_ascii().then_some(label)?, 0..0).ok()?;
        }
        if read.text.is_empty() { Some(Self::root()) } else { read.finish(0).ok() }
    }

    /// The octets of each label without escapes, leftmost first.
    pub(crate) fn label_octets(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        self.labels().map(unescape)
    }

    /// The name under which the reverse record of an address stands (RFC 1035 section 3.5, RFC 3596 section 2.5).
    pub fn reverse(ip: IpAddr) -> Self {
        let mut text = String::with_capacity(73);
        match ip {
            IpAddr::V4(ip) => {
                for octet in ip.octets().into_iter().rev() {
                    let _ = write!(text, "{octet}.");
                }
                text.push_str("in-addr.arpa");
            }
            IpAddr::V6(ip) => {
                for octet in ip.octets().into_iter().rev() {
                    let _ = write!(text, "{:x}.{:x}.", octet & 15, octet >> 4);
                }
                text.push_str("ip6.arpa");
            }
        }
        Self(Arc::from(text))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The canonical text, for whoever keeps it too.
    pub(crate) fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.as_str() == "."
    }

    /// The labels in presentation form, leftmost first; none for the root.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        LabelTexts { rest: if self.is_root() { None } else { Some(self.as_str()) } }
    }

    /// The number of labels; 0 for the root.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// The name without its leftmost label; none for the root.
    pub fn parent(&self) -> Option<Self> {
        self.ancestor_texts().nth(1).map(|text| Self(Arc::from(text)))
    }

    /// The name and its ancestors up to and including the root.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::parent)
    }

    /// The texts of the name and its ancestors up to and including the root: what maps of names can be asked for.
    pub(crate) fn ancestor_texts(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.as_str()), |text| above(text))
    }

    /// Whether this name is `other` or below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.ancestor_texts().any(|name| name == other.as_str())
    }

    /// Whether two names are below the same top-level domain.
    pub fn shares_top_level(&self, other: &Self) -> bool {
        self.labels().next_back() == other.labels().next_back()
    }

    /// The name with a label, or several, in front, given as presentation text.
    ///
    /// # Errors
    ///
    /// As [`DomainName::parse`] of the whole.
    pub fn prefixed(&self, labels: &str) -> Result<Self, Problem> {
        if self.is_root() { Self::parse(labels) } else { Self::parse(&format!("{labels}.{self}")) }
    }

    /// The octets in wire form, length octets and the root included (RFC 1035 section 3.1).
    pub fn wire_octets(&self) -> usize {
        self.labels().map(|label| unescape(label).len() + 1).sum::<usize>() + 1
    }

    /// The labels joined by dots without escapes, as SPF macros see the name.
    pub fn octets(&self) -> Cow<'_, [u8]> {
        if self.is_root() {
            return Cow::Borrowed(&[]);
        }
        unescape(self.as_str())
    }

    /// Whether every label consists of letters, digits, hyphens and underscores.
    pub fn is_host_name(&self) -> bool {
        !self.is_root()
            && self.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    }
}

/// The text without its first label; none for the root.
fn above(text: &str) -> Option<&str> {
    match text.get(label_octets(text) + 1..) {
        _ if text == "." => None,
        Some(above) if !above.is_empty() => Some(above),
        _ => Some("."),
    }
}

/// The octets of the first label of a canonical text.
fn label_octets(text: &str) -> usize {
    let mut escaped = false;
    let ends = |octet: u8| {
        let ends = octet == b'.' && !escaped;
        escaped = octet == b'\\' && !escaped;
        ends
    };
    text.bytes().position(ends).unwrap_or(text.len())
}

/// The labels of a canonical text from both ends.
struct LabelTexts<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for LabelTexts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let (label, after) = rest.split_at_checked(label_octets(rest))?;
        self.rest = after.strip_prefix('.');
        Some(label)
    }
}

impl DoubleEndedIterator for LabelTexts<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        // A dot after an odd number of backslashes belongs to its label.
        let is_end = |(at, _): &(usize, &str)| {
            let before = rest.get(..*at).unwrap_or_default();
            (before.len() - before.trim_end_matches('\\').len()).is_multiple_of(2)
        };
        let (before, label) = match rest.rmatch_indices('.').find(is_end) {
            Some((dot, _)) => (rest.get(..dot), rest.get(dot + 1..)?),
            None => (None, rest),
        };
        self.rest = before;
        Some(label)
    }
}

#[derive(Default)]
struct Labels {
    text: String,
    wire: usize,
}

impl Labels {
    fn push(&mut self, label: &[u8], span: std::ops::Range<usize>) -> Result<(), Problem> {
        if label.is_empty() {
            return Err(Problem::new("name.empty-label", "a label of the domain name is empty").at(span));
        }
        let ascii;
        let label = if label.is_ascii() {
            label
        } else {
            ascii = to_ascii(label).map_err(|problem| problem.at(span.clone()))?;
            &ascii
        };
        if label.len() > MAX_LABEL_OCTETS {
            return Err(Problem::new(
                "name.label-too-long",
                "a label of the domain name has more than 63 octets",
            )
            .at(span));
        }
        if !self.text.is_empty() {
            self.text.push('.');
        }
        self.wire += label.len() + 1;
        for octet in label {
            match octet.to_ascii_lowercase() {
                octet @ (b'.' | b'\\') => {
                    self.text.push('\\');
                    self.text.push(char::from(octet));
                }
                octet @ b'!'..=b'~' => self.text.push(char::from(octet)),
                octet => {
                    let _ = write!(self.text, "\\{octet:03}");
                }
            }
        }
        Ok(())
    }

    fn finish(self, octets: usize) -> Result<DomainName, Problem> {
        if self.wire + 1 > MAX_NAME_OCTETS {
            return Err(Problem::new(
                "name.too-long",
                "the domain name has more than 255 octets in wire form",
            )
            .at(0..octets));
        }
        Ok(DomainName(Arc::from(self.text)))
    }
}

/// The A-label of a label outside ASCII (RFC 5890).
#[cfg(feature = "idna")]
fn to_ascii(label: &[u8]) -> Result<Vec<u8>, Problem> {
    let read = std::str::from_utf8(label).ok().and_then(|text| Label::from_utf8(text).ok());
    read.map(|label| label.as_bytes().to_vec())
        .ok_or_else(|| Problem::new("name.bad-idn", "a label is not a valid internationalized label"))
}

/// A build without the tables: it remembers that they were needed, since who reads the name may go on without it.
#[cfg(not(feature = "idna"))]
fn to_ascii(_label: &[u8]) -> Result<Vec<u8>, Problem> {
    IDNA_NEEDED.set(true);
    Err(no_idna())
}

#[cfg(not(feature = "idna"))]
thread_local! {
    static IDNA_NEEDED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Why an operation has no answer in a build without the tables, if it met a name that takes them; asked for once.
#[cfg(not(feature = "idna"))]
pub(crate) fn idna_needed() -> Option<Problem> {
    IDNA_NEEDED.take().then(no_idna)
}

#[cfg(not(feature = "idna"))]
fn no_idna() -> Problem {
    Problem::new("name.no-idn", "this module does not read names outside ASCII")
        .help("load the full module, or write labels that begin with `xn--`")
}

fn unescape(label: &str) -> Cow<'_, [u8]> {
    if !label.contains('\\') {
        return Cow::Borrowed(label.as_bytes());
    }
    let mut octets = Vec::with_capacity(label.len());
    let mut bytes = label.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            octets.push(byte);
            continue;
        }
        // Canonical text has only `\.`, `\\` and three digits up to 255 after a backslash.
        match bytes.next() {
            Some(first) if first.is_ascii_digit() => {
                let digits = [first, bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                let value = digits.iter().fold(0u16, |value, digit| value * 10 + u16::from(digit - b'0'));
                octets.push(u8::try_from(value).unwrap_or(u8::MAX));
            }
            Some(byte) => octets.push(byte),
            None => {}
        }
    }
    Cow::Owned(octets)
}

/// Names are ordered, compared and hashed as their texts are.
impl Borrow<str> for DomainName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for DomainName {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::parse(text)
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for DomainName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for DomainName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
