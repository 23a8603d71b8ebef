//! Terms that cost lookups and can decide nothing, whatever anybody publishes: no candidate has them.

use std::collections::{BTreeMap, BTreeSet};

use super::classes::{Classes, Row};
use super::prepare::{Prepared, written};
use super::tree::{Costly, End, Host, Piece, Tree, directive};
use crate::dns::{Evidence, RecordType, Resolved, resolve};
use crate::error::Error;
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::spf::check::{Selection, select};
use crate::spf::policy::Results;
use crate::spf::{Policy, Qualifier, SpfRecord, SpfResult, Subject};

/// Terms that are looked at one by one: where there are more, nothing is claimed.
const MOST_SUSPECTS: usize = 40;

/// Terms that ask the same and compare prefixes of different lengths: the shortest ones cover the others.
#[derive(Default)]
struct Asked<'t> {
    terms: BTreeSet<usize>,
    hosts: BTreeMap<Host<'t>, Vec<(u8, u8)>>,
}

/// Pieces one behind the other that all say the same.
struct Run<'t> {
    says: SpfResult,
    /// Whether the end of the record says it, too.
    is_to_the_end: bool,
    asked: Asked<'t>,
}

impl Tree {
    /// Takes such terms out of every record, for where it is opened, unless they ask about a name to keep; gives the texts of
    /// those that stood in the record itself, in their order.
    pub(super) fn take_idle(&mut self, classes: &Classes, keep: &[DomainName]) -> Vec<String> {
        let mut own = Vec::new();
        for record in 0..self.records.len() {
            let idle = self.idle(classes, record, keep);
            self.is_lean_below |= record != 0 && !idle.is_empty();
            let Some(source) = self.records.get_mut(record) else { continue };
            let mut at = 0;
            source.pieces.retain(|piece| {
                let is_idle = idle.contains(&at);
                if let (true, 0, Piece::Term { written, .. }) = (is_idle, record, piece) {
                    own.push(written.clone());
                }
                at += 1;
                !is_idle
            });
        }
        own
    }

    /// The places of the pieces of a record that are such terms.
    fn idle(&self, classes: &Classes, record: usize, keep: &[DomainName]) -> BTreeSet<usize> {
        let Some(source) = self.records.get(record) else { return BTreeSet::new() };
        let may_go = |term: &usize| !self.is_kept(*term, keep);
        let mut idle = BTreeSet::new();
        // What it matches has matched before.
        let mut asked = Asked::default();
        let mut left: Vec<&Row> = classes.rows.iter().collect();
        // What networks say to whom comes to them.
        let mut said: Vec<BTreeSet<SpfResult>> = Vec::new();
        for (at, piece) in source.pieces.iter().enumerate() {
            let mut says = BTreeSet::new();
            match piece {
                Piece::Nets(number) => left.retain(|row| match row.nets.get(*number).copied().flatten() {
                    Some(qualifier) => {
                        says.insert(qualifier.into());
                        false
                    }
                    None => true,
                }),
                Piece::Term { term, .. } => {
                    let is_late = left.is_empty() || asked.covers(self, *term);
                    // What is kept stays where it stands first.
                    if is_late && (may_go(term) || asked.terms.contains(term)) {
                        idle.insert(at);
                    }
                    asked.add(self, *term);
                }
            }
            said.push(says);
        }
        // What is behind it says the same.
        let is_exact = self.outermost().any(|outermost| outermost == record);
        // An include matches or not, and nothing else of it counts (RFC 7208 section 5.2).
        let is_alike = |one: SpfResult, other: SpfResult| {
            one == other || !is_exact && one != SpfResult::Pass && other != SpfResult::Pass
        };
        let mut run = match source.end {
            End::Result(says) => Some(Run { says, is_to_the_end: true, asked: Asked::default() }),
            End::Redirect(_) => None,
        };
        for ((at, piece), said) in source.pieces.iter().enumerate().zip(said).rev() {
            match piece {
                Piece::Nets(_) => {
                    for says in said {
                        run = match run {
                            Some(run) if is_alike(run.says, says) => Some(run),
                            _ => None,
                        };
                    }
                }
                Piece::Term { .. } if idle.contains(&at) => {}
                Piece::Term { term, .. } if classes.errs(*term) => run = None,
                Piece::Term { term, qualifier, .. } => {
                    let says = SpfResult::from(*qualifier);
                    let mut known = run.take().filter(|run| is_alike(run.says, says)).unwrap_or(Run {
                        says,
                        is_to_the_end: false,
                        asked: Asked::default(),
                    });
                    if may_go(term) && (known.is_to_the_end || known.asked.covers(self, *term)) {
                        idle.insert(at);
                    } else {
                        known.asked.add(self, *term);
                    }
                    run = Some(known);
                }
            }
        }
        idle
    }

