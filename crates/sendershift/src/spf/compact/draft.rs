//! A record in which some of what it refers to is opened: what stays live, and which networks have to be written.

use std::collections::BTreeMap;

use super::classes::{Classes, Row, State};
use super::cover::{Net, Want, cover, qualifier};
use super::tree::{End, Piece, Tree, directive};
use crate::net::AddressSet;
use crate::spf::{Qualifier, Spent, SpfResult};

/// What is opened: replaced by what it says today.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Opened {
    /// For each record of the tree; the first, the record itself, always is.
    pub(super) records: Vec<bool>,
    /// For each term of the tree whether it is an `a` or `mx` to be written as networks.
    pub(super) hosts: Vec<bool>,
    /// Whether the record's own networks are written anew, merged with the others.
    pub(super) merged: bool,
}

/// A part of the new record that is there as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// Networks of the record itself, by their number in the tree.
    Own(usize),
    /// A term that costs a lookup.
    Live { term: usize, qualifier: Qualifier, text: String },
}

/// The new record, up to the choice of networks.
pub(super) struct Draft {
    pub(super) elements: Vec<Element>,
    pub(super) end: End,
    /// Whether `end` is that of another record.
    pub(super) end_is_moved: bool,
    /// The networks written before the element of that number.
    pub(super) written: BTreeMap<usize, Vec<Net>>,
    /// The most that any class spends, and what one spends at the least.
    pub(super) most: Vec<Spent>,
    pub(super) least: Vec<Spent>,
    /// The least, where extra records put what ends the way of a class ahead of the terms with the same qualifier before it.
    pub(super) least_ahead: Vec<Spent>,
    /// What one message at the least spends of each class that comes to the end: it pays for extra records too.
    pub(super) to_the_end: Vec<Spent>,
}

/// What one class spends.
struct Spending {
    /// The most.
    most: Spent,
    /// What one message spends at the least.
    least: Spent,
    /// Whether that message comes past everything that the record has, and to no error.
    comes_to_the_end: bool,
    /// The element at which the way of some message may end, if there is one.
    ends_at: Option<usize>,
}

/// What is kept cannot be said outside the record that is opened.
#[derive(Debug)]
pub(super) struct Conflict;

/// One step on the way of a class through the pieces, in their order.
enum Step {
    Element(usize),
    /// Networks that are not written as they were.
    Nets {
        nets: usize,
        at: usize,
        does: Does,
    },
    Host {
        term: usize,
        at: usize,
        does: Does,
    },
    /// The end of an opened record, where that is a match.
    End {
        at: usize,
        act: Act,
    },
}

/// What a match with pass, and with another qualifier, leads to.
#[derive(Clone, Copy)]
struct Does {
    /// None where the qualifier itself decides: in the record itself.
    acts: Option<(Act, Act)>,
}

#[derive(Clone, Copy)]
enum Act {
    Decide(SpfResult),
    /// The evaluation goes on at a label.
    Skip(usize),
}

/// Where an opened record stands.
#[derive(Clone, Copy)]
struct Context {
    does: Does,
    /// The qualifier with which a term that passes there passes here, where one does.
    live: Option<Qualifier>,
}

struct Layout<'t> {
    tree: &'t Tree,
    opened: &'t Opened,
    steps: Vec<Step>,
    labels: Vec<usize>,
    elements: Vec<Element>,
    end: End,
    end_is_moved: bool,
}

