use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use proptest::prelude::*;

use super::super::{AddressCount, AddressSet, Family, IpRange, parse_net};
use super::{Cell, any_ranges, bounds, cells, range, samples};

fn set(nets: &[&str]) -> AddressSet {
    nets.iter().map(|net| parse_net(net).unwrap()).collect()
}

fn built(ranges: &[(Family, usize, usize)]) -> (AddressSet, BTreeSet<Cell>) {
    let set =
        AddressSet::from_ranges(ranges.iter().map(|(family, first, last)| range(*family, *first, *last)));
    let naive = ranges.iter().flat_map(|(family, first, last)| (*first..=*last).map(|cell| (*family, cell)));
    (set, naive.collect())
}

fn rebuilt(cells: &BTreeSet<Cell>) -> AddressSet {
    // From the top down, one cell at a time: another way to the same set.
    AddressSet::from_ranges(cells.iter().rev().map(|(family, cell)| range(*family, *cell, *cell)))
}

fn any_set() -> impl Strategy<Value = (AddressSet, BTreeSet<Cell>)> {
    any_ranges().prop_map(|ranges| built(&ranges))
}

proptest! {
    #[test]
    fn sets_agree_with_the_oracle((a, x) in any_set(), (b, y) in any_set()) {
        for cell in cells() {
            for ip in samples(cell) {
                prop_assert_eq!(a.contains(ip), x.contains(&cell));
            }
        }
        prop_assert_eq!(&a, &rebuilt(&x));
        prop_assert_eq!(a.union(&b), rebuilt(&(&x | &y)));
        prop_assert_eq!(a.intersection(&b), rebuilt(&(&x & &y)));
        prop_assert_eq!(a.difference(&b), rebuilt(&(&x - &y)));
        prop_assert_eq!(a.complement(), rebuilt(&cells().filter(|cell| !x.contains(cell)).collect()));
        prop_assert_eq!(a.is_subset(&b), x.is_subset(&y));
        prop_assert_eq!(a.is_disjoint(&b), x.is_disjoint(&y));
        prop_assert_eq!(a.is_empty(), x.is_empty());
        prop_assert_eq!(a == b, x == y);
        prop_assert_eq!(a.first(), x.first().map(|cell| samples(*cell)[0]));
        for family in [Family::V4, Family::V6] {
            prop_assert_eq!(a.of_family(family), rebuilt(&x.iter().copied().filter(|(at, _)| *at == family).collect()));
        }
    }

    #[test]
    fn sets_obey_the_laws((a, _) in any_set(), (b, _) in any_set(), (c, _) in any_set()) {
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.intersection(&b.union(&c)), a.intersection(&b).union(&a.intersection(&c)));
        prop_assert_eq!(a.complement().complement(), a.clone());
        prop_assert_eq!(a.difference(&b), a.intersection(&b.complement()));
        prop_assert_eq!(a.union(&b).complement(), a.complement().intersection(&b.complement()));
        prop_assert_eq!(a.is_subset(&b), a.union(&b) == b);
        prop_assert_eq!(a.union(&a.complement()), AddressSet::all());
        prop_assert_eq!(a.intersection(&a.complement()), AddressSet::empty());
        prop_assert_eq!(a.count() + b.count(), a.union(&b).count() + a.intersection(&b).count());
    }

    #[test]
    fn ranges_and_cover_give_the_set_back((a, x) in any_set()) {
        prop_assert_eq!(&AddressSet::from_ranges(a.ranges()), &a);
        let cover = a.cover();
        prop_assert_eq!(&cover.iter().copied().collect::<AddressSet>(), &a);
        prop_assert!(cover.is_sorted());
        let counted: AddressCount = cover.iter().map(|net| IpRange::from(*net).count()).sum();
        prop_assert_eq!(counted, a.count(), "the prefixes do not overlap");
        // No two families together, so that the naive sum fits.
        for (family, max) in [(Family::V4, u128::from(u32::MAX)), (Family::V6, u128::MAX)] {
            let naive = x.iter().filter(|(at, _)| *at == family).map(|(_, cell)| bounds(*cell, max));
            let naive = naive.map(|(first, last)| last - first + 1).try_fold(0_u128, u128::checked_add);
            let text = naive.map_or("340282366920938463463374607431768211456".to_owned(), |sum| sum.to_string());
            prop_assert_eq!(a.of_family(family).count().to_string(), text);
        }
    }

    #[test]
    fn host_bits_are_masked_off(bits: u32, length in 0..=32_u8, other: u32) {
        let net = Ipv4Net::new(Ipv4Addr::from_bits(bits), length).unwrap();
        let set = AddressSet::from_nets([IpNet::V4(net)]);
        prop_assert!(set.contains(Ipv4Addr::from_bits(bits).into()));
        let same = u64::from(bits ^ other) >> (32 - u32::from(length)) == 0;
        prop_assert_eq!(set.contains(Ipv4Addr::from_bits(other).into()), same);
        prop_assert_eq!(set.cover(), vec![IpNet::V4(net.trunc())]);
    }

    #[test]
    fn counts_add_like_integers(a in 0..u128::MAX / 2, b in 0..u128::MAX / 2) {
        prop_assert_eq!((AddressCount::from(a) + AddressCount::from(b)).to_string(), (a + b).to_string());
        prop_assert_eq!(AddressCount::from(a).cmp(&AddressCount::from(b)), a.cmp(&b));
    }
}

