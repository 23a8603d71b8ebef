//! The prover on plans written by hand: the safe ones, and the broken ones with their stories.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at what it does not expect"
)]

use std::fs;
use std::path::Path;

use sendershift::dns::Snapshot;
use sendershift::error::Error;
use sendershift::plan::Plan;
use sendershift::prove::{Judged, Proof, prove};
use serde_json::{Value, json};

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

/// A new key under an old selector breaks the signatures that were made with the other key, however long one waits.
#[test]
fn a_selector_is_not_reused() {
    let plan = selector_plan();
    assert_eq!(verdict(&plan).0, Judged::Unsafe);
    // The same with the key behind an alias that stays.
    let moved = plan.to_string().replace("s1._domainkey.club.example", "keys.club.example");
    let mut plan: Value = serde_json::from_str(&moved).unwrap();
    plan["evidence"]["answers"].as_array_mut().unwrap().push(json!({
        "name": "s1._domainkey.club.example", "type": "CNAME", "ttl": 3600, "authoritative": true, "records": ["keys.club.example."]
    }));
    assert_eq!(verdict(&plan).0, Judged::Unsafe);
    plan["steps"].as_array_mut().unwrap().pop();
    assert_eq!(verdict(&plan).0, Judged::Safe);
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

/// Evidence that is missing is asked for, all at once.
#[test]
fn missing_evidence_is_asked_for() {
    let mut plan = selector_plan();
    plan["evidence"]["closed"] = json!(false);
    let answers = plan["evidence"]["answers"].as_array_mut().unwrap();
    answers.retain(|answer| answer["name"] != "club.example" || answer["type"] != "TXT");
    let plan = Plan::from_json(&plan.to_string()).unwrap();
    let sendershift::error::Error::Missing(missing) = prove(&plan).unwrap_err() else { panic!() };
    let questions: Vec<String> = missing.questions.iter().map(ToString::to_string).collect();
    assert!(questions.contains(&"club.example TXT".to_owned()), "{questions:?}");
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

/// A key behind an alias is replaced under mail that is signed with the old one.
#[test]
fn a_new_key_behind_an_alias() {
    let mut plan = selector_plan();
    let old = plan["evidence"]["answers"][3]["records"][0].as_str().unwrap().to_owned();
    plan["evidence"]["answers"][3] = listed("s1._domainkey.club.example", "CNAME", "k1.esp.example.");
    plan["evidence"]["answers"].as_array_mut().unwrap().push(listed("k1.esp.example", "TXT", &old));
    plan["steps"][1]["changes"][0]["name"] = json!("k1.esp.example");
    plan["steps"].as_array_mut().unwrap().remove(0);
    plan["steps"][0]["after"] = json!([]);
    assert_eq!(verdict(&plan), (Judged::Unsafe, vec!["p1.no-dkim-under-enforcement"]));
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

/// Of a source without known addresses no message is judged; what a plan adds to an include is not judged either.
#[test]
fn sources_that_an_include_does_not_tell() {
    let mut plan = still_plan();
    plan["sources"][0] = json!({ "id": "own", "include": "_spf.esp.example" });
    let answers = plan["evidence"]["answers"].as_array_mut().unwrap();
    answers.push(listed("_spf.esp.example", "TXT", "v=spf1 exists:%{i}.esp.example -all"));
    assert_eq!(undecided(&plan), ["proof.empty-source"]);
    plan["evidence"]["answers"][5] =
        listed("_spf.esp.example", "TXT", "v=spf1 ip4:192.0.2.0/28 exists:%{i}.esp.example");
    let proof = proven(&plan);
    assert_eq!(judged(&proof), Judged::Safe);
    assert!(proof.assumptions.iter().any(|remark| remark.code == "assume.source-open"));
    // Where DKIM alone does not do, that is not enough.
    plan["streams"][0]["needs_both"] = json!(true);
    assert_eq!(undecided(&plan), ["proof.source-open"]);
    plan["streams"][0]["needs_both"] = json!(false);
    plan["steps"] = json!([{ "id": "grow", "kind": "external", "on": "2026-12-01T00:00:00Z", "changes": [{
        "name": "_spf.esp.example", "type": "TXT", "ttl_before": 3600, "ttl_after": 3600,
        "remove": ["v=spf1 ip4:192.0.2.0/28 exists:%{i}.esp.example"], "add": ["v=spf1 ip4:192.0.2.0/24"] }] }]);
    assert_eq!(undecided(&plan), ["proof.source-changes"]);
    plan["steps"][0]["changes"][0]["add"] = json!(["v=spf1 ip4:192.0.2.0/29"]);
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

/// How long absence is remembered: a TTL of the SOA record that the plan raises, and one that only a cache said.
#[test]
fn absence_and_its_soa() {
    let mut plan = selector_plan();
    let soa = "ns.club.example. hostmaster.club.example. 1 7200 900 1209600 604800";
    plan["evidence"]["answers"][0] =
        json!({ "name": "club.example", "type": "SOA", "ttl": 300, "authoritative": true, "records": [soa] });
    plan["streams"][0]["identities"][1]["dkim"][0]["selector"] = json!("s2");
    let add = plan["steps"][1]["changes"][0]["add"].clone();
    plan["steps"] = json!([
        { "id": "soa", "kind": "dns", "after": [], "changes": [
            { "name": "club.example", "type": "SOA", "ttl_before": 300, "ttl_after": 300 }] },
        { "id": "add", "kind": "dns", "after": [], "changes": [
            { "name": "s2._domainkey.club.example", "type": "TXT", "ttl_after": 3600, "add": add }] },
        { "id": "switch", "kind": "send", "after": [{ "step": "add", "at_least": "PT3900S" }],
          "starts": [{ "stream": "news", "identity": "then" }], "stops": [{ "stream": "news", "identity": "now" }] }]);
    plan["steps"][0]["changes"][0]["ttl_after"] = json!(86400);
    assert_eq!(verdict(&plan).0, Judged::Unsafe);
    plan["steps"].as_array_mut().unwrap().remove(0);
    assert_eq!(verdict(&plan).0, Judged::Safe);
    // From a cache: three days at least, more than the ceiling of one day.
    plan["evidence"]["answers"][0]["ttl"] = json!(259_200);
    plan["evidence"]["answers"][0]["authoritative"] = json!(false);
    plan["steps"][1]["after"][0]["at_least"] = json!("PT262799S");
    assert_eq!(verdict(&plan).0, Judged::Unsafe);
    plan["steps"][1]["after"][0]["at_least"] = json!("PT262800S");
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

/// `club.example` of `selector_plan`, as a zone file with a wildcard.
fn zone_evidence(wildcard: &str, rest: &str) -> Value {
    let text = format!(
        "$ORIGIN club.example.\n$TTL 1h\n@ SOA ns hostmaster 1 7200 900 1209600 3600\n NS ns\n TXT \"v=spf1 ip4:192.0.2.0/28 -all\"
_dmarc TXT \"v=DMARC1; p=reject\"\n{wildcard} TXT \"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkpVu4rBf0tjsK60SOXHaRPwMoqi42LYLeKtPutLKAVx5frk2ofWI1bhJXY7V3WpVbOypHyzS92GKm8bl0yXonXeZytVZfuSF/juOuy4PE0yUm8A9MerdtKygMEzcHL5pawuFz51johu2I8SL2i/CTy6MOQ8SNfKRVPR0m68XApQIDAQAB\"\n{rest}"
    );
    let above = r#"{ "format": "sendershift-snapshot/1", "answers": [{ "name": "_dmarc.example", "type": "TXT", "status": "nxdomain" }] }"#;
    let snapshot = Snapshot::from_sources(&[("zone", &text), ("above", above)]).unwrap();
    serde_json::to_value(&snapshot).unwrap()
}

/// The key of `s1` is that of a wildcard. A key of its own for `s2` makes `_domainkey` exist, so the wildcard no longer
/// answers for `s1`: all mail is lost that is signed with it. That is not modelled, and must not be called safe.
#[test]
fn a_record_that_hides_a_wildcard() {
    let mut plan = still_plan();
    plan["evidence"] = zone_evidence("*", "");
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]), "the wildcard holds the key, and nothing changes");
    let publish = |name: &str| {
        json!([{ "id": "publish", "kind": "dns", "after": [], "changes": [{ "name": name, "type": "TXT",
                 "ttl_before": null, "ttl_after": 3600, "add": ["v=DKIM1; p="] }] }])
    };
    plan["steps"] = publish("s2._domainkey.club.example");
    assert_eq!(undecided(&plan), ["proof.wildcard"]);
    // A wildcard that something between keeps away: `_domainkey` is there all the time.
    plan["evidence"] = zone_evidence("s1._domainkey", "* TXT \"x\"\n_domainkey TXT \"o=~\"\n");
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]));
    // And one that comes back when that goes.
    plan["steps"][0]["changes"].as_array_mut().unwrap().push(json!(
        { "name": "_domainkey.club.example", "type": "TXT", "ttl_before": 3600, "ttl_after": null, "remove": ["o=~"] }));
    assert_eq!(undecided(&plan), ["proof.wildcard", "proof.wildcard"]);
    // A change of a record that stays hides and reveals nothing.
    plan["steps"] = json!([{ "id": "edit", "kind": "dns", "after": [], "changes": [{ "name": "_dmarc.club.example", "type": "TXT",
        "ttl_before": 3600, "ttl_after": 3600, "remove": ["v=DMARC1; p=reject"], "add": ["v=DMARC1; p=none"] }] }]);
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]));
    plan["steps"] = publish("*.club.example");
    plan["steps"][0]["changes"][0].as_object_mut().unwrap().insert("ttl_before".to_owned(), json!(3600));
    assert_eq!(undecided(&plan), ["proof.wildcard"]);
}

