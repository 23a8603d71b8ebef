//! Changes of records as lines with `-` and `+`, and what SPF records cost before and after.

use std::collections::{BTreeMap, BTreeSet};

use super::page::Page;
use crate::dns::{Answer, Evidence, Overlay, Question, RecordType, Records, RrSet, Snapshot, Txt};
use crate::name::DomainName;
use crate::net::Family;
use crate::plan::{Change, Plan};
use crate::spf::{Policy, SpfRecord};

/// For each name with an SPF record, the lookups at worst before and after a step.
pub(super) type Costs = BTreeMap<DomainName, [Option<u32>; 2]>;

/// The costs of the SPF records that each step changes, by its index.
pub(super) fn costs(plan: &Plan) -> BTreeMap<usize, Costs> {
    let mut world = Overlay::new(&plan.evidence);
    let mut costs = BTreeMap::new();
    for (at, step) in plan.steps.iter().enumerate() {
        let names: BTreeSet<&DomainName> = step
            .changes
            .iter()
            .filter(|change| change.record_type == RecordType::Txt)
            .map(|change| &change.name)
            .collect();
        let before: Vec<Option<u32>> = names.iter().map(|name| lookups(&world, name)).collect();
        for change in &step.changes {
            apply(&mut world, change);
        }
        let after = names.iter().map(|name| lookups(&world, name));
        let of_step: Costs = names
            .iter()
            .zip(before.iter().zip(after))
            .map(|(name, (before, after))| ((*name).clone(), [*before, after]))
            .collect();
        costs.insert(at, of_step);
    }
    costs
}

fn rrset(evidence: &impl Evidence, name: &DomainName, record_type: RecordType) -> Option<RrSet> {
    match evidence.answer(name, record_type) {
        Answer::Records(rrset) => Some(rrset.clone()),
        _ => None,
    }
}

/// Changes that do not fit what is there are left out.
fn apply(world: &mut Overlay<&Snapshot>, change: &Change) {
    let before = rrset(world, &change.name, change.record_type);
    match change.apply(before.as_ref()) {
        Ok(Some(rrset)) => world.publish(&change.name, rrset),
        Ok(None) => world.remove(&change.name, change.record_type),
        Err(_) => {}
    }
}

/// The lookups at worst; none where there is no SPF record or the evidence does not tell.
fn lookups(evidence: &impl Evidence, name: &DomainName) -> Option<u32> {
    let rrset = rrset(evidence, name, RecordType::Txt)?;
    rrset.texts().iter().find(|text| SpfRecord::is_spf(text.octets()))?;
    let policy = Policy::compile(evidence, name).ok()?;
    Some(policy.worst(Family::V4).lookups.max(policy.worst(Family::V6).lookups))
}

/// One change.
pub(super) fn change(page: &mut Page, change: &Change, costs: Option<&[Option<u32>; 2]>) {
    let ttl = |ttl: Option<u32>| ttl.map_or("-".to_owned(), |ttl| ttl.to_string());
    for (sign, records, seconds) in
        [('-', &change.remove, change.ttl_before), ('+', &change.add, change.ttl_after)]
    {
        for text in records.as_ref().map(texts).unwrap_or_default() {
            page.record(
                &format!("   {sign} "),
                &format!("{} {} {} {text}", change.name, ttl(seconds), change.record_type),
            );
        }
    }
    if change.remove.is_none() && change.add.is_none() {
        page.record(
            "   ~ ",
            &format!(
                "{} {}: TTL {} to {}",
                change.name,
                change.record_type,
                ttl(change.ttl_before),
                ttl(change.ttl_after)
            ),
        );
    }
    let count = |lookups: Option<u32>| lookups.map_or("none".to_owned(), |lookups| lookups.to_string());
    if let Some([before, after]) = costs.filter(|costs| costs.iter().any(Option::is_some)) {
        page.item(
            "     ",
            &format!("SPF lookups at worst: {} before, {} after", count(*before), count(*after)),
        );
    }
}

fn texts(records: &Records) -> Vec<String> {
    // A character-string has at most 255 octets (RFC 1035 section 3.3): longer texts are several.
    let quoted = |text: &Txt| format!("\"{}\"", text.strings().join("\" \""));
    match records {
        Records::Txt(texts) => texts.iter().map(quoted).collect(),
        other => other.to_texts(),
    }
}

/// Every RRset that the plan changes, before the first step and after the last.
pub(super) fn records(page: &mut Page, plan: &Plan) {
    let mut world = Overlay::new(&plan.evidence);
    let mut questions: BTreeSet<Question> = BTreeSet::new();
    for change in plan.steps.iter().flat_map(|step| &step.changes) {
        apply(&mut world, change);
        questions.insert(Question::new(change.name.clone(), change.record_type));
    }
    for Question { name, record_type, .. } in questions {
        page.item("", &format!("{name} {record_type}"));
        for (when, rrset) in [
            ("before", rrset(&plan.evidence, &name, record_type)),
            ("after", rrset(&world, &name, record_type)),
        ] {
            let texts = rrset.as_ref().map(|rrset| texts(rrset.records()));
            let texts = texts.unwrap_or_else(|| vec!["(nothing)".to_owned()]);
            for (number, text) in texts.iter().enumerate() {
                let mark = if number == 0 { format!("  {when:6} ") } else { " ".repeat(9) };
                page.record(&mark, text);
            }
        }
    }
}
