use proptest::prelude::*;

use crate::spf::{DomainSpec, MacroString, Mechanism, Modifier, Qualifier, SpfRecord, TermKind, codes};

/// The canonical text of a record that must be valid.
fn canonical(text: &str) -> String {
    SpfRecord::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e:?}")).to_string()
}

/// The code and the text of each problem of a record that must be invalid.
fn problems(text: &str) -> Vec<(&'static str, &str)> {
    let invalid = SpfRecord::parse(text.as_bytes()).expect_err(text);
    let place = |span: crate::error::Span| text.get(span.start..span.end).unwrap();
    invalid.problems.iter().map(|problem| (problem.code, place(problem.span.unwrap()))).collect()
}

/// The one problem of a term.
fn problem(term: &str) -> (&'static str, String) {
    let text = format!("v=spf1 {term} -all");
    match problems(&text).as_slice() {
        [(code, place)] => (code, (*place).to_owned()),
        other => panic!("{term}: {other:?}"),
    }
}

/// RFC 7208 section 4.5
#[test]
fn version() {
    for text in ["v=spf1", "V=SPF1 ", "v=spf1 -all", "v=spf1 nonsense"] {
        assert!(SpfRecord::is_spf(text.as_bytes()), "{text}");
    }
    for text in
        ["", "v=spf", "v=spf10 -all", "v=spf1-all", "v=spf1mx", " v=spf1", "v=spf1\t-all", "spf2.0/pra"]
    {
        assert!(!SpfRecord::is_spf(text.as_bytes()), "{text}");
        assert_eq!(SpfRecord::parse(text.as_bytes()).unwrap_err().problems[0].code, codes::NOT_SPF, "{text}");
    }
    assert_eq!(problems("v=spf10 -all nonsense"), [(codes::NOT_SPF, "v=spf10")]);
    let help = |text: &str| SpfRecord::parse(text.as_bytes()).unwrap_err().problems[0].help.clone().unwrap();
    assert!(help("v=spf1mx").contains("a space after"));
    assert!(help("\"v=spf1 mx\"").contains("quotation marks"));
}

