//! The SPF records that the moving streams need: which sources have to pass where, and the records that let them.

use std::collections::BTreeMap;

use super::draft::{Draft, Texts, seen, slug, step, words};
use super::facts::{Facts, spf_domain, worst};
use super::spf::{Current, Place, current, has_term, is_parked, overlay, terms_of, with_terms};
use super::zone::Wish;
use crate::dns::{Answer, Evidence, RecordType, Records, Txt};
use crate::error::{Error, Invalid};
use crate::migration::Source;
use crate::name::DomainName;
use crate::plan::{Identity, StepKind};
use crate::spf::{Spent, SpfRecord};

/// Octets that a record and its name should have at most (RFC 7208 section 3.4).
const MAX_OCTETS: usize = 450;

/// What one stream needs of the SPF record of a domain.
#[derive(Clone, Copy)]
pub(super) struct Need<'m> {
    source: &'m Source,
    /// Only while messages of the old and the new identity are mixed.
    temporary: bool,
    /// Whether the plan is not safe without it.
    required: bool,
}

/// What the moving streams need, by domain.
pub(super) fn needs<'m>(draft: &Draft<'m>) -> Result<BTreeMap<DomainName, Vec<Need<'m>>>, Error> {
    let mut needs: BTreeMap<DomainName, Vec<Need<'m>>> = BTreeMap::new();
    let world = &draft.zone.world;
    for moved in &draft.moves {
        let (now, then) = (&moved.stream.now, moved.then);
        for (identity, delivered_by, temporary) in [(then, then, false), (now, then, true), (then, now, true)]
        {
            let Some(domain) = spf_domain(identity, delivered_by) else { continue };
            let fate = draft.facts.fate(world, moved.stream, identity, delivered_by)?;
            if temporary && !fate.spf_aligned {
                // The null sender under a foreign HELO name: SPF cannot help.
                continue;
            }
            let required = fate.needs_spf() && (!temporary || moved.some_pass_today);
            let of_domain = needs.entry(domain.clone()).or_default();
            sources(draft, delivered_by)
                .for_each(|source| join(of_domain, Need { source, temporary, required }));
        }
    }
    greetings(draft, &mut needs);
    Ok(needs)
}

/// A record at a HELO name is about all who greet with it, whatever their MAIL FROM is (RFC 7208 section 2.3): whom it does not list it refuses.
fn greetings<'m>(draft: &Draft<'m>, needs: &mut BTreeMap<DomainName, Vec<Need<'m>>>) {
    for stream in &draft.facts.migration.streams {
        for (identity, comes) in [(Some(&stream.now), false), (stream.then.as_ref(), true)] {
            let Some((identity, helo)) = identity.and_then(|it| Some((it, it.helo.as_ref()?))) else {
                continue;
            };
            let is_published = matches!(current(&draft.zone, helo), Current::Record(..));
            if !(needs.contains_key(helo) || comes && is_published) {
                continue;
            }
            let of_domain = needs.entry(helo.clone()).or_default();
            let temporary = !comes && stream.then.is_some();
            let need = |source| Need { source, temporary, required: true };
            sources(draft, identity).for_each(|source| join(of_domain, need(source)));
        }
    }
}

fn sources<'m>(draft: &Draft<'m>, identity: &Identity) -> impl Iterator<Item = &'m Source> {
    draft.facts.migration.sources.iter().filter(|source| identity.sources.contains(&source.id))
}

fn join<'m>(of_domain: &mut Vec<Need<'m>>, need: Need<'m>) {
    match of_domain.iter_mut().find(|known| known.source.id == need.source.id) {
        Some(known) => {
            known.temporary &= need.temporary;
            known.required |= need.required;
        }
        None => of_domain.push(need),
    }
}

/// A record that could be published.
struct Proposal {
    wish: Wish,
    octets: usize,
    before: Spent,
    after: Spent,
}

/// Publishes or extends the SPF records that the moving streams need.
pub(super) fn publish(draft: &mut Draft<'_>) -> Result<(), Error> {
    for (domain, needs) in needs(draft)? {
        let mut open = Vec::new();
        for need in needs {
            let addresses = draft.facts.addresses([&need.source.id]);
            if !draft.facts.spf(&draft.zone.world, &domain, &addresses)?.0 {
                open.push(need);
            }
        }
        if !open.is_empty() {
            authorise(draft, &domain, &open)?;
        }
    }
    Ok(())
}

