//! The test suite of RFC 7208 by the `OpenSPF` project, as it comes with pyspf.
//!
//! The file is not part of this repository: `cargo xtask test suite` obtains it. A scenario is a set of cases and
//! the DNS that they are judged in; [`Scenario::snapshot`] is that DNS in our own format.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::yaml;

/// The types that a name with `TIMEOUT` does not answer for, unless records are given.
const ASKED: [&str; 5] = ["A", "AAAA", "MX", "PTR", "TXT"];

/// Cases and the DNS that they are judged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// What it is about; unique in the suite.
    pub description: String,
    /// The cases, by name.
    pub tests: Vec<Case>,
    /// What DNS has at each name.
    pub zone: Vec<(String, Vec<ZoneEntry>)>,
}

/// One call of `check_host()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The name, unique in its scenario.
    pub name: String,
    /// The sections of RFC 7208 that it is about.
    pub spec: String,
    /// What the client said in HELO or EHLO.
    pub helo: String,
    /// The client's address.
    pub host: String,
    /// The MAIL FROM; empty for the null sender.
    pub mail_from: String,
    /// The results that are right, the preferred one first.
    pub results: Vec<String>,
    /// The explanation that goes with `fail`; `DEFAULT` for the receiver's own.
    pub explanation: Option<String>,
}

/// One thing that DNS has at a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneEntry {
    /// Questions without records here are not answered.
    Timeout,
    /// One record.
    Record {
        /// The record type.
        kind: String,
        /// The character-strings of TXT and SPF, preference and host of MX, one text for the others.
        data: Vec<String>,
    },
}

/// The file, if it is there.
///
/// # Errors
///
/// If it is there and cannot be read, or if it is not there in a run in which nothing may be skipped.
pub fn obtained() -> Result<Option<Vec<Scenario>>, String> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/suite/rfc7208-tests.yml");
    let path = env::var_os("SENDERSHIFT_SUITE").map_or_else(|| PathBuf::from(default), PathBuf::from);
    match fs::read_to_string(&path) {
        Ok(text) => read(&text).map(Some),
        Err(_) if !path.exists() && env::var_os("SENDERSHIFT_CI").is_none_or(|value| value != "1") => {
            Ok(None)
        }
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Reads the suite.
///
/// # Errors
///
/// If the text is not YAML, or not of the suite's form.
pub fn read(text: &str) -> Result<Vec<Scenario>, String> {
    yaml::documents(text)?
        .into_iter()
        .map(|document| {
            let raw = RawScenario::deserialize(document).map_err(|error| error.to_string())?;
            Scenario::try_from(raw)
        })
        .collect()
}

impl Scenario {
    /// The DNS of the scenario as a closed snapshot (`sendershift-snapshot/1`).
    pub fn snapshot(&self) -> String {
        let answers: Vec<Value> =
            self.zone.iter().flat_map(|(name, entries)| answers(name, entries)).collect();
        json!({ "format": "sendershift-snapshot/1", "closed": true, "answers": answers }).to_string()
    }
}

fn answers(name: &str, entries: &[ZoneEntry]) -> Vec<Value> {
    let mut by_type: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for entry in entries {
        if let ZoneEntry::Record { kind, data } = entry {
            let records = by_type.entry(kind).or_default();
            if !is_none(data) {
                records.push(record(kind, data));
            }
        }
    }
    // Where TXT is not spoken of, the records of type SPF are meant for it; else they are no concern of RFC 7208.
    if let Some(spf) = by_type.remove("SPF") {
        by_type.entry("TXT").or_insert(spf);
    }
    if entries.contains(&ZoneEntry::Timeout) {
        by_type.retain(|_, records| !records.is_empty());
    }
    let given = by_type
        .iter()
        .map(|(kind, records)| json!({ "name": name_text(name), "type": kind, "records": records }));
    let silent =
        ASKED.iter().filter(|kind| entries.contains(&ZoneEntry::Timeout) && !by_type.contains_key(**kind));
    let silent = silent.map(|kind| json!({ "name": name_text(name), "type": kind, "status": "timeout" }));
    given.chain(silent).collect()
}

fn is_none(data: &[String]) -> bool {
    data == ["NONE"]
}

fn record(kind: &str, data: &[String]) -> Value {
    match (kind, data) {
        // A record without any string cannot exist in DNS; one empty string is the nearest.
        ("TXT" | "SPF", []) => json!(""),
        ("TXT" | "SPF", [one]) => json!(escaped(one, ' ')),
        ("TXT" | "SPF", strings) => strings.iter().map(|string| escaped(string, ' ')).collect(),
        ("MX", [preference, host]) => json!(format!("{preference} {}", name_text(host))),
        ("CNAME" | "PTR", [name]) => json!(name_text(name)),
        (_, data) => json!(data.join(" ")),
    }
}

fn name_text(name: &str) -> String {
    if name.is_empty() { ".".to_owned() } else { escaped(name, '!') }
}

/// Presentation form: characters from `first` up to `~` as they are, other octets as `\DDD`.
///
/// The suite writes octets as characters up to U+00FF.
fn escaped(text: &str, first: char) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match u8::try_from(c) {
            Ok(b'\\') => out.push_str("\\\\"),
            Ok(octet @ ..=b'~') if c >= first => out.push(char::from(octet)),
            Ok(octet) => out.push_str(&ddd(octet)),
            Err(_) => c.encode_utf8(&mut [0; 4]).bytes().for_each(|octet| out.push_str(&ddd(octet))),
        }
    }
    out
}

fn ddd(octet: u8) -> String {
    format!("\\{octet:03}")
}

#[derive(Deserialize)]
struct RawScenario {
    description: String,
    tests: BTreeMap<String, RawCase>,
    zonedata: BTreeMap<String, Vec<RawEntry>>,
}

#[derive(Deserialize)]
struct RawCase {
    spec: OneOrMany,
    helo: String,
    host: String,
    mailfrom: String,
    result: OneOrMany,
    explanation: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawEntry {
    Word(String),
    Record(BTreeMap<String, OneOrMany>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

impl TryFrom<RawScenario> for Scenario {
    type Error = String;

    fn try_from(raw: RawScenario) -> Result<Self, String> {
        let tests = raw.tests.into_iter().map(|(name, case)| Case {
            name,
            spec: case.spec.into_vec().join(", "),
            helo: case.helo,
            host: case.host,
            mail_from: case.mailfrom,
            results: case.result.into_vec(),
            explanation: case.explanation,
        });
        let mut zone = Vec::new();
        for (name, raw) in raw.zonedata {
            let mut entries = Vec::new();
            for entry in raw {
                match entry {
                    RawEntry::Word(word) if word == "TIMEOUT" => entries.push(ZoneEntry::Timeout),
                    RawEntry::Word(word) => return Err(format!("{name}: `{word}` is no record")),
                    RawEntry::Record(record) => entries.extend(
                        record
                            .into_iter()
                            .map(|(kind, data)| ZoneEntry::Record { kind, data: data.into_vec() }),
                    ),
                }
            }
            zone.push((name, entries));
        }
        Ok(Self { description: raw.description, tests: tests.collect(), zone })
    }
}

#[cfg(test)]
mod tests;
