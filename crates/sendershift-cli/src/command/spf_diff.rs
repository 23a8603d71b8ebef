//! `sendershift spf diff`

use sendershift::name::DomainName;
use sendershift::spf::{
    self, Assumed, Compared, Difference, DifferentCase, DifferentRange, Elsewhere, Side, SpfResult, Subject,
    Turnout, Verdict, Witness,
};

use super::{Receiver, domain};
use crate::Global;
use crate::addresses::{few, number, part};
use crate::evidence::snapshot;
use crate::failure::{Failure, Faulty};
use crate::output::{BAD, Exit, FAINT, GOOD, NOTICE, Output, STRONG, Text, counted, fill, styled};

/// Ranges that are shown; `--json` has them all.
const SHOWN: usize = 12;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 if the results differ; with --strict also if they do elsewhere: as intended, or at another kind of receiver."
)]
pub(crate) struct Diff {
    /// A domain, or a record in quotes (it begins with `v=spf1`)
    #[arg(value_name = "LEFT")]
    left: String,
    /// Another one
    #[arg(value_name = "RIGHT")]
    right: String,
    /// The domain that would publish a record
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    domain: Option<DomainName>,
    /// Compare what the records intend, without any receiver's limits
    #[arg(long, conflicts_with = "name")]
    intended: bool,
    #[command(flatten)]
    receiver: Receiver,
}

impl Diff {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let (left, right) = self.sides()?;
        let evidence = snapshot(&global.dns)?;
        let compared =
            if self.intended { Compared::Intended } else { Compared::Actual(self.receiver.profile()) };
        let difference = spf::diff(&evidence, &left, &right, compared)?;
        if output.json {
            output.print(&format!("{}\n", serde_json::to_string(&difference).unwrap_or_default()));
        } else {
            let mut told = text(&difference, output.width);
            if difference.equivalent && compared != Compared::Intended {
                let meant = spf::diff(&evidence, &left, &right, Compared::Intended)?;
                limited(&mut told, &meant, output.width);
            }
            output.print(&told.into_string());
        }
        let is_warned = !difference.elsewhere.is_empty();
        let is_no = !difference.equivalent || (global.strict && is_warned);
        Ok(if is_no { Exit::No } else { Exit::Done })
    }

    /// Both subjects, or the problems of both.
    fn sides(&self) -> Result<(Subject, Subject), Failure> {
        let read = |text: &str, name: &str| {
            Subject::parse(text, self.domain.clone()).map_err(|invalid| Faulty {
                name: name.to_owned(),
                text: text.to_owned(),
                is_file: false,
                invalid,
            })
        };
        match (read(&self.left, "the left argument"), read(&self.right, "the right argument")) {
            (Ok(left), Ok(right)) => Ok((left, right)),
            (left, right) => Err(Failure::Invalid([left.err(), right.err()].into_iter().flatten().collect())),
        }
    }
}

/// Who edits a record that is over the limits must not take it for an edit without effect.
fn limited(text: &mut Text, meant: &Difference, width: usize) {
    let Some(witness) = &meant.witness else { return };
    let line = format!(
        "{} what they intend is not the same, for {}; the limits alone keep that from having an effect (more: --intended, and `spf cost`)",
        styled(NOTICE, "but"),
        told(witness)
    );
    text.line("");
    text.line(fill(&line, width, "  "));
}

fn text(difference: &Difference, width: usize) -> Text {
    let mut text = Text::default();
    verdict(&mut text, difference, width);
    if let Some(witness) = &difference.witness {
        text.line("");
        text.line(fill(&format!("witness  {}", told(witness)), width, "         "));
        for (at, condition) in conditions(&witness.case, difference).into_iter().enumerate() {
            let word = if at == 0 { "if" } else { "and" };
            text.line(fill(&format!("         {word} {condition}"), width, "           "));
        }
    }
    table(&mut text, &difference.ranges, width);
    doubts(&mut text, difference, width);
    authority(&mut text, difference, width);
    elsewhere(&mut text, difference, width);
    text
}

fn verdict(text: &mut Text, difference: &Difference, width: usize) {
    let (style, verdict) = match difference.verdict {
        Verdict::Equivalent => (GOOD, "the same result for every address"),
        Verdict::Different => (BAD, "not the same"),
        Verdict::Undecided => (NOTICE, "not proven to be the same"),
    };
    let by = match difference.receiver {
        Some(receiver) => format!("receiver {}", receiver.name),
        None => "as intended, without limits".to_owned(),
    };
    let name = |side: &Side| {
        if side.published { side.domain.to_string() } else { "the record".to_owned() }
    };
    let (left, right) = (name(&difference.left), name(&difference.right));
    let names = if left == right { "left and right".to_owned() } else { format!("{left} and {right}") };
    let line = format!("{}: {} ({by})", styled(STRONG, names), styled(style, verdict));
    text.line(fill(&line, width, "  "));
}

fn told(witness: &Witness) -> String {
    let DifferentCase { left, right, .. } = &witness.case;
    format!("{}: {left} on the left, {right} on the right", styled(STRONG, witness.ip))
}

/// What a case takes for granted.
fn conditions(case: &DifferentCase, difference: &Difference) -> Vec<String> {
    let is_one_sender = difference.left.domain == difference.right.domain;
    case.assuming.iter().map(|assumed| condition(assumed, is_one_sender)).collect()
}

