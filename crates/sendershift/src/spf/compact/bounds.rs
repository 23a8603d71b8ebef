//! What no draft below a node of the search can be better than.

use std::collections::BTreeMap;

use super::classes::{Classes, Row};
use super::draft::Opened;
use super::fronts::Fronts;
use super::islands::{Islands, Text, count, places};
use super::pack::{Room, wire};
use super::search::{Objective, Unit, What};
use super::tree::{End, Piece, Source, Tree};
use crate::spf::profile::Counting;
use crate::spf::{Profile, SpfResult};

/// Bounds that hold for every draft.
pub(super) struct Bounds {
    /// The units in the order in which they are decided: each behind the one whose record alone refers to it.
    pub(super) order: Vec<Item>,
    /// For each place in the order and number of records still to be frozen, what the rest takes.
    fronts: Fronts,
    islands: Islands,
    /// Octets of the record as it is, and the least that is left of what opening no unit takes away.
    written: i64,
    least: i64,
    /// Whether what is published is what is meant, so that changes can be counted in advance.
    counts_changes: bool,
    /// Octets that live terms of the record can be shorter by in an extra record.
    gain: usize,
    /// Some classes that nothing decides.
    undecided: Vec<usize>,
    /// Whether opening a record may save more than the lookup that refers to it: a term stands in more than one place, or one
    /// that decides nothing is left out.
    saves_more: bool,
    /// How many different terms such a class pays for: each that is not opened it goes on to pay for, once at the least.
    different: usize,
    /// For each term the unit that opens it.
    unit_of: BTreeMap<usize, usize>,
}

/// A unit in the order of decisions.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub(super) unit: usize,
    /// How many items stand below it, itself included: they go where it stays live.
    pub(super) size: usize,
    pub(super) is_volatile: bool,
    /// Whether it has to be opened wherever it is reached, and is where the search gets to it.
    pub(super) is_forced: bool,
    /// What opening it does at the least, whatever else is opened.
    pub(super) text: Text,
    /// The part of this that islands account for which it shares.
    pub(super) shared: Text,
}

/// How far the search is.
pub(super) struct Place<'a> {
    pub(super) opened: &'a Opened,
    pub(super) decided: &'a [Option<bool>],
    /// The next item.
    pub(super) item: usize,
    /// Records of others that are still to be opened, exactly.
    pub(super) left: usize,
    /// What the opened units take at the least, their shared islands taken off.
    pub(super) text: Text,
}

impl Bounds {
    pub(super) fn new(
        tree: &Tree,
        classes: &Classes,
        units: &[Unit],
        is_published: bool,
        record: &[String],
    ) -> Self {
        let written = "v=spf1".len() + record.iter().map(|text| 1 + text.len()).sum::<usize>();
        let islands = Islands::new(tree, classes, units);
        let order = order(tree, units, &islands);
        // The record's own networks may be merged. Terms that are repeated went before, as idle ones.
        let root = || tree.records.first().into_iter().flat_map(|root| &root.pieces);
        let own: usize = root()
            .map(|piece| match piece {
                Piece::Nets(nets) => {
                    tree.nets.get(*nets).map_or(0, |nets| nets.iter().map(|(_, text)| 1 + text.len()).sum())
                }
                Piece::Term { .. } => 0,
            })
            .sum();
        let is_undecided = |row: &Row| {
            row.nets.iter().all(Option::is_none)
                && (0..tree.terms.len()).all(|term| classes.cell(row, term).may_miss)
        };
        // A record that ends in a pass is passed by what it excludes alone, which does not come to its end; and where it is
        // opened, its end decides.
        let passes_all = tree.records.iter().skip(1).any(|source| source.end == End::Result(SpfResult::Pass));
        let all_the_way = if passes_all { 0 } else { classes.rows.len() };
        let undecided: Vec<usize> =
            (0..all_the_way).filter(|row| classes.rows.get(*row).is_some_and(is_undecided)).take(4).collect();
        let used = tree.used();
        let pays = |row: &usize| {
            let row = classes.rows.get(*row);
            used.iter()
                .filter(|term| row.is_some_and(|row| classes.cell(row, **term).least.lookups > 0))
                .count()
        };
        let shorter = |piece: &Piece| match piece {
            Piece::Term { term, written, .. } => {
                let moved = tree.terms.get(*term).and_then(|term| term.moved.as_ref());
                moved.map_or(0, |moved| written.len().saturating_sub(moved.len()))
            }
            Piece::Nets(_) => 0,
        };
        let opens = |(at, unit): (usize, &Unit)| {
            (0..tree.terms.len())
                .filter(|term| unit.is_named(tree, *term))
                .map(|term| (term, at))
                .collect::<Vec<_>>()
        };
        Self {
            gain: root().map(shorter).sum(),
            different: undecided.iter().map(pays).max().unwrap_or(0),
            saves_more: tree.is_lean_below || places(tree).values().any(|(places, _)| *places > 1),
            fronts: Fronts::new(&order),
            written: count(written),
            least: count(written.saturating_sub(own)) + islands.alone(0).octets,
            counts_changes: is_published,
            undecided,
            unit_of: units.iter().enumerate().flat_map(opens).collect(),
            order,
            islands,
        }
    }

