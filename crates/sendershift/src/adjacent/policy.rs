//! The policies of MTA-STS, as a web server gives them to whoever sends mail (RFC 8461 section 3.2).

use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::{Invalid, Problem, Span};
use crate::name::DomainName;

/// The most that `max_age` can be, in seconds: a year (RFC 8461 section 3.2).
const MOST_SECONDS: u32 = 31_557_600;
/// The most octets of a policy: senders need not read more (RFC 8461 section 3.3).
const MOST_OCTETS: usize = 65_536;

/// What a sender does that holds a policy and finds no host that it allows (RFC 8461 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MtaStsMode {
    /// It does not deliver.
    Enforce,
    /// It delivers, and reports.
    Testing,
    /// It delivers: the policy is withdrawn.
    None,
}

/// A policy: to which mail hosts a sender that has fetched it delivers, and for how long.
///
/// It is written as the text that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MtaStsPolicy {
    text: String,
    mode: MtaStsMode,
    mx: Vec<MxPattern>,
    max_age: u32,
}

/// A pattern of host names: one name, or all that have one label more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MxPattern {
    wildcard: bool,
    name: DomainName,
}

impl MtaStsPolicy {
    /// A policy that asks nothing: what it is to have none (RFC 8461 section 8.3).
    pub(crate) fn none() -> Self {
        let text = "version: STSv1\nmode: none\nmax_age: 0\n".to_owned();
        Self { text, mode: MtaStsMode::None, mx: Vec::new(), max_age: 0 }
    }

    /// Reads a policy document. Unknown keys do not matter, nor do further values of keys that are due once.
    ///
    /// Lines without anything in them are skipped, though senders may refuse such a policy: one that they refuse asks less of them.
    ///
    /// # Errors
    ///
    /// Every problem, with its place: `mta-sts.bad-line`, `mta-sts.bad-version`, `mta-sts.bad-mode`, `mta-sts.bad-max-age`, `mta-sts.bad-mx`,
    /// `mta-sts.missing-field` and `mta-sts.too-large`.
    ///
    /// # Examples
    ///
    /// The policy of RFC 8461 section 3.2:
    ///
    /// ```
    /// use sendershift::adjacent::MtaStsPolicy;
    ///
    /// let policy = MtaStsPolicy::parse(
    ///     "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n",
    /// )?;
    /// assert!(policy.matches(&"mx1.example.net".parse().unwrap()));
    /// assert!(!policy.matches(&"a.mx1.example.net".parse().unwrap()));
    /// assert_eq!(policy.max_age(), 604_800);
    /// # Ok::<(), sendershift::error::Invalid>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let whole = Span::new(0, text.len());
        if text.len() > MOST_OCTETS {
            let problem =
                Problem::new("mta-sts.too-large", format!("the policy has more than {MOST_OCTETS} octets"));
            return Err(Invalid::one(problem.at(whole).help("senders may not read it to its end")));
        }
        let mut problems = Vec::new();
        let (mut version, mut mode, mut max_age, mut mx) = (None, None, None, Vec::new());
        let mut start = 0;
        for line in text.split('\n') {
            let at = start;
            start += line.len() + 1;
            let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches(is_space);
            if line.is_empty() {
                continue;
            }
            let span = Span::new(at, at + line.len());
            let Some((key, value)) = line.split_once(':').filter(|(key, _)| is_key(key)) else {
                let problem = Problem::new("mta-sts.bad-line", format!("`{line}` is no key with its value"));
                problems.push(problem.at(span).help("write `mx: mail.example.com`, one key on each line"));
                continue;
            };
            let value = value.trim_start_matches(is_space);
            // Of a key that is due once only the first counts (RFC 8461 section 3.2).
            let read = match key {
                "version" if version.is_none() => read_version(value).map(|()| version = Some(())),
                "mode" if mode.is_none() => read_mode(value).map(|read| mode = Some(read)),
                "max_age" if max_age.is_none() => read_max_age(value).map(|read| max_age = Some(read)),
                "mx" => MxPattern::parse(value).map(|read| mx.push(read)),
                _ => Ok(()),
            };
            if let Err(problem) = read {
                problems.push(problem.at(span));
            }
        }
        let needs_mx = mode != Some(MtaStsMode::None) && mx.is_empty();
        for (key, lacks, help) in [
            ("version", version.is_none(), "add `version: STSv1`"),
            ("mode", mode.is_none(), "add `mode: enforce`, `mode: testing` or `mode: none`"),
            ("max_age", max_age.is_none(), "add `max_age:` and seconds"),
            ("mx", needs_mx, "add `mx:` and a mail host for each of them"),
        ] {
            let told = |problem: &Problem| problem.code.ends_with(&key.replace('_', "-"));
            if lacks && !problems.iter().any(told) {
                let problem = Problem::new("mta-sts.missing-field", format!("there is no `{key}`"));
                problems.push(problem.at(whole).help(help));
            }
        }
        let policy = Self {
            text: text.to_owned(),
            mode: mode.unwrap_or(MtaStsMode::None),
            mx,
            max_age: max_age.unwrap_or_default(),
        };
        Invalid::unless(problems, text, policy)
    }

    /// The text that it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is asked of senders.
    pub fn mode(&self) -> MtaStsMode {
        self.mode
    }

    /// The hosts that senders deliver to.
    pub fn mx(&self) -> &[MxPattern] {
        &self.mx
    }

    /// How many seconds after it was fetched it binds a sender.
    pub fn max_age(&self) -> u32 {
        self.max_age
    }

    /// Whether it allows a mail host (RFC 8461 section 4.1).
    pub fn matches(&self, host: &DomainName) -> bool {
        self.mx.iter().any(|pattern| pattern.matches(host))
    }
}

