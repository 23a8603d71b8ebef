//! The plans that are broken on purpose.

use std::fs;
use std::path::PathBuf;

/// A name, and the plan document or why there is none.
pub(crate) type Named = (String, Result<String, String>);

/// Plans that have to be safe. What computes a plan (a planner, an example) gets a line here.
pub(crate) fn safe() -> Vec<Named> {
    files("safe-")
}

/// Plans that have to be unsafe as they are.
pub(crate) fn broken() -> Vec<Named> {
    files("broken-")
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
