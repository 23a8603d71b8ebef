//! The package for JavaScript, `target/npm/package`: two WebAssembly modules with their JavaScript, and its tests.

use std::ffi::OsStr;
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::process::{Outcome, Stop, Workspace, printed, run, write};
use crate::{debian, wasm};

/// The modules and the features that each is built with (`bindings/wasm/README.md` says which is for whom).
const MODULES: [(&str, &[&str]); 2] = [("light", &[]), ("full", &["--features", "full"])];

/// Debian 12 itself has Node 18.
const INSTALL_NODE: &str = "install Node 20 or newer with npm, and have it first in PATH (on Debian 12: unpack the Linux binaries of \
    https://nodejs.org/en/download, `export PATH=$PWD/node-v22.../bin:$PATH`)";

/// Builds the package and says where it is.
///
/// # Errors
///
/// [`Stop::Unavailable`] without Node, npm or a way to build for WebAssembly.
pub(crate) fn build(workspace: &Workspace) -> Outcome<PathBuf> {
    let tests = tools(workspace)?;
    let package = workspace.path("target/npm/package");
    if package.exists() {
        fs::remove_dir_all(&package)?;
    }
    // What both need is there before, as neither waits for the other: most of their time goes to one thread each.
    wasm::cargo(workspace)?;
    let built = thread::scope(|scope| {
        let tests = &tests;
        let begin = |(name, features)| scope.spawn(move || module(workspace, tests, name, features));
        MODULES.map(begin).map(|building| building.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    for folder in built {
        copy_files(&folder?, &package)?;
    }
    let binding = workspace.path("bindings/wasm");
    copy_files(&binding.join("js"), &package)?;
    for name in ["package.json", "README.md"] {
        fs::copy(binding.join(name), package.join(name))?;
    }
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(workspace.path(name), package.join(name))?;
    }
    run(workspace.command("node").arg(tests.join("sizes.mjs")).arg(&package))?;
    Ok(package)
}

/// Builds the package, installs it as somebody else would, and tests that.
///
/// # Errors
///
/// As [`build`], or if a test fails.
pub(crate) fn test(workspace: &Workspace) -> Outcome {
    let package = build(workspace)?;
    let tests = tools(workspace)?;
    let command = command(workspace)?;
    let install = ["install", "--no-save", "--no-package-lock", "--offline", "--no-audit", "--no-fund"];
    let pack = ["pack", "--silent", "--pack-destination"];
    run(npm(workspace, &package).args(pack).arg(&tests))?;
    let archive = format!("./sendershift-{}.tgz", env!("CARGO_PKG_VERSION"));
    run(npm(workspace, &tests).args(install).arg(archive))?;
    let mut node = workspace.command("node");
    node.current_dir(&tests).arg("--test").env("SENDERSHIFT_ROOT", workspace.path(""));
    run(node.env("SENDERSHIFT_COMMAND", command))
}

/// The command, to compare with.
///
/// # Errors
///
/// If it does not build.
pub(crate) fn command(workspace: &Workspace) -> Outcome<PathBuf> {
    run(workspace.cargo().args(["build", "--quiet", "--release", "-p", "sendershift-cli"]))?;
    Ok(workspace.path("target/release/sendershift"))
}

/// The folder of one WebAssembly module with its JavaScript, made small: once, until something that it is made of changes.
fn module(workspace: &Workspace, tests: &Path, name: &str, features: &[&str]) -> Outcome<PathBuf> {
    let build = ["build", "--profile", "wasm", "-p", "sendershift-wasm"];
    // A folder each: in one they would take each other's place, and be compiled every time.
    let target = workspace.path("target/wasm").join(name);
    run(wasm::cargo(workspace)?.env("CARGO_TARGET_DIR", &target).args(build).args(features))?;
    let compiled = target.join("wasm32-unknown-unknown/wasm/sendershift_wasm.wasm");
    let mut made_of = fs::read(&compiled)?;
    for path in ["bindgen/Cargo.lock", "bindgen/src/main.rs", "tests/package-lock.json"] {
        made_of.extend(fs::read(workspace.path("bindings/wasm").join(path))?);
    }
    let (folder, stamp) = (
        workspace.path("target/npm/modules").join(name),
        workspace.path(&format!("target/npm/modules/{name}.made-of")),
    );
    if fs::read(&stamp).is_ok_and(|before| before == made_of) {
        return Ok(folder);
    }
    if stamp.exists() {
        fs::remove_file(&stamp)?;
    }
    let bindgen = ["run", "--quiet", "--locked", "--manifest-path", "bindings/wasm/bindgen/Cargo.toml"];
    let mut cargo = workspace.cargo();
    cargo.env("CARGO_TARGET_DIR", workspace.path("target/bindgen")).args(bindgen).arg("--");
    run(cargo.arg(compiled).arg(name).arg(&folder))?;
    let module = folder.join(format!("{name}_bg.wasm"));
    let before = fs::metadata(&module)?.len();
    let optimise = tests.join("node_modules/binaryen/bin/wasm-opt");
    // What is known of values once it is small makes it smaller, which takes as long again: worth it for pages that need no more.
    let again = ["--gufa", "-Oz", "--strip-producers", "--strip-target-features"];
    let again = if features.is_empty() { again.as_slice() } else { &[] };
    run(workspace.command("node").arg(optimise).arg("-Oz").args(again).arg(&module).arg("-o").arg(&module))?;
    println!("{name}: {before} octets before wasm-opt");
    // Written last: what is half made is made anew.
    fs::write(stamp, made_of)?;
    Ok(folder)
}

/// The tests in a folder of their own, `target/npm/tests`, with the packages that they use.
fn tools(workspace: &Workspace) -> Outcome<PathBuf> {
    installed(workspace, "bindings/wasm/tests", "target/npm/tests")
}

/// A copy of a folder of tests with the packages that its `package-lock.json` pins.
///
/// # Errors
///
/// [`Stop::Unavailable`] without npm, or where it cannot get the packages.
pub(crate) fn installed(workspace: &Workspace, from: &str, to: &str) -> Outcome<PathBuf> {
    let (from, to) = (workspace.path(from), workspace.path(to));
    let lock = fs::read_to_string(from.join("package-lock.json"))?;
    copy_files(&from, &to)?;
    // The stamp is the lock file itself, written last.
    let stamp = to.join("installed-package-lock.json");
    if !fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        let there = || printed(workspace.command("npm").arg("--version")).is_some();
        if !(there() || debian::install(workspace, &["nodejs", "npm"]) && there()) {
            return Err(Stop::Unavailable(format!("no npm: {INSTALL_NODE}")));
        }
        let version = printed(workspace.command("node").arg("--version")).unwrap_or_default();
        if !is_new_enough(&version) {
            return Err(Stop::Unavailable(format!("Node {} is too old: {INSTALL_NODE}", version.trim())));
        }
        run(npm(workspace, &to).args(["ci", "--no-audit", "--no-fund"]))
            .map_err(|_| Stop::Unavailable("npm could not get the packages of the tests".to_owned()))?;
        write(&stamp, &lock)?;
    }
    Ok(to)
}

/// Whether the text that Node prints is that of a version which runs the tests.
fn is_new_enough(version: &str) -> bool {
    let major = version.trim().trim_start_matches('v').split('.').next().unwrap_or_default();
    major.parse().is_ok_and(|major: u32| major >= 20)
}

fn npm(workspace: &Workspace, folder: &Path) -> Command {
    let mut npm = workspace.command("npm");
    npm.current_dir(folder);
    npm
}

/// Copies the files of a folder, not those of folders in it.
pub(crate) fn copy_files(from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            fs::copy(&path, to.join::<&OsStr>(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn node_of_debian_12_is_too_old() {
        for (version, is_new) in
            [("v18.20.4\n", false), ("v20.11.0\n", true), ("v100.0.0", true), ("", false), ("v", false)]
        {
            assert_eq!(is_new_enough(version), is_new, "{version}");
        }
    }
}
