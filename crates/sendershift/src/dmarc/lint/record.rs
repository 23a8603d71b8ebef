//! Rules about what a policy record says.

use super::Text;
use crate::dmarc::legacy::{LegacyRecord, percent};
use crate::dmarc::{Alignment, DmarcRecord, Policy};
use crate::error::Problem;
use crate::finding::{Finding, Rule, Severity};

pub(super) const SYNTAX: Rule = Rule {
    code: "dmarc.syntax",
    severity: Severity::Error,
    title: "Receivers cannot use the record",
    why: "A record with a tag that stands twice, or with a wrong policy and no address for reports, is as \
          good as none: DMARC does not apply, and forgeries are not told from mail.",
    remedy: "Write the record anew, each tag once.",
    source: "RFC 9989 section 4.10.1; RFC 6376 section 3.2",
};

pub(super) const BAD_POLICY: Rule = Rule {
    code: "dmarc.bad-policy",
    severity: Severity::Error,
    title: "A policy is none of the three, so all policies count as `none`",
    why: "With a wrong `p`, `sp` or `np` and a usable `rua`, receivers read `p=none` whatever else the record \
          says.",
    remedy: "Write `none`, `quarantine` or `reject`.",
    source: "RFC 9989 section 4.10.1; RFC 7489 section 6.6.3",
};

pub(super) const BAD_TAG: Rule = Rule {
    code: "dmarc.bad-tag",
    severity: Severity::Warning,
    title: "A part of the record is no tag",
    why: "A part without `=` is ignored, and with it what it was meant to say. Some receivers refuse the \
          whole record.",
    remedy: "Write a name, `=` and a value, and `;` between tags.",
    source: "RFC 9989 section 4.8",
};

pub(super) const BAD_URI: Rule = Rule {
    code: "dmarc.bad-uri",
    severity: Severity::Warning,
    title: "An address for reports cannot be used",
    why: "Receivers ignore it, and its reports are lost.",
    remedy: "Write `mailto:` and an address; a comma or an exclamation mark inside is `%2C` or `%21`.",
    source: "RFC 9989 section 4.6",
};

pub(super) const BAD_VALUE: Rule = Rule {
    code: "dmarc.bad-value",
    severity: Severity::Warning,
    title: "The value of a tag is none of the known ones",
    why: "Receivers ignore it and take the default instead.",
    remedy: "Write one of the known values, or leave the tag out.",
    source: "RFC 9989 section 4.7",
};

pub(super) const NO_POLICY: Rule = Rule {
    code: "dmarc.no-policy",
    severity: Severity::Warning,
    title: "The record has no policy",
    why: "Receivers of RFC 7489 ignore a record without `p` unless it has a usable `rua`. Those of RFC 9989 \
          read `p=none`, or apply no DMARC either: its sections 4.7 and 4.10.1 can be read both ways.",
    remedy: "Write `p=none` right after the version if that is meant.",
    source: "RFC 9989 section 4.7; RFC 7489 section 6.3",
};

pub(super) const OBSOLETE_SIZE: Rule = Rule {
    code: "dmarc.obsolete-size",
    severity: Severity::Note,
    title: "An address for reports has a limit of size, which means nothing any more",
    why: "Reporters of RFC 9990 ignore what stands after `!`.",
    remedy: "Leave it out.",
    source: "RFC 9989 appendix C; RFC 7489 section 6.2",
};

pub(super) const REMOVED_TAG: Rule = Rule {
    code: "dmarc.removed-tag",
    severity: Severity::Note,
    title: "A tag means nothing any more",
    why: "RFC 9989 removed `pct`, `rf` and `ri`. Only older receivers read them, and hardly any follows `rf` \
          or `ri`.",
    remedy: "Leave it out.",
    source: "RFC 9989 appendix C.4",
};

pub(super) const UNKNOWN_TAG: Rule = Rule {
    code: "dmarc.unknown-tag",
    severity: Severity::Warning,
    title: "A tag is unknown, perhaps a slip",
    why: "Receivers ignore unknown tags, and with them what was meant.",
    remedy: "Correct the name, or leave the tag out.",
    source: "RFC 9989 section 4.7",
};

pub(super) const UNSUPPORTED_URI: Rule = Rule {
    code: "dmarc.unsupported-uri",
    severity: Severity::Note,
    title: "An address for reports is not `mailto:`",
    why: "Receivers need not support any other kind, and hardly any does.",
    remedy: "Add a `mailto:` address.",
    source: "RFC 9989 section 4.6",
};

