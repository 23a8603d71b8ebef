//! The best record for trees of many includes, beside a search through all choices of what to open.

use std::collections::BTreeMap;

use cpu_time::ThreadTime;
use sendershift::dns::{Overlay, Quality, Records, RrSet, Snapshot, Txt};
use sendershift::name::DomainName;
use sendershift::net::{AddressSet, parse_net};
use sendershift::spf::{CompactRequest, Compacted, Compared, Policy, Profile, Subject, compact, diff};

use crate::timing::{alone, row_alone};

/// Prefixes in all records of a tree together.
const PREFIXES: usize = 2_000;
/// Trees of each size that are drawn.
const DRAWN: usize = 50;
/// Trees of a size that the peer is given.
const COMPARED: usize = 5;

const DOMAIN: &str = "vendor.example";

/// Numbers from a fixed sequence.
struct Draw(u64);

impl Draw {
    fn new(seed: usize) -> Self {
        let mut draw = Self(0x9e37_79b9_7f4a_7c15 ^ (seed as u64 + 1).wrapping_mul(0x2545_f491_4f6c_dd1d));
        for _ in 0..8 {
            draw.below(2);
        }
        draw
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }

    /// Prefixes of both families: parts of a provider's own block, and one in twenty of a block that all of them use.
    fn prefixes(&mut self, provider: usize, count: usize) -> Vec<String> {
        let own = 64 + provider;
        let prefix = |at: usize| match self.below(20) {
            0 => format!("ip4:203.0.{}.{}/30", self.below(8), self.below(64) * 4),
            1 | 2 => format!("ip6:2001:db8:{provider:x}:{at:x}::/64"),
            3 | 4 => format!("ip4:{own}.{}.{}.{}", at / 200, at % 200, self.below(256)),
            5 | 6 => format!("ip4:{own}.{}.{}.0/23", at / 200, (200 + at % 55) & !1),
            _ => {
                let (length, size) = [(24, 256), (25, 128), (26, 64), (28, 16)][self.below(4)];
                format!("ip4:{own}.{}.{}.{}/{length}", at / 200, at % 200, self.below(256 / size) * size)
            }
        };
        (0..count).map(prefix).collect()
    }
}

/// A record of a tree.
struct Record {
    name: String,
    nets: Vec<String>,
    /// The records that it includes.
    includes: Vec<usize>,
    exists: Option<String>,
}

struct Tree {
    snapshot: Snapshot,
    /// The domain's own is the last.
    records: Vec<Record>,
}

