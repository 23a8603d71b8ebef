//! The record data of one entry, with all names in it absolute.

use super::lex::Token;
use super::{Reader, generic};
use crate::dns::record::{RecordType, Records, Txt, absolute, escape};
use crate::error::{Problem, Span};
use crate::name::DomainName;

/// The data of one record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Data {
    Txt(Txt),
    /// Data of any other type, in presentation form.
    Text(String),
}

/// Which fields of types that are not modelled are names, by number of the type, counted from 0
/// (RFC 1035, 1183, 1706, 2163, 2230, 2782, 3403, 4034, 6672, 6742, 9460).
const NAMES: [(u16, &[usize]); 21] = [
    (3, &[0]),
    (4, &[0]),
    (7, &[0]),
    (8, &[0]),
    (9, &[0]),
    (14, &[0, 1]),
    (17, &[0, 1]),
    (18, &[1]),
    (21, &[1]),
    (23, &[0]),
    (24, &[7]),
    (26, &[1, 2]),
    (30, &[0]),
    (33, &[3]),
    (35, &[5]),
    (36, &[1]),
    (39, &[0]),
    (46, &[7]),
    (47, &[0]),
    (64, &[1]),
    (65, &[1]),
];

/// The fields of types whose data has a fixed number of them, for people.
fn fields(record_type: RecordType) -> Option<(usize, &'static str)> {
    Some(match record_type {
        RecordType::A => (1, "one IPv4 address"),
        RecordType::Aaaa => (1, "one IPv6 address"),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr | RecordType::DNAME => (1, "one domain name"),
        RecordType::Mx => (2, "a preference and a host name, such as `10 mx.example.net.`"),
        RecordType::Soa => (7, "primary server, mailbox, serial, refresh, retry, expire and minimum"),
        RecordType::Txt | RecordType::Other(_) => return None,
    })
}

fn bad_record(message: String, span: Span) -> Problem {
    Problem::new("zone.bad-record", message).at(span)
}

