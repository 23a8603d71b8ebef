//! Macro expansion (RFC 7208 section 7.3), complete or of what is known.

use std::net::IpAddr;

use super::codes;
use super::macros::{DomainSpec, MacroExpand, MacroLetter, MacroPart, MacroString};
use crate::error::Problem;
use crate::name::DomainName;

/// Characters in the longest name that is looked up (RFC 7208 section 7.3).
const MAX_NAME_CHARACTERS: usize = 253;

/// The values of all macros for one message.
#[derive(Clone, Debug)]
pub struct MacroContext<'a> {
    /// `l`: `postmaster` where the sender has none (RFC 7208 section 4.3).
    pub local_part: &'a str,
    /// `o`: the domain of the sender.
    pub sender_domain: &'a DomainName,
    /// `d`: the domain whose record is evaluated; another one inside an include.
    pub domain: &'a DomainName,
    /// `i`, `c` and `v`: the client; an IPv4-mapped IPv6 address counts as IPv4.
    pub ip: IpAddr,
    /// `h`: what the client said in HELO or EHLO.
    pub helo: &'a str,
    /// `p`: the validated name of the client, needed only if the text [uses](DomainSpec::uses) it.
    pub validated: Option<&'a DomainName>,
    /// `r`: the host that checks.
    pub receiver: Option<&'a DomainName>,
    /// `t`: seconds since 1970.
    pub timestamp: u64,
}

impl MacroContext<'_> {
    /// Appends the value of a macro.
    fn push(&self, letter: MacroLetter, octets: &mut Vec<u8>) {
        match letter {
            MacroLetter::Sender => push_sender(self.local_part, self.sender_domain, octets),
            MacroLetter::LocalPart => octets.extend_from_slice(self.local_part.as_bytes()),
            MacroLetter::SenderDomain => octets.extend_from_slice(&self.sender_domain.octets()),
            MacroLetter::Domain => octets.extend_from_slice(&self.domain.octets()),
            MacroLetter::Ip => push_labels(self.ip, octets),
            MacroLetter::Validated => push_name(self.validated, octets),
            MacroLetter::Version => octets.extend_from_slice(version(self.ip.to_canonical().is_ipv6())),
            MacroLetter::Helo => octets.extend_from_slice(self.helo.as_bytes()),
            MacroLetter::ClientIp => octets.extend_from_slice(self.ip.to_canonical().to_string().as_bytes()),
            MacroLetter::Receiver => push_name(self.receiver, octets),
            MacroLetter::Timestamp => octets.extend_from_slice(self.timestamp.to_string().as_bytes()),
        }
    }
}

/// The values of macros where some are not known: a policy over all addresses knows only the domain.
#[derive(Clone, Debug)]
pub struct PartialContext<'a> {
    /// `d`: the domain whose record is evaluated.
    pub domain: &'a DomainName,
    /// `l`
    pub local_part: Option<&'a str>,
    /// `o`
    pub sender_domain: Option<&'a DomainName>,
    /// `h`
    pub helo: Option<&'a str>,
    /// `i`, and with it `v`.
    pub ip: Option<IpAddr>,
    /// `v`, where the address family is known and the address is not: whether it is IPv6.
    pub ipv6: Option<bool>,
}

impl<'a> PartialContext<'a> {
    /// Nothing is known but the domain.
    pub fn new(domain: &'a DomainName) -> Self {
        Self { domain, local_part: None, sender_domain: None, helo: None, ip: None, ipv6: None }
    }

    /// Appends the value of a macro, if it is known.
    fn push(&self, letter: MacroLetter, octets: &mut Vec<u8>) -> Option<()> {
        match letter {
            MacroLetter::Sender => push_sender(self.local_part?, self.sender_domain?, octets),
            MacroLetter::LocalPart => octets.extend_from_slice(self.local_part?.as_bytes()),
            MacroLetter::SenderDomain => octets.extend_from_slice(&self.sender_domain?.octets()),
            MacroLetter::Domain => octets.extend_from_slice(&self.domain.octets()),
            MacroLetter::Ip => push_labels(self.ip?, octets),
            MacroLetter::Version => {
                let ipv6 = self.ip.map(|ip| ip.to_canonical().is_ipv6()).or(self.ipv6)?;
                octets.extend_from_slice(version(ipv6));
            }
            MacroLetter::Helo => octets.extend_from_slice(self.helo?.as_bytes()),
            MacroLetter::Validated
            | MacroLetter::ClientIp
            | MacroLetter::Receiver
            | MacroLetter::Timestamp => return None,
        }
        Some(())
    }
}

