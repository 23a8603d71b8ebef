//! Problems shown where they are.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, Title};
use sendershift::error::{Problem, Span};
use sendershift::finding::{Finding, Severity};

use crate::failure::Faulty;
use crate::output::{Text, counted, fill};

/// Problems that one file shows; a file with more is wrong as a whole.
const MAX_SHOWN: usize = 25;
/// Problems on one line that are told beside their carets; more are told below, by kind.
const MAX_LABELS: usize = 3;

/// All problems of a text.
pub(crate) fn render(faulty: &Faulty, width: usize) -> String {
    let problems = &faulty.invalid.problems;
    if !faulty.is_file && problems.iter().all(|problem| problem.span.is_some()) {
        return one_line(faulty, width);
    }
    let mut text = Text::default();
    for (index, problem) in problems.iter().take(MAX_SHOWN).enumerate() {
        text.part(if index == 0 { "" } else { "\n" });
        text.part(in_file(faulty, problem, width));
    }
    let more = problems.len().saturating_sub(MAX_SHOWN);
    if more > 0 {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        text.line(format!("{} of `{}` not shown", counted(more, "more problem"), faulty.name));
    }
    text.into_string()
}

/// A problem without a place.
pub(crate) fn plain(problem: &Problem, width: usize) -> String {
    finish(Group::with_title(title(problem.code, &problem.message, width)), problem.help.as_deref(), width)
}

/// A finding, with its place in the record that it is about.
pub(crate) fn finding(finding: &Finding, place: &str, width: usize) -> String {
    let problem = &finding.problem;
    let (level, lead) = match finding.severity {
        Severity::Error => (Level::ERROR, "error"),
        Severity::Warning => (Level::WARNING, "warning"),
        Severity::Note => (Level::NOTE, "note"),
    };
    let title = titled(level, lead, problem.code, &problem.message, width);
    let source = broken(finding.record.as_deref().unwrap_or_default(), width.saturating_sub(4));
    let origin = Level::NOTE.with_name("in").message(fill(place, width.saturating_sub(8), ""));
    let group = match problem.span {
        Some(span) if !source.is_empty() => {
            let annotation = AnnotationKind::Primary.span(visible(&source, span));
            title
                .element(Snippet::source(&source).line_numbering(false).annotation(annotation))
                .element(origin)
        }
        _ => title.element(origin),
    };
    finish(group, problem.help.as_deref(), width)
}

fn in_file(faulty: &Faulty, problem: &Problem, width: usize) -> String {
    let Some(span) = problem.span else { return plain(problem, width) };
    let title = title(problem.code, &problem.message, width);
    let snippet = Snippet::source(&faulty.text)
        .path(&faulty.name)
        .annotation(AnnotationKind::Primary.span(head(&faulty.text, span, width / 2)));
    finish(title.element(snippet), problem.help.as_deref(), width)
}

/// The problems of a text of one line, such as a record: the line is broken at spaces to fit, so every octet keeps its
/// place.
fn one_line(faulty: &Faulty, width: usize) -> String {
    let problems = &faulty.invalid.problems;
    let code = problems.first().map_or("", |problem| problem.code);
    let message = match problems.as_slice() {
        [only] => only.message.clone(),
        _ => {
            let count = u64::try_from(problems.len()).unwrap_or(u64::MAX);
            format!("{} in {}", counted(count, "problem"), faulty.name)
        }
    };
    let source = broken(&faulty.text, width.saturating_sub(4));
    let is_labelled = problems.len() > 1
        && problems.len() <= MAX_LABELS
        && problems.iter().all(|problem| fits_beside(&source, problem, width));
    let annotations = problems.iter().filter_map(|problem| {
        let annotation = AnnotationKind::Primary.span(visible(&source, problem.span?));
        Some(if is_labelled { annotation.label(&problem.message) } else { annotation })
    });
    let snippet = Snippet::source(&source).line_numbering(false).fold(false).annotations(annotations);
    let place = match problems.as_slice() {
        [Problem { column: Some(column), .. }] => Some(format!("{}, column {column}", faulty.name)),
        [_] => Some(faulty.name.clone()),
        _ => None,
    };
    let group = title(code, &message, width).element(snippet);
    let group = group.elements(place.iter().map(|place| Level::NOTE.with_name("in").message(place)));
    let told = if is_labelled || problems.len() == 1 { Vec::new() } else { kinds(problems) };
    let mut helps: Vec<&str> = problems.iter().filter_map(|problem| problem.help.as_deref()).collect();
    helps.dedup();
    let group = group.elements(told.iter().map(|note| Level::NOTE.message(fill(note, width - 10, ""))));
    finish(group, helps, width)
}

/// Whether the message has room behind the carets.
fn fits_beside(source: &str, problem: &Problem, width: usize) -> bool {
    let end = problem.span.map_or(0, |span| span.end);
    let before = source.get(..end).unwrap_or(source);
    let line = before.rsplit('\n').next().unwrap_or(before);
    line.chars().count() + problem.message.chars().count() + 5 <= width
}

/// Each kind of problem once, with its columns.
fn kinds(problems: &[Problem]) -> Vec<String> {
    let mut kinds: Vec<(&str, Vec<String>)> = Vec::new();
    for problem in problems {
        let column = problem.column.map_or_else(|| "?".to_owned(), |column| column.to_string());
        match kinds.iter_mut().find(|(message, _)| *message == problem.message) {
            Some((_, columns)) => columns.push(column),
            None => kinds.push((&problem.message, vec![column])),
        }
    }
    let told = |(message, columns): (&str, Vec<String>)| {
        let column = if columns.len() == 1 { "column" } else { "columns" };
        format!("{message}: {column} {}", columns.join(", "))
    };
    kinds.into_iter().map(told).collect()
}

fn finish<'a>(group: Group<'a>, helps: impl IntoIterator<Item = &'a str>, width: usize) -> String {
    let group = group.elements(
        helps.into_iter().map(|help| Level::HELP.message(fill(help, width.saturating_sub(10), ""))),
    );
    let renderer = Renderer::styled().term_width(width);
    format!("{}\n", renderer.render(&[group]))
}

fn title<'a>(code: &'a str, message: &str, width: usize) -> Title<'a> {
    titled(Level::ERROR, "error", code, message, width)
}

fn titled<'a>(level: Level<'a>, lead: &str, code: &'a str, message: &str, width: usize) -> Title<'a> {
    let lead = lead.len() + "[]: ".len() + code.len();
    level.primary_title(fill(message, width.saturating_sub(lead), "")).id(code)
}

/// The part of a long span that shows where it begins.
fn head(text: &str, span: Span, width: usize) -> std::ops::Range<usize> {
    let span = visible(text, span);
    let shown = text.get(span.clone()).unwrap_or_default().lines().next().unwrap_or_default();
    let octets: usize = shown.chars().take(width).map(char::len_utf8).sum();
    span.start..span.start + octets
}

/// A span that a caret can stand under.
fn visible(text: &str, span: Span) -> std::ops::Range<usize> {
    let start = span.start.min(text.len());
    start..span.end.clamp(start, text.len())
}

/// The text with line breaks in place of spaces, where lines would be longer than `width`.
fn broken(text: &str, width: usize) -> String {
    let mut line = 0;
    let mut lines = String::with_capacity(text.len());
    for word in text.split_inclusive(' ') {
        let length = word.trim_end_matches(' ').chars().count();
        if line > 0 && line + length > width {
            lines.truncate(lines.len() - 1);
            lines.push('\n');
            line = 0;
        }
        lines.push_str(word);
        line += word.chars().count();
    }
    lines
}
