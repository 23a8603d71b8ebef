//! `spf compact`: what it proposes, and that it says the same.

#![expect(clippy::print_stdout, reason = "what occurred how often belongs to the result")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it does not expect")]

mod ahead;
mod drawn;
mod idle;

use sendershift::dns::{Overlay, Quality, Records, RrSet, Snapshot};
use sendershift::error::Error;
use sendershift::name::DomainName;
use sendershift::spf::{CompactRequest, Compacted, Subject, compact};

/// Evidence from `name record` lines; other types are `name TYPE data`.
fn dns(lines: &[&str]) -> Snapshot {
    let answers: Vec<String> = lines
        .iter()
        .map(|line| {
            let (name, rest) = line.split_once(' ').unwrap();
            match rest.split_once(' ') {
                Some((kind @ ("A" | "AAAA" | "MX"), data)) => {
                    format!(r#"{{"name": "{name}", "type": "{kind}", "ttl": 300, "records": ["{data}"]}}"#)
                }
                _ if rest == "timeout" => {
                    format!(r#"{{"name": "{name}", "type": "TXT", "status": "timeout"}}"#)
                }
                _ => format!(r#"{{"name": "{name}", "type": "TXT", "ttl": 300, "records": ["{rest}"]}}"#),
            }
        })
        .collect();
    let text = format!(
        r#"{{"format": "sendershift-snapshot/1", "closed": true, "answers": [{}]}}"#,
        answers.join(",")
    );
    Snapshot::from_json(&text).unwrap()
}

fn run(dns: &Snapshot, request: &CompactRequest) -> Compacted {
    compact(dns, &Subject::parse("d.example", None).unwrap(), request).unwrap()
}

/// A request for as many lookups as given.
fn lookups(count: u32) -> CompactRequest {
    CompactRequest { reserve: 10 - count, ..CompactRequest::default() }
}

/// The texts of the records, the domain's first.
fn texts(compacted: &Compacted) -> Vec<String> {
    compacted.records.iter().map(|rrset| rrset.records[0].text()).collect()
}

fn best(lines: &[&str], request: &CompactRequest) -> Vec<String> {
    texts(&run(&dns(lines), request))
}

#[test]
fn what_keeps_to_the_limits_stays_as_it_is() {
    let record = "v=spf1  include:a.example IP4:192.0.2.1 ip4:192.0.2.0 ~all";
    let evidence = dns(&[&format!("d.example {record}"), "a.example v=spf1 ip4:198.51.100.0/24 -all"]);
    let found = run(&evidence, &lookups(1));
    assert!(found.unchanged && found.proof.minimal == "proven");
    assert_eq!(texts(&found), [record]);
}

#[test]
fn the_least_that_is_frozen_comes_first() {
    // One provider of two networks, or one of a single network: one is frozen either way, and two terms change or three.
    let lines = [
        "d.example v=spf1 include:a.example include:b.example ~all",
        "a.example v=spf1 ip4:192.0.2.0/24 ip4:203.0.113.0/24 -all",
        "b.example v=spf1 ip4:198.51.100.0/25 ip4:198.51.100.128/25 -all",
    ];
    assert_eq!(best(&lines, &lookups(1)), ["v=spf1 ip4:198.51.100.0/24 include:a.example ~all"]);
    let kept = CompactRequest { keep: vec!["b.example".parse().unwrap()], ..lookups(1) };
    assert_eq!(best(&lines, &kept), ["v=spf1 ip4:192.0.2.0/24 ip4:203.0.113.0/24 include:b.example ~all"]);
    let own = CompactRequest { flatten: vec!["a.example".parse().unwrap()], ..lookups(1) };
    assert_eq!(run(&dns(&lines), &own).proof.objective.unwrap().frozen, 0);
}

#[test]
fn an_include_can_be_opened_in_part() {
    let lines = [
        "d.example v=spf1 include:a.example -all",
        "a.example v=spf1 ip4:192.0.2.0/24 include:b.example include:c.example ~all",
        "b.example v=spf1 exists:%{i}.%{d} ~all",
        "c.example v=spf1 ip4:198.51.100.0/24 ~all",
    ];
    assert_eq!(
        best(&lines, &lookups(3)),
        ["v=spf1 ip4:192.0.2.0/24 include:b.example include:c.example -all"]
    );
    // Then `%{d}` is written as what it was where it stood.
    assert_eq!(
        best(&lines, &lookups(1)),
        ["v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 exists:%{i}.b.example -all"]
    );
}

#[test]
fn qualifiers_and_exclusions_survive() {
    let neutral =
        ["d.example v=spf1 ?include:p.example ip4:192.0.2.0/24 -all", "p.example v=spf1 ip4:192.0.2.7 -all"];
    assert_eq!(best(&neutral, &lookups(0)), ["v=spf1 ?ip4:192.0.2.7 ip4:192.0.2.0/24 -all"]);
    let excluded = [
        "d.example v=spf1 include:p.example ~all",
        "p.example v=spf1 -ip4:203.0.113.7 ip4:203.0.113.0/29 ~all",
    ];
    let found = run(&dns(&excluded), &lookups(0));
    assert_eq!(texts(&found), ["v=spf1 ~ip4:203.0.113.7 ip4:203.0.113.0/29 ~all"]);
    // Before a live term an exception would take a say from it.
    let excluded = [
        "d.example v=spf1 include:p.example exists:%{i}.e.example ~all",
        "p.example v=spf1 -ip4:203.0.113.7 ip4:203.0.113.0/29 ~all",
    ];
    let found = run(&dns(&excluded), &lookups(1));
    assert_eq!(
        texts(&found),
        ["v=spf1 ip4:203.0.113.0/30 ip4:203.0.113.4/31 ip4:203.0.113.6 exists:%{i}.e.example ~all"]
    );
    // What only excludes inside an include says nothing outside of it.
    let negative = ["d.example v=spf1 include:p.example ?all", "p.example v=spf1 -ip4:192.0.2.0/24 -all"];
    assert_eq!(best(&negative, &lookups(0)), ["v=spf1 ?all"]);
    let last =
        ["d.example v=spf1 include:p.example -all", "p.example v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1"];
    assert_eq!(best(&last, &lookups(0)), ["v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1 -all"]);
}

#[test]
fn what_stays_live_keeps_its_place() {
    // A later change of the block list must go on to win.
    let lines = [
        "d.example v=spf1 -include:block.example include:p.example ~all",
        "block.example v=spf1 ip4:198.51.100.7 -all",
        "p.example v=spf1 ip4:198.51.100.0/24 -all",
    ];
    let request = CompactRequest { keep: vec!["block.example".parse().unwrap()], ..lookups(1) };
    assert_eq!(best(&lines, &request), ["v=spf1 -include:block.example ip4:198.51.100.0/24 ~all"]);
    // An include that excludes before it includes has no place outside.
    let lines = [
        "d.example v=spf1 include:p.example ~all",
        "p.example v=spf1 -ip4:192.0.2.7 include:q.example include:e.example -all",
        "q.example v=spf1 ip4:192.0.2.0/24 -all",
        "e.example v=spf1 exists:%{i}.e.example -all",
    ];
    let found = run(&dns(&lines), &lookups(2));
    assert_eq!(found.infeasible.unwrap().reason, "structure");
}

#[test]
fn addresses_that_no_record_names_are_no_exceptions() {
    // Eight networks around a gap could be one with an exception, which would name what nobody named.
    let p = "p.example v=spf1 ip4:192.0.2.0/26 ip4:192.0.2.128/25 -all";
    let lines = ["d.example v=spf1 include:p.example -all", p];
    let found = run(&dns(&lines), &lookups(0));
    assert_eq!(texts(&found), ["v=spf1 ip4:192.0.2.0/26 ip4:192.0.2.128/25 -all"]);
    let around: Vec<String> = (0..8)
        .map(|bit| format!("ip4:192.0.2.{}/{}", (7 ^ (1 << bit)) & !((1 << bit) - 1), 32 - bit))
        .collect();
    let p = format!("p.example v=spf1 {} -all", around.join(" "));
    let found = run(&dns(&["d.example v=spf1 include:p.example -all", &p]), &lookups(0));
    assert_eq!((found.proof.objective.unwrap().changed_terms, found.proof.minimal), (9, "proven"));
}

#[test]
fn a_redirect_is_opened_with_its_own_results() {
    let lines = [
        "d.example v=spf1 ip4:192.0.2.0/24 redirect=r.example",
        "r.example v=spf1 -ip4:198.51.100.7 ip4:198.51.100.0/28 ?all",
    ];
    assert_eq!(best(&lines, &lookups(0)), ["v=spf1 -ip4:198.51.100.7 ip4:198.51.100.0/28 ip4:192.0.2.0/24"]);
    let behind_all = [
        "d.example v=spf1 include:a.example redirect=r.example -all",
        "a.example v=spf1 ip4:192.0.2.1 -all",
        "r.example v=spf1 +all",
    ];
    assert_eq!(best(&behind_all, &lookups(0)), ["v=spf1 ip4:192.0.2.1 -all"]);
}

#[test]
fn hosts_are_written_out_only_where_told() {
    let lines = [
        "d.example v=spf1 a:h.example mx -all",
        "h.example A 192.0.2.1",
        "h.example AAAA 2001:db8::1",
        "d.example MX 10 h.example.",
    ];
    let found = run(&dns(&lines), &lookups(1));
    let infeasible = found.infeasible.unwrap();
    assert_eq!((infeasible.reason, infeasible.lookups), ("lookups", 2));
    let whys: Vec<&str> = infeasible.stays.iter().map(|stay| stay.why).collect();
    assert_eq!(whys, ["not_declared_stable"; 2]);
    let told = CompactRequest { flatten: vec!["h.example".parse().unwrap()], ..lookups(1) };
    assert_eq!(best(&lines, &told), ["v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 mx -all"]);
}

#[test]
fn what_is_to_be_flattened_and_stays_is_said() {
    let lines = [
        "d.example v=spf1 include:a.example include:b.example a:h.example -all",
        "a.example v=spf1 a:h.example include:b.example -all",
        "b.example v=spf1 ip4:198.51.100.0/24 -all",
        "h.example A 192.0.2.1",
    ];
    let unopened = |keep: &[&str], flatten: &str| {
        let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let request = CompactRequest { keep: names(keep), flatten: names(&[flatten]), ..lookups(9) };
        let found = run(&dns(&lines), &request);
        let told = |name: &sendershift::spf::UnopenedName| {
            (name.name.to_string(), name.within.iter().map(DomainName::to_string).collect::<Vec<_>>())
        };
        found.unopened.iter().map(told).collect::<Vec<_>>()
    };
    let within = [("h.example".to_owned(), vec!["a.example".to_owned()])];
    assert_eq!(unopened(&["a.example"], "h.example"), within);
    assert_eq!(unopened(&[], "h.example"), within);
    assert_eq!(unopened(&[], "a.example"), []);
    let within = [("b.example".to_owned(), vec!["a.example".to_owned()])];
    assert_eq!(unopened(&["a.example"], "b.example"), within);
}

#[test]
fn the_senders_domain_is_known_unless_others_include_the_record() {
    // RFC 7208 section 7.2: `o` is the domain of the sender, here that of the record.
    let lines = [
        "d.example v=spf1 include:%{o}.a.example include:%{d}.b.example exists:%{o}.c.example -all",
        "d.example.a.example v=spf1 ip4:192.0.2.0/24 -all",
        "d.example.b.example v=spf1 ip4:198.51.100.0/24 -all",
    ];
    assert_eq!(best(&lines, &lookups(1)).len(), 1);
    assert_eq!(
        best(&lines, &CompactRequest { flatten: vec!["d.example.c.example".parse().unwrap()], ..lookups(0) }),
        ["v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 -all"]
    );
    let drop = CompactRequest { drop: vec!["d.example.a.example".parse().unwrap()], ..lookups(2) };
    assert_eq!(best(&lines, &drop), ["v=spf1 include:%{d}.b.example exists:%{o}.c.example -all"]);
    // Whoever includes it has other senders.
    let contract = CompactRequest { contract: true, ..lookups(1) };
    let found = run(&dns(&lines), &contract);
    assert_eq!(found.infeasible.unwrap().stays[0].why, "depends_on_message");
}

#[test]
fn failed_answers_are_holes() {
    let lines = ["d.example v=spf1 include:a.example ~all", "a.example timeout"];
    let subject = Subject::parse("d.example", None).unwrap();
    let error = compact(&dns(&lines), &subject, &lookups(0)).unwrap_err();
    assert!(matches!(error, Error::Missing(missing) if missing.questions[0].to_string() == "a.example TXT"));
}

#[test]
fn a_dead_include_is_taken_out_only_when_told() {
    let lines = [
        "d.example v=spf1 include:gone.example include:a.example ~all",
        "a.example v=spf1 ip4:192.0.2.0/24 -all",
    ];
    let found = run(&dns(&lines), &lookups(0));
    assert!(found.unchanged);
    assert_eq!(found.broken.ranges.to_string(), "0.0.0.0/0, ::/0");
    let found = run(&dns(&lines), &CompactRequest { repair: true, ..lookups(0) });
    assert_eq!(texts(&found), ["v=spf1 ip4:192.0.2.0/24 ~all"]);
    assert_eq!(
        (found.removed[0].why, found.removed[0].adds.always.count.to_string().as_str()),
        ("repair", "256")
    );
}

#[test]
fn a_dead_include_within_a_record_goes_where_that_is_opened() {
    // RFC 7208 section 5.2: an include that finds no record is a permerror, also for whoever includes its record.
    let lines = [
        "d.example v=spf1 include:a.example include:b.example ~all",
        "a.example v=spf1 ip4:192.0.2.0/24 include:c.example -all",
        "c.example v=spf1 ip4:203.0.113.0/24 include:gone.example ip4:198.51.100.0/24 -all",
        "b.example v=spf1 ip4:192.0.2.7 -all",
    ];
    let repair = CompactRequest { repair: true, ..lookups(10) };
    let found = run(&dns(&lines), &repair);
    assert_eq!(
        texts(&found),
        ["v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ip4:203.0.113.0/24 include:b.example ~all"]
    );
    assert_eq!(found.removed.len(), 1);
    let removed = &found.removed[0];
    assert_eq!((removed.record.as_str(), removed.term.as_str()), ("c.example", "include:gone.example"));
    assert_eq!(removed.adds.always.count.to_string(), "256");
    // Opened for it, and no less frozen for that: somebody else may change them.
    let opened: Vec<(&str, bool)> =
        found.opened.iter().map(|opened| (opened.name.as_str(), opened.volatile)).collect();
    assert_eq!(opened, [("a.example", true), ("c.example", true)]);
    assert_eq!(found.proof.objective.unwrap().frozen, 2);
    assert_eq!((found.proof.equivalent, found.proof.minimal), (true, "proven"));
    assert!(found.broken.ranges.is_empty());
    let keep = CompactRequest { keep: vec!["a.example".parse().unwrap()], ..repair };
    assert_eq!(refused(&lines, &keep), "spf.kept-and-repaired");
}

#[test]
fn a_dead_redirect_goes() {
    // RFC 7208 section 6.1: a redirect that finds no record is a permerror; without it the result is neutral.
    let repair = CompactRequest { repair: true, ..lookups(10) };
    let own = ["d.example v=spf1 ip4:192.0.2.0/24 redirect=gone.example"];
    let found = run(&dns(&own), &repair);
    assert_eq!(texts(&found), ["v=spf1 ip4:192.0.2.0/24"]);
    assert_eq!(found.removed[0].record.as_str(), "d.example");
    let within = [
        "d.example v=spf1 include:a.example ip4:198.51.100.0/24 -all",
        "a.example v=spf1 ip4:192.0.2.0/24 redirect=gone.example",
    ];
    let found = run(&dns(&within), &repair);
    assert_eq!(texts(&found), ["v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 -all"]);
    assert_eq!(
        (found.removed[0].record.as_str(), found.removed[0].term.as_str()),
        ("a.example", "redirect=gone.example")
    );
}

#[test]
fn a_record_that_nobody_can_read_is_not_repaired() {
    let repair = CompactRequest { repair: true, ..lookups(10) };
    let lines = ["d.example v=spf1 include:a.example -all", "a.example v=spf1 ip4:192.0.2.0/33 -all"];
    let subject = Subject::parse("d.example", None).unwrap();
    let error = compact(&dns(&lines), &subject, &repair).unwrap_err().to_string();
    assert!(error.contains("in the record of a.example, column 21: "), "{error}");
    let lines = ["d.example v=spf1 include:a.example -all", r#"a.example v=spf1 -all", "v=spf1 mx -all"#];
    assert_eq!(refused(&lines, &repair), "spf.several-records");
    let lines = [r#"d.example v=spf1 a -all", "v=spf1 mx -all"#];
    assert_eq!(refused(&lines, &repair), "spf.several-records");
}

#[test]
fn a_name_is_not_kept_and_dropped() {
    let name = || vec!["a.example".parse().unwrap()];
    let lines = [
        "d.example v=spf1 include:a.example include:b.example -all",
        "a.example v=spf1 ip4:192.0.2.1 -all",
        "b.example v=spf1 ip4:192.0.2.2 -all",
    ];
    for request in [
        CompactRequest { keep: name(), drop: name(), ..lookups(10) },
        CompactRequest { flatten: name(), drop: name(), ..lookups(10) },
    ] {
        let subject = Subject::parse("d.example", None).unwrap();
        let error = compact(&dns(&lines), &subject, &request).unwrap_err().to_string();
        assert!(error.contains("a.example is to be dropped, and nothing else"), "{error}");
    }
    // Another record may refer to it, which is another matter.
    let nested = [lines[0], lines[1], "b.example v=spf1 include:a.example -all"];
    let request = CompactRequest { keep: name(), drop: name(), ..lookups(10) };
    assert_eq!(best(&nested, &request), ["v=spf1 include:b.example -all"]);
}

/// The code of the first problem with which a request is refused.
fn refused(lines: &[&str], request: &CompactRequest) -> &'static str {
    let subject = Subject::parse("d.example", None).unwrap();
    let Error::Invalid(invalid) = compact(&dns(lines), &subject, request).unwrap_err() else {
        return "missing";
    };
    invalid.problems[0].code
}

#[test]
fn who_passes_all_may_hide_what_its_record_refers_to() {
    // Whoever `exists` excludes pays for two lookups and comes past; all others are passed, and pay for no more than three.
    let lines = [
        "d.example v=spf1 -include:a.example exists:%{i}.d.example ip4:192.0.2.0/30 ip4:192.0.2.4/30 ~all",
        "a.example v=spf1 -exists:%{i}.a.example include:b.example +all",
        "b.example v=spf1 ptr:b.example -all",
    ];
    let request = CompactRequest { octets: Some(85), ..lookups(4) };
    let found = run(&dns(&lines), &request);
    assert!(found.proof.minimal == "unknown" || !found.records.is_empty(), "{found:?}");
}

#[test]
fn with_errors_nothing_is_proven() {
    // Whoever comes to the dead include pays for nothing behind it.
    let lines = [
        "d.example v=spf1 ip4:203.0.113.7 include:a.example include:gone.example ~all",
        "a.example v=spf1 ip4:192.0.2.0/24 -all",
    ];
    let found = run(&dns(&lines), &lookups(0));
    assert_eq!((found.proof.minimal, found.proof.bound.frozen), ("unknown", 0));
    let keep = CompactRequest { keep: vec!["a.example".parse().unwrap()], ..lookups(0) };
    let found = run(&dns(&lines), &keep);
    assert_eq!((found.proof.minimal, found.infeasible.unwrap().reason), ("unknown", "broken"));
}

/// RFC 7208 section 4.6.4: an `mx` term asks about no more than ten hosts.
#[test]
fn too_many_hosts_are_no_void_lookups() {
    let hosts: Vec<String> = (0..11).map(|host| format!("\"{host} mx{host}.d.example\"")).collect();
    let addresses: Vec<String> = (0..11)
        .map(|host| {
            format!(r#"{{ "name": "mx{host}.d.example", "type": "A", "records": ["192.0.2.{host}"] }}"#)
        })
        .collect();
    let dns = Snapshot::from_json(&format!(
        r#"{{ "format": "sendershift-snapshot/1", "closed": true, "answers": [
            {{ "name": "d.example", "type": "TXT", "records": ["v=spf1 mx -all"] }},
            {{ "name": "d.example", "type": "MX", "records": [{}] }}, {} ] }}"#,
        hosts.join(", "),
        addresses.join(", ")
    ));
    let infeasible = run(&dns.unwrap(), &lookups(10)).infeasible.unwrap();
    assert_eq!(infeasible.reason, "hosts");
    let [remedy] = infeasible.remedies.as_slice() else { panic!("{infeasible:?}") };
    assert_eq!(remedy.kind, "flatten");
    assert!(remedy.text.ends_with("it saves the questions about its hosts"), "{}", remedy.text);
}

#[test]
fn aliases_that_lead_round_in_circles_are_errors() {
    let dns = Snapshot::from_json(
        r#"{ "format": "sendershift-snapshot/1", "closed": true, "answers": [
            { "name": "d.example", "type": "TXT", "records": ["v=spf1 include:x.example ip4:192.0.2.1 -all"] },
            { "name": "x.example", "type": "CNAME", "records": ["y.example"] },
            { "name": "y.example", "type": "CNAME", "records": ["x.example"] } ] }"#,
    );
    let found = run(&dns.unwrap(), &lookups(0));
    assert_eq!(found.broken.ranges.to_string(), "0.0.0.0/0, ::/0");
    assert_ne!(found.proof.minimal, "proven");
}

