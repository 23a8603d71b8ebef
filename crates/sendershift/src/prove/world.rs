//! The DNS as one receiver may see it in the middle of a plan: for every RRset that changes, one of its versions.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::existence::Hanging;
use crate::dns::{Answer, Evidence, Quality, Question, RecordType, Records, RrSet, Snapshot, negative_ttl};
use crate::name::DomainName;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Change, Plan, Remark, Step, StepKind, Use};
use crate::suffix::PublicSuffix;

/// What a version of an RRset holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Set(RrSet),
    Alias(RrSet),
    Absent,
}

/// One version of the answer to a question, and when a receiver may see it.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) content: Content,
    /// The step whose start makes it visible; none for what is there before the plan.
    pub(super) from: Option<usize>,
    /// The step that replaces it, and how many seconds after its done a cache may still hold it.
    pub(super) until: Option<(usize, u64)>,
}

/// The steps that happen and start or stop a use of a stream's identities.
#[derive(Debug, Default)]
struct Uses {
    /// In order.
    steps: Vec<usize>,
    /// For each step, which of all that it starts, and of all that it stops, is about the stream.
    of_step: BTreeMap<usize, [Vec<usize>; 2]>,
}

/// All RRsets that a plan changes, with their versions.
#[derive(Debug)]
pub(super) struct Flux {
    versions: BTreeMap<DomainName, BTreeMap<RecordType, Vec<Version>>>,
    /// Names at which or below which something is published by the plan.
    created: BTreeSet<DomainName>,
    pub(super) hanging: Hanging,
    /// Steps that cannot be done as they stand, and why; nothing that waits for them happens either.
    pub(super) stuck: BTreeMap<usize, Remark>,
    /// For each step, whether it can happen at all.
    pub(super) happens: Vec<bool>,
    /// Questions whose TTL is assumed, because no server of the zone said it.
    pub(super) assumed_ttls: BTreeSet<Question>,
    /// RRsets that are absent at some time, where how long a cache may remember that is assumed.
    pub(super) assumed_absences: BTreeSet<Question>,
    /// Changes that say something else of the RRset before than is known.
    pub(super) contradictions: Vec<Remark>,
    /// Changes that add what is there already.
    pub(super) repeated: Vec<Remark>,
    /// Questions about RRsets that change, which the evidence does not answer.
    pub(super) missing: BTreeSet<Question>,
    /// The steps that change something, each with how many do so before it.
    changing: BTreeMap<usize, usize>,
    uses: BTreeMap<String, Uses>,
    /// What was found so far of how many are done before a step: many messages are bound to one.
    done_before: RefCell<BTreeMap<usize, usize>>,
}

/// Types that evaluation asks for: an alias that comes or goes changes the answer for all of them.
const ASKED: [RecordType; 6] =
    [RecordType::A, RecordType::Aaaa, RecordType::Mx, RecordType::Ptr, RecordType::Soa, RecordType::Txt];

