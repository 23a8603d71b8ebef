//! `sendershift dmarc check`

use anstyle::Style;
use clap::builder::PossibleValuesParser;
use sendershift::dmarc::{
    self, Alignment, Authorised, Checked, DkimResult, DmarcResult, Found, Identifier, Message, Organization,
    Reading, Report, Section,
};
use sendershift::dns::Recording;
use sendershift::error::{Error, Invalid, Problem};
use sendershift::name::{DomainName, domain_of_address};
use sendershift::spf::SpfResult;
use textwrap::WordSplitter;

use crate::Global;
use crate::evidence::snapshot;
use crate::failure::Failure;
use crate::output::{BAD, Exit, FAINT, GOOD, NOTICE, Output, STRONG, Text, fill, styled};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 0 if the message passes at receivers of both RFCs, else 1: also for none and temperror. \
    With --strict it is 1 also where they differ in anything."
)]
pub(crate) struct Check {
    /// The author domain, or the address of the From header field
    #[arg(long, value_name = "DOMAIN")]
    from: String,
    /// The MAIL FROM domain or address; empty for the null sender, which is judged by --helo
    #[arg(long, value_name = "DOMAIN", requires = "spf")]
    mail_from: Option<String>,
    /// The name that the client gave in HELO or EHLO
    #[arg(long, value_name = "NAME")]
    helo: Option<String>,
    /// What SPF said of the MAIL FROM domain
    #[arg(long, value_name = "RESULT", requires = "mail_from")]
    #[arg(value_parser = PossibleValuesParser::new(SpfResult::ALL.map(SpfResult::as_str)))]
    spf: Option<String>,
    /// The signing domain of a signature and what became of it, such as shop.example=pass; repeat it for several
    #[arg(long, value_name = "DOMAIN=RESULT")]
    dkim: Vec<String>,
}

impl Check {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let message = self.message()?;
        let evidence = snapshot(&global.dns)?;
        let recording = Recording::new(&evidence);
        let checked = dmarc::check(&recording, message);
        let checked = recording.complete(checked).map_err(Error::from)?;
        if output.json {
            let document = serde_json::to_string(&checked).unwrap_or_default();
            output.print(&format!("{document}\n"));
        } else {
            output.print(&text(&checked, output.width));
        }
        let passes = readings(&checked).all(|(_, reading)| reading.result == DmarcResult::Pass);
        let differs = global.strict && !checked.differences.is_empty();
        Ok(if passes && !differs { Exit::Done } else { Exit::No })
    }

    fn message(&self) -> Result<Message, Failure> {
        let Some(from) = domain("--from", &self.from)? else {
            let problem = Problem::new("name.empty", "a From header field has an address");
            return Err(bad("--from", &self.from, problem));
        };
        let mut message = Message::new(from);
        if let (Some(mail_from), Some(result)) = (&self.mail_from, &self.spf) {
            let sender = match (domain("--mail-from", mail_from)?, &self.helo) {
                (Some(sender), _) => sender,
                (None, Some(helo)) => {
                    DomainName::parse_for_mail(helo).map_err(|problem| bad("--helo", helo, problem))?
                }
                (None, None) => {
                    let problem =
                        Problem::new("usage.missing-helo", "the null sender is judged by its HELO name");
                    return Err(Failure::Refused(Invalid::one(problem.help("add --helo NAME"))));
                }
            };
            let result = SpfResult::named(result).map_err(|problem| bad("--spf", result, problem))?;
            message = message.with_spf(sender, result);
        }
        for text in &self.dkim {
            let Some((signer, result)) = text.split_once('=') else {
                let problem =
                    Problem::new("usage.bad-value", "a signature is written DOMAIN=RESULT").at(0..text.len());
                return Err(bad("--dkim", text, problem.help("such as shop.example=pass")));
            };
            let result = DkimResult::named(result)
                .map_err(|problem| bad("--dkim", text, problem.at(signer.len() + 1..text.len())))?;
            let signer =
                DomainName::parse_for_mail(signer).map_err(|problem| bad("--dkim", text, problem))?;
            message = message.with_dkim(signer, result);
        }
        Ok(message)
    }
}

