//! The records that the plan changes: what they are after the steps so far, and how long older versions live on.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Known;
use crate::adjacent::unreachable;
use crate::dns::{
    Answer, Evidence, Overlay, Quality, Question, RecordType, Records, RrSet, Snapshot, negative_ttl,
};
use crate::name::DomainName;
use crate::plan::{After, Change, Expect, Parameters, Preview};

/// Waits are whole hours, in seconds.
pub(super) const HOUR: u64 = 3600;

/// The whole hours that cover a time, in seconds.
pub(super) fn covering(seconds: u64) -> u64 {
    seconds.div_ceil(HOUR).saturating_mul(HOUR)
}

/// One edit of an RRset.
struct Edit {
    step: String,
    /// How long the version that it replaced may still be seen once the step is done, in seconds.
    old_version: u64,
}

/// The records as they are after the steps so far.
pub(super) struct Zone<'m> {
    pub(super) world: Overlay<&'m Known<'m>>,
    /// The records as they are before the plan.
    pub(super) today: &'m Known<'m>,
    evidence: &'m Snapshot,
    parameters: &'m Parameters,
    edits: BTreeMap<Question, Vec<Edit>>,
}

/// What is to be done with one RRset.
pub(super) struct Wish {
    pub(super) name: DomainName,
    pub(super) remove: Option<Records>,
    pub(super) add: Option<Records>,
    /// The TTL of an RRset that is new, in seconds.
    pub(super) ttl: u32,
}

impl<'m> Zone<'m> {
    pub(super) fn new(known: &'m Known<'m>, evidence: &'m Snapshot, parameters: &'m Parameters) -> Self {
        Self { world: Overlay::new(known), today: known, evidence, parameters, edits: BTreeMap::new() }
    }

    /// Whether a domain accepts no mail. The addresses of mail hosts are not asked for: they are often somebody else's.
    pub(super) fn is_unreachable(&self, domain: &DomainName) -> bool {
        unreachable(&self.world, self.evidence, domain).is_some()
    }

    /// The RRset at a name, if there is one; aliases are not followed.
    pub(super) fn get(&self, name: &DomainName, record_type: RecordType) -> Option<RrSet> {
        match self.world.answer(name, record_type) {
            Answer::Records(rrset) => Some(rrset.clone()),
            _ => None,
        }
    }

    /// The target of the alias at a name.
    pub(super) fn alias(&self, name: &DomainName) -> Option<DomainName> {
        let rrset = self.get(name, RecordType::Cname)?;
        match rrset.records() {
            Records::Cname(target) => Some(target.clone()),
            _ => None,
        }
    }

    /// The edit that fulfils a wish; none where there is nothing to do or it does not fit what is there.
    pub(super) fn change(&self, wish: &Wish) -> Option<Change> {
        let record_type = wish.add.as_ref().or(wish.remove.as_ref())?.record_type();
        let before = self.get(&wish.name, record_type);
        // The TTL of an RRset stays, where a server of the zone said it.
        let own_ttl =
            before.as_ref().filter(|rrset| rrset.quality() == Quality::Authoritative).and_then(RrSet::ttl);
        let ttl_before = before.as_ref().map(|rrset| rrset.ttl().unwrap_or(wish.ttl));
        let expect = match (&before, &wish.remove) {
            (None, _) => Some(Expect::Absent),
            (Some(_), Some(records)) => Some(Expect::Present(records.clone())),
            (Some(_), None) => None,
        };
        let mut change = Change {
            name: wish.name.clone(),
            record_type,
            ttl_before,
            ttl_after: None,
            remove: wish.remove.clone(),
            add: wish.add.clone(),
            expect,
            preview: None,
        };
        let after = match change.apply(before.as_ref()) {
            Ok(None) => None,
            _ => {
                change.ttl_after = Some(own_ttl.unwrap_or(wish.ttl));
                change.apply(before.as_ref()).ok()?
            }
        };
        let records = |rrset: Option<RrSet>| rrset.map(|rrset| rrset.records().clone());
        change.preview = Some(Preview { before: records(before), after: records(after) });
        Some(change)
    }

