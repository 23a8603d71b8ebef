//! The operations on DKIM and DMARC.

use serde::Deserialize;

use super::spf::{read, snapshot};
use super::{Input, to_json};
use crate::adjacent;
use crate::dkim::{self, KeyRecord, Selector};
use crate::dmarc::{Authenticated, DkimResult, DmarcRecord, Message, check, evaluate, lint};
use crate::dns::{Recording, Snapshot};
use crate::document::{Fields, Reader, Value};
use crate::error::{Error, Problem};
use crate::name::DomainName;
use crate::spf::SpfResult;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordInput {
    record: String,
}

pub(super) fn parse_key(input: &RecordInput) -> Result<KeyRecord, Error> {
    Ok(KeyRecord::parse(input.record.as_bytes())?)
}

pub(super) fn parse_dmarc(input: &RecordInput) -> Result<DmarcRecord, Error> {
    Ok(DmarcRecord::parse(input.record.as_bytes())?)
}

/// `{ "dns", "from", "spf", "dkim" }`: the author domain, `{ "domain", "result" }` of SPF (or null), and the same of each
/// signature.
pub(super) fn check_dmarc(input: &Input<'_>) -> Result<String, Error> {
    let (snapshot, message) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let from = required_name(reader, fields, "from");
        let spf = fields.optional("spf").and_then(|value| identified(reader, value, SpfResult::named));
        let dkim = fields.optional("dkim").map(|value| reader.list(value)).unwrap_or_default();
        let dkim = dkim.iter().filter_map(|value| identified(reader, value, DkimResult::named)).collect();
        Some((snapshot?, Message { author_domain: from?, spf, dkim }))
    })?;
    let recording = Recording::new(&*snapshot);
    let checked = check(&recording, message);
    Ok(to_json(&recording.complete(checked)?))
}

/// `{ "dns", "subject", "domain" }`, the last one optional: the subject is a domain, or a record to be read at `domain`.
pub(super) fn lint_dmarc(input: &Input<'_>) -> Result<String, Error> {
    let (snapshot, subject, at) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let at = fields.optional("domain").and_then(|value| reader.parsed(value, DomainName::parse));
        let subject =
            fields.required(reader, "subject").and_then(|value| reader.text(value)).map(str::to_owned);
        Some((snapshot?, subject?, at))
    })?;
    Ok(to_json(&lint(&*snapshot, &subject, at)?))
}

/// `{ "dns", "domains", "selectors", "earlier" }`, the last two optional: without selectors the keys that `dns` holds,
/// `earlier` is another snapshot.
pub(super) fn lint_dkim(input: &Input<'_>) -> Result<String, Error> {
    let (snapshot, domains, selectors, earlier) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let earlier = input.snapshot(reader, fields, "earlier", Snapshot::read);
        let domains = fields.required(reader, "domains").map(|value| reader.list(value)).unwrap_or_default();
        let domains: Vec<DomainName> =
            domains.iter().filter_map(|value| reader.parsed(value, DomainName::parse)).collect();
        let selectors = fields.optional("selectors").map(|value| reader.list(value)).unwrap_or_default();
        let selectors: Vec<Selector> =
            selectors.iter().filter_map(|value| reader.parsed(value, str::parse)).collect();
        Some((snapshot?, domains, selectors, earlier))
    })?;
    Ok(to_json(&dkim::lint(&snapshot, &domains, &selectors, earlier.as_deref())?))
}

/// `{ "dns", "domain" }`.
pub(super) fn lint_domain(input: &Input<'_>) -> Result<String, Error> {
    let (snapshot, domain) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let domain = required_name(reader, fields, "domain");
        Some((snapshot?, domain?))
    })?;
    Ok(to_json(&adjacent::lint(&*snapshot, &domain)?))
}

/// `{ "before", "after" }`, two snapshots.
pub(super) fn drift_operation(input: &Input<'_>) -> Result<String, Error> {
    let (before, after) = read(input, |reader, fields| {
        let before = input.required_snapshot(reader, fields, "before", Snapshot::read);
        let after = input.required_snapshot(reader, fields, "after", Snapshot::read);
        Some((before?, after?))
    })?;
    Ok(to_json(&adjacent::drift(&before, &after)))
}

/// `{ "domain", "result" }`.
fn identified<R>(
    reader: &mut Reader,
    value: &Value,
    named: impl Fn(&str) -> Result<R, Problem>,
) -> Option<(DomainName, R)> {
    let mut fields = reader.fields(value)?;
    let domain = required_name(reader, &mut fields, "domain");
    let result = fields.required(reader, "result").and_then(|value| reader.parsed(value, named));
    fields.finish(reader);
    Some((domain?, result?))
}

fn required_name(reader: &mut Reader, fields: &mut Fields<'_>, key: &'static str) -> Option<DomainName> {
    let value = fields.required(reader, key)?;
    reader.parsed(value, DomainName::parse_for_mail)
}

/// `{ "dns", "from", "spf", "dkim" }`: by RFC 9989 alone, with the domain that passed SPF (or null) and the signing domains
/// whose signatures were verified.
pub(super) fn evaluate_dmarc(input: &Input<'_>) -> Result<String, Error> {
    let (snapshot, from, spf, dkim) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let from = required_name(reader, fields, "from");
        let spf = fields.optional("spf").and_then(|value| reader.parsed(value, DomainName::parse_for_mail));
        let dkim = fields.optional("dkim").map(|value| reader.list(value)).unwrap_or_default();
        let dkim: Vec<DomainName> =
            dkim.iter().filter_map(|value| reader.parsed(value, DomainName::parse_for_mail)).collect();
        Some((snapshot?, from?, spf, dkim))
    })?;
    let recording = Recording::new(&*snapshot);
    let verdict =
        evaluate(&recording, &Authenticated { author_domain: &from, spf: spf.as_ref(), dkim: &dkim });
    Ok(to_json(&recording.complete(verdict)?))
}
