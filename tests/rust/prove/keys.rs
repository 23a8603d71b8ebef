//! Signatures and their keys, behind aliases too.

use super::*;

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
