//! Notices, waves and the gates behind them.

use std::collections::BTreeSet;

use super::draft::{Draft, Texts, step, words};
use super::zone::HOUR;
use crate::error::Error;
use crate::net::AddressSet;
use crate::plan::{After, Customer, StepKind, Use};

/// What must hold of the mixtures of old and new before anything moves; what does not is a blocker.
pub(super) fn check(draft: &mut Draft<'_>) -> Result<(), Error> {
    let mut found = Vec::new();
    for moved in &draft.moves {
        let (stream, now, then) = (moved.stream, &moved.stream.now, moved.then);
        let fate =
            |identity, delivered_by| draft.facts.fate(&draft.zone.world, stream, identity, delivered_by);
        let settled = fate(then, then)?;
        if let Some(why) = settled.lacks() {
            found.push((
                "plan.new-identity-fails",
                stream,
                format!("the new identity would not be authenticated: {why}"),
            ));
            continue;
        }
        let kept = fate(now, now)?;
        if !moved.some_pass_today {
            // What fails today may go on failing until it has moved, and not get worse on the way.
            let today = draft.facts.fate(draft.facts.known, stream, now, now)?;
            for mixed in [kept, fate(now, then)?, fate(then, now)?] {
                if let Some(why) = mixed.lacks().filter(|_| mixed.is_worse_than(&today)) {
                    let message = format!("it fails today, and on the way it would fail worse: {why}");
                    found.push(("plan.mixed-messages-fail", stream, message));
                }
            }
            continue;
        }
        if let Some(why) = kept.lacks().filter(|_| moved.passes_today || !kept.reaches_some()) {
            found.push((
                "plan.breaks-today",
                stream,
                format!("what has to be published first would break the old identity: {why}"),
            ));
        }
        for (what, identity, delivered_by) in [
            ("queued messages of the old identity that leave by the new senders", now, then),
            ("messages of the new identity that leave by senders not yet switched", then, now),
        ] {
            if let Some(why) = fate(identity, delivered_by)?.lacks() {
                found.push(("plan.mixed-messages-fail", stream, format!("{what} would not be authenticated: {why}; an identity for the time between, with the signatures and the sources of both, would bridge it")));
            }
        }
    }
    for stream in draft.facts.migration.streams.iter().filter(|stream| !moves(draft, &stream.id)) {
        let (before, after) = (
            draft.facts.fate(draft.facts.known, stream, &stream.now, &stream.now)?,
            draft.facts.fate(&draft.zone.world, stream, &stream.now, &stream.now)?,
        );
        if let (None, Some(why)) = (before.lacks(), after.lacks()) {
            found.push((
                "plan.breaks-today",
                stream,
                format!("what has to be published first would break it: {why}"),
            ));
        }
    }
    for (code, stream, message) in found {
        draft.blocker(code, &stream.id, message);
    }
    Ok(())
}

/// Whether a stream moves.
pub(super) fn moves(draft: &Draft<'_>, stream: &str) -> bool {
    draft.moves.iter().any(|moved| moved.stream.id == stream)
}

/// Tells the customers, and moves one wave after the other.
pub(super) fn waves(draft: &mut Draft<'_>) {
    let mut waits: Vec<After> = notices(draft);
    waits.extend(draft.zone.all_visible());
    for (number, wave) in draft.waves.clone().into_iter().enumerate() {
        let first = number == 0;
        let of_wave = |moved: &&super::draft::Move<'_>| moved.step == move_id(&wave.id);
        let used = |stream: &str, identity: &str, over| Use {
            stream: stream.to_owned(),
            identity: identity.to_owned(),
            share: None,
            over,
        };
        let over = (wave.over > 0).then_some(wave.over);
        let moving = || draft.moves.iter().filter(of_wave);
        let starts: Vec<Use> = moving().map(|moved| used(&moved.stream.id, &moved.then.id, over)).collect();
        let stops: Vec<Use> =
            moving().map(|moved| used(&moved.stream.id, &moved.stream.now.id, over)).collect();
        let streams: Vec<String> = starts.iter().map(|used| format!("`{}`", used.stream)).collect();
        let texts = Texts {
            title: format!("Move: {}", wave.title),
            why: if first {
                "Nobody can still hold an answer from before the records were published that the new identities rely on.".to_owned()
            } else {
                "The waves before have been watched, and the records that they rely on serve this one, too.".to_owned()
            },
            done_when: format!("every sender uses the new identity for {}; a test message to a mailbox outside shows the new From, Return-Path and signature, and `dmarc=pass`", streams.join(", ")),
            abort_when: "test messages or deferrals show `dmarc=fail`, or bounces and complaints rise clearly above their usual level".to_owned(),
            undo: "Switch the senders back. The old records are all still there.".to_owned(),
        };
        let mut moving_step = step(move_id(&wave.id), StepKind::Send, ("move", "mail team"), texts);
        moving_step.starts = starts;
        moving_step.stops = stops;
        moving_step.after = std::mem::take(&mut waits);
        let id = draft.add(moving_step);
        let watched = wave.watch.max(HOUR);
        let texts = Texts {
            title: format!("Watch: {}", wave.title),
            why: "What nobody declared shows only in real traffic: look before going on.".to_owned(),
            done_when: format!(
                "aggregate reports about at least {} show that {} pass as declared, by aligned SPF, DKIM or both, and no unknown source",
                words(watched),
                streams.join(", ")
            ),
            abort_when: "a source shows up that the migration does not declare".to_owned(),
            undo: "Nothing to undo.".to_owned(),
        };
        let mut gate = step(gate_id(&wave.id), StepKind::Gate, ("move", "mail team"), texts);
        gate.after = vec![After { step: id, at_least: watched }];
        let gate = draft.add(gate);
        waits = vec![After { step: gate, at_least: 0 }];
    }
}

