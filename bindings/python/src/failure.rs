//! Errors of the core as exceptions, which are written in Python (`_errors.py`) and read the error document.

use pyo3::PyErr;
use sendershift::error::Error;
use sendershift::wire;

mod exceptions {
    pyo3::import_exception!(sendershift, InvalidError);
    pyo3::import_exception!(sendershift, MissingEvidenceError);
}

/// The exception for an error, with all that its document says.
pub(crate) fn exception(error: impl Into<Error>) -> PyErr {
    let error = error.into();
    let document = wire::failure(&error);
    match error {
        Error::Missing(_) => exceptions::MissingEvidenceError::new_err(document),
        _ => exceptions::InvalidError::new_err(document),
    }
}
