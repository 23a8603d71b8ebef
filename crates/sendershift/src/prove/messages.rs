//! The promises to a stream, for each way in which a message of it can be bound.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::aside::not_settled;
use super::binding::{self, Binding, Judgement};
use super::counterexample::Found;
use super::existence::Existing;
use super::explore::{Bounds, Halt};
use super::mix::Mix;
use super::promise::{
    self, AgainstToday, Author, Before, Differing, Judged as MessageJudged, Receiver, Today, Unseen,
};
use super::remarks::judged_from;
use super::world::{Lenient, World};
use super::{Prover, remarks};
use crate::dmarc;
use crate::net::AddressSet;
use crate::plan::timeline::Event;
use crate::plan::{Identity, Remark, Stream};
use crate::spf::{Policy, Profile};

impl<'a> Prover<'a> {
    /// Judges the messages of a stream.
    pub(super) fn messages(&mut self, stream: &'a Stream) -> Result<(), Halt> {
        let (plan, flux, timeline) = (self.explorer.plan, self.explorer.flux, self.explorer.timeline);
        let receivers: Vec<Receiver<'a>> = plan.parameters.receivers.iter().copied().enumerate().collect();
        let from = self.step(stream.judged_from.as_deref()).map(Event::Done);
        let within_limits_from = self.step(plan.parameters.within_limits_from.as_deref()).map(Event::Done);
        if stream.spf_only {
            let message = "the stream relies on SPF alone: whatever forwards its messages breaks them";
            self.conditions.push(Remark::new("proof.spf-only", Some(&stream.id), message));
        }
        let nameless =
            stream.identities.iter().find(|identity| identity.mail_from.is_none() && identity.helo.is_none());
        if let Some(identity) = nameless {
            let message = format!(
                "messages of `{}` have the null sender and no HELO name is declared: SPF of them is not judged",
                identity.id
            );
            self.conditions.push(Remark::new("proof.no-helo", Some(&stream.id), message));
        }
        let bindings = binding::bindings(plan, flux, timeline, stream);
        let mut against: BTreeMap<&str, [AgainstToday; 2]> = BTreeMap::new();
        let mut judged = false;
        let mut fail_today = BTreeSet::new();
        for binding in bindings {
            self.explorer.explored.bindings += 1;
            self.untold(&binding);
            let addresses = self.addresses(&binding);
            judged |= self.authenticated(&binding, &addresses, &receivers, from, &mut fail_today)?;
            self.published(&binding, &receivers)?;
            if binding.judgement == Judgement::Delivery {
                self.greets(&binding, &receivers)?;
                let against = against.entry(&binding.identity.id).or_insert_with(|| {
                    self.against_today(stream, &promise::replaces(plan, flux, &binding), &receivers)
                });
                for (binding, against) in [Some(binding.clone()), binding.greeting()].iter().zip(&*against) {
                    let Some(binding) = binding else { continue };
                    self.within_limits(binding, &addresses, (&receivers, against), within_limits_from)?;
                }
            }
        }
        for binding in binding::answered(plan, flux, timeline, stream) {
            self.explorer.explored.bindings += 1;
            self.reachable(&binding, &receivers)?;
        }
        self.customers_first(stream, &receivers)?;
        if !judged {
            let message =
                "no message of the stream was judged: none of its identities is in use when it could be";
            let remark = Remark::new("proof.nothing-judged", Some(&stream.id), message);
            self.undecided.insert(("p1", format!("proof.nothing-judged {}", stream.id)), remark);
        }
        if let Some(step) = &stream.judged_from {
            self.conditions.push(judged_from(stream, step, &fail_today));
        }
        Ok(())
    }

