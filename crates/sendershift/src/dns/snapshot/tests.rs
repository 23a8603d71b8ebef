use super::Snapshot;
use crate::dns::{
    Answer, Evidence, Overlay, Quality, Question, RecordType, Recording, Records, Resolved, RrSet, Txt,
};
use crate::dns::{negative_ttl, resolve};
use crate::name::DomainName;

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn snapshot(closed: bool, answers: &str) -> Snapshot {
    Snapshot::from_json(&format!(
        r#"{{"format":"sendershift-snapshot/1","closed":{closed},"answers":[{answers}]}}"#
    ))
    .unwrap()
}

fn codes(answers: &str) -> Vec<&'static str> {
    let text = format!(r#"{{"format":"sendershift-snapshot/1","answers":[{answers}]}}"#);
    Snapshot::from_json(&text).unwrap_err().problems.into_iter().map(|problem| problem.code).collect()
}

const ANSWERS: &str = r#"
    {"name":"a.example","type":"TXT","records":["one",["t","wo"]]},
    {"name":"x.y.example","type":"A","records":["192.0.2.1"]},
    {"name":"alias.example","type":"CNAME","records":["a.example."]},
    {"name":"loop.example","type":"CNAME","records":["loop.example."]},
    {"name":"gone.example","type":"TXT","status":"nxdomain"},
    {"name":"slow.example","type":"A","status":"timeout"},
    {"name":"empty.example","type":"MX","records":[]}"#;

#[test]
fn three_states() {
    for closed in [false, true] {
        let snapshot = snapshot(closed, ANSWERS);
        let (unknown_name, unknown_type) =
            if closed { (Answer::NxDomain, Answer::NoData) } else { (Answer::Unknown, Answer::Unknown) };
        for (at, record_type, expected) in [
            ("a.example", RecordType::A, unknown_type),
            ("y.example", RecordType::A, unknown_type),
            ("z.y.example", RecordType::A, unknown_name),
            ("gone.example", RecordType::Mx, Answer::NxDomain),
            ("deep.below.gone.example", RecordType::Mx, Answer::NxDomain),
            ("slow.example", RecordType::A, Answer::Failed),
            ("empty.example", RecordType::Mx, Answer::NoData),
        ] {
            assert_eq!(
                snapshot.answer(&name(at), record_type),
                expected,
                "{at} {record_type} closed: {closed}"
            );
        }
        let Resolved::Records(rrset) = resolve(&snapshot, &name("alias.example"), RecordType::Txt) else {
            panic!()
        };
        assert_eq!(rrset.texts()[1].octets(), b"two");
        assert_eq!(resolve(&snapshot, &name("loop.example"), RecordType::Txt), Resolved::Failed);
    }
}

/// The ancestors of a listed name exist, also where the question got no answer; in an open snapshot nothing follows from that.
#[test]
fn ancestors_of_a_failure() {
    let failed = r#"{"name":"slow.sub.example","type":"TXT","status":"timeout"}"#;
    for (closed, expected) in [(true, Answer::NoData), (false, Answer::Unknown)] {
        let snapshot = snapshot(closed, failed);
        for above in ["sub.example", "example", "."] {
            assert_eq!(snapshot.answer(&name(above), RecordType::Txt), expected, "{above}");
        }
        assert_eq!(snapshot.answer(&name("slow.sub.example"), RecordType::Txt), Answer::Failed);
    }
}

#[test]
fn round_trip() {
    let first = snapshot(true, ANSWERS);
    let text = serde_json::to_string(&first).unwrap();
    let second = Snapshot::from_json(&text).unwrap();
    assert_eq!(first, second);
    assert_eq!(text, serde_json::to_string(&second).unwrap());
}

