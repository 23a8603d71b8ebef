//! The operations on plans.

use serde::Serialize;

use super::spf::{read, snapshot};
use super::to_json;
use crate::dns::Snapshot;
use crate::error::Error;
use crate::migration::Migration;
use crate::plan::Plan;
use crate::planner;
use crate::prove::{Judged, Proof, prove_with_margin};

/// A plan with its proof: the document that `plan` gives.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ProvenPlan {
    /// The plan.
    #[serde(flatten)]
    pub plan: Plan,
    /// What the prover says of it.
    pub proof: Proof,
}

impl ProvenPlan {
    /// Plans a migration and judges the plan. `progress` is called as by
    /// [`prove_with`](crate::prove::prove_with).
    ///
    /// # Errors
    ///
    /// As [`planner::plan`] and [`prove`](crate::prove::prove).
    pub fn new(
        migration: &Migration,
        evidence: &Snapshot,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Self, Error> {
        let plan = planner::plan(migration, evidence)?;
        let proof = prove_with_margin(&plan, progress)?;
        Ok(Self { plan, proof })
    }

    /// Whether the plan is complete and proven safe.
    pub fn is_ready(&self) -> bool {
        self.plan.blockers.is_empty() && self.proof.verdict == Judged::Safe
    }
}

/// `{ "migration", "dns" }`: the text of a migration file, and a snapshot. A plan document with its proof out.
pub(super) fn plan_operation(input: &str) -> Result<String, Error> {
    let (migration, evidence) = read(input, |reader, fields| {
        let migration = fields.required(reader, "migration").and_then(|value| reader.text(value));
        let snapshot = snapshot(reader, fields, input);
        Some((migration?.to_owned(), snapshot?))
    })?;
    // Problems of the migration have their places in its text.
    let migration = Migration::from_toml(&migration)?;
    Ok(to_json(&ProvenPlan::new(&migration, &evidence, &mut |_| true)?))
}

/// A plan document in, a proof document out. Any proof inside the plan is ignored.
pub(super) fn prove_operation(input: &str) -> Result<String, Error> {
    Ok(to_json(&prove_with_margin(&Plan::from_json(input)?, &mut |_| true)?))
}