/// What lies below a delegation or a DNAME is not in the zone: the plan has to ask, it is not safe.
#[test]
fn a_record_that_the_zone_does_not_hold() {
    for line in ["_domainkey NS ns.esp.example.\n", "_domainkey DNAME keys.esp.example.\n"] {
        let mut plan = still_plan();
        plan["evidence"] = zone_evidence("other", line);
        let plan = Plan::from_json(&plan.to_string()).unwrap();
        let Err(Error::Missing(missing)) = prove(&plan) else { panic!("{line}") };
        assert_eq!(missing.to_string(), "evidence is missing: s1._domainkey.club.example TXT", "{line}");
    }
}

/// What a change says of the RRset before it is compared with what is known; the verdict is not safe where they differ.
#[test]
fn changes_that_do_not_know_what_is_there() {
    let with = |name: &str, change: Value| {
        let mut plan = still_plan();
        let mut changes = json!([{ "name": name, "type": "TXT", "ttl_after": 3600, "add": ["x"] }]);
        changes[0].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        plan["steps"] = json!([{ "id": "edit", "kind": "dns", "after": [], "changes": changes }]);
        plan
    };
    let (here, gone) = ("club.example", "gone.club.example");
    for (name, change, code) in [
        (here, json!({ "ttl_before": null }), "plan.ttl-differs"),
        (here, json!({}), "plan.ttl-differs"),
        (here, json!({ "ttl_before": 60 }), "plan.ttl-differs"),
        (here, json!({ "ttl_before": 86400 }), "plan.ttl-differs"),
        (gone, json!({ "ttl_before": 60 }), "plan.ttl-differs"),
        (here, json!({ "ttl_before": 3600, "remove": ["y"] }), "plan.not-there"),
        (here, json!({ "ttl_before": 3600, "expect": ["y"] }), "plan.expectation-fails"),
        (here, json!({ "ttl_before": 3600, "expect": "absent" }), "plan.expectation-fails"),
    ] {
        assert_eq!(undecided(&with(name, change.clone())), [code], "{name} {change}");
    }
    // What a step before has published is known, too.
    let mut plan = with(gone, json!({}));
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]));
    let again = json!({ "id": "again", "kind": "dns", "after": [{ "step": "edit" }], "changes": [
        { "name": gone, "type": "TXT", "ttl_before": 60, "ttl_after": 60, "add": ["x"] }] });
    plan["steps"].as_array_mut().unwrap().push(again);
    assert_eq!(undecided(&plan), ["plan.ttl-differs"]);
    plan["steps"][1]["changes"][0]["ttl_before"] = json!(3600);
    let proof = proven(&plan);
    assert_eq!(
        (judged(&proof), conditions(&proof)),
        (Judged::Safe, vec!["plan.already-there", "proof.evidence-undated"])
    );
    // A cache may have had less left of it, not more.
    plan = with(here, json!({ "ttl_before": 3600 }));
    plan["evidence"]["answers"][1]["authoritative"] = json!(false);
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]));
    plan["evidence"]["answers"][1]["ttl"] = json!(3601);
    assert_eq!(undecided(&plan), ["plan.ttl-differs"]);
}

