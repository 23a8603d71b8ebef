//! What hand-written documents may leave out, and what is wrong with malformed ones.

use crate::plan::{Parameters, Plan, SignedAt, StepKind};

pub(super) const MINIMAL: &str = include_str!("minimal.json");

/// The minimal document with one text replaced, which has to be there.
fn edited(from: &str, to: &str) -> String {
    assert!(MINIMAL.contains(from), "{from}");
    MINIMAL.replacen(from, to, 1)
}

/// Each problem as its code and line.
fn problems(text: &str) -> Vec<(&'static str, u32)> {
    match Plan::from_json(text) {
        Ok(_) => Vec::new(),
        Err(invalid) => invalid.problems.iter().map(|p| (p.code, p.line.unwrap())).collect(),
    }
}

#[test]
fn what_is_left_out_has_a_default() {
    let plan = Plan::from_json(MINIMAL).unwrap();
    assert_eq!(plan.parameters, Parameters::new("2026-11-02T00:00:00Z".parse().unwrap()));
    assert_eq!((plan.title.as_str(), plan.streams[0].signed_at), ("", SignedAt::Injection));
    assert_eq!(plan.streams[0].identities[1].mail_from, None);
    assert_eq!(plan.steps[2].after[0].at_least, 0);
    assert_eq!((plan.steps[3].kind, plan.steps[3].reversible), (StepKind::External, false));
    assert!(plan.steps[0].reversible && plan.steps[0].dates.is_none());
    assert!(plan.check().is_ok());
}

/// The minimal document with customers on the second line.
fn with_customers(customers: &str) -> String {
    let text = edited("\"kind\": \"external\"", "\"kind\": \"gate\"")
        .replace("\"on\": \"2027-01-01T00:00:00Z\"", "\"after\": []");
    let notice = "\"steps\": [{ \"id\": \"letter\", \"kind\": \"notify\", \"after\": [] },";
    text.replacen("\"steps\": [", notice, 1).replacen(
        "\"parameters\"",
        &format!("\"customers\": [{customers}], \"parameters\""),
        1,
    )
}

#[test]
fn customers_and_what_they_refer_to() {
    let whole = r#"{ "id": "acme", "streams": ["mail"], "lead_time": "P90D", "notified_by": "letter",
        "own_domains": ["acme.example"], "ready_when": "dead", "fallback": { "stream": "mail", "identity": "old" } }"#;
    let whole = whole.replace("\n        ", " ");
    let plan = Plan::from_json(&with_customers(&whole)).unwrap();
    assert_eq!((plan.customers[0].lead_time, plan.customers[0].own_domains.len()), (90 * 86_400, 1));
    let short = r#"{ "id": "a", "streams": ["mail"], "lead_time": "PT0S", "notified_by": "letter" }"#;
    let customers = Plan::from_json(&with_customers(short)).unwrap().customers;
    assert_eq!(customers, [super::super::Customer::new("a", vec!["mail".to_owned()], 0, "letter")]);
    for (from, to, code) in [
        ("\"lead_time\": \"P90D\", ", "", "document.missing-key"),
        ("P90D", "-P90D", "document.bad-duration"),
        ("[\"mail\"]", "[\"mial\"]", "plan.unknown-stream"),
        ("[\"mail\"]", "[]", "plan.customer-without-stream"),
        ("\"letter\"", "\"lettre\"", "plan.unknown-step"),
        ("\"letter\"", "\"publish\"", "plan.not-a-notice"),
        ("\"dead\"", "\"deed\"", "plan.unknown-step"),
        ("\"dead\"", "\"letter\"", "plan.not-a-gate"),
        ("[\"acme.example\"]", "[]", "plan.no-own-domains"),
        ("acme.example", "bob@acme.example", "name.mailbox"),
        ("\"stream\": \"mail\"", "\"stream\": \"m\"", "plan.unknown-stream"),
        ("\"identity\": \"old\"", "\"identity\": \"odl\"", "plan.unknown-identity"),
        ("\"ready_when\"", "\"ready\"", "document.unknown-key"),
        ("\"id\": \"acme\"", "\"id\": \"\"", "plan.empty-id"),
    ] {
        assert!(whole.contains(from), "{from}");
        let text = with_customers(&whole.replacen(from, to, 1));
        assert_eq!(problems(&text), [(code, 3)], "{to}");
    }
    assert_eq!(problems(&with_customers(&format!("{short}, {short}"))), [("plan.duplicate-id", 3)]);
    let invalid = Plan::from_json(&with_customers(&short.replace("letter", "lettre"))).unwrap_err();
    assert_eq!(invalid.problems[0].help.as_deref(), Some("did you mean `letter`?"));
}