/// For every set of 16 neighbouring addresses, the fewest of the 31 prefixes whose union it is; overlaps allowed.
fn fewest_prefixes() -> Vec<u32> {
    let prefixes: Vec<u16> = [1, 2, 4, 8, 16_u32]
        .into_iter()
        .flat_map(|size| {
            let block = u16::try_from((1_u32 << size) - 1).unwrap();
            (0..16 / size).map(move |at| block << (at * size))
        })
        .collect();
    assert_eq!(prefixes.len(), 31);
    let mut fewest = vec![u32::MAX; 1 << 16];
    fewest[0] = 0;
    let mut layer = vec![0_u16];
    for used in 1.. {
        let mut next = Vec::new();
        for (set, prefix) in layer.iter().flat_map(|set| prefixes.iter().map(move |prefix| (set, prefix))) {
            let union = set | prefix;
            if fewest[usize::from(union)] == u32::MAX {
                fewest[usize::from(union)] = used;
                next.push(union);
            }
        }
        if next.is_empty() {
            break;
        }
        layer = next;
    }
    fewest
}

#[test]
fn cover_is_the_fewest_prefixes_for_every_small_set() {
    for (members, fewest) in (0..=u16::MAX).zip(fewest_prefixes()) {
        let bits = || (0..16_u8).filter(move |bit| members & (1 << bit) != 0);
        let low = bits().map(|bit| IpRange::from(IpAddr::V4(Ipv4Addr::from_bits(bit.into()))));
        let high = bits()
            .map(|bit| IpRange::from(IpAddr::V6(Ipv6Addr::from_bits(u128::MAX - 15 + u128::from(bit)))));
        let set = AddressSet::from_ranges(low.chain(high));
        let cover = set.cover();
        assert_eq!(cover.len(), 2 * fewest as usize, "{members:016b}");
        assert_eq!(AddressSet::from_nets(cover), set);
    }
}

#[test]
fn the_ends_of_the_space_are_ordinary() {
    let (v4, v6) = (set(&["0.0.0.0/0"]), set(&["::/0"]));
    assert_eq!(v4.union(&v6), AddressSet::all());
    assert_eq!(v4, AddressSet::all().of_family(Family::V4));
    assert_eq!(AddressSet::all().to_string(), "0.0.0.0/0, ::/0");
    assert_eq!(v4.count().to_string(), "4294967296");
    assert_eq!(v6.count().to_string(), "340282366920938463463374607431768211456");
    assert_eq!(AddressSet::all().count().to_string(), "340282366920938463463374607436063178752");
    assert_eq!(set(&["0.0.0.0/1", "128.0.0.0/1", "255.255.255.255"]), v4);
    assert_eq!(set(&["8000::/1", "::/1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]), v6);
    let last = set(&["255.255.255.255", "255.255.255.254"]);
    assert_eq!(last.to_string(), "255.255.255.254/31");
    assert_eq!(last.complement().union(&last), AddressSet::all());
    assert_eq!(AddressSet::empty().count(), AddressCount::default());
    assert_eq!(AddressSet::default().to_string(), "");
    assert_eq!(AddressSet::empty().first(), None);
}

#[test]
fn a_reversed_range_is_empty() {
    let reversed = IpRange::V4(Ipv4Addr::BROADCAST, Ipv4Addr::UNSPECIFIED);
    assert!(reversed.is_empty());
    assert!(AddressSet::from(reversed).is_empty());
    assert_eq!(reversed.count(), AddressCount::default());
    assert_eq!(reversed.prefixes().count(), 0);
    assert!(!reversed.contains(Ipv4Addr::LOCALHOST.into()));
}

#[test]
fn a_hundred_thousand_prefixes_unite() {
    // Every other /28 from 10.0.0.0 up, mixed; then the ones between.
    let every_other = |offset: u32| {
        (0..100_000_u32).map(move |at| {
            let mixed = at * 7919 % 100_000;
            IpNet::V4(Ipv4Net::new(Ipv4Addr::from_bits(0x0a00_0000 + 32 * mixed + offset), 28).unwrap())
        })
    };
    let (even, odd) = (AddressSet::from_nets(every_other(0)), AddressSet::from_nets(every_other(16)));
    assert_eq!(even.ranges().count(), 100_000);
    assert_eq!(even.cover().len(), 100_000);
    assert!(even.is_disjoint(&odd));
    let union = even.union(&odd);
    assert_eq!(union.ranges().count(), 1);
    assert_eq!(union.count(), AddressCount::from(3_200_000));
    assert_eq!(union, AddressSet::from_nets(every_other(0).chain(every_other(16))));
}
