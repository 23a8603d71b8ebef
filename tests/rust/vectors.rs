//! Runs `tests/vectors` through the core: one test for each case, named operation/file/case.

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use sendershift_tests::vectors::{Case, File, files};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors"));
    let mut trials: Vec<Trial> = files(root).iter().flat_map(|path| trials(root, path)).collect();
    if trials.is_empty() {
        trials.push(failing("vectors", format!("there are none in {}", root.display())));
    }
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

fn failing(name: &str, why: String) -> Trial {
    Trial::test(name.to_owned(), || Err(why.into()))
}
