//! The prover on plans written by hand: the safe ones, and the broken ones with their stories.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at what it does not expect"
)]

mod evidence;
mod keys;

use sendershift::dns::Snapshot;
use sendershift::error::Error;
use sendershift::plan::Plan;
use sendershift::prove::{Judged, Proof, prove};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn document(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn proven(document: &Value) -> Proof {
    let plan =
        Plan::from_json(&document.to_string()).unwrap_or_else(|invalid| panic!("{:#?}", invalid.problems));
    prove(&plan).unwrap()
}

/// The verdict on what this file is about: P1 and P2.
fn judged(proof: &Proof) -> Judged {
    let promises = proof.promises.iter().filter(|promise| ["p1", "p2"].contains(&promise.promise));
    promises.map(|promise| promise.verdict).max().unwrap()
}

/// The same, and the codes of the counterexamples.
fn verdict(document: &Value) -> (Judged, Vec<&'static str>) {
    let proof = proven(document);
    let promises = proof.promises.iter().filter(|promise| ["p1", "p2"].contains(&promise.promise));
    let mut codes: Vec<&'static str> =
        promises.filter_map(|promise| Some(promise.counterexample.as_ref()?.code)).collect();
    codes.dedup();
    (judged(&proof), codes)
}

#[test]
fn safe_plans() {
    for name in ["safe-split.json", "safe-make-before-break.json"] {
        let proof = proven(&document(name));
        assert_eq!(proof.verdict, Judged::Safe, "{name}: {:#?}", proof.promises);
        assert!(
            proof.explored.mixes_judged > 0 && proof.explored.pairs_excluded > 0,
            "{name}: {:?}",
            proof.explored
        );
        assert!(
            proof.explored.rrsets_forked > 0 && proof.explored.address_classes > 0,
            "{name}: {:?}",
            proof.explored
        );
    }
}

/// Plans that the prover once called safe, each for a reason of its own: the titles say what is wrong with them.
#[test]
fn plans_that_were_once_called_safe() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/once-safe");
    let mut plans = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let plan = Plan::from_json(&fs::read_to_string(&path).unwrap());
        let found = match plan.map(|plan| prove(&plan)) {
            Ok(Ok(proof)) => format!("{:?}", proof.verdict).to_lowercase(),
            Ok(Err(error)) => error.to_string(),
            Err(invalid) => format!("refused: {}", invalid.problems[0].code),
        };
        let expected = match name.as_str() {
            "source-behind-timeout" => "evidence is missing",
            "return-path-is-an-address" => "refused: name.mailbox",
            "answer-of-exists-removed" => "undecided",
            name if name.starts_with("source-") => "undecided",
            _ => "unsafe",
        };
        assert!(found.starts_with(expected), "{name}: {found}");
        plans += 1;
    }
    assert!(plans > 15, "{plans}");
}

#[test]
fn broken_plans_and_their_stories() {
    for (name, code, told) in [
        ("broken-cached-ttl.json", "p1.not-authenticated", "caches may keep it for 1 d 1 h after"),
        (
            "broken-lateness.json",
            "p1.no-dkim-under-enforcement",
            "that there is none, as step `remove-s1` left it",
        ),
        ("broken-negative-cache.json", "p1.no-dkim-under-enforcement", "that there is none, as before step"),
        ("broken-queued-mail.json", "p1.not-authenticated", "with the sources of `new`"),
        ("broken-reject-before-key.json", "p1.no-dkim-under-enforcement", "p=reject"),
    ] {
        let document = document(name);
        let (verdict, codes) = verdict(&document);
        assert_eq!((verdict, codes.first().copied()), (Judged::Unsafe, Some(code)), "{name}");
        let proof = proven(&document);
        let story =
            proof.promises.iter().find_map(|promise| Some(promise.counterexample.as_ref()?.story.join("\n")));
        let story = story.unwrap();
        assert!(story.contains(told), "{name}:\n{story}");
    }
}

