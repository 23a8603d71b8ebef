//! What the evidence says, and what it leaves open.

use super::*;

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
    // When that goes the name is there by what is below it.
    plan["steps"][0]["changes"].as_array_mut().unwrap().push(json!(
        { "name": "_domainkey.club.example", "type": "TXT", "ttl_before": 3600, "ttl_after": null, "remove": ["o=~"] }));
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]));
    // And one that may come back when that goes, as what is below it may come later.
    plan["evidence"] = zone_evidence("s1._domainkey", "* TXT \"x\"\ntree TXT \"v=DKIM1; p=\"\n");
    plan["steps"] = publish("leaf.tree.club.example");
    plan["steps"][0]["changes"].as_array_mut().unwrap().push(json!(
        { "name": "tree.club.example", "type": "TXT", "ttl_before": 3600, "ttl_after": null, "remove": ["v=DKIM1; p="] }));
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
        (Judged::Safe, vec!["plan.already-there", "proof.evidence-undated", "proof.no-undo"])
    );
    // A cache may have had less left of it, not more.
    plan = with(here, json!({ "ttl_before": 3600 }));
    plan["evidence"]["answers"][1]["authoritative"] = json!(false);
    assert_eq!(verdict(&plan), (Judged::Safe, vec![]));
    plan["evidence"]["answers"][1]["ttl"] = json!(3601);
    assert_eq!(undecided(&plan), ["plan.ttl-differs"]);
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

fn told(proof: &Proof) -> Vec<&str> {
    proof.conditions.iter().chain(&proof.assumptions).map(|remark| remark.code.as_str()).collect()
}

/// Open evidence tells of a wildcard that nobody asked for by what is said not to exist.
#[test]
fn wildcards_that_nobody_asked_for() {
    let mut plan = document("corpus/safe/mail-exchange-that-may-be-a-wildcards.json");
    assert!(told(&proven(&plan)).contains(&"proof.wildcard"));
    let policy = answer(&mut plan, "_dmarc.bounce.shop.example");
    *policy =
        json!({ "name": "_dmarc.bounce.shop.example", "type": "TXT", "status": "nxdomain", "ttl": 3600 });
    assert!(!told(&proven(&plan)).contains(&"proof.wildcard"));
}

/// What a plan makes an alias of is asked for, and assumed where only its hosts are in question.
#[test]
fn what_a_plan_leads_to() {
    let mut plan = document("corpus/unsafe/p4.more-than-needed--alias-to-the-record-of-a-provider.json");
    plan["evidence"]["closed"] = json!(false);
    let answers = plan["evidence"]["answers"].as_array_mut().unwrap();
    answers.retain(|answer| answer["name"] != "esp.example");
    for name in ["_dmarc.example", "x.shop.example"] {
        answers.push(json!({ "name": name, "type": "TXT", "status": "nxdomain", "ttl": 3600 }));
    }
    let plan = Plan::from_json(&plan.to_string()).unwrap();
    let Error::Missing(missing) = prove(&plan).unwrap_err() else { panic!() };
    let questions: Vec<String> = missing.questions.iter().map(ToString::to_string).collect();
    assert_eq!(questions, ["esp.example TXT"]);

    let mut plan = document("corpus/safe/mail-host-of-which-nothing-is-known.json");
    assert!(told(&proven(&plan)).contains(&"assume.host"));
    let host = json!({ "name": "mx.mial.example", "type": "A", "ttl": 3600, "records": ["203.0.113.25"] });
    plan["evidence"]["answers"].as_array_mut().unwrap().push(host);
    assert!(!told(&proven(&plan)).contains(&"assume.host"));
}

/// The answer of a plan's evidence about a name.
fn answer<'v>(plan: &'v mut Value, name: &str) -> &'v mut Value {
    let answers = plan["evidence"]["answers"].as_array_mut().unwrap();
    answers.iter_mut().find(|answer| answer["name"] == name).unwrap()
}
