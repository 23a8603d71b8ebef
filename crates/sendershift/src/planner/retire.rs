//! What only the old identities needed goes, once the last message that relied on it has been judged.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, Texts, last, seen, slug, step, words};
use super::facts::{Fate, spf_domain, worst};
use super::spf::{Current, current, overlay, terms_of, without_terms};
use super::zone::{Wish, covering};
use crate::dns::{Evidence, RecordType, Records, Txt};
use crate::error::{Error, Invalid};
use crate::name::DomainName;
use crate::plan::{After, Signature, StepKind};
use crate::spf::{Leaf, Policy, SpfResult};

/// Takes the terms out of SPF records that authorise sources which no stream uses there any more.
pub(super) fn spf(draft: &mut Draft<'_>) -> Result<(), Error> {
    for (domain, leaving) in leaving(draft) {
        let Some(ours) = draft.ours(&domain) else { continue };
        let Current::Record(text, record) = current(&draft.zone, &domain) else { continue };
        let mut terms: BTreeSet<String> = draft.temporary.get(&domain).cloned().unwrap_or_default();
        for source in
            draft.facts.migration.sources.iter().filter(|source| leaving.contains(source.id.as_str()))
        {
            terms.extend(source.terms.iter().cloned());
        }
        // What a source needs that stays is not taken from it.
        for source in staying(draft, &domain) {
            for term in terms_of(draft.facts, source)? {
                terms.remove(&term);
            }
        }
        let before = fates(draft, &draft.zone.world)?;
        let stays = draft.facts.addresses(staying(draft, &domain).iter().map(|source| &source.id));
        let refused_before = draft.facts.failing(&draft.zone.world, &domain, &stays)?;
        let mut kept = record.clone();
        for term in &terms {
            let Some(shorter) = without_terms(&kept, &BTreeSet::from([term.clone()])) else { continue };
            let Ok(shorter) = shorter.parse() else { continue };
            let Some(wish) = wish(&domain, &text, &shorter, ours.ttl) else { continue };
            let world = overlay(&draft.zone, &wish);
            let after = fates(draft, &world)?;
            // Who greets with the domain is listed for that alone (RFC 7208 section 2.3): no fate tells it.
            let refused = draft.facts.failing(&world, &domain, &stays)?;
            let why = if harms(&before, &after) || !refused.difference(&refused_before).is_empty() {
                "a stream that stays passes by it"
            } else if touches_others(draft, &domain, &wish)? {
                "it decides about addresses that are of no declared source as well"
            } else {
                kept = shorter;
                continue;
            };
            draft.finding(
                "plan.term-stays",
                domain.as_str(),
                format!("`{term}` stays in the SPF record: {why}"),
            );
        }
        let Some(wish) = wish(&domain, &text, &kept, ours.ttl) else { continue };
        let cost = |spent: Option<crate::spf::Spent>| spent.map_or(0, |spent| spent.lookups);
        let lookups_before = cost(worst(&draft.zone.world, &domain)?);
        let lookups_after = cost(worst(&overlay(&draft.zone, &wish), &domain)?);
        let changes = draft.changes(&[wish]);
        if changes.is_empty() {
            continue;
        }
        let texts = Texts {
            title: format!("Take what has moved away out of the SPF record of {domain}"),
            why: format!(
                "No message that relies on these terms is in a queue any more (RFC 5321 section 4.5.4.1). The record costs {lookups_after} lookups at worst afterwards, {lookups_before} before."
            ),
            done_when: seen(&changes),
            abort_when: format!("aggregate reports about {domain} still show mail from the sources that go"),
            undo: format!(
                "Publish the old record again, and let nothing rely on it before {} have passed: so long the shorter one may be seen.",
                words(draft.zone.lasting(&changes))
            ),
        };
        let mut shrink =
            step(format!("shrink-spf-{}", slug(&domain)), StepKind::Dns, ("retire", "dns team"), texts);
        shrink.changes = changes;
        shrink.after = after_moves(draft, draft.facts.migration.parameters.queue_lifetime, |moved| {
            [
                (&moved.stream.now, &moved.stream.now),
                (&moved.stream.now, moved.then),
                (moved.then, &moved.stream.now),
            ]
            .into_iter()
            .any(|(identity, delivered_by)| {
                [spf_domain(identity, delivered_by), delivered_by.helo.as_ref()].contains(&Some(&domain))
            })
        });
        draft.add(shrink);
    }
    Ok(())
}

