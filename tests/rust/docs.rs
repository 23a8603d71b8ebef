//! The examples in `docs/format.md` are what they say.

use sendershift::dns::Snapshot;
use sendershift::migration::Migration;
use sendershift::plan::Plan;
use sendershift::planner;
use sendershift::prove::{Judged, prove};
use sendershift::spf::Profile;
use sendershift::wire;
use serde_json::Value;

const RECEIVERS: &str = include_str!("../../docs/receivers.md");
const FORMAT: &str = include_str!("../../docs/format.md");

#[test]
fn every_example_is_what_it_says() {
    let mut seen = Vec::new();
    let mut answer: Option<String> = None;
    let mut snapshot = Snapshot::default();
    for block in FORMAT.split("\n```").skip(1).step_by(2) {
        let (about, text) = block.split_once('\n').unwrap();
        let words: Vec<&str> = about.split_whitespace().collect();
        seen.push(about);
        match words.as_slice() {
            ["json", "snapshot"] => snapshot = Snapshot::from_json(text).unwrap(),
            ["toml", "migration"] => {
                let plan = planner::plan(&Migration::from_toml(text).unwrap(), &snapshot).unwrap();
                assert_eq!((plan.check(), plan.steps.is_empty()), (Ok(()), false));
            }
            ["json", "plan"] => {
                let plan = Plan::from_json(text).unwrap();
                assert_eq!(prove(&plan).unwrap().verdict, Judged::Safe);
            }
            ["json", "input", operation] => answer = Some(wire::call(operation, &text.replace('\n', " "))),
            ["json", "output"] => {
                let (found, told): (Value, Value) = (
                    serde_json::from_str(&answer.take().unwrap()).unwrap(),
                    serde_json::from_str(text).unwrap(),
                );
                assert_eq!(found, told);
            }
            _ => panic!("what is `{about}`?"),
        }
    }
    assert_eq!(seen.len(), 13, "{seen:?}");
}

#[test]
fn the_table_of_receivers_has_every_profile() {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    let limit = |most| Profile::limit(most).map_or_else(|| "any".to_owned(), |most| most.to_string());
    let rows = Profile::ALL.iter().map(|profile| {
        format!(
            "| `{}` | {} | {} | {} | {} | {} | {} | {} |",
            profile.name,
            limit(profile.lookups),
            word(serde_json::to_value(profile.counting).unwrap()),
            limit(profile.voids),
            word(serde_json::to_value(profile.void_unit).unwrap()),
            limit(profile.mx_names),
            limit(profile.mx_addresses),
            profile.source,
        )
    });
    let rows: Vec<String> = rows.collect();
    let told: Vec<&str> = RECEIVERS.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(told, rows, "the table should be:\n{}", rows.join("\n"));
}
