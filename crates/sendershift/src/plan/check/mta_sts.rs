//! Whether the MTA-STS policies of a plan come one after the other.

use std::collections::BTreeMap;

use super::Check;
use super::order::Order;
use crate::name::DomainName;
use crate::plan::StepKind;

impl Check<'_> {
    /// What can be said of each policy by itself.
    pub(super) fn policies(&mut self) {
        let plan = self.plan;
        for (index, published) in plan.mta_sts.iter().enumerate() {
            let place = format!("/mta_sts/{index}");
            let problem = published.domain.check_for_mail().err();
            self.found.extend(problem.map(|problem| (format!("{place}/domain"), problem)));
            let place = format!("{place}/from");
            let Some(id) = &published.from else { continue };
            let Some(step) = self.lookup(&place, "plan.unknown-step", id, &self.names.steps) else {
                continue;
            };
            // A notice and a gate stand before and behind what somebody does at some time between them, and tell no instant.
            let publishes = [StepKind::Dns, StepKind::Customer, StepKind::External];
            if plan.steps.get(step).is_none_or(|step| !publishes.contains(&step.kind)) {
                let message = format!(
                    "step `{id}` publishes nothing: name the one that changes the policy, of kind `dns` (with the new `id` in its TXT record), `external` or `customer`"
                );
                self.found(place, "plan.not-a-publication", message);
            }
        }
    }

    /// Whether the policies of each domain are published in the order in which they stand.
    pub(super) fn policies_in_order(&mut self, order: &Order) {
        let plan = self.plan;
        let mut last: BTreeMap<&DomainName, Option<usize>> = BTreeMap::new();
        let mut pairs = Vec::new();
        for (index, published) in plan.mta_sts.iter().enumerate() {
            let step = published.from.as_ref().map(|id| self.names.steps.get(id.as_str()).copied());
            let before = last.get(&published.domain).copied();
            match (step, before) {
                // An unknown step has been reported.
                (Some(None), _) => continue,
                (None, Some(_)) => {
                    let message = format!(
                        "{} has a policy before this one: only the first of a domain is there before the plan, name the step that publishes it",
                        published.domain
                    );
                    self.found(format!("/mta_sts/{index}"), "plan.policy-without-step", message);
                }
                (Some(Some(step)), Some(Some(before))) => pairs.push((index, (before, step))),
                (None | Some(Some(_)), _) => {}
            }
            last.insert(&published.domain, step.flatten());
        }
        let unordered = order.unordered(pairs.iter().map(|(_, pair)| *pair));
        for (index, (before, step)) in pairs.into_iter().filter(|(_, pair)| unordered.contains(pair)) {
            let message = format!(
                "the policy before is published at {}, and {} does not wait for it",
                self.id(before),
                self.id(step)
            );
            self.found(format!("/mta_sts/{index}/from"), "plan.unordered-policies", message);
        }
    }
}
