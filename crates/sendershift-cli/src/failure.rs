//! Why there is no answer, as text or as a document.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use sendershift::dns::Question;
use sendershift::error::{Error, Invalid, Missing, Problem};
use sendershift::wire;
use serde::Serialize;

use crate::output::{Exit, Output, STRONG, Text, complain, counted, fill, styled};
use crate::snippet;

/// A text with problems.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    /// The path of the file, or what the text is.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) is_file: bool,
    pub(crate) invalid: Invalid,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// Texts have problems.
    Invalid(Vec<Faulty>),
    /// A file cannot be read.
    Unreadable(Problem),
    /// Evidence is missing.
    Missing(Missing),
    /// The evidence inside a plan is not enough.
    MissingInPlan(Missing),
    /// The core refuses, for a reason that has no place in a text.
    Refused(Invalid),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Missing(missing) => Self::Missing(missing),
            Error::Invalid(invalid) => Self::Refused(invalid),
            other => Self::Refused(Invalid::one(Problem::new("internal.error", other.to_string()))),
        }
    }
}

impl Failure {
    /// A text that an argument gave has problems.
    pub(crate) fn of_argument(name: &str, text: &str, invalid: Invalid) -> Self {
        Self::Invalid(vec![Faulty { name: name.to_owned(), text: text.to_owned(), is_file: false, invalid }])
    }

    /// A file has problems.
    pub(crate) fn of_file(path: &Path, text: &str, invalid: Invalid) -> Self {
        let name = path.display().to_string();
        Self::Invalid(vec![Faulty { name, text: text.to_owned(), is_file: true, invalid }])
    }

    /// A command that takes its evidence from elsewhere.
    pub(crate) fn unused_evidence(path: &Path, why: &str) -> Self {
        let message = format!("`--dns {}` is not used here: {why}", path.display());
        Self::Unreadable(Problem::new("usage.unused-evidence", message).help("leave `--dns` out"))
    }

    /// Tells what is wrong, and gives the exit code.
    pub(crate) fn report(self, output: &mut Output) -> Exit {
        let is_no_record = |problem: &Problem| problem.code == "spf.no-record";
        let exit = match &self {
            Self::Missing(_) | Self::MissingInPlan(_) => Exit::Missing,
            // Nothing is wrong with the input: there is no record.
            Self::Refused(invalid) if invalid.problems.iter().all(is_no_record) => Exit::No,
            _ => Exit::BadInput,
        };
        if output.json {
            output.print(&format!("{}\n", self.document()));
        } else {
            complain(&self.text(output.width));
        }
        exit
    }

    fn text(&self, width: usize) -> String {
        match self {
            Self::Invalid(faulty) => {
                let each: Vec<String> = faulty.iter().map(|faulty| snippet::render(faulty, width)).collect();
                each.join("\n")
            }
            Self::Unreadable(problem) => snippet::plain(problem, width),
            Self::Refused(invalid) => {
                invalid.problems.iter().map(|problem| snippet::plain(problem, width)).collect()
            }
            Self::Missing(missing) => {
                questions(&missing.questions, width)
                    + &fill(
                        "Write each answer into a snapshot (docs/format.md), and name the file with --dns beside the others:\n",
                        width,
                        "",
                    )
                    + &example(missing)
            }
            Self::MissingInPlan(missing) => {
                questions(&missing.questions, width)
                    + &fill(
                        "Write each answer into the `answers` of the `evidence` inside the plan:\n",
                        width,
                        "",
                    )
                    + &example(missing)
            }
        }
    }

    /// The document of the core, with the file of each problem.
    fn document(&self) -> String {
        let of = |invalid: &Invalid| wire::failure(&Error::Invalid(invalid.clone()));
        match self {
            Self::Missing(missing) | Self::MissingInPlan(missing) => {
                wire::failure(&Error::Missing(missing.clone()))
            }
            Self::Unreadable(problem) => of(&Invalid::one(problem.clone())),
            Self::Refused(invalid) => of(invalid),
            Self::Invalid(faulty) => in_files(faulty),
        }
    }
}

