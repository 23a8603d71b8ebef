//! Input made to be too much: too large, too deep, too entangled. Each case is one process, so that its memory can be read.
//!
//! Without an argument it prints the names of the cases, with `--short` of those alone that are not [`LONG`]. With a name it runs that case and prints a line: octets of input,
//! milliseconds of processor time (of a clock where the system does not say), the most memory in KiB (0 where it does not
//! say) and what came of it, with tabs between.
//! `cargo xtask hostile` runs them all, `cargo xtask test hostile` the short ones.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool of the tests: it stops at what it does not expect"
)]
#![expect(clippy::indexing_slicing, reason = "a place that a JSON document lacks is null")]

use std::fmt::Write as _;
use std::time::Instant;

use sendershift::dns::Snapshot;
use sendershift::net::Family;
use sendershift::spf::{Policy, Profile, SpfResult};
use sendershift::wire;
use sendershift_tests::spent::{peak, processor_time};
use serde_json::{Value, json};

/// Input that is made, and what is done with it, which is what is measured.
struct Work {
    octets: usize,
    run: Box<dyn FnOnce() -> String + Send>,
}

type Make = Box<dyn FnOnce() -> Work>;

/// As small as the stack of a thread is by default.
const STACK: usize = 2 * 1024 * 1024;

/// Cases that take more than 1 GiB of memory, or many seconds: they are run by hand.
const LONG: &[&str] = &[
    "a snapshot of a million answers",
    "10,000 steps in a chain",
    "1,400 steps, each after all before it",
    "2,000 steps, each after all before it",
];

fn main() {
    let unknown: Vec<_> = LONG.iter().filter(|long| cases().iter().all(|(name, _)| name != **long)).collect();
    assert!(unknown.is_empty(), "there are no cases {unknown:?}");
    let wanted = std::env::args().nth(1);
    for (name, make) in cases() {
        match &wanted {
            None => println!("{name}"),
            Some(list) if list == "--short" => {
                if !LONG.contains(&name.as_str()) {
                    println!("{name}");
                }
            }
            Some(wanted) if *wanted == name => {
                let Work { octets, run } = make();
                let thread = std::thread::Builder::new().stack_size(STACK);
                let (begin, clock) = (processor_time(), Instant::now());
                let answer = thread.spawn(run).unwrap().join().unwrap();
                let spent = processor_time().zip(begin).map(|(end, begin)| end - begin);
                println!("{octets}\t{}\t{}\t{answer}", spent.unwrap_or(clock.elapsed().as_millis()), peak());
            }
            Some(_) => {}
        }
    }
}

fn cases() -> Vec<(String, Make)> {
    let mut cases: Vec<(String, Make)> = Vec::new();
    for (tree, answers) in TREES {
        for operation in ["spf.check", "spf.cost", "spf.lint", "policy"] {
            cases.push((format!("{tree}: {operation}"), Box::new(move || spf(operation, &answers()))));
        }
    }
    for (name, operation, input) in DOCUMENTS {
        cases.push(((*name).to_owned(), Box::new(move || call(operation, input()))));
    }
    cases
}

fn call(operation: &'static str, input: String) -> Work {
    Work { octets: input.len(), run: Box::new(move || told(&wire::call(operation, &input))) }
}

/// What an answer says, in a few words.
fn told(output: &str) -> String {
    let document: Value = serde_json::from_str(output).unwrap();
    if let Some(code) = document["code"].as_str() {
        return format!("error {code}");
    }
    let words = ["result", "answer", "verdict", "policy", "within", "labels"];
    let said = words
        .iter()
        .find_map(|word| document.get(word).filter(|value| !value.is_object() && !value.is_array()));
    let said = said.or_else(|| document["proof"].get("verdict"));
    match (said, document["findings"].as_array()) {
        (Some(said), _) => said.to_string().replace('"', ""),
        (None, Some(findings)) => format!("{} findings", findings.len()),
        (None, None) => format!("{} octets", output.len()),
    }
}

// SPF

type Answers = Vec<Value>;

fn txt(name: impl Into<String>, text: impl Into<String>) -> Value {
    json!({ "name": name.into(), "type": "TXT", "records": [text.into()] })
}

fn snapshot(answers: &[Value]) -> Value {
    json!({ "format": "sendershift-snapshot/1", "closed": true, "answers": answers })
}

