//! Programs that Debian's packages bring.

use std::path::{Path, PathBuf};

use crate::process::{Workspace, printed, run};

/// Installs packages, where that needs no password and nobody has to be asked: as root, or in CI.
pub(crate) fn install(workspace: &Workspace, packages: &[&str]) -> bool {
    let is_root = printed(workspace.command("id").arg("-u")).is_some_and(|id| id == "0");
    let sudo: &[&str] = if is_root { &[] } else { &["sudo", "-n"] };
    let apt_get = |arguments: &[&str]| {
        let words = [sudo, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"], arguments].concat();
        let Some((program, arguments)) = words.split_first() else { return false };
        run(workspace.command(program).args(arguments)).is_ok()
    };
    let may = (is_root || workspace.ci) && printed(workspace.command("apt-get").arg("--version")).is_some();
    let install = [&["install", "-y", "--no-install-recommends"], packages].concat();
    may && apt_get(&["update"]) && apt_get(&install)
}

/// Where a program is, also in the folders of administrators that the path may lack.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/bin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|path: &PathBuf| Path::is_file(path))
}
