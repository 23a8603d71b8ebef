//! Which terms decide which addresses, and which can decide none.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Serialize;

use super::compile::Compiler;
use super::diagram::{Diagram, Leaf, Node};
use super::marks::{Chains, End, Marked, Marks, Met, Place, Site};
use super::{Case, Policy, canonical, cases, outcomes};
use crate::dns::{Evidence, Recording};
use crate::error::{Error, Problem, Span};
use crate::name::DomainName;
use crate::net::{AddressSet, IpRange, Partition};
use crate::spf::{Directive, Mechanism, Modifier, SpfRecord, SpfResult, Subject, Term, TermKind};

/// Terms that are looked for in one compilation: there are as many bits in a mark.
const AT_ONCE: usize = 64;
/// Such compilations, an end for hostile records.
const MAX_ROUNDS: usize = 32;

/// A [`Policy`] that knows which terms lead to its results.
///
/// # Examples
///
/// ```
/// use sendershift::dns::Snapshot;
/// use sendershift::spf::{Deciders, Role};
///
/// let dns = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [
///         { "name": "example.net", "type": "TXT", "records": ["v=spf1 include:_spf.example.net ip4:192.0.2.7 ~all"] },
///         { "name": "_spf.example.net", "type": "TXT", "records": ["v=spf1 ip4:192.0.2.0/24 -all"] }
///     ]
/// }"#)?;
/// let deciders = Deciders::compile(&dns, &"example.net".parse()?)?;
/// let cases = deciders.at("192.0.2.7".parse().unwrap());
/// let chain: Vec<&str> = cases[0].leaf.by.iter().filter_map(|by| by.term.as_deref()).collect();
/// assert_eq!(chain, ["include:_spf.example.net", "ip4:192.0.2.0/24"]);
///
/// let idle = deciders.terms().into_iter().find(|term| term.role == Role::Idle).unwrap();
/// assert_eq!(idle.term, "ip4:192.0.2.7");
/// # Ok::<(), sendershift::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deciders {
    leaves: Partition<Node<Marked<usize>>>,
    diagram: Diagram<Marked<usize>>,
    chains: Chains,
    /// Terms that decide nothing and can make an include not match.
    turning: BTreeSet<Site>,
    /// Terms that decide nothing, of which more was not found out.
    unjudged: BTreeSet<Site>,
    /// Terms that decide nothing, and would match nothing if they were alone.
    empty: BTreeSet<Site>,
}

/// Where an evaluation ends, and by which terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// The result without limits, and what it takes.
    #[serde(flatten)]
    pub leaf: Leaf,
    /// The terms that decide: one of the domain's own record, then one of each record that it leads through, down to the
    /// term that matches, or what ends the evaluation in place of a term.
    pub by: Vec<Decider>,
}

/// A term that decides, or what decides where no term does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Decider {
    /// The domain of the record.
    pub domain: DomainName,
    /// The term as written; none where no term decides.
    pub term: Option<String>,
    /// Its place in the record.
    pub span: Option<Span>,
    /// What decides in place of a term.
    pub end: Option<End>,
}

/// What a term can do in a policy, limits lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// It decides some address, for some turnout of the unknowns.
    Decides,
    /// It decides none, but for some address it makes an include not match: it is the first to match in a record that is
    /// included, and has another qualifier than pass. Without it a later term of that record might match.
    TurnsAway,
    /// It decides none, and is not the first to match in any record that an evaluation gets to: without it every result would
    /// be the same. What it costs on the way, and the errors that its own DNS questions end in when DNS does not answer, would
    /// be gone; so a receiver that stops at a limit can come to another result.
    Idle,
    /// It decides none; whether it turns away any was too much to be found out.
    NotJudged,
}

