//! The operations on plans.

use super::to_json;
use crate::error::Error;
use crate::plan::Plan;
use crate::prove::prove;

/// A plan document in, a proof document out. Any proof inside the plan is ignored.
pub(super) fn prove_operation(input: &str) -> Result<String, Error> {
    Ok(to_json(&prove(&Plan::from_json(input)?)?))
}
