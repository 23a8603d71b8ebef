//! P6: no policy gets stricter before somebody has looked.

use std::collections::BTreeSet;

use super::{declared, harshest};
use crate::dmarc::{self, Applied, Policy};
use crate::name::DomainName;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Plan, StepKind};
use crate::prove::binding::spans;
use crate::prove::proof::Counterexample;
use crate::prove::world::Flux;

/// A step after which an author domain asks receivers to act on what fails, or to act harder, and no gate stands between it and
/// the policy before. A domain that nobody uses before such a step needs none.
pub(in crate::prove) fn ungated(plan: &Plan, flux: &Flux, timeline: &Timeline) -> Option<Counterexample> {
    let identities = plan.streams.iter().flat_map(|stream| &stream.identities);
    let authors: BTreeSet<&DomainName> = identities.map(|identity| &identity.author_domain).collect();
    authors.into_iter().find_map(|author| ungated_for(plan, flux, timeline, author))
}

fn ungated_for(plan: &Plan, flux: &Flux, timeline: &Timeline, author: &DomainName) -> Option<Counterexample> {
    let follows = |earlier: usize, later: usize| {
        timeline.distance(Event::Done(earlier), Event::Start(later)).is_some_and(|distance| distance >= 0)
    };
    let level = |applied: Option<&Applied>| applied.map_or(Policy::None, harshest);
    let mut eras = flux.eras(plan);
    let mut before = dmarc::discover(&eras.next()?, author).applied;
    let mut published_by = None;
    for (step, era) in flux.changing().zip(eras) {
        let after = dmarc::discover(&era, author).applied;
        if after.as_ref().map(declared) == before.as_ref().map(declared) {
            continue;
        }
        let is_gate = |gate: usize| {
            plan.steps.get(gate).is_some_and(|gate| gate.kind == StepKind::Gate)
                && follows(gate, step)
                && published_by.is_none_or(|earlier| follows(earlier, gate))
        };
        let rises = level(after.as_ref()) > level(before.as_ref());
        if rises && is_used_before(plan, flux, timeline, author, step) && !(0..plan.steps.len()).any(is_gate)
        {
            let id = plan.steps.get(step).map_or("", |step| step.id.as_str());
            let story = format!(
                "Step `{id}` raises the DMARC policy of {author} to p={}, and waits for no gate at which somebody looks at the \
                 reports about the policy before (RFC 9989 section 7.4).",
                level(after.as_ref()).as_str()
            );
            return Some(Counterexample::of_record("p6.no-gate", story));
        }
        published_by = Some(step);
        before = after;
    }
    None
}

/// Whether anybody may send from an author domain before a step is done.
fn is_used_before(plan: &Plan, flux: &Flux, timeline: &Timeline, author: &DomainName, step: usize) -> bool {
    let uses = plan.streams.iter().flat_map(|stream| spans(plan, flux, timeline, stream));
    uses.filter(|(identity, _)| identity.author_domain == *author).any(|(_, span)| {
        let waits = |start| {
            timeline.distance(Event::Done(step), Event::Start(start)).is_some_and(|distance| distance >= 0)
        };
        !span.start.is_some_and(waits)
    })
}
