//! Whether a course ends where it began.

use std::collections::BTreeSet;

use super::super::binding::spans;
use super::super::proof::Counterexample;
use super::super::shares::Shares;
use super::super::world::{Content, Flux, Version};
use crate::dns::{Question, Records, RrSet};
use crate::error::{Error, Invalid};
use crate::plan::timeline::Timeline;
use crate::plan::{Plan, Stream};

/// The code of what stays.
const CODE: &str = "p3.not-taken-back";

/// Something that the plan changed and that is not as it was once the course is over: an RRset, or which identities a stream uses.
///
/// Nothing is said where a step of the course cannot be done.
pub(super) fn not_taken_back(course: &Plan) -> Result<Option<Counterexample>, Error> {
    let timeline = Timeline::new(&course.steps, course.parameters.start).map_err(Invalid::one)?;
    let order: Vec<usize> = timeline.steps().collect();
    let flux = Flux::new(course, &order);
    if !flux.stuck.is_empty() {
        return Ok(None);
    }
    let rrset = flux.questions().find_map(|question| {
        let [first, .., last] = flux.versions(&question)? else { return None };
        differs(course, &question, first, last)
    });
    Ok(rrset.or_else(|| course.streams.iter().find_map(|stream| moved(course, &flux, stream))))
}

/// The records are compared. The TTL may be shorter than it was, or than it may have been.
fn differs(course: &Plan, question: &Question, first: &Version, last: &Version) -> Option<Counterexample> {
    let (before, after) = (records(&first.content), records(&last.content));
    let story = if before == after {
        let (Content::Set(rrset) | Content::Alias(rrset)) = &last.content else { return None };
        let ttl = u64::from(rrset.ttl()?);
        let (_, remembered) = first.until?;
        let most = remembered.saturating_sub(course.parameters.resolver_stale);
        if ttl <= most {
            return None;
        }
        format!("In the end {question} has a TTL of {ttl} seconds, and it had at most {most}.")
    } else {
        let words = |records: &BTreeSet<String>| match records.len() {
            0 => "nothing".to_owned(),
            _ => records.iter().map(|record| format!("\"{record}\"")).collect::<Vec<_>>().join(", "),
        };
        format!("In the end there is {} at {question}, where there was {}.", words(&after), words(&before))
    };
    Some(Counterexample::of_name(CODE, question.name.clone(), story))
}

fn records(content: &Content) -> BTreeSet<String> {
    let texts = |rrset: &RrSet| match rrset.records() {
        // The numbers of an SOA record only ever grow.
        Records::Soa(soa) => vec![format!("{} {} {}", soa.primary, soa.mailbox, soa.minimum)],
        records => records.to_texts(),
    };
    match content {
        Content::Set(rrset) | Content::Alias(rrset) => texts(rrset).into_iter().collect(),
        Content::Absent => BTreeSet::new(),
    }
}

/// Whether a stream uses other identities than before the plan.
fn moved(course: &Plan, flux: &Flux, stream: &Stream) -> Option<Counterexample> {
    let used: BTreeSet<&str> = spans(course, flux, stream)
        .into_iter()
        .filter(|(_, span)| span.stop.is_none())
        .map(|(identity, _)| identity.id.as_str())
        .collect();
    let live: BTreeSet<&str> = stream.live.iter().map(String::as_str).collect();
    if used == live {
        return used_less(course, flux, stream);
    }
    let words = |ids: &BTreeSet<&str>| match ids.len() {
        0 => "nothing".to_owned(),
        _ => ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", "),
    };
    let story =
        format!("In the end stream `{}` uses {}, where it used {}.", stream.id, words(&used), words(&live));
    Some(Counterexample { stream: Some(stream.id.clone()), ..Counterexample::of_record(CODE, story) })
}

/// Whether an identity is used again for a share only.
fn used_less(course: &Plan, flux: &Flux, stream: &Stream) -> Option<Counterexample> {
    let mut shares = Shares::today(stream);
    for step in flux.uses(&stream.id) {
        shares.after(course, flux, stream, step);
    }
    let (id, share) = shares.less_than_today(stream)?;
    let story = format!(
        "In the end stream `{}` uses `{id}` for {share} of 1,000 messages, where it used it for all that it did.",
        stream.id
    );
    Some(Counterexample { stream: Some(stream.id.clone()), ..Counterexample::of_record(CODE, story) })
}
