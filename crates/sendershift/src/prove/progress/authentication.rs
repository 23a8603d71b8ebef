//! What drift does to declared mail that passes by the plan's own evidence. What fails today is excused elsewhere: not what failed since.

use std::collections::BTreeSet;

use super::authority::wider;
use super::keys::exchanged;
use crate::dmarc::{self, Authenticated};
use crate::dns::Evidence;
use crate::error::{Error, Invalid};
use crate::name::DomainName;
use crate::plan::timeline::Timeline;
use crate::plan::{Identity, Plan, Remark, Stream};
use crate::prove::binding::{Binding, Judgement, Sources, sources, spans};
use crate::prove::explore::Bounds;
use crate::prove::promise::{Effect, got_worse, is_unseen};
use crate::prove::world::{Era, Flux};
use crate::spf::{Policy, Profile, SpfResult};

/// What is worse than the plan's evidence has it.
#[derive(Default)]
pub(super) struct Worse {
    /// Declared mail that passed and does not.
    pub(super) undecided: Vec<Remark>,
    /// Policies that ask less of receivers, or whose reports nobody sees any more; SPF that lets more pass.
    pub(super) conditions: Vec<Remark>,
}

/// A plan on some evidence.
pub(super) struct Side<'p> {
    pub(super) plan: &'p Plan,
    pub(super) timeline: Timeline,
    pub(super) flux: Flux,
    pub(super) sources: Sources<'p>,
}

/// When mail of an identity is looked at: before the plan where it is in use then, and once all is done where it stays.
struct Look<'p> {
    stream: &'p Stream,
    identity: &'p Identity,
    start: Option<usize>,
    at_the_end: bool,
}

impl<'p> Side<'p> {
    pub(super) fn new(plan: &'p Plan) -> Result<Self, Error> {
        let timeline = Timeline::new(&plan.steps, plan.parameters.start).map_err(Invalid::one)?;
        let order: Vec<usize> = timeline.steps().collect();
        let flux = Flux::new(plan, &order);
        let sources = sources(plan, &flux, &timeline)?;
        Ok(Self { plan, timeline, flux, sources })
    }

    fn looks(&self) -> Vec<Look<'p>> {
        let of = |stream: &'p Stream| {
            let spans = spans(self.plan, &self.flux, stream);
            spans.into_iter().flat_map(move |(identity, span)| {
                let first = span.start.is_none().then_some(false);
                let last = span.stop.is_none().then_some(true);
                let at = move |at_the_end| Look { stream, identity, start: span.start, at_the_end };
                [first, last].into_iter().flatten().map(at)
            })
        };
        self.plan.streams.iter().flat_map(of).collect()
    }

    fn era(&self, look: &Look<'_>) -> Era<'_> {
        if look.at_the_end { self.flux.last_era(self.plan) } else { self.flux.era(self.plan, 0) }
    }

    fn binding<'b>(&self, look: &Look<'b>) -> Binding<'b> {
        let context = (self.plan, &self.flux, &self.timeline);
        let identities = (look.identity, look.identity);
        Binding::new(context, look.stream, identities, look.start, Judgement::Delivery, Bounds::default())
    }
}

/// Compares declared mail and its policies on the plan's evidence with the same on today's.
pub(super) fn worse(then: &Side<'_>, now: &Side<'_>) -> Result<Worse, Error> {
    let parameters = &then.plan.parameters;
    let mut worse = Worse { undecided: exchanged(then, now), conditions: wider(then, now) };
    let mut authors = BTreeSet::new();
    for look in then.looks() {
        let (before, after) = (then.era(&look), now.era(&look));
        for profile in &parameters.receivers {
            let lost = [
                lost_spf((then, &before), (now, &after), &look, profile)?,
                lost_dkim((then, &before), (now, &after), &look, profile),
            ];
            for lost in lost.into_iter().flatten() {
                let message = format!(
                    "messages of `{}` to {} receivers: {lost}, by what others changed; they passed when the plan was made",
                    look.identity.id, profile.name
                );
                let remark = Remark::new("proof.unauthenticated-now", Some(&look.stream.id), message);
                if !worse.undecided.contains(&remark) {
                    worse.undecided.push(remark);
                }
            }
        }
        let author = &look.identity.author_domain;
        if authors.insert((author, look.at_the_end)) {
            let mut weaker = weaker(&before, &after, author);
            weaker.retain(|remark| !worse.conditions.contains(remark));
            worse.conditions.append(&mut weaker);
        }
    }
    Ok(worse)
}

