//! P7: customers hear of a move before it reaches them, and their own names are used when their records are there.

use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Customer, Identity, Plan, Remark, StepKind, Stream};
use crate::prove::binding::{Binding, Judgement, Span, spans};
use crate::prove::explore::Bounds;
use crate::prove::story::duration;
use crate::prove::world::Flux;

/// How old the evidence of somebody else's records may be when mail begins to rely on them.
const MAX_EVIDENCE_AGE: i64 = 86_400;

/// What is said of a stream and its customers.
#[derive(Default)]
pub(in crate::prove) struct Early<'p> {
    /// Messages that come too early, and why they are.
    pub(in crate::prove) messages: Vec<(&'static str, Binding<'p>)>,
    pub(in crate::prove) conditions: Vec<Remark>,
    pub(in crate::prove) assumptions: Vec<Remark>,
}

/// P7: a new identity of a stream is used a lead time after its customers were told, and one with a customer's own name when
/// its records were seen; until then there is an identity without it.
pub(in crate::prove) fn customers<'p>(
    plan: &'p Plan,
    flux: &Flux,
    timeline: &Timeline,
    stream: &'p Stream,
) -> Early<'p> {
    let mut early = Early::default();
    let uses = spans(plan, flux, stream);
    let is_new = |identity: &Identity| !stream.live.contains(&identity.id);
    let starts: Vec<(&Identity, usize)> = uses
        .iter()
        .filter(|(identity, _)| is_new(identity))
        .filter_map(|(identity, span)| Some((*identity, span.start?)))
        .collect();
    let customers = || plan.customers.iter().filter(|customer| customer.streams.contains(&stream.id));
    if !starts.is_empty() && customers().next().is_none() {
        let told = plan.steps.iter().any(|step| step.kind == StepKind::Notify);
        if told || !plan.customers.is_empty() {
            let message = "it gets a new identity, and the plan names no customer of it: whether they are told in time is not judged";
            early.conditions.push(Remark::new("proof.no-customers", Some(&stream.id), message));
        } else {
            let message = "it gets a new identity, and nobody has to be told before";
            early.assumptions.push(Remark::new("assume.no-customers", Some(&stream.id), message));
        }
    }
    for customer in &plan.customers {
        let is_reached = customer.streams.contains(&stream.id);
        let look = Look { plan, timeline, stream, customer, uses: &uses };
        // A domain may be lent to a stream that does not reach its owner: the records have to be there all the same.
        let borrows = |identity: &Identity| {
            customer.lends(identity) && !customers().any(|customer| customer.lends(identity))
        };
        for (identity, step) in starts.iter().filter(|(identity, _)| is_reached || borrows(identity)) {
            let early_until =
                if is_reached { look.too_early(identity, *step) } else { look.not_ready(*step) };
            if let Some((code, until)) = early_until {
                let bounds = Bounds { lower: vec![Event::Start(*step)], upper: until.into_iter().collect() };
                let context = (plan, flux, timeline);
                let (both, from) = ((*identity, *identity), Some(*step));
                let mut binding = Binding::new(context, stream, both, from, Judgement::Delivery, bounds);
                // It is delivered at once: what counts is that it is sent.
                binding.injected = (vec![Event::Start(*step)], Vec::new(), 1);
                binding.customer = Some(customer);
                early.messages.push((code, binding));
            } else if customer.lends(identity) {
                early.conditions.extend(look.again(*step));
            }
        }
    }
    early
}

/// Why a use comes too early, and an event that it may come before, or less than so many seconds after.
type TooEarly = (&'static str, Option<(Event, u64)>);

/// One customer, and one stream.
struct Look<'a, 'p> {
    plan: &'p Plan,
    timeline: &'a Timeline,
    stream: &'p Stream,
    customer: &'p Customer,
    uses: &'a [(&'p Identity, Span)],
}

impl Look<'_, '_> {
    /// Why the use of an identity that a step starts comes too early.
    fn too_early(&self, identity: &Identity, step: usize) -> Option<TooEarly> {
        let Customer { lead_time, notified_by, ready_when, .. } = self.customer;
        let (told, start) = (Event::Done(self.step(notified_by)?), Event::Start(step));
        match self.wait(told, start) {
            Some(wait) if wait >= *lead_time => {}
            // The plan enforces so much: a second more is still too early.
            wait => return Some(("p7.before-lead-time", Some((told, wait.map_or(0, |wait| wait + 1))))),
        }
        if !self.customer.lends(identity) {
            return None;
        }
        self.not_ready(step).or_else(|| {
            let ready = self.step(ready_when.as_deref()?)?;
            (!self.falls_back(ready, step)).then_some(("p7.no-fallback", None))
        })
    }

    /// The same where a step begins before the records of the customer were seen.
    fn not_ready(&self, step: usize) -> Option<TooEarly> {
        let Some(ready) = self.customer.ready_when.as_deref().and_then(|id| self.step(id)) else {
            return Some(("p7.not-ready", None));
        };
        let ready = Event::Done(ready);
        self.wait(ready, Event::Start(step)).is_none().then_some(("p7.not-ready", Some((ready, 0))))
    }

    /// Whether the stream has an identity without a name of the customer, in use before the step and until the customer is ready,
    /// however long that takes.
    fn falls_back(&self, ready: usize, step: usize) -> bool {
        let Some(fallback) = &self.customer.fallback else { return false };
        let ready = Event::Done(ready);
        let serves = |span: &Span| {
            let begins = span.start.is_none_or(|begun| {
                // One that waits for the customer, too, is no help until then.
                self.wait(Event::Done(begun), Event::Start(step)).is_some()
                    && self.wait(ready, Event::Start(begun)).is_none()
            });
            begins && span.stop.is_none_or(|stop| self.wait(ready, Event::Start(stop)).is_some())
        };
        fallback.stream == self.stream.id
            && self.uses.iter().any(|(identity, span)| {
                identity.id == fallback.identity && self.customer.is_apart_from(identity) && serves(span)
            })
    }

    /// A new look at the customer's records is due before a step that begins long after the evidence.
    fn again(&self, step: usize) -> Option<Remark> {
        let (id, taken) = (&self.plan.steps.get(step)?.id, self.plan.evidence.taken()?);
        let begins = self.timeline.distance(Event::Origin, Event::Start(step))?;
        let age = self.plan.parameters.start.as_second().saturating_sub(taken.as_second()) + begins;
        (age > MAX_EVIDENCE_AGE).then(|| {
            let message = format!(
                "it relies on records of customer `{}`, and the evidence is {} old then at least: look again, and judge the plan on what is there",
                self.customer.id,
                duration(age)
            );
            Remark::new("proof.look-again", Some(id), message)
        })
    }

    /// The seconds that the plan enforces between two events; none where the second may come first.
    fn wait(&self, from: Event, to: Event) -> Option<u64> {
        self.timeline.distance(from, to).and_then(|seconds| u64::try_from(seconds).ok())
    }

    fn step(&self, id: &str) -> Option<usize> {
        self.plan.steps.iter().position(|step| step.id == id)
    }
}
