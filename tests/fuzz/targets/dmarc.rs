//! A policy record survives being written and read, and two generations of receivers judge by it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sendershift::dmarc::{DkimResult, DmarcRecord, LegacyRecord, Message, check, lint};
use sendershift::dns::{Overlay, Quality, Records, RrSet, Snapshot, Txt};
use sendershift::name::DomainName;
use sendershift::spf::SpfResult;
use sendershift_fuzz::{check_problem, check_problems, check_report, pieces};

const CLOSED: &str = r#"{ "format": "sendershift-snapshot/1", "closed": true, "answers": [] }"#;

fuzz_target!(|octets: &[u8]| {
    let text = std::str::from_utf8(octets).ok();
    match (DmarcRecord::parse(octets), text) {
        (Ok(record), text) => {
            assert!(DmarcRecord::is_dmarc(octets));
            let written = record.to_string();
            let again = DmarcRecord::parse(written.as_bytes()).expect("what was written can be read");
            assert_eq!(again, record);
            assert_eq!(again.to_string(), written);
            assert_eq!(meaning(&again), meaning(&record));
            for note in record.notes() {
                check_problem(text.unwrap_or(&String::from_utf8_lossy(octets)), note);
            }
            let rest = record.with("pct", None).expect("without an unknown tag it is a record");
            assert_eq!(rest.value("pct"), None);
            assert_eq!(rest.policy(), record.policy());
        }
        (Err(invalid), Some(text)) => check_problems(text, &invalid),
        (Err(_), None) => {}
    }
    match (LegacyRecord::parse(octets), text) {
        (Ok(record), Some(text)) => {
            assert_eq!(record.to_string(), text);
            assert!(record.percent() <= 100);
        }
        (Err(invalid), Some(text)) => check_problems(text, &invalid),
        _ => {}
    }
    let closed = Snapshot::from_json(CLOSED).unwrap();
    let (domain, below): (DomainName, DomainName) =
        ("shop.example".parse().unwrap(), "news.shop.example".parse().unwrap());
    let Ok(txt) = Txt::from_strings(&pieces(octets)) else { return };
    let mut evidence = Overlay::new(&closed);
    let rrset = RrSet::new(Records::Txt(vec![txt]), None, Quality::Cached);
    evidence.publish(&domain.prefixed("_dmarc").unwrap(), rrset);
    for subject in ["shop.example", "news.shop.example"] {
        check_report(&lint(&evidence, subject, None).expect("the evidence is closed"));
    }
    let plain = Message::new(below.clone());
    let signed = plain.clone().with_dkim(below.clone(), DkimResult::Pass);
    let both = signed.clone().with_spf(domain, SpfResult::Pass);
    // The same domain always aligns, and more that passes never makes it worse.
    let (plain, signed, both) = (check(&evidence, plain), check(&evidence, signed), check(&evidence, both));
    assert_ne!(plain.rfc9989.result.as_str(), "pass");
    assert_eq!(signed.rfc9989.result, both.rfc9989.result);
    assert_ne!(signed.rfc9989.result.as_str(), "fail");
});

/// What receivers take from a record, without the places of what they ignore.
fn meaning(record: &DmarcRecord) -> serde_json::Value {
    let mut meaning = serde_json::to_value(record).unwrap();
    meaning["notes"] = record.notes().iter().map(|note| note.code).collect();
    meaning
}
