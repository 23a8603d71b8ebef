//! What changed in DNS between two days.

use serde::Serialize;

use crate::dns::{Answer, Evidence, Question, Records, RrSet, Snapshot};

/// One RRset that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// Name and type.
    #[serde(flatten)]
    pub question: Question,
    /// The records before; empty where there were none.
    pub before: Vec<String>,
    /// The records after; empty where there are none.
    pub after: Vec<String>,
}

/// What changed between two snapshots (`sendershift-drift/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drift {
    /// `sendershift-drift/1`.
    pub format: &'static str,
    /// The RRsets that differ, by name and type. TTLs do not count, nor the serial of an SOA record.
    pub changes: Vec<Change>,
    /// What only one of the snapshots knows, so that nothing can be said about it.
    pub not_compared: Vec<Question>,
}

/// Compares every RRset of either snapshot, among them SOA, NS and DS, which show that a zone or its delegation changed.
///
/// # Examples
///
/// ```
/// use sendershift::adjacent::drift;
/// use sendershift::dns::Snapshot;
///
/// let ns = |host: &str| Snapshot::from_json(&format!(r#"{{ "format": "sendershift-snapshot/1", "answers": [
///     {{ "name": "shop.example", "type": "NS", "records": ["{host}"] }}] }}"#));
/// let drift = drift(&ns("a.ns.example")?, &ns("b.ns.example")?);
/// assert_eq!(drift.changes[0].after, ["b.ns.example."]);
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
pub fn drift(before: &Snapshot, after: &Snapshot) -> Drift {
    let mut drift = Drift { format: "sendershift-drift/1", changes: Vec::new(), not_compared: Vec::new() };
    let listed = [before, after].into_iter().flat_map(|snapshot| {
        let sets = |name| snapshot.rrsets(name).map(move |(kind, _)| Question::new(Clone::clone(name), kind));
        snapshot.names().flat_map(sets)
    });
    let mut questions: Vec<Question> = listed.collect();
    questions.sort();
    questions.dedup();
    for question in questions {
        let ask = |snapshot| known(snapshot, &question);
        match (ask(before), ask(after)) {
            (Some(before), Some(after)) if same(before, after) => {}
            (Some(before), Some(after)) => {
                let [before, after] = [before, after].map(texts);
                drift.changes.push(Change { question, before, after });
            }
            _ => drift.not_compared.push(question),
        }
    }
    drift
}

/// What a snapshot knows to a question.
#[derive(Clone, Copy)]
enum Known<'s> {
    Absent,
    There(&'s RrSet),
}

fn known<'s>(snapshot: &'s Snapshot, question: &Question) -> Option<Known<'s>> {
    match snapshot.answer(&question.name, question.record_type) {
        Answer::Records(rrset) => Some(Known::There(rrset)),
        // The alias is compared as the CNAME record that it is.
        Answer::NoData | Answer::NxDomain | Answer::Alias(_) => Some(Known::Absent),
        Answer::Failed | Answer::Unknown => None,
    }
}

fn same(before: Known<'_>, after: Known<'_>) -> bool {
    let (Known::There(before), Known::There(after)) = (before, after) else {
        return matches!((before, after), (Known::Absent, Known::Absent));
    };
    match (before.records(), after.records()) {
        (Records::Soa(before), Records::Soa(after)) => {
            let mut before = before.clone();
            let ([serial, ..], [_, refresh, retry, expire]) = (after.numbers, before.numbers);
            before.numbers = [serial, refresh, retry, expire];
            before == *after
        }
        (before, after) => before.same_as(after),
    }
}

fn texts(known: Known<'_>) -> Vec<String> {
    match known {
        Known::Absent => Vec::new(),
        Known::There(rrset) => rrset.records().to_texts(),
    }
}
