//! Runs a file of vectors (`tests/vectors`) against one operation.

use serde::Serialize;
use serde_json::{Value, json};

/// The text at a key of an input.
pub(crate) fn text<'v>(input: &'v Value, key: &str) -> &'v str {
    input[key].as_str().unwrap_or_else(|| panic!("`{key}` is no text in {input}"))
}

/// A result as a vector has it.
pub(crate) fn outcome<T: Serialize, E: Serialize>(result: Result<T, E>) -> Value {
    match result {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "error": error }),
    }
}

/// Runs every case; objects of a case may leave keys out, everything else must be equal.
pub(crate) fn run(file: &str, op: &str, operation: impl Fn(&Value) -> Value) {
    let file: Value = serde_json::from_str(file).unwrap();
    assert_eq!((&file["format"], &file["op"]), (&json!(1), &json!(op)));
    let cases = file["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let found = operation(&case["input"]);
        let expected: Vec<&str> = ["ok", "error"].into_iter().filter(|key| !case[*key].is_null()).collect();
        let [key] = expected[..] else { panic!("{}: expected one of `ok` and `error`", case["name"]) };
        let place = differs(&case[key], &found[key]);
        assert_eq!(place, None, "{}: found {found:#}", case["name"]);
    }
}

/// Where a value is not as expected.
fn differs(expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(fields), Value::Object(_)) => fields
            .iter()
            .find_map(|(key, value)| differs(value, &found[key]).map(|place| format!("{key}.{place}"))),
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            left.iter().zip(right).enumerate().find_map(|(index, (left, right))| {
                differs(left, right).map(|place| format!("{index}.{place}"))
            })
        }
        _ => (expected != found).then(|| format!("expected {expected}, found {found}")),
    }
}

#[test]
fn a_case_that_differs_is_seen() {
    let expected = json!({ "a": [{ "b": 1 }] });
    assert_eq!(differs(&expected, &json!({ "a": [{ "b": 1, "c": 2 }], "d": 3 })), None);
    for found in [
        json!({ "a": [{ "b": 2 }] }),
        json!({ "a": [] }),
        json!({ "a": [{ "b": 1 }, 1] }),
        json!({}),
        json!(1),
    ] {
        assert!(differs(&expected, &found).is_some(), "{found}");
    }
}
