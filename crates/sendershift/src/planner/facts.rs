//! What is known, and how a message fares by it: the planner's view of evidence.

use std::collections::{BTreeMap, BTreeSet};

use crate::dkim::{self, KeyState};
use crate::dmarc::{self, Authenticated, Policy as DmarcPolicy};
use crate::dns::{Answer, Evidence, RecordType, Recording, Snapshot};
use crate::error::Error;
use crate::migration::{Migration, Stream};
use crate::name::DomainName;
use crate::net::{AddressSet, Family};
use crate::plan::{Identity, Signature, SignedAt};
use crate::spf::{Leaf, Policy, Profile, Spent, SpfResult};
use crate::suffix::PublicSuffix;

/// Evidence in which a question that got no answer counts as not asked: a plan must not rest on a timeout.
#[derive(Debug)]
pub(super) struct Settled<'e>(pub(super) &'e Snapshot);

impl Evidence for Settled<'_> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        match self.0.answer(name, record_type) {
            Answer::Failed => Answer::Unknown,
            answer => answer,
        }
    }

    fn wildcard(&self, name: &DomainName) -> Option<DomainName> {
        self.0.wildcard(name)
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.0.public_suffix(name)
    }
}

/// The evidence, with a note of what it does not answer.
pub(super) type Known<'e> = Recording<Settled<'e>>;

/// The migration with its sources resolved.
pub(super) struct Facts<'m> {
    pub(super) migration: &'m Migration,
    pub(super) known: &'m Known<'m>,
    /// The addresses of each source, by id.
    addresses: BTreeMap<&'m str, AddressSet>,
    unread: BTreeMap<&'m str, SpfResult>,
    open: BTreeSet<&'m str>,
}

/// How the messages of one identity fare that the sources of another deliver.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an observation of its own")]
pub(super) struct Fate {
    /// There is a DMARC policy record.
    pub(super) policy: bool,
    /// It asks receivers to act, on the harshest reading.
    harshest: DmarcPolicy,
    /// The domain of SPF is aligned.
    pub(super) spf_aligned: bool,
    /// SPF passes for every address at every kind of receiver.
    pub(super) spf_passes: bool,
    /// SPF passes for some address at some kind of receiver.
    spf_reaches: bool,
    /// Every address is within the limits.
    pub(super) within_limits: bool,
    /// A signature is aligned and its key can be used.
    pub(super) dkim: bool,
    /// The messages are signed at all.
    signed: bool,
    needs_both: bool,
    spf_only: bool,
}

impl Fate {
    /// Whether the messages cannot do without SPF.
    pub(super) fn needs_spf(&self) -> bool {
        self.needs_both || !self.dkim
    }

    /// Whether some messages are authenticated, if not all.
    pub(super) fn reaches_some(&self) -> bool {
        Self { spf_passes: self.spf_reaches, ..*self }.lacks().is_none()
    }

    /// Whether messages fare worse than they do today, as the prover has it: a signature aligned and does not now, SPF did for some
    /// and nothing does now for all, or a harsher policy meets what has no signature and no more than before.
    pub(super) fn is_worse_than(&self, today: &Self) -> bool {
        let spf = self.spf_aligned && self.spf_passes;
        let spf_today = today.spf_aligned && today.spf_reaches;
        !self.dkim
            && (today.dkim || (spf_today && !spf) || (self.harshest > today.harshest && (spf_today || !spf)))
    }

    /// What is wrong, for people; none where every message is authenticated.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        let needs_dkim =
            self.needs_both || (!self.spf_only && (self.harshest > DmarcPolicy::None || self.signed));
        if !self.policy {
            Some("there is no DMARC policy record")
        } else if needs_dkim && !self.dkim {
            Some(
                "no DKIM signature is aligned with a key that all verifiers can use (some know RSA only, RFC 8463), and SPF alone is not enough here",
            )
        } else if !self.needs_spf() {
            None
        } else if !self.spf_aligned {
            Some("the domain that SPF is checked for is not aligned with the author domain")
        } else if !self.spf_passes {
            Some("SPF does not pass for every address of the sources")
        } else {
            None
        }
    }
}

/// The domain that SPF is checked for: MAIL FROM, or HELO for the null sender (RFC 7208 section 2.4).
pub(super) fn spf_domain<'i>(identity: &'i Identity, delivered_by: &'i Identity) -> Option<&'i DomainName> {
    identity.mail_from.as_ref().or(delivered_by.helo.as_ref())
}

impl<'m> Facts<'m> {
    pub(super) fn new(migration: &'m Migration, known: &'m Known<'m>) -> Result<Self, Error> {
        let mut facts = Self {
            migration,
            known,
            addresses: BTreeMap::new(),
            unread: BTreeMap::new(),
            open: BTreeSet::new(),
        };
        for source in &migration.sources {
            let listed = match &source.include {
                Some(include) => policy(known, include, &AddressSet::all())?.map(|policy| policy.intended()),
                None => None,
            };
            let mut addresses = source.addresses.clone();
            if let Some(listed) = listed {
                addresses = addresses.union(&listed.always(SpfResult::Pass));
                let unread = [SpfResult::None, SpfResult::TempError, SpfResult::PermError].into_iter();
                let unread = unread.filter(|result| !listed.sometimes(*result).is_empty());
                facts.unread.extend(unread.map(|result| (source.id.as_str(), result)));
                if !listed.sometimes(SpfResult::Pass).is_subset(&addresses) {
                    facts.open.insert(&source.id);
                }
            }
            facts.addresses.insert(&source.id, addresses);
        }
        Ok(facts)
    }

