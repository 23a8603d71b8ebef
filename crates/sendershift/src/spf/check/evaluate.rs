//! The evaluation itself.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::outline::Step;
use super::{CheckProblem, Checked, Outcome, Query, Selection, Trace, select};
use crate::dns::{Evidence, RecordType, Records, Resolved, resolve};
use crate::error::Span;
use crate::name::DomainName;
use crate::spf::profile::{Counting, VoidUnit};
use crate::spf::{
    Directive, DomainSpec, DualCidr, MacroContext, MacroLetter, MacroString, Mechanism, Profile, SpfRecord,
    SpfResult, Term, TermKind,
};

/// Names that a reverse lookup may give; the rest is ignored (RFC 7208 section 4.6.4).
const MAX_PTR_NAMES: usize = 10;

/// How deep includes and redirects may be nested: more than any limit on lookups in use allows, and an end for hostile
/// records where limits are lifted.
pub(in crate::spf) const MAX_DEPTH: usize = 100;

/// The check ends here, with an error.
struct Stop {
    result: SpfResult,
    problem: CheckProblem,
}

/// What the record of one domain decided.
struct Decision {
    result: SpfResult,
    /// Of a fail: where the explanation is, and the domain whose record says so.
    exp: Option<Box<(DomainSpec, DomainName)>>,
}

/// A domain whose record is being evaluated, and the one whose record led to it.
struct Frame<'f> {
    domain: &'f DomainName,
    outer: Option<&'f Self>,
    /// How many domains these are.
    depth: usize,
}

impl Frame<'_> {
    fn holds(&self, domain: &DomainName) -> bool {
        self.domain == domain || self.outer.is_some_and(|outer| outer.holds(domain))
    }
}

pub(super) struct Evaluation<'a, T> {
    evidence: &'a dyn Evidence,
    query: &'a Query,
    profile: &'a Profile,
    trace: &'a mut T,
    lookups: u32,
    voids: u32,
    /// Whether a query of the term being evaluated was void.
    term_void: bool,
    /// Whether limits apply: not to what is asked for the explanation.
    limited: bool,
}

impl<'a, T: Trace> Evaluation<'a, T> {
    pub(super) fn new(
        evidence: &'a dyn Evidence,
        query: &'a Query,
        profile: &'a Profile,
        trace: &'a mut T,
    ) -> Self {
        Self { evidence, query, profile, trace, lookups: 0, voids: 0, term_void: false, limited: true }
    }

    pub(super) fn run(mut self) -> Checked {
        let Some(domain) = self.query.domain() else {
            let problem = CheckProblem { code: "spf.no-domain", domain: None, span: None };
            return self.checked(SpfResult::None, Some(problem), None);
        };
        match self.check_host(domain, None) {
            Ok(Decision { result, exp }) => {
                let explanation = exp.and_then(|exp| self.explanation(&exp.0, &exp.1));
                self.checked(result, None, explanation)
            }
            Err(stop) => self.checked(stop.result, Some(stop.problem), None),
        }
    }

    fn checked(
        self,
        result: SpfResult,
        problem: Option<CheckProblem>,
        explanation: Option<String>,
    ) -> Checked {
        Checked { result, lookups: self.lookups, voids: self.voids, problem, explanation }
    }

    /// `check_host()` for one domain. That it has no record is a [`Stop`] with the result none.
    fn check_host(&mut self, domain: &DomainName, outer: Option<&Frame<'_>>) -> Result<Decision, Stop> {
        let selection = match self.ask(domain, RecordType::Txt) {
            Resolved::Records(rrset) => select(rrset),
            Resolved::Absent { .. } | Resolved::Unknown => {
                return Err(stop(SpfResult::None, "spf.no-record", domain, None));
            }
            Resolved::Failed => return Err(stop(SpfResult::TempError, "spf.dns-failure", domain, None)),
        };
        let record = match &*selection {
            Selection::None => return Err(stop(SpfResult::None, "spf.no-record", domain, None)),
            Selection::Several => {
                return Err(stop(SpfResult::PermError, "spf.several-records", domain, None));
            }
            Selection::Invalid(invalid) => {
                let first = invalid.problems.first();
                let code = first.map_or("spf.invalid-record", |problem| problem.code);
                return Err(stop(SpfResult::PermError, code, domain, first.and_then(|problem| problem.span)));
            }
            Selection::Record(record) => record,
        };
        if self.profile.counting == Counting::Written {
            for term in record.terms().iter().filter(|term| record.costs_lookup(term)) {
                self.count_one(domain, term.span)?;
            }
        }
        let frame = Frame { domain, outer, depth: outer.map_or(1, |outer| outer.depth + 1) };
        self.evaluate(record, &frame)
    }

