//! Plans of growing size: how the time and the memory of a proof grow with streams and steps. Each case is one process, so that its memory can be read.
//!
//! Without an argument it prints the names of the cases. With a name it proves that plan with all promises, P3 and the margin, and prints the
//! cells of its row with tabs between: milliseconds of processor time, the most memory in KiB, and what came of it. `cargo xtask growth` runs them all.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool of the tests: it stops at what it does not expect"
)]
#![expect(clippy::indexing_slicing, reason = "a place that a JSON document lacks is null")]

use std::fmt::Write as _;
use std::time::Instant;

use sendershift::plan::Plan;
use sendershift::prove::prove_with_margin;
use sendershift_tests::spent::{peak, processor_time};
use serde_json::{Value, json};

/// Whose records the streams rely on, and how the waves of a plan follow each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Each stream has a domain of its own.
    Disjoint,
    /// All have one domain, whose SPF record includes eight parts. One wave follows the other.
    Shared,
    /// As that, and waves that change different parts follow in no order: any versions of the parts may be seen together.
    AnyOrder,
}

/// How far a plan can be taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// To the first removal.
    First,
    /// From everywhere.
    All,
}

const SIZES: [usize; 3] = [10, 100, 1000];
/// The parts of a shared record: nine lookups with the record that includes them.
const PARTS: usize = 8;
/// The most classes of streams: a part lists the address of each of its classes, and has to stay small.
const CLASSES: usize = 160;

fn cases() -> Vec<(String, (usize, usize, Kind, Undo))> {
    let mut cases = Vec::new();
    let mut case = |streams, steps, kind, undo| {
        let kind_said = match kind {
            Kind::Disjoint => "disjoint",
            Kind::Shared => "one SPF record",
            Kind::AnyOrder => "one SPF record, parts in any order",
        };
        let undo_said = match undo {
            Undo::First => "to the first removal",
            Undo::All => "from everywhere",
        };
        cases
            .push((format!("{kind_said} | {streams} | {steps} | {undo_said}"), (streams, steps, kind, undo)));
    };
    for kind in [Kind::Disjoint, Kind::Shared] {
        for streams in SIZES {
            case(streams, 10, kind, Undo::All);
        }
        for steps in SIZES {
            case(10, steps, kind, Undo::All);
        }
        case(10, 1000, kind, Undo::First);
        case(1000, 1000, kind, Undo::First);
        case(1000, 1000, kind, Undo::All);
    }
    for (streams, steps) in [(10, 10), (10, 100), (1000, 1000)] {
        case(streams, steps, Kind::AnyOrder, Undo::First);
    }
    cases.sort_by_key(|(_, (streams, steps, kind, _))| (*kind, *streams, *steps));
    cases.dedup_by(|one, other| one.0 == other.0);
    cases
}

fn main() {
    let wanted = std::env::args().nth(1);
    for (name, (streams, steps, kind, undo)) in cases() {
        match &wanted {
            None => println!("{name}"),
            Some(wanted) if *wanted == name => {
                let text = plan(streams, steps, kind, undo).to_string();
                let plan = Plan::from_json(&text).unwrap();
                drop(text);
                let (begin, clock) = (processor_time(), Instant::now());
                let proof = prove_with_margin(&plan, &mut |_| true).unwrap();
                let spent = processor_time().zip(begin).map(|(end, begin)| end - begin);
                let milliseconds = spent.unwrap_or(clock.elapsed().as_millis());
                let mut codes: Vec<&str> =
                    proof.undecided.iter().map(|remark| remark.code.as_str()).collect();
                codes.dedup();
                let found = proof.promises.iter().filter_map(|of| Some(of.counterexample.as_ref()?.code));
                codes.extend(found);
                let verdict = serde_json::to_value(&proof).unwrap()["verdict"].as_str().unwrap().to_owned();
                let said = [&[verdict.as_str()][..], &codes].concat().join(" ");
                let margin = if proof.margin.is_some() { "yes" } else { "no" };
                println!(
                    "{milliseconds}\t{}\t{}\t{}\t{said}\t{margin}",
                    peak(),
                    proof.explored.mixes_judged,
                    proof.explored.courses
                );
            }
            Some(_) => {}
        }
    }
}

/// A key of 1024 bits that no one has the other half of: how long a key is does not matter here.
const KEY: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkpVu4rBf0tjsK60SOXHaRPwMoqi42LYLeKtPutLKAVx5frk2ofWI1bhJXY7V3WpVbOypHyzS92GKm8bl0yXonXeZytVZfuSF/juOuy4PE0yUm8A9MerdtKygMEzcHL5pawuFz51johu2I8SL2i/CTy6MOQ8SNfKRVPR0m68XApQIDAQAB";

