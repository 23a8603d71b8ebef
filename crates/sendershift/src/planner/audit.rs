//! What is wrong today, as far as the migration is concerned.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::facts::{spf_domain, worst};
use super::spf::{Current, current, has_term};
use crate::dkim::{self, KeyState};
use crate::dmarc::{self, Policy};
use crate::dns::{Quality, Question};
use crate::error::Error;
use crate::name::DomainName;
use crate::plan::{Identity, Signature};

/// Looks at what is published today, before any step.
pub(super) fn audit(draft: &mut Draft<'_>) -> Result<(), Error> {
    let facts = draft.facts;
    for stream in &facts.migration.streams {
        let now = &stream.now;
        let fate = facts.fate(facts.known, stream, now, now)?;
        if let Some(why) = fate.lacks() {
            draft.finding("audit.fails-today", &stream.id, format!("is not authenticated today: {why}"));
        } else if stream.spf_only {
            draft.finding(
                "audit.relies-on-spf",
                &stream.id,
                "relies on SPF alone, as declared: forwarding breaks it, and a stricter policy would lose it",
            );
        }
        keys(draft, now);
        if let Some(domain) = spf_domain(now, now) {
            let failing = facts.failing(facts.known, domain, &facts.addresses(&now.sources))?;
            if let Some(ip) = failing.first() {
                let message = format!(
                    "SPF of {domain} does not pass for {} of its addresses today, {ip} for one",
                    failing.count()
                );
                draft.finding("audit.source-not-authorised", &stream.id, message);
            }
        }
    }
    sources(draft);
    spf_records(draft)?;
    policies(draft);
    terms(draft);
    Ok(())
}

/// Keys that mail is signed with today, and that no verifier can use.
fn keys(draft: &mut Draft<'_>, now: &Identity) {
    for Signature { domain, selector, .. } in &now.dkim {
        let why = match dkim::key(draft.facts.known, domain, selector) {
            KeyState::Absent => "mail is signed with a key that is not published here".to_owned(),
            KeyState::Revoked => "mail is signed with a key that is revoked (an empty `p`)".to_owned(),
            KeyState::Testing(_) => {
                "mail is signed with a key in testing (`t=y`): verifiers treat it as unsigned".to_owned()
            }
            KeyState::NotForEmail => "mail is signed with a key that is not for mail (`s`)".to_owned(),
            KeyState::Malformed(invalid) => {
                let problems: Vec<&str> = invalid.problems.iter().map(|it| it.message.as_str()).collect();
                format!("mail is signed with this key, and its record is broken: {}", problems.join("; "))
            }
            KeyState::Usable(_) | KeyState::Failed | KeyState::Unknown => continue,
        };
        if let Ok(name) = selector.key_name(domain) {
            draft.finding("audit.unusable-key", name.as_str(), why);
        }
    }
}

/// Sources whose addresses the evidence does not tell, or not all: nothing can be planned for messages from there.
fn sources(draft: &mut Draft<'_>) {
    let facts = draft.facts;
    for source in &facts.migration.sources {
        let include = source.include.as_ref().map(ToString::to_string).unwrap_or_default();
        if let Some(result) = facts.unread(&source.id) {
            let message = format!(
                "the record of {include} ends in {result} for some addresses, so it does not list all of the source: repair it, or list the addresses"
            );
            draft.blocker("plan.source-unread", &source.id, message);
        }
        if facts.addresses([&source.id]).is_empty() {
            let message = format!("no address of the source is known: {include} lists none for certain");
            draft.blocker("plan.empty-source", &source.id, message);
        } else if facts.is_open(&source.id) {
            let message = format!(
                "{include} lists some of its addresses only for a message at hand: the plan is made for the others"
            );
            draft.finding("audit.source-open", &source.id, message);
        }
    }
}

