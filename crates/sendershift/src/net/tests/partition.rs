use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::super::{AddressSet, Family, IpRange, Partition};
use super::{Cell, any_ranges, cells, range, samples};

/// The value of each cell.
type Naive = BTreeMap<Cell, u8>;

fn rebuilt(naive: &Naive) -> Partition<u8> {
    // The defaults are hidden by the ranges.
    let ranges = naive.iter().map(|((family, cell), value)| (range(*family, *cell, *cell), *value));
    Partition::from_ranges(77, 77, ranges)
}

/// A partition by ranges of which the first one decides, and what it should be.
fn any_partition() -> impl Strategy<Value = (Partition<u8>, Naive)> {
    (any_ranges(), prop::collection::vec(0..3_u8, 12), 0..3_u8, 0..3_u8).prop_map(
        |(ranges, values, v4, v6)| {
            let naive = cells().map(|(family, cell)| {
                let holds = |(at, first, last): &(Family, usize, usize)| {
                    *at == family && *first <= cell && cell <= *last
                };
                let default = if family == Family::V4 { v4 } else { v6 };
                ((family, cell), ranges.iter().position(holds).map_or(default, |rank| values[rank]))
            });
            let naive = naive.collect();
            let ranges = ranges.into_iter().map(|(family, first, last)| range(family, first, last));
            (Partition::from_ranges(v4, v6, ranges.zip(values)), naive)
        },
    )
}

/// An address and its neighbours, where they exist.
fn around(ip: IpAddr) -> Vec<IpAddr> {
    match ip {
        IpAddr::V4(ip) => {
            let bits = ip.to_bits();
            let near = [bits.checked_sub(1), Some(bits), bits.checked_add(1)];
            near.into_iter().flatten().map(|bits| Ipv4Addr::from_bits(bits).into()).collect()
        }
        IpAddr::V6(ip) => {
            let bits = ip.to_bits();
            let near = [bits.checked_sub(1), Some(bits), bits.checked_add(1)];
            near.into_iter().flatten().map(|bits| Ipv6Addr::from_bits(bits).into()).collect()
        }
    }
}

/// Addresses on both sides of both ends of the v4-mapped block, and some far away.
fn near_mapped() -> impl Strategy<Value = u128> {
    prop_oneof![
        0xfffe_ffff_fffe_u128..0xffff_0000_0002,
        0xffff_ffff_fffe_u128..0x1_0000_0000_0002,
        Just(0),
        Just(u128::MAX),
        any::<u128>(),
    ]
}