impl Flux {
    /// What a step starts of a stream.
    pub(super) fn starts<'p>(
        &self,
        plan: &'p Plan,
        stream: &str,
        step: usize,
    ) -> impl Iterator<Item = &'p Use> {
        let all = plan.steps.get(step).map(|step| step.starts.as_slice()).unwrap_or_default();
        self.used(stream, step).into_iter().flat_map(|[starts, _]| starts).filter_map(|at| all.get(*at))
    }

    /// What a step stops of a stream.
    pub(super) fn stops<'p>(
        &self,
        plan: &'p Plan,
        stream: &str,
        step: usize,
    ) -> impl Iterator<Item = &'p Use> {
        let all = plan.steps.get(step).map(|step| step.stops.as_slice()).unwrap_or_default();
        self.used(stream, step).into_iter().flat_map(|[_, stops]| stops).filter_map(|at| all.get(*at))
    }

    fn used(&self, stream: &str, step: usize) -> Option<&[Vec<usize>; 2]> {
        self.uses.get(stream)?.of_step.get(&step)
    }

    fn note_uses(&mut self, at: usize, step: &Step) {
        for (which, uses) in [&step.starts, &step.stops].into_iter().enumerate() {
            for (index, used) in uses.iter().enumerate() {
                let of_stream = self.uses.entry(used.stream.clone()).or_default();
                let of_step = of_stream.of_step.entry(at).or_insert_with(|| {
                    of_stream.steps.push(at);
                    Default::default()
                });
                if let Some(of_step) = of_step.get_mut(which) {
                    of_step.push(index);
                }
            }
        }
    }

    /// Applies the changes of the plan's steps, given in an order in which each comes after those it depends on.
    pub(super) fn new(plan: &Plan, order: &[usize]) -> Self {
        let mut flux = Self {
            versions: BTreeMap::new(),
            created: BTreeSet::new(),
            hanging: Hanging::default(),
            stuck: BTreeMap::new(),
            happens: vec![true; plan.steps.len()],
            assumed_ttls: BTreeSet::new(),
            assumed_absences: BTreeSet::new(),
            contradictions: Vec::new(),
            repeated: Vec::new(),
            missing: BTreeSet::new(),
            changing: BTreeMap::new(),
            uses: BTreeMap::new(),
            done_before: RefCell::default(),
        };
        let index: BTreeMap<&str, usize> =
            plan.steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        let mut touched: BTreeMap<DomainName, Vec<(usize, &Change)>> = BTreeMap::new();
        let mut state: BTreeMap<Question, Option<RrSet>> = BTreeMap::new();
        for at in order {
            let Some(step) = plan.steps.get(*at) else { continue };
            let waits_for = step.after.iter().filter_map(|after| index.get(after.step.as_str()));
            let blocked = waits_for.copied().any(|earlier| flux.happens.get(earlier) == Some(&false));
            let results: Vec<_> = step
                .changes
                .iter()
                .map(|change| {
                    let question = Question::new(change.name.clone(), change.record_type);
                    if matches!(
                        plan.evidence.answer(&change.name, change.record_type),
                        Answer::Unknown | Answer::Failed
                    ) {
                        flux.missing.insert(question.clone());
                    }
                    let before =
                        state.get(&question).cloned().unwrap_or_else(|| published(&plan.evidence, &question));
                    let says = |code, message: Option<String>| {
                        message.map(|message| Remark::new(code, Some(&step.id), message))
                    };
                    // What a wildcard answers is not at the name.
                    let own = state.contains_key(&question) || plan.evidence.wildcard(&change.name).is_none();
                    let differs = ttl_differs(change, before.as_ref().filter(|_| own));
                    flux.contradictions.extend(says("plan.ttl-differs", differs));
                    flux.repeated.extend(says("plan.already-there", already_there(change, before.as_ref())));
                    (question, change.apply(before.as_ref()))
                })
                .collect();
            let failed = results.iter().find_map(|(_, result)| result.as_ref().err());
            if blocked || failed.is_some() {
                if let Some(slot) = flux.happens.get_mut(*at) {
                    *slot = false;
                }
                if let Some(error) = failed.filter(|_| !blocked) {
                    flux.stuck.insert(*at, Remark::new(error.code(), Some(&step.id), error.to_string()));
                }
                continue;
            }
            if !step.changes.is_empty() {
                flux.changing.insert(*at, flux.changing.len());
            }
            flux.note_uses(*at, step);
            for (change, (question, result)) in step.changes.iter().zip(results) {
                if let Ok(after) = result {
                    if after.is_some() {
                        flux.created.extend(change.name.ancestors());
                    }
                    state.insert(question, after);
                    touched.entry(change.name.clone()).or_default().push((*at, change));
                }
            }
        }
        flux.hanging = Hanging::new(plan, &touched);
        for (name, changes) in touched {
            let mut types: BTreeSet<RecordType> =
                changes.iter().map(|(_, change)| change.record_type).collect();
            if types.contains(&RecordType::Cname) {
                types.extend(ASKED);
            }
            let versions = types
                .into_iter()
                .map(|record_type| {
                    let question = Question::new(name.clone(), record_type);
                    (record_type, flux.versions_of(plan, &question, &changes))
                })
                .collect();
            flux.versions.insert(name, versions);
        }
        flux
    }

    /// The versions of the answer to one question, oldest first.
    fn versions_of(
        &mut self,
        plan: &Plan,
        question: &Question,
        changes: &[(usize, &Change)],
    ) -> Vec<Version> {
        let alias_question = Question::new(question.name.clone(), RecordType::Cname);
        let mut set = published(&plan.evidence, question);
        let mut alias = published(&plan.evidence, &alias_question);
        let stale = plan.parameters.resolver_stale;
        let (absence, is_assumed) = absence(plan, question);
        let lifetime = |flux: &mut Self, content: &Content| {
            stale
                + match content {
                    Content::Absent => {
                        if is_assumed {
                            flux.assumed_absences.insert(question.clone());
                        }
                        absence
                    }
                    Content::Set(rrset) | Content::Alias(rrset) => {
                        let (ttl, assumed) = positive_ttl(plan, &question.name, rrset);
                        if assumed {
                            flux.assumed_ttls.insert(question.clone());
                        }
                        ttl
                    }
                }
        };
        let content = |alias: &Option<RrSet>, set: &Option<RrSet>| match (alias, set) {
            (Some(alias), _) if question.record_type != RecordType::Cname => Content::Alias(alias.clone()),
            (_, Some(set)) => Content::Set(set.clone()),
            (_, None) => Content::Absent,
        };
        let mut versions = vec![Version { content: content(&alias, &set), from: None, until: None }];
        let mut at = 0;
        while let Some((step, _)) = changes.get(at) {
            let (mut alias_changes, mut set_changes) = (false, false);
            // What the plan says of the TTL counts where it is longer than what the evidence says.
            let mut told = 0;
            while let Some((_, change)) = changes.get(at).filter(|(other, _)| other == step) {
                at += 1;
                if [question.record_type, RecordType::Cname].contains(&change.record_type) {
                    told = told.max(change.ttl_before.map_or(0, u64::from));
                }
                if change.record_type == question.record_type {
                    set = change.apply(set.as_ref()).unwrap_or(set);
                    set_changes = true;
                } else if change.record_type == RecordType::Cname {
                    alias = change.apply(alias.as_ref()).unwrap_or(alias);
                    alias_changes = true;
                }
            }
            if !alias_changes && !set_changes {
                continue;
            }
            // A step of ours is done once all servers show it; what others do on a date takes its time from there.
            let external = plan.steps.get(*step).is_some_and(|step| step.kind == StepKind::External);
            let delay = if external { plan.parameters.publication_delay } else { 0 };
            if let Some(last) = versions.last_mut() {
                last.until = Some((*step, delay + lifetime(self, &last.content.clone()).max(stale + told)));
            }
            if alias_changes && set_changes {
                // One goes and the other comes, in either order: in between there may be neither.
                let until = Some((*step, delay + lifetime(self, &Content::Absent)));
                versions.push(Version { content: Content::Absent, from: Some(*step), until });
            }
            versions.push(Version { content: content(&alias, &set), from: Some(*step), until: None });
        }
        versions
    }

    /// The versions of the answer to a question, if it changes.
    pub(super) fn versions(&self, question: &Question) -> Option<&[Version]> {
        self.versions.get(&question.name)?.get(&question.record_type).map(Vec::as_slice)
    }

    /// The questions whose answers change.
    pub(super) fn questions(&self) -> impl Iterator<Item = Question> {
        self.versions
            .iter()
            .flat_map(|(name, types)| types.keys().map(|kind| Question::new(name.clone(), *kind)))
    }

    /// How many of the steps that change something are done when another one starts, at least those that it waits for; 0 before
    /// the plan.
    pub(super) fn done_before(&self, timeline: &Timeline, step: Option<usize>) -> usize {
        let Some(step) = step else { return 0 };
        if let Some(known) = self.done_before.borrow().get(&step) {
            return *known;
        }
        let is_before = |changing: &usize| {
            timeline
                .distance(Event::Done(*changing), Event::Start(step))
                .is_some_and(|distance| distance >= 0)
        };
        let before = self.changing.iter().filter(|(changing, _)| is_before(changing));
        let done = before.map(|(_, position)| position + 1).max().unwrap_or(0);
        self.done_before.borrow_mut().insert(step, done);
        done
    }

    /// The steps that happen and start or stop a use of a stream's identities, in order.
    pub(super) fn uses(&self, stream: &str) -> impl Iterator<Item = usize> {
        self.uses.get(stream).into_iter().flat_map(|uses| uses.steps.iter().copied())
    }

    /// What the servers say once all is done.
    pub(super) fn last_era<'a>(&'a self, plan: &'a Plan) -> Era<'a> {
        self.era(plan, self.changing.len())
    }

    /// What the servers say once so many of the steps that change something are done.
    pub(super) fn era<'a>(&'a self, plan: &'a Plan, done: usize) -> Era<'a> {
        Era { plan, flux: self, done, changes: Cell::new(false), next: Cell::new(None) }
    }

    /// Evaluates something before the first step, and after each step that changes anything that it asked for.
    pub(super) fn each_era(&self, plan: &Plan, mut evaluate: impl FnMut(&Era<'_>)) {
        let mut next = Some(self.era(plan, 0));
        while let Some(era) = next {
            evaluate(&era);
            next = era.following();
        }
    }

    /// The number of RRsets that change.
    pub(super) fn len(&self) -> usize {
        self.versions.values().map(BTreeMap::len).sum()
    }
}

