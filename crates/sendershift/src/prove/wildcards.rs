//! Which changes may alter what a wildcard answers for (RFC 4592).

use std::collections::BTreeSet;

use super::world::{Content, Flux};
use crate::dns::{Evidence as _, Question};
use crate::name::DomainName;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Plan, StepKind};

/// Whether a wildcard of the evidence answers for a name, or would if the name were not there: then its coming and going
/// changes more answers than those that change in the plan, also below it. Only a name that is there all the time
/// keeps the wildcards above it away (RFC 4592 section 3.3.1).
pub(super) fn may_answer(plan: &Plan, flux: &Flux, timeline: &Timeline, name: &DomainName) -> bool {
    let has_wildcard =
        |name: &DomainName| name.prefixed("*").is_ok_and(|wildcard| plan.evidence.lists(&wildcard));
    let Some(wildcard) = name.ancestors().skip(1).position(|ancestor| has_wildcard(&ancestor)) else {
        return false;
    };
    !name.ancestors().take(wildcard + 1).any(|of| exists_throughout(plan, flux, timeline, &of))
}

/// When an RRset is there: from the done of a step, or from before the plan, until the start of another, or for good.
type Presence = (Option<usize>, Option<usize>);

/// Whether a name exists all the time. A name does as long as there is a record at it or below it, be it an empty non-terminal (RFC 4592
/// section 2.2.2): one that stays, or some of which each is there before the one before it goes.
pub(super) fn exists_throughout(plan: &Plan, flux: &Flux, timeline: &Timeline, name: &DomainName) -> bool {
    let listed = plan.evidence.names().filter(|of| of.is_within(name));
    let mut questions =
        listed.flat_map(|of| plan.evidence.rrsets(of).map(|(kind, _)| Question::new(of.clone(), kind)));
    if questions.any(|question| flux.versions(&question).is_none()) {
        return true;
    }
    let changing = flux.questions().filter(|question| question.name.is_within(name));
    let all: Vec<Presence> = changing.flat_map(|question| presences(plan, flux, &question)).collect();
    let follows = |(from, _): &Presence, end: usize| {
        from.is_none_or(|from| {
            timeline.distance(Event::Done(from), Event::Start(end)).is_some_and(|distance| distance >= 0)
        })
    };
    let mut reached: Vec<Presence> = all.iter().copied().filter(|(from, _)| from.is_none()).collect();
    let mut seen: BTreeSet<Presence> = reached.iter().copied().collect();
    while let Some((_, end)) = reached.pop() {
        let Some(end) = end else { return true };
        for next in all.iter().filter(|next| follows(next, end)) {
            if seen.insert(*next) {
                reached.push(*next);
            }
        }
    }
    false
}

/// The times in which an RRset that changes is there.
fn presences(plan: &Plan, flux: &Flux, question: &Question) -> Vec<Presence> {
    let mut presences: Vec<Presence> = Vec::new();
    let mut is_there = false;
    for version in flux.versions(question).unwrap_or_default() {
        // What a wildcard answers before the plan is not at the name.
        let is_answered = || version.from.is_none() && plan.evidence.wildcard(&question.name).is_some();
        if version.content == Content::Absent || is_answered() {
            is_there = false;
            continue;
        }
        let until = version.until.map(|(step, _)| step);
        match presences.last_mut().filter(|_| is_there) {
            Some((_, end)) => *end = until,
            None => presences.push((version.from, until)),
        }
        is_there = true;
    }
    // What others do on a date has no done at which all servers show it.
    let external = |step: usize| plan.steps.get(step).is_some_and(|step| step.kind == StepKind::External);
    presences.retain(|(from, _)| !from.is_some_and(external));
    presences
}
