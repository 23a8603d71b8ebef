//! `cargo xtask findings`: writes the pages of `docs/findings`, which a test compares with the rules.

use std::process::ExitCode;

use crate::process::{Stop, Workspace, run};

/// Writes them.
pub(crate) fn write() -> ExitCode {
    let workspace = Workspace::here();
    let test = ["test", "-q", "-p", "sendershift-tests", "--test", "findings"];
    match run(workspace.cargo().args(test).env("SENDERSHIFT_WRITE_PAGES", "1")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed(why) | Stop::Unavailable(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
