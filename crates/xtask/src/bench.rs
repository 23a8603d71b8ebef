//! `cargo xtask bench`: sendershift beside other libraries, as the table of `docs/benchmarks.md`.

use std::process::ExitCode;

use crate::process::{Stop, Workspace, run};

/// Times the rows whose names contain one of the words, or all.
pub(crate) fn time(words: &[&str]) -> ExitCode {
    let workspace = Workspace::here();
    let mut cargo = workspace.cargo();
    // The peers are a workspace of their own, and may ask for a newer compiler than ours.
    cargo.args(["run", "--release", "--ignore-rust-version", "--"]).args(words);
    match run(cargo.current_dir(workspace.path("benches/peers"))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed(why) | Stop::Unavailable(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
