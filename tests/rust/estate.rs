//! Random estates: domains with SPF records of every kind that refer to each other and to a few hosts.

use std::fmt::Write as _;

use proptest::prelude::*;

const DOMAINS: usize = 6;

/// One domain of a random estate: what stands at its name.
fn txt() -> impl Strategy<Value = Option<Vec<String>>> {
    let record =
        (prop::collection::vec(term(), 0..6), prop::option::weighted(0.5, qualified("all")), redirect())
            .prop_map(|(mut terms, all, redirect)| {
                terms.extend(all);
                terms.extend(redirect);
                format!("v=spf1 {}", terms.join(" "))
            });
    prop_oneof![
        40 => record.prop_map(|record| Some(vec![record])),
        1 => Just(Some(vec!["v=spf1 -all".to_owned(), "v=spf1 -all".to_owned()])),
        1 => Just(Some(vec!["v=spf1 ip4:bad".to_owned()])),
        1 => Just(Some(vec!["not spf".to_owned()])),
        1 => Just(Some(Vec::new())),
        1 => Just(None),
    ]
}

fn qualified(term: &'static str) -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "-", "~", "?"]).prop_map(move |qualifier| format!("{qualifier}{term}"))
}

fn redirect() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        6 => Just(None),
        2 => (0..DOMAINS).prop_map(|n| Some(format!("redirect=d{n}.example"))),
        1 => Just(Some("redirect=%{i}.redirect.example".to_owned())),
    ]
}

fn term() -> impl Strategy<Value = String> {
    let mechanism = prop_oneof![
        6 => (0u8..16, 28u8..=32).prop_map(|(host, prefix)| format!("ip4:192.0.2.{host}/{prefix}")),
        1 => Just("ip4:0.0.0.0/1".to_owned()),
        4 => (0u8..16, 124u8..=128).prop_map(|(host, prefix)| format!("ip6:2001:db8::{host:x}/{prefix}")),
        1 => Just("ip6:::ffff:192.0.2.0/120".to_owned()),
        8 => (0..DOMAINS).prop_map(|n| format!("include:d{n}.example")),
        2 => (0..6).prop_map(|n| format!("a:h{n}.example")),
        1 => (0..6, 28u8..=32, 124u8..=128).prop_map(|(n, v4, v6)| format!("a:h{n}.example/{v4}//{v6}")),
        2 => (0..3).prop_map(|n| format!("mx:m{n}.example")),
        1 => (0..7).prop_map(|n| format!("exists:h{n}.example")),
        2 => (0..3).prop_map(|n| format!("exists:%{{i}}.e{n}.example")),
        1 => Just("exists:%{ir}.%{d}".to_owned()),
        1 => Just("exists:%{l}.%{o}".to_owned()),
        1 => Just("ptr:named.example".to_owned()),
        1 => Just("include:%{i}.include.example".to_owned()),
        1 => Just("a:%{i}.a.example".to_owned()),
        1 => Just("include:%{d1r}.example".to_owned()),
    ];
    (prop::sample::select(vec!["", "", "", "-", "~", "?"]), mechanism).prop_map(|(q, m)| format!("{q}{m}"))
}

/// A snapshot document, closed; the sender's domain is `d0.example`.
pub(crate) fn estate() -> impl Strategy<Value = String> {
    prop::collection::vec(txt(), DOMAINS).prop_map(|domains| {
        let mut answers = String::from(HOSTS);
        for (n, txt) in domains.iter().enumerate() {
            let _ = match txt {
                Some(records) => {
                    let records = serde_json::to_string(records).unwrap();
                    write!(answers, r#",{{"name":"d{n}.example","type":"TXT","records":{records}}}"#)
                }
                None => write!(answers, r#",{{"name":"d{n}.example","type":"TXT","status":"timeout"}}"#),
            };
        }
        format!(r#"{{"format":"sendershift-snapshot/1","closed":true,"answers":[{answers}]}}"#)
    })
}

/// Hosts with addresses of both families, of one, of none, too many, and one that times out.
const HOSTS: &str = r#"
    {"name":"h0.example","type":"A","records":["192.0.2.1","192.0.2.9"]},
    {"name":"h0.example","type":"AAAA","records":["2001:db8::1"]},
    {"name":"h1.example","type":"A","records":["192.0.2.3"]},
    {"name":"h2.example","type":"AAAA","records":["2001:db8::9"]},
    {"name":"h3.example","type":"A","status":"timeout"},
    {"name":"h4.example","type":"A","records":["192.0.2.1","192.0.2.2","192.0.2.3","192.0.2.4","192.0.2.5","192.0.2.6","192.0.2.7","192.0.2.8","192.0.2.9","192.0.2.10","192.0.2.11"]},
    {"name":"h5.example","type":"CNAME","records":["h0.example"]},
    {"name":"m0.example","type":"MX","records":["10 h1.example","20 h2.example","30 h0.example"]},
    {"name":"m1.example","type":"MX","records":["10 gone1.example","20 h4.example","30 gone2.example","40 h0.example"]},
    {"name":"m2.example","type":"MX","records":["1 h0.example","2 x.example","3 x.example","4 x.example","5 x.example","6 x.example","7 x.example","8 x.example","9 x.example","10 x.example","11 h1.example"]}"#;
