//! Sets of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::{AddressCount, Family, IpRange, Partition, parse_exact_net};
use crate::document::{Reader, Value};
use crate::error::Invalid;

/// A set of IPv4 and IPv6 addresses.
///
/// Each set has one form, so `==` compares sets, however they were built. It is written as its [cover](Self::cover),
/// joined by `, `; the empty set is the empty text.
///
/// # Examples
///
/// ```
/// use sendershift::net::{AddressSet, parse_net};
///
/// let set = |nets: &[&str]| nets.iter().map(|net| parse_net(net)).collect::<Result<AddressSet, _>>();
/// let office = set(&["192.0.2.0/25", "192.0.2.128/25", "2001:db8::/32"])?;
/// assert_eq!(office.to_string(), "192.0.2.0/24, 2001:db8::/32");
/// assert_eq!(office.count().to_string(), "79228162514264337593543950592");
/// assert!(set(&["192.0.2.17"])?.is_subset(&office));
/// # Ok::<(), sendershift::error::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AddressSet(Partition<bool>);

impl AddressSet {
    /// No address.
    pub fn empty() -> Self {
        Self(Partition::constant(false, false))
    }

    /// Every IPv4 and every IPv6 address.
    pub fn all() -> Self {
        Self(Partition::constant(true, true))
    }

    /// `::ffff:0:0/96`: IPv6 addresses that stand for IPv4 addresses (RFC 4291 section 2.5.5.2).
    pub fn mapped() -> Self {
        let [first, last] = [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST].map(|ip| ip.to_ipv6_mapped());
        IpRange::V6(first, last).into()
    }

    /// The addresses in any of the prefixes; bits set beyond a prefix length are masked off.
    pub fn from_nets(nets: impl IntoIterator<Item = IpNet>) -> Self {
        Self::from_ranges(nets.into_iter().map(IpRange::from))
    }

    /// The addresses in any of the ranges.
    ///
    /// This takes `O(n log n)` for `n` ranges, so it is also the way to unite the [ranges](Self::ranges) of
    /// many sets.
    pub fn from_ranges(ranges: impl IntoIterator<Item = IpRange>) -> Self {
        Self(Partition::union_of(ranges))
    }

    /// The addresses in at least one of the two sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.zip(&other.0, |here, there| *here || *there))
    }

    /// The addresses in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.zip(&other.0, |here, there| *here && *there))
    }

    /// The addresses in this set and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.zip(&other.0, |here, there| *here && !there))
    }

    /// The addresses not in this set.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self(self.0.map(|here| !here))
    }

    /// The addresses of one family in this set.
    #[must_use]
    pub fn of_family(&self, family: Family) -> Self {
        Self(self.0.map_families(|at, here| at == family && *here))
    }

    /// Whether the address is in the set; a v4-mapped address is an IPv6 address.
    pub fn contains(&self, ip: IpAddr) -> bool {
        *self.0.at(ip)
    }

    /// Whether no address is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges().next().is_none()
    }

    /// Whether every address in this set is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.difference(other).is_empty()
    }

    /// Whether no address is in both sets.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.intersection(other).is_empty()
    }

    /// The longest ranges in the set, IPv4 first, in ascending order; no two touch.
    pub fn ranges(&self) -> impl Iterator<Item = IpRange> {
        self.0.runs().filter_map(|(range, here)| here.then_some(range))
    }

    /// The lowest address in the set, IPv4 before IPv6.
    pub fn first(&self) -> Option<IpAddr> {
        self.ranges().next().map(|range| range.first())
    }

    /// Reads `{ "networks": [...] }`, as [`to_json`](Self::to_json) writes it.
    ///
    /// # Errors
    ///
    /// Every problem of the document, with its place: `json.syntax`, `document.*`, `net.*`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::net::AddressSet;
    ///
    /// let office = AddressSet::from_json(r#"{ "networks": ["192.0.2.0/25", "192.0.2.128/25"] }"#)?;
    /// assert_eq!(office.to_json(), r#"{"networks":["192.0.2.0/24"]}"#);
    /// assert!(AddressSet::from_json(r#"{ "networks": ["192.0.2"] }"#).is_err());
    /// # Ok::<(), sendershift::error::Invalid>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        let (mut reader, mut nets) = (Reader::default(), Vec::new());
        match Value::from_json(text) {
            Err(problem) => reader.problem(problem),
            Ok(value) => {
                if let Some(mut fields) = reader.fields(&value) {
                    let listed = fields.required(&mut reader, "networks").map(|value| reader.list(value));
                    let listed = listed.unwrap_or_default().iter();
                    nets = listed.filter_map(|net| reader.parsed(net, parse_exact_net)).collect();
                    fields.finish(&mut reader);
                }
            }
        }
        reader.finish(text, Self::from_nets(nets))
    }

    /// The set as a document: its [cover](Self::cover) as `{ "networks": [...] }`.
    pub fn to_json(&self) -> String {
        let networks: Vec<String> = self.cover().iter().map(|net| format!("\"{net}\"")).collect();
        format!("{{\"networks\":[{}]}}", networks.join(","))
    }

    /// How many addresses are in the set, exactly.
    pub fn count(&self) -> AddressCount {
        self.ranges().map(|range| range.count()).sum()
    }

    /// The fewest prefixes whose union is the set, IPv4 first, in ascending order.
    ///
    /// A prefix is a range, so it lies in one of the longest ranges, and [each of those](IpRange::prefixes) is
    /// covered with the fewest.
    pub fn cover(&self) -> Vec<IpNet> {
        self.0.cover()
    }

    /// The set as a function: true in it, false elsewhere.
    pub fn as_partition(&self) -> &Partition<bool> {
        &self.0
    }
}

impl Default for AddressSet {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Partition<bool>> for AddressSet {
    fn from(partition: Partition<bool>) -> Self {
        Self(partition)
    }
}

impl From<IpRange> for AddressSet {
    fn from(range: IpRange) -> Self {
        Self::from_ranges([range])
    }
}

impl FromIterator<IpNet> for AddressSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(nets: I) -> Self {
        Self::from_nets(nets)
    }
}

impl fmt::Display for AddressSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, net) in self.cover().into_iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{net}")?;
        }
        Ok(())
    }
}

impl Serialize for AddressSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.cover().iter().map(ToString::to_string))
    }
}
