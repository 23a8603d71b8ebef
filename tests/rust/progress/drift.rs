//! Drift of which the records that are there do not tell what it does: another key, another web server, wider SPF.

use sendershift::dns::Snapshot;
use sendershift::plan::{Plan, Remark};
use sendershift::prove::Judged;
use serde_json::{Value, json};

use super::{now, safe_plan, with};

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
