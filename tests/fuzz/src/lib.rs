//! What the fuzz targets share: laws of errors, and evidence drawn from octets.

pub mod estate;
pub mod mutate;

use sendershift::dns::Snapshot;
use sendershift::error::{Error, Invalid, Problem};
use sendershift::finding::Report;
use sendershift::plan::Plan;
use sendershift::prove::{Judged, prove_with};

/// Problems have stable codes, and places that are places of the text: within it, on whole characters, in order, and with
/// the line and column that a person would count.
pub fn check_problems(text: &str, invalid: &Invalid) {
    assert!(!invalid.problems.is_empty(), "an error without a problem");
    for problem in &invalid.problems {
        check_problem(text, problem);
    }
    assert!(invalid.problems.is_sorted_by_key(|problem| problem.span), "problems out of order: {invalid:?}");
}

/// What holds of each problem alone.
pub fn check_problem(text: &str, problem: &Problem) {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    assert!(problem.code.split('.').all(is_word) && problem.code.contains('.'), "{problem:?}");
    assert!(!problem.message.is_empty(), "{problem:?}");
    let Some(span) = problem.span else { return };
    assert!(text.get(span.start..span.end).is_some(), "the place is none of the text: {problem:?}");
    let (Some(line), Some(column)) = (problem.line, problem.column) else { return };
    let before = &text[..span.start];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    assert_eq!(line as usize, before.matches('\n').count() + 1, "{problem:?}");
    assert_eq!(column as usize, before[line_start..].chars().count() + 1, "{problem:?}");
}

/// A snapshot is the same after it was written and read again.
pub fn check_snapshot(snapshot: &Snapshot) {
    let text = serde_json::to_string(snapshot).unwrap();
    match Snapshot::from_json(&text) {
        Ok(again) => assert_eq!(*snapshot, again),
        Err(invalid) => panic!("{invalid}: {text}"),
    }
}

/// Findings have the place that a problem has, in the record that they tell.
pub fn check_report(report: &Report) {
    let counted = report.counts.error + report.counts.warning + report.counts.note;
    let is_cut = report.findings.iter().any(|finding| finding.problem.message.ends_with(" more like it"));
    assert!(if is_cut { counted > report.findings.len() } else { counted == report.findings.len() });
    for finding in &report.findings {
        check_problem(finding.record.as_deref().unwrap_or_default(), &finding.problem);
    }
}

/// A plan is the same after it was written and read again, and looking longer settles what was open but changes no verdict.
pub fn check_plan(plan: &Plan) {
    let text = plan.to_json();
    let again = Plan::from_json(&text).unwrap_or_else(|invalid| panic!("{invalid}: {text}"));
    assert_eq!(again.to_json(), text);
    if plan.steps.len() > 24 || plan.streams.len() > 8 || text.len() > 60_000 {
        return;
    }
    let prove = |plan: &Plan, mixes: u64| prove_with(plan, &mut |judged| judged < mixes);
    match (prove(plan, 64), prove(&again, 512)) {
        (Ok(short), Ok(long)) => {
            assert!(short.verdict == Judged::Undecided || short.verdict == long.verdict, "{text}");
            let worst = long.promises.iter().map(|promise| promise.verdict).max();
            assert!(long.verdict != Judged::Safe || long.undecided.is_empty() && worst <= Some(Judged::Safe));
        }
        // Who stops early has not come to all questions.
        (Ok(short), Err(Error::Missing(_))) => {
            assert!(short.undecided.iter().any(|remark| remark.code == "proof.cancelled"), "{text}");
        }
        (Err(Error::Missing(short)), Err(Error::Missing(long))) => {
            assert!(short.questions.iter().all(|question| long.questions.contains(question)), "{text}");
        }
        (Err(short), Err(long)) => assert_eq!(short, long),
        (short, long) => panic!("{short:?}, {long:?}"),
    }
}

/// Octets as the character-strings of a TXT record, in snapshot syntax.
pub fn pieces(octets: &[u8]) -> Vec<String> {
    let escaped = |octet: &u8| match octet {
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(*octet).to_string(),
        octet => format!("\\{octet:03}"),
    };
    octets.chunks(255).map(|chunk| chunk.iter().map(escaped).collect()).collect()
}
