//! Plans under way: after each step of each safe plan, DNS as it is then is recognised, and what is left is safe.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at what it does not expect"
)]

mod course;
mod drift;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use course::{State, carry_out, document, order, question, safe_plans, snapshot, start};
use proptest::prelude::*;
use sendershift::dns::{Question, RecordType, RrSet, Snapshot};
use sendershift::error::Error;
use sendershift::plan::{Change, Plan, StepKind};
use sendershift::prove::{Judged, Proof, prove, prove_now};
use serde_json::{Value, json};

/// Later than any step of any plan: two decades are enough.
const LATER: &str = "2050-01-01T00:00:00Z";

static PLANS: LazyLock<Vec<(String, Plan)>> = LazyLock::new(safe_plans);

fn now(plan: &Plan, now: &Snapshot) -> Proof {
    prove_now(plan, now, &mut |_| true).unwrap_or_else(|error| panic!("{}: {error:#?}", plan.title))
}

/// When the answers were given: what comes on its date has to be seen by then.
fn taken(plan: &Plan) -> Option<&'static str> {
    let on_a_date = plan.steps.iter().any(|step| step.kind == StepKind::External);
    (!on_a_date).then_some(LATER)
}

/// Each state of the servers in the order of the steps, with the steps that are done then.
fn states(plan: &Plan) -> Vec<(Vec<usize>, State)> {
    let mut state = start(plan);
    let mut states = vec![(Vec::new(), state.clone())];
    let mut done = Vec::new();
    for step in order(plan) {
        for change in &plan.steps[step].changes {
            assert!(carry_out(&mut state, change), "{}: {}", plan.title, plan.steps[step].id);
        }
        done.push(step);
        states.push((done.clone(), state.clone()));
    }
    states
}

/// An RRset in a state: its records, and its TTL.
type Shown = (Vec<String>, Option<u32>);

/// The records and the TTL of each RRset in each state, in the order of the steps that change it.
fn lines(plan: &Plan) -> BTreeMap<Question, Vec<Shown>> {
    let of = |rrset: &Option<RrSet>| {
        let mut texts = rrset.as_ref().map(|rrset| rrset.records().to_texts()).unwrap_or_default();
        texts.sort();
        (texts, rrset.as_ref().and_then(RrSet::ttl))
    };
    let mut lines: BTreeMap<Question, Vec<_>> =
        start(plan).iter().map(|(question, rrset)| (question.clone(), vec![of(rrset)])).collect();
    for (done, state) in states(plan).iter().skip(1) {
        for change in &plan.steps[*done.last().unwrap()].changes {
            lines.get_mut(&question(change)).unwrap().push(of(&state[&question(change)]));
        }
    }
    lines
}

/// Whether an RRset is in a state that it is in at another time, too.
fn is_again(line: &[Shown], rrset: Option<&RrSet>) -> bool {
    let mut texts = rrset.map(|rrset| rrset.records().to_texts()).unwrap_or_default();
    texts.sort();
    line.iter().filter(|(other, _)| *other == texts).count() > 1
}

/// Whether an RRset of a step is in a state, after it, that it is in at another time, too.
fn recurs(plan: &Plan, step: usize, state: &State) -> bool {
    let lines = lines(plan);
    let mut questions = plan.steps[step].changes.iter().map(question);
    questions.any(|question| is_again(&lines[&question], state[&question].as_ref()))
}

