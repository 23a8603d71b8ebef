//! Every rule that a [`Finding`](crate::finding::Finding) can come from.
//!
//! The areas apply their rules themselves ([`spf::lint`](crate::spf::lint()), [`dkim::lint`](crate::dkim::lint()), [`adjacent::lint`](crate::adjacent::lint()), [`dmarc::lint`](crate::dmarc::lint())); here they stand together, for documentation
//! and for whoever reads findings.

use crate::finding::Rule;
use crate::{adjacent, dkim, dmarc, spf};

/// The rules of all areas, sorted by code.
pub fn rules() -> Vec<&'static Rule> {
    let mut rules: Vec<&Rule> =
        [adjacent::RULES, dkim::RULES, dmarc::RULES, spf::RULES].into_iter().flatten().copied().collect();
    rules.sort_by_key(|rule| rule.code);
    rules
}