/// Streams that move again and again to a relay with another address and another key. A third of the steps are waves: each moves one class of streams, by a step
/// that publishes, one that switches and one that removes what is left.
fn plan(streams: usize, steps: usize, kind: Kind, undo: Undo) -> Value {
    let waves = (steps - 1) / 3;
    let classes = streams.min(waves).min(CLASSES);
    let estate = Estate { kind, streams, waves, classes };
    let mut steps = vec![json!({ "id": "go", "kind": "gate", "title": "Begin", "after": [] })];
    for wave in 0..waves {
        // Waves that change one RRset have to follow each other.
        let before = match kind {
            Kind::AnyOrder => (0..wave).rev().find(|before| estate.part_of(*before) == estate.part_of(wave)),
            _ => wave.checked_sub(1),
        };
        let before = before.map_or("go".to_owned(), |before| format!("remove-{before}"));
        let [publish, switch, remove] = ["publish", "switch", "remove"].map(|word| format!("{word}-{wave}"));
        let (new_keys, old_keys) = (estate.keys(wave, 1), estate.keys(wave, 0));
        let (more, fewer) = (estate.spf(wave, (0, 1), (0, 2)), estate.spf(wave, (0, 2), (1, 1)));
        let [publishes, removes] =
            [[added(&new_keys), more.clone()].concat(), [removed(&old_keys), fewer.clone()].concat()];
        let unpublishes = [removed(&new_keys), turned(&more)].concat();
        let brings_back = [added(&old_keys), turned(&fewer)].concat();
        steps.push(json!({
            "id": publish, "kind": "dns", "title": "Publish", "after": [{ "step": before }], "changes": publishes, "reversible": true,
            "undo": [{ "id": format!("undo-{publish}"), "kind": "dns", "after": [], "changes": unpublishes }],
        }));
        let uses = |more| -> Vec<Value> {
            estate.moved(wave).map(|n| Estate::used(n, estate.moves(n, wave) + more)).collect()
        };
        steps.push(json!({
            "id": switch, "kind": "send", "title": "Switch", "after": [{ "step": publish, "at_least": "PT86400S" }],
            "starts": uses(1), "stops": uses(0), "reversible": true,
            "undo": [
                { "id": format!("undo-{switch}"), "kind": "send", "after": [], "starts": uses(0), "stops": uses(1) },
                { "id": format!("drained-{switch}"), "kind": "gate", "after": [{ "step": format!("undo-{switch}"), "at_least": "P14D" }] },
            ],
        }));
        let mut step = json!({
            "id": remove, "kind": "dns", "title": "Remove", "after": [{ "step": switch, "at_least": "P14D" }], "changes": removes,
            "reversible": false,
        });
        if undo == Undo::All {
            step["reversible"] = json!(true);
            step["undo"] = json!([
                { "id": format!("undo-{remove}"), "kind": "dns", "after": [], "changes": brings_back },
                { "id": format!("seen-{remove}"), "kind": "gate", "after": [{ "step": format!("undo-{remove}"), "at_least": "PT86400S" }] },
            ]);
        }
        steps.push(step);
    }
    json!({
        "format": "sendershift-plan/1", "title": "Growth", "parameters": { "start": "2026-11-02T00:00:00Z", "resolver_stale": "PT3600S" },
        "sources": estate.sources(), "streams": (0..streams).map(|n| estate.stream(n)).collect::<Vec<_>>(), "steps": steps,
        "evidence": { "format": "sendershift-snapshot/1", "taken": "2026-11-02T00:00:00Z", "closed": true, "answers": estate.answers() },
    })
}

fn added(texts: &[(String, String)]) -> Vec<Value> {
    let change = |(name, text): &(String, String)| json!({ "name": name, "type": "TXT", "ttl_before": null, "ttl_after": 3600, "add": [text], "expect": "absent" });
    texts.iter().map(change).collect()
}

fn removed(texts: &[(String, String)]) -> Vec<Value> {
    let change = |(name, text): &(String, String)| json!({ "name": name, "type": "TXT", "ttl_before": 3600, "ttl_after": null, "remove": [text] });
    texts.iter().map(change).collect()
}

/// Changes taken back.
fn turned(changes: &[Value]) -> Vec<Value> {
    let turn = |change: &Value| {
        let mut turned = change.clone();
        turned["add"] = change["remove"].clone();
        turned["remove"] = change["add"].clone();
        turned
    };
    changes.iter().map(turn).collect()
}

struct Estate {
    kind: Kind,
    streams: usize,
    waves: usize,
    classes: usize,
}

impl Estate {
    /// The streams that a wave moves.
    fn moved(&self, wave: usize) -> impl Iterator<Item = usize> {
        (wave % self.classes..self.streams).step_by(self.classes)
    }

    /// How often a stream has moved before a wave.
    fn moves(&self, stream: usize, wave: usize) -> usize {
        (wave + self.classes - 1 - stream % self.classes) / self.classes
    }

    fn domain(&self, stream: usize) -> String {
        if self.kind == Kind::Disjoint { format!("d{stream}.example") } else { "d.example".to_owned() }
    }

    /// Streams that have one address among them.
    fn group(&self, stream: usize) -> usize {
        if self.kind == Kind::Disjoint { stream } else { stream % self.classes }
    }

    fn address(group: usize, moves: usize) -> String {
        format!("10.{}.{}.{}", moves, group / 256, group % 256)
    }

