//! The edit of one RRset.

use super::read::MINIMAL;
use crate::dns::snapshot::read_record_list;
use crate::dns::{Quality, RrSet};
use crate::document::{Reader, Value};
use crate::plan::{Change, Plan};

fn change(json: &str) -> Change {
    let from = r#"{ "name": "example.com", "type": "TXT", "ttl_before": 60, "remove": ["v=spf1 -all"] }"#;
    assert!(MINIMAL.contains(from));
    let plan =
        Plan::from_json(&MINIMAL.replace(from, &format!(r#"{{ "name": "a.example", {json} }}"#))).unwrap();
    plan.steps[4].changes[0].clone()
}

/// The RRset of a list in JSON.
fn rrset(change: &Change, json: &str, ttl: u32) -> Option<RrSet> {
    let Value { kind: crate::document::Kind::List(values), .. } = Value::from_json(json).unwrap() else {
        panic!()
    };
    let records = read_record_list(&mut Reader::default(), &values, change.record_type)?;
    Some(RrSet::new(records, Some(ttl), Quality::Cached))
}

/// The change, the RRset before, and after or the code of the error.
type Case = (&'static str, Option<&'static str>, Result<Option<&'static str>, &'static str>);

const CASES: &[Case] = &[
    // A name that is new.
    (r#""type": "TXT", "ttl_after": 60, "add": ["x"], "expect": "absent""#, None, Ok(Some(r#"["x"]"#))),
    (
        r#""type": "TXT", "ttl_after": 60, "add": ["x"], "expect": "absent""#,
        Some(r#"["y"]"#),
        Err("plan.expectation-fails"),
    ),
    (r#""type": "TXT", "ttl_after": 60, "add": ["x"]"#, None, Ok(Some(r#"["x"]"#))),
    // What is not named stays, in its place and with its strings.
    (
        r#""type": "TXT", "ttl_after": 60, "remove": ["a"], "add": ["b"]"#,
        Some(r#"["c", "a", ["d", "e"]]"#),
        Ok(Some(r#"["c", ["d", "e"], "b"]"#)),
    ),
    // Texts are compared by their joined octets, and by nothing less.
    (
        r#""type": "TXT", "ttl_after": 60, "remove": ["de"], "add": ["b"]"#,
        Some(r#"["c", ["d", "e"]]"#),
        Ok(Some(r#"["c", "b"]"#)),
    ),
    (
        r#""type": "TXT", "ttl_after": 60, "remove": ["C"], "add": ["b"]"#,
        Some(r#"["c"]"#),
        Err("plan.not-there"),
    ),
    (
        r#""type": "TXT", "ttl_after": 60, "add": ["de"]"#,
        Some(r#"["c", ["d", "e"]]"#),
        Ok(Some(r#"["c", ["d", "e"]]"#)),
    ),
    // What is there in other strings is there twice, and goes at once.
    (
        r#""type": "TXT", "ttl_after": 60, "add": ["de"]"#,
        Some(r#"["c", ["d", "e"], "de"]"#),
        Ok(Some(r#"["c", ["d", "e"], "de"]"#)),
    ),
    (
        r#""type": "TXT", "ttl_after": 60, "remove": ["de"]"#,
        Some(r#"["c", ["d", "e"], "de"]"#),
        Ok(Some(r#"["c"]"#)),
    ),
    (
        r#""type": "TXT", "ttl_after": 60, "add": ["x"], "expect": [["d", "e"]]"#,
        Some(r#"["de"]"#),
        Ok(Some(r#"["de", "x"]"#)),
    ),
    (
        r#""type": "TXT", "ttl_after": 60, "add": ["x"], "expect": ["de"]"#,
        None,
        Err("plan.expectation-fails"),
    ),
    (
        r#""type": "TXT", "ttl_after": 60, "add": ["x"], "expect": ["de", "f"]"#,
        Some(r#"["de"]"#),
        Err("plan.expectation-fails"),
    ),
    // Removal.
    (r#""type": "TXT", "remove": ["a"]"#, Some(r#"["a"]"#), Ok(None)),
    (r#""type": "TXT", "remove": ["a"]"#, Some(r#"["a", "b"]"#), Err("plan.records-remain")),
    (r#""type": "TXT", "remove": ["a"]"#, None, Err("plan.not-there")),
    (r#""type": "TXT", "ttl_after": 60, "remove": ["a"]"#, Some(r#"["a"]"#), Err("plan.nothing-remains")),
    // A TTL alone.
    (r#""type": "TXT", "ttl_before": 300, "ttl_after": 60"#, Some(r#"["a"]"#), Ok(Some(r#"["a"]"#))),
    (r#""type": "TXT", "ttl_before": 300, "ttl_after": 60"#, None, Err("plan.nothing-remains")),
    // Other types.
    (
        r#""type": "A", "ttl_after": 60, "remove": ["192.0.2.1"], "add": ["192.0.2.2"]"#,
        Some(r#"["192.0.2.3", "192.0.2.1"]"#),
        Ok(Some(r#"["192.0.2.3", "192.0.2.2"]"#)),
    ),
    (
        r#""type": "AAAA", "ttl_after": 60, "add": ["2001:db8::2"]"#,
        Some(r#"["2001:DB8:0::2"]"#),
        Ok(Some(r#"["2001:db8::2"]"#)),
    ),
    (
        r#""type": "MX", "ttl_after": 60, "add": ["5 B.example"]"#,
        Some(r#"["10 a.example."]"#),
        Ok(Some(r#"["5 b.example.", "10 a.example."]"#)),
    ),
    (
        r#""type": "MX", "ttl_after": 60, "remove": ["10 b.example"]"#,
        Some(r#"["20 b.example."]"#),
        Err("plan.not-there"),
    ),
    (
        r#""type": "NS", "ttl_after": 60, "add": ["b.example"]"#,
        Some(r#"["a.example."]"#),
        Ok(Some(r#"["a.example.", "b.example."]"#)),
    ),
    (r#""type": "PTR", "ttl_after": 60, "add": ["b.example"]"#, None, Ok(Some(r#"["b.example."]"#))),
    (
        r#""type": "CAA", "ttl_after": 60, "remove": ["0 issue \"a\""], "add": ["0 issue \"b\""]"#,
        Some(r#"["0 issue \"a\""]"#),
        Ok(Some(r#"["0 issue \"b\""]"#)),
    ),
    (
        r#""type": "CNAME", "ttl_after": 60, "remove": ["a.example"], "add": ["b.example"]"#,
        Some(r#"["A.example."]"#),
        Ok(Some(r#"["b.example."]"#)),
    ),
    (
        r#""type": "CNAME", "ttl_after": 60, "add": ["b.example"]"#,
        Some(r#"["a.example."]"#),
        Err("plan.several-records"),
    ),
    (r#""type": "CNAME", "remove": ["a.example"]"#, Some(r#"["a.example."]"#), Ok(None)),
    (
        r#""type": "SOA", "ttl_before": 60, "ttl_after": 60, "remove": ["a. b. 1 2 3 4 5"], "add": ["a. b. 2 2 3 4 9"]"#,
        Some(r#"["a. b. 1 2 3 4 5"]"#),
        Ok(Some(r#"["a. b. 2 2 3 4 9"]"#)),
    ),
];

#[test]
fn table() {
    for (edit, before, expected) in CASES.iter().copied() {
        let change = change(edit);
        let before = before.and_then(|json| rrset(&change, json, 3600));
        let expected = expected.map(|after| {
            let after = after.and_then(|json| rrset(&change, json, 60))?;
            Some(RrSet::new(after.records().clone(), Some(60), Quality::Authoritative))
        });
        assert_eq!(change.apply(before.as_ref()).map_err(|error| error.code()), expected, "{edit}");
    }
}

#[test]
fn a_second_time_is_refused_or_changes_nothing() {
    let swap = change(r#""type": "TXT", "ttl_after": 60, "remove": ["a"], "add": ["b"]"#);
    let once = swap.apply(rrset(&swap, r#"["a"]"#, 60).as_ref()).unwrap();
    assert_eq!(swap.apply(once.as_ref()).unwrap_err().to_string(), "to be removed, but not there: a");
    let add = change(r#""type": "TXT", "ttl_after": 60, "add": ["b"]"#);
    let once = add.apply(None).unwrap();
    assert_eq!(add.apply(once.as_ref()), Ok(once));
}

#[test]
fn records_of_another_type_are_refused() {
    let txt = change(r#""type": "TXT", "ttl_after": 60, "add": ["b"]"#);
    let mut mixed = change(r#""type": "A", "ttl_after": 60, "add": ["192.0.2.1"]"#);
    let before = rrset(&txt, r#"["a"]"#, 60);
    assert_eq!(mixed.apply(before.as_ref()).unwrap_err().code(), "plan.wrong-type");
    mixed.add.clone_from(&txt.add);
    assert_eq!(mixed.apply(None).unwrap_err().code(), "plan.wrong-type");
}