#[test]
fn a_provider_goes_only_when_dropped() {
    let lines = [
        "d.example v=spf1 include:b.example include:a.example ~all",
        "a.example v=spf1 ip4:192.0.2.0/24 -all",
        "b.example v=spf1 ip4:198.51.100.0/30 -all",
    ];
    let request = CompactRequest { drop: vec!["b.example".parse().unwrap()], ..lookups(1) };
    let found = run(&dns(&lines), &request);
    assert_eq!(texts(&found), ["v=spf1 include:a.example ~all"]);
    assert_eq!(
        (found.removed[0].why, found.removed[0].removes.always.count.to_string().as_str()),
        ("drop", "4")
    );
}

#[test]
fn what_a_dropped_term_let_pass_for_sure_may_still_pass_if() {
    let lines = [
        "d.example v=spf1 exists:%{i}.x.example include:b.example -all",
        "b.example v=spf1 ip4:198.51.100.0/30 -all",
    ];
    let request = CompactRequest { drop: vec!["b.example".parse().unwrap()], ..lookups(1) };
    let found = run(&dns(&lines), &request);
    let removes = &found.removed[0].removes;
    assert_eq!(removes.always.count.to_string(), "4");
    assert!(removes.sometimes.ranges.is_empty());
}

#[test]
fn what_the_record_says_itself_need_not_be_cut_out() {
    // A network of its own inside an opened one, behind it and before it.
    let p = "p.example v=spf1 ip4:192.0.2.0/24 -all";
    let behind = ["d.example v=spf1 include:p.example ip4:192.0.2.64/26 ~all", p];
    assert_eq!(best(&behind, &lookups(0)), ["v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.64/26 ~all"]);
    let ahead = ["d.example v=spf1 ip4:192.0.2.64/26 include:p.example ~all", p];
    assert_eq!(best(&ahead, &lookups(0)), ["v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.64/26 ~all"]);
    let before = ["d.example v=spf1 -ip4:192.0.2.7 include:p.example ~all", p];
    assert_eq!(best(&before, &lookups(0)), ["v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 ~all"]);
}

