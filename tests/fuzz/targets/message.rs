//! What a DNS message says to the question that stands in it: nothing is said of other names, absence only where the message says so, and the
//! snapshot survives being written and read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sendershift::dns::snapshot::Note;
use sendershift::dns::{Answer, Evidence, Quality, Question, RecordType, Records, Snapshot};
use sendershift::name::DomainName;
use sendershift_fuzz::{check_problem, check_snapshot};

const TYPES: [(&str, u16); 8] =
    [("A", 1), ("NS", 2), ("CNAME", 5), ("SOA", 6), ("PTR", 12), ("MX", 15), ("TXT", 16), ("AAAA", 28)];

fuzz_target!(|octets: &[u8]| {
    let question = asked(octets);
    let fallback = || Question::new("shop.example".parse().unwrap(), RecordType::Txt);
    let is_answer = question.is_some();
    let question = question.unwrap_or_else(fallback);
    let snapshot = match Snapshot::from_message(octets, &question, &Note::default()) {
        Ok(snapshot) => snapshot,
        Err(problem) => return check_problem("", &problem),
    };
    let other = octets.get(12..).is_some_and(|rest| rest.starts_with(b"\x04shop\x07example\0"));
    assert!(is_answer || other, "an answer to a question that is not in the message");
    check_snapshot(&snapshot);
    check_chain(&snapshot, &question, octets[3] & 0x0F);
});

/// The chain of aliases from the question on holds all that the snapshot says, and its end is as the response code has it.
fn check_chain(snapshot: &Snapshot, question: &Question, code: u8) {
    let mut chain: Vec<DomainName> = Vec::new();
    let mut here = question.name.clone();
    while !chain.contains(&here) {
        chain.push(here.clone());
        match snapshot.answer(&here, question.record_type) {
            Answer::Alias(rrset) => {
                assert_eq!(rrset.quality(), Quality::Cached);
                let Records::Cname(target) = rrset.records() else { panic!("{rrset:?}") };
                here = target.clone();
            }
            Answer::Records(rrset) => {
                assert_eq!(rrset.quality(), Quality::Cached);
                assert_eq!(code, 0);
                assert!(rrset.ttl().is_some_and(|ttl| ttl <= 0x7FFF_FFFF));
            }
            Answer::NoData => assert_eq!(code, 0),
            Answer::NxDomain => assert_eq!(code, 3),
            // Codes of EDNS have their lower bits here.
            Answer::Failed => assert!(chain.len() == 1),
            Answer::Unknown => assert!(chain.len() > 1, "nothing is said"),
        }
    }
    for name in snapshot.names() {
        assert!(chain.iter().any(|one| one.is_within(name)), "{name} was not asked for");
    }
}

/// The first question of a message, if its name is not compressed: read here again, so that two readers have to agree.
fn asked(octets: &[u8]) -> Option<Question> {
    let (mut text, mut at) = (String::new(), 12);
    while let length @ 1.. = usize::from(*octets.get(at)?) {
        for octet in octets.get(at + 1..=at + length).filter(|_| length < 64)? {
            text.push_str(&format!("\\{octet:03}"));
        }
        text.push('.');
        at += length + 1;
    }
    let number = u16::from_be_bytes([*octets.get(at + 1)?, *octets.get(at + 2)?]);
    let (kind, _) = TYPES.iter().find(|(_, known)| *known == number)?;
    let name = if text.is_empty() { DomainName::root() } else { DomainName::parse(&text).ok()? };
    let question = Question::new(name, kind.parse().unwrap());
    // What is asked again is the same question: the name and what follows it, in lower case.
    let message = question.to_message().unwrap();
    assert!(
        message[12..].starts_with(&octets[12..at + 3].to_ascii_lowercase())
            || octets[12..at].iter().any(|o| !o.is_ascii())
    );
    Some(question)
}
