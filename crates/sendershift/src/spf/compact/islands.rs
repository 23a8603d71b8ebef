//! Networks that touch no others: what writing them out takes does not depend on what else is written out.

use std::collections::{BTreeMap, BTreeSet};

use super::classes::{Classes, Row, State};
use super::cover::{Want, cover};
use super::search::{Unit, What};
use super::tree::{End, Piece, Source, Tree};
use crate::net::{IpRange, Partition};
use crate::spf::{Qualifier, SpfResult};

/// Terms and octets of text, those that go taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text {
    pub(super) terms: i64,
    pub(super) octets: i64,
}

impl Text {
    pub(super) fn plus(self, other: Self) -> Self {
        Self { terms: self.terms + other.terms, octets: self.octets + other.octets }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self { terms: self.terms - other.terms, octets: self.octets - other.octets }
    }

    /// Of both the lesser, each by itself.
    pub(super) fn least(self, other: Self) -> Self {
        Self { terms: self.terms.min(other.terms), octets: self.octets.min(other.octets) }
    }

    /// A term, and the space before it.
    pub(super) fn of_term(text: &str) -> Self {
        Self { terms: 1, octets: count(1 + text.len()) }
    }
}

pub(super) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / 4)
}

/// The islands of a tree: runs of addresses that networks name, with no such address beside them. A prefix holds
/// addresses of one island only, so that the fewest terms are the sum of the fewest for each.
pub(super) struct Islands {
    /// For each record, what the islands take that it has alone.
    alone: Vec<Text>,
    shared: Vec<Shared>,
}

/// An island of several records.
pub(super) struct Shared {
    records: Vec<usize>,
    /// What it takes where some of the records are opened: the index has a bit for each.
    takes: Vec<Text>,
}

/// More records on one island are not told apart.
const MOST_SHARING: usize = 6;
/// Runs of addresses times sets of records that are looked at for one island.
const MOST_COVERED: usize = 4096;

/// What is to be known of a run of addresses to tell what writing it out takes.
struct Holders {
    /// Whether any network holds it.
    is_held: bool,
    /// The records that have it, if all of them pass it and nothing else interferes.
    records: Option<Vec<usize>>,
    /// The pieces that have it, and the terms that may end in an error there.
    signature: (Vec<usize>, Vec<usize>),
}

impl Islands {
    pub(super) fn new(tree: &Tree, classes: &Classes, units: &[Unit]) -> Self {
        let passes = |source: &Source| {
            source.pieces.iter().all(|piece| match piece {
                Piece::Term { qualifier, .. } => *qualifier == Qualifier::Pass,
                Piece::Nets(_) => true,
            })
        };
        let all_pass = tree.records.iter().all(passes);
        let held = held(tree, classes, units);
        let runs: Vec<(IpRange, &Holders)> =
            classes.of.runs().filter_map(|(range, row)| Some((range, held.get(*row)?))).collect();
        let mut islands = Self { alone: vec![Text::default(); tree.records.len()], shared: Vec::new() };
        let mut alone: Vec<Vec<IpRange>> = vec![Vec::new(); tree.records.len()];
        for island in runs
            .chunk_by(|left, right| left.1.is_held && right.1.is_held && left.0.family() == right.0.family())
        {
            let Some((_, Holders { is_held: true, signature, .. })) = island.first() else { continue };
            let Some(records) = island
                .iter()
                .map(|(_, held)| held.records.as_ref())
                .collect::<Option<Vec<_>>>()
                .map(|records| records.into_iter().flatten().copied().collect::<BTreeSet<usize>>())
            else {
                continue;
            };
            let records: Vec<usize> = records.into_iter().collect();
            // Then all of it is written in one place.
            let is_calm = all_pass && island.iter().all(|(_, held)| held.signature.1.is_empty());
            let is_one =
                signature.0.len() == 1 && island.iter().all(|(_, held)| held.signature == *signature);
            match records.as_slice() {
                [record] if is_calm || is_one => {
                    if let Some(ranges) = alone.get_mut(*record) {
                        ranges.extend(island.iter().map(|(range, _)| *range));
                    }
                }
                // The record's own networks stand as they were written, or not.
                [0, ..] => {}
                [_, _, ..] if is_calm => islands.shared.extend(Shared::new(records, island)),
                _ => {}
            }
        }
        islands.alone = alone.into_iter().map(|ranges| takes(ranges.into_iter())).collect();
        islands
    }

    /// What a record takes at the least that nothing else shares.
    pub(super) fn alone(&self, record: usize) -> Text {
        self.alone.get(record).copied().unwrap_or_default()
    }

    /// What opening one more record takes of the islands that it shares, at the least.
    pub(super) fn least_more(&self, record: usize) -> Text {
        self.shared.iter().map(|shared| shared.least_more(record)).fold(Text::default(), Text::plus)
    }

    /// What the shared islands take where just some of the records are opened.
    pub(super) fn taken(&self, opened: &[bool]) -> Text {
        self.shared.iter().map(|shared| shared.at(shared.opened(opened))).fold(Text::default(), Text::plus)
    }
}

