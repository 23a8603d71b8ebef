//! The test suite of RFC 7208, one test for each case, named scenario/case.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use sendershift::dns::Snapshot;
use sendershift::spf::{Profile, Query, TraceLog, check, check_traced};
use sendershift_tests::suite::{self, Case, Scenario};

/// The explanation that stands for the receiver's own.
const DEFAULT: &str = "DEFAULT";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match suite::obtained() {
        Ok(Some(scenarios)) => scenarios.into_iter().flat_map(trials).collect(),
        Ok(None) => {
            let notice = "the suite of RFC 7208 is not there: `cargo xtask test suite` obtains it";
            vec![Trial::test(notice, || Ok(())).with_ignored_flag(true)]
        }
        Err(why) => vec![Trial::test("suite", || Err(why.into()))],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(scenario: Scenario) -> Vec<Trial> {
    let snapshot: Arc<str> = scenario.snapshot().into();
    let tests = scenario.tests.into_iter().map(|case| {
        let name = format!("{}/{}", scenario.description, case.name);
        let snapshot = Arc::clone(&snapshot);
        Trial::test(name, move || judge(&case, &snapshot))
    });
    tests.collect()
}

fn judge(case: &Case, snapshot: &str) -> Result<(), Failed> {
    let (result, explanation) = run(case, snapshot)?;
    if !case.results.contains(&result) {
        return Err(
            format!("{} (RFC 7208 section {}), not {result}", case.results.join(" or "), case.spec).into()
        );
    }
    let explanation = explanation.unwrap_or_else(|| DEFAULT.to_owned());
    match &case.explanation {
        Some(expected) if *expected != explanation => {
            Err(format!("explanation {expected:?}, not {explanation:?}").into())
        }
        _ => Ok(()),
    }
}

fn run(case: &Case, snapshot: &str) -> Result<(String, Option<String>), Failed> {
    let dns = Snapshot::from_json(snapshot)?;
    let query = Query::new(case.host.parse()?, &case.mail_from, &case.helo);
    let checked = check(&dns, &query, &Profile::RFC7208)?;
    let traced = check_traced(&dns, &query, &Profile::RFC7208, &mut TraceLog::default())?;
    if traced != checked {
        return Err(format!("with a trace {traced:?}, without {checked:?}").into());
    }
    Ok((checked.result.to_string(), checked.explanation))
}
