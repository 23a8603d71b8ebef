//! The operation `spf.compact`.

use super::spf::{read, snapshot};
use super::{Input, Watch, to_json};
use crate::document::{Fields, Reader};
use crate::error::Error;
use crate::name::DomainName;
use crate::spf::{CompactRequest, Profile, Subject, compact_watched};

/// `{ "dns", "subject", "domain", "receivers", "reserve", "octets", "max_records", "keep", "flatten", "drop", "repair",
/// "contract", "budget" }`, all but the first two optional.
pub(super) fn operation(input: &Input<'_>, watch: &mut Watch<'_>) -> Result<String, Error> {
    let (snapshot, subject, at, request) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let at = fields.optional("domain").and_then(|value| reader.parsed(value, DomainName::parse));
        let subject =
            fields.required(reader, "subject").and_then(|value| reader.text(value)).map(str::to_owned);
        let request = request(reader, fields);
        Some((snapshot?, subject?, at, request))
    })?;
    let subject = Subject::parse(&subject, at).map_err(|invalid| input.of("subject", invalid))?;
    let count = |drafts| u64::try_from(drafts).unwrap_or(u64::MAX);
    Ok(to_json(&compact_watched(&*snapshot, &subject, &request, |drafts| watch(count(drafts)))?))
}

fn request(reader: &mut Reader, fields: &mut Fields<'_>) -> CompactRequest {
    let defaults = CompactRequest::default();
    let mut number = |key| fields.optional(key).and_then(|value| reader.integer::<u32>(value));
    let (reserve, octets, max_records, budget) =
        (number("reserve"), number("octets"), number("max_records"), number("budget"));
    let size = |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok());
    let mut flag = |key| fields.optional(key).and_then(|value| reader.boolean(value)).unwrap_or(false);
    let (repair, contract) = (flag("repair"), flag("contract"));
    let mut names = |key| {
        let values = fields.optional(key).map(|value| reader.list(value)).unwrap_or_default();
        values.iter().filter_map(|value| reader.parsed(value, DomainName::parse)).collect()
    };
    let (keep, flatten, drop) = (names("keep"), names("flatten"), names("drop"));
    let receivers = fields.optional("receivers").map(|value| reader.list(value)).unwrap_or_default();
    let receivers = receivers.iter().filter_map(|value| reader.parsed(value, Profile::named)).collect();
    CompactRequest {
        receivers,
        reserve: reserve.unwrap_or(defaults.reserve),
        octets: size(octets),
        max_records: size(max_records),
        keep,
        flatten,
        drop,
        repair,
        contract,
        budget: size(budget).unwrap_or(defaults.budget),
    }
}
