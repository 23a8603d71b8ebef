//! Rules about how the domain's own records are published: the texts, their strings, their size and TTL.

use std::ops::Range;

use super::Lint;
use crate::dns::{Answer, Quality, Question, RecordType, Resolved, RrSet, Txt, resolve};
use crate::finding::{Rule, Severity};
use crate::name::DomainName;
use crate::spf::SpfRecord;

/// Octets of the name and all TXT data below which an answer fits into 512 octets with what else is in it.
const GUIDELINE: usize = 450;
/// Seconds below which a TTL helps only while a change is under way.
const LOW_TTL: u32 = 300;
/// Seconds above which a mistake stays for more than a day.
const HIGH_TTL: u32 = 86_400;

pub(super) const ALIAS: Rule = Rule {
    code: "spf.alias",
    severity: Severity::Note,
    title: "The record is that of another name, by way of a CNAME",
    why: "The alias holds for all types at the name, and whoever runs the other name decides what this domain authorises.",
    remedy: "If that is not meant, put a TXT record in place of the alias.",
    source: "RFC 1034 section 3.6.2",
};

pub(super) const GLUED_STRINGS: Rule = Rule {
    code: "spf.glued-strings",
    severity: Severity::Warning,
    title: "Two terms run into each other where the record is split into strings",
    why: "The strings of a TXT record are joined without a space, so a term at the end of one and a term at the beginning of the \
          next become one word, which means something else or nothing.",
    remedy: "Put a space at the end of the first string or at the beginning of the second one.",
    source: "RFC 7208 section 3.3",
};

pub(super) const HIGH_TTL_RULE: Rule = Rule {
    code: "spf.high-ttl",
    severity: Severity::Note,
    title: "The record may be cached for more than a day",
    why: "A mistake in it, and a new sending host that it lacks, stay visible that long after the correction.",
    remedy: "Publish it with a TTL of a day or less; lower it some time before a planned change.",
    source: "RFC 1035 section 3.2.1",
};

pub(super) const LARGE_ANSWER: Rule = Rule {
    code: "spf.large-answer",
    severity: Severity::Warning,
    title: "The TXT records of the name are large together",
    why: "Above 512 octets an answer may not fit a plain UDP reply, and a receiver that cannot ask again by TCP gets none: temperror. \
          All TXT records at the name count, also tokens of other services. Under 450 octets there is no such risk.",
    remedy: "Take out tokens that no service needs any more, move terms into a record of their own that is included, or move \
             streams to return paths of their own.",
    source: "RFC 7208 section 3.4",
};

pub(super) const LOW_TTL_RULE: Rule = Rule {
    code: "spf.low-ttl",
    severity: Severity::Note,
    title: "The record is cached for less than five minutes",
    why: "Receivers ask again and again, and each question that fails is a temperror. Such a TTL helps only while a change is under way.",
    remedy: "Publish it with a TTL of an hour or more when nothing is about to change.",
    source: "RFC 1035 section 3.2.1; practice",
};

pub(super) const NOT_QUITE: Rule = Rule {
    code: "spf.not-quite-spf",
    severity: Severity::Warning,
    title: "A text looks like an SPF record and is none",
    why: "A record begins with `v=spf1` and a space, or is that alone. Anything else in front of it or behind it makes the text one \
          that no receiver reads, without an error.",
    remedy: "Write `v=spf1`, a space and the terms, without quotes; or take the text out.",
    source: "RFC 7208 sections 3.3 and 4.5",
};

pub(super) const ODD_SPELLING: Rule = Rule {
    code: "spf.odd-spelling",
    severity: Severity::Note,
    title: "A name in the record is not written in lower case",
    why: "Names of mechanisms and modifiers have no case, yet some programs that read them know only lower case.",
    remedy: "Write it in lower case.",
    source: "RFC 7208 sections 4.6.1 and 12",
};

pub(super) const TRAILING_SPACE: Rule = Rule {
    code: "spf.trailing-space",
    severity: Severity::Note,
    title: "The record ends in a space",
    why: "The grammar allows it; some programs take what follows for an empty term. It often shows that a term was lost.",
    remedy: "Take the space out, and see whether something is missing behind it.",
    source: "RFC 7208 section 4.5",
};

pub(super) const TYPE_SPF: Rule = Rule {
    code: "spf.type-spf",
    severity: Severity::Note,
    title: "There is a record of the type SPF",
    why: "The type 99 was given up in 2014: receivers read TXT alone. The two drift apart, and people edit the wrong one.",
    remedy: "Remove the record of type SPF.",
    source: "RFC 7208 section 3.1",
};

