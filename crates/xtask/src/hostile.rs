//! Hostile sizes: each case is a process of its own, whose time and memory are printed.

use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::process::{Outcome, Stop, Workspace, printed, run};

/// No case takes nearly as long: one that does hangs.
const HANGS: Duration = Duration::from_mins(5);

/// Runs all cases, prints a table, and fails if one ends in anything but an answer.
///
/// # Errors
///
/// [`Stop::Failed`] with the cases that crashed or hang.
pub(crate) fn measure(workspace: &Workspace) -> Outcome {
    let build = ["build", "--quiet", "--profile", "test", "-p", "sendershift-tests", "--example", "hostile"];
    run(workspace.cargo().args(build))?;
    let program = workspace.path("target/debug/examples/hostile");
    let cases = printed(&mut workspace.command(&program)).unwrap_or_default();
    println!("| case | input | time | memory | answer |\n|---|---:|---:|---:|---|");
    let mut failed = Vec::new();
    for case in cases.lines() {
        let mut child = workspace.command(&program).arg(case).stdout(Stdio::piped()).spawn()?;
        let ended = wait(&mut child)?;
        let output = child.wait_with_output()?;
        let line = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        match (ended, row(case, &line)) {
            (Some(status), Some(row)) if status.success() => println!("{row}"),
            (ended, _) => {
                let why = ended.map_or("it hangs".to_owned(), |status| status.to_string());
                println!("| {case} | | | | FAILED: {why} |");
                failed.push(case);
            }
        }
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

/// A row of the table, from the line that a case prints.
fn row(case: &str, line: &str) -> Option<String> {
    let [octets, time, memory, answer] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let scaled = |text: &str, unit: f64| Some(text.parse::<f64>().ok()? / unit);
    let (octets, time, memory) = (scaled(octets, 1e6)?, scaled(time, 1e3)?, scaled(memory, 1024.0)?);
    Some(format!("| {case} | {octets:.2} MB | {time:.2} s | {memory:.0} MiB | {answer} |"))
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn a_row_is_made_of_four_fields() {
        let made = row("a case", "1500000\t20\t5120\terror some.code");
        assert_eq!(made.as_deref(), Some("| a case | 1.50 MB | 0.02 s | 5 MiB | error some.code |"));
        assert_eq!(row("a case", "thread panicked"), None);
    }
}
