//! What is known of mail providers: a dated catalogue, each entry with its sources.
//!
//! It suggests: a return path on a subdomain where a provider offers one, or that an `include` does nothing for mail that
//! carries the provider's own return path. It never licenses: nothing is left out of a record, written out, or called
//! stable because of it. Providers change without asking, so every entry says when it was looked at.

mod catalogue;

use serde::Serialize;

pub use catalogue::{ALL, AS_OF};

use crate::name::DomainName;

/// A provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Provider {
    /// Its stable name in the catalogue.
    pub id: &'static str,
    /// What it calls itself.
    pub title: &'static str,
    /// The names at and below which its SPF records and hosts are.
    pub names: &'static [&'static str],
    /// What is known about how its addresses change.
    pub volatility: Volatility,
    /// What its customary `include` costs, itself counted, and when that was counted.
    pub lookups: Option<Counted>,
    /// The return path (RFC 7208 section 2.4) that its mail carries, or can be made to.
    pub return_path: ReturnPath,
    /// How it signs in its customers' names.
    pub dkim: Dkim,
    /// What else has to be known.
    pub note: Option<&'static str>,
    /// Where all of this is from.
    pub sources: &'static [&'static str],
}

/// A number of lookups that was counted once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counted {
    /// The lookups (RFC 7208 section 4.6.4).
    pub lookups: u32,
    /// The year in which they were counted, or the month.
    pub as_of: &'static str,
}

/// How the addresses of a provider change, as far as anybody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Volatility {
    /// It says that they change, or was seen to change them: a record that was written out from them gets stale.
    Changes,
    /// Its record asks questions that depend on the message: it has no list of addresses.
    DependsOnMessage,
    /// Nobody said. It counts as if they changed.
    Unknown,
}

/// The return path of a provider's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReturnPath {
    /// The domain of the sender itself: the domain's own record has to authorise the provider.
    SenderDomain,
    /// A subdomain of the sender can be set up for it: then the domain's own record need not name the provider.
    Subdomain,
    /// A domain of the provider: the sender's record is never asked, and SPF does not align.
    ProviderDomain,
    /// Not known.
    Unknown,
}

/// How a provider signs (RFC 6376) for a domain of its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dkim {
    /// The keys stay with the provider, behind CNAME records in the customer's zone.
    Cname,
    /// The customer publishes the key.
    Txt,
    /// Not known.
    Unknown,
}

/// The provider that a name belongs to, if the catalogue has it.
///
/// # Examples
///
/// ```
/// use sendershift::provider::{self, ReturnPath};
///
/// let found = provider::of(&"u1234567.wl.sendgrid.net".parse()?).unwrap();
/// assert_eq!((found.id, found.return_path), ("sendgrid", ReturnPath::Subdomain));
/// assert_eq!(provider::of(&"mail.example".parse()?), None);
/// # Ok::<(), sendershift::error::Error>(())
/// ```
pub fn of(name: &DomainName) -> Option<&'static Provider> {
    name.ancestors()
        .find_map(|ancestor| ALL.iter().find(|provider| provider.names.contains(&ancestor.as_str())))
}

impl Provider {
    /// How the provider's mail can do without the term for `name` in the sender's own record, if it can: a sentence for people.
    pub fn without_term(&self, name: &DomainName) -> Option<String> {
        let title = self.title;
        match self.return_path {
            ReturnPath::Subdomain => Some(format!(
                "{title} can send with a return path on a subdomain that has a record of its own: the domain's own record \
                 then need not name it (--drop {name}, once reports show no mail of it with the old return path; catalogue of {AS_OF})"
            )),
            ReturnPath::ProviderDomain => Some(format!(
                "mail of {title} carries a return path of its own, so the domain's record is not asked about it and DKIM alone \
                 aligns: the term may do nothing (--drop {name}, once reports show none; catalogue of {AS_OF})"
            )),
            ReturnPath::SenderDomain | ReturnPath::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every name is canonical and leads to one provider, and every entry says where it is from.
    #[test]
    fn the_catalogue_is_sound() {
        let mut ids = BTreeSet::new();
        let mut names = BTreeSet::new();
        for provider in ALL {
            assert!(ids.insert(provider.id), "{} is there twice", provider.id);
            assert!(!provider.sources.is_empty(), "{} has no source", provider.id);
            for name in provider.names {
                assert!(names.insert(*name), "{name} is there twice");
                let parsed: DomainName = name.parse().unwrap();
                assert_eq!(parsed.as_str(), *name);
                assert_eq!(of(&parsed).map(|found| found.id), Some(provider.id));
            }
        }
    }
}
