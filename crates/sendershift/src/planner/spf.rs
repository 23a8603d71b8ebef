//! Edits of SPF records: terms come in and go out, and the result is compared with what there was.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, Texts, seen, slug, step};
use super::facts::{Facts, spf_domain};
use super::zone::{Wish, Zone};
use crate::dns::{Evidence, Overlay, RecordType, Records, Txt};
use crate::error::Error;
use crate::migration::Source;
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::StepKind;
use crate::spf::{Mechanism, Policy, Spent, SpfRecord, SpfResult, TermKind};

/// Octets that a record and its name should have at most (RFC 7208 section 3.4).
const MAX_OCTETS: usize = 450;

/// What is published at a name.
pub(super) enum Current {
    Nothing,
    Record(Txt, SpfRecord),
    /// Several records, or one that cannot be read: a person has to say what is meant.
    Broken(String),
    Alias(DomainName),
}

pub(super) fn current(zone: &Zone<'_>, name: &DomainName) -> Current {
    if let Some(target) = zone.alias(name) {
        return Current::Alias(target);
    }
    let Some(rrset) = zone.get(name, RecordType::Txt) else { return Current::Nothing };
    let records: Vec<&Txt> = rrset.texts().iter().filter(|text| SpfRecord::is_spf(text.octets())).collect();
    match records.as_slice() {
        [] => Current::Nothing,
        [text] => match text.text().parse() {
            Ok(record) => Current::Record((*text).clone(), record),
            Err(error) => Current::Broken(format!("the record cannot be read: {error}")),
        },
        several => Current::Broken(format!("there are {} SPF records, which is an error", several.len())),
    }
}

/// The terms that authorise a source in new records: its own, else its include and what that does not list, else
/// its addresses as the fewest networks.
pub(super) fn terms_of(facts: &Facts<'_>, source: &Source) -> Result<Vec<String>, Error> {
    if !source.publish.is_empty() {
        return Ok(source.publish.clone());
    }
    let listed = match &source.include {
        Some(include) => facts.policy(facts.known, include, &AddressSet::all())?,
        None => None,
    };
    let listed =
        listed.map_or_else(AddressSet::empty, |policy: Policy| policy.intended().always(SpfResult::Pass));
    let mut terms: Vec<String> = source.addresses.difference(&listed).cover().iter().map(network).collect();
    terms.extend(source.include.iter().map(|include| format!("include:{include}")));
    Ok(terms)
}

fn network(net: &ipnet::IpNet) -> String {
    let (name, whole) = match net {
        ipnet::IpNet::V4(_) => ("ip4", 32),
        ipnet::IpNet::V6(_) => ("ip6", 128),
    };
    if net.prefix_len() == whole { format!("{name}:{}", net.addr()) } else { format!("{name}:{net}") }
}

/// Where added terms stand.
#[derive(Clone, Copy)]
enum Place {
    BeforeAll,
    Front,
}

/// The text of a record with terms added. A parked record and none at all give way to a new one.
fn with_terms(record: Option<&SpfRecord>, terms: &[String], place: Place) -> String {
    let Some(record) = record.filter(|record| !is_parked(record)) else {
        return format!("v=spf1 {} ~all", terms.join(" "));
    };
    let mut written: Vec<&str> = record.terms().iter().map(|term| record.written(term)).collect();
    let at = match place {
        Place::Front => 0,
        Place::BeforeAll => {
            let ends = |kind: &TermKind| match kind {
                TermKind::Directive(directive) => directive.mechanism == Mechanism::All,
                TermKind::Modifier(_) => true,
            };
            let all = record.terms().iter().position(|term| {
                matches!(&term.kind, TermKind::Directive(directive) if directive.mechanism == Mechanism::All)
            });
            all.or_else(|| record.terms().iter().position(|term| ends(&term.kind))).unwrap_or(written.len())
        }
    };
    let new: Vec<&str> = terms.iter().map(String::as_str).filter(|term| !has_term(record, term)).collect();
    let at = at.min(written.len());
    written.splice(at..at, new);
    format!("v=spf1 {}", written.join(" "))
}

/// The text of a record without terms; none where none of them is there.
pub(super) fn without_terms(record: &SpfRecord, terms: &BTreeSet<String>) -> Option<String> {
    let gone = |written: &str| terms.iter().any(|term| same_term(term, written));
    let kept: Vec<&str> =
        record.terms().iter().map(|term| record.written(term)).filter(|term| !gone(term)).collect();
    (kept.len() < record.terms().len())
        .then(|| ["v=spf1"].into_iter().chain(kept).collect::<Vec<_>>().join(" "))
}

fn same_term(one: &str, two: &str) -> bool {
    let read = |term: &str| format!("v=spf1 {}", term.trim_start_matches('+')).parse::<SpfRecord>();
    match (read(one), read(two)) {
        (Ok(one), Ok(two)) => one.terms() == two.terms(),
        _ => false,
    }
}

pub(super) fn has_term(record: &SpfRecord, term: &str) -> bool {
    record.terms().iter().any(|there| same_term(term, record.written(there)))
}

