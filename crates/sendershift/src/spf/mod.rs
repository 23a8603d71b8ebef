//! SPF: what a record says, exactly as it is written.
//!
//! [`SpfRecord::parse`] reads a record by the grammar of [RFC 7208 section 12] and lists every problem that it finds,
//! by the names in [`codes`]. The parsed record keeps what was written and in which order; what an omission means
//! is a method (`qualifier_or_default`). [`DomainSpec::expand`] fills in macros, [`DomainSpec::expand_known`] only
//! those whose value is known.
//!
//! [RFC 7208 section 12]: https://www.rfc-editor.org/rfc/rfc7208#section-12

pub mod codes;
mod display;
mod document;
mod expand;
mod macros;
mod parse;
mod record;

pub use document::{RecordDocument, TermDocument};
pub use expand::{MacroContext, Partial, PartialContext};
pub use macros::{DomainSpec, MacroExpand, MacroLetter, MacroPart, MacroString};
pub use record::{Directive, DualCidr, Mechanism, Modifier, Qualifier, SpfRecord, Term, TermKind};
