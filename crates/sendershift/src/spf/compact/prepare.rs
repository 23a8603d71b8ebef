//! From what is asked to the search, and from what it finds to the answer.

use std::collections::BTreeSet;

use super::classes::Classes;
use super::draft::Opened;
use super::names::{self, Extra};
use super::obsolete::obsolete;
use super::pack::{Packed, Room};
use super::remove::Remaining;
use super::search::{self, Candidate, Gap, Objective, Space, Unit, What};
use super::tree::{self, Source, Tree, directive};
use super::{
    CompactRequest, Compacted, Figures, OpenedName, Proof, RECOMMENDED_OCTETS, RrSetDocument, UnopenedName,
    infeasible, limits, verify,
};
use crate::dns::{Answer, Evidence, Overlay, RecordType, Recording, Records, Resolved, RrSet, Txt, resolve};
use crate::error::{Error, Problem};
use crate::name::DomainName;
use crate::net::Family;
use crate::spf::check::{Selection, select};
use crate::spf::policy::Results;
use crate::spf::{
    Mechanism, Modifier, Policy, Profile, Spent, SpfRecord, SpfResult, Subject, Term, TermKind, VoidUnit,
};
use crate::suffix::PublicSuffix;

/// Evidence in which failures are holes: nothing is rewritten by an answer that nobody gave.
pub(super) struct Strict<'e>(&'e dyn Evidence);

impl Evidence for Strict<'_> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        match self.0.answer(name, record_type) {
            Answer::Failed => Answer::Unknown,
            other => other,
        }
    }

    fn assumed(&self, name: &DomainName, record_type: RecordType) -> Option<&str> {
        self.0.assumed(name, record_type)
    }

    fn wildcard(&self, name: &DomainName) -> Option<DomainName> {
        self.0.wildcard(name)
    }

    fn listed_names(&self) -> Vec<&DomainName> {
        self.0.listed_names()
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.0.public_suffix(name)
    }
}

/// A record and what is asked of it, with the evidence in which it is published.
pub(super) struct Prepared<'e> {
    evidence: Strict<'e>,
    pub(super) domain: &'e DomainName,
    pub(super) request: &'e CompactRequest,
    receivers: Vec<&'static Profile>,
    /// What is meant: the record given or published.
    pub(super) meant: SpfRecord,
    /// What is published, if anything is.
    published: Option<SpfRecord>,
    /// The texts at the domain that are no SPF records, and the TTL.
    others: Vec<Txt>,
    ttl: Option<u32>,
    /// Octets at the domain today.
    octets: usize,
}

impl<'e> Prepared<'e> {
    pub(super) fn new(
        evidence: &'e dyn Evidence,
        subject: &'e Subject,
        request: &'e CompactRequest,
    ) -> Result<Self, Error> {
        let domain = &subject.domain;
        if subject.is_placed_anywhere() {
            let message = "extra records need names: the domain of the record has to be known";
            return Err(Problem::new("spf.needs-domain", message)
                .help("say which domain the record is for (--domain DOMAIN)")
                .into());
        }
        if let Some(name) = request.keep.iter().find(|name| request.flatten.contains(name)) {
            return Err(Problem::new(
                "spf.kept-and-flattened",
                format!("{name} is to be kept and to be written out"),
            )
            .into());
        }
        let receivers =
            if request.receivers.is_empty() { vec![&Profile::RFC7208] } else { request.receivers.clone() };
        if let Some(receiver) = receivers.iter().find(|receiver| request.reserve > receiver.lookups) {
            let message = format!(
                "a reserve of {} is more than the {} lookups that {} allows",
                request.reserve, receiver.lookups, receiver.name
            );
            return Err(Problem::new("spf.reserve-too-large", message).into());
        }
        let evidence = Strict(evidence);
        let recording = Recording::new(&evidence);
        let answer = recording.answer(domain, RecordType::Txt);
        let rrset = match answer {
            Answer::Records(rrset) => Some(rrset.clone()),
            Answer::Alias(_) => {
                let message = format!("{domain} is an alias, which can have no record of its own");
                let problem = Problem::new("spf.alias", message);
                return Err(problem.help("compact the record at the name that it stands for").into());
            }
            Answer::NoData | Answer::NxDomain | Answer::Failed | Answer::Unknown => None,
        };
        recording.complete(())?;
        if let Some(wildcard) = evidence.wildcard(domain) {
            let message = format!(
                "{domain} has what {wildcard} has: a record of its own would hide all of that, addresses and mail hosts as well"
            );
            let help = "first publish at the name itself what it needs of the wildcard's records (RFC 4592 section 2.2.1)";
            return Err(Problem::new("spf.wildcard", message).help(help).into());
        }
        let published = match rrset.as_ref().map(select).as_deref() {
            Some(Selection::Record(record)) => Some(record.clone()),
            Some(Selection::Invalid(invalid)) if subject.record.is_none() => {
                return Err(invalid.clone().into());
            }
            Some(Selection::Several) if subject.record.is_none() => {
                let message =
                    format!("{domain} has more than one SPF record, and which one is meant is not known");
                let problem = Problem::new("spf.several-records", message);
                return Err(problem
                    .help(
                        "give the record that is meant, in quotes, with its domain: it replaces all of them",
                    )
                    .into());
            }
            _ => None,
        };
        let Some(meant) = subject.record.clone().or_else(|| published.clone()) else {
            let problem = Problem::new("spf.no-record", format!("{domain} has no SPF record"));
            return Err(problem.help("give the record that is meant, in quotes").into());
        };
        let others = rrset.iter().flat_map(RrSet::texts).filter(|text| !SpfRecord::is_spf(text.octets()));
        let others: Vec<Txt> = others.cloned().collect();
        Ok(Self {
            evidence,
            domain,
            request,
            receivers,
            meant,
            published,
            others,
            ttl: rrset.as_ref().and_then(RrSet::ttl),
            octets: rrset.as_ref().map_or(0, |rrset| rrset.size(domain)),
        })
    }

