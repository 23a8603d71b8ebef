//! Reading migration documents.

mod domain;
mod stream;
mod table;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use self::table::{Ids, Table, word};
use super::{Calendar, CustomerClass, FORMAT, Freeze, Migration, Source, Wave};
use crate::document::{Kind, Reader, Value, misplaced};
use crate::error::{Invalid, Problem};
use crate::name::DomainName;
use crate::net::{AddressSet, parse_exact_net};
use crate::plan::Parameters;
use crate::spf::{Mechanism, Qualifier, SpfRecord, Term, TermKind};

const DAY: u64 = 86_400;

impl Migration {
    /// Reads a migration document.
    ///
    /// What is left out: days are those of UTC, changes start from Monday to Friday, times and limits are those of
    /// [`Parameters::new`], nothing is kept in reserve. A title is the id. New records have a TTL of an hour. A DMARC
    /// policy stays for 30 days, a wave is watched for 14 days and takes one day, customers are told 90 days ahead.
    /// A source has no terms in today's records; new ones get `include`, or else the addresses. `then` has the
    /// sources and the HELO name of `now`. A signature is of the author domain. A key that several streams use is
    /// said once.
    ///
    /// # Errors
    ///
    /// Every problem of the document, with its place: `toml.syntax`, `document.*`, `migration.*`, and those of the
    /// records and names in it (`spf.*`, `dkim.*`, `dmarc.*`, `dns.*`, `net.*`, `name.*`).
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::migration::Migration;
    ///
    /// let text = r#"
    ///     format = "sendershift-migration/1"
    ///     title = "Invoices move to example.net"
    ///     [calendar]
    ///     announce = 2026-11-02
    ///     [[domain]]
    ///     name = "example.net"
    ///     mx = ["10 mx.example.com."]
    ///     [[source]]
    ///     id = "shop"
    ///     addresses = ["192.0.2.1", "192.0.2.2"]
    ///     terms = ["ip4:192.0.2.0/28"]
    ///     [[wave]]
    ///     id = "first"
    ///     [[stream]]
    ///     id = "invoices"
    ///     wave = "first"
    ///     now = { author_domain = "example.com", mail_from = "example.com", sources = ["shop"] }
    ///     then = { author_domain = "example.net", mail_from = "example.net" }
    /// "#;
    /// let migration = Migration::from_toml(text)?;
    /// assert_eq!(migration.sources[0].publish, ["ip4:192.0.2.1", "ip4:192.0.2.2"]);
    ///
    /// let invalid = Migration::from_toml(&text.replace("[\"shop\"]", "[\"shp\"]")).unwrap_err();
    /// assert_eq!(invalid.problems[0].code, "migration.unknown-source");
    /// assert_eq!(invalid.problems[0].help.as_deref(), Some("did you mean `shop`?"));
    /// # Ok::<(), sendershift::error::Invalid>(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, Invalid> {
        let mut reader = Reader::default();
        let migration = match Value::from_toml(text) {
            Ok(value) => Table::new(&mut reader, &value).and_then(read_migration),
            Err(problem) => {
                reader.problem(misplaced(text, FORMAT).unwrap_or(problem));
                None
            }
        };
        // Whatever could not be read has been reported.
        reader
            .finish(text, migration)?
            .ok_or_else(|| Invalid::one(Problem::new("migration.unreadable", "this is no migration")))
    }
}

fn read_migration(mut table: Table<'_, '_>) -> Option<Migration> {
    if !table.format(FORMAT) {
        return None;
    }
    let title = table.text("title").unwrap_or_default();
    let (calendar, mut parameters) = match table.required("calendar") {
        Some(value) => read_calendar(table.reader, value),
        None => None,
    }
    .unwrap_or_else(|| (Calendar::of(Timestamp::UNIX_EPOCH), Parameters::new(Timestamp::UNIX_EPOCH)));
    if let Some(value) = table.optional("parameters") {
        read_parameters(table.reader, value, &mut parameters);
    }
    let reserve = table.optional("limits").and_then(|value| read_limits(table.reader, value));

    let mut names = Ids::new("domain", "migration.unknown-domain");
    let domains = table.list("domain", |reader, value| domain::read_domain(reader, value, &mut names));
    let mut source_ids = Ids::new("source", "migration.unknown-source");
    table.required("source");
    let sources = table.list("source", |reader, value| read_source(reader, value, &mut source_ids));
    let mut wave_ids = Ids::new("wave", "migration.unknown-wave");
    let waves = table.list("wave", |reader, value| read_wave(reader, value, &mut wave_ids));
    table.required("stream");
    let mut streams = stream::Streams::new(names, source_ids, wave_ids);
    let mut read = table.list("stream", |reader, value| streams.read(reader, value));
    streams.share_keys(&mut read);
    if table.says_none("stream") {
        let at = table.place("stream");
        table.problem(at, "migration.no-streams", "no stream is named");
    }

    let mut customer_ids = Ids::new("class of customers", "migration.unknown-customers");
    let customers = table.list("customers", |reader, value| read_customers(reader, value, &mut customer_ids));
    let assumptions = table.texts("assumptions");
    table.finish();
    Some(Migration {
        title,
        calendar,
        parameters,
        reserve: reserve.unwrap_or_default(),
        domains,
        sources,
        waves,
        streams: read,
        customers,
        assumptions,
    })
}

