//! From a record and the evidence to a policy.
//!
//! The terms of a record are walked twice. Forwards, each term is told which addresses can reach it at all, so that
//! nothing is asked that no address needs. Backwards, each term is laid over what the terms after it say. Limits play
//! no part: every leaf keeps what its path spends.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::diagram::{Diagram, Leaf, Node, Turnout, Unknown};
use super::{Leaves, Spent};
use crate::dns::{Evidence, RecordType, Records, Resolved, resolve};
use crate::error::Problem;
use crate::name::DomainName;
use crate::net::{AddressSet, Family, IpRange, Partition};
use crate::spf::check::{MAX_DEPTH, Selection, select};
use crate::spf::{
    Directive, DomainSpec, DualCidr, MacroLetter, Mechanism, Partial, PartialContext, SpfRecord, SpfResult,
};

/// Records that one policy may be compiled from, repetitions included: an end for hostile evidence.
const MAX_RECORDS: usize = 20_000;

pub(super) struct Compiler<'e, E> {
    evidence: &'e E,
    /// The domain of the sender, `%{o}`: `check_host()` begins with it.
    sender_domain: DomainName,
    pub(super) diagram: Diagram<Leaf>,
    done: BTreeMap<DomainName, Compiled>,
    stack: Vec<DomainName>,
    records: usize,
}

/// The policy of one domain, right for the addresses in `scope`.
#[derive(Clone)]
struct Compiled {
    leaves: Leaves,
    scope: AddressSet,
    /// The lowest place in the stack that a loop inside refers to; `usize::MAX` where there is no loop.
    loops_to: usize,
}

/// One term or several, ready to be laid over what comes after them.
enum Layer {
    /// Networks and their results; the first that holds an address decides. Costs nothing.
    Nets(Vec<(IpRange, SpfResult)>),
    /// Results at some addresses; at the others the evaluation goes on at this cost, which differs by family.
    Decided { hits: Partition<Option<Leaf>>, miss: [Spent; 2] },
    /// An include: the policy of the other record, and the result where that passes.
    Include { child: Leaves, result: SpfResult },
    /// A term with an unknown, and the result where it matches.
    Open { unknown: usize, result: SpfResult, spent: Spent },
}

impl<'e, E: Evidence> Compiler<'e, E> {
    pub(super) fn new(evidence: &'e E, sender_domain: DomainName) -> Self {
        let diagram = Diagram::new(Vec::new());
        Self { evidence, sender_domain, diagram, done: BTreeMap::new(), stack: Vec::new(), records: 0 }
    }

    pub(super) fn run(&mut self, scope: &AddressSet) -> Result<Leaves, Problem> {
        let domain = self.sender_domain.clone();
        if domain.label_count() < 2 {
            // Section 4.3: there is no check for a name of one label.
            return Ok(constant(SpfResult::None, Spent::default()).blank_mapped());
        }
        // A v4-mapped client is an IPv4 client (RFC 7208 section 5).
        let scope = scope.difference(&AddressSet::mapped());
        let leaves = self.domain(&domain, &scope)?.leaves.blank_mapped();
        self.refuse_too_complex()?;
        Ok(leaves)
    }

    fn refuse_too_complex(&self) -> Result<(), Problem> {
        if self.records <= MAX_RECORDS && !self.diagram.is_exhausted() {
            return Ok(());
        }
        let message = format!(
            "the records that {} refers to are too many or too entangled to be compiled",
            self.sender_domain
        );
        Err(Problem::new("spf.too-complex", message))
    }

