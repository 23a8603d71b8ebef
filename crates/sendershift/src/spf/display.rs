//! The canonical text of records and their parts: nothing else writes them.

use std::fmt::{self, Display, Formatter};
use std::net::IpAddr;

use super::macros::{DomainSpec, MacroExpand, MacroPart, MacroString};
use super::record::{Directive, DualCidr, Mechanism, Modifier, Qualifier, SpfRecord, Term, TermKind};

impl Display for SpfRecord {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("v=spf1")?;
        self.terms.iter().try_for_each(|term| write!(f, " {term}"))
    }
}

impl PartialEq for SpfRecord {
    fn eq(&self, other: &Self) -> bool {
        self.terms == other.terms
    }
}

impl Eq for SpfRecord {}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind || self.to_string() == other.to_string()
    }
}

impl Eq for Term {}

impl Display for TermKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(directive) => directive.fmt(f),
            Self::Modifier(modifier) => modifier.fmt(f),
        }
    }
}

impl Display for Directive {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.qualifier_or_default() {
            Qualifier::Pass => {}
            qualifier => qualifier.fmt(f)?,
        }
        self.mechanism.fmt(f)
    }
}

impl Display for Qualifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "+",
            Self::Fail => "-",
            Self::SoftFail => "~",
            Self::Neutral => "?",
        })
    }
}

impl Display for Mechanism {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Some(domain) = self.domain() {
            write!(f, ":{domain}")?;
        }
        match self {
            Self::A { cidr, .. } | Self::Mx { cidr, .. } => cidr.fmt(f),
            Self::Ip4 { address, prefix } => network(f, IpAddr::V4(*address), *prefix, 32),
            Self::Ip6 { address, prefix } => network(f, IpAddr::V6(*address), *prefix, 128),
            _ => Ok(()),
        }
    }
}

fn network(f: &mut Formatter<'_>, address: IpAddr, prefix: Option<u8>, full: u8) -> fmt::Result {
    match prefix.filter(|prefix| *prefix != full) {
        Some(prefix) => write!(f, ":{address}/{prefix}"),
        None => write!(f, ":{address}"),
    }
}

impl Display for DualCidr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(v4) = self.v4 {
            write!(f, "/{v4}")?;
        }
        if let Some(v6) = self.v6 {
            write!(f, "//{v6}")?;
        }
        Ok(())
    }
}

impl Display for Modifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect(domain) | Self::Exp(domain) => write!(f, "{}={domain}", self.name()),
            Self::Unknown { name, value } => write!(f, "{}={value}", name.to_ascii_lowercase()),
        }
    }
}

impl Display for DomainSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.string().fmt(f)
    }
}

impl Display for MacroString {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Display for MacroPart<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Percent => f.write_str("%%"),
            Self::Space => f.write_str("%_"),
            Self::UrlSpace => f.write_str("%-"),
            Self::Expand(expand) => expand.fmt(f),
        }
    }
}

impl Display for MacroExpand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let letter = self.letter.letter();
        write!(f, "%{{{}", if self.url_escape { letter.to_ascii_uppercase() } else { letter })?;
        if let Some(digits) = self.digits {
            write!(f, "{digits}")?;
        }
        write!(f, "{}{}}}", if self.reverse { "r" } else { "" }, self.delimiters)
    }
}