/// A tree of `includes` includes: a third are nested, one in twelve stands in two places, one in five is the domain's own, two
/// ask an `exists`, and four hold most of the prefixes, as big providers do.
fn tree(includes: usize, seed: usize) -> Tree {
    let mut draw = Draw::new(seed);
    let big = 4.min(includes / 2);
    let small: Vec<usize> = (big..includes).map(|_| 1 + draw.below(4)).collect();
    let rest = PREFIXES - 3 - small.iter().sum::<usize>();
    let mut records: Vec<Record> = (0..includes)
        .map(|at| {
            let size = at.checked_sub(big).map_or(rest / big + usize::from(at < rest % big), |at| small[at]);
            let name = match draw.below(5) {
                0 if at >= big => format!("_m{at}.{DOMAIN}"),
                _ => format!("spf{at}.provider{at}.example"),
            };
            Record { nets: draw.prefixes(at, size), name, includes: Vec::new(), exists: None }
        })
        .collect();
    let mut root = Record {
        name: DOMAIN.to_owned(),
        nets: draw.prefixes(includes, 3),
        includes: Vec::new(),
        exists: None,
    };
    for at in 0..includes {
        if at > big && draw.below(3) == 0 {
            records[big + draw.below(at - big)].includes.push(at);
        } else {
            root.includes.push(at);
        }
        if at > big + 1 && draw.below(12) == 0 {
            let other = &mut records[big + draw.below(at - big)];
            if !other.includes.contains(&at) {
                other.includes.push(at);
            }
        }
    }
    for _ in 0..2 {
        let asks = &mut records[big + draw.below(includes - big)];
        asks.exists = Some(format!("exists:%{{i}}._spf.{}", asks.name));
    }
    records.push(root);
    let answers: Vec<String> = records
        .iter()
        .enumerate()
        .map(|(at, record)| {
            let end = if at == includes { "~all" } else { "-all" };
            let text = format!("v=spf1 {} {end}", terms(&records, record).join(" "));
            // As a record on the wire has it.
            let strings: Vec<String> = text
                .as_bytes()
                .chunks(255)
                .map(|part| format!("\"{}\"", String::from_utf8_lossy(part)))
                .collect();
            let (name, strings) = (&record.name, strings.join(", "));
            format!(r#"{{"name": "{name}", "type": "TXT", "ttl": 300, "records": [[{strings}]]}}"#)
        })
        .collect();
    let text = format!(
        r#"{{"format": "sendershift-snapshot/1", "closed": true, "answers": [{}]}}"#,
        answers.join(", ")
    );
    Tree { snapshot: Snapshot::from_json(&text).expect("a snapshot"), records }
}

fn terms(records: &[Record], record: &Record) -> Vec<String> {
    let includes = record.includes.iter().map(|child| format!("include:{}", records[*child].name));
    record.nets.iter().cloned().chain(includes).chain(record.exists.clone()).collect()
}

fn request(includes: usize) -> CompactRequest {
    CompactRequest { reserve: if includes < 20 { 4 } else { 0 }, ..CompactRequest::default() }
}

/// What the best record freezes, how many terms change, and how long it is; none where no record without extra ones fits.
///
/// Every set of records that can be opened is written out, with the fewest networks first and the live terms behind them; what
/// fits into the answer and the limits is judged by its policy. It shares nothing with the search but that.
fn exhaustive(tree: &Tree, most: u32) -> Option<(usize, usize, usize)> {
    let domain: DomainName = DOMAIN.parse().expect("a name");
    let root = tree.records.len() - 1;
    let intended = Policy::compile(&tree.snapshot, &domain).expect("complete evidence").intended();
    let mut limits = Profile::RFC7208;
    limits.lookups = most;
    let sets: Vec<AddressSet> = tree
        .records
        .iter()
        .map(|record| record.nets.iter().map(|net| parse_net(&net[4..]).expect("a network")).collect())
        .collect();
    let published: Vec<String> = terms(&tree.records, &tree.records[root]);
    let mut best: Option<(usize, usize, usize)> = None;
    'choices: for choice in 0..1u64 << root {
        let is_open = |at: usize| at == root || choice >> at & 1 == 1;
        // What is opened stands in something that is.
        for at in (0..root).filter(|at| is_open(*at)) {
            if !(0..=root).any(|parent| is_open(parent) && tree.records[parent].includes.contains(&at)) {
                continue 'choices;
            }
        }
        let open = || (0..root).filter(|at| is_open(*at));
        let frozen = open().filter(|at| !tree.records[*at].name.ends_with(".vendor.example")).count();
        let mut live: Vec<String> = Vec::new();
        for at in open().chain([root]) {
            let record = &tree.records[at];
            let kept = record.includes.iter().filter(|child| !is_open(**child));
            live.extend(kept.map(|child| format!("include:{}", tree.records[*child].name)));
            live.extend(record.exists.clone());
        }
        live.sort();
        live.dedup();
        if live.len() > most as usize {
            continue;
        }
        let opened = open().fold(AddressSet::default(), |all, at| all.union(&sets[at]));
        // The record's own networks stand as they are, or are merged with the others.
        for is_merged in [false, true] {
            let (own, nets) = if is_merged {
                (&[][..], opened.union(&sets[root]))
            } else {
                (&tree.records[root].nets[..], opened.difference(&sets[root]))
            };
            let written = nets.cover().into_iter().map(|net| match net.addr() {
                ip if net.prefix_len() == net.max_prefix_len() && ip.is_ipv4() => format!("ip4:{ip}"),
                ip if ip.is_ipv4() => format!("ip4:{net}"),
                ip if net.prefix_len() == net.max_prefix_len() => format!("ip6:{ip}"),
                _ => format!("ip6:{net}"),
            });
            let terms: Vec<String> = written.chain(own.iter().cloned()).chain(live.iter().cloned()).collect();
            let text = format!("v=spf1 {} ~all", terms.join(" "));
            let record = Txt::from_text(&text).expect("a text");
            if domain.wire_octets() + record.wire_octets() > 450 {
                continue;
            }
            let mut balance: BTreeMap<&str, i64> = BTreeMap::new();
            published.iter().for_each(|term| *balance.entry(term).or_default() += 1);
            terms.iter().for_each(|term| *balance.entry(term).or_default() -= 1);
            let changed = balance.values().map(|count| count.unsigned_abs() as usize).sum();
            let objective = (frozen, changed, text.len());
            if best.is_some_and(|best| best <= objective) {
                continue;
            }
            let mut then = Overlay::new(&tree.snapshot);
            then.publish(&domain, RrSet::new(Records::Txt(vec![record]), None, Quality::Authoritative));
            let policy = Policy::compile(&then, &domain).expect("complete evidence");
            if policy.intended() == intended && policy.under(&limits) == intended {
                best = Some(objective);
            }
        }
    }
    best
}

