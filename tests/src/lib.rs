//! What the tests share: the vectors of `tests/vectors`, the test suite of RFC 7208, and a second reading of SPF.

pub mod oracle;
pub mod suite;
pub mod vectors;
mod yaml;
