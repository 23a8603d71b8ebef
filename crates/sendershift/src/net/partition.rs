//! A value for every address.

use std::net::IpAddr;

use ipnet::IpNet;

use super::steps::{Address, Steps};
use super::{AddressSet, Family, IpRange};

/// Octets 10 and 11 of a v4-mapped address are ones, those before are zeros: RFC 4291 section 2.5.5.2.
const MAPPED_FIRST: u128 = 0xffff_0000_0000;
const MAPPED_LAST: u128 = 0xffff_ffff_ffff;

/// A function from all IPv4 and all IPv6 addresses to values, constant on ranges.
///
/// Each function has one form, so `==` compares functions, however they were built. A v4-mapped address
/// (`::ffff:192.0.2.1`) is an IPv6 address here: where it stands for the IPv4 address, ask for
/// [`IpAddr::to_canonical`].
///
/// # Examples
///
/// ```
/// use sendershift::net::{Partition, parse_net};
///
/// let ranges = [("192.0.2.7", "fail"), ("192.0.2.0/24", "pass")];
/// let ranges = ranges.map(|(net, result)| (parse_net(net).unwrap().into(), result));
/// let results = Partition::from_ranges("neutral", "softfail", ranges);
///
/// assert_eq!(*results.at("192.0.2.7".parse()?), "fail");
/// assert_eq!(*results.at("192.0.2.8".parse()?), "pass");
/// assert_eq!(*results.at("2001:db8::1".parse()?), "softfail");
/// assert_eq!(results.addresses_where(|result| *result == "pass").count().to_string(), "255");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Partition<V> {
    v4: Steps<u32, V>,
    v6: Steps<u128, V>,
}

impl<V> Partition<V> {
    /// One value for all IPv4 addresses, one for all IPv6 addresses.
    pub fn constant(v4: V, v6: V) -> Self {
        Self { v4: Steps::constant(v4), v6: Steps::constant(v6) }
    }

    /// The value at an address.
    pub fn at(&self, ip: IpAddr) -> &V {
        match ip {
            IpAddr::V4(ip) => self.at_v4(ip.to_bits()),
            IpAddr::V6(ip) => self.at_v6(ip.to_bits()),
        }
    }

    /// The value at an IPv4 address, given as [`Ipv4Addr::to_bits`](std::net::Ipv4Addr::to_bits).
    pub fn at_v4(&self, address: u32) -> &V {
        self.v4.at(address)
    }

    /// The value at an IPv6 address, given as [`Ipv6Addr::to_bits`](std::net::Ipv6Addr::to_bits).
    pub fn at_v6(&self, address: u128) -> &V {
        self.v6.at(address)
    }

    /// The longest ranges of one value with that value, IPv4 first, in ascending order.
    ///
    /// They hold every address once, and neighbours in a family differ in value.
    pub fn runs(&self) -> impl Iterator<Item = (IpRange, &V)> {
        self.v4.runs().chain(self.v6.runs())
    }

    /// The first address of every run, IPv4 first, in ascending order: one sample for each value change.
    pub fn starts(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.steps().map(|(start, _)| start.ip()).chain(self.v6.steps().map(|(start, _)| start.ip()))
    }
}

impl<V: Eq> Partition<V> {
    /// The function that has `f` of the value at every address.
    pub fn map<'a, W: Eq>(&'a self, mut f: impl FnMut(&'a V) -> W) -> Partition<W> {
        self.map_families(|_, value| f(value))
    }

    /// As [`map`](Self::map), where `f` is also told the family of the address.
    pub fn map_families<'a, W: Eq>(&'a self, mut f: impl FnMut(Family, &'a V) -> W) -> Partition<W> {
        Partition {
            v4: self.v4.map(|value| f(Family::V4, value)),
            v6: self.v6.map(|value| f(Family::V6, value)),
        }
    }