/// Evidence as the servers give it once some steps are done, and no other has begun.
pub(super) struct Era<'a> {
    plan: &'a Plan,
    flux: &'a Flux,
    /// How many of the steps that change something are done.
    done: usize,
    changes: Cell<bool>,
    /// How many are done when something that was asked for gets another answer for the first time.
    next: Cell<Option<usize>>,
}

impl<'a> Era<'a> {
    /// The next era that gives another answer to anything that was asked of this one: in those between all is evaluated alike.
    pub(super) fn following(&self) -> Option<Era<'a>> {
        Some(self.flux.era(self.plan, self.next.get()?))
    }

    /// How many of the steps that change something are done.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Whether no more than so many of the steps that change something are done.
    pub(super) fn begins_within(&self, done: usize) -> bool {
        self.done <= done
    }

    /// The step that begins it; none before the plan.
    pub(super) fn begun_by(&self) -> Option<usize> {
        let last = self.done.checked_sub(1)?;
        self.flux.changing.iter().find(|(_, position)| **position == last).map(|(step, _)| *step)
    }

    /// Whether anything was asked for that changes in the plan. If not, every era gives the same answers.
    pub(super) fn changes(&self) -> bool {
        self.changes.get()
    }
}

impl Era<'_> {
    /// What is at a name; a negative answer says nothing of whether the name exists.
    fn at(&self, question: &Question) -> Answer<'_> {
        let Some(versions) = self.flux.versions(question) else {
            return self.plan.evidence.answer(&question.name, question.record_type);
        };
        self.changes.set(true);
        let position = |step: usize| self.flux.changing.get(&step).copied();
        // They are in the order of the steps.
        let begun = versions.partition_point(|version| {
            version.from.is_none_or(|step| position(step).is_some_and(|position| position < self.done))
        });
        let another = versions.get(begun).and_then(|version| Some(position(version.from?)? + 1));
        self.next.set(self.next.get().into_iter().chain(another).min());
        let now = begun.checked_sub(1).and_then(|last| versions.get(last));
        match now.map(|version| &version.content) {
            Some(Content::Set(rrset)) => Answer::Records(rrset),
            Some(Content::Alias(rrset)) => Answer::Alias(rrset),
            Some(Content::Absent) | None => Answer::NoData,
        }
    }
}

