//! Reports of findings, for people.

use sendershift::finding::{Counts, Finding, Report, Severity};

use crate::Global;
use crate::output::{BAD, Exit, FAINT, GOOD, NOTICE, Output, Text, counted, styled};
use crate::snippet;

/// Prints a report, and says what the process ends with.
pub(crate) fn print(report: &Report, global: &Global, output: &mut Output) -> Exit {
    if output.json {
        output.print(&format!("{}\n", serde_json::to_string(report).unwrap_or_default()));
    } else {
        output.print(&text(report, output.width));
    }
    let Counts { error, warning, .. } = report.counts;
    if error > 0 || (global.strict && warning > 0) { Exit::No } else { Exit::Done }
}

fn text(report: &Report, width: usize) -> String {
    let mut text = Text::default();
    for finding in &report.findings {
        text.part(one(finding, width));
        text.line("");
    }
    text.line(summary(report));
    for question in &report.skipped {
        text.line(styled(FAINT, format!("not looked at: {question}, which is not in the evidence")));
    }
    text.into_string()
}

/// One finding: what it is, the place in the record, whose record that is, and what to do.
fn one(finding: &Finding, width: usize) -> String {
    let mut place = format!("{} {}", finding.name, finding.record_type);
    if finding.name.as_str() == "record.invalid" {
        "the record".clone_into(&mut place);
    }
    if !finding.via.is_empty() {
        let via: Vec<&str> = finding.via.iter().map(sendershift::name::DomainName::as_str).collect();
        place = format!("{place}, reached by way of {}", via.join(", "));
    }
    snippet::finding(finding, &place, width)
}

fn summary(report: &Report) -> String {
    let subject = if report.subject.contains(' ') { "the record" } else { report.subject.as_str() };
    let Counts { error, warning, note, .. } = report.counts;
    let parts = [
        (error, Severity::Error, "error"),
        (warning, Severity::Warning, "warning"),
        (note, Severity::Note, "note"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, severity, noun)| {
            let style = match severity {
                Severity::Error => BAD,
                Severity::Warning => NOTICE,
                Severity::Note => FAINT,
            };
            styled(style, counted(u64::try_from(count).unwrap_or(u64::MAX), noun))
        })
        .collect();
    let found = if parts.is_empty() { styled(GOOD, "no findings") } else { parts.join(", ") };
    let receiver = report.receiver.map_or_else(String::new, |name| format!(" (receiver {name})"));
    format!("{subject}: {found}{receiver}")
}
