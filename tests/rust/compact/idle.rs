//! Terms that can decide nothing are left out, and nothing is claimed where one may come to.

use sendershift::spf::{CompactRequest, Profile};

use super::{dns, lookups, run};

#[test]
fn terms_that_can_decide_nothing_are_left_out() {
    // What is behind says the same (RFC 7208 section 4.6.2), or what is before has matched.
    for (record, leaves, without) in [
        ("ip4:192.0.2.1 -a:h.example -all", &["-a:h.example"][..], "ip4:192.0.2.1 -all"),
        ("ip4:192.0.2.1 -exists:%{i}.x.example -all", &["-exists:%{i}.x.example"], "ip4:192.0.2.1 -all"),
        (
            "~include:p.example ~ip4:192.0.2.4 ~ptr ~all",
            &["~include:p.example", "~ptr"],
            "~ip4:192.0.2.4 ~all",
        ),
        ("?mx ip4:192.0.2.1 ?mx", &["?mx"], "?mx ip4:192.0.2.1"),
        ("ip4:192.0.2.1 -a:h.example -all -a:h.example", &["-a:h.example"], "ip4:192.0.2.1 -all"),
        ("a:h.example/24//64 -ip4:192.0.2.1 a:h.example//64", &["a:h.example//64"], ""),
        (
            "a:h.example ip4:192.0.2.1 a:h.example/24 -all",
            &["a:h.example"],
            "ip4:192.0.2.1 a:h.example/24 -all",
        ),
        ("a:h.example a:h.example/32 a:h.example//128 -all", &["a:h.example/32", "a:h.example//128"], ""),
    ] {
        let line = format!("d.example v=spf1 {record}");
        let lines = [
            &line,
            "p.example v=spf1 ip4:192.0.2.7 -all",
            "d.example MX 10 h.example",
            "h.example A 192.0.2.9",
        ];
        // One lookup fewer than it costs.
        let costs = run(&dns(&lines), &lookups(10)).before.lookups;
        let found = run(&dns(&lines), &lookups(costs - 1));
        let idle: Vec<&str> = found.idle.iter().map(String::as_str).collect();
        assert_eq!((idle.as_slice(), found.proof.minimal), (leaves, "proven"), "{record}");
        assert!(found.infeasible.is_none() && found.proof.equivalent, "{record}");
        if !without.is_empty() {
            assert_eq!(found.records[0].records[0].text(), format!("v=spf1 {without}"));
        }
    }
}

#[test]
fn terms_behind_networks_that_hold_every_address_are_left_out() {
    // A receiver that counts what is written counts them, too.
    let receivers = vec![&Profile::STRICT];
    let request = CompactRequest { receivers, reserve: Profile::STRICT.lookups, ..CompactRequest::default() };
    let found = run(&dns(&["d.example v=spf1 ip4:0.0.0.0/0 -ip6:::/0 a:h.example -all"]), &request);
    assert_eq!((found.idle.as_slice(), found.proof.equivalent), (&["a:h.example".to_owned()][..], true));
}

#[test]
fn terms_that_can_decide_something_stay() {
    for record in [
        // Another result, something between them, or a redirect.
        "~a:h.example -all",
        "-a:h.example ip4:192.0.2.1 -all",
        "-a:h.example redirect=p.example",
        // The first has the shorter prefix for one family alone.
        "a:h.example/24 -ip4:192.0.2.1 a:h.example/32//64",
        "a:h.example -ip4:192.0.2.1 a:h.example/24",
        // It may end with an error.
        "-include:broken.example -all",
        // What stays between may end with an error some day, and so must not come to decide what is decided before.
        "a:h.example/32 include:p.example a:h.example/24 -all",
        "mx:h.example exists:%{i}.x.example mx:h.example/24 -all",
    ] {
        let line = format!("d.example v=spf1 {record}");
        let lines = [
            &line,
            "p.example v=spf1 ip4:192.0.2.7 -all",
            "h.example A 192.0.2.9",
            "broken.example v=spf1 foo",
        ];
        let found = run(&dns(&lines), &lookups(0));
        assert_eq!(found.idle.len(), 0, "{record}");
    }
}

