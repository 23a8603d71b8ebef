//! Small migrations, each with what its plan must be.

use super::*;
use crate::error::Error;

fn split() -> (Migration, Snapshot) {
    let corporate = stream(
        "staff",
        identity("now", "old.example", Some("old.example"), &[("corp", "old.example")], &["office"]),
        None,
    );
    let mut platform = stream(
        "platform",
        identity("now", "old.example", Some("old.example"), &[("plat", "old.example")], &["platform"]),
        Some(identity(
            "then",
            "new.example",
            Some("bounce.new.example"),
            &[("net1", "new.example")],
            &["platform"],
        )),
    );
    platform.needs_both = true;
    let mut migration = migration(
        vec![domain("old.example", None), domain("new.example", Some(dmarc::Policy::Reject))],
        vec![
            source("office", "192.0.2.0/24", "ip4:192.0.2.0/24"),
            source("platform", "198.51.100.0/26", "ip4:198.51.100.0/26"),
        ],
        vec![corporate, platform],
    );
    migration.customers = vec![customers(30 * DAY)];
    (migration, zone(SPLIT))
}

const SPLIT: &[(&str, &str)] = &[
    ("old.example", "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/26 -all"),
    ("old.example", "verification=1"),
    ("_dmarc.old.example", "v=DMARC1; p=reject; rua=mailto:reports@old.example"),
    ("corp._domainkey.old.example", KEY),
    ("plat._domainkey.old.example", KEY),
    ("new.example", "v=spf1 -all"),
];

#[test]
fn a_split_is_planned_and_proven() {
    let (migration, evidence) = split();
    let plan = safe(&migration, &evidence);
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "publish-dkim-new-example",
            "authorise-reports-new-example",
            "publish-dmarc-new-example",
            "publish-spf-bounce-new-example",
            "notify-gateways",
            "move-all",
            "watch-all",
            "check-quarantine-new-example",
            "dmarc-quarantine-new-example",
            "check-reject-new-example",
            "dmarc-reject-new-example",
            "shrink-spf-old-example",
            "remove-dkim-old-example",
            "close",
        ]
    );
    // Absence lives 15 minutes, and resolvers may be three days behind: the next whole hour.
    assert_eq!(wait(&plan, "move-all", "publish-spf-bounce-new-example"), Some(3 * DAY + 3600));
    assert_eq!(wait(&plan, "move-all", "notify-gateways"), Some(30 * DAY));
    assert_eq!(
        wait(&plan, "publish-dmarc-new-example", "authorise-reports-new-example"),
        Some(3 * DAY + 3600)
    );
    assert_eq!(wait(&plan, "shrink-spf-old-example", "move-all"), Some(5 * DAY));
    assert_eq!(wait(&plan, "remove-dkim-old-example", "move-all"), Some(14 * DAY));
    assert_eq!(wait(&plan, "check-quarantine-new-example", "move-all"), Some(30 * DAY));
    let shrink = &step(&plan, "shrink-spf-old-example").changes[0];
    assert_eq!(shrink.add, Some(texts(&["v=spf1 ip4:192.0.2.0/24 -all"])));
    // The verification token beside it stays.
    assert_eq!(
        shrink.preview.as_ref().unwrap().after,
        Some(texts(&["verification=1", "v=spf1 ip4:192.0.2.0/24 -all"]))
    );
    assert_eq!(plan.point_of_no_return.as_deref(), Some("shrink-spf-old-example"));
    assert!(codes(&plan.findings).contains(&"audit.apex-without-policy"));
}

#[test]
fn plans_are_read_again() {
    let (migration, evidence) = split();
    let plan = safe(&migration, &evidence);
    assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan);
}

