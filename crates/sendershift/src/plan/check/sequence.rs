//! What happens to one thing, one after the other: the changes of an RRset, the uses of an identity.

use std::collections::{BTreeMap, BTreeSet};

use super::order::Order;
use super::{Change, Check, Step, Use};
use crate::dns::RecordType;
use crate::name::DomainName;

/// How many steps of a cycle are named.
const MAX_NAMED: usize = 10;

/// Something that happens at a step: an entry of one of its lists.
struct Event<'p, T> {
    step: usize,
    list: &'static str,
    index: usize,
    entry: &'p T,
}

impl<T> Event<'_, T> {
    fn place(&self) -> String {
        format!("/steps/{}/{}/{}", self.step, self.list, self.index)
    }
}

/// The changes of each RRset; at a name that is an alias at some time, those of all types together.
type Changes<'p> = BTreeMap<(&'p DomainName, Option<RecordType>), Vec<Event<'p, Change>>>;
/// The uses of each identity of a stream.
type Uses<'p> = BTreeMap<(&'p str, &'p str), Vec<Event<'p, Use>>>;

/// Neighbours in a sequence.
fn pairs<T>(events: &[T]) -> impl Iterator<Item = (&T, &T)> {
    events.iter().zip(events.iter().skip(1))
}

/// Neighbours of which one has to come after the other: the changes of one step to different types at a name need not.
fn exclusive<'e, 'p>(
    events: &'e [Event<'p, Change>],
) -> impl Iterator<Item = (&'e Event<'p, Change>, &'e Event<'p, Change>)> {
    pairs(events).filter(|(one, two)| one.step != two.step || one.entry.record_type == two.entry.record_type)
}

impl<'p> Check<'p> {
    /// Checks what needs an order, if the steps have one.
    pub(super) fn sequences(&mut self) {
        let Some(order) = self.order() else { return };
        self.policies_in_order(&order);
        let (mut changes, mut uses) = (self.changes(), self.uses());
        for events in changes.values_mut() {
            events.sort_by_key(|event| (order.position(event.step), event.entry.record_type, event.index));
        }
        for events in uses.values_mut() {
            events.sort_by_key(|event| order.position(event.step));
        }
        let of_changes =
            changes.values().flat_map(|events| exclusive(events)).map(|(one, two)| (one.step, two.step));
        let of_uses = uses.values().flat_map(|events| pairs(events)).map(|(one, two)| (one.step, two.step));
        let unordered = order.unordered(of_changes.chain(of_uses));
        for ((name, record_type), events) in &changes {
            let mut apart = exclusive(events).filter(|(one, two)| unordered.contains(&(one.step, two.step)));
            if let Some((one, two)) = apart.next() {
                let message = format!(
                    "{name} is changed at {} and at {}, and neither waits for the other",
                    self.id(one.step),
                    self.id(two.step)
                );
                self.found(two.place(), "plan.unordered-changes", message);
            } else if record_type.is_none() {
                self.alias(name, events);
            }
        }
        for (key, events) in &uses {
            let mut apart = pairs(events).filter(|(one, two)| unordered.contains(&(one.step, two.step)));
            if let Some((one, two)) = apart.next() {
                let message = format!(
                    "identity `{}` is started or stopped at {} and at {}, and neither waits for the other",
                    key.1,
                    self.id(one.step),
                    self.id(two.step)
                );
                self.found(two.place(), "plan.unordered-uses", message);
            } else {
                self.alternation(*key, events);
            }
        }
    }

    pub(super) fn id(&self, step: usize) -> String {
        self.plan.steps.get(step).map(|step| format!("`{}`", step.id)).unwrap_or_default()
    }

