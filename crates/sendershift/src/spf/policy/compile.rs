//! From a record and the evidence to a policy.
//!
//! The terms of a record are walked twice. Forwards, each term is told which addresses can reach it at all, so that
//! nothing is asked that no address needs. Backwards, each term is laid over what the terms after it say. Limits play
//! no part: every leaf keeps what its path spends.

mod hosts;

use std::borrow::Cow;
use std::collections::BTreeMap;

use hosts::Hosts;

use super::Spent;
use super::diagram::{Diagram, Leaf, Node, Turnout, Unknown};
use super::marks::{End, Marked, Marks, Place};
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

/// The ends of evaluations at every address, with marks.
type Leaves<M> = Partition<Node<Marked<M>>>;

pub(super) struct Compiler<'e, K: Marks> {
    evidence: &'e dyn Evidence,
    /// The domain of the sender, `%{o}`: `check_host()` begins with it.
    sender_domain: DomainName,
    pub(super) diagram: Diagram<Marked<K::Mark>>,
    pub(super) marks: K,
    done: BTreeMap<DomainName, Compiled<K::Mark>>,
    stack: Vec<DomainName>,
    records: usize,
}

/// The policy of one domain, right for the addresses in `scope`.
#[derive(Clone)]
struct Compiled<M> {
    leaves: Leaves<M>,
    scope: AddressSet,
    /// The lowest place in the stack that a loop inside refers to; `usize::MAX` where there is no loop.
    loops_to: usize,
}

/// One term or several, ready to be laid over what comes after them.
enum Layer<M> {
    /// Results at some addresses, the first that holds an address decides; at the others the evaluation goes on at this cost, which
    /// differs by family.
    Decided { hits: Vec<(IpRange, Marked<M>)>, miss: [Spent; 2] },
    /// An include: the policy of the other record, and the result where that passes.
    Include { child: Leaves<M>, result: SpfResult, term: usize },
    /// A term with an unknown, and the result where it matches.
    Open { unknown: usize, result: SpfResult, spent: Spent, mark: M },
}

/// Where a term stands, for the family that its names are expanded for.
#[derive(Clone, Copy)]
struct At<'a> {
    domain: &'a DomainName,
    term: usize,
    family: Option<Family>,
}

impl<'e, K: Marks> Compiler<'e, K> {
    pub(super) fn new(evidence: &'e dyn Evidence, sender_domain: DomainName, marks: K) -> Self {
        let diagram = Diagram::new(Vec::new());
        let (done, stack) = (BTreeMap::new(), Vec::new());
        Self { evidence, sender_domain, diagram, marks, done, stack, records: 0 }
    }

    pub(super) fn run(&mut self, scope: &AddressSet) -> Result<Leaves<K::Mark>, Problem> {
        let domain = self.sender_domain.clone();
        if domain.label_count() < 2 {
            // Section 4.3: there is no check for a name of one label.
            return Ok(self.ended(&domain, End::BadName, SpfResult::None).blank_mapped());
        }
        // A v4-mapped client is an IPv4 client (RFC 7208 section 5).
        let scope = scope.difference(&AddressSet::mapped());
        let leaves = self.domain(&domain, &scope)?.leaves.blank_mapped();
        self.refuse_too_complex()?;
        Ok(leaves)
    }

    /// The policy of a record that is included, as if it were the first one; the sender stays.
    pub(super) fn alone(&mut self, domain: &DomainName) -> Result<Leaves<K::Mark>, Problem> {
        let leaves = self.domain(domain, &AddressSet::all().difference(&AddressSet::mapped()))?.leaves;
        self.refuse_too_complex()?;
        Ok(leaves.blank_mapped())
    }

