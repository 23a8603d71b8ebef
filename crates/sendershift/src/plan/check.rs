//! Whether a plan makes sense in itself. Whether it is safe is another question.

mod customer;
mod mta_sts;
mod order;
mod sequence;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, GivenUp, Identity, Plan, Step, StepKind, Stream, Use};
use crate::document::nearest;
use crate::error::{Invalid, Problem};
use crate::net::AddressSet;

/// The most steps of a plan.
pub const MAX_STEPS: usize = 100_000;
/// The most waits, over all steps.
pub const MAX_WAITS: usize = 1_000_000;

/// How many unknown names get the nearest known one as help, and among how many that is sought: measuring is slow.
const MAX_HINTS: usize = 20;
const MAX_MEASURED: usize = 1000;

impl Plan {
    /// Checks that the plan makes sense: references lead somewhere, waits have no cycle, what changes twice changes
    /// in an order. [`Plan::from_json`] has done so already.
    ///
    /// # Errors
    ///
    /// Every problem, without places: `plan.*`.
    pub fn check(&self) -> Result<(), Invalid> {
        let problems: Vec<Problem> = problems(self).into_iter().map(|(_, problem)| problem).collect();
        if problems.is_empty() { Ok(()) } else { Err(Invalid { problems }) }
    }
}

/// The problems of a plan, each with its place as a JSON pointer (RFC 6901).
pub(super) fn problems(plan: &Plan) -> Vec<(String, Problem)> {
    let names = Names::new(plan);
    let mut check = Check { plan, names: &names, found: Vec::new(), hints: 0 };
    let steps = || plan.steps.iter().flat_map(|step| step.undo.steps().iter().chain([step]));
    let waits: usize = steps().map(|step| step.after.len()).sum();
    if steps().count() > MAX_STEPS || waits > MAX_WAITS {
        let message = format!("a plan has at most {MAX_STEPS} steps and {MAX_WAITS} waits");
        check.found("/steps", "plan.too-long", message);
        return check.found;
    }
    check.parameters();
    check.sources();
    check.ids("/streams", "stream", plan.streams.iter().map(|stream| stream.id.as_str()));
    for (index, stream) in plan.streams.iter().enumerate() {
        check.stream(index, stream);
    }
    check.customers();
    check.policies();
    check.ids("/steps", "step", plan.steps.iter().map(|step| step.id.as_str()));
    for (index, step) in plan.steps.iter().enumerate() {
        check.step(&format!("/steps/{index}"), step, &Index::new());
    }
    check.undo();
    // With an id for two steps it is not known which is meant.
    if names.steps.len() == plan.steps.len() {
        check.sequences();
    }
    check.found
}

/// The index of each id.
type Index<'p> = BTreeMap<&'p str, usize>;

/// What references can lead to.
struct Names<'p> {
    steps: Index<'p>,
    sources: Index<'p>,
    streams: Index<'p>,
    /// Those of each stream.
    identities: Vec<Index<'p>>,
}

impl<'p> Names<'p> {
    fn new(plan: &'p Plan) -> Self {
        fn index<'p>(ids: impl Iterator<Item = &'p String>) -> Index<'p> {
            ids.enumerate().map(|(index, id)| (id.as_str(), index)).collect()
        }
        let identities = |stream: &'p Stream| index(stream.identities.iter().map(|identity| &identity.id));
        Self {
            steps: index(plan.steps.iter().map(|step| &step.id)),
            sources: index(plan.sources.iter().map(|source| &source.id)),
            streams: index(plan.streams.iter().map(|stream| &stream.id)),
            identities: plan.streams.iter().map(identities).collect(),
        }
    }

    fn identities(&self, stream: usize) -> &Index<'p> {
        const NONE: &Index<'static> = &Index::new();
        self.identities.get(stream).unwrap_or(NONE)
    }
}

struct Check<'p> {
    plan: &'p Plan,
    names: &'p Names<'p>,
    found: Vec<(String, Problem)>,
    hints: usize,
}

