//! Exact functions over the whole IPv4 and IPv6 address space.
//!
//! A [`Partition`] gives a value to every address there is; an [`AddressSet`] is one that says yes or no. Both
//! have one form for each meaning, so `==` compares meanings, and every operation walks over runs of equal
//! values, never over addresses. The terms are those of CIDR ([RFC 4632], [RFC 4291 section 2.3]).
//!
//! [RFC 4632]: https://www.rfc-editor.org/rfc/rfc4632
//! [RFC 4291 section 2.3]: https://www.rfc-editor.org/rfc/rfc4291#section-2.3

mod count;
mod partition;
mod range;
mod set;
mod steps;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use crate::error::Problem;

pub use count::AddressCount;
pub use partition::Partition;
pub use range::IpRange;
pub use set::AddressSet;

/// One of the two address families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// IPv4, addresses of 32 bits.
    V4,
    /// IPv6, addresses of 128 bits.
    V6,
}

impl Family {
    /// The family that an address is written in; a v4-mapped address (`::ffff:192.0.2.1`) is IPv6.
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// Reads one address.
///
/// # Errors
///
/// `net.bad-address`.
///
/// # Examples
///
/// ```
/// use sendershift::net::parse_address;
///
/// assert!(parse_address("2001:db8::1").is_ok());
/// assert_eq!(parse_address("192.0.2").unwrap_err().code, "net.bad-address");
/// ```
pub fn parse_address(text: &str) -> Result<IpAddr, Problem> {
    text.parse()
        .map_err(|_| Problem::new("net.bad-address", format!("`{text}` is not an IPv4 or IPv6 address")))
}

/// As [`parse_address`], for the address of a client: one that is mapped from IPv4 (`::ffff:192.0.2.1`) is the IPv4 address that it
/// stands for (RFC 7208 section 5, RFC 4291 section 2.5.5.2).
///
/// # Errors
///
/// `net.bad-address`.
///
/// # Examples
///
/// ```
/// use sendershift::net::parse_client;
///
/// assert_eq!(parse_client("::ffff:192.0.2.1")?, parse_client("192.0.2.1")?);
/// # Ok::<(), sendershift::error::Problem>(())
/// ```
pub fn parse_client(text: &str) -> Result<IpAddr, Problem> {
    parse_address(text).map(|ip| ip.to_canonical())
}

/// As [`parse_exact_net`], for addresses of clients: one that is mapped from IPv4 is the IPv4 address, as for [`parse_client`].
///
/// # Errors
///
/// As [`parse_exact_net`]; `net.mapped` for a network within `::ffff:0:0/96`, to which no client belongs.
///
/// # Examples
///
/// ```
/// use sendershift::net::parse_clients;
///
/// assert_eq!(parse_clients("::ffff:192.0.2.1")?, parse_clients("192.0.2.1")?);
/// assert_eq!(parse_clients("::ffff:192.0.2.0/120").unwrap_err().code, "net.mapped");
/// # Ok::<(), sendershift::error::Problem>(())
/// ```
pub fn parse_clients(text: &str) -> Result<IpNet, Problem> {
    let net = parse_exact_net(text)?;
    let IpNet::V6(v6) = net else { return Ok(net) };
    match v6.network().to_ipv4_mapped() {
        Some(ip) if !text.contains('/') => Ok(IpAddr::V4(ip).into()),
        Some(ip) if v6.prefix_len() >= 96 => {
            let message = format!("`{text}` is mapped from IPv4, and clients there are IPv4 clients");
            let length = v6.prefix_len() - 96;
            Err(Problem::new("net.mapped", message).help(format!("write `{ip}/{length}`")))
        }
        _ => Ok(net),
    }
}

/// As [`parse_net`], for what a person writes as the addresses of something: bits set beyond the prefix length are a mistake.
///
/// # Errors
///
/// `net.bad-prefix`, or `net.host-bits`.
///
/// # Examples
///
/// ```
/// use sendershift::net::parse_exact_net;
///
/// assert!(parse_exact_net("198.51.100.0/24").is_ok());
/// assert_eq!(parse_exact_net("198.51.100.17/4").unwrap_err().code, "net.host-bits");
/// ```
pub fn parse_exact_net(text: &str) -> Result<IpNet, Problem> {
    let net = parse_net(text)?;
    if net.addr() == net.network() {
        return Ok(net);
    }
    let message = format!("`{text}` has bits beyond its prefix length");
    Err(Problem::new("net.host-bits", message).help(format!(
        "did you mean `{}` or `{}`?",
        net.addr(),
        net.trunc()
    )))
}

/// Reads one prefix, such as `192.0.2.0/24` or `2001:db8::/32`, or one address.
///
/// Bits set beyond the prefix length are legal and kept, as in SPF (RFC 7208 section 5.6).
///
/// # Errors
///
/// `net.bad-prefix`, with the place of the address or of the prefix length.
///
/// # Examples
///
/// ```
/// use sendershift::net::parse_net;
///
/// assert_eq!(parse_net("192.0.2.1")?, parse_net("192.0.2.1/32")?);
/// assert_eq!(parse_net("192.0.2.0/33").unwrap_err().code, "net.bad-prefix");
/// # Ok::<(), sendershift::error::Problem>(())
/// ```
pub fn parse_net(text: &str) -> Result<IpNet, Problem> {
    let bad = |message| {
        Problem::new("net.bad-prefix", message).help("write a prefix such as `192.0.2.0/24` or one address")
    };
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    let ip: IpAddr =
        address.parse().map_err(|_| bad("this is not an IPv4 or IPv6 address").at(0..address.len()))?;
    let Some(length) = length else { return Ok(ip.into()) };
    // A sign and leading zeros would parse as a number, and are no prefix length.
    let canonical = length.parse::<u8>().ok().filter(|bits| bits.to_string() == length);
    canonical.and_then(|bits| IpNet::new(ip, bits).ok()).ok_or_else(|| {
        let most =
            if ip.is_ipv4() { "a prefix length here is 0 to 32" } else { "a prefix length here is 0 to 128" };
        bad(most).at(address.len()..text.len())
    })
}
