//! Master-file text as entries of tokens (RFC 1035 section 5.1): comments, quotes, escapes, parentheses.

use crate::document::BYTE_ORDER_MARK;
use crate::error::{Problem, Span};

/// One word of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    /// As it is written, without the quotes around it.
    pub(super) text: &'t str,
    /// Where it stands, quotes included.
    pub(super) span: Span,
    pub(super) quoted: bool,
}

/// One entry: a directive or a record. It is one line, or several in parentheses.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    /// Whether the line begins with white space: the record is for the same owner as the one before.
    pub(super) indented: bool,
    /// Never empty.
    pub(super) tokens: Vec<Token<'t>>,
}

/// The entries of a text, one after the other.
pub(super) struct Entries<'t> {
    text: &'t str,
    at: usize,
    pub(super) problems: Vec<Problem>,
}

impl<'t> Entries<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        // A byte order mark at the very beginning is no part of the text.
        Self { text, at: if text.starts_with(BYTE_ORDER_MARK) { 3 } else { 0 }, problems: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn token(&self, start: usize, end: usize, quoted: bool) -> Token<'t> {
        let inner = if quoted { start + 1..end - 1 } else { start..end };
        Token { text: self.text.get(inner).unwrap_or_default(), span: Span::new(start, end), quoted }
    }

    fn skip_line(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|octet| *octet == b'\n').unwrap_or(rest.len());
    }

    fn problem(&mut self, code: &'static str, message: &str, span: (usize, usize), help: &str) {
        self.problems.push(Problem::new(code, message).at(span.0..span.1).help(help));
    }

    /// Reads an octet of a token and says whether all is `good` so far. An escape takes the octet after it along; of the
    /// problems of a token the first is told.
    fn octet(&mut self, octet: u8, good: bool) -> bool {
        let start = self.at;
        self.at += 1;
        match octet {
            b'\\' => match self.peek() {
                Some(b' '..=b'~') => self.at += 1,
                _ if good => {
                    let help = "write a backslash as `\\\\` and other octets as `\\DDD`";
                    self.problem(
                        "zone.bad-escape",
                        "a backslash stands before nothing that it could escape",
                        (start, self.at),
                        help,
                    );
                    return false;
                }
                _ => {}
            },
            b' '..=b'~' | b'\t' => {}
            _ => {
                // All octets of one character, so that the place is one of the text.
                while self.peek().is_some_and(|octet| octet & 0xC0 == 0x80) {
                    self.at += 1;
                }
                if good {
                    let help = "write each octet as `\\DDD`, in decimal, and names in their A-label form";
                    let message = "a character outside printable ASCII stands unescaped";
                    self.problem("zone.not-ascii", message, (start, self.at), help);
                }
                return false;
            }
        }
        good
    }

    /// Reads a quoted string, from its first quote on; none after a problem.
    fn quoted(&mut self) -> Option<Token<'t>> {
        let start = self.at;
        self.at += 1;
        let mut good = true;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return good.then(|| self.token(start, self.at, true));
                }
                None | Some(b'\n' | b'\r') => {
                    let help =
                        "end it with `\"` on its line; a long text is several strings, one after the other";
                    self.problem(
                        "zone.unclosed-quote",
                        "a quoted string does not end",
                        (start, self.at),
                        help,
                    );
                    return None;
                }
                Some(octet) => good = self.octet(octet, good),
            }
        }
    }

    /// Reads a word that is not quoted; none after a problem.
    fn word(&mut self) -> Option<Token<'t>> {
        let start = self.at;
        let mut good = true;
        while let Some(octet) = self.peek() {
            if matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'(' | b')' | b';') {
                break;
            }
            good = self.octet(octet, good);
        }
        good.then(|| self.token(start, self.at, false))
    }

    /// Reads up to the end of an entry, empty where there is none; `None` where something in it cannot be read.
    fn entry(&mut self) -> Option<Entry<'t>> {
        let mut entry = Entry { indented: matches!(self.peek(), Some(b' ' | b'\t')), tokens: Vec::new() };
        let mut open: Vec<usize> = Vec::new();
        let mut good = true;
        while let Some(octet) = self.peek() {
            match octet {
                b'\n' if open.is_empty() => {
                    self.at += 1;
                    break;
                }
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b';' => self.skip_line(),
                b'(' => {
                    open.push(self.at);
                    self.at += 1;
                }
                b')' => {
                    if open.pop().is_none() {
                        good = false;
                        let place = (self.at, self.at + 1);
                        let help = "take it out, or write `(` where the entry begins to span lines";
                        self.problem(
                            "zone.unopened-parenthesis",
                            "no `(` stands before this `)`",
                            place,
                            help,
                        );
                    }
                    self.at += 1;
                }
                octet => {
                    let token = if octet == b'"' { self.quoted() } else { self.word() };
                    good &= token.is_some();
                    entry.tokens.extend(token);
                }
            }
        }
        if let Some(start) = open.last() {
            good = false;
            let help = "write `)` where the entry ends";
            self.problem("zone.unclosed-parenthesis", "this `(` is never closed", (*start, start + 1), help);
        }
        good.then_some(entry)
    }
}

impl<'t> Iterator for Entries<'t> {
    type Item = Entry<'t>;

    /// The next entry that can be read; problems of the others are noted.
    fn next(&mut self) -> Option<Entry<'t>> {
        while self.at < self.text.len() {
            if let Some(entry) = self.entry().filter(|entry| !entry.tokens.is_empty()) {
                return Some(entry);
            }
        }
        None
    }
}

impl Token<'_> {
    /// The octets of the token, escapes undone; none where an escape is not `\DDD` up to 255 or `\X`.
    pub(super) fn octets(&self) -> Option<Vec<u8>> {
        let mut octets = Vec::with_capacity(self.text.len());
        let mut bytes = self.text.bytes();
        while let Some(byte) = bytes.next() {
            let octet = match byte {
                b'\\' => match bytes.next()? {
                    first @ b'0'..=b'9' => {
                        let mut value = u16::from(first - b'0');
                        for _ in 0..2 {
                            let digit = bytes.next().filter(u8::is_ascii_digit)?;
                            value = value * 10 + u16::from(digit - b'0');
                        }
                        u8::try_from(value).ok()?
                    }
                    escaped => escaped,
                },
                byte => byte,
            };
            octets.push(octet);
        }
        Some(octets)
    }
}