    fn domain(&mut self, domain: &DomainName, scope: &AddressSet) -> Result<Compiled, Problem> {
        if let Some(compiled) = self.done.get(domain)
            && scope.is_subset(&compiled.scope)
        {
            return Ok(compiled.clone());
        }
        self.records += 1;
        self.refuse_too_complex()?;
        let everywhere = |result| Ok((constant(result, Spent::default()), usize::MAX));
        let (leaves, loops_to) = match resolve(self.evidence, domain, RecordType::Txt) {
            Resolved::Records(rrset) => match &*select(rrset) {
                Selection::None => everywhere(SpfResult::None),
                Selection::Several | Selection::Invalid(_) => everywhere(SpfResult::PermError),
                Selection::Record(record) => {
                    self.stack.push(domain.clone());
                    let leaves = self.record(record, domain, scope);
                    self.stack.pop();
                    leaves
                }
            },
            Resolved::Absent { .. } => everywhere(SpfResult::None),
            Resolved::Failed => everywhere(SpfResult::TempError),
            // The answer is recorded as missing; compilation goes on to find what else is.
            Resolved::Unknown => everywhere(SpfResult::Neutral),
        }?;
        let compiled = Compiled { leaves, scope: scope.clone(), loops_to };
        // Where a loop leads out of this domain, what it means depends on how the evaluation got here.
        if compiled.loops_to >= self.stack.len() {
            self.done.insert(domain.clone(), compiled.clone());
        }
        Ok(compiled)
    }

    /// The policy of a record in the scope, and the lowest place in the stack that a loop refers to.
    fn record(
        &mut self,
        record: &SpfRecord,
        domain: &DomainName,
        scope: &AddressSet,
    ) -> Result<(Leaves, usize), Problem> {
        let mut left = scope.clone();
        let mut loops_to = usize::MAX;
        let mut layers: Vec<(Option<Family>, Layer)> = Vec::new();
        let mut nets: Vec<(IpRange, SpfResult)> = Vec::new();
        let mut end = None;
        for (_, directive) in record.directives() {
            let result = directive.qualifier_or_default().into();
            if let Some(net) = directive.mechanism.net() {
                nets.push((net.into(), result));
                continue;
            }
            flush(&mut nets, &mut left, &mut layers);
            if left.is_empty() {
                break;
            }
            if directive.mechanism == Mechanism::All {
                end = Some(constant(result, Spent::default()));
                break;
            }
            for family in families(directive.mechanism.domain()) {
                let left_in =
                    family.map_or(Cow::Borrowed(&left), |family| Cow::Owned(left.of_family(family)));
                if left_in.is_empty() {
                    continue;
                }
                let at = (domain, *family);
                let (layer, decided) = self.directive(directive, result, at, &left_in, &mut loops_to)?;
                left = match (decided, family) {
                    (Some(decided), None) => left.difference(&decided),
                    (Some(decided), Some(family)) => left.difference(&decided.of_family(*family)),
                    (None, _) => left,
                };
                layers.push((*family, layer));
            }
        }
        flush(&mut nets, &mut left, &mut layers);
        let mut leaves = match (end, record.redirect()) {
            (Some(end), _) => end,
            (None, Some(target)) if !record.has_all() && !left.is_empty() => {
                let mut leaves = constant(SpfResult::Neutral, Spent::default());
                for family in families(Some(target)) {
                    let redirected = self.redirect(target, (domain, *family), &left, &mut loops_to)?;
                    leaves = match family {
                        Some(family) => leaves.with_family(*family, redirected),
                        None => redirected,
                    };
                }
                leaves
            }
            (None, _) => constant(SpfResult::Neutral, Spent::default()),
        };
        for (family, layer) in layers.into_iter().rev() {
            let laid = self.lay(layer, &leaves);
            leaves = match family {
                Some(family) => leaves.with_family(family, laid),
                None => laid,
            };
            // Each layer may take long, and there may be as many as terms.
            self.refuse_too_complex()?;
        }
        let written = u32::try_from(record.term_count_costing_lookups()).unwrap_or(u32::MAX);
        if written > 0 {
            let entered = Spent { written, ..Spent::default() };
            leaves = self.each(&leaves, |compiler, node| compiler.after(entered, node));
        }
        Ok((leaves, loops_to))
    }

