//! The operations on SPF.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Input, failure, to_json};
use crate::dns::{Evidence, Snapshot};
use crate::document::{Fields, Reader, Value};
use crate::error::{Error, Invalid, Problem};
use crate::name::{DomainName, return_path};
use crate::net::parse_address;
use crate::spf::{
    Checked, Compared, Policy, Profile, Query, RecordDocument, SpfRecord, SpfResult, Subject, TraceLog,
    check, check_traced, cost_at, diff, diff_between, lint,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParseInput {
    record: String,
}

pub(super) fn parse(input: &ParseInput) -> Result<RecordDocument, Error> {
    Ok(SpfRecord::parse(input.record.as_bytes())?.to_document())
}

/// `{ "dns", "ip", "mail_from", "helo", "receiver", "trace" }`, the last three optional.
pub(super) fn check_operation(input: &Input<'_>) -> Result<String, Error> {
    let (snapshot, request, profile, trace) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let request = CheckRequest::read(reader, fields);
        let profile = profile(reader, fields);
        let trace = fields.optional("trace").and_then(|value| reader.boolean(value)).unwrap_or(false);
        Some((snapshot?, request?, profile?, trace))
    })?;
    Ok(to_json(&request.check(&*snapshot, profile, trace)?))
}

/// `{ "dns", "subject", "domain", "receiver" }`, the last two optional: the subject is a domain, or a record to be read
/// at `domain`.
struct About<'a> {
    snapshot: Cow<'a, Snapshot>,
    subject: String,
    at: Option<DomainName>,
    profile: &'static Profile,
}

fn about<'a>(input: &Input<'a>) -> Result<About<'a>, Invalid> {
    about_with(input, |_, _| ()).map(|(about, ())| about)
}

/// The same with more fields; a problem of one is noted at the reader.
fn about_with<'a, T>(
    input: &Input<'a>,
    more: impl FnOnce(&mut Reader, &mut Fields<'_>) -> T,
) -> Result<(About<'a>, T), Invalid> {
    read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let at = fields.optional("domain").and_then(|value| reader.parsed(value, DomainName::parse));
        let subject =
            fields.required(reader, "subject").and_then(|value| reader.text(value)).map(str::to_owned);
        let profile = profile(reader, fields);
        let more = more(reader, fields);
        Some((About { snapshot: snapshot?, subject: subject?, at, profile: profile? }, more))
    })
}

// Problems of the subject have their places in it, as those of a record that is parsed.
/// As [`About`], with an optional `ip` whose deciding terms are told.
pub(super) fn cost_operation(input: &Input<'_>) -> Result<String, Error> {
    let (About { snapshot, subject, at, profile }, ip) =
        about_with(input, |reader, fields| fields.optional("ip").map(|value| address(reader, value)))?;
    let ip = ip.flatten();
    let subject = Subject::parse(&subject, at).map_err(|invalid| input.of("subject", invalid))?;
    Ok(to_json(&cost_at(&*snapshot, &subject, profile, ip)?))
}

/// The policy of a domain, or of a record that `domain` would publish.
///
/// # Errors
///
/// Problems of the arguments `subject` and `domain`, with their places in them; the questions whose answers the evidence does not hold.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::wire::policy;
///
/// let policy = policy(&Snapshot::default(), "v=spf1 ip4:192.0.2.0/24 -all", None)?;
/// assert_eq!(policy.intended().certain("192.0.2.1".parse().unwrap()).unwrap().as_str(), "pass");
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn policy(evidence: &dyn Evidence, subject: &str, domain: Option<&str>) -> Result<Policy, Error> {
    let named = |argument, invalid| Input::one_by_one("", &[]).of(argument, invalid);
    let at = domain.map(DomainName::parse).transpose();
    let at = at.map_err(|problem| named("domain", Invalid::one(problem)))?;
    let subject = Subject::parse(subject, at).map_err(|invalid| named("subject", invalid))?;
    Policy::compile(&subject.publish_on(evidence), &subject.domain)
}