#[test]
fn each_state_on_the_way_is_recognised() {
    let (mut looks, mut hidden, mut seen) = (0, 0, 0);
    for (name, plan) in PLANS.iter() {
        for (done, state) in states(plan) {
            let proof = now(plan, &snapshot(plan, &state, taken(plan)));
            let at = || format!("{name} after {:?}", done.last().map(|step| &plan.steps[*step].id));
            assert_eq!(proof.verdict, Judged::Safe, "{}: {:#?} {:#?}", at(), proof.undecided, proof.promises);
            let progress = proof.progress.unwrap();
            assert!(progress.drift.is_empty(), "{}: {progress:#?}", at());
            for id in &progress.begun {
                // Done, though one of its records is as it was before, again.
                let step = plan.steps.iter().position(|step| step.id == *id).unwrap();
                assert!(done.contains(&step) && recurs(plan, step, &state), "{}: {progress:#?}", at());
            }
            for (step, of) in plan.steps.iter().enumerate().filter(|(_, step)| !step.changes.is_empty()) {
                let shown = progress.done.contains(&of.id);
                if shown {
                    assert!(done.contains(&step), "{}: {} is not done", at(), of.id);
                    seen += 1;
                } else if done.contains(&step) {
                    assert!(recurs(plan, step, &state), "{}: {} is done", at(), of.id);
                    hidden += 1;
                } else if plan
                    .steps
                    .iter()
                    .all(|other| progress.done.contains(&other.id) || other.id == of.id)
                {
                    assert!(progress.next.contains(&of.id), "{}: {} comes next", at(), of.id);
                }
            }
            for id in &progress.implied {
                let step = plan.steps.iter().position(|step| step.id == *id).unwrap();
                let by_date = plan.steps[step].kind == StepKind::External;
                assert!(done.contains(&step) || by_date, "{}: {id} is not done", at());
            }
            looks += 1;
        }
    }
    assert!(looks > 300 && seen > 500 && hidden * 20 < seen, "{looks} looks, {seen} seen, {hidden} hidden");
}

/// The records of one step are seen one after the other.
#[test]
fn a_step_that_is_seen_in_part_has_begun() {
    let mut looks = 0;
    for (name, plan) in PLANS.iter() {
        for window in states(plan).windows(2) {
            let [(_, before), (done, _)] = window else { panic!("two") };
            let step = &plan.steps[*done.last().unwrap()];
            // An alias and other records at its name are exchanged at once: nobody sees both.
            let is_exchanged = |change: &&Change| {
                let mut at_name = step.changes.iter().filter(|other| other.name == change.name);
                at_name.clone().any(|other| other.record_type == RecordType::Cname)
                    && at_name.any(|other| other.record_type != RecordType::Cname)
            };
            let alone = step.changes.iter().filter(|change| !is_exchanged(change));
            for change in alone.filter(|_| step.changes.len() > 1) {
                let mut state = before.clone();
                assert!(carry_out(&mut state, change), "{name}: {}", step.id);
                let proof = now(plan, &snapshot(plan, &state, taken(plan)));
                assert_eq!(proof.verdict, Judged::Safe, "{name}: {}: {:#?}", step.id, proof.undecided);
                if is_again(&lines(plan)[&question(change)], state[&question(change)].as_ref()) {
                    // It was so before, or will be again.
                    continue;
                }
                let progress = proof.progress.unwrap();
                assert_eq!(progress.begun, std::slice::from_ref(&step.id), "{name}: {progress:#?}");
                looks += 1;
            }
        }
    }
    assert!(looks > 20, "{looks}");
}

/// The plan's own evidence, given once more, says nothing new.
#[test]
fn the_same_evidence_gives_the_same_proof() {
    for (name, plan) in PLANS.iter() {
        let (then, now) = (prove(plan).unwrap(), now(plan, &plan.evidence));
        let told = |proof: &Proof| {
            let mut document = serde_json::to_value(proof).unwrap();
            let table = document.as_object_mut().unwrap();
            table.remove("progress");
            let only_now = ["proof.cached-answer", "proof.evidence-undated"];
            let conditions = table["conditions"].as_array_mut().unwrap();
            conditions.retain(|condition| !only_now.contains(&condition["code"].as_str().unwrap()));
            document
        };
        assert_eq!(told(&then), told(&now), "{name}");
    }
}