#[test]
fn contradictions() {
    for (answers, code) in [
        (
            r#"{"name":"a.example","type":"A","records":["192.0.2.1"]},{"name":"a.example","type":"A","records":["192.0.2.2"]}"#,
            "snapshot.contradiction",
        ),
        (
            r#"{"name":"a.example","type":"A","records":["192.0.2.1"]},{"name":"a.example","type":"TXT","status":"nxdomain"}"#,
            "snapshot.contradiction",
        ),
        (
            r#"{"name":"b.a.example","type":"A","records":["192.0.2.1"]},{"name":"a.example","type":"TXT","status":"nxdomain"}"#,
            "snapshot.contradiction",
        ),
        (
            r#"{"name":"a.example","type":"A","records":["192.0.2.1"]},{"name":"a.example","type":"CNAME","records":["b.example"]}"#,
            "snapshot.alias-with-data",
        ),
        (
            r#"{"name":"a.example","type":"A","status":"nxdomain","records":["192.0.2.1"]}"#,
            "snapshot.status-with-records",
        ),
        (r#"{"name":"a.example","type":"A","status":"refused"}"#, "snapshot.unknown-status"),
        (r#"{"name":"a.example","type":"A","records":["192.0.2"]}"#, "dns.bad-record"),
        (r#"{"name":"ä.example","type":"A"}"#, "dns.not-ascii"),
        (r#"{"name":"a.example","type":"TXT","records":["ä"]}"#, "dns.not-ascii"),
        (r#"{"name":"a.example","type":"TXT","records":["\\9"]}"#, "dns.bad-escape"),
        (r#"{"name":"a.example","type":"BOGUS"}"#, "dns.unknown-type"),
    ] {
        assert_eq!(codes(answers), [code], "{answers}");
    }
}

#[test]
fn better_quality_wins() {
    let two = r#"{"name":"a.example","type":"A","ttl":60,"records":["192.0.2.1"]},
        {"name":"a.example","type":"A","ttl":300,"authoritative":true,"records":["192.0.2.2"]}"#;
    let snapshot = snapshot(false, two);
    let Answer::Records(rrset) = snapshot.answer(&name("a.example"), RecordType::A) else { panic!() };
    assert_eq!((rrset.ttl(), rrset.quality()), (Some(300), Quality::Authoritative));
}

#[test]
fn several_documents_are_one_snapshot() {
    let document = |head: &str, answers: &str| {
        format!("{{\"format\":\"sendershift-snapshot/1\",{head}\n\"answers\":[{answers}]}}")
    };
    let cached = r#"{"name":"a.example","type":"A","ttl":60,"records":["192.0.2.1"]}"#;
    let better = r#"{"name":"a.example","type":"A","authoritative":true,"records":["192.0.2.2"]}"#;
    let gone = r#"{"name":"example","type":"TXT","status":"nxdomain"}"#;
    let closed = document(r#""closed":true,"taken":"2022-01-24","#, cached);
    let open = document(r#""taken":"2022-01-23","#, better);
    let read = |texts: &[&str]| {
        let names = ["one.json", "two.json"];
        Snapshot::from_sources(&names.into_iter().zip(texts.iter().copied()).collect::<Vec<_>>())
    };
    for texts in [[&*closed, &*open], [&*open, &*closed]] {
        let merged = read(&texts).unwrap();
        assert!(!merged.closed());
        assert_eq!(merged.taken(), Some("2022-01-23T00:00:00Z".parse().unwrap()));
        let Answer::Records(rrset) = merged.answer(&name("a.example"), RecordType::A) else { panic!() };
        assert_eq!(rrset.records().to_texts(), ["192.0.2.2"]);
    }
    let differs = document("", &cached.replace("192.0.2.1", "192.0.2.9"));
    let (index, invalid) = read(&[&closed, &differs]).unwrap_err().pop().unwrap();
    assert_eq!((index, invalid.problems[0].code), (1, "snapshot.contradiction"));
    assert!(invalid.problems[0].help.as_deref().unwrap().contains("line 2 of one.json"));
    let (index, invalid) = read(&[&closed, &document("", gone)]).unwrap_err().pop().unwrap();
    assert_eq!((index, invalid.problems[0].code), (1, "snapshot.contradiction"));
    let both = read(&["{", "["]).unwrap_err();
    assert_eq!(both.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn recording_asks_each_question_once() {
    let base = snapshot(false, ANSWERS);
    let recording = Recording::new(&base);
    for at in ["new.example", "new.example", "a.example", "gone.example"] {
        recording.answer(&name(at), RecordType::Txt);
    }
    let missing = recording.complete(()).unwrap_err();
    assert_eq!(missing.questions, [Question::new(name("new.example"), RecordType::Txt)]);
}

#[test]
fn overlay() {
    let base = snapshot(true, ANSWERS);
    let mut overlay = Overlay::new(&base);
    let txt = |text| {
        RrSet::new(Records::Txt(vec![Txt::from_text(text).unwrap()]), Some(60), Quality::Authoritative)
    };
    overlay.publish(&name("new.gone.example"), txt("new"));
    overlay.publish(&name("alias.example"), txt("now a text"));
    overlay.remove(&name("alias.example"), RecordType::Cname);
    overlay.remove(&name("a.example"), RecordType::Txt);
    overlay.fail(&name("x.y.example"), RecordType::A);
    assert_eq!(overlay.answer(&name("gone.example"), RecordType::A), Answer::NoData);
    assert_eq!(overlay.answer(&name("other.gone.example"), RecordType::A), Answer::NxDomain);
    assert_eq!(overlay.answer(&name("alias.example"), RecordType::A), Answer::NoData);
    assert_eq!(overlay.answer(&name("a.example"), RecordType::Txt), Answer::NoData);
    assert_eq!(overlay.answer(&name("x.y.example"), RecordType::A), Answer::Failed);
    assert!(matches!(overlay.answer(&name("alias.example"), RecordType::Txt), Answer::Records(_)));
}

/// Publishing hides a wildcard at the name and below it, for all types (RFC 4592 section 2.2.1).
#[cfg(feature = "zone")]
#[test]
fn overlay_on_wildcards() {
    let zone = "$ORIGIN example.\n$TTL 60\n@ SOA ns host 1 2 3 4 5\n* TXT \"wild\"\n* A 192.0.2.1\na.b TXT \"here\"\n";
    let base = Snapshot::from_zone(zone, None).unwrap();
    let mut overlay = Overlay::new(&base);
    let txt =
        RrSet::new(Records::Txt(vec![Txt::from_text("new").unwrap()]), Some(60), Quality::Authoritative);
    let answer =
        |overlay: &Overlay<&Snapshot>, at: &str, record_type| match overlay.answer(&name(at), record_type) {
            Answer::Records(rrset) => rrset.records().to_texts().join(" "),
            other => format!("{other:?}"),
        };
    let (wild, none) = (Some(name("*.example")), None);
    assert_eq!((overlay.wildcard(&name("x.example")), overlay.wildcard(&name("b.example"))), (wild, none));
    overlay.publish(&name("s._domainkey.example"), txt.clone());
    for (at, record_type, expected) in [
        ("s._domainkey.example", RecordType::Txt, "new"),
        ("s._domainkey.example", RecordType::A, "NoData"),
        ("x.s._domainkey.example", RecordType::A, "NxDomain"),
        ("_domainkey.example", RecordType::Txt, "NoData"),
        ("other._domainkey.example", RecordType::Txt, "NxDomain"),
        ("x.example", RecordType::Txt, "wild"),
        ("x.y.example", RecordType::A, "192.0.2.1"),
        ("x.b.example", RecordType::A, "NxDomain"),
    ] {
        assert_eq!(answer(&overlay, at, record_type), expected, "{at} {record_type}");
    }
    overlay.publish(&name("*.example"), txt);
    overlay.remove(&name("*.example"), RecordType::A);
    overlay.fail(&name("failing.example"), RecordType::Txt);
    assert_eq!(answer(&overlay, "x.example", RecordType::Txt), "new");
    assert_eq!(answer(&overlay, "x.example", RecordType::A), "NoData");
    assert_eq!(answer(&overlay, "failing.example", RecordType::Txt), "Failed");
}

#[test]
fn negative_ttl_is_the_smaller_of_ttl_and_minimum() {
    let soa = r#"{"name":"example","type":"SOA","ttl":900,"authoritative":true,"records":["ns. host. 1 2 3 4 3600"]},
        {"name":"cached.test","type":"SOA","ttl":900,"records":["ns. host. 1 2 3 4 3600"]}"#;
    assert_eq!(negative_ttl(&snapshot(true, soa), &name("a.b.example")), Some(900));
    assert_eq!(negative_ttl(&snapshot(true, soa), &name("cached.test")), None, "a cached TTL is no bound");
    assert_eq!(
        negative_ttl(&snapshot(false, soa), &name("a.b.example")),
        None,
        "b.example may be a zone of its own"
    );
}

#[test]
fn a_text_record_of_no_strings_is_one_of_an_empty_string() {
    let read = |records: &str| {
        let answer = format!(r#"{{ "name": "a.example", "type": "TXT", "records": [{records}] }}"#);
        let text = format!(r#"{{ "format": "sendershift-snapshot/1", "answers": [{answer}] }}"#);
        super::Snapshot::from_json(&text).unwrap()
    };
    assert_eq!(read("[]"), read(r#""""#));
}