    fn evaluate(&mut self, record: &SpfRecord, frame: &Frame<'_>) -> Result<Decision, Stop> {
        let matched = if T::LISTENS { self.listed(record, frame) } else { self.outlined(record, frame) };
        if let Some(result) = matched? {
            let exp = record.exp().filter(|_| result == SpfResult::Fail);
            return Ok(Decision {
                result,
                exp: exp.map(|exp| Box::new((exp.clone(), frame.domain.clone()))),
            });
        }
        if let (Some(target), Some(term)) = (record.redirect(), record.redirect_term()) {
            self.trace.begin(frame.domain, record.written(term), term.span, self.lookups, self.voids);
            let decision = self.redirect(target, term, frame);
            self.end_of_term(&decision, |decision| Outcome::Decided(decision.result));
            return decision;
        }
        Ok(Decision { result: SpfResult::Neutral, exp: None })
    }

    /// The result of the first directive that matches, found one by one.
    fn listed(&mut self, record: &SpfRecord, frame: &Frame<'_>) -> Result<Option<SpfResult>, Stop> {
        for (term, directive) in record.directives() {
            self.trace.begin(frame.domain, record.written(term), term.span, self.lookups, self.voids);
            let matched = self.directive(directive, term, frame);
            self.end_of_term(&matched, |matched| if *matched { Outcome::Match } else { Outcome::NoMatch });
            if matched? {
                return Ok(Some(directive.qualifier_or_default().into()));
            }
        }
        Ok(None)
    }

    /// The same, with networks that stand side by side looked up at once.
    fn outlined(&mut self, record: &SpfRecord, frame: &Frame<'_>) -> Result<Option<SpfResult>, Stop> {
        for step in record.outline().steps() {
            match step {
                Step::Networks(results) => {
                    if let Some(result) = results.at(self.query.ip()) {
                        return Ok(Some(*result));
                    }
                }
                Step::Term(index) => {
                    let Some(term) = record.terms().get(*index) else { continue };
                    let TermKind::Directive(directive) = &term.kind else { continue };
                    if self.directive(directive, term, frame)? {
                        return Ok(Some(directive.qualifier_or_default().into()));
                    }
                }
            }
        }
        Ok(None)
    }

    fn end_of_term<V>(&mut self, ended: &Result<V, Stop>, outcome: impl Fn(&V) -> Outcome) {
        let outcome = match ended {
            Ok(value) => outcome(value),
            Err(stop) => Outcome::Error(stop.result),
        };
        self.trace.end(outcome, self.lookups, self.voids);
    }

    /// Section 6.1.
    fn redirect(&mut self, target: &DomainSpec, term: &Term, frame: &Frame<'_>) -> Result<Decision, Stop> {
        let domain = frame.domain;
        self.term_void = false;
        self.count_lookup(domain, term.span)?;
        let target = self
            .expand(target, domain, term)?
            .ok_or_else(|| stop(SpfResult::PermError, "spf.bad-redirect-domain", domain, Some(term.span)))?;
        refuse_loop(&target, frame, term)?;
        self.check_host(&target, Some(frame)).map_err(|inner| match inner.result {
            SpfResult::None => stop(SpfResult::PermError, "spf.redirect-to-none", domain, Some(term.span)),
            _ => inner,
        })
    }

