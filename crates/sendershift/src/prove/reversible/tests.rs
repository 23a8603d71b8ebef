//! What is not looked at because a step is `free` is what would be found anyway.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::super::explore::BUDGET;
use super::back;
use super::way::{Steps, Way};
use crate::error::Error;
use crate::plan::timeline::Timeline;
use crate::plan::{After, Plan, Step, StepKind, Undo, Use};
use crate::prove::users::Users;
use crate::prove::{Judged, TakenBack, prove_course};

const BASE: &str =
    include_str!("../../../../../tests/plans/corpus/safe/undo-that-waits-for-steps-of-the-plan.json");

fn way(plan: &Plan) -> Way<'_> {
    let timeline = Timeline::new(&plan.steps, plan.parameters.start).unwrap();
    Way::new(plan, timeline.steps().collect())
}

/// What is wrong with a course: the promises that fail at each receiver, what is not taken back, whether something is undecided, whether it makes no sense.
fn wrong(way: &Way<'_>, begun: &Steps) -> BTreeSet<String> {
    let (course, undo_from) = way.course(begun);
    let mut budget = 100 * BUDGET;
    let users = Users::whole(way.plan).unwrap();
    let taken_back = TakenBack { undo_from, users: &users };
    let proof = match prove_course(&course, Some(taken_back), &mut budget, &mut |_| true) {
        Ok(proof) => proof,
        Err(Error::Invalid(_)) => return BTreeSet::from(["invalid".to_owned()]),
        Err(Error::Missing(missing)) => panic!("{missing:?}"),
    };
    let fails = proof.promises.iter().filter(|of| of.verdict == Judged::Unsafe);
    let mut wrong: BTreeSet<String> = fails.map(|of| format!("{} {}", of.promise, of.receiver)).collect();
    wrong.extend(back::not_taken_back(&course).unwrap().map(|found| found.code.to_owned()));
    wrong.extend((!proof.undecided.is_empty()).then(|| "undecided".to_owned()));
    wrong
}

/// What came of a comparison: how many sets have another one judged in their place, and how many of these fail.
#[derive(Debug, Default)]
struct Compared {
    others: usize,
    failing: usize,
}

/// Compares each set of steps that can have begun with the one that is judged in its place where some steps are free.
fn compare(plan: &Plan, free: &Steps) -> Result<Compared, String> {
    let (mut full, mut reduced) = (way(plan), way(plan));
    full.free.clear();
    reduced.free.clone_from(free);
    let judged: BTreeSet<Steps> = reduced.courses(usize::MAX).unwrap().into_iter().collect();
    let mut known: BTreeMap<Steps, BTreeSet<String>> = BTreeMap::new();
    let mut compared = Compared::default();
    for begun in full.courses(usize::MAX).unwrap() {
        let in_its_place = reduced.closed(begun.clone());
        if !judged.contains(&in_its_place) {
            return Err(format!("{in_its_place:?} is judged for {begun:?}, and is not enumerated"));
        }
        if in_its_place == begun {
            continue;
        }
        let found = wrong(&full, &begun);
        compared.others += 1;
        compared.failing += usize::from(!found.is_empty());
        let judged = known.entry(in_its_place.clone()).or_insert_with(|| wrong(&reduced, &in_its_place));
        if !found.is_subset(judged) {
            return Err(format!(
                "{begun:?} has {found:?}; {in_its_place:?} is judged in its place, and has {judged:?}"
            ));
        }
    }
    Ok(compared)
}

/// How a step of a drawn plan is taken back.
#[derive(Clone, Copy, Debug)]
enum Back {
    AtOnce,
    ThenWait(u64),
    WaitFirst(u64),
    /// Waits for another step of the plan.
    After(u8, u64),
    NotAtAll,
}

/// A step of a drawn plan: whether it is there, which of those before it waits for, how long, and how it is taken back.
#[derive(Clone, Debug)]
struct Drawn {
    there: bool,
    after: Vec<(Index, u64)>,
    back: Back,
}

