//! The README's first command, run as it stands there.

use std::fs;

use crate::process::{Outcome, Stop, Workspace, run};

/// Runs the first indented `cargo run` line of the README: the Qualys plan, proven safe.
///
/// # Errors
///
/// If there is no such line, or the command does not succeed.
pub(crate) fn first_command(workspace: &Workspace) -> Outcome {
    let readme = fs::read_to_string(workspace.path("README.md"))?;
    let arguments = readme
        .lines()
        .find_map(|line| line.strip_prefix("    cargo run "))
        .ok_or_else(|| Stop::Failed("README.md has no line that begins with `    cargo run `".to_owned()))?;
    run(workspace.cargo().arg("run").args(arguments.split_whitespace()))
}