impl Reader {
    /// Reads the data of a record; `place` is that of its type.
    pub(super) fn data(
        &mut self,
        record_type: RecordType,
        tokens: &[Token<'_>],
        place: Span,
    ) -> Result<Data, Problem> {
        let span = tokens
            .first()
            .zip(tokens.last())
            .map_or(place, |(first, last)| Span::new(first.span.start, last.span.end));
        if let [mark, rest @ ..] = tokens
            && mark.text == "\\#"
            && !mark.quoted
        {
            return generic(record_type, rest, span);
        }
        if let Some((count, what)) = fields(record_type)
            && (tokens.len() != count || tokens.iter().any(|token| token.quoted))
        {
            return Err(bad_record(format!("the data of {record_type} is {what}"), span));
        }
        if tokens.is_empty() {
            return Err(bad_record(format!("the {record_type} record has no data"), place));
        }
        match record_type {
            RecordType::Txt => strings(tokens).map(|strings| Data::Txt(Txt::from_octets(&strings))),
            RecordType::Other(number) => self.other(number, tokens).map(Data::Text),
            _ => self.modelled(record_type, tokens, span).map(Data::Text),
        }
    }

    fn modelled(
        &mut self,
        record_type: RecordType,
        tokens: &[Token<'_>],
        span: Span,
    ) -> Result<String, Problem> {
        let mut words = Vec::with_capacity(tokens.len());
        for (index, token) in tokens.iter().enumerate() {
            words.push(match (record_type, index) {
                (RecordType::Mx, 0) | (RecordType::Soa, 2) => {
                    let number: Option<u32> = generic::number(token.text);
                    number.map(|number| number.to_string()).ok_or_else(|| {
                        bad_record(format!("`{}` is not a number that fits here", token.text), token.span)
                    })?
                }
                (RecordType::Soa, 3..) => super::seconds(token)?.to_string(),
                (RecordType::A | RecordType::Aaaa, _) => token.text.to_owned(),
                _ => self.name(token)?.to_string(),
            });
        }
        canonical(record_type, &words.join(" ")).ok_or_else(|| {
            let what = fields(record_type).map_or("", |(_, what)| what);
            bad_record(format!("the data of {record_type} is {what}"), span)
        })
    }

    fn other(&mut self, number: u16, tokens: &[Token<'_>]) -> Result<String, Problem> {
        let names = NAMES.iter().find(|(at, _)| *at == number).map_or(&[][..], |(_, names)| names);
        let mut words = Vec::with_capacity(tokens.len());
        for (index, token) in tokens.iter().enumerate() {
            words.push(if names.contains(&index) && !token.quoted {
                absolute(&self.name(token)?)
            } else if token.quoted || number == 99 {
                format!("\"{}\"", escape(&string(token)?).replace('"', "\\\""))
            } else {
                string(token)?;
                token.text.to_owned()
            });
        }
        Ok(words.join(" "))
    }

    /// The absolute name that a token stands for: `@` is the origin, and a name without a final dot is below it
    /// (RFC 1035 section 5.1).
    pub(super) fn name(&mut self, token: &Token<'_>) -> Result<DomainName, Problem> {
        let text = token.text;
        let bad = |problem: Problem| {
            let message = format!("`{text}` is not a domain name: {}", problem.message);
            Problem::new("zone.bad-name", message).at(token.span)
        };
        if token.quoted {
            return Err(bad(Problem::new("", "it stands in quotes")));
        }
        let dots = text.strip_suffix('.').map(|rest| rest.len() - rest.trim_end_matches('\\').len());
        if dots.is_some_and(|backslashes| backslashes % 2 == 0) {
            return DomainName::parse(text).map_err(bad);
        }
        let Some(origin) = &self.origin else {
            let message = format!("`{text}` is relative, and nothing says to what");
            return Err(Problem::new("zone.no-origin", message).at(token.span).help(
                "begin the file with a line such as `$ORIGIN example.com.`, or end absolute names with a dot",
            ));
        };
        if text == "@" { Ok(origin.clone()) } else { origin.prefixed(text).map_err(bad) }
    }
}

/// Data in one spelling, so that equal records are equal texts; none where it is not data of the type.
fn canonical(record_type: RecordType, text: &str) -> Option<String> {
    Records::parse(record_type, &[text]).ok()?.to_texts().pop()
}

fn generic(record_type: RecordType, tokens: &[Token<'_>], span: Span) -> Result<Data, Problem> {
    let wrong = || {
        bad_record(format!("this is not data of {record_type} in the form `\\# length hex`"), span)
            .help("write the number of octets and two hexadecimal digits for each (RFC 3597 section 5)")
    };
    let octets = generic::octets(tokens).ok_or_else(wrong)?;
    match record_type {
        RecordType::Txt => generic::txt(&octets).map(Data::Txt).ok_or_else(wrong),
        RecordType::Other(_) => Ok(Data::Text(generic::text(&octets))),
        _ => generic::presentation(record_type, &octets)
            .and_then(|text| canonical(record_type, &text))
            .map(Data::Text)
            .ok_or_else(wrong),
    }
}

/// The octets of one character-string.
fn string(token: &Token<'_>) -> Result<Vec<u8>, Problem> {
    token.octets().ok_or_else(|| {
        Problem::new("zone.bad-escape", "a backslash and digits are not `\\DDD` with a value up to 255")
            .at(token.span)
            .help("write a backslash as `\\\\` and other octets as `\\DDD`")
    })
}

/// The character-strings of a TXT record (RFC 1035 section 3.3.14).
fn strings(tokens: &[Token<'_>]) -> Result<Vec<Vec<u8>>, Problem> {
    let mut strings = Vec::with_capacity(tokens.len());
    let mut length = 0;
    for token in tokens {
        let octets = string(token)?;
        if octets.len() > 255 {
            let message = format!("a character-string has {} octets, the limit is 255", octets.len());
            return Err(Problem::new("zone.string-too-long", message)
                .at(token.span)
                .help("cut it into several strings in one record: they are joined without a space"));
        }
        length += octets.len() + 1;
        if length > 65_535 {
            let message = "a record has more than 65535 octets of data".to_owned();
            return Err(bad_record(message, token.span));
        }
        strings.push(octets);
    }
    Ok(strings)
}
