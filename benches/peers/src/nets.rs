//! The fewest prefixes that cover a set, beside `ipnet`'s aggregate.

use ipnet::IpNet;
use sendershift::net::AddressSet;

use crate::timing::{pair, row};

pub fn rows(wanted: &dyn Fn(&str) -> bool) {
    for (shape, spread) in [("scattered", 40), ("crowded", 8)] {
        let name = format!("cover of 100,000 prefixes, {shape}");
        if !wanted(&name) {
            continue;
        }
        let nets = prefixes(100_000, spread);
        let ours = || nets.iter().copied().collect::<AddressSet>().cover();
        let peer = || IpNet::aggregate(&nets);
        let (mut left, mut right) = (ours(), peer());
        left.sort();
        right.sort();
        assert_eq!(left, right, "{name}");
        row(&name, &pair(ours, peer));
    }
}

/// Prefixes of both families, from a fixed sequence; a smaller `spread` makes more of them touch and overlap.
fn prefixes(count: usize, spread: u32) -> Vec<IpNet> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let fold = if spread >= 32 { u32::MAX } else { (1 << (spread + 16)) - 1 };
    (0..count)
        .map(|n| {
            let (bits, length) = (next(), next());
            let v4 = u32::try_from(bits >> 32).unwrap_or(0) & fold;
            if n % 3 == 0 {
                let address = (0x2001_0db8_u128 << 96) | (u128::from(v4) << 64);
                ipnet::Ipv6Net::new_assert(address.into(), 48 + u8::try_from(length % 17).unwrap_or(0))
                    .trunc()
                    .into()
            } else {
                ipnet::Ipv4Net::new_assert(v4.into(), 20 + u8::try_from(length % 13).unwrap_or(0))
                    .trunc()
                    .into()
            }
        })
        .collect()
}
