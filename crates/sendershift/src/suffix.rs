//! Organizational domains by the public suffix list, as receivers of RFC 7489 find them (section 3.2).
//!
//! The list is that of <https://publicsuffix.org>, as it was when this crate was built; each receiver has its own copy. Evidence may
//! come with the rules that were in force when it was taken ([`SuffixRules`]): they go before those of the build.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::Problem;
use crate::name::DomainName;

/// Which part of the list a rule is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Registries under the rules of ICANN, such as `co.uk`.
    Icann,
    /// Domains whose owners give out names below them, such as `github.io`.
    Private,
    /// The evidence has the rule, and does not say from which part.
    Told,
    /// No rule is for this name: `*`, the top-level domain is the suffix.
    Unlisted,
}

/// What the public suffix list says of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PublicSuffix {
    /// The public suffix.
    pub suffix: DomainName,
    /// The rule that matched, as the list has it: `co.uk`, `*.ck`, `!www.ck`, or `*` where none does.
    pub rule: String,
    /// Which part of the list the rule is from.
    pub section: Section,
    /// The suffix and one label; none for a name that is a public suffix itself.
    pub organizational_domain: Option<DomainName>,
}

impl PublicSuffix {
    /// The rule that matched, if any did.
    pub(crate) fn as_rule(&self) -> Option<SuffixRule> {
        SuffixRule::parse(&self.rule).ok()
    }
}

/// A rule of the public suffix list: `co.uk`, `*.ck` or `!www.ck`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuffixRule {
    /// Without the mark of an exception and without the wildcard.
    name: DomainName,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Plain,
    Wildcard,
    Exception,
}

impl SuffixRule {
    /// Reads a rule as the list has it.
    ///
    /// # Errors
    ///
    /// `suffix.bad-rule` for what is none, the rule `*` of names without a rule included, and `name.*` for a bad name.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::suffix::SuffixRule;
    ///
    /// assert_eq!(SuffixRule::parse("*.CK").unwrap().to_string(), "*.ck");
    /// assert_eq!(SuffixRule::parse("*").unwrap_err().code, "suffix.bad-rule");
    /// ```
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let (kind, name) = match (text.strip_prefix('!'), text.strip_prefix("*.")) {
            (Some(name), _) => (Kind::Exception, name),
            (None, Some(name)) => (Kind::Wildcard, name),
            (None, None) => (Kind::Plain, text),
        };
        let name = DomainName::parse(name)?;
        // An exception takes one label off, and something has to be left.
        let least = if kind == Kind::Exception { 2 } else { 1 };
        if name.label_count() < least || name.labels().any(|label| label == "*") {
            let problem =
                Problem::new("suffix.bad-rule", format!("`{text}` is no rule of a public suffix list"));
            return Err(problem.help("write it as the list does: `co.uk`, `*.ck` or `!www.ck`"));
        }
        Ok(Self { name, kind })
    }

    /// How many labels of a name are its public suffix by this rule; `None` where it does not match.
    fn suffix_of(&self, name: &DomainName) -> Option<usize> {
        if !name.is_within(&self.name) {
            return None;
        }
        let labels = self.name.label_count();
        match self.kind {
            Kind::Plain => Some(labels),
            Kind::Wildcard => Some(labels + 1).filter(|labels| *labels <= name.label_count()),
            Kind::Exception => Some(labels - 1),
        }
    }
}

impl fmt::Display for SuffixRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.kind {
            Kind::Plain => "",
            Kind::Wildcard => "*.",
            Kind::Exception => "!",
        };
        write!(f, "{mark}{}", self.name)
    }
}

impl Serialize for SuffixRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Some rules of a public suffix list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SuffixRules(BTreeSet<SuffixRule>);

impl SuffixRules {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &SuffixRule> {
        self.0.iter()
    }

