//! Judges plans: whoever made them, does every message of every declared stream stay authenticated?
//!
//! [`prove`] looks at every way in which a message can be bound to identities, sources and signatures
//! (`binding`), and for each at every set of record versions that a receiver may hold at the instant of judgement
//! (`explore`, `world`), however late any step is. What it asks of each is a promise (`promise`): **P1**,
//! authenticated, **P2**, within limits, and so on. A failure becomes a `counterexample` that is replayed through plain evaluation,
//! put on a `schedule` and told as a `story`. It shares the evaluation of SPF, DKIM and DMARC with the rest of the crate, and
//! nothing with the planner.

mod alike;
mod aside;
mod author;
mod binding;
mod bystander;
mod counterexample;
mod course;
mod dane;
mod explore;
mod ground;
mod listed;
mod margin;
mod mix;
mod mta_sts;
mod progress;
mod promise;
mod proof;
mod protection;
mod reception;
mod remarks;
mod reversible;
mod schedule;
mod shares;
mod story;
mod users;
mod wildcards;
mod world;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use aside::not_settled;
use binding::{Binding, Sources};
use counterexample::{Found, Length};
use explore::{Bounds, Explorer, Halt};
use ground::Ground;
use mix::Mix;
use promise::{AgainstToday, Author, Before, Differing, Judged as MessageJudged, Receiver, Today, Unseen};
use remarks::{age, assumptions, judged_from, not_modelled, other_suffix, unexplored};
pub(crate) use story::duration;
use users::Users;
use world::{Choices, Flux, Lenient, World};

pub use binding::Judgement;
pub(crate) use course::length;
pub use course::{Course, Planned, course};
pub use explore::Explored;
pub use margin::{Breaks, Margin, Most, PerMille, Seconds, margin, prove_with_margin};
pub use progress::{Drifted, Progress, prove_now, prove_now_with_margin};
pub use proof::{Counterexample, FORMAT, Happening, HeldPolicy, Holding, Judged, PromiseVerdict, Proof};

use crate::dmarc;
use crate::dns::Question;
use crate::error::{Error, Invalid, Missing};
use crate::net::AddressSet;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Identity, Plan, Remark, Stream};
use crate::spf::{Policy, Profile};

/// What a proven plan promises: the name of each promise, and what it says.
pub const PROMISES: &[(&str, &str)] = &[
    ("p1", "authenticated"),
    ("p2", "within limits"),
    ("p3", "reversible"),
    ("p4", "no more authority than needed"),
    ("p5", "reports are seen"),
    ("p6", "policies never weaken"),
    ("p7", "customers first"),
    ("p8", "one reading of the organizational domain"),
    ("p9", "reachable"),
    ("p10", "no collateral"),
];

/// The promises that [`prove`] judges of every plan; of plans with undo steps it judges P3, too. P8 takes the public suffix list (feature `psl`).
#[cfg(feature = "psl")]
pub const JUDGED: &[&str] = &["p1", "p2", "p4", "p5", "p6", "p7", "p8", "p9", "p10"];
/// The promises that it does not judge.
#[cfg(feature = "psl")]
pub const NOT_JUDGED: &[&str] = &["p3"];
/// The promises that [`prove`] judges of every plan; of plans with undo steps it judges P3, too.
#[cfg(not(feature = "psl"))]
pub const JUDGED: &[&str] = &["p1", "p2", "p4", "p5", "p6", "p7", "p9", "p10"];
/// The promises that it does not judge. P8 takes the public suffix list (feature `psl`).
#[cfg(not(feature = "psl"))]
pub const NOT_JUDGED: &[&str] = &["p3", "p8"];

/// Judges a plan.
///
/// # Errors
///
/// [`Error::Invalid`] if the plan makes no sense in itself ([`Plan::check`]); [`Error::Missing`] with the questions that some message depends on and the plan's evidence does not answer.
pub fn prove(plan: &Plan) -> Result<Proof, Error> {
    prove_with(plan, &mut |_| true)
}

/// As [`prove`]; `progress` is called now and then with the number of mixes judged so far, and returns whether to go on.
///
/// # Errors
///
/// As [`prove`].
pub fn prove_with(plan: &Plan, progress: &mut dyn FnMut(u64) -> bool) -> Result<Proof, Error> {
    let mut proof = prove_within(plan, explore::budget(plan), progress)?;
    proof.conditions.extend(besides(plan)?);
    reversible::judge(plan, &mut proof, progress)?;
    Ok(proof)
}

/// What no promise is about and whoever reads the verdict has to know.
fn besides(plan: &Plan) -> Result<Vec<Remark>, Error> {
    let timeline = Timeline::new(&plan.steps, plan.parameters.start).map_err(Invalid::one)?;
    let order: Vec<usize> = timeline.steps().collect();
    let flux = Flux::new(plan, &order);
    let sources = binding::sources(plan, &flux, &timeline)?;
    let users = Users::new(plan, &flux, &timeline, &sources);
    let mut conditions = shares::uncovered(plan, &flux, &timeline);
    conditions.extend(protection::lost((plan, &flux, &timeline), &users));
    conditions.extend(promise::elsewhere(plan, &flux, &timeline, &users));
    conditions.extend(dane::published(plan, &flux));
    Ok(conditions)
}