#[test]
fn terms_that_decide_nothing_in_an_include_go_where_it_is_opened() {
    // An include matches or not, and nothing else of it counts (RFC 7208 section 5.2).
    let lines = [
        "d.example v=spf1 include:p.example ~all",
        "p.example v=spf1 ip4:192.0.2.7 ?exists:%{i}.x.example -a:h.example ~all",
        "h.example A 192.0.2.9",
    ];
    let found = run(&dns(&lines), &lookups(0));
    assert_eq!(found.records[0].records[0].text(), "v=spf1 ip4:192.0.2.7 ~all");
    assert_eq!((found.idle.len(), found.proof.minimal), (0, "proven"));
    // Also one of which nobody knows what it costs.
    let lines =
        ["d.example v=spf1 include:p.example ~all", "p.example v=spf1 ip4:192.0.2.7 -mx:%{l}.x.example ~all"];
    let found = run(&dns(&lines), &lookups(0));
    assert_eq!(found.records[0].records[0].text(), "v=spf1 ip4:192.0.2.7 ~all");
    // A redirect hands its results on.
    let lines = ["d.example v=spf1 redirect=p.example", "p.example v=spf1 ?exists:%{i}.x.example -all"];
    let found = run(&dns(&lines), &lookups(0));
    assert_eq!(found.infeasible.map(|why| why.reason), Some("lookups"));
    assert_eq!(found.proof.minimal, "proven");
}

#[test]
fn nothing_is_proven_where_a_term_may_decide_nothing_once_others_are_frozen() {
    // Opened, the second include says nothing that the first does not, so that the exists between them could go.
    let lines = [
        "d.example v=spf1 -include:p.example -exists:%{i}.x.example include:q.example -all",
        "p.example v=spf1 ip4:192.0.2.0/24 -all",
        "q.example v=spf1 ip4:192.0.2.7 -all",
    ];
    let found = run(&dns(&lines), &lookups(0));
    assert_eq!(found.infeasible.map(|why| why.reason), Some("idle"));
    assert_eq!(found.proof.minimal, "unknown");
}

#[test]
fn nothing_is_proven_where_what_is_opened_may_make_a_term_idle() {
    for (lines, most) in [
        // The second question is answered already.
        (
            &[
                "d.example v=spf1 -exists:%{i}.q.example include:c.example -all",
                "c.example v=spf1 -exists:%{i}.q.example ip4:192.0.2.1 -all",
            ][..],
            1,
        ),
        (
            &[
                "d.example v=spf1 exists:%{i}.q.example include:c.example -all",
                "c.example v=spf1 -exists:%{i}.q.example ip4:192.0.2.1 -all",
            ],
            1,
        ),
        // Nothing passes behind it.
        (
            &[
                "d.example v=spf1 include:c.example -all",
                "c.example v=spf1 -exists:%{i}.q.example include:y.example -all",
                "y.example v=spf1 -all",
            ],
            0,
        ),
        // Everything passes behind it.
        (&["d.example v=spf1 exists:%{i}.q.example include:x.example -all", "x.example v=spf1 +all"], 0),
    ] {
        let found = run(&dns(lines), &lookups(most));
        assert_eq!(found.proof.minimal, "unknown", "{lines:?}");
    }
}

#[test]
fn a_name_to_keep_is_kept_though_its_term_decides_nothing() {
    let request = CompactRequest { keep: vec!["h.example".parse().unwrap()], ..lookups(0) };
    let lines = ["d.example v=spf1 ip4:192.0.2.1 -a:h.example -all", "h.example A 192.0.2.9"];
    assert!(run(&dns(&lines), &request).infeasible.is_some());
    // Also by what leads to it.
    let lines = [
        "d.example v=spf1 -include:p.example -all",
        "p.example v=spf1 a:h.example -all",
        "h.example A 192.0.2.9",
    ];
    assert!(run(&dns(&lines), &request).idle.is_empty());
}
