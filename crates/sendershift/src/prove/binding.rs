//! How messages are bound: which identity, which sources, whose signature, and when that can be judged.

use std::collections::{BTreeMap, BTreeSet};

use super::explore::{BUDGET, Bounds, Explorer};
use super::mta_sts::Held;
use super::shares::Shares;
use super::world::{Era, Flux};
use crate::dkim::{self, KeyRecord, KeyState};
use crate::dns::{Evidence, RecordType, Resolved, resolve};
use crate::error::Error;
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Customer, Identity, Plan, Remark, Signature, SignedAt, Stream};
use crate::spf::{Policy, Profile, SpfResult};

/// The time in which a stream injects messages with an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The step that starts the use; none where it is in use before the plan.
    pub(super) start: Option<usize>,
    /// The step that stops it; none where it stays.
    pub(super) stop: Option<usize>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Judgement {
    /// By the receiver, at a delivery attempt.
    Delivery,
    /// By someone behind it, who verifies the signature again: a quarantine, a forwarder's target.
    Later,
    /// By a server that returns it to its MAIL FROM.
    Bounce,
    /// By somebody who answers it.
    Reply,
}

/// When a message is injected: not before these events, before those, and less than so long before the judgement.
pub(super) type Injected = (Vec<Event>, Vec<Event>, u64);

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
    /// When the message is injected.
    pub(super) injected: Injected,
    /// Whom it reaches too early.
    pub(super) customer: Option<&'p Customer>,
    /// What is held of the policies of the domain that it is returned or answered to.
    pub(super) policy: Option<Held<'p>>,
    /// Whether it is looked at as it greets, before MAIL FROM (RFC 7208 section 2.3).
    pub(super) greets: bool,
    /// The key data that each signature on the message was made for, where its key record changes in the plan.
    keys: Vec<Option<String>>,
}

impl<'p> Binding<'p> {
    /// A binding whose messages may be injected at any time; `signed_from` is the step from which its signer is in use, none
    /// for one that is before the plan.
    pub(super) fn new(
        (plan, flux, timeline): Context<'_>,
        stream: &'p Stream,
        (identity, delivered_by): (&'p Identity, &'p Identity),
        signed_from: Option<usize>,
        judgement: Judgement,
        bounds: Bounds,
    ) -> Self {
        let signer = Self::signer(stream, identity, delivered_by);
        let done = flux.done_before(timeline, signed_from);
        let keys = signer.dkim.iter().map(|signature| signing_key(plan, flux, signature, done)).collect();
        Self {
            stream,
            identity,
            delivered_by,
            judgement,
            bounds,
            injected: (Vec::new(), Vec::new(), u64::MAX),
            customer: None,
            policy: None,
            greets: false,
            keys,
        }
    }

    /// Those of its messages that are injected after an event, if there can be any.
    pub(super) fn after(&self, event: Event, timeline: &Timeline) -> Option<Self> {
        let mut after = self.clone();
        after.bounds.lower.push(event);
        after.injected.0.push(event);
        let (from, until, _) = &after.injected;
        let injectable =
            Bounds { lower: from.clone(), upper: until.iter().map(|event| (*event, 0)).collect() };
        (injectable.feasible(timeline) && after.bounds.feasible(timeline)).then_some(after)
    }

