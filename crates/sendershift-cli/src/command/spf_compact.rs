//! `sendershift spf compact`

use sendershift::name::DomainName;
use sendershift::spf::{
    self, AddressPart, Authorised, CompactRequest, Compacted, Figures, OpenedName, Profile, Subject,
};

use super::{domain, row};
use crate::Global;
use crate::addresses::{self, number};
use crate::evidence::snapshot;
use crate::failure::Failure;
use crate::output::{BAD, Exit, FAINT, GOOD, NOTICE, Output, Progress, STRONG, Text, counted, fill, styled};
use clap::builder::PossibleValuesParser;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code 1 if no record is found, or the record is broken whatever the limits; with --strict also if it is not proven to be the best, or writes out what somebody else may change."
)]
pub(crate) struct Compact {
    /// A domain, or the record that is meant in quotes (it begins with `v=spf1`)
    #[arg(value_name = "DOMAIN|RECORD")]
    subject: String,
    /// The domain that is to publish the record
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    domain: Option<DomainName>,
    /// Lookups that have to be left
    #[arg(long, value_name = "N", default_value_t = 0)]
    reserve: u32,
    /// The most octets of name and TXT data at one name that the DNS provider allows
    #[arg(long, value_name = "N")]
    octets: Option<usize>,
    /// The most extra TXT records below the domain
    #[arg(long, value_name = "N")]
    max_records: Option<usize>,
    /// A name whose record stays live (repeatable)
    #[arg(long, value_name = "NAME", value_parser = domain)]
    keep: Vec<DomainName>,
    /// A name that stays the same for long: its record or its addresses are written out (repeatable)
    #[arg(long, value_name = "NAME", value_parser = domain)]
    flatten: Vec<DomainName>,
    /// A name that the record shall no longer refer to: this changes who may send (repeatable)
    #[arg(long, value_name = "NAME", value_parser = domain)]
    drop: Vec<DomainName>,
    /// Take out includes and redirects that find no record, also in records that are opened for it: this changes who may send
    #[arg(long)]
    repair: bool,
    /// Other records include this one: its cost may not rise
    #[arg(long)]
    contract: bool,
    /// A kind of receiver whose limits have to hold (repeatable; docs/receivers.md has the table)
    #[arg(long = "receiver", value_name = "PROFILE", default_value = Profile::RFC7208.name)]
    #[arg(value_parser = PossibleValuesParser::new(Profile::ALL.iter().map(|profile| profile.name)))]
    receivers: Vec<String>,
}

impl Compact {
    pub(crate) fn run(&self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let subject = Subject::parse(&self.subject, self.domain.clone())
            .map_err(|invalid| Failure::of_argument("the argument", &self.subject, invalid))?;
        let evidence = snapshot(&global.dns)?;
        let request = CompactRequest {
            receivers: self.receivers.iter().filter_map(|name| Profile::named(name).ok()).collect(),
            reserve: self.reserve,
            octets: self.octets,
            max_records: self.max_records,
            keep: self.keep.clone(),
            flatten: self.flatten.clone(),
            drop: self.drop.clone(),
            repair: self.repair,
            contract: self.contract,
            ..CompactRequest::default()
        };
        let mut progress = Progress::new("drafts looked at");
        let mut looked_at = 0;
        let compacted = spf::compact_watched(&evidence, &subject, &request, |drafts| {
            // It is told at each decision, of which there are far more.
            let is_news = drafts != looked_at;
            looked_at = drafts;
            !is_news || progress.show(number(drafts))
        });
        progress.clear();
        let compacted = compacted?;
        if output.json {
            output.print(&format!("{}\n", serde_json::to_string(&compacted).unwrap_or_default()));
        } else {
            output.print(&text(
                &compacted,
                Given { record: subject.record.is_some(), closed: evidence.closed() },
                output.width,
            ));
        }
        let is_broken = compacted.unchanged && !compacted.broken.ranges.is_empty();
        let is_no = compacted.records.is_empty() || is_broken;
        let is_warned = compacted.proof.minimal != "proven"
            || !compacted.broken.ranges.is_empty()
            || !compacted.unopened.is_empty()
            || compacted.opened.iter().any(|opened| opened.volatile);
        Ok(if is_no || (global.strict && is_warned) { Exit::No } else { Exit::Done })
    }
}

