//! Zone files: dnspython and BIND read the same ones, and a BIND server answers from them.

use std::path::PathBuf;

use crate::process::{Outcome, Stop, Workspace, run};
use crate::{debian, python};

/// Writes down what we read in `tests/zones`, and lets the others judge.
///
/// # Errors
///
/// [`Stop::Unavailable`] without Python or BIND; otherwise the differences that nobody has explained.
pub(crate) fn compare(workspace: &Workspace) -> Outcome {
    let python = python::venv(workspace)?;
    let compilezone = compilezone(workspace)?;
    let named = named(workspace)?;
    run(workspace.cargo().args(["test", "-p", "sendershift-tests", "--test", "zones"]))?;
    let mut compare = workspace.command(python);
    compare.arg(workspace.path("tests/zones/compare.py")).arg(workspace.path("target/zones"));
    run(compare.arg(compilezone).arg(named))
}

fn compilezone(workspace: &Workspace) -> Outcome<PathBuf> {
    let there = || debian::program("named-compilezone");
    there().or_else(|| debian::install(workspace, &["bind9-utils"]).then(there).flatten()).ok_or_else(|| {
        Stop::Unavailable("no named-compilezone (on Debian: apt-get install bind9-utils)".to_owned())
    })
}

/// The server. Installing Debian's package would start one on port 53, so it is only unpacked; the libraries are those of
/// bind9-utils.
fn named(workspace: &Workspace) -> Outcome<PathBuf> {
    if let Some(named) = debian::program("named") {
        return Ok(named);
    }
    let folder = workspace.path("target/bind");
    let named = folder.join("usr/sbin/named");
    if !named.is_file() {
        std::fs::create_dir_all(&folder)?;
        let script = "rm -f *.deb && apt-get -q download bind9 && dpkg-deb -x bind9_*.deb .";
        let unpacked = run(workspace.command("sh").current_dir(&folder).args(["-c", script]));
        unpacked
            .map_err(|_| Stop::Unavailable("no BIND server (named), and no way to Debian's".to_owned()))?;
    }
    Ok(named)
}
