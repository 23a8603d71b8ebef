//! Fuzzing with libFuzzer on a stable compiler: `tests/fuzz` is compiled with LLVM's counters of code that was reached.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::debian;
use crate::process::{Outcome, Stop, Workspace, printed, run};

/// What tells libFuzzer which code an input reaches, and what it is compared with there.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// What a target may take for one input, in seconds and megabytes.
const LIMITS: [&str; 3] = ["-timeout=20", "-rss_limit_mb=2048", "-malloc_limit_mb=1024"];
/// How long a target runs as a part of the tests: so many inputs, or so many seconds.
const SHORT: [&str; 2] = ["-runs=20000", "-max_total_time=3"];
/// The same for what decides about a change: so few inputs that the clock has no say in which they are.
const SAME: [&str; 2] = ["-runs=1500", "-max_total_time=60"];

/// Runs every target for some seconds, from the texts that stand in this repository.
///
/// # Errors
///
/// [`Stop::Unavailable`] without a C++ compiler; otherwise the first input that broke a law, which is kept.
pub(crate) fn all(workspace: &Workspace) -> Outcome {
    run(workspace.cargo().args(["fmt", "--check", "--manifest-path", "tests/fuzz/Cargo.toml"]))?;
    let programs = build(workspace)?;
    let mut broken = Vec::new();
    for target in targets(workspace)? {
        let mut command = fuzzer(workspace, &programs, &target)?;
        // What decides about a change draws the same inputs every time; at a desk each run draws new ones.
        if workspace.ci {
            command.arg("-seed=7208");
        }
        let start = Instant::now();
        let output =
            command.args(if workspace.ci { SAME } else { SHORT }).arg(seeds(workspace, &target)).output()?;
        let log = String::from_utf8_lossy(&output.stderr);
        let runs = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let runs = runs.unwrap_or("?").trim();
        println!("{target:12} {runs:>8} runs in {:4.1} s", start.elapsed().as_secs_f64());
        if !output.status.success() {
            println!("{log}");
            broken.push(target);
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(Stop::Failed(format!("broken: {}", broken.join(", ")))) }
}

/// `cargo xtask fuzz TARGET SECONDS`: looks long, and goes on where it stopped the last time.
pub(crate) fn long(target: &str, seconds: &str) -> ExitCode {
    match one(&Workspace::here(), target, seconds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed(why) | Stop::Unavailable(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn one(workspace: &Workspace, target: &str, seconds: &str) -> Outcome {
    let targets = targets(workspace)?;
    if !targets.iter().any(|known| known == target) {
        return Err(Stop::Failed(format!("there is no target `{target}`: known are {}", targets.join(", "))));
    }
    let seconds: u32 = seconds.parse().map_err(|_| Stop::Failed(format!("`{seconds}` are no seconds")))?;
    let programs = build(workspace)?;
    let corpus = workspace.path("target/fuzz/corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let mut command = fuzzer(workspace, &programs, target)?;
    run(command.arg(format!("-max_total_time={seconds}")).arg(corpus).arg(seeds(workspace, target)))
}

/// The names of the targets.
fn targets(workspace: &Workspace) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace.path("tests/fuzz/targets"))? {
        names.extend(entry?.path().file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn seeds(workspace: &Workspace, target: &str) -> PathBuf {
    workspace.path("target/fuzz/seeds").join(target)
}

/// The compiled targets, with seeds to start from.
fn build(workspace: &Workspace) -> Outcome<PathBuf> {
    let compiler = || printed(workspace.command("c++").arg("--version"));
    if compiler().is_none() && !(debian::install(workspace, &["g++"]) && compiler().is_some()) {
        return Err(Stop::Unavailable("no C++ compiler (on Debian: apt-get install g++)".to_owned()));
    }
    run(workspace.cargo().args(["test", "-q", "-p", "sendershift-tests", "--test", "seeds"]))?;
    // With a target that is named, the flags do not reach build scripts, which could not be linked.
    let host = printed(workspace.command("rustc").args(["--print", "host-tuple"]))
        .ok_or_else(|| Stop::Failed("rustc does not say what it runs on".to_owned()))?;
    let folder = workspace.path("target/fuzz/build");
    let mut cargo = workspace.cargo();
    cargo.env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUSTFLAGS", COVERAGE);
    cargo.args(["build", "--release", "--locked", "--manifest-path", "tests/fuzz/Cargo.toml"]);
    run(cargo.arg("--target").arg(&host).arg("--target-dir").arg(&folder))?;
    Ok(folder.join(host).join("release"))
}

/// A target with its limits; what it finds is kept in `target/fuzz/found`.
fn fuzzer(workspace: &Workspace, programs: &std::path::Path, target: &str) -> Outcome<Command> {
    let found = workspace.path("target/fuzz/found");
    fs::create_dir_all(&found)?;
    let mut command = workspace.command(programs.join(target));
    command.args(LIMITS).arg("-print_final_stats=1");
    command.arg(format!("-artifact_prefix={}/{target}-", found.display()));
    let words = workspace.path("target/fuzz/words").join(target);
    if words.is_file() {
        command.arg(format!("-dict={}", words.display()));
    }
    Ok(command)
}
