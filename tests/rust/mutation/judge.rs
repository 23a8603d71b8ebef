//! What the prover says of a plan and of its mutants, and what of that is a defect.

use std::fs;
use std::path::Path;

use sendershift::plan::Plan;
use sendershift::prove::{Judged, Proof, prove};
use serde_json::{Value, json};

use crate::margin::{Edge, edges};
use crate::operators::{Mutant, mutants, with_wait};
use crate::replay;

/// What came of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Unsafe, with a counterexample that was shown again.
    Killed,
    /// A step does not fit what is there any more, so the plan stops.
    Stuck,
    /// No plan at all any more: the reader refuses it.
    Refused,
    /// Undecided for another reason.
    Undecided,
    /// Safe.
    Survived,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Stuck => "stuck",
            Self::Refused => "refused",
            Self::Undecided => "undecided",
            Self::Survived => "survived",
        }
    }
}

/// A plan that has to be safe, and at least half of whose mutants that touch records or mail have to be found out.
pub(crate) fn safe(name: &str, text: &str) -> Result<(), String> {
    let (counted, killed) = mutated(name, text, true)?;
    if counted == 0 || killed * 2 < counted {
        return Err(format!("of {counted} mutants that touch records or mail only {killed} were found out"));
    }
    Ok(())
}

/// The safe plans of the corpus: of all their mutants together at least half have to be found out. They are small, and some wait longer
/// than they have to.
pub(crate) fn corpus(plans: &[(String, String)]) -> Result<(), String> {
    let (mut counted, mut killed) = (0, 0);
    for (name, text) in plans {
        let of_plan =
            mutated(&format!("corpus-{name}"), text, false).map_err(|why| format!("{name}: {why}"))?;
        counted += of_plan.0;
        killed += of_plan.1;
    }
    if plans.is_empty() || killed * 2 < counted {
        return Err(format!("of {counted} mutants that touch records or mail only {killed} were found out"));
    }
    Ok(())
}

/// Writes what comes of the mutants of a plan that has to be safe; how many touch records or mail, and how many of these are found out.
/// With the edges of its margin, where these are asked for.
fn mutated(name: &str, text: &str, with_margin: bool) -> Result<(u32, u32), String> {
    let plan = Plan::from_json(text).map_err(|invalid| format!("{invalid:?}"))?;
    let proof = proven(&plan)?;
    if proof.verdict != Judged::Safe {
        return Err(format!("it should be safe, but: {}", said(&proof)));
    }
    let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let waits: Vec<Vec<u64>> =
        plan.steps.iter().map(|step| step.after.iter().map(|after| after.at_least).collect()).collect();
    let mut rows = Vec::new();
    let (mut counted, mut killed) = (0, 0);
    for mutant in mutants(&document, &waits) {
        let kind = document["steps"][mutant.step]["kind"].as_str().unwrap_or_default();
        let (fate, proof) = judged(&mutant, |_| true).map_err(|why| format!("{}: {why}", mutant.name))?;
        let serves = serves(&document, &mutant);
        let counts = ["dns", "send"].contains(&kind) && serves.is_none();
        counted += u32::from(counts);
        killed += u32::from(counts && fate == Fate::Killed);
        let mut row = row(&mutant, kind, counts, fate, proof.as_ref());
        row["serves"] = json!(serves);
        if let (Fate::Survived, Some((index, seconds))) = (fate, mutant.wait) {
            row["earlier"] = document["steps"][mutant.step]["after"][index]["step"].clone();
            row["needed"] = json!(needed(&document, mutant.step, index, seconds)?);
        }
        rows.push(row);
    }
    if with_margin {
        for edge in edges(&document, &plan)? {
            rows.push(at_the_edge(&edge).map_err(|why| format!("{}: {why}", edge.mutant.name))?);
        }
    }
    write(name, &json!({ "name": name, "verdict": "safe", "plan": document, "mutants": rows }))?;
    Ok((counted, killed))
}