/// A horizon is over when it is reached: one second decides.
#[test]
fn one_second_decides() {
    let mut plan = document("safe-split.json");
    let mut decided = 0;
    for step in 0..plan["steps"].as_array().unwrap().len() {
        for wait in 0..plan["steps"][step]["after"].as_array().unwrap().len() {
            let at_least = plan["steps"][step]["after"][wait]["at_least"].clone();
            let Some(seconds) =
                at_least.as_str().and_then(|text| text.trim_matches(['P', 'T', 'S']).parse::<u64>().ok())
            else {
                continue;
            };
            if seconds == 0 {
                continue;
            }
            plan["steps"][step]["after"][wait]["at_least"] = json!(format!("PT{}S", seconds - 1));
            decided += usize::from(verdict(&plan).0 == Judged::Unsafe);
            plan["steps"][step]["after"][wait]["at_least"] = at_least;
        }
    }
    assert!(decided > 0, "no wait of the plan is as short as it can be");
}

/// Who no longer sends still has a queue: mail leaves the old sources until the queue lifetime is over.
#[test]
fn a_stopped_sender_has_a_queue() {
    let mut plan = document("safe-make-before-break.json");
    let wait = &mut plan["steps"][4]["after"][0];
    assert_eq!(*wait, json!({ "step": "stop-old", "at_least": "PT432000S" }));
    wait["at_least"] = json!("PT431999S");
    let unsafe_for = |code| (Judged::Unsafe, vec![code, "p2.worse-than-today"]);
    assert_eq!(verdict(&plan), unsafe_for("p1.spf-needed-too"));
    let proof = proven(&plan);
    let found = proof.promises[0].counterexample.as_ref().unwrap();
    assert_eq!(
        (found.delivered_by.as_deref(), found.identity.as_deref()),
        (Some("by-old-esp"), Some("by-old-esp"))
    );
}

/// A small plan that the tests below change: one domain, one stream, and a new key at its selector.
fn selector_plan() -> Value {
    let key = |data: &str| format!("v=DKIM1; k=rsa; p={data}");
    let (old, new) = (
        key(
            "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkpVu4rBf0tjsK60SOXHaRPwMoqi42LYLeKtPutLKAVx5frk2ofWI1bhJXY7V3WpVbOypHyzS92GKm8bl0yXonXeZytVZfuSF/juOuy4PE0yUm8A9MerdtKygMEzcHL5pawuFz51johu2I8SL2i/CTy6MOQ8SNfKRVPR0m68XApQIDAQAB",
        ),
        key(
            "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDGbvUyDs1qag3jMoGcmuK0FUzs4m2/YgW0xYGyuGxoZ9S2QWeppukKI8rpvzgkKuE+yUoCzGptPFHOafQYtxihzkzoGu0lMyJt93Anf5AHr8qB51lEgIBYicM9CA9Sn0cQkgaceNe4IT43HORFtMEzir4wWYxfO7PW1w9/SHvqmQIDAQAB",
        ),
    );
    let answer = |name: &str, kind: &str, record: &str| json!({ "name": name, "type": kind, "ttl": 3600, "authoritative": true, "records": [record] });
    let identity = |id: &str, selector: &str| {
        json!({
            "id": id, "author_domain": "club.example", "mail_from": "club.example", "sources": ["own"],
            "dkim": [{ "domain": "club.example", "selector": selector }]
        })
    };
    json!({
        "format": "sendershift-plan/1",
        "parameters": { "start": "2026-11-02T00:00:00Z", "resolver_stale": "PT3600S" },
        "sources": [{ "id": "own", "addresses": ["192.0.2.0/28"] }],
        "streams": [{ "id": "news", "identities": [identity("now", "s1"), identity("then", "s1")], "live": ["now"] }],
        "evidence": {
            "format": "sendershift-snapshot/1", "closed": true,
            "answers": [
                answer("club.example", "SOA", "ns.club.example. hostmaster.club.example. 1 7200 900 1209600 3600"),
                answer("club.example", "TXT", "v=spf1 ip4:192.0.2.0/28 -all"),
                answer("_dmarc.club.example", "TXT", "v=DMARC1; p=reject"),
                answer("s1._domainkey.club.example", "TXT", &old),
                answer("club.example", "A", "203.0.113.25")
            ]
        },
        "steps": [
            { "id": "switch", "kind": "send", "after": [],
              "starts": [{ "stream": "news", "identity": "then" }], "stops": [{ "stream": "news", "identity": "now" }] },
            { "id": "replace-key", "kind": "dns", "after": [{ "step": "switch", "at_least": "PT2592000S" }],
              "changes": [{ "name": "s1._domainkey.club.example", "type": "TXT", "ttl_before": 3600, "ttl_after": 3600,
                            "remove": [old], "add": [new] }] }
        ]
    })
}

