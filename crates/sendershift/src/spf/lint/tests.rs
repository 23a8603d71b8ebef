//! Hostile trees end soon, and what was not judged is said. What findings look like is in `tests/vectors/spf/lint-*.json`.

use crate::dns::Snapshot;
use crate::spf::{Profile, lint};

/// The codes of what is found at `d0.example`, where each record is the SPF record of the domain with its number.
fn codes(records: impl IntoIterator<Item = String>) -> Vec<&'static str> {
    let answer =
        |(n, record)| format!(r#"{{"name":"d{n}.example","type":"TXT","records":["v=spf1 {record}"]}}"#);
    let answers: Vec<String> = records.into_iter().enumerate().map(answer).collect();
    let answers = answers.join(",");
    let dns = format!(r#"{{"format":"sendershift-snapshot/1","closed":true,"answers":[{answers}]}}"#);
    let report = lint(&Snapshot::from_json(&dns).unwrap(), "d0.example", None, &Profile::RFC7208).unwrap();
    report.findings.iter().map(|finding| finding.problem.code).collect()
}

#[test]
fn what_is_too_complex_is_never_clean() {
    let exists: Vec<String> = (0..400).rev().map(|n| format!("exists:%{{i}}.{n:03}.example")).collect();
    assert!(codes([exists.join(" ")]).contains(&"spf.too-complex"));
    let every: Vec<String> = (0..12).map(|n| format!("include:d{n}.example")).collect();
    assert!(codes((0..12).map(|_| every.join(" "))).contains(&"spf.too-complex"));
}

#[test]
fn many_terms_and_doubling_records_end() {
    let nets = (0..10_000).map(|n| format!("ip4:11.{}.{}.{}", n / 4096, n / 64 % 64, n % 64 * 4));
    let nets: Vec<String> = nets.collect();
    assert_eq!(codes([format!("{} -all", nets.join(" "))]), ["spf.large-answer"]);
    let twice = |n: usize| format!("include:d{}.example include:d{}.example -all", n + 1, n + 1);
    let found = codes((0..40).map(twice).chain(["-all".to_owned()]));
    assert!(found.contains(&"spf.over-limit-for-others"), "{found:?}");
}

/// The last depth that is judged, and the first that is not.
#[test]
fn a_hundred_records_deep() {
    let chain = |records: usize| {
        let each = (1..records).map(|n| format!("include:d{n}.example -all"));
        codes(each.chain(["-all".to_owned()]))
    };
    assert!(!chain(100).contains(&"spf.too-complex"));
    assert!(chain(101).contains(&"spf.too-complex"));
}
