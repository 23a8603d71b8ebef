//! Organizational domains by the public suffix list, as receivers of RFC 7489 find them (section 3.2).
//!
//! The list is that of <https://publicsuffix.org>, as it was when this crate was built; each receiver has its own copy.

use serde::Serialize;

use crate::name::DomainName;

/// Which part of the list a rule is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Registries under the rules of ICANN, such as `co.uk`.
    Icann,
    /// Domains whose owners give out names below them, such as `github.io`.
    Private,
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

/// The public suffix and the organizational domain of a name; `None` in a build without the list (feature `psl`).
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "psl")] {
/// use sendershift::dmarc::public_suffix;
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

    use super::{PublicSuffix, Section};
    use crate::name::DomainName;

    pub(super) fn look_up(domain: &DomainName) -> PublicSuffix {
        let (labels, kind) = find(domain);
        let ancestors: Vec<DomainName> = domain.ancestors().collect();
        let above = |labels: usize| ancestors.iter().rev().nth(labels).cloned();
        let suffix = above(labels).unwrap_or_else(DomainName::root);
        let organizational_domain = above(labels + 1).filter(|_| labels > 0);
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
    use super::{Section, public_suffix};
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

    proptest::proptest! {
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
