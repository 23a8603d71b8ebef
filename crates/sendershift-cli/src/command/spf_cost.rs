//! `sendershift spf cost`

mod paths;

use std::net::IpAddr;

use sendershift::name::DomainName;
use sendershift::spf::{self, Note, RecordCost, Spent, Subject, TermCost, Unknown};

use super::{Receiver, allowed, domain, row};
use crate::Global;
use crate::addresses::part;
use crate::evidence::snapshot;
use crate::failure::Failure;
use crate::output::{BAD, Exit, FAINT, GOOD, NOTICE, Output, STRONG, Text, counted, fill, styled};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 if there is no record that can be read; with --strict also if limits are exceeded or an evaluation ends in an error."
)]
pub(crate) struct Cost {
    /// A domain, or a record in quotes (it begins with `v=spf1`)
    #[arg(value_name = "DOMAIN|RECORD")]
    subject: String,
    /// The domain that would publish the record
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    domain: Option<DomainName>,
    /// Say which terms decide this address too
    #[arg(long, value_name = "IP")]
    ip: Option<IpAddr>,
    #[command(flatten)]
    receiver: Receiver,
}

impl Cost {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let subject = Subject::parse(&self.subject, self.domain.clone())
            .map_err(|invalid| Failure::of_argument("the argument", &self.subject, invalid))?;
        let evidence = snapshot(&global.dns)?;
        let cost = spf::cost_at(&evidence, &subject, self.receiver.profile(), self.ip)?;
        if output.json {
            output.print(&format!("{}\n", serde_json::to_string(&cost).unwrap_or_default()));
        } else {
            output.print(&text(&cost, output.width));
        }
        let is_warned = !cost.within || !cost.broken.ranges.is_empty();
        let is_no = cost.tree.problem.is_some() || (global.strict && is_warned);
        Ok(if is_no { Exit::No } else { Exit::Done })
    }
}

fn text(cost: &spf::Cost, width: usize) -> String {
    let worst = cost.worst_v4.max(cost.worst_v6);
    let name = if cost.published { cost.domain.to_string() } else { "the record".to_owned() };
    if let Some(problem) = &cost.tree.problem {
        return format!("{}: {} ({})\n", styled(BAD, &name), problem.reason(), problem.code);
    }
    let (style, verdict) = if !cost.broken.ranges.is_empty() {
        (BAD, "ends in errors whatever the limits")
    } else if cost.within {
        (GOOD, "within the limits")
    } else if worst.is_within(cost.receiver) {
        (NOTICE, "cannot be bounded")
    } else {
        (BAD, "over the limits")
    };
    let mut text = Text::default();
    text.line(format!(
        "{}: {} (receiver {})",
        styled(STRONG, name),
        styled(style, verdict),
        cost.receiver.name
    ));
    text.line("");
    if let Some(address) = &cost.address {
        paths::address(&mut text, cost, address, width);
    }
    sums(&mut text, cost, width);
    text.line("");
    text.line(styled(FAINT, "lookups   voids"));
    text.line(styled(FAINT, "own  all    all  if nothing matches"));
    Tree { text: &mut text, width, published: cost.published }.record(&cost.tree, "");
    if differs_by_family(&cost.tree) {
        text.line(styled(FAINT, fill("voids as 0/1: of IPv4 clients and of IPv6 clients", width, "  ")));
    }
    if cost.truncated {
        text.line("the tree is cut short; the sums have all of it");
    }
    paths::classes(&mut text, cost, width);
    paths::idle(&mut text, cost, width);
    beyond(&mut text, cost, width);
    paths::behind(&mut text, cost, width);
    if !cost.broken.ranges.is_empty() {
        let told = format!("{}: {}", styled(BAD, "an error whatever the limits"), part(&cost.broken));
        text.line("");
        text.line(fill(&told, width, "  "));
    }
    text.into_string()
}

/// The worst case beside the limits.
fn sums(text: &mut Text, cost: &spf::Cost, width: usize) {
    let lookups = &cost.lookups;
    let mut told = format!("{} if nothing matches", lookups.total);
    if lookups.assumed > 0 {
        told = format!(
            "{told}: {} by terms of published records, {} by terms of assumed ones",
            lookups.published, lookups.assumed
        );
    }
    row(text, "lookups", &told, width);
    let worst = |spent: &Spent| {
        format!(
            "{}, {}",
            counted(spent.lookups_for(cost.receiver), "lookup"),
            counted(spent.voids_for(cost.receiver), "void lookup")
        )
    };
    row(text, "worst", &format!("IPv4 {}; IPv6 {}", worst(&cost.worst_v4), worst(&cost.worst_v6)), width);
    let limits = format!(
        "{}, {}",
        allowed(cost.receiver.lookups, "lookup"),
        allowed(cost.receiver.voids, "void lookup")
    );
    row(text, "limit", &limits, width);
    let left = |left: Option<i64>| match left {
        None => "no limit".to_owned(),
        Some(left) if left < 0 => format!("{} too many", -left),
        Some(left) => left.to_string(),
    };
    let remaining =
        format!("lookups: {}; void lookups: {}", left(cost.remaining.lookups), left(cost.remaining.voids));
    row(text, "left", &remaining, width);
    let unbounded = cost.worst_v4.max(cost.worst_v6).unbounded;
    if unbounded > 0 {
        let told = format!("{} of unknown cost: it depends on the message", counted(unbounded, "term"));
        row(text, "besides", &told, width);
    }
}