/// A deadline that is too near is a blocker that names the chain of waits.
#[test]
fn deadlines_are_blockers() {
    let (mut migration, evidence) = split();
    migration.calendar.deadline = Some(time("2026-03-01T00:00:00Z"));
    let (plan, _) = planned(&migration, &evidence);
    assert_eq!(codes(&plan.blockers), ["plan.deadline-not-met"]);
    assert!(
        plan.blockers[0].message.contains("`notify-gateways` (2026-01-05 09:00), wait 30 d; then `move-all`"),
        "{}",
        plan.blockers[0].message
    );
    let slack = step(&plan, "notify-gateways").dates.unwrap().slack.unwrap();
    assert!(slack < 0);
    assert_eq!(plan.critical_path.first().map(String::as_str), Some("notify-gateways"));
    assert_eq!(plan.critical_path.last().map(String::as_str), Some("close"));
    // With enough time there is none, and the step of the critical path with the least slack decides.
    migration.calendar.deadline = Some(time("2026-12-01T00:00:00Z"));
    let plan = safe(&migration, &evidence);
    let slacks: Vec<i64> = plan.steps.iter().map(|step| step.dates.unwrap().slack.unwrap()).collect();
    assert!(slacks.iter().all(|slack| *slack > 0));
    assert_eq!(step(&plan, "notify-gateways").dates.unwrap().slack, slacks.iter().min().copied());
}

#[test]
fn steps_start_on_working_days_outside_freezes() {
    let (mut migration, evidence) = split();
    migration.calendar.working_days = [true, true, true, true, true, false, false];
    migration.calendar.freezes = vec![crate::migration::Freeze {
        from: time("2026-02-01T00:00:00Z"),
        until: time("2026-02-21T00:00:00Z"),
        why: "accounts are closed".to_owned(),
    }];
    let plan = safe(&migration, &evidence);
    // Thirty days after the notice is in the freeze, and its end is a Saturday.
    assert_eq!(step(&plan, "move-all").dates.unwrap().earliest, time("2026-02-23T00:00:00Z"));
}

#[test]
fn nothing_to_do_is_an_empty_plan() {
    let (mut migration, evidence) = split();
    migration.streams.truncate(1);
    migration.domains.truncate(1);
    let plan = safe(&migration, &evidence);
    assert_eq!((plan.steps.len(), plan.blockers.len()), (0, 0));
    assert_eq!(plan.point_of_no_return, None);
}

/// Where the sources differ, queued messages leave by either: for that time both records authorise both.
#[test]
fn other_sources_are_authorised_for_the_time_of_the_move() {
    let (mut migration, evidence) = split();
    migration.sources.push(source("pool", "203.0.113.0/28", "ip4:203.0.113.0/28"));
    migration.streams[1].then.as_mut().unwrap().sources = vec!["pool".to_owned()];
    let plan = safe(&migration, &evidence);
    let record = |id: &str| step(&plan, id).changes[0].add.clone().unwrap();
    assert_eq!(
        record("publish-spf-old-example"),
        texts(&["v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/26 ip4:203.0.113.0/28 -all"])
    );
    assert_eq!(
        record("publish-spf-bounce-new-example"),
        texts(&["v=spf1 ip4:203.0.113.0/28 ip4:198.51.100.0/26 ~all"])
    );
    assert_eq!(record("shrink-spf-old-example"), texts(&["v=spf1 ip4:192.0.2.0/24 -all"]));
    assert_eq!(record("shrink-spf-bounce-new-example"), texts(&["v=spf1 ip4:203.0.113.0/28 ~all"]));
    assert_eq!(wait(&plan, "move-all", "publish-spf-old-example"), Some(3 * DAY + 2 * 3600));
}

/// No wait is longer than it has to be by an hour or more: with an hour less, messages are lost.
#[test]
fn waits_are_tight() {
    let (mut migration, evidence) = split();
    migration.sources.push(source("pool", "203.0.113.0/28", "ip4:203.0.113.0/28"));
    migration.streams[1].then.as_mut().unwrap().sources = vec!["pool".to_owned()];
    let plan = safe(&migration, &evidence);
    for (id, after) in [
        ("move-all", "publish-dkim-new-example"),
        ("move-all", "publish-dmarc-new-example"),
        ("move-all", "publish-spf-bounce-new-example"),
        ("move-all", "publish-spf-old-example"),
        ("shrink-spf-old-example", "move-all"),
        ("shrink-spf-bounce-new-example", "move-all"),
        ("remove-dkim-old-example", "move-all"),
    ] {
        let mut shorter = plan.clone();
        let step = shorter.steps.iter_mut().find(|step| step.id == id).unwrap();
        let wait = step.after.iter_mut().find(|wait| wait.step == after).unwrap();
        wait.at_least -= 3600;
        assert_eq!(prove(&shorter).unwrap().verdict, Judged::Unsafe, "{id} after {after}");
    }
}

