//! How proofs grow: plans of growing size, each proven by a process of its own, whose time and memory are printed.

use std::process::ExitCode;

use crate::hostile::each;
use crate::process::{Stop, Workspace};

/// Prints the table of `docs/benchmarks.md`.
pub(crate) fn table() -> ExitCode {
    let head = "| records | streams | steps | can be taken back | time | memory | mixes judged | courses | verdict | margin |\n|---|---:|---:|---|---:|---:|---:|---:|---|---|";
    match each(&Workspace::here(), ("release", "growth", &[]), head, |case, line| {
        Some((row(case, line)?, true))
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed(why) | Stop::Unavailable(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// A row of the table, from the line that a case prints.
fn row(case: &str, line: &str) -> Option<String> {
    let [time, memory, mixes, courses, verdict, margin] =
        line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let scaled = |text: &str, unit: f64| Some(text.parse::<f64>().ok()? / unit);
    let (time, memory) = (scaled(time, 1e3)?, scaled(memory, 1024.0)?);
    Some(format!("| {case} | {time:.2} s | {memory:.0} MiB | {mixes} | {courses} | {verdict} | {margin} |"))
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn a_row_is_made_of_six_fields() {
        let made = row("disjoint | 10 | 100 | never", "1500\t5120\t12\t3\tsafe\tyes").unwrap_or_default();
        assert_eq!(made, "| disjoint | 10 | 100 | never | 1.50 s | 5 MiB | 12 | 3 | safe | yes |");
        assert_eq!(row("a case", "thread panicked"), None);
    }
}
