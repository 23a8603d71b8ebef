//! The Python package: built, installed in fresh virtual environments, and tested there as people have it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::process::{Outcome, Stop, Workspace, run};
use crate::python;

const PACKAGE: &str = "bindings/python";
const STUB: &str = "sendershift/_native.pyi";

/// Installs the package from its folder and from its source distribution, each in a fresh environment, and tests both; checks its types.
///
/// # Errors
///
/// [`Stop::Unavailable`] without Python, or where pip cannot get the packages; otherwise what is wrong.
pub(crate) fn test(workspace: &Workspace) -> Outcome {
    let python = environment(workspace, "target/python/venv")?;
    run(pip(workspace, &python).arg(format!("./{PACKAGE}")))?;
    run(&mut pytest(workspace, &python))?;
    types(workspace, &python)?;
    stubs_are_current(workspace, &python)?;

    let folder = workspace.path("target/python/sdist");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    run(maturin(workspace, &python, "sdist").arg("--out").arg(&folder))?;
    let archive = only_file(&folder)?;
    let python = environment(workspace, "target/python/venv-sdist")?;
    // Crates from the registry are compiled once; those of the archive lie elsewhere, and are compiled anew.
    run(pip(workspace, &python).arg(&archive).env("CARGO_TARGET_DIR", workspace.path("target")))?;
    // The same sources again: whether all of them are in the archive is seen by what every operation answers.
    run(pytest(workspace, &python).arg("-k").arg("vectors or readme"))?;
    // A gigabyte, of which nothing is used again.
    Ok(fs::remove_dir_all(workspace.path("target/python/venv-sdist"))?)
}

/// `cargo xtask wheel`: the wheel, in `target/wheels`.
pub(crate) fn wheel() -> ExitCode {
    let workspace = Workspace::here();
    report(environment(&workspace, "target/python/venv").and_then(|python| {
        let mut build = maturin(&workspace, &python, "build");
        run(build.args(["--release", "--locked", "--strip", "--out"]).arg(workspace.path("target/wheels")))
    }))
}

/// `cargo xtask stubs`: the types of the native module, as the repository has them.
pub(crate) fn write_stubs() -> ExitCode {
    let workspace = Workspace::here();
    report(environment(&workspace, "target/python/venv").and_then(|python| {
        let written = stubs(&workspace, &python)?;
        fs::copy(written, committed(&workspace))?;
        Ok(())
    }))
}

/// `cargo xtask bench-python`: the package beside pyspf, and beside the core called from Rust.
pub(crate) fn time() -> ExitCode {
    let workspace = Workspace::here();
    report(environment(&workspace, "target/python/venv").and_then(|python| {
        let peers = workspace.path("tests/requirements.txt");
        run(workspace
            .command(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(peers))?;
        run(pip(&workspace, &python).arg(format!("./{PACKAGE}")))?;
        let build = ["build", "--release", "-p", "sendershift-benches", "--example", "rows"];
        run(workspace.cargo().args(build))?;
        let program = workspace.path("target/release/examples/rows");
        run(workspace.command(&python).arg(workspace.path("benches/python")).arg(program))
    }))
}

/// A fresh virtual environment with what tests need.
fn environment(workspace: &Workspace, folder: &str) -> Outcome<PathBuf> {
    let requirements = workspace.path(PACKAGE).join("tests/requirements.txt");
    python::fresh(workspace, &workspace.path(folder), &requirements)
}

fn pip(workspace: &Workspace, python: &Path) -> Command {
    let mut pip = workspace.command(python);
    pip.args(["-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps"]);
    pip
}

fn pytest(workspace: &Workspace, python: &Path) -> Command {
    let mut pytest = workspace.command(python);
    pytest.args(["-m", "pytest", "--quiet"]).arg(workspace.path(PACKAGE));
    pytest
}

fn maturin(workspace: &Workspace, python: &Path, command: &str) -> Command {
    let mut maturin = workspace.command(python);
    maturin.args(["-m", "maturin", command]).current_dir(workspace.path(PACKAGE));
    maturin
}

/// What is installed agrees with its annotations, and the examples with what is installed.
fn types(workspace: &Workspace, python: &Path) -> Outcome {
    let module = |name: &str| {
        let mut command = workspace.command(python);
        command.current_dir(workspace.path(PACKAGE)).args(["-m", name]);
        command
    };
    run(module("mypy").args(["--strict", "python/sendershift", "examples", "tests", "tutorial"]))?;
    run(module("pyright").arg("--pythonpath").arg(python).args([
        "python/sendershift",
        "examples",
        "tests",
        "tutorial",
    ]))?;
    run(module("mypy.stubtest").args(["--allowlist", "tests/stubtest-allowlist.txt", "sendershift"]))
}

fn stubs(workspace: &Workspace, python: &Path) -> Outcome<PathBuf> {
    let folder = workspace.path("target/python/stubs");
    let mut generate = maturin(workspace, python, "generate-stubs");
    run(generate.args(["--profile", "release", "--features", "inspect", "--out"]).arg(&folder))?;
    let stub = folder.join(STUB);
    fs::write(&stub, operators(&fs::read_to_string(&stub)?))?;
    Ok(stub)
}

/// `PyO3` lets operators take any `object`, as Python asks the other side when ours cannot; who checks types should not.
/// Capsules are objects to Python before 3.13, and to the libraries that take tables. An iterator is one of something.
fn operators(stub: &str) -> String {
    let stub = stub.replace("from types import CapsuleType\n", "").replace("CapsuleType", "object");
    let stub = stub.replace("tables: Iterator", "tables: Iterator[Any]");
    let operators = ["and", "or", "sub", "le", "lt", "ge", "gt"];
    operators.iter().fold(stub, |stub, name| {
        let taken = |other| format!("def __{name}__(self, other: {other}, /)");
        stub.replace(&taken("object"), &taken("AddressSet"))
    })
}

/// `cargo xtask tutorial`: the tutorial in `docs`, with what its script prints and draws.
pub(crate) fn write_tutorial() -> ExitCode {
    let workspace = Workspace::here();
    report(environment(&workspace, "target/python/venv").and_then(|python| {
        run(pip(&workspace, &python).arg(format!("./{PACKAGE}")))?;
        let folder = workspace.path(PACKAGE).join("tutorial");
        let mut render = workspace.command(&python);
        render.arg(folder.join("render.py")).arg(folder.join("split.py"));
        run(render.arg(workspace.path("docs/tutorial-python.md")))
    }))
}

fn committed(workspace: &Workspace) -> PathBuf {
    workspace.path(PACKAGE).join("python").join(STUB)
}

fn stubs_are_current(workspace: &Workspace, python: &Path) -> Outcome {
    let generated = fs::read_to_string(stubs(workspace, python)?)?;
    if generated == fs::read_to_string(committed(workspace))? {
        return Ok(());
    }
    Err(Stop::Failed(format!("{STUB} is not what the module has: `cargo xtask stubs` writes it")))
}

fn only_file(folder: &Path) -> Outcome<PathBuf> {
    let files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    match <[PathBuf; 1]>::try_from(files) {
        Ok([file]) => Ok(file),
        Err(files) => Err(Stop::Failed(format!("one archive was expected, and there are {files:?}"))),
    }
}

fn report(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Failed(why) | Stop::Unavailable(why)) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