struct Tree<'t> {
    text: &'t mut Text,
    width: usize,
    /// Whether the outermost record is that of a domain.
    published: bool,
}

impl Tree<'_> {
    fn record(&mut self, record: &RecordCost, indent: &str) {
        if indent.is_empty() {
            let totals = format!(
                "     {:>3}  {:>5}",
                record.total.lookups,
                voids(record.total.voids_v4, record.total.voids_v6)
            );
            let name = if self.published { record.domain.as_str() } else { "the record" };
            self.line(&totals, indent, &styled(STRONG, name), name.len(), &about(record));
        }
        for term in &record.terms {
            self.term(term, indent);
        }
    }

    fn term(&mut self, term: &TermCost, indent: &str) {
        // Terms that cost nothing and end nothing would hide the others.
        if term.own.lookups == 0 && term.note.is_none() {
            return;
        }
        let totals = format!(
            "{:>3}  {:>3}  {:>5}",
            term.own.lookups,
            term.total.lookups,
            voids(term.total.voids_v4, term.total.voids_v6)
        );
        let mut notes = Vec::new();
        if let Some(problem) = &term.problem {
            notes.push(styled(BAD, format!("{} ({})", problem.reason(), problem.code)));
        }
        if let Some(why) = &term.assumed {
            notes.push(styled(NOTICE, format!("answer assumed: {why}")));
        }
        let told = match term.note {
            Some(Note::ShownAbove) => Some("shown above"),
            Some(Note::Truncated) => Some("not shown"),
            Some(Note::DependsOnMessage) => Some("depends on the message"),
            Some(Note::DependsOnFamily) => Some("another record for IPv4 than for IPv6, the dearer is shown"),
            Some(Note::Idle) => Some("never evaluated, because of `all`"),
            _ => None,
        };
        notes.extend(told.map(|note| styled(FAINT, note)));
        if let Some(child) = &term.child {
            notes.extend(about(child));
        }
        notes.extend(paths::beside(term).map(|note| styled(FAINT, note)));
        let indent = format!("{indent}  ");
        self.line(&totals, &indent, &term.term, term.term.chars().count(), &notes);
        if let Some(child) = &term.child {
            self.record(child, &indent);
        }
    }

    /// A line of the table; notes that do not fit beside the term stand below it.
    fn line(&mut self, totals: &str, indent: &str, shown: &str, length: usize, notes: &[String]) {
        const TOTALS: usize = 17;
        self.text.part(format!("{totals}  {indent}{shown}"));
        let mut column = TOTALS + indent.len() + length;
        for note in notes {
            let width = anstream::adapter::strip_str(note).to_string().chars().count();
            if column + 2 + width <= self.width {
                self.text.part(format!("  {note}"));
                column += 2 + width;
            } else {
                let indent = format!("{}{indent}  ", " ".repeat(TOTALS));
                self.text.part(format!("\n{}", fill(&format!("{indent}{note}"), self.width, &indent)));
                column = self.width;
            }
        }
        self.text.line("");
    }
}

/// Whether the void lookups of any term are another number for IPv6 than for IPv4.
fn differs_by_family(record: &RecordCost) -> bool {
    record.total.voids_v4 != record.total.voids_v6
        || record.terms.iter().any(|term| {
            term.total.voids_v4 != term.total.voids_v6 || term.child.as_ref().is_some_and(differs_by_family)
        })
}

/// Both families in one column where they agree.
fn voids(v4: u32, v6: u32) -> String {
    if v4 == v6 { v4.to_string() } else { format!("{v4}/{v6}") }
}

/// Size, TTL and origin of a record.
fn about(record: &RecordCost) -> Vec<String> {
    let mut notes = Vec::new();
    // That there is no record is told where something refers to it.
    if let Some(problem) = record.problem.as_ref().filter(|problem| problem.code != "spf.no-record") {
        notes.push(styled(BAD, format!("{} ({})", problem.reason(), problem.code)));
    }
    let size = record.octets.map(|octets| format!("{octets} octets"));
    let ttl = record.ttl.map(|ttl| format!("TTL {ttl}"));
    let told: Vec<String> = size.into_iter().chain(ttl).collect();
    if !told.is_empty() {
        notes.push(styled(FAINT, told.join(", ")));
    }
    if let Some(why) = &record.assumed {
        notes.push(styled(NOTICE, format!("assumed: {why}")));
    }
    notes
}

/// Who is authorised and yet gets permerror.
fn beyond(text: &mut Text, cost: &spf::Cost, width: usize) {
    let named = |unknown: &Unknown| format!("`{}:{}`", unknown.mechanism, unknown.target);
    let unknowns = cost.unknowns.iter().map(named).collect::<Vec<_>>().join(", ");
    let beyond = &cost.beyond;
    let parts = [
        ("always permerror", &beyond.always, String::new()),
        ("permerror at times", &beyond.sometimes, format!(", by what {unknowns} does")),
        ("permerror where authorised", &beyond.open, format!("; which of them depends on {unknowns}")),
    ];
    if parts.iter().all(|(_, part, _)| part.ranges.is_empty()) {
        return;
    }
    text.line("");
    text.line(styled(BAD, "authorised addresses behind the limit"));
    for (head, part, why) in parts.into_iter().filter(|(_, part, _)| !part.ranges.is_empty()) {
        text.line(fill(&format!("  {head}: {}{why}", self::part(part)), width, "    "));
    }
}
