use std::cell::RefCell;

use proptest::prelude::*;

use super::{
    Alignment, Authenticated, Authorised, DmarcRecord, DmarcResult, aligned, discover, evaluate,
    report_authorisation,
};
use crate::dns::{Answer, Evidence, Question, RecordType, Recording, Snapshot};
use crate::name::DomainName;

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

/// A closed snapshot with policy records at domains.
fn records(records: &[(&str, &str)]) -> Snapshot {
    let answer = |(domain, text): &(&str, &str)| serde_json::json!({ "name": format!("_dmarc.{domain}"), "type": "TXT", "records": [text] });
    let answers: Vec<_> = records.iter().map(answer).collect();
    let document =
        serde_json::json!({ "format": "sendershift-snapshot/1", "closed": true, "answers": answers });
    Snapshot::from_json(&document.to_string()).unwrap()
}

/// Evidence that refuses to be asked the same question twice.
struct Once<'a>(&'a Snapshot, RefCell<Vec<Question>>);

impl Evidence for Once<'_> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        let question = Question::new(name.clone(), record_type);
        assert!(!self.1.borrow().contains(&question), "asked twice: {question}");
        self.1.borrow_mut().push(question);
        self.0.answer(name, record_type)
    }
}

#[test]
fn no_question_is_asked_twice() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/dmarc/evaluate.json")).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let input = &case["input"];
        let snapshot = Snapshot::from_json(&input["dns"].to_string()).unwrap();
        let spf = input["spf"].as_str().map(name);
        let dkim: Vec<DomainName> =
            input["dkim"].as_array().unwrap().iter().map(|domain| name(domain.as_str().unwrap())).collect();
        let author_domain = name(input["from"].as_str().unwrap());
        let message = Authenticated { author_domain: &author_domain, spf: spf.as_ref(), dkim: &dkim };
        evaluate(&Once(&snapshot, RefCell::default()), &message);
    }
}

/// RFC 9990, "Verifying External Destinations".
#[test]
fn report_authorisations() {
    let document = r#"{"format":"sendershift-snapshot/1","closed":true,"answers":[
        {"name":"_dmarc.example.net","type":"TXT","records":["v=DMARC1; p=none"]},
        {"name":"example.net._report._dmarc.one.example","type":"TXT","records":["v=DMARC1"]},
        {"name":"example.net._report._dmarc.two.example","type":"TXT","records":["x","v=DMARC1; rua=mailto:a@two.example","v=DMARC1"]},
        {"name":"example.net._report._dmarc.three.example","type":"TXT","records":["v=DMARC2"]},
        {"name":"example.net._report._dmarc.four.example","type":"TXT","status":"servfail"},
        {"name":"_dmarc.five.net","type":"TXT","status":"servfail"}]}"#;
    let snapshot = Snapshot::from_json(document).unwrap();
    let at = |host: &str| name(&format!("example.net._report._dmarc.{host}"));
    let long = "abcdefg.".repeat(28) + "example";
    for (host, expected) in [
        ("example.net", Authorised::SameOrganization),
        ("reports.example.net", Authorised::SameOrganization),
        ("one.example", Authorised::Granted { name: at("one.example") }),
        ("two.example", Authorised::Granted { name: at("two.example") }),
        ("three.example", Authorised::Missing { name: at("three.example") }),
        ("four.example", Authorised::Failed),
        ("five.net", Authorised::Failed),
        ("six.example", Authorised::Missing { name: at("six.example") }),
        (long.as_str(), Authorised::TooLong),
    ] {
        assert_eq!(report_authorisation(&snapshot, &name("example.net"), &name(host)), expected, "{host}");
    }
}