fn conditions(proof: &Proof) -> Vec<&str> {
    proof.conditions.iter().map(|remark| remark.code.as_str()).collect()
}

/// A verdict is about the DNS of the evidence, so it says how old that is.
#[test]
fn the_age_of_the_evidence() {
    let mut plan = still_plan();
    assert_eq!(conditions(&proven(&plan)), ["proof.evidence-undated"]);
    for (taken, expected) in [
        ("2026-11-02T00:00:00Z", &[][..]),
        ("2026-11-01T00:00:01Z", &[]),
        ("2026-11-01T00:00:00Z", &["proof.evidence-age"]),
        ("2025-11-02T00:00:00Z", &["proof.evidence-age"]),
        ("2026-11-02T00:00:01Z", &["proof.evidence-age"]),
    ] {
        plan["evidence"]["taken"] = json!(taken);
        let proof = proven(&plan);
        assert_eq!((judged(&proof), conditions(&proof)), (Judged::Safe, expected.to_vec()), "{taken}");
    }
}

/// RFC 1035 section 3.3.13: a zone without TTLs may have MINIMUM of its SOA record for all of them.
#[test]
fn a_zone_without_ttls() {
    let mut plan = selector_plan();
    plan["streams"][0]["identities"][1]["dkim"][0]["selector"] = json!("s2");
    plan["streams"][0]["spf_only"] = json!(true);
    let text = "$ORIGIN club.example.\n@ SOA ns hostmaster 1 7200 900 1209600 172800\n TXT \"v=spf1 -all\"\n_dmarc TXT \"v=DMARC1; p=none\"\n";
    let above = r#"{ "format": "sendershift-snapshot/1", "answers": [{ "name": "_dmarc.example", "type": "TXT", "status": "nxdomain" }] }"#;
    let snapshot = Snapshot::from_sources(&[("zone", text), ("above", above)]).unwrap();
    plan["evidence"] = serde_json::to_value(&snapshot).unwrap();
    plan["streams"][0]["identities"][0]["mail_from"] = json!("elsewhere.example");
    plan["evidence"]["answers"].as_array_mut().unwrap().extend([
        listed("elsewhere.example", "TXT", "v=spf1 -all"),
        listed("_dmarc.elsewhere.example", "TXT", "v=DMARC1; p=none"),
        listed("elsewhere.example", "MX", "10 elsewhere.example."),
    ]);
    plan["streams"][0]["judged_from"] = json!("switch");
    // Two days of MINIMUM and an hour of stale answers, for what was there and for what was not.
    for (seconds, expected) in [(176_399, Judged::Unsafe), (176_400, Judged::Safe)] {
        plan["steps"] = json!([
            { "id": "edit", "kind": "dns", "after": [], "changes": [{ "name": "club.example", "type": "TXT", "ttl_before": 3600,
              "ttl_after": 3600, "remove": ["v=spf1 -all"], "add": ["v=spf1 ip4:192.0.2.0/28 -all"] }] },
            { "id": "switch", "kind": "send", "after": [{ "step": "edit", "at_least": format!("PT{seconds}S") }],
              "starts": [{ "stream": "news", "identity": "then" }], "stops": [{ "stream": "news", "identity": "now" }] }]);
        assert_eq!(verdict(&plan).0, expected, "{seconds}");
    }
}