#[test]
fn an_extra_record_that_is_kept_is_no_leftover() {
    let lines = [
        "d.example v=spf1 include:_spf1-1.d.example include:p.example include:q.example ~all",
        "_spf1-1.d.example v=spf1 ip4:192.0.2.0/28 -all",
        "p.example v=spf1 ip4:198.51.100.1 -all",
        "q.example v=spf1 ip4:203.0.113.1 -all",
    ];
    let kept = CompactRequest { keep: vec!["_spf1-1.d.example".parse().unwrap()], ..lookups(2) };
    let found = run(&dns(&lines), &kept);
    assert_eq!(found.obsolete, []);
    assert_eq!(found.proof.objective.unwrap().extra_records, 1);
    let few = CompactRequest { max_records: Some(0), ..lookups(3) };
    let found = run(&dns(&lines), &few);
    assert_eq!(found.obsolete.len(), 1);
    assert_eq!(found.proof.objective.unwrap().extra_records, 0);
}

#[test]
fn terms_behind_all_take_no_room() {
    let idle: Vec<String> = (0..10).map(|at| format!("ip4:192.0.2.{at}")).collect();
    let record = format!("d.example v=spf1 include:a.example -all {}", idle.join(" "));
    let lines = [record.as_str(), "a.example v=spf1 ip4:198.51.100.1 -all"];
    let request = CompactRequest { octets: Some(100), max_records: Some(0), ..lookups(1) };
    assert_eq!(best(&lines, &request), ["v=spf1 include:a.example -all"]);
}

