//! The search for the best record.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bounds::{Bounds, Place};
use super::classes::Classes;
use super::draft::{Draft, Element, Opened};
use super::islands::Text;
use super::pack::{Packed, Packing, Published, Room, items, pack};
use super::tree::{Piece, Source, Tree};
use crate::spf::{Profile, Spent};

/// What is made small, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Objective {
    /// Records and hosts of others that are replaced by what they say today.
    pub frozen: usize,
    /// Extra TXT records below the domain.
    pub extra_records: usize,
    /// Terms that come or go, record by record, beside what is published.
    pub changed_terms: usize,
    /// Octets of all text.
    pub octets: usize,
}

/// Something that can be opened.
pub(super) struct Unit {
    pub(super) what: What,
    /// Whether somebody else may change it at any time.
    pub(super) is_volatile: bool,
    /// Whether it has to be opened.
    pub(super) is_forced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A record, by its number in the tree.
    Record(usize),
    /// An `a` or `mx` term, by its number in the tree.
    Host(usize),
}

impl Unit {
    /// Whether a term refers to it.
    pub(super) fn is_named(&self, tree: &Tree, term: usize) -> bool {
        match self.what {
            What::Host(host) => host == term,
            What::Record(record) => tree.terms.get(term).and_then(|term| term.child) == Some(record),
        }
    }
}

/// What the search is about.
pub(super) struct Space<'a> {
    pub(super) tree: &'a Tree,
    pub(super) classes: &'a Classes,
    pub(super) units: Vec<Unit>,
    /// The limits that hold, the reserve taken off.
    pub(super) limits: Vec<Profile>,
    pub(super) room: Room,
    pub(super) most_records: usize,
    /// The record's `all`, as written, and its modifiers.
    pub(super) all: Option<String>,
    pub(super) modifiers: Vec<String>,
    /// The terms of the record that is meant, without those that `all` makes idle.
    pub(super) record: Vec<String>,
    /// Whether it is the one that is published, without extra records.
    pub(super) is_published: bool,
    /// The terms that are published today: of the record itself, and of its extra records.
    pub(super) published: Vec<Vec<String>>,
    /// The terms that include the extra records of today.
    pub(super) references: Vec<String>,
    /// Why something better may be missed whatever is looked at.
    pub(super) gap: Option<Gap>,
    /// Whether a DNAME record keeps everything from standing below the domain.
    pub(super) is_renamed: bool,
    /// Steps that may be taken: decisions, and drafts that are looked at.
    pub(super) budget: usize,
}

/// A record that keeps to all limits.
pub(super) struct Candidate {
    pub(super) objective: Objective,
    pub(super) opened: Opened,
    pub(super) packed: Packed,
}

/// A place in the search: what is decided up to an item.
#[derive(Clone, Copy)]
struct Node {
    /// The first item that is not.
    item: usize,
    /// Records of others that are decided to be opened.
    frozen: usize,
    /// What the opened units take at the least, their shared islands taken off.
    text: Text,
}

/// Why something better may have been missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// The budget ended first.
    Budget,
    /// The record intends errors for somebody: whoever comes to one pays for nothing behind it, and what is paid where is
    /// not told exactly.
    Broken,
    /// Whether terms that depend on the message ever spend their most together is not known, or who pays for extra records.
    Entangled,
    /// For some draft no way to distribute its terms was found, and none is ruled out.
    Undistributed,
    /// Some candidate may have a live term that decides nothing.
    Idle,
}

/// How the search ended.
pub(super) struct Found {
    pub(super) best: Option<Candidate>,
    /// None where all of the space was looked at that could hold something better.
    pub(super) gap: Option<Gap>,
    /// No record in the space is better in the first part of the objective.
    pub(super) least_frozen: usize,
    pub(super) examined: usize,
}

/// How many decisions take as long as a small draft, about, and how many runs of addresses make it longer by one.
const STEPS_OF_A_DRAFT: usize = 10;
const RUNS_OF_A_STEP: usize = 40;

/// Extra records that are ever thought of: more than any limit on lookups leaves room for.
const MOST_RECORDS: usize = 40;

struct Search<'a> {
    space: &'a Space<'a>,
    accept: &'a mut dyn FnMut(&Candidate) -> bool,
    watch: &'a mut dyn FnMut(usize) -> bool,
    bounds: Bounds,
    /// Records of others that are opened in this round.
    frozen: usize,
    best: Option<Candidate>,
    gap: Option<Gap>,
    /// The fewest extra records of a draft for which none of the ways to distribute the terms was found to fit.
    unknown_at: usize,
    /// Steps that it takes to look at a draft, or to judge a candidate.
    steps_of_a_draft: usize,
    steps: usize,
    examined: usize,
    decided: Vec<Option<bool>>,
    /// What was said of each place on the way to the one that the search is at.
    way: Vec<Objective>,
}

