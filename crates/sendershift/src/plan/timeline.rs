//! When steps can happen, relative to each other.
//!
//! Steps have no dates but minimal distances, so the question is never when something happens but whether
//! it can happen before or after something else. All answers come from longest paths (a simple temporal network, Dechter,
//! Meiri and Pearl 1991). External steps have a fixed date whatever the others do.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{Step, StepKind};
use crate::error::Problem;

/// The start or the done of a step, or the origin: the instant of the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Event {
    Origin,
    /// The start of the step of this index.
    Start(usize),
    /// The done of the step of this index.
    Done(usize),
}

impl Event {
    fn node(self) -> usize {
        match self {
            Self::Origin => 0,
            Self::Start(step) => 1 + 2 * step,
            Self::Done(step) => 2 + 2 * step,
        }
    }
}

/// The longest paths over the steps' minimal distances, in seconds.
#[derive(Debug)]
pub(crate) struct Timeline {
    /// For each node the edges out of it: the later node and the distance.
    edges: Vec<Vec<(usize, i64)>>,
    /// The nodes, each after those it depends on.
    order: Vec<usize>,
    /// The instants of nodes that have a fixed one, in seconds after the origin.
    fixed: BTreeMap<usize, i64>,
    /// The earliest instant of each node.
    earliest: Vec<i64>,
    rows: Vec<OnceLock<Vec<Option<i64>>>>,
}

impl Timeline {
    /// The timeline of the steps, whose external dates are given in seconds after the origin.
    ///
    /// # Errors
    ///
    /// `plan.unknown-step` or `plan.cycle`.
    pub(crate) fn new(steps: &[Step], origin: jiff::Timestamp) -> Result<Self, Problem> {
        let index: BTreeMap<&str, usize> =
            steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        let nodes = 1 + 2 * steps.len();
        let mut edges: Vec<Vec<(usize, i64)>> = vec![Vec::new(); nodes];
        let mut fixed = BTreeMap::from([(0, 0)]);
        let mut edge = |from: Event, to: Event, distance: i64| {
            if let Some(out) = edges.get_mut(from.node()) {
                out.push((to.node(), distance));
            }
        };
        for (at, step) in steps.iter().enumerate() {
            if let (StepKind::External, Some(on)) = (step.kind, step.on) {
                // It happens on its date: nothing holds it back, and it is over at once.
                let date = on.as_second().saturating_sub(origin.as_second());
                fixed.insert(Event::Start(at).node(), date);
                fixed.insert(Event::Done(at).node(), date);
                continue;
            }
            edge(Event::Origin, Event::Start(at), 0);
            edge(Event::Start(at), Event::Done(at), 0);
            for after in &step.after {
                let earlier = *index.get(after.step.as_str()).ok_or_else(|| {
                    Problem::new(
                        "plan.unknown-step",
                        format!("step `{}` comes after `{}`, which is not a step", step.id, after.step),
                    )
                })?;
                let distance = i64::try_from(after.at_least).unwrap_or(i64::MAX / 4);
                edge(Event::Done(earlier), Event::Start(at), distance);
            }
        }
        let order = order(&edges)
            .ok_or_else(|| Problem::new("plan.cycle", "the steps wait for each other in a circle"))?;
        let mut timeline = Self {
            edges,
            order,
            fixed,
            earliest: Vec::new(),
            rows: (0..nodes).map(|_| OnceLock::new()).collect(),
        };
        let sources: Vec<(usize, i64)> = timeline.fixed.iter().map(|(node, at)| (*node, *at)).collect();
        timeline.earliest = timeline.paths(&sources).into_iter().map(|at| at.unwrap_or(0)).collect();
        for (node, at) in &timeline.fixed {
            if let Some(earliest) = timeline.earliest.get_mut(*node) {
                *earliest = *at;
            }
        }
        Ok(timeline)
    }

    /// The least time from one event to another that the plan enforces, in seconds; `None` where the second may come
    /// arbitrarily long before the first.
    pub(crate) fn distance(&self, from: Event, to: Event) -> Option<i64> {
        let (from, to) = (from.node(), to.node());
        if from == to {
            return Some(0);
        }
        if let Some(at) = self.fixed.get(&from) {
            return Some(self.earliest.get(to)? - at);
        }
        if self.fixed.contains_key(&to) {
            // It comes on its date, however late the other is.
            return None;
        }
        *self.rows.get(from)?.get_or_init(|| self.paths(&[(from, 0)])).get(to)?
    }

    /// The steps, each after those it waits for.
    pub(crate) fn steps(&self) -> impl Iterator<Item = usize> {
        // The starts are the odd nodes.
        self.order.iter().filter(|node| *node % 2 == 1).map(|node| node / 2)
    }

    /// The longest paths from nodes with the given values to all others.
    fn paths(&self, from: &[(usize, i64)]) -> Vec<Option<i64>> {
        let mut longest: Vec<Option<i64>> = vec![None; self.edges.len()];
        for (node, value) in from {
            if let Some(slot) = longest.get_mut(*node) {
                *slot = Some(*value);
            }
        }
        for node in &self.order {
            let Some(here) = longest.get(*node).copied().flatten() else { continue };
            for (to, distance) in self.edges.get(*node).into_iter().flatten() {
                if let Some(slot) = longest.get_mut(*to) {
                    let there = here.saturating_add(*distance);
                    *slot = Some(slot.map_or(there, |old| old.max(there)));
                }
            }
        }
        longest
    }
}

/// The nodes in an order in which every edge leads forward; `None` if there is a circle.
fn order(edges: &[Vec<(usize, i64)>]) -> Option<Vec<usize>> {
    let mut waiting = vec![0usize; edges.len()];
    for (to, _) in edges.iter().flatten() {
        *waiting.get_mut(*to)? += 1;
    }
    let mut ready: Vec<usize> =
        (0..edges.len()).rev().filter(|node| waiting.get(*node) == Some(&0)).collect();
    let mut order = Vec::with_capacity(edges.len());
    while let Some(node) = ready.pop() {
        order.push(node);
        for (to, _) in edges.get(node).into_iter().flatten() {
            let left = waiting.get_mut(*to)?;
            *left -= 1;
            if *left == 0 {
                ready.push(*to);
            }
        }
    }
    (order.len() == edges.len()).then_some(order)
}