/// What comes of a plan at the edge of its margin: just inside it is safe, and just outside what the margin names is found and shown again.
fn at_the_edge(edge: &Edge) -> Result<Value, String> {
    let (fate, proof) = judged(&edge.mutant, |_| true)?;
    let found = |code: &str| {
        let mut promises = proof.iter().flat_map(|proof| &proof.promises);
        promises.any(|promise| promise.counterexample.as_ref().is_some_and(|found| found.code == code))
    };
    let is_right = match &edge.broken {
        None => fate == Fate::Survived,
        Some(broken) if broken.promise.is_some() => fate == Fate::Killed && found(&broken.code),
        Some(_) => fate == Fate::Undecided,
    };
    if is_right {
        Ok(row(&edge.mutant, "", false, fate, proof.as_ref()))
    } else {
        Err(format!("it is {}", fate.name()))
    }
}

/// What a mutant can miss without breaking a promise that is judged: a promise that is not, or a goal. Read off the records, so
/// that the prover has no say in what counts.
fn serves(plan: &Value, mutant: &Mutant) -> Option<&'static str> {
    let step = &plan["steps"][mutant.step];
    if mutant.operator == "delete" {
        return purpose(plan, step, true);
    }
    let (index, _) = mutant.wait?;
    let earlier = &step["after"][index]["step"];
    let earlier = plan["steps"].as_array()?.iter().find(|other| other["id"] == *earlier)?;
    purpose(plan, earlier, false).or_else(|| purpose(plan, step, false))
}

/// What a step is there for, if that is no promise that is judged.
fn purpose(plan: &Value, step: &Value, deleted: bool) -> Option<&'static str> {
    let changes = step["changes"].as_array().filter(|changes| !changes.is_empty())?;
    let all = |holds: &dyn Fn(&Value) -> bool| changes.iter().all(holds);
    let name = |change: &Value| change["name"].as_str().unwrap_or_default().to_owned();
    if deleted && all(&|change| name(change).starts_with("_dmarc.") && !change["ttl_before"].is_null()) {
        // Without it a policy stays as it is: the goal is missed, and nothing is promised about goals.
        Some("goal")
    } else if deleted && all(&|change| takes_away(plan, change)) {
        // Authority that was there before the plan may stay (P4).
        Some("goal")
    } else {
        None
    }
}