/// RFC 8461 section 3.2: the policies of a domain, one after the other.
#[test]
fn policies_of_mta_sts() {
    const TEXT: &str = r"version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 86400\n";
    let with = |policies: &str| {
        let policies = policies.replace("TEXT", TEXT);
        edited("\"parameters\"", &format!("\"mta_sts\": [{policies}], \"parameters\""))
    };
    let whole = r#"{ "domain": "example.com", "policy": "TEXT" }, { "domain": "example.com", "policy": "TEXT", "from": "publish" },
        { "domain": "example.com", "policy": "TEXT", "from": "clean" }, { "domain": "example.net", "policy": "TEXT", "from": "clean" }"#;
    let whole = whole.replace("\n        ", " ");
    let plan = Plan::from_json(&with(&whole)).unwrap();
    let from: Vec<Option<&str>> = plan.mta_sts.iter().map(|published| published.from.as_deref()).collect();
    assert_eq!(from, [None, Some("publish"), Some("clean"), Some("clean")]);
    assert_eq!(plan.mta_sts[0].policy.max_age(), 86_400);
    assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan);
    for (from, to, code) in [
        ("\"publish\"", "\"publsh\"", "plan.unknown-step"),
        ("\"publish\"", "\"start\"", "plan.not-a-publication"),
        ("\"publish\"", "\"clean\"", "plan.unordered-policies"),
        // Whatever happens on its date does not wait.
        ("\"publish\"", "\"dead\"", "plan.unordered-policies"),
        ("\"policy\": \"TEXT\", \"from\": \"publish\"", "\"policy\": \"TEXT\"", "plan.policy-without-step"),
        ("example.net", "bob@example.net", "name.mailbox"),
        ("\"domain\": \"example.net\", ", "", "document.missing-key"),
        ("\"from\": \"publish\"", "\"form\": \"publish\"", "document.unknown-key"),
        ("TEXT", &TEXT.replace("enforce", "on"), "mta-sts.bad-mode"),
        ("TEXT", &TEXT.replace("mx:", "mx"), "mta-sts.bad-line"),
    ] {
        assert!(whole.contains(from), "{from}");
        let found = problems(&with(&whole.replacen(from, to, 1)));
        assert!(found.contains(&(code, 3)), "{to}: {found:?}");
    }
    let invalid =
        Plan::from_json(&with(&whole.replacen("TEXT", &TEXT.replace("enforce", "on"), 1))).unwrap_err();
    assert!(invalid.problems[0].message.starts_with("line 2 of the policy: "), "{invalid}");
}

/// Replaces a text and looks for one problem; an empty code stands for none.
fn assert_problems(cases: &[(&str, &str, &str, u32)]) {
    for (from, to, code, line) in cases {
        let expected = if code.is_empty() { Vec::new() } else { vec![(*code, *line)] };
        assert_eq!(problems(&edited(from, to)), expected, "{to}");
    }
}