#[test]
fn terms_that_nobody_comes_to_are_no_proof_either() {
    // Past the first term there is an error at once: the others are never asked.
    let lines = [
        "d.example v=spf1 include:w.example include:b.example include:c.example -all",
        "w.example v=spf1 exists:%{i}.x.example include:gone.example -all",
        "b.example v=spf1 exists:%{i}.b.example -all",
        "c.example v=spf1 exists:%{i}.c.example -all",
    ];
    for most in 2..5 {
        let found = run(&dns(&lines), &lookups(most));
        assert!(found.unchanged || !found.records.is_empty() || found.proof.minimal == "unknown");
    }
}

#[test]
fn what_cannot_all_be_missed_is_no_proof() {
    // Whoever is past the first term is past the include, too.
    let lines = [
        "d.example v=spf1 exists:%{i}.x.example include:a.example include:b.example include:c.example -all",
        "a.example v=spf1 -exists:%{i}.x.example +all",
        "b.example v=spf1 exists:%{i}.b.example -all",
        "c.example v=spf1 exists:%{i}.c.example -all",
    ];
    let found = run(&dns(&lines), &lookups(3));
    assert!(!found.records.is_empty() || found.proof.minimal == "unknown");
}

#[test]
fn messages_that_cannot_be_are_no_proof() {
    // Whoever the first include does not pass is passed by the second, which matches everybody else: nobody pays for more.
    let lines = [
        "d.example v=spf1 include:a.example include:b.example include:c.example include:e.example -all",
        "a.example v=spf1 exists:%{i}.x.example -all",
        "b.example v=spf1 -exists:%{i}.x.example ip4:0.0.0.0/1 ip4:128.0.0.0/1 ip6:::/1 ip6:8000::/1 -all",
        "c.example v=spf1 exists:%{i}.c.example -all",
        "e.example v=spf1 ip4:192.0.2.1 -all",
    ];
    let named = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    let request = CompactRequest {
        keep: named(&["a.example", "b.example", "c.example"]),
        flatten: named(&["e.example"]),
        ..lookups(4)
    };
    let found = run(&dns(&lines), &request);
    assert!(!found.records.is_empty() || found.proof.minimal == "unknown", "{found:?}");
}