impl Draft {
    pub(super) fn new(tree: &Tree, classes: &Classes, opened: &Opened) -> Result<Self, Conflict> {
        let mut layout = Layout {
            tree,
            opened,
            steps: Vec::new(),
            labels: Vec::new(),
            elements: Vec::new(),
            end: End::Result(SpfResult::Neutral),
            end_is_moved: false,
        };
        layout.outermost(0)?;
        let mut draft = Self {
            elements: layout.elements.clone(),
            end: layout.end,
            end_is_moved: layout.end_is_moved,
            written: BTreeMap::new(),
            most: Vec::new(),
            least: Vec::new(),
            least_ahead: Vec::new(),
            to_the_end: Vec::new(),
        };
        let mut demands = Vec::with_capacity(classes.rows.len());
        for row in &classes.rows {
            let demand = layout.walk(classes, row)?.and_then(|demand| draft.settled(classes, row, &demand));
            if let Some((at, Want::Need(_))) = demand {
                draft.spend(classes, row, Some(at));
            }
            demands.push(demand);
        }
        let places: std::collections::BTreeSet<usize> = demands
            .iter()
            .flatten()
            .filter(|(_, want)| matches!(want, Want::Need(_)))
            .map(|(at, _)| *at)
            .collect();
        for place in places {
            // Elsewhere an exception may be written that says what is said anyway.
            let wants: Vec<Want> = demands
                .iter()
                .zip(&classes.rows)
                .map(|(demand, row)| match demand {
                    // What the record itself decides before never comes here.
                    _ if draft.is_decided(row, place) => Want::Any,
                    Some((at, want)) if *at == place => *want,
                    Some((_, Want::Need(_))) => Want::Nothing,
                    // Of addresses that no record names there is nothing to say.
                    _ if row.nets.iter().all(Option::is_none) => Want::Nothing,
                    _ => draft
                        .comes_to(classes, row, place)
                        .and_then(qualifier)
                        .map_or(Want::Nothing, Want::May),
                })
                .collect();
            let wanted = classes.of.map(|row| wants.get(*row).copied().unwrap_or(Want::Nothing));
            draft.written.insert(place, cover(&wanted));
        }
        draft.spend_undecided(classes, &demands);
        Ok(draft)
    }

    /// Adds what the classes spend that need no networks, and may be in those of others.
    fn spend_undecided(&mut self, classes: &Classes, demands: &[Option<(usize, Want)>]) {
        self.list_each_once();
        let is_needed = |demand: &Option<(usize, Want)>| matches!(demand, Some((_, Want::Need(_))));
        let mut nets: Option<Vec<(usize, AddressSet)>> = None;
        for (number, row) in classes.rows.iter().enumerate() {
            if demands.get(number).is_none_or(is_needed) || !self.spends_more(classes, row) {
                continue;
            }
            let nets = nets.get_or_insert_with(|| {
                let set = |nets: &Vec<Net>| AddressSet::from_nets(nets.iter().map(|net| net.net));
                self.written.iter().map(|(at, nets)| (*at, set(nets))).collect()
            });
            let class = classes.of.addresses_where(|row| *row == number);
            let place = nets.iter().find(|(_, nets)| class.is_subset(nets)).map(|(at, _)| *at);
            self.spend(classes, row, place);
        }
        self.list_each_once();
    }

    fn list_each_once(&mut self) {
        for spent in [&mut self.most, &mut self.least, &mut self.least_ahead, &mut self.to_the_end] {
            spent.sort();
            spent.dedup();
        }
    }

    /// Whether a class that no network decides spends more than others do.
    fn spends_more(&self, classes: &Classes, row: &Row) -> bool {
        let is_more = |(spent, known): (Spent, &[Spent])| {
            !known.iter().any(|known| Spent::max(*known, spent) == *known)
        };
        self.spent(classes, row, None).is_some_and(|spending| {
            is_more((spending.most, &self.most))
                || is_more((spending.least, &self.least))
                || spending.comes_to_the_end && is_more((spending.least, &self.to_the_end))
        })
    }

    /// The record's terms that cost lookups.
    pub(super) fn live(&self) -> impl Iterator<Item = usize> {
        let redirect = match self.end {
            End::Redirect(term) => Some(term),
            End::Result(_) => None,
        };
        self.elements
            .iter()
            .filter_map(|element| match element {
                Element::Live { term, .. } => Some(*term),
                Element::Own(_) => None,
            })
            .chain(redirect)
    }

    /// Where the networks of a class are written, and whether they have to be: not where the record itself gives the class its
    /// result anyway.
    fn settled(&self, classes: &Classes, row: &Row, demand: &Demand) -> Option<(usize, Want)> {
        let qualifier = qualifier(demand.result)?;
        let is_settled = demand.is_late || self.settles(row, demand);
        let mut at = demand.at;
        // Ahead of terms that give the same result the networks decide the same, today and whenever those terms change.
        while let Some(before) = at.checked_sub(1) {
            let is_harmless = match self.elements.get(before) {
                Some(Element::Own(nets)) => row.nets.get(*nets).copied().flatten().is_none(),
                Some(Element::Live { term, qualifier: of, .. }) => {
                    let errs = matches!(classes.cell(row, *term).state, State::Wild | State::Fault(_));
                    *of == qualifier && !errs
                }
                None => false,
            };
            if !is_harmless {
                break;
            }
            at = before;
        }
        Some((at, if is_settled { Want::May(qualifier) } else { Want::Need(qualifier) }))
    }

