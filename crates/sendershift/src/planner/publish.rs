//! What has to be there before streams move: keys, mail exchanges, report authorisations, policy records.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, Texts, seen, slug, step, words};
use super::ramp::in_order;
use super::spf::overlay;
use super::zone::{Wish, Zone};
use crate::dkim;
use crate::dmarc::{self, Authorised, DmarcRecord, Policy};
use crate::dns::{Evidence, Question, RecordType, Records, Txt};
use crate::error::Error;
use crate::migration::{Domain, Key};
use crate::name::DomainName;
use crate::plan::{After, StepKind};

/// Publishes the DKIM keys of the new identities, one step for each signing domain.
pub(super) fn keys(draft: &mut Draft<'_>) {
    let mut wanted: BTreeMap<DomainName, BTreeMap<DomainName, &Key>> = BTreeMap::new();
    for stream in draft.moves.iter().map(|moved| moved.stream).collect::<Vec<_>>() {
        // A key that nothing will be signed with would be authority for nobody.
        let signed = |key: &&Key| stream.then.iter().any(|then| then.dkim.contains(&key.signature));
        for key in stream.keys.iter().filter(signed) {
            let Ok(name) = key.signature.selector.key_name(&key.signature.domain) else { continue };
            let other = wanted.entry(key.signature.domain.clone()).or_default().insert(name.clone(), key);
            if other.is_some_and(|other| !other.records.same_as(&key.records)) {
                draft.blocker(
                    "plan.selector-reused",
                    name.as_str(),
                    "two streams want different keys here: every key needs a selector of its own",
                );
            }
        }
    }
    for (signing_domain, keys) in wanted {
        let mut wishes = Vec::new();
        for (name, key) in keys {
            let there =
                [RecordType::Txt, RecordType::Cname].into_iter().find_map(|kind| draft.zone.get(&name, kind));
            if let Some(there) = there {
                if !there.records().same_as(&key.records) {
                    let message = "is in use with another key, and a selector is never used again: signatures made with the old key would fail (RFC 6376 section 3.1)";
                    draft.blocker("plan.selector-reused", name.as_str(), message);
                }
                continue;
            }
            let Some(ours) = draft.ours(&name) else {
                draft.blocker(
                    "plan.not-our-domain",
                    name.as_str(),
                    "a key has to be published here, and it is not within a domain of the migration",
                );
                continue;
            };
            wishes.push(Wish { name, remove: None, add: Some(key.records.clone()), ttl: ours.ttl });
        }
        let changes = draft.changes(&wishes);
        if changes.is_empty() {
            continue;
        }
        let texts = Texts {
            title: format!("Publish the DKIM keys of {signing_domain}"),
            why: "Verifiers have to find a key before the first message is signed with it; that there is none they may remember (RFC 6376 section 6.1.2, RFC 2308).".to_owned(),
            done_when: seen(&changes),
            abort_when: "the published key is not the public half of the one that the signer uses".to_owned(),
            undo: format!("Take the keys out again; once something was signed with them, not before {} have passed since.", words(draft.facts.migration.parameters.signature_lifetime)),
        };
        let mut step = step(
            format!("publish-dkim-{}", slug(&signing_domain)),
            StepKind::Dns,
            ("prepare", "dns team"),
            texts,
        );
        step.changes = changes;
        draft.add(step);
    }
    unusable_keys(draft);
}

/// New identities whose signatures nobody could verify.
fn unusable_keys(draft: &mut Draft<'_>) {
    let signatures: BTreeSet<_> = draft.moves.iter().flat_map(|moved| &moved.then.dkim).cloned().collect();
    for signature in signatures {
        let state = dkim::key(&draft.zone.world, &signature.domain, &signature.selector);
        let why = match &state {
            dkim::KeyState::Usable(_) | dkim::KeyState::Unknown => continue,
            dkim::KeyState::Absent => "there is no key, and the migration gives none to publish".to_owned(),
            dkim::KeyState::Testing(_) => {
                "the key says `t=y`: mail signed with it counts as unsigned (RFC 6376 section 3.6.1)"
                    .to_owned()
            }
            dkim::KeyState::Revoked => "the key is revoked".to_owned(),
            dkim::KeyState::NotForEmail => "the key is not for mail".to_owned(),
            dkim::KeyState::Failed => "the key could not be read".to_owned(),
            dkim::KeyState::Malformed(invalid) => invalid.to_string(),
        };
        let name = format!("{}._domainkey.{}", signature.selector, signature.domain);
        draft.blocker("plan.no-usable-key", &name, why);
    }
}

