//! Whole tables, as Arrow data through the `PyCapsule` interface: rows in, rows out, on all cores, without an object per row.

use std::fmt::Display;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray, RecordBatch, StringArray, StructArray};
use arrow_buffer::NullBuffer;
use arrow_cast::{CastOptions, can_cast_types, cast, cast_with_options};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyIterator};
use pyo3_arrow::error::{PyArrowError, PyArrowResult};
use pyo3_arrow::ffi::{ArrayIterator, ArrayReader, to_schema_pycapsule, to_stream_pycapsule};
use pyo3_arrow::{PyArrayReader, PyField};
use sendershift::wire::row::Cell;

use crate::run::{Task, interruptible};

/// What marks a column of [`cells`] in the fields of its table, as Arrow's extension types do.
const MARK: (&str, &str) = ("ARROW:extension:name", "sendershift.cells");

/// Parts that are read before they are answered, so that a long stream need not be in memory, and all cores have enough to do.
const PARTS: usize = 128;

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
        let mut field = Arc::new(Field::new_struct("", self.schema.fields().clone(), false));
        let tables = self.batches.iter().cloned().map(StructArray::from);
        let mut arrays: Vec<ArrayRef> = tables.map(|table| Arc::new(table) as ArrayRef).collect();
        let wanted = requested_schema.map(|wanted| PyField::from_arrow_pycapsule(&wanted)).transpose()?;
        // Who asks for other types gets the own ones where there is no way, and no null for a value that is none of them.
        if let Some(wanted) = wanted.map(PyField::into_inner)
            && can_cast_types(field.data_type(), wanted.data_type())
        {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            let cast = arrays.iter().map(|array| cast_with_options(array, wanted.data_type(), &strict));
            let cast = cast.collect::<Result<_, _>>();
            arrays =
                cast.map_err(|error| PyValueError::new_err(format!("argument 'requested_schema': {error}")))?;
            field = wanted;
        }
        to_stream_pycapsule(py, Box::new(ArrayIterator::new(arrays.into_iter().map(Ok), field)), None)
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn __repr__(&self) -> String {
        let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        format!("<Table of {} rows: {}>", self.__len__(), names.join(", "))
    }
}

type Texts = Vec<Option<Vec<u8>>>;
type Kinds = Vec<Option<String>>;

/// A table of columns whose values are of many types. Of each value: its octets, if it is text, or what people call its type; neither of null.
#[pyfunction]
pub(crate) fn cells(columns: Vec<(String, Texts, Kinds)>) -> PyArrowResult<Table> {
    let (mut fields, mut arrays): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for (name, texts, kinds) in columns {
        let parts = RecordBatch::try_from_iter_with_nullable([
            (
                "text",
                Arc::new(texts.iter().map(Option::as_deref).collect::<BinaryViewArray>()) as ArrayRef,
                true,
            ),
            ("kind", Arc::new(kinds.into_iter().collect::<StringArray>()) as ArrayRef, true),
        ])?;
        let array = StructArray::from(parts);
        let mark = [(MARK.0.to_owned(), MARK.1.to_owned())].into();
        fields.push(Field::new(name, array.data_type().clone(), true).with_metadata(mark));
        arrays.push(Arc::new(array));
    }
    let schema = Arc::new(Schema::new(fields));
    Ok(Table { batches: vec![RecordBatch::try_new(Arc::clone(&schema), arrays)?], schema })
}

/// What an operation makes of tables.
pub(crate) struct Many {
    /// The columns that it gives.
    pub(crate) gives: &'static [(&'static str, DataType)],
    /// Rows that one core answers at a time: some milliseconds.
    pub(crate) rows: usize,
}

impl Many {
    /// Answers tables, one after the other. `answer` is given the rows of a part, and gives its columns.
    pub(crate) fn answer<F>(
        &self,
        py: Python<'_>,
        tables: Bound<'_, PyIterator>,
        answer: F,
    ) -> PyResult<Table>
    where
        F: Fn(&Rows<'_>) -> Vec<ArrayRef> + Send + Sync + 'static,
    {
        let fields: Vec<Field> =
            self.gives.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let made = Arc::new({
            let schema = Arc::clone(&schema);
            move |rows: &Rows<'_>| RecordBatch::try_new(Arc::clone(&schema), answer(rows))
        });
        let (mut given, mut batches) = (Given { tables, open: None }, Vec::new());
        loop {
            let parts = self.parts(py, &mut given)?;
            if parts.is_empty() {
                return Ok(Table { batches, schema });
            }
            let made = Arc::clone(&made);
            let answered = interruptible(py, None, move |task| on_all_cores(&parts, task, &*made))?;
            batches.extend(answered.into_iter().collect::<Result<Vec<_>, _>>().map_err(PyArrowError::from)?);
        }
    }

    /// The next rows of the tables, in parts.
    fn parts(&self, py: Python<'_>, given: &mut Given<'_>) -> PyResult<Vec<StructArray>> {
        let mut parts = Vec::new();
        while parts.len() < PARTS
            && let Some(rows) = given.next(py)?
        {
            let starts = (0..rows.len()).step_by(self.rows);
            parts.extend(starts.map(|start| rows.slice(start, self.rows.min(rows.len() - start))));
        }
        Ok(parts)
    }
}

/// Tables that are given, by `Parts` of `_tables.py`: each is whatever has an Arrow stream.
struct Given<'py> {
    tables: Bound<'py, PyIterator>,
    open: Option<Box<dyn ArrayReader + Send>>,
}

