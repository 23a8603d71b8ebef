//! Plans and proofs as plain text, for people.

mod changes;
mod page;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use page::Page;

use crate::adjacent;
use crate::plan::{After, GivenUp, Identity, Plan, Remark, Step, Stream, Undo};
use crate::planner::dates::{date, day};
use crate::prove::{Breaks, Drifted, Judged, Most, PROMISES, Progress, PromiseVerdict, Proof, duration};

/// A plan in lines of at most `width` characters, but each record in one, with the verdict of `proof` if there is one.
///
/// A width below 40 counts as 40. The text is for reading: its wording may change.
pub fn plan(plan: &Plan, proof: Option<&Proof>, width: usize) -> String {
    let mut page = Page::new(width);
    page.title(&plan.title);
    page.paragraph(&summary(plan, proof));
    if let Some(proof) = proof {
        counterexamples(&mut page, proof);
        unsettled(&mut page, proof, &plan.blockers);
    }
    page.section("What stands in the way", |page| remarks(page, &plan.blockers));
    page.section("Worth knowing", |page| {
        remarks(page, &plan.findings);
        remarks(page, proof.map_or(&[], |proof| &proof.findings));
    });
    page.section("Streams", |page| plan.streams.iter().for_each(|stream| streams(page, plan, stream)));
    page.section("Steps", |page| steps(page, plan));
    page.section("Records before and after", |page| changes::records(page, plan));
    page.section("What decides the last date", |page| {
        if !plan.critical_path.is_empty() {
            page.item("", &plan.critical_path.join(" > "));
        }
    });
    match proof {
        Some(proof) => grounds(&mut page, proof),
        None => page.section("Assumptions", |page| remarks(page, &plan.assumptions)),
    }
    // Who has scrolled to here does not see the top any more.
    if let Some(proof) = proof {
        page.item("", &format!("Verdict: {} (see the top).", word(proof.verdict).to_uppercase()));
    }
    page.finish()
}

/// A text that stands in a document, in one line and without control characters: what others wrote forges no line and tells a
/// terminal nothing.
///
/// # Examples
///
/// ```
/// use sendershift::render::text::line;
///
/// assert_eq!(line("Move\n\u{1b}[31mverdict: safe"), "Move [31mverdict: safe");
/// ```
pub fn line(text: &str) -> String {
    page::line(text)
}

/// A proof in lines of at most `width` characters, but each record in one.
///
/// A width below 40 counts as 40. The text is for reading: its wording may change.
pub fn proof(proof: &Proof, width: usize) -> String {
    let mut page = Page::new(width);
    page.title(&format!("The plan is {}", word(proof.verdict)));
    page.paragraph(&format!(
        "Judged {}, under {} assumptions{}.",
        grounds_of(proof),
        proof.assumptions.len(),
        conditions(proof)
    ));
    page.section("How far the plan is", |page| {
        if let Some(progress) = &proof.progress {
            so_far(page, progress);
        }
    });
    page.section("What others changed", |page| {
        if let Some(progress) = &proof.progress {
            drift(page, progress);
        }
    });
    page.section("Promises", |page| {
        for promise in &proof.judged {
            let of_it = || proof.promises.iter().filter(|other| other.promise == *promise);
            let verdicts: BTreeSet<Judged> = of_it().map(|promise| promise.verdict).collect();
            let told = verdicts.iter().map(|verdict| {
                let same = of_it().filter(|promise| promise.verdict == *verdict);
                let receivers: Vec<&str> = same.map(|promise| promise.receiver).collect();
                let whom = format!(" at {} receivers", enumerated(&receivers));
                format!("{}{}", word(*verdict), if verdicts.len() > 1 { whom } else { String::new() })
            });
            page.item("- ", &format!("{}: {}", meaning(promise), told.collect::<Vec<_>>().join(", ")));
        }
    });
    counterexamples(&mut page, proof);
    unsettled(&mut page, proof, &[]);
    page.section("Worth knowing", |page| remarks(page, &proof.findings));
    grounds(&mut page, proof);
    page.finish()
}

