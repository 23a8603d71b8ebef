//! What the fuzz targets of `tests/fuzz` start from: texts that stand in this repository, written to `target/fuzz/seeds`, and
//! the words in them, for the fuzzer to put together anew (`cargo xtask fuzz`).

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at what it does not expect, and says what it found"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sendershift_tests::vectors::{File, files};
use serde_json::Value;

/// The largest seed, in octets: what is long is slow, and seldom shows more.
const LARGEST: usize = 40_000;

type Seeds = BTreeMap<&'static str, BTreeSet<Vec<u8>>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn add(seeds: &mut Seeds, target: &'static str, seed: impl Into<Vec<u8>>) {
    let seed = seed.into();
    if seed.len() <= LARGEST {
        seeds.entry(target).or_default().insert(seed);
    }
}

/// The octets of a text in base64url, as far as it is one.
fn octets(text: &str) -> Vec<u8> {
    let digit =
        |c| b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".iter().position(|d| *d == c);
    let bits: Vec<bool> = text
        .bytes()
        .filter_map(digit)
        .flat_map(|value| (0..6).rev().map(move |bit| value >> bit & 1 == 1))
        .collect();
    bits.chunks_exact(8).map(|octet| octet.iter().fold(0, |all, bit| all << 1 | u8::from(*bit))).collect()
}

/// All texts below a folder whose name ends so.
fn texts(folder: &Path, ending: &str) -> Vec<String> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let text = |path: PathBuf| match path {
        folder if folder.is_dir() => texts(&folder, ending),
        path if path.to_string_lossy().ends_with(ending) => fs::read_to_string(path).into_iter().collect(),
        _ => Vec::new(),
    };
    paths.into_iter().flat_map(text).collect()
}

/// Sorts the strings of a document by what they look like.
fn strings(seeds: &mut Seeds, value: &Value) {
    match value {
        Value::String(text) => {
            let start = text.trim_start().to_ascii_lowercase();
            if start.starts_with("v=spf1") {
                add(seeds, "spf_parse", text.as_str());
            } else if start.starts_with("v=dmarc1") {
                add(seeds, "dmarc", text.as_str());
            } else if start.starts_with("version: stsv1") || start.starts_with("v=stsv1") {
                add(seeds, "mta_sts", text.as_str());
            } else if start.starts_with("v=dkim1") || start.contains("p=") {
                add(seeds, "dkim", text.as_str());
            } else if text.contains('\n') && text.contains("SOA") {
                add(seeds, "zone", text.as_str());
            } else if text.contains('.') && !text.contains(' ') {
                add(seeds, "names", text.as_str());
            }
        }
        Value::Array(values) => values.iter().for_each(|value| strings(seeds, value)),
        Value::Object(fields) => {
            if fields.get("format").is_some_and(|format| format == "sendershift-snapshot/1") {
                add(seeds, "snapshot", value.to_string());
            }
            fields.values().for_each(|value| strings(seeds, value));
        }
        _ => {}
    }
}