    /// The names of the keys that a wave is about, of the identity that its streams have after so many moves more, with their records.
    fn keys(&self, wave: usize, more: usize) -> Vec<(String, String)> {
        let name = |n: usize| format!("s{}-{n}._domainkey.{}", self.moves(n, wave) + more, self.domain(n));
        self.moved(wave).map(|n| (name(n), KEY.to_owned())).collect()
    }

    /// The changes of SPF records in a wave: with so many addresses of a moving class, from the one it has after so many moves more.
    fn spf(&self, wave: usize, before: (usize, usize), after: (usize, usize)) -> Vec<Value> {
        let change = |name: String, group: usize| {
            let [before, after] = [before, after].map(|(skip, count)| self.record(wave, group, skip, count));
            json!({ "name": name, "type": "TXT", "ttl_before": 3600, "ttl_after": 3600, "remove": [before], "add": [after] })
        };
        if self.kind == Kind::Disjoint {
            return self.moved(wave).map(|n| change(self.domain(n), n)).collect();
        }
        vec![change(Self::part(self.part_of(wave)), wave % self.classes)]
    }

    /// The part of the shared record that a wave changes.
    fn part_of(&self, wave: usize) -> usize {
        wave % self.classes % PARTS
    }

    fn part(part: usize) -> String {
        format!("_p{part}.d.example")
    }

    /// The record that lists a group at a wave, with some of the addresses that the group has had by then and will have.
    fn record(&self, wave: usize, group: usize, skip: usize, count: usize) -> String {
        let listed = |other: usize| {
            let moves = self.moves(other, wave);
            let range = if other == group { skip..skip + count } else { 0..1 };
            range.fold(String::new(), |mut text, more| {
                let _ = write!(text, "ip4:{} ", Self::address(other, moves + more));
                text
            })
        };
        let terms: String = match self.kind {
            Kind::Disjoint => listed(group),
            _ => (group % PARTS..self.classes).step_by(PARTS).map(listed).collect(),
        };
        format!("v=spf1 {terms}-all")
    }

    fn used(stream: usize, moves: usize) -> Value {
        json!({ "stream": format!("stream-{stream}"), "identity": format!("after-{moves}") })
    }

    fn sources(&self) -> Vec<Value> {
        let groups = if self.kind == Kind::Disjoint { self.streams } else { self.classes };
        let source = |group, moves| json!({ "id": format!("relay-{group}-{moves}"), "addresses": [Self::address(group, moves)] });
        let of = |group| (0..=self.moves(group, self.waves)).map(move |moves| source(group, moves));
        (0..groups).flat_map(of).collect()
    }

    fn stream(&self, n: usize) -> Value {
        let domain = self.domain(n);
        let identity = |moves: usize| {
            json!({
                "id": format!("after-{moves}"), "author_domain": domain, "mail_from": domain, "helo": null,
                "dkim": [{ "domain": domain, "selector": format!("s{moves}-{n}") }], "sources": [format!("relay-{}-{moves}", self.group(n))],
            })
        };
        let identities: Vec<Value> = (0..=self.moves(n, self.waves)).map(identity).collect();
        json!({ "id": format!("stream-{n}"), "title": "Mail", "identities": identities, "live": ["after-0"], "needs_both": true })
    }

    fn answers(&self) -> Vec<Value> {
        let answer = |name: String, kind: &str, record: String| json!({ "name": name, "type": kind, "ttl": 3600, "authoritative": true, "records": [record] });
        let mut answers = Vec::new();
        let domains = if self.kind == Kind::Disjoint { self.streams } else { 1 };
        for n in 0..domains {
            let domain = self.domain(n);
            let soa = format!("ns.{domain}. hostmaster.{domain}. 1 7200 900 1209600 3600");
            answers.push(answer(domain.clone(), "SOA", soa));
            answers.push(answer(domain.clone(), "MX", format!("10 mail.{domain}.")));
            answers.push(answer(format!("mail.{domain}"), "A", "192.0.2.25".to_owned()));
            answers.push(answer(
                format!("_dmarc.{domain}"),
                "TXT",
                format!("v=DMARC1; p=reject; rua=mailto:dmarc@{domain}"),
            ));
            let record = match self.kind {
                Kind::Disjoint => self.record(0, n, 0, 1),
                _ => {
                    let parts: Vec<String> = (0..PARTS.min(self.classes))
                        .map(|part| format!("include:{}", Self::part(part)))
                        .collect();
                    format!("v=spf1 {} -all", parts.join(" "))
                }
            };
            answers.push(answer(domain, "TXT", record));
        }
        if self.kind != Kind::Disjoint {
            let parts = 0..PARTS.min(self.classes);
            answers.extend(parts.map(|part| answer(Self::part(part), "TXT", self.record(0, part, 0, 1))));
        }
        for n in 0..self.streams {
            answers.push(answer(format!("s0-{n}._domainkey.{}", self.domain(n)), "TXT", KEY.to_owned()));
        }
        answers
    }
}