fn word(verdict: Judged) -> &'static str {
    match verdict {
        Judged::Safe => "safe",
        Judged::Unsafe => "unsafe",
        Judged::Undecided => "undecided",
    }
}

/// What a promise says.
fn meaning(promise: &str) -> String {
    let name = promise.to_ascii_uppercase();
    match PROMISES.iter().find(|(known, _)| *known == promise) {
        Some((_, says)) => format!("{name} ({says})"),
        None => name,
    }
}

/// For whom a proof was made, and on what.
fn grounds_of(proof: &Proof) -> String {
    let receivers: BTreeSet<&str> = proof.promises.iter().map(|promise| promise.receiver).collect();
    let receivers: Vec<&str> = receivers.into_iter().collect();
    let promises: Vec<String> = proof.judged.iter().map(|promise| promise.to_ascii_uppercase()).collect();
    let promises: Vec<&str> = promises.iter().map(String::as_str).collect();
    format!("for {} receivers on {}", enumerated(&receivers), enumerated(&promises))
}

/// `a, b and c`.
fn enumerated(names: &[&str]) -> String {
    match names {
        [] => "no".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The verdict and the dates in one paragraph.
fn summary(plan: &Plan, proof: Option<&Proof>) -> String {
    let mut sentences = Vec::new();
    if !plan.blockers.is_empty() {
        sentences.push("This plan is not complete: something stands in the way.".to_owned());
    }
    if plan.steps.is_empty() {
        sentences.push("There is nothing to do.".to_owned());
    }
    sentences.push(match proof {
        None => "No proof stands in this text.".to_owned(),
        Some(proof) => {
            format!(
                "Verdict: {}, judged {}, under {} assumptions{}.",
                word(proof.verdict).to_uppercase(),
                grounds_of(proof),
                proof.assumptions.len(),
                conditions(proof),
            )
        }
    });
    let starts = plan.steps.iter().filter_map(|step| step.dates).map(|dates| dates.earliest.as_second());
    if let (Some(first), Some(last)) = (starts.clone().min(), starts.max()) {
        let offset = plan.parameters.utc_offset;
        let (count, first, last) = (plan.steps.len(), date(first, offset), date(last, offset));
        let slack = plan.steps.iter().filter_map(|step| step.dates?.slack).min();
        let spare = match (plan.parameters.deadline, slack) {
            (Some(deadline), Some(slack)) if slack >= 0 => {
                format!(
                    "; the deadline {} leaves {} to spare, freezes and days off taken away",
                    day(deadline.as_second(), offset),
                    rough(slack)
                )
            }
            (Some(deadline), _) => format!("; the deadline is {}", day(deadline.as_second(), offset)),
            (None, _) => String::new(),
        };
        let clock = jiff::tz::Offset::from_seconds(offset).unwrap_or(jiff::tz::Offset::UTC);
        sentences.push(format!(
            "{count} steps, from {first} to {last} at the earliest{spare}. Times are UTC{clock}."
        ));
    }
    sentences.join(" ")
}

/// The conditions of a verdict: they limit it, so it does not stand without them.
fn conditions(proof: &Proof) -> String {
    match proof.conditions.len() {
        0 => String::new(),
        1 => " and a condition (below)".to_owned(),
        more => format!(" and {more} conditions (below)"),
    }
}

/// A duration in days and hours, or exactly where it is less than an hour.
fn rough(seconds: i64) -> String {
    if seconds.abs() < 3600 { duration(seconds) } else { duration(seconds / 3600 * 3600) }
}

fn remarks(page: &mut Page, remarks: &[Remark]) {
    for remark in remarks {
        page.item("- ", &format!("{remark} [{}]", remark.code));
    }
}

fn identity(identity: &Identity) -> String {
    let signatures: Vec<String> = identity
        .dkim
        .iter()
        .map(|signature| format!("{} at {}", signature.selector, signature.domain))
        .collect();
    let envelope = match (&identity.mail_from, &identity.helo) {
        (Some(domain), _) => format!("MAIL FROM {domain}"),
        (None, Some(helo)) => format!("null sender, HELO {helo}"),
        (None, None) => "null sender".to_owned(),
    };
    let signed = if signatures.is_empty() {
        "not signed".to_owned()
    } else {
        format!("DKIM {}", signatures.join(", "))
    };
    format!("From {}, {envelope}, {signed}, from {}", identity.author_domain, identity.sources.join(", "))
}

fn streams(page: &mut Page, plan: &Plan, stream: &Stream) {
    page.item("", &format!("{}: {}", stream.id, stream.title));
    for of in &stream.identities {
        let starts = plan
            .steps
            .iter()
            .find(|step| step.starts.iter().any(|used| used.stream == stream.id && used.identity == of.id));
        let when = match starts {
            Some(step) => format!("{} (from `{}` on)", of.id, step.id),
            None => of.id.clone(),
        };
        page.item("  ", &format!("{when}: {}", identity(of)));
    }
    let mut notes = Vec::new();
    if stream.identities.len() < 2 {
        notes.push("stays as it is".to_owned());
    }
    if stream.needs_both {
        notes.push("needs SPF and DKIM both".to_owned());
    }
    if stream.spf_only {
        notes.push("relies on SPF alone, as declared".to_owned());
    }
    if let Some(step) = &stream.judged_from {
        notes.push(format!("fails today, judged from `{step}` on"));
    }
    if !notes.is_empty() {
        page.item("  ", &notes.join("; "));
    }
}

fn steps(page: &mut Page, plan: &Plan) {
    let costs = changes::costs(plan);
    let begin = |step: &Step| step.dates.map(|dates| dates.earliest);
    let mut order: Vec<usize> = (0..plan.steps.len()).collect();
    order.sort_by_key(|at| plan.steps.get(*at).and_then(begin));
    let mut phases: Vec<&str> = Vec::new();
    for step in order.iter().filter_map(|at| plan.steps.get(*at)) {
        if !phases.contains(&step.phase.as_str()) {
            phases.push(&step.phase);
        }
    }
    let mut number = 0;
    for phase in phases {
        if !phase.is_empty() {
            page.item("", &format!("[{phase}]"));
            page.blank();
        }
        for at in &order {
            let Some(step) = plan.steps.get(*at).filter(|step| step.phase == phase) else { continue };
            number += 1;
            one_step(page, plan, step, number, costs.get(at).unwrap_or(&BTreeMap::new()));
        }
    }
}

fn one_step(page: &mut Page, plan: &Plan, step: &Step, number: usize, costs: &changes::Costs) {
    let offset = plan.parameters.utc_offset;
    let title = if step.title.is_empty() { &step.id } else { &step.title };
    page.item(&format!("{number}. "), title);
    let mut facts = vec![format!("`{}`", step.id)];
    if !step.owner.is_empty() {
        facts.push(step.owner.clone());
    }
    if let Some(on) = step.on {
        facts.push(format!("on {}", date(on.as_second(), offset)));
    }
    if let Some(dates) = step.dates {
        facts.push(format!("from {}", date(dates.earliest.as_second(), offset)));
        facts.extend(dates.slack.map(|slack| match slack {
            0.. => format!("slack {}", rough(slack)),
            _ => format!("{} too late", rough(-slack)),
        }));
    }
    if Some(&step.id) == plan.point_of_no_return.as_ref() {
        facts.push("POINT OF NO RETURN".to_owned());
    }
    page.item("   ", &facts.join(", "));
    let waits: Vec<String> = step.after.iter().map(wait).collect();
    if !waits.is_empty() {
        page.item("   ", &format!("Not before: {}", waits.join("; ")));
    }
    if !step.why.is_empty() {
        page.item("   ", &format!("Why: {}", step.why));
    }
    for change in &step.changes {
        changes::change(page, change, costs.get(&change.name));
    }
    for published in plan.mta_sts.iter().filter(|published| published.from.as_ref() == Some(&step.id)) {
        let lines: Vec<&str> = published.policy.text().lines().map(str::trim).collect();
        let address = format!("https://mta-sts.{}/.well-known/mta-sts.txt", published.domain);
        page.item("   ", &format!("Serve at {address}, line by line: {}", lines.join("; ")));
    }
    for what in &step.gives_up {
        let what = match what {
            GivenUp::Source(id) => format!("the addresses of `{id}`"),
            GivenUp::Name(name) => name.to_string(),
        };
        page.item("   ", &format!("From its start on, {what} may be somebody else's."));
    }
    for (verb, uses) in [("Start", &step.starts), ("Cease", &step.stops)] {
        let mut together: Vec<(&str, Option<u64>, Vec<&str>)> = Vec::new();
        for used in uses {
            match together
                .iter_mut()
                .find(|(identity, over, _)| (*identity, *over) == (&used.identity, used.over))
            {
                Some((_, _, streams)) => streams.push(&used.stream),
                None => together.push((&used.identity, used.over, vec![&used.stream])),
            }
        }
        for (identity, over, streams) in together {
            let over =
                over.map(|over| format!(", over {}", duration(i64::try_from(over).unwrap_or(i64::MAX))));
            page.item(
                "   ",
                &format!("{verb} to use `{identity}`{}: {}", over.unwrap_or_default(), streams.join(", ")),
            );
        }
    }
    for (what, text) in [("Done when", &step.done_when), ("Stop if", &step.abort_when)] {
        if !text.is_empty() {
            page.item("   ", &format!("{what}: {text}"));
        }
    }
    undo(page, &step.undo);
    page.blank();
}

/// A wait for people.
fn wait(after: &After) -> String {
    match i64::try_from(after.at_least).unwrap_or(i64::MAX) {
        0 => format!("`{}`", after.step),
        wait => format!("{} after `{}`", duration(wait), after.step),
    }
}

/// How a step is taken back: the text, or each undo step with its waits in a line.
fn undo(page: &mut Page, undo: &Undo) {
    if let Undo::Text(text) = undo
        && !text.is_empty()
    {
        page.item("   ", &format!("Undo: {text}"));
    }
    for step in undo.steps() {
        let title = if step.title.is_empty() { &step.id } else { &step.title };
        let waits: Vec<String> = step.after.iter().map(wait).collect();
        let waits =
            if waits.is_empty() { String::new() } else { format!(" (not before: {})", waits.join("; ")) };
        let why = if step.why.is_empty() { String::new() } else { format!(". {}", step.why) };
        page.item("   ", &format!("Undo `{}`: {title}{waits}{why}", step.id));
    }
}

fn counterexamples(page: &mut Page, proof: &Proof) {
    let found: Vec<&PromiseVerdict> =
        proof.promises.iter().filter(|promise| promise.counterexample.is_some()).collect();
    page.section("What goes wrong", |page| {
        let mut told: BTreeMap<&[String], Vec<&PromiseVerdict>> = BTreeMap::new();
        for promise in found {
            if let Some(counterexample) = &promise.counterexample {
                told.entry(&counterexample.story).or_default().push(promise);
            }
        }
        for (story, promises) in told {
            let whom: Vec<String> = promises
                .iter()
                .map(|promise| format!("{} at {}", promise.promise.to_ascii_uppercase(), promise.receiver))
                .collect();
            let code = promises
                .iter()
                .find_map(|promise| promise.counterexample.as_ref())
                .map_or("", |counterexample| counterexample.code);
            page.item("", &format!("{} [{code}]:", whom.join(", ")));
            for line in story {
                page.item("  ", line);
            }
            page.blank();
        }
    });
}

/// What makes a verdict undecided, without what is told elsewhere.
fn unsettled(page: &mut Page, proof: &Proof, told: &[Remark]) {
    let others: Vec<Remark> = proof.undecided.iter().filter(|it| !told.contains(it)).cloned().collect();
    page.section("What was not settled", |page| remarks(page, &others));
}

/// Which steps are done, and which come next.
fn so_far(page: &mut Page, progress: &Progress) {
    let ids = |ids: &[String]| {
        let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
        ids.join(", ")
    };
    let taken = progress.taken.as_deref().map_or_else(String::new, |taken| format!(" on {taken}"));
    let shown = match progress.done.as_slice() {
        [] => format!("DNS shows no step to be done{taken}"),
        done => format!("DNS shows {} of {} steps done{taken}: {}", done.len(), progress.steps, ids(done)),
    };
    page.item("- ", &format!("{shown}."));
    for (what, which) in [
        ("Done before these, if the order was kept", &progress.implied),
        ("Begun, and not done in all parts", &progress.begun),
        ("May come next, or be done where DNS does not show it", &progress.next),
    ] {
        if !which.is_empty() {
            page.item("- ", &format!("{what}: {}.", ids(which)));
        }
    }
}

/// What is not as it was, and what that does to the verdict.
fn drift(page: &mut Page, progress: &Progress) {
    for Drifted { change, changes_verdict, .. } in &progress.drift {
        let adjacent::Change { question, before, after, .. } = change;
        let effect = match changes_verdict {
            Some(true) => ": without this the verdict would be better",
            Some(false) => ": without this alone the verdict would be the same",
            None => "",
        };
        page.item("", &format!("{question}{effect}"));
        for record in before.iter().filter(|record| !after.contains(record)) {
            page.record("   - ", record);
        }
        for record in after.iter().filter(|record| !before.contains(record)) {
            page.record("   + ", record);
        }
    }
    if let Some(verdict) = progress.without_drift {
        page.item("", &format!("Had none of this changed, the plan would be {}.", word(verdict)));
    }
}

/// How far a safe plan is from being none.
fn margin(page: &mut Page, proof: &Proof) {
    page.section("Margin", |page| {
        let Some(margin) = &proof.margin else { return };
        let mut line = |may: &str, value: Option<String>, then: Option<&Breaks>| {
            let (Some(value), Some(then)) = (value, then) else {
                page.item("- ", &format!("{may} any time."));
                return;
            };
            let whom = match (then.promise, then.receiver) {
                (Some(promise), Some(receiver)) => {
                    format!("{} fails at {receiver} receivers", promise.to_ascii_uppercase())
                }
                _ => "not all can be judged".to_owned(),
            };
            let step = then
                .step
                .as_ref()
                .map_or_else(String::new, |step| format!(", as step `{step}` can come too early"));
            page.item("- ", &format!("{may} {value}. With more, {whom}{step} [{}].", then.code));
        };
        let time = |most: &Most| most.value.map(|most| duration(i64::try_from(most.0).unwrap_or(i64::MAX)));
        let (stale, queue, delay) =
            (&margin.resolver_stale, &margin.queue_lifetime, &margin.publication_delay);
        line("Resolvers may answer from an entry after its TTL for", time(stale), stale.then.as_ref());
        line("Messages may wait in the sender's queue for", time(queue), queue.then.as_ref());
        line("What others publish on a date may take", time(delay), delay.then.as_ref());
        let factor = &margin.factor_per_mille;
        let times = factor.value.map(|factor| match factor.0 {
            1000 => "what is assumed, and no more".to_owned(),
            more => format!("{} times what is assumed", thousandths(more)),
        });
        line("All three together may be", times, factor.then.as_ref());
    });
}

/// What a verdict rests on, and what it says nothing about.
fn grounds(page: &mut Page, proof: &Proof) {
    margin(page, proof);
    page.section("Conditions", |page| remarks(page, &proof.conditions));
    page.section("Assumptions", |page| remarks(page, &proof.assumptions));
    page.section("What was looked at", |page| {
        let explored = &proof.explored;
        let text = format!(
            "{} ways in which messages are bound to identities and sources; {} RRsets that change; {} sets of record versions that a receiver can hold, {} more ruled out by their times; {} classes of addresses.",
            explored.bindings, explored.rrsets_in_flux, explored.mixes_judged, explored.pairs_excluded, explored.address_classes,
        );
        page.item("", &text);
    });
    page.section("Promises not judged", |page| {
        if !proof.not_judged.is_empty() {
            let names: Vec<String> = proof.not_judged.iter().map(|promise| meaning(promise)).collect();
            page.item("", &format!("{}. The verdict says nothing about these.", names.join(", ")));
        }
    });
}

/// A number of thousandths as a decimal number.
fn thousandths(number: u64) -> String {
    let decimal = format!("{}.{:03}", number / 1000, number % 1000);
    decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
}
