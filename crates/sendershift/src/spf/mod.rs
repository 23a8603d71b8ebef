//! SPF: what a record says, what it does, what it costs.
//!
//! [`SpfRecord::parse`] reads a record by the grammar of [RFC 7208 section 12] and lists every problem that it finds,
//! by the names in [`codes`]. The parsed record keeps what was written and in which order; what an omission means
//! is a method (`qualifier_or_default`). [`DomainSpec::expand`] fills in macros, [`DomainSpec::expand_known`] only
//! those whose value is known. [`check()`] is `check_host()` for one client; a [`Policy`] is its result for every
//! address at once, and [`diff`](diff()) says exactly where two of them differ. [`lint()`] says what is wrong or unwise.
//!
//! [RFC 7208 section 12]: https://www.rfc-editor.org/rfc/rfc7208#section-12

mod check;
pub mod codes;
mod compact;
mod cost;
mod diff;
mod display;
mod document;
mod expand;
mod lint;
mod macros;
mod parse;
mod policy;
mod profile;
mod reason;
mod record;
mod result;
mod subject;

pub use check::{
    Asked, CheckProblem, Checked, Outcome, Query, Trace, TraceLog, TraceStep, check, check_traced,
};
pub use compact::{
    CompactRequest, Compacted, Figures, Infeasible, Objective, OpenedName, Proof, RECOMMENDED_OCTETS, Remedy,
    Removed, RrSetDocument, Staying, UnopenedName, compact, compact_watched,
};
pub use cost::{
    AddressCase, AddressCost, AddressRanges, Behind, Between, Cost, CostClass, CostProblem, Decides, Limits,
    Lookups, Note, RecordCost, Remaining, Spending, TermCost, Totals, cost, cost_at,
};
pub use diff::{
    Compared, Difference, DifferentCase, DifferentRange, Doubt, Elsewhere, Side, Verdict, Witness, diff,
    diff_between,
};
pub use document::{RecordDocument, TermDocument};
pub use expand::{MacroContext, Partial, PartialContext};
pub use lint::{RULES, lint};
pub use macros::{DomainSpec, MacroExpand, MacroLetter, MacroPart, MacroString};
pub use policy::{
    AddressPart, Assumed, Authorised, Beyond, Branch, Case, Decider, Deciders, Decision, End, Idle, Leaf,
    Policy, Reach, Results, Role, Spent, TermRole, Turnout, Unknown,
};
pub use profile::{Counting, Profile, VoidUnit};
pub use record::{Directive, DualCidr, Mechanism, Modifier, Qualifier, SpfRecord, Term, TermKind};
pub use result::SpfResult;
pub use subject::Subject;
