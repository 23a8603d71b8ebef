//! A naive oracle: the whole space as few cells, of which all but the widest hold one address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::{Family, IpRange};

mod partition;
mod set;
mod text;

/// In each family the cells 0 to 63 are the lowest addresses, 65 to 128 the highest ones, 64 is all between.
const MIDDLE: usize = 64;
const CELLS: usize = 2 * MIDDLE + 1;

/// A cell of a family.
type Cell = (Family, usize);

fn cells() -> impl Iterator<Item = Cell> {
    [Family::V4, Family::V6].into_iter().flat_map(|family| (0..CELLS).map(move |cell| (family, cell)))
}

/// The lowest and the highest address of a cell, as numbers in a family with the given highest address.
fn bounds(cell: usize, max: u128) -> (u128, u128) {
    let (middle, cell, last) = (MIDDLE as u128, cell as u128, (CELLS - 1) as u128);
    match cell.cmp(&middle) {
        std::cmp::Ordering::Less => (cell, cell),
        std::cmp::Ordering::Equal => (middle, max - middle),
        std::cmp::Ordering::Greater => (max - (last - cell), max - (last - cell)),
    }
}

fn v4(number: u128) -> Ipv4Addr {
    Ipv4Addr::from_bits(number.try_into().unwrap())
}

/// The addresses from the start of one cell to the end of another.
fn range(family: Family, first: usize, last: usize) -> IpRange {
    match family {
        Family::V4 => {
            let max = u128::from(u32::MAX);
            IpRange::V4(v4(bounds(first, max).0), v4(bounds(last, max).1))
        }
        Family::V6 => IpRange::V6(
            Ipv6Addr::from_bits(bounds(first, u128::MAX).0),
            Ipv6Addr::from_bits(bounds(last, u128::MAX).1),
        ),
    }
}

/// The first and the last address of a cell, which stand for all of it.
fn samples((family, cell): Cell) -> [IpAddr; 2] {
    let range = range(family, cell, cell);
    [range.first(), range.last()]
}

fn any_family() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::V4), Just(Family::V6)]
}

/// Ranges of cells; one in four is the wrong way round, which is an empty range.
fn any_ranges() -> impl Strategy<Value = Vec<(Family, usize, usize)>> {
    let range = (any_family(), 0..CELLS, 0..CELLS, 0..4_u8).prop_map(|(family, a, b, reversed)| {
        if reversed == 0 { (family, a.max(b), a.min(b)) } else { (family, a.min(b), a.max(b)) }
    });
    // Short ranges too, or a few of them always hold everything.
    let short =
        (any_family(), 0..CELLS, 0..5_usize).prop_map(|(f, at, more)| (f, at, (at + more).min(CELLS - 1)));
    prop::collection::vec(prop_oneof![1 => range, 3 => short], 0..12)
}