    /// The layer of a directive that is no network, and the addresses that it decides for certain.
    fn directive(
        &mut self,
        directive: &Directive,
        result: SpfResult,
        (domain, family): (&DomainName, Option<Family>),
        left: &AddressSet,
        loops_to: &mut usize,
    ) -> Result<(Layer, Option<AddressSet>), Problem> {
        let mechanism = &directive.mechanism;
        let name = match mechanism.domain() {
            Some(spec) => self.expand(spec, domain, family),
            None => Some(Partial::Known(domain.clone())),
        };
        let open = |compiler: &mut Self, target: String, cidr: String, unbounded: u32| {
            let unknown = compiler.unknown(mechanism.name(), mechanism.domain(), target, cidr, domain);
            Layer::Open { unknown, result, spent: Spent { unbounded, ..Spent::LOOKUP } }
        };
        let layer = match (mechanism, name) {
            (Mechanism::Include(_), None) => {
                Layer::Include { child: constant(SpfResult::PermError, Spent::default()), result }
            }
            (Mechanism::Include(_), Some(Partial::Known(target))) => {
                let child = self.other(&target, left, loops_to)?;
                Layer::Include { child, result }
            }
            (Mechanism::Include(_), Some(Partial::Open(target))) => open(self, target, String::new(), 1),
            (Mechanism::Ptr(_), Some(Partial::Known(target))) => {
                open(self, target.to_string(), String::new(), 0)
            }
            (Mechanism::Ptr(_) | Mechanism::Exists(_), Some(Partial::Open(target))) => {
                open(self, target, String::new(), 0)
            }
            (Mechanism::A { cidr, .. }, Some(Partial::Open(target))) => {
                open(self, target, cidr.to_string(), 0)
            }
            (Mechanism::Mx { cidr, .. }, Some(Partial::Open(target))) => {
                open(self, target, cidr.to_string(), 1)
            }
            (Mechanism::Exists(_), Some(Partial::Known(target))) => {
                match resolve(self.evidence, &target, RecordType::A) {
                    Resolved::Records(_) => everywhere(Leaf { result, spent: Spent::LOOKUP }),
                    Resolved::Failed => {
                        everywhere(Leaf { result: SpfResult::TempError, spent: Spent::LOOKUP })
                    }
                    Resolved::Absent { .. } => nowhere(Spent::LOOKUP.then(Spent::voids(1))),
                    Resolved::Unknown => nowhere(Spent::LOOKUP),
                }
            }
            (Mechanism::A { cidr, .. }, Some(Partial::Known(target))) => {
                let mut hosts = Hosts::new(result, left);
                hosts.add(self.evidence, &target, *cidr);
                hosts.layer(0)
            }
            (Mechanism::Mx { cidr, .. }, Some(Partial::Known(target))) => {
                self.mx(&target, *cidr, result, left)
            }
            // A name that DNS cannot hold matches nothing.
            (_, _) => nowhere(Spent::LOOKUP),
        };
        let decided = match &layer {
            Layer::Decided { hits, .. } => Some(hits.addresses_where(Option::is_some)),
            Layer::Include { child, .. } => Some(child.addresses_where(|node| match node {
                Node::Leaf(leaf) => {
                    !matches!(leaf.result, SpfResult::Fail | SpfResult::SoftFail | SpfResult::Neutral)
                }
                Node::Choice(_) => false,
            })),
            Layer::Nets(_) | Layer::Open { .. } => None,
        };
        Ok((layer, decided))
    }

    fn mx(&self, target: &DomainName, cidr: DualCidr, result: SpfResult, left: &AddressSet) -> Layer {
        let rrset = match resolve(self.evidence, target, RecordType::Mx) {
            Resolved::Records(rrset) => rrset,
            Resolved::Failed => {
                return everywhere(Leaf { result: SpfResult::TempError, spent: Spent::LOOKUP });
            }
            Resolved::Absent { .. } => return nowhere(Spent::LOOKUP.then(Spent::voids(1))),
            Resolved::Unknown => return nowhere(Spent::LOOKUP),
        };
        let Records::Mx(exchanges) = rrset.records() else { return nowhere(Spent::LOOKUP) };
        let mut hosts = Hosts::new(result, left);
        for exchange in exchanges {
            hosts.add(self.evidence, &exchange.exchange, cidr);
        }
        hosts.layer(u32::try_from(exchanges.len()).unwrap_or(u32::MAX))
    }

