//! The prover against the simulator: plans are broken in every small way, and both judge what comes of it.

use std::fs;

use crate::process::{Outcome, Workspace, run};
use crate::python;

/// Writes all mutants with the verdicts of the prover, and lets the simulator judge them.
///
/// # Errors
///
/// [`Stop::Unavailable`](crate::process::Stop::Unavailable) without Python; otherwise what the two disagree about.
pub(crate) fn compare(workspace: &Workspace) -> Outcome {
    let python = python::venv(workspace)?;
    let folder = workspace.path("target/mutants");
    // What an older plan left there is no longer there to judge.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    run(workspace.cargo().args(["test", "-p", "sendershift-tests", "--test", "mutation"]))?;
    run(workspace.command(python).arg(workspace.path("tests/simulator")).arg(&folder))
}
