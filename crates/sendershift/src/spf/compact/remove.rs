//! Terms that are taken out because the caller says so, and the record that is meant without them.

use std::collections::BTreeMap;

use super::Removed;
use super::prepare::{Prepared, written};
use super::tree;
use crate::dns::{Evidence, Overlay, Quality, RecordType, Records, Resolved, RrSet, Txt, resolve};
use crate::error::{Error, Invalid, Problem};
use crate::name::DomainName;
use crate::spf::check::{Selection, select};
use crate::spf::{
    DomainSpec, Mechanism, Modifier, Partial, PartialContext, Policy, SpfRecord, SpfResult, Term, TermKind,
};

/// What is meant, without the terms that were taken out.
pub(super) struct Remaining {
    /// The record itself.
    pub(super) record: SpfRecord,
    /// Records that it refers to, as if their dead terms were not there. They can be published by their owners alone, so they
    /// have to be opened.
    pub(super) others: BTreeMap<DomainName, SpfRecord>,
    pub(super) removed: Vec<Removed>,
}

impl Remaining {
    /// Evidence as if the records of others had no dead terms.
    pub(super) fn mended<'b>(&self, base: &'b dyn Evidence) -> Result<Overlay<&'b dyn Evidence>, Error> {
        let mut overlay = Overlay::new(base);
        for (name, record) in &self.others {
            let text = Txt::from_text(&record.text().replace('\\', "\\\\"))?;
            overlay.publish(name, RrSet::new(Records::Txt(vec![text]), None, Quality::Cached));
        }
        Ok(overlay)
    }
}

/// A term to take out.
struct Removal {
    /// The domain of its record, and the record.
    domain: DomainName,
    record: SpfRecord,
    /// The number of the term.
    at: usize,
    why: &'static str,
}

