//! A record as a value: its terms, in the order and with the omissions of the text.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Serialize;

use super::check::Outline;
use super::codes;
use super::macros::{DomainSpec, MacroString};
use crate::error::{Invalid, Problem, Span};

/// An SPF record that keeps to the grammar of RFC 7208 section 12.
///
/// Two records are equal if their canonical texts ([`Display`](std::fmt::Display)) are: names in lower case, single
/// spaces, nothing written that is the default anyway.
///
/// # Examples
///
/// ```
/// use sendershift::spf::{Mechanism, SpfRecord};
///
/// let record: SpfRecord = "v=spf1  Include:_spf.example.net +ip4:192.0.2.1/32 ~all".parse()?;
/// assert_eq!(record.to_string(), "v=spf1 include:_spf.example.net ip4:192.0.2.1 ~all");
/// assert_eq!(record.term_count_costing_lookups(), 1);
///
/// let (term, directive) = record.directives().next().expect("it has three");
/// assert_eq!(record.written(term), "Include:_spf.example.net");
/// assert!(matches!(&directive.mechanism, Mechanism::Include(_)));
///
/// let problems = SpfRecord::parse(b"v=spf1 nclude:example.net ip4:1.2.3 -all").unwrap_err().problems;
/// assert_eq!(problems[0].code, "spf.unknown-mechanism");
/// assert_eq!(problems[0].help.as_deref(), Some("did you mean `include`?"));
/// assert_eq!(problems[1].code, "spf.bad-ip4");
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct SpfRecord {
    pub(super) text: String,
    pub(super) terms: Vec<Term>,
    /// The place of the first `all`: it ends every evaluation.
    all: Option<Span>,
    /// Which terms are `redirect` and `exp`.
    redirect: Option<usize>,
    exp: Option<usize>,
    outline: OnceLock<Outline>,
}

impl SpfRecord {
    /// A record of the given terms, written in canonical form.
    ///
    /// # Errors
    ///
    /// As [`SpfRecord::parse`], when a part was put together that no record can hold, such as a prefix length of
    /// 99 or a second `redirect`; spans are in the canonical text.
    pub fn from_terms(terms: impl IntoIterator<Item = TermKind>) -> Result<Self, Invalid> {
        let words: Vec<String> = terms.into_iter().map(|term| format!(" {term}")).collect();
        let record = Self::parse(format!("v=spf1{}", words.concat()).as_bytes())?;
        // The text of an explanation as the value of a modifier would bring its spaces, and so terms of its own.
        if record.terms.len() != words.len() {
            let message = "a term has a space in it";
            return Err(Invalid::one(Problem::new(codes::BAD_TERM, message)));
        }
        Ok(record)
    }

    pub(super) fn new(text: String, terms: Vec<Term>) -> Self {
        let mut record = Self { text, terms, all: None, redirect: None, exp: None, outline: OnceLock::new() };
        for (index, term) in record.terms.iter().enumerate() {
            match &term.kind {
                TermKind::Directive(Directive { mechanism: Mechanism::All, .. }) => {
                    record.all = record.all.or(Some(term.span));
                }
                TermKind::Modifier(Modifier::Redirect(_)) => record.redirect = Some(index),
                TermKind::Modifier(Modifier::Exp(_)) => record.exp = Some(index),
                _ => {}
            }
        }
        record
    }