#[test]
fn a_question_in_two_places_is_proven() {
    let lines = [
        "d.example v=spf1 include:a.example include:b.example include:c.example -all",
        "a.example v=spf1 include:s.example -all",
        "b.example v=spf1 include:s.example ip4:192.0.2.1 -all",
        "c.example v=spf1 exists:%{i}.c.example -all",
        "s.example v=spf1 exists:%{i}.s.example -all",
    ];
    let found = run(&dns(&lines), &lookups(4));
    assert_eq!(texts(&found), ["v=spf1 ip4:192.0.2.1 include:s.example include:c.example -all"]);
    assert_eq!((found.proof.minimal, found.proof.bound.frozen), ("proven", 2));
    let none = run(&dns(&lines), &lookups(1));
    assert_eq!((none.proof.minimal, none.infeasible.unwrap().reason), ("proven", "lookups"));
}

#[test]
fn who_is_decided_on_the_way_pays_for_nothing_behind() {
    // All match the first term: what stands behind it costs nobody anything, extra records included.
    let nets: Vec<String> = (0..24).map(|at| format!("ip4:192.0.2.{}", at * 2)).collect();
    let record = format!("d.example v=spf1 exists:yes.example include:b.example {} ~all", nets.join(" "));
    let lines = ["yes.example A 192.0.2.1", record.as_str(), "b.example v=spf1 exists:%{i}.b.example -all"];
    let request =
        CompactRequest { octets: Some(170), keep: vec!["yes.example".parse().unwrap()], ..lookups(1) };
    let found = run(&dns(&lines), &request);
    assert!(found.proof.minimal == "unknown" || !found.records.is_empty(), "{found:?}");
}