    /// The domain that SPF is checked for: MAIL FROM, or HELO for the null sender (RFC 7208 section 2.4).
    pub(super) fn spf_domain(&self) -> Option<&'p DomainName> {
        self.identity.mail_from.as_ref().or(self.delivered_by.helo.as_ref())
    }

    /// The domain whose SPF is judged: that of MAIL FROM, or the one that it greets with.
    pub(super) fn checked_domain(&self) -> Option<&'p DomainName> {
        if self.greets { self.delivered_by.helo.as_ref() } else { self.spf_domain() }
    }

    /// The same messages as they greet, where that is a check of its own. Others cannot greet with the name: only the identity's own
    /// sources do.
    pub(super) fn greeting(&self) -> Option<Self> {
        let own = self.identity.id == self.delivered_by.id;
        let apart = self.delivered_by.helo.as_ref().filter(|helo| self.spf_domain() != Some(*helo));
        apart.filter(|_| own && !self.greets).map(|_| Self { greets: true, ..self.clone() })
    }

    /// The domain that its bounces go to, or its answers.
    pub(super) fn answers_to(&self) -> Option<&'p DomainName> {
        match self.judgement {
            Judgement::Bounce => self.identity.mail_from.as_ref(),
            _ => Some(&self.identity.author_domain),
        }
    }

    /// The identity that signs the message.
    fn signer(stream: &Stream, identity: &'p Identity, delivered_by: &'p Identity) -> &'p Identity {
        match stream.signed_at {
            SignedAt::Injection => identity,
            SignedAt::Delivery => delivered_by,
        }
    }

    /// The signatures on the message.
    pub(super) fn signatures(&self) -> &'p [Signature] {
        &Self::signer(self.stream, self.identity, self.delivered_by).dkim
    }

    /// The signatures that a receiver can verify: it finds a usable key of an algorithm that it knows, and the one that the
    /// signature was made for.
    pub(super) fn verifiable(&self, evidence: &dyn Evidence, profile: &Profile) -> Vec<&'p Signature> {
        let verifies = |(signature, key): &(&Signature, &Option<String>)| match dkim::key(
            evidence,
            &signature.domain,
            &signature.selector,
        ) {
            KeyState::Usable(record) => {
                record.algorithm().is_verified_by(profile)
                    && key.as_ref().is_none_or(|key| *key == key_data(&record))
            }
            _ => false,
        };
        self.signatures().iter().zip(&self.keys).filter(verifies).map(|(signature, _)| signature).collect()
    }
}

/// The key itself, without the white space that may stand in it (RFC 6376 section 3.2).
pub(super) fn key_data(record: &KeyRecord) -> String {
    let data = record.tags().find(|(tag, _)| *tag == "p").map_or("", |(_, value)| value);
    data.split_ascii_whitespace().collect()
}

/// The key that an identity signs with, where its record changes, at its name or behind an alias: the one that is there when
/// its use begins, after so many steps that change something; if there is none then, the last before, or else the next one. A
/// selector that gets a new key breaks the signatures made with the old one.
fn signing_key(plan: &Plan, flux: &Flux, signature: &Signature, done: usize) -> Option<String> {
    let name = signature.selector.key_name(&signature.domain).ok()?;
    let now = flux.era(plan, 0);
    resolve(&now, &name, RecordType::Txt);
    if !now.changes() {
        return None;
    }
    let key = |era: &Era<'_>| {
        let Resolved::Records(rrset) = resolve(era, &name, RecordType::Txt) else { return None };
        let [text] = rrset.texts() else { return None };
        let record = KeyRecord::parse(text.octets()).ok()?;
        (!record.is_revoked()).then(|| key_data(&record))
    };
    let then = key(&flux.era(plan, done));
    if then.is_some() {
        return then;
    }
    let (mut before, mut after) = (None, None);
    flux.each_era(plan, |era| match key(era) {
        Some(key) if era.begins_within(done) => before = Some(key),
        Some(key) => after = after.take().or(Some(key)),
        None => {}
    });
    before.or(after)
}

/// What bindings are made from.
pub(super) type Context<'a> = (&'a Plan, &'a Flux, &'a Timeline);

/// Messages that one identity is used for and that another one's sources deliver, or its own.
pub(super) struct Sent<'p> {
    pub(super) identity: &'p Identity,
    pub(super) delivered_by: &'p Identity,
    injected: Span,
    delivered: Span,
}

impl Sent<'_> {
    /// Judged less than so long after the end of either use.
    fn bounds(&self, seconds: u64) -> Bounds {
        let lower = [Some(Event::Origin), self.injected.lower(), self.delivered.lower()];
        let upper = [self.injected, self.delivered].map(|span| span.upper(seconds));
        Bounds { lower: lower.into_iter().flatten().collect(), upper: upper.into_iter().flatten().collect() }
    }

    /// A message enters a queue while that is in use, and may leave it later: those who no longer send still have a queue.
    pub(super) fn delivery(&self, plan: &Plan) -> Bounds {
        self.bounds(plan.parameters.queue_lifetime)
    }

    /// The message is injected at all: before the end of the use of its identity, and of the queue.
    fn injection(&self) -> Bounds {
        Bounds { lower: self.injected.lower().into_iter().collect(), upper: self.bounds(0).upper }
    }
}