impl Given<'_> {
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<StructArray>> {
        loop {
            if let Some(reader) = &mut self.open {
                // Whoever gives the table may need Python for it, on any thread.
                match py.detach(|| reader.next()) {
                    Some(Ok(rows)) => {
                        let rows = rows.as_struct().clone();
                        py.detach(|| rows.columns().iter().try_for_each(sound)).map_err(refused)?;
                        return Ok(Some(rows));
                    }
                    Some(Err(error)) => {
                        py.check_signals()?;
                        return Err(refused(error));
                    }
                    None => self.open = None,
                }
            }
            let Some(table) = self.tables.next() else { return Ok(None) };
            // What the conversion raises comes through as it is, Ctrl-C above all.
            let stream =
                table?.call_method0("__arrow_c_stream__")?.cast_into::<PyCapsule>().map_err(refused)?;
            let reader =
                PyArrayReader::from_arrow_pycapsule(&stream).map_err(|error| refused(error.value(py)))?;
            let reader = reader.into_reader()?;
            let field = reader.field();
            let DataType::Struct(fields) = field.data_type() else {
                return Err(PyTypeError::new_err("argument 'table': expected a table, found one column"));
            };
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            self.tables.call_method1("expect", (names,))?;
            self.open = Some(reader);
        }
    }
}

/// Refuses a column of text that points to where it has nothing: Arrow believes whoever gives it.
fn sound(column: &ArrayRef) -> Result<(), ArrowError> {
    let rising = match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value_offsets().is_sorted(),
        DataType::LargeUtf8 => column.as_string::<i64>().value_offsets().is_sorted(),
        DataType::Utf8View => return cast(column, &DataType::BinaryView)?.to_data().validate_values(),
        DataType::Dictionary(..) => {
            column.to_data().validate_values()?;
            return sound(column.as_any_dictionary().values());
        }
        DataType::BinaryView => return column.to_data().validate_values(),
        DataType::Struct(_) => return column.as_struct().columns().iter().try_for_each(sound),
        _ => true,
    };
    let broken = || ArrowError::InvalidArgumentError("a text ends before it begins".to_owned());
    rising.then_some(()).ok_or_else(broken)
}

fn refused(error: impl Display) -> PyErr {
    PyValueError::new_err(format!("argument 'table': {error}"))
}

/// Answers all parts, in their order.
fn on_all_cores<T: Send>(
    parts: &[StructArray],
    task: &Task,
    answer: impl Fn(&Rows<'_>) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut answers = Vec::new();
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(part) = parts.get(at)
        {
            answers.push((at, answer(&Rows { part, task })));
        }
        answers
    };
    let mut answers: Vec<_> = thread::scope(|scope| {
        let cores = available_parallelism().map_or(1, usize::from).min(parts.len());
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let joined =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        joined.flatten().collect()
    });
    answers.sort_unstable_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Some rows of a table.
pub(crate) struct Rows<'a> {
    part: &'a StructArray,
    task: &'a Task,
}

impl Rows<'_> {
    /// The answer to each row; fewer when nobody waits for them any more.
    pub(crate) fn map<T>(&self, answer: impl Fn(usize) -> T) -> Vec<T> {
        let goes_on = |_: &usize| !self.task.is_stopped();
        (0..self.part.len()).take_while(goes_on).map(answer).collect()
    }

    /// A column; all is null where there is none, and in rows that are null themselves.
    pub(crate) fn column(&self, name: &str) -> Column {
        Column {
            absent: self.part.nulls().cloned(),
            cells: self
                .part
                .fields()
                .find(name)
                .map_or(Cells::Null, |(at, field)| Cells::of(field, self.part.column(at))),
        }
    }
}

impl Cells {
    fn of(field: &Field, column: &ArrayRef) -> Self {
        if field.metadata().get(MARK.0).is_some_and(|name| name == MARK.1)
            && let Some([texts, kinds]) = column.as_struct_opt().map(StructArray::columns)
            && let (Some(texts), Some(kinds)) = (texts.as_binary_view_opt(), kinds.as_string_opt())
        {
            return Self::Mixed(texts.clone(), kinds.clone());
        }
        Self::alike(column)
    }

    /// Of a column whose values are of one type.
    fn alike(column: &ArrayRef) -> Self {
        let kind = match column.data_type() {
            DataType::Dictionary(_, values) => values,
            kind => kind,
        };
        let text = match kind {
            DataType::Null => return Self::Null,
            // Octets, since nobody has looked yet whether they are UTF-8.
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                cast(column, kind).and_then(|plain| cast(&plain, &DataType::BinaryView)).ok()
            }
            _ => None,
        };
        match text {
            Some(text) => Self::Text(text.as_binary_view().clone()),
            None => Self::Other(Arc::clone(column), kind.to_string()),
        }
    }
}

/// A column that is read.
pub(crate) struct Column {
    absent: Option<NullBuffer>,
    cells: Cells,
}

enum Cells {
    Null,
    Text(BinaryViewArray),
    Other(ArrayRef, String),
    /// Of each value its text, or its type.
    Mixed(BinaryViewArray, StringArray),
}

impl Column {
    pub(crate) fn at(&self, row: usize) -> Cell<'_> {
        if self.absent.as_ref().is_some_and(|absent| absent.is_null(row)) {
            return Cell::Null;
        }
        match &self.cells {
            Cells::Text(texts) | Cells::Mixed(texts, _) if texts.is_valid(row) => {
                Cell::Text(texts.value(row))
            }
            Cells::Mixed(_, kinds) if kinds.is_valid(row) => Cell::Other(kinds.value(row)),
            Cells::Other(values, kind) if values.is_valid(row) => Cell::Other(kind),
            _ => Cell::Null,
        }
    }
}
