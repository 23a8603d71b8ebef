//! Drift of which the records that are there do not tell what it does: another key, another web server, wider SPF, records that stand twice, other
//! name servers, and what today's answers say of how long anything is remembered.

use sendershift::dns::{Quality, RrSet, Snapshot};
use sendershift::error::Error;
use sendershift::plan::{Plan, Remark};
use sendershift::prove::{Judged, Proof, prove_now};
use serde_json::{Value, json};

use super::{document, now, question, safe_plan, snapshot, states, taken, with};

const KEY: &str = "s1._domainkey.shop.example";
const ANOTHER: &str = concat!(
    "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvI8R2TW/2BRuCvLVmR3aRsLOVlMGqgsc3tU92e1looisih9P7Nwrm04oE2puBU2tYuzFcaYh3YoA",
    "fF8S/2G6lFpkWnewd/iwUdCnGGVIAsrvg6aKn8BZ0LJvGPC6Aohb6lKAWaspXioHk4IoFMxWOWmQEUSfIylnVIybypsgZg+KgEQU2Kb43uSHsDj/lIs/LfW92Jz8wB3EqGEayOl3NMtn",
    "uXoIKI9tIQgUyRLnMsPRpiqPspDPIgToUEF+vm2gkjjsfli3/Ncv1m+LZZLW0PW69kXmm2HqcGT0hZJKs0CdmbVZYXmElUI8oYRTR9IL3JUxRxBF9m8aPFBkDp/JLQIDAQAB"
);

fn plan() -> &'static Plan {
    safe_plan("policy-for-both-hosts-then-max-age-then-the-mx")
}

fn codes(remarks: &[Remark]) -> Vec<&str> {
    remarks.iter().map(|remark| remark.code.as_str()).collect()
}

fn key() -> String {
    let own = serde_json::to_value(&plan().evidence).unwrap();
    let of = |answer: &&Value| answer["name"] == KEY;
    let record = own["answers"].as_array().unwrap().iter().find(of).unwrap()["records"][0].clone();
    record.as_str().unwrap().to_owned()
}

/// A plan with other answers besides in its evidence.
fn and(plan: &Plan, answers: &[(&str, &str, &str)]) -> Plan {
    let mut document = serde_json::to_value(plan).unwrap();
    let listed = document["evidence"]["answers"].as_array_mut().unwrap();
    listed.retain(|answer: &Value| answers.iter().all(|(name, ..)| answer["name"] != *name));
    for (name, record_type, record) in answers {
        listed.push(json!({ "name": name, "type": record_type, "ttl": 3600, "authoritative": true, "records": [record] }));
    }
    Plan::from_json(&document.to_string()).unwrap()
}

/// The signer has the private half of the key that was there (RFC 6376 section 6.1.3).
#[test]
fn an_exchanged_key_verifies_nothing() {
    let proof = now(plan(), &with(plan(), KEY, "TXT", &[ANOTHER]));
    assert_eq!((proof.verdict, codes(&proof.undecided)), (Judged::Undecided, vec!["proof.key-exchanged"]));
    let message = &proof.undecided[0].message;
    assert!(message.contains("selector s1 of shop.example") && message.contains("14 d"), "{message}");
}

/// The same key in other words is no other one (RFC 6376 section 3.2).
#[test]
fn a_key_that_is_written_otherwise_is_the_same() {
    let record = key().replace("k=rsa; p=MII", "p= M II").replace("v=DKIM1; ", "v=DKIM1;n=same;");
    let proof = now(plan(), &with(plan(), KEY, "TXT", &[&record]));
    assert_eq!((proof.verdict, codes(&proof.undecided)), (Judged::Safe, vec![]));
    assert!(!proof.progress.unwrap().drift.is_empty());
}