/// A domain, or that of an address; none for the null sender.
fn domain(argument: &str, text: &str) -> Result<Option<DomainName>, Failure> {
    domain_of_address(text).map_err(|problem| bad(argument, text, problem))
}

fn bad(argument: &str, text: &str, problem: Problem) -> Failure {
    Failure::of_argument(argument, text, Invalid::one(problem))
}

fn readings(checked: &Checked) -> impl Iterator<Item = (&'static str, &Reading)> {
    std::iter::once(("RFC 9989", &checked.rfc9989)).chain(checked.rfc7489.iter().map(|old| ("RFC 7489", old)))
}

fn text(checked: &Checked, width: usize) -> String {
    let mut text = Text::default();
    let from = &checked.message.author_domain;
    let results: Vec<DmarcResult> = readings(checked).map(|(_, reading)| reading.result).collect();
    let verdict = match results.as_slice() {
        [new, old] if new != old => format!("{} by RFC 9989, {} by RFC 7489", new.as_str(), old.as_str()),
        [new, _] => format!("{} by RFC 9989 and by RFC 7489", new.as_str()),
        _ => format!("{} by RFC 9989", checked.rfc9989.result.as_str()),
    };
    let verdict = fill(&format!("mail from {from}: {verdict}"), width, "  ");
    let worst = results.into_iter().find(|result| *result != DmarcResult::Pass).unwrap_or(DmarcResult::Pass);
    text.line(styled(style(worst), verdict));
    text.line("");
    table(&mut text, checked, width);
    if checked.rfc7489.is_none() {
        text.line(fill("RFC 7489 is not judged: this build has no public suffix list", width, "  "));
    }
    if !checked.differences.is_empty() {
        text.line("");
        text.line(styled(STRONG, "where they differ"));
    }
    for difference in &checked.differences {
        let line = format!(
            "  {} of {}: {} by RFC 9989, {} by RFC 7489; {}",
            difference.what, difference.domain, difference.rfc9989, difference.rfc7489, difference.why
        );
        text.line(fill(&line, width, "    "));
    }
    walks(&mut text, &checked.rfc9989, width);
    text.into_string()
}

fn style(result: DmarcResult) -> Style {
    match result {
        DmarcResult::Pass => GOOD,
        DmarcResult::Fail => BAD,
        _ => NOTICE,
    }
}

/// Both readings in columns.
fn table(text: &mut Text, checked: &Checked, width: usize) {
    let readings: Vec<(&str, &Reading)> = readings(checked).collect();
    let names = readings.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
    columns(text, "", &names, width);
    let mut row = |label: &str, cell: &dyn Fn(&Reading) -> String| {
        let cells: Vec<String> = readings.iter().map(|(_, reading)| cell(reading)).collect();
        columns(text, label, &cells, width);
    };
    row("result", &|reading| reading.result.as_str().to_owned());
    row("policy", &|reading| match reading.policy {
        Some(policy) => policy.to_string(),
        None if reading.result == DmarcResult::TempError => "open".to_owned(),
        None => "DMARC does not apply".to_owned(),
    });
    row("record", &|reading| match &reading.policy_record {
        Some(record) => format!("`{}` at _dmarc.{}", record.tag, record.domain),
        None if reading.result == DmarcResult::TempError => "a query failed".to_owned(),
        None => "none that can be used".to_owned(),
    });
    row("organization", &|reading| organization(&reading.author));
    let spf = checked.message.spf.iter().map(|(_, result)| format!("SPF {result}"));
    let dkim = checked.message.dkim.iter().map(|(_, result)| format!("DKIM {result}"));
    for (index, label) in spf.chain(dkim).enumerate() {
        row(&label, &|reading| reading.identifiers.get(index).map(identifier).unwrap_or_default());
    }
    let mut told = Vec::new();
    for report in readings.iter().flat_map(|(_, reading)| &reading.reports) {
        if told.contains(&(report.tag, &report.uri)) {
            continue;
        }
        told.push((report.tag, &report.uri));
        row(report.tag, &|reading| {
            let same = |found: &&Report| (found.tag, &found.uri) == (report.tag, &report.uri);
            reading.reports.iter().find(same).map_or_else(|| "not read".to_owned(), authorised)
        });
    }
}