pub(super) const POLICY_NOT_SECOND: Rule = Rule {
    code: "dmarc.policy-not-second",
    severity: Severity::Warning,
    title: "The policy is not the second tag",
    why: "RFC 7489 asks for `p` right after the version: receivers that take it by its word ignore the \
          record, or read `p=none` if it has a usable `rua`. RFC 9989 allows any order.",
    remedy: "Move `p` behind the version.",
    source: "RFC 7489 sections 6.3 and 6.4; RFC 9989 section 4.8",
};

pub(super) const NONE_WITHOUT_RUA: Rule = Rule {
    code: "dmarc.none-without-rua",
    severity: Severity::Warning,
    title: "The policy is `none` and nobody gets reports",
    why: "Such a record does nothing: no mail is treated differently, and nobody learns what fails.",
    remedy: "Add `rua=mailto:` and an address that somebody reads.",
    source: "RFC 9989 section 5.1.5",
};

pub(super) const PCT_SAMPLING: Rule = Rule {
    code: "dmarc.pct-sampling",
    severity: Severity::Warning,
    title: "A percentage is full enforcement to newer receivers",
    why: "RFC 9989 removed `pct`, so its receivers apply the policy to all mail; those of RFC 7489 to that \
          share, and often not accurately.",
    remedy: "Use `t=y; pct=0` for the step before the policy, then neither.",
    source: "RFC 9989 appendix A.6 and C.4; RFC 7489 section 6.6.4",
};

pub(super) const PCT_ZERO: Rule = Rule {
    code: "dmarc.pct-zero",
    severity: Severity::Warning,
    title: "`pct=0` is a test to older receivers only",
    why: "Receivers of RFC 7489 apply the policy one level lower, those of RFC 9989 apply it in full.",
    remedy: "Add `t=y`, which says the same to receivers of RFC 9989.",
    source: "RFC 9989 section 4.7 and appendix A.6",
};

pub(super) const WEAKER_BELOW: Rule = Rule {
    code: "dmarc.weaker-below",
    severity: Severity::Warning,
    title: "Domains below have a weaker policy than the domain itself",
    why: "Who forges mail takes a name below the domain, or one that does not exist.",
    remedy: "Leave `sp` and `np` out once mail from below passes, or make them as strict as `p`.",
    source: "RFC 9989 section 4.7",
};

pub(super) const TESTING_NOTHING: Rule = Rule {
    code: "dmarc.testing-nothing",
    severity: Severity::Note,
    title: "`t=y` lowers nothing",
    why: "All policies are `none` already.",
    remedy: "Leave `t=y` out until a policy is declared.",
    source: "RFC 9989 section 4.7",
};

pub(super) const FO_WITHOUT_RUF: Rule = Rule {
    code: "dmarc.fo-without-ruf",
    severity: Severity::Note,
    title: "`fo` chooses failure reports that go nowhere",
    why: "Without `ruf` receivers ignore `fo`.",
    remedy: "Leave `fo` out, or add `ruf`.",
    source: "RFC 9989 section 4.7",
};

pub(super) const STRICT_ALIGNMENT: Rule = Rule {
    code: "dmarc.strict-alignment",
    severity: Severity::Note,
    title: "Identifiers must be the author domain itself",
    why: "With `aspf=s` a return path such as `bounce.example.com` does not align, with `adkim=s` a signature \
          of the parent does not. It also makes both generations of receivers agree, since no organizational \
          domain is asked for.",
    remedy: "Check that every sender uses the author domain itself before it moves.",
    source: "RFC 9989 section 4.4 and 11.8",
};

/// Rules whose findings reading the record notes.
const NOTED: &[&Rule] = &[
    &BAD_POLICY,
    &BAD_TAG,
    &BAD_URI,
    &BAD_VALUE,
    &NO_POLICY,
    &OBSOLETE_SIZE,
    &REMOVED_TAG,
    &UNKNOWN_TAG,
    &UNSUPPORTED_URI,
];