pub fn rows(wanted: &dyn Fn(&str) -> bool) {
    differences(wanted);
    println!();
    println!(
        "| compact, 2,000 prefixes | median | most | a record / none fits | proven | drafts, most | exhaustive search | \
         exhaustive / sendershift |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for includes in [10, 14, 30, 60] {
        let name = format!("compact: {includes} includes");
        if wanted(&name) {
            row(includes);
        }
    }
}

fn row(includes: usize) {
    let subject = Subject::parse(DOMAIN, None).expect("a name");
    let request = request(includes);
    let trees: Vec<Tree> = (0..DRAWN).map(|seed| tree(includes, seed)).collect();
    let mut times = Vec::new();
    let mut found: Vec<Compacted> = Vec::new();
    for (seed, tree) in trees.iter().enumerate() {
        let start = ThreadTime::now();
        let best = compact(&tree.snapshot, &subject, &request).expect("complete evidence");
        times.push(start.elapsed().as_secs_f64());
        if std::env::var_os("SEEDS").is_some() {
            eprintln!(
                "{includes} seed {seed}: {:.3} s {} {:?} examined {} before {} {:?}",
                times[seed],
                best.proof.minimal,
                best.proof.objective,
                best.proof.examined,
                best.before.lookups,
                best.infeasible.as_ref().map(|no| (no.reason, no.lookups, no.voids))
            );
        }
        found.push(best);
    }
    let mut ratios = Vec::new();
    let mut peers = Vec::new();
    // All choices of more than so many includes would take days.
    for at in (0..COMPARED).filter(|_| includes < 16) {
        let start = ThreadTime::now();
        let peer = exhaustive(&trees[at], 10 - request.reserve);
        peers.push(start.elapsed().as_secs_f64());
        ratios.push(peers[peers.len() - 1] / times[at]);
        let ours = found[at].proof.objective.filter(|best| best.extra_records == 0);
        let ours = ours.map(|best| (best.frozen, best.changed_terms, best.octets));
        if found[at].proof.objective.is_none_or(|best| best.extra_records == 0) {
            assert_eq!(ours, peer, "{includes} includes, tree {at}");
        } else {
            // The peer knows no extra records; what it finds without has to freeze more.
            assert!(peer.is_none_or(|peer| peer.0 > found[at].proof.objective.expect("a record").frozen));
        }
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let most = times.iter().copied().fold(0.0, f64::max);
    let records = found.iter().filter(|best| !best.records.is_empty()).count();
    let none =
        found.iter().filter(|best| best.infeasible.as_ref().is_some_and(|no| no.reason != "budget")).count();
    let proven = found.iter().filter(|best| best.proof.minimal == "proven").count();
    let drafts = found.iter().map(|best| best.proof.examined).max().unwrap_or(0);
    let peer = if peers.is_empty() {
        format!("2^{includes} choices | |")
    } else {
        format!("{:.2} s | {:.0} |", median(&mut peers), median(&mut ratios))
    };
    println!(
        "| compact: {includes} includes | {:.1} ms | {:.1} ms | {records} / {none} of {DRAWN} | {proven} of {DRAWN} | {drafts} | {peer}",
        median(&mut times) * 1e3,
        most * 1e3,
    );
}

/// Two policies of 2,000 prefixes: the same one in another order, and one with an address less.
fn differences(wanted: &dyn Fn(&str) -> bool) {
    let mut nets = Draw::new(7).prefixes(1, PREFIXES);
    let text = |nets: &[String]| format!("v=spf1 {} ~all", nets.join(" "));
    let subject = |text: &str| Subject::parse(text, Some(DOMAIN.parse().expect("a name"))).expect("a record");
    let left = subject(&text(&nets));
    nets.rotate_left(PREFIXES / 3);
    let same = subject(&text(&nets));
    nets.push("-ip4:192.0.2.7".to_owned());
    nets.rotate_right(1);
    let other = subject(&text(&nets));
    let dns = Snapshot::from_json(r#"{ "format": "sendershift-snapshot/1", "closed": true, "answers": [] }"#);
    let dns = dns.expect("a snapshot");
    for (what, right, equivalent) in [("equivalent", &same, true), ("one address differs", &other, false)] {
        let name = format!("diff: two policies of 2,000 prefixes, {what}");
        if wanted(&name) {
            let compare =
                || diff(&dns, &left, right, Compared::Actual(&Profile::RFC7208)).expect("complete evidence");
            assert_eq!(compare().witness.is_none(), equivalent, "{name}");
            row_alone(&name, alone(compare), 1);
        }
    }
}
