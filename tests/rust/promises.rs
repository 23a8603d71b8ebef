//! The prover on the corpus of plans that people wrote: the folder says what each is, and the name of an unsafe one begins with
//! the code that has to be found.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it does not expect"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sendershift::dns::{Answer, Evidence as _};
use sendershift::error::Error;
use sendershift::plan::{Plan, Remark};
use sendershift::prove::{Judged, Proof, prove};
use serde_json::{Value, json};

/// The plans of a folder with their names, sorted.
fn plans(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/corpus").join(folder);
    let paths = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut plans: Vec<(String, PathBuf)> =
        paths.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path)).collect();
    plans.sort();
    plans
}

fn proof(path: &Path) -> Result<Proof, String> {
    let plan =
        Plan::from_json(&fs::read_to_string(path).unwrap()).map_err(|invalid| format!("{invalid:#?}"))?;
    prove(&plan).map_err(|error| error.to_string())
}

/// The codes of the counterexamples, each with its promise; those of an undecided proof.
fn told(proof: &Proof) -> Vec<String> {
    let found =
        proof.promises.iter().filter_map(|promise| Some(promise.counterexample.as_ref()?.code.to_owned()));
    let mut told: Vec<String> =
        found.chain(proof.undecided.iter().map(|remark| remark.code.clone())).collect();
    told.dedup();
    told
}

