//! Which changes may alter what a wildcard answers for (RFC 4592).

use std::collections::BTreeSet;

use super::world::{Content, Flux};
use crate::dns::{Answer, Evidence as _, Question, RecordType};
use crate::name::DomainName;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Plan, Remark, StepKind};

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

/// The RRsets of open evidence that may be a wildcard's, as nobody asked for one, and that are gone then: the plan makes their name exist, or one
/// between it and the wildcard (RFC 4592 section 2.2.1).
pub(super) fn may_be_hidden(plan: &Plan, flux: &Flux) -> Vec<Remark> {
    let evidence = &plan.evidence;
    if evidence.closed() {
        return Vec::new();
    }
    let changes = plan.steps.iter().flat_map(|step| &step.changes);
    let published = changes.clone().filter(|change| change.add.is_some());
    let made: BTreeSet<DomainName> = published.flat_map(|change| change.name.ancestors()).collect();
    // What the plan takes away is no wildcard's, so the name is there, and those above it.
    let edited = changes.filter(|change| change.remove.is_some());
    let there: BTreeSet<DomainName> = edited.flat_map(|change| change.name.ancestors()).collect();
    // A wildcard at or above a name would have answered for what is said not to exist right below it.
    let denied: BTreeSet<DomainName> = evidence.nonexistent().filter_map(DomainName::parent).collect();
    let is_there = |name: &DomainName| {
        let begins_zone = |kind| matches!(kind, RecordType::Soa | RecordType::Ns);
        there.contains(name) || evidence.rrsets(name).any(|(kind, _)| begins_zone(kind))
    };
    let mut remarks = Vec::new();
    for owner in evidence.names() {
        let suffix = evidence.public_suffix(owner).map(|suffix| suffix.suffix);
        let may_lack =
            owner.ancestors().take_while(|name| Some(name) != suffix.as_ref() && !denied.contains(name));
        let mut within: Vec<DomainName> = Vec::new();
        for name in may_lack {
            let ends = is_there(&name);
            within.push(name);
            if ends {
                break;
            }
        }
        let Some(at) = within.iter().position(|name| made.contains(name)) else { continue };
        let above = within.get(at + 1..).unwrap_or_default();
        let above: Vec<DomainName> = above.iter().filter_map(|name| name.prefixed("*").ok()).collect();
        let unknown = |kind: RecordType| {
            let of_kind = above.iter().find(|wildcard| evidence.answer(wildcard, kind) == Answer::Unknown);
            of_kind.filter(|_| flux.versions(&Question::new(owner.clone(), kind)).is_none())
        };
        let kinds = evidence.rrsets(owner).filter_map(|(kind, _)| Some((kind, unknown(kind)?)));
        let (kinds, wildcards): (Vec<String>, Vec<&DomainName>) =
            kinds.map(|(kind, wildcard)| (kind.to_string(), wildcard)).unzip();
        let Some(wildcard) = wildcards.first() else { continue };
        let kinds = kinds.join(", ");
        let message = format!(
            "the plan makes a name exist for which {wildcard} does not answer any more, if it does today (RFC 4592), and the evidence does not tell of {wildcard}: the verdict holds if {kinds} of {owner} are records of its own"
        );
        remarks.push(Remark::new("proof.wildcard", Some(owner.as_str()), message));
    }
    remarks
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
