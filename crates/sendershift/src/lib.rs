//! Plans a change of mail-sending domain and proves that no legitimate message is lost.

pub mod dns;
pub mod error;
pub mod name;
pub mod wire;