#[test]
fn documents_of_the_wrong_form() {
    let parameters = r#""parameters": {}"#;
    assert_problems(&[
        // The structure.
        ("sendershift-plan/1", "sendershift-plan/2", "document.wrong-format", 2),
        ("\"after\": []", "\"after\": null", "document.missing-key", 15),
        ("\"live\": [\"old\"]", "\"live\": [\"old\"], \"lives\": 1", "document.unknown-key", 12),
        ("\"kind\": \"dns\"", "\"kind\": \"dsn\"", "plan.unknown-kind", 15),
        ("\"live\": [\"old\"]", "\"live\": [\"old\"], \"signed_at\": \"noon\"", "plan.unknown-signed-at", 12),
        ("\"mail_from\": null, ", "", "document.missing-key", 10),
        ("192.0.2.0/28", "192.0.2.0/33", "net.bad-prefix", 5),
        ("\"PT60S\"", "\"P101Y\"", "document.bad-duration", 19),
        ("\"PT60S\"", "\"PT3153600001S\"", "plan.duration-too-long", 19),
        ("\"PT60S\"", "\"-PT60S\"", "document.bad-duration", 19),
        ("\"ttl_after\": 60", "\"ttl_after\": 2147483648", "plan.ttl-too-long", 17),
        ("\"expect\": \"absent\"", "\"expect\": \"nothing\"", "plan.bad-expect", 17),
        ("\"expect\": \"absent\"", "\"expect\": []", "plan.bad-expect", 17),
        ("\"add\": [\"v=spf1 -all\"]", "\"add\": [\"\\\\9\"]", "dns.bad-escape", 17),
        ("\"closed\": true", "\"closed\": 1", "document.wrong-type", 30),
        ("\"taken\": \"2026-11-02T00:00:00Z\", ", "", "plan.no-start", 3),
        (parameters, r#""parameters": { "utc_offset": "+24:00" }"#, "plan.bad-offset", 3),
        (parameters, r#""parameters": { "receivers": ["strickt"] }"#, "spf.unknown-profile", 3),
    ]);
}

/// RFC 5321 section 2.3.5: what is no domain of mail is no identity, and would be judged by names that nobody asks for.
#[test]
fn domains_that_no_mail_has() {
    let (author, path) = (r#""author_domain": "example.com""#, r#""mail_from": "example.com""#);
    assert_problems(&[
        (author, "\"author_domain\": \"bob@example.com\"", "name.mailbox", 9),
        (path, "\"mail_from\": \"bounce@example.com\"", "name.mailbox", 9),
        (path, "\"mail_from\": \"<>\"", "name.not-for-mail", 9),
        (path, "\"mail_from\": \".\"", "name.not-for-mail", 9),
        (path, "\"mail_from\": \"example..com\"", "name.empty-label", 9),
        (path, &format!("{path}, \"helo\": \"[192.0.2.1]\""), "name.not-for-mail", 9),
        (
            "\"id\": \"dead\",",
            r#""id": "dead", "gives_up": [{ "source": "pool", "name": "example.org" }],"#,
            "plan.bad-gives-up",
            23,
        ),
        ("\"id\": \"dead\",", r#""id": "dead", "gives_up": [{}],"#, "plan.bad-gives-up", 23),
        (
            path,
            &format!(r#"{path}, "dkim": [{{ "selector": "s1", "domain": "@example.com" }}]"#),
            "name.mailbox",
            9,
        ),
    ]);
}

#[test]
fn documents_that_make_no_sense() {
    let publish = r#"{ "id": "publish", "kind": "dns", "after": [],"#;
    let stop = r#"{ "id": "stop", "kind": "send", "after": [{ "step": "start" }],"#;
    let parameters = r#""parameters": {}"#;
    let identity =
        r#"{ "id": "new", "author_domain": "example.net", "mail_from": null, "sources": ["pool"] }"#;
    let change = r#"{ "name": "example.net", "type": "TXT", "ttl_after": 60, "add": ["v=spf1 -all"], "expect": "absent" }"#;
    let clean = r#"{ "name": "example.com", "type": "TXT", "ttl_before": 60, "remove": ["v=spf1 -all"] }"#;
    assert_problems(&[
        (parameters, r#""parameters": { "receivers": [] }"#, "plan.no-receivers", 3),
        (parameters, r#""parameters": { "within_limits_from": "stob" }"#, "plan.unknown-step", 3),
        ("\"live\": [\"old\"]", "\"live\": [\"old\"], \"judged_from\": \"x\"", "plan.unknown-step", 12),
        ("\"step\": \"publish\"", "\"step\": \"publsh\"", "plan.unknown-step", 19),
        ("\"live\": [\"old\"]", "\"live\": [\"odl\", \"old\"]", "plan.unknown-identity", 12),
        (
            "\"stream\": \"mail\", \"identity\": \"new\"",
            "\"stream\": \"mial\", \"identity\": \"new\"",
            "plan.unknown-stream",
            20,
        ),
        ("\"identity\": \"new\"", "\"identity\": \"neu\"", "plan.unknown-identity", 20),
        ("\"sources\": [\"pool\"]", "\"sources\": [\"pool\", \"pol\"]", "plan.unknown-source", 9),
        (
            "\"id\": \"dead\",",
            r#""id": "dead", "gives_up": [{ "name": "example.org" }, { "source": "pol" }],"#,
            "plan.unknown-source",
            23,
        ),
        ("\"id\": \"dead\"", "\"id\": \"publish\"", "plan.duplicate-id", 23),
        (
            "[\"192.0.2.0/28\"] }",
            r#"["192.0.2.0"] }, { "id": "pool", "addresses": ["192.0.2.1"] }"#,
            "plan.duplicate-id",
            5,
        ),
        (identity, &format!("{identity}, {}", identity.replace("new", "old")), "plan.duplicate-id", 10),
        ("\"id\": \"dead\"", "\"id\": \"\"", "plan.empty-id", 23),
        // What is empty.
        ("\"addresses\": [\"192.0.2.0/28\"]", "\"addresses\": []", "plan.empty-source", 5),
        ("null, \"sources\": [\"pool\"]", "null, \"sources\": []", "plan.identity-without-source", 10),
        (
            "}],\n  \"steps\"",
            "}, { \"id\": \"x\", \"identities\": [], \"live\": [] }],\n  \"steps\"",
            "plan.nothing-live",
            13,
        ),
        // Steps.
        (
            stop,
            r#"{ "id": "stop", "kind": "gate", "after": [{ "step": "start" }],"#,
            "plan.use-outside-send",
            22,
        ),
        (
            "\"kind\": \"external\", \"on\": \"2027-01-01T00:00:00Z\"",
            "\"kind\": \"external\"",
            "plan.external-without-date",
            23,
        ),
        (
            "\"on\": \"2027-01-01T00:00:00Z\"",
            "\"on\": \"2027-01-01T00:00:00Z\", \"after\": [{ \"step\": \"stop\" }]",
            "plan.external-waits",
            23,
        ),
        (
            stop,
            r#"{ "id": "stop", "kind": "send", "on": "2027-01-01T00:00:00Z", "after": [{ "step": "start" }],"#,
            "plan.date-outside-external",
            21,
        ),
        ("\"2027-01-01T00:00:00Z\"", "\"2027-01-01\"", "plan.date-without-time", 23),
        (publish, r#"{ "id": "publish", "kind": "notify", "after": [],"#, "plan.changes-outside-dns", 16),
        (change, "", "plan.no-changes", 15),
        ("\"identity\": \"new\"", "\"identity\": \"new\", \"share\": -1", "document.out-of-range", 20),
        ("\"identity\": \"new\"", "\"identity\": \"new\", \"share\": 0", "plan.bad-share", 20),
        ("\"identity\": \"new\"", "\"identity\": \"new\", \"share\": 1001", "plan.bad-share", 20),
        // Changes.
        ("\"remove\": [\"v=spf1 -all\"]", "\"remove\": []", "plan.empty-change", 26),
        ("\"ttl_after\": 60, ", "", "plan.no-ttl", 17),
        ("\"ttl_after\": 60, ", "\"ttl_after\": null, ", "plan.no-ttl", 17),
        (
            clean,
            r#"{ "name": "alias.example.com", "type": "TXT", "ttl_after": 60, "add": ["x"] }"#,
            "plan.alias-with-data",
            26,
        ),
        // Order.
        (publish, r#"{ "id": "publish", "kind": "dns", "after": [{ "step": "stop" }],"#, "plan.cycle", 15),
        (publish, r#"{ "id": "publish", "kind": "dns", "after": [{ "step": "publish" }],"#, "plan.cycle", 15),
        ("\"name\": \"example.com\", \"type\"", "\"name\": \"EXAMPLE.net.\", \"type\"", "", 0),
        (stop, r#"{ "id": "stop", "kind": "send", "after": [],"#, "", 0),
        ("\"identity\": \"new\"", "\"identity\": \"old\"", "plan.already-live", 20),
        (
            "\"stops\": [{ \"stream\": \"mail\", \"identity\": \"old\" }]",
            "\"starts\": [{ \"stream\": \"mail\", \"identity\": \"new\" }]",
            "plan.already-live",
            22,
        ),
        ("\"starts\"", "\"stops\"", "plan.not-live", 20),
    ]);
}

/// What starts for some messages stops for as many.
#[test]
fn shares_that_make_no_sense() {
    let stops = "\"stops\": [{ \"stream\": \"mail\", \"identity\": \"old\" }]";
    let text = edited("\"identity\": \"new\"", "\"identity\": \"new\", \"share\": 400");
    let then = |entry: &str| problems(&text.replace(stops, entry));
    let new = "{ \"stream\": \"mail\", \"identity\": \"new\", \"share\": ";
    assert_eq!(then(&format!("\"stops\": [{new} 400 }}]")), []);
    assert_eq!(then(&format!("\"stops\": [{new} 401 }}]")), [("plan.not-live", 22)]);
    assert_eq!(then(&format!("\"starts\": [{new} 600 }}]")), []);
    assert_eq!(then(&format!("\"starts\": [{new} 601 }}]")), [("plan.already-live", 22)]);
}

#[test]
fn what_has_no_order() {
    let free = r#"{ "id": "clean", "kind": "dns", "after": [],"#;
    let text = edited(r#"{ "id": "clean", "kind": "dns", "after": [{ "step": "stop" }],"#, free);
    let same = text.replace("\"name\": \"example.com\"", "\"name\": \"example.net\"");
    assert_eq!(problems(&same), [("plan.unordered-changes", 26)]);
    assert_eq!(problems(&same.replacen("\"type\": \"TXT\"", "\"type\": \"TYPE99\"", 1)), []);
    let alias = same.replacen(
        "\"TXT\", \"ttl_after\": 60, \"add\": [\"v=spf1 -all\"]",
        "\"CNAME\", \"ttl_after\": 60, \"add\": [\"a.example.\"]",
        1,
    );
    assert_eq!(problems(&alias), [("plan.unordered-changes", 26)], "an alias is on the way of all types");
    let twice = r#"{ "name": "example.net", "type": "TXT", "ttl_after": 60, "add": ["b"] },
        { "name": "example.net", "type": "TXT""#;
    let twice = edited(r#"{ "name": "example.net", "type": "TXT""#, twice);
    assert_eq!(problems(&twice), [("plan.unordered-changes", 18)], "changes of one step come in any order");
    let uses = edited("\"after\": [{ \"step\": \"start\" }]", "\"after\": []").replace(
        "\"stops\": [{ \"stream\": \"mail\", \"identity\": \"old\" }]",
        "\"stops\": [{ \"stream\": \"mail\", \"identity\": \"new\" }]",
    );
    assert_eq!(problems(&uses), [("plan.unordered-uses", 22)]);
}

#[test]
fn an_alias_may_become_data_in_one_step() {
    let from = r#"{ "name": "example.net", "type": "TXT", "ttl_after": 60"#;
    let alias = r#"{ "name": "alias.example.com", "type": "CNAME", "remove": ["example.com."] },
        { "name": "alias.example.com", "type": "TXT", "ttl_after": 60"#;
    assert_eq!(problems(&edited(from, alias)), []);
}

#[test]
fn a_ttl_alone_may_change() {
    let from = r#""ttl_before": 60, "remove": ["v=spf1 -all"]"#;
    assert_eq!(problems(&edited(from, r#""ttl_before": 3600, "ttl_after": 60"#)), []);
    assert_eq!(problems(&edited(from, r#""ttl_before": 60, "ttl_after": 60"#)), [("plan.empty-change", 26)]);
}

#[test]
fn nearest_names_and_cycles_are_named() {
    let message = |from, to| Plan::from_json(&edited(from, to)).unwrap_err().problems[0].to_string();
    assert_eq!(
        message("\"step\": \"publish\"", "\"step\": \"publsh\""),
        "line 19, column 58: there is no step `publsh` here (did you mean `publish`?)"
    );
    assert_eq!(
        message(r#""kind": "dns", "after": []"#, r#""kind": "dns", "after": [{ "step": "stop" }]"#),
        "line 15, column 48: these steps wait for each other: `publish`, `start`, `stop`"
    );
}

#[test]
fn all_problems_are_listed() {
    let text = edited("\"live\"", "\"lve\"").replace("PT60S", "x").replace("192.0.2.0/28", "y");
    let codes: Vec<&str> = problems(&text).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["net.bad-prefix", "document.unknown-key", "document.bad-duration"]);
    let text = edited("\"step\": \"stop\"", "\"step\": \"x\"")
        .replace("\"identity\": \"new\"", "\"identity\": \"y\"");
    assert_eq!(problems(&text), [("plan.unknown-identity", 20), ("plan.unknown-step", 24)]);
}

#[test]
fn undo_steps_are_looked_at() {
    let undo = |steps: &str| {
        edited(r#""kind": "dns", "after": []"#, &format!(r#""kind": "dns", "after": [], "undo": [{steps}]"#))
    };
    let codes =
        |steps: &str| -> Vec<&str> { problems(&undo(steps)).into_iter().map(|(code, _)| code).collect() };
    let gate = |id: &str, after: &str| format!(r#"{{ "id": "{id}", "kind": "gate", "after": [{after}] }}"#);
    assert_eq!(codes(&gate("a", r#"{ "step": "start" }"#)), [""; 0]);
    assert_eq!(codes(&[gate("a", ""), gate("b", r#"{ "step": "a" }"#)].join(",")), [""; 0]);
    assert_eq!(codes(&gate("a", r#"{ "step": "strt" }"#)), ["plan.unknown-step"]);
    assert_eq!(codes(&gate("start", "")), ["plan.duplicate-id"]);
    let circle = [gate("a", r#"{ "step": "b" }"#), gate("b", r#"{ "step": "a" }"#)].join(",");
    assert_eq!(codes(&circle), ["plan.cycle"]);
    assert_eq!(codes(r#"{ "id": "a", "kind": "notify", "after": [] }"#), ["plan.undo-kind"]);
    assert_eq!(codes(r#"{ "id": "a", "kind": "dns", "after": [] }"#), ["plan.no-changes"]);
    let nested =
        r#"{ "id": "a", "kind": "gate", "after": [], "undo": [{ "id": "b", "kind": "gate", "after": [] }] }"#;
    assert_eq!(codes(nested), ["plan.nested-undo"]);
}

#[test]
fn a_proof_is_not_read() {
    let text = edited("\"parameters\": {}", "\"parameters\": {}, \"proof\": [{ \"verdict\": 7 }, null]");
    assert_eq!(Plan::from_json(&text).unwrap(), Plan::from_json(MINIMAL).unwrap());
}

#[test]
fn long_plans_end_soon() {
    let steps = |count: usize, after: &dyn Fn(usize) -> Vec<usize>| {
        let step = |index: usize| {
            let after: Vec<String> =
                after(index).iter().map(|step| format!(r#"{{"step":"s{step}"}}"#)).collect();
            format!(
                r#"{{"id":"s{index}","kind":"dns","after":[{}],"changes":[{{"name":"example.org","type":"TXT","ttl_after":60,"add":["{index}"]}}]}}"#,
                after.join(",")
            )
        };
        let steps: Vec<String> = (0..count).map(step).collect();
        edited("\"steps\": [", &format!("\"steps\": [{},", steps.join(",")))
    };
    let chain = |index: usize| index.checked_sub(1).into_iter().collect();
    assert_eq!(problems(&steps(20_000, &chain)), []);
    assert_eq!(problems(&steps(20_000, &|index| vec![(index + 1) % 20_000])), [("plan.cycle", 14)]);
    let comb = |index: usize| if index < 2 { Vec::new() } else { vec![index - 2] };
    assert_eq!(problems(&steps(20_000, &comb)), [("plan.unordered-changes", 14)]);
    assert_eq!(problems(&steps(100_001, &|_| Vec::new())), [("plan.too-long", 14)]);
}
