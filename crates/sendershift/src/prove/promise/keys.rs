//! P4 for DKIM: a key is there as long as somebody signs with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::dkim::KeyRecord;
use crate::dns::{Evidence, RecordType, Resolved, resolve};
use crate::name::DomainName;
use crate::plan::Plan;
use crate::plan::timeline::Event;
use crate::prove::aliases::Aliases;
use crate::prove::binding::{Context, Span, spans};
use crate::prove::proof::Counterexample;
use crate::prove::users::followed;
use crate::prove::world::Flux;

/// P4 for DKIM: once all is done there is no key that the plan published and that nothing is signed with.
pub(in crate::prove) fn key_left_behind(plan: &Plan, flux: &Flux) -> Option<Counterexample> {
    if !flux.stuck.is_empty() {
        return None;
    }
    let last = flux.last_era(plan);
    let mut used: BTreeSet<DomainName> = BTreeSet::new();
    for stream in &plan.streams {
        let stays = spans(plan, flux, stream).into_iter().filter(|(_, span)| span.stop.is_none());
        for signature in stays.flat_map(|(identity, _)| &identity.dkim) {
            used.extend(
                signature.selector.key_name(&signature.domain).iter().flat_map(|name| followed(&last, name)),
            );
        }
    }
    changed(plan).into_iter().filter(|name| !used.contains(*name)).find_map(|name| {
        let before = keys(&plan.evidence, name);
        keys(&last, name).into_iter().find(|key| !before.contains(key))?;
        let story = format!("Once all steps are done, {name} has a DKIM key that the plan published, and nothing is signed with it.");
        Some(Counterexample::of_name("p4.key-left-behind", name.clone(), story))
    })
}

/// P4 for DKIM: a key that one of the steps from `from` on publishes is there for an identity that is still in use then, or will be.
pub(in crate::prove) fn key_for_nobody(
    (plan, flux, timeline): Context<'_>,
    from: usize,
) -> Option<Counterexample> {
    let mut uses: BTreeMap<DomainName, Vec<Span>> = BTreeMap::new();
    for stream in &plan.streams {
        for (identity, span) in spans(plan, flux, stream) {
            for name in identity.dkim.iter().filter_map(|of| of.selector.key_name(&of.domain).ok()) {
                flux.each_era(plan, |era| {
                    for read in followed(era, &name) {
                        let of_name = uses.entry(read).or_default();
                        if !of_name.contains(&span) {
                            of_name.push(span);
                        }
                    }
                });
            }
        }
    }
    let horizon = plan.parameters.signature_lifetime.max(plan.parameters.queue_lifetime);
    let horizon = i64::try_from(horizon).unwrap_or(i64::MAX);
    let is_over = |span: &Span, step: usize| {
        let since = span.stop.and_then(|stop| timeline.distance(Event::Done(stop), Event::Start(step)));
        since.is_some_and(|since| since >= horizon)
    };
    changed(plan).into_iter().find_map(|name| {
        let today = keys(&plan.evidence, name);
        let mut before = BTreeSet::new();
        let mut found = None;
        flux.each_era(plan, |era| {
            let there = keys(era, name);
            let new = there.iter().any(|key| !today.contains(key) && !before.contains(key));
            before = there;
            let needed =
                |step| uses.get(name).is_some_and(|uses| uses.iter().any(|span| !is_over(span, step)));
            found = found.or(era.begun_by().filter(|step| *step >= from && new && !needed(*step)));
        });
        let id = &plan.steps.get(found?)?.id;
        let story = format!(
            "Step `{id}` publishes a DKIM key at {name}, and no identity that is in use then, or later, signs with it: as long as it is there, whoever holds its private half signs for that domain."
        );
        Some(Counterexample::of_name("p4.key-for-nobody", name.clone(), story))
    })
}

/// The names at which a key is looked for and that lead to what the plan changes.
fn changed(plan: &Plan) -> BTreeSet<&DomainName> {
    let changes = plan.steps.iter().flat_map(|step| &step.changes);
    let changes = changes.filter(|change| matches!(change.record_type, RecordType::Txt | RecordType::Cname));
    let mut names = Aliases::new(plan).leading_to(changes.map(|change| &change.name));
    names.retain(|name| name.labels().any(|label| label == "_domainkey"));
    names
}

/// The keys at a name that are not revoked.
fn keys(evidence: &dyn Evidence, name: &DomainName) -> BTreeSet<String> {
    let Resolved::Records(rrset) = resolve(evidence, name, RecordType::Txt) else { return BTreeSet::new() };
    let records = rrset.texts().iter().filter_map(|text| KeyRecord::parse(text.octets()).ok());
    let valid = records.filter(|record| !record.is_revoked());
    valid
        .map(|record| record.tags().find(|(tag, _)| *tag == "p").map_or("", |(_, key)| key).to_owned())
        .collect()
}
