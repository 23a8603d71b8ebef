//! Rules about where policy records stand, and what is around them.

use super::{Lint, Text, policy_name};
use crate::dmarc::report::Authorised;
use crate::dmarc::{
    Alignment, ChosenBy, DmarcRecord, Found, Psd, Section, Walk, public_suffix, report::authorisation,
};
use crate::dns::{RecordType, existence};
use crate::finding::{Finding, Rule, Severity};
use crate::name::DomainName;

pub(super) const NO_RECORD: Rule = Rule {
    code: "dmarc.no-record",
    severity: Severity::Warning,
    title: "No policy record applies to the domain",
    why: "DMARC does not apply: forgeries are not told from mail, large receivers refuse bulk mail, and \
          nobody gets reports.",
    remedy: "Publish `v=DMARC1; p=none; rua=mailto:...` at the organizational domain, and read the reports.",
    source: "RFC 9989 section 4.10.1",
};

pub(super) const SEVERAL_RECORDS: Rule = Rule {
    code: "dmarc.several-records",
    severity: Severity::Error,
    title: "There are several policy records at one name",
    why: "RFC 9989 discards all of them as if there were none, RFC 7489 applies no DMARC.",
    remedy: "Leave one.",
    source: "RFC 9989 section 4.10; RFC 7489 section 6.6.3",
};

pub(super) const DNS_FAILURE: Rule = Rule {
    code: "dmarc.dns-failure",
    severity: Severity::Error,
    title: "DNS does not answer a question for a policy record",
    why: "Receivers may refuse mail for a time, or apply no policy.",
    remedy: "Repair the name servers of the zone.",
    source: "RFC 9989 section 4.10.1",
};

pub(super) const NO_RECORD_ABOVE: Rule = Rule {
    code: "dmarc.no-record-above",
    severity: Severity::Warning,
    title: "A domain below has a policy record, the organizational domain has none",
    why: "To receivers of RFC 9989 each name with a record is an organization of its own then, and names \
          without one too: the parent and its other names no longer align.",
    remedy: "Publish a record at the domain that the public suffix list makes the organization, before any \
          below it.",
    source: "RFC 9989 section 4.10.2; https://github.com/postalsys/mailauth/releases/tag/v6.0.0",
};

pub(super) const CAPTURED: Rule = Rule {
    code: "dmarc.captured",
    severity: Severity::Warning,
    title: "A record above the organizational domain makes all below one organization",
    why: "A public suffix has a policy record without `psd=y`. To receivers of RFC 9989 it is the \
          organizational domain of every name below it: names of strangers align with each other, and its \
          policy applies.",
    remedy: "Add `psd=n` to the record of the domain.",
    source: "RFC 9989 section 11.8",
};

pub(super) const ORGANIZATIONS_DIFFER: Rule = Rule {
    code: "dmarc.organizations-differ",
    severity: Severity::Warning,
    title: "The two generations of receivers see different organizational domains",
    why: "Relaxed alignment and the policy of names without a record depend on the receiver.",
    remedy: "Use strict alignment and a record for every author domain, or move the records until both agree.",
    source: "RFC 9989 section 11.8 and appendix C.3",
};

pub(super) const BELOW_ORGANIZATION: Rule = Rule {
    code: "dmarc.below-organization",
    severity: Severity::Warning,
    title: "`sp` or `np` below the organizational domain is ignored",
    why: "Only those of the organizational domain and of a public suffix are read. Names below this one take \
          their policy from there.",
    remedy: "Publish records for the names below, or declare the policy at the organizational domain.",
    source: "RFC 9989 section 4.7",
};

pub(super) const NP_WITH_WILDCARD: Rule = Rule {
    code: "dmarc.np-with-wildcard",
    severity: Severity::Warning,
    title: "`np` never applies, for a wildcard makes every name exist",
    why: "A name that matches a wildcard exists whatever the type asked for, so `sp` or `p` applies to it.",
    remedy: "Remove the wildcard, or make `sp` as strict as `np`.",
    source: "RFC 9989 appendix A.4; RFC 4592 section 2.2",
};

pub(super) const PSD_YES: Rule = Rule {
    code: "dmarc.psd-yes",
    severity: Severity::Error,
    title: "`psd=y` at a domain that is no public suffix",
    why: "It says that names below belong to others: each is an organization of its own, and none aligns with \
          this domain or with its siblings.",
    remedy: "Leave `psd` out; `psd=n` is for a domain below a public suffix that has a record.",
    source: "RFC 9989 section 4.7 and 4.10.2",
};

pub(super) const REPORTS_NOT_ALLOWED: Rule = Rule {
    code: "dmarc.reports-not-allowed",
    severity: Severity::Error,
    title: "A host of another organization does not take the reports",
    why: "Receivers send it none: whoever reads the reports is blind.",
    remedy: "Have the host publish the record that is named, with `v=DMARC1`.",
    source: "RFC 9990 section 4; RFC 7489 section 7.1",
};