/// What there is to say of a record by itself.
pub(super) fn findings(text: &Text<'_>) -> Vec<Finding> {
    let record = match DmarcRecord::parse_noting(text.octets) {
        Ok(record) => record,
        Err((invalid, notes)) => {
            let wrong = invalid.problems.iter().map(|problem| text.of_problem(&SYNTAX, problem));
            let is_told = |note: &&Problem| invalid.problems.iter().all(|problem| problem.span != note.span);
            return wrong.chain(notes.iter().filter(is_told).filter_map(|note| noted(text, note))).collect();
        }
    };
    let (p, sp, np) = (record.policy(), record.subdomain_policy(), record.nonexistent_policy());
    let is_none = [p, sp, np] == [Policy::None; 3];
    let pct = record.value("pct").and_then(percent).filter(|percent| *percent < 100 && !is_none);
    // What older receivers make of such a percentage matters, and has rules of its own.
    let notes = record.notes().iter().filter(|note| {
        let is_pct =
            note.span.and_then(|span| text.shown.get(span.start..)).is_some_and(|tag| tag.starts_with("pct"));
        !(is_pct && pct.is_some() && note.code == REMOVED_TAG.code)
    });
    let mut findings: Vec<Finding> = notes.filter_map(|note| noted(text, note)).collect();
    let mut add = |rule: &Rule, tag: &str, message: String| findings.push(text.at_tag(rule, tag, message));
    let second = record.tags().filter(|(_, value)| value.is_some()).nth(1);
    if record.value("p").is_some() && second.is_none_or(|(name, _)| name != "p") {
        let read = match LegacyRecord::parse(text.octets) {
            Ok(_) => "reads `p=none`",
            Err(_) => "applies no DMARC",
        };
        let message = format!("`p` is not the second tag: a receiver that takes RFC 7489 by its word {read}");
        add(&POLICY_NOT_SECOND, "p", message);
    }
    if is_none && record.rua().is_empty() {
        add(&NONE_WITHOUT_RUA, "p", "the policy is `none`, and no `rua` says where reports go".to_owned());
    }
    match pct {
        Some(percent @ 1..) => {
            let message = format!("receivers of RFC 9989 apply the policy to all mail, not to {percent} %");
            add(&PCT_SAMPLING, "pct", message);
        }
        Some(0) if !record.is_testing() => {
            let message = "`pct=0` stands without `t=y`: receivers of RFC 9989 apply the policy in full";
            add(&PCT_ZERO, "pct", message.to_owned());
        }
        _ => {}
    }
    let weaker = |tag, policy: Policy, over, above: Policy| {
        let message = format!("`{tag}={}` is weaker than `{over}={}`", policy.as_str(), above.as_str());
        (policy < above).then_some((tag, message))
    };
    let over_np = if sp < p { weaker("np", np, "sp", sp) } else { weaker("np", np, "p", p) };
    for (tag, message) in weaker("sp", sp, "p", p).into_iter().chain(over_np) {
        add(&WEAKER_BELOW, tag, message);
    }
    if record.is_testing() && is_none {
        add(&TESTING_NOTHING, "t", "`t=y` stands beside policies that are all `none`".to_owned());
    }
    if record.value("fo").is_some() && record.ruf().is_empty() {
        add(&FO_WITHOUT_RUF, "fo", "`fo` stands without a `ruf`".to_owned());
    }
    for (tag, mode) in [("aspf", record.aspf()), ("adkim", record.adkim())] {
        if mode == Alignment::Strict {
            add(&STRICT_ALIGNMENT, tag, format!("`{tag}=s`: only the author domain itself aligns"));
        }
    }
    findings
}

/// The finding for what reading the record noted.
fn noted(text: &Text<'_>, note: &Problem) -> Option<Finding> {
    let rule = NOTED.iter().find(|rule| rule.code == note.code)?;
    let mut finding = text.of_problem(rule, note);
    if note.code == UNKNOWN_TAG.code {
        let written = text.shown.get(note.span?.start..note.span?.end)?;
        if let Some(known) = nearest(written.split('=').next()?.trim_end()) {
            finding = finding.help(format!("did you mean `{known}`?"));
        }
    }
    Some(finding)
}

/// The known tag that is nearest to a name, if it is near.
fn nearest(name: &str) -> Option<&'static str> {
    const KNOWN: [&str; 11] = ["adkim", "aspf", "fo", "np", "p", "psd", "rua", "ruf", "sp", "t", "v"];
    let near = KNOWN
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&name.to_ascii_lowercase(), known), known));
    near.min().filter(|(distance, known)| distance * 2 < known.len().max(2)).map(|(_, known)| known)
}