    fn changes(&self) -> Changes<'p> {
        let all = || {
            self.plan.steps.iter().enumerate().flat_map(|(step, of)| {
                let event = move |(index, entry)| Event { step, list: "changes", index, entry };
                of.changes.iter().enumerate().map(event)
            })
        };
        let is_alias = |change: &Change| {
            change.record_type == RecordType::Cname
                || self.plan.evidence.rrsets(&change.name).any(|(kind, _)| kind == RecordType::Cname)
        };
        let aliases: BTreeSet<&DomainName> =
            all().filter(|event| is_alias(event.entry)).map(|event| &event.entry.name).collect();
        let mut changes = Changes::new();
        for event in all() {
            let Change { name, record_type, .. } = event.entry;
            let record_type = (!aliases.contains(name)).then_some(*record_type);
            changes.entry((name, record_type)).or_default().push(event);
        }
        changes
    }

    fn uses(&self) -> Uses<'p> {
        let mut uses = Uses::new();
        for (step, of) in self.plan.steps.iter().enumerate() {
            for (list, entries) in [("starts", &of.starts), ("stops", &of.stops)] {
                for (index, entry) in entries.iter().enumerate() {
                    let key = (entry.stream.as_str(), entry.identity.as_str());
                    uses.entry(key).or_default().push(Event { step, list, index, entry });
                }
            }
        }
        uses
    }

    /// An alias has no other records beside it, after any step (RFC 1034 section 3.6.2).
    fn alias(&mut self, name: &DomainName, events: &[Event<'_, Change>]) {
        let mut types: BTreeSet<RecordType> = self.plan.evidence.rrsets(name).map(|(kind, _)| kind).collect();
        for of_step in events.chunk_by(|one, two| one.step == two.step) {
            for Event { entry, .. } in of_step {
                if entry.ttl_after.is_some() {
                    types.insert(entry.record_type);
                } else {
                    types.remove(&entry.record_type);
                }
            }
            if let Some(event) = of_step.first()
                && types.len() > 1
                && types.contains(&RecordType::Cname)
            {
                let message = format!("{name} has a CNAME record and other records after this");
                return self.found(event.place(), "plan.alias-with-data", message);
            }
        }
    }

    /// What starts is not live before, or for a share only, and what stops is.
    fn alternation(&mut self, (stream, identity): (&str, &str), events: &[Event<'_, Use>]) {
        let Some(of) = self.names.streams.get(stream).and_then(|at| self.plan.streams.get(*at)) else {
            return;
        };
        let mut carried = if of.live.iter().any(|live| live == identity) { Use::ALL } else { 0 };
        for event in events {
            let starts = event.list == "starts";
            let next = if starts { event.entry.started(carried) } else { event.entry.stopped(carried) };
            if next.is_none() {
                let (code, wrong) = if starts {
                    ("plan.already-live", "is live already when it starts")
                } else {
                    ("plan.not-live", "is not live when it stops")
                };
                let share = match event.entry.share.filter(|_| (1..Use::ALL).contains(&carried)) {
                    Some(share) => format!(", for {carried} of 1,000 messages, and this is about {share}"),
                    None => String::new(),
                };
                self.found(event.place(), code, format!("identity `{identity}` {wrong}{share}"));
            }
            carried = next.unwrap_or(if starts { Use::ALL } else { 0 });
        }
    }

    /// The order of the steps, if they have one.
    fn order(&mut self) -> Option<Order> {
        let index = |id: &str| self.names.steps.get(id).copied();
        let before = |step: &Step| step.after.iter().filter_map(|after| index(&after.step)).collect();
        let cycle = match Order::new(self.plan.steps.iter().map(before).collect()) {
            Ok(order) => return Some(order),
            Err(cycle) => cycle,
        };
        let mut names: Vec<String> = cycle.iter().take(MAX_NAMED).map(|step| self.id(*step)).collect();
        if cycle.len() > MAX_NAMED {
            names.push(format!("{} more", cycle.len() - MAX_NAMED));
        }
        let place = format!("/steps/{}/after", cycle.first().copied().unwrap_or_default());
        self.found(place, "plan.cycle", format!("these steps wait for each other: {}", names.join(", ")));
        None
    }
}
