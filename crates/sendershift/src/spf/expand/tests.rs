use proptest::prelude::*;

use crate::name::DomainName;
use crate::spf::{DomainSpec, MacroContext, MacroString, Partial, PartialContext, codes};

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn spec(text: &str) -> DomainSpec {
    text.parse().unwrap()
}

/// Runs a check with the values of RFC 7208 section 7.4 and the given client and local part.
fn with_context<T>(ip: &str, local_part: &str, check: impl FnOnce(&MacroContext<'_>) -> T) -> T {
    let (domain, mx) = (name("email.example.com"), name("mx.example.org"));
    check(&MacroContext {
        local_part,
        sender_domain: &domain,
        domain: &domain,
        ip: ip.parse().unwrap(),
        helo: "mail.example.net",
        validated: None,
        receiver: Some(&mx),
        timestamp: 1_000_000_000,
    })
}

fn explain(ip: &str, local_part: &str, text: &str) -> String {
    let string = MacroString::parse_explanation(text.as_bytes()).unwrap();
    String::from_utf8(with_context(ip, local_part, |context| string.expand(context))).unwrap()
}

fn target(ip: &str, local_part: &str, text: &str) -> Result<String, &'static str> {
    let expanded = with_context(ip, local_part, |context| spec(text).expand(context));
    expanded.map(|name| name.to_string()).map_err(|problem| problem.code)
}

/// RFC 7208 section 7.4
#[test]
fn examples_of_the_rfc() {
    let shown = |text: &str| explain("192.0.2.3", "strong-bad", text);
    for (text, expanded) in [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
    ] {
        assert_eq!(shown(text), expanded, "{text}");
    }
    assert_eq!(
        target("2001:db8::cb01", "strong-bad", "%{ir}.%{v}._spf.%{d2}").unwrap(),
        "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    );
}

/// RFC 7208 sections 7.2 and 7.3
#[test]
fn letters_and_escapes() {
    for (text, expanded) in [
        ("%{c} is %{ir}.%{v}.arpa", "192.0.2.3 is 3.2.0.192.in-addr.arpa"),
        ("%{h} %{p} %{r} %{t}", "mail.example.net unknown mx.example.org 1000000000"),
        ("l=%{L}%%%_%-.", "l=~jack%26jill%3Dup-a_b3.c% %20."),
        ("%{l2r-=}", "up.~jack&jill"),
        ("%{l127}", "~jack&jill=up-a_b3.c"),
    ] {
        assert_eq!(explain("192.0.2.3", "~jack&jill=up-a_b3.c", text), expanded, "{text}");
    }
    let v6 = explain("CAFE:BABE::1", "x", "%{c} is %{i1r}.%{v}");
    assert_eq!(v6, "cafe:babe::1 is C.ip6");
    assert_eq!(explain("::ffff:192.0.2.3", "x", "%{c} %{i} %{v}"), "192.0.2.3 192.0.2.3 in-addr");
}

/// RFC 7208 section 7.3
#[test]
fn long_names_lose_labels_on_the_left() {
    let long = format!("{0}.{0}.{0}.{0}", "a".repeat(60));
    let text = target("192.0.2.3", "x.y", &format!("%{{l}}.{long}.example.com.")).unwrap();
    assert_eq!(text, format!("{0}.{0}.{0}.example.com", "a".repeat(60)));
    // 253 characters fit: 4 labels of 60, their dots, and `example.c`.
    let fits = format!("{long}.example.c");
    assert_eq!((fits.len(), target("192.0.2.3", "x", &fits).unwrap()), (253, fits.clone()));
    assert_eq!(target("192.0.2.3", "x", &format!("{fits}.")).unwrap(), fits);
    assert_eq!(spec(&format!("x.{long}.example.c")).literal().unwrap().as_str(), fits);
}

/// RFC 7208 section 4.3 and RFC 8616 section 4
#[test]
fn names_that_cannot_exist() {
    for (local_part, text, code) in [
        ("x", "mail.example...com", "name.empty-label"),
        ("", "%{l}.example.com", "name.empty-label"),
        ("x", "%{h}..", "spf.bad-domain"),
        ("\u{fc}", "%{l}.example.com", codes::EXPANSION_NOT_ASCII),
        (&"l".repeat(64), "%{l}.example.com", "name.label-too-long"),
        (&"l".repeat(300), "%{l}", "name.label-too-long"),
    ] {
        let code_found = match text.parse::<DomainSpec>() {
            Ok(_) => target("192.0.2.3", local_part, text).unwrap_err(),
            Err(invalid) => invalid.problems[0].code,
        };
        assert_eq!(code_found, code, "{text}");
    }
}

#[test]
fn what_is_known_is_substituted() {
    let (domain, sender_domain) = (name("Mail.Example.com"), name("a b%.example"));
    let nothing = PartialContext::new(&domain);
    let open = |text: &str, known: &PartialContext<'_>| match spec(text).expand_known(known).unwrap() {
        Partial::Open(text) => text,
        Partial::Known(name) => format!("known {name}"),
    };
    for (text, expected) in [
        ("Foo.%{d2}", "known foo.example.com"),
        ("%{d4r.-}", "known com.example.mail"),
        ("%{I}.X.%{d2}", "%{i}.x.example.com"),
        ("%{i}.Foo.", "%{i}.foo"),
        ("%{l--+}.%{S.}.%{V}.%{p2}%%", "%{l+-}.%{S}.%{v}.%{p2}%%"),
        ("%{i}\\%_.%{o}", "%{i}\\092%_.%{o}"),
    ] {
        assert_eq!(open(text, &nothing), expected, "{text}");
    }
    let family = PartialContext { ipv6: Some(true), sender_domain: Some(&sender_domain), ..nothing.clone() };
    assert_eq!(
        open("%{ir}.%{v}.%{O}.%{o}.example", &family),
        "%{ir}.ip6.a%%20b%%25.example.a%_b%%.example.example"
    );
    let client = PartialContext { ip: Some("192.0.2.3".parse().unwrap()), ..nothing.clone() };
    assert_eq!(open("%{ir}.%{v}.example", &client), "known 3.2.0.192.in-addr.example");
    assert_eq!(open("%{l}.%{h}.example", &client), "%{l}.%{h}.example");
    assert_eq!(spec("..x.%{d}").expand_known(&nothing).unwrap_err().code, "name.empty-label");
}

