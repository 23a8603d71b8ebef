//! Which extra records of today can go: those that nothing refers to any more.

use std::collections::BTreeSet;

use super::names::Extra;
use crate::dns::{Answer, Evidence, RecordType, Records};
use crate::name::DomainName;
use crate::spf::check::{Selection, select};
use crate::spf::{DomainSpec, Mechanism, Modifier, Partial, PartialContext, SpfRecord, TermKind};

/// The extra records that no record and no alias refers to, neither by `evidence`, in which the new record is published, nor
/// by way of other extra records that stay.
///
/// `known` are names to look at that the evidence may not be able to list. A name that some message may lead to counts as
/// referred to: an include of what is not there ends in permerror (RFC 7208 section 5.2).
pub(super) fn obsolete<'n>(
    evidence: &'n dyn Evidence,
    sender: Option<&DomainName>,
    known: impl Iterator<Item = &'n DomainName>,
    extras: &[Extra],
) -> Vec<DomainName> {
    if extras.is_empty() {
        return Vec::new();
    }
    let from: BTreeSet<&DomainName> = evidence.listed_names().into_iter().chain(known).collect();
    let refers = |from: &DomainName| {
        let to = extras.iter().map(|extra| &extra.name).filter(|to| refers(evidence, from, sender, to));
        to.collect::<Vec<_>>()
    };
    let references: Vec<_> = from.into_iter().map(|from| (from, refers(from))).collect();
    let mut gone: BTreeSet<&DomainName> = extras.iter().map(|extra| &extra.name).collect();
    loop {
        let stays = |name: &DomainName| {
            references.iter().any(|(from, to)| !gone.contains(from) && to.contains(&name))
        };
        let left: BTreeSet<_> = gone.iter().copied().filter(|name| !stays(name)).collect();
        if left.len() == gone.len() {
            return left.into_iter().cloned().collect();
        }
        gone = left;
    }
}

/// Whether what stands at a name leads to another one.
fn refers(evidence: &dyn Evidence, from: &DomainName, sender: Option<&DomainName>, to: &DomainName) -> bool {
    // Names below it are aliases of names below its target (RFC 6672 section 2.2).
    if let Answer::Records(rrset) = evidence.answer(from, RecordType::DNAME) {
        let targets = rrset.records().to_texts();
        if targets.iter().any(|target| DomainName::parse(target).is_ok_and(|above| to.is_within(&above))) {
            return true;
        }
    }
    match evidence.answer(from, RecordType::Txt) {
        Answer::Alias(alias) => matches!(alias.records(), Records::Cname(target) if target == to),
        Answer::Records(rrset) => match &*select(rrset) {
            Selection::None => false,
            Selection::Record(record) => mentions(record, from, sender, to),
            // Somebody will put it right, and may need what it refers to.
            Selection::Several | Selection::Invalid(_) => {
                rrset.texts().iter().any(|text| text.text().to_ascii_lowercase().contains(to.as_str()))
            }
        },
        Answer::NoData | Answer::NxDomain | Answer::Failed | Answer::Unknown => false,
    }
}

/// Whether a term of a record may ask about a name.
fn mentions(record: &SpfRecord, from: &DomainName, sender: Option<&DomainName>, to: &DomainName) -> bool {
    record.terms().iter().any(|term| match &term.kind {
        TermKind::Directive(directive) => directive.mechanism.domain().is_some_and(|spec| {
            leads(spec, from, sender, to, matches!(directive.mechanism, Mechanism::Include(_)))
        }),
        TermKind::Modifier(Modifier::Redirect(spec) | Modifier::Exp(spec)) => {
            leads(spec, from, sender, to, true)
        }
        TermKind::Modifier(_) => false,
    })
}

/// Whether a domain-spec may stand for a name. What is left open by macros counts where TXT records are asked for: that is
/// what goes.
fn leads(
    spec: &DomainSpec,
    from: &DomainName,
    sender: Option<&DomainName>,
    to: &DomainName,
    asks_for_texts: bool,
) -> bool {
    // It may be read for mail of others, and for that of the domain itself.
    [None, sender].into_iter().any(|sender_domain| {
        let known = PartialContext { sender_domain, ..PartialContext::new(from) };
        match spec.expand_known(&known) {
            Ok(Partial::Known(name)) => name == *to,
            Ok(Partial::Open(text)) => asks_for_texts && may_become(&text, to),
            Err(_) => false,
        }
    })
}

/// Whether a text with macros in it can become a name, by what stands before the first of them and behind the last.
fn may_become(text: &str, name: &DomainName) -> bool {
    // Names are the same in either case (RFC 4343).
    let text = text.to_ascii_lowercase();
    let start = text.split('%').next().unwrap_or_default();
    let end = text.rsplit('}').next().unwrap_or_default().trim_end_matches('.');
    name.as_str().starts_with(start) && name.as_str().ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::may_become;

    #[test]
    fn a_macro_may_stand_for_anything() {
        let name = "_spf1-1.shop.example".parse().unwrap();
        for text in ["_spf1-1.%{o}", "%{l}.shop.example.", "%{i}", "_spf%{i}-1.shop.example", "_SPF1-1.%{o}"]
        {
            assert!(may_become(text, &name), "{text}");
        }
        for text in ["_spf2-1.%{o}", "%{i}._spf.shop.example", "%{i}.else.example"] {
            assert!(!may_become(text, &name), "{text}");
        }
    }
}
