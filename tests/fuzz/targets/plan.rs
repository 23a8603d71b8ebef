//! A plan survives being written and read, and its verdict does not hang on how long the prover may look.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use sendershift::plan::Plan;
use sendershift_fuzz::{check_plan, check_problems, mutate};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json(data, size, max_size, seed)
});

fuzz_target!(|text: &str| match Plan::from_json(text) {
    Ok(plan) => check_plan(&plan),
    Err(invalid) => check_problems(text, &invalid),
});