    /// Whether the record's own networks decide a class before an element.
    fn is_decided(&self, row: &Row, at: usize) -> bool {
        self.elements.iter().take(at).any(|element| match element {
            Element::Own(nets) => row.nets.get(*nets).copied().flatten().is_some(),
            Element::Live { .. } => false,
        })
    }

    /// Whether a class comes to its result without networks of its own, with nothing live on the way: it was decided ahead of
    /// that, so an error of it must not come to decide the class one day.
    fn settles(&self, row: &Row, demand: &Demand) -> bool {
        for element in self.elements.get(demand.at..).unwrap_or_default() {
            match element {
                Element::Own(nets) => {
                    if let Some(qualifier) = row.nets.get(*nets).copied().flatten() {
                        return SpfResult::from(qualifier) == demand.result;
                    }
                }
                Element::Live { .. } => return false,
            }
        }
        self.end == End::Result(demand.result)
    }

    /// The result that a class comes to from an element on, if live terms on the way give it that result or
    /// none, now and whenever they change.
    fn comes_to(&self, classes: &Classes, row: &Row, at: usize) -> Option<SpfResult> {
        let mut on_the_way = None;
        let mut decided = None;
        for element in self.elements.get(at..).unwrap_or_default() {
            match element {
                Element::Own(nets) => {
                    decided = row.nets.get(*nets).copied().flatten().map(SpfResult::from);
                    if decided.is_some() {
                        break;
                    }
                }
                Element::Live { term, qualifier, .. } => {
                    let result = SpfResult::from(*qualifier);
                    let errs = matches!(classes.cell(row, *term).state, State::Wild | State::Fault(_));
                    if errs || on_the_way.is_some_and(|other| other != result) {
                        return None;
                    }
                    on_the_way = Some(result);
                }
            }
        }
        let decided = decided.or(match self.end {
            End::Result(result) => Some(result),
            End::Redirect(_) => None,
        })?;
        (on_the_way.is_none_or(|result| result == decided)).then_some(decided)
    }

    /// Adds what a class spends whose networks stand at `decided`.
    fn spend(&mut self, classes: &Classes, row: &Row, decided: Option<usize>) {
        let Some(Spending { most, least, comes_to_the_end, ends_at }) = self.spent(classes, row, decided)
        else {
            return;
        };
        let ahead = ends_at.and_then(|at| self.spent(classes, row, Some(self.stretch_before(at))));
        self.most.push(most);
        self.least.push(least);
        self.least_ahead.push(ahead.map_or(least, |ahead| ahead.least));
        self.to_the_end.extend(comes_to_the_end.then_some(least));
    }

    /// The first of the live terms with one qualifier, and of networks among them, that stand before an element.
    fn stretch_before(&self, at: usize) -> usize {
        let mut qualifier = match self.elements.get(at) {
            Some(Element::Live { qualifier, .. }) => Some(*qualifier),
            _ => None,
        };
        let before = self.elements.get(..at).unwrap_or_default().iter().rev();
        let stretch = before.take_while(|element| match element {
            Element::Own(_) => true,
            Element::Live { qualifier: of, .. } => *qualifier.get_or_insert(*of) == *of,
        });
        at - stretch.count()
    }

    /// What a class spends whose networks stand at `decided`.
    fn spent(&self, classes: &Classes, row: &Row, decided: Option<usize>) -> Option<Spending> {
        // `peak` is the most that is spent where all terms but one spend their least: some message does spend it.
        let (mut most, mut least, mut peak) = (Spent::default(), Spent::default(), Spent::default());
        let mut passed = 0;
        // How many terms were passed where the evaluation first may end whatever the message.
        let mut stopped = None;
        let mut fault = None;
        let mut ends_at = None;
        let mut ends = decided.is_none();
        for (at, element) in self.elements.iter().enumerate() {
            if decided == Some(at) {
                break;
            }
            match element {
                Element::Own(nets) => {
                    if row.nets.get(*nets).copied().flatten().is_some() {
                        ends_at.get_or_insert(at);
                        ends = false;
                        break;
                    }
                }
                Element::Live { term, .. } => {
                    let cell = classes.cell(row, *term);
                    most = most.then(cell.most);
                    if stopped.is_none() {
                        peak = peak.then(cell.least).max(least.then(cell.missed));
                        least = least.then(cell.least);
                    }
                    passed += 1;
                    // Nobody is known to come past it: what is behind it need not be spent.
                    if !cell.may_miss && stopped.is_none() {
                        stopped = Some(passed);
                        ends_at.get_or_insert(at);
                    }
                    match cell.state {
                        State::Hit => {
                            ends_at.get_or_insert(at);
                            ends = false;
                            break;
                        }
                        State::Fault(error) => {
                            ends_at.get_or_insert(at);
                            fault = Some(error);
                            break;
                        }
                        State::Miss | State::Open | State::Wild => {}
                    }
                }
            }
        }
        // What ends in permerror does so within the limits and beyond.
        if fault == Some(SpfResult::PermError) {
            return None;
        }
        let comes_to_the_end = ends && fault.is_none() && stopped.is_none();
        if let (true, None, End::Redirect(term)) = (ends, fault, self.end) {
            let cell = classes.cell(row, term);
            if cell.state == State::Fault(SpfResult::PermError) {
                return None;
            }
            most = most.then(cell.most);
            passed += 1;
            if stopped.is_none() {
                peak = peak.then(cell.least).max(least.then(cell.missed));
                stopped = Some(passed);
            }
        }
        // Terms that are not reached are written all the same.
        let count = self.live().count();
        let written = |passed: usize| {
            let written = u32::try_from(count.saturating_sub(passed)).unwrap_or(u32::MAX);
            Spent { written, ..Spent::default() }
        };
        Some(Spending {
            most: most.then(written(passed)),
            least: peak.then(written(stopped.unwrap_or(passed))),
            comes_to_the_end,
            ends_at,
        })
    }
}

