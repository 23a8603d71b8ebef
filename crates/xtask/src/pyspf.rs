//! SPF against a second opinion: pyspf, whose DNS is a drawn tree.

use crate::process::{Outcome, Workspace, run};
use crate::python;

/// How many include trees are drawn, and how many clients each is asked about.
const DRAWN: [&str; 2] = ["400", "200"];

/// Judges drawn include trees by `check` and `Policy`, and by pyspf.
///
/// # Errors
///
/// [`Stop::Unavailable`](crate::process::Stop::Unavailable) without Python; otherwise what the two disagree about.
pub(crate) fn compare(workspace: &Workspace) -> Outcome {
    let python = python::venv(workspace)?;
    run(workspace.cargo().args([
        "build",
        "--quiet",
        "--profile",
        "test",
        "-p",
        "sendershift-tests",
        "--example",
        "clients",
    ]))?;
    let clients = workspace.path("target/debug/examples/clients");
    run(workspace.command(python).arg(workspace.path("tests/pyspf")).arg(clients).args(DRAWN))
}