impl Evidence for Era<'_> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        let answer = self.at(&Question::new(name.clone(), record_type));
        self.flux.hanging.settled(name, answer, |question| self.at(question))
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.plan.evidence.public_suffix(name)
    }
}

/// How long absence at a name may be remembered, in seconds, and whether that is assumed.
pub(super) fn absence(plan: &Plan, question: &Question) -> (u64, bool) {
    let listed = plan.evidence.negative(&question.name, question.record_type);
    // An answer that denies a name above denies this one, too (RFC 8020).
    let above = question.name.ancestors().skip(1).filter_map(|name| plan.evidence.nonexistence(&name)?.0);
    // A negative answer has the TTL that the SOA record gives it (RFC 2308 section 5). Should the two differ, the longer
    // counts: absence may also be known from an answer about another name (RFC 8020, RFC 8198), and what a cache said is a
    // lower bound.
    let listed_ttl = listed.and_then(|(ttl, _)| ttl).into_iter().chain(above).max();
    let authoritative = listed.is_some_and(|(_, quality)| quality == Quality::Authoritative);
    let known = negative_ttl(&plan.evidence, &question.name).or(listed_ttl.filter(|_| authoritative));
    let known = known.map(|known| known.max(listed_ttl.unwrap_or(0)));
    // A plan that changes an SOA record on the way may lengthen what is remembered.
    let edits = plan
        .steps
        .iter()
        .flat_map(|step| &step.changes)
        .filter(|change| change.record_type == RecordType::Soa && question.name.is_within(&change.name));
    let longest =
        edits.filter_map(|change| match (&change.add, plan.evidence.answer(&change.name, RecordType::Soa)) {
            (Some(Records::Soa(soa)), _) => Some(soa.minimum),
            (_, Answer::Records(rrset)) => match rrset.records() {
                Records::Soa(soa) => change.ttl_after.map(|ttl| ttl.min(soa.minimum)),
                _ => None,
            },
            _ => None,
        });
    let changed = u64::from(longest.max().unwrap_or(0));
    if let Some(ttl) = known {
        return (u64::from(ttl).max(changed), false);
    }
    // What a cache said is a lower bound.
    let cached = listed_ttl.unwrap_or(0).max(cached_negative_ttl(plan, question));
    (plan.parameters.ttl_ceiling.max(u64::from(cached)).max(changed), true)
}

