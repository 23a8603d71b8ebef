//! Reading domains and what DMARC shall become at them.

use super::DAY;
use super::table::{Ids, Table, word};
use crate::dmarc::{DmarcRecord, Policy};
use crate::dns::{MAX_TTL, Mx, RecordType, Records};
use crate::document::{Kind, Reader, Value};
use crate::error::Problem;
use crate::migration::{DmarcGoal, Domain};
use crate::name::DomainName;

/// Tags that other keys say, or that the plan sets on the way.
const RESERVED: [&str; 5] = ["v", "p", "rua", "t", "pct"];

pub(super) fn read_domain(reader: &mut Reader, value: &Value, names: &mut Ids) -> Option<Domain> {
    let mut table = Table::new(reader, value)?;
    let name = table.required("name").and_then(|value| {
        let name = table.reader.parsed(value, DomainName::parse_for_mail)?;
        // Other tables name it in any spelling, so its canonical text is what is known.
        let canonical = Value { span: value.span, kind: Kind::Text(name.to_string()) };
        names.add(table.reader, &canonical).map(|_| name)
    });
    let role = table.text("role").unwrap_or_default();
    let ttl = table.optional("ttl").and_then(|value| table.reader.integer(value)).unwrap_or(3600);
    if ttl > MAX_TTL {
        let message =
            format!("a TTL of {ttl} is more than {MAX_TTL}, and name servers refuse it (RFC 2181 section 8)");
        let at = table.place("ttl");
        table.problem(at, "migration.ttl-too-long", message);
    }
    let mx = table.optional("mx").and_then(|value| read_mx(table.reader, value));
    let dmarc = table.optional("dmarc").and_then(|value| read_goal(table.reader, value));
    table.finish();
    Some(Domain { name: name?, role, mx, dmarc, ttl })
}

fn read_mx(reader: &mut Reader, value: &Value) -> Option<Records> {
    let values = reader.list(value);
    let texts: Vec<&str> = values.iter().filter_map(|value| reader.text(value)).collect();
    if texts.is_empty() || texts.len() < values.len() {
        return None;
    }
    match Records::parse(RecordType::Mx, &texts) {
        Ok(records) => {
            let hosts: &[Mx] = if let Records::Mx(hosts) = &records { hosts } else { &[] };
            for (Mx { exchange, .. }, value) in hosts.iter().zip(values) {
                // The root is that of a null MX (RFC 7505 section 3).
                let problem = exchange.check_for_mail().err().filter(|_| !exchange.is_root());
                reader.problems.extend(problem.map(|problem| problem.at(value.span)));
            }
            Some(records)
        }
        Err((index, problem)) => {
            reader.problem(problem.at(values.get(index).map_or(value.span, |value| value.span)));
            None
        }
    }
}

fn read_goal(reader: &mut Reader, value: &Value) -> Option<DmarcGoal> {
    const POLICIES: [(&str, Policy); 3] =
        [("none", Policy::None), ("quarantine", Policy::Quarantine), ("reject", Policy::Reject)];
    let mut table = Table::new(reader, value)?;
    let goal = table.required("goal");
    let goal = goal.and_then(|value| table.reader.parsed(value, |text| word(text, &POLICIES)));
    let rua = table.list("rua", |reader, value| {
        reader.parsed(value, |text| check_tag("rua", text).map(|()| text.to_owned()))
    });
    let dwell = table.seconds("dwell", 30 * DAY);
    let tags = table.optional("tags").map(|value| read_tags(table.reader, value)).unwrap_or_default();
    table.finish();
    Some(DmarcGoal { goal: goal?, rua, dwell, tags })
}

/// Tags in the order of the text, in which the record has them, too.
fn read_tags(reader: &mut Reader, value: &Value) -> Vec<(String, String)> {
    // Any tag that DMARC knows can stand here, so the keys are not those of a table.
    let (Some(_), Kind::Table(entries)) = (reader.fields(value), &value.kind) else { return Vec::new() };
    let mut tags = Vec::new();
    for entry in entries {
        if RESERVED.contains(&entry.key.as_str()) {
            let message = format!("the tag `{}` cannot be said here", entry.key);
            let problem = Problem::new("migration.reserved-tag", message).at(entry.key_span);
            reader.problem(
                problem.help("`p` is said by `goal`, `rua` has a key of its own, the plan sets the others"),
            );
            continue;
        }
        let tag = reader.parsed(&entry.value, |text| {
            check_tag(&entry.key, text).map(|()| (entry.key.clone(), text.to_owned()))
        });
        tags.extend(tag);
    }
    tags
}

/// Whether every receiver reads a tag as it is meant: no part of it may be skipped, or end it early.
fn check_tag(name: &str, value: &str) -> Result<(), Problem> {
    let text = format!("v=DMARC1; p=none; {name}={value}");
    let record = DmarcRecord::parse(text.as_bytes()).map_err(|invalid| {
        let first = invalid.problems.into_iter().next();
        first.unwrap_or_else(|| Problem::new("dmarc.bad-tag", format!("`{name}={value}` is no tag")))
    })?;
    if let Some(note) = record.notes().first() {
        return Err(note.clone());
    }
    let whole = record.tags().count() == 3 && (name != "rua" || record.rua().len() == 1);
    let problem = || Problem::new("dmarc.bad-tag", format!("`{value}` is more than one value"));
    if whole { Ok(()) } else { Err(problem()) }
}
