use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{KeyRecord, KeyState, Selector, key};
use crate::dns::Snapshot;

pub(super) const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkpmino0khlfiOzz0FJpKqQkHa38CT198fVLwbFcSj6SCok47fcSJkjLjdKrzOjT0jxSlPmYzhfIHDTY5sAxktEORmhU8ZkgPSWlFsCoDstl6rEkT4pShlszUo/Z539AcBJNUAEW3z8DO3blImCYiGOBoNy+x25UGVphSbpcw/AQIDAQAB";
const RSA_512: &str = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK4xSZZR3+Mrf+O2dun7L1ZgWy6bBUeZILnV90bGIkrjnvUDgWKipHBKbSBBxS2ujW3FukBIpWzoEDX+QPQRtH0CAwEAAQ==";
const ED25519: &str = "bbw3kBeTdkocZgnJphAIQfWPdwW8pzBWg0Upd0i7G9c=";

fn state_of(records: &[String]) -> KeyState {
    let answer = BTreeMap::from([
        ("name", serde_json::json!("s1._domainkey.example.net")),
        ("type", serde_json::json!("TXT")),
        ("records", serde_json::json!(records)),
    ]);
    let document =
        serde_json::json!({ "format": "sendershift-snapshot/1", "closed": true, "answers": [answer] });
    let snapshot = Snapshot::from_json(&document.to_string()).unwrap();
    key(&snapshot, &"example.net".parse().unwrap(), &"s1".parse().unwrap())
}

fn name_of(state: &KeyState) -> String {
    match state {
        KeyState::Malformed(invalid) => invalid.problems[0].code.to_owned(),
        other => serde_json::to_value(other).unwrap()["state"].as_str().unwrap().to_owned(),
    }
}

/// RFC 6376 sections 3.6.1 and 6.1.2, RFC 8301 sections 3.1 and 3.2, RFC 8463 section 4.
#[test]
fn states() {
    for (record, state) in [
        (format!("v=DKIM1; p={RSA_1024}"), "usable"),
        (format!("p={ED25519}; k=ed25519"), "usable"),
        (format!("v=DKIM1; t=s; p={RSA_1024}"), "usable"),
        (format!("v=DKIM1; t=s : y; p={RSA_1024}"), "testing"),
        (format!("v=DKIM1; s=tlsrpt; p={RSA_1024}"), "not_for_email"),
        (format!("v=DKIM1; s=tlsrpt:email; p={RSA_1024}"), "usable"),
        (format!("v=DKIM1; h=sha1; p={RSA_1024}"), "dkim.no-usable-hash"),
        (format!("v=DKIM1; h=sha1:SHA256; p={RSA_1024}"), "usable"),
        (format!("v=DKIM1; k=rsa; p={RSA_512}"), "dkim.weak-key"),
        (format!("v=DKIM1; k=rsa; p={ED25519}"), "dkim.bad-key"),
        (format!("v=DKIM1; k=ed25519; p={RSA_1024}"), "dkim.bad-key"),
        (format!("v=DKIM1; k=falcon; p={ED25519}"), "dkim.unknown-algorithm"),
        ("v=DKIM1; t=y; p=".to_owned(), "revoked"),
        ("v=spf1 -all".to_owned(), "dkim.bad-version"),
    ] {
        assert_eq!(name_of(&state_of(std::slice::from_ref(&record))), state, "{record}");
    }
    let one = format!("v=DKIM1; p={RSA_1024}");
    assert_eq!(name_of(&state_of(&[one.clone(), one])), "dkim.several-records");
    assert_eq!(state_of(&[]), KeyState::Absent);
}

#[test]
fn a_usable_key_is_only_a_whole_one() {
    let record = format!("v=DKIM1; p={RSA_1024}");
    for length in 0..record.len() {
        let state = state_of(&[record.chars().take(length).collect()]);
        // Cut right after `p=` it is a revoked key, which is no pass either.
        assert!(!state.is_usable(), "{length}: {state:?}");
    }
}

#[test]
fn keys_behind_aliases_and_failures() {
    let document = format!(
        r#"{{"format":"sendershift-snapshot/1","answers":[
        {{"name":"a._domainkey.example.net","type":"CNAME","records":["k.example.org"]}},
        {{"name":"k.example.org","type":"TXT","records":[["v=DKIM1; k=ed25519; ","p={ED25519}"]]}},
        {{"name":"b._domainkey.example.net","type":"TXT","status":"servfail"}},
        {{"name":"d._domainkey.example.net","type":"TXT","status":"nxdomain"}}]}}"#
    );
    let snapshot = Snapshot::from_json(&document).unwrap();
    for (selector, state) in [("a", "usable"), ("b", "failed"), ("c", "unknown"), ("d", "absent")] {
        let found = key(&snapshot, &"example.net".parse().unwrap(), &selector.parse().unwrap());
        assert_eq!(name_of(&found), state, "{selector}");
    }
}

/// RFC 6376 section 3.1.
#[test]
fn selectors() {
    let domain = "example.net".parse().unwrap();
    for (text, name) in [
        ("S1", "s1._domainkey.example.net"),
        ("march.2022", "march.2022._domainkey.example.net"),
        ("k_2", "k_2._domainkey.example.net"),
    ] {
        assert_eq!(text.parse::<Selector>().unwrap().key_name(&domain).unwrap().as_str(), name);
    }
    for text in ["", ".", "a..b", "a b", "a;b", "a*"] {
        assert!(text.parse::<Selector>().is_err(), "{text}");
    }
    let long: Selector = "abcdefg.".repeat(31).parse().unwrap();
    assert_eq!(long.key_name(&domain).unwrap_err().code, "name.too-long");
}

fn tag() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("v=DKIM1".to_owned()),
        Just(format!("p={RSA_1024}")),
        Just("p=".to_owned()),
        "k=(rsa|other)",
        "h=sha(1|256)( : sha256)?",
        "s=(email|[*]|x)",
        "t=[ys](:[ys])?",
        "[a-z]{1,3} ?= ?[!-:<-~]{0,5}",
        "\\PC{0,6}",
    ]
}

proptest! {
    #[test]
    fn round_trip(tags in proptest::collection::vec(tag(), 1..6)) {
        if let Ok(record) = KeyRecord::parse(tags.join(" ;").as_bytes()) {
            let again: KeyRecord = record.to_string().parse().unwrap();
            prop_assert_eq!(&again, &record);
            prop_assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(&record).unwrap());
        }
    }

    #[test]
    fn never_panics(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = KeyRecord::parse(&octets);
    }
}

/// A finding shows the record in as many octets as it has, whatever they are.
#[test]
fn places_in_records_that_are_no_text() {
    let text = r#"{"format":"sendershift-snapshot/1","closed":true,"answers":[
        {"name":"s1._domainkey.shop.example","type":"TXT","records":["v=DKIM1; p=\\151\\233"]}]}"#;
    let snapshot = crate::dns::Snapshot::from_json(text).unwrap();
    let report = super::lint(&snapshot, &["shop.example".parse().unwrap()], &[], None).unwrap();
    let finding = &report.findings[0];
    assert_eq!(finding.record.as_deref(), Some("v=DKIM1; p=??"));
    assert_eq!(finding.problem.span, Some(crate::error::Span::new(11, 12)));
}