impl Serialize for MtaStsPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl MxPattern {
    fn parse(text: &str) -> Result<Self, Problem> {
        let (wildcard, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let problem = |why: &str| Problem::new("mta-sts.bad-mx", format!("`{text}` {why}"));
        if !name.is_ascii() {
            return Err(problem("is not ASCII").help("write the A-label, which begins with `xn--`"));
        }
        if name.ends_with('.') {
            return Err(problem("ends in a dot").help("leave it out: senders compare it as it is"));
        }
        match DomainName::parse(name) {
            Ok(name) if name.is_host_name() => Ok(Self { wildcard, name }),
            _ => Err(problem("is no host").help(
                "write a host, as `mail.example.com`, or `*.example.com` for all with one label before it",
            )),
        }
    }

    /// Whether a host is one of these: the wildcard stands for exactly one label (RFC 8461 section 4.1).
    pub fn matches(&self, host: &DomainName) -> bool {
        if self.wildcard { host.parent().is_some_and(|above| above == self.name) } else { *host == self.name }
    }
}

impl fmt::Display for MxPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.wildcard { "*." } else { "" }, self.name)
    }
}

fn read_version(value: &str) -> Result<(), Problem> {
    if value == "STSv1" {
        return Ok(());
    }
    Err(Problem::new("mta-sts.bad-version", format!("`{value}` is no known version")).help("write `STSv1`"))
}

fn read_mode(value: &str) -> Result<MtaStsMode, Problem> {
    match value {
        "enforce" => Ok(MtaStsMode::Enforce),
        "testing" => Ok(MtaStsMode::Testing),
        "none" => Ok(MtaStsMode::None),
        _ => Err(Problem::new("mta-sts.bad-mode", format!("`{value}` is no mode"))
            .help("write `enforce`, `testing` or `none`")),
    }
}

