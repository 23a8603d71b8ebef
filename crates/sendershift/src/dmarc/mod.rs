//! DMARC (RFC 9989): policy records, the tree walk, alignment, and the verdict on a message.
//!
//! Receivers of RFC 7489 remain for years and read other tags, and organizational domains by a list: [`check`] judges a
//! message by both generations, and says where and why they differ.

mod check;
mod differ;
mod discover;
mod evaluate;
mod legacy;
mod lint;
mod reading;
mod record;
mod report;
mod uri;
mod walk;

use serde::Serialize;

pub use check::{Checked, DkimResult, Message, check};
pub use differ::{Difference, Differing};
pub use discover::{Applied, Discovery, Source, discover};
pub use evaluate::{Authenticated, DmarcResult, Verdict, evaluate};
pub use legacy::LegacyRecord;
pub use lint::{RULES, lint};
pub(crate) use reading::legacy_policy;
pub use reading::{Identifier, InEffect, Organization, PolicyRecord, Reading, Report};
pub use record::{DmarcRecord, Psd};
pub use report::{Authorised, report_authorisation};
pub use uri::ReportUri;

pub use crate::suffix::{PublicSuffix, Section, public_suffix};
pub use walk::{ChosenBy, Found, Query, Walk, aligned, organizational_domain};

/// What a domain owner asks to be done with mail that fails (RFC 9989 section 4.7), the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Nothing.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Policy {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "quarantine" => Some(Self::Quarantine),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }

    /// The word that records use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// The policy one level lower, which `t=y` asks for.
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::None | Self::Quarantine => Self::None,
            Self::Reject => Self::Quarantine,
        }
    }
}

/// How near an authenticated identifier must be to the author domain (RFC 9989 section 4.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// Both have the same organizational domain. The default.
    #[default]
    Relaxed,
    /// Both are the same.
    Strict,
}

#[cfg(test)]
mod tests;