#[test]
fn a_wildcard_answers_for_no_extra_record() {
    let nets: Vec<String> = (0..60).map(|at| format!("ip4:192.0.2.{}", at * 2)).collect();
    let zone = format!(
        "$ORIGIN d.example.\n$TTL 300\n@ SOA ns hm 1 2 3 4 5\n@ TXT \"v=spf1 include:p.d.example ~all\"\n* TXT \"wild\"\np TXT \"v=spf1 {}\" \" {}\"\n",
        nets[..15].join(" "),
        nets[15..30].join(" "),
    );
    let evidence = Snapshot::from_zone(&zone, None).unwrap();
    let found =
        run(&evidence, &CompactRequest { flatten: vec!["p.d.example".parse().unwrap()], ..lookups(1) });
    assert!(found.proof.equivalent, "{:?}", texts(&found));
}

#[test]
fn addresses_behind_the_limit_are_healed() {
    let mut lines: Vec<String> =
        (0..12).map(|at| format!("p{at}.example v=spf1 ip4:192.0.2.{at} -all")).collect();
    let includes: Vec<String> = (0..12).map(|at| format!("include:p{at}.example")).collect();
    lines.push(format!("d.example v=spf1 {} ~all", includes.join(" ")));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = run(&dns(&lines), &CompactRequest::default());
    assert_eq!(found.healed.always.ranges.to_string(), "192.0.2.10/31");
    assert_eq!((found.after.unwrap().lookups, found.proof.objective.unwrap().frozen), (10, 2));
    assert_eq!(found.proof.minimal, "proven");
}

