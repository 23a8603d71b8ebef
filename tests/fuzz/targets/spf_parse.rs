//! A record survives being written and read, term by term, and means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sendershift::dns::{Overlay, Quality, Records, RrSet, Snapshot, Txt};
use sendershift::name::DomainName;
use sendershift::spf::{Policy, Profile, SpfRecord, lint};
use sendershift_fuzz::{check_problems, check_report, pieces};

const CLOSED: &str = r#"{ "format": "sendershift-snapshot/1", "closed": true, "answers": [] }"#;

fuzz_target!(|octets: &[u8]| {
    let text = std::str::from_utf8(octets);
    let record = match SpfRecord::parse(octets) {
        Ok(record) => record,
        Err(invalid) => {
            let not_spf = invalid.problems.iter().any(|problem| problem.code == "spf.not-spf");
            assert_eq!(not_spf, !SpfRecord::is_spf(octets));
            return text.map_or((), |text| check_problems(text, &invalid));
        }
    };
    assert!(SpfRecord::is_spf(octets));
    let text = text.expect("a record with other octets than ASCII has problems");
    assert_eq!(record.text(), text);
    let canonical = record.to_string();
    let again = SpfRecord::parse(canonical.as_bytes()).expect("what was written can be read");
    assert_eq!(again, record);
    assert_eq!(again.to_string(), canonical);
    assert_eq!(again.terms().len(), record.terms().len());
    for (term, other) in record.terms().iter().zip(again.terms()) {
        assert_eq!(&text[term.span.start..term.span.end], record.written(term));
        assert_eq!(term.kind.to_string(), other.kind.to_string());
        let alone = SpfRecord::parse(format!("v=spf1 {}", record.written(term)).as_bytes()).unwrap();
        assert_eq!(alone.terms()[0].kind, term.kind);
    }
    assert_eq!(SpfRecord::from_terms(record.terms().iter().map(|term| term.kind.clone())).unwrap(), record);
    let document = record.to_document();
    assert_eq!(document.record, canonical);
    assert_eq!(document.lookup_terms, record.term_count_costing_lookups());

    let closed = Snapshot::from_json(CLOSED).unwrap();
    let domain: DomainName = "d.example".parse().unwrap();
    let policy = |octets: &str| {
        let mut evidence = Overlay::new(&closed);
        let txt = Txt::from_strings(&pieces(octets.as_bytes())).unwrap();
        assert_eq!(txt.octets(), octets.as_bytes());
        evidence.publish(&domain, RrSet::new(Records::Txt(vec![txt]), None, Quality::Cached));
        check_report(&lint(&evidence, "d.example", None, &Profile::RFC7208).unwrap());
        Policy::compile(&evidence, &domain).unwrap()
    };
    let (one, two) = (policy(text), policy(&canonical));
    assert_eq!(one.intended(), two.intended());
    assert_eq!(one.under(&Profile::STRICT), two.under(&Profile::STRICT));
});
