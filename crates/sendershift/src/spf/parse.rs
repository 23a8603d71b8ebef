//! Reads a record by the grammar of RFC 7208 section 12 and lists every problem.

use std::net::IpAddr;
use std::str::FromStr;

use super::codes;
use super::macros::{DomainSpec, MacroString, visible};
use super::record::{Directive, DualCidr, Mechanism, Modifier, Qualifier, SpfRecord, Term, TermKind};
use crate::error::{Invalid, Problem, Span};

const VERSION: &str = "v=spf1";

impl SpfRecord {
    /// Whether a TXT record is an SPF record: it begins with `v=spf1` in any case, followed by a space or the end
    /// (RFC 7208 section 4.5). Its terms may be wrong all the same.
    pub fn is_spf(text: &[u8]) -> bool {
        text.split_at_checked(VERSION.len()).is_some_and(|(version, rest)| {
            version.eq_ignore_ascii_case(VERSION.as_bytes()) && matches!(rest.first(), None | Some(b' '))
        })
    }

    /// Reads a record; octets are those of the character-strings joined without a space (RFC 7208 section 3.3).
    ///
    /// `record = version *( 1*SP ( directive / modifier ) ) *SP`
    ///
    /// # Errors
    ///
    /// `spf.not-spf` alone, or the problems of all terms in the order of the text, with the codes in
    /// [`codes`].
    pub fn parse(text: &[u8]) -> Result<Self, Invalid> {
        // Octets that are no text become question marks, so that places stay what they are.
        let readable = match std::str::from_utf8(text) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                text.iter().map(|octet| if octet.is_ascii() { char::from(*octet) } else { '?' }).collect()
            }
        };
        if !Self::is_spf(text) {
            let problems = vec![not_spf(&readable)];
            return Invalid::unless(problems, &readable, Self::new(String::new(), Vec::new()));
        }
        let mut reader = Reader::default();
        // Without an early end the compiler looks at many octets at once.
        let is_visible = text.iter().fold(true, |all, octet| all & matches!(octet, b' '..=b'~'));
        // Terms are hardly ever shorter than this.
        let mut terms = Vec::with_capacity(text.len() / 12);
        let mut start = 0;
        for word in text.split(|octet| *octet == b' ') {
            let span = Span::new(start, start + word.len());
            start = span.end + 1;
            if span.start == 0 || word.is_empty() {
                continue;
            }
            let word = match readable.get(span.start..span.end) {
                Some(word) if is_visible => Ok(word),
                _ => visible(word, span.start),
            };
            match word {
                Ok(word) => terms.extend(reader.separated(word, span).map(|kind| Term { span, kind })),
                Err(problem) => reader.problems.push(problem),
            }
        }
        Invalid::unless(reader.problems, &readable, ()).map(|()| Self::new(readable, terms))
    }
}

impl FromStr for SpfRecord {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text.as_bytes())
    }
}

fn not_spf(text: &str) -> Problem {
    let (spaces, word) = text.split_at(text.len() - text.trim_start_matches(' ').len());
    let end = spaces.len() + word.find(' ').unwrap_or(word.len());
    let problem =
        Problem::new(codes::NOT_SPF, "the text does not begin with `v=spf1` and a space").at(0..end);
    let begins =
        |text: &str| text.get(..VERSION.len()).is_some_and(|head| head.eq_ignore_ascii_case(VERSION));
    if begins(text) {
        problem.help("write a space after `v=spf1`")
    } else if begins(text.trim_start_matches([' ', '\t', '"', '\'', '\u{feff}'])) {
        problem.help("begin with `v=spf1`, without spaces or quotation marks before it")
    } else {
        problem
    }
}

/// A part of the text and the octet at which it begins.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Part<'a> {
    fn span(self) -> Span {
        Span::new(self.at, self.at + self.text.len())
    }

    fn split(self, length: usize) -> (Self, Self) {
        let (head, tail) = self.text.split_at_checked(length).unwrap_or((self.text, ""));
        (Self { text: head, at: self.at }, Self { text: tail, at: self.at + head.len() })
    }

    fn after(self, prefix: char) -> Option<Self> {
        self.text.strip_prefix(prefix).map(|text| Self { text, at: self.at + prefix.len_utf8() })
    }

    fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    /// The part before the prefix lengths at the end, and these. No domain-spec ends in a slash and digits.
    fn split_prefix_lengths(self) -> (Self, Self) {
        let body = self.text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '/').len();
        let (_, tail) = self.split(body);
        self.split(tail.text.find('/').map_or(self.text.len(), |slash| body + slash))
    }

    /// The name that it is, in any case.
    fn among(self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| name.eq_ignore_ascii_case(self.text))
    }

    /// The text for a message: the beginning, if it is long.
    fn shown(self) -> &'a str {
        self.text.get(..60).unwrap_or(self.text)
    }
}

