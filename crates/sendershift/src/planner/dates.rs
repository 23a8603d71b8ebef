//! Dates for people: the earliest and the latest start of each step, and what holds the end up.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, tz};

use crate::migration::{Calendar, Migration};
use crate::plan::{Dates, Plan, Remark, Step};
use crate::prove::duration;

const DAY: i64 = 86_400;

/// How many times a start is moved from one freeze or weekend into the next before it is taken as it is.
const MAX_MOVES: usize = 10_000;

/// The days on which steps may start, in seconds since the epoch.
struct Days<'m> {
    calendar: &'m Calendar,
    offset: i64,
}

impl Days<'_> {
    /// The first instant of the day after, by the clock of the calendar.
    fn midnight(&self, at: i64) -> i64 {
        (at + self.offset).div_euclid(DAY) * DAY - self.offset
    }

    fn is_working(&self, at: i64) -> bool {
        // The epoch was a Thursday.
        let weekday = ((at + self.offset).div_euclid(DAY) + 3).rem_euclid(7);
        let weekday = usize::try_from(weekday).unwrap_or(0);
        self.calendar.working_days.get(weekday).copied().unwrap_or(true)
            || !self.calendar.working_days.contains(&true)
    }

    /// The freeze that a step would meet which starts then and changes something for so long.
    fn freeze(&self, at: i64, over: i64) -> Option<(i64, i64)> {
        let end = at.saturating_add(over.max(1));
        let freezes =
            self.calendar.freezes.iter().map(|freeze| (freeze.from.as_second(), freeze.until.as_second()));
        freezes.filter(|(from, until)| *from < end && at < *until).max_by_key(|(_, until)| *until)
    }

    /// The first instant from `at` on at which a step may start that changes something for so long.
    fn next(&self, mut at: i64, over: i64) -> i64 {
        for _ in 0..MAX_MOVES {
            if let Some((_, until)) = self.freeze(at, over) {
                at = until;
            } else if self.is_working(at) {
                break;
            } else {
                at = self.midnight(at) + DAY;
            }
        }
        at
    }

    /// The last instant up to `at` at which a step may start that changes something for so long.
    fn last(&self, mut at: i64, over: i64) -> i64 {
        for _ in 0..MAX_MOVES {
            if let Some((from, _)) = self.freeze(at, over) {
                at = from - over.max(1);
            } else if self.is_working(at) {
                break;
            } else {
                at = self.midnight(at) - 1;
            }
        }
        at
    }
}

/// How long a step rolls out across senders, in seconds: each of them is changed at some time of it.
fn rollout(step: &Step) -> i64 {
    seconds(step.starts.iter().chain(&step.stops).filter_map(|used| used.over).max().unwrap_or(0))
}

/// How long a step usually takes, in seconds.
fn length(step: &Step, plan: &Plan) -> i64 {
    seconds(crate::prove::length(step, plan))
}

fn seconds(at_least: u64) -> i64 {
    i64::try_from(at_least).unwrap_or(i64::MAX / 4)
}

