//! Macro-strings and domain-specs (RFC 7208 section 7.1): the text in which macros stand.

use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;

use super::parse::mechanism_for;
use super::{codes, expand};
use crate::error::{Invalid, Problem, Span};
use crate::name::DomainName;

/// What a macro stands for (RFC 7208 section 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MacroLetter {
    /// `s`, the sender.
    Sender,
    /// `l`, the local part of the sender.
    LocalPart,
    /// `o`, the domain of the sender.
    SenderDomain,
    /// `d`, the domain whose record is evaluated.
    Domain,
    /// `i`, the address of the client, as labels.
    Ip,
    /// `p`, the validated name of the client.
    Validated,
    /// `v`, `in-addr` or `ip6`.
    Version,
    /// `h`, the name that the client gave in HELO or EHLO.
    Helo,
    /// `c`, the address of the client as people write it; only in explanations.
    ClientIp,
    /// `r`, the name of the host that checks; only in explanations.
    Receiver,
    /// `t`, the time in seconds since 1970; only in explanations.
    Timestamp,
}

impl MacroLetter {
    const ALL: [(Self, char); 11] = [
        (Self::Sender, 's'),
        (Self::LocalPart, 'l'),
        (Self::SenderDomain, 'o'),
        (Self::Domain, 'd'),
        (Self::Ip, 'i'),
        (Self::Validated, 'p'),
        (Self::Version, 'v'),
        (Self::Helo, 'h'),
        (Self::ClientIp, 'c'),
        (Self::Receiver, 'r'),
        (Self::Timestamp, 't'),
    ];

    /// The letter in lower case.
    pub fn letter(self) -> char {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or('s', |(_, letter)| *letter)
    }

    /// Whether the macro may stand only in an explanation.
    pub fn only_in_explanations(self) -> bool {
        matches!(self, Self::ClientIp | Self::Receiver | Self::Timestamp)
    }

    fn read(letter: char) -> Option<Self> {
        let letter = letter.to_ascii_lowercase();
        Self::ALL.iter().find(|(_, one)| *one == letter).map(|(one, _)| *one)
    }
}

/// A macro in braces, such as `%{d2}` or `%{ir.-}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroExpand<'a> {
    /// What is substituted.
    pub letter: MacroLetter,
    /// Whether the letter is written in upper case, so that the value is URL-escaped.
    pub url_escape: bool,
    /// How many parts are kept, from the right; never 0. A number over 65,535 is read as 65,535.
    pub digits: Option<u16>,
    /// Whether the parts are reversed first.
    pub reverse: bool,
    /// The characters that part the value; a dot where there are none.
    pub delimiters: &'a str,
}

/// A piece of a macro-string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MacroPart<'a> {
    /// Text that stands for itself: visible ASCII but `%`, and spaces in explanations.
    Literal(&'a str),
    /// `%%`, a percent sign.
    Percent,
    /// `%_`, a space.
    Space,
    /// `%-`, a space as URLs write it.
    UrlSpace,
    /// A macro in braces.
    Expand(MacroExpand<'a>),
}

/// Text with macros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroString {
    /// The canonical text, which is read again whenever its pieces are asked for.
    text: Arc<str>,
    letters: Letters,
}

/// Which macros stand in a text, one bit for each letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Letters(u16);

impl Letters {
    fn with(self, letter: MacroLetter) -> Self {
        Self(self.0 | 1 << letter as u16)
    }

    fn has(self, letter: MacroLetter) -> bool {
        self == self.with(letter)
    }
}

impl MacroString {
    /// Reads the text that an `exp` modifier points to (RFC 7208 section 6.2), in which spaces and all macros
    /// may stand.
    ///
    /// # Errors
    ///
    /// `spf.not-ascii`, `spf.control-octet` and `spf.bad-macro`, with their places.
    pub fn parse_explanation(text: &[u8]) -> Result<Self, Invalid> {
        let text = visible(text, 0).map_err(Invalid::one)?;
        let mut problems = Vec::new();
        let string = Self::read(text, 0, true, &mut problems);
        Invalid::unless(problems, text, string)
    }

