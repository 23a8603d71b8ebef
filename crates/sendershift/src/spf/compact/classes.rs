//! Addresses that every part of a record treats alike.

use std::collections::{BTreeMap, BTreeSet};

use super::cover::Net;
use super::tree::Tree;
use crate::dns::Evidence;
use crate::error::{Error, Problem};
use crate::name::DomainName;
use crate::net::{IpRange, Partition};
use crate::spf::{Branch, Leaf, Policy, Qualifier, Spent, SpfRecord, SpfResult, Subject, Turnout, Unknown};

/// The classes of addresses, and what each part does with them.
pub(super) struct Classes {
    /// The class of every address: a number of a row.
    pub(super) of: Partition<usize>,
    pub(super) rows: Vec<Row>,
    cells: Vec<Cell>,
}

/// What the parts do with one class.
pub(super) struct Row {
    /// For each piece of networks, the qualifier of the first that holds the class.
    pub(super) nets: Vec<Option<Qualifier>>,
    /// For each costly term its cell.
    cells: Vec<usize>,
}

/// What a costly term does with a class.
///
/// Two terms that may both stay live can depend on the same question, so that not all ways in which each can go can be had
/// together. What is said of a message that they do not match is therefore said of messages for which such questions are
/// answered in one way, that of [`pinned`]: these can be had together with what other terms do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    pub(super) state: State,
    /// The most that it spends, in each part.
    pub(super) most: Spent,
    /// The least that it spends where it does not match, in each part, with shared questions pinned.
    pub(super) least: Spent,
    /// The most that it spends where it does not match, in each part: there is a message for which it does, with shared
    /// questions pinned.
    pub(super) missed: Spent,
    /// Whether there is a message for which it does not match, with shared questions pinned.
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
        let mut columns: Vec<Partition<usize>> = Vec::new();
        for nets in &tree.nets {
            let ranges =
                nets.iter().map(|(Net { qualifier, net }, _)| (IpRange::from(*net), 1 + number(*qualifier)));
            columns.push(Partition::from_ranges(0, 0, ranges));
        }
        let mut missing = BTreeSet::new();
        let mut policies: Vec<Policy> = Vec::new();
        for term in &tree.terms {
            // A term that cannot be moved is compiled where it stands.
            let (own, text) = &term.own;
            let (at, text) = match &term.moved {
                Some(moved) => (domain, moved),
                None => (own, text),
            };
            let record = SpfRecord::parse(format!("v=spf1 {text}").as_bytes())?;
            let subject = Subject { domain: at.clone(), record: Some(record) };
            match Policy::compile(&subject.publish_on(evidence), at) {
                Ok(policy) => policies.push(policy),
                Err(Error::Missing(more)) => missing.extend(more.questions),
                Err(error) => return Err(error),
            }
        }
        if !missing.is_empty() {
            return Err(crate::error::Missing { questions: missing.into_iter().collect() }.into());
        }
        let shared = shared(tree, &policies);
        let turned_out = |unknown: &Unknown| shared.contains(unknown).then(|| pinned(unknown));
        let mut known: BTreeMap<Cell, usize> = BTreeMap::new();
        for policy in &policies {
            columns.push(policy.map_leaves_given(turned_out, |all, given| {
                let count = known.len();
                *known.entry(Cell::of(all, given)).or_insert(count)
            }));
        }
        let mut cells: Vec<(usize, Cell)> = known.into_iter().map(|(cell, number)| (number, cell)).collect();
        cells.sort_by_key(|(number, _)| *number);
        let (of, rows) = together(&columns).ok_or_else(|| {
            let message = format!("the terms that {domain} leads to tell too many addresses apart");
            Problem::new("spf.too-complex", message)
        })?;
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
        Ok(Self { of: of.blank_mapped(), rows, cells: cells.into_iter().map(|(_, cell)| cell).collect() })
    }

    /// Whether a term ends some evaluation with an error.
    pub(super) fn errs(&self, term: usize) -> bool {
        let errs = |row| matches!(self.cell(row, term).state, State::Fault(_) | State::Wild);
        self.rows.iter().any(errs)
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
    /// Of the leaves that a term may come to, and of those with shared questions pinned.
    fn of(leaves: &BTreeSet<Leaf>, given: &BTreeSet<Leaf>) -> Self {
        let most = leaves.iter().fold(Spent::default(), |most, leaf| most.max(leaf.spent));
        let missed = || given.iter().filter(|leaf| leaf.result == SpfResult::Neutral).map(|leaf| leaf.spent);
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

/// The questions that two terms ask of which none stands below the other.
fn shared<'p>(tree: &Tree, policies: &'p [Policy]) -> BTreeSet<&'p Unknown> {
    let below: Vec<BTreeSet<usize>> = (0..tree.terms.len()).map(|term| tree.terms_below(term)).collect();
    let is_below = |one: usize, other: usize| below.get(one).is_some_and(|below| below.contains(&other));
    let mut asked: BTreeMap<&Unknown, Vec<usize>> = BTreeMap::new();
    for (term, policy) in policies.iter().enumerate() {
        for unknown in policy.unknowns() {
            asked.entry(unknown).or_default().push(term);
        }
    }
    let are_apart = |terms: &Vec<usize>| {
        let pairs = terms
            .iter()
            .enumerate()
            .flat_map(|(at, one)| terms.iter().skip(at + 1).map(move |other| (*one, *other)));
        pairs.into_iter().any(|(one, other)| !is_below(one, other) && !is_below(other, one))
    };
    asked.into_iter().filter(|(_, terms)| are_apart(terms)).map(|(unknown, _)| unknown).collect()
}

