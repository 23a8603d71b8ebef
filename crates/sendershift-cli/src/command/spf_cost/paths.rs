//! What addresses have spent, and the terms that decide them.

use sendershift::spf::{
    self, AddressCase, AddressCost, AddressRanges, Behind, Between, Decider, Decides, End, Idle, Reach,
    RecordCost, Role, Spending, TermCost, Unknown,
};

use crate::addresses::{addresses as many, few, number};
use crate::command::spf_diff::condition;
use crate::output::{BAD, FAINT, GOOD, NOTICE, STRONG, Text, counted, fill, styled};

/// Lines of one list.
const SHOWN: usize = 10;

/// What decides the address that was asked for.
pub(super) fn address(text: &mut Text, cost: &spf::Cost, address: &AddressCost, width: usize) {
    for AddressCase { assuming, result, intended, by, lookups, voids, .. } in &address.cases {
        let style = match result {
            spf::SpfResult::Pass => GOOD,
            spf::SpfResult::Fail | spf::SpfResult::PermError | spf::SpfResult::TempError => BAD,
            _ => NOTICE,
        };
        let limit = if result == intended {
            String::new()
        } else {
            format!(", as a limit is passed on the way to {intended}")
        };
        let line = format!("{}: {}{limit}", styled(STRONG, address.ip), styled(style, result));
        text.line(fill(&line, width, "  "));
        text.line(fill(&format!("  by {}", chain(by, cost)), width, "    "));
        let spent = format!("{}, {}", counted(*lookups, "lookup"), counted(*voids, "void lookup"));
        text.line(format!("  {}", styled(FAINT, format!("after {spent}"))));
        for (at, assumed) in assuming.iter().enumerate() {
            let word = if at == 0 { "if" } else { "and" };
            text.line(fill(&format!("  {word} {}", condition(assumed, true)), width, "    "));
        }
        text.line("");
    }
}

/// The terms that decide, the domain's own first.
fn chain(by: &[Decider], cost: &spf::Cost) -> String {
    by.iter().map(|one| decider(one, cost)).collect::<Vec<_>>().join(", ")
}

fn decider(decider: &Decider, cost: &spf::Cost) -> String {
    let Decider { domain, term, end, .. } = decider;
    let is_written_down = !cost.published && *domain == cost.domain;
    match (term, end) {
        (Some(term), _) if is_written_down => format!("`{term}`"),
        (Some(term), _) => format!("`{term}` of {domain}"),
        (None, Some(End::Default)) if is_written_down => "the end of the record".to_owned(),
        (None, Some(End::Default)) => format!("the end of the record of {domain}"),
        (None, Some(End::NoRecord)) => format!("{domain}, which has no record"),
        (None, Some(End::SeveralRecords)) => format!("{domain}, which has several records"),
        (None, Some(End::InvalidRecord)) => format!("the record of {domain}, which is not well-formed"),
        (None, Some(End::NoAnswer)) => format!("{domain}, where DNS did not answer"),
        (None, Some(End::Loop)) => format!("{domain}, which is being evaluated already"),
        (None, Some(End::TooDeep)) => format!("{domain}, nested too deep"),
        _ => format!("{domain}, no name that can have a record"),
    }
}

/// What a term that costs lookups decides, beside it in the tree.
pub(super) fn beside(term: &TermCost) -> Option<String> {
    // Why stands in a list of its own, and that it is behind `all` is said beside it already.
    if term.role == Some(Role::Idle) {
        return (term.idle != Some(Idle::BehindAll)).then(|| "decides nothing".to_owned());
    }
    let Decides { v4, v6, .. } = term.decides.as_ref()?;
    let told = match (v4, v6) {
        (Some(v4), Some(v6)) if v4 != v6 => format!("{} (IPv4), {} (IPv6)", spent(v4), spent(v6)),
        (Some(both), _) | (None, Some(both)) => spent(both),
        (None, None) => return None,
    };
    Some(format!("decides after {told}"))
}