/// RFC 4592 and RFC 6672: what a wildcard or a DNAME record above makes of a name is not told by a snapshot that does not list
/// the name, closed or not.
#[test]
fn names_that_something_above_may_synthesise() {
    for (above, kind, record) in [
        ("*.club.example", "TXT", "v=spf1 ip4:203.0.113.9 -all"),
        ("*.club.example", "MX", "0 ."),
        ("in.club.example", "DNAME", "elsewhere.example."),
    ] {
        let mut plan = still_plan();
        plan["evidence"]["answers"][1] =
            listed("club.example", "TXT", "v=spf1 include:spf.in.club.example ip4:192.0.2.0/28 -all");
        plan["streams"][0]["needs_both"] = json!(true);
        plan["evidence"]["answers"].as_array_mut().unwrap().push(listed(above, kind, record));
        let read = Plan::from_json(&plan.to_string()).unwrap();
        let Err(Error::Missing(missing)) = prove(&read) else { panic!("{above} {kind}") };
        let questions: Vec<String> = missing.questions.iter().map(ToString::to_string).collect();
        assert!(questions.contains(&"spf.in.club.example TXT".to_owned()), "{above} {kind}: {questions:?}");
        // Once it is known, that is it.
        let listed = listed("spf.in.club.example", "TXT", "v=spf1 ?all");
        plan["evidence"]["answers"].as_array_mut().unwrap().push(listed);
        assert_eq!(verdict(&plan).0, Judged::Safe, "{above} {kind}");
    }
}