#[test]
fn plans_by_hand() {
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (folder, expected) in
        [("safe", Judged::Safe), ("unsafe", Judged::Unsafe), ("undecided", Judged::Undecided)]
    {
        for (name, path) in plans(folder) {
            let code = name.split_once("--").map(|(code, _)| code);
            let kind = code.filter(|_| folder == "unsafe").unwrap_or(folder);
            *counts.entry(kind.to_owned()).or_default() += 1;
            match proof(&path) {
                Err(error) => wrong.push(format!("{name}: {error}")),
                Ok(proof) => {
                    let told = told(&proof);
                    let has_code = code.is_none_or(|code| told.iter().any(|told| told == code));
                    if proof.verdict != expected || !has_code {
                        wrong.push(format!("{name}: {:?} {told:?}", proof.verdict));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counts["safe"] >= 20 && counts.values().sum::<usize>() >= 44, "{counts:?}");
}

/// However many aliases lead to an address that is given up, somebody follows them.
#[test]
fn aliases_lead_to_what_is_given_up() {
    let path = "plans/corpus/unsafe/p4.given-up-referenced--mail-host-at-an-address-that-goes.json";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut document: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let answers = document["evidence"]["answers"].as_array_mut().unwrap();
    let hosts = answers.iter_mut().filter(|answer| answer["name"] == "mx.shop.example");
    hosts.for_each(|answer| answer["name"] = json!("h10.mx.shop.example"));
    answers.extend((0..=10).map(|n| {
        let name = if n == 0 { String::new() } else { format!("h{}.", n - 1) };
        json!({ "name": format!("{name}mx.shop.example"), "type": "CNAME", "ttl": 3600, "authoritative": true,
            "records": [format!("h{n}.mx.shop.example.")] })
    }));
    let proof = prove(&Plan::from_json(&document.to_string()).unwrap()).unwrap();
    assert_eq!(told(&proof), ["p4.given-up-referenced"]);
}

/// Where steps, streams and sources stand in the file decides nothing.
#[test]
fn the_order_in_the_file_changes_no_verdict() {
    let verdict = |document: &Value| {
        prove(&Plan::from_json(&document.to_string()).unwrap()).map(|proof| proof.verdict).unwrap()
    };
    for (name, path) in ["safe", "unsafe", "undecided"].into_iter().flat_map(plans) {
        let mut document: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let before = verdict(&document);
        for list in ["steps", "streams", "sources"] {
            document[list].as_array_mut().unwrap().reverse();
        }
        assert_eq!(verdict(&document), before, "{name}");
    }
}

/// What is safe and has to be told all the same, and that it is not told of everything.
#[test]
fn conditions() {
    const CODES: [&str; 9] = [
        "proof.given-up-elsewhere",
        "proof.helo-without-address",
        "proof.less-protected",
        "proof.mx-alias",
        "proof.never-used",
        "proof.pause",
        "proof.share-short",
        "proof.tlsa",
        "proof.wildcard",
    ];
    let told = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/corpus/safe");
        let proof = proof(&folder.join(name).with_extension("json")).unwrap();
        let codes = proof.conditions.iter().map(|condition| condition.code.as_str());
        codes.filter(|code| CODES.contains(code)).map(str::to_owned).collect::<Vec<_>>()
    };
    for (plan, code) in [
        ("addresses-given-back-that-a-sister-company-lists", "proof.given-up-elsewhere"),
        ("alignment-relaxed-under-reject", "proof.less-protected"),
        ("author-domain-retired-under-a-milder-np", "proof.less-protected"),
        ("host-removed-under-a-milder-np", "proof.less-protected"),
        ("names-below-that-nobody-has-exempted", "proof.less-protected"),
        ("new-return-path-under-a-harder-np", "proof.less-protected"),
        ("old-name-relaxed-after-its-last-message", "proof.less-protected"),
        ("organization-widened-under-reject", "proof.less-protected"),
        ("return-path-renamed", "proof.less-protected"),
        ("return-path-whose-mail-exchange-is-an-alias-today", "proof.mx-alias"),
        ("sender-that-pauses-for-a-month", "proof.pause"),
        ("started-for-one-in-a-thousand", "proof.share-short"),
        ("tlsa-record-for-a-mail-host", "proof.tlsa"),
        ("tlsa-record-behind-an-alias", "proof.tlsa"),
        ("tlsa-record-of-a-mail-host-behind-an-alias", "proof.tlsa"),
        ("tlsa-records-rolled-over", "proof.tlsa"),
        ("mail-exchange-that-may-be-a-wildcards", "proof.wildcard"),
        ("identity-that-nobody-uses-loses-its-key", "proof.never-used"),
        ("second-half-waits-for-nothing", "proof.share-short"),
        ("warm-up-in-shares", "proof.share-short"),
        ("way-back-with-a-tenth-for-a-month", "proof.share-short"),
        ("way-back-without-a-policy-below", "proof.less-protected"),
        ("way-back-without-a-sender-for-a-month", "proof.pause"),
    ] {
        assert!(told(plan).iter().any(|told| told == code), "{plan}: {:?}", told(plan));
    }
    for plan in [
        "addresses-given-back-last",
        "parked-name-refused-harder",
        "new-name-with-its-policy",
        "only-record-below-an-author-domain-exchanged-under-np",
        "own-policy-before-a-name-comes-under-np",
        "vendor-on-trial",
        "old-name-parked",
        "alias-beside-a-mail-exchange",
        "new-server-greets-when-caches-know-it",
        "tlsa-record-for-a-web-server",
        "tlsa-records-withdrawn",
    ] {
        assert!(told(plan).is_empty(), "{plan}: {:?}", told(plan));
    }
}

/// Steps that may come in any order let names off in one of them; the condition says which steps.
#[test]
fn less_protected_in_another_order() {
    let told = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/corpus/safe");
        let conditions = proof(&folder.join(name).with_extension("json")).unwrap().conditions;
        let about_lab = |of: &Remark| {
            of.subject.as_deref() == Some("lab.shop.example") && of.message.contains("in its name")
        };
        conditions.into_iter().filter(about_lab).map(|of| of.message).collect::<Vec<_>>()
    };
    let [any] = told("names-of-a-lab-exempted-when-steps-come-in-another-order").try_into().unwrap();
    assert!(any.contains("only `exempt` can be seen"), "{any}");
    assert_eq!(told("names-of-a-lab-protected-before-others-are-exempted"), Vec::<String>::new());
}

/// A plan in which every stream is there a second time, under another name.
fn doubled(mut plan: Value) -> Value {
    let again = |id: &Value| Value::from(format!("{}-again", id.as_str().unwrap()));
    let streams = plan.get_mut("streams").and_then(Value::as_array_mut).unwrap();
    let mut twins = streams.clone();
    for twin in &mut twins {
        twin["id"] = again(&twin["id"]);
    }
    streams.append(&mut twins);
    for customer in plan.get_mut("customers").and_then(Value::as_array_mut).into_iter().flatten() {
        let streams = customer.get_mut("streams").and_then(Value::as_array_mut).unwrap();
        let twins: Vec<Value> = streams.iter().map(again).collect();
        streams.extend(twins);
    }
    let steps = plan.get_mut("steps").and_then(Value::as_array_mut).unwrap().iter_mut();
    for step in steps {
        let mut undo =
            step.get_mut("undo").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
        for step in undo.iter_mut().chain([&mut *step]) {
            for key in ["starts", "stops"] {
                let Some(uses) = step.get_mut(key).and_then(Value::as_array_mut) else { continue };
                let mut twins = uses.clone();
                for twin in &mut twins {
                    twin["stream"] = again(&twin["stream"]);
                }
                uses.append(&mut twins);
            }
        }
        if !undo.is_empty() {
            step["undo"] = undo.into();
        }
    }
    plan
}

#[test]
fn a_stream_that_is_like_another_one_is_judged_like_it() {
    let mut judged_once = 0;
    for (_, path) in ["safe", "unsafe", "undecided"].into_iter().flat_map(plans) {
        let text = fs::read_to_string(&path).unwrap();
        let plan = Plan::from_json(&text).unwrap();
        if plan.customers.iter().any(|customer| customer.fallback.is_some()) {
            // Of the second stream a customer would have none.
            continue;
        }
        let once = prove(&plan);
        let plan = Plan::from_json(&doubled(serde_json::from_str(&text).unwrap()).to_string()).unwrap();
        let twice = prove(&plan);
        let (Ok(once), Ok(twice)) = (&once, &twice) else {
            assert_eq!(once.is_err(), twice.is_err(), "{}", path.display());
            continue;
        };
        let codes = |proof: &Proof| {
            let conditions = proof.conditions.iter().map(|remark| remark.code.clone());
            told(proof).into_iter().chain(conditions).collect::<BTreeSet<_>>()
        };
        assert_eq!(once.verdict, twice.verdict, "{}", path.display());
        assert_eq!(codes(once), codes(twice), "{}", path.display());
        judged_once += usize::from(once.explored.mixes_judged == twice.explored.mixes_judged);
    }
    assert!(judged_once > 50, "{judged_once}");
}

/// The plan on evidence that tells of nothing but what was asked for, and everything of that.
fn opened(mut document: Value) -> Proof {
    let closed = Plan::from_json(&document.to_string()).unwrap().evidence;
    document["evidence"]["closed"] = Value::from(false);
    loop {
        match prove(&Plan::from_json(&document.to_string()).unwrap()) {
            Ok(proof) => return proof,
            Err(Error::Missing(missing)) => {
                for question in &missing.questions {
                    let status = match closed.answer(&question.name, question.record_type) {
                        Answer::NxDomain => "nxdomain",
                        Answer::NoData => "noerror",
                        other => panic!("{question} is told: {other:?}"),
                    };
                    let answer =
                        json!({ "name": question.name, "type": question.record_type, "status": status });
                    document["evidence"]["answers"].as_array_mut().unwrap().push(answer);
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// What nobody asked for makes nothing safe, but for what is then said to be taken for granted.
#[test]
fn open_evidence_makes_no_plan_safe() {
    const TAKEN: [&str; 2] = ["assume.host", "assume.no-mta-sts"];
    let mut wrong = Vec::new();
    for (name, path) in plans("unsafe") {
        let document: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        if document["evidence"]["closed"] != true {
            continue;
        }
        let proof = opened(document);
        let is_told = proof.assumptions.iter().any(|remark| TAKEN.contains(&remark.code.as_str()));
        if proof.verdict == Judged::Safe && !is_told {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Does something to each answer and each change of a plan that is about a name.
fn at_name(value: &mut Value, name: &str, act: &mut dyn FnMut(&mut Value)) {
    if value["name"] == name && !value["type"].is_null() {
        act(value);
    }
    for item in value.as_array_mut().into_iter().flatten() {
        at_name(item, name, act);
    }
    for (_, field) in value.as_object_mut().into_iter().flatten() {
        at_name(field, name, act);
    }
}

/// P4 and P10: who changes what an alias leads to changes what is found at the alias.
#[test]
fn what_an_alias_leads_to_is_judged_as_at_its_own_name() {
    let mut judged = 0;
    for (name, path) in plans("unsafe") {
        let code = name.split("--").next().unwrap_or_default();
        if !code.starts_with("p4.") && !code.starts_with("p10.") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let plan = Plan::from_json(&text).unwrap();
        let changes = plan.steps.iter().flat_map(|step| &step.changes);
        let owners: BTreeSet<String> = changes.map(|change| change.name.to_string()).collect();
        for owner in owners {
            // A name with other records, one that is denied and a mail exchange are no aliases.
            let mut may_be_alias = !owner.starts_with('*') && !text.contains(&format!("0 {owner}.\""));
            let zone = owner.rsplitn(3, '.').take(2).collect::<Vec<_>>();
            let target = format!("a.end-of-alias.{}.{}", zone.last().unwrap(), zone.first().unwrap());
            let mut document: Value = serde_json::from_str(&text).unwrap();
            at_name(&mut document, &owner, &mut |record| {
                may_be_alias &= record["status"].is_null()
                    && !["CNAME", "SOA", "NS"].into_iter().any(|kind| record["type"] == kind);
                record["name"] = Value::from(target.as_str());
            });
            if !may_be_alias {
                continue;
            }
            let records = [format!("{target}.")];
            let alias = json!({ "name": owner, "type": "CNAME", "ttl": 3600, "authoritative": true, "records": records });
            document["evidence"]["answers"].as_array_mut().unwrap().push(alias);
            let told = told(&prove(&Plan::from_json(&document.to_string()).unwrap()).unwrap());
            assert!(told.iter().any(|told| told == code), "{name}, {owner}: {told:?}");
            judged += 1;
        }
    }
    assert!(judged > 30, "{judged}");
}