fn seeds() -> Seeds {
    let mut seeds = Seeds::new();
    let tests = root().join("tests");
    for path in files(&tests.join("vectors")) {
        let File { op, cases, .. } = File::read(&path).unwrap();
        for case in cases {
            strings(&mut seeds, &case.input);
            // Each is answered twice.
            if case.input.to_string().len() < 5000 {
                add(&mut seeds, "wire", format!("{op}\n{}", case.input));
            }
            for (of, target) in [("dmarc.parse", "dmarc"), ("dkim.parse", "dkim"), ("spf.parse", "spf_parse")]
            {
                if let Some(record) = case.input.get("record").and_then(Value::as_str).filter(|_| of == op) {
                    add(&mut seeds, target, record);
                }
            }
            if let Some(message) =
                case.input.get("message").and_then(Value::as_str).filter(|_| op == "dns.read")
            {
                add(&mut seeds, "message", octets(message));
            }
            if let Some(name) = case.input.get("name").and_then(Value::as_str) {
                add(&mut seeds, "names", name);
            }
        }
    }
    for text in texts(&tests.join("zones"), ".zone") {
        add(&mut seeds, "zone", text);
    }
    let examples = root().join("docs/examples");
    for text in texts(&tests.join("plans"), ".json").into_iter().chain(texts(&examples, ".json")) {
        let document: Value = serde_json::from_str(&text).unwrap();
        strings(&mut seeds, &document);
        if document.get("format").is_some_and(|format| format == "sendershift-plan/1") {
            add(&mut seeds, "plan", text);
        }
    }
    for text in texts(&examples, ".toml") {
        add(&mut seeds, "migration", text);
    }
    examples_in_text(&mut seeds, &fs::read_to_string(root().join("docs/format.md")).unwrap());
    // Octets from which an estate is drawn: any will do.
    let mut state = 7208_u64;
    for _ in 0..256 {
        let mut octet = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        let seed: Vec<u8> = (0..600).map(|_| octet()).collect();
        add(&mut seeds, "spf_policy", seed);
    }
    seeds
}

/// The examples in a page: small ones, unlike those in files.
fn examples_in_text(seeds: &mut Seeds, page: &str) {
    let snapshot = r#"{ "format": "sendershift-snapshot/1", "closed": true, "answers": [] }"#;
    let dns: Value = serde_json::from_str(snapshot).unwrap();
    for (about, text) in page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')) {
        match about.split(' ').collect::<Vec<_>>().as_slice() {
            ["toml", "migration"] => {
                let input = serde_json::json!({ "migration": text, "dns": dns });
                add(seeds, "wire", format!("plan\n{input}"));
                add(seeds, "migration", text);
            }
            ["json", "plan"] => {
                add(seeds, "wire", format!("prove\n{text}"));
                add(seeds, "plan", text);
            }
            ["json", "snapshot"] => add(seeds, "snapshot", text),
            ["dns", "zone"] => add(seeds, "zone", text),
            ["json", "input", operation] => add(seeds, "wire", format!("{operation}\n{text}")),
            _ => {}
        }
    }
}

/// The words of some seeds, as a dictionary of libFuzzer.
fn dictionary(seeds: &BTreeSet<Vec<u8>>) -> String {
    let mut count = BTreeMap::<&str, usize>::new();
    for text in seeds.iter().filter_map(|seed| std::str::from_utf8(seed).ok()) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_/:=%".contains(c);
        for word in text.split(|c| !is_part(c)).filter(|word| (2..=24).contains(&word.len())) {
            *count.entry(word).or_default() += 1;
        }
    }
    let mut words: Vec<(&str, usize)> = count.into_iter().collect();
    words.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    words.iter().take(400).fold(String::new(), |mut text, (word, _)| {
        let _ = writeln!(text, "\"{word}\"");
        text
    })
}

#[test]
fn every_target_has_seeds() {
    let out = root().join("target/fuzz");
    let (folders, dictionaries) = (out.join("seeds"), out.join("words"));
    for folder in [&folders, &dictionaries] {
        if folder.exists() {
            fs::remove_dir_all(folder).unwrap();
        }
        fs::create_dir_all(folder).unwrap();
    }
    let seeds = seeds();
    for (target, seeds) in &seeds {
        fs::create_dir(folders.join(target)).unwrap();
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folders.join(target).join(format!("{number:04}")), seed).unwrap();
        }
        let words = dictionary(seeds);
        if !words.is_empty() {
            fs::write(dictionaries.join(target), words).unwrap();
        }
    }
    for target in targets() {
        let found = seeds.get(target.as_str()).map_or(0, BTreeSet::len);
        println!("{target}: {found} seeds");
        assert!(found > 0, "{target} has no seeds");
    }
}

/// The targets, by their files.
fn targets() -> BTreeSet<String> {
    let folder = fs::read_dir(root().join("tests/fuzz/targets")).unwrap();
    folder.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}
