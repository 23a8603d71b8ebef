//! What an evaluation spends on its way to a result.

use serde::Serialize;

use crate::spf::Profile;
use crate::spf::profile::{Counting, VoidUnit};

/// What the evaluation for one address spends until it has its result, no limit applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Spent {
    /// Terms that cause DNS queries (RFC 7208 section 4.6.4).
    pub lookups: u32,
    /// Such terms of all records that the evaluation enters, whether it gets to them or not.
    pub written: u32,
    /// Terms with at least one void query.
    pub void_terms: u32,
    /// Void queries.
    pub void_queries: u32,
    /// The most hosts that one `mx` term had.
    pub mx_names: u32,
    /// The most addresses that one host of an `mx` term had, in the family of the client.
    pub mx_addresses: u32,
    /// Terms whose cost the evidence does not bound: includes of names that depend on the message.
    pub unbounded: u32,
}

impl Spent {
    /// Nothing.
    pub(in crate::spf) const FREE: Self = Self { lookups: 0, ..Self::LOOKUP };

    /// One lookup and nothing else.
    pub(super) const LOOKUP: Self = Self {
        lookups: 1,
        written: 0,
        void_terms: 0,
        void_queries: 0,
        mx_names: 0,
        mx_addresses: 0,
        unbounded: 0,
    };

    /// What one term's void queries cost.
    pub(super) fn voids(queries: u32) -> Self {
        Self { void_terms: u32::from(queries > 0), void_queries: queries, ..Self::default() }
    }

    /// What this and then `later` cost.
    pub(in crate::spf) fn then(self, later: Self) -> Self {
        Self {
            lookups: self.lookups.saturating_add(later.lookups),
            written: self.written.saturating_add(later.written),
            void_terms: self.void_terms.saturating_add(later.void_terms),
            void_queries: self.void_queries.saturating_add(later.void_queries),
            mx_names: self.mx_names.max(later.mx_names),
            mx_addresses: self.mx_addresses.max(later.mx_addresses),
            unbounded: self.unbounded.saturating_add(later.unbounded),
        }
    }

    /// The larger of both in every part.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            lookups: self.lookups.max(other.lookups),
            written: self.written.max(other.written),
            void_terms: self.void_terms.max(other.void_terms),
            void_queries: self.void_queries.max(other.void_queries),
            mx_names: self.mx_names.max(other.mx_names),
            mx_addresses: self.mx_addresses.max(other.mx_addresses),
            unbounded: self.unbounded.max(other.unbounded),
        }
    }

    /// The smaller of both in every part.
    #[must_use]
    pub(in crate::spf) fn min(self, other: Self) -> Self {
        Self {
            lookups: self.lookups.min(other.lookups),
            written: self.written.min(other.written),
            void_terms: self.void_terms.min(other.void_terms),
            void_queries: self.void_queries.min(other.void_queries),
            mx_names: self.mx_names.min(other.mx_names),
            mx_addresses: self.mx_addresses.min(other.mx_addresses),
            unbounded: self.unbounded.min(other.unbounded),
        }
    }

    /// Lookups as a receiver counts them.
    pub fn lookups_for(&self, profile: &Profile) -> u32 {
        match profile.counting {
            Counting::Evaluated => self.lookups,
            Counting::Written => self.written,
        }
    }

    /// Void lookups in the unit of a profile.
    pub fn voids_for(&self, profile: &Profile) -> u32 {
        match profile.void_unit {
            VoidUnit::Term => self.void_terms,
            VoidUnit::Query => self.void_queries,
        }
    }

    /// Whether a receiver gets to the end without passing one of its limits.
    ///
    /// A limit that is passed on the way ends the evaluation with permerror, whatever would have come after it; so it
    /// is enough to look at the sums at the end.
    pub fn is_within(&self, profile: &Profile) -> bool {
        self.lookups_for(profile) <= profile.lookups
            && self.voids_for(profile) <= profile.voids
            && self.mx_names <= profile.mx_names
            && self.mx_addresses <= profile.mx_addresses
    }
}