#[derive(Default)]
struct Reader {
    problems: Vec<Problem>,
    has_redirect: bool,
    has_exp: bool,
}

impl Reader {
    fn fail<T>(&mut self, problem: Problem, span: Span) -> Option<T> {
        self.problems.push(problem.at(span));
        None
    }

    /// What was read, unless problems came up.
    fn checked<T>(&mut self, read: impl FnOnce(&mut Vec<Problem>) -> T) -> Option<T> {
        let before = self.problems.len();
        let value = read(&mut self.problems);
        (self.problems.len() == before).then_some(value)
    }

    /// A term; where a comma or a semicolon ends one that is wrong, that is what is in the way.
    fn separated(&mut self, text: &str, span: Span) -> Option<TermKind> {
        let before = self.problems.len();
        let read = self.term(text, span);
        if read.is_none()
            && let Some(sign) = text.chars().next_back().filter(|sign| matches!(sign, ',' | ';'))
        {
            for problem in self.problems.iter_mut().skip(before) {
                problem.help = Some(
                    format!("take the `{sign}` at the end out: terms are separated by spaces alone").into(),
                );
            }
        }
        read
    }

    /// `directive = [ qualifier ] mechanism; modifier = name "=" ...`
    fn term(&mut self, text: &str, span: Span) -> Option<TermKind> {
        let whole = Part { text, at: span.start };
        let (qualifier, rest) = read_qualifier(whole);
        let name_ends = |octet: u8| !(octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.'));
        let (name, rest) = rest.split(rest.text.bytes().position(name_ends).unwrap_or(rest.text.len()));
        if !name.text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let problem = Problem::new(
                codes::BAD_TERM,
                format!("`{}` begins with no name of a mechanism or modifier", whole.shown()),
            );
            return match text.split('/').next().and_then(|text| text.parse::<IpAddr>().ok()) {
                Some(ip) => {
                    self.fail(problem.help(format!("write `{}:` before it", mechanism_for(ip))), span)
                }
                None if qualifier.is_some() && text.len() == 1 => {
                    self.fail(problem.help(format!("take the space behind `{text}` out")), span)
                }
                None => self.fail(problem, span),
            };
        }
        match rest.after('=') {
            None => {
                let mechanism = self.mechanism(name, rest, whole)?;
                Some(TermKind::Directive(Directive { qualifier, mechanism }))
            }
            Some(_) if qualifier.is_some() => {
                let message = format!("the modifier `{}` has a qualifier", name.shown());
                self.fail(Problem::new(codes::QUALIFIED_MODIFIER, message), span)
            }
            Some(value) => self.modifier(name, value, span).map(TermKind::Modifier),
        }
    }

    /// `modifier = redirect / explanation / unknown-modifier`
    fn modifier(&mut self, name: Part<'_>, value: Part<'_>, span: Span) -> Option<Modifier> {
        let known = name.among(&Modifier::NAMES);
        let seen = match known {
            Some("redirect") => std::mem::replace(&mut self.has_redirect, true),
            Some(_) => std::mem::replace(&mut self.has_exp, true),
            None => {
                let value =
                    self.checked(|problems| MacroString::read(value.text, value.at, false, problems))?;
                return Some(Modifier::Unknown { name: name.text.to_owned(), value });
            }
        };
        if seen {
            let message = format!("`{}=` stands a second time", name.text.to_ascii_lowercase());
            return self.fail(Problem::new(codes::DUPLICATE_MODIFIER, message), span);
        }
        let domain = self.domain_alone(name, value, span)?;
        Some(if known == Some("exp") { Modifier::Exp(domain) } else { Modifier::Redirect(domain) })
    }

