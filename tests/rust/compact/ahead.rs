//! What was decided ahead of a live term stays ahead of it: an error of that term (RFC 7208 sections 2.6.6 and 5.2) reaches nobody new.

use sendershift::net::AddressSet;
use sendershift::spf::{CompactRequest, Compacted, Policy, SpfResult};

use super::{best, dns, lookups, run, texts};

#[test]
fn what_an_opened_record_says_stays_ahead_of_what_stays_live() {
    let q = "q.example v=spf1 exists:%{i}.q.example -all";
    let keep = CompactRequest { keep: vec!["q.example".parse().unwrap()], ..lookups(2) };
    for (record, p, rewritten) in [
        // The record's own network says the same, or its end, but behind what stays live.
        (
            "include:p.example include:q.example ip4:192.0.2.1 -all",
            "ip4:192.0.2.1",
            "ip4:192.0.2.1 include:q.example -all",
        ),
        (
            "-include:p.example include:q.example -all",
            "ip4:192.0.2.1",
            "-ip4:192.0.2.1 include:q.example -all",
        ),
        (
            "include:p.example -ip4:192.0.2.8 include:q.example ip4:192.0.2.0/24 -all",
            "ip4:192.0.2.1",
            "-ip4:192.0.2.8 ip4:192.0.2.0/24 include:q.example -all",
        ),
        // Nothing live is between them.
        (
            "include:p.example ip4:192.0.2.1 include:q.example -all",
            "ip4:192.0.2.1",
            "ip4:192.0.2.1 include:q.example -all",
        ),
        ("include:q.example -include:p.example -all", "ip4:192.0.2.1", "include:q.example -all"),
    ] {
        let record = format!("d.example v=spf1 {record}");
        let p = format!("p.example v=spf1 {p} -all");
        let found = run(&dns(&[&record, &p, q]), &keep);
        assert_eq!(texts(&found), [format!("v=spf1 {rewritten}")], "{record}");
        assert_eq!((found.proof.equivalent, found.proof.minimal), (true, "proven"), "{record}");
    }
}

#[test]
fn what_follows_a_live_term_of_the_same_record_need_not_be_said_twice() {
    let lines = [
        "d.example v=spf1 include:p.example ip4:192.0.2.1 -all",
        "p.example v=spf1 a:h.example ip4:192.0.2.1 -all",
        "h.example A 192.0.2.9",
    ];
    assert_eq!(best(&lines, &lookups(1)), ["v=spf1 a:h.example ip4:192.0.2.1 -all"]);
}

/// Who may come to an error where an include is not answered.
fn errors(records: &[(String, String)], failing: &str) -> AddressSet {
    let line = |(name, record): &(String, String)| {
        if name == failing { format!("{name} timeout") } else { format!("{name} {record}") }
    };
    let lines: Vec<String> = records.iter().map(line).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    Policy::compile(&dns(&lines), &"d.example".parse().unwrap())
        .unwrap()
        .intended()
        .sometimes(SpfResult::TempError)
}

fn published(found: &Compacted) -> Vec<(String, String)> {
    found.records.iter().map(|rrset| (rrset.name.to_string(), rrset.records[0].text())).collect()
}

#[test]
fn live_terms_in_extra_records_come_no_earlier() {
    let (mut with_live, mut undistributed) = (0, 0);
    for (own, includes) in (0..6).flat_map(|own| (2..7).map(move |includes| (own, includes))) {
        let name = |at: usize| {
            format!("{}.example", ["a", "bbbbbbbbbbbb", "ccc", "dddddddddddddddddd", "eeee", "f"][at])
        };
        let mut others: Vec<(String, String)> =
            (0..includes).map(|at| (name(at), format!("v=spf1 ip4:198.51.100.{at} -all"))).collect();
        others.push(("p.example".to_owned(), "v=spf1 ip4:203.0.113.7 ip4:203.0.113.99 -all".to_owned()));
        // An own network before each include.
        let mut terms = vec!["include:p.example".to_owned()];
        for at in 0..includes {
            terms.extend((at < own).then(|| format!("ip4:192.0.2.{}", 2 * at)));
            terms.push(format!("include:{}", name(at)));
        }
        let before = [("d.example".to_owned(), format!("v=spf1 {} ~all", terms.join(" ")))];
        let before = [&before[..], &others].concat();
        let lines: Vec<String> = before.iter().map(|(name, record)| format!("{name} {record}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let names = |names: Vec<String>| names.iter().map(|name| name.parse().unwrap()).collect();
        for octets in (80..160).step_by(8) {
            let request = CompactRequest {
                octets: Some(octets),
                keep: names((0..includes).map(name).collect()),
                flatten: names(vec!["p.example".to_owned()]),
                ..lookups(10)
            };
            let found = run(&dns(&lines), &request);
            let extras: Vec<String> = texts(&found).into_iter().skip(1).collect();
            with_live += usize::from(extras.iter().any(|text| text.contains("include:")));
            if let Some(why) = &found.infeasible {
                // That no way was found is no proof that there is none.
                undistributed +=
                    usize::from(why.reason == "undistributed" && found.proof.minimal == "unknown");
                continue;
            }
            let after = [published(&found), others.clone()].concat();
            for failing in (0..includes).map(name) {
                let new = errors(&after, &failing).difference(&errors(&before, &failing));
                assert!(new.is_empty(), "{new} comes to {failing}: {before:?} becomes {:?}", texts(&found));
            }
        }
    }
    assert!(with_live > 50 && undistributed > 10, "{with_live} {undistributed}");
}
