//! Whether what is said of customers leads somewhere.

use super::Check;
use crate::plan::{Customer, StepKind};

impl Check<'_> {
    pub(super) fn customers(&mut self) {
        let customers = &self.plan.customers;
        self.ids("/customers", "customer", customers.iter().map(|customer| customer.id.as_str()));
        for (index, customer) in customers.iter().enumerate() {
            self.customer(&format!("/customers/{index}"), customer);
        }
    }

    fn customer(&mut self, place: &str, customer: &Customer) {
        let names = self.names;
        // A customer of no stream would be promised nothing and look promised.
        if customer.streams.is_empty() {
            let message = format!("customer `{}` has no stream", customer.id);
            self.found(format!("{place}/streams"), "plan.customer-without-stream", message);
        }
        for (index, id) in customer.streams.iter().enumerate() {
            self.lookup(&format!("{place}/streams/{index}"), "plan.unknown-stream", id, &names.streams);
        }
        let told = [StepKind::Notify, StepKind::External];
        self.named(
            &format!("{place}/notified_by"),
            &customer.notified_by,
            told,
            "plan.not-a-notice",
            "nobody is told",
        );
        if let Some(id) = &customer.ready_when {
            let seen = [StepKind::Gate, StepKind::Customer];
            self.named(
                &format!("{place}/ready_when"),
                id,
                seen,
                "plan.not-a-gate",
                "nothing is seen to be ready",
            );
        }
        // What waits for nobody's records, or falls back from nothing, was meant otherwise.
        if customer.own_domains.is_empty() && (customer.ready_when.is_some() || customer.fallback.is_some()) {
            let message = format!("customer `{}` has no domain of its own to wait for", customer.id);
            self.found(format!("{place}/own_domains"), "plan.no-own-domains", message);
        }
        for (index, name) in customer.own_domains.iter().enumerate() {
            let problem = name.check_for_mail().err();
            self.found.extend(problem.map(|problem| (format!("{place}/own_domains/{index}"), problem)));
        }
        let Some(fallback) = &customer.fallback else { return };
        let at = format!("{place}/fallback/stream");
        if let Some(stream) = self.lookup(&at, "plan.unknown-stream", &fallback.stream, &names.streams) {
            let at = format!("{place}/fallback/identity");
            self.lookup(&at, "plan.unknown-identity", &fallback.identity, names.identities(stream));
        }
    }

    /// A step of one of two kinds.
    fn named(&mut self, place: &str, id: &str, kinds: [StepKind; 2], code: &'static str, why: &str) {
        let Some(step) = self.lookup(place, "plan.unknown-step", id, &self.names.steps) else { return };
        if self.plan.steps.get(step).is_none_or(|step| !kinds.contains(&step.kind)) {
            self.found(place, code, format!("in step `{id}` {why}: name a step of another kind"));
        }
    }
}