impl Shared {
    fn new(records: Vec<usize>, island: &[(IpRange, &Holders)]) -> Option<Self> {
        if records.len() > MOST_SHARING || island.len() << records.len() > MOST_COVERED {
            return None;
        }
        let is_in = |set: usize, record: &usize| {
            records.iter().position(|known| known == record).is_some_and(|bit| set >> bit & 1 == 1)
        };
        let taken = |set: usize| {
            let opened = |held: &Holders| held.records.iter().flatten().any(|record| is_in(set, record));
            takes(island.iter().filter(|(_, held)| opened(held)).map(|(range, _)| *range))
        };
        let all = (0..1 << records.len()).map(taken).collect();
        Some(Self { records, takes: all })
    }

    fn at(&self, set: usize) -> Text {
        self.takes.get(set).copied().unwrap_or_default()
    }

    fn opened(&self, opened: &[bool]) -> usize {
        let is_open = |record: &usize| opened.get(*record) == Some(&true);
        self.records
            .iter()
            .enumerate()
            .fold(0, |set, (bit, record)| set | (usize::from(is_open(record)) << bit))
    }

    fn least_more(&self, record: usize) -> Text {
        let Some(bit) = self.records.iter().position(|known| *known == record) else {
            return Text::default();
        };
        (0..self.takes.len())
            .filter(|set| set >> bit & 1 == 0)
            .map(|set| self.at(set | (1 << bit)).minus(self.at(set)))
            .reduce(Text::least)
            .unwrap_or_default()
    }
}

/// The fewest terms that pass some ranges and nothing else.
fn takes(ranges: impl Iterator<Item = IpRange>) -> Text {
    let wanted = ranges.map(|range| (range, Want::Need(Qualifier::Pass)));
    let nets = cover(&Partition::from_ranges(Want::Nothing, Want::Nothing, wanted));
    nets.iter().map(|net| Text::of_term(&net.text())).fold(Text::default(), Text::plus)
}

/// For each class who has it.
fn held(tree: &Tree, classes: &Classes, units: &[Unit]) -> Vec<Holders> {
    let mut owner = vec![usize::MAX; tree.nets.len()];
    for (number, source) in tree.records.iter().enumerate() {
        for piece in &source.pieces {
            if let Piece::Nets(nets) = piece
                && let Some(owner) = owner.get_mut(*nets)
            {
                *owner = number;
            }
        }
    }
    let hosts: Vec<usize> = units
        .iter()
        .filter_map(|unit| match unit.what {
            What::Host(term) => Some(term),
            What::Record(_) => None,
        })
        .collect();
    // Where somebody passes all, networks need not be written.
    let passes_all = tree.records.iter().any(|source| source.end == End::Result(SpfResult::Pass));
    let otherwise = otherwise(tree);
    let held = |row: &Row| {
        let pieces: Vec<usize> =
            (0..tree.nets.len()).filter(|nets| row.nets.get(*nets).copied().flatten().is_some()).collect();
        let is_host = |host: &usize| classes.cell(row, *host).state != State::Miss;
        let is_host = hosts.iter().any(is_host);
        let owners = || pieces.iter().filter_map(|nets| owner.get(*nets)).copied();
        let passes = |nets: &usize| row.nets.get(*nets).copied().flatten() == Some(Qualifier::Pass);
        let is_plain = !passes_all
            && !is_host
            && pieces.iter().all(passes)
            && owners().all(|record| !otherwise.contains(&record));
        let records: BTreeSet<usize> = owners().collect();
        let errs = |term: &usize| matches!(classes.cell(row, *term).state, State::Wild | State::Fault(_));
        Holders {
            is_held: is_host || !pieces.is_empty(),
            records: is_plain.then(|| records.into_iter().collect()),
            signature: (pieces, (0..tree.terms.len()).filter(errs).collect()),
        }
    };
    classes.rows.iter().map(held).collect()
}

/// The records below a term that is no `+`: what they pass is not passed.
fn otherwise(tree: &Tree) -> BTreeSet<usize> {
    let child = |term: usize| tree.terms.get(term).and_then(|term| term.child);
    let mut open: Vec<usize> = tree
        .records
        .iter()
        .flat_map(|source| &source.pieces)
        .filter_map(|piece| match piece {
            Piece::Term { term, qualifier, .. } if *qualifier != Qualifier::Pass => child(*term),
            _ => None,
        })
        .collect();
    let mut found = BTreeSet::new();
    while let Some(record) = open.pop() {
        if found.insert(record) {
            open.extend(tree.records.get(record).into_iter().flat_map(Source::terms).filter_map(child));
        }
    }
    found
}

/// In how many places each term stands, and the first record that has it.
pub(super) fn places(tree: &Tree) -> BTreeMap<usize, (usize, usize)> {
    let mut places: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (number, source) in tree.records.iter().enumerate() {
        for term in source.terms() {
            places.entry(term).or_insert((0, number)).0 += 1;
        }
    }
    places
}
