//! Every operation of the core, as text in, text out.

use std::time::{Duration, Instant};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBool;
use sendershift::prove::PROMISES;
use sendershift::wire;

use crate::failure::exception;

/// How often a long operation looks whether it was interrupted, and tells how far it is.
pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

/// Carries out an operation on a JSON document and returns a JSON document. Other threads run meanwhile, and Ctrl-C ends it.
///
/// `progress` is called now and then by operations that take long; where it returns `False`, they end with what they have.
#[pyfunction]
#[pyo3(signature = (operation, input, progress = None))]
pub(crate) fn run(
    py: Python<'_>,
    operation: &str,
    input: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    if progress.as_ref().is_some_and(|progress| !progress.bind(py).is_callable()) {
        return Err(PyTypeError::new_err("argument 'progress': expected something that can be called"));
    }
    let mut watch = Watch { progress, looked: Instant::now(), raised: None };
    let output = py.detach(|| wire::run(operation, input, &mut |done| watch.goes_on(done)));
    match watch.raised {
        Some(raised) => Err(raised),
        None => output.map_err(exception),
    }
}

/// The names of all operations, sorted.
#[pyfunction]
pub(crate) fn operations() -> Vec<&'static str> {
    wire::operations().collect()
}

/// The names of all promises of a proof, and what each says.
#[pyfunction]
pub(crate) fn promises() -> Vec<(&'static str, &'static str)> {
    PROMISES.to_vec()
}

struct Watch {
    progress: Option<Py<PyAny>>,
    looked: Instant,
    /// What the callback raised, or the handler of a signal.
    raised: Option<PyErr>,
}

impl Watch {
    fn goes_on(&mut self, done: u64) -> bool {
        if self.raised.is_some() {
            return false;
        }
        if self.looked.elapsed() < INTERVAL {
            return true;
        }
        let told = Python::attach(|py| self.tell(py, done));
        self.looked = Instant::now();
        told.unwrap_or_else(|raised| {
            self.raised = Some(raised);
            false
        })
    }

    fn tell(&self, py: Python<'_>, done: u64) -> PyResult<bool> {
        py.check_signals()?;
        let Some(progress) = &self.progress else { return Ok(true) };
        let answer = progress.bind(py).call1((done,))?;
        // What `list.append` or a counter returns ends nothing.
        Ok(!answer.cast::<PyBool>().is_ok_and(|goes_on| !goes_on.is_true()))
    }
}
