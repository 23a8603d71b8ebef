//! Rules about the limits of receivers (RFC 7208 section 4.6.4).

use super::tree::DNS_FAILURE;
use super::{Lint, Visited};
use crate::error::Span;
use crate::finding::{Rule, Severity};
use crate::net::Family;
use crate::spf::{Policy, Profile, RecordCost, SpfResult, TermCost};

/// Lookups that should be left: records of providers change without notice.
const RESERVE: u32 = 2;

pub(super) const FEW_LOOKUPS_LEFT: Rule = Rule {
    code: "spf.few-lookups-left",
    severity: Severity::Warning,
    title: "The record is near the limit of DNS lookups",
    why: "Records of providers grow without notice; one or two terms more in one of them and mail gets permerror.",
    remedy: "Keep two lookups in reserve: take out includes that no mail needs any more, or give a stream a return path of its own.",
    source: "RFC 7208 section 4.6.4; the reserve is ours",
};

pub(super) const OVER_FOR_OTHERS: Rule = Rule {
    code: "spf.over-limit-for-others",
    severity: Severity::Warning,
    title: "Addresses that the record does not authorise pass a limit",
    why: "They get permerror in place of the result that the record means for them. What it authorises still passes, but a term \
          added at the end would not.",
    remedy: "Refer to fewer records, and put terms that list addresses first.",
    source: "RFC 7208 section 4.6.4",
};

pub(super) const REFUSED_BY_RECEIVERS: Rule = Rule {
    code: "spf.refused-by-receivers",
    severity: Severity::Warning,
    title: "Some receivers have lower limits than this record needs",
    why: "Receivers differ in how many DNS lookups and void lookups they allow, and how they count them. At those named, \
          authorised addresses get permerror.",
    remedy: "Take out terms that find nothing in DNS, put `exists` terms last, and refer to fewer records.",
    source: "SPF Beyond the Standard, USENIX Security 2024, table 5",
};

pub(super) const TOO_MANY_LOOKUPS: Rule = Rule {
    code: "spf.too-many-lookups",
    severity: Severity::Error,
    title: "Authorised addresses stand behind the limit of DNS lookups",
    why: "A receiver gives up at the term that is one too many, with permerror: addresses that only later terms list do not pass. Two \
          includes cause most of these (USENIX Security 2024).",
    remedy: "Take out includes that no mail needs any more, or give a stream a return path of its own; put `ip4` and `ip6` first.",
    source: "RFC 7208 section 4.6.4",
};

pub(super) const TOO_MANY_MX: Rule = Rule {
    code: "spf.too-many-mx",
    severity: Severity::Error,
    title: "An `mx` term has more hosts, or a host more addresses, than receivers look at",
    why: "More than ten mail exchanges are permerror for every address that no earlier term matches; some receivers say so too of more than \
          ten addresses of one of them.",
    remedy: "List the addresses with `ip4` and `ip6` in its place.",
    source: "RFC 7208 section 4.6.4",
};

pub(super) const TOO_MANY_VOIDS: Rule = Rule {
    code: "spf.too-many-voids",
    severity: Severity::Error,
    title: "Authorised addresses stand behind the limit of void lookups",
    why: "Questions that find nothing are counted; at the one that is too many a receiver gives up with permerror. `exists` terms of providers \
          are void for all hosts but theirs.",
    remedy: "Take out terms that find nothing, and put `exists` terms behind those that list addresses.",
    source: "RFC 7208 section 4.6.4; erratum 6595",
};

pub(super) const VOID_BY_FAMILY: Rule = Rule {
    code: "spf.void-by-family",
    severity: Severity::Warning,
    title: "An IPv6 client causes more void lookups than some receivers allow",
    why: "`a` and `mx` ask for addresses of the client's family. Hosts with IPv4 addresses alone are void for an IPv6 client, and some receivers \
          count each of them: at the third the result is permerror, also for IPv6 addresses that later terms list.",
    remedy: "List the addresses of such hosts with `ip4`, or put terms for IPv6 sources first.",
    source: "pyspf issue 44; RFC 7208 section 4.6.4",
};