#[test]
fn names_as_domain_specs() {
    for text in ["example.com", "a\\032b%c.example", "_spf.%{d}.example", "foo:bar/baz.example"] {
        assert_eq!(DomainSpec::try_from(&name(text)).unwrap().literal(), Some(&name(text)), "{text}");
    }
    for text in ["museum", ".", "a\\.b.example", "a\\001.example", "192.0.2.3", "x.example_com"] {
        assert_eq!(DomainSpec::try_from(&name(text)).unwrap_err().code, codes::BAD_DOMAIN, "{text}");
    }
}

proptest! {
    /// Knowing everything is the same as expanding, in one step or in two.
    #[test]
    fn partial_agrees_with_complete(
        parts in proptest::collection::vec("%\\{[slodivhSLODIVH]([1-9][0-9]?)?r?[-.+]{0,2}\\}|[a-zA-Z%]{1,5}[.]", 1..5),
        ip in any::<std::net::IpAddr>(),
        local_part in "[a-z.+%-]{1,9}",
    ) {
        let text = parts.concat().replace("%.", "%%.") + ".example";
        let Ok(spec) = text.parse::<DomainSpec>() else { return Ok(()) };
        let (domain, sender_domain) = (name("d.example.com"), name("Sender.example.org"));
        let context = MacroContext {
            local_part: &local_part,
            sender_domain: &sender_domain,
            domain: &domain,
            ip,
            helo: "helo.example",
            validated: None,
            receiver: None,
            timestamp: 0,
        };
        let all = PartialContext {
            domain: &domain,
            local_part: Some(&local_part),
            sender_domain: Some(&sender_domain),
            helo: Some("helo.example"),
            ip: Some(ip),
            ipv6: None,
        };
        let complete = spec.expand(&context);
        prop_assert_eq!(spec.expand_known(&all), complete.clone().map(Partial::Known));
        if let Partial::Open(open) = spec.expand_known(&PartialContext::new(&domain)).unwrap_or(Partial::Known(domain.clone())) {
            prop_assert_eq!(open.parse::<DomainSpec>().unwrap().expand(&context), complete);
        }
    }
}