/// All messages of a stream that the plan makes possible.
pub(super) fn sent<'p>(
    plan: &'p Plan,
    flux: &Flux,
    timeline: &Timeline,
    stream: &'p Stream,
) -> Vec<Sent<'p>> {
    let spans = spans(plan, flux, stream);
    let pairs = spans.iter().flat_map(|injected| spans.iter().map(move |delivered| (injected, delivered)));
    let sent = pairs.map(|((identity, injected), (delivered_by, delivered))| Sent {
        identity,
        delivered_by,
        injected: *injected,
        delivered: *delivered,
    });
    sent.filter(|sent| sent.injection().feasible(timeline)).collect()
}

/// All bindings of a stream that the plan makes possible.
pub(super) fn bindings<'p>(
    plan: &'p Plan,
    flux: &Flux,
    timeline: &Timeline,
    stream: &'p Stream,
) -> Vec<Binding<'p>> {
    let parameters = &plan.parameters;
    let mut bindings = Vec::new();
    for sent in sent(plan, flux, timeline, stream) {
        let identities = (sent.identity, sent.delivered_by);
        let signed = match stream.signed_at {
            SignedAt::Injection => sent.injected.start,
            SignedAt::Delivery => sent.delivered.start,
        };
        let injection = sent.injection();
        let binding = |judgement, bounds, horizon| Binding {
            injected: (
                injection.lower.clone(),
                injection.upper.iter().map(|(event, _)| *event).collect(),
                horizon,
            ),
            ..Binding::new((plan, flux, timeline), stream, identities, signed, judgement, bounds)
        };
        let bounds = sent.delivery(plan);
        if bounds.feasible(timeline) {
            bindings.push(binding(Judgement::Delivery, bounds, parameters.queue_lifetime));
        }
        // A signature made at injection is the same whoever delivers the message.
        let is_own = (sent.identity, sent.injected) == (sent.delivered_by, sent.delivered);
        if stream.signed_at == SignedAt::Injection && !is_own {
            continue;
        }
        let late = sent.bounds(parameters.signature_lifetime);
        if late.feasible(timeline) {
            bindings.push(binding(Judgement::Later, late, parameters.signature_lifetime));
        }
    }
    bindings
}

/// The messages of a stream that are returned, and those that are answered. A bounce waits in two queues, one after the other: that of
/// the sender and its own; an answer is written as long as signatures are verified.
pub(super) fn answered<'p>(
    plan: &'p Plan,
    flux: &Flux,
    timeline: &Timeline,
    stream: &'p Stream,
) -> Vec<Binding<'p>> {
    let parameters = &plan.parameters;
    let mut bindings = Vec::new();
    for (identity, span) in spans(plan, flux, stream) {
        let bounce = identity.mail_from.is_some().then(|| parameters.queue_lifetime.saturating_mul(2));
        let reply = Some(parameters.signature_lifetime);
        for (judgement, horizon) in [(Judgement::Bounce, bounce), (Judgement::Reply, reply)] {
            let Some(horizon) = horizon else { continue };
            let bounds = Bounds {
                lower: [Some(Event::Origin), span.lower()].into_iter().flatten().collect(),
                upper: span.upper(horizon).into_iter().collect(),
            };
            if !bounds.feasible(timeline) {
                continue;
            }
            let injected = (
                span.lower().into_iter().collect(),
                span.upper(0).into_iter().map(|(event, _)| event).collect(),
                horizon,
            );
            let context = (plan, flux, timeline);
            let binding = Binding::new(context, stream, (identity, identity), span.start, judgement, bounds);
            bindings.push(Binding { injected, ..binding });
        }
    }
    bindings
}

