//! The fewest networks that say what has to be said, by looking at every prefix.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::tree::Client;

/// What may be the first network that matches a client: each qualifier that may be, and whether none may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Whether no network need match.
    pub none: bool,
    /// The qualifiers.
    pub qualifiers: Vec<char>,
}

/// Terms, as few as can be, of these the shortest; none where it cannot be done.
///
/// `allowed` has every client of the small space; what is outside of it is one client for each family.
pub fn cover(allowed: &BTreeMap<Client, Allowed>) -> Option<Vec<String>> {
    let mut terms = Vec::new();
    for v6 in [false, true] {
        let whole = Prefix { v6, length: 0, host: 0, inside: true };
        let small = Prefix { length: whole.small(), ..whole };
        // Where no network may hold what is outside, none is larger than the small space.
        let outside = allowed.get(&Client { v6, host: None })?;
        let [best, ..] =
            if outside.qualifiers.is_empty() { small.best(allowed) } else { whole.best(allowed) };
        terms.extend(best?.1);
    }
    Some(terms)
}

/// A prefix: one that holds the small space or a part of it, or one beside it.
#[derive(Clone, Copy)]
struct Prefix {
    v6: bool,
    length: u8,
    /// The last four bits of its first address, where it is a part of the small space.
    host: u8,
    inside: bool,
}

/// Terms and octets, and the terms themselves.
type Best = ((usize, usize), Vec<String>);

impl Prefix {
    fn small(self) -> u8 {
        if self.v6 { 124 } else { 28 }
    }

    /// The client for all addresses of the prefix, if it is one.
    fn client(self) -> Option<Client> {
        let is_one = self.length == self.small() + 4;
        match self.inside {
            true if is_one => Some(Client { v6: self.v6, host: Some(self.host) }),
            true => None,
            false => Some(Client { v6: self.v6, host: None }),
        }
    }

    fn halves(self) -> [Self; 2] {
        let length = self.length + 1;
        if self.length < self.small() {
            return [Self { length, ..self }, Self { length, inside: false, ..self }];
        }
        let bit = 1 << (self.small() + 4 - length);
        [Self { length, ..self }, Self { length, host: self.host | bit, ..self }]
    }

    /// As a term. Beside the small space it is the half that does not hold it.
    fn term(self, qualifier: char) -> String {
        let host = self.inside.then_some(self.host);
        let client = Client { v6: self.v6, host: Some(host.unwrap_or(0)) };
        let flip = u32::from(!self.inside);
        let text = match client.address() {
            IpAddr::V4(ip) => {
                let bits = u128::from(ip.to_bits());
                let bits = masked(bits, 32, self.length, flip);
                Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(0)).to_string()
            }
            IpAddr::V6(ip) => Ipv6Addr::from_bits(masked(ip.to_bits(), 128, self.length, flip)).to_string(),
        };
        let (kind, full) = if self.v6 { ("ip6", 128) } else { ("ip4", 32) };
        let qualifier = if qualifier == '+' { String::new() } else { qualifier.to_string() };
        let length = if self.length == full { String::new() } else { format!("/{}", self.length) };
        format!("{qualifier}{kind}:{text}{length}")
    }

    /// The best terms below without a term above, and under one of each qualifier.
    fn best(self, allowed: &BTreeMap<Client, Allowed>) -> [Option<Best>; 5] {
        let put = |qualifier: char, below: &Best| {
            let term = self.term(qualifier);
            let ((terms, octets), list) = below;
            let size = (terms + 1, octets + 1 + term.len());
            (size, list.iter().cloned().chain([term]).collect())
        };
        let nothing: Best = ((0, 0), Vec::new());
        let below = match self.client().map(|client| allowed.get(&client)) {
            Some(None) => return [const { None }; 5],
            Some(Some(allowed)) => ABOVE.map(|above| {
                let is_fine = above.map_or(allowed.none, |above| allowed.qualifiers.contains(&above));
                is_fine.then(|| nothing.clone())
            }),
            None => {
                let [left, right] = self.halves().map(|half| half.best(allowed));
                let both = left.into_iter().zip(right).map(|(left, right)| {
                    let ((left, mut list), (right, more)) = (left?, right?);
                    list.extend(more);
                    Some(((left.0 + right.0, left.1 + right.1), list))
                });
                let mut both: Vec<Option<Best>> = both.collect();
                ABOVE.map(|_| both.remove(0))
            }
        };
        let own: Vec<Best> = ABOVE
            .into_iter()
            .zip(&below)
            .filter_map(|(qualifier, below)| Some(put(qualifier?, below.as_ref()?)))
            .collect();
        below.map(|below| below.iter().chain(&own).min_by_key(|(size, _)| *size).cloned())
    }
}

const ABOVE: [Option<char>; 5] = [None, Some('+'), Some('-'), Some('~'), Some('?')];

/// The first bits of an address, the last of them the other way round if told.
fn masked(bits: u128, full: u32, length: u8, flip: u32) -> u128 {
    let hosts = full - u32::from(length);
    let kept = bits.checked_shr(hosts).unwrap_or(0) ^ u128::from(flip);
    kept.checked_shl(hosts).unwrap_or(0)
}
