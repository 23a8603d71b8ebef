//! The core as Python sees it: `sendershift._native`.
//!
//! Documents cross as text, through [`run`]; live objects are only what would be slow as text: sets of addresses and
//! compiled policies. Everything else, and all that Python people see, is Python (`python/sendershift`). Nothing here
//! decides, defaults or words anything about mail.

#![expect(clippy::needless_pass_by_value, reason = "Python hands its arguments over")]

mod addresses;
mod convert;
mod failure;
mod many;
mod policy;
mod run;
mod tables;

/// The native part of sendershift; use the package.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::addresses::AddressSet;
    #[pymodule_export]
    use super::policy::{Policy, Results};
    #[pymodule_export]
    use super::run::{Evidence, expect_document, line, operations, promises, run};

    #[pymodule_export]
    use super::many::{check_many, cost_many};
    #[pymodule_export]
    use super::tables::{Table, cells};
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