    /// `mechanism = all / include / a / mx / ptr / ip4 / ip6 / exists`
    fn mechanism(&mut self, name: Part<'_>, rest: Part<'_>, whole: Part<'_>) -> Option<Mechanism> {
        let span = whole.span();
        let Some(known) = name.among(&Mechanism::NAMES) else {
            return self.unknown_mechanism(name, span);
        };
        if known == "all" && !rest.is_empty() {
            return self.all_has_argument(span);
        }
        let argument = rest.after(':');
        if argument.is_none() && !rest.is_empty() && !rest.text.starts_with('/') {
            let message = format!("`{}` is not followed by `:`", name.shown());
            return self.fail(Problem::new(codes::BAD_TERM, message), span);
        }
        match known {
            "include" => self.domain_alone(name, argument.unwrap_or(rest), span).map(Mechanism::Include),
            "exists" => self.domain_alone(name, argument.unwrap_or(rest), span).map(Mechanism::Exists),
            "ptr" if rest.is_empty() => Some(Mechanism::Ptr(None)),
            "ptr" => {
                let domain = self.domain_alone(name, argument.unwrap_or(rest), span)?;
                Some(Mechanism::Ptr(Some(domain)))
            }
            "a" => self.host(name, argument, rest, span).map(|(domain, cidr)| Mechanism::A { domain, cidr }),
            "mx" => {
                self.host(name, argument, rest, span).map(|(domain, cidr)| Mechanism::Mx { domain, cidr })
            }
            "ip4" => self.ip4(argument, span),
            "ip6" => self.ip6(argument, span),
            _ => Some(Mechanism::All),
        }
    }

    fn unknown_mechanism<T>(&mut self, name: Part<'_>, span: Span) -> Option<T> {
        let lower = name.text.to_ascii_lowercase();
        if lower.strip_prefix("all").is_some_and(|after| after.starts_with(|c: char| !c.is_alphanumeric())) {
            return self.all_has_argument(span);
        }
        let message = format!("there is no mechanism `{}`", name.shown());
        let mut problem = Problem::new(codes::UNKNOWN_MECHANISM, message);
        problem.help = suggestion(&lower).map(String::into_boxed_str);
        self.fail(problem, span)
    }

    fn all_has_argument<T>(&mut self, span: Span) -> Option<T> {
        self.fail(Problem::new(codes::ALL_HAS_ARGUMENT, "`all` takes no argument"), span)
    }

    /// domain-spec, and nothing after it.
    fn domain_alone(&mut self, name: Part<'_>, value: Part<'_>, span: Span) -> Option<DomainSpec> {
        let (domain, lengths) = value.split_prefix_lengths();
        if !lengths.is_empty() {
            let message = format!("`{}` takes no prefix length", name.text);
            return self.fail(Problem::new(codes::UNEXPECTED_PREFIX_LENGTH, message), lengths.span());
        }
        self.domain(name, domain, span)
    }

    fn domain(&mut self, name: Part<'_>, domain: Part<'_>, span: Span) -> Option<DomainSpec> {
        if domain.is_empty() {
            let message = format!("`{}` lacks its domain", name.text);
            let sign = if name.among(&Modifier::NAMES).is_some() { '=' } else { ':' };
            let help = format!("write `{}{sign}` and the domain right behind it, without a space", name.text);
            return self.fail(Problem::new(codes::MISSING_DOMAIN, message).help(help), span);
        }
        self.checked(|problems| DomainSpec::read(domain.text, domain.at, problems))
    }

    /// `[ ":" domain-spec ] [ dual-cidr-length ]`
    fn host(
        &mut self,
        name: Part<'_>,
        argument: Option<Part<'_>>,
        rest: Part<'_>,
        span: Span,
    ) -> Option<(Option<DomainSpec>, DualCidr)> {
        let Some(argument) = argument else {
            return Some((None, self.dual_cidr(rest)?));
        };
        let (domain, lengths) = argument.split_prefix_lengths();
        let domain = self.domain(name, domain, span)?;
        Some((Some(domain), self.dual_cidr(lengths)?))
    }