#[derive(Serialize)]
struct ErrorDocument<'a> {
    format: &'static str,
    code: &'static str,
    message: String,
    problems: Vec<ProblemInFile<'a>>,
}

#[derive(Serialize)]
struct ProblemInFile<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

fn in_files(faulty: &[Faulty]) -> String {
    let each = faulty.iter().flat_map(|faulty| {
        let file = faulty.is_file.then_some(faulty.name.as_str());
        faulty.invalid.problems.iter().map(move |problem| ProblemInFile { problem, file })
    });
    let problems: Vec<ProblemInFile<'_>> = each.collect();
    let document = ErrorDocument {
        format: "sendershift-error/1",
        code: problems.first().map_or("", |first| first.problem.code),
        message: faulty.first().map(|first| first.invalid.to_string()).unwrap_or_default(),
        problems,
    };
    serde_json::to_string(&document).unwrap_or_default()
}

/// The questions that are still open, and how to ask them.
pub(crate) fn questions(questions: &[Question], width: usize) -> String {
    let count = u64::try_from(questions.len()).unwrap_or(u64::MAX);
    let (are, them) = if count == 1 { ("is", "it") } else { ("are", "them") };
    let mut text = Text::default();
    text.line(styled(STRONG, format!("evidence is missing: {} {are} open", counted(count, "question"))));
    text.line("");
    for question in questions {
        let name = question.name.as_str();
        // What a shell would read as something else is quoted.
        let plain = name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._".contains(&c));
        let name = if plain { name.to_owned() } else { format!("'{name}'") };
        text.line(format!("  dig +noall +comments +answer {} {name}", question.record_type));
    }
    text.line("");
    let advice = format!("Ask {them}; no records, NXDOMAIN and a timeout are answers too.");
    text.line(fill(&advice, width, ""));
    text.into_string()
}

/// How an answer is written, and that there is none.
fn example(missing: &Missing) -> String {
    let Some(Question { name, record_type, .. }) = missing.questions.first() else { return String::new() };
    let about = format!(r#""name": {}, "type": "{record_type}""#, serde_json::Value::from(name.as_str()));
    format!(
        "  {{ {about}, \"ttl\": 3600, \"records\": [\"...\"] }}\n  {{ {about}, \"status\": \"nxdomain\" }}\n"
    )
}

/// What clap has to say: help and version on standard output, the rest is wrong usage.
pub(crate) fn usage(error: &clap::Error) -> Exit {
    let asks_for_json = std::env::args_os().any(|argument| argument == "--json");
    if !error.use_stderr() {
        let mut output = Output::new(false);
        output.print(&error.render().ansi().to_string());
        return Exit::Done;
    }
    let mut output = Output::new(asks_for_json);
    if asks_for_json {
        let code = match error.kind() {
            ErrorKind::InvalidSubcommand
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "usage.unknown-command",
            ErrorKind::UnknownArgument => "usage.unknown-argument",
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => "usage.bad-value",
            ErrorKind::MissingRequiredArgument => "usage.missing-argument",
            _ => "usage.bad-arguments",
        };
        let text = error.render().to_string();
        let mut message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        if let (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(missing))) =
            (error.kind(), error.get(ContextKind::InvalidArg))
        {
            message = format!("{message} {}", missing.join(", "));
        }
        let suggestion = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand]
            .into_iter()
            .find_map(|kind| error.get(kind))
            .map(|suggested| format!("did you mean `{suggested}`?"));
        let problem = Problem::new(code, message);
        let problem = match suggestion {
            Some(help) => problem.help(help),
            None => problem,
        };
        return Failure::Unreadable(problem).report(&mut output);
    }
    complain(&error.render().ansi().to_string());
    Exit::BadInput
}
