//! Streams that differ in nothing but their names: what holds of one holds of the others.

use std::collections::{BTreeMap, BTreeSet};

use super::world::Flux;
use crate::plan::{Plan, Stream, Use};

/// For each stream the first one that is like it, which mostly is itself. A stream that a customer falls back to is like no other.
pub(super) fn alike(plan: &Plan, flux: &Flux) -> Vec<usize> {
    let mut customers: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (at, customer) in plan.customers.iter().enumerate() {
        for stream in &customer.streams {
            customers.entry(stream).or_default().insert(at);
        }
    }
    let fallbacks = plan.customers.iter().filter_map(|customer| customer.fallback.as_ref());
    let fallbacks: BTreeSet<&str> = fallbacks.map(|fallback| fallback.stream.as_str()).collect();
    let mut firsts: BTreeMap<(String, Option<&BTreeSet<usize>>), usize> = BTreeMap::new();
    let streams = plan.streams.iter().enumerate();
    let first = |(at, stream): (usize, &Stream)| {
        if fallbacks.contains(stream.id.as_str()) {
            return at;
        }
        let customers = customers.get(stream.id.as_str());
        // What could not be written would be like itself only.
        nameless(plan, flux, stream).map_or(at, |written| *firsts.entry((written, customers)).or_insert(at))
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