    /// The result, none of a list of addresses, that the include of a source ends in for some.
    pub(super) fn unread(&self, source: &str) -> Option<SpfResult> {
        self.unread.get(source).copied()
    }

    /// Whether the include of a source lists some addresses only for a message at hand.
    pub(super) fn is_open(&self, source: &str) -> bool {
        self.open.contains(source)
    }

    /// The addresses of sources.
    pub(super) fn addresses<'s>(&self, sources: impl IntoIterator<Item = &'s String>) -> AddressSet {
        let known = sources.into_iter().filter_map(|id| self.addresses.get(id.as_str()));
        known.fold(AddressSet::empty(), |all, some| all.union(some))
    }

    /// Whether SPF of a domain passes for all addresses, for any, and whether all are within the limits, at every kind of
    /// receiver.
    pub(super) fn spf(
        &self,
        evidence: &dyn Evidence,
        domain: &DomainName,
        addresses: &AddressSet,
    ) -> Result<(bool, bool, bool), Error> {
        let Some(policy) = policy(evidence, domain, addresses)? else { return Ok((false, false, true)) };
        let (mut passes, mut reaches, mut within) = (true, false, true);
        for leaf in policy.classes(addresses).iter().flat_map(|(_, cases)| cases).map(|case| &case.leaf) {
            let fits = self.profiles().iter().all(|profile| leaf.spent.is_within(profile));
            within &= fits;
            passes &= fits && leaf.result == SpfResult::Pass;
            reaches |= leaf.result == SpfResult::Pass
                && self.profiles().iter().any(|profile| leaf.spent.is_within(profile));
        }
        Ok((passes, reaches, within))
    }

    /// The addresses that do not pass.
    pub(super) fn failing(
        &self,
        evidence: &dyn Evidence,
        domain: &DomainName,
        addresses: &AddressSet,
    ) -> Result<AddressSet, Error> {
        let Some(policy) = policy(evidence, domain, addresses)? else { return Ok(AddressSet::empty()) };
        let fails = |leaf: &Leaf| {
            leaf.result != SpfResult::Pass
                || !self.profiles().iter().all(|profile| leaf.spent.is_within(profile))
        };
        let classes = policy.classes(addresses);
        let failing = classes.iter().filter(|(_, cases)| cases.iter().any(|case| fails(&case.leaf)));
        Ok(AddressSet::from_ranges(failing.map(|(range, _)| *range)))
    }

    /// The kinds of receivers that the plan has to suit.
    pub(super) fn profiles(&self) -> &'m [&'static Profile] {
        &self.migration.parameters.receivers
    }

    /// How messages of an identity fare that the sources of another deliver.
    pub(super) fn fate(
        &self,
        evidence: &dyn Evidence,
        stream: &Stream,
        identity: &Identity,
        delivered_by: &Identity,
    ) -> Result<Fate, Error> {
        let signatures: &[Signature] = match stream.signed_at {
            SignedAt::Injection => &identity.dkim,
            SignedAt::Delivery => &delivered_by.dkim,
        };
        let verified: Vec<DomainName> = signatures
            .iter()
            .filter(|signature| match dkim::key(evidence, &signature.domain, &signature.selector) {
                KeyState::Usable(key) => self.profiles().iter().all(|it| key.algorithm().is_verified_by(it)),
                _ => false,
            })
            .map(|signature| signature.domain.clone())
            .collect();
        let domain = spf_domain(identity, delivered_by);
        let message = Authenticated { author_domain: &identity.author_domain, spf: domain, dkim: &verified };
        let verdict = dmarc::evaluate(evidence, &message);
        let applied = verdict.discovery.applied.as_ref();
        let harshest = applied.map_or(DmarcPolicy::None, |applied| match applied.source {
            dmarc::Source::AuthorDomain => applied.declared,
            // Receivers differ on whether the author domain exists, so on whether `sp` or `np` counts.
            _ => applied
                .declared
                .max(applied.record.subdomain_policy())
                .max(applied.record.nonexistent_policy()),
        });
        let harshest = harshest
            .max(dmarc::legacy_policy(evidence, &identity.author_domain).unwrap_or(DmarcPolicy::None));
        let (spf_passes, spf_reaches, within_limits) = match domain {
            Some(domain) => self.spf(evidence, domain, &self.addresses(&delivered_by.sources))?,
            None => (false, false, true),
        };
        Ok(Fate {
            policy: applied.is_some(),
            harshest,
            spf_aligned: verdict.spf_aligned,
            spf_passes,
            spf_reaches,
            within_limits,
            dkim: verdict.dkim_aligned,
            signed: !signatures.is_empty(),
            needs_both: stream.needs_both,
            spf_only: stream.spf_only,
        })
    }
}

/// The policy of a domain; none where evidence is missing, which is then noted.
pub(super) fn policy(
    evidence: &dyn Evidence,
    domain: &DomainName,
    scope: &AddressSet,
) -> Result<Option<Policy>, Error> {
    match Policy::compile_within(evidence, domain, scope) {
        Ok(policy) => Ok(Some(policy)),
        Err(Error::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The most that SPF of a domain spends for any address at all.
pub(super) fn worst(evidence: &dyn Evidence, domain: &DomainName) -> Result<Option<Spent>, Error> {
    let policy = policy(evidence, domain, &AddressSet::all())?;
    Ok(policy.map(|policy| policy.worst(Family::V4).max(policy.worst(Family::V6))))
}
