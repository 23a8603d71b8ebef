//! How receivers differ: the limits they apply.

use serde::{Serialize, Serializer};

use crate::error::Problem;

/// What a receiver counts as a void lookup (RFC 7208 section 4.6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidUnit {
    /// A term in whose evaluation at least one query was void counts once.
    Term,
    /// Every void query counts.
    Query,
}

/// The limits of one kind of receiver.
///
/// A limit is the largest number that is still fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The stable name.
    pub name: &'static str,
    /// Terms that cause DNS queries, over the whole evaluation.
    pub lookups: u32,
    /// Void lookups, over the whole evaluation.
    pub voids: u32,
    /// What counts as one void lookup.
    pub void_unit: VoidUnit,
    /// Host names of one `mx` term.
    pub mx_names: u32,
    /// Addresses of one host of an `mx` term, in the family of the client.
    pub mx_addresses: u32,
}

/// A limit that stands for none: high enough for every record that works, low enough to end.
const UNLIMITED: u32 = 10_000;

impl Profile {
    /// RFC 7208 as its text says: 10 lookups, 2 void terms, 10 hosts of an `mx` term.
    pub const RFC7208: Self = Self {
        name: "rfc7208",
        lookups: 10,
        voids: 2,
        void_unit: VoidUnit::Term,
        mx_names: 10,
        mx_addresses: UNLIMITED,
    };

    /// The harsher reading wherever receivers differ: every void query counts, and so do the addresses of a host.
    pub const STRICT: Self =
        Self { name: "strict", void_unit: VoidUnit::Query, mx_addresses: 10, ..Self::RFC7208 };

    /// No limits: what a record intends.
    pub const LIFTED: Self = Self {
        name: "lifted",
        lookups: UNLIMITED,
        voids: UNLIMITED,
        void_unit: VoidUnit::Term,
        mx_names: UNLIMITED,
        mx_addresses: UNLIMITED,
    };

    /// The profiles that can be asked for by name.
    pub const ALL: [&'static Self; 2] = [&Self::RFC7208, &Self::STRICT];

    /// The profile of a name.
    ///
    /// # Errors
    ///
    /// `spf.unknown-profile`, with the known names.
    pub fn named(name: &str) -> Result<&'static Self, Problem> {
        Self::ALL.into_iter().find(|profile| profile.name == name).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|profile| profile.name).collect();
            Problem::new("spf.unknown-profile", format!("unknown receiver profile `{name}`"))
                .help(format!("known profiles are {}", known.join(", ")))
        })
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}
