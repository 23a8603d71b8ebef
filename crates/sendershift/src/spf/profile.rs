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

/// When a receiver counts the terms that cause DNS queries (RFC 7208 section 4.6.4 leaves it open).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// Each term when its evaluation begins: a match ends the counting.
    Evaluated,
    /// All terms of a record when its evaluation begins: an eleventh term fails also those whom an earlier one would pass.
    Written,
}

/// The limits of one kind of receiver, and what it can verify.
///
/// A limit is the largest number that is still fine; [`Profile::UNLIMITED`] stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The stable name.
    pub name: &'static str,
    /// Terms that cause DNS queries, over the whole evaluation.
    pub lookups: u32,
    /// When they are counted.
    pub counting: Counting,
    /// Void lookups, over the whole evaluation.
    pub voids: u32,
    /// What counts as one void lookup.
    pub void_unit: VoidUnit,
    /// Host names of one `mx` term.
    pub mx_names: u32,
    /// Addresses of one host of an `mx` term, in the family of the client.
    pub mx_addresses: u32,
    /// Whether it verifies signatures of Ed25519 keys (RFC 8463), which verifiers may do without (section 1 there).
    pub ed25519: bool,
    /// Who says so, and when. Where a source says nothing the profile is as [`Profile::RFC7208`].
    pub source: &'static str,
}

/// The receivers that were looked at.
const SURVEY: &str = "SPF Beyond the Standard, USENIX Security 2024, table 5";

impl Profile {
    /// A limit that stands for none: high enough for every record that works, low enough to end.
    pub const UNLIMITED: u32 = 10_000;

    /// The receiver that is meant where none is named: [`Profile::RFC7208`].
    pub const DEFAULT: &'static Self = &Self::RFC7208;

    /// RFC 7208 as its text says: 10 lookups, 2 void terms, 10 hosts of an `mx` term.
    pub const RFC7208: Self = Self {
        name: "rfc7208",
        lookups: 10,
        counting: Counting::Evaluated,
        voids: 2,
        void_unit: VoidUnit::Term,
        mx_names: 10,
        mx_addresses: Self::UNLIMITED,
        ed25519: true,
        source: "RFC 7208 (2014), section 4.6.4",
    };

    /// The harsher reading of the RFC, and the lower limit, wherever receivers differ: what stays within its limits stays within
    /// those of every other profile.
    pub const STRICT: Self = Self {
        name: "strict",
        counting: Counting::Written,
        voids: 1,
        void_unit: VoidUnit::Query,
        mx_addresses: 10,
        ed25519: false,
        source: "the harshest of all; RFC 7208 (2014), section 4.6.4, also read as 10 addresses for each mail host: internet.nl issue 1560",
        ..Self::RFC7208
    };

    /// No limits: what a record intends.
    pub const LIFTED: Self = Self {
        name: "lifted",
        lookups: Self::UNLIMITED,
        voids: Self::UNLIMITED,
        mx_names: Self::UNLIMITED,
        ..Self::RFC7208
    };

    /// The profiles that can be asked for by name.
    pub const ALL: &'static [&'static Self] = &[
        &Self::RFC7208,
        &Self::STRICT,
        &Self::surveyed("iredapd", Self::UNLIMITED, Self::UNLIMITED),
        &Self::surveyed("iredapd-20", 20, 20),
        &Self::surveyed("libspf2", 10, 1),
        &Self::surveyed("mail-spf", 10, 1),
        &Self::surveyed("mail-spf-old", Self::UNLIMITED, 1),
        &Self::surveyed("milter-greylist", 10, 10),
        &Self::surveyed("mtpolicyd", 10, 2),
        &Self::surveyed("policyd-spf", 20, 1),
        &Self {
            void_unit: VoidUnit::Query,
            source: "SPF Beyond the Standard, USENIX Security 2024, table 5; void queries: pyspf issue 44",
            ..Self::surveyed("pyspf", 10, 2)
        },
        &Self::surveyed("rspamd", 30, 30),
        &Self::surveyed("spamassassin", 20, 1),
        &Self::surveyed("spfmilter", 10, 2),
    ];

    /// A receiver of which the survey tells two limits, and nothing else.
    const fn surveyed(name: &'static str, lookups: u32, voids: u32) -> Self {
        Self { name, lookups, voids, source: SURVEY, ..Self::RFC7208 }
    }

    /// Whether there is anything that it limits.
    pub(super) fn has_limits(&self) -> bool {
        [self.lookups, self.voids, self.mx_names, self.mx_addresses]
            .into_iter()
            .any(|most| Self::limit(most).is_some())
    }

    /// The limit, unless it stands for none.
    pub fn limit(most: u32) -> Option<u32> {
        (most < Self::UNLIMITED).then_some(most)
    }

    /// The profile of a name.
    ///
    /// # Errors
    ///
    /// `spf.unknown-profile`, with the known names.
    pub fn named(name: &str) -> Result<&'static Self, Problem> {
        Self::ALL.iter().copied().find(|profile| profile.name == name).ok_or_else(|| {
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

#[cfg(test)]
mod tests {
    use super::{Counting, Profile, VoidUnit};

    #[test]
    fn strict_is_the_harshest_in_every_dimension() {
        let strict = &Profile::STRICT;
        assert_eq!((strict.counting, strict.void_unit), (Counting::Written, VoidUnit::Query));
        assert!(!strict.ed25519);
        for other in Profile::ALL {
            let no_larger = [
                (strict.lookups, other.lookups),
                (strict.voids, other.voids),
                (strict.mx_names, other.mx_names),
                (strict.mx_addresses, other.mx_addresses),
            ];
            assert!(no_larger.iter().all(|(strict, other)| strict <= other), "{}", other.name);
        }
    }

    /// Unknown reverse lookups are told apart up to two void queries: see `Unknown::branches`.
    #[test]
    fn none_that_counts_queries_allows_more_than_two() {
        let counts_queries = |profile: &&&Profile| profile.void_unit == VoidUnit::Query;
        assert!(Profile::ALL.iter().filter(counts_queries).all(|profile| profile.voids <= 2));
    }

    #[test]
    fn names_are_unique_and_found() {
        for profile in Profile::ALL {
            assert_eq!(Profile::named(profile.name).unwrap(), *profile);
        }
        assert!(Profile::named("lifted").is_err(), "no receiver has no limits at all");
    }
}