/// The spans in which a stream uses its identities: from the first share on, until as much is stopped as it may carry.
pub(super) fn spans<'p>(plan: &'p Plan, flux: &Flux, stream: &'p Stream) -> Vec<(&'p Identity, Span)> {
    let mut spans = Vec::new();
    for identity in &stream.identities {
        let mut open = stream.live.contains(&identity.id).then_some(Span { start: None, stop: None });
        let mut shares = Shares::today(stream);
        for at in flux.uses(&stream.id) {
            shares.after(plan, flux, stream, at);
            open = match open {
                None if shares.of(identity) > 0 => Some(Span { start: Some(at), stop: None }),
                Some(span) if shares.of(identity) == 0 => {
                    spans.push((identity, Span { stop: Some(at), ..span }));
                    None
                }
                open => open,
            };
        }
        spans.extend(open.map(|span| (identity, span)));
    }
    spans
}

/// The addresses of the sources.
#[derive(Debug, Default)]
pub(super) struct Sources<'p> {
    /// By id.
    pub(super) addresses: BTreeMap<&'p str, AddressSet>,
    /// The sources that may have addresses that the evidence does not tell, by id.
    pub(super) open: BTreeSet<&'p str>,
    /// What the addresses of a source leave out, taken for granted.
    pub(super) assumptions: Vec<Remark>,
    /// Why messages of a source cannot be judged.
    pub(super) undecided: Vec<Remark>,
}

/// The addresses of every source.
///
/// # Errors
///
/// What compiling the record of a source's include gives.
pub(super) fn sources<'p>(plan: &'p Plan, flux: &Flux, timeline: &Timeline) -> Result<Sources<'p>, Error> {
    let mut sources = Sources::default();
    for source in &plan.sources {
        let mut addresses = source.addresses.clone();
        if let Some(include) = &source.include {
            let results = Policy::compile(&plan.evidence, include)?.intended();
            let unread = [SpfResult::None, SpfResult::TempError, SpfResult::PermError]
                .into_iter()
                .find(|result| !results.sometimes(*result).is_empty());
            if let Some(result) = unread {
                let message = format!(
                    "the record of {include} ends in {result} for some addresses, so it does not list all of the source: messages from the others are not judged"
                );
                sources.undecided.push(Remark::new("proof.source-unread", Some(&source.id), message));
            }
            let listed = results.always(SpfResult::Pass);
            addresses = addresses.union(&listed);
            let open = addresses.union(&results.sometimes(SpfResult::Pass));
            if open != addresses {
                let message =
                    format!("only those addresses are judged that {include} lists whatever the message is");
                sources.assumptions.push(Remark::new("assume.source-open", Some(&source.id), message));
                sources.open.insert(&source.id);
            }
            if grows(plan, flux, timeline, include, (&addresses, &open))? {
                let message =
                    format!("the plan adds addresses to {include}: messages from there are not judged");
                sources.undecided.push(Remark::new("proof.source-changes", Some(&source.id), message));
            }
        }
        if addresses.is_empty() {
            let message = "no address of the source is known, so no message from there was judged";
            sources.undecided.push(Remark::new("proof.empty-source", Some(&source.id), message));
        }
        sources.addresses.insert(&source.id, addresses);
    }
    Ok(sources)
}

/// Whether an include comes to list more than the addresses that it lists for certain, or for some messages, with any
/// versions of its records that can be seen together; or whether that cannot be told.
fn grows(
    plan: &Plan,
    flux: &Flux,
    timeline: &Timeline,
    include: &DomainName,
    (addresses, open): (&AddressSet, &AddressSet),
) -> Result<bool, Error> {
    let mut go_on = |_| true;
    // Each source gets a part of the budget: all addresses there are take longer than those of a message.
    let budget = BUDGET / 20;
    let mut explorer = Explorer { budget, ..Explorer::new(plan, flux, timeline, &mut go_on) };
    let mut grows = Ok(false);
    let halted = explorer.walk(
        &Bounds::default(),
        &mut |world| Policy::compile(world, include),
        &mut |_, _, policy| {
            let more = policy.map(|policy| {
                let later = policy.intended();
                !later.always(SpfResult::Pass).is_subset(addresses)
                    || !later.sometimes(SpfResult::Pass).is_subset(open)
            });
            grows = more.map(|more| more || matches!(grows, Ok(true)));
            grows.is_ok()
        },
    );
    if halted.is_err() { Ok(true) } else { grows }
}