/// An identity that is taken up again signs with the key that its selector has by then.
#[test]
fn a_selector_with_a_new_key_that_is_used_again() {
    let mut plan = selector_plan();
    let old = plan["steps"][1]["changes"][0]["remove"].clone();
    plan["streams"][0]["identities"][1]["dkim"][0]["selector"] = json!("s2");
    plan["evidence"]["answers"].as_array_mut().unwrap().push(listed(
        "s2._domainkey.club.example",
        "TXT",
        old[0].as_str().unwrap(),
    ));
    plan["steps"].as_array_mut().unwrap().push(json!(
        { "id": "back", "kind": "send", "after": [{ "step": "replace-key", "at_least": "PT7200S" }],
          "starts": [{ "stream": "news", "identity": "now" }], "stops": [{ "stream": "news", "identity": "then" }] }));
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]));
    plan["steps"][2]["after"][0]["at_least"] = json!("PT7199S");
    assert_eq!(verdict(&plan).0, Judged::Unsafe, "somebody may hold the old key");
    plan["steps"][2]["after"] = json!([{ "step": "switch" }]);
    assert_eq!(verdict(&plan).0, Judged::Unsafe, "nobody knows which key is there by then");
}

/// RFC 8463: verifiers may know RSA only, so Ed25519 alone is nothing for the strictest of them.
#[test]
fn ed25519_alone_is_not_for_all() {
    let ed25519 = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let mut plan = selector_plan();
    plan["steps"].as_array_mut().unwrap().pop();
    plan["streams"][0]["identities"][1]["dkim"][0]["selector"] = json!("s2");
    let answers = plan["evidence"]["answers"].as_array_mut().unwrap();
    answers.push(listed("s2._domainkey.club.example", "TXT", ed25519));
    let proof = proven(&plan);
    let verdicts: Vec<(&str, &str, Judged)> =
        proof.promises.iter().map(|it| (it.promise, it.receiver, it.verdict)).collect();
    let (safe, not) = (Judged::Safe, Judged::Unsafe);
    assert_eq!(
        verdicts[..4],
        [("p1", "rfc7208", safe), ("p1", "strict", not), ("p2", "rfc7208", safe), ("p2", "strict", safe)]
    );
    let found = proof.promises[1].counterexample.as_ref().unwrap();
    assert_eq!((found.code, found.identity.as_deref()), ("p1.no-dkim-under-enforcement", Some("then")));
    assert!(
        found.story.join(" ").contains("an Ed25519 key, which this receiver does not know"),
        "{:?}",
        found.story
    );
    // Beside RSA it is fine, and where nobody asks for the strictest.
    let both = json!([{ "domain": "club.example", "selector": "s2" }, { "domain": "club.example", "selector": "s1" }]);
    let mut beside = plan.clone();
    beside["streams"][0]["identities"][1]["dkim"] = both;
    assert_eq!(verdict(&beside), (Judged::Safe, vec![]));
    plan["parameters"]["receivers"] = json!(["rfc7208"]);
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]));
    // SPF makes up for it where the policy asks for nothing.
    plan["parameters"]["receivers"] = json!(["strict"]);
    plan["evidence"]["answers"][2] = listed("_dmarc.club.example", "TXT", "v=DMARC1; p=none");
    assert_eq!(verdict(&plan), (Judged::Unsafe, vec!["p1.signature-not-verifiable"]));
    plan["streams"][0]["spf_only"] = json!(true);
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]));
}

