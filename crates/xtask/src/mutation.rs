//! The prover against the simulator: plans are broken in every small way, and both judge what comes of it.

use std::fs;

use crate::process::{Outcome, Workspace, run};
use crate::python;

/// How many plans are drawn at random besides.
const DRAWN: &str = "300";

/// Writes all mutants with the verdicts of the prover, and lets the simulator judge them.
///
/// # Errors
///
/// [`Stop::Unavailable`](crate::process::Stop::Unavailable) without Python; otherwise what the two disagree about.
pub(crate) fn compare(workspace: &Workspace) -> Outcome {
    let python = python::venv(workspace)?;
    let (drawn, folder) = (workspace.path("target/drawn"), workspace.path("target/mutants"));
    // What an older plan left there is no longer there to judge.
    for folder in [&drawn, &folder] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    run(workspace.command(&python).arg(workspace.path("tests/simulator/draw.py")).arg(&drawn).arg(DRAWN))?;
    run(workspace.cargo().args(["test", "-p", "sendershift-tests", "--test", "mutation"]))?;
    run(workspace.command(python).arg(workspace.path("tests/simulator")).arg(&folder))
}