/// Whether a record says that nothing is sent: no mechanism but `all`.
fn is_parked(record: &SpfRecord) -> bool {
    record.redirect().is_none()
        && record.directives().all(|(_, directive)| directive.mechanism == Mechanism::All)
}

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
            let required = fate.needs_spf() && (!temporary || moved.passes_today);
            let named = draft
                .facts
                .migration
                .sources
                .iter()
                .filter(|source| delivered_by.sources.contains(&source.id));
            for source in named {
                let of_domain = needs.entry(domain.clone()).or_default();
                match of_domain.iter_mut().find(|need| need.source.id == source.id) {
                    Some(need) => {
                        need.temporary &= temporary;
                        need.required |= required;
                    }
                    None => of_domain.push(Need { source, temporary, required }),
                }
            }
        }
    }
    Ok(needs)
}

/// A record that could be published.
struct Proposal {
    wish: Wish,
    text: String,
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
        if open.is_empty() {
            continue;
        }
        let Some(ours) = draft.ours(&domain) else {
            for need in open {
                let message = format!(
                    "does not authorise source `{}`, and is not a domain of the migration",
                    need.source.id
                );
                if need.required {
                    draft.blocker("plan.not-our-domain", domain.as_str(), message);
                } else {
                    draft.finding(
                        "plan.spf-left-alone",
                        domain.as_str(),
                        format!("{message}; the messages are authenticated by DKIM"),
                    );
                }
            }
            continue;
        };
        let record = match current(&draft.zone, &domain) {
            Current::Nothing => None,
            Current::Record(text, record) => Some((text, record)),
            Current::Broken(why) => {
                draft.blocker("plan.broken-spf", domain.as_str(), why);
                continue;
            }
            Current::Alias(target) => {
                let message = format!("is an alias for {target}, so no SPF record can be published there");
                draft.blocker("plan.alias-in-the-way", domain.as_str(), message);
                continue;
            }
        };
        let permanent = |need: &&Need<'_>| need.required || !need.temporary;
        let least: Vec<Need<'_>> = open.iter().filter(permanent).copied().collect();
        let mut reason = String::new();
        let mut chosen = None;
        for wanted in [&open, &least] {
            if wanted.is_empty() || chosen.is_some() {
                continue;
            }
            match propose(draft, &domain, ours.ttl, record.as_ref(), wanted)? {
                Ok(proposal) => chosen = Some((proposal, wanted)),
                Err(why) => reason = why,
            }
        }
        let Some((proposal, chosen)) = chosen else {
            if least.is_empty() {
                draft.finding("plan.queued-mail-by-dkim", domain.as_str(), format!("cannot take the sources of the other identity as well, even for the time of the move: {reason}. Messages that cross over are authenticated by DKIM alone"));
            } else {
                draft.blocker("plan.spf-does-not-fit", domain.as_str(), reason);
            }
            continue;
        };
        for need in chosen.iter().filter(|need| need.temporary) {
            let terms = terms_of(draft.facts, need.source)?;
            let fresh = terms
                .into_iter()
                .filter(|term| record.as_ref().is_none_or(|(_, record)| !has_term(record, term)));
            draft.temporary.entry(domain.clone()).or_default().extend(fresh);
        }
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
        let verb = if record.is_some() { "Extend" } else { "Publish" };
        let texts = Texts {
            title: format!("{verb} the SPF record of {domain}"),
            why,
            done_when: seen(&changes),
            abort_when: format!("{domain} has another SPF record by then: two records are an error (RFC 7208 section 4.5)"),
            undo: "Publish the old record again. Before any stream uses it that can be done at once; afterwards move the streams back first, and wait for the queue to empty.".to_owned(),
        };
        let id = format!("publish-spf-{}", slug(&domain));
        let mut step = step(id, StepKind::Dns, ("prepare", "dns team"), texts);
        step.changes = changes;
        draft.add(step);
        let _ = proposal.text;
    }
    Ok(())
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
        let added = match text
            .parse::<SpfRecord>()
            .and_then(|_| Txt::from_text(&text).map_err(crate::error::Invalid::one))
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
                    None => return Ok(Ok(Proposal { wish, text, octets, before, after })),
                    Some(ip) => reason = format!("with the record `{text}` SPF does not pass for {ip}"),
                }
            }
        }
    }
    Ok(Err(reason))
}

/// The world with one wish fulfilled.
pub(super) fn overlay<'z>(zone: &'z Zone<'_>, wish: &Wish) -> Overlay<&'z dyn Evidence> {
    let mut overlay = Overlay::new(&zone.world as &dyn Evidence);
    if let Some(change) = zone.change(wish) {
        match change.apply(zone.get(&wish.name, change.record_type).as_ref()) {
            Ok(Some(rrset)) => overlay.publish(&wish.name, rrset),
            _ => overlay.remove(&wish.name, change.record_type),
        }
    }
    overlay
}

/// What the record costs before and after, and how large it is, if all of that is within limits or no worse than today.
fn fits(draft: &Draft<'_>, wish: &Wish) -> Result<Result<(Spent, Spent, usize), String>, Error> {
    let (facts, domain) = (draft.facts, &wish.name);
    let overlay = overlay(&draft.zone, wish);
    let before = facts.worst(&draft.zone.world, domain)?.unwrap_or_default();
    let after = facts.worst(&overlay, domain)?.unwrap_or_default();
    let reserve = facts.migration.reserve;
    for profile in facts.profiles() {
        let limits = [
            ("lookups", after.lookups, before.lookups, profile.lookups.saturating_sub(reserve)),
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
        crate::dns::Answer::Records(rrset) => rrset.size(domain),
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
