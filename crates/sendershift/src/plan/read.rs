//! Reading plan documents.

mod customer;
mod mta_sts;
mod parts;
mod step;

pub(crate) use self::parts::MAX_SECONDS;
use self::parts::{
    list, optional_text, read_list, read_seconds, read_text, read_word, required_list, required_name,
    required_text, transposed,
};
use jiff::tz::Offset;

use super::check;
use super::{FORMAT, Identity, Parameters, Plan, Remark, Signature, SignedAt, Source, Stream};
use crate::dns::Snapshot;
use crate::document::{Kind, Reader, Value, misplaced};
use crate::error::{Invalid, Problem, Span};
use crate::name::DomainName;
use crate::net::{AddressSet, parse_exact_net};
use crate::spf::Profile;

impl Plan {
    /// Reads a plan document, as the planner or a person wrote it.
    ///
    /// A `proof` inside is skipped; derived fields (dates, previews, the critical path) are read and not believed.
    ///
    /// # Errors
    ///
    /// Every problem of the document, with its place: `json.syntax`, `document.*`, those of the evidence, and `plan.*`.
    /// What needs the whole plan ([`Plan::check`]) is looked at once each part can be read.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::plan::Plan;
    /// # let text = include_str!("../../../../tests/plans/safe-split.json");
    ///
    /// let plan = Plan::from_json(text)?;
    /// assert_eq!(plan.streams[1].live, ["old"]);
    ///
    /// let invalid = Plan::from_json(&text.replace("\"after\"", "\"afer\"")).unwrap_err();
    /// assert_eq!(invalid.problems[1].help.as_deref(), Some("did you mean `after`?"));
    /// # Ok::<(), sendershift::error::Invalid>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        let mut reader = Reader::default();
        let plan = match Value::from_json(text) {
            Ok(value) => Self::read(&mut reader, &value, text),
            Err(problem) => {
                reader.problem(misplaced(text, FORMAT).unwrap_or(problem));
                None
            }
        };
        // Whatever could not be read has been reported.
        reader
            .finish(text, plan)?
            .ok_or_else(|| Invalid::one(Problem::new("plan.unreadable", "this is no plan")))
    }

    /// Reads a plan that may stand inside another document.
    pub(crate) fn read(reader: &mut Reader, value: &Value, text: &str) -> Option<Self> {
        let plan = read_plan(reader, value, text);
        for (pointer, problem) in plan.iter().flat_map(check::problems) {
            reader.problem(problem.at(place(value, &pointer)));
        }
        plan
    }
}

/// The place that a JSON pointer leads to, as far as it does; of lists and tables the first octet.
fn place(mut value: &Value, pointer: &str) -> Span {
    for part in pointer.split('/').skip(1) {
        let next = match &value.kind {
            Kind::List(values) => part.parse::<usize>().ok().and_then(|index| values.get(index)),
            Kind::Table(entries) => entries.iter().find(|entry| entry.key == part).map(|entry| &entry.value),
            _ => None,
        };
        let Some(next) = next else { break };
        value = next;
    }
    match value.kind {
        Kind::List(_) | Kind::Table(_) => Span::new(value.span.start, value.span.start + 1),
        _ => value.span,
    }
}

fn read_plan(reader: &mut Reader, value: &Value, text: &str) -> Option<Plan> {
    let mut fields = reader.fields(value)?;
    if !reader.format(&mut fields, FORMAT) {
        return None;
    }
    let title = read_text(reader, &mut fields, "title");
    let evidence = fields.required(reader, "evidence").and_then(|value| Snapshot::read(reader, value, text));
    let parameters = fields
        .required(reader, "parameters")
        .and_then(|value| read_parameters(reader, value, evidence.as_ref()));
    let sources = required_list(reader, &mut fields, "sources", read_source);
    let streams = required_list(reader, &mut fields, "streams", read_stream);
    let customers = read_list(reader, &mut fields, "customers", customer::read_customer);
    let mta_sts = read_list(reader, &mut fields, "mta_sts", mta_sts::read_policy);
    let steps = required_list(reader, &mut fields, "steps", step::read_step);
    let mut remarks = |key| read_list(reader, &mut fields, key, read_remark);
    let (assumptions, findings, blockers) =
        (remarks("assumptions"), remarks("findings"), remarks("blockers"));
    let critical_path = read_list(reader, &mut fields, "critical_path", |reader, value| {
        reader.text(value).map(str::to_owned)
    });
    let point_of_no_return = optional_text(reader, &mut fields, "point_of_no_return");
    fields.optional("proof");
    fields.finish(reader);
    Some(Plan {
        title,
        parameters: parameters?,
        sources: sources?,
        streams: streams?,
        customers: customers?,
        mta_sts: mta_sts?,
        steps: steps?,
        evidence: evidence?,
        assumptions: assumptions?,
        findings: findings?,
        blockers: blockers?,
        critical_path: critical_path?,
        point_of_no_return,
    })
}