proptest! {
    #[test]
    fn the_first_range_decides((partition, naive) in any_partition()) {
        for cell in cells() {
            for ip in samples(cell) {
                prop_assert_eq!(*partition.at(ip), naive[&cell], "{}", ip);
            }
        }
        prop_assert_eq!(&partition, &rebuilt(&naive));
    }

    #[test]
    fn equality_is_that_of_functions((left, x) in any_partition(), (right, y) in any_partition()) {
        prop_assert_eq!(left == right, x == y);
        let differences = left.differences(&right);
        prop_assert_eq!(differences.is_empty(), x == y);
        for cell in cells() {
            prop_assert_eq!(differences.contains(samples(cell)[0]), x[&cell] != y[&cell]);
        }
    }

    #[test]
    fn zip_is_pointwise_at_every_boundary((left, x) in any_partition(), (right, y) in any_partition()) {
        // Neighbours fall together under this function, so the result must be made canonical again.
        let f = |left: u8, right: u8| left.saturating_sub(right);
        let zipped = left.zip(&right, |left, right| f(*left, *right));
        for ip in left.starts().chain(right.starts()).chain(zipped.starts()).flat_map(around) {
            prop_assert_eq!(*zipped.at(ip), f(*left.at(ip), *right.at(ip)), "{}", ip);
        }
        let naive: Naive = cells().map(|cell| (cell, f(x[&cell], y[&cell]))).collect();
        prop_assert_eq!(zipped, rebuilt(&naive));
    }

    #[test]
    fn map_is_pointwise((partition, naive) in any_partition()) {
        let mapped: Naive = naive.iter().map(|(cell, value)| (*cell, value / 2)).collect();
        prop_assert_eq!(partition.map(|value| value / 2), rebuilt(&mapped));
        let f = |family, value: u8| if family == Family::V6 { value / 2 } else { value };
        let mapped: Naive = naive.iter().map(|(cell, value)| (*cell, f(cell.0, *value))).collect();
        prop_assert_eq!(partition.map_families(|family, value| f(family, *value)), rebuilt(&mapped));
        prop_assert!(partition.addresses_where(|value| *value > 2).is_empty());
    }

    #[test]
    fn select_takes_the_other_in_the_mask(
        (here, x) in any_partition(), (there, y) in any_partition(), (mask, z) in any_partition()
    ) {
        let naive: Naive =
            cells().map(|cell| (cell, if z[&cell] == 1 { y[&cell] } else { x[&cell] })).collect();
        let mask = mask.addresses_where(|value| *value == 1);
        prop_assert_eq!(here.select(&mask, &there), rebuilt(&naive));
        prop_assert_eq!(&here.select(&AddressSet::empty(), &there), &here);
        prop_assert_eq!(&here.select(&AddressSet::all(), &there), &there);
    }

    #[test]
    fn overlay_lies_above((below, x) in any_partition(), ranges in any_ranges()) {
        let above = AddressSet::from_ranges(ranges.iter().map(|(family, first, last)| range(*family, *first, *last)));
        let overlaid = below.overlay(ranges.iter().map(|(family, first, last)| (range(*family, *first, *last), 9)));
        prop_assert_eq!(&overlaid, &below.select(&above, &Partition::constant(9, 9)));
        prop_assert!(cells().all(|cell| above.contains(samples(cell)[1]) || *overlaid.at(samples(cell)[1]) == x[&cell]));
    }

    #[test]
    fn runs_tile_the_space((partition, _) in any_partition()) {
        let runs: Vec<_> = partition.runs().collect();
        prop_assert_eq!(partition.starts().collect::<Vec<_>>(), runs.iter().map(|(run, _)| run.first()).collect::<Vec<_>>());
        for pair in runs.windows(2) {
            let ((left, value), (right, other)) = (pair[0], pair[1]);
            if left.family() == right.family() {
                prop_assert_ne!(value, other, "neighbours differ");
                prop_assert_eq!(around(left.last()).pop(), Some(right.first()), "nothing between");
            } else {
                prop_assert_eq!(left.last(), IpAddr::from([255; 4]));
                prop_assert_eq!(right.first(), IpAddr::from([0; 16]));
            }
        }
        prop_assert_eq!(runs[0].0.first(), IpAddr::from([0; 4]));
        prop_assert_eq!(runs[runs.len() - 1].0.last(), IpAddr::from([255; 16]));
        for (run, value) in &runs {
            prop_assert_eq!(partition.at(run.first()), *value);
            prop_assert_eq!(partition.at(run.last()), *value);
        }
    }

    #[test]
    fn mapped_addresses_take_the_value_below_them(
        ranges in prop::collection::vec((near_mapped(), near_mapped(), 0..3_u8), 0..12)
    ) {
        let range = |a: u128, b: u128| IpRange::V6(Ipv6Addr::from_bits(a.min(b)), Ipv6Addr::from_bits(a.max(b)));
        let ranges = ranges.into_iter().map(|(a, b, value)| (range(a, b), value));
        let partition = Partition::from_ranges(0, 1, ranges);
        let blank = partition.clone().blank_mapped();
        let block = IpRange::from("::ffff:0:0/96".parse::<ipnet::IpNet>().unwrap());
        let below = *partition.at_v6(0xfffe_ffff_ffff);
        let expected = partition.overlay([(block, below)]);
        prop_assert_eq!(&blank, &expected);
        prop_assert_eq!(blank.clone().blank_mapped(), blank);
    }
}

#[test]
fn a_policy_that_differs_only_for_mapped_clients_is_equal() {
    let block = "::ffff:192.0.2.0/120".parse::<ipnet::IpNet>().unwrap();
    let plain = Partition::constant("fail", "fail");
    let odd = plain.overlay([(block.into(), "pass")]);
    assert_ne!(odd, plain);
    assert_eq!(odd.blank_mapped(), plain);
}

#[test]
fn a_mapped_address_is_an_ipv6_address() {
    let partition = Partition::constant(4, 6);
    let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
    assert_eq!(*partition.at(mapped), 6);
    assert_eq!(*partition.at(mapped.to_canonical()), 4);
}
