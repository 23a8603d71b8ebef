//! Records beside those that authenticate mail, as far as planning needs them: null MX (RFC 7505), MTA-STS (RFC 8461), TLS reports
//! (RFC 8460), BIMI, and what changed between two days.
//!
//! Policies of MTA-STS are fetched by HTTPS: evidence has only their DNS records, and a plan may have their text.

mod drift;
mod lint;
mod policy;
mod reach;
mod record;

pub use drift::{Change, Drift, drift};
pub use lint::{RULES, lint};
pub use policy::{MtaStsMode, MtaStsPolicy, MxPattern};
pub(crate) use reach::{
    Unreachable, is_untold, mail_hosts, only_behind_aliases, unreachable, unreachable_by, untold,
};
pub(crate) use record::is_bimi;
pub use record::{MtaSts, TlsRpt, is_null_mx};
