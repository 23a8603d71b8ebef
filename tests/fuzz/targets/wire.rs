//! Every operation answers every input with a document. The first line names the operation.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use sendershift::wire::{call, operations};
use sendershift_fuzz::mutate;
use serde_json::Value;

// Mostly the document, behind the name of the operation.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let name = data[..size].iter().position(|octet| *octet == b'\n').map_or(0, |at| at + 1);
    if seed % 16 == 0 || name == size || name >= max_size {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    name + mutate::json(&mut data[name..], size - name, max_size - name, seed)
});

fuzz_target!(|text: &str| {
    let (operation, input) = text.split_once('\n').unwrap_or((text, ""));
    // An unknown operation is the one whose place in the list its length is.
    let known = operations().find(|name| *name == operation);
    let Some(operation) = known.or_else(|| operations().nth(operation.len())) else { return };
    let output = call(operation, input);
    let document: Value = serde_json::from_str(&output).expect("the output is JSON");
    assert!(document.is_object() || operation == "lint.rules", "{output}");
    match document["format"].as_str() {
        Some("sendershift-error/1") => {
            let problems = document["problems"].as_array().expect("a list of problems");
            assert_eq!(document["code"], problems[0]["code"]);
            assert!(
                problems
                    .iter()
                    .all(|problem| problem["message"].as_str().is_some_and(|text| !text.is_empty()))
            );
        }
        Some("sendershift-missing/1") => {
            assert!(!document["questions"].as_array().expect("a list of questions").is_empty());
        }
        _ => assert!(document.get("unwritable").is_none(), "{output}"),
    }
    assert_eq!(call(operation, input), output, "the same input gives the same octets");
});