#[test]
fn waves_wait_for_each_other() {
    let (mut migration, evidence) = split();
    let mut second = migration.streams[1].clone();
    second.id = "alerts".to_owned();
    second.now.dkim = vec![signature("corp", "old.example")];
    migration.waves = vec![wave("first"), wave("second")];
    migration.streams[1].wave = Some("second".to_owned());
    second.wave = Some("first".to_owned());
    migration.streams.push(second);
    let plan = safe(&migration, &evidence);
    assert_eq!(wait(&plan, "watch-first", "move-first"), Some(7 * DAY));
    assert_eq!(wait(&plan, "move-second", "watch-first"), Some(0));
    assert_eq!(step(&plan, "move-first").starts[0].stream, "alerts");
    assert_eq!(wait(&plan, "shrink-spf-old-example", "watch-second"), Some(0));
    // The other key is still used by the stream that stays.
    let removed: Vec<&str> =
        step(&plan, "remove-dkim-old-example").changes.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(removed, ["plat._domainkey.old.example"]);
}

#[test]
fn a_selector_is_never_used_again() {
    let (mut migration, _) = split();
    let mut evidence: Vec<(&str, &str)> = vec![
        ("old.example", "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/26 -all"),
        ("_dmarc.old.example", "v=DMARC1; p=reject; rua=mailto:reports@old.example"),
        ("corp._domainkey.old.example", KEY),
        ("plat._domainkey.old.example", KEY),
    ];
    evidence.push(("net1._domainkey.new.example", "v=DKIM1; p="));
    let (plan, _) = planned(&migration, &zone(&evidence));
    assert!(codes(&plan.blockers).contains(&"plan.selector-reused"), "{:?}", plan.blockers);
    // Without a key to publish there is none.
    evidence.pop();
    migration.streams[1].keys.clear();
    let (plan, _) = planned(&migration, &zone(&evidence));
    assert!(codes(&plan.blockers).contains(&"plan.no-usable-key"), "{:?}", plan.blockers);
}

/// RFC 7208 section 4.6.4: a record over the limit helps nobody.
#[test]
fn a_record_that_does_not_fit_is_a_blocker() {
    let (mut migration, _) = split();
    let includes: Vec<String> = (0..10).map(|n| format!("i{n}.old.example")).collect();
    let record = format!(
        "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/26 {} -all",
        includes.iter().map(|name| format!("include:{name}")).collect::<Vec<_>>().join(" ")
    );
    let mut records = vec![
        ("old.example", record.as_str()),
        ("_dmarc.old.example", "v=DMARC1; p=reject; rua=mailto:reports@old.example"),
        ("corp._domainkey.old.example", KEY),
        ("plat._domainkey.old.example", KEY),
        ("spf.pool.example", "v=spf1 ip4:203.0.113.0/28 -all"),
    ];
    records.extend(includes.iter().map(|name| (name.as_str(), "v=spf1 ?all")));
    let mut pool = source("pool", "203.0.113.0/28", "include:spf.pool.example");
    pool.include = Some(name("spf.pool.example"));
    migration.sources.push(pool);
    migration.streams[1].then.as_mut().unwrap().sources = vec!["pool".to_owned()];
    let (plan, _) = planned(&migration, &zone(&records));
    assert!(codes(&plan.blockers).contains(&"plan.spf-does-not-fit"), "{:?}", plan.blockers);
    // Mail that DKIM alone authenticates does without.
    migration.streams[1].needs_both = false;
    let plan = safe(&migration, &zone(&records));
    assert!(codes(&plan.findings).contains(&"plan.queued-mail-by-dkim"), "{:?}", plan.findings);
}

