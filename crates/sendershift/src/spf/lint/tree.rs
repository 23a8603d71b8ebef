//! The records of the tree, and rules about what ends evaluations in an error whatever the limits.

use std::collections::BTreeSet;

use super::published::shown;
use super::terms::meaning;
use super::{Lint, Visited};
use crate::dns::{RecordType, Resolved, resolve};
use crate::error::Invalid;
use crate::finding::{Finding, Rule, Severity};
use crate::name::DomainName;
use crate::spf::check::{MAX_DEPTH, Selection, select};
use crate::spf::{Mechanism, Modifier, Partial, PartialContext, SpfRecord, Term, TermKind};

/// Records that are visited: more than any tree that works has, and an end for hostile ones.
const MAX_RECORDS: usize = 2_000;

pub(super) const DNS_FAILURE: Rule = Rule {
    code: "spf.dns-failure",
    severity: Severity::Error,
    title: "DNS does not answer a question that the record asks",
    why: "A timeout or server failure ends the evaluation with temperror: receivers defer the mail, and bounce it in the end. \
          What lies behind the question could not be looked at.",
    remedy: "Ask again. If it stays so, have the name servers of that name repaired, or take the term out.",
    source: "RFC 7208 sections 2.6.6 and 5",
};

pub(super) const INCLUDE_OF_NONE: Rule = Rule {
    code: "spf.include-of-none",
    severity: Severity::Error,
    title: "An included domain has no SPF record",
    why: "An include of a domain without an SPF record is permerror for every address that no earlier term matches, so one \
          dead include breaks the whole record. Often the provider renamed or retired it, or the name is misspelt.",
    remedy: "Take the include out, or write the name that the provider gives today.",
    source: "RFC 7208 section 5.2",
};

pub(super) const LOOP: Rule = Rule {
    code: "spf.loop",
    severity: Severity::Error,
    title: "Records refer to each other in a circle",
    why: "Evaluation would never end, so it ends with permerror for every address that no earlier term matches.",
    remedy: "Take out the include or redirect that closes the circle.",
    source: "RFC 7208 section 4.6.4",
};

pub(super) const NO_RECORD: Rule = Rule {
    code: "spf.no-record",
    severity: Severity::Warning,
    title: "The domain has no SPF record",
    why: "SPF has the result none for all its mail. It cannot help DMARC to a pass, and large receivers ask bulk senders for both \
          SPF and DKIM. A domain that never sends is open to forgery in the MAIL FROM.",
    remedy: "Publish a TXT record that begins with `v=spf1`; for a domain that sends no mail, `v=spf1 -all`.",
    source: "RFC 7208 sections 3 and 4.5; section 10.1.2 for domains without mail",
};

pub(super) const REDIRECT_TO_NONE: Rule = Rule {
    code: "spf.redirect-to-none",
    severity: Severity::Error,
    title: "A redirect leads to a domain without an SPF record",
    why: "It is permerror for every address that no term before it matches.",
    remedy: "Point the redirect at a domain with a record, or end the record with `all` in its place.",
    source: "RFC 7208 section 6.1",
};

pub(super) const REPEATED_INCLUDE: Rule = Rule {
    code: "spf.repeated-include",
    severity: Severity::Note,
    title: "A record is referred to more than once",
    why: "Each reference costs its lookups again, with all that the record refers to.",
    remedy: "Refer to it once.",
    source: "RFC 7208 section 4.6.4",
};

pub(super) const SEVERAL_RECORDS: Rule = Rule {
    code: "spf.several-records",
    severity: Severity::Error,
    title: "A domain has more than one SPF record",
    why: "It is permerror for every address, even if the records are the same. It comes about when a second provider's record is \
          added instead of merged.",
    remedy: "Merge the terms into one record, with one `all` at its end.",
    source: "RFC 7208 sections 3.2 and 4.5",
};

pub(super) const SYNTAX: Rule = Rule {
    code: "spf.syntax",
    severity: Severity::Error,
    title: "A record does not keep to the grammar",
    why: "One mistake anywhere, also behind a term that matches or behind `all`, makes the result permerror for every address.",
    remedy: "Correct the term.",
    source: "RFC 7208 sections 4.6 and 12",
};

pub(super) const TOO_COMPLEX: Rule = Rule {
    code: "spf.too-complex",
    severity: Severity::Error,
    title: "The records are too many or too entangled to be judged",
    why: "They go far beyond what any receiver evaluates, so an end was made here too: what is said of them is not all there is.",
    remedy: "Refer to fewer records.",
    source: "RFC 7208 section 4.6.4",
};

/// A finding for each problem of a text.
pub(super) fn syntax(domain: &DomainName, text: &str, invalid: &Invalid) -> Vec<Finding> {
    let finding = |problem: &crate::error::Problem| {
        let mut finding = SYNTAX.finding(domain, RecordType::Txt, problem.message.clone()).in_record(text);
        finding.problem.span = problem.span;
        if problem.help.is_some() {
            finding.problem.help.clone_from(&problem.help);
        }
        finding
    };
    invalid.problems.iter().map(finding).collect()
}

