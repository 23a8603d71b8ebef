//! The text of SPF records: what is published, and terms that come in and go out.

use std::collections::BTreeSet;

use super::facts::{Facts, policy};
use super::zone::{Wish, Zone};
use crate::dns::{Evidence, Overlay, RecordType, Txt};
use crate::error::Error;
use crate::migration::Source;
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::spf::{Mechanism, Policy, SpfRecord, SpfResult, TermKind};

/// What is published at a name.
pub(super) enum Current {
    Nothing,
    Record(Txt, SpfRecord),
    /// Several records, or one that cannot be read: a person has to say what is meant.
    Broken(String),
    Alias(DomainName),
}

pub(super) fn current(zone: &Zone<'_>, name: &DomainName) -> Current {
    if let Some(target) = zone.alias(name) {
        return Current::Alias(target);
    }
    let Some(rrset) = zone.get(name, RecordType::Txt) else { return Current::Nothing };
    let records: Vec<&Txt> = rrset.texts().iter().filter(|text| SpfRecord::is_spf(text.octets())).collect();
    match records.as_slice() {
        [] => Current::Nothing,
        [text] => match text.text().parse() {
            Ok(record) => Current::Record((*text).clone(), record),
            Err(error) => Current::Broken(format!("the record cannot be read: {error}")),
        },
        several => Current::Broken(format!("there are {} SPF records, which is an error", several.len())),
    }
}

/// The terms that authorise a source in new records: its own, else its include and what that does not list, else
/// its addresses as the fewest networks.
pub(super) fn terms_of(facts: &Facts<'_>, source: &Source) -> Result<Vec<String>, Error> {
    if !source.publish.is_empty() {
        return Ok(source.publish.clone());
    }
    let listed = match &source.include {
        Some(include) => policy(facts.known, include, &AddressSet::all())?,
        None => None,
    };
    let listed =
        listed.map_or_else(AddressSet::empty, |policy: Policy| policy.intended().always(SpfResult::Pass));
    let mut terms: Vec<String> = source.addresses.difference(&listed).cover().iter().map(network).collect();
    terms.extend(source.include.iter().map(|include| format!("include:{include}")));
    Ok(terms)
}

fn network(net: &ipnet::IpNet) -> String {
    let (name, whole) = match net {
        ipnet::IpNet::V4(_) => ("ip4", 32),
        ipnet::IpNet::V6(_) => ("ip6", 128),
    };
    if net.prefix_len() == whole { format!("{name}:{}", net.addr()) } else { format!("{name}:{net}") }
}

/// Where added terms stand.
#[derive(Clone, Copy)]
pub(super) enum Place {
    BeforeAll,
    Front,
}

/// The text of a record with terms added. A parked record and none at all give way to a new one.
pub(super) fn with_terms(record: Option<&SpfRecord>, terms: &[String], place: Place) -> String {
    let Some(record) = record.filter(|record| !is_parked(record)) else {
        return format!("v=spf1 {} ~all", terms.join(" "));
    };
    let mut written: Vec<&str> = record.terms().iter().map(|term| record.written(term)).collect();
    let at = match place {
        Place::Front => 0,
        Place::BeforeAll => {
            let ends = |kind: &TermKind| match kind {
                TermKind::Directive(directive) => directive.mechanism == Mechanism::All,
                TermKind::Modifier(_) => true,
            };
            let all = record.terms().iter().position(|term| {
                matches!(&term.kind, TermKind::Directive(directive) if directive.mechanism == Mechanism::All)
            });
            all.or_else(|| record.terms().iter().position(|term| ends(&term.kind))).unwrap_or(written.len())
        }
    };
    let new: Vec<&str> = terms.iter().map(String::as_str).filter(|term| !has_term(record, term)).collect();
    let at = at.min(written.len());
    written.splice(at..at, new);
    format!("v=spf1 {}", written.join(" "))
}

/// The text of a record without terms; none where none of them is there.
pub(super) fn without_terms(record: &SpfRecord, terms: &BTreeSet<String>) -> Option<String> {
    let gone = |written: &str| terms.iter().any(|term| same_term(term, written));
    let kept: Vec<&str> =
        record.terms().iter().map(|term| record.written(term)).filter(|term| !gone(term)).collect();
    (kept.len() < record.terms().len())
        .then(|| ["v=spf1"].into_iter().chain(kept).collect::<Vec<_>>().join(" "))
}

fn same_term(one: &str, two: &str) -> bool {
    let read = |term: &str| format!("v=spf1 {}", term.trim_start_matches('+')).parse::<SpfRecord>();
    match (read(one), read(two)) {
        (Ok(one), Ok(two)) => one.terms() == two.terms(),
        _ => false,
    }
}

pub(super) fn has_term(record: &SpfRecord, term: &str) -> bool {
    record.terms().iter().any(|there| same_term(term, record.written(there)))
}

/// Whether a record says that nothing is sent: no mechanism but `all`.
pub(super) fn is_parked(record: &SpfRecord) -> bool {
    record.redirect().is_none()
        && record.directives().all(|(_, directive)| directive.mechanism == Mechanism::All)
}

/// The world with one wish fulfilled.
pub(super) fn overlay<'z>(zone: &'z Zone<'_>, wish: &Wish) -> Overlay<&'z dyn Evidence> {
    let mut overlay = Overlay::new(&zone.world as &dyn Evidence);
    if let Some(change) = zone.change(wish) {
        match change.apply(zone.get(&wish.name, change.record_type).as_ref()) {
            Ok(Some(rrset)) => overlay.publish(&wish.name, rrset),
            _ => overlay.remove(&wish.name, change.record_type),
        }
    }
    overlay
}
