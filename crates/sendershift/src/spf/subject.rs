//! What an operation is about: a domain's record as published, or a record that is only written down.

use super::{DomainSpec, MacroLetter, Modifier, SpfRecord, TermKind};
use crate::dns::{Answer, Evidence, Overlay, Quality, RecordType, Records, RrSet, Txt};
use crate::error::{Invalid, Problem};
use crate::name::DomainName;

/// Stands for the domain where none matters: no name ends so (RFC 2606 section 2).
const ANYWHERE: &str = "record.invalid";

/// A domain, or a record to be read as if a domain published it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// The domain.
    pub domain: DomainName,
    /// The record in place of the published one.
    pub record: Option<SpfRecord>,
}

impl Subject {
    /// Reads a domain, or a record (a text that begins with `v=spf1`) to be read at `at`.
    ///
    /// A record that says the same wherever it stands needs no domain.
    ///
    /// # Errors
    ///
    /// The problems of the name or of the record, or `spf.needs-domain`, placed in the text.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::spf::Subject;
    ///
    /// assert_eq!(Subject::parse("Example.NET", None)?.domain.as_str(), "example.net");
    /// assert!(Subject::parse("v=spf1 include:example.net -all", None)?.record.is_some());
    /// assert_eq!(Subject::parse("v=spf1 mx -all", None).unwrap_err().problems[0].code, "spf.needs-domain");
    /// # Ok::<(), sendershift::error::Invalid>(())
    /// ```
    pub fn parse(text: &str, at: Option<DomainName>) -> Result<Self, Invalid> {
        let looks_like_a_record = text.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("v=spf1"));
        if !looks_like_a_record {
            let read = DomainName::parse_or_hint(text, "v=spf1").map_err(|problem| vec![problem]);
            return match read {
                Ok(domain) => Ok(Self { domain, record: None }),
                Err(problems) => {
                    Invalid::unless(problems, text, Self { domain: DomainName::root(), record: None })
                }
            };
        }
        let record = SpfRecord::parse(text.as_bytes())?;
        let problems = if at.is_some() { Vec::new() } else { needs_domain(&record) };
        let domain = at.map_or_else(Self::anywhere, Ok).map_err(Invalid::one)?;
        Invalid::unless(problems, text, Self { domain, record: Some(record) })
    }

    /// The domain of a record that needs none.
    pub(super) fn anywhere() -> Result<DomainName, Problem> {
        DomainName::parse(ANYWHERE)
    }

    /// Whether it is a record that needs no domain and was given none.
    pub(super) fn is_placed_anywhere(&self) -> bool {
        self.record.is_some() && self.domain.as_str() == ANYWHERE
    }

    /// The evidence as it would be with the record published; other texts at the name stay.
    pub fn publish_on<E: Evidence>(&self, evidence: E) -> Overlay<E> {
        let published = match evidence.answer(&self.domain, RecordType::Txt) {
            Answer::Records(rrset) => {
                let other = |txt: &&Txt| !SpfRecord::is_spf(txt.octets());
                (rrset.texts().iter().filter(other).cloned().collect(), rrset.ttl(), rrset.quality())
            }
            _ => (Vec::new(), None, Quality::Cached),
        };
        let mut overlay = Overlay::new(evidence);
        if let Some(record) = &self.record
            && let Ok(text) = Txt::from_text(&record.text().replace('\\', "\\\\"))
        {
            let (mut texts, ttl, quality) = published;
            texts.push(text);
            overlay.publish(&self.domain, RrSet::new(Records::Txt(texts), ttl, quality));
        }
        overlay
    }
}

/// The terms that mean something else at every domain.
fn needs_domain(record: &SpfRecord) -> Vec<Problem> {
    let uses_domain = |spec: &DomainSpec| {
        [MacroLetter::Domain, MacroLetter::SenderDomain, MacroLetter::Sender, MacroLetter::Validated]
            .iter()
            .any(|letter| spec.uses(*letter))
    };
    let needs = |kind: &TermKind| match kind {
        TermKind::Directive(directive) => match directive.mechanism.domain() {
            Some(spec) => uses_domain(spec),
            None => directive.mechanism.costs_lookup(),
        },
        TermKind::Modifier(Modifier::Redirect(spec)) => uses_domain(spec),
        TermKind::Modifier(_) => false,
    };
    let terms = record.terms().iter().filter(|term| needs(&term.kind));
    terms
        .map(|term| {
            let message =
                format!("`{}` depends on the domain that publishes the record", record.written(term));
            Problem::new("spf.needs-domain", message)
                .at(term.span)
                .help("say which domain the record is for (--domain DOMAIN)")
        })
        .collect()
}
