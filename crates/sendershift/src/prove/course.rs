//! The course of a plan for a picture: when its steps happen if everything goes well, and which versions of records there are.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::proof::Holding;
use super::world::Flux;
use crate::dns::Question;
use crate::error::{Error, Invalid};
use crate::plan::timeline::Timeline;
use crate::plan::{Plan, Step, StepKind};

/// The format of a course.
const FORMAT: &str = "sendershift-course/1";

/// When the steps of a plan happen if everything goes well, and what DNS says on the way. Dates are for people: what a plan promises does
/// not depend on them.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Course {
    format: &'static str,
    /// The steps, in the order of the plan.
    pub steps: Vec<Planned>,
    /// The versions of the records that the plan changes, by question, those of each in their order.
    pub versions: Vec<Holding>,
}

/// When a step happens if everything goes well; never, if it cannot be done as it stands or waits for one that cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Planned {
    /// The step.
    pub id: String,
    /// When it starts.
    #[serde(serialize_with = "time")]
    pub start: Option<jiff::Timestamp>,
    /// When it is done: after the publication delay, or the roll-out across the senders.
    #[serde(serialize_with = "time")]
    pub done: Option<jiff::Timestamp>,
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn time<S: Serializer>(time: &Option<jiff::Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}

/// The course of a plan. Steps start at their `earliest` date; where a plan has none, as soon as all that they wait for is done.
///
/// # Errors
///
/// [`Error::Invalid`] if the plan makes no sense in itself ([`Plan::check`]).
///
/// # Examples
///
/// ```
/// use sendershift::plan::Plan;
/// use sendershift::prove::course;
///
/// let plan = Plan::from_json(include_str!("../../../../tests/plans/broken-negative-cache.json"))?;
/// let course = course(&plan)?;
/// // The absence of the key is remembered for three hours after it is published (RFC 2308 section 5).
/// let absence = course.versions.iter().find(|version| version.records.is_none()).unwrap();
/// assert_eq!((absence.replaced_by.as_deref(), absence.kept_for), (Some("publish-key"), Some(3 * 3600)));
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn course(plan: &Plan) -> Result<Course, Error> {
    plan.check()?;
    let timeline = Timeline::new(&plan.steps, plan.parameters.start).map_err(Invalid::one)?;
    let order: Vec<usize> = timeline.steps().collect();
    let flux = Flux::new(plan, &order);
    Ok(Course { format: FORMAT, steps: planned(plan, &flux, &order), versions: versions(plan, &flux) })
}

/// The dates of the steps, given in an order in which each comes after those it waits for.
fn planned(plan: &Plan, flux: &Flux, order: &[usize]) -> Vec<Planned> {
    let index: BTreeMap<&str, usize> =
        plan.steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
    let mut times: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
    for at in order.iter().filter(|at| flux.happens.get(**at) == Some(&true)) {
        let Some(step) = plan.steps.get(*at) else { continue };
        let waits = step.after.iter().filter_map(|after| {
            let (_, done) = times.get(index.get(after.step.as_str())?)?;
            Some(done.saturating_add_unsigned(after.at_least))
        });
        let ready = waits.max().unwrap_or(i64::MIN).max(plan.parameters.start.as_second());
        let start = match (step.kind, step.on, step.dates) {
            (StepKind::External, Some(on), _) => on.as_second(),
            (_, _, Some(dates)) => dates.earliest.as_second().max(ready),
            _ => ready,
        };
        times.insert(*at, (start, start.saturating_add_unsigned(length(step, plan))));
    }
    let time = |seconds: i64| jiff::Timestamp::from_second(seconds).ok();
    let planned = plan.steps.iter().enumerate().map(|(at, step)| {
        let (start, done) = times.get(&at).map_or((None, None), |(start, done)| (time(*start), time(*done)));
        Planned { id: step.id.clone(), start, done }
    });
    planned.collect()
}

/// How long a step usually takes, in seconds.
pub(crate) fn length(step: &Step, plan: &Plan) -> u64 {
    match step.kind {
        StepKind::Dns => plan.parameters.publication_delay,
        StepKind::Send => {
            step.starts.iter().chain(&step.stops).filter_map(|used| used.over).max().unwrap_or(0)
        }
        _ => 0,
    }
}

fn versions(plan: &Plan, flux: &Flux) -> Vec<Holding> {
    let changes = plan.steps.iter().flat_map(|step| &step.changes);
    let questions: BTreeSet<Question> =
        changes.map(|change| Question::new(change.name.clone(), change.record_type)).collect();
    let versions = questions.iter().flat_map(|question| {
        let versions = flux.versions(question).into_iter().flatten();
        versions.map(|version| version.holding(question, plan))
    });
    versions.collect()
}
