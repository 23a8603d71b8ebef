//! Keeps the prover honest: takes safe plans, breaks each in every small way, and looks whether the prover notices.
//!
//! Every counterexample is shown again through the public checks (`replay`). All mutants and verdicts are written to
//! `target/mutants`, where the simulator (`tests/simulator`) judges them without the prover: `cargo xtask test mutation`.

#![expect(clippy::indexing_slicing, reason = "a place that a JSON document lacks is null")]

mod judge;
mod margin;
mod operators;
mod plans;
mod replay;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trial = |(name, plan): (String, Result<String, String>),
                 judge: fn(&str, &str) -> Result<(), String>| {
        let title = format!("mutation/{name}");
        Trial::test(title, move || Ok(judge(&name, &plan?)?))
    };
    let safe = plans::safe().into_iter().map(|plan| trial(plan, judge::safe));
    let broken = plans::broken().into_iter().map(|plan| trial(plan, judge::broken));
    let beside = plans::beside_the_mail().into_iter().map(|plan| trial(plan, judge::shown));
    let mut trials: Vec<Trial> = safe.chain(broken).chain(beside).collect();
    if trials.is_empty() {
        trials.push(Trial::test("mutation", || Err("there are no plans".into())));
    }
    let corpus: Result<Vec<(String, String)>, String> =
        plans::corpus().into_iter().map(|(name, plan)| Ok((name, plan?))).collect();
    trials.push(Trial::test("mutation/corpus", move || Ok(judge::corpus(&corpus?)?)));
    let drawn = plans::drawn();
    if !drawn.is_empty() {
        trials.push(Trial::test("mutation/drawn", move || Ok(judge::drawn(&drawn)?)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
