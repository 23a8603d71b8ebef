//! What the tests share: the vectors of `tests/vectors`, the test suite of RFC 7208, a second reading of SPF, and what a process has spent.

pub mod oracle;
pub mod spent;
pub mod suite;
pub mod vectors;
mod yaml;