    pub(super) fn compact(&self, watch: &mut dyn FnMut(usize) -> bool) -> Result<Compacted, Error> {
        let first = self.receivers.first().copied().unwrap_or(&Profile::RFC7208);
        let before = self.policy(&self.meant)?;
        let remaining = self.remove(&before)?;
        let record = &remaining.record;
        let base = self.publish(record);
        // What is meant; what is published is judged by the evidence as it is.
        let mended = remaining.mended(&base)?;
        let recording = Recording::new(&mended);
        let intended = Policy::compile(&recording, self.domain);
        let mut tree = tree::read(&recording, self.domain, self.sender(), record);
        let classes = Classes::new(&recording, self.domain, &tree);
        let extras = self.published.as_ref().map(|record| names::published(&recording, self.domain, record));
        recording.complete(())?;
        let (intended, classes, extras) = (intended?, classes?, extras.unwrap_or_default());
        let results = intended.intended();
        // Names that lead round in circles give temperror, and will tomorrow.
        let broken = results.sometimes(SpfResult::PermError).union(&results.sometimes(SpfResult::TempError));
        // What others pay today is what is published.
        let limits = match self.published.as_ref().filter(|_| self.request.contract) {
            Some(published) => self.limits(&self.policy(published)?),
            None => self.limits(&before),
        };
        let mut compacted = Compacted {
            format: "sendershift-compact/1",
            domain: self.domain.clone(),
            receivers: self.receivers.clone(),
            reserve: self.request.reserve,
            records: Vec::new(),
            obsolete: Vec::new(),
            unchanged: false,
            before: figures(&before, first, self.octets_meant()?),
            after: None,
            healed: before.beyond(first),
            broken: broken.clone().into(),
            opened: Vec::new(),
            unopened: Vec::new(),
            idle: Vec::new(),
            removed: remaining.removed.clone(),
            proof: Proof {
                equivalent: false,
                minimal: "proven",
                objective: None,
                bound: Objective::default(),
                examined: 0,
            },
            infeasible: None,
        };
        if let Some(rrset) = self.unchanged(record, &base, &results, &limits, &extras)? {
            leave(&mut compacted, rrset, record, extras.len());
            return Ok(compacted);
        }
        compacted.idle = tree.take_idle(&classes, &self.request.keep);
        let gap = if broken.is_empty() {
            self.may_become_idle((&tree, &classes), &mended, &results)?.then_some(Gap::Idle)
        } else {
            Some(Gap::Broken)
        };
        let record = without(record, &compacted.idle)?;
        let remaining = Remaining { record, ..remaining };
        let space = Space { gap, ..self.space(&tree, &classes, &remaining, &extras, limits)? };
        let mut failure = None;
        let found = search::search(&space, watch, &mut |candidate| {
            let judged = self.judge(candidate, &base, &extras, &results, &space);
            judged.unwrap_or_else(|error| {
                failure.get_or_insert(error);
                false
            })
        });
        if let Some(error) = failure {
            return Err(error);
        }
        compacted.proof.examined = found.examined;
        compacted.proof.minimal = if found.gap.is_none() { "proven" } else { "unknown" };
        compacted.proof.bound = Objective { frozen: found.least_frozen, ..Objective::default() };
        let Some(best) = &found.best else {
            compacted.infeasible = Some(infeasible::explain(&space, found.gap, first, &self.request.keep));
            return Ok(compacted);
        };
        let records = self.rrsets(&best.packed, &extras)?;
        let new = verify::published(&base, &records);
        let policy = verify::policy(&new, self.domain, &results, &space.limits)?;
        compacted.proof.equivalent =
            policy.is_some() && verify::agrees((&mended, &new), self.domain, &classes.of, &space.limits);
        if found.gap.is_none() {
            compacted.proof.bound = best.objective;
        }
        compacted.proof.objective = Some(best.objective);
        let octets = records.first().map_or(0, |rrset| rrset.octets);
        compacted.after = policy.map(|policy| figures(&policy, first, octets));
        compacted.opened = opened(&base, &space, best);
        compacted.unopened = unopened(&self.request.flatten, &tree, &best.opened);
        let known = tree.records.iter().map(|source| &source.domain);
        compacted.obsolete = obsolete(&new, self.sender(), known, &extras);
        compacted.records = records;
        if !compacted.proof.equivalent {
            // The search accepts nothing that does not hold, so this is a fault of ours; nothing is proposed then.
            compacted.records.clear();
        }
        Ok(compacted)
    }

