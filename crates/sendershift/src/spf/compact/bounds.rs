//! What no draft below a node of the search can be better than.

use std::collections::BTreeSet;

use super::classes::{Classes, Row, State};
use super::cover::{Want, cover};
use super::draft::Opened;
use super::pack::{Room, wire};
use super::search::{Objective, Unit, What};
use super::tree::{End, Piece, Source, Tree};
use crate::net::{IpRange, Partition};
use crate::spf::profile::Counting;
use crate::spf::{Profile, Qualifier, SpfResult};

/// Bounds that hold for every draft.
pub(super) struct Bounds {
    /// For each unit.
    units: Vec<Cost>,
    /// Octets of the record as it is, and the least that is left of what opening no unit takes away.
    written: usize,
    least: usize,
    /// Whether what is published is what is meant, so that changes can be counted in advance.
    counts_changes: bool,
    /// Octets that live terms of the record can be shorter by in an extra record.
    gain: usize,
    /// Some classes that nothing decides.
    undecided: Vec<usize>,
    /// Whether a term stands in more than one place.
    repeats: bool,
    /// How many different terms such a class pays for: each that is not opened it goes on to pay for, once at the least.
    different: usize,
}

/// What opening a unit does at the least, whatever else is opened.
#[derive(Clone, Copy, Default)]
struct Cost {
    is_volatile: bool,
    /// Terms that come and go.
    terms: usize,
    /// Octets of text that come, less those that go.
    octets: i64,
}

/// How far the search is.
pub(super) struct Place<'a> {
    pub(super) opened: &'a Opened,
    pub(super) decided: &'a [Option<bool>],
    /// Records of others that are still to be opened, exactly.
    pub(super) left: usize,
}

impl Bounds {
    pub(super) fn new(
        tree: &Tree,
        classes: &Classes,
        units: &[Unit],
        is_published: bool,
        record: &[String],
    ) -> Self {
        let length = |texts: &[String]| texts.iter().map(|text| 1 + text.len()).sum::<usize>();
        let written = "v=spf1".len() + length(record);
        let islands = Islands::new(tree, classes, units);
        let mut costs: Vec<Cost> = units
            .iter()
            .map(|unit| {
                let (gone, gone_octets) = written_at_root(tree, unit);
                let (terms, octets) = match unit.what {
                    What::Record(record) => islands.cost(Some(record)),
                    What::Host(_) => (0, 0),
                };
                let octets =
                    i64::try_from(octets).unwrap_or(0) - i64::try_from(gone_octets).unwrap_or(i64::MAX);
                Cost { is_volatile: unit.is_volatile, terms: terms + gone, octets }
            })
            .collect();
        if !islands.is_plain {
            for (cost, unit) in costs.iter_mut().zip(units) {
                let (_, gone) = written_at_root(tree, unit);
                *cost = Cost {
                    is_volatile: unit.is_volatile,
                    terms: 0,
                    octets: -i64::try_from(gone).unwrap_or(i64::MAX),
                };
            }
        }
        // The record's own networks may be merged, and repeated terms go.
        let own: usize = tree
            .records
            .first()
            .iter()
            .flat_map(|root| &root.pieces)
            .map(|piece| match piece {
                Piece::Nets(nets) => {
                    tree.nets.get(*nets).map_or(0, |nets| nets.iter().map(|(_, text)| 1 + text.len()).sum())
                }
                Piece::Term { .. } => 0,
            })
            .sum();
        let mut seen = BTreeSet::new();
        let repeated: usize = tree
            .records
            .first()
            .iter()
            .flat_map(|root| &root.pieces)
            .map(|piece| match piece {
                Piece::Term { term, written, .. } if !seen.insert(*term) => 1 + written.len(),
                _ => 0,
            })
            .sum();
        let kept = if islands.is_plain { islands.cost(None).1 } else { 0 };
        let is_undecided = |row: &Row| {
            row.nets.iter().all(Option::is_none)
                && (0..tree.terms.len())
                    .all(|term| matches!(classes.cell(row, term).state, State::Miss | State::Open))
        };
        let mut places = tree.records.iter().flat_map(Source::terms).collect::<Vec<usize>>();
        let all = places.len();
        places.sort_unstable();
        places.dedup();
        // Where questions are shared it may be that no class goes all the way.
        let all_the_way = if classes.are_entangled { 0 } else { classes.rows.len() };
        let undecided: Vec<usize> =
            (0..all_the_way).filter(|row| classes.rows.get(*row).is_some_and(is_undecided)).take(4).collect();
        let pays = |row: &usize| {
            let row = classes.rows.get(*row);
            (0..tree.terms.len())
                .filter(|term| row.is_some_and(|row| classes.cell(row, *term).least.lookups > 0))
                .count()
        };
        let shorter = |piece: &Piece| match piece {
            Piece::Term { term, written, .. } => {
                let moved = tree.terms.get(*term).and_then(|term| term.moved.as_ref());
                moved.map_or(0, |moved| written.len().saturating_sub(moved.len()))
            }
            Piece::Nets(_) => 0,
        };
        Self {
            gain: tree.records.first().iter().flat_map(|root| &root.pieces).map(shorter).sum(),
            different: undecided.iter().map(pays).max().unwrap_or(0),
            repeats: places.len() < all,
            units: costs,
            written,
            least: written.saturating_sub(own + repeated) + kept,
            counts_changes: islands.is_plain && is_published,
            undecided,
        }
    }

