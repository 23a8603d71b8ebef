//! Addresses that every part of a record treats alike.

use std::collections::{BTreeMap, BTreeSet};

use super::cover::Net;
use super::tree::Tree;
use crate::dns::Evidence;
use crate::error::Error;
use crate::name::DomainName;
use crate::net::{IpRange, Partition};
use crate::spf::{Leaf, Policy, Qualifier, Spent, SpfRecord, SpfResult, Subject, Unknown};

/// The classes of addresses, and what each part does with them.
pub(super) struct Classes {
    /// The class of every address: a number of a row.
    pub(super) of: Partition<usize>,
    pub(super) rows: Vec<Row>,
    cells: Vec<Cell>,
    /// Whether two terms that may both stay live depend on the same question: then not all ways in which each can go can be
    /// had together.
    pub(super) are_entangled: bool,
}

/// What the parts do with one class.
pub(super) struct Row {
    /// For each piece of networks, the qualifier of the first that holds the class.
    pub(super) nets: Vec<Option<Qualifier>>,
    /// For each costly term its cell.
    cells: Vec<usize>,
}

/// What a costly term does with a class.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    pub(super) state: State,
    /// The most that it spends, in each part.
    pub(super) most: Spent,
    /// The least that it spends where it does not match, in each part.
    pub(super) least: Spent,
    /// The most that it spends where it does not match, in each part: there is a message for which it does.
    pub(super) missed: Spent,
    /// Whether there is a message for which it does not match.
    pub(super) may_miss: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It does not match.
    Miss,
    /// It matches.
    Hit,
    /// It ends the evaluation with an error.
    Fault(SpfResult),
    /// It depends on the message whether it matches.
    Open,
    /// It depends on the message what it does, errors included.
    Wild,
}

impl Classes {
    /// Compiles every part at the domain that the record stands at.
    pub(super) fn new(evidence: &dyn Evidence, domain: &DomainName, tree: &Tree) -> Result<Self, Error> {
        let mut classes = Partition::constant(0, 0);
        let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
        for nets in &tree.nets {
            let ranges =
                nets.iter().map(|(Net { qualifier, net }, _)| (IpRange::from(*net), 1 + number(*qualifier)));
            refine(&mut classes, &mut rows, &Partition::from_ranges(0, 0, ranges));
        }
        let mut known: BTreeMap<Cell, usize> = BTreeMap::new();
        let mut missing = BTreeSet::new();
        let mut unknowns: Vec<Vec<Unknown>> = Vec::new();
        for term in &tree.terms {
            // A term that cannot be moved is compiled where it stands.
            let (own, text) = &term.own;
            let (at, text) = match &term.moved {
                Some(moved) => (domain, moved),
                None => (own, text),
            };
            let record = SpfRecord::parse(format!("v=spf1 {text}").as_bytes())?;
            let subject = Subject { domain: at.clone(), record: Some(record) };
            let policy = match Policy::compile(&subject.publish_on(evidence), at) {
                Ok(policy) => policy,
                Err(Error::Missing(more)) => {
                    missing.extend(more.questions);
                    continue;
                }
                Err(error) => return Err(error),
            };
            unknowns.push(policy.unknowns().to_vec());
            let column = policy.map_leaves(|leaves| {
                let count = known.len();
                *known.entry(Cell::of(leaves)).or_insert(count)
            });
            refine(&mut classes, &mut rows, &column);
        }
        if !missing.is_empty() {
            return Err(crate::error::Missing { questions: missing.into_iter().collect() }.into());
        }
        let mut cells: Vec<(usize, Cell)> = known.into_iter().map(|(cell, number)| (number, cell)).collect();
        cells.sort_by_key(|(number, _)| *number);
        let rows = rows
            .into_iter()
            .map(|row| {
                let (nets, cells) = row.split_at_checked(tree.nets.len()).unwrap_or_default();
                Row {
                    nets: nets.iter().map(|value| QUALIFIERS.get(value.wrapping_sub(1)).copied()).collect(),
                    cells: cells.to_vec(),
                }
            })
            .collect();
        Ok(Self {
            are_entangled: are_entangled(tree, &unknowns),
            of: classes.blank_mapped(),
            rows,
            cells: cells.into_iter().map(|(_, cell)| cell).collect(),
        })
    }

    /// What a term does with a class.
    pub(super) fn cell(&self, row: &Row, term: usize) -> &Cell {
        static NONE: Cell = Cell {
            state: State::Wild,
            most: Spent::FREE,
            least: Spent::FREE,
            missed: Spent::FREE,
            may_miss: false,
        };
        row.cells.get(term).and_then(|cell| self.cells.get(*cell)).unwrap_or(&NONE)
    }
}

impl Cell {
    fn of(leaves: &BTreeSet<Leaf>) -> Self {
        let most = leaves.iter().fold(Spent::default(), |most, leaf| most.max(leaf.spent));
        let missed = || leaves.iter().filter(|leaf| leaf.result == SpfResult::Neutral).map(|leaf| leaf.spent);
        let may_miss = missed().next().is_some();
        let least = missed().reduce(Spent::min).unwrap_or_default();
        let missed = missed().reduce(Spent::max).unwrap_or_default();
        let mut results: Vec<SpfResult> = leaves.iter().map(|leaf| leaf.result).collect();
        results.dedup();
        let state = match results.as_slice() {
            [SpfResult::Neutral] => State::Miss,
            [SpfResult::Pass] => State::Hit,
            [SpfResult::TempError] => State::Fault(SpfResult::TempError),
            [_] => State::Fault(SpfResult::PermError),
            results if results.iter().all(|one| matches!(one, SpfResult::Neutral | SpfResult::Pass)) => {
                State::Open
            }
            _ => State::Wild,
        };
        Self { state, most, least, missed, may_miss }
    }
}

/// Whether two terms, of which none stands below the other, ask the same.
fn are_entangled(tree: &Tree, unknowns: &[Vec<Unknown>]) -> bool {
    let below: Vec<BTreeSet<usize>> = (0..tree.terms.len()).map(|term| tree.terms_below(term)).collect();
    let is_below = |one: usize, other: usize| below.get(one).is_some_and(|below| below.contains(&other));
    let mut asked: BTreeMap<&Unknown, Vec<usize>> = BTreeMap::new();
    for (term, unknowns) in unknowns.iter().enumerate() {
        for unknown in unknowns {
            asked.entry(unknown).or_default().push(term);
        }
    }
    asked.values().any(|terms| {
        let pairs = terms
            .iter()
            .enumerate()
            .flat_map(|(at, one)| terms.iter().skip(at + 1).map(move |other| (*one, *other)));
        pairs.into_iter().any(|(one, other)| !is_below(one, other) && !is_below(other, one))
    })
}

const QUALIFIERS: [Qualifier; 4] =
    [Qualifier::Pass, Qualifier::Fail, Qualifier::SoftFail, Qualifier::Neutral];

fn number(qualifier: Qualifier) -> usize {
    QUALIFIERS.iter().position(|one| *one == qualifier).unwrap_or(0)
}

/// Splits classes by one more value.
fn refine(classes: &mut Partition<usize>, rows: &mut Vec<Vec<usize>>, column: &Partition<usize>) {
    let mut numbers: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut refined: Vec<Vec<usize>> = Vec::new();
    *classes = classes.zip(column, |row, value| {
        *numbers.entry((*row, *value)).or_insert_with(|| {
            let mut values = rows.get(*row).cloned().unwrap_or_default();
            values.push(*value);
            refined.push(values);
            refined.len() - 1
        })
    });
    *rows = refined;
}