/// Searches for the best record; `accept` has the last word on each that is better than those before, and `watch` is told
/// how many drafts were looked at, and says whether to go on.
pub(super) fn search(
    space: &Space<'_>,
    watch: &mut dyn FnMut(usize) -> bool,
    accept: &mut dyn FnMut(&Candidate) -> bool,
) -> Found {
    let volatile = space.units.iter().filter(|unit| unit.is_volatile).count();
    let bounds = Bounds::new(space.tree, space.classes, &space.units, space.is_published, &space.record);
    let mut search = Search {
        space,
        accept,
        watch,
        bounds,
        frozen: 0,
        best: None,
        gap: space.gap,
        unknown_at: usize::MAX,
        steps_of_a_draft: STEPS_OF_A_DRAFT + space.classes.of.runs().count() / RUNS_OF_A_STEP,
        steps: 0,
        examined: 0,
        decided: vec![None; space.units.len()],
        way: Vec::new(),
    };
    let mut least_frozen = 0;
    for frozen in 0..=volatile {
        search.frozen = frozen;
        if search.gap.is_none() {
            least_frozen = frozen;
        }
        let start = search.next(0, 0, Text::default());
        search.decide(start);
        let needed = search.best.as_ref().map_or(usize::MAX - 1, |best| best.objective.extra_records);
        if search.unknown_at <= needed {
            search.leave(Gap::Undistributed);
        }
        if search.best.is_some() || search.steps >= space.budget {
            break;
        }
    }
    if search.best.is_none() && search.gap.is_some() {
        search.close_one_by_one();
    }
    Found { best: search.best, gap: search.gap, least_frozen, examined: search.examined }
}