impl Check<'_> {
    fn found(&mut self, place: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.found.push((place.into(), Problem::new(code, message)));
    }

    /// What an id leads to; a problem if it leads nowhere.
    fn lookup(&mut self, place: &str, code: &'static str, id: &str, known: &Index<'_>) -> Option<usize> {
        let found = known.get(id).copied();
        if found.is_none() {
            let what = code.trim_start_matches("plan.unknown-");
            let problem = Problem::new(code, format!("there is no {what} `{id}` here"));
            self.hints += 1;
            let measured = if self.hints > MAX_HINTS { 0 } else { MAX_MEASURED };
            let problem = match nearest(id, known.keys().copied().take(measured)) {
                Some(hint) => problem.help(format!("did you mean `{hint}`?")),
                None => problem,
            };
            self.found.push((place.to_owned(), problem));
        }
        found
    }

    fn ids<'i>(&mut self, list: &str, what: &str, ids: impl Iterator<Item = &'i str>) {
        let mut seen = BTreeSet::new();
        for (index, id) in ids.enumerate() {
            let place = || format!("{list}/{index}/id");
            if id.is_empty() {
                self.found(place(), "plan.empty-id", format!("the id of this {what} is empty"));
            } else if !seen.insert(id) {
                self.found(place(), "plan.duplicate-id", format!("another {what} has the id `{id}`, too"));
            }
        }
    }

    fn parameters(&mut self) {
        let parameters = &self.plan.parameters;
        if let Some(step) = &parameters.within_limits_from {
            let place = "/parameters/within_limits_from";
            self.lookup(place, "plan.unknown-step", step, &self.names.steps);
        }
        // A proof about no receiver, or about no stream, would say nothing and look good.
        if parameters.receivers.is_empty() {
            self.found("/parameters/receivers", "plan.no-receivers", "no kind of receiver is named");
        }
        if self.plan.streams.is_empty() {
            self.found("/streams", "plan.no-streams", "no stream is named");
        }
    }

    fn sources(&mut self) {
        let sources = &self.plan.sources;
        self.ids("/sources", "source", sources.iter().map(|source| source.id.as_str()));
        for (index, source) in sources.iter().enumerate() {
            if source.addresses.is_empty() && source.include.is_none() {
                let message = format!("source `{}` has neither addresses nor an include", source.id);
                self.found(format!("/sources/{index}"), "plan.empty-source", message);
            }
            if !source.addresses.is_disjoint(&AddressSet::mapped()) {
                // Receivers see such a client as the IPv4 client that it is (RFC 7208 section 5).
                let message =
                    format!("source `{}` has v4-mapped addresses: list the IPv4 addresses", source.id);
                self.found(format!("/sources/{index}/addresses"), "plan.mapped-addresses", message);
            }
        }
    }

    fn stream(&mut self, index: usize, stream: &Stream) {
        let place = format!("/streams/{index}");
        let names = self.names.identities(index);
        let ids = stream.identities.iter().map(|identity| identity.id.as_str());
        self.ids(&format!("{place}/identities"), "identity", ids);
        for (index, identity) in stream.identities.iter().enumerate() {
            self.domains(&format!("{place}/identities/{index}"), identity);
            let place = format!("{place}/identities/{index}/sources");
            if identity.sources.is_empty() {
                let message = format!("identity `{}` has no source", identity.id);
                self.found(place.as_str(), "plan.identity-without-source", message);
            }
            for (index, id) in identity.sources.iter().enumerate() {
                self.lookup(&format!("{place}/{index}"), "plan.unknown-source", id, &self.names.sources);
            }
        }
        if stream.live.is_empty() {
            let message = format!("stream `{}` has no identity that is live at the start", stream.id);
            self.found(format!("{place}/live"), "plan.nothing-live", message);
        }
        for (index, id) in stream.live.iter().enumerate() {
            self.lookup(&format!("{place}/live/{index}"), "plan.unknown-identity", id, names);
        }
        if let Some(step) = &stream.judged_from {
            self.lookup(&format!("{place}/judged_from"), "plan.unknown-step", step, &self.names.steps);
        }
    }

    /// An identity whose domains no mail can have would be judged by records that nobody asks for.
    fn domains(&mut self, place: &str, identity: &Identity) {
        let Identity { author_domain, mail_from, helo, dkim, .. } = identity;
        let named = [
            ("author_domain", Some(author_domain)),
            ("mail_from", mail_from.as_ref()),
            ("helo", helo.as_ref()),
        ];
        let named = named.into_iter().filter_map(|(key, name)| Some((format!("{place}/{key}"), name?)));
        let signed = dkim.iter().enumerate();
        let signed = signed.map(|(index, of)| (format!("{place}/dkim/{index}/domain"), &of.domain));
        for (place, name) in named.chain(signed) {
            self.found.extend(name.check_for_mail().err().map(|problem| (place, problem)));
        }
    }

    /// Looks at a step, which may wait for those `beside` it, too.
    fn step(&mut self, place: &str, step: &Step, beside: &Index<'_>) {
        let id = &step.id;
        for (index, after) in step.after.iter().enumerate() {
            let place = format!("{place}/after/{index}/step");
            if !beside.contains_key(after.step.as_str()) {
                self.lookup(&place, "plan.unknown-step", &after.step, &self.names.steps);
            }
        }
        if step.kind == StepKind::External {
            if step.on.is_none() {
                self.found(place, "plan.external-without-date", format!("external step `{id}` has no date"));
            }
            if !step.after.is_empty() {
                let message = format!("external step `{id}` happens on its date and waits for nothing");
                self.found(format!("{place}/after"), "plan.external-waits", message);
            }
        } else if step.on.is_some() {
            let message = format!("step `{id}` is not external: it has waits, not a date");
            self.found(format!("{place}/on"), "plan.date-outside-external", message);
        }
        if step.kind == StepKind::Dns {
            if step.changes.is_empty() {
                self.found(place, "plan.no-changes", format!("dns step `{id}` changes nothing"));
            }
        } else if !step.changes.is_empty() && step.kind != StepKind::External {
            let message = format!("step `{id}` has changes and is neither a dns step nor external");
            self.found(format!("{place}/changes"), "plan.changes-outside-dns", message);
        }
        for (index, change) in step.changes.iter().enumerate() {
            self.change(&format!("{place}/changes/{index}"), change);
        }
        for (index, what) in step.gives_up.iter().enumerate() {
            if let GivenUp::Source(id) = what {
                let place = format!("{place}/gives_up/{index}/source");
                self.lookup(&place, "plan.unknown-source", id, &self.names.sources);
            }
        }
        let may_use = matches!(step.kind, StepKind::Customer | StepKind::External | StepKind::Send);
        for (key, uses) in [("starts", &step.starts), ("stops", &step.stops)] {
            if !may_use && !uses.is_empty() {
                let message =
                    format!("step `{id}` is not of a kind that starts or stops the use of identities");
                self.found(format!("{place}/{key}"), "plan.use-outside-send", message);
            }
            for (index, r#use) in uses.iter().enumerate() {
                self.r#use(&format!("{place}/{key}/{index}"), r#use);
            }
        }
    }

    fn change(&mut self, place: &str, change: &Change) {
        let Change { name, record_type, ttl_before, ttl_after, remove, add, .. } = change;
        let retimed = ttl_before.is_some() && ttl_after.is_some() && ttl_before != ttl_after;
        if remove.is_none() && add.is_none() && !retimed {
            let message = format!("the change of {name} {record_type} changes nothing");
            self.found(place, "plan.empty-change", message);
        }
        if add.is_some() && ttl_after.is_none() {
            let message = format!("{name} {record_type} gets records, but no TTL");
            self.found(format!("{place}/ttl_after"), "plan.no-ttl", message);
        }
    }

    fn r#use(&mut self, place: &str, r#use: &Use) {
        if r#use.share.is_some_and(|share| !(1..=1000).contains(&share)) {
            self.found(format!("{place}/share"), "plan.bad-share", "a share is 1 to 1000 per mille");
        }
        let names = self.names;
        let stream =
            self.lookup(&format!("{place}/stream"), "plan.unknown-stream", &r#use.stream, &names.streams);
        if let Some(stream) = stream {
            let place = format!("{place}/identity");
            self.lookup(&place, "plan.unknown-identity", &r#use.identity, names.identities(stream));
        }
    }
}