    fn is_kept(&self, term: usize, keep: &[DomainName]) -> bool {
        let target = self.terms.get(term).and_then(|term| term.target.as_ref());
        target.is_some_and(|target| keep.contains(target))
    }

    /// The record itself, and the one that it redirects to, and so on: their results are the results.
    fn outermost(&self) -> impl Iterator<Item = usize> {
        let next = |record: &usize| match self.records.get(*record)?.end {
            End::Redirect(term) => self.terms.get(term)?.child,
            End::Result(_) => None,
        };
        // One that leads back to itself has no child.
        std::iter::successors(Some(0), next).take(self.records.len())
    }

    /// The addresses that networks hold, of whatever record.
    fn addresses(&self) -> AddressSet {
        AddressSet::from_nets(self.nets.iter().flatten().map(|(net, _)| net.net))
    }
}

impl Prepared<'_> {
    /// Whether some candidate may have a term that decides nothing though no record has: what stands around it there is
    /// opened, and says today's for good. Where the answer is no, none has.
    pub(super) fn may_become_idle<'t>(
        &self,
        tree: &'t Tree,
        evidence: &dyn Evidence,
        intended: &Results,
    ) -> Result<bool, Error> {
        let used = tree.used();
        let mut hosts = BTreeSet::new();
        let mut asked = used.iter().filter_map(|term| tree.terms.get(*term)?.host());
        if asked.any(|(host, _)| !hosts.insert(host)) || tree.addresses().complement().is_empty() {
            return Ok(true);
        }
        // A term that says what the end says: is it told apart from the end today?
        let Some(End::Result(end)) =
            tree.outermost().last().and_then(|last| tree.records.get(last)).map(|last| last.end)
        else {
            return Ok(false);
        };
        let pieces = |record: usize| tree.records.get(record).into_iter().flat_map(|source| &source.pieces);
        let costly = |piece: &'t Piece| match piece {
            Piece::Term { term, qualifier, written } if !tree.is_kept(*term, &self.request.keep) => {
                Some((*term, *qualifier, written))
            }
            _ => None,
        };
        let mut suspects = BTreeSet::new();
        for outermost in tree.outermost() {
            let same = pieces(outermost).filter_map(costly).filter(|(_, of, _)| SpfResult::from(*of) == end);
            for (term, qualifier, written) in same {
                suspects.insert((outermost, written, qualifier));
                let child = tree.terms.get(term).and_then(|term| term.child);
                for below in child.map(|child| tree.reached(child)).unwrap_or_default() {
                    let passing =
                        pieces(below).filter_map(costly).filter(|(_, of, _)| *of == Qualifier::Pass);
                    suspects.extend(passing.map(|(_, of, written)| (below, written, of)));
                }
            }
        }
        if suspects.len() > MOST_SUSPECTS {
            return Ok(true);
        }
        for (at, term, qualifier) in suspects {
            let Some(domain) = tree.records.get(at).map(|source| source.domain.clone()) else { continue };
            let Resolved::Records(rrset) = resolve(evidence, &domain, RecordType::Txt) else { continue };
            let Selection::Record(record) = &*select(rrset) else { continue };
            // All that comes to it comes to the same result behind it.
            let before =
                record.terms().iter().map(|term| record.written(term)).take_while(|word| word != term);
            let directive = directive(qualifier, "all");
            let words: Vec<&str> = before.chain([directive.as_str()]).collect();
            let record = Some(SpfRecord::parse(written(&words).as_bytes())?);
            let lean = Subject { domain, record };
            if Policy::compile(&lean.publish_on(evidence), self.domain)?.intended() == *intended {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<'t> Asked<'t> {
    /// Whether one of them matches whatever a term does.
    fn covers(&self, tree: &'t Tree, term: usize) -> bool {
        let Some(costly) = tree.terms.get(term) else { return false };
        self.terms.contains(&term)
            || costly.host().is_some_and(|(host, (v4, v6))| {
                let known = self.hosts.get(&host).map(Vec::as_slice).unwrap_or_default();
                known.iter().any(|known| known.0 <= v4 && known.1 <= v6)
            })
    }

    fn add(&mut self, tree: &'t Tree, term: usize) {
        self.terms.insert(term);
        if let Some((host, lengths)) = tree.terms.get(term).and_then(Costly::host) {
            self.hosts.entry(host).or_default().push(lengths);
        }
    }
}
