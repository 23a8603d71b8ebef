//! What is wrong with records beside SPF, DKIM and DMARC, or unwise.

use super::record::{MtaSts, TlsRpt, is_bimi, is_null_mx};
use crate::dmarc::{self, Applied, Policy};
use crate::dns::{Evidence, RecordType, Recording, Records, Resolved, RrSet, Txt, resolve};
use crate::error::{Error, Invalid};
use crate::finding::{Finding, Report, Rule, Severity};
use crate::name::DomainName;
use crate::spf::{Directive, Mechanism, Qualifier, SpfRecord};

pub(super) const DNS_FAILURE: Rule = Rule {
    code: "domain.dns-failure",
    severity: Severity::Error,
    title: "DNS does not answer a question about the domain",
    why: "Nothing can be said about the record, and senders put mail off.",
    remedy: "Repair the name servers of the zone.",
    source: "RFC 5321 section 5.1",
};

pub(super) const NULL_MX_BESIDE_OTHERS: Rule = Rule {
    code: "domain.null-mx-beside-others",
    severity: Severity::Error,
    title: "A null MX stands beside other MX records",
    why: "A null MX has to be alone. Senders differ in what they do: some refuse to send, some take the other \
          hosts.",
    remedy: "Remove the null MX, or all others.",
    source: "RFC 7505 section 3",
};

pub(super) const NULL_MX_PREFERENCE: Rule = Rule {
    code: "domain.null-mx-preference",
    severity: Severity::Note,
    title: "The preference of the null MX is not 0",
    why: "It is defined with the preference 0, and some senders look for just that.",
    remedy: "Write `0 .`.",
    source: "RFC 7505 section 3",
};

pub(super) const NULL_MX_OF_SENDER: Rule = Rule {
    code: "domain.null-mx-of-sender",
    severity: Severity::Warning,
    title: "A domain that sends mail takes none",
    why: "Its SPF record lets hosts send, and bounces and replies cannot be delivered. Some receivers refuse \
          mail whose MAIL FROM domain has a null MX.",
    remedy: "Publish an MX record, or `v=spf1 -all` where nothing is sent any more.",
    source: "RFC 7505 section 4.2",
};

pub(super) const MTA_STS_SEVERAL: Rule = Rule {
    code: "domain.mta-sts-several",
    severity: Severity::Error,
    title: "There are several MTA-STS records",
    why: "Senders act as if there were no policy.",
    remedy: "Leave one.",
    source: "RFC 8461 section 3.1",
};

pub(super) const MTA_STS_MALFORMED: Rule = Rule {
    code: "domain.mta-sts-malformed",
    severity: Severity::Error,
    title: "The MTA-STS record cannot be read",
    why: "Senders do not fetch the policy, or do not notice a new one.",
    remedy: "Write `v=STSv1; id=` and up to 32 letters and digits.",
    source: "RFC 8461 section 3.1",
};

pub(super) const TLS_RPT_SEVERAL: Rule = Rule {
    code: "domain.tls-rpt-several",
    severity: Severity::Error,
    title: "There are several records for TLS reports",
    why: "Senders act as if there were none.",
    remedy: "Leave one.",
    source: "RFC 8460 section 3",
};

pub(super) const TLS_RPT_MALFORMED: Rule = Rule {
    code: "domain.tls-rpt-malformed",
    severity: Severity::Error,
    title: "The record for TLS reports cannot be read",
    why: "Its reports are lost.",
    remedy: "Write `v=TLSRPTv1; rua=` and a `mailto:` or an `https:` URI.",
    source: "RFC 8460 section 3",
};

pub(super) const BIMI_WITHOUT_ENFORCEMENT: Rule = Rule {
    code: "domain.bimi-without-enforcement",
    severity: Severity::Warning,
    title: "A BIMI record stands at a domain whose DMARC policy is not enforced",
    why: "Receivers show the logo only for domains with `quarantine` or `reject` for all mail, and without \
          `sp=none` at the organizational domain.",
    remedy: "Enforce the policy in full, or remove the BIMI record.",
    source: "https://www.suped.com/knowledge/email-deliverability/technical/what-are-the-dmarc-requirements- \
          for-bimi-and-how-does-pct-affect-the-policies, read in November 2026",
};

/// The rules, in no order.
pub const RULES: &[&Rule] = &[
    &BIMI_WITHOUT_ENFORCEMENT,
    &DNS_FAILURE,
    &MTA_STS_MALFORMED,
    &MTA_STS_SEVERAL,
    &NULL_MX_BESIDE_OTHERS,
    &NULL_MX_OF_SENDER,
    &NULL_MX_PREFERENCE,
    &TLS_RPT_MALFORMED,
    &TLS_RPT_SEVERAL,
];

/// What there is to say of the records of a domain beside SPF, DKIM and DMARC.
///
/// # Errors
///
/// The questions that the evidence does not answer.
///
/// # Examples
///
/// ```
/// use sendershift::adjacent::lint;
/// use sendershift::dns::Snapshot;
///
/// let snapshot = Snapshot::from_json(r#"{ "format": "sendershift-snapshot/1", "closed": true, "answers": [
///     { "name": "example.net", "type": "MX", "records": ["0 .", "10 mx.example.net."] }] }"#)?;
/// let report = lint(&snapshot, &"example.net".parse()?)?;
/// assert_eq!(report.findings[0].problem.code, "domain.null-mx-beside-others");
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn lint(evidence: &dyn Evidence, domain: &DomainName) -> Result<Report, Error> {
    let evidence = Recording::new(evidence);
    let mut lint = Lint { evidence: &evidence, domain, findings: Vec::new() };
    lint.mail_exchange();
    lint.version(
        "_mta-sts",
        MtaSts::is_mta_sts,
        |octets| MtaSts::parse(octets).map(|_| ()),
        [&MTA_STS_SEVERAL, &MTA_STS_MALFORMED],
    );
    lint.version(
        "_smtp._tls",
        TlsRpt::is_tls_rpt,
        |octets| TlsRpt::parse(octets).map(|_| ()),
        [&TLS_RPT_SEVERAL, &TLS_RPT_MALFORMED],
    );
    lint.bimi();
    let findings = lint.findings;
    Ok(evidence.complete(Report::new("domain", domain.as_str(), findings))?)
}

