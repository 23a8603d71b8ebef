//! SPF against a second opinion: pyspf, whose DNS is a drawn tree.

use crate::process::{Outcome, Workspace, run};
use crate::python;

/// How many include trees are drawn, and how many clients each is asked about.
const DRAWN: [&str; 2] = ["400", "200"];

/// How many records are drawn for `compact`; about a quarter is rewritten.
const REWRITES: &str = "4000";

/// Judges drawn include trees by `check` and `Policy`, and by pyspf; then the records that `compact` proposes.
///
/// # Errors
///
/// [`Stop::Unavailable`](crate::process::Stop::Unavailable) without Python; otherwise what the two disagree about.
pub(crate) fn compare(workspace: &Workspace) -> Outcome {
    let python = python::venv(workspace)?;
    let build = ["build", "--quiet", "--profile", "test", "-p", "sendershift-tests"];
    run(workspace.cargo().args(build).args(["--example", "clients", "--example", "rewrites"]))?;
    let example = |name: &str| workspace.path("target/debug/examples").join(name);
    let script = |name: &str| {
        let mut command = workspace.command(&python);
        command.arg(workspace.path("tests/pyspf").join(name));
        command
    };
    run(script("__main__.py").arg(example("clients")).args(DRAWN))?;
    run(script("rewrites.py").arg(example("rewrites")).arg(REWRITES))
}