/// What the model does not have is never called safe.
#[test]
fn what_is_not_modelled_is_undecided() {
    let base = {
        let mut plan = selector_plan();
        plan["steps"].as_array_mut().unwrap().pop();
        plan
    };
    assert_eq!(verdict(&base).0, Judged::Safe);
    for (name, kind, record) in [
        ("club.example", "NS", "ns.other.example."),
        ("*.club.example", "TXT", "v=spf1 -all"),
        ("club.example", "TYPE43", "1 13 2 00"),
    ] {
        let mut plan = base.clone();
        plan["steps"].as_array_mut().unwrap().push(json!({
            "id": "other", "kind": "dns", "after": [],
            "changes": [{ "name": name, "type": kind, "ttl_before": null, "ttl_after": 3600, "add": [record] }]
        }));
        assert_eq!(verdict(&plan).0, Judged::Undecided, "{name} {kind}");
    }
    // A step that cannot be done as it is written.
    let mut plan = base.clone();
    plan["steps"].as_array_mut().unwrap().push(json!({
        "id": "other", "kind": "dns", "after": [],
        "changes": [{ "name": "club.example", "type": "TXT", "ttl_before": 3600, "ttl_after": 3600,
                      "remove": ["v=spf1 ip4:192.0.2.1 -all"], "add": ["v=spf1 -all"] }]
    }));
    assert_eq!(verdict(&plan).0, Judged::Undecided);
}

/// An external step happens on its date, whether the plan is ready or not.
#[test]
fn external_steps_do_not_wait() {
    let mut plan = selector_plan();
    let steps = plan["steps"].as_array_mut().unwrap();
    steps.pop();
    steps.push(json!({
        "id": "provider-drops-key", "kind": "external", "on": "2027-11-02T00:00:00Z",
        "changes": [{ "name": "s1._domainkey.club.example", "type": "TXT", "ttl_before": 3600, "ttl_after": null,
                      "remove": ["v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkpVu4rBf0tjsK60SOXHaRPwMoqi42LYLeKtPutLKAVx5frk2ofWI1bhJXY7V3WpVbOypHyzS92GKm8bl0yXonXeZytVZfuSF/juOuy4PE0yUm8A9MerdtKygMEzcHL5pawuFz51johu2I8SL2i/CTy6MOQ8SNfKRVPR0m68XApQIDAQAB"] }]
    }));
    assert_eq!(verdict(&plan).0, Judged::Unsafe, "the stream still signs with the key");
}

/// The lookups of a record grow over the limit while its domain is in use.
#[test]
fn limits_are_kept() {
    let mut plan = selector_plan();
    let answers = plan["evidence"]["answers"].as_array_mut().unwrap();
    for n in 0..11 {
        answers.push(json!({ "name": format!("p{n}.example"), "type": "TXT", "ttl": 60, "authoritative": true, "records": ["v=spf1 ip4:203.0.113.9 -all"] }));
    }
    let includes: Vec<String> = (0..11).map(|n| format!("include:p{n}.example")).collect();
    let record = format!("v=spf1 {} ip4:192.0.2.0/28 -all", includes.join(" "));
    let steps = plan["steps"].as_array_mut().unwrap();
    steps.pop();
    steps.push(json!({
        "id": "add-providers", "kind": "dns", "after": [],
        "changes": [{ "name": "club.example", "type": "TXT", "ttl_before": 3600, "ttl_after": 3600,
                      "remove": ["v=spf1 ip4:192.0.2.0/28 -all"], "add": [record] }]
    }));
    let (verdict, codes) = verdict(&plan);
    assert_eq!((verdict, codes), (Judged::Unsafe, vec!["p2.too-many-lookups"]));
}

