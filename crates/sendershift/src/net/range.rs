//! Ranges of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::steps::Prefixes;
use super::{AddressCount, Family};

/// The addresses from one to another of the same family, both included.
///
/// A range whose first address is above its last one is empty. It is written `192.0.2.1` for one address,
/// `192.0.2.0/24` where it is one prefix, `192.0.2.1-192.0.2.9` otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpRange {
    /// IPv4 addresses.
    V4(Ipv4Addr, Ipv4Addr),
    /// IPv6 addresses.
    V6(Ipv6Addr, Ipv6Addr),
}

impl IpRange {
    /// All addresses of a family.
    pub(crate) fn all(family: Family) -> Self {
        match family {
            Family::V4 => Self::V4(Ipv4Addr::from_bits(u32::MIN), Ipv4Addr::from_bits(u32::MAX)),
            Family::V6 => Self::V6(Ipv6Addr::from_bits(u128::MIN), Ipv6Addr::from_bits(u128::MAX)),
        }
    }

    /// The lowest address.
    pub fn first(&self) -> IpAddr {
        match *self {
            Self::V4(first, _) => first.into(),
            Self::V6(first, _) => first.into(),
        }
    }

    /// The highest address.
    pub fn last(&self) -> IpAddr {
        match *self {
            Self::V4(_, last) => last.into(),
            Self::V6(_, last) => last.into(),
        }
    }

    /// The family of its addresses.
    pub fn family(&self) -> Family {
        Family::of(self.first())
    }

    /// Whether it holds no address: the first is above the last.
    pub fn is_empty(&self) -> bool {
        self.first() > self.last()
    }

    /// Whether the address lies in it; no address lies in a range of the other family.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self, ip) {
            (Self::V4(first, last), IpAddr::V4(ip)) => (first..=last).contains(&&ip),
            (Self::V6(first, last), IpAddr::V6(ip)) => (first..=last).contains(&&ip),
            _ => false,
        }
    }

    /// How many addresses it holds.
    pub fn count(&self) -> AddressCount {
        let (first, last) = match *self {
            Self::V4(first, last) => (first.to_bits().into(), last.to_bits().into()),
            Self::V6(first, last) => (first.to_bits(), last.to_bits()),
        };
        u128::checked_sub(last, first).map(AddressCount::inclusive).unwrap_or_default()
    }

    /// The fewest prefixes that hold exactly these addresses, in ascending order.
    ///
    /// From the left, each prefix is the longest run that its alignment and the end of the range allow. A cover
    /// has to hold the first address in some prefix, none can reach further than this one, and what is then
    /// left to cover only shrinks; so no cover has fewer.
    pub fn prefixes(&self) -> impl Iterator<Item = IpNet> + use<> {
        let (v4, v6) = match *self {
            Self::V4(first, last) => (Some(Prefixes::of(first.to_bits(), last.to_bits())), None),
            Self::V6(first, last) => (None, Some(Prefixes::of(first.to_bits(), last.to_bits()))),
        };
        v4.into_iter().flatten().chain(v6.into_iter().flatten())
    }

    /// The prefix that holds exactly these addresses, if there is one.
    pub fn prefix(&self) -> Option<IpNet> {
        self.prefixes().next().filter(|net| net.broadcast() == self.last())
    }
}

impl From<IpAddr> for IpRange {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip, ip),
            IpAddr::V6(ip) => Self::V6(ip, ip),
        }
    }
}

impl From<IpNet> for IpRange {
    /// Bits set beyond the prefix length are masked off.
    fn from(net: IpNet) -> Self {
        match net {
            IpNet::V4(net) => Self::V4(net.network(), net.broadcast()),
            IpNet::V6(net) => Self::V6(net.network(), net.broadcast()),
        }
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first() == self.last() {
            return write!(f, "{}", self.first());
        }
        match self.prefix() {
            Some(prefix) => write!(f, "{prefix}"),
            None => write!(f, "{}-{}", self.first(), self.last()),
        }
    }
}

impl Serialize for IpRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