impl Calendar {
    fn of(announce: Timestamp) -> Self {
        let working_days = [true, true, true, true, true, false, false];
        Self { announce, deadline: None, freezes: Vec::new(), working_days }
    }
}

fn read_calendar(reader: &mut Reader, value: &Value) -> Option<(Calendar, Parameters)> {
    const DAYS: [(&str, usize); 7] =
        [("mon", 0), ("tue", 1), ("wed", 2), ("thu", 3), ("fri", 4), ("sat", 5), ("sun", 6)];
    let mut table = Table::new(reader, value)?;
    let utc_offset = table.parsed("utc_offset", parse_offset).unwrap_or_default();
    let offset = Offset::from_seconds(utc_offset).unwrap_or(Offset::UTC);
    let announce = table.required("announce").map(|value| first_instant(table.reader, value, offset));
    let mut calendar = Calendar::of(announce.unwrap_or_default());
    calendar.deadline = table.optional("deadline").map(|value| instant_after(table.reader, value, offset));
    if calendar.deadline.is_some_and(|deadline| deadline <= calendar.announce) {
        let at = table.place("deadline");
        table.problem(at, "migration.deadline-passed", "the deadline is not after the announcement");
    }
    calendar.freezes = table.list("freezes", |reader, value| read_freeze(reader, value, offset));
    if table.optional("working_days").is_some() {
        calendar.working_days = [false; 7];
        for day in table.list("working_days", |reader, value| reader.parsed(value, |text| word(text, &DAYS)))
        {
            if let Some(works) = calendar.working_days.get_mut(day) {
                *works = true;
            }
        }
        if table.says_none("working_days") {
            let at = table.place("working_days");
            table.problem(at, "migration.no-working-days", "there is no day on which changes may start");
        }
    }
    table.finish();
    let mut parameters = Parameters::new(calendar.announce);
    parameters.deadline = calendar.deadline;
    parameters.utc_offset = utc_offset;
    Some((calendar, parameters))
}

fn read_freeze(reader: &mut Reader, value: &Value, offset: Offset) -> Option<Freeze> {
    let mut table = Table::new(reader, value)?;
    let from = table.required("from").map(|value| first_instant(table.reader, value, offset));
    let until = table.required("until").map(|value| instant_after(table.reader, value, offset));
    let why = table.text("why").unwrap_or_default();
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        let at = table.place("until");
        table.problem(at, "migration.empty-freeze", "the freeze ends before it begins");
    }
    table.finish();
    Some(Freeze { from: from?, until: until?, why })
}

/// A day, if the value is one and not an instant.
fn day(value: &Value) -> Option<Date> {
    match &value.kind {
        Kind::Text(text) if text.len() == 10 => text.parse().ok(),
        _ => None,
    }
}

/// An instant; a day stands for its first one.
fn first_instant(reader: &mut Reader, value: &Value, offset: Offset) -> Timestamp {
    let start = |day: Date| offset.to_timestamp(day.to_datetime(Time::midnight())).ok();
    day(value).and_then(start).or_else(|| reader.timestamp(value)).unwrap_or_default()
}

/// An instant; a day stands for the first one after it, because it is meant to be included.
fn instant_after(reader: &mut Reader, value: &Value, offset: Offset) -> Timestamp {
    let end = |day: Date| offset.to_timestamp(day.tomorrow().ok()?.to_datetime(Time::midnight())).ok();
    day(value).and_then(end).or_else(|| reader.timestamp(value)).unwrap_or_default()
}

/// Reads `+05:30`: how much earlier it is midnight there.
fn parse_offset(text: &str) -> Result<i32, Problem> {
    let midnight = format!("1970-01-01T00:00:00{text}").parse::<Timestamp>().ok();
    midnight
        .filter(|_| text.len() == 6 && text.starts_with(['+', '-']))
        .and_then(|midnight| i32::try_from(-midnight.as_second()).ok())
        .ok_or_else(|| {
            Problem::new("migration.bad-offset", format!("`{text}` is not an offset from UTC"))
                .help("write it as +05:30")
        })
}

