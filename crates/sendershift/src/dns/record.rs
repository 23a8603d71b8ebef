//! Record types, record data and RRsets, parsed once from presentation form.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::{Serialize, Serializer};

use super::mnemonic;
use crate::error::Problem;
use crate::name::DomainName;

/// The type of a DNS record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordType {
    /// An IPv4 address, RFC 1035.
    A,
    /// An IPv6 address, RFC 3596.
    Aaaa,
    /// An alias, RFC 1035.
    Cname,
    /// A mail exchange, RFC 1035.
    Mx,
    /// A name server, RFC 1035.
    Ns,
    /// A pointer, RFC 1035.
    Ptr,
    /// The start of a zone of authority, RFC 1035.
    Soa,
    /// Text strings, RFC 1035.
    Txt,
    /// Any other type, by its number.
    Other(u16),
}

const NAMED: [(RecordType, &str, u16); 8] = [
    (RecordType::A, "A", 1),
    (RecordType::Ns, "NS", 2),
    (RecordType::Cname, "CNAME", 5),
    (RecordType::Soa, "SOA", 6),
    (RecordType::Ptr, "PTR", 12),
    (RecordType::Mx, "MX", 15),
    (RecordType::Txt, "TXT", 16),
    (RecordType::Aaaa, "AAAA", 28),
];

impl RecordType {
    /// An alias for all names below a name, RFC 6672.
    pub const DNAME: Self = Self::Other(39);
    /// Delegation signer, RFC 4034: at a zone cut the one type that the zone above answers for.
    pub const DS: Self = Self::Other(43);
    /// Which certificates a server may have, RFC 6698; at a mail host for whoever sends there, RFC 7672.
    pub const TLSA: Self = Self::Other(52);

    /// Whether records of the type may stand at a name beside a CNAME record, as RRSIG and NSEC may (RFC 4034 sections 3
    /// and 4, RFC 2535 section 2.3.5).
    pub(super) fn may_stand_beside_alias(self) -> bool {
        matches!(self, Self::Other(24 | 25 | 30 | 46 | 47))
    }

    /// The number of the type.
    pub(super) fn number(self) -> u16 {
        match self {
            Self::Other(number) => number,
            named => NAMED.iter().find(|(kind, _, _)| *kind == named).map_or(0, |(_, _, number)| *number),
        }
    }

    /// The type of a number.
    pub(crate) fn from_number(number: u16) -> Self {
        NAMED.iter().find(|(_, _, n)| *n == number).map_or(Self::Other(number), |(kind, _, _)| *kind)
    }
}

impl FromStr for RecordType {
    type Err = Problem;

    /// Reads a mnemonic such as `TXT`, or `TYPE257` (RFC 3597 section 5), in any case.
    fn from_str(text: &str) -> Result<Self, Problem> {
        let upper = text.to_ascii_uppercase();
        if let Some((kind, _, _)) = NAMED.iter().find(|(_, name, _)| *name == upper) {
            return Ok(*kind);
        }
        let number = match upper.strip_prefix("TYPE") {
            Some(digits) => digits.parse().ok(),
            None => mnemonic::number(&upper),
        };
        number.map(Self::from_number).ok_or_else(|| {
            Problem::new("dns.unknown-type", format!("`{text}` is not a record type"))
                .help("write the mnemonic, such as TXT, or TYPE and the number")
        })
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, name, _)) = NAMED.iter().find(|(kind, _, _)| kind == self) {
            return f.pad(name);
        }
        match self {
            Self::Other(number) => match mnemonic::mnemonic(*number) {
                Some(named) => f.pad(named),
                None => f.pad(&format!("TYPE{number}")),
            },
            _ => Ok(()),
        }
    }
}

impl Serialize for RecordType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A question to DNS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Question {
    /// The name asked about.
    pub name: DomainName,
    /// The record type asked for.
    #[serde(rename = "type")]
    pub record_type: RecordType,
}

impl Question {
    /// The question for the records of a type at a name.
    pub fn new(name: DomainName, record_type: RecordType) -> Self {
        Self { name, record_type }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.record_type)
    }
}

/// One mail exchange.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Mx {
    /// Lower values are tried first.
    pub preference: u16,
    /// The host; the root for a null MX (RFC 7505).
    pub exchange: DomainName,
}

/// The fields of an SOA record that planning needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Soa {
    /// The primary name server.
    pub primary: DomainName,
    /// The mailbox of the person in charge, as a domain name.
    pub mailbox: DomainName,
    /// Serial, refresh, retry and expire, as written.
    pub numbers: [u32; 4],
    /// MINIMUM: with the record's own TTL the bound on negative caching (RFC 2308 section 5).
    pub minimum: u32,
}

