//! Record data in the form for unknown types, `\# 4 C0000201` (RFC 3597 section 5), also of types that are known.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::lex::Token;
use crate::dns::{RecordType, Txt};
use crate::name::DomainName;

/// The octets that `\# length hex...` stands for; `tokens` are those after `\#`.
pub(super) fn octets(tokens: &[Token<'_>]) -> Option<Vec<u8>> {
    let (length, hex) = tokens.split_first()?;
    let digits: String = hex.iter().map(|token| token.text).collect();
    let length: usize = number(length.text)?;
    // The length of record data is told in 16 bits (RFC 1035 section 3.2.1).
    if hex.iter().any(|token| token.quoted) || length > 65_535 || digits.len() != 2 * length {
        return None;
    }
    let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

/// A number of digits alone.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Octets as `\# length hex`.
pub(super) fn text(octets: &[u8]) -> String {
    let mut text = format!("\\# {}", octets.len());
    for (index, octet) in octets.iter().enumerate() {
        let _ = write!(text, "{}{octet:02x}", if index == 0 { " " } else { "" });
    }
    text
}

/// The character-strings of a TXT record in wire form.
pub(super) fn txt(mut wire: &[u8]) -> Option<Txt> {
    let mut strings = Vec::new();
    while !wire.is_empty() {
        strings.push(take_string(&mut wire)?.to_vec());
    }
    (!strings.is_empty()).then(|| Txt::from_octets(&strings))
}

/// The presentation form of record data of a type that is modelled and is not TXT.
pub(super) fn presentation(record_type: RecordType, mut wire: &[u8]) -> Option<String> {
    let wire = &mut wire;
    let text = match record_type {
        RecordType::A => Ipv4Addr::from(take::<4>(wire)?).to_string(),
        RecordType::Aaaa => Ipv6Addr::from(take::<16>(wire)?).to_string(),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => name(wire)?.to_string(),
        RecordType::Mx => format!("{} {}", u16::from_be_bytes(take(wire)?), name(wire)?),
        RecordType::Soa => {
            let mut text = format!("{} {}", name(wire)?, name(wire)?);
            for _ in 0..5 {
                let _ = write!(text, " {}", u32::from_be_bytes(take(wire)?));
            }
            text
        }
        RecordType::Txt | RecordType::Other(_) => return None,
    };
    wire.is_empty().then_some(text)
}

fn take<const N: usize>(wire: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = wire.split_first_chunk::<N>()?;
    *wire = rest;
    Some(*first)
}

fn take_string<'w>(wire: &mut &'w [u8]) -> Option<&'w [u8]> {
    let (length, rest) = wire.split_first()?;
    let (string, rest) = rest.split_at_checked(usize::from(*length))?;
    *wire = rest;
    Some(string)
}

/// A name that is not compressed (RFC 3597 section 4: compression has no place here).
fn name(wire: &mut &[u8]) -> Option<DomainName> {
    let mut text = String::new();
    loop {
        let label = take_string(wire)?;
        if label.is_empty() {
            break;
        }
        if label.len() > 63 {
            return None;
        }
        for octet in label {
            let _ = write!(text, "\\{octet:03}");
        }
        text.push('.');
    }
    DomainName::parse(if text.is_empty() { "." } else { &text }).ok()
}