fn spf_records(draft: &mut Draft<'_>) -> Result<(), Error> {
    let mut domains: BTreeSet<&DomainName> = BTreeSet::new();
    for stream in &draft.facts.migration.streams {
        domains.extend(spf_domain(&stream.now, &stream.now));
    }
    for domain in domains {
        match current(&draft.zone, domain) {
            Current::Nothing => {
                draft.finding("audit.no-spf", domain.as_str(), "has no SPF record");
                continue;
            }
            Current::Broken(why) => draft.finding("audit.broken-spf", domain.as_str(), why),
            Current::Record(..) | Current::Alias(_) => {}
        }
        let Some(spent) = worst(draft.facts.known, domain)? else { continue };
        for profile in draft.facts.profiles() {
            let (lookups, voids) = (spent.lookups_for(profile), spent.voids_for(profile));
            if lookups > profile.lookups {
                draft.finding("audit.too-many-lookups", domain.as_str(), format!("its SPF record takes {lookups} lookups at worst, {} are allowed: addresses behind that get permerror", profile.lookups));
            }
            if (profile.lookups.saturating_sub(draft.facts.migration.reserve)..=profile.lookups)
                .contains(&lookups)
            {
                draft.finding("audit.few-lookups-left", domain.as_str(), format!("its SPF record takes {lookups} of {} lookups at worst: a provider that adds one more may break it", profile.lookups));
            }
            if voids > profile.voids {
                draft.finding(
                    "audit.too-many-voids",
                    domain.as_str(),
                    format!(
                        "its SPF record takes {voids} void lookups at worst, `{}` receivers allow {}",
                        profile.name, profile.voids
                    ),
                );
            }
        }
    }
    Ok(())
}

fn policies(draft: &mut Draft<'_>) {
    let mut authors: BTreeSet<&DomainName> = BTreeSet::new();
    let mut new: BTreeSet<&DomainName> = BTreeSet::new();
    for stream in &draft.facts.migration.streams {
        authors.insert(&stream.now.author_domain);
        new.extend(stream.then.as_ref().map(|then| &then.author_domain));
    }
    for author in authors {
        match dmarc::discover(draft.facts.known, author).applied {
            None => draft.finding(
                "audit.no-dmarc",
                author.as_str(),
                "has no DMARC policy record: nothing it sends can pass DMARC",
            ),
            Some(applied) if applied.policy == Policy::None => {
                draft.finding(
                    "audit.policy-none",
                    author.as_str(),
                    format!("its DMARC policy is none (record at _dmarc.{})", applied.domain),
                );
            }
            Some(_) => {}
        }
    }
    for author in new {
        let walk = dmarc::organizational_domain(draft.facts.known, author);
        let ours = draft.facts.migration.domains.iter().filter(|domain| author.is_within(&domain.name));
        let Some(apex) = ours.min_by_key(|domain| domain.name.label_count()) else { continue };
        if walk.organizational_domain != apex.name
            || walk.found(&apex.name).is_none_or(|found| found.record().is_none())
        {
            draft.finding("audit.apex-without-policy", apex.name.as_str(), "has no DMARC record today: until it has one, the names below it do not align with each other (RFC 9989 section 4.10.2)");
        }
    }
}

/// Terms that the migration says are there, and are not.
fn terms(draft: &mut Draft<'_>) {
    let mut domains: BTreeSet<&DomainName> = BTreeSet::new();
    for stream in &draft.facts.migration.streams {
        domains.extend(spf_domain(&stream.now, &stream.now));
    }
    for source in &draft.facts.migration.sources {
        for term in &source.terms {
            let found = domains.iter().any(|domain| matches!(current(&draft.zone, domain), Current::Record(_, record) if has_term(&record, term)));
            if !found {
                draft.finding("plan.term-not-found", &source.id, format!("`{term}` is in no SPF record that a stream uses today, so nothing is taken out for it"));
            }
        }
    }
}

/// TTLs that no server of the zone said.
pub(super) fn assumed_ttls(draft: &mut Draft<'_>, evidence: &crate::dns::Snapshot) {
    let mut names: BTreeSet<Question> = BTreeSet::new();
    for change in draft.steps.iter().flat_map(|step| &step.changes) {
        names.insert(Question::new(change.name.clone(), change.record_type));
    }
    for question in names {
        let rrset = evidence.rrsets(&question.name).find(|(kind, _)| *kind == question.record_type);
        let Some((kind, rrset)) = rrset else { continue };
        let (code, why) = match (rrset.quality(), rrset.ttl()) {
            (Quality::Authoritative, Some(_)) => continue,
            (Quality::Cached, Some(_)) => {
                ("audit.cached-ttl", "comes from a cache, so its TTL is only a lower bound")
            }
            (_, None) => ("audit.no-ttl", "has no TTL"),
        };
        let message = format!("the {kind} answer {why}, and the waits use the ceiling");
        draft.finding(code, question.name.as_str(), message);
    }
}
