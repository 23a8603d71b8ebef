//! How messages are bound: which identity, which sources, whose signature, and when that can be judged.

use std::collections::BTreeMap;

use super::explore::Bounds;
use super::world::Flux;
use crate::error::Error;
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Identity, Plan, Signature, SignedAt, Source, Stream};
use crate::spf::{Policy, SpfResult};

/// The time in which a stream injects messages with an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// The step that starts the use; none where it is in use before the plan.
    start: Option<usize>,
    /// The step that stops it; none where it stays.
    stop: Option<usize>,
}

impl Span {
    fn lower(self) -> Option<Event> {
        self.start.map(Event::Start)
    }

    /// Not later than so long after the end of the use.
    fn upper(self, seconds: u64) -> Option<(Event, u64)> {
        self.stop.map(|step| (Event::Done(step), seconds))
    }
}

/// When a message is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Judgement {
    /// By the receiver, at a delivery attempt.
    Delivery,
    /// By someone behind it, who verifies the signature again: a quarantine, a forwarder's target.
    Later,
}

/// Messages that are judged alike: they carry one identity, come from the sources of one identity, and are signed as one identity.
#[derive(Clone, Debug)]
pub(super) struct Binding<'p> {
    pub(super) stream: &'p Stream,
    /// The identity in From and MAIL FROM.
    pub(super) identity: &'p Identity,
    /// The identity whose sources deliver it.
    pub(super) delivered_by: &'p Identity,
    pub(super) judgement: Judgement,
    /// What is known of the instant of judgement.
    pub(super) bounds: Bounds,
    /// The events between which the message is injected, and how long before the judgement at most.
    pub(super) injected: (Option<Event>, Option<Event>, u64),
}

impl<'p> Binding<'p> {
    /// The domain that SPF is checked for: MAIL FROM, or HELO for the null sender (RFC 7208 section 2.4).
    pub(super) fn spf_domain(&self) -> Option<&'p DomainName> {
        self.identity.mail_from.as_ref().or(self.delivered_by.helo.as_ref())
    }

    /// The signatures on the message.
    pub(super) fn signatures(&self) -> &'p [Signature] {
        match self.stream.signed_at {
            SignedAt::Injection => &self.identity.dkim,
            SignedAt::Delivery => &self.delivered_by.dkim,
        }
    }
}

/// All bindings of a stream that the plan makes possible. `from` is an event before which no message is judged.
pub(super) fn bindings<'p>(
    plan: &'p Plan,
    flux: &Flux,
    timeline: &Timeline,
    stream: &'p Stream,
    from: Option<Event>,
) -> Vec<Binding<'p>> {
    let spans = spans(plan, flux, timeline, stream);
    let parameters = &plan.parameters;
    let mut bindings = Vec::new();
    for (identity, injected) in &spans {
        for (delivered_by, delivered) in &spans {
            let lower: Vec<Event> = [Some(Event::Origin), injected.lower(), delivered.lower(), from]
                .into_iter()
                .flatten()
                .collect();
            let upper = [injected.upper(parameters.queue_lifetime), delivered.upper(0)];
            let bounds = Bounds { lower: lower.clone(), upper: upper.into_iter().flatten().collect() };
            // The message is injected at all, and so before the end of the use of its identity.
            let injectable = Bounds {
                lower: [injected.lower(), from].into_iter().flatten().collect(),
                upper: injected.upper(0).into_iter().collect(),
            };
            if !injectable.feasible(timeline) || !bounds.feasible(timeline) {
                continue;
            }
            let binding = |judgement, bounds, horizon| Binding {
                stream,
                identity: *identity,
                delivered_by: *delivered_by,
                judgement,
                bounds,
                injected: (injected.lower().max(from), injected.stop.map(Event::Done), horizon),
            };
            bindings.push(binding(Judgement::Delivery, bounds, parameters.queue_lifetime));
            // A signature made at injection is the same whoever delivers the message.
            if stream.signed_at == SignedAt::Injection && (delivered_by, delivered) != (identity, injected) {
                continue;
            }
            let late = [
                injected.upper(parameters.signature_lifetime),
                delivered.upper(parameters.signature_lifetime),
            ];
            let late = Bounds { lower, upper: late.into_iter().flatten().collect() };
            if late.feasible(timeline) {
                bindings.push(binding(Judgement::Later, late, parameters.signature_lifetime));
            }
        }
    }
    bindings
}

/// The spans in which a stream uses its identities.
fn spans<'p>(
    plan: &'p Plan,
    flux: &Flux,
    timeline: &Timeline,
    stream: &'p Stream,
) -> Vec<(&'p Identity, Span)> {
    let mut spans = Vec::new();
    for identity in &stream.identities {
        let mut open = stream.live.contains(&identity.id).then_some(Span { start: None, stop: None });
        for at in timeline.steps() {
            let Some(step) = plan.steps.get(at).filter(|_| flux.happens.get(at) == Some(&true)) else {
                continue;
            };
            let names = |uses: &[crate::plan::Use]| {
                uses.iter().any(|used| {
                    used.stream == stream.id && used.identity == identity.id && used.share != Some(0)
                })
            };
            match open {
                None if names(&step.starts) => open = Some(Span { start: Some(at), stop: None }),
                Some(span) if names(&step.stops) => {
                    spans.push((identity, Span { stop: Some(at), ..span }));
                    open = None;
                }
                _ => {}
            }
        }
        spans.extend(open.map(|span| (identity, span)));
    }
    spans
}

/// The addresses of every source, by id.
///
/// # Errors
///
/// What compiling the record of a source's include gives.
pub(super) fn addresses(plan: &Plan) -> Result<BTreeMap<&str, AddressSet>, Error> {
    let of = |source: &Source| match &source.include {
        None => Ok(source.addresses.clone()),
        Some(include) => {
            let listed = Policy::compile(&plan.evidence, include)?.intended().always(SpfResult::Pass);
            Ok::<_, Error>(source.addresses.union(&listed))
        }
    };
    plan.sources.iter().map(|source| Ok((source.id.as_str(), of(source)?))).collect()
}