/// One TXT record: its character-strings.
///
/// What an application reads is [`Txt::octets`], the strings joined without a space (RFC 7208 section 3.3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Txt {
    octets: Arc<[u8]>,
    /// The length of each character-string.
    lengths: Arc<[usize]>,
}

impl Txt {
    /// A record of the given character-strings, in presentation form: `\DDD` for octets, `\\` for a backslash.
    ///
    /// # Errors
    ///
    /// `dns.bad-escape`, `dns.not-ascii` or `dns.string-too-long` (more than 255 octets, RFC 1035 section 3.3).
    pub fn from_strings<S: AsRef<str>>(strings: &[S]) -> Result<Self, Problem> {
        let mut octets = Vec::new();
        let mut lengths = Vec::with_capacity(strings.len());
        for string in strings {
            let before = octets.len();
            unescape(string.as_ref(), &mut octets)?;
            let length = octets.len() - before;
            if length > 255 {
                return Err(Problem::new(
                    "dns.string-too-long",
                    format!("a character-string has {length} octets, the limit is 255"),
                )
                .help("write the record as one string and it is split for you, or as a list of strings"));
            }
            lengths.push(length);
        }
        // A record has one string at the least (RFC 1035 section 3.3.14).
        if lengths.is_empty() {
            lengths.push(0);
        }
        Ok(Self { octets: octets.into(), lengths: lengths.into() })
    }

    /// A record with one text in presentation form, cut into character-strings of 255 octets where it is longer.
    ///
    /// # Errors
    ///
    /// `dns.bad-escape` or `dns.not-ascii`.
    pub fn from_text(text: &str) -> Result<Self, Problem> {
        let mut octets = Vec::with_capacity(text.len());
        unescape(text, &mut octets)?;
        let mut lengths: Vec<usize> = octets.chunks(255).map(<[u8]>::len).collect();
        if lengths.is_empty() {
            lengths.push(0);
        }
        Ok(Self { octets: octets.into(), lengths: lengths.into() })
    }

    /// A record of character-strings of at most 255 octets each, as they are.
    pub(super) fn from_octets<S: AsRef<[u8]>>(strings: &[S]) -> Self {
        let strings = || strings.iter().map(AsRef::as_ref);
        Self { octets: strings().flatten().copied().collect(), lengths: strings().map(<[u8]>::len).collect() }
    }

    /// The strings joined without a space.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The character-strings in presentation form.
    pub fn strings(&self) -> Vec<String> {
        let mut rest: &[u8] = &self.octets;
        let mut strings = Vec::with_capacity(self.lengths.len());
        for length in self.lengths.iter() {
            let (string, after) = rest.split_at_checked(*length).unwrap_or((rest, &[]));
            strings.push(escape(string));
            rest = after;
        }
        strings
    }

    /// The octets of each character-string.
    pub(crate) fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// The joined text in presentation form.
    pub fn text(&self) -> String {
        escape(&self.octets)
    }

    /// The octets of the record data in wire form: a length octet for each string, and the strings.
    pub fn wire_octets(&self) -> usize {
        self.octets.len() + self.lengths.len()
    }

    /// Whether the strings are cut where [`Txt::from_text`] cuts them.
    fn is_plain(&self) -> bool {
        let (last, full) = self.lengths.split_last().unwrap_or((&0, &[]));
        full.iter().all(|length| *length == 255) && (full.is_empty() || *last > 0)
    }
}

impl fmt::Debug for Txt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.strings())
    }
}

impl Serialize for Txt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_plain() {
            serializer.serialize_str(&self.text())
        } else {
            self.strings().serialize(serializer)
        }
    }
}

fn unescape(text: &str, octets: &mut Vec<u8>) -> Result<(), Problem> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => {
                let escaped = match (bytes.get(at + 1), bytes.get(at + 1..at + 4)) {
                    (Some(c @ (b'\\' | b'"')), _) => Some((*c, 2)),
                    (_, Some([a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'])) => {
                        let value = [a, b, c]
                            .iter()
                            .fold(0u16, |value, digit| value * 10 + u16::from(**digit - b'0'));
                        u8::try_from(value).ok().map(|octet| (octet, 4))
                    }
                    _ => None,
                };
                let Some((octet, length)) = escaped else {
                    return Err(Problem::new(
                        "dns.bad-escape",
                        "a backslash is not followed by a backslash or by three digits up to 255",
                    )
                    .at(at..at + 1)
                    .help("write a backslash as `\\\\` and other octets as `\\DDD`"));
                };
                octets.push(octet);
                at += length;
            }
            b' '..=b'~' => {
                octets.push(*byte);
                at += 1;
            }
            _ => {
                return Err(Problem::new("dns.not-ascii", "text outside printable ASCII stands unescaped")
                    .at(at..at + 1)
                    .help("write each octet as `\\DDD`, in decimal"));
            }
        }
    }
    Ok(())
}

