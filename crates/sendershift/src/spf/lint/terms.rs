//! Rules about single terms of the domain's own records: what they refer to, and where they stand.

use std::collections::BTreeSet;

use super::Lint;
use crate::dns::{RecordType, Records, Resolved, resolve};
use crate::finding::{Rule, Severity};
use crate::name::DomainName;
use crate::spf::{DomainSpec, MacroLetter, Mechanism, Modifier, Partial, SpfRecord, Term, TermKind};

pub(super) const DUPLICATE_TERM: Rule = Rule {
    code: "spf.duplicate-term",
    severity: Severity::Warning,
    title: "A term stands twice",
    why: "The second one can decide nothing that the first did not, and if it causes DNS queries it costs lookups again, \
          with all that it refers to.",
    remedy: "Take the second one out.",
    source: "RFC 7208 section 4.6.4",
};

pub(super) const EXISTS_FIRST: Rule = Rule {
    code: "spf.exists-first",
    severity: Severity::Note,
    title: "A term that asks about the message stands before terms that list addresses",
    why: "`exists` with macros and `ptr` ask DNS for every message, and for all hosts that they do not cover that is a void lookup. \
          Addresses that are listed behind them pay for it.",
    remedy: "Put `ip4`, `ip6`, `a`, `mx` and `include` first, unless the term is meant to take effect before them.",
    source: "RFC 7208 section 4.6.4; erratum 6595 on void lookups and `exists`",
};

pub(super) const EXP_NOWHERE: Rule = Rule {
    code: "spf.exp-nowhere",
    severity: Severity::Note,
    title: "The explanation cannot be read",
    why: "`exp` names a domain with exactly one TXT record, the text for those whose mail fails. Otherwise there is no explanation; \
          the result stays the same.",
    remedy: "Publish one TXT record with the text there, or take `exp` out.",
    source: "RFC 7208 section 6.2",
};

pub(super) const MACRO_P: Rule = Rule {
    code: "spf.macro-p",
    severity: Severity::Warning,
    title: "A macro asks for the validated name of the client",
    why: "`%{p}` means a reverse lookup and up to ten more for every message, run by whoever owns the address; it is slow, \
          unreliable, and the standard says not to use it.",
    remedy: "Use `%{i}` or a list of addresses in its place.",
    source: "RFC 7208 section 7.2",
};

pub(super) const NEEDLESS_INCLUDE: Rule = Rule {
    code: "spf.needless-include",
    severity: Severity::Note,
    title: "An include that its provider does not need",
    why: "The provider sends with a return path of its own, so SPF is checked there, and aligns by DKIM. Here the include \
          costs lookups and authorises hosts for nothing.",
    remedy: "Take it out if DMARC reports show no mail of that provider with this domain in its MAIL FROM.",
    source: "Mailchimp and Mandrill: suped.com, 2025",
};

pub(super) const OPEN_TARGET: Rule = Rule {
    code: "spf.open-target",
    severity: Severity::Warning,
    title: "The record that a term refers to depends on the message",
    why: "What it authorises and what it costs cannot be told beforehand, by anybody: nothing is proven of what stands behind it. \
          Each name that has no record makes it permerror.",
    remedy: "Include a fixed name; for decisions by message use `exists`.",
    source: "RFC 7208 sections 5.2 and 7",
};

pub(super) const PTR: Rule = Rule {
    code: "spf.ptr",
    severity: Severity::Warning,
    title: "`ptr` is not to be used",
    why: "It takes a reverse lookup and up to ten more for every message, which is slow and unreliable, and burdens the servers of \
          `.arpa`. Some receivers skip it.",
    remedy: "List the addresses with `ip4` and `ip6`, or name the hosts with `a`.",
    source: "RFC 7208 section 5.5",
};

