//! Plans a change of mail-sending domain and proves that no legitimate message is lost.

pub mod dkim;
pub mod dmarc;
pub mod dns;
mod document;
pub mod error;
pub mod migration;
pub mod name;
pub mod net;
pub mod plan;
pub mod planner;
pub mod prove;
pub mod render;
pub mod spf;
mod tag_list;
pub mod wire;