    fn redirect(
        &mut self,
        target: &DomainSpec,
        (domain, family): (&DomainName, Option<Family>),
        left: &AddressSet,
        loops_to: &mut usize,
    ) -> Result<Leaves, Problem> {
        let spec = target;
        let left_in = family.map_or(Cow::Borrowed(left), |family| Cow::Owned(left.of_family(family)));
        if left_in.is_empty() {
            return Ok(constant(SpfResult::Neutral, Spent::default()));
        }
        match self.expand(spec, domain, family) {
            None => Ok(constant(SpfResult::PermError, Spent::LOOKUP)),
            Some(Partial::Known(target)) => {
                let child = self.other(&target, &left_in, loops_to)?;
                Ok(self.each(&child, |compiler, node| {
                    compiler.diagram.replace(node, &mut |_, leaf| {
                        // Section 6.1: a redirect to a domain without a record is an error.
                        let result =
                            if leaf.result == SpfResult::None { SpfResult::PermError } else { leaf.result };
                        Node::Leaf(Leaf { result, spent: Spent::LOOKUP.then(leaf.spent) })
                    })
                }))
            }
            Some(Partial::Open(target)) => {
                let unknown = self.unknown("redirect", Some(spec), target, String::new(), domain);
                let layer = Layer::Open {
                    unknown,
                    result: SpfResult::Neutral,
                    spent: Spent { unbounded: 1, ..Spent::LOOKUP },
                };
                Ok(self.lay(layer, &constant(SpfResult::Neutral, Spent::default())))
            }
        }
    }

    /// The number of the unknown that a term of the record at `domain` asks for.
    fn unknown(
        &mut self,
        mechanism: &'static str,
        spec: Option<&DomainSpec>,
        target: String,
        cidr: String,
        domain: &DomainName,
    ) -> usize {
        let uses = |letter| spec.is_some_and(|spec| spec.uses(letter));
        let reads_record = matches!(mechanism, "include" | "redirect");
        self.diagram.unknown(Unknown {
            mechanism,
            target,
            asked_at: uses(MacroLetter::Validated).then(|| domain.clone()),
            sender_domain: (reads_record || uses(MacroLetter::Sender)).then(|| self.sender_domain.clone()),
            cidr,
        })
    }

    /// The policy of a domain that a record refers to.
    fn other(
        &mut self,
        target: &DomainName,
        left: &AddressSet,
        loops_to: &mut usize,
    ) -> Result<Leaves, Problem> {
        if let Some(place) = self.stack.iter().position(|domain| domain == target) {
            *loops_to = place.min(*loops_to);
            return Ok(constant(SpfResult::PermError, Spent::default()));
        }
        if self.stack.len() >= MAX_DEPTH {
            *loops_to = 0;
            return Ok(constant(SpfResult::PermError, Spent::default()));
        }
        let compiled = self.domain(target, left)?;
        *loops_to = compiled.loops_to.min(*loops_to);
        Ok(compiled.leaves)
    }

    fn expand(&self, spec: &DomainSpec, domain: &DomainName, family: Option<Family>) -> Option<Partial> {
        if let Some(name) = spec.literal() {
            return Some(Partial::Known(name.clone()));
        }
        let known = PartialContext {
            sender_domain: Some(&self.sender_domain),
            ipv6: family.map(|family| family == Family::V6),
            ..PartialContext::new(domain)
        };
        spec.expand_known(&known).ok()
    }

