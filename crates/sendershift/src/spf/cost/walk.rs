//! The tree of records, with what each term spends.

use std::collections::{BTreeMap, BTreeSet};

use super::{CostProblem, Note, RecordCost, TermCost, Totals};
use crate::dns::{Evidence, RecordType, Records, Resolved, resolve};
use crate::error::Problem;
use crate::name::DomainName;
use crate::net::Family;
use crate::spf::check::{MAX_DEPTH, Selection, select};
use crate::spf::policy::most_void_queries;
use crate::spf::{
    DomainSpec, MacroLetter, Modifier, Partial, PartialContext, Profile, SpfRecord, Term, TermKind, VoidUnit,
};

/// Records that are walked, repetitions included: an end for hostile evidence.
const MAX_RECORDS: usize = 20_000;
/// Records that the tree shows.
const MAX_SHOWN: usize = 200;
/// How deep the tree shows records: readers of JSON allow little more.
const MAX_SHOWN_DEPTH: usize = 20;

/// The tree of a domain's record, and whether records were left out of it.
///
/// `noted` is the same evidence as `evidence`, and notes what it cannot answer: records are asked of it. Which
/// addresses of hosts are needed is for the policy to say.
pub(in crate::spf) fn tree(
    evidence: &dyn Evidence,
    noted: &dyn Evidence,
    domain: &DomainName,
    profile: &Profile,
) -> Result<(RecordCost, bool), Problem> {
    let mut walk = Walk {
        evidence,
        noted,
        sender_domain: domain,
        profile,
        totals: BTreeMap::new(),
        shown: BTreeSet::new(),
        stack: Vec::new(),
        records: 0,
        truncated: false,
    };
    let (tree, _) = walk.record(domain)?;
    Ok((tree, walk.truncated))
}

struct Walk<'e> {
    evidence: &'e dyn Evidence,
    noted: &'e dyn Evidence,
    /// `%{o}`: the walk begins with it.
    sender_domain: &'e DomainName,
    profile: &'e Profile,
    /// What records cost whose cost does not depend on the way to them.
    totals: BTreeMap<DomainName, Totals>,
    shown: BTreeSet<DomainName>,
    stack: Vec<DomainName>,
    records: usize,
    truncated: bool,
}

/// The lowest place in the stack that a loop refers to; `usize::MAX` where there is none.
type LoopsTo = usize;

