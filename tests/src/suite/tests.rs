//! The conversion on small zones of our own, and the size and soundness of the real file where it is.

use sendershift::dns::{RecordType, Txt};
use sendershift::name::DomainName;
use serde_json::{Value, json};

use super::{obtained, read};

/// The answers for one name with the given entries.
fn answers(entries: &str) -> Value {
    let text = format!("description: d\ntests: {{}}\nzonedata:\n  n.example:\n{entries}");
    let scenarios = read(&text).unwrap();
    let snapshot: Value = serde_json::from_str(&scenarios[0].snapshot()).unwrap();
    assert_eq!(snapshot["format"], "sendershift-snapshot/1");
    assert_eq!(snapshot["closed"], true);
    snapshot["answers"].clone()
}

fn given(kind: &str, records: &Value) -> Value {
    json!({ "name": "n.example", "type": kind, "records": records })
}

fn silent(kind: &str) -> Value {
    json!({ "name": "n.example", "type": kind, "status": "timeout" })
}

#[test]
fn spf_stands_for_txt_unless_txt_is_spoken_of() {
    assert_eq!(answers("    - SPF: v=spf1 a\n"), json!([given("TXT", &json!(["v=spf1 a"]))]));
    assert_eq!(answers("    - SPF: v=spf1 a\n    - TXT: other\n"), json!([given("TXT", &json!(["other"]))]));
    assert_eq!(answers("    - SPF: v=spf1 a\n    - TXT: NONE\n"), json!([given("TXT", &json!([]))]));
}

#[test]
fn timeout_is_for_types_without_records() {
    let all = ["A", "AAAA", "MX", "PTR", "TXT"].map(silent);
    assert_eq!(answers("    - TIMEOUT\n"), json!(all));
    assert_eq!(answers("    - SPF: v=spf1 a\n    - TXT: NONE\n    - TIMEOUT\n"), json!(all));
    let mut but_txt = vec![given("TXT", &json!(["v=spf1"]))];
    but_txt.extend(["A", "AAAA", "MX", "PTR"].map(silent));
    assert_eq!(answers("    - TXT: v=spf1\n    - TIMEOUT\n"), json!(but_txt));
}

#[test]
fn records_are_in_presentation_form() {
    let txt = "    - TXT: [ \"a\\x00\\x80\", 'b\\ \"' ]\n    - TXT: [ ]\n";
    assert_eq!(answers(txt), json!([given("TXT", &json!([["a\\000\\128", "b\\\\ \""], ""]))]));
    let mx = "    - MX: [0, \"\"]\n    - MX: [10, 'a b%.example']\n";
    assert_eq!(answers(mx), json!([given("MX", &json!(["0 .", "10 a\\032b%.example"]))]));
    let two = "    - A: 192.0.2.1\n    - AAAA: 2001:db8::1\n    - A: 192.0.2.2\n";
    let expected = [given("A", &json!(["192.0.2.1", "192.0.2.2"])), given("AAAA", &json!(["2001:db8::1"]))];
    assert_eq!(answers(two), json!(expected));
}

#[test]
fn unknown_words_are_refused() {
    assert!(read("description: d\ntests: {}\nzonedata:\n  n.example:\n    - SOMETIMES\n").is_err());
}

#[test]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn the_suite_is_whole_and_its_snapshots_are_sound() {
    let Some(scenarios) = obtained().unwrap() else {
        println!("skipped: the suite of RFC 7208 is not there, `cargo xtask test suite` obtains it");
        return;
    };
    assert_eq!(scenarios.len(), 16);
    assert_eq!(scenarios.iter().map(|scenario| scenario.tests.len()).sum::<usize>(), 203);
    for scenario in &scenarios {
        for case in &scenario.tests {
            let results = ["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"];
            assert!(!case.results.is_empty(), "{}", case.name);
            assert!(case.results.iter().all(|result| results.contains(&result.as_str())), "{}", case.name);
            assert!(case.host.parse::<std::net::IpAddr>().is_ok(), "{}", case.name);
        }
        let snapshot: Value = serde_json::from_str(&scenario.snapshot()).unwrap();
        for answer in snapshot["answers"].as_array().unwrap() {
            let name = answer["name"].as_str().unwrap();
            DomainName::parse(name).unwrap_or_else(|problem| panic!("{name}: {problem}"));
            let kind: RecordType = answer["type"].as_str().unwrap().parse().unwrap();
            if kind == RecordType::Txt {
                answer["records"].as_array().into_iter().flatten().for_each(sound_text);
            }
        }
    }
}

fn sound_text(record: &Value) {
    let read = match record.as_array() {
        Some(strings) => Txt::from_strings(&strings.iter().map(|s| s.as_str().unwrap()).collect::<Vec<_>>()),
        None => Txt::from_text(record.as_str().unwrap()),
    };
    read.unwrap_or_else(|problem| panic!("{record}: {problem}"));
}