/// The old sources' queue drains after nobody hands them messages any more: they are still needed in SPF.
#[test]
fn the_old_queue_drains() {
    let mut plan = selector_plan();
    plan["sources"].as_array_mut().unwrap().push(json!({ "id": "new", "addresses": ["198.51.100.0/28"] }));
    let both = "v=spf1 ip4:192.0.2.0/28 ip4:198.51.100.0/28 -all";
    plan["streams"][0]["identities"][1]["sources"] = json!(["new"]);
    for identity in [0, 1] {
        plan["streams"][0]["identities"][identity]["dkim"] = json!([]);
    }
    plan["streams"][0]["spf_only"] = json!(true);
    for answer in plan["evidence"]["answers"].as_array_mut().unwrap() {
        if answer["name"] == "club.example" && answer["type"] == "TXT" {
            answer["records"] = json!([both]);
        }
    }
    let mut verdict_with = |wait: &str| {
        plan["steps"][1] = json!({
            "id": "shrink", "kind": "dns", "after": [{ "step": "switch", "at_least": wait }],
            "changes": [{ "name": "club.example", "type": "TXT", "ttl_before": 3600, "ttl_after": 3600,
                          "remove": [both], "add": ["v=spf1 ip4:198.51.100.0/28 -all"] }]
        });
        verdict(&plan).0
    };
    assert_eq!(verdict_with("PT432000S"), Judged::Safe);
    assert_eq!(verdict_with("PT431999S"), Judged::Unsafe);
    assert_eq!(verdict_with("PT0S"), Judged::Unsafe);
}

/// `selector_plan` without steps, its only stream as `now` for ever.
fn still_plan() -> Value {
    let mut plan = selector_plan();
    plan["steps"] = json!([]);
    plan["streams"][0]["identities"].as_array_mut().unwrap().truncate(1);
    plan
}

fn listed(name: &str, kind: &str, record: &str) -> Value {
    json!({ "name": name, "type": kind, "ttl": 3600, "authoritative": true, "records": [record] })
}

fn undecided(document: &Value) -> Vec<String> {
    let proof = proven(document);
    assert_eq!(judged(&proof), Judged::Undecided, "{:?}", proof.promises);
    proof.undecided.into_iter().map(|remark| remark.code).collect()
}

/// A permerror is unsafe even where DKIM passes, and where SPF did not pass before.
#[test]
fn a_record_that_becomes_an_error() {
    let mut plan = still_plan();
    plan["evidence"]["answers"][1] = listed("club.example", "TXT", "v=spf1 ?all");
    plan["steps"] = json!([{ "id": "break", "kind": "dns", "after": [], "changes": [{
        "name": "club.example", "type": "TXT", "ttl_before": 3600, "ttl_after": 3600,
        "remove": ["v=spf1 ?all"], "add": ["v=spf1 foo:bar ?all"] }] }]);
    assert_eq!(verdict(&plan), (Judged::Unsafe, vec!["p2.permerror"]));
    plan["steps"][0]["changes"][0]["add"] = json!(["v=spf1 ip4:192.0.2.0/24 ?all"]);
    assert_eq!(verdict(&plan).0, Judged::Safe);
}

/// An identity of which a share stops is still in use.
#[test]
fn a_share_that_stops() {
    let mut plan = selector_plan();
    let then = plan["streams"][0]["identities"][1]["dkim"][0].as_object_mut().unwrap();
    then["selector"] = json!("s2");
    let key = plan["evidence"]["answers"][3]["records"][0].as_str().unwrap().to_owned();
    plan["evidence"]["answers"].as_array_mut().unwrap().push(listed(
        "s2._domainkey.club.example",
        "TXT",
        &key,
    ));
    plan["steps"][1]["changes"][0] = json!({ "name": "s1._domainkey.club.example", "type": "TXT",
        "ttl_before": 3600, "ttl_after": null, "remove": [key] });
    assert_eq!(verdict(&plan).0, Judged::Safe);
    plan["steps"][0]["stops"][0]["share"] = json!(100);
    assert_eq!(verdict(&plan), (Judged::Unsafe, vec!["p1.no-dkim-under-enforcement"]));
    // The rest may stop later.
    let mut rest = plan["steps"][0].clone();
    rest["id"] = json!("rest");
    rest["after"] = json!([{ "step": "switch", "at_least": "PT1S" }]);
    rest["stops"][0]["share"] = Value::Null;
    rest["starts"] = json!([]);
    plan["steps"][1]["after"][0]["step"] = json!("rest");
    plan["steps"].as_array_mut().unwrap().push(rest);
    assert_eq!(verdict(&plan).0, Judged::Safe);
}