/// Behind an alias a key is another one, too, and where the alias is what others changed.
#[test]
fn an_exchanged_key_behind_an_alias_verifies_nothing() {
    let plan = and(
        plan(),
        &[
            (KEY, "CNAME", "s1.esp.example."),
            ("s1.esp.example", "TXT", &key()),
            ("s2.esp.example", "TXT", ANOTHER),
        ],
    );
    let key = with(&plan, "s1.esp.example", "TXT", &[ANOTHER]);
    let alias = with(&plan, KEY, "CNAME", &["s2.esp.example."]);
    for drifted in [key, alias] {
        let proof = now(&plan, &drifted);
        assert_eq!(
            (proof.verdict, codes(&proof.undecided)),
            (Judged::Undecided, vec!["proof.key-exchanged"])
        );
    }
}

/// A signature that aligns with nothing may fail: DMARC does not count it.
#[test]
fn an_exchanged_key_of_somebody_else_is_none_of_the_plan() {
    let mut document = serde_json::to_value(plan()).unwrap();
    let dkim = document["streams"][0]["identities"][0]["dkim"].as_array_mut().unwrap();
    dkim.push(json!({ "domain": "esp.example", "selector": "e1" }));
    let plan = Plan::from_json(&document.to_string()).unwrap();
    let plan = and(&plan, &[("e1._domainkey.esp.example", "TXT", &key())]);
    let proof = now(&plan, &with(&plan, "e1._domainkey.esp.example", "TXT", &[ANOTHER]));
    assert_eq!((proof.verdict, codes(&proof.undecided)), (Judged::Safe, vec![]));
}

/// What another web server serves is not known (RFC 8461 section 3.3); at other addresses it may be the same one.
#[test]
fn another_web_server_may_serve_another_policy() {
    let server = "mta-sts.shop.example";
    let plan = and(
        plan(),
        &[
            (server, "CNAME", "policy.old.example."),
            ("policy.old.example", "A", "192.0.2.80"),
            ("policy.filter.example", "A", "198.51.100.80"),
        ],
    );
    let said = |now_is: &Snapshot| {
        let proof = now(&plan, now_is);
        let told = |remarks: &[Remark]| codes(remarks).contains(&"proof.mta-sts");
        (proof.verdict, told(&proof.undecided), told(&proof.conditions))
    };
    let moved = with(&plan, server, "CNAME", &["policy.filter.example."]);
    assert_eq!(said(&moved), (Judged::Undecided, true, false));
    let addressed = with(&plan, "policy.old.example", "A", &["192.0.2.81"]);
    assert_eq!(said(&addressed), (Judged::Safe, false, true));
    let elsewhere = with(&plan, "policy.filter.example", "A", &["192.0.2.81"]);
    assert_eq!(said(&elsewhere), (Judged::Safe, false, false));
}

/// Whoever passes SPF for the name in From passes DMARC.
#[test]
fn wider_spf_is_a_condition() {
    let said = |record: &str| {
        let proof = now(plan(), &with(plan(), "shop.example", "TXT", &[record]));
        let wider = proof.conditions.into_iter().find(|remark| remark.code == "proof.wider-now");
        (proof.verdict, wider.map(|remark| remark.message))
    };
    let (verdict, wider) = said("v=spf1 +all");
    assert_eq!(verdict, Judged::Safe);
    assert!(wider.unwrap().contains("let ~2^128 more addresses pass SPF"));
    let (_, wider) = said("v=spf1 ip4:192.0.2.64/28 ip4:198.51.100.0/28 -all");
    assert!(wider.unwrap().contains("let 16 more addresses pass SPF"));
    // The same in other words.
    let (verdict, wider) = said("v=spf1 ip4:192.0.2.64/29 ip4:192.0.2.72/29 -all");
    assert_eq!((verdict, wider), (Judged::Safe, None));
}

/// A plan, with its document changed.
fn changed(plan: &Plan, change: impl Fn(&mut Value)) -> Plan {
    let mut document = serde_json::to_value(plan).unwrap();
    change(&mut document);
    Plan::from_json(&document.to_string()).unwrap()
}

/// The answers of a plan's evidence, changed.
fn answers(plan: &Plan, change: impl Fn(&mut Vec<Value>)) -> Snapshot {
    let mut document = serde_json::to_value(&plan.evidence).unwrap();
    change(document["answers"].as_array_mut().unwrap());
    Snapshot::from_json(&document.to_string()).unwrap()
}