    /// Whether the mechanism matches (section 5).
    fn directive(&mut self, directive: &Directive, term: &Term, frame: &Frame<'_>) -> Result<bool, Stop> {
        let domain = frame.domain;
        self.term_void = false;
        match &directive.mechanism {
            Mechanism::All => return Ok(true),
            Mechanism::Ip4 { address, prefix } => {
                return Ok(
                    matches!(self.query.ip(), IpAddr::V4(ip) if in_v4(ip, *address, prefix.unwrap_or(32))),
                );
            }
            Mechanism::Ip6 { address, prefix } => {
                return Ok(
                    matches!(self.query.ip(), IpAddr::V6(ip) if in_v6(ip, *address, prefix.unwrap_or(128))),
                );
            }
            _ => {}
        }
        self.count_lookup(domain, term.span)?;
        let target = match directive.mechanism.domain() {
            Some(spec) => self.expand(spec, frame.domain, term)?,
            None => Some(Cow::Borrowed(domain)),
        };
        match (&directive.mechanism, target) {
            (Mechanism::Include(_), Some(target)) => self.include(&target, term, frame),
            // An include of a name that DNS cannot hold is an include of none (section 4.3).
            (Mechanism::Include(_), None) => {
                Err(stop(SpfResult::PermError, "spf.include-of-none", domain, Some(term.span)))
            }
            (Mechanism::A { cidr, .. }, Some(target)) => {
                self.has_address(&target, *cidr, term, domain).map(|(matches, _)| matches)
            }
            (Mechanism::Mx { cidr, .. }, Some(target)) => self.mx(&target, *cidr, term, domain),
            (Mechanism::Exists(_), Some(target)) => match self.ask(&target, RecordType::A) {
                Resolved::Records(_) => Ok(true),
                Resolved::Failed => {
                    Err(stop(SpfResult::TempError, "spf.dns-failure", domain, Some(term.span)))
                }
                Resolved::Unknown => Ok(false),
                Resolved::Absent { .. } => self.count_void(domain, term.span).map(|()| false),
            },
            (Mechanism::Ptr(_), Some(target)) => {
                Ok(self.validated(domain, term.span)?.iter().any(|name| name.is_within(&target)))
            }
            (_, _) => Ok(false),
        }
    }

    /// Section 5.2.
    fn include(&mut self, target: &DomainName, term: &Term, frame: &Frame<'_>) -> Result<bool, Stop> {
        refuse_loop(target, frame, term)?;
        match self.check_host(target, Some(frame)) {
            Ok(decision) => Ok(decision.result == SpfResult::Pass),
            Err(inner) if inner.result == SpfResult::None => {
                // The evaluation goes on where the evidence is missing, so that all questions are found at once.
                if matches!(resolve(self.evidence, target, RecordType::Txt), Resolved::Unknown) {
                    return Ok(false);
                }
                Err(stop(SpfResult::PermError, "spf.include-of-none", frame.domain, Some(term.span)))
            }
            Err(inner) => Err(inner),
        }
    }

    /// Whether an address of the name, in the family of the client, matches; and how many there are (section 5.3).
    fn has_address(
        &mut self,
        name: &DomainName,
        cidr: DualCidr,
        term: &Term,
        domain: &DomainName,
    ) -> Result<(bool, usize), Stop> {
        let record_type = if self.query.ip().is_ipv4() { RecordType::A } else { RecordType::Aaaa };
        match self.ask(name, record_type) {
            Resolved::Records(rrset) => Ok(match (self.query.ip(), rrset.records()) {
                (IpAddr::V4(ip), Records::A(addresses)) => (
                    addresses.iter().any(|address| in_v4(ip, *address, cidr.v4_or_default())),
                    addresses.len(),
                ),
                (IpAddr::V6(ip), Records::Aaaa(addresses)) => (
                    addresses.iter().any(|address| in_v6(ip, *address, cidr.v6_or_default())),
                    addresses.len(),
                ),
                _ => (false, 0),
            }),
            Resolved::Failed => Err(stop(SpfResult::TempError, "spf.dns-failure", domain, Some(term.span))),
            Resolved::Unknown => Ok((false, 0)),
            Resolved::Absent { .. } => self.count_void(domain, term.span).map(|()| (false, 0)),
        }
    }

