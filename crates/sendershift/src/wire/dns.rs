//! The evidence of every operation, and the operations on evidence itself.

use serde::Serialize;

use super::spf::{read, snapshot};
use super::{Input, to_json};
use crate::base64;
use crate::dns::snapshot::{Note, Source, merge};
use crate::dns::{Answer, Evidence, Quality, Question, RecordType, Records, RrSet, Snapshot};
use crate::document::{Fields, Kind, Reader, Value};
use crate::error::{Error, Invalid, Problem};
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
    let (snapshot, asked) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let asked = question(reader, fields);
        Some((snapshot?, asked?))
    })?;
    let (answer, rrset): (_, Option<&RrSet>) = match snapshot.answer(&asked.name, asked.record_type) {
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

/// The keys `name` and `type`.
fn question(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<Question> {
    let name = fields.required(reader, "name").and_then(|value| reader.parsed(value, DomainName::parse));
    let record_type =
        fields.required(reader, "type").and_then(|value| reader.parsed(value, str::parse::<RecordType>));
    Some(Question::new(name?, record_type?))
}

#[derive(Serialize)]
struct Query {
    message: String,
}

/// `{ "name", "type" }`: the message that asks it, in base64url without padding, as DNS over HTTPS has it in a URL (RFC 8484
/// section 6).
pub(super) fn query_operation(input: &Input<'_>) -> Result<String, Error> {
    let message = read(input, question)?.to_message()?;
    Ok(to_json(&Query { message: base64::encode_for_url(&message) }))
}

/// `{ "name", "type", "message", "server", "at" }`, the last two optional: the question, the message that answers it, in base64url,
/// who sent it and when. Out comes a snapshot of what it says.
pub(super) fn read_operation(input: &Input<'_>) -> Result<String, Error> {
    let (asked, message, note) = read(input, |reader, fields| {
        let asked = question(reader, fields);
        let message = fields.required(reader, "message").and_then(|value| reader.parsed(value, octets));
        let server = fields.optional("server").and_then(|value| reader.text(value)).map(str::to_owned);
        let at = fields.optional("at").and_then(|value| reader.timestamp(value));
        Some((asked?, message?, Note { server, at, assumed: None }))
    })?;
    Ok(to_json(&Snapshot::from_message(&message, &asked, &note)?))
}

fn octets(text: &str) -> Result<Vec<u8>, Problem> {
    base64::decode(text.trim_end_matches('='), base64::URL_SAFE).ok_or_else(|| {
        Problem::new("dns.bad-base64", "the message is not base64url")
            .help("letters, digits, `-` and `_`, as in RFC 4648 section 5")
    })
}
