//! A course of events in which a failure happens: the earliest solution of all constraints.

use super::mix::Mix;
use super::proof::Happening;
use crate::plan::StepKind;
use crate::plan::timeline::Event;

/// Ticks of a schedule in a second.
const TICKS: i64 = 1000;

/// Seconds after the origin.
pub(super) struct Schedule {
    events: Vec<i64>,
    pub(super) injected: i64,
    pub(super) judged: i64,
}

impl Schedule {
    pub(super) fn start(&self, step: usize) -> i64 {
        self.events.get(1 + 2 * step).copied().unwrap_or_default()
    }

    pub(super) fn done(&self, step: usize) -> i64 {
        self.events.get(2 + 2 * step).copied().unwrap_or_default()
    }
}

impl Mix<'_> {
    /// The earliest course of events in which these versions are held: the seconds after the origin of each event. A message may wait in
    /// a queue from before the origin; where it need not, it is injected after.
    pub(super) fn schedule(&self) -> Option<Schedule> {
        self.earliest(true).or_else(|| self.earliest(false))
    }

    fn earliest(&self, injected_after_origin: bool) -> Option<Schedule> {
        let steps = &self.plan.steps;
        // Nodes: the origin, start and done of every step, injection, judgement.
        let node = |event: Event| match event {
            Event::Origin => 0,
            Event::Start(step) => 1 + 2 * step,
            Event::Done(step) => 2 + 2 * step,
        };
        let injected = 1 + 2 * steps.len();
        let judged = injected + 1;
        let mut edges: Vec<(usize, usize, i64)> = Vec::new();
        // Milliseconds, so that "less than" can be a millisecond less, several times over.
        let ticks = |seconds: u64| Some(i64::try_from(seconds).ok()?.saturating_mul(TICKS));
        let less = |seconds: u64| Some(1 - ticks(seconds)?);
        for (at, step) in steps.iter().enumerate() {
            let (start, done) = (node(Event::Start(at)), node(Event::Done(at)));
            edges.push((start, done, 0));
            match (step.kind, step.on) {
                (StepKind::External, Some(on)) => {
                    let date = (on.as_second() - self.plan.parameters.start.as_second()) * TICKS;
                    edges.extend([(0, start, date), (start, 0, -date), (done, start, 0)]);
                }
                _ => {
                    edges.push((0, start, 0));
                    for after in &step.after {
                        let earlier = steps.iter().position(|other| other.id == after.step)?;
                        edges.push((node(Event::Done(earlier)), start, ticks(after.at_least)?));
                    }
                }
            }
        }
        let bounds = self.all_bounds();
        edges.push((0, judged, 0));
        edges.extend(bounds.lower.iter().map(|event| (node(*event), judged, 0)));
        for (event, seconds) in &bounds.upper {
            edges.push((judged, node(*event), less(*seconds)?));
        }
        if let Some((from, until, horizon)) = self.injected {
            edges.extend([(injected, judged, 0), (judged, injected, less((*horizon).max(1))?)]);
            edges.extend(injected_after_origin.then_some((0, injected, 0)));
            edges.extend(from.iter().map(|event| (node(*event), injected, 0)));
            edges.extend(until.iter().map(|event| (injected, node(*event), 1)));
        }
        let mut at = vec![0i64; judged + 1];
        // Longest paths by relaxation: they exist, unless the bounds contradict each other.
        for _ in 0..=at.len() {
            let mut moved = false;
            for (from, to, distance) in &edges {
                let earliest = at.get(*from)?.saturating_add(*distance);
                let slot = at.get_mut(*to)?;
                if *slot < earliest {
                    *slot = earliest;
                    moved = true;
                }
            }
            if !moved {
                // What lies before the origin has moved it.
                let origin = at.first().copied()?;
                for at in &mut at {
                    *at = at.saturating_sub(origin).div_euclid(TICKS);
                }
                let judged = at.pop()?;
                let injected = at.pop()?;
                return Some(Schedule { events: at, injected, judged });
            }
        }
        None
    }

    /// The steps that play a part: those that the bounds name.
    pub(super) fn parts(&self) -> Vec<usize> {
        let bounds = self.all_bounds();
        let injected =
            self.injected.into_iter().flat_map(|(from, until, _)| from.iter().chain(until).copied());
        let events =
            bounds.lower.into_iter().chain(bounds.upper.into_iter().map(|(event, _)| event)).chain(injected);
        let mut steps: Vec<usize> = events
            .filter_map(|event| match event {
                Event::Start(step) | Event::Done(step) => Some(step),
                Event::Origin => None,
            })
            .collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    pub(super) fn happenings(&self, schedule: &Schedule) -> Vec<Happening> {
        let mut happenings: Vec<(i64, u8, Happening)> = Vec::new();
        let mut push = |at: i64, rank: u8, what: &'static str, step: Option<String>| {
            happenings.push((at, rank, Happening { at: self.time(at, true), what, step }));
        };
        for step in self.parts() {
            let id = self.plan.steps.get(step).map(|step| step.id.clone());
            push(schedule.start(step), 0, "started", id.clone());
            push(schedule.done(step), 3, "done", id);
        }
        if self.injected.is_some() {
            push(schedule.injected, 1, "injected", None);
        }
        push(schedule.judged, 2, "judged", None);
        happenings.sort_by(|a, b| (a.0, a.1, &a.2.step).cmp(&(b.0, b.1, &b.2.step)));
        happenings.into_iter().map(|(_, _, happening)| happening).collect()
    }
}