    /// The domain of the senders, `%{o}`: a record that others include has more than one.
    pub(super) fn sender(&self) -> Option<&'e DomainName> {
        (!self.request.contract).then_some(self.domain)
    }

    /// The evidence with a record published in place of what is there.
    pub(super) fn publish(&self, record: &SpfRecord) -> Overlay<&Strict<'e>> {
        let subject = Subject { domain: self.domain.clone(), record: Some(record.clone()) };
        subject.publish_on(&self.evidence)
    }

    fn policy(&self, record: &SpfRecord) -> Result<Policy, Error> {
        Policy::compile(&self.publish(record), self.domain)
    }

    /// The limits that have to hold, with the reserve taken off.
    fn limits(&self, before: &Policy) -> Vec<Profile> {
        let worst = before.worst(Family::V4).max(before.worst(Family::V6));
        let contract = |limits: Profile| {
            if !self.request.contract {
                return limits;
            }
            // Whoever includes the record pays for it: what it costs today is all that it may cost.
            Profile {
                lookups: limits.lookups.min(worst.lookups_for(&limits)),
                voids: limits.voids.min(worst.voids_for(&limits)),
                ..limits
            }
        };
        self.receivers.iter().map(|receiver| contract(limits(receiver, self.request.reserve))).collect()
    }

    /// The record as it is published, where that keeps to everything already.
    fn unchanged(
        &self,
        record: &SpfRecord,
        base: &dyn Evidence,
        results: &Results,
        limits: &[Profile],
        extras: &[Extra],
    ) -> Result<Option<RrSetDocument>, Error> {
        let is_published = self.published.as_ref().is_some_and(|published| published.text() == record.text());
        let is_flat = self.request.flatten.is_empty();
        let is_small = self.request.octets.is_none_or(|most| self.octets <= most);
        let is_few = self.request.max_records.is_none_or(|most| extras.len() <= most)
            && self.request.octets.is_none_or(|most| extras.iter().all(|extra| extra.octets <= most));
        if !is_published || !is_flat || !is_small || !is_few {
            return Ok(None);
        }
        if verify::policy(base, self.domain, results, limits)?.is_none() {
            return Ok(None);
        }
        Ok(Some(self.rrset(record.text())?))
    }

    fn space<'a>(
        &self,
        tree: &'a Tree,
        classes: &'a Classes,
        remaining: &Remaining,
        extras: &[Extra],
        limits: Vec<Profile>,
    ) -> Result<Space<'a>, Error> {
        let record = &remaining.record;
        let cap = self.request.octets.unwrap_or(usize::MAX);
        // The longest of the names that may be needed, as long as there are fewer than ten.
        let number = extras.last().map_or(1, |extra| extra.number.saturating_add(1));
        let generation = extras.iter().map(|extra| extra.generation).max().unwrap_or(0).saturating_add(1);
        let name = names::name(self.domain, number, generation).ok();
        let apex_taken = self.domain.wire_octets() + self.others.iter().map(Txt::wire_octets).sum::<usize>();
        let room = Room {
            apex: self.octets.max(RECOMMENDED_OCTETS).min(cap),
            apex_taken,
            extra: RECOMMENDED_OCTETS.min(cap),
            extra_taken: name.as_ref().map_or(usize::MAX / 2, DomainName::wire_octets),
            reference: " include:".len() + name.as_ref().map_or(0, |name| name.as_str().len()),
        };
        // Nothing stands below a DNAME record (RFC 6672 section 2.4).
        let is_renamed = self
            .domain
            .ancestors()
            .any(|above| matches!(self.evidence.answer(&above, RecordType::DNAME), Answer::Records(_)));
        let has_names = name.is_some() && !is_renamed;
        let all = |term: &&Term| matches!(&term.kind, TermKind::Directive(directive) if directive.mechanism == Mechanism::All);
        let kept = |term: &&Term| matches!(&term.kind, TermKind::Modifier(modifier) if !matches!(modifier, Modifier::Redirect(_)));
        let today = self.published.as_ref().map(texts).unwrap_or_default();
        Ok(Space {
            tree,
            classes,
            units: self.units(tree, remaining, extras)?,
            limits,
            room,
            // Below a very long name there is no room for another.
            most_records: if has_names { self.request.max_records.unwrap_or(usize::MAX) } else { 0 },
            all: record.terms().iter().find(all).map(|term| record.written(term).to_owned()),
            modifiers: record
                .terms()
                .iter()
                .filter(kept)
                .map(|term| record.written(term).to_owned())
                .collect(),
            is_published: extras.is_empty() && today == live(record),
            record: live(record),
            published: std::iter::once(today).chain(extras.iter().map(|extra| extra.terms.clone())).collect(),
            references: extras.iter().map(|extra| extra.reference.clone()).collect(),
            gap: None,
            is_renamed,
            budget: self.request.budget,
        })
    }

    /// What can be opened.
    fn units(&self, tree: &Tree, remaining: &Remaining, extras: &[Extra]) -> Result<Vec<Unit>, Error> {
        let request = self.request;
        let mended = mended(tree, remaining);
        let is_mended = |number: usize| mended.get(number) == Some(&true);
        for (number, source) in tree.records.iter().enumerate().filter(|(number, _)| is_mended(*number)) {
            if number != 0 && request.keep.contains(&source.domain) {
                let message = format!(
                    "{} is to be kept, and leads to a dead term that only goes where it is opened",
                    source.domain
                );
                return Err(Problem::new("spf.kept-and-repaired", message).into());
            }
        }
        for name in request.keep.iter().chain(&request.flatten) {
            if tree.terms.iter().all(|term| term.target.as_ref() != Some(name)) {
                let is_dropped = request.drop.contains(name);
                let message = if is_dropped {
                    format!("{name} is to be dropped, and nothing else in the record refers to it")
                } else {
                    format!("neither the record nor anything that it refers to has {name} in it")
                };
                let problem = Problem::new("spf.not-in-record", message);
                if is_dropped {
                    return Err(problem
                        .help("a name cannot be dropped and be kept, or written out, too")
                        .into());
                }
                return Err(match self.asked_for_host(tree, name) {
                    Some((term, of)) => problem
                        .help(format!("it is a host of `{term}`, which asks about {of}: say --flatten {of}"))
                        .into(),
                    None => problem.into(),
                });
            }
        }
        let mut units = Vec::new();
        let reached = tree.reached(0);
        for (number, source) in tree.records.iter().enumerate().skip(1) {
            if !reached.contains(&number) || !source.is_free_of_loops || request.keep.contains(&source.domain)
            {
                continue;
            }
            let is_large = |extra: &Extra| {
                extra.name == source.domain && request.octets.is_some_and(|most| extra.octets > most)
            };
            let is_told = request.flatten.contains(&source.domain) || extras.iter().any(is_large);
            let is_own = source.domain.is_within(self.domain)
                && !matches!(self.evidence.answer(&source.domain, RecordType::Txt), Answer::Alias(_));
            let is_forced = is_told || is_mended(number);
            units.push(Unit { what: What::Record(number), is_volatile: !is_own && !is_told, is_forced });
        }
        for number in tree.used() {
            let Some(term) = tree.terms.get(number) else { continue };
            let is_told = term.target.as_ref().is_some_and(|name| request.flatten.contains(name));
            if is_told && matches!(term.mechanism, "a" | "mx" | "exists") {
                units.push(Unit { what: What::Host(number), is_volatile: false, is_forced: true });
            }
        }
        Ok(units)
    }

    /// An `mx` term that a host is found by, and the name that it asks about.
    fn asked_for_host<'t>(&self, tree: &'t Tree, host: &DomainName) -> Option<(&'t str, &'t DomainName)> {
        tree.terms.iter().filter(|term| term.mechanism == "mx").find_map(|term| {
            let of = term.target.as_ref()?;
            let Resolved::Records(rrset) = resolve(&self.evidence, of, RecordType::Mx) else { return None };
            let Records::Mx(hosts) = rrset.records() else { return None };
            hosts.iter().any(|mx| mx.exchange == *host).then_some((term.own.1.as_str(), of))
        })
    }

    /// Whether a candidate does what is intended.
    fn judge(
        &self,
        candidate: &Candidate,
        base: &dyn Evidence,
        extras: &[Extra],
        results: &Results,
        space: &Space<'_>,
    ) -> Result<bool, Error> {
        let rrsets = self.rrsets(&candidate.packed, extras)?;
        let fits = rrsets
            .iter()
            .enumerate()
            .all(|(at, rrset)| rrset.octets <= if at == 0 { space.room.apex } else { space.room.extra });
        let new = verify::published(base, &rrsets);
        Ok(fits && verify::policy(&new, self.domain, results, &space.limits)?.is_some())
    }

    /// The RRsets of a candidate, that of the domain first.
    fn rrsets(&self, packed: &Packed, extras: &[Extra]) -> Result<Vec<RrSetDocument>, Error> {
        let recording = Recording::new(&self.evidence);
        let mut rrsets = Vec::new();
        let mut references = Vec::new();
        for (at, terms) in packed.extras.iter().enumerate() {
            let name = match extras.get(at) {
                Some(extra) if extra.terms == *terms => extra.name.clone(),
                _ => names::fresh(&recording, self.domain, extras, at)?,
            };
            references.push(directive(packed.qualifier, &format!("include:{name}")));
            let records = vec![Txt::from_text(&written(terms))?];
            rrsets.push(self.document(name, records));
        }
        recording.complete(())?;
        let terms = packed.apex.iter().flat_map(|term| match term {
            Some(text) => vec![text.clone()],
            None => references.clone(),
        });
        let terms: Vec<String> = terms.collect();
        rrsets.insert(0, self.rrset(&written(&terms))?);
        Ok(rrsets)
    }

    /// Octets at the domain with the record that is meant, which may not be the one that is published.
    fn octets_meant(&self) -> Result<usize, Error> {
        match &self.published {
            Some(published) if published.text() == self.meant.text() => Ok(self.octets),
            _ => Ok(self.rrset(self.meant.text())?.octets),
        }
    }

    /// The RRset at the domain with a record in it.
    fn rrset(&self, record: &str) -> Result<RrSetDocument, Error> {
        let mut records = vec![Txt::from_text(&record.replace('\\', "\\\\"))?];
        records.extend(self.others.iter().cloned());
        Ok(self.document(self.domain.clone(), records))
    }

    fn document(&self, name: DomainName, records: Vec<Txt>) -> RrSetDocument {
        let octets = name.wire_octets() + records.iter().map(Txt::wire_octets).sum::<usize>();
        RrSetDocument { name, record_type: RecordType::Txt, ttl: self.ttl, records, octets }
    }
}