#[test]
fn a_contract_never_costs_more() {
    let nets: Vec<String> = (0..60).map(|at| format!("ip4:192.0.2.{}", at * 2)).collect();
    let p = format!("p.example v=spf1 {} -all", nets.join(" "));
    let lines = ["d.example v=spf1 include:p.example ~all", p.as_str()];
    let told = CompactRequest { flatten: vec!["p.example".parse().unwrap()], ..CompactRequest::default() };
    assert_eq!(run(&dns(&lines), &told).records.len(), 3);
    let contract = CompactRequest { contract: true, ..told };
    assert_eq!(run(&dns(&lines), &contract).infeasible.unwrap().reason, "size");
}

fn flattened(nets: &[usize], published: Option<&Compacted>) -> Compacted {
    let nets: Vec<String> = nets.iter().map(|at| format!("ip4:192.0.2.{at}")).collect();
    let p = format!("p.example v=spf1 {} -all", nets.join(" "));
    let evidence = dns(&["d.example v=spf1 include:p.example ~all", &p]);
    let mut now = Overlay::new(&evidence);
    for rrset in published.iter().flat_map(|published| &published.records) {
        now.publish(
            &rrset.name,
            RrSet::new(Records::Txt(rrset.records.clone()), rrset.ttl, Quality::Authoritative),
        );
    }
    let request = CompactRequest { flatten: vec!["p.example".parse().unwrap()], ..CompactRequest::default() };
    let subject =
        Subject::parse("v=spf1 include:p.example ~all", Some("d.example".parse().unwrap())).unwrap();
    compact(&now, &subject, &request).unwrap()
}