    /// What the rules say of a name: an exception goes before all, then the rule with the most labels; `None` where none matches.
    ///
    /// # Examples
    ///
    /// ```
    /// use sendershift::suffix::{SuffixRule, SuffixRules};
    ///
    /// let mut rules = SuffixRules::default();
    /// rules.extend(["uk", "co.uk"].map(|rule| SuffixRule::parse(rule).unwrap()));
    /// let found = rules.look_up(&"mail.example.co.uk".parse().unwrap()).unwrap();
    /// assert_eq!(found.organizational_domain.unwrap().as_str(), "example.co.uk");
    /// assert!(rules.look_up(&"example.com".parse().unwrap()).is_none());
    /// ```
    pub fn look_up(&self, name: &DomainName) -> Option<PublicSuffix> {
        let matching = self.0.iter().filter_map(|rule| Some((rule, rule.suffix_of(name)?)));
        let (rule, labels) = matching.max_by_key(|(rule, labels)| (rule.kind == Kind::Exception, *labels))?;
        let (suffix, organizational_domain) = split(name, labels);
        Some(PublicSuffix { suffix, rule: rule.to_string(), section: Section::Told, organizational_domain })
    }
}

impl Extend<SuffixRule> for SuffixRules {
    fn extend<T: IntoIterator<Item = SuffixRule>>(&mut self, rules: T) {
        self.0.extend(rules);
    }
}

/// The suffix of so many labels, and the domain of one more; none for a name that is a suffix itself.
fn split(name: &DomainName, labels: usize) -> (DomainName, Option<DomainName>) {
    let ancestors: Vec<DomainName> = name.ancestors().collect();
    let above = |labels: usize| ancestors.iter().rev().nth(labels).cloned();
    (above(labels).unwrap_or_else(DomainName::root), above(labels + 1).filter(|_| labels > 0))
}