/// A domain-spec in which everything known is substituted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partial {
    /// Nothing was left open.
    Known(DomainName),
    /// Macros are left open. Two specs with the same text expand to the same name for every message: literal text is
    /// in lower case, `%%` and `%_` are escapes, other octets that records cannot hold are `\DDD`.
    Open(String),
}

impl MacroString {
    /// The text for one message.
    pub fn expand(&self, context: &MacroContext<'_>) -> Vec<u8> {
        // Room for the digits of an address.
        let mut octets = Vec::with_capacity(self.text().len() + 64);
        for part in self.parts() {
            match part {
                MacroPart::Expand(expand) => {
                    let start = octets.len();
                    context.push(expand.letter, &mut octets);
                    transform(&expand, &mut octets, start);
                }
                fixed => octets.extend_from_slice(constant(&fixed)),
            }
        }
        octets
    }
}

impl DomainSpec {
    /// The name for one message; labels are dropped from the left until it has at most 253 characters.
    ///
    /// # Errors
    ///
    /// `spf.expansion-not-ascii`, `name.empty`, `name.empty-label` or `name.label-too-long`: the name cannot exist
    /// in the DNS, and RFC 7208 section 4.3 leaves open whether that is no match or an error.
    pub fn expand(&self, context: &MacroContext<'_>) -> Result<DomainName, Problem> {
        target_name(&self.string().expand(context))
    }

    /// The name, or the spec with everything known substituted.
    ///
    /// # Errors
    ///
    /// As [`DomainSpec::expand`], where all is known.
    pub fn expand_known(&self, known: &PartialContext<'_>) -> Result<Partial, Problem> {
        let mut octets = Vec::new();
        let mut text = String::new();
        let mut is_open = false;
        let mut ends_open = false;
        for part in self.string().parts() {
            let start = octets.len();
            ends_open = false;
            match part {
                MacroPart::Expand(expand) => match known.push(expand.letter, &mut octets) {
                    Some(()) => transform(&expand, &mut octets, start),
                    None => {
                        ends_open = true;
                        push_open(&mut text, &expand);
                    }
                },
                fixed => octets.extend_from_slice(constant(&fixed)),
            }
            push_key(&mut text, octets.get(start..).unwrap_or_default());
            is_open |= ends_open;
        }
        if !is_open {
            return target_name(&octets).map(Partial::Known);
        }
        if !ends_open && text.ends_with('.') {
            text.pop();
        }
        Ok(Partial::Open(text))
    }
}

/// The name that a macro-string always expands to, if there is one.
pub(super) fn constant_name(string: &MacroString) -> Option<DomainName> {
    if !string.is_constant() {
        return None;
    }
    let mut octets = Vec::with_capacity(string.text().len());
    for part in string.parts() {
        octets.extend_from_slice(constant(&part));
    }
    target_name(&octets).ok()
}

/// The name that a text without macros stands for, if it is written in canonical form.
pub(super) fn plain_name(text: &str) -> Option<DomainName> {
    if text.contains('%') {
        return None;
    }
    target_name(text.as_bytes()).ok().filter(|name| name.as_str() == text)
}

fn constant<'a>(part: &MacroPart<'a>) -> &'a [u8] {
    match part {
        MacroPart::Literal(text) => text.as_bytes(),
        MacroPart::Percent => b"%",
        MacroPart::Space => b" ",
        MacroPart::UrlSpace => b"%20",
        MacroPart::Expand(_) => b"",
    }
}

fn push_sender(local_part: &str, domain: &DomainName, octets: &mut Vec<u8>) {
    octets.extend_from_slice(local_part.as_bytes());
    octets.push(b'@');
    octets.extend_from_slice(&domain.octets());
}

fn push_name(name: Option<&DomainName>, octets: &mut Vec<u8>) {
    match name {
        Some(name) => octets.extend_from_slice(&name.octets()),
        None => octets.extend_from_slice(b"unknown"),
    }
}

