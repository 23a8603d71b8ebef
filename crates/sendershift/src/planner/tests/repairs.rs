//! Migrations that find something in a poor state, or at a bad time.

use super::*;
use crate::migration::Freeze;

/// One stream that moves to a domain with these records; its policy shall become `reject`.
fn moving(records: &[(&str, &str)]) -> (Migration, Snapshot) {
    let orders = stream(
        "orders",
        identity("now", "old.example", Some("old.example"), &[("k1", "old.example")], &["own"]),
        Some(identity("then", "new.example", Some("bounce.new.example"), &[("k2", "new.example")], &["own"])),
    );
    let domains = vec![domain("old.example", None), domain("new.example", Some(dmarc::Policy::Reject))];
    let own = source("own", "192.0.2.0/24", "ip4:192.0.2.0/24");
    let mut all = vec![
        ("old.example", "v=spf1 ip4:192.0.2.0/24 -all"),
        ("_dmarc.old.example", "v=DMARC1; p=reject; rua=mailto:reports@old.example"),
        ("k1._domainkey.old.example", KEY),
    ];
    all.extend(records);
    (migration(domains, vec![own], vec![orders]), zone(&all))
}

fn mx() -> Records {
    Records::Mx(vec![crate::dns::Mx { preference: 10, exchange: name("mx.old.example") }])
}

fn freeze(from: &str, until: &str) -> Freeze {
    Freeze { from: time(from), until: time(until), why: "sales".to_owned() }
}

/// In a freeze nothing is changed: a roll-out that would go on in one begins after it.
#[test]
fn no_rollout_goes_on_in_a_freeze() {
    let (mut migration, evidence) = moving(&[]);
    migration.waves = vec![Wave { over: 30 * DAY, ..wave("all") }];
    migration.streams[0].wave = Some("all".to_owned());
    let begins = |plan: &Plan| step(plan, "move-all").dates.unwrap();
    let without = begins(&safe(&migration, &evidence)).earliest;
    let days = |days: u64| without + jiff::SignedDuration::from_secs(i64::try_from(days * DAY).unwrap());
    migration.calendar.freezes = vec![Freeze {
        from: days(29),
        until: days(40),
        ..freeze("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    }];
    assert_eq!(begins(&safe(&migration, &evidence)).earliest, days(40));
    migration.calendar.freezes[0].from = days(30);
    assert_eq!(begins(&safe(&migration, &evidence)).earliest, without);
    // The latest start leaves time for all of it before a freeze.
    migration.calendar.freezes[0].from = days(200);
    migration.calendar.freezes[0].until = days(240);
    migration.calendar.deadline = Some(days(300));
    let latest = begins(&safe(&migration, &evidence)).latest.unwrap();
    assert!(latest <= days(170) || days(240) <= latest, "{latest}");
}

/// A goal is for all mail and all receivers: `t=y`, `pct`, and an order of tags that RFC 7489 does not read keep from it.
#[test]
fn goals_are_reached_in_full() {
    for there in [
        "v=DMARC1; p=reject; t=y; rua=mailto:reports@new.example",
        "v=DMARC1; p=quarantine; pct=20; rua=mailto:reports@new.example",
        "v=DMARC1; p=reject; rua=mailto:reports@new.example; pct=0",
        "v=DMARC1; rua=mailto:reports@new.example; p=none",
        "v=DMARC1; rua=mailto:reports@new.example; p=quarantine",
        "v=DMARC1; rua=mailto:reports@new.example; p=reject",
    ] {
        let (migration, evidence) = moving(&[("_dmarc.new.example", there)]);
        let plan = safe(&migration, &evidence);
        let of_policy = |change: &&crate::plan::Change| change.name == name("_dmarc.new.example");
        let last = plan.steps.iter().flat_map(|step| &step.changes).rfind(of_policy);
        let full = texts(&["v=DMARC1; p=reject; rua=mailto:reports@new.example"]);
        assert_eq!(last.and_then(|change| change.add.clone()), Some(full), "{there}");
    }
    let (migration, evidence) =
        moving(&[("_dmarc.new.example", "v=DMARC1; p=reject; rua=mailto:reports@new.example")]);
    let plan = safe(&migration, &evidence);
    assert!(plan.steps.iter().all(|step| !step.id.starts_with("dmarc-")));
}

/// What begins like a policy record and is none would stand beside the new one.
#[test]
fn nearly_a_policy_record() {
    let (migration, evidence) = moving(&[("_dmarc.new.example", "v=DMARC1 p=none")]);
    let (plan, proof) = planned(&migration, &evidence);
    assert!(codes(&plan.blockers).contains(&"plan.broken-dmarc"), "{:?}", plan.blockers);
    assert_ne!(proof.verdict, Judged::Safe);
}

/// Nothing can stand beside an alias: where mail exchanges are wanted there, that is a blocker, and the plan still makes sense.
#[test]
fn mail_exchanges_at_an_alias() {
    let (mut migration, evidence) = moving(&[]);
    migration.streams[0].then.as_mut().unwrap().mail_from = Some(name("alias.new.example"));
    migration.domains.push(Domain { mx: Some(mx()), ..domain("alias.new.example", None) });
    let text = serde_json::to_string(&evidence).unwrap().replacen(
        "\"answers\":[",
        r#""answers":[{"name":"alias.new.example","type":"CNAME","ttl":3600,"authoritative":true,"records":["www.old.example."]},"#,
        1,
    );
    let (plan, _) = planned(&migration, &Snapshot::from_json(&text).unwrap());
    assert!(codes(&plan.blockers).contains(&"plan.alias-in-the-way"), "{:?}", plan.blockers);
}

/// Reports come to a host of ours: it is let take them where the policy is complete already, too, and no policy relies on a mail host that
/// nobody sees yet.
#[test]
fn reports_arrive_before_a_policy_relies_on_them() {
    let complete = "v=DMARC1; p=none; rua=mailto:reports@old.example";
    let (mut migration, evidence) = moving(&[("_dmarc.new.example", complete)]);
    let plan = safe(&migration, &evidence);
    let authorised = &step(&plan, "authorise-reports-new-example").changes[0];
    assert_eq!(authorised.name, name("new.example._report._dmarc.old.example"));

    let (_, evidence) = moving(&[("_dmarc.new.example", "v=DMARC1; p=reject")]);
    migration.domains.push(Domain { mx: Some(mx()), ..domain("reports.new.example", None) });
    migration.domains[1].dmarc.as_mut().unwrap().rua = vec!["mailto:reports@reports.new.example".to_owned()];
    let plan = safe(&migration, &evidence);
    assert_eq!(wait(&plan, "publish-dmarc-new-example", "publish-mx-reports-new-example"), Some(262_800));
}