/// A step is done while one that it waits for is not.
#[test]
fn out_of_order_is_never_safe() {
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for (name, plan) in PLANS.iter() {
        let order = order(plan);
        for (at, left_out) in order.iter().enumerate() {
            let mut state = start(plan);
            let mut late = BTreeSet::from([plan.steps[*left_out].id.as_str()]);
            let mut is_out_of_order = false;
            for step in
                order.iter().map(|step| &plan.steps[*step]).filter(|step| step.id != plan.steps[*left_out].id)
            {
                let waits = step.kind != StepKind::External
                    && step.after.iter().any(|after| late.contains(after.step.as_str()));
                if waits {
                    late.insert(&step.id);
                }
                let mut after = state.clone();
                if step.changes.iter().all(|change| carry_out(&mut after, change)) {
                    is_out_of_order |= waits && after != state;
                    state = after;
                }
            }
            let step = &plan.steps[*left_out];
            let is_told = step.kind != StepKind::External && !step.changes.is_empty();
            if !(is_told && is_out_of_order) || recurs(plan, *left_out, &states(plan)[at].1) {
                continue;
            }
            let proof = match prove_now(plan, &snapshot(plan, &state, taken(plan)), &mut |_| true) {
                Ok(proof) => proof,
                // A wildcard may answer for what is gone: only whoever asks knows.
                Err(Error::Missing(_)) => continue,
                Err(error) => panic!("{name} without {}: {error:#?}", step.id),
            };
            assert_ne!(proof.verdict, Judged::Safe, "{name} without {}: {:#?}", step.id, proof.progress);
            for remark in &proof.undecided {
                *codes.entry(remark.code.clone()).or_default() += 1;
            }
        }
    }
    assert!(codes["proof.out-of-order"] > 20, "{codes:?}");
}

/// A record that the plan names is there in no state of the plan.
#[test]
fn what_is_in_no_state_is_never_safe() {
    let mut looks = 0;
    for (name, plan) in PLANS.iter() {
        for (question, line) in lines(plan) {
            // All records that are ever there, at once.
            let all: BTreeSet<&String> = line.iter().flat_map(|(texts, _)| texts).collect();
            let one_record = [RecordType::Cname, RecordType::Soa].contains(&question.record_type);
            if one_record || line.iter().any(|(texts, _)| texts.iter().collect::<BTreeSet<_>>() == all) {
                continue;
            }
            let mut evidence = document(plan, &start(plan), None);
            let answers = evidence["answers"].as_array_mut().unwrap();
            answers
                .retain(|answer| answer["name"] != question.name.as_str() || answer["status"] == "nxdomain");
            let kind = question.record_type.to_string();
            answers.push(json!({ "name": question.name, "type": kind, "ttl": 60, "records": all }));
            let Ok(now) = Snapshot::from_json(&evidence.to_string()) else { continue };
            let Ok(proof) = prove_now(plan, &now, &mut |_| true) else { continue };
            let told: Vec<&str> = proof.undecided.iter().map(|remark| remark.code.as_str()).collect();
            // What else was at the name is gone: that may be a loss in itself.
            assert_ne!(proof.verdict, Judged::Safe, "{name}: {question}");
            assert!(told.contains(&"proof.state-unknown"), "{name}: {question} {told:?}");
            looks += 1;
        }
    }
    assert!(looks > 20, "{looks}");
}

