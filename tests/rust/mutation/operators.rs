//! The small ways in which a plan is broken. They work on the document and know nothing of what it is about.

use serde_json::{Value, json};

/// A plan with one thing changed.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    pub(crate) name: String,
    pub(crate) operator: &'static str,
    /// The step that was changed.
    pub(crate) step: usize,
    /// The wait of it that was changed, and the seconds that it has now.
    pub(crate) wait: Option<(usize, u64)>,
    pub(crate) document: Value,
}

/// All mutants of a plan, each once. `waits` has the seconds of each wait of each step.
pub(crate) fn mutants(plan: &Value, waits: &[Vec<u64>]) -> Vec<Mutant> {
    let mut mutants: Vec<Mutant> = (0..waits.len()).map(|step| deleted(plan, waits, step)).collect();
    for (step, seconds) in waits.iter().enumerate() {
        for (index, seconds) in seconds.iter().copied().enumerate().filter(|(_, seconds)| *seconds > 0) {
            let wait = (step, index);
            mutants.push(shortened(plan, "halve", wait, seconds / 2));
            mutants.push(shortened(plan, "zero", wait, 0));
            if removes(&plan["steps"][step]) {
                mutants.push(shortened(plan, "second-early", wait, seconds - 1));
            }
        }
        if removes(&plan["steps"][step]) {
            mutants.push(early(plan, step, seconds.len()));
        }
    }
    for step in 0..waits.len() {
        mutants.extend(without_terms(plan, step));
        mutants.extend(rejecting(plan, step));
        mutants.extend(sooner(plan, step));
        mutants.extend((0..waits.len()).filter_map(|earlier| exchanged(plan, earlier, step)));
    }
    let mut distinct: Vec<Mutant> = Vec::new();
    for mutant in mutants {
        if mutant.document != *plan && distinct.iter().all(|other| other.document != mutant.document) {
            distinct.push(mutant);
        }
    }
    distinct
}

/// The plan with another number of seconds in one wait.
pub(crate) fn with_wait(plan: &Value, step: usize, index: usize, seconds: u64) -> Value {
    let mut document = plan.clone();
    document["steps"][step]["after"][index]["at_least"] = json!(format!("PT{seconds}S"));
    document
}

fn id(plan: &Value, step: usize) -> String {
    plan["steps"][step]["id"].as_str().unwrap_or_default().to_owned()
}

fn shortened(plan: &Value, operator: &'static str, (step, index): (usize, usize), seconds: u64) -> Mutant {
    let earlier = plan["steps"][step]["after"][index]["step"].as_str().unwrap_or_default();
    Mutant {
        name: format!("{operator} {} after {earlier}", id(plan, step)),
        operator,
        step,
        wait: Some((index, seconds)),
        document: with_wait(plan, step, index, seconds),
    }
}

/// A removal that waits for nothing but the order of the steps.
fn early(plan: &Value, step: usize, waits: usize) -> Mutant {
    let document = (0..waits).fold(plan.clone(), |document, index| with_wait(&document, step, index, 0));
    Mutant { name: format!("early {}", id(plan, step)), operator: "early", step, wait: None, document }
}

/// The texts that a step adds: the place of each in the document.
fn added(plan: &Value, step: usize) -> Vec<(String, String)> {
    let changes = plan["steps"][step]["changes"].as_array().into_iter().flatten().enumerate();
    let texts = changes.flat_map(|(change, of)| {
        let records = of["add"].as_array().into_iter().flatten().enumerate();
        records.filter_map(move |(record, text)| {
            Some((format!("/steps/{step}/changes/{change}/add/{record}"), text.as_str()?.to_owned()))
        })
    });
    texts.collect()
}

/// A step that adds another text; `what` is about the difference.
fn rewritten(
    plan: &Value,
    operator: &'static str,
    (step, what): (usize, &str),
    (place, text): (&str, String),
) -> Option<Mutant> {
    let name = format!("{operator} {what} in {}", id(plan, step));
    let mut document = plan.clone();
    *document.pointer_mut(place)? = Value::String(text);
    Some(Mutant { name, operator, step, wait: None, document })
}

/// An SPF record that a step publishes, without one of its terms.
fn without_terms(plan: &Value, step: usize) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (place, text) in added(plan, step).into_iter().filter(|(_, text)| text.starts_with("v=spf1 ")) {
        let words: Vec<&str> = text.split(' ').collect();
        for gone in 1..words.len() {
            let left = words.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, word)| *word);
            let text = left.collect::<Vec<_>>().join(" ");
            mutants.extend(rewritten(plan, "drop-term", (step, words[gone]), (&place, text)));
        }
    }
    mutants
}

