//! Plans a change of mail-sending domain and proves that no legitimate message is lost.

pub mod dns;
mod document;
pub mod error;
pub mod name;
pub mod net;
pub mod spf;
pub mod wire;
