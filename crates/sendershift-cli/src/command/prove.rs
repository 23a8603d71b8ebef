//! `sendershift prove`

use std::path::PathBuf;

use sendershift::error::Error;
use sendershift::plan::Plan;
use sendershift::prove::{Judged, prove_now_with_margin, prove_with_margin};
use sendershift::render;

use crate::Global;
use crate::evidence::{read, snapshot};
use crate::failure::Failure;
use crate::output::{Exit, Output, Progress};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 0 if the plan is safe, else 1: also if that is undecided. With --strict it is 1 also for any condition."
)]
pub(crate) struct Prove {
    /// A plan (sendershift-plan/1); a proof inside it is ignored
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
}

impl Prove {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let text = read(&self.plan)?;
        let plan = Plan::from_json(&text).map_err(|invalid| Failure::of_file(&self.plan, &text, invalid))?;
        let mut progress = Progress::new("mixes judged");
        let proof = if global.dns.is_empty() {
            prove_with_margin(&plan, &mut |mixes| progress.show(mixes)).map_err(|error| match error {
                Error::Missing(missing) => Failure::MissingInPlan(missing),
                other => other.into(),
            })?
        } else {
            let now = snapshot(&global.dns)?;
            prove_now_with_margin(&plan, &now, &mut |mixes| progress.show(mixes))?
        };
        progress.clear();
        if output.json {
            output.print(&format!("{}\n", serde_json::to_string_pretty(&proof).unwrap_or_default()));
        } else {
            output.print(&render::text::proof(&proof, output.width));
        }
        let warned = global.strict && !proof.conditions.is_empty();
        Ok(if proof.verdict == Judged::Safe && !warned { Exit::Done } else { Exit::No })
    }
}
