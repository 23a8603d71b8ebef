//! The plans that are broken on purpose.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

/// A name, and the plan document or why there is none.
pub(crate) type Named = (String, Result<String, String>);

/// Plans that have to be safe. What computes a plan (a planner, an example) gets a line here.
pub(crate) fn safe() -> Vec<Named> {
    let mut plans = files("safe-");
    plans.push(("qualys".to_owned(), planned("qualys")));
    plans
}

/// Those whose waits are there for what no declared message meets, or for what is a condition: nearly all of their mutants are as safe, and
/// would say nothing about the mail that the operators aim at.
const WITH_UNMET_WAITS: [&str; 6] = [
    "authorisation-of-others-without-its-alias",
    "mail-exchange-that-may-be-a-wildcards",
    "own-policy-before-a-name-comes-under-np",
    "policy-of-mta-sts-withdrawn-and-cleared-away",
    "return-path-retired-with-where-it-leads",
    "web-server-of-mta-sts-before-its-record",
];

/// The safe ones of the corpus.
pub(crate) fn corpus() -> Vec<Named> {
    let all = named(concat!(env!("CARGO_MANIFEST_DIR"), "/plans/corpus/safe"), "");
    all.into_iter().filter(|(name, _)| !WITH_UNMET_WAITS.contains(&name.as_str())).collect()
}

/// What the planner makes of an example.
fn planned(example: &str) -> Result<String, String> {
    let folder = format!("{}/../docs/examples/{example}", env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| {
        let path = format!("{folder}/{file}");
        fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
    };
    let dns: Value = serde_json::from_str(&read("dns.json")?).map_err(|error| error.to_string())?;
    let input = json!({ "migration": read("migration.toml")?, "dns": dns });
    let plan = sendershift::wire::call("plan", &input.to_string());
    if plan.contains("sendershift-plan/1") { Ok(plan) } else { Err(plan) }
}

/// Plans that have to be unsafe as they are.
pub(crate) fn broken() -> Vec<Named> {
    files("broken-")
}

/// Plans that lose no message as long as they go forward, and have to be unsafe all the same: the simulator has no part in them.
pub(crate) fn beside_the_mail() -> Vec<Named> {
    let unsafe_plans = |prefix| named(concat!(env!("CARGO_MANIFEST_DIR"), "/plans/corpus/unsafe"), prefix);
    ["p2.refused", "p3.", "p4.given-up-referenced", "p7.", "p8.", "p10."]
        .into_iter()
        .flat_map(unsafe_plans)
        .collect()
}

/// Plans that the simulator has drawn at random, if it has: `cargo xtask test mutation`.
pub(crate) fn drawn() -> Vec<(String, String)> {
    let named = named(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/drawn"), "");
    named.into_iter().filter_map(|(name, text)| Some((name, text.ok()?))).collect()
}

fn files(prefix: &str) -> Vec<Named> {
    named(concat!(env!("CARGO_MANIFEST_DIR"), "/plans"), prefix)
}

/// The plans of a folder whose names begin so, sorted.
fn named(folder: &str, prefix: &str) -> Vec<Named> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let named = paths.into_iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_suffix(".json")?.to_owned();
        let text = || fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()));
        name.starts_with(prefix).then(|| (name, text()))
    });
    named.collect()
}
