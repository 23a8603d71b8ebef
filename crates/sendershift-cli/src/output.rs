//! Where output goes, how wide it is, and what the process ends with.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSplitter};

/// Columns where no terminal says otherwise.
const DEFAULT_WIDTH: usize = 80;
/// Fewer columns than these help nobody.
const LEAST_WIDTH: usize = 40;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const NOTICE: Style = AnsiColor::Yellow.on_default();
pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Done,
    No,
    BadInput,
    Missing,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::BadInput => 2,
            Exit::Missing => 3,
        })
    }
}

/// Standard output and standard error.
///
/// Nobody reading any more (a closed pipe) is no failure: the rest is not written, the exit code stays what it is.
#[derive(Debug)]
pub(crate) struct Output {
    /// Whether JSON is asked for.
    pub(crate) json: bool,
    /// Columns of the terminal.
    pub(crate) width: usize,
    closed: bool,
    /// Whether output was lost though somebody wanted it.
    pub(crate) failed: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let terminal = terminal_size::terminal_size_of(io::stdout())
            .or_else(|| terminal_size::terminal_size_of(io::stderr()))
            .map(|(width, _)| usize::from(width.0));
        let told = || std::env::var("COLUMNS").ok()?.parse().ok();
        let width = terminal.or_else(told).unwrap_or(DEFAULT_WIDTH).max(LEAST_WIDTH);
        Self { json, width, closed: false, failed: false }
    }

    /// Prints text as it is; colours are taken out where they do not belong.
    pub(crate) fn print(&mut self, text: &str) {
        if !self.closed {
            let mut stdout = anstream::stdout().lock();
            if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
                self.closed = true;
                if error.kind() != io::ErrorKind::BrokenPipe {
                    complain(&format!("error: the output cannot be written: {error}\n"));
                    self.failed = true;
                }
            }
        }
    }

    /// Whether nobody reads any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}

/// Prints text on standard error.
pub(crate) fn complain(text: &str) {
    // If this fails there is nobody left to tell.
    let _unread: io::Result<()> = anstream::stderr().write_all(text.as_bytes());
}

/// Progress on standard error, where that is a terminal and the work takes long enough to be noticed.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    since: Option<Instant>,
    shown: bool,
}

impl Progress {
    pub(crate) fn new(what: &'static str) -> Self {
        let since = io::stderr().is_terminal().then(Instant::now);
        Self { what, since, shown: false }
    }

    /// Shows a count; always says to go on.
    pub(crate) fn show(&mut self, count: u64) -> bool {
        if self.since.is_some_and(|since| since.elapsed() > Duration::from_secs(1)) {
            complain(&format!("\r{count} {}", self.what));
            self.shown = true;
        }
        true
    }

    /// Takes the line away again.
    pub(crate) fn clear(&self) {
        if self.shown {
            complain("\r\x1b[K");
        }
    }
}

/// Text that grows by lines.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl Text {
    /// Adds a line.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) {
        self.part(line);
        self.0.push('\n');
    }

    /// Adds text as it is.
    pub(crate) fn part(&mut self, part: impl AsRef<str>) {
        self.0.push_str(part.as_ref());
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Text in a style.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// `1 lookup`, `2 lookups`.
pub(crate) fn counted(count: impl Into<u64>, noun: &str) -> String {
    let count = count.into();
    let plural = if noun.ends_with('s') { "es" } else { "s" };
    format!("{count} {noun}{}", if count == 1 { "" } else { plural })
}

/// Text filled to a width; lines after the first begin with `indent`.
pub(crate) fn fill(text: &str, width: usize, indent: &str) -> String {
    // Names with hyphens stay whole.
    let options = Options::new(width).subsequent_indent(indent).word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}