    /// The record as a check walks over it; made once.
    pub(super) fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| Outline::new(self))
    }

    /// The terms in the order of the text.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The record as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A term of this record as it was written.
    pub fn written(&self, term: &Term) -> &str {
        self.text.get(term.span.start..term.span.end).unwrap_or("")
    }

    /// The directives with their terms, in the order of the text.
    pub fn directives(&self) -> impl Iterator<Item = (&Term, &Directive)> {
        self.terms.iter().filter_map(|term| match &term.kind {
            TermKind::Directive(directive) => Some((term, directive)),
            TermKind::Modifier(_) => None,
        })
    }

    /// The directives with the places of their terms among all terms.
    pub(super) fn indexed_directives(&self) -> impl Iterator<Item = (usize, &Directive)> {
        self.terms.iter().enumerate().filter_map(|(index, term)| match &term.kind {
            TermKind::Directive(directive) => Some((index, directive)),
            TermKind::Modifier(_) => None,
        })
    }

    /// The modifiers with their terms, in the order of the text.
    pub fn modifiers(&self) -> impl Iterator<Item = (&Term, &Modifier)> {
        self.terms.iter().filter_map(|term| match &term.kind {
            TermKind::Modifier(modifier) => Some((term, modifier)),
            TermKind::Directive(_) => None,
        })
    }

    /// The target of `redirect`, also where an `all` makes it idle (RFC 7208 section 6.1).
    pub fn redirect(&self) -> Option<&DomainSpec> {
        match &self.terms.get(self.redirect?)?.kind {
            TermKind::Modifier(Modifier::Redirect(domain)) => Some(domain),
            _ => None,
        }
    }

    /// The place and the target of `redirect`, also where an `all` makes it idle.
    pub(super) fn indexed_redirect(&self) -> Option<(usize, &DomainSpec)> {
        Some((self.redirect?, self.redirect()?))
    }

    /// The term that `redirect` is, unless an `all` makes it idle.
    pub(super) fn redirect_term(&self) -> Option<&Term> {
        self.terms.get(self.redirect?).filter(|_| !self.has_all())
    }

    /// The target of `exp` (RFC 7208 section 6.2).
    pub fn exp(&self) -> Option<&DomainSpec> {
        match &self.terms.get(self.exp?)?.kind {
            TermKind::Modifier(Modifier::Exp(domain)) => Some(domain),
            _ => None,
        }
    }

    /// Whether `all` stands anywhere, with any qualifier.
    pub fn has_all(&self) -> bool {
        self.all.is_some()
    }

    /// Whether the term stands behind `all`, which ends every evaluation.
    pub(super) fn is_behind_all(&self, term: &Term) -> bool {
        self.all.is_some_and(|all| term.span > all)
    }

    /// Whether evaluating the term costs one of the ten lookups (RFC 7208 section 4.6.4).
    ///
    /// Terms that `all` makes idle cost nothing: directives after it, and `redirect` wherever it stands.
    pub fn costs_lookup(&self, term: &Term) -> bool {
        match &term.kind {
            TermKind::Directive(directive) => directive.mechanism.costs_lookup() && !self.is_behind_all(term),
            TermKind::Modifier(modifier) => matches!(modifier, Modifier::Redirect(_)) && !self.has_all(),
        }
    }

    /// How many terms of this record alone cost a lookup if nothing matches; what they refer to is not counted.
    pub fn term_count_costing_lookups(&self) -> usize {
        self.terms.iter().filter(|term| self.costs_lookup(term)).count()
    }
}

/// One term of a record and its place in the text.
///
/// Terms are equal if they have the same canonical text, wherever they stand.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Term {
    /// Where the term is, in octets of the record's text.
    pub span: Span,
    /// What it says.
    pub kind: TermKind,
}

/// A term is a directive or a modifier (RFC 7208 section 4.6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TermKind {
    /// A mechanism with its qualifier.
    Directive(Directive),
    /// A modifier.
    Modifier(Modifier),
}

/// A mechanism and the result that a match of it has (RFC 7208 section 4.6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The qualifier, if one is written.
    pub qualifier: Option<Qualifier>,
    /// The mechanism.
    pub mechanism: Mechanism,
}

impl Directive {
    /// The qualifier; pass where none is written.
    pub fn qualifier_or_default(&self) -> Qualifier {
        self.qualifier.unwrap_or(Qualifier::Pass)
    }
}

/// What a match means (RFC 7208 section 4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Qualifier {
    /// `+`, the default.
    Pass,
    /// `-`
    Fail,
    /// `~`
    #[serde(rename = "softfail")]
    SoftFail,
    /// `?`
    Neutral,
}

