use proptest::prelude::*;

use super::DomainName;

#[test]
fn canonical_text() {
    for (text, canonical) in [
        (".", "."),
        ("Example.COM.", "example.com"),
        ("a\\.b.example", "a\\.b.example"),
        ("a\\046b.example", "a\\.b.example"),
        ("a b.example", "a\\032b.example"),
        ("%{d}.example", "%{d}.example"),
        ("a_b+c.example", "a_b+c.example"),
        ("münchen.example", "xn--mnchen-3ya.example"),
    ] {
        assert_eq!(DomainName::parse(text).unwrap().as_str(), canonical, "{text}");
    }
}

#[test]
fn refused_text() {
    let long = "a".repeat(64);
    let many = "abcdefg.".repeat(32);
    for (text, code) in [
        ("", "name.empty"),
        ("a..b", "name.empty-label"),
        (".a", "name.empty-label"),
        ("a\\300", "name.bad-escape"),
        ("a\\", "name.bad-escape"),
        (long.as_str(), "name.label-too-long"),
        (many.as_str(), "name.too-long"),
    ] {
        assert_eq!(DomainName::parse(text).unwrap_err().code, code, "{text}");
    }
}

/// RFC 5321 section 2.3.5: a domain of mail has letters, digits and hyphens. RFC 2181 section 11 allows more in DNS.
#[test]
fn domains_of_mail() {
    for (text, problem) in [
        ("mail.example.com", None),
        ("_bounces.example.com", None),
        ("club", None),
        ("3.example", None),
        ("bounce@x.example", Some(("name.mailbox", "write the domain of the address: `x.example`"))),
        ("<bounce@x.example>", Some(("name.mailbox", "write the domain of the address: `x.example`"))),
        ("Bob <a\\@b@x.example>", Some(("name.mailbox", "write the domain of the address: `x.example`"))),
        ("@", Some(("name.mailbox", "write the domain of the address"))),
        (
            "<>",
            Some((
                "name.not-for-mail",
                "for the null sender leave the domain empty: null in a plan, \"\" in a migration",
            )),
        ),
        (".", Some(("name.not-for-mail", "write a domain name, such as `mail.example.com`"))),
        ("192.0.2.1", Some(("name.not-for-mail", "write a domain name, such as `mail.example.com`"))),
        ("[192.0.2.1]", Some(("name.not-for-mail", "write a domain name, such as `mail.example.com`"))),
        ("x .example", Some(("name.not-for-mail", "write a domain name, such as `mail.example.com`"))),
        ("%{d}.example", Some(("name.not-for-mail", "write a domain name, such as `mail.example.com`"))),
    ] {
        let found = DomainName::parse(text).unwrap().check_for_mail().err();
        let found = found.as_ref().map(|problem| (problem.code, problem.help.as_deref().unwrap()));
        assert_eq!(found, problem, "{text}");
    }
}

#[test]
fn hierarchy() {
    let name = DomainName::parse("a\\.b.c.example").unwrap();
    assert_eq!(name.label_count(), 3);
    assert_eq!(name.parent().unwrap().as_str(), "c.example");
    assert_eq!(
        name.ancestors().map(|n| n.to_string()).collect::<Vec<_>>(),
        ["a\\.b.c.example", "c.example", "example", "."]
    );
    assert!(
        !DomainName::parse("notexample.com").unwrap().is_within(&DomainName::parse("example.com").unwrap())
    );
    assert_eq!(name.wire_octets(), 1 + 3 + 1 + 1 + 1 + 7 + 1);
}

#[test]
fn reverse_names() {
    for (ip, name) in [
        ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("2001:db8::cb01", "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ] {
        assert_eq!(DomainName::reverse(ip.parse().unwrap()).as_str(), name);
    }
}

proptest! {
    /// Ways to the same labels: from the left, from the right, by the ancestors, by what is written.
    #[test]
    fn labels_from_both_ends(labels in proptest::collection::vec("[a-c.\\\\ ]{1,4}", 1..5)) {
        let escaped: Vec<String> = labels
            .iter()
            .map(|label| label.replace('\\', "\\\\").replace('.', "\\."))
            .collect();
        let name = DomainName::parse(&escaped.join(".")).unwrap();
        let written: Vec<String> = escaped.iter().map(|label| label.replace(' ', "\\032")).collect();
        prop_assert_eq!(name.labels().collect::<Vec<_>>(), written.iter().collect::<Vec<_>>());
        let mut backwards: Vec<&str> = name.labels().rev().collect();
        backwards.reverse();
        prop_assert_eq!(backwards, written.iter().collect::<Vec<_>>());
        prop_assert_eq!(name.labels().flat_map(|label| [label, "."]).collect::<String>(), format!("{name}."));
        prop_assert_eq!(name.ancestors().count(), written.len() + 1);
        for (at, above) in name.ancestors().enumerate() {
            prop_assert_eq!(above.labels().collect::<Vec<_>>(), written.iter().skip(at).collect::<Vec<_>>());
            prop_assert!(name.is_within(&above));
        }
    }

    /// What most names are read by against the reader of all names.
    #[test]
    fn plain_names_are_read_as_all_are(octets in "[A-Ca-c1._%é\\\\-]{0,8}(\\.[a-b]{60,66}){0,5}") {
        let mut labels = super::Labels::default();
        let pushed = octets.split('.').try_for_each(|label| labels.push(label.as_bytes(), 0..0));
        let slowly = pushed.and_then(|()| labels.finish(octets.len())).ok();
        if let Some(plain) = DomainName::from_plain(octets.as_bytes()) {
            prop_assert_eq!(Some(plain), slowly);
        } else if let Some(name) = slowly {
            prop_assert!(octets.contains(['\\', 'é']), "{} is plain", name);
        }
    }

    #[test]
    fn round_trip(octets in proptest::collection::vec(0u8..128, 1..40)) {
        if let Ok(name) = DomainName::from_octets(&octets) {
            prop_assert_eq!(&DomainName::parse(name.as_str()).unwrap(), &name);
            prop_assert_eq!(&DomainName::from_octets(&name.octets()).unwrap(), &name);
            prop_assert_eq!(DomainName::parse(&format!("{name}.")).unwrap(), name);
        }
    }

    #[test]
    fn never_panics(text in "\\PC{0,40}") {
        let _ = DomainName::parse(&text);
    }
}
