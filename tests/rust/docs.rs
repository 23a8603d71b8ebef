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

/// What the zone files do not tell.
const ABOVE: &str = r#"{ "format": "sendershift-snapshot/1", "taken": "2026-11-02T00:00:00Z", "answers": [
    { "name": "_dmarc.example", "type": "TXT", "status": "nxdomain" }] }"#;
/// The domain that the shop moves to.
const NEW: &str = "shop-mail.example. 1h SOA ns.shop.example. hostmaster.shop.example. 1 2h 15m 2w 30m";

#[test]
fn every_example_is_what_it_says() {
    let mut seen = Vec::new();
    let mut answer: Option<String> = None;
    let mut snapshot = Snapshot::default();
    let mut zone = "";
    for block in FORMAT.split("\n```").skip(1).step_by(2) {
        let (about, text) = block.split_once('\n').unwrap();
        let words: Vec<&str> = about.split_whitespace().collect();
        seen.push(about);
        match words.as_slice() {
            ["json", "snapshot"] => snapshot = Snapshot::from_json(text).unwrap(),
            ["toml", "migration"] => {
                let plan = planner::plan(&Migration::from_toml(text).unwrap(), &snapshot).unwrap();
                assert_eq!((plan.check(), plan.steps.is_empty()), (Ok(()), false));
                let zones = [("zone", zone), ("new", NEW), ("above", ABOVE)];
                let migration = Migration::from_toml(text).unwrap();
                let plan = planner::plan(&migration, &Snapshot::from_sources(&zones).unwrap()).unwrap();
                assert_eq!(plan.blockers, []);
                assert_eq!(prove(&plan).unwrap().verdict, Judged::Safe);
            }
            ["dns", "zone"] => zone = text,
            ["json", "plan"] => {
                let mut plan = Plan::from_json(text).unwrap();
                let proof = |plan: &Plan| serde_json::to_value(prove(plan).unwrap()).unwrap();
                let first = proof(&plan);
                assert_eq!(first["verdict"], "safe");
                // The same evidence as a zone file, with what stands above the zone.
                plan.evidence = Snapshot::from_sources(&[("zone", zone), ("above", ABOVE)]).unwrap();
                assert_eq!(proof(&plan), first);
                let written = serde_json::to_string(&plan).unwrap();
                assert_eq!(proof(&Plan::from_json(&written).unwrap()), first);
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
    assert_eq!(seen.len(), 28, "{seen:?}");
}

#[test]
fn the_table_of_receivers_has_every_profile() {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    let limit = |most| Profile::limit(most).map_or_else(|| "any".to_owned(), |most| most.to_string());
    let rows = Profile::ALL.iter().map(|profile| {
        format!(
            "| `{}` | {} | {} | {} | {} | {} | {} | {} | {} |",
            profile.name,
            limit(profile.lookups),
            word(serde_json::to_value(profile.counting).unwrap()),
            limit(profile.voids),
            word(serde_json::to_value(profile.void_unit).unwrap()),
            limit(profile.mx_names),
            limit(profile.mx_addresses),
            if profile.ed25519 { "yes" } else { "no" },
            profile.source,
        )
    });
    let rows: Vec<String> = rows.collect();
    let told: Vec<&str> = RECEIVERS.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(told, rows, "the table should be:\n{}", rows.join("\n"));
}

/// One table of each kind, each with a mark where a key can be added.
const MIGRATION: &str = r#"format = "sendershift-migration/1"
# top
[calendar]
announce = 2026-11-02
# [calendar]
[[calendar.freezes]]
from = 2026-12-01
until = 2026-12-02
# [[calendar.freezes]]
[parameters]
# [parameters]
[limits]
# [limits]
[[domain]]
name = "example.net"
# [[domain]]
[domain.dmarc]
goal = "none"
# [domain.dmarc]
[[source]]
id = "own"
addresses = ["192.0.2.1"]
# [[source]]
[[wave]]
id = "first"
# [[wave]]
[[stream]]
id = "news"
wave = "first"
# [[stream]]
[stream.now]
author_domain = "example.com"
mail_from = "example.com"
sources = ["own"]
# [stream.now]
[stream.then]
author_domain = "example.net"
mail_from = "example.net"
# [stream.then]
[[stream.then.dkim]]
selector = "s1"
# [[stream.then.dkim]]
[[customers]]
id = "all"
# [[customers]]
"#;

/// The rows of the table of keys: tables, keys and the default.
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at a page of another shape")]
fn keys_of_a_migration() -> Vec<(Vec<&'static str>, Vec<&'static str>, &'static str)> {
    let quoted = |cell: &'static str| -> Vec<&str> { cell.split('`').skip(1).step_by(2).collect() };
    let rows = FORMAT.split("| table | key | default | meaning |").nth(1).unwrap().lines().skip(2);
    rows.take_while(|row| row.starts_with('|'))
        .map(|row| {
            let cells: Vec<&str> = row.split(" | ").collect();
            let tables = if cells[0] == "| top" { vec!["top"] } else { quoted(cells[0]) };
            (tables, quoted(cells[1]), cells[2])
        })
        .collect()
}

#[test]
fn the_table_of_keys_has_every_key_of_a_migration() {
    let rows = keys_of_a_migration();
    let tables = MIGRATION.lines().filter_map(|line| line.strip_prefix("# "));
    for table in tables {
        let mark = format!("# {table}\n");
        let unknown = MIGRATION.replace(&mark, "nothing-like-it = 1\n");
        let invalid = Migration::from_toml(&unknown).unwrap_err();
        let help = invalid.problems[0].help.as_deref().unwrap();
        let mut known: Vec<&str> = help.strip_prefix("known keys here are ").unwrap().split(", ").collect();
        known.sort_unstable();
        known.dedup();
        let here = rows.iter().filter(|(tables, ..)| tables.contains(&table));
        let mut told: Vec<&str> = here.flat_map(|(_, keys, _)| keys.iter().copied()).collect();
        told.sort_unstable();
        assert_eq!(told, known, "keys of {table}");
    }
}

/// A default that is written down changes nothing, and something else does.
#[test]
fn the_table_of_keys_has_the_defaults() {
    let migration = Migration::from_toml(MIGRATION).unwrap();
    let mut seen = 0;
    for (tables, keys, default) in keys_of_a_migration() {
        let Some(literal) = default.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) else {
            continue;
        };
        for table in &tables {
            let mark = format!("# {table}\n");
            for key in &keys {
                let written = MIGRATION.replace(&mark, &format!("{key} = {literal}\n"));
                // Signatures have a table of their own there.
                if !(*table == "[stream.then]" && *key == "dkim") {
                    assert_eq!(
                        Migration::from_toml(&written).as_ref(),
                        Ok(&migration),
                        "{table} {key} = {literal}"
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 20, "{seen}");
    let other = MIGRATION.replace("# [limits]\n", "reserve = 1\n");
    assert_ne!(Migration::from_toml(&other), Ok(migration));
}
