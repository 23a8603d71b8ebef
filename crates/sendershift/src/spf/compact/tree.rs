//! The records that a record refers to, as pieces that can be kept or opened.

use std::collections::{BTreeMap, BTreeSet};

use super::cover::Net;
use crate::dns::{Evidence, RecordType, Resolved, resolve};
use crate::name::DomainName;
use crate::spf::check::{MAX_DEPTH, Selection, select};
use crate::spf::{
    DomainSpec, DualCidr, MacroLetter, Mechanism, Partial, PartialContext, Qualifier, SpfRecord, SpfResult,
};

/// A record and all that it refers to.
#[derive(Default)]
pub(super) struct Tree {
    /// The first is the record itself.
    pub(super) records: Vec<Source>,
    /// Consecutive networks of one record.
    pub(super) nets: Vec<Vec<(Net, String)>>,
    /// The terms that cost lookups, each different one once.
    pub(super) terms: Vec<Costly>,
    /// Whether records that others refer to are here without some of their terms: live they cost more than they say here.
    pub(super) is_lean_below: bool,
}

impl Tree {
    /// The records that a record leads to, itself included, by their numbers.
    pub(super) fn reached(&self, record: usize) -> BTreeSet<usize> {
        let child = |term: usize| self.terms.get(term).and_then(|term| term.child);
        let mut reached = BTreeSet::new();
        let mut open = vec![record];
        while let Some(record) = open.pop() {
            if reached.insert(record)
                && let Some(source) = self.records.get(record)
            {
                open.extend(source.terms().filter_map(child));
            }
        }
        reached
    }

    /// The terms of records that the record itself leads to.
    pub(super) fn used(&self) -> BTreeSet<usize> {
        let reached = self.reached(0);
        reached.iter().filter_map(|record| self.records.get(*record)).flat_map(Source::terms).collect()
    }

    /// The terms that stand below a term and nowhere else.
    pub(super) fn terms_below(&self, term: usize) -> BTreeSet<usize> {
        let child = self.terms.get(term).and_then(|term| term.child);
        let records = child.map(|child| self.reached(child)).unwrap_or_default();
        let of = |inside: bool| {
            let sources =
                self.records.iter().enumerate().filter(move |(at, _)| records.contains(at) == inside);
            sources.flat_map(|(_, source)| source.terms()).collect::<BTreeSet<usize>>()
        };
        let (inside, outside) = (of.clone()(true), of(false));
        inside.difference(&outside).copied().collect()
    }
}

impl Source {
    /// Its terms that cost lookups.
    pub(super) fn terms(&self) -> impl Iterator<Item = usize> {
        let redirect = match self.end {
            End::Redirect(term) => Some(term),
            End::Result(_) => None,
        };
        let pieces = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Term { term, .. } => Some(*term),
            Piece::Nets(_) => None,
        });
        pieces.chain(redirect)
    }
}

/// A record, in pieces.
pub(super) struct Source {
    pub(super) domain: DomainName,
    pub(super) pieces: Vec<Piece>,
    /// What comes after all pieces.
    pub(super) end: End,
    /// Whether nothing in it leads back to a record on the way to it.
    pub(super) is_free_of_loops: bool,
}

/// What a record says where none of its pieces decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// `all`, or neither `all` nor `redirect`.
    Result(SpfResult),
    /// `redirect`, by the number of the term.
    Redirect(usize),
}

/// Some consecutive terms of a record.
pub(super) enum Piece {
    /// Networks, by their number in the tree.
    Nets(usize),
    /// A term that costs a lookup, by its number in the tree.
    Term { term: usize, qualifier: Qualifier, written: String },
}

/// A term that costs a lookup.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Costly {
    /// The mechanism as any record of the same sender can have it: with the names in it that depend on its own record.
    /// None where no text can say it elsewhere.
    pub(super) moved: Option<String>,
    /// The mechanism as its own record has it.
    pub(super) own: (DomainName, String),
    /// The record that it refers to, by its number in the tree, where there is one.
    pub(super) child: Option<usize>,
    /// The name that it asks about, where that is known.
    pub(super) target: Option<DomainName>,
    /// `include`, `a`, `mx`, `ptr`, `exists`; `include` also for `redirect`.
    pub(super) mechanism: &'static str,
    /// The lengths of the prefixes that `a` and `mx` compare.
    pub(super) lengths: DualCidr,
}

/// `a` or `mx`, and the name that it asks about.
pub(super) type Host<'t> = (&'static str, &'t DomainName);

impl Costly {
    /// What `a` and `mx` ask about, and the lengths of the prefixes that they compare.
    pub(super) fn host(&self) -> Option<(Host<'_>, (u8, u8))> {
        let asks = (self.mechanism, self.target.as_ref()?);
        let lengths = (self.lengths.v4_or_default(), self.lengths.v6_or_default());
        matches!(self.mechanism, "a" | "mx").then_some((asks, lengths))
    }
}

/// Reads the tree below a record that is published at a domain, for senders of a domain if that is known.
pub(super) fn read(
    evidence: &dyn Evidence,
    domain: &DomainName,
    sender: Option<&DomainName>,
    record: &SpfRecord,
) -> Tree {
    let mut reader =
        Reader { evidence, sender, tree: Tree::default(), known: BTreeMap::new(), stack: Vec::new() };
    reader.record(domain, record);
    reader.tree
}

struct Reader<'e> {
    evidence: &'e dyn Evidence,
    /// `%{o}`.
    sender: Option<&'e DomainName>,
    tree: Tree,
    known: BTreeMap<DomainName, usize>,
    stack: Vec<usize>,
}

