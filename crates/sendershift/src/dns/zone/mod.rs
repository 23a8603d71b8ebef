//! Zone files: master files as RFC 1035 section 5 has them, with the additions of RFC 2308 (`$TTL`) and RFC 3597 (unknown
//! types), and with times in units, such as `1h30m`, as servers read them.
//!
//! Nothing is guessed and nothing is followed: `$INCLUDE` and `$GENERATE` are refused with their place, and a TTL that the
//! file does not tell is unknown. What the records mean for names that are not listed is in [`Snapshot`].

mod check;
mod generic;
mod lex;
mod rdata;
#[cfg(test)]
mod tests;

use lex::{Entries, Entry, Token};
use rdata::Data;

use super::{MAX_TTL, RecordType, RrSet, Snapshot};
use crate::error::{Invalid, Problem, Span};
use crate::name::DomainName;

/// After how many problems reading stops.
const MAX_PROBLEMS: usize = 1000;

/// The records of a zone file, by owner and type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZoneFile {
    /// The name of the zone: the owner of its SOA record.
    pub apex: DomainName,
    /// All RRsets, in the order of the names as text and then of the types.
    pub rrsets: Vec<ZoneRrSet>,
}

/// One RRset of a zone file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZoneRrSet {
    /// The owner.
    pub name: DomainName,
    /// The records, with the longest of their TTLs: that is how long a cache may hold some of them.
    pub rrset: RrSet,
    /// Where the first of the records stands.
    pub span: Span,
    /// Whether servers of the zone answer with it: not with what lies below a delegation or a DNAME.
    pub answers: bool,
}

impl ZoneFile {
    /// Reads a zone file. `origin` is what relative names are relative to, up to the first `$ORIGIN` line.
    ///
    /// # Errors
    ///
    /// Every problem of the file, with its place: `zone.*`.
    pub fn parse(text: &str, origin: Option<&DomainName>) -> Result<Self, Invalid> {
        let (zone, problems) = Self::read(text, origin);
        match zone {
            Some(zone) => Invalid::unless(problems, text, zone),
            None => Invalid::unless(problems, text, ())
                .and_then(|()| Err(Invalid::one(Problem::new("zone.no-soa", "the file holds no zone")))),
        }
    }

    pub(super) fn read(text: &str, origin: Option<&DomainName>) -> (Option<Self>, Vec<Problem>) {
        let mut reader = Reader { origin: origin.cloned(), ..Reader::default() };
        let mut entries = Entries::of(text);
        while let Some(entry) = entries.next() {
            if let Err(problem) = reader.entry(&entry) {
                // Without an origin most lines have the same problem: once is enough.
                let told = problem.code == "zone.no-origin" && std::mem::replace(&mut reader.no_origin, true);
                reader.problems.extend((!told).then_some(problem));
            }
            if reader.problems.len() + entries.problems.len() >= MAX_PROBLEMS {
                break;
            }
        }
        let mut problems = entries.problems;
        problems.append(&mut reader.problems);
        // An SOA record that cannot be read has had its problem told.
        let unread = !problems.is_empty() && (reader.no_origin || text.to_ascii_uppercase().contains("SOA"));
        let zone = check::zone(reader.records, unread, &mut problems);
        (zone, problems)
    }
}