fn read_parameters(reader: &mut Reader, value: &Value, evidence: Option<&Snapshot>) -> Option<Parameters> {
    let mut fields = reader.fields(value)?;
    let offset = fields.optional("utc_offset");
    let utc_offset = offset.and_then(|value| reader.parsed(value, parse_offset)).unwrap_or_default();
    let offset = Offset::from_seconds(utc_offset).unwrap_or(Offset::UTC);
    let start = match (fields.optional("start"), evidence) {
        (Some(value), _) => reader.timestamp_at(value, offset),
        (None, Some(evidence)) if evidence.taken().is_none() => {
            let place = Span::new(fields.span.start, fields.span.start + 1);
            let problem =
                Problem::new("plan.no-start", "neither `start` nor the evidence says when the plan begins");
            reader.problem(problem.at(place).help("add `start` here, or `taken` to the evidence"));
            None
        }
        (None, evidence) => evidence.and_then(Snapshot::taken),
    };
    let mut parameters = Parameters::new(start.unwrap_or_default());
    parameters.deadline = fields.optional("deadline").and_then(|value| reader.timestamp_at(value, offset));
    parameters.utc_offset = utc_offset;
    for (key, parameter) in [
        ("queue_lifetime", &mut parameters.queue_lifetime),
        ("signature_lifetime", &mut parameters.signature_lifetime),
        ("resolver_stale", &mut parameters.resolver_stale),
        ("ttl_ceiling", &mut parameters.ttl_ceiling),
        ("publication_delay", &mut parameters.publication_delay),
    ] {
        if let Some(seconds) = fields.optional(key).and_then(|value| read_seconds(reader, value)) {
            *parameter = seconds;
        }
    }
    let profile = |reader: &mut Reader, value: &Value| reader.parsed(value, Profile::named);
    if let Some(value) = fields.optional("receivers")
        && let Some(receivers) = list(reader, value, profile)
    {
        parameters.receivers = receivers;
    }
    parameters.within_limits_from = optional_text(reader, &mut fields, "within_limits_from");
    fields.finish(reader);
    start.map(|_| parameters)
}

/// Reads `+05:30`.
fn parse_offset(text: &str) -> Result<i32, Problem> {
    let part = |text: &str, below: i32| {
        let is_number = text.len() == 2 && text.bytes().all(|octet| octet.is_ascii_digit());
        text.parse::<i32>().ok().filter(|number| is_number && *number < below)
    };
    let read = || {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+')?),
        };
        let (hours, minutes) = rest.split_once(':')?;
        Some(sign * (part(hours, 24)? * 3600 + part(minutes, 60)? * 60))
    };
    read().ok_or_else(|| {
        Problem::new("plan.bad-offset", format!("`{text}` is not an offset from UTC"))
            .help("write it as +05:30")
    })
}

fn read_source(reader: &mut Reader, value: &Value) -> Option<Source> {
    let mut fields = reader.fields(value)?;
    let id = required_text(reader, &mut fields, "id");
    let net = |reader: &mut Reader, value: &Value| reader.parsed(value, parse_exact_net);
    let addresses = read_list(reader, &mut fields, "addresses", net);
    let include = fields.optional("include").map(|value| reader.parsed(value, DomainName::parse));
    let assumed = optional_text(reader, &mut fields, "assumed");
    fields.finish(reader);
    let addresses = AddressSet::from_nets(addresses?);
    Some(Source { id: id?, addresses, include: transposed(include)?, assumed })
}

fn read_stream(reader: &mut Reader, value: &Value) -> Option<Stream> {
    const SIGNED_AT: [(&str, SignedAt); 2] =
        [("injection", SignedAt::Injection), ("delivery", SignedAt::Delivery)];
    let mut fields = reader.fields(value)?;
    let id = required_text(reader, &mut fields, "id");
    let title = read_text(reader, &mut fields, "title");
    let identities = required_list(reader, &mut fields, "identities", read_identity);
    let live = read_list(reader, &mut fields, "live", |reader, value| reader.text(value).map(str::to_owned));
    let mut flag = |key| fields.optional(key).and_then(|value| reader.boolean(value)).unwrap_or_default();
    let (needs_both, spf_only) = (flag("needs_both"), flag("spf_only"));
    let signed_at = fields
        .optional("signed_at")
        .and_then(|value| read_word(reader, value, "plan.unknown-signed-at", &SIGNED_AT));
    let judged_from = optional_text(reader, &mut fields, "judged_from");
    fields.finish(reader);
    Some(Stream {
        id: id?,
        title,
        identities: identities?,
        live: live?,
        needs_both,
        spf_only,
        signed_at: signed_at.unwrap_or_default(),
        judged_from,
    })
}

fn read_identity(reader: &mut Reader, value: &Value) -> Option<Identity> {
    let mut fields = reader.fields(value)?;
    let id = required_text(reader, &mut fields, "id");
    let author_domain = required_name(reader, &mut fields, "author_domain");
    // Null is the null sender, so it has to be said.
    let mail_from = if fields.has("mail_from") {
        transposed(fields.optional("mail_from").map(|value| reader.parsed(value, DomainName::parse)))
    } else {
        fields.required(reader, "mail_from");
        None
    };
    let helo = fields.optional("helo").map(|value| reader.parsed(value, DomainName::parse));
    let dkim = read_list(reader, &mut fields, "dkim", read_signature);
    let text = |reader: &mut Reader, value: &Value| reader.text(value).map(str::to_owned);
    let sources = required_list(reader, &mut fields, "sources", text);
    fields.finish(reader);
    Some(Identity {
        id: id?,
        author_domain: author_domain?,
        mail_from: mail_from?,
        helo: transposed(helo)?,
        dkim: dkim?,
        sources: sources?,
    })
}

fn read_signature(reader: &mut Reader, value: &Value) -> Option<Signature> {
    let mut fields = reader.fields(value)?;
    let domain = required_name(reader, &mut fields, "domain");
    let selector = fields.required(reader, "selector").and_then(|value| reader.parsed(value, str::parse));
    fields.finish(reader);
    Some(Signature { domain: domain?, selector: selector? })
}

fn read_remark(reader: &mut Reader, value: &Value) -> Option<Remark> {
    let mut fields = reader.fields(value)?;
    let code = required_text(reader, &mut fields, "code");
    let subject = optional_text(reader, &mut fields, "subject");
    let message = read_text(reader, &mut fields, "message");
    fields.finish(reader);
    Some(Remark { code: code?, subject, message })
}
