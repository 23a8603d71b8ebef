//! P3: before the point of no return, what was done can be taken back.
//!
//! The steps begun so far, then their undo in reverse order, is itself a plan (a *course*), and is judged as one. `docs/prover.md` says
//! which courses are enumerated, and why these are enough.

mod back;
mod code;
mod free;
#[cfg(test)]
mod tests;
mod way;

use std::collections::BTreeMap;

use super::explore::budget;
use super::margin::Breaks;
use super::proof::{Counterexample, Judged, PromiseVerdict, Proof};
use super::users::Users;
use super::{TakenBack, besides, prove_course};
use crate::error::{Error, Invalid};
use crate::plan::timeline::Timeline;
use crate::plan::{Plan, Remark, StepKind};
use way::{MOST_STEPS, Steps, Way, has_effect};

pub(super) const PROMISE: &str = "p3";
/// The most courses that are judged: of a small plan each takes less time, so there may be more of them.
const COURSES: (usize, usize) = (256, 2_048);
/// How many steps and streams all courses may have together, where more than the least of these are judged.
const STEPS_OF_ALL: usize = 65_536;
/// How many times the budget of a plan all its courses have together.
const BUDGETS: u64 = 4;

/// Judges P3 and writes it into the proof of the plan, if the steps before the point of no return can be judged.
pub(super) fn judge(
    plan: &Plan,
    proof: &mut Proof,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<(), Error> {
    let timeline = Timeline::new(&plan.steps, plan.parameters.start).map_err(Invalid::one)?;
    let way = Way::new(plan, timeline.steps().collect());
    if let Some(step) = way.without_undo() {
        proof.conditions.push(no_undo(&step.id));
        return Ok(());
    }
    if way.effective().next().is_none() {
        return Ok(());
    }
    let ended_early = proof.undecided.iter().any(|remark| ends(&remark.code));
    let why = match proof.verdict {
        Judged::Unsafe => {
            Some("the way forward is unsafe already: whether it can be taken back is judged once it is not")
        }
        _ if ended_early => Some("the way forward was not judged to its end, and so was not the way back"),
        _ => None,
    };
    if let Some(message) = why {
        proof.conditions.push(Remark::new("proof.undo-not-judged", None, message));
        return Ok(());
    }
    proof.conditions.extend(dated(plan));
    let mut courses = Courses::new(&way, budget(plan).saturating_mul(BUDGETS))?;
    let most = (STEPS_OF_ALL / (plan.steps.len() + plan.streams.len()).max(1)).clamp(COURSES.0, COURSES.1);
    match way.courses(most) {
        Some(all) => {
            for begun in all {
                if !courses.judge(&begun, progress)? {
                    break;
                }
            }
        }
        None => courses.undecided.push(Remark::new(
            "proof.undo-courses",
            None,
            format!(
                "there are more than {most} ways to be half way through, or more than {MOST_STEPS} steps: whether all can be taken back is not judged"
            ),
        )),
    }
    courses.tell(proof);
    Ok(())
}

/// Every course in which a plan is taken back, with the step at which its undo begins; none if there are more than so many.
pub(super) fn courses(plan: &Plan, most: usize) -> Result<Option<Vec<(Plan, usize)>>, Error> {
    let timeline = Timeline::new(&plan.steps, plan.parameters.start).map_err(Invalid::one)?;
    let way = Way::new(plan, timeline.steps().collect());
    let courses = way.courses(most);
    Ok(courses.map(|courses| courses.iter().map(|begun| way.course(begun)).collect()))
}

/// What breaks a course, as something that breaks P3.
pub(super) fn as_its_own(broken: Breaks) -> Breaks {
    let code = if broken.promise.is_some() { code::of(&broken.code).to_owned() } else { broken.code };
    Breaks { promise: broken.promise.map(|_| PROMISE), code, ..broken }
}

/// The remark about a step that cannot be taken back by what the plan says.
fn no_undo(step: &str) -> Remark {
    let message = "the step has no undo steps and comes before the point of no return: whether what was done can be taken back is not judged";
    Remark::new("proof.no-undo", Some(step), message)
}

/// What happens on a date meanwhile is not part of any course.
fn dated(plan: &Plan) -> Option<Remark> {
    let mut dated =
        plan.steps.iter().filter(|step| step.kind == StepKind::External && has_effect(plan, step));
    let message = "P3 is about an undo that is over before this step: it happens on its date even while something is taken back";
    Some(Remark::new("proof.undo-before", Some(&dated.next()?.id), message))
}

/// Whether a remark says that a walk ended early.
fn ends(code: &str) -> bool {
    code == "proof.budget" || code == "proof.cancelled"
}

/// Keeps a remark, one with a code for each subject.
fn keep(remarks: &mut Vec<Remark>, remark: Remark) {
    if !remarks.iter().any(|other| other.code == remark.code && other.subject == remark.subject) {
        remarks.push(remark);
    }
}

/// What was found in the courses so far.
struct Courses<'w> {
    way: &'w Way<'w>,
    users: Users<'w>,
    budget: u64,
    /// The first counterexample at each kind of receiver: one in a shorter course comes first.
    shortest: BTreeMap<&'static str, Counterexample>,
    /// The first thing that is not taken back: told where no message fails.
    lasting: Option<Counterexample>,
    undecided: Vec<Remark>,
    conditions: Vec<Remark>,
    judged: u64,
}