    /// The function that has `f` of both values at every address, in time linear in the runs of both.
    pub fn zip<'a, W, X: Eq>(
        &'a self,
        other: &'a Partition<W>,
        mut f: impl FnMut(&'a V, &'a W) -> X,
    ) -> Partition<X> {
        Partition { v4: self.v4.zip(&other.v4, &mut f), v6: self.v6.zip(&other.v6, &mut f) }
    }

    /// The values of `other` at the addresses of one family, the values here at those of the other.
    #[must_use]
    pub(crate) fn with_family(self, family: Family, other: Self) -> Self {
        match family {
            Family::V4 => Self { v4: other.v4, ..self },
            Family::V6 => Self { v6: other.v6, ..self },
        }
    }

    /// The addresses whose value satisfies `f`.
    pub fn addresses_where(&self, f: impl FnMut(&V) -> bool) -> AddressSet {
        self.map(f).into()
    }

    /// The addresses at which the two functions differ; its [first](AddressSet::first) is a witness.
    pub fn differences(&self, other: &Self) -> AddressSet {
        self.zip(other, |left, right| left != right).into()
    }

    /// The same function, except that `::ffff:0:0/96` has the value of the address just below it.
    ///
    /// SPF treats a v4-mapped client as the IPv4 client that it is (RFC 7208 section 5), so that block has no
    /// meaning of its own and must not make two equal policies differ.
    #[must_use]
    pub fn blank_mapped(self) -> Self {
        Self { v6: self.v6.without(MAPPED_FIRST, MAPPED_LAST), ..self }
    }
}

impl<V: Clone + Eq> Partition<V> {
    /// The value of the first of the ranges that holds an address; the default of its family where none does.
    pub fn from_ranges(default_v4: V, default_v6: V, ranges: impl IntoIterator<Item = (IpRange, V)>) -> Self {
        Self::constant(default_v4, default_v6).overlay(ranges)
    }

    /// The value of the first of the ranges that holds an address; the value here where none does.
    ///
    /// For `n` ranges and `m` runs this takes `O(n log n + m)`: the way to add many ranges at once.
    #[must_use]
    pub fn overlay(&self, ranges: impl IntoIterator<Item = (IpRange, V)>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (range, value) in ranges {
            match range {
                IpRange::V4(first, last) => v4.push((first.to_bits(), last.to_bits(), value)),
                IpRange::V6(first, last) => v6.push((first.to_bits(), last.to_bits(), value)),
            }
        }
        Self { v4: overlaid(&self.v4, &v4), v6: overlaid(&self.v6, &v6) }
    }

    /// The values of `other` at the addresses in `mask`, the values here elsewhere.
    #[must_use]
    pub fn select(&self, mask: &AddressSet, other: &Self) -> Self {
        let kept = self.zip(mask.as_partition(), |value, masked| (!masked).then_some(value));
        kept.zip(other, |kept, other| kept.unwrap_or(other).clone())
    }
}

fn overlaid<A: Address, V: Clone + Eq>(below: &Steps<A, V>, ranges: &[(A, A, V)]) -> Steps<A, V> {
    below.zip(&Steps::first_of(ranges), |below, layer| layer.unwrap_or(below).clone())
}

impl Partition<bool> {
    /// The fewest prefixes of the addresses that are true.
    pub(super) fn cover(&self) -> Vec<IpNet> {
        let mut nets = Vec::new();
        self.v4.cover(&mut nets);
        self.v6.cover(&mut nets);
        nets
    }

    /// True in the ranges and nowhere else.
    pub(super) fn union_of(ranges: impl IntoIterator<Item = IpRange>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for range in ranges {
            match range {
                IpRange::V4(first, last) => v4.push((first.to_bits(), last.to_bits())),
                IpRange::V6(first, last) => v6.push((first.to_bits(), last.to_bits())),
            }
        }
        Self { v4: Steps::union_of(v4), v6: Steps::union_of(v6) }
    }
}