/// RFC 8463: not all verifiers know Ed25519, so a stream is not moved to it alone unless nobody asks for those.
#[test]
fn a_new_key_that_not_all_verifiers_know() {
    let (mut migration, evidence) = split();
    for stream in &mut migration.streams {
        for key in &mut stream.keys {
            key.records = texts(&["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]);
        }
    }
    let (plan, proof) = planned(&migration, &evidence);
    assert!(plan.blockers.iter().any(|it| it.message.contains("RFC 8463")), "{:?}", plan.blockers);
    assert_ne!(proof.verdict, Judged::Safe);
    migration.parameters.receivers = vec![&crate::spf::Profile::RFC7208];
    safe(&migration, &evidence);
}

/// What an include does not tell of the addresses of its source is said, and not left to the proof.
#[test]
fn sources_that_cannot_be_read_are_blockers() {
    for (record, blockers, findings) in [
        ("v=spf1 ip4:198.51.100.0/26 include:gone.esp.example -all", &["plan.source-unread"][..], &[][..]),
        ("v=spf1 foo:bar", &["plan.source-unread", "plan.empty-source"], &[]),
        ("v=spf1 -all", &["plan.empty-source"], &[]),
        ("v=spf1 exists:%{i}.esp.example -all", &["plan.empty-source"], &[]),
        ("v=spf1 ip4:198.51.100.0/26 exists:%{i}.esp.example -all", &[], &["audit.source-open"]),
        ("v=spf1 ip4:198.51.100.0/26 -all", &[], &[]),
    ] {
        let (mut migration, _) = split();
        migration.sources[1].addresses = crate::net::AddressSet::empty();
        migration.sources[1].include = Some(name("spf.esp.example"));
        let mut records = SPLIT.to_vec();
        records.push(("spf.esp.example", record));
        let (plan, _) = planned(&migration, &zone(&records));
        let about: Vec<&str> =
            codes(&plan.blockers).into_iter().filter(|code| code.contains("source")).collect();
        assert_eq!(about, blockers, "{record}");
        let about: Vec<&str> =
            codes(&plan.findings).into_iter().filter(|code| code.contains("source-open")).collect();
        assert_eq!(about, findings, "{record}");
    }
    // A name without a record.
    let (mut migration, evidence) = split();
    migration.sources[1].include = Some(name("spf.esp.example"));
    let (plan, proof) = planned(&migration, &evidence);
    assert!(codes(&plan.blockers).contains(&"plan.source-unread"), "{:?}", plan.blockers);
    assert_ne!(proof.verdict, Judged::Safe);
}

/// RFC 1035 section 3.3.13: records without a TTL may have MINIMUM of the zone for it.
#[test]
fn records_without_a_ttl() {
    let (migration, evidence) = split();
    let text = serde_json::to_string(&evidence).unwrap();
    let text = text.replace("\"ttl\":7200,", "").replace("1209600 900", "1209600 259200");
    assert_eq!(text.matches("7200,").count(), 0, "{text}");
    let evidence = Snapshot::from_json(&text).unwrap();
    let plan = safe(&migration, &evidence);
    assert!(codes(&plan.findings).contains(&"audit.no-ttl"), "{:?}", plan.findings);
}

#[test]
fn enforcement_needs_dkim() {
    let (mut migration, evidence) = split();
    migration.streams[1].needs_both = false;
    migration.streams[1].then.as_mut().unwrap().dkim.clear();
    let (plan, _) = planned(&migration, &evidence);
    assert_eq!(codes(&plan.blockers), ["plan.enforcement-fails"]);
    migration.streams[1].spf_only = true;
    safe(&migration, &evidence);
}

/// What is forged in a name that does not exist yet is refused by `np`, and goes on to be when the name has a policy of its own.
#[test]
fn a_new_author_domain_under_np() {
    let (mut migration, _) = split();
    let mut app = domain("app.new.example", Some(dmarc::Policy::Reject));
    app.mx = Some(Records::Mx(vec![crate::dns::Mx { preference: 10, exchange: name("mx.old.example") }]));
    migration.domains.push(app);
    let then = migration.streams[1].then.as_mut().unwrap();
    then.author_domain = name("app.new.example");
    let policy = "v=DMARC1; p=reject; sp=none; np=reject; rua=mailto:reports@old.example";
    let evidence = zone(&[SPLIT, &[("_dmarc.new.example", policy)]].concat());
    let plan = safe(&migration, &evidence);
    let published = step(&plan, "publish-dmarc-app-new-example").changes[0].add.clone();
    assert_eq!(published, Some(texts(&["v=DMARC1; p=reject; rua=mailto:reports@old.example"])));
}

/// A stream that fails today is judged from the step that repairs it, a staying one that nothing repairs is a blocker.
#[test]
fn failing_streams() {
    let (mut migration, _) = split();
    migration.streams[0].now.dkim.clear();
    let evidence = zone(&[("old.example", "v=spf1 ip4:192.0.2.0/24 -all")]);
    let (plan, _) = planned(&migration, &evidence);
    assert_eq!(codes(&plan.blockers), ["plan.fails-and-stays"]);
    migration.domains[0] = domain("old.example", Some(dmarc::Policy::None));
    let plan = safe(&migration, &evidence);
    assert_eq!(plan.streams[0].judged_from.as_deref(), Some("close"));
    assert_eq!(plan.streams[1].judged_from.as_deref(), Some("watch-all"));
    let expected =
        ["audit.no-dmarc", "audit.fails-today", "audit.source-not-authorised", "plan.term-not-found"];
    for code in expected {
        assert!(codes(&plan.findings).contains(&code), "{code}: {:?}", plan.findings);
    }
}

/// All that is missing is asked for at once, as far as it can be known.
#[test]
fn missing_evidence_is_asked_for() {
    let (migration, _) = split();
    let evidence = Snapshot::from_json(r#"{ "format": "sendershift-snapshot/1", "answers": [] }"#).unwrap();
    let Err(Error::Missing(missing)) = super::super::plan(&migration, &evidence) else { panic!("complete") };
    let questions: Vec<String> = missing.questions.iter().map(ToString::to_string).collect();
    for wanted in [
        "old.example TXT",
        "_dmarc.new.example TXT",
        "net1._domainkey.new.example TXT",
        "bounce.new.example TXT",
        "bounce.new.example MX",
    ] {
        assert!(questions.iter().any(|question| question == wanted), "{wanted}: {questions:?}");
    }
}

/// The reference example, against facts of 2022: ten lookups before, nine after, and done before the deadline.
#[test]
fn qualys() {
    let migration =
        Migration::from_toml(include_str!("../../../../../docs/examples/qualys/migration.toml")).unwrap();
    let evidence = Snapshot::from_json(include_str!("../../../../../docs/examples/qualys/dns.json")).unwrap();
    let plan = safe(&migration, &evidence);
    let shrink = step(&plan, "shrink-spf-qualys-com");
    assert!(shrink.why.contains("costs 9 lookups at worst afterwards, 10 before"), "{}", shrink.why);
    // A parked record of qualys.net with a TTL of a day is replaced, and three days of stale answers come on top.
    assert_eq!(wait(&plan, "move-named-applications", "publish-spf-qualys-net"), Some(4 * DAY));
    assert_eq!(wait(&plan, "move-named-applications", "notify-own-domain"), Some(90 * DAY));
    assert!(plan.steps.iter().all(|step| step.dates.unwrap().slack.unwrap() > 0));
    // Every notice is sent at once; six months are not enough.
    let mut hasty = migration.clone();
    hasty.calendar.deadline = Some(time("2022-06-30T00:00:00Z"));
    hasty.parameters.deadline = hasty.calendar.deadline;
    let (plan, _) = planned(&hasty, &evidence);
    assert_eq!(codes(&plan.blockers), ["plan.deadline-not-met"]);
}