    /// The canonical text: as written, except for leading zeros and the case of `r` inside macros.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The pieces in order.
    pub fn parts(&self) -> impl Iterator<Item = MacroPart<'_>> {
        let mut cursor = Cursor { rest: &self.text };
        // The text was checked when it was read; explanations admit all letters.
        std::iter::from_fn(move || cursor.part(true)).filter_map(Result::ok)
    }

    /// The macros in braces, in order.
    pub fn macros(&self) -> impl Iterator<Item = MacroExpand<'_>> {
        self.parts().filter_map(|part| match part {
            MacroPart::Expand(expand) => Some(expand),
            _ => None,
        })
    }

    /// Whether a macro of the given letter stands in the text.
    pub fn uses(&self, letter: MacroLetter) -> bool {
        self.letters.has(letter)
    }

    /// Whether the text says the same for every message.
    pub(super) fn is_constant(&self) -> bool {
        self.letters == Letters::default()
    }

    /// `macro-string = *( macro-expand / macro-literal )`
    ///
    /// `text` is visible ASCII and stands at `offset`; `explanation` admits the letters `c`, `r` and `t`.
    pub(super) fn read(text: &str, offset: usize, explanation: bool, problems: &mut Vec<Problem>) -> Self {
        if !text.contains('%') {
            return Self { text: text.into(), letters: Letters::default() };
        }
        let mut canonical = String::with_capacity(text.len());
        let mut letters = Letters::default();
        let mut cursor = Cursor { rest: text };
        let place = |cursor: &Cursor<'_>| offset + text.len() - cursor.rest.len();
        let mut start = place(&cursor);
        while let Some(part) = cursor.part(explanation) {
            let end = place(&cursor);
            match part {
                Ok(MacroPart::Literal(text)) => canonical.push_str(text),
                Ok(part) => {
                    if let MacroPart::Expand(expand) = &part {
                        letters = letters.with(expand.letter);
                    }
                    // Writing to a string does not fail.
                    let _ = write!(canonical, "{part}");
                }
                Err(message) => {
                    let problem = Problem::new(codes::BAD_MACRO, message).at(start..end);
                    let is_sign = end == start + 1;
                    problems.push(if is_sign {
                        problem.help("write `%%` for a percent sign")
                    } else {
                        problem
                    });
                }
            }
            start = end;
        }
        Self { text: canonical.into(), letters }
    }
}

/// Reads piece by piece; every octet is looked at once, also where macros are never closed.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// The next piece; none at the end of the text.
    fn part(&mut self, explanation: bool) -> Option<Result<MacroPart<'a>, String>> {
        let literal = self.take(|c| c != '%');
        if !literal.is_empty() {
            return Some(Ok(MacroPart::Literal(literal)));
        }
        self.eat('%').then(|| self.macro_expand(explanation))
    }

    /// `macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"`
    fn macro_expand(&mut self, explanation: bool) -> Result<MacroPart<'a>, String> {
        for (octet, part) in [('%', MacroPart::Percent), ('_', MacroPart::Space), ('-', MacroPart::UrlSpace)]
        {
            if self.eat(octet) {
                return Ok(part);
            }
        }
        if !self.eat('{') {
            return Err("`%` is not followed by `{`, `%`, `_` or `-`".to_owned());
        }
        let Some(letter) = self.rest.chars().next() else {
            return Err("a macro is not closed with `}`".to_owned());
        };
        let Some(kind) = MacroLetter::read(letter) else {
            return Err(format!("`{letter}` is not a macro letter"));
        };
        self.eat(letter);
        if kind.only_in_explanations() && !explanation {
            return Err(format!("the macro `{letter}` may stand only in the text of an explanation"));
        }
        // transformers = *DIGIT [ "r" ]
        let digits = match self.take(|c| c.is_ascii_digit()) {
            "" => None,
            digits => match digits.trim_start_matches('0') {
                "" => return Err("a macro keeps 0 parts".to_owned()),
                digits => Some(digits.parse().unwrap_or(u16::MAX)),
            },
        };
        let reverse = self.eat('r') || self.eat('R');
        let delimiters = self.take(|c| ".-+,/_=".contains(c));
        if !self.eat('}') {
            return Err(match self.rest.chars().next() {
                Some(c) => format!("`{c}` may not stand here in a macro"),
                None => "a macro is not closed with `}`".to_owned(),
            });
        }
        let url_escape = letter.is_ascii_uppercase();
        Ok(MacroPart::Expand(MacroExpand { letter: kind, url_escape, digits, reverse, delimiters }))
    }

    fn eat(&mut self, octet: char) -> bool {
        let after = self.rest.strip_prefix(octet);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, after) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = after;
        taken
    }
}

/// The name in a term: a macro-string that ends in a dot and a top label, or in a macro (RFC 7208 section 7.1).
///
/// # Examples
///
/// ```
/// use sendershift::spf::{DomainSpec, Partial, PartialContext};
///
/// let domain = "example.com".parse()?;
/// let spec: DomainSpec = "%{ir}.%{v}._spf.%{d2}".parse()?;
/// let open = spec.expand_known(&PartialContext::new(&domain))?;
/// assert_eq!(open, Partial::Open("%{ir}.%{v}._spf.example.com".to_owned()));
/// # Ok::<(), sendershift::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSpec {
    string: MacroString,
    literal: Option<DomainName>,
}

impl DomainSpec {
    /// The canonical text: as written, except for leading zeros and the case of `r` inside macros.
    pub fn text(&self) -> &str {
        self.string.text()
    }

    /// The macro-string.
    pub fn string(&self) -> &MacroString {
        &self.string
    }

