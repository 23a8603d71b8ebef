//! DNS on the way: a plan's evidence, with the changes of some steps applied to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sendershift::dns::{Answer, Evidence as _, Question, RrSet, Snapshot};
use sendershift::plan::{Change, Plan, StepKind};
use serde_json::{Value, json};

/// Every plan that has to be safe in each of its states, by name.
pub(crate) fn safe_plans() -> Vec<(String, Plan)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_safe = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("safe-");
    let mut paths: Vec<PathBuf> = files(root.join("plans")).filter(is_safe).collect();
    paths.extend(files(root.join("plans/corpus/safe")));
    paths.sort();
    let mut plans: Vec<(String, Plan)> = paths
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, Plan::from_json(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect();
    plans.push(("qualys".to_owned(), qualys()));
    plans
}

fn qualys() -> Plan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/qualys");
    let dns: Value = serde_json::from_str(&fs::read_to_string(folder.join("dns.json")).unwrap()).unwrap();
    let input =
        json!({ "migration": fs::read_to_string(folder.join("migration.toml")).unwrap(), "dns": dns });
    Plan::from_json(&sendershift::wire::call("plan", &input.to_string())).unwrap()
}

/// The steps in an order in which each comes after those it waits for, the earlier in the document the sooner.
pub(crate) fn order(plan: &Plan) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < plan.steps.len() {
        let is_ready = |at: &usize| {
            let step = &plan.steps[*at];
            let waits = step.after.iter().filter(|_| step.kind != StepKind::External);
            let mut waits =
                waits.map(|after| plan.steps.iter().position(|step| step.id == after.step).unwrap());
            !order.contains(at) && waits.all(|earlier| order.contains(&earlier))
        };
        order.push((0..plan.steps.len()).find(is_ready).unwrap());
    }
    order
}

pub(crate) type State = BTreeMap<Question, Option<RrSet>>;

pub(crate) fn question(change: &Change) -> Question {
    Question::new(change.name.clone(), change.record_type)
}

/// What the evidence has of all that the plan changes.
pub(crate) fn start(plan: &Plan) -> State {
    let changes = plan.steps.iter().flat_map(|step| &step.changes).map(question);
    changes
        .map(|question| {
            let rrset = match plan.evidence.answer(&question.name, question.record_type) {
                Answer::Records(rrset) => Some(rrset.clone()),
                _ => None,
            };
            (question, rrset)
        })
        .collect()
}

/// Carries out a change; whether that can be done.
pub(crate) fn carry_out(state: &mut State, change: &Change) -> bool {
    let before = state.get(&question(change)).cloned().flatten();
    let after = change.apply(before.as_ref());
    after.map(|after| state.insert(question(change), after)).is_ok()
}

/// The answers of the plan's evidence, with the changed ones in their places.
pub(crate) fn document(plan: &Plan, state: &State, taken: Option<&str>) -> Value {
    let mut document = serde_json::to_value(&plan.evidence).unwrap();
    let closed = plan.evidence.closed();
    let start = start(plan);
    let changed = state.iter().filter(|(question, rrset)| start.get(question) != Some(rrset));
    for (question, rrset) in changed {
        let (name, kind) = (question.name.as_str(), question.record_type.to_string());
        let answers = document["answers"].as_array_mut().unwrap();
        let is_denied = |answer: &Value| answer["status"] == "nxdomain";
        answers
            .retain(|answer| is_denied(answer) || answer["name"] != name || answer["type"] != kind.as_str());
        let Some(rrset) = rrset else {
            if !closed {
                answers.push(json!({ "name": name, "type": kind, "records": [], "authoritative": true }));
            }
            continue;
        };
        // The name and those above it exist now; that there is nothing else there is still known.
        let above: Vec<String> = question.name.ancestors().map(|name| name.as_str().to_owned()).collect();
        let denials: Vec<Value> = answers.iter().filter(|answer| is_denied(answer)).cloned().collect();
        for denial in denials.iter().filter(|denial| above.iter().any(|name| denial["name"] == name.as_str()))
        {
            answers.retain(|answer| answer != denial);
            let depth = above.iter().position(|name| denial["name"] == name.as_str()).unwrap();
            for name in &above[..=depth] {
                for kind in ["A", "AAAA", "MX", "NS", "PTR", "SOA", "TXT"] {
                    if answers.iter().any(|answer| answer["name"] == name.as_str() && answer["type"] == kind)
                    {
                        continue;
                    }
                    let mut negative = denial.clone();
                    negative["name"] = json!(name);
                    negative["type"] = json!(kind);
                    negative["records"] = json!([]);
                    negative.as_object_mut().unwrap().remove("status");
                    answers.push(negative);
                }
            }
        }
        answers.retain(|answer| answer["name"] != name || answer["type"] != kind.as_str());
        answers.push(json!({ "name": name, "type": kind, "ttl": rrset.ttl(), "authoritative": true,
                             "records": serde_json::to_value(rrset.records()).unwrap() }));
    }
    match taken {
        Some(taken) => document["taken"] = json!(taken),
        None => drop(document.as_object_mut().unwrap().remove("taken")),
    }
    document
}

/// DNS in a state.
pub(crate) fn snapshot(plan: &Plan, state: &State, taken: Option<&str>) -> Snapshot {
    let document = document(plan, state, taken);
    Snapshot::from_json(&document.to_string())
        .unwrap_or_else(|invalid| panic!("{}: {:#?}\n{document:#}", plan.title, invalid.problems))
}