/// RFC 7208 section 12
#[test]
fn canonical_text() {
    for (text, expected) in [
        ("v=spf1", "v=spf1"),
        ("V=SPF1  ?ALL  ", "v=spf1 ?all"),
        ("v=spf1 +A +MX/24//64 pTr", "v=spf1 a mx/24//64 ptr"),
        ("v=spf1 a/0 a//0 a:foo.example/32 mx//128", "v=spf1 a/0 a//0 a:foo.example/32 mx//128"),
        ("v=spf1 ip4:192.0.2.1/32 ip4:192.0.2.0/24", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/24"),
        ("v=spf1 IP6:2001:DB8:0:0::1/128 ip6:::1.1.1.1/0", "v=spf1 ip6:2001:db8::1 ip6:::101:101/0"),
        ("v=spf1 ip6:::FFFF:1.2.3.4", "v=spf1 ip6:::ffff:1.2.3.4"),
        ("v=spf1 Redirect=Foo.Example EXP=%{D003R.-}", "v=spf1 redirect=Foo.Example exp=%{D3r.-}"),
        ("v=spf1 Moo.cow-far_out=man:dog/cat x= x=%%", "v=spf1 moo.cow-far_out=man:dog/cat x= x=%%"),
        // By the grammar these are modifiers that nobody knows.
        ("v=spf1 a=b include=foo v=spf1", "v=spf1 a=b include=foo v=spf1"),
    ] {
        assert_eq!(canonical(text), expected);
        assert_eq!(text.parse::<SpfRecord>().unwrap().text(), text);
        assert_eq!(canonical(expected), expected);
        assert_eq!(text.parse::<SpfRecord>().unwrap(), expected.parse().unwrap());
    }
    assert_ne!("v=spf1 a".parse::<SpfRecord>().unwrap(), "v=spf1 ~a".parse().unwrap());
}

/// RFC 7208 section 7.1
#[test]
fn domain_specs() {
    for valid in [
        "foo:bar/baz.example.com",
        "foo.example.xn--zckzah",
        "example.com.",
        ".museum",
        "mail.example...com",
        "x.1-2",
        "%{d}",
        "foo%%",
        "foo%{ir}",
        "foo-%-",
        "a,b;c.example",
        "%{l/}/%{d}",
        "%{H70000R.-+,/_=}",
    ] {
        for term in [format!("a:{valid}/8//9"), format!("include:{valid}"), format!("redirect={valid}")] {
            let record: SpfRecord = format!("v=spf1 {term}").parse().unwrap();
            assert_eq!(record.terms().len(), 1, "{term}");
        }
    }
    for bad in [
        "museum",
        "museum.",
        "foo-bar",
        "111.222.33.44",
        "abc.123",
        "example.-com",
        "example.com-",
        "example.com:8080",
        "%{d}com",
        "foo.%%com",
        "a.b_c",
        "-all",
        "foo.com;",
        "foo.com/bar",
        ".",
    ] {
        assert_eq!(problem(&format!("a:{bad}")), (codes::BAD_DOMAIN, bad.to_owned()));
        assert_eq!(problem(&format!("exp={bad}")), (codes::BAD_DOMAIN, bad.to_owned()));
    }
    assert_eq!(problem("a:111.222.33.44/24"), (codes::BAD_DOMAIN, "111.222.33.44".to_owned()));
    let help = SpfRecord::parse(b"v=spf1 a:1.2.3.4").unwrap_err().problems[0].help.clone();
    assert_eq!(help.as_deref(), Some("write `ip4:1.2.3.4`"));

    let literal = |text: &str| text.parse::<DomainSpec>().unwrap().literal().map(ToString::to_string);
    assert_eq!(literal("Foo.Example.").as_deref(), Some("foo.example"));
    assert_eq!(literal("a%_b%%.example").as_deref(), Some("a\\032b%.example"));
    assert_eq!(literal("mail.example...com"), None);
    assert_eq!(literal(&format!("{}.example", "a".repeat(64))), None);
    assert_eq!(literal("%{d}"), None);
}

/// RFC 7208 sections 7.1 and 7.2
#[test]
fn macro_syntax() {
    for (bad, place) in [
        ("exists:%(ir).example", "%"),
        ("exists:foo.%", "%"),
        ("exists:%{x}.example", "%{"),
        ("exists:%{}.example", "%{"),
        ("exists:%{d0}.example", "%{d0"),
        ("exists:%{d00r}.example", "%{d00"),
        ("exists:%{r2}.example", "%{r"),
        ("exists:%{T}.example", "%{T"),
        ("exists:%{dr2}.example", "%{dr"),
        ("exists:%{d*}.example", "%{d"),
        ("exists:%{d.r}.example", "%{d."),
        ("exists:foo.%{d", "%{d"),
        ("foo=%abc", "%"),
        ("foo=%{c}", "%{c"),
    ] {
        assert_eq!(problem(bad), (codes::BAD_MACRO, place.to_owned()), "{bad}");
    }
    assert_eq!(problems("v=spf1 exists:%{x}%{y}.a"), [(codes::BAD_MACRO, "%{"), (codes::BAD_MACRO, "%{")]);

    for text in ["", "See http://%{d}/why?s=%{S}&i=%{C} at %{t} by %{R}.", "100%% %{p}", " "] {
        assert_eq!(MacroString::parse_explanation(text.as_bytes()).unwrap().to_string(), text);
    }
    let codes_of = |text: &[u8]| -> Vec<_> {
        MacroString::parse_explanation(text).unwrap_err().problems.iter().map(|p| p.code).collect()
    };
    assert_eq!(codes_of(b"The %{x}-files are 100% true."), [codes::BAD_MACRO, codes::BAD_MACRO]);
    assert_eq!(codes_of(b"\xEF\xBB\xBFExplanation"), [codes::NOT_ASCII]);
    assert_eq!(codes_of(b"two\nlines"), [codes::CONTROL_OCTET]);
}

/// RFC 7208 sections 4.6.1, 5 and 6
#[test]
fn bad_terms() {
    for (term, code, place) in [
        ("all.", codes::ALL_HAS_ARGUMENT, "all."),
        ("~ALL:foo", codes::ALL_HAS_ARGUMENT, "~ALL:foo"),
        ("?all/8", codes::ALL_HAS_ARGUMENT, "?all/8"),
        ("all;", codes::ALL_HAS_ARGUMENT, "all;"),
        ("include", codes::MISSING_DOMAIN, "include"),
        ("?include:", codes::MISSING_DOMAIN, "?include:"),
        ("include:ip5.example.com/24", codes::UNEXPECTED_PREFIX_LENGTH, "/24"),
        ("include/24", codes::UNEXPECTED_PREFIX_LENGTH, "/24"),
        ("a:", codes::MISSING_DOMAIN, "a:"),
        ("a:/24", codes::MISSING_DOMAIN, "a:/24"),
        ("mx:", codes::MISSING_DOMAIN, "mx:"),
        ("ptr:", codes::MISSING_DOMAIN, "ptr:"),
        ("ptr/0", codes::UNEXPECTED_PREFIX_LENGTH, "/0"),
        ("exists", codes::MISSING_DOMAIN, "exists"),
        ("exists:", codes::MISSING_DOMAIN, "exists:"),
        ("exists:mail.example.com/24", codes::UNEXPECTED_PREFIX_LENGTH, "/24"),
        ("redirect=", codes::MISSING_DOMAIN, "redirect="),
        ("exp=", codes::MISSING_DOMAIN, "exp="),
        ("a/", codes::BAD_PREFIX_LENGTH, "/"),
        ("a//", codes::BAD_PREFIX_LENGTH, "//"),
        ("a///64", codes::BAD_PREFIX_LENGTH, "///64"),
        ("a/24//", codes::BAD_PREFIX_LENGTH, "/24//"),
        ("a/24/64", codes::BAD_PREFIX_LENGTH, "/24/64"),
        ("a/33", codes::BAD_PREFIX_LENGTH, "/33"),
        ("a/024", codes::BAD_PREFIX_LENGTH, "/024"),
        ("a//129", codes::BAD_PREFIX_LENGTH, "//129"),
        ("mx:foo.example/99999999999", codes::BAD_PREFIX_LENGTH, "/99999999999"),
        ("a/x", codes::BAD_PREFIX_LENGTH, "/x"),
        ("ip4", codes::BAD_IP4, "ip4"),
        ("ip4:", codes::BAD_IP4, "ip4:"),
        ("ip4/24", codes::BAD_IP4, "ip4/24"),
        ("ip4:1.2.3", codes::BAD_IP4, "1.2.3"),
        ("ip4:1.2.3.04", codes::BAD_IP4, "1.2.3.04"),
        ("ip4:1.2.3.256", codes::BAD_IP4, "1.2.3.256"),
        ("ip4:1.2.3.4:8080", codes::BAD_IP4, "1.2.3.4:8080"),
        ("ip4:::1", codes::BAD_IP4, "::1"),
        ("ip4:1.2.3.4/33", codes::BAD_PREFIX_LENGTH, "/33"),
        ("ip4:1.2.3.4/032", codes::BAD_PREFIX_LENGTH, "/032"),
        ("ip4:1.2.3.4/+8", codes::BAD_PREFIX_LENGTH, "/+8"),
        ("ip4:1.2.3.4/", codes::BAD_PREFIX_LENGTH, "/"),
        ("ip4:1.2.3.4//32", codes::BAD_PREFIX_LENGTH, "//32"),
        ("ip6", codes::BAD_IP6, "ip6"),
        ("ip6:1.2.3.4", codes::BAD_IP6, "1.2.3.4"),
        ("ip6::CAFE::BABE", codes::BAD_IP6, ":CAFE::BABE"),
        ("ip6:fe80::1%eth0", codes::BAD_IP6, "fe80::1%eth0"),
        ("ip6:::1.1.1.1/129", codes::BAD_PREFIX_LENGTH, "/129"),
        ("ip6:::1.1.1.1//33", codes::BAD_PREFIX_LENGTH, "//33"),
        ("-redirect=foo.example", codes::QUALIFIED_MODIFIER, "-redirect=foo.example"),
        ("+x=y", codes::QUALIFIED_MODIFIER, "+x=y"),
        ("=all", codes::BAD_TERM, "=all"),
        ("1up=foo", codes::BAD_TERM, "1up=foo"),
        ("-", codes::BAD_TERM, "-"),
        ("--a", codes::BAD_TERM, "--a"),
        ("192.0.2.1/24", codes::BAD_TERM, "192.0.2.1/24"),
        ("include;foo.example", codes::BAD_TERM, "include;foo.example"),
        ("moo", codes::UNKNOWN_MECHANISM, "moo"),
        ("moo.cow/far_out=man:dog/cat", codes::UNKNOWN_MECHANISM, "moo.cow/far_out=man:dog/cat"),
        ("redirect:foo.example", codes::UNKNOWN_MECHANISM, "redirect:foo.example"),
        ("a.b", codes::UNKNOWN_MECHANISM, "a.b"),
        ("allow", codes::UNKNOWN_MECHANISM, "allow"),
        ("a:ctrl.example\rptr", codes::CONTROL_OCTET, "\r"),
        ("a:foo.example\0", codes::CONTROL_OCTET, "\0"),
        ("a:\u{feff}x.example", codes::NOT_ASCII, "\u{feff}"),
    ] {
        assert_eq!(problem(term), (code, place.to_owned()), "{term}");
    }
}

#[test]
fn suggestions() {
    for (term, help) in [
        ("nclude:x.example", Some("did you mean `include`?")),
        ("inlcude:x.example", Some("did you mean `include`?")),
        ("IPv4:1.2.3.4", Some("did you mean `ip4`?")),
        ("exist:x.example", Some("did you mean `exists`?")),
        ("redirect:x.example", Some("write `redirect=`")),
        ("192.0.2.1/24", Some("write `ip4:` before it")),
        ("ip4:2001:db8::1", Some("write `ip6:2001:db8::1`")),
        ("spoof", None),
    ] {
        let invalid = SpfRecord::parse(format!("v=spf1 {term}").as_bytes()).unwrap_err();
        assert_eq!(invalid.problems[0].help.as_deref(), help, "{term}");
    }
}

/// Every bad term is listed, in order, and each with its place: also octets that are no text.
#[test]
fn all_problems() {
    assert_eq!(
        problems("v=spf1 redirect=a.example mx: redirect=a.example -all exp=b.example EXP=b.example"),
        [
            (codes::MISSING_DOMAIN, "mx:"),
            (codes::DUPLICATE_MODIFIER, "redirect=a.example"),
            (codes::DUPLICATE_MODIFIER, "EXP=b.example"),
        ]
    );
    let notice = format!("v=spf1 {}~all", "ip4: ".repeat(21));
    assert_eq!(problems(&notice), [(codes::BAD_IP4, "ip4:"); 21]);

    let invalid = SpfRecord::parse(b"v=spf1 \x80a:example.net ip4: \xC3\xBC -all").unwrap_err();
    let found: Vec<_> = invalid.problems.iter().map(|p| (p.code, p.span.unwrap().start, p.column)).collect();
    let expected =
        [(codes::NOT_ASCII, 7, Some(8)), (codes::BAD_IP4, 22, Some(23)), (codes::NOT_ASCII, 27, Some(28))];
    assert_eq!(found, expected);
}

#[test]
fn the_record_as_a_value() {
    let text = "v=spf1 ?include:a.example -ip4:192.0.2.77/24 mx redirect=b.example exp=c.example ptr a";
    let record: SpfRecord = text.parse().unwrap();
    assert_eq!(record.redirect().unwrap().text(), "b.example");
    assert_eq!(record.exp().unwrap().text(), "c.example");
    assert!(!record.has_all());
    assert_eq!(record.term_count_costing_lookups(), 5);
    let (term, directive) = record.directives().nth(1).unwrap();
    assert_eq!(record.written(term), "-ip4:192.0.2.77/24");
    assert_eq!(directive.qualifier, Some(Qualifier::Fail));
    assert_eq!(directive.mechanism.net().unwrap().to_string(), "192.0.2.0/24");
    assert!(
        matches!(&directive.mechanism, Mechanism::Ip4 { address, .. } if address.to_string() == "192.0.2.77")
    );

    // RFC 7208 section 5.1: `all` ends the evaluation and idles `redirect`.
    let idle: SpfRecord = "v=spf1 redirect=b.example mx -ALL ptr a".parse().unwrap();
    assert_eq!((idle.has_all(), idle.term_count_costing_lookups()), (true, 1));

    let terms = record.terms().iter().map(|term| term.kind.clone());
    assert_eq!(SpfRecord::from_terms(terms.clone()).unwrap(), record);
    let twice =
        terms.clone().chain(terms.filter(|term| matches!(term, TermKind::Modifier(Modifier::Exp(_)))));
    assert_eq!(SpfRecord::from_terms(twice).unwrap_err().problems[0].code, codes::DUPLICATE_MODIFIER);
    let value = MacroString::parse_explanation(b"y +all").unwrap();
    let smuggled = TermKind::Modifier(Modifier::Unknown { name: "x".to_owned(), value });
    assert_eq!(SpfRecord::from_terms([smuggled]).unwrap_err().problems[0].code, codes::BAD_TERM);
}

/// Time grows with the text, whatever is in it: each of these would take minutes if it grew with the square.
#[test]
fn hostile_records() {
    for term in [
        "a",
        "ip4:1.2.3.4",
        "%{%{%{",
        "x=%{%{%{%{",
        "a:%{d",
        "a://///////",
        "\u{fc}",
        "nclude:x",
        "redirect=a.b",
    ] {
        let text = format!("v=spf1 {}", format!("{term} ").repeat(1_000_000 / (term.len() + 1)));
        if let Ok(record) = SpfRecord::parse(text.as_bytes()) {
            assert!(record.to_document().terms.len() > 10_000);
        }
        let text = format!("v=spf1 a:{}", term.repeat(1_000_000 / term.len()));
        let _ = SpfRecord::parse(text.as_bytes());
    }
}

fn domain_spec() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-zA-Z0-9:/_.-]{1,8}",
        "%\\{[slodipvhSLODIPVH]([1-9][0-9]{0,2})?[rR]?[-.+,/_=]{0,3}\\}",
        prop_oneof![Just("%%"), Just("%_"), Just("%-")].prop_map(str::to_owned),
    ];
    let end = prop_oneof![Just(".example"), Just(".x-1."), Just("%{d2}"), Just("%%")];
    (proptest::collection::vec(part, 0..4), end).prop_map(|(parts, end)| parts.concat() + end)
}