    /// The name, if it is the same for every message and a name that the DNS can hold.
    pub fn literal(&self) -> Option<&DomainName> {
        self.literal.as_ref()
    }

    /// The macros in braces, in order.
    pub fn macros(&self) -> impl Iterator<Item = MacroExpand<'_>> {
        self.string.macros()
    }

    /// Whether a macro of the given letter stands in it; `p` needs lookups of its own.
    pub fn uses(&self, letter: MacroLetter) -> bool {
        self.string.uses(letter)
    }

    /// `domain-spec = macro-string domain-end`
    ///
    /// `text` is visible ASCII, not empty, and stands at `offset`.
    pub(super) fn read(text: &str, offset: usize, problems: &mut Vec<Problem>) -> Self {
        // Most say one name in its canonical form.
        if let Some(name) = expand::plain_name(text).filter(|_| ends_a_name(text)) {
            let string = MacroString { text: name.shared_text(), letters: Letters::default() };
            return Self { string, literal: Some(name) };
        }
        let before = problems.len();
        let string = MacroString::read(text, offset, false, problems);
        if problems.len() == before && !ends_a_domain(&string) {
            let shown = text.get(..60).unwrap_or(text);
            let message = format!("`{shown}` is no domain: it does not end in a dot and a top-level label");
            let problem = Problem::new(codes::BAD_DOMAIN, message).at(offset..offset + text.len());
            problems.push(match text.parse() {
                Ok(ip) => problem.help(format!("write `{}:{ip}`", mechanism_for(ip))),
                Err(_) if !text.trim_end_matches('.').contains('.') => problem.help("write the full name"),
                Err(_) => problem,
            });
        }
        let literal = expand::constant_name(&string);
        Self { string, literal }
    }
}

/// `domain-end = ( "." toplabel [ "." ] ) / macro-expand`
fn ends_a_domain(string: &MacroString) -> bool {
    match string.parts().last() {
        Some(MacroPart::Literal(text)) => ends_a_name(text),
        last => last.is_some(),
    }
}

fn ends_a_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    name.rsplit_once('.').is_some_and(|(_, label)| is_top_label(label))
}

/// `toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )`
fn is_top_label(label: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    edge(label.chars().next())
        && edge(label.chars().next_back())
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !label.chars().all(|c| c.is_ascii_digit())
}

impl FromStr for DomainSpec {
    type Err = Invalid;

    /// Reads a domain-spec.
    ///
    /// # Errors
    ///
    /// `spf.bad-domain`, `spf.bad-macro`, `spf.not-ascii` or `spf.control-octet`, with their places.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut problems: Vec<Problem> = visible(text.as_bytes(), 0).err().into_iter().collect();
        if text.is_empty() || text.contains(' ') {
            let message = "a domain is empty or has a space in it";
            problems.push(Problem::new(codes::BAD_DOMAIN, message).at(0..text.len()));
        }
        let spec = Self::read(text, 0, &mut problems);
        Invalid::unless(problems, text, spec)
    }
}

impl TryFrom<&DomainName> for DomainSpec {
    type Error = Problem;

    /// The domain-spec that stands for a name.
    ///
    /// # Errors
    ///
    /// `spf.bad-domain` where no domain-spec can say the name: one label alone, or octets that records cannot hold.
    fn try_from(name: &DomainName) -> Result<Self, Problem> {
        let text: String = name
            .octets()
            .iter()
            .map(|octet| match *octet {
                b'%' => "%%".to_owned(),
                b' ' => "%_".to_owned(),
                octet => char::from(octet).to_string(),
            })
            .collect();
        // A dot inside a label would read as the end of it: only a spec that means the same name will do.
        text.parse().ok().filter(|spec: &Self| spec.literal() == Some(name)).ok_or_else(|| {
            Problem::new(codes::BAD_DOMAIN, format!("no SPF record can name the domain `{name}`"))
        })
    }
}

/// The text, if all octets are visible ASCII or spaces.
pub(super) fn visible(text: &[u8], offset: usize) -> Result<&str, Problem> {
    let run = |wanted: fn(&u8) -> bool| {
        let start = text.iter().position(wanted)?;
        let length = text.iter().skip(start).take_while(|octet| wanted(octet)).count();
        Some(Span::new(start, start + length).shifted(offset))
    };
    if let Some(span) = run(|octet| !octet.is_ascii()) {
        return Err(Problem::new(codes::NOT_ASCII, "there are octets outside ASCII").at(span));
    }
    if let Some(span) = run(u8::is_ascii_control) {
        return Err(Problem::new(
            codes::CONTROL_OCTET,
            "there is a control octet, such as a tab or a line end",
        )
        .at(span)
        .help("separate terms by spaces"));
    }
    std::str::from_utf8(text).map_err(|_| Problem::new(codes::NOT_ASCII, "there are octets outside ASCII"))
}
