//! `sendershift drift`

use std::path::PathBuf;

use sendershift::adjacent::{Change, Drift as Drifted, drift};

use crate::Global;
use crate::evidence::snapshot;
use crate::failure::Failure;
use crate::output::{BAD, Exit, FAINT, GOOD, Output, STRONG, Text, counted, styled};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 if anything changed; with --strict also if only one of the files answers a question."
)]
pub(crate) struct Drift {
    /// What DNS said before: a snapshot or a zone file
    #[arg(value_name = "EARLIER")]
    earlier: PathBuf,
    /// What it said afterwards
    #[arg(value_name = "LATER")]
    later: PathBuf,
}

impl Drift {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        if let Some(path) = global.dns.first() {
            return Err(Failure::unused_evidence(path, "two files are compared"));
        }
        let (earlier, later) = (snapshot(&[&self.earlier])?, snapshot(&[&self.later])?);
        let drift = drift(&earlier, &later);
        if output.json {
            output.print(&format!("{}\n", serde_json::to_string(&drift).unwrap_or_default()));
        } else {
            output.print(&text(&drift));
        }
        let open = global.strict && !drift.not_compared.is_empty();
        Ok(if drift.changes.is_empty() && !open { Exit::Done } else { Exit::No })
    }
}

fn text(drift: &Drifted) -> String {
    let mut text = Text::default();
    for Change { question, before, after, .. } in &drift.changes {
        text.line(styled(STRONG, format!("{} {}", question.name, question.record_type)));
        // What both have stays out of the way.
        for record in before.iter().filter(|record| !after.contains(record)) {
            text.line(styled(BAD, format!("  - {record}")));
        }
        for record in after.iter().filter(|record| !before.contains(record)) {
            text.line(styled(GOOD, format!("  + {record}")));
        }
        text.line("");
    }
    text.line(match drift.changes.len() {
        0 => "nothing changed that both files answer".to_owned(),
        changes => format!("{} changed", counted(u64::try_from(changes).unwrap_or(u64::MAX), "RRset")),
    });
    if !drift.not_compared.is_empty() {
        text.line(styled(FAINT, "not compared, as only one of the files answers:"));
    }
    for question in &drift.not_compared {
        text.line(styled(FAINT, format!("  {question}")));
    }
    text.into_string()
}
