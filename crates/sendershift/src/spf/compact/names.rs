//! Extra records: what they are called, and which there are.

use crate::dns::{Answer, Evidence, RecordType};
use crate::error::Problem;
use crate::name::DomainName;
use crate::spf::check::{Selection, select};
use crate::spf::{Mechanism, SpfRecord};

/// An extra record that is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extra {
    pub(super) number: u32,
    pub(super) generation: u32,
    pub(super) name: DomainName,
    /// Its terms.
    pub(super) terms: Vec<String>,
    /// The term that includes it.
    pub(super) reference: String,
    /// Octets of its answer.
    pub(super) octets: usize,
}

/// The extra records that a record includes, by their names.
pub(super) fn published(evidence: &dyn Evidence, domain: &DomainName, record: &SpfRecord) -> Vec<Extra> {
    let included = record.directives().filter_map(|(term, directive)| {
        let Mechanism::Include(spec) = &directive.mechanism else { return None };
        let name = spec.literal()?;
        let (number, generation) = parse(name, domain)?;
        // What is an alias, or holds other texts besides, is not ours to replace.
        let Answer::Records(rrset) = evidence.answer(name, RecordType::Txt) else { return None };
        let ([_], Selection::Record(extra)) = (rrset.texts(), &*select(rrset)) else { return None };
        let octets = rrset.size(name);
        let terms = extra.terms().iter().map(|term| extra.written(term).to_owned()).collect();
        let reference = record.written(term).to_owned();
        Some(Extra { number, generation, name: name.clone(), terms, reference, octets })
    });
    let mut extras: Vec<Extra> = included.collect();
    extras.sort_by_key(|extra| extra.number);
    extras.dedup_by_key(|extra| extra.number);
    extras
}

/// `_spf2-7.example.net`: the second extra record, in its seventh generation.
///
/// A record that is to say something else gets a new name: so it can be published and waited for before anybody is
/// sent to it, and taken away only after nobody is any more.
pub(super) fn name(domain: &DomainName, number: u32, generation: u32) -> Result<DomainName, Problem> {
    domain.prefixed(&format!("_spf{number}-{generation}"))
}

fn parse(name: &DomainName, domain: &DomainName) -> Option<(u32, u32)> {
    if name.parent().as_ref() != Some(domain) {
        return None;
    }
    let (number, generation) = name.labels().next()?.strip_prefix("_spf")?.split_once('-')?;
    let (number, generation) = (number.parse().ok()?, generation.parse().ok()?);
    // One name for each: no leading zeros.
    (self::name(domain, number, generation).ok().as_ref() == Some(name)).then_some((number, generation))
}

/// Where an extra record goes that says something else than the one published in its place.
pub(super) fn fresh(
    evidence: &dyn Evidence,
    domain: &DomainName,
    published: &[Extra],
    at: usize,
) -> Result<DomainName, Problem> {
    let (number, mut generation) = match published.get(at) {
        Some(extra) => (extra.number, extra.generation.saturating_add(1)),
        None => {
            let after = u32::try_from(at - published.len()).unwrap_or(u32::MAX);
            (published.last().map_or(1, |extra| extra.number.saturating_add(1)).saturating_add(after), 1)
        }
    };
    loop {
        let name = self::name(domain, number, generation)?;
        // A wildcard answers for every name that is not there. What is unknown is asked, and the name never used before
        // the answer is there.
        match evidence.answer(&name, RecordType::Txt) {
            Answer::Records(_) | Answer::Alias(_) if evidence.wildcard(&name).is_none() => {
                generation = generation.saturating_add(1);
            }
            _ => return Ok(name),
        }
    }
}
