//! The seven results of `check_host()`.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Qualifier;
use crate::error::Problem;

/// A result of `check_host()` (RFC 7208 section 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpfResult {
    /// No record, or no domain to look at.
    None,
    /// The domain says nothing about the address.
    Neutral,
    /// The address may send.
    Pass,
    /// The address may not send.
    Fail,
    /// The address probably may not send.
    SoftFail,
    /// A passing fault, usually of DNS.
    TempError,
    /// The published records cannot be interpreted.
    PermError,
}

impl SpfResult {
    /// All seven, in the order of RFC 7208 section 2.6.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Neutral, Self::Pass, Self::Fail, Self::SoftFail, Self::TempError, Self::PermError];

    /// The result with a name that the standard uses.
    ///
    /// # Errors
    ///
    /// `spf.unknown-result`.
    pub fn named(name: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|result| result.as_str() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Problem::new("spf.unknown-result", format!("`{name}` is not a result of SPF"))
                .help(format!("the results are {names}"))
        })
    }

    /// The name that the standard uses, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl From<Qualifier> for SpfResult {
    /// The result of a directive that matches (RFC 7208 section 4.6.2).
    fn from(qualifier: Qualifier) -> Self {
        match qualifier {
            Qualifier::Pass => Self::Pass,
            Qualifier::Fail => Self::Fail,
            Qualifier::SoftFail => Self::SoftFail,
            Qualifier::Neutral => Self::Neutral,
        }
    }
}

impl fmt::Display for SpfResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for SpfResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
