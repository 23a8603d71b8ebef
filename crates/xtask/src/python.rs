//! Pythons of our own: `target/venv`, with what `tests/requirements.txt` pins, and fresh ones.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::{Outcome, Stop, Workspace, printed, run, write};

/// The Python of the virtual environment, which is made on first use and again when the requirements change.
///
/// # Errors
///
/// [`Stop::Unavailable`] without Python, or where pip cannot get the packages.
pub(crate) fn venv(workspace: &Workspace) -> Outcome<PathBuf> {
    let folder = workspace.path("target/venv");
    let python = python_in(&folder);
    let requirements = workspace.path("tests/requirements.txt");
    let wanted = fs::read_to_string(&requirements)?;
    // The stamp is the text itself. It is written last, so that a half-made environment is made anew.
    let stamp = folder.join("installed-requirements.txt");
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    fresh(workspace, &folder, &requirements)?;
    write(&stamp, &wanted)?;
    Ok(python)
}

/// The Python of a virtual environment that is made anew, with what a file pins.
///
/// # Errors
///
/// As [`venv`].
pub(crate) fn fresh(workspace: &Workspace, folder: &Path, requirements: &Path) -> Outcome<PathBuf> {
    make(workspace, folder)?;
    let python = python_in(folder);
    let install = ["-m", "pip", "install", "--quiet", "--requirement"];
    run(workspace.command(&python).args(install).arg(requirements)).map_err(lacking("pip"))?;
    Ok(python)
}

fn python_in(folder: &Path) -> PathBuf {
    folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

fn make(workspace: &Workspace, folder: &Path) -> Outcome {
    let names = ["python3", "python"];
    let is_python3 = |name: &&str| {
        let version = printed(workspace.command(name).arg("--version"));
        version.is_some_and(|version| version.starts_with("Python 3."))
    };
    let Some(system) = names.into_iter().find(is_python3) else {
        return Err(Stop::Unavailable("no Python 3: install python3 and its venv module".to_owned()));
    };
    let made = run(workspace.command(system).args(["-m", "venv", "--clear"]).arg(folder));
    made.map_err(lacking("the venv module (on Debian: apt-get install python3-venv)"))
}

/// What fails here fails for want of a program or of the network, not because of a change to this repository.
fn lacking(what: &str) -> impl Fn(Stop) -> Stop {
    move |stop| match stop {
        Stop::Failed(why) | Stop::Unavailable(why) => {
            Stop::Unavailable(format!("{what} did not work: {why}"))
        }
    }
}