impl Lint<'_> {
    /// What the walk from the domain finds.
    pub(super) fn walk_rules(&mut self, walk: &Walk) {
        for query in &walk.queries {
            let Some(name) = policy_name(&query.domain) else { continue };
            match &query.found {
                Found::Several { count } => {
                    let message = format!("there are {count} records where one is due");
                    self.add(SEVERAL_RECORDS.finding(&name, RecordType::Txt, message));
                }
                Found::Failed => {
                    let message = "the query failed, so receivers cannot tell which policy applies";
                    self.add(DNS_FAILURE.finding(&name, RecordType::Txt, message));
                }
                Found::Record { .. } | Found::Broken(_) | Found::Absent => {}
            }
        }
        let nothing = |found: &Found| matches!(found, Found::Absent);
        if walk.queries.iter().all(|query| nothing(&query.found))
            && let Some(name) = policy_name(self.domain)
        {
            let message = format!("neither {} nor a domain above it has a policy record", self.domain);
            self.add(NO_RECORD.finding(&name, RecordType::Txt, message));
        }
        self.organization(walk);
    }

    /// Whether both generations find the same organizational domain.
    fn organization(&mut self, walk: &Walk) {
        let by_walk = &walk.organizational_domain;
        // Without any record there is no organization to be found, and NO_RECORD says so.
        if walk.has_failed() || walk.chosen_by == ChosenBy::Itself {
            return;
        }
        let Some(by_list) = public_suffix(self.domain).and_then(|found| found.organizational_domain) else {
            return;
        };
        if by_list == *by_walk {
            return;
        }
        let (rule, at, message) = if by_list.is_within(by_walk) {
            let message = format!(
                "to RFC 9989 {by_walk}, which has a record without `psd=y`, is the organization of {by_list}"
            );
            (&CAPTURED, &by_list, message)
        } else if walk.chosen_by == ChosenBy::FewestLabels && walk.found(&by_list) == Some(&Found::Absent) {
            let message = format!("{by_walk} has a policy record, {by_list} above it has none");
            (&NO_RECORD_ABOVE, &by_list, message)
        } else {
            let message = format!(
                "the organizational domain of {} is {by_walk} by tree walk, {by_list} by list",
                self.domain
            );
            (&ORGANIZATIONS_DIFFER, self.domain, message)
        };
        if let Some(name) = policy_name(at) {
            self.add(rule.finding(&name, RecordType::Txt, message));
        }
    }

    /// What depends on the place of a record.
    pub(super) fn place_rules(&mut self, domain: &DomainName, record: &DmarcRecord, text: &Text<'_>) {
        let walk = self.walker.walk(domain);
        let is_below = walk.organizational_domain != *domain && !walk.has_failed();
        for tag in ["sp", "np"] {
            if is_below && record.value(tag).is_some() {
                let message = format!(
                    "`{tag}` is ignored: the organizational domain is {}",
                    walk.organizational_domain
                );
                self.add(text.at_tag(&BELOW_ORGANIZATION, tag, message));
            }
        }
        let wildcard = domain.prefixed("*").ok();
        if record.nonexistent_policy() != record.subdomain_policy()
            && !is_below
            && let Some(wildcard) = wildcard.filter(|name| existence(self.evidence, name) == Some(true))
        {
            let message = format!("`np` never applies: {wildcard} makes every name exist");
            self.add(text.at_tag(&NP_WITH_WILDCARD, "np", message));
        }
        let suffix = public_suffix(domain).filter(|found| found.organizational_domain.is_some());
        if record.psd() == Psd::Yes
            && let Some(found) = suffix
        {
            let by = match found.section {
                Section::Unlisted => "does not have it".to_owned(),
                _ => format!("has the rule `{}`", found.rule),
            };
            self.add(text.at_tag(&PSD_YES, "psd", format!("{domain} is no public suffix: the list {by}")));
        }
        for (tag, uris) in [("rua", record.rua()), ("ruf", record.ruf())] {
            for (uri, host) in uris.iter().filter_map(|uri| Some((uri, uri.host.as_ref()?))) {
                if let Some(finding) = self.destination(domain, host, |rule, message| {
                    text.at_tag(rule, tag, format!("{}: {message}", uri.uri))
                }) {
                    self.add(finding);
                }
            }
        }
    }

    /// Whether a host takes reports about a domain, at receivers of both generations.
    fn destination(
        &mut self,
        domain: &DomainName,
        host: &DomainName,
        finding: impl Fn(&Rule, String) -> Finding,
    ) -> Option<Finding> {
        let organization = |name| public_suffix(name).and_then(|found| found.organizational_domain);
        let by_list = organization(domain).map(|found| Some(found) == organization(host));
        let by_walk = self.walker.aligned(domain, host, Alignment::Relaxed);
        // Where only one generation sees one organization, the other asks for the record.
        let same = match (by_walk, by_list) {
            (Some(true), Some(false)) => Some(false),
            (same, _) => same,
        };
        match authorisation(self.evidence, domain, host, same) {
            Authorised::SameOrganization | Authorised::Granted { .. } => None,
            Authorised::Missing { name } => {
                let help = format!("have {host} publish TXT `v=DMARC1` at {name}");
                Some(
                    finding(&REPORTS_NOT_ALLOWED, format!("no record at {name} allows the reports"))
                        .help(help),
                )
            }
            Authorised::TooLong => {
                Some(finding(&REPORTS_NOT_ALLOWED, "the name of the record would be too long".to_owned()))
            }
            Authorised::Failed => {
                Some(finding(&DNS_FAILURE, "a query failed, so receivers may send no reports".to_owned()))
            }
        }
    }
}