impl Snapshot {
    /// Reads a zone file: RFC 1035 master format. `origin` is what relative names are relative to, up to the first `$ORIGIN`
    /// line.
    ///
    /// The answers are those of the zone's own servers: at and below its name, down to delegations, what is not listed does not
    /// exist, and wildcards answer (RFC 4592). Elsewhere nothing is known.
    ///
    /// # Errors
    ///
    /// Every problem of the file, with its place: `zone.*`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::dns::{Answer, Evidence, RecordType, Snapshot};
    ///
    /// let zone = "$ORIGIN shop.example.\n$TTL 1h\n@ SOA ns hostmaster 1 2h 15m 2w 30m\n NS ns\n* TXT \"v=spf1 -all\"\n";
    /// let snapshot = Snapshot::from_zone(zone, None)?;
    /// let answer = |name: &str| snapshot.answer(&name.parse().unwrap(), RecordType::Txt);
    /// assert!(matches!(answer("any.shop.example"), Answer::Records(_)));
    /// assert_eq!(answer("shop.example"), Answer::NoData);
    /// assert_eq!(answer("example"), Answer::Unknown);
    /// # Ok::<(), sendershift::error::Invalid>(())
    /// ```
    pub fn from_zone(text: &str, origin: Option<&DomainName>) -> Result<Self, Invalid> {
        ZoneFile::parse(text, origin).map(|zone| Self::of_zone(&zone))
    }
}

/// One record as it stands in the file.
#[derive(Debug)]
struct Record {
    owner: DomainName,
    kind: RecordType,
    ttl: Option<u32>,
    data: Data,
    span: Span,
}

/// What the entries so far have set.
#[derive(Debug, Default)]
struct Reader {
    origin: Option<DomainName>,
    owner: Option<DomainName>,
    /// Of the last `$TTL` line.
    default_ttl: Option<u32>,
    /// The last that a record stated.
    last_ttl: Option<u32>,
    records: Vec<Record>,
    problems: Vec<Problem>,
    /// Whether relative names were found without an origin.
    no_origin: bool,
}

impl Reader {
    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), Problem> {
        let Some((first, rest)) = entry.tokens.split_first() else { return Ok(()) };
        if entry.indented {
            let owner = self.owner.clone().ok_or_else(|| {
                Problem::new("zone.no-owner", "the line has no owner, and no record stands before it")
                    .at(first.span)
                    .help("begin the line with the name of the owner, or with `@` for the origin")
            })?;
            return self.record(owner, &entry.tokens, first.span);
        }
        if first.text.starts_with('$') && !first.quoted {
            return self.directive(first, rest);
        }
        let owner = self.name(first);
        // Lines without an owner below are not for the owner before this one.
        self.owner = owner.as_ref().ok().cloned();
        if rest.is_empty() {
            return Err(Problem::new("zone.no-type", "an owner stands alone on its line")
                .at(first.span)
                .help("write type and data behind it; a line that goes on needs parentheses around it"));
        }
        self.record(owner?, rest, first.span)
    }

    fn directive(&mut self, directive: &Token<'_>, arguments: &[Token<'_>]) -> Result<(), Problem> {
        let argument = |what: &str| match arguments {
            [only] => Ok(only),
            _ => Err(Problem::new("zone.bad-directive", format!("`{}` takes {what}", directive.text))
                .at(directive.span)),
        };
        match directive.text.to_ascii_uppercase().as_str() {
            "$ORIGIN" => self.origin = Some(self.name(argument("one domain name")?)?),
            "$TTL" => self.default_ttl = Some(seconds(argument("one time, such as 3600 or 1h")?)?),
            "$INCLUDE" => {
                return Err(Problem::new("zone.include", "other files are not read from within a zone file")
                    .at(directive.span)
                    .help("put the records in here, or let `named-compilezone` write the zone as one file"));
            }
            "$GENERATE" => {
                return Err(Problem::new("zone.generate", "records are not generated")
                    .at(directive.span)
                    .help("write them out, or let `named-compilezone` do so"));
            }
            _ => {
                let message = format!("there is no directive `{}`", directive.text);
                return Err(Problem::new("zone.unknown-directive", message)
                    .at(directive.span)
                    .help("known are $ORIGIN and $TTL; a name that begins with `$` is written `\\$`"));
            }
        }
        Ok(())
    }

    /// Reads `[TTL] [class] type data` or `[class] [TTL] type data`; `place` is where the line begins.
    fn record(&mut self, owner: DomainName, tokens: &[Token<'_>], place: Span) -> Result<(), Problem> {
        let (mut ttl, mut class) = (None, false);
        let mut rest = tokens;
        while let [token, after @ ..] = rest {
            if ttl.is_none() && !token.quoted && token.text.starts_with(|c: char| c.is_ascii_digit()) {
                ttl = Some(seconds(token)?);
            } else if !class && !token.quoted && is_class(token)? {
                class = true;
            } else {
                break;
            }
            rest = after;
        }
        if ttl.is_some() {
            self.last_ttl = ttl;
        }
        // RFC 2308 section 4, and before it RFC 1035 section 5.1.
        let ttl = ttl.or(self.default_ttl).or(self.last_ttl);
        let [kind, data @ ..] = rest else {
            return Err(Problem::new("zone.no-type", "the record has no type")
                .at(place)
                .help("write the type, such as TXT, and the data behind it"));
        };
        let record_type = data_type(kind)?;
        let data = self.data(record_type, data, kind.span)?;
        let span = Span::new(place.start, tokens.last().map_or(place.end, |token| token.span.end));
        self.records.push(Record { owner, kind: record_type, ttl, data, span });
        Ok(())
    }
}