    /// Takes over a change that a step makes.
    pub(super) fn commit(&mut self, step: &str, change: &Change) {
        let question = Question::new(change.name.clone(), change.record_type);
        let before = self.get(&change.name, change.record_type);
        let old_version = self.parameters.resolver_stale
            + before.as_ref().map_or_else(|| self.absence(&question), |rrset| self.ttl(&change.name, rrset));
        self.edits.entry(question).or_default().push(Edit { step: step.to_owned(), old_version });
        match change.apply(before.as_ref()) {
            Ok(Some(rrset)) => self.world.publish(&change.name, rrset),
            _ => self.world.remove(&change.name, change.record_type),
        }
    }

    /// The TTL that a cache may have counted down from: one that a server of the zone said, or the ceiling. Where nothing says
    /// one, servers may take MINIMUM of the SOA record for it (RFC 1035 section 3.3.13).
    fn ttl(&self, name: &DomainName, rrset: &RrSet) -> u64 {
        let least = match (rrset.quality(), rrset.ttl()) {
            (Quality::Authoritative, Some(ttl)) => return u64::from(ttl),
            (Quality::Cached, Some(ttl)) => ttl,
            (_, None) => self.minimum(name),
        };
        u64::from(least).max(self.parameters.ttl_ceiling)
    }

    /// MINIMUM of the closest enclosing zone, 0 where it is not known.
    fn minimum(&self, name: &DomainName) -> u32 {
        let minimum = |zone: DomainName| match self.evidence.answer(&zone, RecordType::Soa) {
            Answer::Records(rrset) => match rrset.records() {
                Records::Soa(soa) => Some(soa.minimum),
                _ => None,
            },
            _ => None,
        };
        name.ancestors().find_map(minimum).unwrap_or(0)
    }

    /// How long absence may be remembered (RFC 2308 section 5).
    fn absence(&self, question: &Question) -> u64 {
        match self.evidence.negative(&question.name, question.record_type) {
            Some((Some(ttl), Quality::Authoritative)) => return u64::from(ttl),
            Some((ttl, _)) if negative_ttl(self.evidence, &question.name).is_none() => {
                let least = ttl.unwrap_or(0).max(self.minimum(&question.name));
                return u64::from(least).max(self.parameters.ttl_ceiling);
            }
            _ => {}
        }
        let assumed = || u64::from(self.minimum(&question.name)).max(self.parameters.ttl_ceiling);
        negative_ttl(self.evidence, &question.name).map_or_else(assumed, u64::from)
    }

    /// How long the outcome of changes may still be seen once it is taken back, in seconds.
    pub(super) fn lasting(&self, changes: &[Change]) -> u64 {
        let outcome = |change: &Change| match change.ttl_after {
            Some(ttl) => u64::from(ttl),
            None => self.absence(&Question::new(change.name.clone(), change.record_type)),
        };
        covering(changes.iter().map(outcome).max().unwrap_or(0) + self.parameters.resolver_stale)
    }

    /// The waits after which nobody sees an older version of the RRset any more.
    pub(super) fn visible(&self, question: &Question) -> Vec<After> {
        let edits = self.edits.get(question).into_iter().flatten();
        edits.map(|edit| After { step: edit.step.clone(), at_least: covering(edit.old_version) }).collect()
    }

    /// The waits after which nobody sees an older version of anything any more.
    pub(super) fn all_visible(&self) -> Vec<After> {
        self.edits.keys().flat_map(|question| self.visible(question)).collect()
    }

    /// The steps that changed the RRset so far.
    pub(super) fn editors(&self, question: &Question) -> BTreeSet<String> {
        self.edits.get(question).into_iter().flatten().map(|edit| edit.step.clone()).collect()
    }
}
