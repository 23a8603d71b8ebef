//! A plan just inside its margin, and just outside: parameters that are a little worse than the plan's own.

use sendershift::plan::{Parameters, Plan};
use sendershift::prove::{Breaks, Margin, prove_with_margin};
use serde_json::{Value, json};

use crate::operators::Mutant;

/// A plan at the edge of a margin, and what the prover says is broken there; nothing just inside.
pub(crate) struct Edge {
    pub(crate) mutant: Mutant,
    pub(crate) broken: Option<Breaks>,
}

/// The three times of a margin, in seconds, each with its key.
fn times(parameters: &Parameters) -> [(&'static str, u64); 3] {
    [
        ("resolver_stale", parameters.resolver_stale),
        ("queue_lifetime", parameters.queue_lifetime),
        ("publication_delay", parameters.publication_delay),
    ]
}

/// For each figure of the margin that has an end the plan with it, and with a second or a thousandth more.
pub(crate) fn edges(document: &Value, plan: &Plan) -> Result<Vec<Edge>, String> {
    let proof = prove_with_margin(plan, &mut |_| true).map_err(|error| error.to_string())?;
    let Some(Margin { resolver_stale, queue_lifetime, publication_delay, factor_per_mille, .. }) =
        proof.margin
    else {
        return Err("the plan has no margin".to_owned());
    };
    let mut edges = Vec::new();
    let mut edge = |what: &str, set: &[(&str, u64)], broken: Option<&Breaks>| {
        let mut changed = document.clone();
        for (key, seconds) in set {
            changed["parameters"][*key] = json!(format!("PT{seconds}S"));
        }
        let side = if broken.is_some() { "outside" } else { "inside" };
        let mutant = Mutant {
            name: format!("{what}, just {side}"),
            operator: "margin",
            step: 0,
            wait: None,
            document: changed,
        };
        edges.push(Edge { mutant, broken: broken.cloned() });
    };
    let alone = [resolver_stale, queue_lifetime, publication_delay];
    for ((key, _), most) in times(&plan.parameters).into_iter().zip(&alone) {
        if let (Some(value), Some(broken)) = (most.value, &most.then) {
            edge(&format!("{key} {} s", value.0), &[(key, value.0)], None);
            edge(&format!("{key} {} s", value.0 + 1), &[(key, value.0 + 1)], Some(broken));
        }
    }
    if let (Some(value), Some(broken)) = (factor_per_mille.value, &factor_per_mille.then) {
        for (per_mille, broken) in [(value.0, None), (value.0 + 1, Some(broken))] {
            let scaled = times(&plan.parameters).map(|(key, time)| (key, (time * per_mille).div_ceil(1000)));
            edge(&format!("all three {per_mille} per mille"), &scaled, broken);
        }
    }
    Ok(edges)
}