/// As [`prove_with`] without P3, and no more versions are read than the budget.
fn prove_within(plan: &Plan, budget: u64, progress: &mut dyn FnMut(u64) -> bool) -> Result<Proof, Error> {
    let mut budget = budget;
    prove_course(plan, None, &mut budget, progress)
}

/// A plan that is given up half way and taken back.
#[derive(Clone, Copy)]
struct TakenBack<'a> {
    /// The first step of the undo.
    undo_from: usize,
    /// The declared mail of the whole plan: also that which never begins in this course.
    users: &'a Users<'a>,
}

/// Judges a course of steps: a plan, or one that is taken back. The budget becomes less by what was read.
fn prove_course(
    plan: &Plan,
    taken_back: Option<TakenBack<'_>>,
    budget: &mut u64,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Proof, Error> {
    plan.check()?;
    let timeline = Timeline::new(&plan.steps, plan.parameters.start).map_err(Invalid::one)?;
    let ground = Ground::new(plan, &timeline)?;
    let mut prover = Prover::new(&ground, taken_back, *budget, progress);
    let halted = plan.streams.iter().enumerate().find_map(|(at, stream)| {
        let halt = prover.stream(at).err()?;
        Some(unexplored(halt, stream, plan.streams.len() - at - 1))
    });
    *budget = prover.explorer.budget;
    let users = prover.users(taken_back);
    let halted = halted.or_else(|| prover.besides(&users));
    let nothing = prover.nothing_judged();
    prover.proof(halted.into_iter().chain(nothing).collect(), &users)
}

struct Prover<'a> {
    explorer: Explorer<'a>,
    /// The choice of the oldest version of everything.
    baseline: &'a Choices,
    /// The first step of the undo, in a course that is taken back.
    undo_from: Option<usize>,
    sources: &'a Sources<'a>,
    /// For each stream the first one that is like it.
    alike: &'a [usize],
    /// The streams that were judged, and about which there is nothing to say but these conditions.
    silent: BTreeMap<usize, Vec<Remark>>,
    /// The shortest counterexample for each promise and profile, and its length.
    shortest: BTreeMap<(&'static str, usize), (Length, Counterexample)>,
    undecided: BTreeMap<(&'static str, String), Remark>,
    conditions: Vec<Remark>,
    findings: Vec<Remark>,
    /// Counterexamples that hold for every receiver.
    general: BTreeMap<&'static str, Counterexample>,
    assumptions: Vec<Remark>,
    missing: BTreeSet<Question>,
    /// Whether no more than that something is not safe has to be known.
    at_once: bool,
}

impl<'a> Prover<'a> {
    fn new(
        ground: &'a Ground<'a>,
        taken_back: Option<TakenBack<'_>>,
        budget: u64,
        progress: &'a mut dyn FnMut(u64) -> bool,
    ) -> Self {
        let Ground { plan, timeline, flux, sources, baseline, alike } = ground;
        Self {
            explorer: Explorer { budget, ..Explorer::new(plan, flux, timeline, progress) },
            baseline,
            undo_from: taken_back.map(|course| course.undo_from),
            sources,
            alike,
            silent: BTreeMap::new(),
            shortest: BTreeMap::new(),
            undecided: BTreeMap::new(),
            conditions: Vec::new(),
            findings: Vec::new(),
            general: BTreeMap::new(),
            assumptions: Vec::new(),
            missing: flux.missing.clone(),
            at_once: false,
        }
    }

    /// All uses of identities, with those of the whole plan where it is taken back.
    fn users(&self, taken_back: Option<TakenBack<'a>>) -> Users<'a> {
        let Explorer { plan, flux, timeline, .. } = self.explorer;
        let mut users = Users::new(plan, flux, timeline, self.sources);
        if let Some(course) = taken_back {
            users.add(course.users);
        }
        users
    }

    /// Judges what is asked besides the messages of declared streams.
    fn besides(&mut self, users: &Users<'a>) -> Option<Remark> {
        self.author_domains().or_else(|| self.collateral(users)).or_else(|| self.authority(users))
    }

    /// The remark that records change, and nobody's mail was looked at.
    fn nothing_judged(&self) -> Option<Remark> {
        let message = "records change, and no message was judged: does any stream send?";
        let nothing = self.explorer.flux.len() > 0 && self.explorer.explored.mixes_judged == 0;
        nothing.then(|| Remark::new("proof.nothing-judged", None, message))
    }

    /// Whether something that was judged so far is not safe.
    fn is_broken(&self) -> bool {
        let is_open =
            !(self.undecided.is_empty() && self.sources.undecided.is_empty() && self.missing.is_empty());
        is_open || !self.shortest.is_empty() || !self.general.is_empty()
    }

    /// Judges the messages of a stream, unless there was nothing to say about one that is like it, but for conditions that hold of this
    /// one as well.
    fn stream(&mut self, at: usize) -> Result<(), Halt> {
        let Some(stream) = self.explorer.plan.streams.get(at) else { return Ok(()) };
        let first = self.alike.get(at).copied().unwrap_or(at);
        if let Some(conditions) = self.silent.get(&first) {
            let of_this = |of: &Remark| Remark { subject: Some(stream.id.clone()), ..of.clone() };
            self.conditions.extend(conditions.iter().map(of_this));
            return Ok(());
        }
        let (said, conditions) = (self.said(), self.conditions.len());
        self.messages(stream)?;
        let conditions = self.conditions.get(conditions..).unwrap_or_default();
        let only_of_it =
            |of: &Remark| of.subject.as_ref() == Some(&stream.id) && !of.message.contains(&stream.id);
        if self.said() == said && conditions.iter().all(only_of_it) {
            self.silent.insert(first, conditions.to_vec());
        }
        Ok(())
    }

    /// How much there is to say so far, but for conditions.
    fn said(&self) -> usize {
        let broken = self.shortest.len() + self.general.len() + self.missing.len() + self.undecided.len();
        broken + self.findings.len() + self.assumptions.len()
    }

    fn messages(&mut self, stream: &'a Stream) -> Result<(), Halt> {
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
                    self.against_today(stream, &promise::replaces(plan, flux, timeline, &binding), &receivers)
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
        let effect_today = promise::Effect::of(&Lenient(&world), author);
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
    fn condition(&mut self, code: &str, binding: &Binding<'_>, message: String) {
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
    fn walk(
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
    fn addresses(&self, binding: &Binding<'_>) -> AddressSet {
        let sources =
            binding.delivered_by.sources.iter().filter_map(|id| self.sources.addresses.get(id.as_str()));
        sources.fold(AddressSet::empty(), |all, source| all.union(source))
    }

    fn step(&self, id: Option<&str>) -> Option<usize> {
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

    /// The proof of what was judged; with what was not explored.
    ///
    /// # Errors
    ///
    /// [`Missing`] where the evidence lacks answers.
    fn proof(mut self, unexplored: Vec<Remark>, users: &Users<'_>) -> Result<Proof, Error> {
        if !self.missing.is_empty() {
            return Err(Missing { questions: self.missing.into_iter().collect() }.into());
        }
        let (plan, flux, timeline) = (self.explorer.plan, self.explorer.flux, self.explorer.timeline);
        let mut undecided: Vec<Remark> = std::mem::take(&mut self.undecided).into_values().collect();
        undecided.extend(flux.stuck.values().cloned());
        undecided.extend(flux.contradictions.iter().cloned());
        undecided.extend(not_modelled(plan, flux, timeline));
        undecided.extend(remarks::overdue(plan));
        // What a plan lacks is not in it, and so was not judged.
        undecided.extend(plan.blockers.iter().cloned());
        undecided.extend(self.sources.undecided.iter().cloned());
        undecided.extend(unexplored);
        self.conditions.extend(flux.repeated.iter().cloned());
        self.conditions.extend(age(plan));
        self.conditions.extend(other_suffix(plan));
        let mut assumptions = assumptions(plan, flux, self.sources);
        assumptions.append(&mut self.assumptions);
        let general = [
            ("p2", promise::too_large(plan, flux)),
            ("p4", self.general.remove("p4")),
            (
                "p10",
                promise::removed(plan, flux, timeline, users)
                    .or_else(|| promise::cut_off(plan, flux, timeline, users)),
            ),
        ];
        let mut promises = Vec::new();
        for promise in JUDGED.iter().copied() {
            for (index, profile) in plan.parameters.receivers.iter().enumerate() {
                let found = self.shortest.remove(&(promise, index)).map(|(_, counterexample)| counterexample);
                let found = found.or_else(|| {
                    general
                        .iter()
                        .find(|(of, found)| *of == promise && found.is_some())
                        .and_then(|(_, found)| found.clone())
                });
                let verdict = match (&found, undecided.is_empty()) {
                    (Some(_), _) => Judged::Unsafe,
                    (None, false) => Judged::Undecided,
                    (None, true) => Judged::Safe,
                };
                promises.push(PromiseVerdict {
                    promise,
                    receiver: profile.name,
                    verdict,
                    counterexample: found,
                });
            }
        }
        // A plan that no receiver is named for promises nothing.
        let verdict = promises.iter().map(|promise| promise.verdict).max().unwrap_or(Judged::Undecided);
        Ok(Proof {
            verdict,
            judged: JUDGED.to_vec(),
            not_judged: NOT_JUDGED.to_vec(),
            promises,
            assumptions,
            explored: self.explorer.explored,
            undecided,
            conditions: self.conditions,
            findings: self.findings,
            margin: None,
            progress: None,
        })
    }
}
