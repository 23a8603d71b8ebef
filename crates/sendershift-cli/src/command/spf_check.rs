//! `sendershift spf check`

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anstyle::Style;
use sendershift::dns::{RecordType, Snapshot};
use sendershift::error::{Invalid, Problem};
use sendershift::name::return_path;
use sendershift::spf::{Outcome, SpfRecord, SpfResult, TraceStep};
use sendershift::wire::{BatchLine, CheckDocument, CheckRequest, Judged};

use super::{Receiver, allowed};
use crate::Global;
use crate::evidence::{snapshot, unreadable};
use crate::failure::{Failure, Faulty};
use crate::output::{BAD, Exit, FAINT, GOOD, NOTICE, Output, STRONG, Text, counted, fill, styled};
use crate::snippet;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 0 if the result is pass, else 1. With --batch it is 0 where every line has an answer, 3 where evidence is missing for one, and 2 where one is malformed."
)]
pub(crate) struct Check {
    /// The address of the client
    #[arg(long, value_name = "IP", required_unless_present = "batch")]
    ip: Option<IpAddr>,
    /// The MAIL FROM address, as mail logs have it; empty or `<>` for the null sender
    #[arg(long, value_name = "ADDR", required_unless_present = "batch")]
    mail_from: Option<String>,
    /// The name that the client gave in HELO or EHLO
    #[arg(long, value_name = "NAME")]
    helo: Option<String>,
    /// Check every line of a file of JSON lines with `ip`, `mail_from` and `helo`; `-` is standard input. Exit code 0 if each line
    /// has a result, 2 if one is no request, else 3 if evidence is missing for one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ip", "mail_from", "helo"])]
    batch: Option<PathBuf>,
    #[command(flatten)]
    receiver: Receiver,
    /// Show what each term asked, and what it got; with --batch, add the trace to each line
    #[arg(long)]
    trace: bool,
}

impl Check {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let evidence = snapshot(&global.dns)?;
        if let Some(path) = &self.batch {
            return self.batch(path, &evidence, output);
        }
        // Both are there: the arguments are refused otherwise.
        let (Some(ip), Some(mail_from)) = (self.ip, &self.mail_from) else { return Ok(Exit::BadInput) };
        return_path(mail_from)
            .map_err(|problem| Failure::of_argument("--mail-from", mail_from, Invalid::one(problem)))?;
        let request = CheckRequest::new(ip, mail_from, self.helo.clone());
        let answer = request.check(&evidence, self.receiver.profile(), true)?;
        if output.json {
            let document = serde_json::to_string(&answer).unwrap_or_default();
            output.print(&format!("{document}\n"));
        } else {
            output.print(&text(&answer, &evidence, self.trace, output.width));
        }
        Ok(if answer.checked.result == SpfResult::Pass { Exit::Done } else { Exit::No })
    }

    fn batch(&self, path: &Path, evidence: &Snapshot, output: &mut Output) -> Result<Exit, Failure> {
        let failed = |error: &io::Error| Failure::Unreadable(unreadable(path, error));
        let mut lines: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            Box::new(BufReader::new(File::open(path).map_err(|error| failed(&error))?))
        };
        let mut exit = Exit::Done;
        let mut line = Vec::new();
        let mut number = 0_u32;
        while !output.is_closed() {
            line.clear();
            number = number.saturating_add(1);
            if lines.read_until(b'\n', &mut line).map_err(|error| failed(&error))? == 0 {
                break;
            }
            let numbered = (number, line.trim_ascii_end());
            let judged = BatchLine::judge(numbered, evidence, self.receiver.profile(), self.trace);
            output.print(&format!("{}\n", judged.document));
            // A malformed line weighs more than missing evidence: it has to be mended first.
            exit = match (judged.judged, exit) {
                (Judged::Malformed, _) | (_, Exit::BadInput) => Exit::BadInput,
                (Judged::Missing, _) => Exit::Missing,
                _ => exit,
            };
        }
        Ok(exit)
    }
}

fn text(answer: &CheckDocument, evidence: &Snapshot, questions: bool, width: usize) -> String {
    let checked = &answer.checked;
    let mut text = Text::default();
    let verdict = format!("{}: {}", checked.result, meaning(answer));
    let verdict = fill(&verdict, width, "  ");
    let result = checked.result.as_str();
    let rest = verdict.strip_prefix(result).unwrap_or_default();
    text.line(format!("{}{rest}", styled(style(checked.result), result)));
    let spent = format!(
        "{} of {}, {} of {} (receiver {})",
        checked.lookups,
        allowed(answer.receiver.lookups, "lookup"),
        checked.voids,
        allowed(answer.receiver.voids, "void lookup"),
        answer.receiver.name
    );
    text.line(styled(FAINT, fill(&spent, width, "  ")));
    let steps = answer.trace.as_ref().map_or(&[] as &[TraceStep], |trace| &trace.steps);
    if let (Some(domain), false) = (&answer.domain, steps.is_empty()) {
        text.line("");
        text.line(styled(STRONG, domain));
        tree(&mut text, steps, questions, width);
    }
    if let Some(explanation) = &checked.explanation {
        text.line("");
        text.line(fill(&format!("the domain explains: {explanation}"), width, "  "));
    }
    if let Some(problem) = problem(answer, evidence, width) {
        text.line("");
        text.part(problem);
    }
    text.into_string()
}