fn wait() -> impl Strategy<Value = u64> {
    prop_oneof![4 => Just(0u64), 1 => Just(1800), 1 => Just(10_800), 1 => Just(432_000), 1 => Just(1_209_600)]
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let back = prop_oneof![
        6 => Just(Back::AtOnce),
        2 => wait().prop_map(Back::ThenWait),
        1 => wait().prop_map(Back::WaitFirst),
        2 => (0u8..9, wait()).prop_map(|(step, wait)| Back::After(step, wait)),
        1 => Just(Back::NotAtAll),
    ];
    let after = prop::collection::vec((any::<Index>(), wait()), 0..3);
    (prop::bool::weighted(0.75), after, back).prop_map(|(there, after, back)| Drawn { there, after, back })
}

const IDS: [&str; 9] = ["key", "bounce", "spf", "notice", "look", "start", "stop", "drop", "old-key"];

/// A move with some of its steps, in an order that need not be safe.
fn plan(drawn: &[Drawn], own_bounces: bool, needs_both: bool) -> Plan {
    let mut document: Value = serde_json::from_str(BASE).unwrap();
    let key = |step: usize, of: &str| document["steps"][step]["changes"][0][of][0].clone();
    let (new_key, old_key) = (key(1, "add"), key(5, "remove"));
    let seconds = |seconds: u64| format!("PT{seconds}S");
    let is_there = |at: usize| drawn[at].there && (at != 7 || drawn[2].there);
    let spf = ["old-esp", "old-esp.example include:spf.new-esp", "new-esp"]
        .map(|of| format!("v=spf1 include:spf.{of}.example -all"));
    let change = |name: &str, of_type: &str, before: Option<(u32, &Value)>, after: Option<&Value>| {
        json!({
            "name": name, "type": of_type, "ttl_before": before.map(|of| of.0), "ttl_after": after.map(|_| 3600),
            "remove": before.map(|of| [of.1]), "add": after.map(|of| [of]),
        })
    };
    let text = |text: &str| Value::from(text);
    let shop = |before: (u32, &str), after: &str| {
        vec![change("shop.example", "TXT", Some((before.0, &text(before.1))), Some(&text(after)))]
    };
    let r#use = |id: &str| json!([{ "stream": "newsletter", "identity": id }]);
    let changes = |at: usize| match at {
        0 => vec![change("s2._domainkey.shop.example", "TXT", None, Some(&new_key))],
        1 => vec![
            change("bounce.shop.example", "TXT", None, Some(&text(&spf[2]))),
            change("bounce.shop.example", "MX", None, Some(&text("10 mail.shop.example."))),
        ],
        2 => shop((7200, &spf[0]), &spf[1]),
        7 => shop((3600, &spf[1]), &spf[2]),
        8 => vec![change("s1._domainkey.shop.example", "TXT", Some((3600, &old_key)), None)],
        _ => Vec::new(),
    };
    let inverse = |change: &Value| {
        json!({
            "name": change["name"], "type": change["type"],
            "ttl_before": change["ttl_after"], "ttl_after": change["ttl_before"],
            "remove": change["add"], "add": change["remove"],
        })
    };
    let mut steps = Vec::new();
    for (at, id) in IDS.iter().enumerate().filter(|(at, _)| is_there(*at)) {
        let before: Vec<usize> = (0..at).filter(|at| is_there(*at)).collect();
        let mut after: Vec<Value> = drawn[at]
            .after
            .iter()
            .filter(|_| !before.is_empty())
            .map(|(index, wait)| json!({ "step": IDS[*index.get(&before)], "at_least": seconds(*wait) }))
            .collect();
        if at == 7 {
            after.push(json!({ "step": "spf" }));
        }
        let (kind, begins, ends) = match at {
            3 => ("notify", json!([]), json!([])),
            4 => ("gate", json!([]), json!([])),
            5 => ("send", r#use("by-new-esp"), json!([])),
            6 => ("send", json!([]), r#use("by-old-esp")),
            _ => ("dns", json!([]), json!([])),
        };
        let changes = changes(at);
        let mut back = json!({
            "id": format!("un{id}"), "kind": kind, "after": [], "starts": ends, "stops": begins,
            "changes": changes.iter().map(inverse).collect::<Vec<_>>(),
        });
        let gate = |after: Option<String>, wait: u64| {
            let after = after.map(|step| json!({ "step": step, "at_least": seconds(wait) }));
            json!({ "id": format!("wait-{id}"), "kind": "gate", "after": after.into_iter().collect::<Vec<_>>() })
        };
        let undo = match drawn[at].back {
            _ if kind == "gate" || kind == "notify" => Vec::new(),
            Back::AtOnce => vec![back],
            Back::ThenWait(wait) => vec![back, gate(Some(format!("un{id}")), wait)],
            Back::WaitFirst(wait) => {
                back["after"] = json!([{ "step": format!("wait-{id}"), "at_least": seconds(wait) }]);
                vec![gate(None, 0), back]
            }
            Back::After(step, wait) => {
                let step = usize::from(step);
                if is_there(step) {
                    back["after"] = json!([{ "step": IDS[step], "at_least": seconds(wait) }]);
                }
                vec![back]
            }
            Back::NotAtAll => vec![gate(None, 0)],
        };
        let mut step = json!({
            "id": id, "kind": kind, "after": after, "changes": changes, "starts": begins, "stops": ends,
        });
        if !undo.is_empty() {
            step["undo"] = undo.into();
        }
        steps.push(step);
    }
    document["steps"] = steps.into();
    document["parameters"]["within_limits_from"] = Value::Null;
    let stream = &mut document["streams"][0];
    stream["needs_both"] = needs_both.into();
    if own_bounces {
        stream["identities"][1]["mail_from"] = "bounce.shop.example".into();
    }
    Plan::from_json(&document.to_string()).unwrap_or_else(|invalid| panic!("{invalid:#?}\n{document:#}"))
}

fn plans() -> impl Strategy<Value = Plan> {
    (prop::collection::vec(drawn(), IDS.len()), any::<bool>(), any::<bool>())
        .prop_map(|(drawn, own_bounces, needs_both)| plan(&drawn, own_bounces, needs_both))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost(plan in plans()) {
        if let Err(why) = compare(&plan, &way(&plan).free) {
            prop_assert!(false, "{why}\n{}", serde_json::to_string_pretty(&plan.steps).unwrap());
        }
    }
}

/// The same plans at each run.
fn some_plans(count: usize) -> impl Iterator<Item = Plan> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(move |_| plans().new_tree(&mut runner).unwrap().current())
}

/// The comparison can fail: it does if every step that changes records counts as free.
#[test]
fn what_is_not_free_is_missed() {
    let missed = some_plans(300).find_map(|plan| compare(&plan, &of_kind(&plan, StepKind::Dns)).err());
    assert!(missed.is_some_and(|why| why.contains("in its place, and has")));
}

fn of_kind(plan: &Plan, kind: StepKind) -> Steps {
    let steps = plan.steps.iter().enumerate().filter(|(_, step)| step.kind == kind);
    steps.map(|(at, _)| at).collect()
}

/// Once a gate has begun, an undo waits for it; it does not where the gate has not begun. So both are looked at.
#[test]
fn a_step_that_an_undo_waits_for_is_not_free() {
    let there = ["key", "spf", "look", "stop"];
    let drawn = IDS.map(|id| Drawn { there: there.contains(&id), after: Vec::new(), back: Back::AtOnce });
    let mut plan = plan(&drawn, false, true);
    let after = |step: &str, at_least: u64| After { step: step.to_owned(), at_least };
    let r#use = |identity: &str| Use {
        stream: "newsletter".to_owned(),
        identity: identity.to_owned(),
        share: None,
        over: None,
    };
    for step in plan.steps.iter_mut().filter(|step| ["look", "stop"].contains(&step.id.as_str())) {
        step.after = vec![after("key", 0), after("spf", 0)];
    }
    // The way back leads over the new sender, whose key and record have to be seen by then.
    let mut over = Step::new("over-the-new", StepKind::Send);
    over.after = vec![after("look", 10_800)];
    over.starts = vec![r#use("by-new-esp")];
    let mut back = Step::new("back", StepKind::Send);
    back.after = vec![after("over-the-new", 0)];
    back.starts = vec![r#use("by-old-esp")];
    back.stops = vec![r#use("by-new-esp")];
    let mut wait = Step::new("drained", StepKind::Gate);
    wait.after = vec![after("back", 1_209_600)];
    plan.steps[3].undo = Undo::Steps(vec![over, back, wait]);
    plan.check().unwrap();
    let way = way(&plan);
    assert_eq!(way.free, Steps::from([0]));
    let all: Steps = (0..4).collect();
    assert_eq!(wrong(&way, &all), BTreeSet::new());
    assert_ne!(wrong(&way, &Steps::from([0, 1, 3])), BTreeSet::new());
    assert!(compare(&plan, &way.free).is_ok());
    assert!(compare(&plan, &Steps::from([0, 2])).is_err());
}

/// Many of the sets that are not judged themselves do fail.
#[test]
fn what_is_judged_in_place_of_others_fails_for_them() {
    let mut total = Compared::default();
    for plan in some_plans(100) {
        let compared = compare(&plan, &way(&plan).free).unwrap();
        total.others += compared.others;
        total.failing += compared.failing;
    }
    assert!(total.others > 300 && total.failing > 100, "{total:?}");
}

macro_rules! corpus {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../../tests/plans/corpus/", $name, ".json")))),*]
    };
}

/// Plans of the corpus that have undo steps.
const CORPUS: [(&str, &str); 21] = corpus!(
    "safe/undo-before-what-is-not-reversible",
    "safe/undo-of-a-policy-tightened-last",
    "safe/undo-of-a-report-address",
    "safe/undo-of-a-return-path-after-its-bounces",
    "safe/undo-of-every-step",
    "safe/undo-of-two-moves-that-share-a-key",
    "safe/undo-that-waits-for-steps-of-the-plan",
    "safe/undo-up-to-the-point-of-no-return",
    "unsafe/p3.not-taken-back--key-left-published",
    "unsafe/p3.not-taken-back--old-sender-not-started-again",
    "unsafe/p3.not-taken-back--with-a-longer-ttl",
    "unsafe/p3.p1.no-dkim-under-enforcement--key-out-before-its-sender-stops",
    "unsafe/p3.p1.no-dkim-under-enforcement--key-out-with-the-first-of-two-streams",
    "unsafe/p3.p1.no-dkim-under-enforcement--old-key-back-behind-a-negative-answer",
    "unsafe/p3.p1.signature-not-verifiable--key-out-with-the-queue",
    "unsafe/p3.p1.spf-needed-too--a-second-too-early",
    "unsafe/p3.p1.spf-needed-too--include-out-before-the-queue-is-empty",
    "unsafe/p3.p1.spf-needed-too--old-include-back-and-cached-without",
    "unsafe/p3.p2.too-many-lookups--all-includes-back-at-once",
    "unsafe/p3.p6.no-gate--reject-on-the-way-back",
    "unsafe/p3.p9.no-mail-host--bounces-still-on-the-way",
);

#[test]
fn nothing_is_lost_in_the_corpus() {
    let mut others = 0;
    for (name, text) in CORPUS {
        let plan = Plan::from_json(text).unwrap();
        let compared = compare(&plan, &way(&plan).free);
        others += compared.unwrap_or_else(|why| panic!("{name}: {why}")).others;
    }
    assert!(others > 0);
}