/// An address that a receiver's limits keep from its pass, and what to say of it.
fn harmed(policy: &Policy, profile: &Profile) -> Option<String> {
    let beyond = policy.beyond(profile);
    // Those that it lists may be refused as well where an unknown that does not match costs a void lookup.
    let listed = policy.listed_beyond(profile);
    if let Some(ip) = beyond.always.ranges.union(&beyond.sometimes.ranges).union(&listed).first() {
        return Some(format!("{ip} is authorised and does not always pass"));
    }
    // Where a pass depends on more than the address, only that it is out of reach is certain.
    let reach = |results: crate::spf::Results| results.sometimes(SpfResult::Pass);
    let lost = reach(policy.intended()).difference(&reach(policy.under(profile)));
    lost.first().map(|ip| format!("what may authorise {ip} stands behind the limit"))
}

/// Whom a receiver's limits cost their result.
fn refused_families(policy: &Policy, profile: &Profile) -> &'static str {
    let errors = |results: crate::spf::Results| results.sometimes(SpfResult::PermError);
    let hit = errors(policy.under(profile)).difference(&policy.intended().always(SpfResult::PermError));
    match [Family::V4, Family::V6].map(|family| !hit.of_family(family).is_empty()) {
        [true, false] => "IPv4 clients",
        [false, true] => "IPv6 clients",
        _ => "clients",
    }
}

impl Lint<'_> {
    pub(super) fn limits(&mut self, policy: &Policy, tree: &RecordCost, profile: &Profile) {
        let Some(visited) = self.records.first() else { return };
        let mut findings = Vec::new();
        let [v4, v6] = [Family::V4, Family::V6].map(|family| policy.worst(family));
        let worst = v4.max(v6);
        let most = Profile::UNLIMITED;
        let lifted = Profile { lookups: most, voids: most, mx_names: most, mx_addresses: most, ..*profile };
        let mut over = |rule, alone: &Profile, span, message: String| match harmed(policy, alone) {
            Some(who) => findings.push(visited.finding(rule, span, format!("{message}: {who}"))),
            None => {
                let who = refused_families(policy, alone);
                let message = format!("{message}: {who} that it does not authorise get permerror");
                findings.push(visited.finding(&OVER_FOR_OTHERS, span, message));
            }
        };
        let (lookups, voids) = (worst.lookups_for(profile), worst.voids_for(profile));
        if lookups > profile.lookups {
            let span = passes(tree, profile.lookups, |term| term.total.lookups);
            let message = format!("{lookups} DNS lookups at worst, {} are allowed", profile.lookups);
            over(&TOO_MANY_LOOKUPS, &Profile { lookups: profile.lookups, ..lifted }, span, message);
        }
        if voids > profile.voids {
            let span = passes(tree, profile.voids, |term| term.total.voids_v4.max(term.total.voids_v6));
            let message = format!("{voids} void lookups at worst, {} are allowed", profile.voids);
            over(&TOO_MANY_VOIDS, &Profile { voids: profile.voids, ..lifted }, span, message);
        }
        if worst.mx_names > profile.mx_names || worst.mx_addresses > profile.mx_addresses {
            let (mx_names, mx_addresses) = (profile.mx_names, profile.mx_addresses);
            let message = if worst.mx_names > mx_names {
                format!("an `mx` term has {} hosts, {mx_names} are allowed", worst.mx_names)
            } else {
                format!(
                    "a host of an `mx` term has {} addresses, {mx_addresses} are allowed",
                    worst.mx_addresses
                )
            };
            let span =
                tree.terms.iter().find(|term| has_problem(term, "spf.too-many-mx")).map(|term| term.span);
            over(&TOO_MANY_MX, &Profile { mx_names, mx_addresses, ..lifted }, span, message);
        }
        if lookups <= profile.lookups
            && lookups > profile.lookups.saturating_sub(RESERVE)
            && profile.lookups < Profile::UNLIMITED
        {
            let message = format!("{lookups} of {} DNS lookups at worst", profile.lookups);
            findings.push(visited.finding(&FEW_LOOKUPS_LEFT, None, message));
        }
        if v6.void_queries > 2 && v4.void_queries <= 2 {
            let message = format!(
                "{} questions find nothing for an IPv6 client, {} for an IPv4 client",
                v6.void_queries, v4.void_queries
            );
            let term = tree.terms.iter().find(|term| term.total.voids_v6 > term.total.voids_v4);
            findings.push(visited.finding(&VOID_BY_FAMILY, term.map(|term| term.span), message));
        }
        if harmed(policy, profile).is_none()
            && let Some(finding) = refused(policy, visited)
        {
            findings.push(finding);
        }
        self.findings.append(&mut findings);
    }

    /// Questions about hosts that DNS did not answer.
    pub(super) fn failures(&mut self, policy: &Policy, tree: &RecordCost) {
        let Some(failing) = policy.intended().sometimes(SpfResult::TempError).first() else { return };
        let mut findings = Vec::new();
        for visited in &self.records {
            let Some(terms) = terms_of(tree, &visited.domain) else { continue };
            for term in terms.iter().filter(|term| has_problem_itself(term, "spf.dns-failure")) {
                let message = format!("a question that `{}` asks has no answer", term.term);
                findings.push(visited.finding(&DNS_FAILURE, Some(term.span), message));
            }
        }
        self.findings.append(&mut findings);
        let is_told = self.findings.iter().any(|finding| finding.problem.code == DNS_FAILURE.code);
        // What a name that depends on the message answers nobody knows: that it may fail is no finding.
        let is_open =
            policy.unknowns().iter().any(|unknown| matches!(unknown.mechanism, "include" | "redirect"));
        if !is_told
            && !is_open
            && let Some(visited) = self.records.first()
        {
            let message = format!("the evaluation for {failing} ends in temperror, somewhere in the tree");
            self.findings.push(visited.finding(&DNS_FAILURE, None, message));
        }
    }
}