fn read_max_age(value: &str) -> Result<u32, Problem> {
    let is_number = value.bytes().all(|octet| octet.is_ascii_digit()) && value.len() <= 10;
    let seconds = value.parse().ok().filter(|seconds| is_number && *seconds <= MOST_SECONDS);
    seconds.ok_or_else(|| {
        Problem::new("mta-sts.bad-max-age", format!("`{value}` is no number of seconds up to {MOST_SECONDS}"))
            .help("write seconds in digits, a year at the most")
    })
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Letters and digits, from the second on also `_`, `-` and `.`; 32 at the most (RFC 8461 section 3.2).
fn is_key(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::{MtaStsMode, MtaStsPolicy};

    fn codes(text: &str) -> Vec<&'static str> {
        let invalid = MtaStsPolicy::parse(text).err();
        invalid.iter().flat_map(|invalid| &invalid.problems).map(|problem| problem.code).collect()
    }

    /// RFC 8461 section 3.2.
    #[test]
    fn fields() {
        const ENFORCE: &str = "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400";
        let with = |from: &str, to: &str| ENFORCE.replace(from, to);
        for (text, expected) in [
            (ENFORCE.to_owned(), vec![]),
            // Lines end in LF or CRLF, the last one in either or none.
            (format!("{ENFORCE}\n"), vec![]),
            (ENFORCE.replace('\n', "\r\n"), vec![]),
            (with("\nmode", "\r\nmode"), vec![]),
            (with("mx: a", "mx:a"), vec![]),
            (with("mx: a", "mx:\t a"), vec![]),
            (with("a.example", "a.example \t"), vec![]),
            // Any order, further fields, and the first of several.
            ("max_age: 0\nmx: *.example\nmode: testing\nversion: STSv1".to_owned(), vec![]),
            (format!("{ENFORCE}\nx-new.field_1: ü; =\nmode: what"), vec![]),
            ("version: STSv1\nmode: none\nmax_age: 86400".to_owned(), vec![]),
            (with("86400", "31557600"), vec![]),
            (with("86400", "31557601"), vec!["mta-sts.bad-max-age"]),
            (with("86400", "00000086400"), vec!["mta-sts.bad-max-age"]),
            (with("86400", "-1"), vec!["mta-sts.bad-max-age"]),
            (with("86400", "+1"), vec!["mta-sts.bad-max-age"]),
            (with("86400", ""), vec!["mta-sts.bad-max-age"]),
            (with("enforce", "Enforce"), vec!["mta-sts.bad-mode"]),
            (with("STSv1", "STSv2"), vec!["mta-sts.bad-version"]),
            (with("mode:", "Mode:"), vec!["mta-sts.missing-field"]),
            (with("mx: a.example\n", ""), vec!["mta-sts.missing-field"]),
            (with("mode: enforce", "mode = enforce"), vec!["mta-sts.missing-field", "mta-sts.bad-line"]),
            (with("mx:", " mx:"), vec!["mta-sts.missing-field", "mta-sts.bad-line"]),
            (String::new(), vec!["mta-sts.missing-field"; 4]),
            (" ".repeat(65_537), vec!["mta-sts.too-large"]),
        ] {
            assert_eq!(codes(&text), expected, "{text}");
        }
        let policy = MtaStsPolicy::parse(&format!("{ENFORCE}\nmode: none\nmax_age: 1")).unwrap();
        assert_eq!((policy.mode(), policy.max_age()), (MtaStsMode::Enforce, 86_400));
        let invalid = MtaStsPolicy::parse(&with("enforce", "on")).unwrap_err();
        assert_eq!(invalid.problems[0].line, Some(2));
    }

    /// RFC 8461 section 3.2 (which patterns there are) and 4.1 (what they match).
    #[test]
    fn patterns() {
        for (pattern, matched, others) in [
            (
                "mail.example.com",
                vec!["mail.example.com", "MAIL.Example.com."],
                vec!["example.com", "a.mail.example.com"],
            ),
            (
                "*.example.com",
                vec!["mail.example.com"],
                vec!["example.com", "foo.bar.example.com", "mailexample.com"],
            ),
            ("*.xn--bcher-kva.example", vec!["mx.bücher.example"], vec!["bücher.example"]),
        ] {
            let text = format!("version: STSv1\nmode: enforce\nmax_age: 1\nmx: {pattern}");
            let policy = MtaStsPolicy::parse(&text).unwrap();
            assert_eq!(policy.mx()[0].to_string(), pattern);
            assert_eq!(serde_json::to_value(&policy).unwrap(), text);
            for (hosts, expected) in [(matched, true), (others, false)] {
                for host in hosts {
                    assert_eq!(policy.matches(&host.parse().unwrap()), expected, "{pattern} {host}");
                }
            }
        }
        for pattern in [
            "",
            "*",
            "*.",
            ".",
            "a.*.example",
            "*a.example",
            "*.*.example",
            "a.example.",
            "bücher.example",
            "a b.example",
            "a..example",
        ] {
            let text = format!("version: STSv1\nmode: enforce\nmax_age: 1\nmx: {pattern}");
            assert_eq!(codes(&text), ["mta-sts.bad-mx"], "{pattern}");
        }
    }

    proptest::proptest! {
        /// Whatever the text: no panic, and every place lies within it.
        #[test]
        fn never_panics(lines in proptest::collection::vec("(version|mode|mx|max_age|x)?:? ?(STSv1|enforce|[0-9]{1,11}|\\*?\\.?[a-zü.]{0,9}|\\PC{0,5})\r?", 0..9)) {
            let text = lines.join("\n");
            if let Err(invalid) = MtaStsPolicy::parse(&text) {
                for problem in invalid.problems {
                    let span = problem.span.unwrap();
                    proptest::prop_assert!(text.get(span.start..span.end).is_some());
                }
            }
        }
    }
}
