//! Aliases: what stands at a name is found at every name from which they lead to it, too.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{Content, Flux, published};
use crate::dns::{Answer, Evidence, MAX_ALIASES, Question, RecordType, Records, RrSet};
use crate::name::DomainName;
use crate::plan::Plan;

/// Those of the evidence and those that steps publish, whenever they are there: who follows them looks at what is found at each time.
pub(super) struct Aliases<'p> {
    /// The names that are aliases of each name.
    of: BTreeMap<&'p DomainName, Vec<&'p DomainName>>,
}

impl<'p> Aliases<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let listed = plan.evidence.names().flat_map(|name| {
            let of_name = plan.evidence.rrsets(name).filter(|(kind, _)| *kind == RecordType::Cname);
            of_name.map(move |(_, rrset)| (name, rrset.records()))
        });
        let changes = plan.steps.iter().flat_map(|step| &step.changes);
        let published = changes.filter_map(|change| Some((&change.name, change.add.as_ref()?)));
        let mut of: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, records) in listed.chain(published) {
            if let Records::Cname(target) = records {
                of.entry(target).or_default().push(name);
            }
        }
        Self { of }
    }

    /// Some names, and all from which aliases lead to them.
    pub(super) fn leading_to<'n>(
        &self,
        names: impl IntoIterator<Item = &'n DomainName>,
    ) -> BTreeSet<&'n DomainName>
    where
        'p: 'n,
    {
        let mut found: BTreeSet<&'n DomainName> = BTreeSet::new();
        let mut next: Vec<&'n DomainName> = names.into_iter().collect();
        while let Some(name) = next.pop() {
            if found.insert(name) {
                next.extend(self.of.get(name).into_iter().flatten());
            }
        }
        found
    }
}

/// A name, and those that it is an alias of, one after the other.
pub(super) fn chain(evidence: &dyn Evidence, name: &DomainName) -> Vec<DomainName> {
    let mut names = vec![name.clone()];
    while names.len() <= MAX_ALIASES
        && let Some(last) = names.last()
        && let Answer::Records(rrset) | Answer::Alias(rrset) = evidence.answer(last, RecordType::Cname)
        && let Records::Cname(target) = rrset.records()
    {
        names.push(target.clone());
    }
    names
}

/// A name, and all that it is an alias of at some time of the plan.
pub(super) fn ever(plan: &Plan, flux: &Flux, name: &DomainName) -> BTreeSet<DomainName> {
    let mut found = BTreeSet::new();
    let mut next = vec![name.clone()];
    while let Some(name) = next.pop() {
        let question = Question::new(name.clone(), RecordType::Cname);
        if !found.insert(name) {
            continue;
        }
        let target = |rrset: &RrSet| match rrset.records() {
            Records::Cname(target) => Some(target.clone()),
            _ => None,
        };
        next.extend(published(&plan.evidence, &question).as_ref().and_then(target));
        let versions = flux.versions(&question).into_iter().flatten();
        next.extend(versions.filter_map(|version| match &version.content {
            Content::Set(rrset) => target(rrset),
            Content::Alias(_) | Content::Absent => None,
        }));
    }
    found
}

/// The name at the end of the aliases that begin at a name, if it is one.
pub(super) fn end_of_aliases(evidence: &dyn Evidence, name: &DomainName) -> Option<DomainName> {
    let mut names = chain(evidence, name);
    names.pop().filter(|_| !names.is_empty())
}