pub(super) const STALE_NETBLOCK: Rule = Rule {
    code: "spf.stale-netblock",
    severity: Severity::Warning,
    title: "A part of a provider's record is referred to by name",
    why: "Such names are the provider's own affair and change or go without notice: Google emptied `_netblocks3` in 2025. \
          When the name has no record any more, the result is permerror.",
    remedy: "Include `_spf.google.com` in place of them.",
    source: "spamresource.com, November 2025",
};

pub(super) const VOID_TERM: Rule = Rule {
    code: "spf.void-term",
    severity: Severity::Warning,
    title: "A term finds nothing in DNS",
    why: "It authorises nobody, costs a lookup, and is a void lookup: at the third one the result is permerror, at some receivers \
          at the second.",
    remedy: "Correct the name, or take the term out: often the host was retired.",
    source: "RFC 7208 section 4.6.4",
};

const NEEDLESS: [&str; 2] = ["servers.mcsv.net", "spf.mandrillapp.com"];
const NETBLOCKS: [&str; 3] = ["_netblocks.google.com", "_netblocks2.google.com", "_netblocks3.google.com"];

impl Lint<'_> {
    pub(super) fn terms(&mut self) {
        let mut findings = Vec::new();
        for (visited, record) in self.own() {
            let mut seen = BTreeSet::new();
            for term in record.terms() {
                let written = record.written(term);
                let mut find = |rule, message: String| {
                    findings.push(visited.finding(rule, Some(term.span), message));
                };
                let spec = spec(term);
                // The explanation is read for failures alone; there `%{p}` is a courtesy.
                let is_exp = matches!(&term.kind, TermKind::Modifier(Modifier::Exp(_)));
                if !is_exp && spec.is_some_and(|spec| spec.uses(MacroLetter::Validated)) {
                    find(&MACRO_P, format!("`{written}` asks for the validated name"));
                }
                if let TermKind::Modifier(Modifier::Exp(spec)) = &term.kind
                    && let Some(why) = self.exp(spec, &visited.domain)
                {
                    find(&EXP_NOWHERE, why);
                }
                if is_exp || matches!(&term.kind, TermKind::Modifier(Modifier::Unknown { .. })) {
                    continue;
                }
                if record.is_behind_all(term) {
                    continue;
                }
                if !seen.insert(meaning(term)) {
                    find(&DUPLICATE_TERM, format!("`{written}` stands a second time"));
                    continue;
                }
                if record.costs_lookup(term) {
                    self.referred(&visited.domain, record, term, &mut find);
                }
            }
            if let Some((open, listing)) = exists_first(record) {
                let message =
                    format!("`{}` stands before `{}`", record.written(open), record.written(listing));
                findings.push(visited.finding(&EXISTS_FIRST, Some(open.span), message));
            }
        }
        self.findings.append(&mut findings);
    }

    /// Rules about what a term that is evaluated refers to.
    fn referred(
        &self,
        domain: &DomainName,
        record: &SpfRecord,
        term: &Term,
        find: &mut impl FnMut(&'static Rule, String),
    ) {
        let written = record.written(term);
        let (mechanism, target) = match &term.kind {
            TermKind::Directive(directive) => {
                let target = match directive.mechanism.domain() {
                    Some(spec) => self.expand(spec, domain),
                    None => Some(Partial::Known(domain.clone())),
                };
                (Some(&directive.mechanism), target)
            }
            TermKind::Modifier(Modifier::Redirect(spec)) => (None, self.expand(spec, domain)),
            TermKind::Modifier(_) => return,
        };
        match (mechanism, &target) {
            (Some(Mechanism::Ptr(_)), _) => find(&PTR, format!("`{written}` asks for reverse lookups")),
            (None | Some(Mechanism::Include(_)), Some(Partial::Open(name))) => {
                find(&OPEN_TARGET, format!("`{written}` refers to `{name}`, which depends on the message"));
            }
            (None | Some(Mechanism::Include(_)), Some(Partial::Known(name))) => {
                if NEEDLESS.contains(&name.as_str()) {
                    find(&NEEDLESS_INCLUDE, format!("`{written}` is normally not needed"));
                }
                if NETBLOCKS.contains(&name.as_str()) {
                    find(&STALE_NETBLOCK, format!("{name} is a name inside Google's record"));
                }
            }
            (Some(mechanism), Some(Partial::Known(name))) => {
                if let Some(why) = self.void(mechanism, name) {
                    find(&VOID_TERM, format!("`{written}` finds nothing: {why}"));
                }
            }
            (_, None) | (Some(_), Some(Partial::Open(_))) => {}
        }
    }

    /// Why `a`, `mx` or `exists` finds nothing, whoever asks. Where no address gets to the term nothing may be known.
    fn void(&self, mechanism: &Mechanism, name: &DomainName) -> Option<String> {
        let absent = |name: &DomainName, record_type| match resolve(self.known, name, record_type) {
            Resolved::Absent { nxdomain } => Some(nxdomain),
            _ => None,
        };
        let no_address = |name: &DomainName| {
            let nxdomain = absent(name, RecordType::A)? & absent(name, RecordType::Aaaa)?;
            Some(if nxdomain { format!("{name} does not exist") } else { format!("{name} has no address") })
        };
        match mechanism {
            Mechanism::A { .. } => no_address(name),
            Mechanism::Exists(_) => {
                absent(name, RecordType::A).map(|_| format!("{name} has no IPv4 address"))
            }
            Mechanism::Mx { .. } => match resolve(self.known, name, RecordType::Mx) {
                Resolved::Absent { .. } => Some(format!("{name} has no MX record")),
                Resolved::Records(rrset) => match rrset.records() {
                    Records::Mx(hosts) => hosts
                        .iter()
                        .all(|host| no_address(&host.exchange).is_some())
                        .then(|| format!("no mail exchange of {name} has an address")),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// Why the explanation cannot be read.
    fn exp(&self, spec: &DomainSpec, domain: &DomainName) -> Option<String> {
        let Some(Partial::Known(name)) = self.expand(spec, domain) else { return None };
        match resolve(self.evidence, &name, RecordType::Txt) {
            Resolved::Records(rrset) if rrset.texts().len() > 1 => {
                Some(format!("{name} has {} TXT records", rrset.texts().len()))
            }
            Resolved::Absent { .. } => Some(format!("{name} has no TXT record")),
            Resolved::Failed => Some(format!("no answer for TXT at {name}")),
            Resolved::Records(_) | Resolved::Unknown => None,
        }
    }
}

/// A term that asks about the message, and the first one behind it that lists addresses.
fn exists_first(record: &SpfRecord) -> Option<(&Term, &Term)> {
    let mut directives =
        record.directives().take_while(|(_, directive)| directive.mechanism != Mechanism::All);
    let (open, _) = directives.find(|(_, directive)| match &directive.mechanism {
        Mechanism::Exists(spec) => spec.literal().is_none(),
        mechanism => matches!(mechanism, Mechanism::Ptr(_)),
    })?;
    let (listing, _) = directives
        .find(|(_, directive)| !matches!(directive.mechanism, Mechanism::Exists(_) | Mechanism::Ptr(_)))?;
    Some((open, listing))
}

fn spec(term: &Term) -> Option<&DomainSpec> {
    match &term.kind {
        TermKind::Directive(directive) => directive.mechanism.domain(),
        TermKind::Modifier(Modifier::Redirect(spec) | Modifier::Exp(spec)) => Some(spec),
        TermKind::Modifier(Modifier::Unknown { .. }) => None,
    }
}

/// What a term matches, whatever a match means.
pub(super) fn meaning(term: &Term) -> String {
    match &term.kind {
        TermKind::Directive(directive) => match directive.mechanism.net() {
            Some(net) => net.to_string(),
            None => directive.mechanism.to_string().to_ascii_lowercase(),
        },
        TermKind::Modifier(modifier) => modifier.to_string(),
    }
}