    /// Section 5.4.
    fn mx(
        &mut self,
        name: &DomainName,
        cidr: DualCidr,
        term: &Term,
        domain: &DomainName,
    ) -> Result<bool, Stop> {
        let hosts = match self.ask(name, RecordType::Mx) {
            Resolved::Records(rrset) => rrset,
            Resolved::Failed => {
                return Err(stop(SpfResult::TempError, "spf.dns-failure", domain, Some(term.span)));
            }
            Resolved::Unknown => return Ok(false),
            Resolved::Absent { .. } => return self.count_void(domain, term.span).map(|()| false),
        };
        let Records::Mx(hosts) = hosts.records() else { return Ok(false) };
        let over = |count: usize, limit: u32| u32::try_from(count).is_ok_and(|count| count > limit);
        if over(hosts.len(), self.profile.mx_names) {
            return Err(stop(SpfResult::PermError, "spf.too-many-mx", domain, Some(term.span)));
        }
        for host in hosts {
            let (matches, addresses) = self.has_address(&host.exchange, cidr, term, domain)?;
            if over(addresses, self.profile.mx_addresses) {
                return Err(stop(SpfResult::PermError, "spf.too-many-mx-addresses", domain, Some(term.span)));
            }
            if matches {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The names of the client that its address belongs to (section 5.5). A failure of DNS leaves names out.
    fn validated(&mut self, domain: &DomainName, span: Span) -> Result<Vec<DomainName>, Stop> {
        let evidence = self.evidence;
        let names = match self.ask(&DomainName::reverse(self.query.ip()), RecordType::Ptr) {
            Resolved::Records(rrset) => match rrset.records() {
                Records::Ptr(names) => names,
                _ => return Ok(Vec::new()),
            },
            Resolved::Failed | Resolved::Unknown => return Ok(Vec::new()),
            Resolved::Absent { .. } => return self.count_void(domain, span).map(|()| Vec::new()),
        };
        let mut validated = Vec::new();
        let record_type = if self.query.ip().is_ipv4() { RecordType::A } else { RecordType::Aaaa };
        for name in names.iter().take(MAX_PTR_NAMES) {
            let answer = resolve(evidence, name, record_type);
            self.trace.asked(name, record_type, &answer);
            let belongs = match answer {
                Resolved::Records(rrset) => match (self.query.ip(), rrset.records()) {
                    (IpAddr::V4(ip), Records::A(addresses)) => addresses.contains(&ip),
                    (IpAddr::V6(ip), Records::Aaaa(addresses)) => addresses.contains(&ip),
                    _ => false,
                },
                Resolved::Absent { .. } => {
                    self.count_void(domain, span)?;
                    false
                }
                Resolved::Failed | Resolved::Unknown => false,
            };
            if belongs {
                validated.push(name.clone());
            }
        }
        Ok(validated)
    }

    /// The value of `%{p}` (section 7.3): the domain itself if validated, else a name below it, else any.
    fn validated_for(&mut self, domain: &DomainName, span: Span) -> Result<Option<DomainName>, Stop> {
        let mut names = self.validated(domain, span)?;
        let best = names
            .iter()
            .position(|name| name == domain)
            .or_else(|| names.iter().position(|name| name.is_within(domain)));
        Ok(if names.is_empty() { None } else { Some(names.swap_remove(best.unwrap_or(0))) })
    }

    /// The name that a domain-spec stands for; `None` where DNS cannot hold it (section 4.8 leaves that open, and it
    /// matches nothing here).
    fn expand<'s>(
        &mut self,
        spec: &'s DomainSpec,
        domain: &DomainName,
        term: &Term,
    ) -> Result<Option<Cow<'s, DomainName>>, Stop> {
        if let Some(name) = spec.literal() {
            return Ok(Some(Cow::Borrowed(name)));
        }
        let validated =
            if spec.uses(MacroLetter::Validated) { self.validated_for(domain, term.span)? } else { None };
        Ok(spec.expand(&self.context(domain, validated.as_ref())).ok().map(Cow::Owned))
    }

    fn context<'c>(&self, domain: &'c DomainName, validated: Option<&'c DomainName>) -> MacroContext<'c>
    where
        'a: 'c,
    {
        MacroContext {
            local_part: self.query.local_part(),
            sender_domain: self.query.domain().unwrap_or(domain),
            domain,
            ip: self.query.ip(),
            helo: self.query.helo(),
            validated,
            receiver: None,
            // The core has no clock; only explanations can ask for the time (section 7.3).
            timestamp: 0,
        }
    }

    fn ask(&mut self, name: &DomainName, record_type: RecordType) -> Resolved<'a> {
        let answer = resolve(self.evidence, name, record_type);
        self.trace.asked(name, record_type, &answer);
        answer
    }

