//! What the tests share: the vectors of `tests/vectors`, and the test suite of RFC 7208.

pub mod suite;
pub mod vectors;
mod yaml;