impl Lint<'_> {
    /// Visits every record of the tree, each once.
    pub(super) fn tree(&mut self) {
        let mut walk = Walk { lint: self, seen: BTreeSet::new(), stack: Vec::new() };
        let domain = walk.lint.domain.clone();
        if !walk.record(&domain) {
            let message = format!("{domain} has no SPF record");
            walk.lint.findings.push(NO_RECORD.finding(&domain, RecordType::Txt, message));
        }
    }

    /// The policy cannot be compiled: nothing is said of limits and addresses.
    pub(super) fn too_complex(&mut self) {
        let message = "the records are too many or too entangled: limits and addresses are not judged";
        self.findings.push(TOO_COMPLEX.finding(self.domain, RecordType::Txt, message));
    }

    /// What a name of the record stands for at its domain; `None` where DNS cannot hold it.
    pub(super) fn expand(&self, spec: &crate::spf::DomainSpec, domain: &DomainName) -> Option<Partial> {
        if let Some(name) = spec.literal() {
            return Some(Partial::Known(name.clone()));
        }
        spec.expand_known(&PartialContext { sender_domain: Some(self.domain), ..PartialContext::new(domain) })
            .ok()
    }
}

struct Walk<'l, 'e> {
    lint: &'l mut Lint<'e>,
    seen: BTreeSet<DomainName>,
    stack: Vec<DomainName>,
}

impl Walk<'_, '_> {
    /// Visits the record at a domain; false where there is none.
    fn record(&mut self, domain: &DomainName) -> bool {
        let selection = match resolve(self.lint.evidence, domain, RecordType::Txt) {
            Resolved::Records(rrset) => select(rrset).into_owned(),
            Resolved::Absent { .. } => return false,
            // The question is recorded as missing.
            Resolved::Unknown => return true,
            Resolved::Failed => {
                if self.seen.insert(domain.clone()) {
                    let message = format!("no answer for TXT at {domain}");
                    let mut finding = DNS_FAILURE.finding(domain, RecordType::Txt, message);
                    finding.via.clone_from(&self.stack);
                    self.lint.findings.push(finding);
                }
                return true;
            }
        };
        if matches!(selection, Selection::None) {
            return false;
        }
        if !self.seen.insert(domain.clone()) {
            return true;
        }
        let visited = Visited { domain: domain.clone(), via: self.stack.clone(), selection };
        match &visited.selection {
            Selection::Several => {
                let message = format!("{domain} has more than one SPF record");
                self.lint.findings.push(visited.finding(&SEVERAL_RECORDS, None, message));
            }
            Selection::Invalid(invalid) => {
                let text = self.text(domain);
                for mut finding in syntax(domain, &text, invalid) {
                    finding.via.clone_from(&visited.via);
                    self.lint.findings.push(finding);
                }
            }
            Selection::None | Selection::Record(_) => {}
        }
        let record = visited.record().cloned();
        self.lint.records.push(visited);
        if let Some(record) = record {
            let at = self.lint.records.len() - 1;
            self.stack.push(domain.clone());
            for term in record.terms().iter().filter(|term| record.costs_lookup(term)) {
                self.term(&record, term, at);
            }
            self.stack.pop();
        }
        true
    }

    /// The text of the one record at a domain.
    fn text(&self, domain: &DomainName) -> String {
        let Resolved::Records(rrset) = resolve(self.lint.evidence, domain, RecordType::Txt) else {
            return String::new();
        };
        let text = rrset.texts().iter().find(|text| SpfRecord::is_spf(text.octets()));
        text.map(shown).unwrap_or_default()
    }

    fn term(&mut self, record: &SpfRecord, term: &Term, at: usize) {
        let (spec, rule) = match &term.kind {
            TermKind::Directive(directive) => match &directive.mechanism {
                Mechanism::Include(spec) => (spec, &INCLUDE_OF_NONE),
                _ => return,
            },
            TermKind::Modifier(Modifier::Redirect(spec)) => (spec, &REDIRECT_TO_NONE),
            TermKind::Modifier(_) => return,
        };
        let Some(domain) = self.stack.last().cloned() else { return };
        let (rule, message) = match self.lint.expand(spec, &domain) {
            Some(Partial::Known(target)) => {
                if self.stack.contains(&target) {
                    (&LOOP, format!("{target} is being evaluated already when `{}` is", record.written(term)))
                } else if self.stack.len() >= MAX_DEPTH || self.seen.len() >= MAX_RECORDS {
                    (&TOO_COMPLEX, "records are nested too deep or too many from here on".to_owned())
                } else if self.seen.contains(&target) {
                    // That a term stands twice in one record is another rule.
                    let earlier = record.terms().iter().take_while(|other| other.span < term.span);
                    let is_own = domain.is_within(self.lint.domain);
                    if !is_own || earlier.map(meaning).any(|other| other == meaning(term)) {
                        return;
                    }
                    (
                        &REPEATED_INCLUDE,
                        format!("{target} is referred to elsewhere too, and costs its lookups again"),
                    )
                } else if self.record(&target) {
                    return;
                } else {
                    (rule, format!("{target} has no SPF record"))
                }
            }
            Some(Partial::Open(_)) => return,
            None => (rule, format!("`{spec}` is a name that DNS cannot hold")),
        };
        if let Some(visited) = self.lint.records.get(at) {
            let finding = visited.finding(rule, Some(term.span), message);
            self.lint.findings.push(finding);
        }
    }
}
