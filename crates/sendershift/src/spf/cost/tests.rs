//! Hostile trees end soon, with the right sums. What trees look like is in `tests/vectors/spf/cost.json`.

use crate::dns::Snapshot;
use crate::error::Error;
use crate::spf::{Cost, Note, Profile, RecordCost, Subject, Totals, cost};

/// The cost of `d0.example`, where each record is the SPF record of the domain with its number.
fn cost_of(records: impl IntoIterator<Item = String>) -> Result<Cost, Error> {
    let answer =
        |(n, record)| format!(r#"{{"name":"d{n}.example","type":"TXT","records":["v=spf1 {record}"]}}"#);
    let answers: Vec<String> = records.into_iter().enumerate().map(answer).collect();
    let answers = answers.join(",");
    let dns = format!(r#"{{"format":"sendershift-snapshot/1","closed":true,"answers":[{answers}]}}"#);
    cost(&Snapshot::from_json(&dns).unwrap(), &Subject::parse("d0.example", None).unwrap(), &Profile::RFC7208)
}

fn depth(record: &RecordCost) -> usize {
    1 + record.terms.iter().filter_map(|term| term.child.as_ref()).map(depth).max().unwrap_or(0)
}

#[test]
fn unknowns_in_the_reverse_order_of_their_names() {
    let record = |count: u32| {
        let terms: Vec<String> = (0..count).rev().map(|n| format!("exists:%{{i}}.{n:03}.example")).collect();
        terms.join(" ")
    };
    let cost = cost_of([record(40)]).unwrap();
    assert_eq!((cost.worst_v4.lookups, cost.lookups.total, cost.unknowns.len()), (40, 40, 40));
    assert!(!cost.beyond.open.ranges.is_empty());
    let Err(Error::Invalid(invalid)) = cost_of([record(400)]) else { panic!("this takes for ever") };
    assert_eq!(invalid.problems[0].code, "spf.too-complex");
}

#[test]
fn doubling() {
    let record = |n: usize| format!("include:d{}.example include:d{}.example -all", n + 1, n + 1);
    let cost = cost_of((0..40).map(record).chain(["-all".to_owned()])).unwrap();
    assert_eq!(cost.lookups.total, u32::MAX, "the sum saturates");
    assert!(cost.truncated && !cost.within);
    assert!(depth(&cost.tree) <= 22);
    let text = serde_json::to_string(&cost).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
}

#[test]
fn a_chain_is_cut_where_it_is_shown_and_not_where_it_is_counted() {
    let record = |n: usize| format!("include:d{}.example -all", n + 1);
    let cost = cost_of((0..60).map(record).chain(["-all".to_owned()])).unwrap();
    assert_eq!((cost.lookups.total, cost.worst_v6.lookups), (60, 60));
    assert!(cost.truncated);
    let mut record = &cost.tree;
    while let Some(child) = &record.terms[0].child {
        record = child;
    }
    assert_eq!((record.terms[0].note, record.terms[0].total.lookups), (Some(Note::Truncated), 41));
}

#[test]
fn every_record_includes_every_other() {
    let terms: Vec<String> = (0..12).map(|n| format!("include:d{n}.example")).collect();
    let record = |_| terms.join(" ");
    let Err(Error::Invalid(invalid)) = cost_of((0..12).map(record)) else { panic!("this takes for ever") };
    assert_eq!(invalid.problems[0].code, "spf.too-complex");
}

/// RFC 7208 section 7.2: `%{v}` is `in-addr` for an IPv4 client and `ip6` for an IPv6 one.
#[test]
fn another_record_in_each_family() {
    let answer = |name: &str, record: &str| {
        format!(r#"{{"name":"{name}","type":"TXT","records":["v=spf1 {record} -all"]}}"#)
    };
    let answers = [
        answer("d.example", "include:%{v}.d.example include:%{v}.%{l}.example"),
        answer("in-addr.d.example", "a:void.example"),
        answer("ip6.d.example", "include:none.d.example include:none.d.example"),
        answer("none.d.example", ""),
    ];
    let dns =
        format!(r#"{{"format":"sendershift-snapshot/1","closed":true,"answers":[{}]}}"#, answers.join(","));
    let subject = Subject::parse("d.example", None).unwrap();
    let cost = cost(&Snapshot::from_json(&dns).unwrap(), &subject, &Profile::RFC7208).unwrap();
    let [by_family, open, _] = cost.tree.terms.as_slice() else { panic!("three terms") };
    let Totals { lookups, voids_v4, voids_v6, .. } = by_family.total;
    assert_eq!((lookups, voids_v4, voids_v6, by_family.note), (3, 1, 0, Some(Note::DependsOnFamily)));
    assert_eq!(by_family.child.as_ref().unwrap().domain.to_string(), "ip6.d.example");
    assert_eq!((open.total.lookups, open.note), (1, Some(Note::DependsOnMessage)));
    assert_eq!((cost.worst_v4.lookups, cost.worst_v6.lookups), (3, 4));
}
