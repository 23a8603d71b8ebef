//! The workspace, the programs that are run in it, and why one of them stopped.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

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
///
/// Where nobody watches, what failed is said once more with the reason: the log of a whole run is long, and what is
/// kept of it is sometimes its end alone.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let shown = shown(command);
    println!("$ {shown}");
    io::stdout().flush()?;
    let ended = if io::stdout().is_terminal() {
        command.status().map(|status| (status, String::new()))
    } else {
        overheard(command)
    };
    match ended {
        Ok((status, _)) if status.success() => Ok(()),
        Ok((status, failures)) => Err(Stop::Failed(format!("`{shown}`: {status}{failures}"))),
        Err(error) => Err(Stop::Failed(format!("`{shown}` could not be started: {error}"))),
    }
}

/// Runs a program, shows its output, and keeps what that says of failures.
fn overheard(command: &mut Command) -> io::Result<(ExitStatus, String)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let failures = thread::scope(|scope| {
        let output = scope.spawn(|| output.map_or_else(String::new, |from| pass_on(from, io::stdout())));
        let errors = errors.map_or_else(String::new, |from| pass_on(from, io::stderr()));
        output.join().unwrap_or_default() + &errors
    });
    Ok((child.wait()?, failures))
}

/// Passes lines on, and returns those that say what failed, each with the few after it, indented.
fn pass_on(from: impl Read, mut to: impl Write) -> String {
    const MARKS: [&str; 5] = ["FAILED", "panicked at", "not ok ", "Error: ", "Diff in "];
    const AFTER: usize = 12;
    const MOST: usize = 16_000;
    let (mut failures, mut wanted) = (String::new(), 0);
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // Whoever listened may be gone; the program is to come to its end all the same.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        let text = String::from_utf8_lossy(&line);
        if text.starts_with("error") || MARKS.iter().any(|mark| text.contains(mark)) {
            wanted = AFTER;
        }
        if wanted > 0 && failures.len() < MOST {
            failures.push_str("\n    ");
            failures.push_str(text.trim_end());
            wanted -= 1;
        }
        line.clear();
    }
    failures
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

#[cfg(test)]
mod tests {
    use super::pass_on;

    #[test]
    fn what_failed_is_kept_and_all_is_passed_on() {
        let said = "test a ... ok\ntest b ... FAILED\nwhy\n";
        let mut shown = Vec::new();
        assert_eq!(pass_on(said.as_bytes(), &mut shown), "\n    test b ... FAILED\n    why");
        assert_eq!(shown, said.as_bytes());
    }
}
