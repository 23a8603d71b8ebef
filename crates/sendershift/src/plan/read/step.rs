//! Reading steps.

use jiff::{SignedDuration, Timestamp};

use super::parts::{
    list, optional_text, read_list, read_seconds, read_text, read_word, required_list, required_name,
    required_text, transposed,
};
use crate::dns::snapshot::read_record_list;
use crate::dns::{MAX_TTL, RecordType, Records};
use crate::document::{Fields, Kind, Reader, Value};
use crate::error::{Problem, Span};
use crate::name::DomainName;
use crate::plan::{After, Change, Dates, Expect, GivenUp, Preview, Step, StepKind, Undo, Use};

const KINDS: [(&str, StepKind); 6] = [
    ("customer", StepKind::Customer),
    ("dns", StepKind::Dns),
    ("external", StepKind::External),
    ("gate", StepKind::Gate),
    ("notify", StepKind::Notify),
    ("send", StepKind::Send),
];

pub(super) fn read_step(reader: &mut Reader, value: &Value) -> Option<Step> {
    let mut fields = reader.fields(value)?;
    let id = required_text(reader, &mut fields, "id");
    let kind = fields
        .required(reader, "kind")
        .and_then(|value| read_word(reader, value, "plan.unknown-kind", &KINDS));
    // A step that waits for nothing says so; only what happens on its date needs not.
    let after = match kind {
        Some(StepKind::External) => read_list(reader, &mut fields, "after", read_after),
        _ => required_list(reader, &mut fields, "after", read_after),
    };
    let on = fields.optional("on").map(|value| read_instant(reader, value));
    let changes = read_list(reader, &mut fields, "changes", read_change);
    let starts = read_list(reader, &mut fields, "starts", read_use);
    let stops = read_list(reader, &mut fields, "stops", read_use);
    let gives_up = read_list(reader, &mut fields, "gives_up", read_given_up);
    let mut text = |key| read_text(reader, &mut fields, key);
    let (phase, owner, title, why) = (text("phase"), text("owner"), text("title"), text("why"));
    let (done_when, abort_when) = (text("done_when"), text("abort_when"));
    let undo = match fields.optional("undo") {
        Some(value @ Value { kind: Kind::List(_), .. }) => list(reader, value, read_step).map(Undo::Steps),
        value => Some(Undo::Text(value.and_then(|value| reader.text(value)).unwrap_or_default().to_owned())),
    };
    let reversible = fields.optional("reversible").and_then(|value| reader.boolean(value));
    let dates = read_dates(reader, &mut fields);
    fields.finish(reader);
    let kind = kind?;
    Some(Step {
        id: id?,
        phase,
        kind,
        owner,
        title,
        why,
        after: after?,
        on: transposed(on)?,
        changes: changes?,
        starts: starts?,
        stops: stops?,
        gives_up: gives_up?,
        done_when,
        abort_when,
        undo: undo?,
        // What was said, or done by others, cannot be taken back.
        reversible: reversible.unwrap_or(matches!(kind, StepKind::Dns | StepKind::Gate | StepKind::Send)),
        dates,
    })
}