    /// Lays a layer over what comes after it.
    fn lay(&mut self, layer: Layer, rest: &Leaves) -> Leaves {
        match layer {
            Layer::Nets(nets) => {
                let leaf = |result| Node::Leaf(Leaf { result, spent: Spent::default() });
                rest.overlay(nets.into_iter().map(|(range, result)| (range, leaf(result))))
            }
            Layer::Decided { hits, miss: [v4, v6] } => {
                let mut done = BTreeMap::new();
                let rest = rest.map_families(|family, node| {
                    let spent = if family == Family::V4 { v4 } else { v6 };
                    match node {
                        Node::Leaf(_) => self.after(spent, *node),
                        Node::Choice(index) => {
                            *done.entry((family, *index)).or_insert_with(|| self.after(spent, *node))
                        }
                    }
                });
                hits.zip(&rest, |hit, rest| hit.map_or(*rest, Node::Leaf))
            }
            Layer::Include { child, result } => {
                let mut done = BTreeMap::new();
                child.zip(rest, |child, rest| match (child, rest) {
                    (Node::Leaf(_), Node::Leaf(_)) => self.include(*child, *rest, result),
                    both => *done.entry(both).or_insert_with(|| self.include(*child, *rest, result)),
                })
            }
            Layer::Open { unknown, result, spent } => {
                let mut done = BTreeMap::new();
                rest.map(|rest| {
                    *done.entry(*rest).or_insert_with(|| self.open(unknown, result, spent, *rest))
                })
            }
        }
    }

    /// The node, with `spent` spent before it.
    fn after(&mut self, spent: Spent, node: Node<Leaf>) -> Node<Leaf> {
        self.diagram.replace(node, &mut |_, leaf| Node::Leaf(Leaf { spent: spent.then(leaf.spent), ..leaf }))
    }

    /// Section 5.2: what an include makes of the results of the other record.
    fn include(&mut self, child: Node<Leaf>, rest: Node<Leaf>, result: SpfResult) -> Node<Leaf> {
        self.diagram.replace(child, &mut |diagram, leaf| {
            let spent = Spent::LOOKUP.then(leaf.spent);
            let result = match leaf.result {
                SpfResult::Pass => result,
                SpfResult::TempError => SpfResult::TempError,
                SpfResult::PermError | SpfResult::None => SpfResult::PermError,
                SpfResult::Fail | SpfResult::SoftFail | SpfResult::Neutral => {
                    return diagram.replace(rest, &mut |_, leaf| {
                        Node::Leaf(Leaf { spent: spent.then(leaf.spent), ..leaf })
                    });
                }
            };
            Node::Leaf(Leaf { result, spent })
        })
    }

    fn open(&mut self, unknown: usize, result: SpfResult, spent: Spent, rest: Node<Leaf>) -> Node<Leaf> {
        let branches = self.diagram.unknowns.get(unknown).map(Unknown::branches).unwrap_or_default();
        let branches: Vec<Node<Leaf>> = branches
            .into_iter()
            .map(|branch| {
                let spent = spent.then(Spent::voids(branch.void_queries));
                match branch.turnout {
                    Turnout::Match => Node::Leaf(Leaf { result, spent }),
                    Turnout::NoMatch => self.after(spent, rest),
                    Turnout::Result(result) => Node::Leaf(Leaf { result, spent }),
                }
            })
            .collect();
        self.diagram.choose(unknown, &branches)
    }

    /// `change` of every node; of a choice only once, however many ranges it stands for.
    fn each(
        &mut self,
        leaves: &Leaves,
        mut change: impl FnMut(&mut Self, Node<Leaf>) -> Node<Leaf>,
    ) -> Leaves {
        let mut done = BTreeMap::new();
        leaves.map(|node| match node {
            Node::Leaf(_) => change(self, *node),
            Node::Choice(index) => *done.entry(*index).or_insert_with(|| change(self, *node)),
        })
    }
}

/// The families for which a name is expanded on its own: `%{v}` is one text under IPv4 and another under IPv6
/// (RFC 7208 section 7.2), each of them fixed.
fn families(spec: Option<&DomainSpec>) -> &'static [Option<Family>] {
    match spec {
        Some(spec) if spec.uses(MacroLetter::Version) => &[Some(Family::V4), Some(Family::V6)],
        _ => &[None],
    }
}

/// Makes a layer of the networks gathered so far.
fn flush(
    nets: &mut Vec<(IpRange, SpfResult)>,
    left: &mut AddressSet,
    layers: &mut Vec<(Option<Family>, Layer)>,
) {
    if !nets.is_empty() {
        *left = left.difference(&AddressSet::from_ranges(nets.iter().map(|(range, _)| *range)));
        layers.push((None, Layer::Nets(std::mem::take(nets))));
    }
}