/// The last decimal digit of a number.
fn digit(number: u8) -> char {
    char::from(b'0' + number % 10)
}

pub(super) fn escape(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(*octet)),
            _ => text.extend(['\\', digit(octet / 100), digit(octet / 10), digit(*octet)]),
        }
    }
    text
}

/// The data of an RRset: one or more records of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Records {
    /// IPv4 addresses.
    A(Vec<Ipv4Addr>),
    /// IPv6 addresses.
    Aaaa(Vec<Ipv6Addr>),
    /// The target of an alias.
    Cname(DomainName),
    /// Mail exchanges, by preference and then by name.
    Mx(Vec<Mx>),
    /// Name servers.
    Ns(Vec<DomainName>),
    /// Pointers, in the order given.
    Ptr(Vec<DomainName>),
    /// The start of authority.
    Soa(Soa),
    /// Texts, in the order given.
    Txt(Vec<Txt>),
    /// Records of another type, in presentation form.
    Other(u16, Vec<String>),
}

impl Records {
    /// The type of the records.
    pub fn record_type(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Cname(_) => RecordType::Cname,
            Self::Mx(_) => RecordType::Mx,
            Self::Ns(_) => RecordType::Ns,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Soa(_) => RecordType::Soa,
            Self::Txt(_) => RecordType::Txt,
            Self::Other(number, _) => RecordType::Other(*number),
        }
    }

    /// Reads records of a type other than TXT from presentation form.
    ///
    /// # Errors
    ///
    /// `dns.bad-record`, with the index of the record that is wrong.
    pub(crate) fn parse(record_type: RecordType, records: &[&str]) -> Result<Self, (usize, Problem)> {
        fn each<T>(
            records: &[&str],
            what: &str,
            read: impl Fn(&str) -> Option<T>,
        ) -> Result<Vec<T>, (usize, Problem)> {
            let one = |(index, text): (usize, &&str)| {
                read(text.trim())
                    .ok_or_else(|| (index, Problem::new("dns.bad-record", format!("`{text}` is not {what}"))))
            };
            records.iter().enumerate().map(one).collect()
        }
        fn only<T>(mut values: Vec<T>, what: &str) -> Result<T, (usize, Problem)> {
            match (values.pop(), values.is_empty()) {
                (Some(value), true) => Ok(value),
                _ => Err((
                    1,
                    Problem::new("dns.bad-record", format!("a name has more than one {what} record")),
                )),
            }
        }
        let name = |text: &str| DomainName::parse(text).ok();
        Ok(match record_type {
            RecordType::A => Self::A(each(records, "an IPv4 address", |text| text.parse().ok())?),
            RecordType::Aaaa => Self::Aaaa(each(records, "an IPv6 address", |text| text.parse().ok())?),
            RecordType::Cname => Self::Cname(only(each(records, "a domain name", name)?, "CNAME")?),
            RecordType::Mx => {
                let mut hosts =
                    each(records, "a preference and a host name, such as `10 mx.example.net.`", |text| {
                        let (preference, exchange) = text.split_once(char::is_whitespace)?;
                        Some(Mx { preference: preference.parse().ok()?, exchange: name(exchange.trim())? })
                    })?;
                hosts.sort();
                Self::Mx(hosts)
            }
            RecordType::Ns => Self::Ns(each(records, "a domain name", name)?),
            RecordType::Ptr => Self::Ptr(each(records, "a domain name", name)?),
            RecordType::Soa => {
                Self::Soa(only(each(records, "the seven fields of an SOA record", read_soa)?, "SOA")?)
            }
            RecordType::Txt => Self::Txt(
                records
                    .iter()
                    .enumerate()
                    .map(|(index, text)| Txt::from_text(text).map_err(|problem| (index, problem)))
                    .collect::<Result<_, _>>()?,
            ),
            RecordType::Other(number) => {
                Self::Other(number, records.iter().map(|text| (*text).to_owned()).collect())
            }
        })
    }

    /// The records in presentation form; a TXT record as its joined text.
    pub fn to_texts(&self) -> Vec<String> {
        match self {
            Self::A(addresses) => addresses.iter().map(ToString::to_string).collect(),
            Self::Aaaa(addresses) => addresses.iter().map(ToString::to_string).collect(),
            Self::Cname(name) => vec![absolute(name)],
            Self::Mx(hosts) => {
                hosts.iter().map(|mx| format!("{} {}", mx.preference, absolute(&mx.exchange))).collect()
            }
            Self::Ns(names) | Self::Ptr(names) => names.iter().map(absolute).collect(),
            Self::Soa(soa) => {
                let [serial, refresh, retry, expire] = soa.numbers;
                vec![format!(
                    "{} {} {serial} {refresh} {retry} {expire} {}",
                    absolute(&soa.primary),
                    absolute(&soa.mailbox),
                    soa.minimum
                )]
            }
            Self::Txt(texts) => texts.iter().map(Txt::text).collect(),
            Self::Other(_, texts) => texts.clone(),
        }
    }

    /// Whether two RRsets hold the same records, each as often, in any order; TXT compares joined octets. The same octets in other strings
    /// are another record (RFC 2181 section 5), so an RRset may hold them more than once.
    pub fn same_as(&self, other: &Self) -> bool {
        let sorted = |records: &Self| {
            let mut texts = records.to_texts();
            texts.sort();
            texts
        };
        self.record_type() == other.record_type() && sorted(self) == sorted(other)
    }
}