fn version(ipv6: bool) -> &'static [u8] {
    if ipv6 { b"ip6" } else { b"in-addr" }
}

/// Appends the value of `i`: four numbers, or 32 hexadecimal digits.
fn push_labels(ip: IpAddr, octets: &mut Vec<u8>) {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            for octet in ip.octets() {
                let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|digit| b'0' + digit);
                let zeros = usize::from(octet < 100) + usize::from(octet < 10);
                octets.extend_from_slice(digits.get(zeros..).unwrap_or_default());
                octets.push(b'.');
            }
            octets.pop();
        }
        IpAddr::V6(ip) => {
            let digit = |nibble| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
            for octet in ip.octets() {
                octets.extend([digit(octet >> 4), b'.', digit(octet & 15), b'.']);
            }
            octets.pop();
        }
    }
}

/// Splits, reverses, keeps parts from the right and escapes, in this order, what stands from `start` on.
fn transform(expand: &MacroExpand<'_>, octets: &mut Vec<u8>, start: usize) {
    if expand.digits.is_some() || expand.reverse || !expand.delimiters.is_empty() {
        let value = octets.split_off(start);
        rejoin(expand, &value, octets);
    }
    if expand.url_escape {
        for octet in octets.split_off(start) {
            match octet {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => octets.push(octet),
                _ => octets.extend(format!("%{octet:02X}").bytes()),
            }
        }
    }
}

fn rejoin(expand: &MacroExpand<'_>, value: &[u8], octets: &mut Vec<u8>) {
    let delimiters = if expand.delimiters.is_empty() { "." } else { expand.delimiters };
    let is_delimiter = |octet: &u8| delimiters.as_bytes().contains(octet);
    let count = value.split(is_delimiter).count();
    let dropped = count - expand.digits.map_or(count, usize::from).min(count);
    let mut push = |(at, part): (usize, &[u8])| {
        octets.extend_from_slice(if at > 0 { b"." } else { b"" });
        octets.extend_from_slice(part);
    };
    if expand.reverse {
        value.rsplit(is_delimiter).skip(dropped).enumerate().for_each(&mut push);
    } else {
        value.split(is_delimiter).skip(dropped).enumerate().for_each(&mut push);
    }
}

/// The name to look up: without the trailing dot, and cut to 253 characters label by label from the left.
fn target_name(octets: &[u8]) -> Result<DomainName, Problem> {
    if !octets.is_ascii() {
        return Err(Problem::new(
            codes::EXPANSION_NOT_ASCII,
            "a macro expands to text outside ASCII, which no name in the DNS has",
        ));
    }
    let mut name = octets;
    while name.strip_suffix(b".").unwrap_or(name).len() > MAX_NAME_CHARACTERS {
        let Some(dot) = name.iter().position(|octet| *octet == b'.') else { break };
        name = name.get(dot + 1..).unwrap_or(b"");
    }
    DomainName::from_octets(name).map_err(|mut problem| {
        // The place is one in the expansion, which nobody wrote.
        problem.span = None;
        problem
    })
}

/// Appends an open macro in the one form of all macros that expand alike.
fn push_open(text: &mut String, expand: &MacroExpand<'_>) {
    let mut delimiters: Vec<char> = expand.delimiters.chars().collect();
    delimiters.sort_unstable();
    delimiters.dedup();
    let delimiters = if delimiters == ['.'] { String::new() } else { String::from_iter(delimiters) };
    let never_escaped = matches!(expand.letter, MacroLetter::Ip | MacroLetter::Version);
    let url_escape = expand.url_escape && !never_escaped;
    text.push_str(&MacroExpand { url_escape, delimiters: &delimiters, ..expand.clone() }.to_string());
}

fn push_key(text: &mut String, octets: &[u8]) {
    for octet in octets {
        match octet.to_ascii_lowercase() {
            b'%' => text.push_str("%%"),
            b' ' => text.push_str("%_"),
            octet @ b'!'..=b'~' if octet != b'\\' => text.push(char::from(octet)),
            octet => text.extend(format!("\\{octet:03}").chars()),
        }
    }
}

#[cfg(test)]
mod tests;
