//! The test suite of RFC 7208 (203 cases), which is not part of this repository: it is read from the source
//! package of pyspf, and only if it is the very file that we know.

use std::fs;
use std::path::PathBuf;

use crate::process::{Outcome, Stop, Workspace, run};
use crate::python;

const PACKAGE: &str = "pyspf==2.0.14";
const ARCHIVE: &str = "target/suite/pyspf-2.0.14.tar.gz";
const MEMBER: &str = "pyspf-2.0.14/test/rfc7208-tests.yml";
const SHA256: &str = "901f561a6e2b1c1590a40a61b1ac7601226fd7045a7aae591a4d25421358d6f9";

/// Prints nothing and exits 0 if the file has the digest.
const CHECK: &str = "\
import hashlib, sys
file, digest = sys.argv[1:]
with open(file, 'rb') as opened:
    sys.exit(hashlib.sha256(opened.read()).hexdigest() != digest)
";

/// Takes one file out of an archive.
const UNPACK: &str = "\
import sys, tarfile
archive, member, file = sys.argv[1:]
with tarfile.open(archive) as opened, open(file, 'wb') as out:
    out.write(opened.extractfile(member).read())
";

/// Where the suite is, once obtained.
pub(crate) fn path(workspace: &Workspace) -> PathBuf {
    workspace.path("target/suite/rfc7208-tests.yml")
}

/// Puts the suite in its place, from the package index that pip is set up for.
///
/// # Errors
///
/// [`Stop::Unavailable`] if it cannot be had, [`Stop::Failed`] if it is not the file that we know.
pub(crate) fn obtain(workspace: &Workspace) -> Outcome {
    let python = python::venv(workspace)?;
    let file = path(workspace);
    let script = |text: &str| {
        let mut command = workspace.command(&python);
        command.args(["-c", text]);
        command
    };
    let known = || script(CHECK).arg(&file).arg(SHA256).status().is_ok_and(|status| status.success());
    if file.exists() && known() {
        return Ok(());
    }
    let download =
        ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pyspf", PACKAGE, "--dest"];
    run(workspace.command(&python).args(download).arg(workspace.path("target/suite")))
        .map_err(|_| Stop::Unavailable(format!("pip could not download {PACKAGE}")))?;
    run(script(UNPACK).arg(workspace.path(ARCHIVE)).arg(MEMBER).arg(&file))?;
    if !known() {
        fs::remove_file(&file)?;
        return Err(Stop::Failed(format!("{MEMBER} of {PACKAGE} has not the SHA-256 {SHA256}")));
    }
    Ok(())
}