fn answer<'a>(answers: &'a mut [Value], name: &str, record_type: &str) -> &'a mut Value {
    let is_it = |answer: &&mut Value| answer["name"] == name && answer["type"] == record_type;
    answers.iter_mut().find(is_it).unwrap()
}

fn undecided(proof: &Proof, code: &str) -> bool {
    proof.verdict != Judged::Safe && codes(&proof.undecided).contains(&code)
}

/// One text in other strings is another record (RFC 2181 section 5): two SPF records are an error (RFC 7208 section 4.5).
#[test]
fn a_record_that_stands_twice_is_two() {
    let spf = "v=spf1 ip4:192.0.2.64/28 -all";
    for twice in [json!([spf, ["v=spf1 ip4:192.0.2.64/28", " -all"]]), json!([spf, spf])] {
        let twice = answers(plan(), |all| answer(all, "shop.example", "TXT")["records"] = twice.clone());
        assert!(undecided(&now(plan(), &twice), "proof.unauthenticated-now"));
    }
    let split = answers(plan(), |all| {
        answer(all, "shop.example", "TXT")["records"] = json!([["v=spf1 ip4:192.0.2.64/28", " -all"]]);
    });
    assert_eq!(now(plan(), &split).verdict, Judged::Safe);
    // Of records that the plan changes, none of its states has two.
    for id in ["1", "2"] {
        let record = format!("v=STSv1; id={id}");
        let twice = answers(plan(), |all| {
            answer(all, "_mta-sts.shop.example", "TXT")["records"] = json!([record, ["v=STSv1; id=", id]]);
        });
        assert!(undecided(&now(plan(), &twice), "proof.state-unknown"), "{id}");
    }
}

/// That the record is gone ends no policy that senders hold (RFC 8461 section 5.1), and of this one nothing is known.
#[test]
fn a_policy_that_others_withdrew_is_still_held() {
    let plan = safe_plan("second-host-that-no-policy-allows");
    let untold = changed(plan, |document| {
        document.as_object_mut().unwrap().remove("mta_sts");
    });
    let withdrawn = answers(&untold, |all| all.retain(|answer| answer["name"] != "_mta-sts.shop.example"));
    assert!(undecided(&now(&untold, &withdrawn), "proof.mta-sts"));
    // Others did both.
    let still = changed(&untold, |document| document["steps"] = json!([]));
    assert_eq!(now(&still, &withdrawn).verdict, Judged::Safe);
    let both = answers(&untold, |all| {
        all.retain(|answer| answer["name"] != "_mta-sts.shop.example");
        answer(all, "shop.example", "MX")["records"] = json!(["10 in.filter.example."]);
    });
    assert!(undecided(&now(&still, &both), "proof.mta-sts"));
}

/// At a provider the record of policies is behind an alias (RFC 8461 section 8.2), and so may be mail hosts.
#[test]
fn another_policy_or_mail_host_behind_an_alias_is_another() {
    let plan = safe_plan("second-host-that-no-policy-allows");
    let record = "_mta-sts.shop.example";
    let hosted = and(
        plan,
        &[(record, "CNAME", "_mta-sts.host.example."), ("_mta-sts.host.example", "TXT", "v=STSv1; id=1")],
    );
    let same = with(&hosted, "_mta-sts.host.example", "TXT", &["v=STSv1;id=1;"]);
    assert_eq!(now(&hosted, &same).verdict, Judged::Safe);
    let another = with(&hosted, "_mta-sts.host.example", "TXT", &["v=STSv1; id=2"]);
    assert!(undecided(&now(&hosted, &another), "proof.mta-sts"));

    let bounces = changed(plan, |document| {
        document["streams"][0]["identities"][0]["mail_from"] = json!("em.shop.example");
    });
    let bounces = and(
        &bounces,
        &[
            ("em.shop.example", "CNAME", "u1.esp.example."),
            ("u1.esp.example", "MX", "10 mx.esp.example."),
            ("mx.esp.example", "A", "198.51.100.40"),
            ("mx2.esp.example", "A", "198.51.100.41"),
            ("_mta-sts.em.shop.example", "TXT", "v=STSv1; id=1"),
        ],
    );
    let moved = with(&bounces, "u1.esp.example", "MX", &["10 mx2.esp.example."]);
    assert!(!undecided(&now(&bounces, &bounces.evidence), "proof.mta-sts"));
    assert!(undecided(&now(&bounces, &moved), "proof.mta-sts"));
}