/// Publishes mail exchanges where there are none: replies and bounces have to arrive.
pub(super) fn exchanges(draft: &mut Draft<'_>) {
    // Where new identities have their bounces and answers.
    let mut used: BTreeSet<DomainName> = BTreeSet::new();
    for moved in &draft.moves {
        used.insert(moved.then.author_domain.clone());
        used.extend(moved.then.mail_from.clone());
    }
    for domain in &draft.facts.migration.domains {
        let Some(wanted) = &domain.mx else { continue };
        if let Some(target) = draft.zone.alias(&domain.name) {
            // Where that leads to mail exchanges the domain has some (RFC 5321 section 5.1).
            if draft.zone.is_unreachable(&domain.name) {
                draft.blocker(
                    "plan.alias-in-the-way",
                    domain.name.as_str(),
                    format!("is an alias for {target}, so no MX record can be published there"),
                );
            }
            continue;
        }
        let there = draft.zone.get(&domain.name, RecordType::Mx);
        let is_null = |records: &Records| matches!(records, Records::Mx(hosts) if hosts.iter().all(|host| host.exchange.is_root()));
        let remove = match &there {
            Some(rrset) if is_null(rrset.records()) => Some(rrset.records().clone()),
            Some(_) => continue,
            None => None,
        };
        let changes = draft.changes(&[Wish {
            name: domain.name.clone(),
            remove,
            add: Some(wanted.clone()),
            ttl: domain.ttl,
        }]);
        if changes.is_empty() {
            continue;
        }
        let texts = Texts {
            title: format!("Publish the mail exchanges of {}", domain.name),
            why: "Replies and bounces go to the domains in From and MAIL FROM (RFC 5321 section 3.6.3); some receivers refuse mail from domains that take none.".to_owned(),
            done_when: seen(&changes),
            abort_when: "the hosts named do not accept mail for this domain".to_owned(),
            undo: format!("Take the records out again; once the domain was used, not before the last bounce has come back: {} for the queue of the message and as long for its own.", words(draft.facts.migration.parameters.queue_lifetime)),
        };
        let mut step =
            step(format!("publish-mx-{}", slug(&domain.name)), StepKind::Dns, ("prepare", "dns team"), texts);
        step.changes = changes;
        draft.add(step);
    }
    let is_used_today = |domain: &DomainName| {
        let now = draft.facts.migration.streams.iter().map(|stream| &stream.now);
        now.into_iter().any(|now| now.author_domain == *domain || now.mail_from.as_ref() == Some(domain))
    };
    let lacking: Vec<(DomainName, bool)> = used
        .into_iter()
        .filter(|domain| draft.zone.is_unreachable(domain))
        .map(|domain| (domain.clone(), is_used_today(&domain)))
        .collect();
    for (domain, today) in lacking {
        if today {
            let message =
                "accepts no mail: bounces or replies do not arrive, and some receivers refuse such senders";
            draft.finding("audit.no-mail-host", domain.as_str(), message);
        } else {
            let remedy = match draft.zone.get(&domain, RecordType::Mx) {
                None => "give it `mx` in the migration file (`mx = [\"10 mx.example.net.\"]`), or an MX record before".to_owned(),
                Some(exchanges) => format!(
                    "by the evidence, no host of its MX records ({}) has an address: give the evidence their A or AAAA records, or name other hosts",
                    exchanges.records().to_texts().join(", ")
                ),
            };
            let message = format!("accepts no mail, and bounces or replies will go there: {remedy}");
            draft.blocker("plan.no-mail-host", domain.as_str(), message);
        }
    }
}

/// Publishes and completes DMARC policy records, parents first.
pub(super) fn policies(draft: &mut Draft<'_>) -> Result<(), Error> {
    let mut domains: Vec<&Domain> = draft.facts.migration.domains.iter().collect();
    domains.sort_by_key(|domain| domain.name.label_count());
    for domain in domains {
        let needed = domain.dmarc.is_some() || is_needed(draft, domain)?;
        if needed {
            policy(draft, domain);
        }
    }
    Ok(())
}

