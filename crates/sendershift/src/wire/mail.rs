//! The operations on DKIM and DMARC.

use serde::Deserialize;

use super::spf::{read, snapshot};
use super::to_json;
use crate::dkim::KeyRecord;
use crate::dmarc::{Authenticated, DmarcRecord, evaluate};
use crate::dns::Recording;
use crate::error::Error;
use crate::name::DomainName;

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

/// `{ "dns", "from", "spf", "dkim" }`: the author domain, the domain that passed SPF (or null), the signing
/// domains whose signatures were verified.
pub(super) fn check_dmarc(input: &str) -> Result<String, Error> {
    let (snapshot, from, spf, dkim) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let from = fields.required(reader, "from").and_then(|value| reader.parsed(value, DomainName::parse));
        let spf = fields.optional("spf").and_then(|value| reader.parsed(value, DomainName::parse));
        let dkim = fields.optional("dkim").map(|value| reader.list(value)).unwrap_or_default();
        let dkim: Vec<DomainName> =
            dkim.iter().filter_map(|value| reader.parsed(value, DomainName::parse)).collect();
        Some((snapshot?, from?, spf, dkim))
    })?;
    let recording = Recording::new(&snapshot);
    let verdict =
        evaluate(&recording, &Authenticated { author_domain: &from, spf: spf.as_ref(), dkim: &dkim });
    Ok(to_json(&recording.complete(verdict)?))
}
