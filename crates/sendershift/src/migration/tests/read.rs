//! Every problem is found, where it is.

use jiff::Timestamp;

use super::Migration;
use crate::dmarc::Policy;
use crate::plan::{Parameters, SignedAt};

/// A document without problems; each case changes some of it. Line 1 is the first of it.
const GOOD: &str = r#"format = "sendershift-migration/1"
[calendar]
announce = 2026-11-02
deadline = 2026-12-24
utc_offset = "+01:00"
freezes = [{ from = 2026-11-27, until = 2026-11-29, why = "sales" }]
working_days = ["tue", "wed"]
[parameters]
queue_lifetime = "P2D"
receivers = ["strict"]
[limits]
reserve = 2
[[domain]]
name = "Example.net"
mx = ["10 mx.example.com."]
dmarc = { goal = "reject", rua = ["mailto:d@example.com"], tags = { sp = "none", adkim = "s" } }
[[source]]
id = "shop"
addresses = ["192.0.2.2", "192.0.2.3", "2001:db8::/48"]
terms = ["+ip4:192.0.2.0/28", "?a:mail.example.com"]
[[source]]
id = "esp"
include = "spf.example.org"
[[wave]]
id = "first"
watch = "P7D"
[[stream]]
id = "invoices"
wave = "first"
now = { author_domain = "example.com", mail_from = "example.com", sources = ["shop", "esp"], helo = "h.example.com" }
[stream.then]
author_domain = "example.net"
mail_from = ""
dkim = [
  { selector = "s1", key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", assumed = "x" },
  { selector = "s2", cname = "s2.dkim.example.org." },
]
[[stream]]
id = "letters"
signed_at = "delivery"
spf_only = true
now = { author_domain = "example.com", mail_from = "example.com", sources = ["esp"] }
[[stream]]
id = "alerts"
wave = "first"
now = { author_domain = "example.com", mail_from = "example.com", sources = ["esp"] }
then = { author_domain = "EXAMPLE.net", mail_from = "example.net", sources = ["shop"], dkim = [{ selector = "s1" }] }
[[customers]]
id = "all"
"#;

#[test]
fn a_good_document_and_its_defaults() {
    let migration = Migration::from_toml(GOOD).unwrap();
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let calendar = &migration.calendar;
    assert_eq!(calendar.announce, time("2026-11-01T23:00:00Z"));
    assert_eq!(calendar.deadline, Some(time("2026-12-24T23:00:00Z")), "the whole day");
    assert_eq!(calendar.freezes[0].from, time("2026-11-26T23:00:00Z"));
    assert_eq!(calendar.freezes[0].until, time("2026-11-29T23:00:00Z"));
    assert_eq!(calendar.working_days, [false, true, true, false, false, false, false]);

    let mut parameters = Parameters::new(calendar.announce);
    parameters.deadline = calendar.deadline;
    parameters.utc_offset = 3600;
    parameters.queue_lifetime = 2 * 86_400;
    parameters.receivers.remove(0);
    assert_eq!(migration.parameters, parameters);
    assert_eq!(migration.reserve, 2);

    let domain = &migration.domains[0];
    let goal = domain.dmarc.as_ref().unwrap();
    assert_eq!((domain.name.as_str(), domain.ttl), ("example.net", 3600));
    assert_eq!((goal.goal, goal.dwell), (Policy::Reject, 30 * 86_400));
    assert_eq!(goal.tags, [("sp", "none"), ("adkim", "s")].map(|(k, v)| (k.to_owned(), v.to_owned())));

    let [shop, esp] = migration.sources.as_slice() else { panic!() };
    assert_eq!((shop.title.as_str(), shop.include.is_none()), ("shop", true));
    assert_eq!(shop.terms, ["ip4:192.0.2.0/28", "?a:mail.example.com"], "in canonical text");
    assert_eq!(shop.publish, ["ip4:192.0.2.2/31", "ip6:2001:db8::/48"]);
    assert_eq!(esp.publish, ["include:spf.example.org"]);
    assert_eq!((migration.waves[0].watch, migration.waves[0].over), (7 * 86_400, 86_400));
    assert_eq!(migration.customers[0].lead, 90 * 86_400);

    let [invoices, letters, alerts] = migration.streams.as_slice() else { panic!() };
    let then = invoices.then.as_ref().unwrap();
    assert_eq!((invoices.now.id.as_str(), then.id.as_str()), ("now", "then"));
    assert_eq!((&then.mail_from, &then.helo), (&None, &invoices.now.helo), "the null sender, judged by HELO");
    assert_eq!(then.sources, ["shop", "esp"]);
    assert_eq!(then.dkim[0].domain.as_str(), "example.net", "the author domain");
    assert_eq!(invoices.keys.len(), 2);
    assert_eq!(invoices.keys[0].assumed.as_deref(), Some("x"));
    assert_eq!((letters.signed_at, letters.spf_only, letters.keys.len()), (SignedAt::Delivery, true, 0));
    assert_eq!(alerts.then.as_ref().unwrap().sources, ["shop"]);
    assert_eq!(alerts.keys, invoices.keys[..1], "the key that the other stream says");
}

#[test]
fn left_out_is_the_default() {
    let mut lines: Vec<&str> = GOOD.lines().collect();
    // All of the calendar but the announcement, the parameters and the limits.
    lines.drain(3..12);
    let migration = Migration::from_toml(&lines.join("\n")).unwrap();
    assert_eq!(migration.calendar.working_days, [true, true, true, true, true, false, false]);
    assert_eq!(migration.parameters, Parameters::new("2026-11-02T00:00:00Z".parse().unwrap()));
    assert_eq!((migration.reserve, migration.calendar.deadline), (0, None));
}

/// What is replaced by what, and the code, line and column of the only problem.
type Wrong = (&'static str, &'static str, &'static str, u32, u32);

const WRONG: [Wrong; 55] = [
    ("sendershift-migration/1", "sendershift-plan/1", "document.wrong-format", 1, 10),
    ("[calendar]", "title = 1\n[calendar]", "document.wrong-type", 2, 9),
    ("announce = 2026-11-02\n", "", "document.missing-key", 2, 1),
    ("announce = 2026-11-02", "announce = \"soon\"", "document.bad-time", 3, 12),
    ("deadline = 2026-12-24", "deadline = 2026-11-01", "migration.deadline-passed", 4, 12),
    ("+01:00", "+25:99", "migration.bad-offset", 5, 14),
    ("+01:00", ".0001Z", "migration.bad-offset", 5, 14),
    ("until = 2026-11-29", "until = 2026-11-26", "migration.empty-freeze", 6, 41),
    ("\"wed\"", "\"Wed\"", "migration.unknown-word", 7, 24),
    ("[\"tue\", \"wed\"]", "[]", "migration.no-working-days", 7, 16),
    ("\"P2D\"", "\"2 dogs\"", "document.bad-duration", 9, 18),
    ("\"P2D\"", "\"P99999D\"", "migration.duration-too-long", 9, 18),
    ("\"strict\"", "\"postfix\"", "spf.unknown-profile", 10, 14),
    ("[\"strict\"]", "[]", "migration.no-receivers", 10, 13),
    ("reserve = 2", "reserve = 11", "migration.reserve-too-large", 12, 11),
    ("reserve = 2", "reserve = -1", "document.out-of-range", 12, 11),
    ("mx = [", "mxs = [", "document.unknown-key", 15, 1),
    ("mx = [\"10 mx.example.com.\"]", "ttl = 2147483648", "migration.ttl-too-long", 15, 7),
    ("10 mx.example.com.", "mx.example.com.", "dns.bad-record", 15, 7),
    ("\"reject\"", "\"refuse\"", "migration.unknown-word", 16, 18),
    ("mailto:d@example.com", "d@example.com", "dmarc.bad-uri", 16, 35),
    ("mailto:d@example.com", "mailto:d@a.example,mailto:d@b.example", "dmarc.bad-tag", 16, 35),
    // Names that no host has (RFC 5321 section 2.3.5).
    ("10 mx.example.com.", "10 mx%.example.com.", "name.not-for-mail", 15, 7),
    ("spf.example.org", "%{d}.example.org", "name.not-for-mail", 23, 11),
    ("spf.example.org", "bob@example.org", "name.mailbox", 23, 11),
    ("sp = \"none\"", "p = \"none\"", "migration.reserved-tag", 16, 69),
    ("sp = \"none\"", "sp = \"nine\"", "dmarc.bad-policy", 16, 74),
    ("sp = \"none\"", "sq = \"none\"", "dmarc.unknown-tag", 16, 74),
    ("adkim = \"s\"", "adkim = \"s; p=none\"", "dmarc.duplicate-tag", 16, 90),
    ("\"192.0.2.3\"", "\"192.0.2.300\"", "net.bad-prefix", 19, 27),
    ("?a:mail.example.com", "ip4:", "spf.bad-ip4", 20, 31),
    ("?a:mail.example.com", "all", "migration.bad-term", 20, 31),
    ("?a:mail.example.com", "a mx", "migration.bad-term", 20, 31),
    (
        "include = \"spf.example.org\"",
        "publish = [\"~a\"]\ninclude = \"b.example\"",
        "migration.bad-term",
        23,
        12,
    ),
    ("include = \"spf.example.org\"", "title = \"x\"", "migration.no-addresses", 21, 1),
    ("id = \"letters\"", "id = \"invoices\"", "migration.duplicate-id", 39, 6),
    ("id = \"all\"", "id = \"\"", "migration.empty-id", 49, 6),
    (
        "wave = \"first\"\nnow = { author_domain = \"example.com\", mail_from = \"example.com\", sources = [\"shop\"",
        "wave = \"frist\"\nnow = { author_domain = \"example.com\", mail_from = \"example.com\", sources = [\"shop\"",
        "migration.unknown-wave",
        29,
        8,
    ),
    (", helo = \"h.example.com\"", "", "migration.no-helo", 33, 13),
    ("mail_from = \"\"", "mail_from = \"bounce@example.net\"", "name.mailbox", 33, 13),
    ("mail_from = \"\"", "mail_from = \"<>\"", "name.not-for-mail", 33, 13),
    (
        "sources = [\"esp\"] }\n[[stream]]",
        "sources = [\"esp\"], helo = \"[192.0.2.1]\" }\n[[stream]]",
        "name.not-for-mail",
        42,
        93,
    ),
    ("author_domain = \"example.net\"", "author_domain = \"bob@example.net\"", "name.mailbox", 32, 17),
    ("selector = \"s2\"", "domain = \"@example.net\", selector = \"s2\"", "name.mailbox", 36, 14),
    (
        "author_domain = \"example.net\"",
        "author_domain = \"exampel.net\"",
        "migration.unknown-domain",
        32,
        17,
    ),
    (
        "cname = \"s2.dkim.example.org.\"",
        "domain = \"example.org\", cname = \"a.example\"",
        "migration.unknown-domain",
        36,
        54,
    ),
    (
        "cname = \"s2.",
        "key = \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\", cname = \"s2.",
        "migration.two-keys",
        36,
        106,
    ),
    ("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "11qY", "dkim.bad-key", 35, 28),
    ("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "", "migration.unusable-key", 35, 28),
    ("v=DKIM1; k", "v=DKIM1; t=y; k", "migration.unusable-key", 35, 28),
    ("selector = \"s2\"", "selector = \"s1\"", "migration.keys-differ", 36, 30),
    ("signed_at = \"delivery\"", "wave = \"first\"", "migration.wave-without-then", 40, 8),
    ("signed_at = \"delivery\"", "needs_both = true", "migration.contradiction", 41, 12),
    ("sources = [\"shop\"], dkim", "sources = [], dkim", "migration.no-sources", 47, 78),
    ("id = \"all\"", "id = \"all\"\nlead = 90", "document.wrong-type", 50, 8),
];

#[test]
fn one_problem_at_a_time() {
    let mut failures = Vec::new();
    for (old, new, code, line, column) in WRONG {
        assert!(GOOD.contains(old), "{old}");
        let problems =
            Migration::from_toml(&GOOD.replacen(old, new, 1)).map_or_else(|it| it.problems, |_| vec![]);
        let found: Vec<_> = problems.iter().map(|it| (it.code, it.line, it.column)).collect();
        if found != [(code, Some(line), Some(column))] {
            failures.push((new, code, line, column, found));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn unknown_names_come_with_the_nearest_known_one() {
    for (old, new, help) in [
        ("[\"shop\", \"esp\"]", "[\"shpo\", \"esp\"]", "did you mean `shop`?"),
        ("author_domain = \"example.net\"", "author_domain = \"exampel.net\"", "did you mean `example.net`?"),
        ("wave = \"first\"", "wave = \"frist\"", "did you mean `first`?"),
        ("queue_lifetime", "queue_lifetme", "did you mean `queue_lifetime`?"),
        ("[[customers]]", "[[customer]]", "did you mean `customers`?"),
    ] {
        let invalid = Migration::from_toml(&GOOD.replacen(old, new, 1)).unwrap_err();
        assert_eq!(invalid.problems[0].help.as_deref(), Some(help), "{new}");
    }
}

#[test]
fn all_problems_at_once() {
    let text = GOOD
        .replacen("reserve = 2", "reserve = 11", 1)
        .replacen("\"192.0.2.3\"", "\"192.0.2.300\"", 1)
        .replacen("watch", "wach", 1)
        .replacen("\"delivery\"", "\"later\"", 1);
    let invalid = Migration::from_toml(&text).unwrap_err();
    let found: Vec<_> = invalid.problems.iter().map(|it| (it.code, it.line)).collect();
    assert_eq!(
        found,
        [
            ("migration.reserve-too-large", Some(12)),
            ("net.bad-prefix", Some(19)),
            ("document.unknown-key", Some(26)),
            ("migration.unknown-word", Some(40)),
        ]
    );
}

#[test]
fn what_is_no_migration() {
    let codes = |text: &str| -> Vec<&str> {
        Migration::from_toml(text).unwrap_err().problems.iter().map(|it| it.code).collect()
    };
    assert_eq!(codes("format = "), ["toml.syntax"]);
    assert_eq!(codes(""), ["document.missing-key"; 4], "format, calendar, source, stream");
    let without = |table: &str| GOOD.split(table).next().unwrap().to_owned();
    assert_eq!(codes(&without("[[stream]]")), ["document.missing-key"]);
    let none = without("[[stream]]").replacen("[calendar]", "stream = []\n[calendar]", 1);
    assert_eq!(codes(&none), ["migration.no-streams"]);
}

/// Measuring likeness is slow, so only so many unknown names are measured.
#[test]
fn hostile_names_take_no_time() {
    use std::fmt::Write;
    let mut text = GOOD.to_owned();
    for index in 0..2000 {
        writeln!(text, "[[source]]\nid = \"{index:x>60}\"\ninclude = \"a.example\"").unwrap();
    }
    let many: Vec<String> = (0..2000).map(|index| format!("\"{index:y>60}\"")).collect();
    let many = format!("sources = [{}]", many.join(","));
    let invalid = Migration::from_toml(&text.replacen("sources = [\"esp\"]", &many, 1)).unwrap_err();
    assert_eq!(invalid.problems.len(), 2000);
}