fn spf(operation: &'static str, answers: &[Value]) -> Work {
    let dns = snapshot(answers);
    match operation {
        "policy" => {
            let text = dns.to_string();
            Work { octets: text.len(), run: Box::new(move || policy(&text)) }
        }
        "spf.check" => {
            let input = json!({ "dns": dns, "ip": "203.0.113.1", "mail_from": "user@d0.example" });
            call(operation, input.to_string())
        }
        _ => call(operation, json!({ "dns": dns, "subject": "d0.example" }).to_string()),
    }
}

/// A policy, and all that can be asked of it.
fn policy(dns: &str) -> String {
    let dns = match Snapshot::from_json(dns) {
        Ok(dns) => dns,
        Err(error) => return format!("error {}", error.problems[0].code),
    };
    match Policy::compile(&dns, &"d0.example".parse().unwrap()) {
        Ok(policy) => {
            let ip = "203.0.113.1".parse().unwrap();
            let results = policy.under(&Profile::RFC7208);
            let ranges =
                results.runs().map(|(_, cases)| cases.len()).fold(0, |all, cases| all + cases.min(1));
            let cases = policy.cases(ip).len().max(results.at(ip).len()).max(policy.intended().at(ip).len());
            let spent = policy.worst(Family::V4);
            let passing = results.always(SpfResult::Pass).count();
            format!("{ranges} ranges, {cases} cases, {} lookups, {passing} pass", spent.lookups)
        }
        Err(sendershift::error::Error::Invalid(invalid)) => format!("error {}", invalid.problems[0].code),
        Err(error) => error.to_string(),
    }
}

/// A record of many terms.
fn record(term: impl Fn(usize) -> String, count: usize) -> Answers {
    let terms: Vec<String> = (0..count).map(term).collect();
    vec![txt("d0.example", format!("v=spf1 {} -all", terms.join(" ")))]
}