fn read_dates(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<Dates> {
    let mut time = |key| fields.optional(key).and_then(|value| reader.timestamp(value));
    let (earliest, latest) = (time("earliest"), time("latest"));
    let slack = fields.optional("slack").and_then(|value| {
        reader.parsed(value, |text| {
            text.parse::<SignedDuration>().map(|slack| slack.as_secs()).map_err(|_| {
                Problem::new("document.bad-duration", format!("`{text}` is not a duration"))
                    .help("it is derived: leave it out")
            })
        })
    });
    Some(Dates { earliest: earliest?, latest, slack })
}

fn read_after(reader: &mut Reader, value: &Value) -> Option<After> {
    let mut fields = reader.fields(value)?;
    let step = required_text(reader, &mut fields, "step");
    let at_least = fields.optional("at_least").map(|value| read_seconds(reader, value));
    fields.finish(reader);
    Some(After { step: step?, at_least: transposed(at_least)?.unwrap_or_default() })
}

fn read_use(reader: &mut Reader, value: &Value) -> Option<Use> {
    let mut fields = reader.fields(value)?;
    let stream = required_text(reader, &mut fields, "stream");
    let identity = required_text(reader, &mut fields, "identity");
    let share = fields.optional("share").and_then(|value| reader.integer(value));
    let over = fields.optional("over").and_then(|value| read_seconds(reader, value));
    fields.finish(reader);
    Some(Use { stream: stream?, identity: identity?, share, over })
}

/// A source or a name, one of them.
fn read_given_up(reader: &mut Reader, value: &Value) -> Option<GivenUp> {
    let mut fields = reader.fields(value)?;
    let place = Span::new(value.span.start, value.span.start + 1);
    let source = optional_text(reader, &mut fields, "source");
    let name = fields.optional("name").map(|value| reader.parsed(value, DomainName::parse));
    fields.finish(reader);
    match (source, name) {
        (Some(source), None) => Some(GivenUp::Source(source)),
        (None, Some(name)) => name.map(GivenUp::Name),
        _ => {
            let problem = Problem::new("plan.bad-gives-up", "either a source is given up here, or a name");
            reader.problem(problem.at(place).help("write `{ \"source\": ID }` or `{ \"name\": DOMAIN }`"));
            None
        }
    }
}

fn read_change(reader: &mut Reader, value: &Value) -> Option<Change> {
    let mut fields = reader.fields(value)?;
    let name = required_name(reader, &mut fields, "name");
    let record_type: Option<RecordType> =
        fields.required(reader, "type").and_then(|value| reader.parsed(value, str::parse));
    let mut ttl = |key| transposed(fields.optional(key).map(|value| read_ttl(reader, value)));
    let (ttl_before, ttl_after) = (ttl("ttl_before"), ttl("ttl_after"));
    let remove = read_records(reader, &mut fields, "remove", record_type);
    let add = read_records(reader, &mut fields, "add", record_type);
    let expect = match fields.optional("expect") {
        Some(Value { kind: Kind::Text(text), span }) => {
            if text != "absent" {
                let problem = Problem::new("plan.bad-expect", format!("`{text}` cannot be expected"));
                reader.problem(problem.at(*span).help("expect `absent`, or a list of records"));
            }
            Some(Some(Expect::Absent))
        }
        Some(Value { kind: Kind::List(values), span }) if values.is_empty() => {
            let problem = Problem::new("plan.bad-expect", "an empty list expects nothing");
            reader.problem(problem.at(*span).help("expect `absent`, or leave `expect` out"));
            Some(None)
        }
        _ => read_records(reader, &mut fields, "expect", record_type)
            .map(|records| records.map(Expect::Present)),
    };
    let preview = fields.optional("preview").and_then(|value| {
        let mut fields = reader.fields(value)?;
        let before = read_records(reader, &mut fields, "before", record_type);
        let after = read_records(reader, &mut fields, "after", record_type);
        fields.finish(reader);
        Some(Preview { before: before?, after: after? })
    });
    fields.finish(reader);
    Some(Change {
        name: name?,
        record_type: record_type?,
        ttl_before: ttl_before?,
        ttl_after: ttl_after?,
        remove: remove?,
        add: add?,
        expect: expect?,
        preview,
    })
}

/// A TTL; name servers refuse one that is longer (RFC 2181 section 8).
fn read_ttl(reader: &mut Reader, value: &Value) -> Option<u32> {
    let ttl = reader.integer(value)?;
    if ttl > MAX_TTL {
        let message = format!("a TTL of {ttl} is more than {MAX_TTL} (RFC 2181 section 8)");
        reader.problem(Problem::new("plan.ttl-too-long", message).at(value.span));
        return None;
    }
    Some(ttl)
}

/// Records in the syntax of snapshots; no records are the same as no key.
#[expect(clippy::option_option, reason = "the outer one says whether there was a problem")]
fn read_records(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    record_type: Option<RecordType>,
) -> Option<Option<Records>> {
    let Some(value) = fields.optional(key) else { return Some(None) };
    match reader.list(value) {
        [] => matches!(value.kind, Kind::List(_)).then_some(None),
        values => read_record_list(reader, values, record_type?).map(Some),
    }
}

/// An instant. A date alone would leave open when on that day, and where.
fn read_instant(reader: &mut Reader, value: &Value) -> Option<Timestamp> {
    if matches!(&value.kind, Kind::Text(text) if text.len() == 10) {
        let problem = Problem::new("plan.date-without-time", "the date has no time of day");
        reader.problem(problem.at(value.span).help("write the instant, such as 2026-06-01T00:00:00+02:00"));
        return None;
    }
    reader.timestamp(value)
}
