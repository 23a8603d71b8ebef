//! What is wrong with policy records or unwise: in a record, and in where it stands.
//!
//! Looked at are the record of a domain and that of its organizational domain, for receivers of both generations.

mod place;
mod record;

use super::record::DmarcRecord;
use super::walk::Walker;
use crate::dns::{Evidence, Overlay, Quality, RecordType, Recording, Records, Resolved, RrSet, Txt, resolve};
use crate::error::{Error, Invalid, Problem, Span};
use crate::finding::{Finding, Report, Rule};
use crate::name::DomainName;
use crate::tag_list;

/// The rules, in no order.
pub const RULES: &[&Rule] = &[
    &place::BELOW_ORGANIZATION,
    &place::CAPTURED,
    &place::DNS_FAILURE,
    &place::NO_RECORD,
    &place::NO_RECORD_ABOVE,
    &place::NP_WITH_WILDCARD,
    &place::ORGANIZATIONS_DIFFER,
    &place::PSD_YES,
    &place::REPORTS_NOT_ALLOWED,
    &place::SEVERAL_RECORDS,
    &record::BAD_POLICY,
    &record::BAD_TAG,
    &record::BAD_URI,
    &record::BAD_VALUE,
    &record::FO_WITHOUT_RUF,
    &record::NO_POLICY,
    &record::NONE_WITHOUT_RUA,
    &record::OBSOLETE_SIZE,
    &record::PCT_SAMPLING,
    &record::PCT_ZERO,
    &record::POLICY_NOT_SECOND,
    &record::REMOVED_TAG,
    &record::STRICT_ALIGNMENT,
    &record::SYNTAX,
    &record::TESTING_NOTHING,
    &record::UNKNOWN_TAG,
    &record::UNSUPPORTED_URI,
    &record::WEAKER_BELOW,
];

/// What there is to say of a domain's policy record, or of a text that begins with `v=DMARC1`: by itself, or as if `at`
/// published it.
///
/// # Errors
///
/// The problems of the domain's name; those of a record are findings. [`Error::Missing`] with the questions that the
/// evidence does not answer.
///
/// # Examples
///
/// ```
/// use sendershift::dmarc::lint;
/// use sendershift::dns::Snapshot;
///
/// let report = lint(&Snapshot::default(), "v=DMARC1; p=reject; pct=50", None)?;
/// assert_eq!(report.findings[0].problem.code, "dmarc.pct-sampling");
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn lint(evidence: &dyn Evidence, text: &str, at: Option<DomainName>) -> Result<Report, Error> {
    let is_record = DmarcRecord::is_dmarc(text.as_bytes());
    let Some(domain) = (if is_record { at } else { Some(named(text)?) }) else {
        let record = Text::new(text.as_bytes(), DomainName::parse("record.invalid")?, &[]);
        return Ok(Report::new("dmarc", text, record::findings(&record)));
    };
    let mut overlay = Overlay::new(evidence);
    if is_record
        && let Ok(name) = domain.prefixed("_dmarc")
        && let Ok(record) = Txt::from_text(&text.replace('\\', "\\\\"))
    {
        overlay.publish(&name, RrSet::new(Records::Txt(vec![record]), None, Quality::Cached));
    }
    let evidence = Recording::new(overlay);
    let mut lint =
        Lint { evidence: &evidence, walker: Walker::new(&evidence), domain: &domain, findings: Vec::new() };
    lint.run();
    let findings = lint.findings;
    Ok(evidence.complete(Report::new("dmarc", text, findings))?)
}

fn named(text: &str) -> Result<DomainName, Invalid> {
    DomainName::parse_or_hint(text, "v=DMARC1")
        .or_else(|problem| Invalid::unless(vec![problem], text, DomainName::root()))
}

struct Lint<'e> {
    evidence: &'e dyn Evidence,
    walker: Walker<'e>,
    domain: &'e DomainName,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    fn run(&mut self) {
        let walk = self.walker.walk(self.domain);
        self.walk_rules(&walk);
        let mut places = vec![self.domain.clone(), walk.organizational_domain];
        places.dedup();
        for place in places {
            let via = if place == *self.domain { &[][..] } else { std::slice::from_ref(self.domain) };
            let Some(name) = policy_name(&place) else { continue };
            let Resolved::Records(rrset) = resolve(self.evidence, &name, RecordType::Txt) else { continue };
            let mut texts = rrset.texts().iter().filter(|text| DmarcRecord::is_dmarc(text.octets()));
            let (Some(text), None) = (texts.next(), texts.next()) else { continue };
            let text = Text::new(text.octets(), name, via);
            self.findings.append(&mut record::findings(&text));
            if let Ok(record) = DmarcRecord::parse(text.octets) {
                self.place_rules(&place, &record, &text);
            }
        }
    }

    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

fn policy_name(domain: &DomainName) -> Option<DomainName> {
    domain.prefixed("_dmarc").ok()
}

/// A record as it was written, and where.
struct Text<'t> {
    octets: &'t [u8],
    shown: String,
    name: DomainName,
    via: &'t [DomainName],
}

impl<'t> Text<'t> {
    fn new(octets: &'t [u8], name: DomainName, via: &'t [DomainName]) -> Self {
        Self { octets, shown: String::from_utf8_lossy(octets).into_owned(), name, via }
    }

    fn finding(&self, rule: &Rule, message: String, span: Option<Span>) -> Finding {
        let mut finding = rule.finding(&self.name, RecordType::Txt, message).in_record(&self.shown);
        finding.via = self.via.to_vec();
        finding.problem.span = span;
        finding
    }

    /// A finding at a tag, or about the whole record if the tag is not there.
    fn at_tag(&self, rule: &Rule, tag: &str, message: String) -> Finding {
        let span = tag_list::parts(&self.shown).find(|part| part.name == tag).map(|part| part.span);
        self.finding(rule, message, span)
    }

    /// A finding that says what a problem says.
    fn of_problem(&self, rule: &Rule, problem: &Problem) -> Finding {
        let finding = self.finding(rule, problem.message.clone(), problem.span);
        match &problem.help {
            Some(help) => finding.help(&**help),
            None => finding,
        }
    }
}