/// Which records have dead terms in them, or refer to one that does: kept live they would lead to the error again.
fn mended(tree: &Tree, remaining: &Remaining) -> Vec<bool> {
    let mut mended: Vec<bool> =
        tree.records.iter().map(|source| remaining.others.contains_key(&source.domain)).collect();
    loop {
        let refers = |source: &Source| {
            let children = source.terms().filter_map(|term| tree.terms.get(term).and_then(|term| term.child));
            children.into_iter().any(|child| mended.get(child) == Some(&true))
        };
        let more: Vec<bool> =
            tree.records.iter().zip(&mended).map(|(source, known)| *known || refers(source)).collect();
        if more == mended {
            return mended;
        }
        mended = more;
    }
}

fn opened(base: &dyn Evidence, space: &Space<'_>, best: &Candidate) -> Vec<OpenedName> {
    let mut opened = Vec::new();
    for unit in &space.units {
        let (name, mechanism, record_type) = match unit.what {
            What::Record(number) if best.opened.records.get(number) == Some(&true) => {
                let Some(source) = space.tree.records.get(number) else { continue };
                (source.domain.clone(), "include", RecordType::Txt)
            }
            What::Host(number) if best.opened.hosts.get(number) == Some(&true) => {
                let Some(term) = space.tree.terms.get(number) else { continue };
                let Some(name) = term.target.clone() else { continue };
                let asked = if term.mechanism == "mx" { RecordType::Mx } else { RecordType::A };
                (name, term.mechanism, asked)
            }
            _ => continue,
        };
        let ttl = match resolve(base, &name, record_type) {
            Resolved::Records(rrset) => rrset.ttl(),
            _ => None,
        };
        let assumed = base.assumed(&name, record_type).map(str::to_owned);
        opened.push(OpenedName { name, mechanism, volatile: unit.is_volatile, ttl, assumed });
    }
    opened
}

