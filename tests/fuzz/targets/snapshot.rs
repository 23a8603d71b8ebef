//! A snapshot survives being written and read, and says the same together with itself.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use sendershift::dns::{Answer, Evidence, Snapshot};
use sendershift_fuzz::{check_problems, check_snapshot, mutate};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json(data, size, max_size, seed)
});

fuzz_target!(|text: &str| {
    let snapshot = match Snapshot::from_json(text) {
        Ok(snapshot) => snapshot,
        Err(invalid) => return check_problems(text, &invalid),
    };
    check_snapshot(&snapshot);
    let twice =
        Snapshot::from_sources(&[("one", text), ("two", text)]).expect("it does not contradict itself");
    assert_eq!(twice, snapshot);
    for name in snapshot.names() {
        for (kind, rrset) in snapshot.rrsets(name) {
            assert_eq!(snapshot.answer(name, kind), Answer::Records(rrset));
            assert!(rrset.records().same_as(rrset.records()));
        }
        if snapshot.closed() && snapshot.lists(name) {
            for ancestor in name.ancestors() {
                assert_ne!(
                    snapshot.answer(&ancestor, "TXT".parse().unwrap()),
                    Answer::NxDomain,
                    "{ancestor}"
                );
            }
        }
    }
});