/// Whether the token is the class IN; another class is a problem.
fn is_class(token: &Token<'_>) -> Result<bool, Problem> {
    let upper = token.text.to_ascii_uppercase();
    let numbered = upper.strip_prefix("CLASS").is_some_and(|number| number.parse::<u16>().is_ok());
    match upper.as_str() {
        "IN" | "CLASS1" => Ok(true),
        "CH" | "CHAOS" | "HS" | "HESIOD" | "CS" => Err(other_class(token)),
        _ if numbered => Err(other_class(token)),
        _ => Ok(false),
    }
}

fn other_class(token: &Token<'_>) -> Problem {
    Problem::new("zone.other-class", format!("class `{}` is not read", token.text))
        .at(token.span)
        .help("mail lives in class IN")
}

/// A type that records can have: no question type and no meta type (RFC 6895 section 3.1).
fn data_type(token: &Token<'_>) -> Result<RecordType, Problem> {
    let record_type =
        token.text.parse::<RecordType>().ok().filter(|record_type| {
            !token.quoted && !matches!(record_type, RecordType::Other(0 | 41 | 128..=255))
        });
    record_type.ok_or_else(|| {
        Problem::new("zone.unknown-type", format!("`{}` is not the type of a record", token.text))
            .at(token.span)
            .help("a record is `owner TTL class type data`; write the mnemonic of the type, or TYPE and its number")
    })
}

/// A time in seconds, or in units of weeks, days, hours, minutes and seconds, such as `1h30m`.
fn seconds(token: &Token<'_>) -> Result<u32, Problem> {
    let read = || {
        let (mut total, mut number, mut digits) = (0u64, 0u64, false);
        for octet in token.text.bytes() {
            let unit = match octet.to_ascii_lowercase() {
                digit @ b'0'..=b'9' => {
                    number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
                    digits = true;
                    continue;
                }
                b's' => 1,
                b'm' => 60,
                b'h' => 3600,
                b'd' => 86_400,
                b'w' => 604_800,
                _ => return None,
            };
            if !std::mem::take(&mut digits) {
                return None;
            }
            total = total.checked_add(std::mem::take(&mut number).checked_mul(unit)?)?;
        }
        // A number without a unit stands alone.
        match (total, digits) {
            (total, false) => Some(total).filter(|_| !token.text.is_empty()),
            (0, true) if token.text.bytes().all(|octet| octet.is_ascii_digit()) => Some(number),
            _ => None,
        }
    };
    let value = read().and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds <= MAX_TTL);
    value.filter(|_| !token.quoted).ok_or_else(|| {
        Problem::new("zone.bad-time", format!("`{}` is not a time of at most {MAX_TTL} seconds", token.text))
            .at(token.span)
            .help("write seconds, or units as in 1h30m or 2w (RFC 2181 section 8 has the limit)")
    })
}