fn wish(domain: &DomainName, text: &Txt, record: &crate::spf::SpfRecord, ttl: u32) -> Option<Wish> {
    let new = Txt::from_text(record.text()).ok()?;
    (new.octets() != text.octets()).then(|| Wish {
        name: domain.clone(),
        remove: Some(Records::Txt(vec![text.clone()])),
        add: Some(Records::Txt(vec![new])),
        ttl,
    })
}

/// For each domain, the sources that are used there now and not in the end.
fn leaving<'m>(draft: &Draft<'m>) -> BTreeMap<DomainName, BTreeSet<&'m str>> {
    let mut leaving: BTreeMap<DomainName, BTreeSet<&str>> = BTreeMap::new();
    for moved in &draft.moves {
        let now = &moved.stream.now;
        for (identity, delivered_by) in [(now, now), (now, moved.then), (moved.then, now)] {
            if let Some(domain) = spf_domain(identity, delivered_by) {
                leaving
                    .entry(domain.clone())
                    .or_default()
                    .extend(delivered_by.sources.iter().map(String::as_str));
            }
        }
    }
    for (domain, sources) in &mut leaving {
        for source in staying(draft, domain) {
            sources.remove(source.id.as_str());
        }
    }
    leaving
}

/// The sources that are used at a domain in the end.
fn staying<'m>(draft: &Draft<'m>, domain: &DomainName) -> Vec<&'m crate::migration::Source> {
    let streams = &draft.facts.migration.streams;
    let used: BTreeSet<&String> = streams
        .iter()
        .map(last)
        .filter(|last| [spf_domain(last, last), last.helo.as_ref()].contains(&Some(domain)))
        .flat_map(|last| &last.sources)
        .collect();
    draft.facts.migration.sources.iter().filter(|source| used.contains(&source.id)).collect()
}

/// Whether a record would say something else of addresses from which no declared mail of the domain comes: an include may list more than
/// the source that it stands for.
fn touches_others(draft: &Draft<'_>, domain: &DomainName, wish: &Wish) -> Result<bool, Error> {
    let mut declared: BTreeSet<&String> = BTreeSet::new();
    for stream in &draft.facts.migration.streams {
        let identities = || [Some(&stream.now), stream.then.as_ref()].into_iter().flatten();
        for (identity, delivered_by) in
            identities().flat_map(|one| identities().map(move |other| (one, other)))
        {
            let names =
                [Some(&identity.author_domain), identity.mail_from.as_ref(), delivered_by.helo.as_ref()];
            if names.contains(&Some(domain)) {
                declared.extend(&delivered_by.sources);
            }
        }
    }
    let others = draft.facts.addresses(declared).complement();
    let before = Policy::compile(&draft.zone.world, domain)?;
    let after = Policy::compile(&overlay(&draft.zone, wish), domain)?;
    let classes = after.beside(&before, &others).map_err(Invalid::one)?;
    let differ = |(leaf, was): &(Leaf, Leaf)| leaf.result != was.result && was.result != SpfResult::PermError;
    Ok(classes.iter().flat_map(|(_, cases)| cases).any(|case| differ(&case.leaf)))
}

/// How every stream fares in the end.
fn fates(draft: &Draft<'_>, evidence: &dyn Evidence) -> Result<Vec<Fate>, Error> {
    let streams = draft.facts.migration.streams.iter();
    streams
        .map(|stream| {
            let identity = last(stream);
            draft.facts.fate(evidence, stream, identity, identity)
        })
        .collect()
}