/// A mechanism (RFC 7208 section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Matches always, section 5.1.
    All,
    /// Matches where the record of another domain passes, section 5.2.
    Include(DomainSpec),
    /// Matches the addresses of a name, section 5.3.
    A {
        /// The name; the current domain where none is written.
        domain: Option<DomainSpec>,
        /// How many leading bits are compared.
        cidr: DualCidr,
    },
    /// Matches the addresses of the mail exchanges of a name, section 5.4.
    Mx {
        /// The name; the current domain where none is written.
        domain: Option<DomainSpec>,
        /// How many leading bits are compared.
        cidr: DualCidr,
    },
    /// Matches where the name of the address is validated and within a domain, section 5.5.
    Ptr(Option<DomainSpec>),
    /// Matches an IPv4 network, section 5.6.
    Ip4 {
        /// The address as written, host bits included.
        address: Ipv4Addr,
        /// The prefix length, if one is written.
        prefix: Option<u8>,
    },
    /// Matches an IPv6 network, section 5.6.
    Ip6 {
        /// The address as written, host bits included.
        address: Ipv6Addr,
        /// The prefix length, if one is written.
        prefix: Option<u8>,
    },
    /// Matches where a name has any IPv4 address, section 5.7.
    Exists(DomainSpec),
}

impl Mechanism {
    /// The names of the mechanisms, in the order of RFC 7208 section 5.
    pub(super) const NAMES: [&str; 8] = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];

    /// The name in lower case.
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Include(_) => "include",
            Self::A { .. } => "a",
            Self::Mx { .. } => "mx",
            Self::Ptr(_) => "ptr",
            Self::Ip4 { .. } => "ip4",
            Self::Ip6 { .. } => "ip6",
            Self::Exists(_) => "exists",
        }
    }

    /// Whether mechanisms of this kind cost one of the ten lookups (RFC 7208 section 4.6.4).
    pub fn costs_lookup(&self) -> bool {
        !matches!(self, Self::All | Self::Ip4 { .. } | Self::Ip6 { .. })
    }

    /// The domain-spec, if one is written.
    pub fn domain(&self) -> Option<&DomainSpec> {
        match self {
            Self::Include(domain) | Self::Exists(domain) => Some(domain),
            Self::A { domain, .. } | Self::Mx { domain, .. } | Self::Ptr(domain) => domain.as_ref(),
            Self::All | Self::Ip4 { .. } | Self::Ip6 { .. } => None,
        }
    }

    /// The network of `ip4` or `ip6`, without host bits.
    pub fn net(&self) -> Option<IpNet> {
        match self {
            Self::Ip4 { address, prefix } => {
                Ipv4Net::new(*address, prefix.unwrap_or(32)).ok().map(|net| IpNet::V4(net.trunc()))
            }
            Self::Ip6 { address, prefix } => {
                Ipv6Net::new(*address, prefix.unwrap_or(128)).ok().map(|net| IpNet::V6(net.trunc()))
            }
            _ => None,
        }
    }
}

/// The prefix lengths of `a` and `mx`, one for each address family (RFC 7208 section 5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DualCidr {
    /// `/n`, if written: at most 32.
    pub v4: Option<u8>,
    /// `//n`, if written: at most 128.
    pub v6: Option<u8>,
}

impl DualCidr {
    /// The bits compared of an IPv4 address.
    pub fn v4_or_default(self) -> u8 {
        self.v4.unwrap_or(32)
    }

    /// The bits compared of an IPv6 address.
    pub fn v6_or_default(self) -> u8 {
        self.v6.unwrap_or(128)
    }
}

/// A modifier (RFC 7208 section 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Modifier {
    /// The record to use where no mechanism matches, section 6.1.
    Redirect(DomainSpec),
    /// Where the explanation of a fail is, section 6.2.
    Exp(DomainSpec),
    /// A modifier that RFC 7208 does not define; it has no effect.
    Unknown {
        /// The name as written.
        name: String,
        /// The value; its macros are valid.
        value: MacroString,
    },
}

impl Modifier {
    /// The names of the modifiers that RFC 7208 defines.
    pub(super) const NAMES: [&str; 2] = ["redirect", "exp"];

    /// The name; that of an unknown modifier as it was written.
    pub fn name(&self) -> &str {
        match self {
            Self::Redirect(_) => "redirect",
            Self::Exp(_) => "exp",
            Self::Unknown { name, .. } => name,
        }
    }
}
