//! The three laws of evidence: more of it never changes a complete answer; each round asks only new questions;
//! revealed bit by bit it leads to the same result as all of it at once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it does not expect")]

mod estate;

use std::collections::BTreeSet;
use std::net::IpAddr;

use estate::estate;
use proptest::prelude::*;
use sendershift::dmarc::{Authenticated, evaluate};
use sendershift::dns::{Answer, Evidence, Question, RecordType, Recording, Snapshot};
use sendershift::error::{Error, Missing};
use sendershift::name::DomainName;
use sendershift::spf::{Policy, Profile, Query, check};

/// The part of some evidence that is known so far.
struct Revealed<'a> {
    all: &'a Snapshot,
    known: BTreeSet<Question>,
}

impl Evidence for Revealed<'_> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        if self.known.contains(&Question::new(name.clone(), record_type)) {
            self.all.answer(name, record_type)
        } else {
            Answer::Unknown
        }
    }
}

/// Reveals what an operation asks for, round by round, and checks the laws.
fn laws<T: PartialEq + std::fmt::Debug>(
    all: &Snapshot,
    more: &[Question],
    operation: impl Fn(&dyn Evidence) -> Result<T, Missing>,
) -> Result<(), TestCaseError> {
    let at_once = operation(all).expect("the evidence is closed");
    let mut revealed = Revealed { all, known: BTreeSet::new() };
    for round in 0.. {
        prop_assert!(round < 100, "no end of questions");
        match operation(&revealed) {
            Ok(answer) => {
                prop_assert_eq!(&answer, &at_once);
                revealed.known.extend(more.iter().cloned());
                prop_assert_eq!(operation(&revealed).ok(), Some(at_once), "more evidence changed the answer");
                return Ok(());
            }
            Err(missing) => {
                for question in missing.questions {
                    prop_assert!(revealed.known.insert(question.clone()), "{} was asked twice", question);
                }
            }
        }
    }
    Ok(())
}

fn questions() -> impl Strategy<Value = Vec<Question>> {
    let name = prop_oneof![
        (0..6).prop_map(|n| format!("d{n}.example")),
        (0..6).prop_map(|n| format!("h{n}.example")),
        (0..3).prop_map(|n| format!("m{n}.example")),
    ];
    let kind = prop::sample::select(vec![RecordType::Txt, RecordType::A, RecordType::Aaaa, RecordType::Mx]);
    prop::collection::vec(
        (name, kind).prop_map(|(name, kind)| Question::new(name.parse().unwrap(), kind)),
        0..12,
    )
}

fn client() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0u8..16).prop_map(|host| IpAddr::from([192, 0, 2, host])),
        (0u16..16).prop_map(|host| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, host])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn of_check(json in estate(), more in questions(), ip in client()) {
        let all = Snapshot::from_json(&json).unwrap();
        let query = Query::new(ip, "user@d0.example", "helo.example");
        for profile in [&Profile::RFC7208, &Profile::STRICT] {
            laws(&all, &more, |evidence| check(evidence, &query, profile))?;
        }
    }

    #[test]
    fn of_policy(json in estate(), more in questions()) {
        let all = Snapshot::from_json(&json).unwrap();
        laws(&all, &more, |evidence| match Policy::compile(evidence, &"d0.example".parse().unwrap()) {
            Ok(policy) => Ok(policy),
            Err(Error::Missing(missing)) => Err(missing),
            Err(error) => panic!("{error}"),
        })?;
    }

    #[test]
    fn of_dmarc(records in prop::collection::vec(prop::sample::select(vec![
        None, Some("v=DMARC1; p=none"), Some("v=DMARC1; p=reject; psd=y"), Some("v=DMARC1; p=reject; np=none; adkim=s"),
        Some("v=DMARC1; psd=n"), Some("broken"),
    ]), 4)) {
        let names = ["a.b.example.net", "b.example.net", "example.net", "net"];
        let answers: Vec<_> = names.iter().zip(&records).filter_map(|(name, record)| {
            Some(serde_json::json!({ "name": format!("_dmarc.{name}"), "type": "TXT", "records": [(*record)?] }))
        }).collect();
        let json = serde_json::json!({ "format": "sendershift-snapshot/1", "closed": true, "answers": answers });
        let all = Snapshot::from_json(&json.to_string()).unwrap();
        let (author, identifier): (DomainName, DomainName) = (names[0].parse().unwrap(), names[1].parse().unwrap());
        let more: Vec<Question> =
            names.iter().map(|name| Question::new(format!("_dmarc.{name}").parse().unwrap(), RecordType::Txt)).collect();
        laws(&all, &more, |evidence| {
            let recording = Recording::new(evidence);
            let message = Authenticated { author_domain: &author, spf: None, dkim: std::slice::from_ref(&identifier) };
            let verdict = evaluate(&recording, &message);
            recording.complete(verdict)
        })?;
    }
}
