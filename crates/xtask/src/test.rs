//! `cargo xtask test`: everything that a change must pass, part by part.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::process::{Outcome, Stop, Workspace, run as command};
use crate::{binding, dmarc, fuzz, hostile, mutation, npm, page, pyspf, readme, suite, wasm, zones};

struct Part {
    name: &'static str,
    what: &'static str,
    run: fn(&Workspace) -> Outcome,
}

/// The parts, in the order in which they run. A new part is one entry here.
const PARTS: &[Part] = &[
    Part { name: "suite", what: "obtain the RFC 7208 test suite", run: suite::obtain },
    Part { name: "fmt", what: "formatting", run: |w| command(w.cargo().args(["fmt", "--all", "--check"])) },
    Part {
        name: "clippy",
        what: "lints, warnings are errors",
        run: |w| {
            let what = ["clippy", "--workspace", "--all-targets", "--all-features"];
            command(w.cargo().args(what).args(["--", "-D", "warnings"]))
        },
    },
    Part {
        name: "tests",
        what: "unit tests, doc tests, vectors and conformance",
        run: |w| {
            let mut cargo = w.cargo();
            // Benchmarks have no tests; `clippy` sees whether they compile.
            cargo.args(["test", "--workspace", "--exclude", "sendershift-benches", "--no-fail-fast"]);
            cargo.env("SENDERSHIFT_SUITE", suite::path(w));
            // What decides about a change draws the same cases every time; at a desk each run draws new ones.
            if w.ci {
                cargo.env("PROPTEST_RNG_SEED", "7208").env("SENDERSHIFT_ORACLE_CASES", "100000");
                cargo.env("SENDERSHIFT_REWRITE_CASES", "40000");
            }
            command(&mut cargo)
        },
    },
    Part {
        name: "readme",
        what: "the main job, as the README's first screen has it",
        run: readme::first_command,
    },
    Part {
        name: "python",
        what: "the Python package, from its folder and from its source distribution, in fresh environments",
        run: binding::test,
    },
    Part {
        name: "mutation",
        what: "the prover and an independent simulator agree on mutants of safe plans",
        run: mutation::compare,
    },
    Part { name: "dmarc", what: "DMARC and checkdmarc agree on drawn domain trees", run: dmarc::compare },
    Part {
        name: "pyspf",
        what: "check, policies and pyspf agree on drawn include trees, and pyspf on what compact makes of records",
        run: pyspf::compare,
    },
    Part {
        name: "hostile",
        what: "input that is too much ends in an answer, in bounded time and memory",
        run: hostile::judge,
    },
    Part {
        name: "zones",
        what: "dnspython and BIND read zone files as we do, and a BIND server answers as we do",
        run: zones::compare,
    },
    Part { name: "fuzz", what: "laws hold for inputs that libFuzzer draws", run: fuzz::all },
    Part {
        name: "docs",
        what: "documentation, warnings are errors",
        run: |w| {
            let doc = ["doc", "--no-deps", "--workspace", "--all-features"];
            command(w.cargo().args(doc).env("RUSTDOCFLAGS", "-Dwarnings"))
        },
    },
    Part {
        name: "wasm",
        what: "the core builds for the browser",
        run: |w| {
            // The browser may go without the list of suffixes and plans; `npm` builds it with everything, and with nothing of it.
            let check = ["check", "--profile", "wasm", "-p", "sendershift"];
            command(wasm::cargo(w)?.args(check).args(["--no-default-features", "--features", "zone"]))
        },
    },
    Part {
        name: "npm",
        what: "the package for JavaScript: its size, its types, and the vectors",
        run: npm::test,
    },
    Part { name: "page", what: "the calculator, in Chromium", run: page::test },
];

/// The parts, one a line.
pub(crate) fn usage() -> String {
    PARTS.iter().fold("parts:\n".to_owned(), |mut text, part| {
        let _ = writeln!(text, "  {:8} {}", part.name, part.what);
        text
    })
}

/// Runs the named parts, or all of them, each whatever came of the others.
pub(crate) fn run(names: &[&str]) -> ExitCode {
    if let Some(unknown) = names.iter().find(|name| PARTS.iter().all(|part| part.name != **name)) {
        eprintln!("there is no part `{unknown}`\n\n{}", usage());
        return ExitCode::from(2);
    }
    let workspace = Workspace::here();
    let mut table = String::new();
    let mut failed = false;
    for part in PARTS.iter().filter(|part| names.is_empty() || names.contains(&part.name)) {
        println!("\n=== {}: {} ===", part.name, part.what);
        let start = Instant::now();
        let (word, why) = judge((part.run)(&workspace), workspace.ci);
        failed |= word == FAILED;
        table.push_str(&row(part.name, word, start.elapsed(), &why));
    }
    println!("\n{table}");
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

const FAILED: &str = "FAILED";

/// The word for what came of a part, and why. In CI nothing may be skipped.
fn judge(outcome: Outcome, ci: bool) -> (&'static str, String) {
    match outcome {
        Ok(()) => ("ok", String::new()),
        Err(Stop::Unavailable(why)) if !ci => ("skipped", why),
        Err(Stop::Unavailable(why) | Stop::Failed(why)) => (FAILED, why),
    }
}

fn row(name: &str, word: &str, time: Duration, why: &str) -> String {
    let row = format!("{name:8} {word:8} {:6.1} s  {why}", time.as_secs_f64());
    format!("{}\n", row.trim_end())
}

#[cfg(test)]
mod tests {
    use super::{FAILED, PARTS, judge, row};
    use crate::process::Stop;
    use std::time::Duration;

    #[test]
    fn nothing_is_skipped_in_ci() {
        let lacking = || Err(Stop::Unavailable("no python".to_owned()));
        assert_eq!(judge(lacking(), false), ("skipped", "no python".to_owned()));
        assert_eq!(judge(lacking(), true), (FAILED, "no python".to_owned()));
        assert_eq!(judge(Err(Stop::Failed("bad".to_owned())), false).0, FAILED);
        assert_eq!(judge(Ok(()), true).0, "ok");
    }

    #[test]
    fn part_names_are_unique_and_fit_the_table() {
        for (index, part) in PARTS.iter().enumerate() {
            assert!(part.name.len() <= 8, "{}", part.name);
            assert!(PARTS[..index].iter().all(|other| other.name != part.name), "{}", part.name);
        }
        assert_eq!(row("fmt", "ok", Duration::from_millis(1250), ""), "fmt      ok          1.2 s\n");
    }
}