/// Whether a new identity has no policy, or is not aligned, as long as there is no record at this domain, the highest of ours.
fn is_needed(draft: &Draft<'_>, domain: &Domain) -> Result<bool, Error> {
    let highest = |name: &DomainName| {
        let above = draft.facts.migration.domains.iter().filter(|other| name.is_within(&other.name));
        above.min_by_key(|other| other.name.label_count()).is_some_and(|other| other.name == domain.name)
    };
    for moved in draft.moves.iter().filter(|moved| highest(&moved.then.author_domain)) {
        let fate = draft.facts.fate(&draft.zone.world, moved.stream, moved.then, moved.then)?;
        if !fate.policy
            || (!fate.spf_aligned && moved.then.mail_from.is_some())
            || (!fate.dkim && !moved.then.dkim.is_empty())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn policy(draft: &mut Draft<'_>, domain: &Domain) {
    let Ok(name) = domain.name.prefixed("_dmarc") else { return };
    if let Some(target) = draft.zone.alias(&name) {
        draft.finding(
            "plan.policy-elsewhere",
            name.as_str(),
            format!("is an alias for {target}, so the plan leaves the policy record alone"),
        );
        return;
    }
    let there: Vec<Txt> =
        draft.zone.get(&name, RecordType::Txt).map(|rrset| rrset.texts().to_vec()).unwrap_or_default();
    if let Some(stray) = there.iter().find(|text| is_nearly_dmarc(text.octets())) {
        let message = format!(
            "has \"{}\", which is no policy record; some receivers take all that begins so for one, find two beside a new record, and use none (RFC 7489 section 6.6.3): take it out first",
            stray.text()
        );
        return draft.blocker("plan.broken-dmarc", name.as_str(), message);
    }
    let there: Vec<Txt> = there.into_iter().filter(|text| DmarcRecord::is_dmarc(text.octets())).collect();
    let old = match there.as_slice() {
        [] => None,
        [text] => match DmarcRecord::parse(text.octets()) {
            Ok(record) => Some((text.clone(), record)),
            Err(error) => return draft.blocker("plan.broken-dmarc", name.as_str(), error.to_string()),
        },
        _ => {
            return draft.blocker(
                "plan.broken-dmarc",
                name.as_str(),
                "there are several policy records, so receivers use none (RFC 9989 section 4.10)",
            );
        }
    };
    let record = match &old {
        Some((_, record)) => Ok(record.clone()),
        None => {
            // What holds by a record above does not become weaker, nor what held before the plan made the name exist (`np`).
            let held = |evidence: &dyn Evidence| {
                let applied = dmarc::discover(evidence, &domain.name).applied;
                applied.map_or(Policy::None, |applied| applied.policy)
            };
            format!("v=DMARC1; p={}", word(held(&draft.zone.world).max(held(draft.zone.today))))
                .parse::<DmarcRecord>()
        }
    };
    let completed = record.and_then(|record| completed(record, domain));
    let record = match completed {
        Ok(record) => record,
        Err(error) => return draft.blocker("plan.broken-dmarc", name.as_str(), error.to_string()),
    };
    if old.as_ref().is_some_and(|(_, old)| *old == record) {
        return reports(draft, &domain.name, &record, None);
    }
    if record.rua().is_empty() {
        draft.finding(
            "plan.no-reports",
            domain.name.as_str(),
            "the policy record names nobody who gets aggregate reports: nobody will see what fails",
        );
    }
    let Ok(text) = Txt::from_text(&record.to_string()) else { return };
    let remove = old.as_ref().map(|(text, _)| Records::Txt(vec![text.clone()]));
    let wish = Wish { name: name.clone(), remove, add: Some(Records::Txt(vec![text])), ttl: domain.ttl };
    reports(draft, &domain.name, &record, Some(&wish));
    let changes = draft.changes(&[wish]);
    if changes.is_empty() {
        return;
    }
    let verb = if old.is_some() { "Complete" } else { "Publish" };
    let texts = Texts {
        title: format!("{verb} the DMARC policy record of {}", domain.name),
        why: "Receivers need a policy record to report, and to know the organizational domain: without one here each name below stands alone and does not align with its neighbours (RFC 9989 section 4.10.2).".to_owned(),
        done_when: seen(&changes),
        abort_when: "receivers that evaluate the record report an error in it".to_owned(),
        undo: format!("Publish again what was there before. Mail that relies on alignment below this domain has to move back first, and its queues to drain: {}.", words(draft.facts.migration.parameters.queue_lifetime)),
    };
    let mut step =
        step(format!("publish-dmarc-{}", slug(&domain.name)), StepKind::Dns, ("prepare", "dns team"), texts);
    step.changes = changes;
    step.after = reports_arrive(&draft.zone, &domain.name, &record);
    draft.add(step);
}

/// Whether a string begins like a policy record and is none: it lacks the semicolon, say.
fn is_nearly_dmarc(octets: &[u8]) -> bool {
    let begins = octets.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case(b"v=DMARC1"));
    begins && !DmarcRecord::is_dmarc(octets)
}

/// The record with the report addresses that it lacks and the tags that are asked for.
fn completed(mut record: DmarcRecord, domain: &Domain) -> Result<DmarcRecord, crate::error::Invalid> {
    let Some(goal) = &domain.dmarc else { return Ok(record) };
    if record.rua().is_empty() && !goal.rua.is_empty() {
        record = record.with("rua", Some(&goal.rua.join(",")))?;
    }
    for (tag, value) in &goal.tags {
        if record.value(tag) != Some(value) {
            record = record.with(tag, Some(value))?;
        }
    }
    // One that makes receivers act gets its order with the next level, behind a gate: some did not read it before.
    if record.policy() == Policy::None { in_order(&record) } else { Ok(record) }
}

/// Lets other organizations take the reports on a policy, as it is once a wish is fulfilled (RFC 9990).
fn reports(draft: &mut Draft<'_>, policy_domain: &DomainName, record: &DmarcRecord, wish: Option<&Wish>) {
    for host in report_hosts(record) {
        // Asked of the world as it will be: the record decides what the organizational domain is.
        let status = match wish {
            Some(wish) => dmarc::report_authorisation(&overlay(&draft.zone, wish), policy_domain, &host),
            None => dmarc::report_authorisation(&draft.zone.world, policy_domain, &host),
        };
        let (name, ours) = match (status, draft.ours(&host)) {
            (Authorised::Missing { name }, Some(ours)) => (name, ours),
            (Authorised::Missing { name }, None) => {
                let message = format!(
                    "does not say that it takes reports about {policy_domain}, so receivers would send it none: a TXT record `v=DMARC1` is needed at {name}"
                );
                unauthorised(draft, &host, message, wish.is_some());
                continue;
            }
            (Authorised::TooLong, _) => {
                let message =
                    format!("cannot authorise reports about {policy_domain}: the name would be too long");
                unauthorised(draft, &host, message, wish.is_some());
                continue;
            }
            _ => continue,
        };
        let Ok(text) = Txt::from_text("v=DMARC1") else { continue };
        let changes =
            draft.changes(&[Wish { name, remove: None, add: Some(Records::Txt(vec![text])), ttl: ours.ttl }]);
        if changes.is_empty() {
            continue;
        }
        let texts = Texts {
            title: format!("Let {host} take the reports about {policy_domain}"),
            why: "Reports go to another organization only if that says so; otherwise receivers ignore the address (RFC 9990, verifying external destinations).".to_owned(),
            done_when: seen(&changes),
            abort_when: "the mailbox for the reports does not exist".to_owned(),
            undo: "Take the record out again; from then on reports stop.".to_owned(),
        };
        let mut step = step(
            format!("authorise-reports-{}", slug(policy_domain)),
            StepKind::Dns,
            ("prepare", "dns team"),
            texts,
        );
        step.changes = changes;
        draft.add(step);
    }
}

/// A host that gets no reports: nothing new where the plan leaves the policy as it is.
fn unauthorised(draft: &mut Draft<'_>, host: &DomainName, message: String, is_new: bool) {
    let code = "plan.reports-not-authorised";
    if is_new {
        draft.blocker(code, host.as_str(), message);
    } else {
        draft.finding(code, host.as_str(), message);
    }
}

fn report_hosts(record: &DmarcRecord) -> BTreeSet<DomainName> {
    record.rua().iter().filter_map(|uri| uri.host.clone()).collect()
}

/// The waits after which reports on a policy arrive, whatever the plan has to do for that: that they may come, and mail hosts to take them.
pub(super) fn reports_arrive(
    zone: &Zone<'_>,
    policy_domain: &DomainName,
    record: &DmarcRecord,
) -> Vec<After> {
    let hosts = report_hosts(record).into_iter();
    let questions = hosts.flat_map(|host| {
        let authorisation = Authorised::place(policy_domain, &host).ok();
        let authorisation = authorisation.map(|name| Question::new(name, RecordType::Txt));
        [Some(Question::new(host, RecordType::Mx)), authorisation]
    });
    questions.flatten().flat_map(|question| zone.visible(&question)).collect()
}

/// A policy as the record has it.
pub(super) fn word(policy: Policy) -> &'static str {
    match policy {
        Policy::None => "none",
        Policy::Quarantine => "quarantine",
        Policy::Reject => "reject",
    }
}
