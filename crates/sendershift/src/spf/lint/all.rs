//! Rules about how a record ends.

use super::Lint;
use crate::finding::{Rule, Severity};
use crate::spf::{Mechanism, Qualifier, TermKind};

pub(super) const AFTER_ALL: Rule = Rule {
    code: "spf.after-all",
    severity: Severity::Warning,
    title: "A term behind `all` is never evaluated",
    why: "`all` matches every address, so nothing behind it is looked at: a host that only such a term lists is not authorised. \
          The term is still checked for its grammar.",
    remedy: "Move the term in front of `all`, or take it out.",
    source: "RFC 7208 section 5.1",
};

pub(super) const NEUTRAL_ALL: Rule = Rule {
    code: "spf.neutral-all",
    severity: Severity::Warning,
    title: "Every address that is not listed is neutral",
    why: "Receivers treat neutral as if there were no record: forgeries are not told from mail.",
    remedy: "Write `~all` once all sources are listed; DMARC reports show whether they are.",
    source: "RFC 7208 sections 2.6.2 and 8.2",
};

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

pub(super) const REDIRECT_WITH_ALL: Rule = Rule {
    code: "spf.redirect-with-all",
    severity: Severity::Warning,
    title: "A redirect is ignored because the record has an `all`",
    why: "`redirect` is used only where no mechanism matches, and `all` always does, wherever it stands. What the other record \
          authorises is not authorised here.",
    remedy: "Take `all` out if the other record is to decide; write `include` for it if it is to add to this one; else take `redirect` out.",
    source: "RFC 7208 section 6.1",
};

impl Lint<'_> {
    pub(super) fn all(&mut self) {
        let mut findings = Vec::new();
        // What other people's records end with makes no difference to an include, unless they let everything pass.
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
        for (visited, record) in self.own() {
            let all = record.directives().find(|(_, directive)| directive.mechanism == Mechanism::All);
            let Some((all, directive)) = all else { continue };
            for term in record.terms() {
                let written = record.written(term);
                match &term.kind {
                    TermKind::Directive(_) if record.is_behind_all(term) => {
                        let message = format!("`{written}` stands behind `{}`", record.written(all));
                        findings.push(visited.finding(&AFTER_ALL, Some(term.span), message));
                    }
                    TermKind::Modifier(modifier) if modifier.name() == "redirect" => {
                        let message = format!("`{written}` is ignored because of `{}`", record.written(all));
                        findings.push(visited.finding(&REDIRECT_WITH_ALL, Some(term.span), message));
                    }
                    _ => {}
                }
            }
            if directive.qualifier_or_default() == Qualifier::Neutral && visited.via.is_empty() {
                let message = "`?all` makes every address that is not listed neutral";
                findings.push(visited.finding(&NEUTRAL_ALL, Some(all.span), message));
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
