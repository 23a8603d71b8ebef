//! Terms that cost lookups and can decide nothing but an error, whatever anybody publishes: no candidate has them.

use std::collections::{BTreeMap, BTreeSet};

use super::classes::{Classes, Row, State};
use super::prepare::{Prepared, written};
use super::tree::{Costly, End, Host, Piece, Source, Tree, directive};
use crate::dns::{Evidence, RecordType, Resolved, resolve};
use crate::error::Error;
use crate::name::DomainName;
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

/// Pieces one behind the other that all say the same, up to the end of the record or to the first term that stays.
struct Run {
    says: SpfResult,
    /// That term: whoever comes to it may come to an error some day. None at the end.
    stays: Option<usize>,
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
            End::Result(says) => Some(Run { says, stays: None }),
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
                    let known = run.take().filter(|run| is_alike(run.says, says));
                    let is_said = known.as_ref().is_some_and(|run| match run.stays {
                        Some(other) => self.covers(other, *term),
                        None => true,
                    });
                    if is_said && may_go(term) {
                        idle.insert(at);
                        run = known;
                    } else {
                        run = Some(Run { says, stays: Some(*term) });
                    }
                }
            }
        }
        idle
    }

    /// Whether one term matches whatever another does.
    fn covers(&self, one: usize, other: usize) -> bool {
        let mut asked = Asked::default();
        asked.add(self, one);
        asked.covers(self, other)
    }

    /// Whether a term asks about a name to keep, or leads to one.
    fn is_kept(&self, term: usize, keep: &[DomainName]) -> bool {
        let asks = |term: &Costly| term.target.as_ref().is_some_and(|target| keep.contains(target));
        let Some(term) = self.terms.get(term).filter(|_| !keep.is_empty()) else { return false };
        asks(term)
            || term.child.is_some_and(|child| {
                let below = self.reached(child);
                let terms =
                    below.iter().filter_map(|record| self.records.get(*record)).flat_map(Source::terms);
                terms.filter_map(|term| self.terms.get(term)).any(asks)
            })
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
}

impl Prepared<'_> {
    /// Whether some candidate may have a term that decides nothing though no record has: what stands around it there is
    /// opened, and says today's for good. Where the answer is no, none has.
    pub(super) fn may_become_idle<'t>(
        &self,
        (tree, classes): (&'t Tree, &Classes),
        evidence: &dyn Evidence,
        intended: &Results,
    ) -> Result<bool, Error> {
        let used = tree.used();
        let mut hosts = BTreeSet::new();
        let mut asked = used.iter().filter_map(|term| tree.terms.get(*term)?.host());
        // Who comes past everything tells each term from those behind it that say something else than the end.
        let goes_all_the_way = |row: &Row| {
            row.nets.iter().all(Option::is_none)
                && used.iter().all(|term| matches!(classes.cell(row, *term).state, State::Miss | State::Open))
        };
        if asked.any(|(host, _)| !hosts.insert(host)) || !classes.rows.iter().any(goes_all_the_way) {
            return Ok(true);
        }
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
        let outermost: BTreeSet<usize> = tree.outermost().collect();
        let mut suspects = BTreeSet::new();
        for at in &outermost {
            let same = pieces(*at).filter_map(costly).filter(|(_, of, _)| SpfResult::from(*of) == end);
            for (term, qualifier, written) in same {
                suspects.insert((*at, written, qualifier));
                let child = tree.terms.get(term).and_then(|term| term.child);
                for below in child.map(|child| tree.reached(child)).unwrap_or_default() {
                    let passing =
                        pieces(below).filter_map(costly).filter(|(_, of, _)| *of == Qualifier::Pass);
                    suspects.extend(passing.map(|(_, of, written)| (below, written, of)));
                }
            }
        }
        // What does not pass in an include keeps from what passes behind it.
        let mut negative = BTreeSet::new();
        for at in tree.reached(0).difference(&outermost) {
            for (term, qualifier, written) in pieces(*at).filter_map(costly) {
                if qualifier != Qualifier::Pass {
                    suspects.insert((*at, written, qualifier));
                    negative.insert(term);
                }
            }
        }
        // One that stands elsewhere, too, may come to be asked a second time.
        let places = tree.reached(0).into_iter().flat_map(pieces);
        let is_negative =
            |piece: &&Piece| matches!(piece, Piece::Term { term, .. } if negative.contains(term));
        if places.filter(is_negative).count() > negative.len() {
            return Ok(true);
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
