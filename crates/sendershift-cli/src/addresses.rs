//! Sets of addresses as people read them.

use sendershift::net::AddressCount;
use sendershift::spf::AddressPart;

use crate::output::counted;

/// A few of the addresses, and how many there are.
pub(crate) fn part(part: &AddressPart) -> String {
    let ranges: Vec<String> = part.ranges.ranges().map(|range| range.to_string()).collect();
    format!("{} ({})", few(&ranges), addresses(&part.count))
}

/// How many addresses.
pub(crate) fn addresses(count: &AddressCount) -> String {
    let total = count.brief();
    let noun = if total == "1" { "address" } else { "addresses" };
    format!("{total} {noun}")
}

/// The first of some ranges, and how many more there are.
pub(crate) fn few(ranges: &[String]) -> String {
    const FEW: usize = 4;
    let shown = ranges.iter().take(FEW).map(String::as_str).collect::<Vec<_>>().join(", ");
    match ranges.len().saturating_sub(FEW) {
        0 => shown,
        more => format!("{shown} and {}", counted(number(more), "more range") + " (all: --json)"),
    }
}

/// A count for [`counted`].
pub(crate) fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
