//! The best record for trees of many includes, beside a search through all choices of what to open.

use std::time::Instant;

use cpu_time::ThreadTime;
use sendershift::dns::{Evidence as _, Overlay, Quality, RecordType, Records, RrSet, Snapshot, Txt};
use sendershift::name::DomainName;
use sendershift::net::{AddressSet, IpRange, parse_net};
use sendershift::spf::{CompactRequest, Policy, Profile, SpfRecord, SpfResult, Subject, compact, diff};

use crate::timing::{Times, alone, row_alone, time};

/// Prefixes in all records of a tree together.
const PREFIXES: usize = 2_000;
/// Trees of each size that are drawn.
const DRAWN: usize = 25;

const DOMAIN: &str = "vendor.example";

/// Numbers from a fixed sequence.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }

    /// Prefixes of both families; providers are given blocks, and use parts of them.
    fn prefixes(&mut self, provider: usize, count: usize) -> Vec<String> {
        (0..count)
            .map(|at| match self.below(10) {
                0 => format!("ip6:2001:db8:{provider:x}:{at:x}::/64"),
                1 => format!("ip4:{}.{}.{}.{}", 64 + provider, at / 200, at % 200, self.below(256)),
                2 => format!("ip4:{}.{}.{}.0/23", 64 + provider, at / 200, 200 + at % 55),
                _ => {
                    let (length, size) = [(24, 256), (25, 128), (26, 64), (28, 16)][self.below(4)];
                    let host = self.below(256 / size) * size;
                    format!("ip4:{}.{}.{}.{host}/{length}", 64 + provider, at / 200, at % 200)
                }
            })
            .collect()
    }
}

/// A tree: its snapshot, and the records that can be opened.
struct Drawn {
    snapshot: Snapshot,
    records: Vec<DomainName>,
}

/// A tree of `includes` includes, of which a third are nested, one in ten asks an `exists`, and one in five is the domain's
/// own; four of them hold most of the 2,000 prefixes, as big providers do.
fn tree(includes: usize, seed: usize) -> Drawn {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15 ^ (seed as u64 + 1).wrapping_mul(0x2545_f491_4f6c_dd1d));
    for _ in 0..8 {
        draw.below(2);
    }
    let big = 4.min(includes / 2);
    let small: Vec<usize> = (0..includes - big).map(|_| 1 + draw.below(4)).collect();
    let rest = PREFIXES - small.iter().sum::<usize>();
    let sizes = (0..includes).map(|at| match at.checked_sub(big) {
        None => rest / big + usize::from(at < rest % big),
        Some(at) => small[at],
    });
    let sizes: Vec<usize> = sizes.collect();
    let names: Vec<String> = (0..includes)
        .map(|at| match draw.below(5) {
            0 if at >= big => format!("_m{at}.{DOMAIN}"),
            _ => format!("spf{at}.provider{at}.example"),
        })
        .collect();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); includes];
    let mut top = Vec::new();
    for at in 0..includes {
        if at > big && draw.below(3) == 0 {
            below[big + draw.below(at - big)].push(at);
        } else {
            top.push(at);
        }
    }
    let mut answers = Vec::new();
    let mut publish = |name: &str, terms: Vec<String>, end: &str| {
        let text = format!("v=spf1 {} {end}", terms.join(" "));
        let strings: Vec<String> = text.as_bytes().chunks(255).map(|part| format!("{:?}", String::from_utf8_lossy(part))).collect();
        answers.push(format!(r#"{{"name": "{name}", "type": "TXT", "ttl": 300, "records": [[{}]]}}"#, strings.join(", ")));
    };
    for at in 0..includes {
        let mut terms = draw.prefixes(at, sizes[at]);
        terms.extend(below[at].iter().map(|child| format!("include:{}", names[*child])));
        if at >= big && draw.below(10) == 0 {
            terms.push(format!("exists:%{{i}}._spf.{}", names[at]));
        }
        publish(&names[at], terms, "-all");
    }
    let rotated = big.min(top.len());
    top.rotate_left(rotated);
    publish(DOMAIN, top.iter().map(|at| format!("include:{}", names[*at])).collect(), "~all");
    let text = format!(
        r#"{{"format": "sendershift-snapshot/1", "closed": true, "answers": [{}]}}"#,
        answers.join(", ")
    );
    let snapshot = Snapshot::from_json(&text).expect("a snapshot");
    let records = names.iter().map(|name| name.parse().expect("a name")).collect();
    Drawn { snapshot, records }
}

pub fn rows(wanted: &dyn Fn(&str) -> bool) {
    for includes in [10, 30, 60] {
        let name = format!("compact: {includes} includes, 2,000 prefixes");
        if !wanted(&name) {
            continue;
        }
        let mut times = Vec::new();
        let (mut proven, mut found, mut examined, mut unfit) = (0, 0, 0, 0);
        for seed in 0..DRAWN {
            let drawn = tree(includes, seed);
            let subject = Subject::parse(DOMAIN, None).expect("a name");
            let reserve = if includes < 14 { 4 } else { 0 };
            let request = CompactRequest { reserve, ..CompactRequest::default() };
            let start = ThreadTime::now();
            let best = compact(&drawn.snapshot, &subject, &request).expect("complete evidence");
            let took = start.elapsed().as_secs_f64();
            times.push(took);
            proven += usize::from(best.proof.minimal == "proven");
            found += usize::from(!best.records.is_empty());
            unfit += usize::from(best.infeasible.is_some());
            examined += best.proof.examined;
            if std::env::var_os("SEEDS").is_some() {
                eprintln!(
                    "{includes} seed {seed}: {took:.3} s, {}, {:?}, before {}, examined {}, {:?}",
                    best.proof.minimal, best.proof.objective, best.before.lookups, best.proof.examined,
                    best.infeasible.as_ref().map(|no| (no.reason, no.lookups, no.octets))
                );
            }
        }
        times.sort_by(f64::total_cmp);
        println!(
            "{name}: median {:.1} ms, most {:.1} ms; {proven} of {DRAWN} proven, {found} found, {unfit} unfit, {examined} drafts",
            times[DRAWN / 2] * 1e3, times[DRAWN - 1] * 1e3
        );
    }
}