/// A row: what it is about, and a cell for each reading.
fn columns(text: &mut Text, label: &str, cells: &[String], width: usize) {
    const LABEL: usize = 15;
    let column = width.saturating_sub(LABEL) / cells.len().max(1);
    let options =
        || textwrap::Options::new(column.saturating_sub(2)).word_splitter(WordSplitter::NoHyphenation);
    let wrapped: Vec<Vec<_>> = cells.iter().map(|cell| textwrap::wrap(cell, options())).collect();
    let lines = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..lines {
        let label = if line == 0 { label } else { "" };
        let parts = wrapped.iter().map(|cell| cell.get(line).map_or("", |part| part.as_ref()));
        let parts: Vec<String> = parts.map(|part| format!("{part:column$}")).collect();
        text.line(format!("{}{}", styled(FAINT, format!("{label:LABEL$}")), parts.concat()).trim_end());
    }
}

fn organization(of: &Organization) -> String {
    let found = match of {
        Organization::TreeWalk { .. } => String::new(),
        Organization::Psl { section: Section::Unlisted, .. } => " (unlisted suffix)".to_owned(),
        Organization::Psl { rule, section: Section::Private, .. } => format!(" (private rule {rule})"),
        Organization::Psl { rule, .. } => format!(" (rule {rule})"),
    };
    match (of, of.domain()) {
        (_, Some(domain)) => format!("{domain}{found}"),
        (Organization::TreeWalk { .. }, None) => "open, a query failed".to_owned(),
        (Organization::Psl { .. }, None) => format!("none, it is a public suffix{found}"),
    }
}

fn identifier(identifier: &Identifier) -> String {
    let mode = if identifier.mode == Alignment::Strict { "strict" } else { "relaxed" };
    let domain = &identifier.domain;
    match identifier.aligned {
        Some(true) => format!("{domain} aligns ({mode})"),
        Some(false) => format!("{domain} does not align ({mode})"),
        None => format!("{domain}: open, a query failed"),
    }
}

fn authorised(report: &Report) -> String {
    let state = match &report.authorised {
        Some(Authorised::SameOrganization) => "same organization".to_owned(),
        Some(Authorised::Granted { name }) => format!("allowed by {name}"),
        Some(Authorised::Missing { name }) => format!("no reports: TXT `v=DMARC1` is missing at {name}"),
        Some(Authorised::Failed) => "open, a query failed".to_owned(),
        Some(Authorised::TooLong) => "no reports: the name of the permission would be too long".to_owned(),
        None => "receivers need not support it".to_owned(),
    };
    format!("{}: {state}", report.uri)
}

/// Each query of the tree walks once.
fn walks(text: &mut Text, reading: &Reading, width: usize) {
    let organizations = reading.identifiers.iter().filter_map(|found| found.organization.as_ref());
    let mut told = Vec::new();
    for organization in std::iter::once(&reading.author).chain(organizations) {
        let Organization::TreeWalk { queries, .. } = organization else { continue };
        for query in queries.iter().filter(|query| !told.contains(&&query.domain)).collect::<Vec<_>>() {
            told.push(&query.domain);
            if told.len() == 1 {
                text.line("");
                text.line(styled(STRONG, "tree walk"));
            }
            let found = match &query.found {
                Found::Record { record } => record.to_string(),
                Found::Broken(invalid) => format!("a broken record: {invalid}"),
                Found::Several { count } => format!("{count} records, which counts as none"),
                Found::Absent => "no record".to_owned(),
                Found::Failed => "the query failed".to_owned(),
            };
            text.line(fill(&format!("  _dmarc.{}  {found}", query.domain), width, "    "));
        }
    }
}
