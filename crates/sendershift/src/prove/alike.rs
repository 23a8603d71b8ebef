//! Streams that differ in nothing but their names: what holds of one holds of the others.

use std::collections::{BTreeMap, BTreeSet};

use super::world::Flux;
use crate::plan::{Plan, Stream, Use};

/// For each stream the first one that is like it, which mostly is itself. A stream that a customer has is like no other.
pub(super) fn alike(plan: &Plan, flux: &Flux) -> Vec<usize> {
    let fallbacks = plan.customers.iter().filter_map(|customer| Some(&customer.fallback.as_ref()?.stream));
    let of_customers: BTreeSet<&String> =
        plan.customers.iter().flat_map(|customer| &customer.streams).chain(fallbacks).collect();
    let mut firsts: BTreeMap<String, usize> = BTreeMap::new();
    let streams = plan.streams.iter().enumerate();
    let first = |(at, stream): (usize, &Stream)| {
        if of_customers.contains(&stream.id) {
            return at;
        }
        // What could not be written would be like itself only.
        nameless(plan, flux, stream).map_or(at, |written| *firsts.entry(written).or_insert(at))
    };
    streams.map(first).collect()
}

/// All that a plan says of a stream but its name and title.
fn nameless(plan: &Plan, flux: &Flux, stream: &Stream) -> Option<String> {
    let without = |used: &Use| Use { stream: String::new(), ..used.clone() };
    let uses = flux.uses(&stream.id).map(|step| {
        let starts: Vec<Use> = flux.starts(plan, &stream.id, step).map(without).collect();
        let stops: Vec<Use> = flux.stops(plan, &stream.id, step).map(without).collect();
        (step, starts, stops)
    });
    let uses: Vec<_> = uses.collect();
    let stream = Stream { id: String::new(), title: String::new(), ..stream.clone() };
    serde_json::to_string(&(stream, uses)).ok()
}
