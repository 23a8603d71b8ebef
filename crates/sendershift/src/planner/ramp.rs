//! DMARC policies become stricter, one level at a time.

use super::draft::{self, Draft, Texts, seen, slug, step, words};
use super::publish::{reports_arrive, word};
use super::spf::overlay;
use super::zone::{Wish, covering};
use crate::dmarc::{self, DmarcRecord, Policy};
use crate::dns::{RecordType, Records, Txt};
use crate::error::{Error, Invalid};
use crate::migration::{DmarcGoal, Domain};
use crate::name::DomainName;
use crate::plan::{After, StepKind};

/// Raises every policy to its goal.
pub(super) fn tighten(draft: &mut Draft<'_>) -> Result<(), Error> {
    for domain in &draft.facts.migration.domains {
        if let Some(goal) = &domain.dmarc {
            raise(draft, domain, goal)?;
        }
    }
    Ok(())
}

fn raise(draft: &mut Draft<'_>, domain: &Domain, goal: &DmarcGoal) -> Result<(), Error> {
    let Ok(name) = domain.name.prefixed("_dmarc") else { return Ok(()) };
    let Some((mut text, mut record)) = published(draft, &name) else { return Ok(()) };
    if goal.goal < record.policy() {
        let message = format!(
            "already asks for `{}`, which is stricter than the goal; the plan does not weaken it",
            word(record.policy())
        );
        draft.finding("plan.goal-is-weaker", domain.name.as_str(), message);
    }
    let published_by = draft.zone.editors(&crate::dns::Question::new(name.clone(), RecordType::Txt));
    let mut since: Vec<String> = published_by.into_iter().collect();
    let relies_on_spf = draft
        .facts
        .migration
        .streams
        .iter()
        .any(|stream| stream.spf_only && applies(draft, domain, &draft::last(stream).author_domain));
    let (aligned, alone) =
        if relies_on_spf { ("aligned SPF or DKIM", "") } else { ("aligned DKIM", " alone") };
    for level in [Policy::Quarantine, Policy::Reject].into_iter().filter(|level| *level <= goal.goal) {
        if level <= reached(&record) {
            continue;
        }
        let Ok(stricter) = in_full(&record, level) else { return Ok(()) };
        let Ok(new_text) = Txt::from_text(&stricter.to_string()) else { return Ok(()) };
        let wish = Wish {
            name: name.clone(),
            remove: Some(Records::Txt(vec![text])),
            add: Some(Records::Txt(vec![new_text.clone()])),
            ttl: domain.ttl,
        };
        let Some(waits) = waits(draft, domain, goal, level, &wish)? else { return Ok(()) };
        let changes = draft.changes(&[wish]);
        let dwell = words(goal.dwell);
        let lasting = words(draft.zone.lasting(&changes));
        let texts = Texts {
            title: format!("Look whether {} is ready for p={}", domain.name, word(level)),
            why: format!(
                "From p={} on, receivers act on what fails, so whatever nobody declared has to be found before (RFC 9989 section 7.4).",
                word(level)
            ),
            done_when: format!(
                "aggregate reports about the last {dwell} show every stream of {} with an {aligned} pass, and no legitimate source without",
                domain.name
            ),
            abort_when: format!("a legitimate source without {aligned} shows up"),
            undo: "Nothing to undo.".to_owned(),
        };
        let mut gate = step(
            format!("check-{}-{}", word(level), slug(&domain.name)),
            StepKind::Gate,
            ("tighten", "mail team"),
            texts,
        );
        gate.after = waits;
        // So long they have to have come.
        let arrive = reports_arrive(&draft.zone, &domain.name, &record).into_iter();
        gate.after.extend(
            arrive.map(|after| After { at_least: after.at_least.saturating_add(goal.dwell), ..after }),
        );
        gate.after.extend(since.iter().map(|step| After { step: step.clone(), at_least: goal.dwell }));
        let gate = draft.add(gate);
        let texts = Texts {
            title: format!("Tighten the DMARC policy of {} to p={}", domain.name, word(level)),
            why: format!(
                "The goal is p={}, and each level stays for {dwell}. Every declared message passes by {aligned}{alone} from here on.",
                word(goal.goal)
            ),
            done_when: seen(&changes),
            abort_when: "the gate before it does not hold any more".to_owned(),
            undo: format!(
                "Publish the policy before this one again; receivers may act on the stricter one for {lasting} more."
            ),
        };
        let mut tighten = step(
            format!("dmarc-{}-{}", word(level), slug(&domain.name)),
            StepKind::Dns,
            ("tighten", "dns team"),
            texts,
        );
        tighten.changes = changes;
        tighten.after = vec![After { step: gate, at_least: 0 }];
        since = vec![draft.add(tighten)];
        (text, record) = (new_text, stricter);
    }
    Ok(())
}

