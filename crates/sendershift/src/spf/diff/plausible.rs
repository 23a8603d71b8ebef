//! Whether unknowns can turn out as assumed, all of them for one message.
//!
//! Unknowns are taken to be independent of each other. They are not where two of them come down to one question for one
//! client, such as `%{i}` and `%{i4}` under IPv4, or where both read the reverse mapping of the client. A case that
//! rests on such unknowns proves nothing.

use std::net::IpAddr;

use super::Assumed;
use crate::name::DomainName;
use crate::spf::{DomainSpec, Partial, PartialContext, Turnout};

/// One message of which nothing looks like anything else: names that are the same for it are the same for all messages, or might be.
const LOCAL_PART: &str = "l1.l2.l3.l4.l5.l6.l7.l8";
const HELO: &str = "h1.h2.h3.h4.h5.h6.h7.h8.invalid";

/// Whether nothing speaks against some message from a client at `ip` for which all this turns out as assumed.
pub(super) fn can_turn_out(assuming: &[Assumed], ip: IpAddr) -> bool {
    let asked: Vec<Asked<'_>> = assuming.iter().map(|assumed| Asked::of(assumed, ip)).collect();
    asked.iter().enumerate().all(|(at, one)| asked.iter().skip(at + 1).all(|other| one.is_independent(other)))
}

/// An unknown, with the name that it looks up for the one message.
struct Asked<'a> {
    assumed: &'a Assumed,
    name: String,
}

impl<'a> Asked<'a> {
    fn of(assumed: &'a Assumed, ip: IpAddr) -> Self {
        let name = expanded(assumed, ip).unwrap_or_else(|| assumed.unknown.target.clone());
        Self { assumed, name }
    }

    /// Void queries of the reverse lookup alone.
    fn reverse_voids(&self) -> u32 {
        let Assumed { unknown, branch } = self.assumed;
        // `exists` without an answer is a void query of its own.
        let own = unknown.mechanism == "exists" && branch.turnout == Turnout::NoMatch;
        branch.void_queries.saturating_sub(own.into())
    }

    fn is_independent(&self, other: &Self) -> bool {
        let (here, there) = (&self.assumed.unknown, &other.assumed.unknown);
        let reverse = |asked: &Self| {
            let unknown = &asked.assumed.unknown;
            unknown.mechanism == "ptr" || unknown.asked_at.is_some()
        };
        if reverse(self) && reverse(other) {
            // One reverse lookup of one client: the same names, as many of them void.
            let both_ptr = here.mechanism == "ptr" && there.mechanism == "ptr";
            let nested = [(&self.name, &other.name), (&other.name, &self.name)]
                .iter()
                .any(|(below, above)| is_below(below, above));
            return self.reverse_voids() == other.reverse_voids()
                && !(both_ptr && nested)
                && (self.name != other.name || here.asked_at != there.asked_at);
        }
        // The same name gives related answers whoever asks, and in whatever way.
        here.mechanism == "ptr" || there.mechanism == "ptr" || self.name != other.name
    }
}

fn expanded(assumed: &Assumed, ip: IpAddr) -> Option<String> {
    let spec: DomainSpec = assumed.unknown.target.parse().ok()?;
    let anywhere = DomainName::root();
    let sender_domain = assumed.unknown.sender_domain.as_ref();
    let message = PartialContext {
        local_part: Some(LOCAL_PART),
        sender_domain,
        helo: Some(HELO),
        ip: Some(ip),
        ..PartialContext::new(&anywhere)
    };
    Some(match spec.expand_known(&message).ok()? {
        Partial::Known(name) => name.to_string(),
        Partial::Open(text) => text,
    })
}

fn is_below(below: &str, above: &str) -> bool {
    let below: Option<DomainName> = below.parse().ok();
    let above: Option<DomainName> = above.parse().ok();
    below.zip(above).is_some_and(|(below, above)| below.is_within(&above))
}

#[cfg(test)]
mod tests {
    use super::can_turn_out;
    use crate::spf::policy::{Assumed, Turnout};

    fn assumed(mechanism: &'static str, target: &str, void_queries: u32) -> Assumed {
        let turnout = if void_queries == 0 { Turnout::Match } else { Turnout::NoMatch };
        Assumed::of(mechanism, target, (turnout, void_queries))
    }

    #[test]
    fn what_asks_the_same_cannot_turn_out_differently() {
        let exists = |target, voids| assumed("exists", target, voids);
        let ptr = |target, voids| assumed("ptr", target, voids);
        for (one, other, v4, v6) in [
            (exists("%{i}.a.example", 0), exists("%{i}.b.example", 1), true, true),
            (exists("%{i}.a.example", 0), exists("%{i4}.a.example", 1), false, true),
            (exists("%{l}.a.example", 0), exists("%{l1}.a.example", 1), true, true),
            (exists("%{i}.a.example", 0), assumed("a", "%{i}.a.example", 1), false, false),
            (exists("%{v}.a.example", 0), exists("in-addr.a.example", 1), false, true),
            (ptr("a.example", 0), ptr("b.example", 0), true, true),
            (ptr("a.example", 0), ptr("b.example", 1), false, false),
            (ptr("a.example", 0), ptr("m.a.example", 0), false, false),
            (ptr("a.example", 0), exists("%{i}.a.example", 1), true, true),
        ] {
            let assuming = [one, other];
            assert_eq!(can_turn_out(&assuming, "192.0.2.1".parse().unwrap()), v4, "{assuming:?}");
            assert_eq!(can_turn_out(&assuming, "2001:db8::1".parse().unwrap()), v6, "{assuming:?}");
        }
        let palindromes = [exists("%{i}.a.example", 0), exists("%{ir}.a.example", 1)];
        assert!(!can_turn_out(&palindromes, "0.0.0.0".parse().unwrap()));
        assert!(can_turn_out(&palindromes, "0.0.0.1".parse().unwrap()));
    }
}