impl Reader<'_> {
    fn record(&mut self, domain: &DomainName, record: &SpfRecord) -> usize {
        let number = self.tree.records.len();
        let end = End::Result(SpfResult::Neutral);
        let source = Source { domain: domain.clone(), pieces: Vec::new(), end, is_free_of_loops: true };
        self.tree.records.push(source);
        self.known.insert(domain.clone(), number);
        self.stack.push(number);
        let mut pieces = Vec::new();
        let mut end = None;
        for (term, directive) in record.directives() {
            let written = record.written(term).to_owned();
            let qualifier = directive.qualifier_or_default();
            if let Some(net) = directive.mechanism.net() {
                let net = (Net { qualifier, net }, written);
                let begun =
                    self.tree.nets.last_mut().filter(|_| matches!(pieces.last(), Some(Piece::Nets(_))));
                if let Some(nets) = begun {
                    nets.push(net);
                } else {
                    pieces.push(Piece::Nets(self.tree.nets.len()));
                    self.tree.nets.push(vec![net]);
                }
            } else if directive.mechanism == Mechanism::All {
                end = Some(End::Result(qualifier.into()));
                break;
            } else {
                let term = self.term(domain, &directive.mechanism);
                pieces.push(Piece::Term { term, qualifier, written });
            }
        }
        if end.is_none()
            && let Some(target) = record.redirect().filter(|_| !record.has_all())
        {
            // Redirect and include cost the same, and differ in what their record makes of the result.
            end = Some(End::Redirect(self.term(domain, &Mechanism::Include(target.clone()))));
        }
        self.stack.pop();
        if let Some(source) = self.tree.records.get_mut(number) {
            source.pieces = pieces;
            source.end = end.unwrap_or(source.end);
        }
        number
    }

    fn term(&mut self, domain: &DomainName, mechanism: &Mechanism) -> usize {
        let known = PartialContext { sender_domain: self.sender, ..PartialContext::new(domain) };
        let partial = mechanism.domain().map(|spec| spec.expand_known(&known).ok());
        let target = match partial {
            None => Some(domain.clone()),
            Some(Some(Partial::Known(name))) => Some(name),
            Some(_) => None,
        };
        let child = match (mechanism, &target) {
            (Mechanism::Include(_), Some(target)) => self.child(target),
            _ => None,
        };
        let costly = Costly {
            moved: moved(mechanism, domain, target.as_ref()),
            own: (domain.clone(), mechanism.to_string()),
            child,
            target,
            mechanism: mechanism.name(),
            lengths: match mechanism {
                Mechanism::A { cidr, .. } | Mechanism::Mx { cidr, .. } => *cidr,
                _ => DualCidr::default(),
            },
        };
        let is_same =
            |known: &Costly| known == &costly || (known.moved.is_some() && known.moved == costly.moved);
        self.tree.terms.iter().position(is_same).unwrap_or_else(|| {
            self.tree.terms.push(costly);
            self.tree.terms.len() - 1
        })
    }

    fn child(&mut self, target: &DomainName) -> Option<usize> {
        if let Some(known) = self.known.get(target).copied() {
            let Some(place) = self.stack.iter().position(|number| *number == known) else {
                return Some(known);
            };
            // What is on the way round is not what it seems.
            for number in self.stack.get(place..).unwrap_or_default() {
                if let Some(source) = self.tree.records.get_mut(*number) {
                    source.is_free_of_loops = false;
                }
            }
            return None;
        }
        if self.stack.len() >= MAX_DEPTH {
            return None;
        }
        let Resolved::Records(rrset) = resolve(self.evidence, target, RecordType::Txt) else { return None };
        match &*select(rrset) {
            Selection::Record(record) => Some(self.record(target, record)),
            Selection::None | Selection::Several | Selection::Invalid(_) => None,
        }
    }
}

/// The mechanism as it has to be written in another record that is evaluated for the same sender.
fn moved(mechanism: &Mechanism, domain: &DomainName, target: Option<&DomainName>) -> Option<String> {
    let spec: DomainSpec = match (target, mechanism.domain()) {
        (Some(name), _) => name.try_into().ok()?,
        (None, Some(spec)) => match spec.expand_known(&PartialContext::new(domain)).ok()? {
            // The validated name depends on the record in a way that no text can say elsewhere (RFC 7208 section 7.3).
            Partial::Open(_) if spec.uses(MacroLetter::Validated) => return None,
            Partial::Open(text) if text.contains('\\') => return None,
            Partial::Open(text) => text.parse().ok()?,
            Partial::Known(name) => (&name).try_into().ok()?,
        },
        (None, None) => return None,
    };
    let domain = Some(spec.clone());
    Some(match mechanism {
        Mechanism::Include(_) => Mechanism::Include(spec).to_string(),
        Mechanism::A { cidr, .. } => Mechanism::A { domain, cidr: *cidr }.to_string(),
        Mechanism::Mx { cidr, .. } => Mechanism::Mx { domain, cidr: *cidr }.to_string(),
        Mechanism::Ptr(_) => Mechanism::Ptr(domain).to_string(),
        Mechanism::Exists(_) => Mechanism::Exists(spec).to_string(),
        Mechanism::All | Mechanism::Ip4 { .. } | Mechanism::Ip6 { .. } => return None,
    })
}

/// A directive whose mechanism is written already.
pub(super) fn directive(qualifier: Qualifier, mechanism: &str) -> String {
    match qualifier {
        Qualifier::Pass => mechanism.to_owned(),
        other => format!("{other}{mechanism}"),
    }
}
