//! The operations on tables: what of the answers is a column.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, StringArray, UInt32Array};
use arrow_schema::DataType;
use pyo3::prelude::*;
use pyo3::types::PyIterator;
use sendershift::error::Error;
use sendershift::spf::{Profile, Results, SpfResult};
use sendershift::wire::{failure, row};

use crate::convert::Text;
use crate::failure::exception;
use crate::run::Evidence;
use crate::tables::{Many, Table};

const CHECK: Many = Many {
    gives: &[
        ("result", DataType::Utf8),
        ("domain", DataType::Utf8),
        ("lookups", DataType::UInt32),
        ("voids", DataType::UInt32),
        ("problem", DataType::Utf8),
        ("error", DataType::Utf8),
    ],
    rows: 4096,
};

const COST: Many = Many {
    gives: &[
        ("domain", DataType::Utf8),
        ("within", DataType::Boolean),
        ("lookups", DataType::UInt32),
        ("lookups_v4", DataType::UInt32),
        ("lookups_v6", DataType::UInt32),
        ("remaining_lookups", DataType::Int64),
        ("remaining_voids", DataType::Int64),
        ("error", DataType::Utf8),
    ],
    rows: 64,
};

const RESULTS: Many = Many { gives: &[("result", DataType::Utf8), ("error", DataType::Utf8)], rows: 16_384 };

/// `check_host()` for each row of tables.
#[pyfunction]
#[pyo3(signature = (dns, tables, receiver = None))]
pub(crate) fn check_many(
    py: Python<'_>,
    dns: &Evidence,
    tables: Bound<'_, PyIterator>,
    receiver: Option<Text>,
) -> PyResult<Table> {
    let (evidence, profile) = (Arc::clone(&dns.0), profile(receiver)?);
    CHECK.answer(py, tables, move |rows| {
        let [ip, mail_from, helo] = ["ip", "mail_from", "helo"].map(|name| rows.column(name));
        let answers =
            rows.map(|row| row::check(&*evidence, profile, ip.at(row), mail_from.at(row), helo.at(row)));
        let checked = || answers.iter().map(|answer| ok(answer).map(|(_, checked)| checked));
        vec![
            text(checked().map(|checked| Some(checked?.result.as_str()))),
            text(answers.iter().map(|answer| Some(ok(answer)?.0.domain()?.as_str()))),
            Arc::new(checked().map(|checked| Some(checked?.lookups)).collect::<UInt32Array>()),
            Arc::new(checked().map(|checked| Some(checked?.voids)).collect::<UInt32Array>()),
            text(checked().map(|checked| Some(checked?.problem.as_ref()?.code))),
            errors(&answers),
        ]
    })
}

/// What the record of each row costs.
#[pyfunction]
#[pyo3(signature = (dns, tables, receiver = None))]
pub(crate) fn cost_many(
    py: Python<'_>,
    dns: &Evidence,
    tables: Bound<'_, PyIterator>,
    receiver: Option<Text>,
) -> PyResult<Table> {
    let (evidence, profile) = (Arc::clone(&dns.0), profile(receiver)?);
    COST.answer(py, tables, move |rows| {
        let [subject, domain] = ["subject", "domain"].map(|name| rows.column(name));
        let answers = rows.map(|row| row::cost(&*evidence, profile, subject.at(row), domain.at(row)));
        let costs = || answers.iter().map(ok);
        vec![
            text(costs().map(|cost| Some(cost?.domain.as_str()))),
            Arc::new(costs().map(|cost| Some(cost?.within)).collect::<BooleanArray>()),
            Arc::new(costs().map(|cost| Some(cost?.lookups.total)).collect::<UInt32Array>()),
            Arc::new(costs().map(|cost| Some(cost?.worst_v4.lookups)).collect::<UInt32Array>()),
            Arc::new(costs().map(|cost| Some(cost?.worst_v6.lookups)).collect::<UInt32Array>()),
            Arc::new(costs().map(|cost| cost?.remaining.lookups).collect::<Int64Array>()),
            Arc::new(costs().map(|cost| cost?.remaining.voids).collect::<Int64Array>()),
            errors(&answers),
        ]
    })
}

/// The result of a policy for the address of each row.
pub(crate) fn results(
    py: Python<'_>,
    results: Arc<Results>,
    tables: Bound<'_, PyIterator>,
) -> PyResult<Table> {
    RESULTS.answer(py, tables, move |rows| {
        let ip = rows.column("ip");
        let answers = rows.map(|row| Ok(results.certain(row::address(ip.at(row))?)));
        vec![text(answers.iter().map(|answer| (*ok(answer)?).map(SpfResult::as_str))), errors(&answers)]
    })
}

/// The profile of a name, or the one that applies where none is given.
pub(crate) fn profile(receiver: Option<Text>) -> PyResult<&'static Profile> {
    receiver.map_or(Ok(Profile::DEFAULT), |name| Profile::named(&name.0)).map_err(exception)
}

fn ok<T>(answer: &Result<T, Error>) -> Option<&T> {
    answer.as_ref().ok()
}

/// The error document of each row that has one.
fn errors<T>(answers: &[Result<T, Error>]) -> ArrayRef {
    Arc::new(answers.iter().map(|answer| answer.as_ref().err().map(document)).collect::<StringArray>())
}

/// What a document may take, so that those of a part are less than the two gigabytes that a column of text may have.
const LONG: usize = 1 << 16;

/// The error document of a row. One that quotes more than anybody reads is cut short.
fn document(error: &Error) -> String {
    let whole = failure(error);
    if whole.len() <= LONG {
        return whole;
    }
    let mut error = error.clone();
    match &mut error {
        Error::Invalid(invalid) => {
            invalid.problems.truncate(10);
            for problem in &mut invalid.problems {
                problem.message = short(&problem.message);
                problem.help = problem.help.as_deref().map(|help| short(help).into());
            }
        }
        Error::Missing(missing) => missing.questions.truncate(50),
        _ => {}
    }
    failure(&error)
}

fn short(text: &str) -> String {
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}
