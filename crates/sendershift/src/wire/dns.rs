//! The evidence of every operation, and the operations on evidence itself.

use serde::Serialize;

use super::spf::{read, snapshot};
use super::{Input, to_json};
use crate::dns::snapshot::{Source, merge};
use crate::dns::{Answer, Evidence, Quality, RecordType, Records, RrSet, Snapshot};
use crate::document::{Kind, Reader, Value};
use crate::error::{Error, Invalid};
use crate::name::DomainName;

/// Evidence: a snapshot document, a string with the text of a zone file, or a list of these, which is merged. Problems of a
/// text in a string have their places in that text.
pub(super) fn evidence(reader: &mut Reader, value: &Value, input: &str) -> Option<Snapshot> {
    let (values, is_list) = match &value.kind {
        Kind::List(values) => (values.as_slice(), true),
        _ => (std::slice::from_ref(value), false),
    };
    let names: Vec<String> = (0..values.len()).map(|index| format!("dns[{index}]")).collect();
    let sources: Vec<Source<'_>> = values
        .iter()
        .zip(&names)
        .map(|(value, name)| match &value.kind {
            Kind::Text(text) => Source { name, text, value: None },
            _ => Source { name, text: input, value: Some(value) },
        })
        .collect();
    let (snapshot, problems) = merge(&sources);
    let good = problems.is_empty();
    for (index, source) in sources.iter().enumerate() {
        let of_this = problems.iter().filter(|(of, _)| *of == index).map(|(_, problem)| problem.clone());
        if source.value.is_some() {
            of_this.for_each(|problem| reader.problem(problem));
            continue;
        }
        let told = of_this.map(|mut problem| {
            if is_list {
                problem.message = format!("{}: {}", source.name, problem.message);
            }
            problem
        });
        let located = Invalid::unless(told.collect(), source.text, ()).err();
        reader.elsewhere.extend(located.into_iter().flat_map(|invalid| invalid.problems));
    }
    good.then_some(snapshot)
}

/// Reads texts, each with its name, as one snapshot.
///
/// # Errors
///
/// As [`Snapshot::from_sources`]: the problems of all texts, each with the name of its text as its argument, if it has one.
///
/// # Examples
///
/// ```
/// let error = sendershift::wire::evidence_of(&[("a.zone", "@ IN A 192.0.2.1"), ("b.json", "{")]).unwrap_err();
/// let named: Vec<Option<&str>> = error.problems.iter().map(|problem| problem.argument.as_deref()).collect();
/// assert!(named.contains(&Some("a.zone")) && named.contains(&Some("b.json")));
/// ```
pub fn evidence_of(sources: &[(&str, &str)]) -> Result<Snapshot, Invalid> {
    let named = |(index, invalid): (usize, Invalid)| {
        let name = sources.get(index).map(|(name, _)| *name).filter(|name| !name.is_empty());
        invalid.problems.into_iter().map(move |mut problem| {
            if let Some(name) = name {
                problem.message = format!("{name}: {}", problem.message);
                problem.argument = Some(name.into());
            }
            problem
        })
    };
    Snapshot::from_sources(sources)
        .map_err(|failed| Invalid { problems: failed.into_iter().flat_map(named).collect() })
}

/// `{ "dns" }`: the evidence as one snapshot document.
pub(super) fn snapshot_operation(input: &Input<'_>) -> Result<String, Error> {
    Ok(to_json(&*read(input, |reader, fields| snapshot(reader, fields, input))?))
}

#[derive(Serialize)]
struct AnswerDocument<'a> {
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authoritative: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<&'a Records>,
}

/// `{ "dns", "name", "type" }`: what the evidence says to one question, aliases not followed.
pub(super) fn answer_operation(input: &Input<'_>) -> Result<String, Error> {
    let (snapshot, name, record_type) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let name = fields.required(reader, "name").and_then(|value| reader.parsed(value, DomainName::parse));
        let record_type =
            fields.required(reader, "type").and_then(|value| reader.parsed(value, str::parse::<RecordType>));
        Some((snapshot?, name?, record_type?))
    })?;
    let (answer, rrset): (_, Option<&RrSet>) = match snapshot.answer(&name, record_type) {
        Answer::Records(rrset) => ("records", Some(rrset)),
        Answer::Alias(rrset) => ("alias", Some(rrset)),
        Answer::NoData => ("nodata", None),
        Answer::NxDomain => ("nxdomain", None),
        Answer::Failed => ("failed", None),
        Answer::Unknown => ("unknown", None),
    };
    Ok(to_json(&AnswerDocument {
        answer,
        ttl: rrset.and_then(RrSet::ttl),
        authoritative: rrset.map(|rrset| rrset.quality() == Quality::Authoritative),
        records: rrset.map(RrSet::records),
    }))
}
