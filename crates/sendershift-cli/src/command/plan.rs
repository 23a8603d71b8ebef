//! `sendershift plan`

use std::path::PathBuf;

use sendershift::migration::Migration;
use sendershift::render;
use sendershift::wire::ProvenPlan;

use crate::Global;
use crate::evidence::{read, snapshot};
use crate::failure::Failure;
use crate::output::{Exit, Output, Progress};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 0 if the plan is safe and nothing stands in its way, else 1; with --strict it is 1 also for any finding."
)]
pub(crate) struct Plan {
    /// What shall change: a migration (sendershift-migration/1, TOML)
    #[arg(value_name = "MIGRATION.toml")]
    migration: PathBuf,
}

impl Plan {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let text = read(&self.migration)?;
        let migration = Migration::from_toml(&text)
            .map_err(|invalid| Failure::of_file(&self.migration, &text, invalid))?;
        let evidence = snapshot(&global.dns)?;
        let mut progress = Progress::new("mixes judged");
        let proven = ProvenPlan::new(&migration, &evidence, &mut |mixes| progress.show(mixes))?;
        progress.clear();
        if output.json {
            output.print(&format!("{}\n", serde_json::to_string_pretty(&proven).unwrap_or_default()));
        } else {
            output.print(&render::text::plan(&proven.plan, Some(&proven.proof), output.width));
        }
        let warned = global.strict && !proven.plan.findings.is_empty();
        Ok(if proven.is_ready() && !warned { Exit::Done } else { Exit::No })
    }
}
