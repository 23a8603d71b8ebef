//! The workspace, the programs that are run in it, and why one of them stopped.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It was tried, and something is wrong.
    Failed(String),
    /// This machine lacks something: a reason to skip at a desk, and to fail in CI.
    Unavailable(String),
}

/// What came of it.
pub(crate) type Outcome<T = ()> = Result<T, Stop>;

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// This repository on this machine.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    /// Whether this is a run in which nothing may be skipped.
    pub(crate) ci: bool,
}

impl Workspace {
    /// The workspace that this program was built in.
    pub(crate) fn here() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
        Self { root: root.to_owned(), ci: env::var_os("SENDERSHIFT_CI").is_some_and(|value| value == "1") }
    }

    /// A path below the root.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A program, started in the root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        command
    }

    /// The cargo that runs this program.
    pub(crate) fn cargo(&self) -> Command {
        self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }
}

/// Runs a program with its output shown as it comes.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let shown = shown(command);
    println!("$ {shown}");
    io::stdout().flush()?;
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Stop::Failed(format!("`{shown}`: {status}"))),
        Err(error) => Err(Stop::Failed(format!("`{shown}` could not be started: {error}"))),
    }
}

/// What a program prints, without the line's end; none if it is not there or fails.
pub(crate) fn printed(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim_end().to_owned())
}

/// Writes a file and the folders that it lies in.
pub(crate) fn write(path: &Path, text: &str) -> Outcome {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.map_err(|error| Stop::Failed(format!("{}: {error}", path.display())))
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| first_line(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// An argument may be a whole script: its first line is enough to know it by.
fn first_line(word: &str) -> String {
    match word.split_once('\n') {
        Some((line, _)) => format!("'{line} ...'"),
        None => word.to_owned(),
    }
}