    /// Whether some class comes to the end of every draft, and so pays for all extra records.
    pub(super) fn goes_all_the_way(&self) -> bool {
        !self.undecided.is_empty()
    }

    /// The fewest lookups that are left, as a receiver counts; none where they have no bound.
    pub(super) fn lookups(
        &self,
        tree: &Tree,
        classes: &Classes,
        units: &[Unit],
        at: &Place<'_>,
        limits: &Profile,
    ) -> Option<u32> {
        let mut seen = vec![false; tree.terms.len()];
        // What stays, and what may be opened yet.
        let mut sums = vec![(0u32, 0u32); self.undecided.len()];
        let open = |record: usize| at.opened.records.get(record) == Some(&true);
        for (_, source) in tree.records.iter().enumerate().filter(|(number, _)| open(*number)) {
            for term in source.terms() {
                let child = tree.terms.get(term).and_then(|term| term.child);
                let is_open = child.is_some_and(open) || at.opened.hosts.get(term) == Some(&true);
                let Some(seen) = seen.get_mut(term).filter(|seen| !is_open && !**seen) else { continue };
                *seen = true;
                let unit = self.unit_of.get(&term).and_then(|unit| at.decided.get(*unit));
                let may_be_opened = unit == Some(&None);
                for ((stays, open), row) in sums.iter_mut().zip(&self.undecided) {
                    let Some(row) = classes.rows.get(*row) else { continue };
                    let least = classes.cell(row, term).least;
                    if least.unbounded > 0 && !may_be_opened {
                        return None;
                    }
                    let cost = match limits.counting {
                        Counting::Evaluated => least.lookups,
                        Counting::Written => least.written,
                    };
                    *(if may_be_opened { open } else { stays }) += cost;
                }
            }
        }
        // Opening a unit saves the lookup that refers to it, and mostly no other.
        let opened = at.decided.iter().filter(|decided| **decided == Some(true)).count();
        let free = units
            .iter()
            .zip(at.decided)
            .filter(|(unit, decided)| !unit.is_volatile && decided.is_none())
            .count();
        let saved =
            if self.saves_more { u32::MAX } else { u32::try_from(at.left + free).unwrap_or(u32::MAX) };
        let once = if self.undecided.is_empty() {
            0
        } else {
            self.different.saturating_sub(opened + at.left + free)
        };
        let sums = sums.into_iter().map(|(stays, open)| stays + open.saturating_sub(saved));
        sums.chain(u32::try_from(once)).max()
    }

    /// A bound on the objective of every draft below; none where no number of extra records up to `most` can hold it.
    pub(super) fn objective(
        &self,
        at: &Place<'_>,
        frozen: usize,
        room: &Room,
        most: usize,
    ) -> Option<Objective> {
        let taken = at.text.plus(self.islands.taken(&at.opened.records));
        let held = room.held_by_extra();
        let size = |number: i64| usize::try_from(number).unwrap_or(0);
        let bound = |rest: &Text| {
            let text = taken.plus(*rest);
            let length = size(self.least + text.octets);
            let extra = (0..=most).find(|extra| {
                let apex = (length + extra * room.reference).saturating_sub(extra * held + self.gain);
                room.apex_taken + wire(apex) <= room.apex
            })?;
            if !self.counts_changes {
                return Some(Objective { frozen, extra_records: extra, changed_terms: 0, octets: 0 });
            }
            let beside = extra * (room.reference + "v=spf1".len());
            Some(Objective {
                frozen,
                extra_records: extra,
                changed_terms: size(text.terms) + extra,
                octets: size(self.written + text.octets) + beside,
            })
        };
        self.fronts.at(at.item, at.left).iter().filter_map(bound).min()
    }
}

