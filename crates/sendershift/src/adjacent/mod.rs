//! Records beside those that authenticate mail, as far as planning needs them: null MX (RFC 7505), MTA-STS (RFC 8461), TLS reports
//! (RFC 8460), BIMI, and what changed between two days.
//!
//! Policies of MTA-STS are fetched by HTTPS, so only their DNS records are read here.

mod drift;
mod lint;
mod reach;
mod record;

pub use drift::{Change, Drift, drift};
pub use lint::{RULES, lint};
pub(crate) use reach::{Unreachable, unreachable};
pub use record::{MtaSts, TlsRpt, is_null_mx};