impl Search<'_> {
    /// Notes that something better may have been missed; the first reason stands, unless the budget ends.
    fn leave(&mut self, gap: Gap) {
        self.gap.get_or_insert(gap);
    }

    /// Decides the next unit that can be reached.
    fn decide(&mut self, node: Node) {
        if self.steps >= self.space.budget || !(self.watch)(self.examined) {
            self.steps = self.space.budget;
            self.gap = Some(Gap::Budget);
            return;
        }
        self.steps += 1;
        let Some(item) = self.bounds.order.get(node.item).copied() else {
            if node.frozen == self.frozen {
                let opened = self.opened();
                // Nothing is left out, unless the order were wrong.
                let is_left =
                    |unit: usize| self.decided.get(unit) == Some(&None) && self.space.reaches(&opened, unit);
                if (0..self.decided.len()).any(is_left) {
                    self.leave(Gap::Budget);
                }
                self.examine(&opened);
            }
            return;
        };
        let mut ways = Vec::new();
        let opens = node.frozen + usize::from(item.is_volatile);
        if opens <= self.frozen {
            self.set(item.unit, Some(true));
            let text = node.text.plus(item.text).minus(item.shared);
            ways.extend(self.promising(true, self.next(node.item + 1, opens, text)));
        }
        if !self.space.units.get(item.unit).is_some_and(|unit| unit.is_forced) {
            self.set(item.unit, Some(false));
            ways.extend(self.promising(false, self.next(node.item + item.size, node.frozen, node.text)));
        }
        // What may become the best is looked at first: then the other way may be none any more.
        ways.sort_by_key(|(bound, _, _)| *bound);
        for (bound, is_opened, node) in ways {
            if self.best.as_ref().is_none_or(|best| bound < best.objective) {
                self.set(item.unit, Some(is_opened));
                self.way.push(bound);
                self.decide(node);
                self.way.pop();
            }
        }
        self.set(item.unit, None);
    }

    /// The place behind a decision: the first item from there on that can be reached.
    fn next(&self, mut item: usize, frozen: usize, text: Text) -> Node {
        let opened = self.opened();
        while let Some(next) = self.bounds.order.get(item)
            && !self.space.reaches(&opened, next.unit)
        {
            item += next.size;
        }
        Node { item, frozen, text }
    }

    /// A way on, if something there may be better than the best so far.
    fn promising(&self, is_opened: bool, node: Node) -> Option<(Objective, bool, Node)> {
        let bound = self.bound(&node)?;
        self.best.as_ref().is_none_or(|best| bound < best.objective).then_some((bound, is_opened, node))
    }

    /// Something, where the search did not get to anything: all is opened, and closed again one by one, what takes the most
    /// text first, as long as the record gets better.
    fn close_one_by_one(&mut self) {
        self.decided.fill(Some(true));
        self.examine_as_decided();
        for unit in self.bounds.order.iter().map(|item| item.unit).rev().collect::<Vec<_>>() {
            if self.space.units.get(unit).is_none_or(|unit| unit.is_forced) {
                continue;
            }
            let before = self.best.as_ref().map(|best| best.objective);
            self.set(unit, Some(false));
            self.examine_as_decided();
            if self.best.as_ref().map(|best| best.objective) == before {
                self.set(unit, Some(true));
            }
        }
    }

    fn examine_as_decided(&mut self) {
        let opened = self.opened();
        let units = self.space.units.iter().zip(&self.decided).enumerate();
        let frozen = units.filter(|(at, (unit, decided))| {
            unit.is_volatile && **decided == Some(true) && self.space.reaches(&opened, *at)
        });
        self.frozen = frozen.count();
        self.examine(&opened);
    }

    /// What nothing below is better than; none where nothing there keeps to the limits.
    fn bound(&self, node: &Node) -> Option<Objective> {
        let Space { tree, classes, units, limits, room, most_records, .. } = self.space;
        let opened = self.opened();
        let left = self.frozen.checked_sub(node.frozen)?;
        let at = Place { opened: &opened, decided: &self.decided, item: node.item, left, text: node.text };
        let mut most = (*most_records).min(MOST_RECORDS);
        for limits in limits {
            let lookups = self.bounds.lookups(tree, classes, units, &at, limits)?;
            let left = usize::try_from(limits.lookups.checked_sub(lookups)?).unwrap_or(usize::MAX);
            // Where nobody is known to go all the way, nobody is known to pay for extra records.
            most = if self.bounds.goes_all_the_way() { most.min(left) } else { most };
        }
        self.bounds.objective(&at, self.frozen, room, most)
    }

    fn set(&mut self, unit: usize, decision: Option<bool>) {
        if let Some(decided) = self.decided.get_mut(unit) {
            *decided = decision;
        }
    }

    fn opened(&self) -> Opened {
        let tree = self.space.tree;
        let mut opened = Opened {
            records: vec![false; tree.records.len()],
            hosts: vec![false; tree.terms.len()],
            merged: false,
        };
        if let Some(root) = opened.records.first_mut() {
            *root = true;
        }
        for (unit, decided) in self.space.units.iter().zip(&self.decided) {
            let place = match unit.what {
                What::Record(record) => opened.records.get_mut(record),
                What::Host(term) => opened.hosts.get_mut(term),
            };
            if let (Some(place), Some(true)) = (place, decided) {
                *place = true;
            }
        }
        opened
    }

    /// Looks at the records in which just these units are opened.
    fn examine(&mut self, opened: &Opened) {
        // Where the record has no networks itself there is nothing to merge.
        let has_own = |source: &Source| source.pieces.iter().any(|piece| matches!(piece, Piece::Nets(_)));
        let merged: &[bool] =
            if self.space.tree.records.first().is_some_and(has_own) { &[false, true] } else { &[false] };
        for merged in merged.iter().copied() {
            let opened = Opened { merged, ..opened.clone() };
            self.examined += 1;
            self.steps += self.steps_of_a_draft;
            let Ok(draft) = Draft::new(self.space.tree, self.space.classes, &opened) else { continue };
            let kept = self.space.kept_extras(&draft);
            let Some(most) = self.space.most_records.checked_sub(kept) else { continue };
            let room = |spent| self.space.room_for_extras(spent, &draft.to_the_end);
            let Some(at_best) = room(&draft.least_ahead) else { continue };
            let items = items(&draft, self.space.tree, self.space.all.as_deref(), &self.space.modifiers);
            // Without extra records everything is spent in its place.
            let fewest = usize::from(room(&draft.least).is_none());
            for count in fewest..=at_best.min(most) {
                if self.best.as_ref().is_some_and(|best| count + kept > best.objective.extra_records) {
                    break;
                }
                match pack(&items, count, &self.space.room, Published::new(&self.space.published)) {
                    Packing::Never => {}
                    Packing::Fits(ways) => {
                        let ways = ways
                            .into_iter()
                            .map(|packed| (self.space.objective(self.frozen, kept, &packed), packed));
                        let Some((objective, packed)) = ways.min_by_key(|(objective, _)| *objective) else {
                            break;
                        };
                        // Whatever is left unseen rests on this.
                        debug_assert!(
                            self.gap.is_some() || self.way.iter().all(|bound| *bound <= objective),
                            "{objective:?} is better than what bounds it: {:?}",
                            self.way
                        );
                        if self.best.as_ref().is_none_or(|best| objective < best.objective) {
                            let candidate = Candidate { objective, opened, packed };
                            self.steps += self.steps_of_a_draft;
                            if (self.accept)(&candidate) {
                                self.best = Some(candidate);
                            } else {
                                // What it spends is more than it is known to spend at the least.
                                self.leave(Gap::Entangled);
                            }
                        }
                        break;
                    }
                    Packing::Unknown => self.unknown_at = self.unknown_at.min(count + kept),
                }
            }
        }
    }
}