/// What others may do meanwhile: a string more at a name, other terms in a record that is not the plan's.
#[derive(Clone, Debug)]
enum Drift {
    String(prop::sample::Index),
    Record(prop::sample::Index, &'static str),
}

fn drift() -> impl Strategy<Value = Drift> {
    let record = prop_oneof![
        Just("-all"),
        Just("~all"),
        Just("+all"),
        Just("a mx a:one.invalid a:two.invalid -all"),
        Just("include:one.invalid include:two.invalid include:three.invalid ?all"),
        Just("exists:%{i}.list.invalid -all"),
    ];
    let index = any::<prop::sample::Index>;
    prop_oneof![
        index().prop_map(Drift::String),
        (index(), record).prop_map(|(at, record)| Drift::Record(at, record))
    ]
}

impl Drift {
    /// Lets it happen to answers; the name that it happened to, if there is one.
    fn happen(&self, plan: &Plan, answers: &mut [Value]) -> Option<String> {
        let changes: Vec<Question> = start(plan).into_keys().collect();
        let is_there = |at: &Value, question: &Question| {
            at["name"] == question.name.as_str() && at["type"] == question.record_type.to_string().as_str()
        };
        let changes = |answer: &Value| changes.iter().any(|question| is_there(answer, question));
        let there = start(plan);
        let was_there =
            |answer: &Value| there.iter().any(|(question, set)| set.is_some() && is_there(answer, question));
        let has = |answer: &Value, begin: &str| {
            let records = answer["records"].as_array().into_iter().flatten();
            records.clone().any(|record| record.as_str().is_some_and(|text| text.starts_with(begin)))
        };
        let may_change = |answer: &&mut Value| match self {
            Self::String(_) => answer["type"] == "TXT" && was_there(answer) && has(answer, ""),
            Self::Record(..) => !changes(answer) && has(answer, "v=spf1"),
        };
        let mut open: Vec<&mut Value> = answers.iter_mut().filter(may_change).collect();
        // The same ones, wherever they stand.
        open.sort_by_key(|answer| answer["name"].to_string());
        let (Self::String(at) | Self::Record(at, _)) = self;
        let at = (!open.is_empty()).then(|| at.index(open.len()))?;
        match self {
            Self::String(_) => {
                open[at]["records"].as_array_mut().unwrap().push(json!("drift=0123456789"));
            }
            Self::Record(_, terms) => {
                let records = open[at]["records"].as_array_mut().unwrap();
                let spf = records
                    .iter_mut()
                    .find(|record| record.as_str().is_some_and(|text| text.starts_with("v=spf1")));
                *spf.unwrap() = json!(format!("v=spf1 ip4:198.18.0.0/15 {terms}"));
            }
        }
        Some(open[at]["name"].to_string())
    }
}

/// What a proof says of each promise, and why nothing where it does not.
fn judged(proof: &Proof) -> (Vec<(&'static str, &'static str, Judged)>, BTreeSet<String>) {
    let promises = proof.promises.iter();
    let verdicts = promises.map(|promise| (promise.promise, promise.receiver, promise.verdict)).collect();
    (verdicts, proof.undecided.iter().map(|remark| remark.code.clone()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The verdict beside drift is that on a plan with the drift in its own evidence, however far it has come.
    #[test]
    fn drift_is_judged_as_if_it_had_been_there(
        plan in any::<prop::sample::Index>(), state in any::<prop::sample::Index>(), drift in drift()
    ) {
        let (name, plan) = &PLANS[plan.index(PLANS.len())];
        let states = states(plan);
        let (done, state) = &states[state.index(states.len())];
        let mut evidence = document(plan, &start(plan), None);
        let mut now = document(plan, state, taken(plan));
        let with = |document: &mut Value| drift.happen(plan, document["answers"].as_array_mut().unwrap());
        // What it happens to may be gone.
        let happened = (with(&mut evidence), with(&mut now));
        prop_assume!(happened.0.is_some() && happened.0 == happened.1);
        if let Some(taken) = plan.evidence.taken() {
            evidence["taken"] = json!(taken.to_string());
        }
        let mut by_hand = serde_json::to_value(plan).unwrap();
        by_hand["evidence"] = evidence;
        let by_hand = Plan::from_json(&by_hand.to_string()).unwrap();
        let now = Snapshot::from_json(&now.to_string()).unwrap();
        let at = format!("{name} after {done:?} with {drift:?}");
        match (prove(&by_hand), prove_now(plan, &now, &mut |_| true)) {
            (Ok(by_hand), Ok(now)) => {
                let progress = now.progress.as_ref().unwrap();
                prop_assert!(!progress.drift.is_empty(), "{}", at);
                let (mut judged_now, by_hand) = (judged(&now), judged(&by_hand));
                // What passed by the plan's own evidence and fails now is told as such: in the other proof nothing passed.
                if judged_now.1.remove("proof.unauthenticated-now") {
                    prop_assert_ne!(now.verdict, Judged::Safe, "{}", at);
                    let safe = |of: &(_, _, Judged)| (of.0, of.1, of.2.max(Judged::Undecided));
                    judged_now.0 = judged_now.0.iter().map(safe).collect();
                    let by_hand = (by_hand.0.iter().map(safe).collect(), by_hand.1);
                    prop_assert_eq!(by_hand, judged_now, "{}: {:#?}", at, progress);
                } else {
                    prop_assert_eq!(by_hand, judged_now, "{}: {:#?}", at, progress);
                }
            }
            (Err(by_hand), Err(now)) => prop_assert_eq!(by_hand, now, "{}", at),
            (by_hand, now) => prop_assert!(false, "{}: {:?} {:?}", at, by_hand.err(), now.err()),
        }
    }
}

/// The evidence of a plan, with the records of one RRset exchanged.
fn with(plan: &Plan, name: &str, record_type: &str, records: &[&str]) -> Snapshot {
    let mut document: Value = serde_json::to_value(&plan.evidence).unwrap();
    let of = |answer: &&mut Value| answer["name"] == name && answer["type"] == record_type;
    document["answers"].as_array_mut().unwrap().iter_mut().find(of).unwrap()["records"] = json!(records);
    Snapshot::from_json(&document.to_string()).unwrap()
}

fn safe_plan(name: &str) -> &'static Plan {
    &PLANS.iter().find(|(of, _)| of == name).unwrap().1
}

/// Which policy a new `id` announces, the plan does not know (RFC 8461 section 3.1).
#[test]
fn another_id_of_mta_sts_is_another_policy() {
    let plan = safe_plan("mx-moves-under-a-policy-in-testing");
    let domain = plan.mta_sts[0].domain.as_str();
    let proof = now(plan, &with(plan, &format!("_mta-sts.{domain}"), "TXT", &["v=STSv1; id=somebody1"]));
    assert_eq!(proof.verdict, Judged::Undecided);
    assert!(proof.undecided.iter().any(|remark| remark.code == "proof.mta-sts"), "{:?}", proof.undecided);
}

/// That nothing comes back is a condition where nothing ever did, and not where it did until somebody changed that.
#[test]
fn mail_hosts_that_others_took_away_are_missed() {
    let plan = safe_plan("undo-of-every-step");
    let domain = plan.streams[0].identities[0].author_domain.as_str();
    let proof = now(plan, &with(plan, domain, "MX", &["0 ."]));
    assert_eq!(proof.verdict, Judged::Undecided);
    let told: Vec<&str> = proof.undecided.iter().map(|remark| remark.code.as_str()).collect();
    assert_eq!(told, ["proof.unreachable-now"], "{:?}", proof.undecided);
}

/// What passed when the plan was made and does not since is no matter of "today": SPF that others took away, a permerror, a key.
#[test]
fn what_drift_takes_from_declared_mail_is_missed() {
    let plan = safe_plan("key-of-a-name-that-is-given-up");
    let told = |name: &str, records: &[&str]| {
        let proof = now(plan, &with(plan, name, "TXT", records));
        let codes = |remarks: &[sendershift::plan::Remark]| -> Vec<String> {
            remarks.iter().map(|remark| remark.code.clone()).collect()
        };
        (proof.verdict, codes(&proof.undecided), codes(&proof.conditions))
    };
    let unauthenticated = |code: &String| code == "proof.unauthenticated-now";
    for (name, record) in [
        ("shop.example", "v=spf1 -all"),
        ("shop.example", "v=spf1 include:nothing.example -all"),
        ("shop.example", "v=spf1 ip4:192.0.2.0/29 ~all"),
        ("s1._domainkey.shop.example", "v=DKIM1; p="),
    ] {
        let (verdict, undecided, _) = told(name, &[record]);
        assert_ne!(verdict, Judged::Safe, "{record}");
        assert!(undecided.iter().any(unauthenticated), "{record}: {undecided:?}");
    }
    let (verdict, undecided, conditions) = told("shop.example", &["v=spf1 ip4:192.0.2.0/24 -all"]);
    assert_eq!((verdict, undecided.as_slice()), (Judged::Safe, [].as_slice()), "{conditions:?}");
    for (record, code) in [
        ("v=DMARC1; p=none; rua=mailto:dmarc@shop.example", "proof.weaker-now"),
        ("v=DMARC1; p=reject", "proof.unseen-now"),
    ] {
        let (verdict, undecided, conditions) = told("_dmarc.shop.example", &[record]);
        assert_eq!(verdict, Judged::Safe, "{record}: {undecided:?}");
        assert!(conditions.iter().any(|of| of == code), "{record}: {conditions:?}");
    }
}