pub(super) fn lint_operation(input: &Input<'_>) -> Result<String, Error> {
    let About { snapshot, subject, at, profile } = about(input)?;
    Ok(to_json(&lint(&*snapshot, &subject, at, profile)?))
}

/// `{ "dns", "left", "right", "right_dns", "domain", "right_domain", "intended", "receiver" }`, the last five optional: each side is a domain, or a record to
/// be read at `domain`; `right_dns` is other evidence for the right side, `right_domain` another domain. Problems of a side have the place of that side in the input, as there are two.
pub(super) fn diff_operation(input: &Input<'_>) -> Result<String, Error> {
    let (snapshot, of_right, left, right, compared) = read(input, |reader, fields| {
        let snapshot = snapshot(reader, fields, input);
        let of_right = input.snapshot(reader, fields, "right_dns", super::dns::evidence);
        let at = fields.optional("domain").and_then(|value| reader.parsed(value, DomainName::parse));
        let at_right =
            fields.optional("right_domain").and_then(|value| reader.parsed(value, DomainName::parse));
        let at_right = at_right.or_else(|| at.clone());
        let mut side = |reader: &mut Reader, key, at: Option<DomainName>| {
            let value = fields.required(reader, key)?;
            match Subject::parse(reader.text(value)?, at) {
                Ok(subject) => Some(subject),
                Err(invalid) => {
                    input.note(reader, key, value, invalid);
                    None
                }
            }
        };
        let (left, right) = (side(reader, "left", at), side(reader, "right", at_right));
        let profile = profile(reader, fields);
        let intended = fields.optional("intended").and_then(|value| reader.boolean(value)).unwrap_or(false);
        let compared = if intended { Compared::Intended } else { Compared::Actual(profile?) };
        Some((snapshot?, of_right, left?, right?, compared))
    })?;
    let difference = match of_right {
        Some(other) => diff_between((&*snapshot, &left), (&*other, &right), compared),
        None => diff(&*snapshot, &left, &right, compared),
    };
    Ok(to_json(&difference?))
}

pub(super) fn read<T>(
    input: &Input<'_>,
    fields: impl FnOnce(&mut Reader, &mut Fields<'_>) -> Option<T>,
) -> Result<T, Invalid> {
    let value = match Value::from_json(input.text) {
        Ok(value) => value,
        Err(problem) => return Invalid::unless(vec![problem], input.text, None).and_then(unread),
    };
    let mut reader = Reader::default();
    let read = reader.fields(&value).and_then(|mut table| {
        let read = fields(&mut reader, &mut table);
        table.finish(&mut reader);
        read
    });
    let own = reader.problems.len();
    reader.finish(input.text, read).map_err(|invalid| input.placed(&value, own, invalid)).and_then(unread)
}

/// What is not read has had its problems told.
fn unread<T>(value: Option<T>) -> Result<T, Invalid> {
    value.ok_or_else(|| Invalid::one(Problem::new("wire.bad-input", "the input cannot be read")))
}

pub(super) fn snapshot<'a>(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    input: &Input<'a>,
) -> Option<Cow<'a, Snapshot>> {
    input.required_snapshot(reader, fields, "dns", super::dns::evidence)
}

fn address(reader: &mut Reader, value: &Value) -> Option<IpAddr> {
    reader.parsed(value, parse_address)
}

fn profile(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<&'static Profile> {
    match fields.optional("receiver") {
        Some(value) => reader.parsed(value, Profile::named),
        None => Some(Profile::DEFAULT),
    }
}

/// One question to `check_host()`: a line of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckRequest {
    /// The address of the client.
    pub ip: IpAddr,
    /// The MAIL FROM address, with or without angle brackets; empty or `<>` for the null sender.
    pub mail_from: String,
    /// The HELO name, if it is known.
    pub helo: Option<String>,
}

impl CheckRequest {
    /// A request.
    pub fn new(ip: IpAddr, mail_from: impl Into<String>, helo: Option<String>) -> Self {
        Self { ip, mail_from: mail_from.into(), helo }
    }