/// What SPF says no more of addresses that a source has by both: for MAIL FROM, or for the name that it greets with. Of MAIL FROM also that it
/// aligns no more, where SPF let any of them pass.
fn lost_spf(
    (then, before): (&Side<'_>, &Era<'_>),
    (now, after): (&Side<'_>, &Era<'_>),
    look: &Look<'_>,
    profile: &Profile,
) -> Result<Option<String>, Error> {
    let binding = then.binding(look);
    let of = |side: &Side<'_>| {
        let sources = binding.delivered_by.sources.iter();
        let known = sources.filter_map(|id| side.sources.addresses.get(id.as_str()).cloned());
        known.reduce(|all, some| all.union(&some)).unwrap_or_default()
    };
    let addresses = of(then).intersection(&of(now));
    if let Some(domain) = &look.identity.mail_from {
        let aligned = |evidence: &dyn Evidence| {
            let author_domain = &look.identity.author_domain;
            dmarc::evaluate(evidence, &Authenticated { author_domain, spf: Some(domain), dkim: &[] })
                .spf_aligned
        };
        let passed = || {
            let policy = Policy::compile_within(before, domain, &addresses)?.intended();
            Ok::<bool, Error>(!policy.sometimes(SpfResult::Pass).is_disjoint(&addresses))
        };
        if aligned(before) && !aligned(after) && passed().is_ok_and(|passed| passed) {
            return Ok(Some(format!("{domain} in MAIL FROM does not align any more")));
        }
    }
    for binding in [binding.greeting(), Some(binding)].into_iter().flatten() {
        let Some(domain) = binding.checked_domain() else { continue };
        let policies = [before, after].map(|era| Policy::compile_within(era, domain, &addresses));
        let [Ok(was), Ok(is)] = policies else { continue };
        for (range, cases) in is.beside(&was, &addresses)? {
            let case = cases.iter().find(|case| got_worse(&case.leaf.0, &case.leaf.1, profile));
            if let Some(case) = case {
                let (is, was) = (case.leaf.0.under(profile), case.leaf.1.under(profile));
                return Ok(Some(format!("SPF for {domain} says {is} of {}, and said {was}", range.first())));
            }
        }
    }
    Ok(None)
}

/// That no signature passes any more that aligns.
fn lost_dkim(
    (then, before): (&Side<'_>, &Era<'_>),
    (now, after): (&Side<'_>, &Era<'_>),
    look: &Look<'_>,
    profile: &Profile,
) -> Option<String> {
    let aligned = |side: &Side<'_>, evidence: &dyn Evidence| {
        let verified = side.binding(look).verifiable(evidence, profile);
        let dkim: Vec<DomainName> = verified.into_iter().map(|signature| signature.domain.clone()).collect();
        let author_domain = &look.identity.author_domain;
        dmarc::evaluate(evidence, &Authenticated { author_domain, spf: None, dkim: &dkim }).dkim_aligned
    };
    let is_lost = aligned(then, before) && !aligned(now, after);
    is_lost.then(|| "no signature can be verified that aligns".to_owned())
}

/// What is weaker about the policy of an author domain.
fn weaker(before: &Era<'_>, after: &Era<'_>, author: &DomainName) -> Vec<Remark> {
    let says = |code, message| Remark::new(code, Some(author.as_str()), message);
    let mut conditions = Vec::new();
    if Effect::of(after, author).is_weaker_than(&Effect::of(before, author)) {
        let message = "others made the policy weaker than it was when the plan was made: the verdict is about the weaker one. Is it meant to be so?";
        conditions.push(says("proof.weaker-now", message));
    }
    if is_unseen(after, author) && !is_unseen(before, author) {
        let message = "nobody sees the reports about the policy any more, by what others changed: somebody did when the plan was made";
        conditions.push(says("proof.unseen-now", message));
    }
    conditions
}