#[test]
fn missing_evidence_is_asked_for_and_evaluation_goes_on() {
    let snapshot = Snapshot::from_json(r#"{"format":"sendershift-snapshot/1","answers":[]}"#).unwrap();
    let recording = Recording::new(&snapshot);
    let (author, bounce) = (name("a.example.net"), name("b.example.net"));
    let message = Authenticated { author_domain: &author, spf: Some(&bounce), dkim: &[] };
    let verdict = evaluate(&recording, &message);
    assert_eq!(verdict.result, DmarcResult::None);
    let questions: Vec<String> =
        recording.complete(()).unwrap_err().questions.iter().map(ToString::to_string).collect();
    assert_eq!(
        questions,
        ["_dmarc.a.example.net TXT", "_dmarc.b.example.net TXT", "_dmarc.example.net TXT", "_dmarc.net TXT"]
    );
}

#[test]
fn existence_is_asked_only_where_it_matters() {
    for (record, asked) in [("v=DMARC1; p=reject; sp=none", 3), ("v=DMARC1; p=reject; np=none", 4)] {
        let snapshot = records(&[("example.net", record)]);
        let once = Once(&snapshot, RefCell::default());
        discover(&once, &name("a.example.net"));
        assert_eq!(once.1.borrow().len(), asked, "{record}");
    }
}

#[test]
fn edited_records() {
    let record: DmarcRecord = "v=DMARC1; p=none; rua=mailto:d@example.net; pct=0".parse().unwrap();
    let edited = |name, value| record.with(name, value).unwrap().to_string();
    assert_eq!(edited("p", Some("reject")), "v=DMARC1; p=reject; rua=mailto:d@example.net; pct=0");
    assert_eq!(edited("pct", None), "v=DMARC1; p=none; rua=mailto:d@example.net");
    assert_eq!(edited("np", Some("reject")), "v=DMARC1; p=none; rua=mailto:d@example.net; pct=0; np=reject");
    assert_eq!(edited("sp", None), record.to_string());
    assert!(record.with("v", None).is_err());
}

fn record_text() -> impl Strategy<Value = String> {
    let tag = prop_oneof![
        "(p|sp|np)=(none|quarantine|reject|x)",
        "psd=[ynux]",
        "t=[ynx]",
        "a(dkim|spf)=[rsx]",
        "ru[af]=mailto:[a-z]@[a-z]{1,3}[.]example(!1m)?",
        "pct=[0-9]",
        "\\PC{0,6}",
    ];
    proptest::collection::vec(tag, 0..5).prop_map(|tags| format!("v=DMARC1; {}", tags.join(" ;")))
}

fn domain() -> impl Strategy<Value = String> {
    "([ab][.]){0,3}[ab][.]x"
}

proptest! {
    #[test]
    fn round_trip(text in record_text()) {
        if let Ok(record) = DmarcRecord::parse(text.as_bytes()) {
            let again: DmarcRecord = record.to_string().parse().unwrap();
            prop_assert_eq!(&again, &record);
            let known = |record: &DmarcRecord| {
                let mut document = serde_json::to_value(record).unwrap();
                document.as_object_mut().unwrap().remove("notes");
                document
            };
            prop_assert_eq!(known(&again), known(&record));
            let codes = |record: &DmarcRecord| record.notes().iter().map(|note| note.code).collect::<Vec<_>>();
            prop_assert_eq!(codes(&again), codes(&record));
        }
    }

    #[test]
    fn never_panics(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = DmarcRecord::parse(&octets);
        let _ = DmarcRecord::parse(&[b"v=DMARC1;".as_slice(), &octets].concat());
    }

    /// The organizational domain is the start or above it, and relaxed alignment is what it is made of.
    #[test]
    fn walks_and_alignment_agree(
        published in proptest::collection::btree_map(domain(), record_text(), 0..5),
        left in domain(),
        right in domain(),
    ) {
        let published: Vec<(&str, &str)> =
            published.iter().filter(|(_, text)| text.is_ascii() && !text.contains('\\'))
                .map(|(domain, text)| (domain.as_str(), text.as_str())).collect();
        let snapshot = records(&published);
        let (left, right) = (name(&left), name(&right));
        let organization = |domain| {
            let walk = super::organizational_domain(&snapshot, domain);
            assert!(walk.queries.len() <= 8);
            assert!(domain.is_within(&walk.organizational_domain));
            walk.organizational_domain
        };
        let same = organization(&left) == organization(&right);
        prop_assert_eq!(aligned(&snapshot, &left, &right, Alignment::Relaxed), same);
        prop_assert_eq!(aligned(&snapshot, &right, &left, Alignment::Relaxed), same);
        prop_assert_eq!(aligned(&snapshot, &left, &right, Alignment::Strict), left == right);
    }
}

#[test]
fn the_place_of_what_is_no_record_ends_between_characters() {
    let text = "v=DMARC\u{3fd} p=reject";
    let span = super::DmarcRecord::parse(text.as_bytes()).unwrap_err().problems[0].span.unwrap();
    assert_eq!(text.get(span.start..span.end), Some("v=DMARC"));
}
