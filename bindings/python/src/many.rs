//! The operations on tables: which columns they read, what of the answers is a column.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, StringArray, UInt32Array};
use arrow_schema::DataType;
use pyo3::prelude::*;
use sendershift::dns::Snapshot;
use sendershift::error::Error;
use sendershift::spf::{Profile, Results, SpfResult};
use sendershift::wire::{failure, row};

use crate::failure::exception;
use crate::tables::{Given, Many, Rows, Table};

const CHECK: Many = Many {
    reads: &["ip", "mail_from", "helo"],
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
    reads: &["subject", "domain"],
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

const RESULTS: Many =
    Many { reads: &["ip"], gives: &[("result", DataType::Utf8), ("error", DataType::Utf8)], rows: 16_384 };

/// `check_host()` for each row of a table, on a snapshot document.
#[pyfunction]
#[pyo3(signature = (snapshot, table, receiver = None))]
pub(crate) fn check_many(
    py: Python<'_>,
    snapshot: &str,
    table: Given,
    receiver: Option<&str>,
) -> PyResult<Table> {
    let (evidence, profile) = given(py, snapshot, receiver)?;
    CHECK.answer(py, table, |rows| {
        let [ip, mail_from, helo] = ["ip", "mail_from", "helo"].map(|name| rows.column(name));
        let answers =
            rows.map(|row| row::check(&evidence, profile, ip.at(row), mail_from.at(row), helo.at(row)));
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

/// What the record of each row costs, on a snapshot document.
#[pyfunction]
#[pyo3(signature = (snapshot, table, receiver = None))]
pub(crate) fn cost_many(
    py: Python<'_>,
    snapshot: &str,
    table: Given,
    receiver: Option<&str>,
) -> PyResult<Table> {
    let (evidence, profile) = given(py, snapshot, receiver)?;
    COST.answer(py, table, |rows: &Rows<'_>| {
        let [subject, domain] = ["subject", "domain"].map(|name| rows.column(name));
        let answers = rows.map(|row| row::cost(&evidence, profile, subject.at(row), domain.at(row)));
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
pub(crate) fn results(py: Python<'_>, results: &Results, table: Given) -> PyResult<Table> {
    RESULTS.answer(py, table, |rows| {
        let ip = rows.column("ip");
        let answers = rows.map(|row| Ok(results.certain(row::address(ip.at(row))?)));
        vec![text(answers.iter().map(|answer| (*ok(answer)?).map(SpfResult::as_str))), errors(&answers)]
    })
}

fn given(py: Python<'_>, snapshot: &str, receiver: Option<&str>) -> PyResult<(Snapshot, &'static Profile)> {
    let profile = receiver.map_or(Ok(Profile::DEFAULT), Profile::named).map_err(exception)?;
    Ok((py.detach(|| Snapshot::from_json(snapshot)).map_err(exception)?, profile))
}

fn ok<T>(answer: &Result<T, Error>) -> Option<&T> {
    answer.as_ref().ok()
}

/// The error document of each row that has one.
fn errors<T>(answers: &[Result<T, Error>]) -> ArrayRef {
    Arc::new(answers.iter().map(|answer| answer.as_ref().err().map(failure)).collect::<StringArray>())
}

fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}
