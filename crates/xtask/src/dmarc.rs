//! DMARC against a second opinion: checkdmarc, which reads RFC 9989 and a public suffix list.

use crate::process::{Outcome, Workspace, run};
use crate::python;

/// How many domain trees are drawn.
const DRAWN: &str = "500";

/// Judges drawn domain trees by the command and by checkdmarc.
///
/// # Errors
///
/// [`Stop::Unavailable`](crate::process::Stop::Unavailable) without Python; otherwise what the two disagree about.
pub(crate) fn compare(workspace: &Workspace) -> Outcome {
    let python = python::venv(workspace)?;
    run(workspace.cargo().args(["build", "--quiet", "--profile", "test", "-p", "sendershift-cli"]))?;
    let command = workspace.path("target/debug/sendershift");
    run(workspace.command(python).arg(workspace.path("tests/checkdmarc")).arg(command).arg(DRAWN))
}
