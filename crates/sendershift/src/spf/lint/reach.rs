//! Whether terms of the domain's record can decide anything, by the addresses that get to them.

use super::Lint;
use super::terms::meaning;
use crate::finding::{Rule, Severity};
use crate::net::AddressSet;
use crate::spf::{Directive, Mechanism, Policy, Qualifier, SpfRecord, SpfResult, Subject, TermKind};

/// Terms whose records are compiled: more than any receiver evaluates.
const MAX_COMPILED: usize = 40;

pub(super) const UNREACHABLE: Rule = Rule {
    code: "spf.unreachable",
    severity: Severity::Warning,
    title: "A term can decide nothing",
    why: "Every address that it matches is decided by a term before it. If it causes DNS queries it costs lookups for nothing; \
          if its qualifier differs from that of the earlier term, the record does not do what it seems to say.",
    remedy: "Take the term out, or move it in front of the wider one if it is meant as an exception.",
    source: "RFC 7208 section 4.6",
};

impl Lint<'_> {
    pub(super) fn reach(&mut self) {
        let Some(visited) = self.records.first() else { return };
        let Some(record) = visited.record() else { return };
        let mut left = AddressSet::all().difference(&AddressSet::mapped());
        let (mut seen, mut findings, mut compiled) = (Vec::new(), Vec::new(), 0);
        for (term, directive) in record.directives() {
            if directive.mechanism == Mechanism::All {
                break;
            }
            let meaning = meaning(term);
            if seen.contains(&meaning) {
                continue;
            }
            seen.push(meaning);
            let written = record.written(term);
            let matched = if let Some(net) = directive.mechanism.net() {
                let net = AddressSet::from_nets([net]).difference(&AddressSet::mapped());
                if !net.is_empty() && net.is_disjoint(&left) {
                    let message = format!("every address of `{written}` is decided by terms before it");
                    findings.push(visited.finding(&UNREACHABLE, Some(term.span), message));
                }
                net
            } else {
                compiled += 1;
                let Some(alone) = self.alone(directive, &left) else { continue };
                if compiled > MAX_COMPILED {
                    break;
                }
                let results = alone.intended();
                let open = [SpfResult::Pass, SpfResult::PermError, SpfResult::TempError]
                    .map(|result| results.sometimes(result))
                    .iter()
                    .fold(AddressSet::empty(), |all, some| all.union(some));
                if matches!(directive.mechanism, Mechanism::Include(_)) && open.is_disjoint(&left) {
                    let message = format!("`{written}` matches no address that gets to it");
                    findings.push(visited.finding(&UNREACHABLE, Some(term.span), message));
                }
                results.always(SpfResult::Pass)
            };
            left = left.difference(&matched);
        }
        self.findings.append(&mut findings);
    }

    /// The policy of a record with this one mechanism, at the domain, for the addresses that get to it.
    fn alone(&self, directive: &Directive, left: &AddressSet) -> Option<Policy> {
        let mechanism = directive.mechanism.clone();
        let only = TermKind::Directive(Directive { qualifier: Some(Qualifier::Pass), mechanism });
        let record = SpfRecord::from_terms([only]).ok()?;
        let subject = Subject { domain: self.domain.clone(), record: Some(record) };
        Policy::compile_within(&subject.publish_on(self.evidence), self.domain, left).ok()
    }
}