/// Fills in the dates and the critical path. A deadline that cannot be met becomes a blocker.
///
/// Every step has to stand behind those that it waits for.
pub(super) fn schedule(plan: &mut Plan, migration: &Migration) {
    let days = Days { calendar: &migration.calendar, offset: i64::from(plan.parameters.utc_offset) };
    let index: BTreeMap<String, usize> =
        plan.steps.iter().enumerate().map(|(at, step)| (step.id.clone(), at)).collect();
    let origin = plan.parameters.start.as_second();
    let mut starts: Vec<i64> = Vec::new();
    let mut dones: Vec<i64> = Vec::new();
    // For each step the one that it waits for longest.
    let mut holds: Vec<Option<(usize, i64)>> = Vec::new();
    for step in &plan.steps {
        let waits = step.after.iter().filter_map(|after| {
            let earlier = *index.get(&after.step)?;
            let done = *dones.get(earlier)?;
            Some((done.saturating_add(seconds(after.at_least)), earlier, seconds(after.at_least)))
        });
        let longest = waits.max_by_key(|(at, earlier, _)| (*at, std::cmp::Reverse(*earlier)));
        let start = days.next(longest.map_or(origin, |(at, _, _)| at.max(origin)), rollout(step));
        holds.push(longest.map(|(_, earlier, wait)| (earlier, wait)));
        starts.push(start);
        dones.push(start.saturating_add(length(step, plan)));
    }
    let deadline = plan.parameters.deadline.map(Timestamp::as_second);
    let mut latest: Vec<Option<i64>> = vec![deadline; plan.steps.len()];
    for (at, step) in plan.steps.iter().enumerate().rev() {
        // So far this is the latest done.
        let Some(done) = latest.get(at).copied().flatten() else { continue };
        let start = days.last(done.saturating_sub(length(step, plan)), rollout(step));
        if let Some(slot) = latest.get_mut(at) {
            *slot = Some(start);
        }
        for after in &step.after {
            let earlier = index.get(&after.step).and_then(|earlier| latest.get_mut(*earlier));
            if let Some(Some(done)) = earlier {
                *done = (*done).min(start.saturating_sub(seconds(after.at_least)));
            }
        }
    }
    for (at, step) in plan.steps.iter_mut().enumerate() {
        let (Some(earliest), latest) = (starts.get(at), latest.get(at).copied().flatten()) else { continue };
        step.dates = Timestamp::from_second(*earliest).ok().map(|start| Dates {
            earliest: start,
            latest: latest.and_then(|at| Timestamp::from_second(at).ok()),
            slack: latest.map(|latest| latest - earliest),
        });
    }
    let Some(last) = (0..dones.len()).max_by_key(|at| (dones.get(*at), std::cmp::Reverse(*at))) else {
        return;
    };
    let mut path = vec![(last, 0)];
    while let Some((earlier, wait)) = path.last().and_then(|(at, _)| holds.get(*at).copied().flatten()) {
        path.push((earlier, wait));
    }
    path.reverse();
    plan.critical_path = path.iter().filter_map(|(at, _)| Some(plan.steps.get(*at)?.id.clone())).collect();
    let end = dones.get(last).copied().unwrap_or(origin);
    if let Some(deadline) = deadline.filter(|deadline| *deadline < end) {
        let message = overrun(plan, &path, &starts, &dones, (end, deadline));
        plan.blockers.push(Remark::new("plan.deadline-not-met", None, message));
    }
}

/// The chain of waits that does not fit.
fn overrun(
    plan: &Plan,
    path: &[(usize, i64)],
    starts: &[i64],
    dones: &[i64],
    (end, deadline): (i64, i64),
) -> String {
    let offset = plan.parameters.utc_offset;
    let mut chain: Vec<String> = Vec::new();
    for (place, (at, wait)) in path.iter().enumerate() {
        let (Some(step), Some(start), Some(done)) = (plan.steps.get(*at), starts.get(*at), dones.get(*at))
        else {
            continue;
        };
        let mut link = vec![format!("`{}` ({})", step.id, date(*start, offset))];
        let next = path.get(place + 1).and_then(|(next, _)| starts.get(*next));
        if done > start {
            link.push(format!("takes {}", duration(done - start)));
        }
        if let Some(next) = next {
            if *wait > 0 {
                link.push(format!("wait {}", duration(*wait)));
            }
            if next - done > *wait {
                link.push(format!("{} until a day on which a step may start", duration(next - done - wait)));
            }
        }
        chain.push(link.join(", "));
    }
    format!(
        "the end is at the earliest on {}, {} after the deadline {}; what takes so long: {}",
        date(end, offset),
        duration(end - deadline),
        day(deadline, offset),
        chain.join("; then "),
    )
}

/// A deadline for people: that of a whole day is its end.
pub(crate) fn day(deadline: i64, offset: i32) -> String {
    if (deadline + i64::from(offset)).rem_euclid(DAY) > 0 {
        return date(deadline, offset);
    }
    let last = date(deadline - 1, offset);
    format!("at the end of {}", last.split(' ').next().unwrap_or(&last))
}

/// A date for people.
pub(crate) fn date(seconds: i64, offset: i32) -> String {
    let at = Timestamp::from_second(seconds).unwrap_or_default();
    let at = at.checked_add(SignedDuration::from_secs(i64::from(offset))).unwrap_or(at);
    tz::Offset::UTC.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}
