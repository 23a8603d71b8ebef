//! A parsed record as a document.

use serde::Serialize;

use super::record::{Mechanism, Modifier, Qualifier, SpfRecord, Term, TermKind};
use crate::error::Span;

/// What a record says, term by term; what does not apply to a term is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordDocument {
    /// The canonical text.
    pub record: String,
    /// How many terms of this record alone cost a lookup.
    pub lookup_terms: usize,
    /// The terms in order.
    pub terms: Vec<TermDocument>,
}

/// One term of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TermDocument {
    /// The term as written.
    pub text: String,
    /// Its place, in octets.
    pub span: Span,
    /// `directive` or `modifier`.
    pub kind: &'static str,
    /// The name in lower case.
    pub name: String,
    /// Of a directive: the qualifier, also where it is not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<Qualifier>,
    /// Whether evaluating it costs a lookup.
    pub costs_lookup: bool,
    /// The domain-spec, where one is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The network of `ip4` and `ip6`, without host bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The IPv4 prefix length of `a` and `mx`, also where it is not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix4: Option<u8>,
    /// The IPv6 prefix length of `a` and `mx`, also where it is not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix6: Option<u8>,
    /// The value of an unknown modifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl SpfRecord {
    /// The record as a document.
    pub fn to_document(&self) -> RecordDocument {
        RecordDocument {
            record: self.to_string(),
            lookup_terms: self.term_count_costing_lookups(),
            terms: self.terms().iter().map(|term| self.describe(term)).collect(),
        }
    }

    fn describe(&self, term: &Term) -> TermDocument {
        let mut document = TermDocument {
            text: self.written(term).to_owned(),
            span: term.span,
            kind: "directive",
            name: String::new(),
            qualifier: None,
            costs_lookup: self.costs_lookup(term),
            domain: None,
            network: None,
            prefix4: None,
            prefix6: None,
            value: None,
        };
        match &term.kind {
            TermKind::Directive(directive) => {
                let mechanism = &directive.mechanism;
                mechanism.name().clone_into(&mut document.name);
                document.qualifier = Some(directive.qualifier_or_default());
                document.domain = mechanism.domain().map(ToString::to_string);
                document.network = mechanism.net().map(|net| net.to_string());
                if let Mechanism::A { cidr, .. } | Mechanism::Mx { cidr, .. } = mechanism {
                    document.prefix4 = Some(cidr.v4_or_default());
                    document.prefix6 = Some(cidr.v6_or_default());
                }
            }
            TermKind::Modifier(modifier) => {
                document.kind = "modifier";
                document.name = modifier.name().to_ascii_lowercase();
                match modifier {
                    Modifier::Redirect(domain) | Modifier::Exp(domain) => {
                        document.domain = Some(domain.to_string());
                    }
                    Modifier::Unknown { value, .. } => document.value = Some(value.to_string()),
                }
            }
        }
        document
    }
}