/// Mail that passed by SPF fails where the name no longer aligns, also in a stream that is only judged from later on.
#[test]
fn alignment_that_others_took_away_is_missed() {
    let plan = changed(plan(), |document| {
        document["streams"][0]["identities"][0]["mail_from"] = json!("bounce.shop.example");
    });
    let bounce = "bounce.shop.example";
    let mut plan = and(&plan, &[(bounce, "TXT", "v=spf1 ip4:192.0.2.64/28 -all")]);
    let strict = "v=DMARC1; p=reject; aspf=s; rua=mailto:dmarc@shop.example";
    let proof = now(&plan, &with(&plan, "_dmarc.shop.example", "TXT", &[strict]));
    assert!(undecided(&proof, "proof.unauthenticated-now"));
    let message = "bounce.shop.example in MAIL FROM does not align";
    assert!(proof.undecided.iter().any(|remark| remark.message.contains(message)), "{:?}", proof.undecided);
    // What never passed does not fail now.
    plan = and(&plan, &[(bounce, "TXT", "v=spf1 -all")]);
    let proof = now(&plan, &with(&plan, "_dmarc.shop.example", "TXT", &[strict]));
    assert!(!codes(&proof.undecided).contains(&"proof.unauthenticated-now"));
}

/// The old servers have nothing of what the plan publishes since, and how long they are asked is in the zone above, too.
#[test]
fn other_name_servers_are_no_matter_of_a_ttl() {
    let listed = |hosts: &[&str]| json!({ "name": "shop.example", "type": "NS", "ttl": 86400, "authoritative": true, "records": hosts });
    let served = changed(plan(), |document| {
        document["evidence"]["answers"].as_array_mut().unwrap().push(listed(&["ns1.shop.example."]));
    });
    let by = |plan: &Plan, hosts: &[&str]| {
        let proof = now(
            plan,
            &answers(plan, |all| {
                all.retain(|answer| answer["type"] != "NS");
                all.push(listed(hosts));
            }),
        );
        let settles = proof.conditions.iter().find(|remark| remark.code == "proof.drift-settles");
        let settles = settles.map(|remark| remark.message.clone()).unwrap_or_default();
        (undecided(&proof, "proof.delegation-changes"), settles)
    };
    let (moved, settles) = by(&served, &["ns1.dns.test."]);
    assert!(moved && settles.contains("from 1 d 3 h after"), "{settles}");
    assert!(!by(&served, &["ns1.shop.example.", "ns1.dns.test."]).0);
    // That nobody asked for them when the plan was made does not make them new.
    let (moved, settles) = by(plan(), &["ns1.dns.test."]);
    assert!(!moved && settles.contains("from 1 d 3 h after"), "{settles}");
}

/// A provider that makes TTLs longer than they were asked for makes no undo wrong.
#[test]
fn a_longer_ttl_is_what_an_undo_finds() {
    let mut looks = 0;
    for name in ["undo-of-every-step", "undo-of-a-policy-tightened-last"] {
        let plan = safe_plan(name);
        for (done, mut state) in states(plan) {
            let Some(step) = done.last().map(|step| &plan.steps[*step]) else { continue };
            for change in &step.changes {
                let rrset = state.get_mut(&question(change)).unwrap();
                *rrset = rrset
                    .take()
                    .map(|rrset| RrSet::new(rrset.records().clone(), Some(86_400), Quality::Authoritative));
                looks += usize::from(rrset.is_some());
            }
            let proof = now(plan, &snapshot(plan, &state, taken(plan)));
            let told = codes(&proof.undecided);
            assert!(!told.contains(&"plan.ttl-differs"), "{name} after {}: {:#?}", step.id, proof.undecided);
        }
    }
    assert!(looks > 3, "{looks}");
}