fn term() -> impl Strategy<Value = String> {
    let cidr = || prop_oneof!["(/[0-9]|/[12][0-9]|/3[0-2])?(//([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))?"];
    let mechanism = prop_oneof![
        Just("all".to_owned()),
        ("(include|EXISTS|Ptr):", domain_spec()).prop_map(|(name, domain)| name + &domain),
        ("(a|MX):", domain_spec(), cidr()).prop_map(|(name, domain, cidr)| name + &domain + &cidr),
        ("(A|mx)", cidr()).prop_map(|(name, cidr)| name + &cidr),
        (any::<std::net::Ipv4Addr>(), 0u8..=32).prop_map(|(ip, length)| format!("ip4:{ip}/{length}")),
        (any::<std::net::Ipv6Addr>(), 0u8..=128).prop_map(|(ip, length)| format!("IP6:{ip}/{length}")),
    ];
    prop_oneof![
        4 => ("[-+~?]?", mechanism).prop_map(|(qualifier, mechanism)| qualifier + &mechanism),
        1 => "x[A-Za-z0-9_.-]{0,3}=[!-$&-~]{0,8}",
    ]
}

proptest! {
    #[test]
    fn round_trip(words in proptest::collection::vec((term(), " {1,2}"), 0..8)) {
        let text: String = words.iter().fold("v=spf1 ".to_owned(), |text, (term, space)| text + term + space);
        let record: SpfRecord = text.parse().unwrap();
        prop_assert_eq!(record.text(), &text);
        prop_assert_eq!(record.terms().len(), words.len());
        let mut end = 0;
        for (term, (word, _)) in record.terms().iter().zip(&words) {
            prop_assert!(term.span.start >= end);
            prop_assert_eq!(record.written(term), word);
            end = term.span.end;
        }
        let shown = record.to_string();
        let again: SpfRecord = shown.parse().unwrap();
        prop_assert_eq!(again.to_string(), shown);
        prop_assert_eq!(again.terms(), record.terms());
        prop_assert_eq!(&SpfRecord::from_terms(record.terms().iter().map(|term| term.kind.clone())).unwrap(), &record);
    }

    #[test]
    fn any_octets(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
        check_spans(&octets)?;
        check_spans(&[b"v=spf1 ", octets.as_slice()].concat())?;
    }

    #[test]
    fn near_records(text in "v=spf1( [-+~?]?(a|mx|ip4|ip6|all|include|exists|ptr|redirect|exp|x)[:=/.%{}dr0-9a-c]{0,9}){0,5}") {
        check_spans(text.as_bytes())?;
    }
}

/// Nothing panics, problems have places in the text and in order, and what is accepted is stable.
fn check_spans(text: &[u8]) -> Result<(), TestCaseError> {
    match SpfRecord::parse(text) {
        Ok(record) => prop_assert_eq!(&record.to_string().parse::<SpfRecord>().unwrap(), &record),
        Err(invalid) => {
            prop_assert!(!invalid.problems.is_empty());
            let mut last = 0;
            for problem in invalid.problems {
                let span = problem.span.unwrap();
                prop_assert!(last <= span.start && span.start <= span.end && span.end <= text.len());
                prop_assert!(codes::ALL.contains(&problem.code));
                last = span.start;
            }
        }
    }
    let _ = MacroString::parse_explanation(text);
    Ok(())
}