struct Lint<'e> {
    evidence: &'e dyn Evidence,
    domain: &'e DomainName,
    findings: Vec<Finding>,
}

impl<'e> Lint<'e> {
    fn ask(&mut self, name: &DomainName, record_type: RecordType) -> Option<&'e RrSet> {
        match resolve(self.evidence, name, record_type) {
            Resolved::Records(rrset) => Some(rrset),
            Resolved::Failed => {
                self.findings.push(DNS_FAILURE.finding(name, record_type, "DNS does not answer"));
                None
            }
            Resolved::Absent { .. } | Resolved::Unknown => None,
        }
    }

    fn mail_exchange(&mut self) {
        let domain = self.domain;
        // Both are asked for whatever comes of the other, so that all open questions are found at once.
        let (exchanges, texts) = (self.ask(domain, RecordType::Mx), self.ask(domain, RecordType::Txt));
        let Some(rrset) = exchanges else { return };
        let Records::Mx(hosts) = rrset.records() else { return };
        let Some(null) = hosts.iter().find(|host| host.exchange.is_root()) else { return };
        let mut add = |rule: &Rule, message: String| {
            self.findings.push(rule.finding(domain, RecordType::Mx, message));
        };
        if !is_null_mx(rrset) {
            add(
                &NULL_MX_BESIDE_OTHERS,
                format!("`{} .` is one of {} MX records", null.preference, hosts.len()),
            );
            return;
        }
        if null.preference != 0 {
            add(&NULL_MX_PREFERENCE, format!("the preference is {}", null.preference));
        }
        let sends = |text: &Txt| SpfRecord::parse(text.octets()).is_ok_and(|record| !is_null_spf(&record));
        if texts.is_some_and(|rrset| rrset.texts().iter().any(sends)) {
            add(
                &NULL_MX_OF_SENDER,
                "the SPF record lets hosts send, and no mail can be sent back".to_owned(),
            );
        }
    }

    /// One record that begins with its version is due.
    fn version(
        &mut self,
        label: &str,
        is_one: impl Fn(&[u8]) -> bool,
        parse: impl Fn(&[u8]) -> Result<(), Invalid>,
        [several, malformed]: [&Rule; 2],
    ) {
        let Ok(name) = self.domain.prefixed(label) else { return };
        let Some(rrset) = self.ask(&name, RecordType::Txt) else { return };
        let mut texts = rrset.texts().iter().filter(|text| is_one(text.octets()));
        match (texts.next(), texts.count()) {
            (None, _) => {}
            (Some(text), 0) => {
                for problem in parse(text.octets()).err().into_iter().flat_map(|invalid| invalid.problems) {
                    let finding = malformed.finding(&name, RecordType::Txt, problem.message);
                    let mut finding = finding.in_record(String::from_utf8_lossy(text.octets()));
                    finding.problem.span = problem.span;
                    self.findings.push(finding);
                }
            }
            (Some(_), others) => {
                let message = format!("there are {} records where one is due", others + 1);
                self.findings.push(several.finding(&name, RecordType::Txt, message));
            }
        }
    }

    fn bimi(&mut self) {
        let Ok(name) = self.domain.prefixed("default._bimi") else { return };
        let Some(rrset) = self.ask(&name, RecordType::Txt) else { return };
        if !rrset.texts().iter().any(|text| is_bimi(text.octets())) {
            return;
        }
        let discovery = dmarc::discover(self.evidence, self.domain);
        let organization = dmarc::discover(self.evidence, &discovery.walk.organizational_domain).applied;
        let why = match (&discovery.applied, &organization) {
            (None, _) => "no DMARC policy is known",
            (Some(applied), _) if applied.declared == Policy::None => "the DMARC policy is `none`",
            (Some(applied), _) if applied.lowered => "`t=y` lowers the DMARC policy",
            (Some(applied), _) if is_sampled(applied) => "`pct` takes mail from the DMARC policy",
            (_, Some(above)) if above.record.subdomain_policy() == Policy::None => {
                "the organizational domain has no DMARC policy for domains below"
            }
            _ => return,
        };
        self.findings.push(BIMI_WITHOUT_ENFORCEMENT.finding(&name, RecordType::Txt, why));
    }
}

fn is_sampled(applied: &Applied) -> bool {
    applied
        .record
        .value("pct")
        .and_then(|value| value.parse::<u8>().ok())
        .is_some_and(|percent| percent < 100)
}

/// Whether a record says that nobody sends: `v=spf1 -all`.
fn is_null_spf(record: &SpfRecord) -> bool {
    let mut directives = record.directives().map(|(_, directive)| directive);
    let is_fail_all = |directive: &Directive| {
        directive.mechanism == Mechanism::All && directive.qualifier_or_default() == Qualifier::Fail
    };
    record.redirect().is_none() && directives.next().is_none_or(is_fail_all)
}