/// A DMARC policy record that a step publishes, at once with the strictest policy.
fn rejecting(plan: &Value, step: usize) -> Vec<Mutant> {
    let policies = added(plan, step).into_iter().filter(|(_, text)| text.starts_with("v=DMARC1"));
    policies
        .filter_map(|(place, text)| {
            let strict = text.replace("p=none", "p=reject").replace("p=quarantine", "p=reject");
            rewritten(plan, "policy", (step, "p=reject"), (&place, strict))
        })
        .collect()
}

/// A date that comes earlier: on the day of the start.
fn sooner(plan: &Value, step: usize) -> Option<Mutant> {
    plan["steps"][step]["on"].as_str()?;
    let mut document = plan.clone();
    document["steps"][step]["on"] = plan["parameters"]["start"].clone();
    let name = format!("date {} on the first day", id(plan, step));
    Some(Mutant { name, operator: "date", step, wait: None, document })
}

/// Two steps of which one waits for the other, each in the place of the other.
fn exchanged(plan: &Value, earlier: usize, later: usize) -> Option<Mutant> {
    let (first, second) = (&plan["steps"][earlier], &plan["steps"][later]);
    let waits = second["after"].as_array()?.iter().any(|after| after["step"] == first["id"]);
    if !waits || !first["on"].is_null() || !second["on"].is_null() {
        return None;
    }
    let mut document = plan.clone();
    for key in ["kind", "changes", "starts", "stops", "gives_up", "undo", "reversible"] {
        for (place, value) in [(earlier, &second[key]), (later, &first[key])] {
            match document["steps"][place].as_object_mut() {
                Some(step) if value.is_null() => drop(step.remove(key)),
                Some(step) => drop(step.insert(key.to_owned(), value.clone())),
                None => {}
            }
        }
    }
    let name = format!("exchange {} and {}", id(plan, earlier), id(plan, later));
    Some(Mutant { name, operator: "exchange", step: later, wait: None, document })
}

/// Whether a step takes a record away.
fn removes(step: &Value) -> bool {
    let list = |change: &Value, key: &str| change[key].as_array().cloned().unwrap_or_default();
    let mut changes = step["changes"].as_array().into_iter().flatten();
    changes.any(|change| {
        let added = list(change, "add");
        change["ttl_after"].is_null() || list(change, "remove").iter().any(|record| !added.contains(record))
    })
}

/// The plan without a step. What waited for it waits for what it waited for, both waits together.
fn deleted(plan: &Value, waits: &[Vec<u64>], step: usize) -> Mutant {
    let gone = id(plan, step);
    let before: Vec<(String, u64)> = after(plan, waits, step);
    let mut document = plan.clone();
    for other in (0..waits.len()).filter(|other| *other != step) {
        let direct = after(plan, waits, other);
        let contracted = direct.iter().flat_map(|(earlier, seconds)| {
            let through =
                before.iter().map(|(first, distance)| (first.clone(), distance + seconds)).collect();
            if *earlier == gone { through } else { vec![(earlier.clone(), *seconds)] }
        });
        if direct.iter().any(|(earlier, _)| *earlier == gone) {
            let entry = |(earlier, seconds)| json!({ "step": earlier, "at_least": format!("PT{seconds}S") });
            document["steps"][other]["after"] = contracted.map(entry).collect();
        }
    }
    if let Some(steps) = document["steps"].as_array_mut() {
        steps.remove(step);
    }
    // What begins with this step begins at once.
    let forget = |place: &mut Value| {
        if place.as_str() == Some(gone.as_str()) {
            *place = Value::Null;
        }
    };
    forget(&mut document["parameters"]["within_limits_from"]);
    for stream in document["streams"].as_array_mut().into_iter().flatten() {
        forget(&mut stream["judged_from"]);
    }
    // What no step sees is never seen. A notice that customers name cannot go: the reader refuses the plan.
    if let Some(customers) = document["customers"].as_array_mut() {
        for customer in customers.iter_mut() {
            forget(&mut customer["ready_when"]);
        }
    }
    // What only this step publishes is never published.
    if let Some(policies) = document.get_mut("mta_sts").and_then(Value::as_array_mut) {
        policies.retain(|published| published["from"] != gone);
    }
    Mutant { name: format!("delete {gone}"), operator: "delete", step, wait: None, document }
}

/// What a step waits for, and how long.
fn after(plan: &Value, waits: &[Vec<u64>], step: usize) -> Vec<(String, u64)> {
    let entries = plan["steps"][step]["after"].as_array().into_iter().flatten();
    let names = entries.map(|entry| entry["step"].as_str().unwrap_or_default().to_owned());
    names.zip(waits.get(step).into_iter().flatten().copied()).collect()
}