/// The names to flatten that stay as they are somewhere.
fn unopened(flatten: &[DomainName], tree: &Tree, opened: &Opened) -> Vec<UnopenedName> {
    let is_open = |record: usize| opened.records.get(record) == Some(&true);
    let find = |name: &DomainName| {
        let mut within = BTreeSet::new();
        let mut stays = false;
        for (number, source) in tree.records.iter().enumerate() {
            for term in source.terms() {
                let Some(costly) = tree.terms.get(term).filter(|term| term.target.as_ref() == Some(name))
                else {
                    continue;
                };
                if is_open(number) {
                    stays |= !costly.child.is_some_and(is_open) && opened.hosts.get(term) != Some(&true);
                } else {
                    within.insert(source.domain.clone());
                }
            }
        }
        (stays || !within.is_empty())
            .then(|| UnopenedName { name: name.clone(), within: within.into_iter().collect() })
    };
    flatten.iter().filter_map(find).collect()
}

/// The answer where what is published is left as it is.
fn leave(compacted: &mut Compacted, rrset: RrSetDocument, record: &SpfRecord, extra_records: usize) {
    let objective = Objective { extra_records, octets: record.text().len(), ..Objective::default() };
    compacted.after = Some(compacted.before);
    compacted.unchanged = true;
    compacted.proof.equivalent = true;
    compacted.proof.objective = Some(objective);
    if extra_records == 0 && compacted.broken.ranges.is_empty() {
        compacted.proof.bound = objective;
    } else {
        // Fewer extra records might do, or a record that heals: that is not looked at where nothing has to change.
        compacted.proof.minimal = "unknown";
    }
    compacted.records = vec![rrset];
}

