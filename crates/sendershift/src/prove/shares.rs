//! Whether the identities of a stream carry all of it: what goes out otherwise is declared by nobody, and judged by nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::binding::{Span, spans};
use super::world::Flux;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Identity, Plan, Remark, Stream, Use};

/// Where a stream pauses on the way, and where its identities are started for less than all of it.
pub(super) fn uncovered(plan: &Plan, flux: &Flux, timeline: &Timeline) -> Vec<Remark> {
    let of_stream = |stream| [pause(plan, flux, timeline, stream), short(plan, flux, timeline, stream)];
    plan.streams.iter().flat_map(of_stream).flatten().collect()
}

/// Identities that the plan declares and nobody ever uses: no message of theirs was judged, and what they need counts as declared.
pub(super) fn never_used(plan: &Plan) -> Vec<Remark> {
    let started: BTreeSet<(&str, &str)> = plan
        .steps
        .iter()
        .flat_map(|step| &step.starts)
        .map(|used| (used.stream.as_str(), used.identity.as_str()))
        .collect();
    let remark = |stream: &Stream| {
        let is_unused = |identity: &&Identity| {
            !stream.live.contains(&identity.id)
                && !started.contains(&(stream.id.as_str(), identity.id.as_str()))
        };
        let unused = stream.identities.iter().find(is_unused)?;
        let message = format!(
            "its identity `{}` is neither `live` nor started by any step: the verdict holds if nobody sends with it",
            unused.id
        );
        Some(Remark::new("proof.never-used", Some(&stream.id), message))
    };
    plan.streams.iter().filter_map(remark).collect()
}

/// The first stop after which no identity may be in use, though one is later.
fn pause(plan: &Plan, flux: &Flux, timeline: &Timeline, stream: &Stream) -> Option<Remark> {
    let spans: Vec<(&Identity, Span)> = spans(plan, flux, stream);
    let follows = |earlier, later| timeline.distance(earlier, later).is_some_and(|distance| distance >= 0);
    let begun =
        |span: &Span, stop| span.start.is_none_or(|start| follows(Event::Start(start), Event::Done(stop)));
    let goes_on = |span: &Span, stop| {
        span.stop.is_none_or(|other| other != stop && follows(Event::Done(stop), Event::Done(other)))
    };
    spans.iter().find_map(|(identity, span)| {
        let stop = span.stop?;
        let later = spans.iter().filter(|(_, span)| !begun(span, stop)).find_map(|(_, span)| span.start)?;
        let is_covered = spans.iter().any(|(_, span)| begun(span, stop) && goes_on(span, stop));
        let [stop, later] = [plan.steps.get(stop)?, plan.steps.get(later)?].map(|step| &step.id);
        let message = format!(
            "from step `{stop}` on, which stops `{}`, until step `{later}` it may have no identity: the verdict holds if nothing is sent meanwhile",
            identity.id
        );
        (!is_covered).then(|| Remark::new("proof.pause", Some(&stream.id), message))
    })
}

/// The first step after which the shares of the identities in use may be less than the whole: with the steps before it in one
/// order, or with those alone that have to come before it.
fn short(plan: &Plan, flux: &Flux, timeline: &Timeline, stream: &Stream) -> Option<Remark> {
    let mut in_order = Shares::today(stream);
    flux.uses(&stream.id).enumerate().find_map(|(count, at)| {
        let step = plan.steps.get(at)?;
        in_order.after(plan, flux, stream, at);
        let mut alone = Shares::today(stream);
        let has_to = |earlier: usize| {
            let distance = timeline.distance(Event::Done(earlier), Event::Done(at));
            distance.is_some_and(|distance| distance >= 0)
        };
        for earlier in flux.uses(&stream.id).take(count + 1).filter(|earlier| has_to(*earlier)) {
            alone.after(plan, flux, stream, earlier);
        }
        let sum = [in_order.sum(), alone.sum()].into_iter().find(|sum| (1..Use::ALL).contains(sum))?;
        let message = format!(
            "once step `{}` is done its identities are started for {sum} of 1,000 messages, and no other is in use: the verdict holds if they carry all of it",
            step.id
        );
        Some(Remark::new("proof.share-short", Some(&stream.id), message))
    })
}

/// How much of a stream each of its identities carries, per mille. One in use before the plan carries all that it did.
pub(super) struct Shares<'p>(BTreeMap<&'p str, u16>);

impl<'p> Shares<'p> {
    pub(super) fn today(stream: &'p Stream) -> Self {
        Self(stream.live.iter().map(|id| (id.as_str(), Use::ALL)).collect())
    }

    /// Adds a step.
    pub(super) fn after(&mut self, plan: &'p Plan, flux: &Flux, stream: &Stream, step: usize) {
        for used in flux.starts(plan, &stream.id, step) {
            let share = self.0.entry(used.identity.as_str()).or_default();
            *share = used.started(*share).unwrap_or(Use::ALL);
        }
        for used in flux.stops(plan, &stream.id, step) {
            let share = self.0.entry(used.identity.as_str()).or_default();
            *share = used.stopped(*share).unwrap_or(0);
        }
    }

    /// What an identity may carry.
    pub(super) fn of(&self, identity: &Identity) -> u16 {
        self.0.get(identity.id.as_str()).copied().unwrap_or(0)
    }

    fn sum(&self) -> u16 {
        self.0.values().fold(0, |sum: u16, share| sum.saturating_add(*share))
    }

    /// An identity that carries less than all that it did before the plan.
    pub(super) fn less_than_today(&self, stream: &'p Stream) -> Option<(&'p str, u16)> {
        let mut live =
            stream.live.iter().map(|id| (id.as_str(), self.0.get(id.as_str()).copied().unwrap_or(0)));
        live.find(|(_, share)| *share < Use::ALL)
    }
}