/// What the caller gave.
#[derive(Clone, Copy)]
struct Given {
    /// A record that is meant, in place of the one that is published.
    record: bool,
    /// Evidence that has all there is.
    closed: bool,
}

fn text(compacted: &Compacted, given: Given, width: usize) -> String {
    let mut text = Text::default();
    let names: Vec<&str> = compacted.receivers.iter().map(|receiver| receiver.name).collect();
    let (style, verdict) = match (&compacted.infeasible, compacted.unchanged) {
        (Some(infeasible), _) if infeasible.reason == "budget" => {
            (BAD, "no record was found before the search ended, which proves nothing")
        }
        (Some(_), _) if compacted.proof.minimal != "proven" => {
            (BAD, "no record was found, and none is ruled out")
        }
        (Some(_), _) => (BAD, "no record keeps to the limits"),
        (None, true) if !compacted.broken.ranges.is_empty() => {
            (BAD, "broken, whatever the limits: repair it first (--repair)")
        }
        (None, true) => (GOOD, "nothing to do: what is published keeps to the limits"),
        (None, false) if compacted.records.is_empty() => (BAD, "no record could be proven"),
        (None, false) if !compacted.removed.is_empty() => {
            (NOTICE, "a record that keeps to the limits, without what you had taken out")
        }
        (None, false) => (GOOD, "a record that says the same and keeps to the limits"),
    };
    let receivers = format!("(receivers {}, reserve {})", names.join(", "), compacted.reserve);
    let heading = format!("{}: {} {receivers}", styled(STRONG, &compacted.domain), styled(style, verdict));
    text.line(fill(&heading, width, "  "));
    text.line("");
    let figures = |figures: &Figures| {
        format!(
            "{}, {}, {}",
            counted(figures.lookups, "lookup"),
            counted(figures.voids, "void lookup"),
            counted(number(figures.octets), "octet")
        )
    };
    row(&mut text, if given.record { "meant" } else { "today" }, &figures(&compacted.before), width);
    if let (Some(after), false) = (&compacted.after, compacted.unchanged) {
        row(&mut text, "then", &figures(after), width);
    }
    let healed = [
        (&compacted.healed.always, "authorised by the record and kept out by the limits today"),
        (
            &compacted.healed.sometimes,
            "authorised by the record and at times kept out by the limits today, by what depends on the message",
        ),
        (
            &compacted.healed.open,
            "kept out by the limits today where what depends on the message (`exists`, `ptr`, macros) has them authorised",
        ),
    ];
    for (part, how) in healed {
        if compacted.infeasible.is_none() && !part.ranges.is_empty() {
            let told = format!("{how}: {}", addresses::part(part));
            row(&mut text, "healed", &told, width);
        }
    }
    if !compacted.broken.ranges.is_empty() {
        let told = format!(
            "{} for which the record intends permerror, whatever the limits (spf lint says why)",
            addresses::addresses(&compacted.broken.count)
        );
        row(&mut text, "broken", &styled(BAD, told), width);
    }
    for term in compacted.idle.iter().filter(|_| !compacted.unchanged) {
        let told = format!(
            "`{term}` costs a lookup and can decide nothing but an error, whatever anybody publishes"
        );
        row(&mut text, "left out", &told, width);
    }
    for removed in &compacted.removed {
        let of = match &removed.record {
            record if *record == compacted.domain => String::new(),
            record => format!(" in the record of {record}"),
        };
        let told = format!(
            "`{}`{of} is taken out ({}): {}",
            removed.term,
            removed.why,
            authority(&removed.removes, &removed.adds)
        );
        row(&mut text, "changed", &styled(NOTICE, told), width);
    }
    if let Some(infeasible) = &compacted.infeasible {
        blocked(&mut text, infeasible, width);
    }
    if !compacted.unchanged && !compacted.records.is_empty() {
        opened(&mut text, compacted, width);
        records(&mut text, compacted, given.closed, width);
    }
    proof(&mut text, compacted, width);
    text.into_string()
}