/// The branch that a shared question is taken to come to: that nothing is found, at the most void queries. Then the most terms
/// go on, and what is spent is nearly always the most.
fn pinned(unknown: &Unknown) -> usize {
    let finds_nothing =
        |branch: &Branch| matches!(branch.turnout, Turnout::NoMatch | Turnout::Result(SpfResult::Neutral));
    let branches = unknown.branches();
    let found = branches.iter().enumerate().filter(|(_, branch)| finds_nothing(branch));
    found.max_by_key(|(_, branch)| branch.void_queries).map_or(0, |(at, _)| at)
}

const QUALIFIERS: [Qualifier; 4] =
    [Qualifier::Pass, Qualifier::Fail, Qualifier::SoftFail, Qualifier::Neutral];

fn number(qualifier: Qualifier) -> usize {
    QUALIFIERS.iter().position(|one| *one == qualifier).unwrap_or(0)
}

/// Classes times columns: an end for hostile records.
const MOST_VALUES: usize = 1 << 24;

/// The classes of addresses that no column tells apart, numbered in ascending order, and what each has in the columns; none where they
/// are too many. By halves, so that most columns are only laid beside few others.
fn together(columns: &[Partition<usize>]) -> Option<(Partition<usize>, Vec<Vec<usize>>)> {
    let mut rows = Vec::new();
    let of = match columns {
        [] => {
            rows.push(Vec::new());
            Partition::constant(0, 0)
        }
        [column] => {
            let mut numbers = BTreeMap::new();
            column.map(|value| {
                *numbers.entry(*value).or_insert_with(|| {
                    rows.push(vec![*value]);
                    rows.len() - 1
                })
            })
        }
        columns => {
            let (left, right) = columns.split_at_checked(columns.len() / 2)?;
            let ((left, lefts), (right, rights)) = (together(left)?, together(right)?);
            let mut numbers = BTreeMap::new();
            let mut pairs = Vec::new();
            let of = left.zip(&right, |left, right| {
                *numbers.entry((*left, *right)).or_insert_with(|| {
                    pairs.push((*left, *right));
                    pairs.len() - 1
                })
            });
            if pairs.len().saturating_mul(columns.len()) > MOST_VALUES {
                return None;
            }
            let values = |rows: &[Vec<usize>], row: usize| rows.get(row).cloned().unwrap_or_default();
            rows.extend(
                pairs.iter().map(|(left, right)| [values(&lefts, *left), values(&rights, *right)].concat()),
            );
            of
        }
    };
    Some((of, rows))
}

#[cfg(test)]
mod tests {
    use super::{MOST_VALUES, together};
    use crate::net::{IpRange, Partition, parse_net};

    fn column(at: usize) -> Partition<usize> {
        let net = parse_net(&format!("10.{}.{}.0/24", at / 256, at % 256)).unwrap();
        Partition::from_ranges(0, 0, [(IpRange::from(net), 7)])
    }

    #[test]
    fn classes_are_numbered_in_ascending_order() {
        let (of, rows) = together(&[column(0), column(1), column(0)]).unwrap();
        assert_eq!(rows, [[0, 0, 0], [7, 0, 7], [0, 7, 0]]);
        assert_eq!(of.runs().map(|(_, row)| *row).collect::<Vec<_>>(), [0, 1, 2, 0, 0]);
        assert_eq!(together(&[]).unwrap().1, [[0_usize; 0]]);
    }

    #[test]
    fn too_many_are_none() {
        let columns: Vec<Partition<usize>> = (0..5_000).map(column).collect();
        assert!(columns.len() * columns.len() > MOST_VALUES);
        assert!(together(&columns).is_none());
        assert!(together(&columns[..1_000]).is_some());
    }
}