/// Why a term is idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Idle {
    /// It stands behind `all`, or is a `redirect` beside it.
    BehindAll,
    /// A term before it in the same record has the same mechanism.
    Repeated,
    /// It would match nothing if it were alone: no address, or an include that never passes.
    Empty,
    /// Terms before it, all together, decide every address that it matches.
    Shadowed,
    /// A term before it in the same record ends in an error, so nothing is known of what it could decide.
    BehindError,
}

/// What a term of a record that takes part can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TermRole {
    /// The domain of the record.
    pub domain: DomainName,
    /// The term as written.
    pub term: String,
    /// Its place in the record.
    pub span: Span,
    /// What it can do.
    pub role: Role,
    /// Why it is idle, if it is.
    pub idle: Option<Idle>,
}

impl Deciders {
    /// Compiles the policy of a domain, and keeps which terms decide.
    ///
    /// # Errors
    ///
    /// As [`Policy::compile`].
    pub fn compile(evidence: &dyn Evidence, domain: &DomainName) -> Result<Self, Error> {
        let recording = Recording::new(evidence);
        let deciders = Self::compile_noting(&recording, evidence, domain)?;
        Ok(recording.complete(deciders)?)
    }

    /// As [`Deciders::compile`]. `noted` is the same evidence as `known`, and notes what it cannot answer.
    pub(in crate::spf) fn compile_noting(
        noted: &dyn Evidence,
        known: &dyn Evidence,
        domain: &DomainName,
    ) -> Result<Self, Problem> {
        let (leaves, diagram, chains) = compile(noted, domain, Chains::default())?;
        let mut deciders = Self {
            leaves,
            diagram,
            chains,
            turning: BTreeSet::new(),
            unjudged: BTreeSet::new(),
            empty: BTreeSet::new(),
        };
        deciders.find_turning(noted, domain);
        deciders.find_empty(known, domain);
        Ok(deciders)
    }

    /// The policy alone.
    pub fn policy(&self) -> Policy {
        let (leaves, diagram) = canonical(&self.leaves, &self.diagram, |marked| marked.leaf);
        Policy { leaves, diagram }
    }

    /// Every way in which the evaluation for an address can go, with the terms that decide; where hostile records make more ways
    /// than could be listed there is one for each different end.
    pub fn at(&self, ip: IpAddr) -> Vec<Case<Decision>> {
        self.told(cases(&self.diagram, *self.leaves.at(ip.to_canonical())))
    }

    /// The ranges of addresses that end alike, IPv4 first, in ascending order, with one case for each different end.
    pub fn ranges(&self) -> impl Iterator<Item = (IpRange, Vec<Case<Decision>>)> {
        self.leaves.runs().map(|(range, node)| (range, self.told(outcomes(&self.diagram, *node))))
    }

    /// Every term of every record that an evaluation can get to, with what it can do, in the order of the records' domains.
    ///
    /// Modifiers but `redirect` are none of them: they decide nothing by their nature. All is said of results without limits,
    /// for DNS that answers, and for unknowns that turn out in any way.
    pub fn terms(&self) -> Vec<TermRole> {
        let deciding = self.deciding();
        let role = |number: usize, index: usize| {
            let site = (number, Place::Term(index));
            match () {
                () if deciding.contains(&site) => Role::Decides,
                () if self.turning.contains(&site) => Role::TurnsAway,
                () if self.unjudged.contains(&site) => Role::NotJudged,
                () => Role::Idle,
            }
        };
        let mut roles = Vec::new();
        for (domain, record) in &self.chains.records {
            let number = self.chains.number(domain).unwrap_or(usize::MAX);
            for (index, term) in directives_and_redirect(record) {
                let role = role(number, index);
                roles.push(TermRole {
                    domain: domain.clone(),
                    term: record.written(term).to_owned(),
                    span: term.span,
                    role,
                    idle: (role == Role::Idle).then(|| self.why_idle(record, term, (number, index))),
                });
            }
        }
        roles
    }