/// A name with its final dot.
pub(super) fn absolute(name: &DomainName) -> String {
    if name.is_root() { name.to_string() } else { format!("{name}.") }
}

fn read_soa(text: &str) -> Option<Soa> {
    let mut fields = text.split_ascii_whitespace();
    let primary = DomainName::parse(fields.next()?).ok()?;
    let mailbox = DomainName::parse(fields.next()?).ok()?;
    let mut number = || fields.next()?.parse::<u32>().ok();
    let numbers = [number()?, number()?, number()?, number()?];
    let minimum = number()?;
    fields.next().is_none().then_some(Soa { primary, mailbox, numbers, minimum })
}

impl Serialize for Records {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Txt(texts) => texts.serialize(serializer),
            other => other.to_texts().serialize(serializer),
        }
    }
}

/// How far an answer can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Quality {
    /// From a cache, or unknown: a TTL is only what remained of it, a lower bound.
    #[default]
    Cached,
    /// From a server of the zone itself.
    Authoritative,
}

/// An RRset with its TTL, in seconds, and the quality of the answer that it came in.
#[derive(Clone)]
pub struct RrSet {
    records: Records,
    ttl: Option<u32>,
    quality: Quality,
    parsed: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl RrSet {
    /// An RRset as evidence or a plan has it.
    pub fn new(records: Records, ttl: Option<u32>, quality: Quality) -> Self {
        Self { records, ttl, quality, parsed: OnceLock::new() }
    }

    /// The records.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The TTL in seconds, if known.
    pub fn ttl(&self) -> Option<u32> {
        self.ttl
    }

    /// The quality of the answer.
    pub fn quality(&self) -> Quality {
        self.quality
    }

    /// The TXT records; none for other types.
    pub fn texts(&self) -> &[Txt] {
        match &self.records {
            Records::Txt(texts) => texts,
            _ => &[],
        }
    }

    /// The octets of name and data in wire form: what RFC 7208 section 3.4 asks to keep small.
    pub fn size(&self, name: &DomainName) -> usize {
        name.wire_octets() + self.texts().iter().map(Txt::wire_octets).sum::<usize>()
    }

    /// What `parse` makes of the records, computed once and kept with them.
    pub(crate) fn parsed<T: Any + Clone + Send + Sync>(&self, parse: impl Fn(&Self) -> T) -> Cow<'_, T> {
        let any = self.parsed.get_or_init(|| Arc::new(parse(self)));
        // One RRset is read as one kind of record; another reading is computed afresh.
        any.downcast_ref().map_or_else(|| Cow::Owned(parse(self)), Cow::Borrowed)
    }
}

impl fmt::Debug for RrSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RrSet")
            .field("records", &self.records)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

impl PartialEq for RrSet {
    fn eq(&self, other: &Self) -> bool {
        (&self.records, self.ttl, self.quality) == (&other.records, other.ttl, other.quality)
    }
}

impl Eq for RrSet {}