    /// `dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]`
    fn dual_cidr(&mut self, lengths: Part<'_>) -> Option<DualCidr> {
        let Some(rest) = lengths.after('/') else {
            return Some(DualCidr::default());
        };
        let (v4, v6) = match rest.after('/') {
            Some(v6) => (None, Some(v6)),
            None => match rest.text.find("//") {
                Some(slashes) => {
                    let (v4, v6) = rest.split(slashes);
                    (Some(v4), Some(v6.split(2).1))
                }
                None => (Some(rest), None),
            },
        };
        let mut read = |length: Option<Part<'_>>, max| match length {
            Some(length) => self.prefix_length(length, max, lengths.span()).map(Some),
            None => Some(None),
        };
        Some(DualCidr { v4: read(v4, 32)?, v6: read(v6, 128)? })
    }

    /// `ip4-cidr-length = "/" ("0" / %x31-39 0*1DIGIT)`, and so for ip6
    fn prefix_length(&mut self, length: Part<'_>, max: u8, span: Span) -> Option<u8> {
        let is_number = length.text.bytes().all(|octet| octet.is_ascii_digit())
            && (length.text == "0" || !length.text.starts_with('0'));
        match length.text.parse() {
            Ok(value) if is_number && value <= max => Some(value),
            _ => {
                let message = format!("`{}` is not a prefix length from 0 to {max}", length.shown());
                self.fail(Problem::new(codes::BAD_PREFIX_LENGTH, message), span)
            }
        }
    }

    /// `ip4 = "ip4" ":" ip4-network [ ip4-cidr-length ]`
    fn ip4(&mut self, argument: Option<Part<'_>>, span: Span) -> Option<Mechanism> {
        let bad = (codes::BAD_IP4, "`ip4` lacks an IPv4 address of four numbers", "is no IPv4 address");
        let (address, prefix) = self.network(argument, 32, bad, span)?;
        Some(Mechanism::Ip4 { address, prefix })
    }

    /// `ip6 = "ip6" ":" ip6-network [ ip6-cidr-length ]`
    fn ip6(&mut self, argument: Option<Part<'_>>, span: Span) -> Option<Mechanism> {
        let bad = (codes::BAD_IP6, "`ip6` lacks an IPv6 address", "is no IPv6 address");
        let (address, prefix) = self.network(argument, 128, bad, span)?;
        Some(Mechanism::Ip6 { address, prefix })
    }

    fn network<A: FromStr>(
        &mut self,
        argument: Option<Part<'_>>,
        max: u8,
        (code, lacks, is_none): (&'static str, &str, &str),
        span: Span,
    ) -> Option<(A, Option<u8>)> {
        let argument = argument.unwrap_or(Part { text: "", at: span.end });
        let (address, length) = argument.split(argument.text.find('/').unwrap_or(argument.text.len()));
        let Ok(network) = address.text.parse() else {
            let place = if address.is_empty() { span } else { address.span() };
            let message = if address.is_empty() {
                lacks.to_owned()
            } else {
                format!("`{}` {is_none}", address.shown())
            };
            let bad = Problem::new(code, message);
            return match address.text.parse::<IpAddr>() {
                Ok(ip) => self.fail(bad.help(format!("write `{}:{ip}`", mechanism_for(ip))), place),
                Err(_) => self.fail(bad, place),
            };
        };
        let prefix = match length.after('/') {
            Some(digits) => Some(self.prefix_length(digits, max, length.span())?),
            None => None,
        };
        Some((network, prefix))
    }
}

/// `qualifier = "+" / "-" / "?" / "~"`
fn read_qualifier(term: Part<'_>) -> (Option<Qualifier>, Part<'_>) {
    let all = [
        ('+', Qualifier::Pass),
        ('-', Qualifier::Fail),
        ('~', Qualifier::SoftFail),
        ('?', Qualifier::Neutral),
    ];
    all.into_iter()
        .find_map(|(sign, qualifier)| Some((Some(qualifier), term.after(sign)?)))
        .unwrap_or((None, term))
}

pub(super) fn mechanism_for(ip: IpAddr) -> &'static str {
    if ip.is_ipv4() { "ip4" } else { "ip6" }
}

/// What the writer of an unknown mechanism may have meant.
fn suggestion(name: &str) -> Option<String> {
    if let Some(modifier) = Modifier::NAMES.iter().find(|modifier| **modifier == name) {
        return Some(format!("write `{modifier}=`"));
    }
    // Longer names are like none of ours, and the distance takes time.
    if name.len() > 16 {
        return None;
    }
    let allowed = (name.len() / 3).max(1);
    let all = Mechanism::NAMES.iter().chain(&Modifier::NAMES);
    all.map(|known| (strsim::osa_distance(name, known), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| format!("did you mean `{known}`?"))
}

#[cfg(test)]
mod tests;
