//! Macro expansion (RFC 7208 section 7.3), complete or of what is known.

use std::borrow::Cow;
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
    fn value(&self, letter: MacroLetter) -> Cow<'_, [u8]> {
        let name = |name: Option<&DomainName>| name.map_or_else(|| b"unknown".to_vec(), DomainName::octets);
        match letter {
            MacroLetter::Sender => Cow::Owned(sender(self.local_part, self.sender_domain)),
            MacroLetter::LocalPart => Cow::Borrowed(self.local_part.as_bytes()),
            MacroLetter::SenderDomain => Cow::Owned(self.sender_domain.octets()),
            MacroLetter::Domain => Cow::Owned(self.domain.octets()),
            MacroLetter::Ip => Cow::Owned(labels(self.ip).into_bytes()),
            MacroLetter::Validated => Cow::Owned(name(self.validated)),
            MacroLetter::Version => Cow::Borrowed(version(self.ip.to_canonical().is_ipv6())),
            MacroLetter::Helo => Cow::Borrowed(self.helo.as_bytes()),
            MacroLetter::ClientIp => Cow::Owned(self.ip.to_canonical().to_string().into_bytes()),
            MacroLetter::Receiver => Cow::Owned(name(self.receiver)),
            MacroLetter::Timestamp => Cow::Owned(self.timestamp.to_string().into_bytes()),
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

    fn value(&self, letter: MacroLetter) -> Option<Cow<'_, [u8]>> {
        Some(match letter {
            MacroLetter::Sender => Cow::Owned(sender(self.local_part?, self.sender_domain?)),
            MacroLetter::LocalPart => Cow::Borrowed(self.local_part?.as_bytes()),
            MacroLetter::SenderDomain => Cow::Owned(self.sender_domain?.octets()),
            MacroLetter::Domain => Cow::Owned(self.domain.octets()),
            MacroLetter::Ip => Cow::Owned(labels(self.ip?).into_bytes()),
            MacroLetter::Version => {
                Cow::Borrowed(version(self.ip.map(|ip| ip.to_canonical().is_ipv6()).or(self.ipv6)?))
            }
            MacroLetter::Helo => Cow::Borrowed(self.helo?.as_bytes()),
            MacroLetter::Validated
            | MacroLetter::ClientIp
            | MacroLetter::Receiver
            | MacroLetter::Timestamp => return None,
        })
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
        let mut octets = Vec::new();
        for part in self.parts() {
            match part {
                MacroPart::Expand(expand) => octets.extend(transform(expand, &context.value(expand.letter))),
                fixed => octets.extend_from_slice(constant(fixed)),
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
            let value = match part {
                MacroPart::Expand(expand) => {
                    known.value(expand.letter).map(|value| transform(expand, &value))
                }
                fixed => Some(constant(fixed).to_vec()),
            };
            ends_open = value.is_none();
            match (value, part) {
                (Some(value), _) => {
                    push_key(&mut text, &value);
                    octets.extend(value);
                }
                (None, MacroPart::Expand(expand)) => text.push_str(&canonical(expand).to_string()),
                (None, _) => {}
            }
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
    if string.macros().next().is_some() {
        return None;
    }
    let octets: Vec<u8> = string.parts().iter().flat_map(constant).copied().collect();
    target_name(&octets).ok()
}

fn constant(part: &MacroPart) -> &[u8] {
    match part {
        MacroPart::Literal(text) => text.as_bytes(),
        MacroPart::Percent => b"%",
        MacroPart::Space => b" ",
        MacroPart::UrlSpace => b"%20",
        MacroPart::Expand(_) => b"",
    }
}

fn sender(local_part: &str, domain: &DomainName) -> Vec<u8> {
    [local_part.as_bytes(), b"@", &domain.octets()].concat()
}

fn version(ipv6: bool) -> &'static [u8] {
    if ipv6 { b"ip6" } else { b"in-addr" }
}

/// The value of `i`: four numbers, or 32 hexadecimal digits.
fn labels(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let nibbles = ip.octets().into_iter().flat_map(|octet| [octet >> 4, octet & 15]);
            nibbles.map(|nibble| format!("{nibble:X}")).collect::<Vec<_>>().join(".")
        }
    }
}

/// Splits, reverses, keeps parts from the right and escapes, in this order.
fn transform(expand: &MacroExpand, value: &[u8]) -> Vec<u8> {
    let plain = expand.digits.is_none() && !expand.reverse && expand.delimiters.is_empty();
    let value = if plain { value.to_vec() } else { rejoined(expand, value) };
    if !expand.url_escape {
        return value;
    }
    let mut escaped = Vec::with_capacity(value.len());
    for octet in value {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(octet),
            _ => escaped.extend(format!("%{octet:02X}").bytes()),
        }
    }
    escaped
}

fn rejoined(expand: &MacroExpand, value: &[u8]) -> Vec<u8> {
    let delimiters = if expand.delimiters.is_empty() { "." } else { &expand.delimiters };
    let mut parts: Vec<&[u8]> = value.split(|octet| delimiters.as_bytes().contains(octet)).collect();
    if expand.reverse {
        parts.reverse();
    }
    let kept = expand.digits.map_or(parts.len(), usize::from);
    let dropped = parts.len().saturating_sub(kept);
    parts.get(dropped..).unwrap_or(&[]).join(&b'.')
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

/// An open macro in the one form of all macros that expand alike.
fn canonical(expand: &MacroExpand) -> MacroExpand {
    let mut delimiters: Vec<char> = expand.delimiters.chars().collect();
    delimiters.sort_unstable();
    delimiters.dedup();
    let mut delimiters = String::from_iter(delimiters);
    if delimiters == "." {
        delimiters.clear();
    }
    let never_escaped = matches!(expand.letter, MacroLetter::Ip | MacroLetter::Version);
    MacroExpand { url_escape: expand.url_escape && !never_escaped, delimiters, ..expand.clone() }
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
