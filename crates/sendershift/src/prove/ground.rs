//! What is the same for everything that is judged of one course of steps.

use super::alike::alike;
use super::binding::{self, Sources};
use super::world::{Choices, Flux};
use crate::error::Error;
use crate::plan::Plan;
use crate::plan::timeline::Timeline;

/// A plan with what is read off it once.
pub(super) struct Ground<'p> {
    pub(super) plan: &'p Plan,
    pub(super) timeline: &'p Timeline,
    pub(super) flux: Flux,
    pub(super) sources: Sources<'p>,
    /// The choice of the oldest version of everything.
    pub(super) baseline: Choices,
    /// For each stream the first one that is like it.
    pub(super) alike: Vec<usize>,
}

impl<'p> Ground<'p> {
    /// That of a plan that makes sense in itself, with the timeline of its steps.
    ///
    /// # Errors
    ///
    /// What compiling the record of a source's include gives.
    pub(super) fn new(plan: &'p Plan, timeline: &'p Timeline) -> Result<Self, Error> {
        let order: Vec<usize> = timeline.steps().collect();
        let flux = Flux::new(plan, &order);
        let sources = binding::sources(plan, &flux, timeline)?;
        let baseline = flux.questions().map(|question| (question, 0)).collect();
        let alike = alike(plan, &flux);
        Ok(Self { plan, timeline, flux, sources, baseline, alike })
    }
}