/// What a class has to be given by networks.
struct Demand {
    result: SpfResult,
    /// The element before which they stand.
    at: usize,
    /// Whether the record's own networks decide before them.
    is_late: bool,
}

impl Layout<'_> {
    /// A record whose results are the results: the record itself, or one that it redirects to.
    fn outermost(&mut self, number: usize) -> Result<(), Conflict> {
        let tree = self.tree;
        let Some(source) = tree.records.get(number) else { return Ok(()) };
        let context = Context { does: Does { acts: None }, live: None };
        for piece in &source.pieces {
            match piece {
                Piece::Nets(nets) if number == 0 && !self.opened.merged => {
                    self.element(Element::Own(*nets));
                }
                Piece::Nets(nets) => self.nets(*nets, context.does),
                Piece::Term { term, qualifier, written } => {
                    let result = SpfResult::from(*qualifier);
                    let inner = Context {
                        does: Does { acts: Some((Act::Decide(result), Act::Skip(self.labels.len()))) },
                        live: Some(*qualifier),
                    };
                    if !self.opens(*term, inner)? {
                        let text = if number == 0 { written.clone() } else { self.moved(*term, *qualifier)? };
                        self.live(*term, *qualifier, text);
                    }
                }
            }
        }
        match source.end {
            End::Redirect(term) if self.is_open(term) => {
                let child = tree.terms.get(term).and_then(|term| term.child);
                self.end_is_moved = true;
                self.outermost(child.unwrap_or(usize::MAX))?;
            }
            End::Redirect(term) => {
                // A redirect that is moved has to be said in full.
                if number != 0 && tree.terms.get(term).is_none_or(|term| term.moved.is_none()) {
                    return Err(Conflict);
                }
                self.end = source.end;
            }
            End::Result(_) => self.end = source.end,
        }
        Ok(())
    }

    /// A record that another one includes.
    fn included(&mut self, number: usize, context: Context) -> Result<(), Conflict> {
        let tree = self.tree;
        let Some(source) = tree.records.get(number) else { return Ok(()) };
        let Some((pass, other)) = context.does.acts else { return Ok(()) };
        for piece in &source.pieces {
            match piece {
                Piece::Nets(nets) => self.nets(*nets, context.does),
                Piece::Term { term, qualifier, .. } => {
                    let passes = *qualifier == Qualifier::Pass;
                    let inner = Context {
                        does: Does {
                            acts: Some((if passes { pass } else { other }, Act::Skip(self.labels.len()))),
                        },
                        live: context.live.filter(|_| passes),
                    };
                    if !self.opens(*term, inner)? {
                        self.kept(*term, inner.live)?;
                    }
                }
            }
        }
        match source.end {
            End::Result(SpfResult::Pass) => self.steps.push(Step::End { at: self.elements.len(), act: pass }),
            End::Result(_) => {}
            End::Redirect(term) if self.is_open(term) => {
                let child = tree.terms.get(term).and_then(|term| term.child);
                self.included(child.unwrap_or(usize::MAX), context)?;
            }
            // What the other record passes is passed, and what it does not is not: as by an include.
            End::Redirect(term) => self.kept(term, context.live)?,
        }
        Ok(())
    }

    /// Opens a term, if it is to be opened. The label that `context` skips to is the end of it.
    fn opens(&mut self, term: usize, context: Context) -> Result<bool, Conflict> {
        if self.opened.hosts.get(term).copied().unwrap_or(false) {
            self.steps.push(Step::Host { term, at: self.elements.len(), does: context.does });
            self.labels.push(self.steps.len());
            return Ok(true);
        }
        if !self.is_open(term) {
            return Ok(false);
        }
        let label = self.labels.len();
        self.labels.push(usize::MAX);
        let child = self.tree.terms.get(term).and_then(|term| term.child);
        self.included(child.unwrap_or(usize::MAX), context)?;
        if let Some(place) = self.labels.get_mut(label) {
            *place = self.steps.len();
        }
        Ok(true)
    }

    fn is_open(&self, term: usize) -> bool {
        let child = self.tree.terms.get(term).and_then(|term| term.child);
        child.and_then(|child| self.opened.records.get(child)).copied().unwrap_or(false)
    }

    fn nets(&mut self, nets: usize, does: Does) {
        self.steps.push(Step::Nets { nets, at: self.elements.len(), does });
    }

    fn moved(&self, term: usize, qualifier: Qualifier) -> Result<String, Conflict> {
        let moved = self.tree.terms.get(term).and_then(|term| term.moved.as_ref()).ok_or(Conflict)?;
        Ok(directive(qualifier, moved))
    }

    /// A term of an opened record that stays live.
    fn kept(&mut self, term: usize, live: Option<Qualifier>) -> Result<(), Conflict> {
        let qualifier = live.ok_or(Conflict)?;
        let text = self.moved(term, qualifier)?;
        self.live(term, qualifier, text);
        Ok(())
    }

    /// A second term that asks the same never decides anything: had it matched, the first would have.
    fn live(&mut self, term: usize, qualifier: Qualifier, text: String) {
        let is_same =
            |element: &Element| matches!(element, Element::Live { term: known, .. } if *known == term);
        if !self.elements.iter().any(is_same) {
            self.element(Element::Live { term, qualifier, text });
        }
    }

    fn element(&mut self, element: Element) {
        self.steps.push(Step::Element(self.elements.len()));
        self.elements.push(element);
    }

    /// The way of a class through the pieces in their order, to the networks that decide it.
    fn walk(&self, classes: &Classes, row: &Row) -> Result<Option<Demand>, Conflict> {
        let mut step = 0;
        let mut is_late = false;
        while let Some(at) = self.steps.get(step) {
            step += 1;
            let (act, at) = match at {
                Step::Element(element) => {
                    is_late |= self.decides(row, *element);
                    continue;
                }
                Step::Nets { nets, at, does } => {
                    let Some(qualifier) = row.nets.get(*nets).copied().flatten() else { continue };
                    (does.of(qualifier), *at)
                }
                Step::Host { term, at, does } => match classes.cell(row, *term).state {
                    State::Miss => continue,
                    State::Hit => (does.of(Qualifier::Pass), *at),
                    State::Fault(_) | State::Open | State::Wild => {
                        return if is_late { Ok(None) } else { Err(Conflict) };
                    }
                },
                Step::End { at, act } => (*act, *at),
            };
            match act {
                Act::Decide(result) => return Ok(Some(Demand { result, at, is_late })),
                Act::Skip(label) => {
                    let to = self.labels.get(label).copied().unwrap_or(usize::MAX);
                    let skipped = self.steps.get(step..to).unwrap_or_default();
                    // Outside its record a term would go on to match what is excluded there before it.
                    if skipped.iter().any(|step| matches!(step, Step::Element(_))) {
                        return if is_late { Ok(None) } else { Err(Conflict) };
                    }
                    step = to.max(step);
                }
            }
        }
        Ok(None)
    }

    /// Whether the record's own networks decide a class. That a live term does so today is no reason to leave out what
    /// an opened record says behind it: the term may change.
    fn decides(&self, row: &Row, element: usize) -> bool {
        match self.elements.get(element) {
            Some(Element::Own(nets)) => row.nets.get(*nets).copied().flatten().is_some(),
            _ => false,
        }
    }
}

impl Does {
    fn of(self, qualifier: Qualifier) -> Act {
        match self.acts {
            None => Act::Decide(qualifier.into()),
            Some((pass, _)) if qualifier == Qualifier::Pass => pass,
            Some((_, other)) => other,
        }
    }
}
