//! Operations of the core, on a thread of their own, so that Ctrl-C and the callback come through whatever they do.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use sendershift::dns::Snapshot;
use sendershift::prove::PROMISES;
use sendershift::render::text;
use sendershift::wire::{self, Arguments};

use crate::convert::Text;
use crate::failure::exception;

/// How often somebody looks whether work was interrupted, and tells how far it is.
const INTERVAL: Duration = Duration::from_millis(50);

/// What DNS said, read once.
#[pyclass(frozen, module = "sendershift._native")]
pub(crate) struct Evidence(pub(crate) Arc<Snapshot>);

#[pymethods]
impl Evidence {
    /// Reads texts, each with its name, as one snapshot.
    #[new]
    fn new(py: Python<'_>, texts: Vec<(Text, Text)>) -> PyResult<Self> {
        let read = interruptible(py, None, move |_| {
            let texts: Vec<_> = texts.iter().map(|(name, text)| (name.0.as_str(), text.0.as_str())).collect();
            wire::evidence_of(&texts)
        });
        Ok(Self(Arc::new(read?.map_err(exception)?)))
    }
}

/// Carries out an operation on a JSON document and returns a JSON document. Other threads run meanwhile, and Ctrl-C ends it.
///
/// With `evidence` the document has the other arguments of the operation, and the places of problems are those in each of them.
///
/// `progress` is called now and then by operations that take long; where it returns `False`, they end with what they have.
#[pyfunction]
#[pyo3(signature = (operation, input, evidence = None, progress = None))]
pub(crate) fn run(
    py: Python<'_>,
    operation: Text,
    input: Text,
    evidence: Option<Vec<(String, Py<Evidence>)>>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<String> {
    if progress.as_ref().is_some_and(|progress| !progress.is_callable()) {
        return Err(PyTypeError::new_err("argument 'progress': expected something that can be called"));
    }
    let read = |(key, read): (String, Py<Evidence>)| (key, Arc::clone(&read.get().0));
    let evidence = evidence.map(|all| all.into_iter().map(read).collect::<Vec<_>>());
    let output = interruptible(py, progress, move |task| {
        let watch = &mut |done| task.goes_on(done);
        let Some(evidence) = evidence else { return wire::run(&operation.0, &input.0, watch) };
        let evidence: Vec<_> = evidence.iter().map(|(key, read)| (key.as_str(), &**read)).collect();
        wire::run_with(&operation.0, &Arguments::new(&input.0, &evidence), watch)
    });
    output?.map_err(exception)
}

/// Refuses a text that is no document of a format, if one is given, or not of a shape, which is JSON.
#[pyfunction]
pub(crate) fn expect_document(text: Text, format: Option<&str>, shape: &str) -> PyResult<()> {
    let shape = serde_json::from_str(shape).map_err(|error| PyTypeError::new_err(error.to_string()))?;
    wire::expect_document(&text.0, format, &shape).map_err(exception)
}

/// A text that stands in a document, in one line and without control characters.
#[pyfunction]
pub(crate) fn line(text: Text) -> String {
    text::line(&text.0)
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

/// Work that is under way on another thread.
#[derive(Default)]
pub(crate) struct Task {
    done: AtomicU64,
    stopped: AtomicBool,
}

impl Task {
    /// Whether anybody waits for it.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn goes_on(&self, done: u64) -> bool {
        self.done.store(done, Ordering::Relaxed);
        !self.is_stopped()
    }
}

/// Waits for work, which knows nothing of Python, on another thread. What the callback or the handler of a signal raises is
/// raised at once; work that does not ask goes on to its end, and nobody hears of it.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    progress: Option<Bound<'_, PyAny>>,
    work: impl FnOnce(&Task) -> T + Send + 'static,
) -> PyResult<T> {
    let task = Arc::new(Task::default());
    let (sender, mut receiver) = channel();
    let worker = thread::spawn({
        let task = Arc::clone(&task);
        // Nobody may wait any more.
        move || sender.send(work(&task)).unwrap_or_default()
    });
    let mut told = 0;
    loop {
        let waiting = &mut receiver;
        match py.detach(move || waiting.recv_timeout(INTERVAL)) {
            Ok(output) => return Ok(output),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                resume_unwind(worker.join().err().unwrap_or_else(|| Box::new("no answer")))
            }
        }
        let done = task.done.load(Ordering::Relaxed);
        let mut look = || {
            py.check_signals()?;
            let Some(progress) = progress.as_ref().filter(|_| done > told) else { return Ok(true) };
            told = done;
            let answer = progress.call1((done,))?;
            // What `list.append` or a counter returns ends nothing.
            Ok(answer.extract().unwrap_or(true))
        };
        let goes_on: PyResult<bool> = look();
        if !matches!(goes_on, Ok(true)) {
            task.stopped.store(true, Ordering::Relaxed);
        }
        goes_on?;
    }
}
