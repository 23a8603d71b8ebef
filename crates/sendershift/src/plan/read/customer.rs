//! Reading customers.

use super::parts::{optional_text, read_list, read_seconds, required_list, required_text, transposed};
use crate::document::{Reader, Value};
use crate::name::DomainName;
use crate::plan::{Customer, Fallback};

pub(super) fn read_customer(reader: &mut Reader, value: &Value) -> Option<Customer> {
    let mut fields = reader.fields(value)?;
    let id = required_text(reader, &mut fields, "id");
    let text = |reader: &mut Reader, value: &Value| reader.text(value).map(str::to_owned);
    let streams = required_list(reader, &mut fields, "streams", text);
    let lead_time = fields.required(reader, "lead_time").and_then(|value| read_seconds(reader, value));
    let notified_by = required_text(reader, &mut fields, "notified_by");
    let name = |reader: &mut Reader, value: &Value| reader.parsed(value, DomainName::parse);
    let own_domains = read_list(reader, &mut fields, "own_domains", name);
    let ready_when = optional_text(reader, &mut fields, "ready_when");
    let fallback = fields.optional("fallback").map(|value| read_fallback(reader, value));
    fields.finish(reader);
    Some(Customer {
        id: id?,
        streams: streams?,
        lead_time: lead_time?,
        notified_by: notified_by?,
        own_domains: own_domains?,
        ready_when,
        fallback: transposed(fallback)?,
    })
}

fn read_fallback(reader: &mut Reader, value: &Value) -> Option<Fallback> {
    let mut fields = reader.fields(value)?;
    let stream = required_text(reader, &mut fields, "stream");
    let identity = required_text(reader, &mut fields, "identity");
    fields.finish(reader);
    Some(Fallback { stream: stream?, identity: identity? })
}