/// What the new record has in itself.
fn opened(text: &mut Text, compacted: &Compacted, width: usize) {
    let names = |wanted: fn(&OpenedName) -> bool| -> String {
        let names = compacted.opened.iter().filter(|opened| wanted(opened));
        names.map(|opened| opened.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let frozen = names(|opened| opened.volatile);
    if !frozen.is_empty() {
        let told = format!(
            "{frozen}: written out as of now. Whoever publishes this may change it at any time: watch it"
        );
        row(text, "frozen", &styled(NOTICE, told), width);
    }
    let own = names(|opened| !opened.volatile);
    if !own.is_empty() {
        row(text, "written", &format!("{own}: written out, yours or said to be stable"), width);
    }
    for unopened in &compacted.unopened {
        let within: Vec<&str> = unopened.within.iter().map(DomainName::as_str).collect();
        let told = match within.as_slice() {
            [] => format!("{}: there is nothing to write out in its place", unopened.name),
            _ => format!(
                "{}: asked about in {}, which stays live (flatten that too, if it is as stable)",
                unopened.name,
                within.join(" and in ")
            ),
        };
        row(text, "not flat", &styled(NOTICE, told), width);
    }
    let assumed = names(|opened| opened.assumed.is_some());
    if !assumed.is_empty() {
        row(
            text,
            "assumed",
            &styled(NOTICE, format!("{assumed}: the evidence only assumes what is written out")),
            width,
        );
    }
}

fn records(text: &mut Text, compacted: &Compacted, is_closed: bool, width: usize) {
    text.line("");
    text.line(styled(STRONG, "publish"));
    for rrset in compacted.records.iter().rev() {
        let ttl = rrset.ttl.map_or_else(String::new, |ttl| format!(", TTL {ttl}"));
        text.line(format!(
            "  {} TXT {}",
            rrset.name,
            styled(FAINT, format!("({} octets{ttl})", rrset.octets))
        ));
        let mut records = rrset.records.iter();
        for record in records.by_ref().take(1) {
            let strings: Vec<String> =
                record.strings().iter().map(|string| format!("\"{string}\"")).collect();
            // It is copied: one line, however long it is.
            text.line(format!("    {}", strings.join(" ")));
        }
        let others = records.count();
        if others > 0 {
            let stay = if others == 1 { "stays" } else { "stay" };
            text.line(styled(
                FAINT,
                format!("    beside {}, which {stay}", counted(number(others), "other string")),
            ));
        }
    }
    if compacted.records.len() > 1 {
        let told = "  in this order: the last one only when the others are seen everywhere";
        text.line(fill(told, width, "  "));
    }
    for name in &compacted.obsolete {
        let unless =
            if is_closed { "" } else { ", unless a record that is not in the evidence refers to it" };
        let told = format!("  remove {name} TXT once nobody reads the old record any more{unless}");
        text.line(fill(&told, width, "  "));
    }
}

fn proof(text: &mut Text, compacted: &Compacted, width: usize) {
    let proof = &compacted.proof;
    text.line("");
    if compacted.infeasible.is_none() {
        let told = match (proof.equivalent, compacted.removed.is_empty()) {
            (true, true) => {
                "every address has the result that the record intends today, for every message, at each of the receivers"
            }
            (true, false) => {
                "every address has the result that the record intends without what was taken out, for every message, at \
                 each of the receivers"
            }
            (false, _) => "not proven",
        };
        row(text, "proof", told, width);
    }
    let Some(objective) = proof.objective.as_ref().filter(|_| !compacted.unchanged) else {
        if let Some(infeasible) = &compacted.infeasible {
            let told = match proof.minimal {
                "proven" => {
                    format!(
                        "none of the candidates fits; {} looked at",
                        counted(number(proof.examined), "draft")
                    )
                }
                _ if infeasible.reason == "budget" => format!(
                    "the search ended after {}: some were not looked at",
                    counted(number(proof.examined), "draft")
                ),
                _ => format!("nothing is proven; {} looked at", counted(number(proof.examined), "draft")),
            };
            row(text, "proof", &told, width);
        }
        return;
    };
    let told = format!(
        "{} frozen, {}, {} changed, {} of text",
        objective.frozen,
        counted(number(objective.extra_records), "extra record"),
        counted(number(objective.changed_terms), "term"),
        counted(number(objective.octets), "octet")
    );
    let told = match proof.minimal {
        "proven" => format!("{told}: no candidate is better"),
        _ => format!(
            "{told}: the search ended after {} and proves no more than that {} {} to be frozen",
            counted(number(proof.examined), "draft"),
            proof.bound.frozen,
            if proof.bound.frozen == 1 { "has" } else { "have" }
        ),
    };
    row(text, "best", &told, width);
}

fn blocked(text: &mut Text, infeasible: &spf::Infeasible, width: usize) {
    let (lookups, voids, octets) = infeasible.allowed;
    let have = |count: u32, noun: &str, allowed: u32| {
        format!(
            "{} {} to stay, {allowed} {} allowed",
            counted(count, noun),
            if count == 1 { "has" } else { "have" },
            if allowed == 1 { "is" } else { "are" }
        )
    };
    let told = match infeasible.reason {
        "lookups" => have(infeasible.lookups, "lookup", lookups),
        "voids" => have(infeasible.voids, "void lookup", voids),
        "hosts" => {
            "an `mx` term that has to stay meets more mail exchanges, or more addresses of one, than are allowed"
                .to_owned()
        }
        "size" => {
            format!(
                "{} are needed at the name, {octets} are allowed",
                counted(number(infeasible.octets), "octet")
            )
        }
        "unbounded" => "what a term costs depends on the message, so no limit can be proven".to_owned(),
        "budget" => {
            "there are too many ways to choose what to open: narrow them with --keep and --flatten".to_owned()
        }
        "broken" => {
            "the record intends permerror for some addresses, and then what others pay is not told exactly: repair it \
             first, or see what --repair takes out"
                .to_owned()
        }
        "entangled" => {
            "terms depend on the message, or let nobody past them, so that what is spent together at worst is not \
             known: the worst was taken"
                .to_owned()
        }
        "idle" => {
            "once others are written out a term that stays live may decide nothing: without it there may be a record"
                .to_owned()
        }
        "undistributed" => {
            "no way was found to distribute the terms to extra records: there may be one".to_owned()
        }
        _ => "what has to stay live cannot be said outside of its own record".to_owned(),
    };
    row(text, "why", &styled(BAD, told), width);
    for stay in &infeasible.stays {
        let why = match stay.why {
            "depends_on_message" => "what it asks depends on the message",
            "kept" => "it is to be kept",
            "not_declared_stable" if stay.term.starts_with("exists") => {
                "nobody said that its answer is stable"
            }
            "not_declared_stable" => "nobody said that its addresses are stable",
            "no_record" => "there is no record to write out",
            _ => "it leads back to itself",
        };
        let told = format!("{} ({}): {why}", stay.term, counted(stay.lookups, "lookup"));
        row(text, "stays", &told, width);
    }
    let of = |kind: &str| infeasible.remedies.iter().filter(|remedy| remedy.kind == kind).collect::<Vec<_>>();
    let flatten: Vec<&str> =
        of("flatten").iter().filter_map(|remedy| remedy.name.as_ref()).map(DomainName::as_str).collect();
    if !flatten.is_empty() {
        let told = format!(
            "say which of these have addresses that are stable (--flatten NAME, each saves {}): {}",
            match infeasible.reason {
                "voids" => "void lookups",
                "hosts" => "the questions about its hosts",
                _ => "a lookup",
            },
            flatten.join(", ")
        );
        row(text, "or", &told, width);
    }
    for remedy in infeasible.remedies.iter().filter(|remedy| !matches!(remedy.kind, "flatten" | "subdomain"))
    {
        row(text, "or", &remedy.text, width);
    }
    match of("subdomain").as_slice() {
        [] => {}
        [one] => row(text, "or", &one.text, width),
        _ => {
            let told = "give the senders behind the terms that depend on the message return paths on subdomains of their \
                        own, with their own records there: SPF looks at the return path alone";
            row(text, "or", told, width);
        }
    }
}

/// Who is authorised no longer, and who newly.
fn authority(removes: &Authorised, adds: &Authorised) -> String {
    let [no_longer, newly] = [(removes, "no longer"), (adds, "newly")].map(|(delta, when)| {
        let of = |part: &AddressPart, how: &str| {
            let count = addresses::addresses(&part.count);
            (!part.ranges.is_empty()).then(|| format!("{count} {when} {how}"))
        };
        if delta.always == delta.sometimes {
            return Vec::from_iter(of(&delta.always, "pass"));
        }
        // An `exists` may still let pass what a term let pass for sure.
        [of(&delta.always, "surely pass"), of(&delta.sometimes, "pass at all")]
            .into_iter()
            .flatten()
            .collect()
    });
    let parts = [no_longer, newly].concat();
    if parts.is_empty() { "the same addresses pass".to_owned() } else { parts.join("; ") }
}