/// The id of the step that moves a wave.
pub(super) fn move_id(wave: &str) -> String {
    format!("move-{wave}")
}

/// The id of the gate behind a wave.
pub(super) fn gate_id(wave: &str) -> String {
    format!("watch-{wave}")
}

/// The step that tells a class of customers.
fn notice_id(class: &str) -> String {
    format!("notify-{class}")
}

/// The customers who are told: all streams that move may reach all of them.
pub(super) fn customers(draft: &Draft<'_>) -> Vec<Customer> {
    let streams: Vec<String> = draft.moves.iter().map(|moved| moved.stream.id.clone()).collect();
    let classes = draft.facts.migration.customers.iter().filter(|_| !draft.waves.is_empty());
    classes.map(|class| Customer::new(&class.id, streams.clone(), class.lead, notice_id(&class.id))).collect()
}

fn notices(draft: &mut Draft<'_>) -> Vec<After> {
    let mut waits = Vec::new();
    if draft.waves.is_empty() {
        return waits;
    }
    let news = news(draft);
    let know = if news.is_empty() {
        "Customers let mail in by its domains and addresses, and these stay as they are.".to_owned()
    } else {
        format!(
            "Receivers let mail in by sender, so customers have to know {} before it comes.",
            news.join(" and ")
        )
    };
    for class in &draft.facts.migration.customers {
        let must = match class.must.as_deref() {
            None => "The migration does not say what they have to do.".to_owned(),
            Some("") => "They need to do nothing.".to_owned(),
            Some(must) => format!("They have to: {must}"),
        };
        let texts = Texts {
            title: format!("Tell {}", class.title),
            why: format!("{know} {must}"),
            done_when: "the notice was sent from the old domain and is on a second channel (status page, in the product)".to_owned(),
            abort_when: "the domains or the addresses in the notice are not the ones in this plan".to_owned(),
            undo: "A notice cannot be taken back; send a correction.".to_owned(),
        };
        let mut notice = step(notice_id(&class.id), StepKind::Notify, ("announce", "customer team"), texts);
        notice.reversible = false;
        let step = draft.add(notice);
        waits.push(After { step, at_least: class.lead });
    }
    waits
}

/// What is new about the sender to whoever lets mail in by it: domains in From, in MAIL FROM or in signatures, and addresses.
fn news(draft: &Draft<'_>) -> Vec<String> {
    /// So many networks are named one by one.
    const MANY: usize = 10;
    let (mut domains, mut addresses) = (BTreeSet::new(), AddressSet::default());
    for moved in &draft.moves {
        let [now, then] = [&moved.stream.now, moved.then].map(|identity| {
            let signed = identity.dkim.iter().map(|signature| &signature.domain);
            signed.chain([&identity.author_domain]).chain(&identity.mail_from).collect::<BTreeSet<_>>()
        });
        domains.extend(then.difference(&now).map(ToString::to_string));
        let [now, then] =
            [&moved.stream.now, moved.then].map(|identity| draft.facts.addresses(&identity.sources));
        addresses = addresses.union(&then.difference(&now));
    }
    let networks = addresses.cover();
    let told = match networks.len() {
        0 => None,
        1..=MANY => Some(format!("the addresses {addresses}")),
        many => Some(format!("the addresses in {many} networks of its sources")),
    };
    domains.into_iter().chain(told).collect()
}
