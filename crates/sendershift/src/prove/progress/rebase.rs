//! The plan on today's evidence: all its steps, and what DNS says now of everything else.

use std::cmp::Ordering;

use super::line::{Edit, Line, published, texts};
use crate::dns::{Answer, Evidence as _, Quality, Question, Records, RrSet, Snapshot, negative_ttl};
use crate::plan::{ApplyError, Change, Plan, Remark, edited};

/// A plan whose evidence is that of now, but for what its own steps have done.
pub(super) struct Rebased {
    pub(super) plan: Plan,
    /// Why it may not be what happens.
    pub(super) undecided: Vec<Remark>,
    pub(super) findings: Vec<Remark>,
}

impl Rebased {
    pub(super) fn new(plan: &Plan, now: &Snapshot, lines: &[Line<'_>]) -> Self {
        let mut evidence = now.clone().dated(plan.evidence.taken());
        evidence.assume(&plan.evidence);
        let mut rebased = Self { plan: plan.clone(), undecided: Vec::new(), findings: Vec::new() };
        // What is there goes before what is not, so that no name is taken for absent which is there.
        let mut absent = Vec::new();
        for line in lines {
            let before = rebased.before(line);
            rebased.follow(line, before.as_ref());
            match before {
                Some(rrset) if line.now != Some(&rrset) => {
                    evidence.publish(&line.question, rrset, &plan.evidence);
                }
                Some(_) => {}
                None => absent.push(&line.question),
            }
        }
        for question in absent {
            withhold(&mut evidence, question, [&plan.evidence, now]);
        }
        // Publishing a name ends what its denial said of those below it.
        for question in plan.evidence.answered() {
            let denied =
                matches!(now.answer(&question.name, question.record_type), Answer::NoData | Answer::NxDomain);
            if denied && evidence.answer(&question.name, question.record_type) == Answer::Unknown {
                let (ttl, quality) = absence(now, &question);
                evidence.withhold(&question, ttl, quality);
            }
        }
        rebased.plan.evidence = evidence;
        if let Err(invalid) = rebased.plan.check() {
            let message = format!("what there is now does not fit the plan: {invalid}");
            rebased.undecided.push(Remark::new("proof.state-unknown", None, message));
            rebased.plan = plan.clone();
        }
        rebased
    }

    /// The RRset before the first step: the records that the plan names as they were, and all others as they are now.
    fn before(&mut self, line: &Line<'_>) -> Option<RrSet> {
        if line.possible.is_empty() {
            // In no state of the plan: nothing that could be made of it would ever be there.
            return line.then.cloned();
        }
        let records = match before(line) {
            Ok(records) => records?,
            Err(error) => {
                let message = format!(
                    "{} has {} besides what the plan knows of: {error}",
                    line.question,
                    texts(line.now.map(RrSet::records)).collect::<Vec<_>>().join(", ")
                );
                let subject = Some(line.question.name.as_str());
                self.undecided.push(Remark::new("proof.state-unknown", subject, message));
                return line.then.cloned();
            }
        };
        let same = line.then.filter(|then| then.records().same_as(&records)).cloned();
        let of = line.then.or(line.now);
        let (ttl, quality) = of.map_or((None, Quality::Cached), |of| (of.ttl(), of.quality()));
        let rrset = same.unwrap_or_else(|| RrSet::new(records, ttl, quality));
        // Not begun, it has the TTL of now, if that is not shorter: caches may know the longer one. Of a longer one it counts who
        // says it, as what a cache says is only what remained.
        let Some(now) = line.now.filter(|_| line.possible.contains(&0)) else { return Some(rrset) };
        let quality = match now.ttl().cmp(&rrset.ttl()) {
            Ordering::Less => return Some(rrset),
            Ordering::Equal => now.quality().max(rrset.quality()),
            Ordering::Greater => now.quality(),
        };
        Some(RrSet::new(rrset.records().clone(), now.ttl(), quality))
    }

    /// Lets the changes of an RRset follow what there is: TTLs that turn out longer count, and what is done already expects
    /// nothing any more.
    fn follow(&mut self, line: &Line<'_>, before: Option<&RrSet>) {
        let seen = line.is_seen(0);
        let (then, ttl) = (line.then.and_then(RrSet::ttl), before.and_then(RrSet::ttl));
        if let Some(first) = self.change(line, 0) {
            match (before, line.then) {
                (Some(_), None) if seen => first.ttl_before = Some(ttl.unwrap_or(0)),
                (None, Some(_)) if seen => first.ttl_before = None,
                (Some(_), Some(_)) if ttl > then && first.ttl_before == then => first.ttl_before = ttl,
                _ => {}
            }
        }
        if ttl > then && line.then.is_some() {
            self.longer(line, then, ttl);
        }
        for number in 0..line.changes.len() {
            let Some(change) = self.change(line, number).filter(|_| line.is_seen(number)) else { continue };
            change.expect = None;
        }
        let Some(now) = line.now.and_then(|now| Some((now.quality(), now.ttl()?))) else { return };
        let ceiling = u32::try_from(self.plan.parameters.ttl_ceiling).unwrap_or(u32::MAX);
        for number in line.possible.iter().filter_map(|done| done.checked_sub(1)) {
            let Some(change) = self.change(line, number) else { continue };
            let Some(told) = change.ttl_after.filter(|told| *told < now.1) else { continue };
            // What a cache has of it is what remained.
            let now = if now.0 == Quality::Authoritative { now.1 } else { now.1.max(ceiling) };
            change.ttl_after = Some(now);
            if let Some(next) = self.change(line, number + 1).filter(|next| next.ttl_before == Some(told)) {
                next.ttl_before = Some(now);
            }
            self.longer(line, Some(told), Some(now));
        }
    }

    fn longer(&mut self, line: &Line<'_>, told: Option<u32>, now: Option<u32>) {
        let told = told.map_or_else(|| "none".to_owned(), |told| told.to_string());
        let message = format!(
            "{} has a TTL of {} now, and the plan has {told} there: the longer one counts",
            line.question,
            now.unwrap_or(0)
        );
        self.findings.push(Remark::new("proof.ttl-longer", Some(line.question.name.as_str()), message));
    }

    /// One of the changes of an RRset, to be edited.
    fn change(&mut self, line: &Line<'_>, number: usize) -> Option<&mut Change> {
        let Edit { step, index, .. } = line.changes.get(number)?;
        self.plan.steps.get_mut(*step)?.changes.get_mut(*index)
    }
}

/// The records before the first step; none where there are none.
fn before(line: &Line<'_>) -> Result<Option<Records>, ApplyError> {
    let kind = line.question.record_type;
    // All that the plan does not name.
    let foreign = |rrset: Option<&RrSet>| {
        let mut left = rrset.map(|rrset| rrset.records().clone());
        for Edit { change, .. } in &line.changes {
            for named in [&change.remove, &change.add] {
                left = edited(kind, [left.as_ref(), named.as_ref(), None])?;
            }
        }
        Ok(left)
    };
    let (then, now) = (foreign(line.then)?, foreign(line.now)?);
    let named = edited(kind, [line.then.map(RrSet::records), then.as_ref(), None])?;
    edited(kind, [now.as_ref(), None, named.as_ref()])
}

/// Lets nothing be there, for as long as either evidence says that it may be remembered.
fn withhold(evidence: &mut Snapshot, question: &Question, [then, now]: [&Snapshot; 2]) {
    let is_absent =
        matches!(evidence.answer(&question.name, question.record_type), Answer::NoData | Answer::NxDomain);
    // A wildcard that answers there still does: whatever changes below one is not judged.
    let synthesised = published(now, question).is_some() && now.wildcard(&question.name).is_some();
    let ((before, said), (after, says)) = (absence(then, question), absence(now, question));
    if synthesised || is_absent && before <= after {
        return;
    }
    let quality = match before.cmp(&after) {
        Ordering::Less => says,
        Ordering::Equal => said.max(says),
        Ordering::Greater => said,
    };
    evidence.withhold(question, before.max(after), quality);
}

/// How long absence may be remembered by what the evidence says, in seconds, and who says it.
fn absence(evidence: &Snapshot, question: &Question) -> (Option<u32>, Quality) {
    let listed = evidence.negative(&question.name, question.record_type);
    let above = question.name.ancestors().skip(1).filter_map(|name| evidence.nonexistence(&name)?.0);
    let by_zone = negative_ttl(evidence, &question.name);
    let ttl = listed.and_then(|(ttl, _)| ttl).into_iter().chain(above).chain(by_zone).max();
    let authoritative = by_zone.is_some() || listed.is_some_and(|(_, said)| said == Quality::Authoritative);
    (ttl, if authoritative { Quality::Authoritative } else { Quality::Cached })
}
