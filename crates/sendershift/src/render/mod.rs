//! Documents made of plans and proofs, for people and for the tools that publish records.

pub mod text;