/// An address that the evidence lists where an `exists` term asks is not judged as if it were not.
#[test]
fn what_exists_asks_for_and_the_evidence_has() {
    let mut plan = still_plan();
    plan["streams"][0]["needs_both"] = json!(true);
    plan["evidence"]["answers"][1] =
        listed("club.example", "TXT", "v=spf1 exists:%{i}.list.club.example -all");
    assert_eq!(verdict(&plan), (Judged::Unsafe, vec!["p1.spf-needed-too"]));
    let answers = plan["evidence"]["answers"].as_array_mut().unwrap();
    for host in 0..16 {
        answers.push(listed(&format!("192.0.2.{host}.list.club.example"), "A", "127.0.0.2"));
    }
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]));
    // One that is not listed is found, wherever it stands.
    for host in [15, 8, 0] {
        let mut plan = plan.clone();
        plan["evidence"]["answers"].as_array_mut().unwrap().remove(5 + host);
        let proof = proven(&plan);
        let found = proof.promises[0].counterexample.as_ref().unwrap();
        assert_eq!(found.address.unwrap().to_string(), format!("192.0.2.{host}"));
    }
    // Not what depends on more than the address, and not what the plan changes.
    let mut other = plan.clone();
    other["evidence"]["answers"][1] =
        listed("club.example", "TXT", "v=spf1 exists:%{i}.%{l}.club.example -all");
    assert_eq!(verdict(&other).0, Judged::Unsafe);
    plan["steps"] = json!([{ "id": "delist", "kind": "dns", "after": [], "changes": [{ "name": "192.0.2.7.list.club.example",
        "type": "A", "ttl_before": 3600, "ttl_after": null, "remove": ["127.0.0.2"] }] }]);
    let proof = proven(&plan);
    let found = proof.promises[0].counterexample.as_ref().unwrap();
    assert_eq!(
        (judged(&proof), found.address.unwrap().to_string()),
        (Judged::Unsafe, "192.0.2.7".to_owned())
    );
}