/// The policy that all receivers go by. One level lower counts where some do less: `t=y` (RFC 9989 section 4.7), `pct` (RFC 7489 section 6.3), and
/// a policy that those of RFC 7489 do not read.
fn reached(record: &DmarcRecord) -> Policy {
    let sampled = record.value("pct").is_some_and(|value| value.parse() != Ok(100_u8));
    match record.policy() {
        Policy::Reject if record.is_testing() || sampled || !reads_in_order(record) => Policy::Quarantine,
        Policy::Quarantine if record.is_testing() || sampled || !reads_in_order(record) => Policy::None,
        policy => policy,
    }
}

/// The record with a policy that holds for all mail, whichever receiver reads it.
fn in_full(record: &DmarcRecord, level: Policy) -> Result<DmarcRecord, Invalid> {
    in_order(&record.with("p", Some(word(level)))?.with("t", None)?.with("pct", None)?)
}

/// Whether `p` stands behind `v`, where RFC 7489 wants it (section 6.3).
fn reads_in_order(record: &DmarcRecord) -> bool {
    record.value("p").is_none() || record.tags().nth(1).is_some_and(|(name, _)| name == "p")
}

/// The record with `p` behind `v`.
pub(super) fn in_order(record: &DmarcRecord) -> Result<DmarcRecord, Invalid> {
    if reads_in_order(record) {
        return Ok(record.clone());
    }
    let rest = record.tags().filter(|(name, _)| !["v", "p"].contains(name));
    let rest = rest.map(|(name, value)| match value {
        Some(value) => format!("; {name}={value}"),
        None => format!("; {name}"),
    });
    let rest: String = rest.collect();
    format!("v=DMARC1; p={}{}", record.value("p").unwrap_or("none"), rest).parse()
}

fn published(draft: &Draft<'_>, name: &DomainName) -> Option<(Txt, DmarcRecord)> {
    let rrset = draft.zone.get(name, RecordType::Txt)?;
    let mut records = rrset.texts().iter().filter(|text| DmarcRecord::is_dmarc(text.octets()));
    let text = records.next()?;
    records.next().is_none().then(|| Some((text.clone(), DmarcRecord::parse(text.octets()).ok()?)))?
}

/// Whether the policy of a domain applies to mail of an author domain.
fn applies(draft: &Draft<'_>, domain: &Domain, author: &DomainName) -> bool {
    let applied = dmarc::discover(&draft.zone.world, author).applied;
    applied.is_some_and(|applied| applied.domain == domain.name)
}

/// What has to be over before a domain's policy becomes stricter; none where a stream would not survive it.
fn waits(
    draft: &mut Draft<'_>,
    domain: &Domain,
    goal: &DmarcGoal,
    level: Policy,
    wish: &Wish,
) -> Result<Option<Vec<After>>, Error> {
    let mut waits = Vec::new();
    let mut failing = Vec::new();
    let stricter = overlay(&draft.zone, wish);
    for stream in &draft.facts.migration.streams {
        let last = draft::last(stream);
        if applies(draft, domain, &last.author_domain) {
            let fate = draft.facts.fate(&stricter, stream, last, last)?;
            if let Some(why) = fate.lacks() {
                failing.push((stream.id.clone(), why));
            }
        }
    }
    let queue = covering(draft.facts.migration.parameters.queue_lifetime);
    for moved in &draft.moves {
        if applies(draft, domain, &moved.then.author_domain) {
            // Senders not yet switched may still have messages of the new identity in their queues.
            let mixed = draft.facts.fate(&stricter, moved.stream, moved.then, &moved.stream.now)?;
            let at_least = if mixed.lacks().is_some() { goal.dwell.max(queue) } else { goal.dwell };
            waits.push(After { step: moved.gate.clone(), at_least: 0 });
            waits.push(After { step: moved.step.clone(), at_least });
        }
        if applies(draft, domain, &moved.stream.now.author_domain) {
            waits.push(After { step: moved.step.clone(), at_least: queue });
            waits.push(After { step: moved.gate.clone(), at_least: 0 });
        }
    }
    let ready = failing.is_empty();
    for (stream, why) in failing {
        let message = format!(
            "the goal p={} for {} is out of reach: under p={} {why}",
            word(goal.goal),
            domain.name,
            word(level)
        );
        draft.blocker("plan.enforcement-fails", &stream, message);
    }
    Ok(ready.then_some(waits))
}