/// The receivers, other than the one asked about, whose limits keep authorised addresses from a pass.
fn refused(policy: &Policy, visited: &Visited) -> Option<crate::finding::Finding> {
    let software = Profile::ALL.iter().filter(|profile| profile.name != Profile::STRICT.name);
    let harming: Vec<(&str, String)> =
        software.filter_map(|profile| Some((profile.name, harmed(policy, profile)?))).collect();
    let names: Vec<&str> = harming.iter().map(|(name, _)| *name).collect();
    let (_, who) = harming.first()?;
    let message = format!("at {}: {who}", names.join(", "));
    Some(visited.finding(&REFUSED_BY_RECEIVERS, None, message))
}

/// The term of the record in which the sum passes a limit.
fn passes(tree: &RecordCost, limit: u32, spends: impl Fn(&TermCost) -> u32) -> Option<Span> {
    let mut sum = 0_u32;
    let term = tree.terms.iter().find(|term| {
        sum = sum.saturating_add(spends(term));
        sum > limit
    });
    term.map(|term| term.span)
}

fn has_problem_itself(term: &TermCost, code: &str) -> bool {
    term.problem.as_ref().is_some_and(|problem| problem.code == code)
}

fn has_problem(term: &TermCost, code: &str) -> bool {
    has_problem_itself(term, code)
        || term.child.as_ref().is_some_and(|child| child.terms.iter().any(|term| has_problem(term, code)))
}

/// The terms of a domain's record, where the tree shows it.
fn terms_of<'t>(tree: &'t RecordCost, domain: &crate::name::DomainName) -> Option<&'t [TermCost]> {
    if tree.domain == *domain {
        return Some(&tree.terms);
    }
    tree.terms.iter().filter_map(|term| term.child.as_ref()).find_map(|child| terms_of(child, domain))
}
