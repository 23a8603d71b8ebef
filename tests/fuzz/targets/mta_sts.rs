//! A policy of MTA-STS survives being written and read, allows no more hosts than it says, and only one in mode `enforce` holds mail back.
#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use sendershift::adjacent::{MtaSts, MtaStsMode, MtaStsPolicy};
use sendershift::name::DomainName;
use sendershift::plan::Plan;
use sendershift::prove::prove;
use sendershift_fuzz::{check_plan, check_problems};
use serde_json::{Value, json};

/// A plan that adds a mail host to a domain with a policy.
const PLAN: &str = include_str!("../../plans/corpus/safe/second-host-that-no-policy-allows.json");

fuzz_target!(|octets: &[u8]| {
    if let Ok(record) = MtaSts::parse(octets) {
        assert!(MtaSts::is_mta_sts(octets));
        assert_eq!(MtaSts::parse(format!("v=STSv1; id={};", record.id).as_bytes()), Ok(record));
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let policy = MtaStsPolicy::parse(text);
    match &policy {
        Ok(policy) => check_policy(policy, text),
        Err(invalid) => check_problems(text, invalid),
    }
    if text.len() < 1000 {
        check_in_plan(text, policy.ok().map(|policy| policy.mode()));
    }
});

fn check_policy(policy: &MtaStsPolicy, text: &str) {
    assert_eq!(policy.text(), text);
    assert_eq!(serde_json::to_value(policy).unwrap(), text);
    assert!(policy.max_age() <= 31_557_600);
    assert!(policy.mode() == MtaStsMode::None || !policy.mx().is_empty());
    let again = MtaStsPolicy::parse(&written(policy)).expect("what was written can be read");
    let meaning = |policy: &MtaStsPolicy| (policy.mode(), policy.mx().to_vec(), policy.max_age());
    assert_eq!(meaning(&again), meaning(policy));
    if !text.contains('\r') && text.len() < 30_000 {
        let other = MtaStsPolicy::parse(&text.replace('\n', "\r\n")).expect("lines end in LF or CRLF");
        assert_eq!(meaning(&other), meaning(policy));
    }
    for pattern in policy.mx() {
        let name = pattern.to_string();
        let (base, allowed) = match name.strip_prefix("*.") {
            Some(base) => (base, vec![format!("a.{base}")]),
            None => (name.as_str(), vec![name.clone()]),
        };
        let host = |name: &str| name.parse::<DomainName>().ok();
        assert!(allowed.iter().filter_map(|name| host(name)).all(|host| pattern.matches(&host)));
        // Exactly one label (RFC 8461 section 4.1).
        let refused =
            [format!("a.b.{base}"), if name == base { format!("a.{base}") } else { base.to_owned() }];
        assert!(!refused.iter().filter_map(|name| host(name)).any(|host| pattern.matches(&host)), "{name}");
    }
}

/// A policy as its fields say.
fn written(policy: &MtaStsPolicy) -> String {
    let mode = match policy.mode() {
        MtaStsMode::Enforce => "enforce",
        MtaStsMode::Testing => "testing",
        MtaStsMode::None => "none",
    };
    let mut text = format!("version: STSv1\nmode: {mode}\nmax_age: {}\n", policy.max_age());
    for pattern in policy.mx() {
        let _ = writeln!(text, "mx: {pattern}");
    }
    text
}

/// A plan can be read if and only if its policy can, and is not unsafe for one that asks nothing.
fn check_in_plan(text: &str, mode: Option<MtaStsMode>) {
    let mut document: Value = serde_json::from_str(PLAN).unwrap();
    document["mta_sts"][0]["policy"] = json!(text);
    let plan = Plan::from_json(&document.to_string());
    assert_eq!(plan.is_ok(), mode.is_some(), "{plan:?}");
    let Ok(plan) = plan else { return };
    check_plan(&plan);
    let proof = prove(&plan).expect("the evidence is complete");
    let mut found = proof.promises.iter().filter_map(|promise| promise.counterexample.as_ref());
    assert!(mode == Some(MtaStsMode::Enforce) || found.all(|found| found.code != "p9.mta-sts"));
}
