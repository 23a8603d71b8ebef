//! A zone file as a snapshot, and as a snapshot that was written and read, gives the same answers.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use sendershift::dns::zone::ZoneFile;
use sendershift::dns::{Answer, Evidence, RecordType, Snapshot};
use sendershift::name::DomainName;
use sendershift_fuzz::{check_problems, check_snapshot, mutate};

const TYPES: [RecordType; 6] =
    [RecordType::A, RecordType::Mx, RecordType::Ns, RecordType::Soa, RecordType::Txt, RecordType::DS];

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::lines(data, size, max_size, seed)
});

fuzz_target!(|text: &str| {
    let origin: DomainName = "origin.example".parse().unwrap();
    for origin in [None, Some(&origin)] {
        let zone = match ZoneFile::parse(text, origin) {
            Ok(zone) => zone,
            Err(invalid) => {
                check_problems(text, &invalid);
                assert_eq!(Snapshot::from_zone(text, origin).unwrap_err(), invalid);
                continue;
            }
        };
        let snapshot = Snapshot::from_zone(text, origin).expect("it is a zone");
        check_snapshot(&snapshot);
        let json = serde_json::to_string(&snapshot).unwrap();
        let again = Snapshot::from_json(&json).unwrap();
        for set in &zone.rrsets {
            assert!(set.name.is_within(&zone.apex));
            assert!(text.get(set.span.start..set.span.end).is_some());
            let kind = set.rrset.records().record_type();
            if set.answers {
                match snapshot.answer(&set.name, kind) {
                    Answer::Records(rrset) => assert_eq!(*rrset, set.rrset),
                    other => panic!("{} {kind}: {other:?}", set.name),
                }
            }
            let below = set.name.prefixed("below").ok();
            for name in [Some(&set.name), below.as_ref(), set.name.parent().as_ref()].into_iter().flatten() {
                for kind in TYPES {
                    assert_eq!(snapshot.answer(name, kind), again.answer(name, kind), "{name} {kind}");
                }
            }
        }
    }
});