    /// A result at all addresses that no term of the domain's record leads to.
    fn ended(&mut self, domain: &DomainName, end: End, result: SpfResult) -> Leaves<K::Mark> {
        let mark = self.marks.end(domain, Place::Other(end));
        constant(Leaf { result, spent: Spent::default() }, mark)
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

    fn domain(&mut self, domain: &DomainName, scope: &AddressSet) -> Result<Compiled<K::Mark>, Problem> {
        if let Some(compiled) = self.done.get(domain)
            && scope.is_subset(&compiled.scope)
        {
            return Ok(compiled.clone());
        }
        self.records += 1;
        self.refuse_too_complex()?;
        let (leaves, loops_to) = match resolve(self.evidence, domain, RecordType::Txt) {
            Resolved::Records(rrset) => match &*select(rrset) {
                Selection::None => (self.ended(domain, End::NoRecord, SpfResult::None), usize::MAX),
                Selection::Several => {
                    (self.ended(domain, End::SeveralRecords, SpfResult::PermError), usize::MAX)
                }
                Selection::Invalid(_) => {
                    (self.ended(domain, End::InvalidRecord, SpfResult::PermError), usize::MAX)
                }
                Selection::Record(record) => {
                    self.marks.enter(domain, record);
                    self.stack.push(domain.clone());
                    let leaves = self.record(record, domain, scope);
                    self.stack.pop();
                    leaves?
                }
            },
            Resolved::Absent { .. } => (self.ended(domain, End::NoRecord, SpfResult::None), usize::MAX),
            Resolved::Failed => (self.ended(domain, End::NoAnswer, SpfResult::TempError), usize::MAX),
            // The answer is recorded as missing; compilation goes on to find what else is.
            Resolved::Unknown => (self.ended(domain, End::NoAnswer, SpfResult::Neutral), usize::MAX),
        };
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
    ) -> Result<(Leaves<K::Mark>, usize), Problem> {
        let mut left = scope.clone();
        let mut loops_to = usize::MAX;
        let mut layers: Vec<(Option<Family>, Layer<K::Mark>)> = Vec::new();
        let mut nets: Vec<(IpRange, Marked<K::Mark>)> = Vec::new();
        let mut end = None;
        for (term, directive) in record.indexed_directives() {
            let result = directive.qualifier_or_default().into();
            if let Some(net) = directive.mechanism.net() {
                let leaf = Leaf { result, spent: Spent::default() };
                nets.push((net.into(), Marked { leaf, mark: self.marks.end(domain, Place::Term(term)) }));
                continue;
            }
            flush(&mut nets, &mut left, &mut layers);
            if left.is_empty() {
                break;
            }
            if directive.mechanism == Mechanism::All {
                let mark = self.marks.end(domain, Place::Term(term));
                end = Some(constant(Leaf { result, spent: Spent::default() }, mark));
                break;
            }
            for family in families(directive.mechanism.domain()) {
                let left_in =
                    family.map_or(Cow::Borrowed(&left), |family| Cow::Owned(left.of_family(family)));
                if left_in.is_empty() {
                    continue;
                }
                let at = At { domain, term, family: *family };
                let (layer, decided) = self.directive(directive, result, at, &left_in, &mut loops_to)?;
                left = match (decided, family) {
                    (Some(decided), None) => left.difference(&decided),
                    (Some(decided), Some(family)) => left.difference(&decided.of_family(*family)),
                    (None, _) => left,
                };
                put(&mut layers, *family, layer);
            }
        }
        flush(&mut nets, &mut left, &mut layers);
        let mut leaves = match (end, record.indexed_redirect()) {
            (Some(end), _) => end,
            (None, Some((term, target))) if !record.has_all() && !left.is_empty() => {
                let mut leaves = self.ended(domain, End::Default, SpfResult::Neutral);
                for family in families(Some(target)) {
                    let at = At { domain, term, family: *family };
                    let redirected = self.redirect(target, at, &left, &mut loops_to)?;
                    leaves = match family {
                        Some(family) => leaves.with_family(*family, redirected),
                        None => redirected,
                    };
                }
                leaves
            }
            (None, _) => self.ended(domain, End::Default, SpfResult::Neutral),
        };
        for (family, layer) in layers.into_iter().rev() {
            let laid = self.lay(layer, domain, &leaves);
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
        at: At<'_>,
        left: &AddressSet,
        loops_to: &mut usize,
    ) -> Result<(Layer<K::Mark>, Option<AddressSet>), Problem> {
        let At { domain, family, term } = at;
        let mechanism = &directive.mechanism;
        let mark = self.marks.end(domain, Place::Term(term));
        let name = match mechanism.domain() {
            Some(spec) => self.expand(spec, domain, family),
            None => Some(Partial::Known(domain.clone())),
        };
        let open = |compiler: &mut Self, target: String, cidr: String, unbounded: u32| {
            let unknown = compiler.unknown(mechanism.name(), mechanism.domain(), target, cidr, domain);
            Layer::Open { unknown, result, spent: Spent { unbounded, ..Spent::LOOKUP }, mark }
        };
        let layer = match (mechanism, name) {
            (Mechanism::Include(_), None) => {
                let child = self.ended(domain, End::BadName, SpfResult::PermError);
                Layer::Include { child, result, term }
            }
            (Mechanism::Include(_), Some(Partial::Known(target))) => {
                let child = self.other(&target, left, loops_to)?;
                Layer::Include { child, result, term }
            }
            (Mechanism::Include(_), Some(Partial::Open(target))) => open(self, target, String::new(), 1),
            (Mechanism::Ptr(_), Some(Partial::Known(target))) => {
                // A target is a macro-string, whatever it asks for.
                let target = target.as_str().replace('%', "%%").replace(' ', "%_");
                open(self, target, String::new(), 0)
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
                    Resolved::Records(_) => everywhere(Leaf { result, spent: Spent::LOOKUP }, mark),
                    Resolved::Failed => {
                        everywhere(Leaf { result: SpfResult::TempError, spent: Spent::LOOKUP }, mark)
                    }
                    Resolved::Absent { .. } => nowhere(Spent::LOOKUP.then(Spent::voids(1))),
                    Resolved::Unknown => nowhere(Spent::LOOKUP),
                }
            }
            (Mechanism::A { cidr, .. }, Some(Partial::Known(target))) => {
                let mut hosts = Hosts::new(result, left);
                hosts.add(self.evidence, &target, *cidr);
                hosts.layer(0, mark)
            }
            (Mechanism::Mx { cidr, .. }, Some(Partial::Known(target))) => {
                self.mx(&target, *cidr, (result, mark), left)
            }
            // A name that DNS cannot hold matches nothing.
            (_, _) => nowhere(Spent::LOOKUP),
        };
        let decided = match &layer {
            Layer::Decided { hits, .. } => {
                Some(AddressSet::from_ranges(hits.iter().map(|(range, _)| *range)))
            }
            Layer::Include { child, .. } => Some(child.addresses_where(|node| match node {
                Node::Leaf(Marked { leaf, .. }) => {
                    !matches!(leaf.result, SpfResult::Fail | SpfResult::SoftFail | SpfResult::Neutral)
                }
                Node::Choice(_) => false,
            })),
            Layer::Open { .. } => None,
        };
        Ok((layer, decided))
    }

    fn mx(
        &self,
        target: &DomainName,
        cidr: DualCidr,
        (result, mark): (SpfResult, K::Mark),
        left: &AddressSet,
    ) -> Layer<K::Mark> {
        let rrset = match resolve(self.evidence, target, RecordType::Mx) {
            Resolved::Records(rrset) => rrset,
            Resolved::Failed => {
                return everywhere(Leaf { result: SpfResult::TempError, spent: Spent::LOOKUP }, mark);
            }
            Resolved::Absent { .. } => return nowhere(Spent::LOOKUP.then(Spent::voids(1))),
            Resolved::Unknown => return nowhere(Spent::LOOKUP),
        };
        let Records::Mx(exchanges) = rrset.records() else { return nowhere(Spent::LOOKUP) };
        let mut hosts = Hosts::new(result, left);
        for exchange in exchanges {
            hosts.add(self.evidence, &exchange.exchange, cidr);
        }
        hosts.layer(u32::try_from(exchanges.len()).unwrap_or(u32::MAX), mark)
    }

    fn redirect(
        &mut self,
        target: &DomainSpec,
        at: At<'_>,
        left: &AddressSet,
        loops_to: &mut usize,
    ) -> Result<Leaves<K::Mark>, Problem> {
        let (spec, At { domain, family, term }) = (target, at);
        let left_in = family.map_or(Cow::Borrowed(left), |family| Cow::Owned(left.of_family(family)));
        if left_in.is_empty() {
            return Ok(self.ended(domain, End::Default, SpfResult::Neutral));
        }
        match self.expand(spec, domain, family) {
            None => {
                let inner = self.marks.end(domain, Place::Other(End::BadName));
                let mark = self.marks.through(domain, term, inner);
                Ok(constant(Leaf { result: SpfResult::PermError, spent: Spent::LOOKUP }, mark))
            }
            Some(Partial::Known(target)) => {
                let child = self.other(&target, &left_in, loops_to)?;
                Ok(self.each(&child, |Self { diagram, marks, .. }, node| {
                    diagram.replace(node, &mut |_, Marked { leaf, mark }| {
                        // Section 6.1: a redirect to a domain without a record is an error.
                        let result =
                            if leaf.result == SpfResult::None { SpfResult::PermError } else { leaf.result };
                        let leaf = Leaf { result, spent: Spent::LOOKUP.then(leaf.spent) };
                        Node::Leaf(Marked { leaf, mark: marks.through(domain, term, mark) })
                    })
                }))
            }
            Some(Partial::Open(target)) => {
                let unknown = self.unknown("redirect", Some(spec), target, String::new(), domain);
                let layer = Layer::Open {
                    unknown,
                    result: SpfResult::Neutral,
                    spent: Spent { unbounded: 1, ..Spent::LOOKUP },
                    mark: self.marks.end(domain, Place::Term(term)),
                };
                let rest = self.ended(domain, End::Default, SpfResult::Neutral);
                Ok(self.lay(layer, domain, &rest))
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
    ) -> Result<Leaves<K::Mark>, Problem> {
        if let Some(place) = self.stack.iter().position(|domain| domain == target) {
            *loops_to = place.min(*loops_to);
            return Ok(self.ended(target, End::Loop, SpfResult::PermError));
        }
        if self.stack.len() >= MAX_DEPTH {
            *loops_to = 0;
            return Ok(self.ended(target, End::TooDeep, SpfResult::PermError));
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

    /// Lays a layer of the record at `domain` over what comes after it.
    fn lay(&mut self, layer: Layer<K::Mark>, domain: &DomainName, rest: &Leaves<K::Mark>) -> Leaves<K::Mark> {
        match layer {
            Layer::Decided { hits, miss } => {
                let hits = hits.into_iter().map(|(range, end)| (range, Node::Leaf(end)));
                if miss == [Spent::default(); 2] {
                    return rest.overlay(hits);
                }
                let mut done = BTreeMap::new();
                let rest = rest.map_families(|family, node| {
                    let spent = of_family(miss, family);
                    match node {
                        Node::Leaf(_) => self.after(spent, *node),
                        Node::Choice(index) => {
                            *done.entry((family, *index)).or_insert_with(|| self.after(spent, *node))
                        }
                    }
                });
                rest.overlay(hits)
            }
            Layer::Include { child, result, term } => {
                let mut done = BTreeMap::new();
                let mut include = |child, rest| self.include(child, rest, result, (domain, term));
                child.zip(rest, |child, rest| match (child, rest) {
                    (Node::Leaf(_), Node::Leaf(_)) => include(*child, *rest),
                    both => *done.entry(both).or_insert_with(|| include(*child, *rest)),
                })
            }
            Layer::Open { unknown, result, spent, mark } => {
                let mut done = BTreeMap::new();
                rest.map(|rest| {
                    *done.entry(*rest).or_insert_with(|| self.open(unknown, (result, mark), spent, *rest))
                })
            }
        }
    }

    /// The node, with `spent` spent before it.
    fn after(&mut self, spent: Spent, node: Node<Marked<K::Mark>>) -> Node<Marked<K::Mark>> {
        self.diagram.replace(node, &mut |_, end| end.after(spent))
    }

    /// Section 5.2: what an include makes of the results of the other record.
    fn include(
        &mut self,
        child: Node<Marked<K::Mark>>,
        rest: Node<Marked<K::Mark>>,
        result: SpfResult,
        (domain, term): (&DomainName, usize),
    ) -> Node<Marked<K::Mark>> {
        let Self { diagram, marks, .. } = self;
        diagram.replace(child, &mut |diagram, Marked { leaf, mark: inner }| {
            let spent = Spent::LOOKUP.then(leaf.spent);
            let result = match leaf.result {
                SpfResult::Pass => result,
                SpfResult::TempError => SpfResult::TempError,
                SpfResult::PermError | SpfResult::None => SpfResult::PermError,
                SpfResult::Fail | SpfResult::SoftFail | SpfResult::Neutral => {
                    return diagram.replace(rest, &mut |_, end| {
                        Marked { mark: marks.pass_by(inner, end.mark), ..end }.after(spent)
                    });
                }
            };
            Node::Leaf(Marked { leaf: Leaf { result, spent }, mark: marks.through(domain, term, inner) })
        })
    }

    fn open(
        &mut self,
        unknown: usize,
        (result, mark): (SpfResult, K::Mark),
        spent: Spent,
        rest: Node<Marked<K::Mark>>,
    ) -> Node<Marked<K::Mark>> {
        let branches = self.diagram.unknowns.get(unknown).map(Unknown::branches).unwrap_or_default();
        let branches: Vec<Node<Marked<K::Mark>>> = branches
            .into_iter()
            .map(|branch| {
                let spent = spent.then(Spent::voids(branch.void_queries));
                match branch.turnout {
                    Turnout::Match => Node::Leaf(Marked { leaf: Leaf { result, spent }, mark }),
                    Turnout::NoMatch => self.after(spent, rest),
                    Turnout::Result(result) => Node::Leaf(Marked { leaf: Leaf { result, spent }, mark }),
                }
            })
            .collect();
        self.diagram.choose(unknown, &branches)
    }

    /// `change` of every node; of a choice only once, however many ranges it stands for.
    fn each(
        &mut self,
        leaves: &Leaves<K::Mark>,
        mut change: impl FnMut(&mut Self, Node<Marked<K::Mark>>) -> Node<Marked<K::Mark>>,
    ) -> Leaves<K::Mark> {
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
fn flush<M: Copy>(
    nets: &mut Vec<(IpRange, Marked<M>)>,
    left: &mut AddressSet,
    layers: &mut Vec<(Option<Family>, Layer<M>)>,
) {
    if !nets.is_empty() {
        *left = left.difference(&AddressSet::from_ranges(nets.iter().map(|(range, _)| *range)));
        put(layers, None, Layer::Decided { hits: std::mem::take(nets), miss: [Spent::default(); 2] });
    }
}

/// Puts a layer below those before it. Two that decide addresses for certain become one, as each takes a look at all that is below.
fn put<M: Copy>(layers: &mut Vec<(Option<Family>, Layer<M>)>, family: Option<Family>, layer: Layer<M>) {
    match (layers.last_mut(), layer) {
        (Some((None, Layer::Decided { hits, miss })), Layer::Decided { hits: more, miss: further })
            if family.is_none() =>
        {
            let before = *miss;
            hits.extend(more.into_iter().map(|(range, Marked { leaf, mark })| {
                let spent = of_family(before, range.family()).then(leaf.spent);
                (range, Marked { leaf: Leaf { spent, ..leaf }, mark })
            }));
            *miss = [Family::V4, Family::V6]
                .map(|family| of_family(before, family).then(of_family(further, family)));
        }
        (_, layer) => layers.push((family, layer)),
    }
}

fn of_family([v4, v6]: [Spent; 2], family: Family) -> Spent {
    if family == Family::V4 { v4 } else { v6 }
}

fn constant<M: Copy>(leaf: Leaf, mark: M) -> Leaves<M> {
    let end = Node::Leaf(Marked { leaf, mark });
    Partition::constant(end, end)
}

fn everywhere<M: Copy>(leaf: Leaf, mark: M) -> Layer<M> {
    let hits = [Family::V4, Family::V6].map(|family| (IpRange::all(family), Marked { leaf, mark }));
    Layer::Decided { hits: hits.into(), miss: [Spent::default(); 2] }
}

fn nowhere<M>(miss: Spent) -> Layer<M> {
    Layer::Decided { hits: Vec::new(), miss: [miss; 2] }
}

impl<M> Marked<M> {
    /// The same end, with `spent` spent before it.
    fn after(self, spent: Spent) -> Node<Self> {
        let Self { leaf, mark } = self;
        Node::Leaf(Self { leaf: Leaf { spent: spent.then(leaf.spent), ..leaf }, mark })
    }
}