    /// The order in which units are best decided: those that cost least first.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.units.len()).collect();
        order.sort_by_key(|unit| self.units.get(*unit).map(|cost| (cost.terms, cost.octets, *unit)));
        order
    }

    /// The fewest lookups that are left, as a receiver counts.
    pub(super) fn lookups(
        &self,
        tree: &Tree,
        classes: &Classes,
        units: &[Unit],
        at: &Place<'_>,
        limits: &Profile,
    ) -> u32 {
        let mut seen = BTreeSet::new();
        // What stays, and what may be opened yet.
        let mut sums = vec![(0u32, 0u32); self.undecided.len()];
        for (number, source) in tree.records.iter().enumerate() {
            if at.opened.records.get(number) != Some(&true) {
                continue;
            }
            for term in source.terms() {
                let child = tree.terms.get(term).and_then(|term| term.child);
                let is_open = child.is_some_and(|child| at.opened.records.get(child) == Some(&true));
                if is_open || at.opened.hosts.get(term) == Some(&true) || !seen.insert(term) {
                    continue;
                }
                let may_be_opened = units.iter().zip(at.decided).any(|(unit, decided)| {
                    decided.is_none()
                        && match unit.what {
                            What::Record(record) => child == Some(record),
                            What::Host(host) => host == term,
                        }
                });
                for ((stays, open), row) in sums.iter_mut().zip(&self.undecided) {
                    let Some(row) = classes.rows.get(*row) else { continue };
                    let least = classes.cell(row, term).least;
                    let cost = match limits.counting {
                        Counting::Evaluated => least.lookups,
                        Counting::Written => least.written,
                    };
                    *(if may_be_opened { open } else { stays }) += cost;
                }
            }
        }
        // Opening a unit saves the lookup that refers to it and no other, unless what comes out repeats something.
        let opened = at.decided.iter().filter(|decided| **decided == Some(true)).count();
        let free = units
            .iter()
            .zip(at.decided)
            .filter(|(unit, decided)| !unit.is_volatile && decided.is_none())
            .count();
        let saved = if self.repeats { u32::MAX } else { u32::try_from(at.left + free).unwrap_or(u32::MAX) };
        let once = if self.undecided.is_empty() {
            0
        } else {
            self.different.saturating_sub(opened + at.left + free)
        };
        let sums = sums.into_iter().map(|(stays, open)| stays + open.saturating_sub(saved));
        sums.chain(u32::try_from(once)).max().unwrap_or(0)
    }

    /// A bound on the objective of every draft below; none where no number of extra records up to `most` can hold it.
    pub(super) fn objective(
        &self,
        at: &Place<'_>,
        frozen: usize,
        room: &Room,
        most: usize,
    ) -> Option<Objective> {
        let chosen = |at: &(&Cost, &Option<bool>)| *at.1 == Some(true);
        let open = |at: &(&Cost, &Option<bool>)| at.1.is_none();
        let pairs = || self.units.iter().zip(at.decided);
        let mut terms: usize = pairs().filter(chosen).map(|(cost, _)| cost.terms).sum();
        let mut octets: i64 = pairs().filter(chosen).map(|(cost, _)| cost.octets).sum();
        let mut least: Vec<usize> =
            pairs().filter(open).filter(|(cost, _)| cost.is_volatile).map(|(cost, _)| cost.terms).collect();
        least.sort_unstable();
        terms += least.iter().take(at.left).sum::<usize>();
        let mut least: Vec<i64> =
            pairs().filter(open).filter(|(cost, _)| cost.is_volatile).map(|(cost, _)| cost.octets).collect();
        least.sort_unstable();
        octets += least.iter().take(at.left).sum::<i64>();
        // What may be opened besides can only help the size where it saves text.
        let besides: i64 = pairs()
            .filter(open)
            .filter(|(cost, _)| !cost.is_volatile)
            .map(|(cost, _)| cost.octets.min(0))
            .sum();
        let text =
            usize::try_from(i64::try_from(self.least).unwrap_or(i64::MAX) + octets + besides).unwrap_or(0);
        let extra = (0..=most).find(|extra| {
            let held = extra * room.extra.saturating_sub(room.extra_taken) + self.gain;
            room.apex_taken + wire((text + extra * room.reference).saturating_sub(held)) <= room.apex
        })?;
        if !self.counts_changes {
            return Some(Objective { frozen, extra_records: extra, changed_terms: 0, octets: 0 });
        }
        let octets = usize::try_from(i64::try_from(self.written).unwrap_or(i64::MAX) + octets).unwrap_or(0);
        Some(Objective { frozen, extra_records: extra, changed_terms: terms + extra, octets })
    }
}