fn style(result: SpfResult) -> Style {
    match result {
        SpfResult::Pass => GOOD,
        SpfResult::Fail | SpfResult::PermError => BAD,
        _ => NOTICE,
    }
}

fn meaning(answer: &CheckDocument) -> String {
    let CheckRequest { ip, mail_from, .. } = &answer.request;
    let sender = match (return_path(mail_from).unwrap_or(mail_from), &answer.domain) {
        ("", Some(domain)) => format!("the null sender, judged as postmaster@{domain}"),
        ("", None) => "the null sender of a client without a HELO domain".to_owned(),
        (address, _) => address.to_owned(),
    };
    match answer.checked.result {
        SpfResult::None => format!("there is no record to judge mail from {sender} by"),
        SpfResult::Neutral => format!("nothing is said about {ip} sending mail from {sender}"),
        SpfResult::Pass => format!("{ip} may send mail from {sender}"),
        SpfResult::Fail => format!("{ip} may not send mail from {sender}"),
        SpfResult::SoftFail => format!("{ip} probably may not send mail from {sender}"),
        SpfResult::TempError => format!("DNS failed for mail from {sender}; receivers try again later"),
        SpfResult::PermError => format!("the records for mail from {sender} cannot be used"),
    }
}

/// The terms as they were evaluated, with outcome and cost in columns.
fn tree(text: &mut Text, steps: &[TraceStep], questions: bool, width: usize) {
    const COLUMNS: usize = 36;
    let longest = steps.iter().map(|step| 2 * step.depth + 2 + step.term.chars().count()).max().unwrap_or(0);
    let column = longest.min(width.saturating_sub(COLUMNS));
    for step in steps {
        let indent = " ".repeat(2 * step.depth + 2);
        let term = format!("{indent}{}", step.term);
        let (style, outcome) = match step.outcome {
            Some(Outcome::Match) => (GOOD, "match".to_owned()),
            Some(Outcome::NoMatch) => (FAINT, "no match".to_owned()),
            Some(Outcome::Decided(result) | Outcome::Error(result)) => (style(result), result.to_string()),
            _ => (FAINT, String::new()),
        };
        let mut cost = Vec::new();
        if step.lookups > 0 {
            cost.push(counted(step.lookups, "lookup"));
        }
        if step.voids > 0 {
            cost.push(counted(step.voids, "void"));
        }
        let padded = if term.chars().count() > column {
            format!("{}\n{}", wrapped(&term, width, &indent), " ".repeat(column))
        } else {
            format!("{term:column$}")
        };
        let outcome = if cost.is_empty() { outcome } else { format!("{outcome:9}") };
        text.line(format!("{padded}  {}  {}", styled(style, outcome), cost.join(", ")).trim_end());
        for asked in step.asked.iter().filter(|_| questions) {
            let asked = format!(
                "{indent}  {} {}: {}",
                asked.question.record_type,
                asked.question.name,
                asked.answer.join(", ")
            );
            text.line(styled(FAINT, wrapped(&asked, width, &format!("{indent}    "))));
        }
    }
}

/// Text that may have no space to break it at; leading spaces are kept.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    fill(text, width, &format!("{indent}  "))
}

/// Why the result is what it is, under the place in the record.
fn problem(answer: &CheckDocument, evidence: &Snapshot, width: usize) -> Option<String> {
    let problem = answer.checked.problem.as_ref()?;
    let told = Problem::new(problem.code, problem.reason());
    let (Some(domain), Some(span)) = (&problem.domain, problem.span) else {
        return Some(snippet::plain(&told, width));
    };
    let texts = evidence.rrsets(domain).filter(|(kind, _)| *kind == RecordType::Txt);
    let record = texts.flat_map(|(_, rrset)| rrset.texts()).find(|txt| SpfRecord::is_spf(txt.octets()));
    let Some(record) = record else { return Some(snippet::plain(&told, width)) };
    // A record that is not well-formed has more to say than where the first problem is.
    let invalid = match SpfRecord::parse(record.octets()) {
        Err(invalid) => invalid,
        Ok(_) => Invalid::one(told.at(span)),
    };
    let text = record.octets().iter().map(|octet| if octet.is_ascii() { char::from(*octet) } else { '?' });
    let name = format!("the record of {domain}");
    let faulty = Faulty { name, text: text.collect(), is_file: false, invalid };
    Some(snippet::render(&faulty, width))
}