#[test]
fn one_address_more_changes_one_extra_record() {
    let nets: Vec<usize> = (0..80).map(|at| at * 2).collect();
    let first = flattened(&nets, None);
    let names: Vec<&str> = first.records.iter().map(|rrset| rrset.name.as_str()).collect();
    assert_eq!(names, ["d.example", "_spf1-1.d.example", "_spf2-1.d.example", "_spf3-1.d.example"]);
    let again = flattened(&nets, Some(&first));
    assert_eq!(texts(&again), texts(&first));
    assert_eq!(again.proof.objective.unwrap().changed_terms, 0);
    let more: Vec<usize> = nets.iter().copied().chain([201]).collect();
    let second = flattened(&more, Some(&first));
    let changed = second.records.iter().skip(1).filter(|rrset| !first.records.contains(rrset)).count();
    assert!(changed <= 1, "{:?}", texts(&second));
    assert_eq!(second.obsolete.len(), changed);
}

/// Addresses come and go one by one: no extra record changes that need not.
#[test]
fn one_address_at_a_time_changes_as_little_as_can_be() {
    // Here all has to be packed anew, or one record more is needed.
    const FULL: usize = 28;
    let mut nets: Vec<usize> = (0..24).map(|at| at * 2).collect();
    let mut published = flattened(&nets, None);
    for step in 0..100usize {
        let is_added = step < 70;
        if is_added {
            nets.push(100 + (step * 29) % 70 * 2);
        } else {
            nets.remove((step * 37) % nets.len());
        }
        let next = flattened(&nets, Some(&published));
        let extras = |of: &Compacted| of.records.len() - 1;
        let changed = next.records.iter().skip(1).filter(|rrset| !published.records.contains(rrset)).count();
        let terms = next.proof.objective.unwrap().changed_terms;
        if extras(&next) >= extras(&published) {
            // A new one counts: those that were there stay.
            assert!(changed <= 1, "step {step}: {changed} of {:?}", texts(&next));
        }
        if changed == 1 && is_added && extras(&next) == extras(&published) && step != FULL {
            // The term, and the name of the record that gets it: in the record itself, and there.
            assert_eq!(terms, 3, "step {step}: {:?}", texts(&next));
        }
        published = next;
    }
}