pub(super) fn published(evidence: &Snapshot, question: &Question) -> Option<RrSet> {
    match evidence.answer(&question.name, question.record_type) {
        Answer::Records(rrset) => Some(rrset.clone()),
        _ => None,
    }
}

/// What a change says of the TTL before it against what is known, where the two contradict each other. The longer one counts
/// for the waits all the same.
fn ttl_differs(change: &Change, before: Option<&RrSet>) -> Option<String> {
    let Change { name, record_type, ttl_before, .. } = change;
    let known = before.map(|rrset| (rrset.quality(), rrset.ttl()));
    let what = match (ttl_before, known) {
        (None, Some((_, Some(ttl)))) => {
            format!(
                "has no `ttl_before`, as if nothing were there, and there is an RRset with a TTL of {ttl}"
            )
        }
        (None, Some((_, None))) => {
            "has no `ttl_before`, as if nothing were there, and there is an RRset".to_owned()
        }
        (Some(told), None) => format!("has the `ttl_before` {told}, and nothing is there"),
        (Some(told), Some((Quality::Authoritative, Some(ttl)))) if *told != ttl => {
            format!("has the `ttl_before` {told}, and the TTL is {ttl}")
        }
        // What a cache said is what remained.
        (Some(told), Some((Quality::Cached, Some(ttl)))) if *told < ttl => {
            format!("has the `ttl_before` {told}, and a cache had it for {ttl} more seconds")
        }
        (None, None) | (Some(_), Some(_)) => return None,
    };
    Some(format!("the change of {name} {record_type} {what}: write what is there"))
}

/// The records that a change adds, where all are there already and stay.
fn already_there(change: &Change, before: Option<&RrSet>) -> Option<String> {
    let texts = |records: Option<&Records>| records.map(Records::to_texts).unwrap_or_default();
    let (there, removed) = (texts(before.map(RrSet::records)), texts(change.remove.as_ref()));
    let added = texts(change.add.as_ref());
    let stays = |text: &String| there.contains(text) && !removed.contains(text);
    let Change { name, record_type, .. } = change;
    (!added.is_empty() && added.iter().all(stays))
        .then(|| format!("what it adds to {name} {record_type} is there already"))
}

/// The least that a cached SOA record of the closest enclosing zone says about absence, 0 where there is none; without a TTL
/// it is MINIMUM, which is the most that it can be.
fn cached_negative_ttl(plan: &Plan, question: &Question) -> u32 {
    match closest_soa(plan, &question.name) {
        Some((minimum, ttl)) => ttl.map_or(minimum, |ttl| ttl.min(minimum)),
        None => 0,
    }
}