    /// The ends of evaluations at every range, each with its chain.
    pub(in crate::spf) fn each_end(&self, mut visit: impl FnMut(IpRange, &[(Leaf, usize)])) {
        let mut known: BTreeMap<Node<Marked<usize>>, Vec<(Leaf, usize)>> = BTreeMap::new();
        for (range, node) in self.leaves.runs() {
            let ends = known.entry(*node).or_insert_with(|| {
                let ends = self.diagram.leaves([*node]).into_iter();
                ends.map(|marked| (marked.leaf, marked.mark)).collect()
            });
            visit(range, ends);
        }
    }

    /// The domain and, where it is a term, the index of each site of a chain.
    pub(in crate::spf) fn path(&self, chain: usize) -> impl Iterator<Item = (&DomainName, Option<usize>)> {
        self.chains.sites(chain).filter_map(|(number, place)| {
            let index = match place {
                Place::Term(index) => Some(index),
                Place::Other(_) => None,
            };
            Some((self.chains.domains.get(number)?, index))
        })
    }

    /// A chain for people.
    pub(in crate::spf) fn deciders(&self, chain: usize) -> Vec<Decider> {
        self.chains.sites(chain).filter_map(|site| self.decider(site)).collect()
    }

    /// One case for each end at an address.
    pub(in crate::spf) fn outcomes(&self, ip: IpAddr) -> Vec<Case<Decision>> {
        self.told(outcomes(&self.diagram, *self.leaves.at(ip.to_canonical())))
    }

    fn told(&self, cases: Vec<Case<Marked<usize>>>) -> Vec<Case<Decision>> {
        let told = |case: Case<Marked<usize>>| Case {
            assuming: case.assuming,
            leaf: Decision { leaf: case.leaf.leaf, by: self.deciders(case.leaf.mark) },
        };
        cases.into_iter().map(told).collect()
    }

    fn decider(&self, (number, place): Site) -> Option<Decider> {
        let domain = self.chains.domains.get(number)?;
        let (term, end) = match place {
            Place::Term(index) => {
                let record = self.chains.records.get(domain)?;
                (record.terms().get(index).map(|term| (record.written(term).to_owned(), term.span)), None)
            }
            Place::Other(end) => (None, Some(end)),
        };
        let (term, span) = term.unzip();
        Some(Decider { domain: domain.clone(), term, span, end })
    }

    /// The sites that some chain goes through.
    fn deciding(&self) -> BTreeSet<Site> {
        let ends = self.diagram.leaves(self.leaves.runs().map(|(_, node)| *node));
        let chains: BTreeSet<usize> = ends.into_iter().map(|marked| marked.mark).collect();
        chains.into_iter().flat_map(|chain| self.chains.sites(chain)).collect()
    }

    /// The sites of terms that no chain goes through.
    fn others(&self) -> BTreeSet<Site> {
        let deciding = self.deciding();
        let terms = self.chains.records.iter().filter_map(|(domain, record)| {
            let number = self.chains.number(domain)?;
            Some(directives_and_redirect(record).map(move |(index, _)| (number, Place::Term(index))))
        });
        terms.flatten().filter(|site| !deciding.contains(site)).collect()
    }

    /// Finds the terms that make includes not match, by compiling again with marks for them.
    fn find_turning(&mut self, evidence: &dyn Evidence, domain: &DomainName) {
        let others: Vec<Site> = self.others().into_iter().collect();
        for (round, sites) in others.chunks(AT_ONCE).enumerate() {
            let mut wanted: BTreeMap<DomainName, BTreeMap<usize, u64>> = BTreeMap::new();
            let bits = (0..64).map(|place| 1_u64 << place);
            for ((at, place), bit) in sites.iter().zip(bits.clone()) {
                if let (Some(domain), Place::Term(index)) = (self.chains.domains.get(*at), place) {
                    wanted.entry(domain.clone()).or_default().insert(*index, bit);
                }
            }
            let compiled = (round < MAX_ROUNDS).then(|| compile(evidence, domain, Met { wanted: &wanted }));
            let Some(Ok((leaves, diagram, _))) = compiled else {
                self.unjudged.extend(sites);
                continue;
            };
            let ends = diagram.leaves(leaves.runs().map(|(_, node)| *node));
            let met = ends.into_iter().fold(0, |met, end| met | end.mark);
            let is_met = |(_, bit): &(&Site, u64)| met & bit != 0;
            self.turning.extend(sites.iter().zip(bits).filter(is_met).map(|(site, _)| *site));
        }
    }