impl Prepared<'_> {
    /// Takes out what the caller wants to have out.
    pub(super) fn remove(&self, before: &Policy) -> Result<Remaining, Error> {
        for name in &self.request.drop {
            if !self.meant.terms().iter().any(|term| self.refers_to(term, name)) {
                let message = format!("no term of the record refers to {name}");
                return Err(Problem::new("spf.not-in-record", message).into());
            }
        }
        let record = self.meant.clone();
        let mut remaining = Remaining { record, others: BTreeMap::new(), removed: Vec::new() };
        let mut policy = before.clone();
        while let Some(Removal { domain, record, at, why }) = self.next_removal(&remaining)? {
            let term = record.terms().get(at).map(|term| record.written(term).to_owned()).unwrap_or_default();
            let kept = record.terms().iter().enumerate().filter(|(index, _)| *index != at);
            let words: Vec<&str> = kept.map(|(_, term)| record.written(term)).collect();
            let without = SpfRecord::parse(written(&words).as_bytes())?;
            if domain == *self.domain {
                remaining.record = without;
            } else {
                remaining.others.insert(domain.clone(), without);
            }
            let base = self.publish(&remaining.record);
            let after = Policy::compile(&remaining.mended(&base)?, self.domain)?;
            let [old, new] = [&policy, &after].map(|policy| policy.intended().authorised());
            let (adds, removes) = (new.without(&old), old.without(&new));
            remaining.removed.push(Removed { record: domain, term, why, adds, removes });
            policy = after;
        }
        Ok(remaining)
    }

    /// A term to take out, and why.
    fn next_removal(&self, remaining: &Remaining) -> Result<Option<Removal>, Error> {
        let record = &remaining.record;
        let own = |at: usize, why| Removal { domain: self.domain.clone(), record: record.clone(), at, why };
        let is_dropped = |term: &Term| self.request.drop.iter().any(|name| self.refers_to(term, name));
        if let Some(at) = record.terms().iter().position(is_dropped) {
            return Ok(Some(own(at, "drop")));
        }
        if !self.request.repair {
            return Ok(None);
        }
        if let Some(dead) = self.next_dead(remaining)? {
            return Ok(Some(dead));
        }
        // What leads back to itself is no better.
        for (at, term) in record.terms().iter().enumerate() {
            let is_include = matches!(&term.kind, TermKind::Directive(directive) if matches!(directive.mechanism, Mechanism::Include(_)));
            if !is_include {
                continue;
            }
            let alone = SpfRecord::parse(format!("v=spf1 {}", record.written(term)).as_bytes())?;
            let base = self.publish(&alone);
            let policy = Policy::compile(&remaining.mended(&base)?, self.domain)?;
            if policy.intended().always(SpfResult::PermError).complement().is_empty() {
                return Ok(Some(own(at, "repair")));
            }
        }
        Ok(None)
    }

    /// An include or redirect that finds no record (RFC 7208 sections 5.2 and 6.1), in the record or in one that it refers to.
    ///
    /// Records that are wrong in another way are for their owners to put right: nobody can tell what they mean.
    fn next_dead(&self, remaining: &Remaining) -> Result<Option<Removal>, Error> {
        let base = self.publish(&remaining.record);
        let evidence = remaining.mended(&base)?;
        let tree = tree::read(&evidence, self.domain, self.sender(), &remaining.record);
        let mut dead = None;
        for source in &tree.records {
            let Resolved::Records(rrset) = resolve(&evidence, &source.domain, RecordType::Txt) else {
                continue;
            };
            let Selection::Record(record) = &*select(rrset) else { continue };
            for (at, term) in record.terms().iter().enumerate() {
                let target = match &term.kind {
                    TermKind::Directive(directive) => match &directive.mechanism {
                        Mechanism::All => break,
                        Mechanism::Include(target) => target,
                        _ => continue,
                    },
                    TermKind::Modifier(Modifier::Redirect(target)) if !record.has_all() => target,
                    TermKind::Modifier(_) => continue,
                };
                let known =
                    PartialContext { sender_domain: self.sender(), ..PartialContext::new(&source.domain) };
                let Ok(Partial::Known(target)) = target.expand_known(&known) else { continue };
                if finds_a_record(&evidence, &target)? == Some(false) {
                    let (domain, record) = (source.domain.clone(), record.clone());
                    dead.get_or_insert(Removal { domain, record, at, why: "repair" });
                }
            }
        }
        Ok(dead)
    }

    /// Whether a term asks about a name.
    fn refers_to(&self, term: &Term, name: &DomainName) -> bool {
        let known = PartialContext { sender_domain: self.sender(), ..PartialContext::new(self.domain) };
        let is_it = |spec: &DomainSpec| matches!(spec.expand_known(&known), Ok(Partial::Known(target)) if target == *name);
        match &term.kind {
            TermKind::Directive(directive) => match directive.mechanism.domain() {
                Some(spec) => is_it(spec),
                None => directive.mechanism.costs_lookup() && self.domain == name,
            },
            TermKind::Modifier(Modifier::Redirect(spec)) => is_it(spec),
            TermKind::Modifier(_) => false,
        }
    }
}

/// Whether there is a record at a name; none where that is not known.
///
/// # Errors
///
/// What is wrong with it, where there are several or one that cannot be read.
fn finds_a_record(evidence: &dyn Evidence, name: &DomainName) -> Result<Option<bool>, Error> {
    let rrset = match resolve(evidence, name, RecordType::Txt) {
        Resolved::Records(rrset) => rrset,
        Resolved::Absent { .. } => return Ok(Some(false)),
        Resolved::Failed | Resolved::Unknown => return Ok(None),
    };
    let help = "its owner has to say what is meant; drop the term of your record that refers to it, or do not repair";
    match &*select(rrset) {
        Selection::None => Ok(Some(false)),
        Selection::Record(_) => Ok(Some(true)),
        Selection::Several => {
            let message = format!("{name} has more than one SPF record, and which one is meant is not known");
            Err(Problem::new("spf.several-records", message).help(help).into())
        }
        Selection::Invalid(invalid) => {
            // The place is one in their text, not in the one that the caller has.
            let of = |problem: &Problem| {
                let place = problem.column.map(|column| format!(", column {column}")).unwrap_or_default();
                let message = format!("in the record of {name}{place}: {}", problem.message);
                Problem { message, span: None, line: None, column: None, ..problem.clone() }.help(help)
            };
            Err(Invalid { problems: invalid.problems.iter().map(of).collect() }.into())
        }
    }
}