/// MINIMUM and the TTL of the SOA record of the closest enclosing zone.
fn closest_soa<'p>(plan: &'p Plan, name: &DomainName) -> Option<(u32, Option<u32>)> {
    let soa = |zone: DomainName| -> Option<&'p RrSet> {
        match plan.evidence.answer(&zone, RecordType::Soa) {
            Answer::Records(rrset) => Some(rrset),
            _ => None,
        }
    };
    let rrset = name.ancestors().find_map(soa)?;
    match rrset.records() {
        Records::Soa(soa) => Some((soa.minimum, rrset.ttl())),
        _ => None,
    }
}

/// The TTL of an RRset in seconds, and whether it is assumed: from a cache it is only a lower bound, and where nothing says
/// one, servers may take MINIMUM of the SOA record for it (RFC 1035 section 3.3.13).
pub(super) fn positive_ttl(plan: &Plan, name: &DomainName, rrset: &RrSet) -> (u64, bool) {
    let least = match (rrset.quality(), rrset.ttl()) {
        (Quality::Authoritative, Some(ttl)) => return (u64::from(ttl), false),
        (Quality::Cached, Some(ttl)) => ttl,
        (_, None) => closest_soa(plan, name).map_or(0, |(minimum, _)| minimum),
    };
    (plan.parameters.ttl_ceiling.max(u64::from(least)), true)
}

/// A choice of versions, by the questions they answer: indexes into [`Flux::versions`].
pub(super) type Choices = BTreeMap<Question, usize>;

/// Evidence as a receiver sees it that holds the chosen versions.
pub(super) struct World<'a> {
    pub(super) plan: &'a Plan,
    pub(super) flux: &'a Flux,
    pub(super) choices: &'a Choices,
    undecided: RefCell<Option<Question>>,
    missing: RefCell<BTreeSet<Question>>,
}

impl<'a> World<'a> {
    pub(super) fn new(plan: &'a Plan, flux: &'a Flux, choices: &'a Choices) -> Self {
        Self { plan, flux, choices, undecided: RefCell::default(), missing: RefCell::default() }
    }

    /// The first question that was asked and for which no version is chosen yet.
    pub(super) fn undecided(&self) -> Option<Question> {
        self.undecided.borrow().clone()
    }

    /// The questions that were asked and that the evidence does not answer.
    pub(super) fn missing(self) -> BTreeSet<Question> {
        self.missing.into_inner()
    }
}

impl World<'_> {
    /// The answer, and whether it is one that the evidence ought to give and does not.
    pub(super) fn look(&self, question: &Question) -> (Answer<'_>, bool) {
        if let Some(versions) = self.flux.versions(question) {
            let chosen = self.choices.get(question).and_then(|index| versions.get(*index));
            let answer = match chosen.map(|version| &version.content) {
                Some(Content::Set(rrset)) => Answer::Records(rrset),
                Some(Content::Alias(rrset)) => Answer::Alias(rrset),
                Some(Content::Absent) => Answer::NoData,
                None => {
                    self.undecided.borrow_mut().get_or_insert_with(|| question.clone());
                    Answer::Unknown
                }
            };
            return (answer, false);
        }
        match self.plan.evidence.answer(&question.name, question.record_type) {
            Answer::NxDomain if self.flux.created.contains(&question.name) => (Answer::NoData, false),
            // That a server did not answer says nothing about what receivers will see.
            Answer::Unknown | Answer::Failed => (Answer::Unknown, true),
            answer => (answer, false),
        }
    }
}

impl Evidence for World<'_> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        let question = Question::new(name.clone(), record_type);
        let (answer, lacks) = self.look(&question);
        if lacks {
            self.missing.borrow_mut().insert(question);
        }
        answer
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.plan.evidence.public_suffix(name)
    }
}

/// The same world, where what the evidence does not tell may stay unknown: not whether a host has addresses of one family where it has
/// none of the other.
pub(super) struct Lenient<'w, 'a>(pub(super) &'w World<'a>);

impl Evidence for Lenient<'_, '_> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        let (answer, lacks) = self.0.look(&Question::new(name.clone(), record_type));
        let other = match record_type {
            RecordType::A => RecordType::Aaaa,
            RecordType::Aaaa => RecordType::A,
            _ => return answer,
        };
        let has_no = |kind| {
            matches!(self.0.look(&Question::new(name.clone(), kind)).0, Answer::NoData | Answer::NxDomain)
        };
        if lacks && has_no(other) { self.0.answer(name, record_type) } else { answer }
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.0.public_suffix(name)
    }
}