/// What others publish on a date takes its time to be published.
#[test]
fn a_date_is_no_done() {
    let mut plan = selector_plan();
    plan["streams"][0]["identities"][1]["dkim"][0]["selector"] = json!("s2");
    let add = plan["steps"][1]["changes"][0]["add"].clone();
    plan["steps"] = json!([
        { "id": "add", "kind": "external", "on": "2026-12-01T00:00:00Z", "changes": [
            { "name": "s2._domainkey.club.example", "type": "TXT", "ttl_after": 3600, "add": add }] },
        { "id": "switch", "kind": "send", "after": [{ "step": "add", "at_least": "PT10800S" }],
          "starts": [{ "stream": "news", "identity": "then" }], "stops": [{ "stream": "news", "identity": "now" }] }]);
    assert_eq!(verdict(&plan).0, Judged::Safe);
    plan["steps"][1]["after"][0]["at_least"] = json!("PT10799S");
    assert_eq!(verdict(&plan).0, Judged::Unsafe);
}

#[test]
fn a_stream_of_which_nothing_is_judged() {
    let mut plan = still_plan();
    plan["steps"] = json!([{ "id": "past", "kind": "external", "on": "2020-01-01T00:00:00Z",
        "stops": [{ "stream": "news", "identity": "now" }] }]);
    assert_eq!(undecided(&plan), ["proof.nothing-judged"]);
}

/// What was injected before the first step may still be in a queue, and is lost there.
#[test]
fn a_queue_from_before_the_plan() {
    let mut plan = still_plan();
    let key = plan["evidence"]["answers"][3]["records"].clone();
    let mut verdict_if_stopped = |on: &str| {
        plan["steps"] = json!([
            { "id": "stop", "kind": "external", "on": on, "stops": [{ "stream": "news", "identity": "now" }] },
            { "id": "remove", "kind": "dns", "after": [], "changes": [{ "name": "s1._domainkey.club.example", "type": "TXT",
              "ttl_before": 3600, "ttl_after": null, "remove": key }] }]);
        (verdict(&plan), proven(&plan))
    };
    let lost = (Judged::Unsafe, vec!["p1.no-dkim-under-enforcement"]);
    let (found, proof) = verdict_if_stopped("2026-11-02T00:00:00Z");
    assert_eq!(found, lost);
    let story = proof.promises[0].counterexample.as_ref().unwrap();
    assert_eq!(story.schedule[0].what, "injected");
    assert!(story.schedule[0].at.as_str() < "2026-11-02T00:00:00Z", "{:?}", story.schedule);
    // On the day before the plan, with the queue of five days and the signature of fourteen.
    assert_eq!(verdict_if_stopped("2026-11-01T00:00:00Z").0, lost);
    let (found, proof) = verdict_if_stopped("2026-10-19T00:00:01Z");
    assert_eq!(found, (Judged::Unsafe, vec!["p1.signature-not-verifiable"]));
    let story = proof.promises[0].counterexample.as_ref().unwrap();
    let at = |what: &str| story.schedule.iter().find(|it| it.what == what).unwrap().at.clone();
    assert_eq!(
        (at("judged"), at("injected")),
        ("2026-11-02T00:00:00Z".to_owned(), "2026-10-19T00:00:00Z".to_owned())
    );
    assert_eq!(verdict_if_stopped("2026-10-19T00:00:00Z").0.0, Judged::Undecided, "nothing is left of it");
}

/// RFC 7208 section 4.3: there is no SPF for a name of one label.
#[test]
fn a_return_path_of_one_label() {
    let mut plan = still_plan();
    plan["evidence"]["answers"] = json!([
        listed("club", "TXT", "v=spf1 ip4:192.0.2.0/28 -all"),
        listed("_dmarc.club", "TXT", "v=DMARC1; p=none")
    ]);
    plan["streams"][0]["spf_only"] = json!(true);
    plan["streams"][0]["identities"] = json!([
        { "id": "now", "author_domain": "club", "mail_from": "club", "sources": ["own"] }]);
    assert_eq!(verdict(&plan), (Judged::Unsafe, vec!["p1.not-authenticated"]));
}

/// Each of many unknown terms doubles the ways, not the time; and no time in the queue is still a delivery.
#[test]
fn extremes() {
    let mut plan = still_plan();
    let terms: Vec<String> = (0..40).map(|at| format!("exists:{}.%{{i}}.club.example", 99 - at)).collect();
    plan["evidence"]["answers"][1] =
        listed("club.example", "TXT", &format!("v=spf1 {} -all", terms.join(" ")));
    plan["streams"][0]["needs_both"] = json!(true);
    assert_eq!(verdict(&plan).0, Judged::Unsafe);
    let mut plan = still_plan();
    for key in ["queue_lifetime", "signature_lifetime", "resolver_stale"] {
        plan["parameters"][key] = json!("PT0S");
    }
    let key = plan["evidence"]["answers"][3]["records"].clone();
    plan["steps"] = json!([{ "id": "remove", "kind": "dns", "after": [], "changes": [
        { "name": "s1._domainkey.club.example", "type": "TXT", "ttl_before": 3600, "remove": key }] }]);
    assert_eq!(verdict(&plan), (Judged::Unsafe, vec!["p1.no-dkim-under-enforcement"]));
}