fn harms(before: &[Fate], after: &[Fate]) -> bool {
    before.iter().zip(after).any(|(before, after)| {
        (before.spf_passes && !after.spf_passes)
            || (before.within_limits && !after.within_limits)
            || (before.lacks().is_none() && after.lacks().is_some())
    })
}

/// Waits until something is over for every stream that it concerns.
fn after_moves(
    draft: &Draft<'_>,
    seconds: u64,
    concerns: impl Fn(&super::draft::Move<'_>) -> bool,
) -> Vec<After> {
    let mut waits = Vec::new();
    for moved in draft.moves.iter().filter(|moved| concerns(moved)) {
        waits.push(After { step: moved.step.clone(), at_least: covering(seconds) });
        waits.push(After { step: moved.gate.clone(), at_least: 0 });
    }
    waits
}

/// Removes the keys that only moved streams used.
pub(super) fn keys(draft: &mut Draft<'_>) {
    let streams = &draft.facts.migration.streams;
    let staying: BTreeSet<&Signature> = streams.iter().flat_map(|stream| &last(stream).dkim).collect();
    let mut leaving: BTreeMap<DomainName, BTreeSet<Signature>> = BTreeMap::new();
    for signature in draft.moves.iter().flat_map(|moved| &moved.stream.now.dkim) {
        if !staying.contains(signature) {
            leaving.entry(signature.domain.clone()).or_default().insert(signature.clone());
        }
    }
    for (domain, signatures) in leaving {
        let mut wishes = Vec::new();
        for signature in &signatures {
            let Ok(name) = signature.selector.key_name(&domain) else { continue };
            let Some(ours) = draft.ours(&name) else { continue };
            let there =
                [RecordType::Cname, RecordType::Txt].into_iter().find_map(|kind| draft.zone.get(&name, kind));
            let Some(there) = there else { continue };
            wishes.push(Wish { name, remove: Some(there.records().clone()), add: None, ttl: ours.ttl });
        }
        let changes = draft.changes(&wishes);
        if changes.is_empty() {
            continue;
        }
        let texts = Texts {
            title: format!("Remove the DKIM keys of {domain} that nothing is signed with any more"),
            why: "No message with such a signature is judged any more: not in a queue, not in a quarantine behind it.".to_owned(),
            done_when: seen(&changes),
            abort_when: format!("aggregate reports about {domain} still show signatures with these selectors"),
            undo: format!("Publish the same keys again, and sign nothing with them before {} have passed: so long their absence may be remembered (RFC 2308).", words(draft.zone.lasting(&changes))),
        };
        let mut removal =
            step(format!("remove-dkim-{}", slug(&domain)), StepKind::Dns, ("retire", "dns team"), texts);
        removal.changes = changes;
        removal.after = after_moves(draft, draft.facts.migration.parameters.signature_lifetime, |moved| {
            moved.stream.now.dkim.iter().any(|signature| signatures.contains(signature))
        });
        draft.add(removal);
    }
}

/// The end: nothing is in flight and nobody holds an older answer any more. Returns the id, if there is anything to close.
pub(super) fn close(draft: &mut Draft<'_>) -> Option<String> {
    if draft.steps.is_empty() {
        return None;
    }
    let texts = Texts {
        title: "Close the migration".to_owned(),
        why: "The last message of an old identity has been judged, and no cache holds an older record. Addresses, accounts and host names that nothing refers to may be given up from here on, not before.".to_owned(),
        done_when: "every step before is done, and aggregate reports about the old domains show none of the sources that moved away".to_owned(),
        abort_when: "reports still show mail of an identity that was stopped".to_owned(),
        undo: "Nothing to undo.".to_owned(),
    };
    let mut close = step("close".to_owned(), StepKind::Gate, ("close", "mail team"), texts);
    let parameters = &draft.facts.migration.parameters;
    let last_judged = parameters.signature_lifetime.max(parameters.queue_lifetime);
    close.after = draft.zone.all_visible();
    close.after.extend(after_moves(draft, last_judged, |_| true));
    Some(draft.add(close))
}