impl<'w> Courses<'w> {
    fn new(way: &'w Way<'w>, budget: u64) -> Result<Self, Error> {
        let users = Users::whole(way.plan)?;
        Ok(Self {
            way,
            users,
            budget,
            shortest: BTreeMap::new(),
            lasting: None,
            undecided: Vec::new(),
            conditions: Vec::new(),
            judged: 0,
        })
    }

    /// Judges one course; whether to go on.
    fn judge(&mut self, begun: &Steps, progress: &mut dyn FnMut(u64) -> bool) -> Result<bool, Error> {
        if let Some(step) = self.way.policy_step(begun) {
            let message = "the step publishes an MTA-STS policy, and several of its undo steps may publish the one before again: let one of them do all that changes something";
            self.remark(Remark::new("proof.undo-policy", Some(&step.id), message));
        }
        let (course, undo_from) = self.way.course(begun);
        let last = self.way.last(begun).map_or("", |step| step.id.as_str());
        let taken_back = TakenBack { undo_from, users: &self.users };
        let proof = match prove_course(&course, Some(taken_back), &mut self.budget, progress) {
            Ok(proof) => proof,
            Err(Error::Invalid(invalid)) => {
                for problem in &invalid.problems {
                    let message =
                        format!("the undo of what was begun up to here makes no sense: {}", problem.message);
                    self.remark(Remark::new(problem.code, Some(last), message));
                }
                return Ok(true);
            }
            Err(error) => return Err(error),
        };
        self.judged += 1;
        let told = |found| given_up(self.way.plan, begun, last, found);
        for remark in besides(&course)?.0 {
            let message = format!("when `{last}` is taken back: {}", remark.message);
            keep(&mut self.conditions, Remark { message, ..remark });
        }
        for promise in proof.promises {
            let Some(found) = promise.counterexample else { continue };
            self.shortest.entry(promise.receiver).or_insert_with(|| told(found));
        }
        if self.lasting.is_none() {
            self.lasting = back::not_taken_back(&course)?.map(told);
        }
        let goes_on = !proof.undecided.iter().any(|remark| ends(&remark.code));
        for remark in proof.undecided {
            let message = format!("when `{last}` is taken back: {}", remark.message);
            self.remark(Remark { message, ..remark });
        }
        Ok(goes_on)
    }

    fn remark(&mut self, remark: Remark) {
        keep(&mut self.undecided, remark);
    }

    /// Writes it all into the proof of the plan.
    fn tell(mut self, proof: &mut Proof) {
        proof.explored.courses = self.judged;
        proof.assumptions.extend(self.way.ends());
        for remark in self.undecided {
            keep(&mut proof.undecided, remark);
        }
        for remark in self.conditions {
            keep(&mut proof.conditions, remark);
        }
        let verdicts = self.way.plan.parameters.receivers.iter().map(|profile| {
            let counterexample = self.shortest.remove(profile.name).or_else(|| self.lasting.clone());
            let verdict = match (&counterexample, proof.undecided.is_empty()) {
                (Some(_), _) => Judged::Unsafe,
                (None, false) => Judged::Undecided,
                (None, true) => Judged::Safe,
            };
            PromiseVerdict { promise: PROMISE, receiver: profile.name, verdict, counterexample }
        });
        let verdicts: Vec<PromiseVerdict> = verdicts.collect();
        proof.verdict =
            verdicts.iter().map(|of| of.verdict).chain([proof.verdict]).max().unwrap_or(proof.verdict);
        let place = proof.judged.iter().position(|promise| !["p1", "p2"].contains(promise));
        proof.judged.insert(place.unwrap_or(proof.judged.len()), PROMISE);
        proof.not_judged.retain(|promise| *promise != PROMISE);
        let place = proof.promises.iter().position(|of| !["p1", "p2"].contains(&of.promise));
        let place = place.unwrap_or(proof.promises.len());
        proof.promises.splice(place..place, verdicts);
    }
}

/// A failure in a course, as one of P3.
fn given_up(plan: &Plan, begun: &Steps, last: &str, found: Counterexample) -> Counterexample {
    let all: Vec<String> = begun
        .iter()
        .filter_map(|at| plan.steps.get(*at))
        .filter(|step| step.id != last)
        .map(|step| format!("`{}`", step.id))
        .collect();
    let with = if all.is_empty() { String::new() } else { format!(", with {}", all.join(", ")) };
    let mut story =
        vec![format!("After step `{last}` has begun the plan is given up, and `{last}` is undone{with}.")];
    story.extend(found.story);
    Counterexample { code: code::of(found.code), story, ..found }
}