/// How an unknown turns out, for people.
pub(super) fn condition(assumed: &Assumed, is_one_sender: bool) -> String {
    let unknown = &assumed.unknown;
    let turnout = match assumed.branch.turnout {
        Turnout::Match => "matches".to_owned(),
        Turnout::NoMatch => "does not match".to_owned(),
        Turnout::Result(result) => format!("gives {result}"),
        other => format!("turns out as {other:?}"),
    };
    // That `exists` without an answer is a void lookup goes without saying.
    let own = u32::from(unknown.mechanism == "exists" && assumed.branch.turnout == Turnout::NoMatch);
    let kind = if unknown.mechanism == "mx" { "" } else { "reverse " };
    let voids = match assumed.branch.void_queries.saturating_sub(own) {
        0 => String::new(),
        1 => format!(", after a void {kind}lookup"),
        voids => format!(", after {voids} void {kind}lookups"),
    };
    let sender = unknown.sender_domain.as_ref().filter(|_| !is_one_sender);
    let sender = sender.map_or_else(String::new, |domain| format!(" for senders at {domain}"));
    let at =
        unknown.asked_at.as_ref().map_or_else(String::new, |domain| format!(" in the record of {domain}"));
    let cidr = &unknown.cidr;
    format!("`{}:{}{cidr}`{at}{sender} {turnout}{voids}", unknown.mechanism, unknown.target)
}

fn table(text: &mut Text, ranges: &[DifferentRange], width: usize) {
    if ranges.is_empty() {
        return;
    }
    let results =
        |results: &[SpfResult]| results.iter().map(|result| result.as_str()).collect::<Vec<_>>().join("/");
    let rows: Vec<[String; 4]> = ranges
        .iter()
        .take(SHOWN)
        .map(|row| [row.count.brief(), row.range.to_string(), results(&row.left), results(&row.right)])
        .collect();
    let head = ["addresses", "range", "left", "right"];
    let column = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(String::len);
        cells.chain(head.get(at).map(|head| head.len())).max().unwrap_or(0)
    };
    let widths = [column(0), column(1), column(2)];
    let line = |[count, range, left, right]: [&str; 4]| {
        let [counts, ranges, lefts] = widths;
        format!("{count:>counts$}  {range:ranges$}  {left:lefts$}  {right}")
    };
    text.line("");
    text.line(styled(FAINT, line(head)));
    for [count, range, left, right] in &rows {
        let row = line([count, range, left, right]);
        // A range of many digits that does not fit stands on a line of its own.
        if row.len() <= width {
            text.line(row);
        } else {
            let [counts, ..] = widths;
            text.line(format!("{count:>counts$}  {range}"));
            text.line(format!("{:counts$}  {left}  {right}", ""));
        }
    }
    if ranges.len() > SHOWN {
        text.line(format!("and {} more", counted(number(ranges.len() - SHOWN), "range")));
    }
}

fn doubts(text: &mut Text, difference: &Difference, width: usize) {
    let told = [
        ("spf.unbounded-cost", "a term whose cost nobody knows may make one side alone pass a limit"),
        ("spf.related-unknowns", "the cases found rest on questions that are not independent of each other"),
    ];
    for (code, why) in told {
        let ranges: Vec<String> = difference
            .doubts
            .iter()
            .filter(|doubt| doubt.code == code)
            .map(|doubt| doubt.range.to_string())
            .collect();
        if !ranges.is_empty() {
            let line = format!("{} at {}: {why} ({code})", styled(NOTICE, "not decided"), few(&ranges));
            text.line("");
            text.line(fill(&line, width, "  "));
        }
    }
}

/// Who may send in addition, and who no longer.
fn authority(text: &mut Text, difference: &Difference, width: usize) {
    if difference.ranges.is_empty() {
        return;
    }
    text.line("");
    for (side, delta) in [("right", &difference.adds), ("left", &difference.removes)] {
        // Who passes for sure on one side can often still pass on the other.
        let surely = (delta.always != delta.sometimes).then_some(("surely passes", &delta.always));
        let rows = [Some(("can pass", &delta.sometimes)), surely].into_iter().flatten();
        let told = rows.filter(|(_, of)| !of.ranges.is_empty()).map(|(how, of)| (how, part(of)));
        let mut told: Vec<(&str, String)> = told.collect();
        if told.is_empty() {
            told.push(("can pass", "nobody".to_owned()));
        }
        for (how, who) in told {
            let head = format!("only {side} {how}");
            text.line(fill(&format!("{head:25}  {who}"), width, "    "));
        }
    }
}

/// Other receivers, unless they see what the one asked for sees.
fn elsewhere(text: &mut Text, difference: &Difference, width: usize) {
    let is_told = |other: &&Elsewhere| difference.witness.is_none() || other.witness != difference.witness;
    let others: Vec<&Elsewhere> = difference.elsewhere.iter().filter(is_told).collect();
    if others.is_empty() {
        return;
    }
    text.line("");
    text.line(styled(NOTICE, "at other receivers"));
    for other in others {
        let names: Vec<&str> = other.receivers.iter().map(|receiver| receiver.name).collect();
        let what = match &other.witness {
            None => "not proven to be the same".to_owned(),
            Some(Witness { ip, case, .. }) => {
                let conditions = conditions(case, difference).join(" and ");
                let word = if conditions.is_empty() { "" } else { ", if " };
                format!("{ip} {} on the left, {} on the right{word}{conditions}", case.left, case.right)
            }
        };
        text.line(fill(&format!("  {}: {what}", names.join(", ")), width, "    "));
    }
}