    /// Finds the idle terms that would match nothing if they were alone, as far as the evidence says.
    fn find_empty(&mut self, evidence: &dyn Evidence, sender_domain: &DomainName) {
        for site in self.others() {
            let Some((domain, record)) =
                self.chains.domains.get(site.0).and_then(|domain| self.chains.records.get_key_value(domain))
            else {
                continue;
            };
            let Place::Term(index) = site.1 else { continue };
            let Some(TermKind::Directive(directive)) = record.terms().get(index).map(|term| &term.kind)
            else {
                continue;
            };
            let is_empty = match directive.mechanism.net() {
                Some(net) => AddressSet::from_nets([net]).is_subset(&AddressSet::mapped()),
                None => never_matches(evidence, sender_domain, domain, &directive.mechanism),
            };
            if is_empty {
                self.empty.insert(site);
            }
        }
    }

    fn why_idle(&self, record: &SpfRecord, term: &Term, (number, index): (usize, usize)) -> Idle {
        let TermKind::Directive(directive) = &term.kind else { return Idle::BehindAll };
        let is_same = |(_, other): (&Term, &Directive)| other.mechanism == directive.mechanism;
        if record.is_behind_all(term) {
            Idle::BehindAll
        } else if self.empty.contains(&(number, Place::Term(index))) {
            Idle::Empty
        } else if record.directives().take_while(|(other, _)| other.span < term.span).any(is_same) {
            Idle::Repeated
        } else {
            Idle::Shadowed
        }
    }
}

/// The terms that can decide anything, with their indices.
fn directives_and_redirect(record: &SpfRecord) -> impl Iterator<Item = (usize, &Term)> {
    record.terms().iter().enumerate().filter(|(_, term)| {
        matches!(term.kind, TermKind::Directive(_) | TermKind::Modifier(Modifier::Redirect(_)))
    })
}

type Compiled<M, K> = (Partition<Node<Marked<M>>>, Diagram<Marked<M>>, K);

fn compile<K: Marks>(
    evidence: &dyn Evidence,
    domain: &DomainName,
    marks: K,
) -> Result<Compiled<K::Mark, K>, Problem> {
    let mut compiler = Compiler::new(evidence, domain.clone(), marks);
    let leaves = compiler.run(&AddressSet::all())?;
    let (leaves, diagram) = canonical(&leaves, &compiler.diagram, |marked| marked);
    Ok((leaves, diagram, compiler.marks))
}

/// Whether a mechanism of the record at `domain` matches no address and ends in no error, whatever gets to it. Where the evidence does
/// not say, as nothing gets to it, it might.
fn never_matches(
    evidence: &dyn Evidence,
    sender_domain: &DomainName,
    domain: &DomainName,
    mechanism: &Mechanism,
) -> bool {
    let only = TermKind::Directive(Directive { qualifier: None, mechanism: mechanism.clone() });
    let Ok(record) = SpfRecord::from_terms([only]) else { return false };
    let alone = Subject { domain: domain.clone(), record: Some(record) }.publish_on(evidence);
    let recording = Recording::new(&alone);
    let mut compiler = Compiler::new(&recording, sender_domain.clone(), ());
    let Ok(leaves) = compiler.alone(domain) else { return false };
    let ends = compiler.diagram.leaves(leaves.runs().map(|(_, node)| *node));
    recording.complete(()).is_ok() && ends.iter().all(|marked| marked.leaf.result == SpfResult::Neutral)
}
