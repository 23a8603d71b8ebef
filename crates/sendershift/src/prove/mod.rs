//! Judges plans: whoever made them, does every message of every declared stream stay authenticated?
//!
//! [`prove`] looks at every way in which a message can be bound to identities, sources and signatures
//! (`binding`), and for each at every set of record versions that a receiver may hold at the instant of judgement
//! (`explore`, `world`), however late any step is. What it asks of each is a promise (`promise`): **P1**,
//! authenticated, **P2**, within limits, and so on. A failure becomes a `counterexample` that is replayed through plain evaluation,
//! put on a `schedule` and told as a `story`. It shares the evaluation of SPF, DKIM and DMARC with the rest of the crate, and
//! nothing with the planner.

mod aliases;
mod alike;
mod aside;
mod author;
mod binding;
mod bystander;
mod counterexample;
mod course;
mod dane;
mod existence;
mod explore;
mod ground;
mod hosts;
mod listed;
mod margin;
mod messages;
mod mix;
mod mta_sts;
mod progress;
mod promise;
mod proof;
mod protection;
mod reception;
mod remarks;
mod reversible;
mod routed;
mod schedule;
mod shares;
mod story;
mod users;
mod wildcards;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use aside::not_settled;
use binding::Sources;
use counterexample::Length;
use explore::{Explorer, Halt};
use ground::Ground;
use remarks::{age, assumptions, not_modelled, other_suffix, unexplored};
pub(crate) use story::duration;
use users::Users;
use world::{Choices, Flux};

pub use binding::Judgement;
pub(crate) use course::length;
pub use course::{Course, Planned, course};
pub use explore::Explored;
pub use margin::{Breaks, Margin, Most, PerMille, Seconds, margin, prove_with_margin};
pub use progress::{Drifted, Progress, prove_now, prove_now_with_margin};
pub use proof::{Counterexample, FORMAT, Happening, HeldPolicy, Holding, Judged, PromiseVerdict, Proof};

use crate::dns::Question;
use crate::error::{Error, Invalid, Missing};
use crate::plan::timeline::Timeline;
use crate::plan::{Plan, Remark};

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
    proof.conditions.extend(shares::never_used(plan));
    let (conditions, assumptions) = besides(plan)?;
    proof.conditions.extend(conditions);
    proof.assumptions.extend(assumptions);
    reversible::judge(plan, &mut proof, progress)?;
    Ok(proof)
}

/// What no promise is about and whoever reads the verdict has to know: conditions and assumptions.
fn besides(plan: &Plan) -> Result<(Vec<Remark>, Vec<Remark>), Error> {
    let timeline = Timeline::new(&plan.steps, plan.parameters.start).map_err(Invalid::one)?;
    let order: Vec<usize> = timeline.steps().collect();
    let flux = Flux::new(plan, &order);
    let sources = binding::sources(plan, &flux, &timeline)?;
    let users = Users::new(plan, &flux, &timeline, &sources);
    let mut conditions = shares::uncovered(plan, &flux, &timeline);
    conditions.extend(protection::lost((plan, &flux, &timeline), &users));
    conditions.extend(promise::elsewhere(plan, &flux, &timeline, &users));
    conditions.extend(dane::published(plan, &flux));
    conditions.extend(routed::elsewhere(plan, &flux, &users));
    conditions.extend(wildcards::may_be_hidden(plan, &flux));
    Ok((conditions, hosts::untold(plan, &flux)))
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
