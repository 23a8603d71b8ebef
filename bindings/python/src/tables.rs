//! Whole tables, as Arrow data through the `PyCapsule` interface: rows in, rows out, on all cores, without an object per row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, available_parallelism};
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray, RecordBatch, RecordBatchReader, StructArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
#[cfg(feature = "inspect")]
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
#[cfg(feature = "inspect")]
use pyo3::type_hint_identifier;
use pyo3::types::PyCapsule;
use pyo3_arrow::PyRecordBatchReader;
use pyo3_arrow::error::{PyArrowError, PyArrowResult};
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};
use sendershift::wire::row::Cell;

use crate::run::INTERVAL;

/// Parts that are read before they are answered, so that a long stream need not be in memory, and all cores have enough to do.
const PARTS: usize = 128;

/// A table that is given: whatever has an Arrow stream.
pub(crate) struct Given(PyRecordBatchReader);

impl FromPyObject<'_, '_> for Given {
    type Error = PyErr;

    #[cfg(feature = "inspect")]
    const INPUT_TYPE: PyStaticExpr = type_hint_identifier!("sendershift._record", "ArrowTable");

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        given.extract().map(Self)
    }
}

/// A table that is returned: pyarrow, polars, pandas and `DuckDB` take it as it is.
#[pyclass(frozen, module = "sendershift")]
pub(crate) struct Table {
    batches: Vec<RecordBatch>,
    schema: SchemaRef,
}

#[pymethods]
impl Table {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyArrowResult<Bound<'py, PyCapsule>> {
        to_schema_pycapsule(py, self.schema.as_ref())
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyArrowResult<Bound<'py, PyCapsule>> {
        let field = Field::new_struct("", self.schema.fields().clone(), false);
        let arrays = self.batches.clone().into_iter().map(|batch| {
            let array: ArrayRef = Arc::new(StructArray::from(batch));
            Ok(array)
        });
        let reader = ArrayIterator::new(arrays, Arc::new(field));
        to_stream_pycapsule(py, Box::new(reader), requested_schema)
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __repr__(&self) -> String {
        let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        format!("<Table of {} rows: {}>", self.__len__(), names.join(", "))
    }
}

/// What an operation makes of tables.
pub(crate) struct Many {
    /// The columns that it reads.
    pub(crate) reads: &'static [&'static str],
    /// The columns that it gives.
    pub(crate) gives: &'static [(&'static str, DataType)],
    /// Rows that one core answers at a time: some milliseconds.
    pub(crate) rows: usize,
}

impl Many {
    /// Answers a table. `answer` is given the rows of a part, and gives its columns.
    pub(crate) fn answer<F>(&self, py: Python<'_>, Given(table): Given, answer: F) -> PyResult<Table>
    where
        F: Fn(&Rows<'_>) -> Vec<ArrayRef> + Sync,
    {
        let fields: Vec<Field> =
            self.gives.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let mut reader = table.into_reader()?;
        let mut batches = Vec::new();
        loop {
            // Whoever gives the table may need Python for it, on any thread.
            let parts = py.detach(|| self.parts(reader.as_mut())).map_err(PyArrowError::from)?;
            if parts.is_empty() {
                return Ok(Table { batches, schema });
            }
            let made = |rows: &Rows<'_>| RecordBatch::try_new(Arc::clone(&schema), answer(rows));
            let answered = py.detach(|| on_all_cores(&parts, made))?;
            batches.extend(answered.into_iter().collect::<Result<Vec<_>, _>>().map_err(PyArrowError::from)?);
        }
    }

    /// The next rows of a table, in parts.
    fn parts(&self, reader: &mut (dyn RecordBatchReader + Send)) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut parts = Vec::new();
        while parts.len() < PARTS
            && let Some(batch) = reader.next()
        {
            let batch = batch?;
            let columns = self.reads.iter().filter_map(|name| batch.schema_ref().index_of(name).ok());
            let batch = batch.project(&columns.collect::<Vec<_>>())?;
            let starts = (0..batch.num_rows()).step_by(self.rows);
            parts.extend(starts.map(|start| batch.slice(start, self.rows.min(batch.num_rows() - start))));
        }
        Ok(parts)
    }
}

/// Answers all parts, in their order. Ctrl-C ends it.
fn on_all_cores<T: Send>(parts: &[RecordBatch], answer: impl Fn(&Rows<'_>) -> T + Sync) -> PyResult<Vec<T>> {
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let (sender, receiver) = channel();
        for _ in 0..available_parallelism().map_or(1, usize::from).min(parts.len()) {
            let (sender, next, stopped, answer) = (sender.clone(), &next, &stopped, &answer);
            scope.spawn(move || {
                while let at = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(part) = parts.get(at)
                    && sender.send((at, answer(&Rows { part, stopped }))).is_ok()
                {}
            });
        }
        drop(sender);
        let mut answers = Vec::with_capacity(parts.len());
        let mut looked = Instant::now();
        loop {
            match receiver.recv_timeout(INTERVAL) {
                Ok(answer) => answers.push(answer),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if looked.elapsed() >= INTERVAL {
                let stop = |_: &PyErr| stopped.store(true, Ordering::Relaxed);
                Python::attach(|py| py.check_signals().inspect_err(stop))?;
                looked = Instant::now();
            }
        }
        answers.sort_unstable_by_key(|(at, _)| *at);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    })
}

/// Some rows of a table.
pub(crate) struct Rows<'a> {
    part: &'a RecordBatch,
    stopped: &'a AtomicBool,
}

impl Rows<'_> {
    /// The answer to each row; fewer when nobody waits for them any more.
    pub(crate) fn map<T>(&self, answer: impl Fn(usize) -> T) -> Vec<T> {
        let goes_on = |_: &usize| !self.stopped.load(Ordering::Relaxed);
        (0..self.part.num_rows()).take_while(goes_on).map(answer).collect()
    }

    pub(crate) fn column(&self, name: &str) -> Cells {
        let Some(column) = self.part.column_by_name(name) else { return Cells::Null };
        let kind = match column.data_type() {
            DataType::Dictionary(_, values) => values,
            kind => kind,
        };
        let text = match kind {
            DataType::Null => return Cells::Null,
            // Octets, since nobody has looked yet whether they are UTF-8.
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                cast(column, kind).and_then(|plain| cast(&plain, &DataType::BinaryView)).ok()
            }
            _ => None,
        };
        match text {
            Some(text) => Cells::Text(text.as_binary_view().clone()),
            None => Cells::Other(Arc::clone(column), kind.to_string()),
        }
    }
}

/// A column that is read.
pub(crate) enum Cells {
    Null,
    Text(BinaryViewArray),
    Other(ArrayRef, String),
}

impl Cells {
    pub(crate) fn at(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Text(texts) if texts.is_valid(row) => Cell::Text(texts.value(row)),
            Self::Other(values, kind) if values.is_valid(row) => Cell::Other(kind),
            _ => Cell::Null,
        }
    }
}