fn spent(Spending { lookups, voids, .. }: &Spending) -> String {
    let lookups = counts(*lookups, "lookup");
    if voids.most == 0 { lookups } else { format!("{lookups} and {}", counts(*voids, "void")) }
}

fn counts(between: Between, noun: &str) -> String {
    if between.least == between.most {
        counted(between.most, noun)
    } else {
        format!("{} to {}", between.least, counted(between.most, noun))
    }
}

fn why(idle: Idle) -> &'static str {
    match idle {
        Idle::BehindAll => "`all` decides before it",
        Idle::Repeated => "it stands twice",
        Idle::Empty => "it matches nothing",
        Idle::BehindError => {
            "a term before it ends in an error: repair that first, this one may be needed then"
        }
        _ => "terms before it decide all that it matches",
    }
}

/// The terms of the tree that can decide nothing, those that cost nothing among them.
pub(super) fn idle(text: &mut Text, cost: &spf::Cost, width: usize) {
    let mut found = Vec::new();
    gather(&cost.tree, &mut found);
    if found.is_empty() {
        return;
    }
    text.line("");
    text.line(styled(NOTICE, "terms that can decide nothing"));
    for (record, term, idle) in found.iter().take(SHOWN) {
        let domain = if cost.published || record.domain != cost.domain {
            format!(" of {}", record.domain)
        } else {
            String::new()
        };
        text.line(fill(&format!("  `{}`{domain}: {}", term.term, why(*idle)), width, "    "));
    }
    more(text, found.len());
}

fn gather<'c>(record: &'c RecordCost, found: &mut Vec<(&'c RecordCost, &'c TermCost, Idle)>) {
    for term in &record.terms {
        if let Some(idle) = term.idle {
            found.push((record, term, idle));
        }
        if let Some(child) = &term.child {
            gather(child, found);
        }
    }
}

/// The addresses by what they have spent.
pub(super) fn classes(text: &mut Text, cost: &spf::Cost, width: usize) {
    let between = |between: Between| {
        if between.least == between.most {
            between.most.to_string()
        } else {
            format!("{}-{}", between.least, between.most)
        }
    };
    text.line("");
    text.line(styled(FAINT, "lookups  voids  spent when an address has its result"));
    for class in cost.classes.iter().take(SHOWN) {
        let (lookups, voids) = (between(class.spent.lookups), between(class.spent.voids));
        let line = format!("{lookups:>7}  {voids:>5}  {}", ranges(&class.addresses));
        text.line(fill(&line, width, "                "));
    }
    more(text, cost.classes.len());
}

/// Who is authorised and yet gets permerror, by the terms that authorise.
pub(super) fn behind(text: &mut Text, cost: &spf::Cost, width: usize) {
    if cost.behind.is_empty() {
        return;
    }
    let named = |unknown: &Unknown| format!("`{}:{}`", unknown.mechanism, unknown.target);
    let unknowns = cost.unknowns.iter().map(named).collect::<Vec<_>>().join(", ");
    text.line("");
    text.line(styled(BAD, "authorised by terms behind the limit"));
    for Behind { reach, by, spent, addresses, .. } in cost.behind.iter().take(SHOWN) {
        let reach = match reach {
            Reach::Always => "always permerror".to_owned(),
            Reach::Sometimes => format!("permerror at times, by what {unknowns} does"),
            _ => format!("permerror where authorised, by what {unknowns} does"),
        };
        let told =
            format!("  {}: by {} after {}, {reach}", ranges(addresses), chain(by, cost), self::spent(spent));
        text.line(fill(&told, width, "    "));
    }
    more(text, cost.behind.len());
}

/// A few of the ranges, and how many addresses.
fn ranges(part: &AddressRanges) -> String {
    let ranges: Vec<String> = part.ranges.iter().map(ToString::to_string).collect();
    format!("{} ({})", few(&ranges), many(&part.count))
}

fn more(text: &mut Text, count: usize) {
    if let Some(more) = count.checked_sub(SHOWN).filter(|more| *more > 0) {
        text.line(format!("  and {} more", number(more)));
    }
}