/// Networks that touch no others: what writing them out takes does not depend on what else is written out.
struct Islands {
    /// For each class the record that alone has it, or `usize::MAX`.
    of: Partition<usize>,
    /// Whether everything passes in one way only, so that what is opened has to be written.
    is_plain: bool,
}

const NOBODY: usize = usize::MAX;

impl Islands {
    fn new(tree: &Tree, classes: &Classes, units: &[Unit]) -> Self {
        let mut owner = vec![NOBODY; tree.nets.len()];
        for (number, source) in tree.records.iter().enumerate() {
            for piece in &source.pieces {
                if let Piece::Nets(nets) = piece
                    && let Some(owner) = owner.get_mut(*nets)
                {
                    *owner = number;
                }
            }
        }
        let below: Vec<BTreeSet<usize>> = (0..tree.terms.len()).map(|term| below(tree, term)).collect();
        let hosts: BTreeSet<usize> = units
            .iter()
            .filter_map(|unit| match unit.what {
                What::Host(term) => Some(term),
                What::Record(_) => None,
            })
            .collect();
        // The record that alone has a class; whether anything has it at all.
        let holder: Vec<(usize, bool)> = classes
            .rows
            .iter()
            .map(|row| {
                let mut holders = row.nets.iter().zip(&owner).filter(|(qualifier, _)| qualifier.is_some());
                let is_held = holders.clone().next().is_some()
                    || hosts.iter().any(|host| classes.cell(row, *host).state == State::Hit);
                let (Some((Some(Qualifier::Pass), holder)), None) = (holders.next(), holders.next()) else {
                    return (NOBODY, is_held);
                };
                let is_alone = (0..tree.terms.len()).all(|term| {
                    classes.cell(row, term).state == State::Miss
                        || below.get(term).is_some_and(|below| below.contains(holder))
                });
                (if is_alone { *holder } else { NOBODY }, is_held)
            })
            .collect();
        let runs: Vec<(IpRange, (usize, bool))> = classes
            .of
            .runs()
            .map(|(range, row)| (range, holder.get(*row).copied().unwrap_or((NOBODY, true))))
            .collect();
        let mut islands = Vec::new();
        for touching in
            runs.chunk_by(|left, right| left.1.1 && right.1.1 && left.0.family() == right.0.family())
        {
            let Some((_, (first, true))) = touching.first() else { continue };
            if *first != NOBODY && touching.iter().all(|(_, (holder, _))| holder == first) {
                islands.extend(touching.iter().map(|(range, _)| (*range, *first)));
            }
        }
        let passes = |source: &Source| {
            source.end != End::Result(SpfResult::Pass)
                && source.pieces.iter().all(|piece| match piece {
                    Piece::Term { qualifier, .. } => *qualifier == Qualifier::Pass,
                    Piece::Nets(_) => true,
                })
        };
        let is_plain = tree.records.iter().all(passes);
        Self { of: Partition::from_ranges(NOBODY, NOBODY, islands), is_plain }
    }

    /// The terms and octets of what a record alone has; with none, of what the record itself alone has.
    fn cost(&self, record: Option<usize>) -> (usize, usize) {
        let record = record.unwrap_or(0);
        let wanted =
            self.of.map(|owner| if *owner == record { Want::Need(Qualifier::Pass) } else { Want::Nothing });
        let nets = cover(&wanted);
        (nets.len(), nets.iter().map(|net| 1 + net.text().len()).sum())
    }
}

/// The terms of the record itself that refer to a unit, and their octets.
fn written_at_root(tree: &Tree, unit: &Unit) -> (usize, usize) {
    let mut found = (0, 0);
    for piece in tree.records.first().iter().flat_map(|root| &root.pieces) {
        let Piece::Term { term, written, .. } = piece else { continue };
        let is_it = match unit.what {
            What::Host(host) => host == *term,
            What::Record(record) => tree.terms.get(*term).and_then(|term| term.child) == Some(record),
        };
        if is_it {
            found = (found.0 + 1, found.1 + 1 + written.len());
        }
    }
    if let (Some(End::Redirect(term)), What::Record(record)) =
        (tree.records.first().map(|root| root.end), unit.what)
        && let Some(term) = tree.terms.get(term)
        && term.child == Some(record)
    {
        found = (found.0 + 1, found.1 + " redirect=".len() + term.own.1.len());
    }
    found
}

/// The records below a term.
fn below(tree: &Tree, term: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open: Vec<usize> = tree.terms.get(term).and_then(|term| term.child).into_iter().collect();
    while let Some(record) = open.pop() {
        if !found.insert(record) {
            continue;
        }
        let Some(source) = tree.records.get(record) else { continue };
        open.extend(source.terms().filter_map(|term| tree.terms.get(term).and_then(|term| term.child)));
    }
    found
}