type Tree = (&'static str, fn() -> Answers);

const TREES: &[Tree] = &[
    ("includes in a circle", || {
        (0..3)
            .map(|n| txt(format!("d{n}.example"), format!("v=spf1 include:d{}.example -all", (n + 1) % 3)))
            .collect()
    }),
    ("100 domains that include each other", || {
        let all: Vec<String> = (0..100).map(|n| format!("include:d{n}.example")).collect();
        (0..100)
            .map(|n| txt(format!("d{n}.example"), format!("v=spf1 {} ip4:192.0.2.{n} -all", all.join(" "))))
            .collect()
    }),
    ("10 includes in each record, 10 deep", || {
        let mut answers = vec![txt("d0.example", "v=spf1 include:l0n0.example -all")];
        for level in 0..10 {
            for n in 0..10 {
                let next = (0..10)
                    .map(|n| format!("include:l{}n{n}.example", level + 1))
                    .collect::<Vec<_>>()
                    .join(" ");
                answers.push(txt(
                    format!("l{level}n{n}.example"),
                    format!("v=spf1 ip4:192.0.2.{level}{n} {next} -all"),
                ));
            }
        }
        answers.extend(
            (0..10).map(|n| txt(format!("l10n{n}.example"), format!("v=spf1 ip4:198.51.100.{n} -all"))),
        );
        answers
    }),
    ("10,000 includes in a chain", || {
        let next = |n| format!("v=spf1 include:d{}.example -all", n + 1);
        (0..10_000).map(|n| txt(format!("d{n}.example"), next(n))).collect()
    }),
    ("10,000 networks", || record(|n| format!("ip4:10.{}.{}.0/25", n / 256, n % 256), 10_000)),
    ("10,000 terms that ask", || {
        let mut answers = record(|n| format!("a:h{n}.example"), 10_000);
        answers.extend((0..10_000).map(|n| {
            let address = format!("10.{}.{}.1", n / 256, n % 256);
            json!({ "name": format!("h{n}.example"), "type": "A", "records": [address] })
        }));
        answers
    }),
    ("3,000 terms that ask between networks", || {
        record(|n| format!("a:h{n}.example ip4:10.{}.{}.0/25", n / 256, n % 256), 3_000)
    }),
    ("10,000 terms of which none can be read", || record(|n| format!("ip4:10.{n}"), 10_000)),
    ("1 MB of terms of which none can be read, 99 includes deep", || {
        let next = |n| format!("v=spf1 include:d{}.example -all", n + 1);
        let mut answers: Answers = (0..98).map(|n| txt(format!("d{n}.example"), next(n))).collect();
        let terms: Vec<String> = (0..80_000).map(|n| format!("ip4:10.{n}")).collect();
        answers.push(txt("d98.example", format!("v=spf1 {}", terms.join(" "))));
        answers
    }),
    ("a text of 1 MB", || record(|n| format!("ip6:2001:db8:{:x}:{:x}::/64", n / 65_536, n % 65_536), 38_000)),
    ("one term of 1 MB", || record(|_| format!("exists:{}", "%{ir}.".repeat(166_000)), 1)),
    ("a name of 500,000 labels", || record(|_| format!("include:{}example", "a.".repeat(500_000)), 1)),
    ("10,000 aliases in a chain", || {
        let mut answers = record(|_| "a:c0.example include:c0.example".to_owned(), 1);
        let next = |n| json!({ "name": format!("c{n}.example"), "type": "CNAME", "records": [format!("c{}.example", n + 1)] });
        answers.extend((0..10_000).map(next));
        answers
    }),
    ("10,000 mail hosts", || {
        let hosts: Vec<String> = (0..10_000).map(|n| format!("{} h{n}.example", n % 60_000)).collect();
        let mut answers = record(|_| "mx".to_owned(), 1);
        answers.push(json!({ "name": "d0.example", "type": "MX", "records": hosts }));
        answers
    }),
    ("300 terms with an address in their names", || record(|n| format!("exists:%{{i}}.e{n}.example"), 300)),
    ("1,000 terms with an address in their names", || {
        record(|n| format!("exists:%{{i}}.e{n}.example"), 1_000)
    }),
    ("1,000 terms with a local part in their names", || {
        record(|n| format!("exists:%{{l}}.e{n}.example"), 1_000)
    }),
    ("60 hosts with an address in their names", || record(|n| format!("a:%{{i}}.e{n}.example"), 60)),
    ("1,000 includes with an address in their names", || {
        record(|n| format!("include:%{{i}}.e{n}.example"), 1_000)
    }),
    ("60 terms that ask for the client's name", || {
        record(|n| format!("exists:%{{p}}.e{n}.example ptr:e{n}.example"), 60)
    }),
];

// Documents

type Document = (&'static str, &'static str, fn() -> String);

/// Octets as a text for URLs (RFC 4648 section 5).
fn base64url(octets: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = |chunk: &[u8]| {
        chunk.iter().fold(0_usize, |all, octet| all << 8 | usize::from(*octet)) << (24 - 8 * chunk.len())
    };
    let text = |chunk: &[u8]| {
        let bits = bits(chunk);
        (0..=chunk.len()).map(|at| char::from(digits[bits >> (18 - 6 * at) & 63])).collect::<String>()
    };
    octets.chunks(3).map(text).collect()
}

const DOCUMENTS: &[Document] = &[
    ("a snapshot of a million answers", "dns.answer", || {
        let mut answers = String::new();
        for n in 0..1_000_000 {
            let comma = if n == 0 { "" } else { "," };
            write!(
                answers,
                r#"{comma}{{"name":"n{n}.example","type":"A","ttl":300,"records":["10.0.0.1"]}}"#
            )
            .unwrap();
        }
        let dns = format!(r#"{{"format":"sendershift-snapshot/1","closed":true,"answers":[{answers}]}}"#);
        format!(r#"{{"dns":{dns},"name":"n7.example","type":"A"}}"#)
    }),
    ("a snapshot with 100,000 problems", "dns.snapshot", || {
        let answers: Vec<Value> =
            (0..100_000).map(|n| json!({ "name": format!("n..{n}"), "tpye": "A" })).collect();
        json!({ "dns": snapshot(&answers) }).to_string()
    }),
    ("one RRset of 100,000 records", "dns.answer", || {
        let records: Vec<String> =
            (0..100_000).map(|n| format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255)).collect();
        let answer = json!({ "name": "n.example", "type": "A", "records": records });
        // It is said twice: are they the same?
        json!({ "dns": snapshot(&[answer.clone(), answer]), "name": "n.example", "type": "A" }).to_string()
    }),
    ("a DNS message whose names are pointers to pointers", "dns.read", || {
        let mut message = b"\0\0\x81\x80\0\x01\0\0\0\0\0\0\x01n\x07example\0\0\x02\0\x01".to_vec();
        let mut record = |owner: u16, number: u8, data: &[u8]| {
            message.extend(owner.to_be_bytes());
            message.extend([0, number]);
            message.extend(b"\0\x01\0\0\x01\x2c");
            message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            message.extend(data);
        };
        // Each pointer leads to the one before it, and the first to the name that was asked for.
        let first = 27 + 12;
        let pointers: Vec<u8> = (0..8100_u16)
            .flat_map(|n| (0xC000 | if n == 0 { 12 } else { first + 2 * (n - 1) }).to_be_bytes())
            .collect();
        record(0xC00C, 99, &pointers);
        let last = first + 2 * 8099;
        for n in 0..2700_u16 {
            let [high, low] = (0xC000 | last).to_be_bytes();
            record(0xC000 | last, 2, &[&[3][..], format!("{n:03x}").as_bytes(), &[high, low]].concat());
        }
        message[6..8].copy_from_slice(&2701_u16.to_be_bytes());
        json!({ "name": "n.example", "type": "NS", "message": base64url(&message) }).to_string()
    }),
    ("a zone of 100,000 lines", "dns.answer", || {
        zone(&(0..100_000).fold(String::new(), |mut lines, n| {
            let _ = writeln!(lines, "n{n} 300 IN TXT \"text {n}\"");
            lines
        }))
    }),
    ("a zone of 100,000 broken lines", "dns.answer", || {
        zone(&"n IN TXT \"open\nm IN A 10.0.0\n".repeat(50_000))
    }),
    ("100,000 parentheses in a zone", "dns.answer", || zone(&format!("n IN TXT {}\n", "(".repeat(100_000)))),
    ("100,000 parentheses in a zone, one a line", "dns.answer", || {
        zone(&format!("n IN TXT {}\n", "(\n".repeat(100_000)))
    }),
    ("a line of 10 MB in a zone", "dns.answer", || {
        zone(&format!("n IN TXT {}\n", "\"0123456789\" ".repeat(770_000)))
    }),
    ("one string of 10 MB in a zone", "dns.answer", || {
        zone(&format!("n IN TXT \"{}\"\n", "0".repeat(10_000_000)))
    }),
    ("a name of 500,000 labels in a zone", "dns.answer", || {
        zone(&format!("{}n IN A 10.0.0.1\n", "a.".repeat(500_000)))
    }),
    ("10,000 delegations in a zone", "dns.answer", || {
        zone(&(0..10_000).fold(String::new(), |mut lines, n| {
            let _ = writeln!(lines, "n{n} NS ns.n{n}\nns.n{n} A 10.0.0.1\n*.w{n} A 10.0.0.2");
            lines
        }))
    }),
    ("lists 1,000,000 deep", "dns.snapshot", || format!(r#"{{"dns":{}"#, "[".repeat(1_000_000))),
    ("lists 1,000,000 deep, closed", "dns.snapshot", || {
        format!(r#"{{"dns":{}{}}}"#, "[".repeat(1_000_000), "]".repeat(1_000_000))
    }),
    ("tables 1,000,000 deep", "prove", || r#"{"a":"#.repeat(1_000_000)),
    ("lists 1,000,000 deep where types are read", "dmarc.parse", || {
        format!(r#"{{"record":{}"#, "[".repeat(1_000_000))
    }),
    ("lists 1,000,000 deep in a migration", "plan", || migration(&format!("a = {}", "[".repeat(1_000_000)))),
    ("tables 1,000,000 deep in a migration", "plan", || {
        migration(&format!("a = {}", "{a=".repeat(1_000_000)))
    }),
    ("a key of 100,000 parts in a migration", "plan", || {
        migration(&format!("a{} = 1", ".a".repeat(100_000)))
    }),
    ("a header of 100,000 parts in a migration", "plan", || {
        migration(&format!("[a{}]\n", ".a".repeat(100_000)))
    }),
    ("100,000 unknown keys in a migration", "plan", || {
        migration(&(0..100_000).fold(String::new(), |mut lines, n| {
            let _ = writeln!(lines, "titel{n} = {n}");
            lines
        }))
    }),
    ("a migration of 10,000 streams", "plan", streams),
    ("a DMARC record of 100,000 tags", "dmarc.parse", || {
        json!({ "record": format!("v=DMARC1; p=none{}", tags()) }).to_string()
    }),
    ("a DMARC record of 100,000 equal tags", "dmarc.parse", || {
        json!({ "record": format!("v=DMARC1; p=none{}", "; sp=none".repeat(100_000)) }).to_string()
    }),
    ("a DMARC record of 100,000 tags, judged", "dmarc.lint", || {
        let tags = tags();
        json!({ "dns": snapshot(&[txt("_dmarc.d0.example", format!("v=DMARC1; p=none{tags}"))]), "subject": "d0.example" }).to_string()
    }),
    ("100,000 report addresses", "dmarc.parse", || {
        let addresses: Vec<String> = (0..100_000).map(|n| format!("mailto:d{n}@r.example")).collect();
        json!({ "record": format!("v=DMARC1; p=none; rua={}", addresses.join(",")) }).to_string()
    }),
    ("a DKIM key of 1 MB", "dkim.parse", || {
        json!({ "record": format!("v=DKIM1; k=rsa; p={}", "MIIB".repeat(250_000)) }).to_string()
    }),
    ("a DKIM record of 100,000 tags", "dkim.parse", || {
        json!({ "record": format!("v=DKIM1; p=AAAA{}", tags()) }).to_string()
    }),
    ("10,000 steps in a chain", "prove", || plan(10_000, |n| if n == 0 { Vec::new() } else { vec![n - 1] })),
    ("1,400 steps, each after all before it", "prove", || plan(1_400, |n| (0..n).collect())),
    ("2,000 steps, each after all before it", "prove", || plan(2_000, |n| (0..n).collect())),
    ("10,000 steps in a circle", "prove", || plan(10_000, |n| vec![(n + 9_999) % 10_000])),
    ("5,000 steps in no order that change one name", "prove", || {
        changed(5_000, |_| Vec::new(), |_| "same.example.com".to_owned())
    }),
    ("a name of 1,000,000 labels", "name.parse", || json!({ "name": "a.".repeat(1_000_000) }).to_string()),
    ("a name of 1 MB that is not ASCII", "name.parse", || json!({ "name": "ü".repeat(500_000) }).to_string()),
];

/// Tags that nobody knows.
fn tags() -> String {
    let tags: Vec<String> = (0..100_000).map(|n| format!("; t{n}=x")).collect();
    tags.concat()
}

fn zone(lines: &str) -> String {
    let zone = format!(
        "$ORIGIN d0.example.\n$TTL 300\n@ IN SOA ns hostmaster 1 2 3 4 5\n@ IN NS ns\nns IN A 10.0.0.1\n{lines}"
    );
    json!({ "dns": zone, "name": "n7.d0.example", "type": "TXT" }).to_string()
}

fn migration(text: &str) -> String {
    json!({ "migration": text, "dns": snapshot(&[]) }).to_string()
}

/// The example of the Qualys split, with so many streams more of the kind that it has.
fn streams() -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/qualys");
    let mut migration = std::fs::read_to_string(format!("{root}/migration.toml")).unwrap();
    let dns: Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{root}/dns.json")).unwrap()).unwrap();
    for n in 0..10_000 {
        let _ = write!(
            migration,
            r#"
[[stream]]
id = "more-{n}"
title = "More"
wave = "notifications"
now = {{ author_domain = "qualys.com", mail_from = "qualys.com", sources = ["platform"], dkim = [{{ selector = "qcp2020" }}] }}
then = {{ author_domain = "qualys.net", mail_from = "bounce.qualys.net", dkim = [{{ selector = "qcp2022" }}] }}
"#
        );
    }
    json!({ "migration": migration, "dns": dns }).to_string()
}

/// A safe plan with so many steps more, each with a record of its own, after those that `after` names.
fn plan(count: usize, after: impl Fn(usize) -> Vec<usize>) -> String {
    changed(count, after, |n| format!("n{n}.example.com"))
}

fn changed(count: usize, after: impl Fn(usize) -> Vec<usize>, name: impl Fn(usize) -> String) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/safe-split.json");
    let mut plan: Value = serde_json::from_str(&std::fs::read_to_string(root).unwrap()).unwrap();
    let steps = plan["steps"].as_array_mut().unwrap();
    for n in 0..count {
        let after: Vec<Value> = after(n)
            .into_iter()
            .map(|n| json!({ "step": format!("more-{n}"), "at_least": "PT1S" }))
            .collect();
        let change = json!({ "name": name(n), "type": "TXT", "ttl_before": null, "ttl_after": 300, "add": [format!("text {n}")] });
        steps.push(json!({ "id": format!("more-{n}"), "kind": "dns", "title": "More", "after": after, "changes": [change] }));
    }
    plan.to_string()
}
