//! One answer of a snapshot document.

use super::{Content, Note, Stored};
use crate::dns::{Quality, RecordType, Records, RrSet, Txt};
use crate::document::{Fields, Kind, Reader, Value};
use crate::error::Problem;
use crate::name::DomainName;

pub(super) fn read_answer(reader: &mut Reader, value: &Value) -> Option<(DomainName, RecordType, Stored)> {
    let mut fields = reader.fields(value)?;
    let name = fields.required(reader, "name").and_then(|value| reader.parsed(value, read_name));
    let record_type = fields.required(reader, "type").and_then(|value| reader.parsed(value, str::parse));
    let ttl = fields.optional("ttl").and_then(|value| reader.integer::<u32>(value));
    let authoritative =
        fields.optional("authoritative").and_then(|value| reader.boolean(value)).unwrap_or(false);
    let quality = if authoritative { Quality::Authoritative } else { Quality::Cached };
    let note = Note {
        server: fields.optional("server").and_then(|value| reader.text(value)).map(str::to_owned),
        at: fields.optional("at").and_then(|value| reader.timestamp(value)),
        assumed: fields.optional("assumed").and_then(|value| reader.text(value)).map(str::to_owned),
    };
    let status = match fields.optional("status") {
        Some(value) => reader.parsed(value, |text| match text {
            "noerror" => Ok(Status::NoError),
            "nxdomain" => Ok(Status::NxDomain),
            "servfail" => Ok(Status::Failed("servfail")),
            "timeout" => Ok(Status::Failed("timeout")),
            _ => Err(Problem::new("snapshot.unknown-status", format!("unknown status `{text}`"))
                .help("known are noerror, nxdomain, servfail and timeout")),
        }),
        None => Some(Status::NoError),
    };
    let records = read_records(reader, &mut fields, record_type);
    let records_span = fields.key_span("records");
    fields.finish(reader);
    let content = match (status?, records.ok()?) {
        (Status::NoError, Some(records)) => Content::Records(RrSet::new(records, ttl, quality)),
        (Status::NoError, None) => Content::NoData,
        (Status::NxDomain, None) => Content::NxDomain,
        (Status::Failed(status), None) => Content::Failed(status),
        (_, Some(_)) => {
            reader.problem(
                Problem::new("snapshot.status-with-records", "an answer with this status has no records")
                    .at(records_span),
            );
            return None;
        }
    };
    Some((name?, record_type?, Stored { content, ttl, quality, note }))
}

/// A name of a snapshot document.
pub(super) fn read_name(text: &str) -> Result<DomainName, Problem> {
    if text.is_ascii() {
        return DomainName::parse(text);
    }
    Err(Problem::new("dns.not-ascii", format!("the name `{text}` is not ASCII"))
        .help("write its A-label form"))
}

enum Status {
    NoError,
    NxDomain,
    Failed(&'static str),
}

/// The records of an answer: `Err` after a problem, `Ok(None)` where there are none.
fn read_records(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    record_type: Option<RecordType>,
) -> Result<Option<Records>, ()> {
    let Some(list) = fields.optional("records") else { return Ok(None) };
    let values = reader.list(list);
    if values.is_empty() {
        return if matches!(list.kind, Kind::List(_)) { Ok(None) } else { Err(()) };
    }
    read_record_list(reader, values, record_type.ok_or(())?).map(Some).ok_or(())
}

/// Records in snapshot syntax: strings, for TXT also lists of character-strings.
pub(crate) fn read_record_list(
    reader: &mut Reader,
    values: &[Value],
    record_type: RecordType,
) -> Option<Records> {
    if record_type == RecordType::Txt {
        let texts: Vec<Option<Txt>> = values.iter().map(|value| read_txt(reader, value)).collect();
        return texts.into_iter().collect::<Option<_>>().map(Records::Txt);
    }
    let texts: Vec<Option<&str>> = values.iter().map(|value| reader.text(value)).collect();
    let texts: Vec<&str> = texts.into_iter().collect::<Option<_>>()?;
    match Records::parse(record_type, &texts) {
        Ok(records) => Some(records),
        Err((index, problem)) => {
            reader.problem(problem.at(values.get(index).or(values.last())?.span));
            None
        }
    }
}

fn read_txt(reader: &mut Reader, value: &Value) -> Option<Txt> {
    let Kind::List(strings) = &value.kind else {
        return reader.parsed(value, Txt::from_text);
    };
    let strings: Vec<Option<&str>> = strings.iter().map(|string| reader.text(string)).collect();
    let strings: Vec<&str> = strings.into_iter().collect::<Option<_>>()?;
    match Txt::from_strings(&strings) {
        Ok(txt) => Some(txt),
        Err(problem) => {
            reader.problem(problem.at(value.span));
            None
        }
    }
}
