//! Waits that others imply are left out.

use std::collections::BTreeMap;

use crate::plan::{After, Step};

/// More steps than this keep all their waits.
const MAX_STEPS: usize = 1000;

/// Leaves one wait for each earlier step, and only those that no other implies. Every step has to stand behind those
/// that it waits for.
pub(super) fn reduce(steps: &mut [Step]) {
    for step in steps.iter_mut() {
        let mut longest: BTreeMap<String, u64> = BTreeMap::new();
        for After { step, at_least } in step.after.drain(..) {
            let slot = longest.entry(step).or_default();
            *slot = (*slot).max(at_least);
        }
        step.after = longest.into_iter().map(|(step, at_least)| After { step, at_least }).collect();
    }
    if steps.len() > MAX_STEPS {
        return;
    }
    let index: BTreeMap<String, usize> =
        steps.iter().enumerate().map(|(at, step)| (step.id.clone(), at)).collect();
    // For each step the longest enforced time from the done of each earlier one to its start.
    let mut table: Vec<BTreeMap<usize, u64>> = Vec::new();
    for at in 0..steps.len() {
        let Some(step) = steps.get_mut(at) else { continue };
        let waits: Vec<(usize, u64)> =
            step.after.iter().filter_map(|after| Some((*index.get(&after.step)?, after.at_least))).collect();
        let mut implied: BTreeMap<usize, u64> = BTreeMap::new();
        for (earlier, wait) in &waits {
            for (before, distance) in table.get(*earlier).into_iter().flatten() {
                let slot = implied.entry(*before).or_default();
                *slot = (*slot).max(distance.saturating_add(*wait));
            }
        }
        step.after.retain(|after| {
            let earlier = index.get(&after.step);
            earlier.and_then(|earlier| implied.get(earlier)).is_none_or(|implied| *implied < after.at_least)
        });
        step.after.sort_by_key(|after| index.get(&after.step).copied());
        for (earlier, wait) in waits {
            let slot = implied.entry(earlier).or_default();
            *slot = (*slot).max(wait);
        }
        table.push(implied);
    }
}