impl Lint<'_> {
    pub(super) fn published(&mut self) {
        let domain = self.domain.clone();
        if let Resolved::Records(rrset) = resolve(self.evidence, &domain, RecordType::Txt) {
            self.not_quite(&domain, rrset);
        }
        if !self.published {
            return self.texts(&domain);
        }
        let of_type_spf = RecordType::Other(99);
        match resolve(self.known, &domain, of_type_spf) {
            Resolved::Records(_) => {
                let message = format!("{domain} has a record of type SPF, which nobody reads");
                self.findings.push(TYPE_SPF.finding(&domain, of_type_spf, message));
            }
            Resolved::Unknown => self.skipped.push(Question::new(domain.clone(), of_type_spf)),
            Resolved::Absent { .. } | Resolved::Failed => {}
        }
        let own = self.records.iter().map(|visited| &visited.domain).filter(|name| name.is_within(&domain));
        let own: Vec<DomainName> = own.cloned().collect();
        for name in own {
            let answer = self.evidence.answer(&name, RecordType::Txt);
            if let Answer::Alias(alias) = answer {
                let message = format!("{name} is an alias of {}", alias.records().to_texts().concat());
                self.findings.push(ALIAS.finding(&name, RecordType::Cname, message));
            } else if let Answer::Records(rrset) = answer {
                self.size_and_ttl(&name, rrset);
            }
            self.texts(&name);
        }
    }

    fn size_and_ttl(&mut self, name: &DomainName, rrset: &RrSet) {
        let size = rrset.size(name);
        if size > GUIDELINE {
            let others = rrset.texts().len().saturating_sub(1);
            let than = if size > 512 { "512 octets do not hold them" } else { "the guideline is 450" };
            let message = format!("name and TXT records take {size} octets ({others} other texts): {than}");
            self.findings.push(LARGE_ANSWER.finding(name, RecordType::Txt, message));
        }
        match (rrset.ttl(), rrset.quality()) {
            // What a cache tells is only what is left.
            (Some(ttl), Quality::Authoritative) if ttl < LOW_TTL => {
                let message = format!("the TTL is {ttl} seconds");
                self.findings.push(LOW_TTL_RULE.finding(name, RecordType::Txt, message));
            }
            (Some(ttl), _) if ttl > HIGH_TTL => {
                let message = format!("the TTL is {ttl} seconds, {} hours", ttl / 3600);
                self.findings.push(HIGH_TTL_RULE.finding(name, RecordType::Txt, message));
            }
            _ => {}
        }
    }

    fn not_quite(&mut self, domain: &DomainName, rrset: &RrSet) {
        for text in rrset.texts().iter().filter(|text| !SpfRecord::is_spf(text.octets())) {
            let shown = shown(text);
            // Spaces, quotes and byte order marks that were published, too.
            let plain = shown.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
            if !plain.starts_with("v=spf") && !plain.starts_with("spf1 ") {
                continue;
            }
            let is_split = text.strings().first().is_some_and(|first| first.eq_ignore_ascii_case("v=spf1"));
            let message = if is_split {
                "the strings are joined without a space: the text begins with no version that exists"
            } else {
                "the text does not begin with `v=spf1` and a space"
            };
            let start = shown.len() - plain.len();
            let end = plain.find(' ').map_or(shown.len(), |length| start + length);
            let mut finding = NOT_QUITE.finding(domain, RecordType::Txt, message);
            if is_split {
                // A zone file in which the record stands without quotes: each word is a string.
                let help = "put the whole record between one pair of quotation marks in the zone file, or a space at the \
                            end of the first string";
                finding.problem.help = Some(help.into());
            }
            self.findings.push(finding.in_record(shown).at(0..end));
        }
    }

    /// Rules about the spelling of the record at a name.
    fn texts(&mut self, name: &DomainName) {
        let mut findings = Vec::new();
        let Resolved::Records(rrset) = resolve(self.evidence, name, RecordType::Txt) else { return };
        let mut texts = rrset.texts().iter().filter(|text| SpfRecord::is_spf(text.octets()));
        let (Some(text), None) = (texts.next(), texts.next()) else { return };
        for (span, at) in glued(text) {
            let record = shown(text);
            let (left, right) = (record.get(span.start..at), record.get(at..span.end));
            let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
            let message = format!("`{left}` and `{right}` are joined without a space");
            findings.push(GLUED_STRINGS.finding(name, RecordType::Txt, message).in_record(record).at(span));
        }
        if let Some((visited, record)) = self.own().find(|(visited, _)| visited.domain == *name) {
            let (whole, kept) = (record.text(), record.text().trim_end_matches(' '));
            if kept.len() < whole.len() {
                let message = "the record ends in a space";
                findings.push(visited.finding(
                    &TRAILING_SPACE,
                    Some((kept.len()..whole.len()).into()),
                    message,
                ));
            }
            let version = whole.get(..6).unwrap_or_default();
            let words = std::iter::once((0, version));
            let words =
                words.chain(record.terms().iter().map(|term| (term.span.start, record.written(term))));
            for (start, word) in words {
                let head = word.split([':', '=', '/']).next().unwrap_or(word);
                let head = if start == 0 { word } else { head };
                if head.bytes().any(|octet| octet.is_ascii_uppercase()) {
                    let message = format!("`{head}` has upper-case letters");
                    let span = start..start + head.len();
                    findings.push(visited.finding(&ODD_SPELLING, Some(span.into()), message));
                }
            }
        }
        self.findings.append(&mut findings);
    }
}

/// The text of a record, octets outside printable ASCII replaced so that every place stays what it is.
pub(super) fn shown(text: &Txt) -> String {
    let character = |octet: &u8| if (b' '..=b'~').contains(octet) { char::from(*octet) } else { '?' };
    text.octets().iter().map(character).collect()
}

/// Where one string ends in a whole term and the next begins with one: the place of both terms, and where they meet.
fn glued(text: &Txt) -> Vec<(Range<usize>, usize)> {
    let mut found = Vec::new();
    let (mut rest, mut at) = (text.octets(), 0);
    let mut before: &[u8] = &[];
    for length in text.lengths() {
        let Some((string, after)) = rest.split_at_checked(*length) else { break };
        let left = before.rsplit(|octet| *octet == b' ').next().unwrap_or_default();
        let right = string.split(|octet| *octet == b' ').next().unwrap_or_default();
        if is_term(left) && is_term(right) {
            found.push((at - left.len()..at + right.len(), at));
        }
        (before, rest, at) = (string, after, at + length);
    }
    found
}

fn is_term(word: &[u8]) -> bool {
    !word.is_empty() && SpfRecord::parse(&[b"v=spf1 ", word].concat()).is_ok()
}