impl Walk<'_> {
    fn record(&mut self, domain: &DomainName) -> Result<(RecordCost, LoopsTo), Problem> {
        self.records += 1;
        if self.records > MAX_RECORDS {
            let message = format!("the records that {} refers to are too many", self.sender_domain);
            return Err(Problem::new("spf.too-complex", message));
        }
        let assumed = self.assumed(domain, RecordType::Txt);
        let mut shown = RecordCost {
            domain: domain.clone(),
            record: None,
            octets: None,
            ttl: None,
            assumed,
            problem: None,
            total: Totals::default(),
            terms: Vec::new(),
        };
        let rrset = match resolve(self.noted, domain, RecordType::Txt) {
            Resolved::Records(rrset) => rrset,
            Resolved::Absent { .. } => return Ok((shown.with_problem("spf.no-record"), usize::MAX)),
            Resolved::Failed => return Ok((shown.with_problem("spf.dns-failure"), usize::MAX)),
            // The question is recorded, and the tree never seen.
            Resolved::Unknown => return Ok((shown, usize::MAX)),
        };
        shown.octets = Some(rrset.size(domain));
        shown.ttl = rrset.ttl();
        let mut loops_to = usize::MAX;
        match &*select(rrset) {
            Selection::None => shown = shown.with_problem("spf.no-record"),
            Selection::Several => shown = shown.with_problem("spf.several-records"),
            Selection::Invalid(invalid) => {
                let first = invalid.problems.first();
                shown = shown.with_problem(first.map_or("spf.invalid-record", |problem| problem.code));
            }
            Selection::Record(record) => {
                shown.record = Some(record.text().to_owned());
                self.stack.push(domain.clone());
                for term in record.terms() {
                    let mut cost = self.term(record, term, domain, &mut loops_to)?;
                    if shown.assumed.is_some() {
                        cost.own.assumed = cost.own.lookups;
                    }
                    cost.total = cost.own.plus(cost.total);
                    shown.total = shown.total.plus(cost.total);
                    shown.terms.push(cost);
                }
                self.stack.pop();
            }
        }
        if loops_to >= self.stack.len() {
            self.totals.insert(domain.clone(), shown.total);
        }
        Ok((shown, loops_to))
    }

    /// The term; its `total` is that of the record it refers to alone.
    fn term(
        &mut self,
        record: &SpfRecord,
        term: &Term,
        domain: &DomainName,
        loops_to: &mut LoopsTo,
    ) -> Result<TermCost, Problem> {
        let mut cost = TermCost {
            term: record.written(term).to_owned(),
            span: term.span,
            own: Totals::default(),
            total: Totals::default(),
            assumed: None,
            problem: None,
            note: None,
            role: None,
            idle: None,
            decides: None,
            child: None,
        };
        let (name, spec) = match &term.kind {
            TermKind::Directive(directive) => (directive.mechanism.name(), directive.mechanism.domain()),
            TermKind::Modifier(Modifier::Redirect(spec)) => ("redirect", Some(spec)),
            TermKind::Modifier(_) => return Ok(cost),
        };
        if !record.costs_lookup(term) {
            let costs_nothing = matches!(name, "all" | "ip4" | "ip6");
            cost.note = (!costs_nothing).then_some(Note::Idle);
            return Ok(cost);
        }
        cost.own.lookups = 1;
        let target = match spec {
            Some(spec) => self.expand(spec, domain, None),
            None => Some(Partial::Known(domain.clone())),
        };
        let (mut voids_v4, mut voids_v6) = (0, 0);
        match (name, target) {
            ("include" | "redirect", Some(Partial::Known(target))) => {
                self.refer(&target, name, &mut cost, loops_to)?;
            }
            ("include" | "redirect", Some(Partial::Open(_)))
                if spec.is_some_and(|spec| spec.uses(MacroLetter::Version)) =>
            {
                self.refer_by_family(spec, domain, name, &mut cost, loops_to)?;
            }
            ("include", None) => cost.problem = Some(CostProblem { code: "spf.include-of-none" }),
            ("redirect", None) => cost.problem = Some(CostProblem { code: "spf.bad-redirect-domain" }),
            (_, None) => {}
            ("a" | "mx" | "exists", Some(Partial::Open(_)))
                if spec.is_some_and(|spec| spec.uses(MacroLetter::Version)) =>
            {
                [voids_v4, voids_v6] = self.hosts_by_family(name, spec, domain, &mut cost);
            }
            ("ptr", Some(_)) | (_, Some(Partial::Open(_))) => {
                let asks_name = spec.is_some_and(|spec| spec.uses(MacroLetter::Validated));
                voids_v4 = most_void_queries(name, asks_name);
                voids_v6 = voids_v4;
                cost.note = Some(Note::DependsOnMessage);
            }
            (_, Some(Partial::Known(target))) => {
                [voids_v4, voids_v6] = self.hosts(name, &target, &mut cost);
            }
        }
        let unit =
            |queries: u32| if self.profile.void_unit == VoidUnit::Term { queries.min(1) } else { queries };
        (cost.own.voids_v4, cost.own.voids_v6) = (unit(voids_v4), unit(voids_v6));
        Ok(cost)
    }

    /// The record that an include or redirect refers to.
    fn refer(
        &mut self,
        target: &DomainName,
        name: &str,
        cost: &mut TermCost,
        loops_to: &mut LoopsTo,
    ) -> Result<(), Problem> {
        if let Some(place) = self.stack.iter().position(|domain| domain == target) {
            *loops_to = place.min(*loops_to);
            cost.problem = Some(CostProblem { code: "spf.loop" });
            return Ok(());
        }
        if self.stack.len() >= MAX_DEPTH {
            *loops_to = 0;
            cost.problem = Some(CostProblem { code: "spf.too-deep" });
            return Ok(());
        }
        if let Some(total) = self.totals.get(target) {
            cost.total = *total;
            cost.note = Some(if self.shown.contains(target) { Note::ShownAbove } else { Note::Truncated });
            return Ok(());
        }
        let is_shown = self.shown.len() < MAX_SHOWN && self.stack.len() < MAX_SHOWN_DEPTH;
        if is_shown {
            self.shown.insert(target.clone());
        }
        let (child, inner) = self.record(target)?;
        *loops_to = inner.min(*loops_to);
        cost.total = child.total;
        if child.problem.as_ref().is_some_and(|problem| problem.code == "spf.no-record") {
            let code = if name == "include" { "spf.include-of-none" } else { "spf.redirect-to-none" };
            cost.problem = Some(CostProblem { code });
        }
        if is_shown {
            cost.child = Some(child);
        } else {
            self.truncated = true;
            cost.note = Some(Note::Truncated);
        }
        Ok(())
    }

    /// The same, where `%{v}` makes another name of the spec in each family (RFC 7208 section 7.2): the record that costs
    /// more lookups stands in the tree.
    fn refer_by_family(
        &mut self,
        spec: Option<&DomainSpec>,
        domain: &DomainName,
        name: &str,
        cost: &mut TermCost,
        loops_to: &mut LoopsTo,
    ) -> Result<(), Problem> {
        let [v4, v6] = [Family::V4, Family::V6]
            .map(|family| spec.and_then(|spec| self.expand(spec, domain, Some(family))));
        let (Some(Partial::Known(v4)), Some(Partial::Known(v6))) = (v4, v6) else {
            cost.note = Some(Note::DependsOnMessage);
            return Ok(());
        };
        let mut other = cost.clone();
        self.refer(&v4, name, cost, loops_to)?;
        self.refer(&v6, name, &mut other, loops_to)?;
        let (voids_v4, voids_v6) = (cost.total.voids_v4, other.total.voids_v6);
        if other.total.lookups > cost.total.lookups {
            *cost = other;
        }
        cost.total = Totals { voids_v4, voids_v6, ..cost.total };
        cost.note = cost.note.or(Some(Note::DependsOnFamily));
        Ok(())
    }

    /// What `a`, `mx` and `exists` ask for: void queries for each family.
    fn hosts(&self, name: &str, target: &DomainName, cost: &mut TermCost) -> [u32; 2] {
        match name {
            "exists" => {
                let voids = self.voids(target, RecordType::A, cost);
                [voids, voids]
            }
            "mx" => {
                cost.assumed = self.assumed(target, RecordType::Mx);
                let rrset = match resolve(self.evidence, target, RecordType::Mx) {
                    Resolved::Records(rrset) => rrset,
                    Resolved::Absent { .. } => return [1, 1],
                    Resolved::Failed => {
                        cost.problem = Some(CostProblem { code: "spf.dns-failure" });
                        return [0, 0];
                    }
                    Resolved::Unknown => return [0, 0],
                };
                let Records::Mx(hosts) = rrset.records() else { return [0, 0] };
                if u32::try_from(hosts.len()).is_ok_and(|count| count > self.profile.mx_names) {
                    cost.problem = Some(CostProblem { code: "spf.too-many-mx" });
                }
                let [v4, v6] = [RecordType::A, RecordType::Aaaa];
                hosts.iter().fold([0, 0], |[one, two], host| {
                    [one + self.voids(&host.exchange, v4, cost), two + self.voids(&host.exchange, v6, cost)]
                })
            }
            _ => [RecordType::A, RecordType::Aaaa].map(|record_type| self.voids(target, record_type, cost)),
        }
    }

    /// The same, where `%{v}` makes another name of the spec in each family (RFC 7208 section 7.2).
    fn hosts_by_family(
        &self,
        name: &str,
        spec: Option<&DomainSpec>,
        domain: &DomainName,
        cost: &mut TermCost,
    ) -> [u32; 2] {
        [Family::V4, Family::V6].map(|family| {
            match spec.and_then(|spec| self.expand(spec, domain, Some(family))) {
                Some(Partial::Known(target)) => {
                    let [v4, v6] = self.hosts(name, &target, cost);
                    if family == Family::V4 { v4 } else { v6 }
                }
                Some(Partial::Open(_)) => {
                    cost.note = Some(Note::DependsOnMessage);
                    most_void_queries(name, spec.is_some_and(|spec| spec.uses(MacroLetter::Validated)))
                }
                None => 0,
            }
        })
    }

    /// Whether the question is void, as a number.
    fn voids(&self, name: &DomainName, record_type: RecordType, cost: &mut TermCost) -> u32 {
        if cost.assumed.is_none() {
            cost.assumed = self.assumed(name, record_type);
        }
        match resolve(self.evidence, name, record_type) {
            Resolved::Failed => {
                cost.problem = Some(CostProblem { code: "spf.dns-failure" });
                0
            }
            Resolved::Absent { .. } => 1,
            Resolved::Records(_) | Resolved::Unknown => 0,
        }
    }

    fn assumed(&self, name: &DomainName, record_type: RecordType) -> Option<String> {
        self.evidence.assumed(name, record_type).map(str::to_owned)
    }

    fn expand(&self, spec: &DomainSpec, domain: &DomainName, family: Option<Family>) -> Option<Partial> {
        if let Some(name) = spec.literal() {
            return Some(Partial::Known(name.clone()));
        }
        let known = PartialContext {
            sender_domain: Some(self.sender_domain),
            ipv6: family.map(|family| family == Family::V6),
            ..PartialContext::new(domain)
        };
        spec.expand_known(&known).ok()
    }
}

impl RecordCost {
    fn with_problem(self, code: &'static str) -> Self {
        Self { problem: Some(CostProblem { code }), ..self }
    }
}