/// The units in an order in which each that one record alone refers to, and that in one place, follows that record;
/// those that stand in several places come last, after all that refer to them.
fn order(tree: &Tree, units: &[Unit], islands: &Islands) -> Vec<Item> {
    let places = places(tree);
    let named = |unit: &Unit| -> Vec<usize> {
        places.keys().copied().filter(|term| unit.is_named(tree, *term)).collect()
    };
    // The record that alone refers to a unit.
    let parent = |unit: &Unit| match named(unit).as_slice() {
        [term] => places.get(term).filter(|(places, _)| *places == 1).map(|(_, record)| *record),
        _ => None,
    };
    let parents: Vec<Option<usize>> = units.iter().map(parent).collect();
    let texts: Vec<(Text, Text)> = units
        .iter()
        .map(|unit| {
            let saved = saved(tree, unit, &named(unit), &places);
            match unit.what {
                What::Host(_) => (saved, Text::default()),
                What::Record(record) => {
                    let shared = islands.least_more(record);
                    let brought = brought(tree, record, &places);
                    (saved.plus(islands.alone(record)).plus(brought).plus(shared), shared)
                }
            }
        })
        .collect();
    let mut order: Vec<Item> = Vec::new();
    let mut is_there = vec![false; units.len()];
    // Those of several places in the order of how far down they are.
    let mut tops: Vec<usize> = (0..units.len()).filter(|unit| parents.get(*unit) == Some(&None)).collect();
    let depths = depths(tree);
    let depth = |unit: usize| match units.get(unit).map(|unit| unit.what) {
        Some(What::Record(record)) => depths.get(record).copied().unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    tops.sort_by_key(|unit| depth(*unit));
    let below = |record: usize| -> Vec<usize> {
        let mut below: Vec<usize> =
            (0..units.len()).filter(|unit| parents.get(*unit) == Some(&Some(record))).collect();
        below.sort_by_key(|unit| texts.get(*unit).map(|(text, _)| *text));
        below
    };
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut starts = below(0);
    starts.extend(tops);
    open.extend(starts.into_iter().rev().map(|unit| (unit, false)));
    let mut at: Vec<usize> = Vec::new();
    while let Some((number, is_done)) = open.pop() {
        if is_done {
            // All below it is in the order now.
            let length = order.len();
            if let Some(item) = at.pop().and_then(|start| Some((start, order.get_mut(start)?))) {
                item.1.size = length - item.0;
            }
            continue;
        }
        let (Some(unit), Some((text, shared)), Some(known @ false)) =
            (units.get(number), texts.get(number), is_there.get_mut(number))
        else {
            continue;
        };
        *known = true;
        at.push(order.len());
        open.push((number, true));
        order.push(Item {
            unit: number,
            size: 1,
            is_volatile: unit.is_volatile,
            is_forced: unit.is_forced && parents.get(number).is_some_and(Option::is_some),
            text: *text,
            shared: *shared,
        });
        if let What::Record(record) = unit.what {
            open.extend(below(record).into_iter().rev().map(|unit| (unit, false)));
        }
    }
    order
}

/// The longest way to each record.
fn depths(tree: &Tree) -> Vec<usize> {
    let mut depths = vec![0; tree.records.len()];
    // A record stands behind the first that refers to it; a loop ends with the number of records.
    for _ in 0..tree.records.len() {
        let before = depths.clone();
        for (number, source) in tree.records.iter().enumerate() {
            let deeper = before.get(number).map_or(0, |depth| depth + 1);
            for child in source.terms().filter_map(|term| tree.terms.get(term).and_then(|term| term.child)) {
                if let Some(depth) = depths.get_mut(child) {
                    *depth = deeper.max(*depth);
                }
            }
        }
        if before == depths {
            break;
        }
    }
    depths
}

/// The live terms that a record brings with it, of those that stand nowhere else.
fn brought(tree: &Tree, record: usize, places: &BTreeMap<usize, (usize, usize)>) -> Text {
    let terms = tree.records.get(record).into_iter().flat_map(Source::terms);
    terms
        .filter(|term| places.get(term).is_some_and(|(places, _)| *places == 1))
        .map(|term| moved(tree, term))
        .fold(Text::default(), Text::plus)
}

fn moved(tree: &Tree, term: usize) -> Text {
    let moved = tree.terms.get(term).and_then(|term| term.moved.as_ref());
    moved.map_or_else(Text::default, |moved| Text::of_term(moved))
}

/// What goes with the terms that refer to a unit: those of the record itself are published, so they count as changes; those
/// that another record brought come no more.
fn saved(tree: &Tree, unit: &Unit, named: &[usize], places: &BTreeMap<usize, (usize, usize)>) -> Text {
    let (mut terms, mut octets) = (0, 0);
    for piece in tree.records.first().iter().flat_map(|root| &root.pieces) {
        let Piece::Term { term, written, .. } = piece else { continue };
        if unit.is_named(tree, *term) {
            (terms, octets) = (terms + 1, octets + 1 + written.len());
        }
    }
    if let Some(End::Redirect(term)) = tree.records.first().map(|root| root.end)
        && matches!(unit.what, What::Record(_))
        && unit.is_named(tree, term)
    {
        let target = tree.terms.get(term).map_or(0, |term| term.own.1.len());
        (terms, octets) = (terms + 1, octets + " redirect=".len() + target);
    }
    let brought = named
        .iter()
        .filter(|term| places.get(term).is_some_and(|(places, record)| *places == 1 && *record != 0))
        .map(|term| moved(tree, *term))
        .fold(Text::default(), Text::plus);
    Text { terms: count(terms), octets: -count(octets) }.minus(brought)
}