    /// Counts a term whose evaluation begins, where it has not been counted already.
    fn count_lookup(&mut self, domain: &DomainName, span: Span) -> Result<(), Stop> {
        match self.profile.counting {
            Counting::Evaluated => self.count_one(domain, span),
            Counting::Written => Ok(()),
        }
    }

    fn count_one(&mut self, domain: &DomainName, span: Span) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > self.profile.lookups {
            return Err(stop(SpfResult::PermError, "spf.too-many-lookups", domain, Some(span)));
        }
        Ok(())
    }

    fn count_void(&mut self, domain: &DomainName, span: Span) -> Result<(), Stop> {
        if !self.limited || (self.profile.void_unit == VoidUnit::Term && self.term_void) {
            return Ok(());
        }
        self.term_void = true;
        self.voids += 1;
        if self.voids > self.profile.voids {
            return Err(stop(SpfResult::PermError, "spf.too-many-voids", domain, Some(span)));
        }
        Ok(())
    }

    /// The explanation for a fail (section 6.2); any fault means there is none. Its queries count for nothing.
    fn explanation(&mut self, exp: &DomainSpec, domain: &DomainName) -> Option<String> {
        self.limited = false;
        let validated = self.validated_if(exp.uses(MacroLetter::Validated), domain);
        let name = exp.expand(&self.context(domain, validated.as_ref())).ok()?;
        let Resolved::Records(rrset) = self.ask(&name, RecordType::Txt) else { return None };
        let [text] = rrset.texts() else { return None };
        let text = MacroString::parse_explanation(text.octets()).ok()?;
        let validated = self.validated_if(text.uses(MacroLetter::Validated), domain);
        let expanded = text.expand(&self.context(domain, validated.as_ref()));
        String::from_utf8(expanded).ok().filter(|text| text.is_ascii())
    }

    fn validated_if(&mut self, needed: bool, domain: &DomainName) -> Option<DomainName> {
        if needed { self.validated_for(domain, Span::default()).ok()? } else { None }
    }
}

/// A domain that is being evaluated would be evaluated again in the same way, without end: every limit turns that into
/// permerror, and so does no limit.
fn refuse_loop(target: &DomainName, frame: &Frame<'_>, term: &Term) -> Result<(), Stop> {
    if frame.holds(target) {
        return Err(stop(SpfResult::PermError, "spf.loop", frame.domain, Some(term.span)));
    }
    if frame.depth >= MAX_DEPTH {
        return Err(stop(SpfResult::PermError, "spf.too-deep", frame.domain, Some(term.span)));
    }
    Ok(())
}

fn stop(result: SpfResult, code: &'static str, domain: &DomainName, span: Option<Span>) -> Stop {
    Stop { result, problem: CheckProblem { code, domain: Some(domain.clone()), span } }
}

fn in_v4(ip: Ipv4Addr, network: Ipv4Addr, prefix: u8) -> bool {
    let host_bits = 32 - u32::from(prefix.min(32));
    (ip.to_bits() ^ network.to_bits()).checked_shr(host_bits).unwrap_or(0) == 0
}

fn in_v6(ip: Ipv6Addr, network: Ipv6Addr, prefix: u8) -> bool {
    let host_bits = 128 - u32::from(prefix.min(128));
    (ip.to_bits() ^ network.to_bits()).checked_shr(host_bits).unwrap_or(0) == 0
}
