//! Hostile sizes: each case is a process of its own, whose time and memory are printed.

use std::process::{Child, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::process::{Outcome, Stop, Workspace, printed, run};

/// No case takes nearly as long: one that does hangs.
const HANGS: Duration = Duration::from_mins(5);

/// What a case of the test run may spend: seconds of processor time, and MiB. Four times what any does on a common machine, as the same
/// one was seen to be half as fast on another day, and far less than whatever grows with the square of its input.
const MOST: (f64, f64) = (120.0, 1024.0);

/// The cases that end soon, as a part of the test run: they may not spend more than [`MOST`].
///
/// # Errors
///
/// [`Stop::Failed`] with the cases that crashed, hang or spent too much.
pub(crate) fn judge(workspace: &Workspace) -> Outcome {
    measure(workspace, &["--short"], |(time, memory)| time <= MOST.0 && memory <= MOST.1)
}

/// `cargo xtask hostile`: all cases, with those that are long.
pub(crate) fn all() -> ExitCode {
    match measure(&Workspace::here(), &[], |_| true) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed(why) | Stop::Unavailable(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the cases that the program lists; fails if one ends in anything but an answer, or spends what it may not.
fn measure(workspace: &Workspace, list: &[&str], is_little: impl Fn((f64, f64)) -> bool) -> Outcome {
    let head = "| case | input | time | memory | answer |\n|---|---:|---:|---:|---|";
    each(workspace, ("test", "hostile", list), head, |case, line| {
        let (row, spent) = row(case, line)?;
        Some((row, is_little(spent)))
    })
}

/// Runs the cases that an example of the tests lists, and prints a table: `row` makes a row of what a case prints, and says whether it spent little enough.
///
/// # Errors
///
/// [`Stop::Failed`] with the cases that crashed, hang or spent too much.
pub(crate) fn each(
    workspace: &Workspace,
    (profile, example, list): (&str, &str, &[&str]),
    head: &str,
    row: impl Fn(&str, &str) -> Option<(String, bool)>,
) -> Outcome {
    let build = ["build", "--quiet", "--profile", profile, "-p", "sendershift-tests", "--example", example];
    run(workspace.cargo().args(build))?;
    let folder = if profile == "release" { "target/release/examples" } else { "target/debug/examples" };
    let program = workspace.path(folder).join(example);
    let cases = printed(workspace.command(&program).args(list)).unwrap_or_default();
    println!("{head}");
    let mut failed = Vec::new();
    for case in cases.lines() {
        let mut child = workspace.command(&program).arg(case).stdout(Stdio::piped()).spawn()?;
        let ended = wait(&mut child)?;
        let output = child.wait_with_output()?;
        let line = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        let why = match (ended, row(case, &line)) {
            (Some(status), Some((row, is_little))) if status.success() => {
                println!("{row}");
                if is_little {
                    continue;
                }
                "it spends too much".to_owned()
            }
            (ended, _) => ended.map_or("it hangs".to_owned(), |status| status.to_string()),
        };
        println!("| {case} | | | | FAILED: {why} |");
        failed.push(case);
    }
    if cases.is_empty() {
        return Err(Stop::Failed("there are no cases".to_owned()));
    }
    if failed.is_empty() { Ok(()) } else { Err(Stop::Failed(failed.join(", "))) }
}

/// How a process ended; none if it had to be ended.
fn wait(child: &mut Child) -> Result<Option<ExitStatus>, Stop> {
    let start = Instant::now();
    while start.elapsed() < HANGS {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill()?;
    Ok(None)
}

/// A row of the table, from the line that a case prints; and the seconds and MiB that it spent.
fn row(case: &str, line: &str) -> Option<(String, (f64, f64))> {
    let [octets, time, memory, answer] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let scaled = |text: &str, unit: f64| Some(text.parse::<f64>().ok()? / unit);
    let (octets, time, memory) = (scaled(octets, 1e6)?, scaled(time, 1e3)?, scaled(memory, 1024.0)?);
    let row = format!("| {case} | {octets:.2} MB | {time:.2} s | {memory:.0} MiB | {answer} |");
    Some((row, (time, memory)))
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn a_row_is_made_of_four_fields() {
        let (row_made, spent) = row("a case", "1500000\t20\t5120\terror some.code").unwrap_or_default();
        assert_eq!(row_made, "| a case | 1.50 MB | 0.02 s | 5 MiB | error some.code |");
        assert!((spent.0 - 0.02).abs() < 1e-9 && (spent.1 - 5.0).abs() < 1e-9, "{spent:?}");
        assert_eq!(row("a case", "thread panicked"), None);
    }
}