/// Lets the record of one domain authorise sources.
fn authorise<'m>(draft: &mut Draft<'m>, domain: &DomainName, open: &[Need<'m>]) -> Result<(), Error> {
    let Some(ours) = draft.ours(domain) else {
        not_ours(draft, domain, open);
        return Ok(());
    };
    let record = match current(&draft.zone, domain) {
        Current::Nothing => None,
        Current::Record(text, record) => Some((text, record)),
        Current::Broken(why) => {
            draft.blocker("plan.broken-spf", domain.as_str(), why);
            return Ok(());
        }
        Current::Alias(target) => {
            let message = format!("is an alias for {target}, so no SPF record can be published there");
            draft.blocker("plan.alias-in-the-way", domain.as_str(), message);
            return Ok(());
        }
    };
    let record = record.as_ref();
    // What is only good to have is left out where the rest does not fit with it.
    let least: Vec<Need<'m>> = open.iter().filter(|need| need.required || !need.temporary).copied().collect();
    let (proposal, chosen) = match propose(draft, domain, ours.ttl, record, open)? {
        Ok(proposal) => (proposal, open),
        Err(reason) => {
            let second = if least.len() == open.len() || least.is_empty() {
                Err(reason.clone())
            } else {
                propose(draft, domain, ours.ttl, record, &least)?
            };
            if second.is_ok() || least.is_empty() {
                let message = format!(
                    "cannot take the sources of the other identity as well, even for the time of the move: {reason}. Messages that cross over are authenticated by DKIM alone"
                );
                draft.finding("plan.queued-mail-by-dkim", domain.as_str(), message);
            }
            match second {
                Ok(proposal) => (proposal, least.as_slice()),
                Err(reason) => {
                    if !least.is_empty() {
                        draft.blocker("plan.spf-does-not-fit", domain.as_str(), reason);
                    }
                    return Ok(());
                }
            }
        }
    };
    for need in chosen.iter().filter(|need| need.temporary) {
        let mut terms = terms_of(draft.facts, need.source)?;
        terms.retain(|term| record.is_none_or(|(_, record)| !has_term(record, term)));
        draft.temporary.entry(domain.clone()).or_default().extend(terms);
    }
    add(draft, domain, record, chosen, proposal);
    Ok(())
}

fn not_ours(draft: &mut Draft<'_>, domain: &DomainName, open: &[Need<'_>]) {
    for need in open {
        let source = &need.source.id;
        let message = format!("does not authorise source `{source}`, and is not a domain of the migration");
        if need.required {
            draft.blocker("plan.not-our-domain", domain.as_str(), message);
        } else {
            let message = format!("{message}; the messages are authenticated by DKIM");
            draft.finding("plan.spf-left-alone", domain.as_str(), message);
        }
    }
}

