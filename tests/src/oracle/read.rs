//! Records that the product wrote, read back as trees: only what can come of records that were drawn.

use std::net::IpAddr;

use super::tree::{Client, Mechanism, Name, Term};

/// The names of records beside the drawn ones, by the number of their domain.
pub type Extras<'a> = &'a [(String, usize)];

/// A record.
///
/// # Panics
///
/// For text that no record that was drawn can lead to.
pub fn record(text: &str, extras: Extras<'_>) -> Vec<Term> {
    text.split(' ').skip(1).filter(|word| !word.is_empty()).map(|word| term(word, extras)).collect()
}

fn term(word: &str, extras: Extras<'_>) -> Term {
    if let Some(target) = word.strip_prefix("redirect=") {
        return Term::Redirect(name(target, extras));
    }
    let qualifier = word.chars().next().filter(|first| "+-~?".contains(*first));
    let mechanism = word.strip_prefix(['+', '-', '~', '?']).unwrap_or(word);
    Term::Directive(qualifier.unwrap_or('+'), self::mechanism(mechanism, extras))
}

fn mechanism(text: &str, extras: Extras<'_>) -> Mechanism {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    match kind {
        "all" => Mechanism::All,
        "ip4" | "ip6" => network(rest),
        "include" => Mechanism::Include(name(rest, extras)),
        "exists" => Mechanism::Exists(name(rest, extras)),
        "ptr" => Mechanism::Ptr(number(rest.strip_prefix('p'), "ptr")),
        "a" | "mx" => {
            let (name, v4, v6) = cidr(rest);
            let name = self::name(name, extras);
            if kind == "a" { Mechanism::A(name, v4, v6) } else { Mechanism::Mx(name, v4, v6) }
        }
        _ => unreadable(text),
    }
}

/// The name, and how many of the last four bits count in each family.
fn cidr(text: &str) -> (&str, u8, u8) {
    let (rest, v6) = text.split_once("//").map_or((text, 4), |(rest, v6)| (rest, bits(v6, 124)));
    let (name, v4) = rest.split_once('/').map_or((rest, 4), |(name, v4)| (name, bits(v4, 28)));
    (name, v4, v6)
}

fn bits(text: &str, base: u8) -> u8 {
    text.parse::<u8>().ok().and_then(|bits| bits.checked_sub(base)).unwrap_or_else(|| unreadable(text))
}

fn network(text: &str) -> Mechanism {
    let (address, length) = text.split_once('/').unwrap_or((text, ""));
    let ip: IpAddr = address.parse().unwrap_or_else(|_| unreadable(text));
    let (full, small) = if ip.is_ipv4() { (32, 28) } else { (128, 124) };
    let length: u8 = length.parse().unwrap_or(full);
    let [inside, outside] = [Some(0), None].map(|host| {
        let client = Client { v6: ip.is_ipv6(), host };
        octets(client.address()).zip(octets(ip)).take(usize::from(length)).all(|(one, other)| one == other)
    });
    let is_small = octets(ip)
        .zip(octets(Client { v6: ip.is_ipv6(), host: Some(0) }.address()))
        .take(small.into())
        .all(|(one, other)| one == other);
    if length < small || !is_small {
        return Mechanism::Wide { v6: ip.is_ipv6(), inside, outside };
    }
    let host = match ip {
        IpAddr::V4(ip) => ip.octets()[3] & 15,
        IpAddr::V6(ip) => ip.octets()[15] & 15,
    };
    if ip.is_ipv4() { Mechanism::Ip4(host, length - small) } else { Mechanism::Ip6(host, length - small) }
}

/// The bits of an address, the first one first.
fn octets(ip: IpAddr) -> impl Iterator<Item = u8> {
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    octets.into_iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1))
}

fn name(text: &str, extras: Extras<'_>) -> Name {
    if let Some((_, number)) = extras.iter().find(|(name, _)| name == text) {
        return Name::Domain(*number);
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    match text {
        "%{d}" => return Name::Current,
        "x.%{d}" => return Name::BelowCurrent,
        _ => {}
    }
    for letter in ["%{i}", "%{ir}", "%{v}", "%{l}"] {
        if let Some(rest) = text.strip_prefix(letter).and_then(|rest| rest.strip_prefix('.')) {
            return match rest.strip_prefix('u') {
                Some(rest) => Name::Message(letter, number(Some(rest), text)),
                None if rest == "%{d}" => Name::MessageCurrent(letter),
                None => Name::MessageAt(letter, number(rest.strip_prefix('d'), text)),
            };
        }
    }
    if let Some(rest) = text.strip_prefix("x.d") {
        return Name::BelowAt(number(Some(rest), text));
    }
    let rest = text.get(1..);
    match text.chars().next() {
        Some('d') => Name::Domain(number(rest, text)),
        Some('h') => Name::Host(number(rest, text)),
        Some('m') => Name::Mx(number(rest, text)),
        _ => unreadable(text),
    }
}

/// The number in `7.example`.
fn number(text: Option<&str>, whole: &str) -> usize {
    let number = text.and_then(|text| text.strip_suffix(".example")?.parse().ok());
    number.unwrap_or_else(|| unreadable(whole))
}

#[expect(clippy::panic, reason = "a test stops at what it does not expect")]
fn unreadable<T>(text: &str) -> T {
    panic!("no record that was drawn leads to `{text}`")
}