    /// Reads `{ "ip", "mail_from", "helo" }`, the last one optional.
    ///
    /// # Errors
    ///
    /// Every problem of the document, with its place.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        read(&Input::whole(text), Self::read)
    }

    fn read(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<Self> {
        let ip = fields.required(reader, "ip").and_then(|value| address(reader, value));
        let mut text = |value| reader.text(value).map(str::to_owned);
        let helo = fields.optional("helo").and_then(&mut text);
        let mail_from = fields
            .required(reader, "mail_from")
            .and_then(|value| reader.parsed(value, |text| return_path(text).map(|_| text.to_owned())));
        Some(Self { ip: ip?, mail_from: mail_from?, helo })
    }

    /// Answers the request.
    ///
    /// # Errors
    ///
    /// `name.not-an-address`; the questions whose answers the evidence does not hold.
    pub fn check(
        &self,
        evidence: &dyn Evidence,
        profile: &'static Profile,
        trace: bool,
    ) -> Result<CheckDocument, Error> {
        let mail_from = return_path(&self.mail_from)?;
        let query = Query::new(self.ip, mail_from, self.helo.as_deref().unwrap_or_default());
        let mut log = TraceLog::default();
        let checked = if trace {
            check_traced(evidence, &query, profile, &mut log)
        } else {
            check(evidence, &query, profile)
        }?;
        Ok(CheckDocument {
            format: "sendershift-check/1",
            request: self.clone(),
            domain: query.domain().cloned(),
            receiver: profile,
            checked,
            trace: trace.then_some(log),
        })
    }
}

/// The answer to a [`CheckRequest`] (`sendershift-check/1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckDocument {
    /// `sendershift-check/1`.
    pub format: &'static str,
    /// The request, repeated.
    #[serde(flatten)]
    pub request: CheckRequest,
    /// The domain that was checked.
    pub domain: Option<DomainName>,
    /// The receiver whose limits apply.
    pub receiver: &'static Profile,
    /// The result and what it took.
    #[serde(flatten)]
    pub checked: Checked,
    /// What each term did, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceLog>,
}

/// The answer to one line of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLine {
    /// A JSON document without line breaks.
    pub document: String,
    /// What became of the line.
    pub judged: Judged,
}

/// What became of a line of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Judged {
    /// It has a result.
    Result(SpfResult),
    /// Evidence is missing.
    Missing,
    /// It is not a request.
    Malformed,
}

impl BatchLine {
    /// Answers one line of a batch, whatever it holds: a `sendershift-check/1` document, a `sendershift-missing/1`
    /// document with the request repeated, or a `sendershift-error/1` document, whose places are in line `number`.
    pub fn judge(
        (number, line): (u32, &[u8]),
        evidence: &dyn Evidence,
        profile: &'static Profile,
        trace: bool,
    ) -> Self {
        #[derive(Serialize)]
        struct Repeated<'a> {
            #[serde(flatten)]
            failure: super::Failure<'a>,
            #[serde(flatten)]
            request: &'a CheckRequest,
        }
        let request = std::str::from_utf8(line).map_err(|error| {
            let at = error.valid_up_to();
            Invalid::one(Problem::new("json.not-utf8", "the line is not UTF-8 text").at(at..at))
        });
        let request = match request.and_then(CheckRequest::from_json) {
            Ok(request) => request,
            Err(mut invalid) => {
                for problem in &mut invalid.problems {
                    problem.line = Some(number);
                }
                return Self { document: failure(&invalid.into()), judged: Judged::Malformed };
            }
        };
        match request.check(evidence, profile, trace) {
            Ok(answer) => Self { document: to_json(&answer), judged: Judged::Result(answer.checked.result) },
            Err(error) => {
                let repeated = Repeated { request: &request, failure: super::Failure::of(&error) };
                Self { document: to_json(&repeated), judged: Judged::Missing }
            }
        }
    }
}
