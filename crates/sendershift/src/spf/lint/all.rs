//! Rules about how a record ends.

use super::Lint;
use crate::finding::{Rule, Severity};
use crate::spf::{Mechanism, Qualifier};

pub(super) const NO_ALL: Rule = Rule {
    code: "spf.no-all",
    severity: Severity::Warning,
    title: "The record says nothing about addresses that it does not list",
    why: "Without `all` and without `redirect` the result for every other address is neutral, as if the domain had no \
          record: forgeries are not told from mail.",
    remedy: "End the record with `~all`, or with `-all` where no other host ever sends.",
    source: "RFC 7208 sections 4.7 and 5.1",
};

pub(super) const PASS_ALL: Rule = Rule {
    code: "spf.pass-all",
    severity: Severity::Error,
    title: "Every address passes",
    why: "`all` without a qualifier is `+all`: any host on the Internet sends as this domain with a pass, and DMARC with it. \
          Receivers treat such domains as hostile.",
    remedy: "Write `~all` or `-all`.",
    source: "RFC 7208 section 5.1; section 4.6.2 for the default",
};

impl<E> Lint<'_, E> {
    pub(super) fn all(&mut self) {
        let mut findings = Vec::new();
        // An include makes no difference between what other records end with, unless they let everything pass.
        for visited in &self.records {
            let Some(record) = visited.record() else { continue };
            let all = record.directives().find(|(_, directive)| directive.mechanism == Mechanism::All);
            if let Some((term, directive)) = all
                && directive.qualifier_or_default() == Qualifier::Pass
            {
                let message = format!("`{}` lets every address pass", record.written(term));
                findings.push(visited.finding(&PASS_ALL, Some(term.span), message));
            }
        }
        if let Some(visited) = self.records.first()
            && let Some(record) = visited.record()
            && !record.has_all()
            && record.redirect().is_none()
        {
            let end = record.text().trim_end().len();
            let message = "the record ends without `all`: every other address is neutral";
            findings.push(visited.finding(&NO_ALL, Some((end..end).into()), message));
        }
        self.findings.append(&mut findings);
    }
}
