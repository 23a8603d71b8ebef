//! Which policy applies to an author domain (RFC 9989 section 4.10.1).

use std::sync::Arc;

use serde::Serialize;

use super::record::Subject;
use super::walk::{Walker, as_text};
use super::{DmarcRecord, Found, Policy, Walk};
use crate::dns::{Evidence, existence};
use crate::name::DomainName;

/// Whose record applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// That of the author domain itself.
    AuthorDomain,
    /// That of its organizational domain.
    OrganizationalDomain,
    /// That of its public suffix.
    PublicSuffix,
}

/// The policy that applies, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Applied {
    /// The policy domain: where the record was found.
    pub domain: DomainName,
    /// Which domain that is, seen from the author domain.
    pub source: Source,
    /// The record.
    #[serde(serialize_with = "as_text")]
    pub record: Arc<DmarcRecord>,
    /// The tag whose value or default counts: `p`, `sp` or `np`.
    pub tag: &'static str,
    /// The policy that the tag declares.
    pub declared: Policy,
    /// The policy in effect.
    pub policy: Policy,
    /// Whether `t=y` lowered it.
    pub lowered: bool,
}

/// What receivers find out about an author domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Discovery {
    /// The walk that begins at the author domain.
    pub walk: Walk,
    /// The policy that applies; none if there is no policy record, or one that is broken.
    pub applied: Option<Applied>,
    /// Whether failed queries leave the policy open.
    pub temperror: bool,
}

/// Finds the policy that applies to mail from an author domain (RFC 9989 sections 4.10 and 4.10.1).
///
/// Names without an answer in the evidence count as names without a policy record. Whether
/// the author domain exists is asked only where `sp` and `np` differ; if that cannot be told, the policy is open.
///
/// # Examples
///
/// ```
/// use sendershift::dmarc::{Policy, discover};
/// use sendershift::dns::Snapshot;
///
/// let snapshot = Snapshot::from_json(r#"{
///     "format": "sendershift-snapshot/1", "closed": true,
///     "answers": [
///         { "name": "_dmarc.example.net", "type": "TXT", "records": ["v=DMARC1; p=reject; sp=reject; t=y"] }
///     ]
/// }"#)?;
/// let applied = discover(&snapshot, &"news.example.net".parse().unwrap()).applied.unwrap();
/// assert_eq!((applied.tag, applied.policy, applied.lowered), ("sp", Policy::Quarantine, true));
/// # Ok::<(), sendershift::error::Invalid>(())
/// ```
pub fn discover(evidence: &dyn Evidence, author_domain: &DomainName) -> Discovery {
    Walker::new(evidence).discover(author_domain)
}

impl Walker<'_> {
    pub(super) fn discover(&mut self, author_domain: &DomainName) -> Discovery {
        let walk = self.walk(author_domain);
        match choose(&walk, author_domain) {
            Choice::Open => Discovery { walk, applied: None, temperror: true },
            Choice::Nothing => Discovery { walk, applied: None, temperror: false },
            Choice::Record(domain, source, record) => {
                let applied = self.apply(author_domain, domain, source, record);
                Discovery { walk, temperror: applied.is_none(), applied }
            }
        }
    }

    /// The policy of a record for the author domain; `None` where it is not known whether that exists.
    fn apply(
        &self,
        author_domain: &DomainName,
        domain: DomainName,
        source: Source,
        record: Arc<DmarcRecord>,
    ) -> Option<Applied> {
        let subject = if source == Source::AuthorDomain {
            Subject::Itself
        } else if record.subdomain_policy() == record.nonexistent_policy()
            || existence(self.evidence, author_domain)?
        {
            Subject::Subdomain
        } else {
            Subject::NonExistent
        };
        let (tag, declared) = record.policy_for(subject);
        let policy = if record.is_testing() { declared.lowered() } else { declared };
        Some(Applied { domain, source, tag, declared, policy, lowered: policy != declared, record })
    }
}

enum Choice {
    Record(DomainName, Source, Arc<DmarcRecord>),
    Nothing,
    /// A query failed that may have found the record.
    Open,
}

/// The first of author domain, organizational domain and public suffix that has a policy record.
fn choose(walk: &Walk, author_domain: &DomainName) -> Choice {
    let places = [
        (Some(author_domain), Source::AuthorDomain),
        (Some(&walk.organizational_domain), Source::OrganizationalDomain),
        (walk.public_suffix(), Source::PublicSuffix),
    ];
    for (domain, source) in places {
        let Some((domain, found)) = domain.and_then(|domain| Some((domain, walk.found(domain)?))) else {
            continue;
        };
        match found {
            Found::Record { record } => return Choice::Record(domain.clone(), source, Arc::clone(record)),
            Found::Broken(_) => return Choice::Nothing,
            // Without a record of the author domain, every answer of the walk matters.
            Found::Failed | Found::Absent | Found::Several { .. } if walk.has_failed() => {
                return Choice::Open;
            }
            Found::Failed | Found::Absent | Found::Several { .. } => {}
        }
    }
    Choice::Nothing
}