fn read_parameters(reader: &mut Reader, value: &Value, parameters: &mut Parameters) {
    let Some(mut table) = Table::new(reader, value) else { return };
    for (key, parameter) in [
        ("queue_lifetime", &mut parameters.queue_lifetime),
        ("signature_lifetime", &mut parameters.signature_lifetime),
        ("resolver_stale", &mut parameters.resolver_stale),
        ("ttl_ceiling", &mut parameters.ttl_ceiling),
        ("publication_delay", &mut parameters.publication_delay),
    ] {
        *parameter = table.seconds(key, *parameter);
    }
    if table.optional("receivers").is_some() {
        parameters.receivers =
            table.list("receivers", |reader, value| reader.parsed(value, crate::spf::Profile::named));
        if table.says_none("receivers") {
            let at = table.place("receivers");
            table.problem(at, "migration.no-receivers", "no kind of receiver is named");
        }
    }
    table.finish();
}

fn read_limits(reader: &mut Reader, value: &Value) -> Option<u32> {
    let mut table = Table::new(reader, value)?;
    let reserve: Option<u32> = table.optional("reserve").and_then(|value| table.reader.integer(value));
    if reserve.is_some_and(|reserve| reserve > 10) {
        let at = table.place("reserve");
        table.problem(at, "migration.reserve-too-large", "there are no more than 10 lookups to keep");
    }
    table.finish();
    reserve
}

fn read_source(reader: &mut Reader, value: &Value, ids: &mut Ids) -> Option<Source> {
    let mut table = Table::new(reader, value)?;
    let (id, title) = table.id(ids);
    let nets = table.list("addresses", |reader, value| reader.parsed(value, parse_exact_net));
    let include = table.parsed("include", DomainName::parse_for_mail);
    let nowhere = table.optional("addresses").is_none() || table.says_none("addresses");
    if table.optional("include").is_none() && nowhere {
        let at = table.place("addresses");
        table.problem(
            at,
            "migration.no-addresses",
            format!("the source `{id}` has neither addresses nor `include`"),
        );
    }
    let terms = table.list("terms", |reader, value| read_term(reader, value, false));
    let publish = table.list("publish", |reader, value| read_term(reader, value, true));
    let said = table.optional("publish").is_some();
    let assumed = table.text("assumed");
    table.finish();
    let addresses = AddressSet::from_nets(nets);
    let publish = match &include {
        _ if said => publish,
        Some(name) => vec![format!("include:{name}")],
        None => addresses.cover().into_iter().map(address_term).collect(),
    };
    Some(Source { id, title, addresses, include, terms, publish, assumed })
}

fn address_term(net: ipnet::IpNet) -> String {
    let family = if net.addr().is_ipv4() { "ip4" } else { "ip6" };
    if net.prefix_len() == net.max_prefix_len() {
        return format!("{family}:{}", net.addr());
    }
    format!("{family}:{net}")
}

/// One SPF directive, in canonical text; with `passing` one whose match is a pass.
fn read_term(reader: &mut Reader, value: &Value, passing: bool) -> Option<String> {
    let text = reader.text(value)?;
    let record = match SpfRecord::parse(format!("v=spf1 {text}").as_bytes()) {
        Ok(record) => record,
        Err(invalid) => {
            invalid.problems.into_iter().for_each(|problem| reader.problem(problem.at(value.span)));
            return None;
        }
    };
    match record.terms() {
        [Term { kind: TermKind::Directive(directive), .. }]
            if directive.mechanism != Mechanism::All
                && (!passing || directive.qualifier_or_default() == Qualifier::Pass) =>
        {
            Some(directive.to_string())
        }
        _ => {
            let message = format!("`{text}` is not one SPF term that lets a source pass");
            let problem = Problem::new("migration.bad-term", message).at(value.span);
            reader
                .problem(problem.help("write one term such as `include:spf.example.net` or `ip4:192.0.2.1`"));
            None
        }
    }
}

fn read_wave(reader: &mut Reader, value: &Value, ids: &mut Ids) -> Option<Wave> {
    let mut table = Table::new(reader, value)?;
    let (id, title) = table.id(ids);
    let (watch, over) = (table.seconds("watch", 14 * DAY), table.seconds("over", DAY));
    table.finish();
    Some(Wave { id, title, watch, over })
}

fn read_customers(reader: &mut Reader, value: &Value, ids: &mut Ids) -> Option<CustomerClass> {
    let mut table = Table::new(reader, value)?;
    let (id, title) = table.id(ids);
    let must = table.text("must");
    let lead = table.seconds("lead", 90 * DAY);
    table.finish();
    Some(CustomerClass { id, title, must, lead })
}