/// Adds the step that publishes a proposal.
fn add(
    draft: &mut Draft<'_>,
    domain: &DomainName,
    record: Option<&(Txt, SpfRecord)>,
    chosen: &[Need<'_>],
    proposal: Proposal,
) {
    let names: Vec<String> = chosen.iter().map(|need| format!("`{}`", need.source.id)).collect();
    let crossing = if chosen.iter().any(|need| need.temporary) {
        " While streams move, queued messages leave by the sources of the old and of the new identity alike, so both are authorised."
    } else {
        ""
    };
    let why = format!(
        "SPF is checked for this domain (RFC 7208 section 2.4) and has to pass for {} before the first message relies on it.{crossing} The record costs {} of {} lookups at worst ({} before) and {} octets.",
        names.join(", "),
        proposal.after.lookups,
        lookup_limit(draft.facts),
        proposal.before.lookups,
        proposal.octets,
    );
    let changes = draft.changes(&[proposal.wish]);
    let verb = match record {
        None => "Publish",
        Some((_, record)) if is_parked(record) => "Put to use",
        Some(_) => "Extend",
    };
    let back = words(draft.zone.lasting(&changes));
    let queue = words(draft.facts.migration.parameters.queue_lifetime);
    let texts = Texts {
        title: format!("{verb} the SPF record of {domain}"),
        why,
        done_when: seen(&changes),
        abort_when: format!(
            "{domain} has another SPF record by then: two records are an error (RFC 7208 section 4.5)"
        ),
        undo: format!(
            "Publish again what was there before. As long as no stream uses it, that can be done at once, but this one may be seen for {back} more. Afterwards move the streams back first and wait {queue} for the queues to drain."
        ),
    };
    let mut step =
        step(format!("publish-spf-{}", slug(domain)), StepKind::Dns, ("prepare", "dns team"), texts);
    step.changes = changes;
    draft.add(step);
}

/// The least limit of lookups of all kinds of receivers.
fn lookup_limit(facts: &Facts<'_>) -> u32 {
    facts.profiles().iter().map(|profile| profile.lookups).min().unwrap_or(10)
}

/// The record with the terms of the sources, or why there is none.
fn propose(
    draft: &Draft<'_>,
    domain: &DomainName,
    ttl: u32,
    record: Option<&(Txt, SpfRecord)>,
    needs: &[Need<'_>],
) -> Result<Result<Proposal, String>, Error> {
    let facts = draft.facts;
    let mut terms: Vec<String> = Vec::new();
    for need in needs {
        for term in terms_of(facts, need.source)? {
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
    }
    // Terms that cost no lookup decide first.
    terms.sort_by_key(|term| !(term.starts_with("ip4:") || term.starts_with("ip6:")));
    let addresses = facts.addresses(needs.iter().map(|need| &need.source.id));
    let mut reason = String::new();
    for place in [Place::BeforeAll, Place::Front] {
        let text = with_terms(record.map(|(_, record)| record), &terms, place);
        let added = match text.parse::<SpfRecord>().and_then(|_| Txt::from_text(&text).map_err(Invalid::one))
        {
            Ok(added) => added,
            Err(error) => return Ok(Err(format!("`{text}` is no SPF record: {error}"))),
        };
        let remove = record.map(|(text, _)| Records::Txt(vec![text.clone()]));
        let wish = Wish { name: domain.clone(), remove, add: Some(Records::Txt(vec![added])), ttl };
        match fits(draft, &wish)? {
            Err(why) => reason = why,
            Ok((before, after, octets)) => {
                let overlay = overlay(&draft.zone, &wish);
                let failing = facts.failing(&overlay, domain, &addresses)?;
                match failing.first() {
                    None => return Ok(Ok(Proposal { wish, octets, before, after })),
                    Some(ip) => reason = format!("with the record `{text}` SPF does not pass for {ip}"),
                }
            }
        }
    }
    Ok(Err(reason))
}

/// What the record costs before and after, and how large it is, if all of that is within limits or no worse than today.
fn fits(draft: &Draft<'_>, wish: &Wish) -> Result<Result<(Spent, Spent, usize), String>, Error> {
    let (facts, domain) = (draft.facts, &wish.name);
    let overlay = overlay(&draft.zone, wish);
    let before = worst(&draft.zone.world, domain)?.unwrap_or_default();
    let after = worst(&overlay, domain)?.unwrap_or_default();
    let reserve = facts.migration.reserve;
    for profile in facts.profiles() {
        let limits = [
            (
                "lookups",
                after.lookups_for(profile),
                before.lookups_for(profile),
                profile.lookups.saturating_sub(reserve),
            ),
            ("void lookups", after.voids_for(profile), before.voids_for(profile), profile.voids),
            ("hosts of an mx term", after.mx_names, before.mx_names, profile.mx_names),
            ("addresses of a mail host", after.mx_addresses, before.mx_addresses, profile.mx_addresses),
        ];
        for (what, after, before, limit) in limits {
            if after > limit.max(before) {
                let kept = if what == "lookups" && reserve > 0 {
                    format!(", with {reserve} kept in reserve")
                } else {
                    String::new()
                };
                return Ok(Err(format!(
                    "the record would take {after} {what} at worst, {limit} are allowed at `{}` receivers{kept} ({before} today)",
                    profile.name
                )));
            }
        }
    }
    let size = |evidence: &dyn Evidence| match evidence.answer(domain, RecordType::Txt) {
        Answer::Records(rrset) => rrset.size(domain),
        _ => 0,
    };
    let (size_before, size_after) = (size(facts.known), size(&overlay));
    if size_after > size_before.max(MAX_OCTETS) {
        return Ok(Err(format!(
            "all TXT records of the name would take {size_after} octets, {} are allowed (RFC 7208 section 3.4)",
            size_before.max(MAX_OCTETS)
        )));
    }
    Ok(Ok((before, after, size_after)))
}