/// After the first two steps: the key is there, and the plan counts on 1,800 s for which its absence may be remembered.
fn with_key(change: impl Fn(&mut Vec<Value>)) -> Proof {
    let plan = safe_plan("safe-make-before-break");
    let (_, state) = &states(plan)[2];
    let mut document = document(plan, state, None);
    change(document["answers"].as_array_mut().unwrap());
    now(plan, &Snapshot::from_json(&document.to_string()).unwrap())
}

/// Two records of one key verify nothing (RFC 6376 section 3.6.2.2): the step is not to be done again.
#[test]
fn a_key_in_other_words_is_not_published_once_more() {
    let proof = with_key(|all| {
        let records = &mut answer(all, "s2._domainkey.shop.example", "TXT")["records"];
        *records = json!([records[0].as_str().unwrap().replace("; ", ";")]);
    });
    assert!(undecided(&proof, "proof.state-unknown"), "{:?}", proof.undecided);
    assert!(proof.progress.unwrap().next.is_empty());
}

/// How long absence is remembered may have become longer since, though only a cache says so (RFC 2308 section 5).
#[test]
fn a_negative_ttl_that_was_raised_counts() {
    let soa = |minimum: &str, ttl: u32, authoritative: bool| {
        with_key(|all| {
            let soa = answer(all, "shop.example", "SOA");
            soa["records"] =
                json!([format!("ns1.shop.example. hostmaster.shop.example. 8 7200 900 1209600 {minimum}")]);
            (soa["ttl"], soa["authoritative"]) = (json!(ttl), json!(authoritative));
        })
        .verdict
    };
    assert_eq!(soa("1800", 3600, true), Judged::Safe);
    assert_ne!(soa("86400", 86400, true), Judged::Safe);
    assert_ne!(soa("86400", 50_000, false), Judged::Safe);
    assert_ne!(soa("86400", 60, false), Judged::Safe);
    // What a cache says that fits is nothing new.
    assert_eq!(soa("1800", 60, false), Judged::Safe);
    assert_eq!(soa("1800", 1_700, false), Judged::Safe);
    let delegated = with_key(|all| {
        all.push(json!({ "name": "_domainkey.shop.example", "type": "NS", "ttl": 3600, "records": ["ns1.dns.test."] }));
    });
    assert_ne!(delegated.verdict, Judged::Safe);
}

/// What was not known when the plan was made is not known by what a server says today.
#[test]
fn a_ttl_of_today_makes_none_of_then_shorter() {
    let plan = safe_plan("safe-make-before-break");
    let says = |of: &mut Value, ttl: Option<u32>, authoritative: bool| {
        let table = of.as_object_mut().unwrap();
        table.remove("ttl");
        table.extend(ttl.map(|ttl| ("ttl".to_owned(), json!(ttl))));
        table.insert("authoritative".to_owned(), json!(authoritative));
    };
    for ttl in [None, Some(50)] {
        let plan = changed(plan, |document| {
            let all = document["evidence"]["answers"].as_array_mut().unwrap();
            says(answer(all, "shop.example", "TXT"), ttl, false);
        });
        let today = answers(&plan, |all| says(answer(all, "shop.example", "TXT"), Some(60), true));
        assert_ne!(now(&plan, &plan.evidence).verdict, Judged::Safe, "{ttl:?}");
        assert_ne!(now(&plan, &today).verdict, Judged::Safe, "{ttl:?}");
    }
}

/// What a closed document says is not there has to be asked for where today's is open.
#[test]
fn what_was_known_to_be_absent_is_asked_again() {
    let plan = safe_plan("second-host-that-no-policy-allows");
    let mut document = serde_json::to_value(&plan.evidence).unwrap();
    document["closed"] = json!(false);
    let open = Snapshot::from_json(&document.to_string()).unwrap();
    let Err(Error::Missing(missing)) = prove_now(plan, &open, &mut |_| true) else {
        panic!("nothing is asked")
    };
    let asked: Vec<String> = missing.questions.iter().map(ToString::to_string).collect();
    assert!(asked.contains(&"in.filter.example AAAA".to_owned()), "{asked:?}");
}
