//! Runs `tests/vectors` through the core: one test for each case, named operation/file/case.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use sendershift_tests::vectors::{Case, File, files};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors"));
    let mut trials: Vec<Trial> = files(root).iter().flat_map(|path| trials(root, path)).collect();
    let names: BTreeSet<String> = trials.iter().filter_map(case_of).collect();
    if names.is_empty() {
        trials.push(failing("vectors", format!("there are none in {}", root.display())));
    }
    let index = fs::read_to_string(root.join("unsound.md")).unwrap_or_default();
    trials.push(Trial::test("unsound.md", move || answered(&index, &names)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(root: &Path, path: &Path) -> Vec<Trial> {
    let shown = path.strip_prefix(root).unwrap_or(path).with_extension("").display().to_string();
    match File::read(path) {
        Ok(File { op, cases, .. }) => cases
            .into_iter()
            .map(|case| {
                let op = op.clone();
                Trial::test(format!("{op}/{shown}/{}", case.name), move || judge(&op, &case))
            })
            .collect(),
        Err(why) => vec![failing(&shown, why)],
    }
}

fn judge(op: &str, case: &Case) -> Result<(), Failed> {
    let output = sendershift::wire::call(op, &case.input.to_string());
    // An operation that does not exist is no answer, not even where an error is expected.
    if output.contains("\"wire.unknown-operation\"") {
        return Err(format!("there is no operation `{op}`").into());
    }
    Ok(case.compare(&output)?)
}

/// The file and the name of a case, without its operation.
fn case_of(trial: &Trial) -> Option<String> {
    Some(trial.name().split_once('/')?.1.to_owned())
}

/// Every line of what was seen elsewhere has its vectors, and they exist.
fn answered(index: &str, names: &BTreeSet<String>) -> Result<(), Failed> {
    let lines: Vec<&str> = index.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    if lines.is_empty() {
        return Err("the index has no lines".into());
    }
    for line in lines {
        let vectors = line.rsplit(" | ").next().unwrap_or_default().trim_end_matches(" |").split(", ");
        for vector in vectors {
            let is_there = vector.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
            if !is_there.is_some_and(|name| names.contains(name)) {
                return Err(format!("there is no case {vector}: {line}").into());
            }
        }
    }
    Ok(())
}

fn failing(name: &str, why: String) -> Trial {
    Trial::test(name.to_owned(), || Err(why.into()))
}
