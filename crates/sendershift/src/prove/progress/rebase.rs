//! The plan on today's evidence: all its steps, and what DNS says now of everything else.

use super::line::{Edit, Line, published, texts};
use crate::dns::{Answer, Evidence as _, Quality, Question, RecordType, Records, RrSet, Snapshot, authority};
use crate::plan::{ApplyError, Change, Plan, Remark, Undo, edited};
use crate::prove::world::{absence, positive_ttl};

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
        let today = Plan { evidence: now.clone(), ..plan.clone() };
        // What an alias says of all other types is said once that is there, or gone.
        absent.sort_by_key(|question| question.record_type != RecordType::Cname);
        for question in &absent {
            withhold(&mut evidence, question, [plan, &today]);
        }
        evidence.deny(absent.iter().map(|question| &question.name), &plan.evidence);
        // Publishing a name ends what its denial said of those below it.
        for question in plan.evidence.answered() {
            let denied =
                matches!(now.answer(&question.name, question.record_type), Answer::NoData | Answer::NxDomain);
            if denied && evidence.answer(&question.name, question.record_type) == Answer::Unknown {
                let (ttl, is_assumed) = absence(&today, &question);
                evidence.withhold(&question, Some(seconds(ttl)), quality(is_assumed));
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
        // Not begun, it has the TTL of now, if that is longer than what it may have had: caches may know either. Of a longer one it counts
        // who says it, as what a cache says is only what remained.
        let (lasts, _) = positive_ttl(&self.plan, &line.question.name, &rrset);
        let longer = line
            .now
            .filter(|now| line.possible.contains(&0) && now.ttl().is_some_and(|ttl| u64::from(ttl) > lasts));
        Some(match longer {
            Some(now) => RrSet::new(rrset.records().clone(), now.ttl(), now.quality()),
            None => rrset,
        })
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
        let ceiling = seconds(self.plan.parameters.ttl_ceiling);
        for number in line.possible.iter().filter_map(|done| done.checked_sub(1)) {
            let Some(change) = self.change(line, number) else { continue };
            let Some(told) = change.ttl_after.filter(|told| *told < now.1) else { continue };
            // What a cache has of it is what remained.
            let now = if now.0 == Quality::Authoritative { now.1 } else { now.1.max(ceiling) };
            change.ttl_after = Some(now);
            if let Some(next) = self.change(line, number + 1).filter(|next| next.ttl_before == Some(told)) {
                next.ttl_before = Some(now);
            }
            if let Some(undo) = self.undo(line, number).filter(|undo| undo.ttl_before == Some(told)) {
                undo.ttl_before = Some(now);
            }
            // What brings it back may get the longer one, too.
            if let Some(undo) = self.undo(line, number + 1).filter(|undo| undo.ttl_after == Some(told)) {
                undo.ttl_after = Some(now);
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

    /// What takes one of the changes of an RRset back first, to be edited.
    fn undo(&mut self, line: &Line<'_>, number: usize) -> Option<&mut Change> {
        let Edit { step, .. } = line.changes.get(number)?;
        let Undo::Steps(steps) = &mut self.plan.steps.get_mut(*step)?.undo else { return None };
        let Question { name, record_type } = &line.question;
        let mut changes = steps.iter_mut().flat_map(|step| &mut step.changes);
        changes.find(|change| change.name == *name && change.record_type == *record_type)
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

/// Lets nothing be there, for as long as either evidence lets it be remembered.
fn withhold(evidence: &mut Snapshot, question: &Question, [then, today]: [&Plan; 2]) {
    let now = &today.evidence;
    let is_absent =
        matches!(evidence.answer(&question.name, question.record_type), Answer::NoData | Answer::NxDomain);
    // A wildcard that answers there still does: whatever changes below one is not judged.
    let synthesised = published(now, question).is_some() && now.wildcard(&question.name).is_some();
    let (before, after) = (absence(then, question), absence(today, question));
    let longest = if after.1 && is_consistent([&then.evidence, now], question, before.0) {
        before
    } else {
        before.max(after)
    };
    // What today's evidence says by itself needs no saying.
    if !(synthesised || is_absent && after == longest) {
        evidence.withhold(question, Some(seconds(longest.0)), quality(longest.1));
    }
}

/// Whether what caches say today of absence fits what was known of it, in seconds: that it is not what the servers say makes no longer one
/// likely.
fn is_consistent([then, now]: [&Snapshot; 2], question: &Question, known: u64) -> bool {
    let fits = |ttl: Option<u32>| u64::from(ttl.unwrap_or(0)) <= known;
    let is_listed_longer =
        now.negative(&question.name, question.record_type).is_some_and(|(ttl, _)| !fits(ttl));
    let soa = |evidence| authority(evidence, &question.name);
    !is_listed_longer
        && match (soa(then), soa(now)) {
            (None, None) => true,
            (was, Some((zone, is, rrset))) => {
                let is_same = was.is_some_and(|(of, was, _)| of == zone && was.minimum == is.minimum);
                fits(Some(is.minimum)) || is_same && fits(rrset.ttl())
            }
            (Some(_), None) => false,
        }
}

fn seconds(ttl: u64) -> u32 {
    u32::try_from(ttl).unwrap_or(u32::MAX)
}

fn quality(is_assumed: bool) -> Quality {
    if is_assumed { Quality::Cached } else { Quality::Authoritative }
}