/// The text of a record of these terms.
pub(super) fn written<T: AsRef<str>>(terms: &[T]) -> String {
    terms.iter().fold("v=spf1".to_owned(), |text, term| text + " " + term.as_ref())
}

fn figures(policy: &Policy, profile: &Profile, octets: usize) -> Figures {
    let worst: Spent = policy.worst(Family::V4).max(policy.worst(Family::V6));
    let voids = if profile.void_unit == VoidUnit::Term { worst.void_terms } else { worst.void_queries };
    Figures { lookups: worst.lookups_for(profile), voids, octets }
}

/// A record without some of its terms, the last of those that are alike, and without what `all` makes idle.
fn without(record: &SpfRecord, terms: &[String]) -> Result<SpfRecord, Error> {
    let mut words = live(record);
    for term in terms.iter().rev() {
        if let Some(at) = words.iter().rposition(|word| word == term) {
            words.remove(at);
        }
    }
    Ok(SpfRecord::parse(written(&words).as_bytes())?)
}

/// The terms that do something.
fn live(record: &SpfRecord) -> Vec<String> {
    let all = record.terms().iter().position(
        |term| matches!(&term.kind, TermKind::Directive(directive) if directive.mechanism == Mechanism::All),
    );
    let does = |(at, term): &(usize, &Term)| match &term.kind {
        TermKind::Directive(_) => all.is_none_or(|all| *at <= all),
        TermKind::Modifier(Modifier::Redirect(_)) => all.is_none(),
        TermKind::Modifier(_) => true,
    };
    let terms = record.terms().iter().enumerate().filter(does);
    terms.map(|(_, term)| record.written(term).to_owned()).collect()
}

fn texts(record: &SpfRecord) -> Vec<String> {
    record.terms().iter().map(|term| record.written(term).to_owned()).collect()
}