/// A plan that says itself that something stands in its way is not safe: what it lacks was not judged.
#[test]
fn a_plan_with_blockers() {
    let mut plan = still_plan();
    assert_eq!(verdict(&plan).0, Judged::Safe);
    plan["blockers"] = json!([{ "code": "plan.selector-reused", "subject": null, "message": "the selector has another key" }]);
    assert_eq!(undecided(&plan), ["plan.selector-reused"]);
}

/// Evidence may come with rules of the public suffix list; where this build has others, that is said.
#[test]
fn rules_of_another_public_suffix_list() {
    let mut plan = still_plan();
    assert!(!conditions(&proven(&plan)).contains(&"proof.suffix-differs"));
    plan["evidence"]["public_suffixes"] = json!(["example"]);
    assert!(!conditions(&proven(&plan)).contains(&"proof.suffix-differs"));
    plan["evidence"]["public_suffixes"] = json!(["club.example"]);
    assert!(conditions(&proven(&plan)).contains(&"proof.suffix-differs"));
}

/// A first SPF record that leaves a source out turns none into softfail for it.
#[test]
fn a_first_record_that_leaves_somebody_out() {
    let mut plan = still_plan();
    plan["evidence"]["answers"]
        .as_array_mut()
        .unwrap()
        .retain(|answer| answer["name"] != "club.example" || answer["type"] != "TXT");
    let publish = |record: &str| {
        json!([{ "id": "first", "kind": "dns", "after": [], "changes": [{ "name": "club.example", "type": "TXT",
                 "ttl_before": null, "ttl_after": 3600, "expect": "absent", "add": [record] }] }])
    };
    plan["steps"] = publish("v=spf1 ip4:192.0.2.0/28 ~all");
    assert_eq!(verdict(&plan).0, Judged::Safe);
    plan["steps"] = publish("v=spf1 ip4:198.51.100.0/24 ~all");
    assert_eq!(verdict(&plan), (Judged::Unsafe, vec!["p2.worse-than-today"]));
}

fn conditions(proof: &Proof) -> Vec<&str> {
    proof.conditions.iter().map(|remark| remark.code.as_str()).collect()
}

/// Other hosts for the mail to a domain from which nothing is declared, and what is said of them, are told.
#[test]
fn mail_hosts_of_a_domain_that_nobody_declared() {
    let told = |name: &str, kind: &str, record: &str| -> Vec<String> {
        let mut plan = still_plan();
        let answers = plan["evidence"]["answers"].as_array_mut().unwrap();
        answers.push(listed("help.club.example", "A", "203.0.113.30"));
        let change = json!({ "name": name, "type": kind, "ttl_after": 3600, "add": [record] });
        plan["steps"] = json!([{ "id": "more", "kind": "dns", "after": [], "changes": [change] }]);
        let proof = proven(&plan);
        assert_eq!(judged(&proof), Judged::Safe, "{name}");
        let told = conditions(&proof)
            .into_iter()
            .filter(|code| !["proof.no-undo", "proof.evidence-undated"].contains(code));
        told.map(str::to_owned).collect()
    };
    assert_eq!(told("help.club.example", "MX", "10 club.example."), ["proof.mail-hosts"]);
    assert_eq!(told("_mta-sts.help.club.example", "TXT", "v=STSv1; id=1"), ["proof.mta-sts"]);
    assert_eq!(told("_mta-sts.help.club.example", "CNAME", "policies.example."), ["proof.mta-sts"]);
    assert_eq!(
        told("_25._tcp.help.club.example", "TLSA", &format!("3 1 1 {}", "ab".repeat(32))),
        ["proof.tlsa"]
    );
    // Nobody sends to a name that does not take mail; what is declared has its own promise.
    assert!(told("new.club.example", "MX", "10 club.example.").is_empty());
    assert!(told("club.example", "MX", "10 club.example.").is_empty());
    assert!(told("_mta-sts.help.club.example", "TXT", "something else").is_empty());
}