/// The public suffix and the organizational domain of a name; `None` in a build without the list (feature `psl`).
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "psl")] {
/// use sendershift::suffix::public_suffix;
///
/// let found = public_suffix(&"mail.example.co.uk".parse().unwrap()).unwrap();
/// assert_eq!((found.rule.as_str(), found.suffix.as_str()), ("co.uk", "co.uk"));
/// assert_eq!(found.organizational_domain.unwrap().as_str(), "example.co.uk");
/// # }
/// ```
pub fn public_suffix(domain: &DomainName) -> Option<PublicSuffix> {
    #[cfg(feature = "psl")]
    return Some(listed::look_up(domain));
    #[cfg(not(feature = "psl"))]
    {
        let _ = domain;
        None
    }
}

#[cfg(feature = "psl")]
mod listed {
    use psl::{List, Psl as _, Type};

    use super::{PublicSuffix, Section, split};
    use crate::name::DomainName;

    pub(super) fn look_up(domain: &DomainName) -> PublicSuffix {
        let (labels, kind) = find(domain);
        let (suffix, organizational_domain) = split(domain, labels);
        let (rule, section) = match kind {
            Some(Type::Icann) => (rule(&suffix, organizational_domain.as_ref()), Section::Icann),
            Some(Type::Private) => (rule(&suffix, organizational_domain.as_ref()), Section::Private),
            None => ("*".to_owned(), Section::Unlisted),
        };
        PublicSuffix { suffix, rule, section, organizational_domain }
    }

    /// The labels of the public suffix of a name, and the part of the list that its rule is from.
    fn find(domain: &DomainName) -> (usize, Option<Type>) {
        let found = List.find(domain.labels().rev().map(str::as_bytes));
        let mut octets = 0;
        let within = |label: &&str| {
            octets += label.len() + usize::from(octets > 0);
            octets <= found.len
        };
        (domain.labels().rev().take_while(within).count(), found.typ)
    }

    /// The rule behind a suffix. The crate tells only the suffix; whether a wildcard rule is behind it shows when
    /// the label `*` itself is looked up, which no rule names.
    fn rule(suffix: &DomainName, below: Option<&DomainName>) -> String {
        let wildcard = |parent: &DomainName| {
            let rule = parent.prefixed("*").ok()?;
            (!parent.is_root() && find(&rule).0 == rule.label_count()).then(|| rule.to_string())
        };
        if let Some(below) = below.filter(|_| wildcard(suffix).is_some()) {
            return format!("!{below}");
        }
        suffix.parent().and_then(|parent| wildcard(&parent)).unwrap_or_else(|| suffix.to_string())
    }
}

#[cfg(all(test, feature = "psl"))]
mod tests {
    use super::{Section, SuffixRule, SuffixRules, public_suffix};
    use crate::name::DomainName;

    /// RFC 7489 section 3.2, and the format of the list: <https://github.com/publicsuffix/list/wiki/Format>.
    #[test]
    fn rules() {
        use Section::{Icann, Private, Unlisted};
        for (name, rule, section, organizational) in [
            ("a.mail.example.com", "com", Icann, Some("example.com")),
            ("example.com", "com", Icann, Some("example.com")),
            ("com", "com", Icann, None),
            ("a.b.co.uk", "co.uk", Icann, Some("b.co.uk")),
            ("co.uk", "co.uk", Icann, None),
            ("uk", "uk", Icann, None),
            ("a.b.c.ck", "*.ck", Icann, Some("b.c.ck")),
            ("b.ck", "*.ck", Icann, None),
            ("ck", "*", Unlisted, None),
            ("www.ck", "!www.ck", Icann, Some("www.ck")),
            ("a.www.ck", "!www.ck", Icann, Some("www.ck")),
            ("a.city.kawasaki.jp", "!city.kawasaki.jp", Icann, Some("city.kawasaki.jp")),
            ("kawasaki.jp", "jp", Icann, Some("kawasaki.jp")),
            ("pages.user.github.io", "github.io", Private, Some("user.github.io")),
            ("github.io", "github.io", Private, None),
            ("mail.bank.example", "*", Unlisted, Some("bank.example")),
            ("example", "*", Unlisted, None),
            (".", "*", Unlisted, None),
            ("a.xn--55qx5d.cn", "xn--55qx5d.cn", Icann, Some("a.xn--55qx5d.cn")),
            ("a\\.co.uk", "uk", Icann, Some("a\\.co.uk")),
        ] {
            let found = public_suffix(&name.parse().unwrap()).unwrap();
            let domain = found.organizational_domain.as_ref().map(DomainName::as_str);
            assert_eq!(
                (found.rule.as_str(), found.section, domain),
                (rule, section, organizational),
                "{name}"
            );
        }
    }

    /// <https://github.com/publicsuffix/list/wiki/Format>: `*` stands for a whole label, and only in front here.
    #[test]
    fn no_rules() {
        for text in ["", ".", "*", "!", "!uk", "*.", "a.*.uk", "*.*.uk", "!*.uk", "a..uk"] {
            assert!(SuffixRule::parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        /// Rules that were kept say the same as the list that they are from, in any company.
        #[test]
        fn rules_that_are_kept(names in proptest::collection::vec("([a-c]|www|github|city)([.](a|co|uk|ck|com|www|github|io|jp|kawasaki|city)){0,3}[.](uk|ck|com|io|jp)", 1..9)) {
            let names: Vec<DomainName> = names.iter().map(|name| name.parse().unwrap()).collect();
            let listed: Vec<_> = names.iter().map(|name| public_suffix(name).unwrap()).collect();
            let mut rules = SuffixRules::default();
            rules.extend(listed.iter().filter_map(super::PublicSuffix::as_rule));
            for (name, listed) in names.iter().zip(listed).filter(|(_, listed)| listed.section != Section::Unlisted) {
                let kept = rules.look_up(name).unwrap();
                proptest::prop_assert_eq!((kept.suffix, kept.rule), (listed.suffix, listed.rule));
                proptest::prop_assert_eq!(kept.organizational_domain, listed.organizational_domain);
            }
        }

        #[test]
        fn one_label_more(name in "([a-c*]|co|uk|ck|com|www|github|io|jp|kawasaki|city)([.]([a-c*]|co|uk|ck|com|www|github|io|jp|kawasaki|city)){0,5}") {
            let name: DomainName = name.parse().unwrap();
            let found = public_suffix(&name).unwrap();
            proptest::prop_assert!(name.is_within(&found.suffix));
            match found.organizational_domain {
                Some(domain) => {
                    proptest::prop_assert_eq!(domain.parent(), Some(found.suffix));
                    proptest::prop_assert!(name.is_within(&domain));
                }
                None => proptest::prop_assert_eq!(name, found.suffix),
            }
        }
    }
}
