//! A migration is read or refused with places; what is planned of it is a plan that can be read and judged.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use sendershift::dns::Snapshot;
use sendershift::error::Error;
use sendershift::migration::Migration;
use sendershift::planner;
use sendershift_fuzz::{check_plan, check_problems, mutate};

const DNS: &str = include_str!("../../../docs/examples/qualys/dns.json");

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::lines(data, size, max_size, seed)
});

fuzz_target!(init: { let _ = evidence(); }, |text: &str| {
    let migration = match Migration::from_toml(text) {
        Ok(migration) => migration,
        Err(invalid) => return check_problems(text, &invalid),
    };
    match planner::plan(&migration, evidence()) {
        Ok(plan) => check_plan(&plan),
        Err(Error::Invalid(invalid)) => assert!(!invalid.problems.is_empty()),
        Err(Error::Missing(missing)) => assert!(missing.questions.is_sorted() && !missing.questions.is_empty()),
        Err(other) => panic!("{other}"),
    }
});

fn evidence() -> &'static Snapshot {
    static EVIDENCE: std::sync::OnceLock<Snapshot> = std::sync::OnceLock::new();
    EVIDENCE.get_or_init(|| Snapshot::from_json(DNS).unwrap())
}