/// Whether a change only takes away what was there before the plan: records, or words of them.
fn takes_away(plan: &Value, change: &Value) -> bool {
    let words = |value: &Value| -> Vec<String> {
        let records = value.as_array().into_iter().flatten();
        let texts = records.map(|record| match record.as_array() {
            Some(strings) => strings.iter().filter_map(Value::as_str).collect(),
            None => record.as_str().unwrap_or_default().to_owned(),
        });
        texts.flat_map(|text| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    let answers = plan["evidence"]["answers"].as_array().into_iter().flatten();
    let listed =
        answers.filter(|answer| answer["name"] == change["name"] && answer["type"] == change["type"]);
    let today: Vec<String> = listed.flat_map(|answer| words(&answer["records"])).collect();
    let (gone, stays) = (words(&change["remove"]), words(&change["add"]));
    let lost: Vec<&String> = gone.iter().filter(|word| !stays.contains(word)).collect();
    !lost.is_empty()
        && lost.iter().all(|word| today.contains(word))
        && stays.iter().all(|word| gone.contains(word))
}

/// A plan that has to be unsafe.
pub(crate) fn broken(name: &str, text: &str) -> Result<(), String> {
    shown(name, text)?;
    let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    write(name, &json!({ "name": name, "verdict": "unsafe", "plan": document, "mutants": [] }))
}

/// A plan that has to be unsafe, with what its name says where it says so.
pub(crate) fn shown(name: &str, text: &str) -> Result<(), String> {
    let plan = Plan::from_json(text).map_err(|invalid| format!("{invalid:?}"))?;
    let proof = proven(&plan)?;
    if proof.verdict != Judged::Unsafe {
        return Err(format!("it should be unsafe, but: {}", said(&proof)));
    }
    if let Some((code, _)) = name.split_once("--") {
        let mut found = proof.promises.iter().filter_map(|promise| promise.counterexample.as_ref());
        found.find(|found| found.code == code).ok_or_else(|| format!("{code} was not found"))?;
    }
    replay::all(&plan, &proof)
}

fn proven(plan: &Plan) -> Result<Proof, String> {
    prove(plan).map_err(|error| error.to_string())
}

fn said(proof: &Proof) -> String {
    let stories = proof.promises.iter().filter_map(|promise| promise.counterexample.as_ref());
    let stories = stories.map(|found| found.story.join(" "));
    stories.chain(proof.undecided.iter().map(ToString::to_string)).collect::<Vec<_>>().join("\n")
}

/// What comes of a plan; only some promises count.
fn judged(mutant: &Mutant, counts: impl Fn(&str) -> bool) -> Result<(Fate, Option<Proof>), String> {
    let Ok(plan) = Plan::from_json(&mutant.document.to_string()) else { return Ok((Fate::Refused, None)) };
    let mut proof = proven(&plan)?;
    // A plan that stops on the way is told apart by the mail that it loses: the rest is about steps that never come.
    let stops = proof.undecided.iter().any(|remark| remark.code.starts_with("plan."));
    proof
        .promises
        .retain(|promise| counts(promise.promise) && (!stops || ["p1", "p2"].contains(&promise.promise)));
    let verdict = proof.promises.iter().map(|promise| promise.verdict).max();
    let fate = match verdict.unwrap_or(Judged::Undecided) {
        Judged::Safe => Fate::Survived,
        Judged::Unsafe => {
            replay::all(&plan, &proof)?;
            Fate::Killed
        }
        Judged::Undecided if proof.undecided.iter().all(|remark| remark.code.starts_with("plan.")) => {
            Fate::Stuck
        }
        Judged::Undecided => Fate::Undecided,
    };
    Ok((fate, Some(proof)))
}

/// What the simulator has to know of a mutant. The evidence is that of the plan.
fn row(mutant: &Mutant, kind: &str, counts: bool, fate: Fate, proof: Option<&Proof>) -> Value {
    let mut document = mutant.document.clone();
    if let Some(fields) = document.as_object_mut() {
        fields.remove("evidence");
    }
    let promises = || proof.into_iter().flat_map(|proof| &proof.promises);
    // The other promises are not about lost messages: the simulator has no say in them, and they none in what it finds.
    let mut about_mail = promises().filter(|promise| ["p1", "p2"].contains(&promise.promise)).peekable();
    let kept = about_mail.peek().is_some() && about_mail.all(|promise| promise.verdict == Judged::Safe);
    let codes: Vec<&str> =
        promises().filter_map(|promise| promise.counterexample.as_ref().map(|found| found.code)).collect();
    json!({
        "name": mutant.name, "operator": mutant.operator, "step": mutant.step, "kind": kind, "counts": counts,
        "fate": fate.name(), "kept": kept, "codes": codes, "plan": document,
    })
}

/// The least seconds of a wait with which the plan is still safe, given some with which it is.
fn needed(plan: &Value, step: usize, index: usize, safe: u64) -> Result<u64, String> {
    let (mut low, mut high) = (0, safe);
    while low < high {
        let middle = low.midpoint(high);
        let text = with_wait(plan, step, index, middle).to_string();
        let plan = Plan::from_json(&text).map_err(|invalid| format!("{invalid:?}"))?;
        if proven(&plan)?.verdict == Judged::Safe {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(high)
}

fn write(name: &str, document: &Value) -> Result<(), String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/mutants"));
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::write(folder.join(format!("{name}.json")), document.to_string()));
    written.map_err(|error| format!("{}: {error}", folder.display()))
}

/// Plans of which nothing is known: only the verdicts are written, for the simulator to compare.
pub(crate) fn drawn(plans: &[(String, String)]) -> Result<(), String> {
    let mut rows = Vec::new();
    for (name, text) in plans {
        let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mutant = Mutant { name: name.clone(), operator: "drawn", step: 0, wait: None, document };
        // The simulator looks for mail that is lost, and for nothing else.
        let loses = |promise: &str| ["p1", "p2"].contains(&promise);
        let (fate, proof) = judged(&mutant, loses).map_err(|why| format!("{name}: {why}"))?;
        let mut row = row(&mutant, "", false, fate, proof.as_ref());
        row["plan"]["evidence"] = mutant.document["evidence"].clone();
        rows.push(row);
    }
    write("drawn", &json!({ "name": "drawn", "verdict": "none", "mutants": rows }))
}