fn constant(result: SpfResult, spent: Spent) -> Leaves {
    let leaf = Node::Leaf(Leaf { result, spent });
    Partition::constant(leaf, leaf)
}

fn everywhere(leaf: Leaf) -> Layer {
    Layer::Decided { hits: Partition::constant(Some(leaf), Some(leaf)), miss: [Spent::default(); 2] }
}

fn nowhere(miss: Spent) -> Layer {
    Layer::Decided { hits: Partition::constant(None, None), miss: [miss; 2] }
}

/// The hosts of an `a` or `mx` term, asked one after the other, in both families at once.
struct Hosts {
    result: SpfResult,
    families: [HostsOf; 2],
}

/// The part of one family.
struct HostsOf {
    family: Family,
    /// Whether an address of this family gets here at all.
    reached: bool,
    void_queries: u32,
    most_addresses: u32,
    hits: Vec<(IpRange, Leaf)>,
    /// Set when a query failed: everything that has not matched by then is temperror.
    failed: Option<Leaf>,
}

impl Hosts {
    fn new(result: SpfResult, left: &AddressSet) -> Self {
        let of = |family| HostsOf {
            family,
            reached: !left.of_family(family).is_empty(),
            void_queries: 0,
            most_addresses: 0,
            hits: Vec::new(),
            failed: None,
        };
        Self { result, families: [of(Family::V4), of(Family::V6)] }
    }

    fn add<E: Evidence>(&mut self, evidence: &E, host: &DomainName, cidr: DualCidr) {
        for part in &mut self.families {
            if !part.reached || part.failed.is_some() {
                continue;
            }
            let record_type = if part.family == Family::V4 { RecordType::A } else { RecordType::Aaaa };
            match resolve(evidence, host, record_type) {
                Resolved::Records(rrset) => {
                    let ranges: Vec<IpRange> = match rrset.records() {
                        Records::A(addresses) => addresses
                            .iter()
                            .filter_map(|address| ipnet::Ipv4Net::new(*address, cidr.v4_or_default()).ok())
                            .map(|net| ipnet::IpNet::from(net).into())
                            .collect(),
                        Records::Aaaa(addresses) => addresses
                            .iter()
                            .filter_map(|address| ipnet::Ipv6Net::new(*address, cidr.v6_or_default()).ok())
                            .map(|net| ipnet::IpNet::from(net).into())
                            .collect(),
                        _ => Vec::new(),
                    };
                    part.most_addresses =
                        part.most_addresses.max(u32::try_from(ranges.len()).unwrap_or(u32::MAX));
                    let leaf = part.leaf(self.result);
                    part.hits.extend(ranges.into_iter().map(|range| (range, leaf)));
                }
                Resolved::Absent { .. } => part.void_queries += 1,
                Resolved::Failed => part.failed = Some(part.leaf(SpfResult::TempError)),
                Resolved::Unknown => {}
            }
        }
    }

    /// The layer, for an `mx` term with that many hosts (none for `a`).
    fn layer(self, mx_names: u32) -> Layer {
        let is_mx = mx_names > 0;
        let finish = |leaf: Leaf| {
            let mx_addresses = if is_mx { leaf.spent.mx_addresses } else { 0 };
            Leaf { spent: Spent { mx_names, mx_addresses, ..leaf.spent }, ..leaf }
        };
        let [v4, v6] = &self.families;
        let miss = [v4, v6].map(|part| finish(part.leaf(SpfResult::None)).spent);
        let hits = v4.hits.iter().chain(&v6.hits).map(|(range, leaf)| (*range, Some(finish(*leaf))));
        let hits = Partition::from_ranges(v4.failed.map(finish), v6.failed.map(finish), hits);
        Layer::Decided { hits, miss }
    }
}

impl HostsOf {
    /// A result here, with what was spent so far.
    fn leaf(&self, result: SpfResult) -> Leaf {
        let voids = Spent::voids(self.void_queries);
        Leaf { result, spent: Spent { mx_addresses: self.most_addresses, ..Spent::LOOKUP.then(voids) } }
    }
}