impl Space<'_> {
    /// Everything opened that can be.
    pub(super) fn everything(&self) -> Opened {
        let is_unit = |what: What| self.units.iter().any(|unit| unit.what == what);
        Opened {
            records: (0..self.tree.records.len()).map(|at| at == 0 || is_unit(What::Record(at))).collect(),
            hosts: (0..self.tree.terms.len()).map(|at| is_unit(What::Host(at))).collect(),
            merged: true,
        }
    }

    /// The extra records of today.
    fn extras(&self) -> &[Vec<String>] {
        self.published.get(1..).unwrap_or_default()
    }

    /// Whether a unit stands in a record that is opened.
    fn reaches(&self, opened: &Opened, unit: usize) -> bool {
        let Some(unit) = self.units.get(unit) else { return false };
        let is_open = |at: usize| opened.records.get(at).copied().unwrap_or(false);
        let open = self.tree.records.iter().enumerate().filter(|(at, _)| is_open(*at));
        open.flat_map(|(_, source)| source.terms()).any(|term| unit.is_named(self.tree, term))
    }

    /// How many of the extra records of today a draft goes on to include.
    fn kept_extras(&self, draft: &Draft) -> usize {
        let is_extra = |element: &&Element| matches!(element, Element::Live { text, .. } if self.references.contains(text));
        draft.elements.iter().filter(is_extra).count()
    }

    /// How many extra records the limits leave room for, where some classes go past them and others need not; none where
    /// what is spent is beyond the limits as it is.
    fn room_for_extras(&self, all: &[Spent], past: &[Spent]) -> Option<usize> {
        let fits = |spent: &Spent, lookups: u32, written: u32| {
            let spent = spent.then(Spent { lookups, written, ..Spent::default() });
            spent.unbounded == 0 && self.limits.iter().all(|limits| spent.is_within(limits))
        };
        let most = u32::try_from(self.most_records.min(MOST_RECORDS)).unwrap_or(u32::MAX);
        (0..=most)
            .take_while(|extra| {
                all.iter().all(|spent| fits(spent, 0, *extra))
                    && past.iter().all(|spent| fits(spent, *extra, *extra))
            })
            .last()
            .and_then(|extra| usize::try_from(extra).ok())
    }

    fn objective(&self, frozen: usize, kept: usize, packed: &Packed) -> Objective {
        let apex: Vec<&str> = packed.apex.iter().flatten().map(String::as_str).collect();
        let mut changed = 0;
        let mut references: Vec<&str> = Vec::new();
        let mut octets = "v=spf1".len() + apex.iter().map(|text| 1 + text.len()).sum::<usize>();
        for (at, texts) in packed.extras.iter().enumerate() {
            let old = self.extras().get(at).map(Vec::as_slice).unwrap_or_default();
            let differs = difference(old, texts.iter().map(String::as_str));
            changed += differs;
            octets +=
                self.room.reference + "v=spf1".len() + texts.iter().map(|text| 1 + text.len()).sum::<usize>();
            match self.references.get(at) {
                Some(reference) if differs == 0 => references.push(reference),
                // Its name changes with what it says.
                _ => changed += 1,
            }
        }
        let old = self.published.first().map(Vec::as_slice).unwrap_or_default();
        changed += difference(old, apex.into_iter().chain(references));
        Objective { frozen, extra_records: kept + packed.extras.len(), changed_terms: changed, octets }
    }
}

/// How many terms are in one and not in the other, repetitions counted.
fn difference<'t>(old: &[String], new: impl Iterator<Item = &'t str>) -> usize {
    let mut balance: BTreeMap<&str, i64> = BTreeMap::new();
    for text in old {
        *balance.entry(text).or_default() += 1;
    }
    for text in new {
        *balance.entry(text).or_default() -= 1;
    }
    balance.values().map(|count| usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX)).sum()
}
