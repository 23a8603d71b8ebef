use std::net::IpAddr;

use super::super::{AddressSet, Family, IpRange, parse_net};
use crate::error::Span;

fn between(first: &str, last: &str) -> IpRange {
    match (first.parse().unwrap(), last.parse().unwrap()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => IpRange::V4(first, last),
        (IpAddr::V6(first), IpAddr::V6(last)) => IpRange::V6(first, last),
        _ => unreachable!("a range lies in one family"),
    }
}

#[test]
fn ranges_are_written_as_people_write_them() {
    for (first, last, text) in [
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("192.0.2.0", "192.0.2.255", "192.0.2.0/24"),
        ("192.0.2.1", "192.0.2.255", "192.0.2.1-192.0.2.255"),
        ("192.0.2.1", "192.0.2.2", "192.0.2.1-192.0.2.2"),
        ("192.0.2.2", "192.0.2.3", "192.0.2.2/31"),
        ("0.0.0.0", "255.255.255.255", "0.0.0.0/0"),
        ("255.255.255.255", "255.255.255.255", "255.255.255.255"),
        ("0.0.0.2", "0.0.0.1", "0.0.0.2-0.0.0.1"),
        ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"),
        ("::", "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/1"),
        ("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::/32"),
    ] {
        let range = between(first, last);
        assert_eq!(range.to_string(), text);
        assert_eq!(serde_json::to_string(&range).unwrap(), format!("\"{text}\""));
        assert_eq!(range.prefix().is_some(), text.contains('/') || !text.contains('-'));
    }
}

#[test]
fn a_range_holds_its_ends_and_nothing_of_the_other_family() {
    let range = between("192.0.2.3", "192.0.2.9");
    for (ip, inside) in
        [("192.0.2.2", false), ("192.0.2.3", true), ("192.0.2.9", true), ("192.0.2.10", false), ("::", false)]
    {
        assert_eq!(range.contains(ip.parse().unwrap()), inside, "{ip}");
    }
    assert_eq!(range.count().to_string(), "7");
}

#[test]
fn sets_and_counts_are_text_in_documents() {
    let nets = ["2001:db8::/33", "2001:db8:8000::/33", "192.0.2.1", "192.0.2.77/24"];
    let set: AddressSet = nets.iter().map(|net| parse_net(net).unwrap()).collect();
    assert_eq!(serde_json::to_string(&set).unwrap(), r#"["192.0.2.0/24","2001:db8::/32"]"#);
    assert_eq!(
        serde_json::to_string(&AddressSet::all().count()).unwrap(),
        r#""340282366920938463463374607436063178752""#
    );
    assert_eq!(serde_json::to_string(&[Family::V4, Family::V6]).unwrap(), r#"["v4","v6"]"#);
}

#[test]
fn a_prefix_is_read() {
    for (text, expected) in [
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.77/24", "192.0.2.77/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
        ("::/0", "::/0"),
    ] {
        assert_eq!(parse_net(text).unwrap().to_string(), expected);
        assert_eq!(parse_net(expected).unwrap(), parse_net(text).unwrap());
    }
}

#[test]
fn what_is_no_prefix_is_refused_with_its_place() {
    for (text, start, end) in [
        ("", 0, 0),
        ("/24", 0, 0),
        ("192.0.2/24", 0, 7),
        ("192.0.02.1", 0, 10),
        (" 192.0.2.1", 0, 10),
        ("fe80::1%eth0", 0, 12),
        ("192.0.2.0/", 9, 10),
        ("192.0.2.0/33", 9, 12),
        ("192.0.2.0/024", 9, 13),
        ("192.0.2.0/+24", 9, 13),
        ("192.0.2.0/-1", 9, 12),
        ("192.0.2.0/24/24", 9, 15),
        ("192.0.2.0/255.255.255.0", 9, 23),
        ("192.0.2.0/٢٤", 9, 14),
        ("2001:db8::/129", 10, 14),
        ("2001:db8::/256", 10, 14),
    ] {
        let problem = parse_net(text).unwrap_err();
        assert_eq!(problem.code, "net.bad-prefix", "{text}");
        assert_eq!(problem.span, Some(Span::new(start, end)), "{text}");
    }
}