    /// What SPF says against mail of identities of a stream before the plan: at MAIL FROM, and where it greets.
    fn against_today(
        &self,
        stream: &Stream,
        live: &[&Identity],
        receivers: &[Receiver<'_>],
    ) -> [AgainstToday; 2] {
        let (plan, flux, timeline) = (self.explorer.plan, self.explorer.flux, self.explorer.timeline);
        let world = World::new(plan, flux, self.baseline);
        let mut today = [AgainstToday::new(), AgainstToday::new()];
        for identity in live.iter().copied() {
            let identities = (identity, identity);
            let delivery = Judgement::Delivery;
            let binding =
                Binding::new((plan, flux, timeline), stream, identities, None, delivery, Bounds::default());
            let addresses = self.addresses(&binding);
            let greeting = binding.greeting();
            for (binding, today) in [Some(binding), greeting].iter().zip(&mut today) {
                if let Some(binding) = binding {
                    promise::against(&world, binding, &addresses, receivers, today);
                }
            }
        }
        today
    }

    /// Judges P2 for a binding: nobody is worse off than today, and from one step on all is within the limits.
    fn within_limits(
        &mut self,
        binding: &Binding<'_>,
        addresses: &AddressSet,
        (receivers, against): (&[Receiver<'_>], &AgainstToday),
        from: Option<Event>,
    ) -> Result<(), Halt> {
        let Some(domain) = binding.checked_domain() else { return Ok(()) };
        let baseline = self.baseline;
        let world = World::new(self.explorer.plan, self.explorer.flux, baseline);
        let today = Policy::compile_within(&world, domain, addresses).ok();
        let today = today.map(|policy| Before { policy, against, open: RefCell::default() });
        self.walk("p2", binding, &|world| {
            promise::within_limits(world, binding, addresses, receivers, today.as_ref())
        })?;
        if let Some(unknown) = today.and_then(|today| today.open.take()) {
            let message = format!(
                "a receiver may refuse messages of `{}` for what SPF says of {domain}, which it may not today, unless {}:{} lets them pass: no record tells whether it does",
                binding.identity.id, unknown.mechanism, unknown.target
            );
            self.condition("proof.refused-if", binding, message);
        }
        let Some(event) = from else { return Ok(()) };
        let mut binding = binding.clone();
        binding.bounds.lower.push(event);
        if binding.bounds.feasible(self.explorer.timeline) {
            self.walk("p2", &binding, &|world| {
                promise::within_limits(world, &binding, addresses, receivers, None)
            })?;
        }
        Ok(())
    }

    /// Judges what a receiver makes of the policy that is published for a binding: P5, P6 and P8.
    fn published(&mut self, binding: &Binding<'_>, receivers: &[Receiver<'_>]) -> Result<(), Halt> {
        let timeline = self.explorer.timeline;
        let author = &binding.identity.author_domain;
        let baseline = self.baseline;
        let world = World::new(self.explorer.plan, self.explorer.flux, baseline);
        let effect_today = promise::Effect::of(&Existing(&world), author);
        let today = dmarc::discover(&world, author).applied.as_ref().map(promise::declared);
        let unseen_today = Unseen::of(&Lenient(&world), &Lenient(&world), author);
        let judged_by = Author { domain: author, bounds: &binding.bounds, in_use: true };
        let forward = self.undo_from.is_none();
        self.walk("p5", binding, &|world| {
            let judged = promise::seen(world, &Lenient(world), binding, receivers, &unseen_today);
            if judged.failures.is_empty() && forward {
                promise::goes_unseen(world, timeline, judged_by, receivers)
            } else {
                judged
            }
        })?;
        if let Some(undo_from) = self.undo_from {
            return self.walk("p6", binding, &|world| {
                promise::taken_back(world, timeline, judged_by, receivers, (&effect_today, undo_from))
            });
        }
        self.walk("p6", binding, &|world| {
            promise::policy(world, timeline, judged_by, receivers, today.as_ref())
        })?;
        let live = binding.stream.live.contains(&binding.identity.id)
            && binding.stream.live.contains(&binding.delivered_by.id);
        let differing = if live {
            promise::differing(&Lenient(&world), binding, &Profile::RFC7208)
        } else {
            Differing::default()
        };
        if !differing.methods.is_empty() {
            let message = format!(
                "receivers that use the public suffix list see another alignment of `{}` with {author} ({}) than those that walk the tree, already today",
                binding.identity.id,
                differing.methods.join(", ")
            );
            self.condition("proof.reads-differently-today", binding, message);
        }
        self.walk("p8", binding, &|world| {
            promise::one_reading(&Lenient(world), binding, receivers, &differing)
        })
    }

    /// Judges P7: it is about the order of events alone, and no world has a say in it.
    fn customers_first(&mut self, stream: &'a Stream, receivers: &[Receiver<'_>]) -> Result<(), Halt> {
        let (plan, flux, timeline) = (self.explorer.plan, self.explorer.flux, self.explorer.timeline);
        let promise::Early { messages, conditions, assumptions } =
            promise::customers(plan, flux, timeline, stream);
        for condition in conditions {
            if !self.conditions.contains(&condition) {
                self.conditions.push(condition);
            }
        }
        self.assumptions.extend(assumptions);
        for (code, binding) in &messages {
            self.explorer.explored.bindings += 1;
            self.walk("p7", binding, &|_| MessageJudged::everywhere(Some(*code), receivers))?;
        }
        Ok(())
    }

    /// Notes a condition, once.
    pub(super) fn condition(&mut self, code: &str, binding: &Binding<'_>, message: String) {
        let remark = Remark::new(code, Some(&binding.stream.id), message);
        if !self.conditions.contains(&remark) {
            self.conditions.push(remark);
        }
    }

    /// Judges P1 for a binding: what fails today already from `from` on, all else from the start. Whether there was anything to judge.
    fn authenticated(
        &mut self,
        binding: &Binding<'a>,
        addresses: &AddressSet,
        receivers: &[Receiver<'a>],
        from: Option<Event>,
        fail_today: &mut BTreeSet<&'a str>,
    ) -> Result<bool, Halt> {
        let failing = if from.is_some() { self.failing_today(binding, receivers) } else { BTreeMap::new() };
        let (later, always): (Vec<Receiver<'a>>, Vec<Receiver<'a>>) =
            receivers.iter().partition(|(index, _)| failing.contains_key(index));
        let mut parts = Vec::new();
        if !always.is_empty() {
            parts.push((binding.clone(), addresses.clone(), always));
        }
        for receiver in &later {
            let passing = failing.get(&receiver.0).map(|failing| addresses.difference(&failing.fails));
            parts.extend(
                passing
                    .filter(|passing| !passing.is_empty())
                    .map(|passing| (binding.clone(), passing, vec![*receiver])),
            );
        }
        if !later.is_empty() {
            fail_today.insert(&binding.identity.id);
            // What fails today may fail on, and not get worse.
            for receiver in &later {
                let Some(today) = failing.get(&receiver.0) else { continue };
                let fails = addresses.intersection(&today.fails);
                for (part, spf_today) in
                    [(fails.intersection(&today.spf), true), (fails.difference(&today.spf), false)]
                {
                    if !part.is_empty() {
                        self.walk("p1", binding, &|world| {
                            promise::no_worse(world, binding, &part, *receiver, (today, spf_today))
                        })?;
                    }
                }
            }
            // What was repaired fails again when it is taken back.
            let from = from.filter(|_| self.undo_from.is_none());
            let after = from.and_then(|from| binding.after(from, self.explorer.timeline));
            parts.extend(after.map(|after| (after, addresses.clone(), later)));
        }
        for (binding, addresses, receivers) in &parts {
            self.walk("p1", binding, &|world| promise::authenticated(world, binding, addresses, receivers))?;
        }
        Ok(!parts.is_empty() || self.undo_from.is_some())
    }

    /// Notes where a message relies on SPF and may come from an address that the evidence does not tell.
    fn untold(&mut self, binding: &Binding<'_>) {
        let relies = binding.stream.needs_both || binding.stream.spf_only || binding.signatures().is_empty();
        let open = binding.delivered_by.sources.iter().find(|id| self.sources.open.contains(id.as_str()));
        if let Some(source) = open.filter(|_| relies) {
            let message = format!(
                "its messages rely on SPF, and the include of source `{source}` tells some of its addresses only for a message at hand"
            );
            let remark = Remark::new("proof.source-open", Some(&binding.stream.id), message);
            self.undecided.insert(("p1", format!("proof.source-open {}", binding.stream.id)), remark);
        }
    }

    /// Judges one promise for one binding in every possible world.
    pub(super) fn walk(
        &mut self,
        promise: &'static str,
        binding: &Binding<'_>,
        evaluate: &dyn Fn(&World<'_>) -> MessageJudged,
    ) -> Result<(), Halt> {
        let (plan, flux) = (self.explorer.plan, self.explorer.flux);
        if self.at_once && self.is_broken() {
            return Ok(());
        }
        let Self { explorer, shortest, undecided, missing, at_once, .. } = self;
        explorer.walk(&binding.bounds, &mut |world| evaluate(world), &mut |explored, world, judged| {
            explored.address_classes += judged.classes;
            for remark in not_settled(&judged, &binding.stream.id) {
                undecided.insert((promise, remark.code.clone()), remark);
            }
            for (index, failure) in &judged.failures {
                let Some(profile) = plan.parameters.receivers.get(*index) else { continue };
                let (choices, bounds, injected) = (world.choices, &binding.bounds, Some(&binding.injected));
                let mix = Mix { plan, flux, choices, bounds, injected };
                let found = Found { mix, binding, profile, failure };
                let length = found.length();
                if shortest.get(&(promise, *index)).is_some_and(|(shortest, _)| *shortest <= length) {
                    continue;
                }
                match found.counterexample() {
                    Some(counterexample) => {
                        shortest.insert((promise, *index), (length, counterexample));
                    }
                    None => {
                        let remark = remarks::not_confirmed(failure.code, &binding.stream.id);
                        undecided.insert((promise, failure.code.to_owned()), remark);
                    }
                }
            }
            missing.append(&mut world.missing());
            !(*at_once && (!shortest.is_empty() || !undecided.is_empty()))
        })
    }

    /// The addresses that deliver the messages of a binding.
    pub(super) fn addresses(&self, binding: &Binding<'_>) -> AddressSet {
        let sources =
            binding.delivered_by.sources.iter().filter_map(|id| self.sources.addresses.get(id.as_str()));
        sources.fold(AddressSet::empty(), |all, source| all.union(source))
    }

    pub(super) fn step(&self, id: Option<&str>) -> Option<usize> {
        self.explorer.plan.steps.iter().position(|step| Some(step.id.as_str()) == id)
    }

    /// The addresses, by receiver, at which messages of a binding fail today already: they are judged from the step that
    /// repairs them. Where only one of identity and sources is in use today, that one has to fail from all its sources.
    fn failing_today(&mut self, binding: &Binding<'a>, receivers: &[Receiver<'a>]) -> BTreeMap<usize, Today> {
        let Binding { stream, identity, delivered_by, judgement, .. } = *binding;
        let is_live = |identity: &Identity| stream.live.contains(&identity.id);
        let (identities, both) = match (is_live(identity), is_live(delivered_by)) {
            (true, true) => ((identity, delivered_by), true),
            (true, false) => ((identity, identity), false),
            (false, true) => ((delivered_by, delivered_by), false),
            (false, false) => return BTreeMap::new(),
        };
        let (plan, flux, timeline) = (self.explorer.plan, self.explorer.flux, self.explorer.timeline);
        let baseline = self.baseline;
        let mut excused: BTreeMap<usize, Today> = BTreeMap::new();
        // What fails at delivery is lost for whoever would verify its signature later, too.
        for judgement in BTreeSet::from([Judgement::Delivery, judgement]) {
            let context = (plan, flux, timeline);
            let today = Binding::new(context, stream, identities, None, judgement, Bounds::default());
            let addresses = self.addresses(&today);
            let world = World::new(plan, flux, baseline);
            let failing = promise::today(&world, &today, &addresses, receivers).unwrap_or_default();
            self.missing.append(&mut world.missing());
            for (index, failing) in failing {
                let everywhere = !addresses.is_empty() && addresses.is_subset(&failing.fails);
                if failing.fails.is_empty() || !(both || everywhere) {
                    continue;
                }
                // From other addresses nothing is known: what any passes today is passed.
                let spread = |part: AddressSet| {
                    if both || part.is_empty() { part } else { AddressSet::all() }
                };
                let known = excused.entry(index).or_insert_with(|| failing.clone());
                known.fails = known.fails.union(&spread(failing.fails));
                known.spf = known.spf.union(&spread(failing.spf));
            }
        }
        excused
    }
}
