//! P10: what mail that nobody declared aligns by.

use std::collections::BTreeSet;
use std::fmt;

use super::senders::with_spf;
use crate::dmarc::{self, Alignment, DkimResult, InEffect, Message, Policy, Reading};
use crate::dns::Evidence;
use crate::name::DomainName;
use crate::plan::Plan;
use crate::spf::SpfResult;

/// What identifiers align with a domain.
pub(in crate::prove) struct Alignments {
    rfc9989: Aligned,
    rfc7489: Option<Aligned>,
    /// The organizational domain by tree walk, where it is known.
    organization: Option<DomainName>,
}

/// How near identifiers have to be, and which domains are near enough.
type Method = (Alignment, BTreeSet<DomainName>);

/// What aligns to receivers of one generation.
struct Aligned {
    /// Whether the policy makes them act on what does not.
    acts: bool,
    /// For SPF and for DKIM.
    methods: [Method; 2],
}

/// The domains of the evidence that mail may be sent or signed with.
pub(in crate::prove) fn identifiers(plan: &Plan) -> BTreeSet<DomainName> {
    let signing = |name: &DomainName| DomainName::parse(name.as_str().split_once("._domainkey.")?.1).ok();
    plan.evidence.names().filter_map(signing).chain(with_spf(plan).cloned()).collect()
}

impl Alignments {
    /// Those of an author domain: of these identifiers, what is above or below it counts.
    pub(in crate::prove) fn of(
        evidence: &dyn Evidence,
        author: &DomainName,
        identifiers: &BTreeSet<DomainName>,
    ) -> Self {
        let near = |domain: &&DomainName| domain.is_within(author) || author.is_within(domain);
        let own = BTreeSet::from([author.clone()]);
        let near: Vec<&DomainName> = identifiers.iter().filter(near).chain(&own).collect();
        let author = Message::new(author.clone());
        let mut aligned = dmarc::check(
            evidence,
            near.iter().fold(author.clone(), |message, domain| {
                message.with_dkim((*domain).clone(), DkimResult::Pass)
            }),
        );
        for domain in near {
            let message = author.clone().with_spf(domain.clone(), SpfResult::Pass);
            let by_spf = dmarc::check(evidence, message);
            aligned.rfc9989.identifiers.extend(by_spf.rfc9989.identifiers);
            if let Some((all, spf)) = aligned.rfc7489.as_mut().zip(by_spf.rfc7489) {
                all.identifiers.extend(spf.identifiers);
            }
        }
        Self {
            organization: aligned.rfc9989.author.domain().cloned(),
            rfc9989: Aligned::of(&aligned.rfc9989),
            rfc7489: aligned.rfc7489.as_ref().map(Aligned::of),
        }
    }

    /// Whether less aligns than before, for receivers that act on what does not: identifiers have to be the same that had to be of one
    /// organization, one of them is of another, or the organization begins further below.
    pub(in crate::prove) fn lose_from(&self, before: &Self) -> bool {
        let old = self.rfc7489.as_ref().zip(before.rfc7489.as_ref());
        let narrower = self.organization.as_ref().zip(before.organization.as_ref());
        let narrower = narrower.is_some_and(|(now, before)| !before.is_within(now));
        self.rfc9989.loses_from(&before.rfc9989)
            || old.is_some_and(|(now, before)| now.loses_from(before))
            || (narrower && self.rfc9989.acts && self.rfc9989.is_relaxed())
    }

    /// An identifier that aligns and did not before.
    pub(in crate::prove) fn gained_since<'n>(&'n self, before: &'n Self) -> Option<&'n DomainName> {
        let old = self.rfc7489.as_ref().zip(before.rfc7489.as_ref());
        let both = [(&self.rfc9989, &before.rfc9989)].into_iter().chain(old);
        let mut methods = both.flat_map(|(now, before)| now.methods.iter().zip(&before.methods));
        methods.find_map(|(now, before)| now.1.difference(&before.1).next())
    }
}

impl fmt::Display for Alignments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [spf, dkim] = &self.rfc9989.methods;
        let mode = |mode: Alignment| if mode == Alignment::Strict { "strict" } else { "relaxed" };
        write!(f, "SPF {}, DKIM {}", mode(spf.0), mode(dkim.0))?;
        match &self.organization {
            Some(organization) => write!(f, ", within {organization}"),
            None => Ok(()),
        }
    }
}

impl Aligned {
    fn of(reading: &Reading) -> Self {
        let acts = |effect: InEffect| effect.policy > Policy::None;
        let method = |method: &str| {
            let of_method = || reading.identifiers.iter().filter(|identifier| identifier.method == method);
            let mode = of_method().map(|identifier| identifier.mode).next().unwrap_or(Alignment::Relaxed);
            let aligned = of_method().filter(|identifier| identifier.aligned == Some(true));
            (mode, aligned.map(|identifier| identifier.domain.clone()).collect())
        };
        Self { acts: reading.policy.is_some_and(acts), methods: [method("spf"), method("dkim")] }
    }

    fn is_relaxed(&self) -> bool {
        self.methods.iter().any(|(mode, _)| *mode == Alignment::Relaxed)
    }

    fn loses_from(&self, before: &Self) -> bool {
        let loses = |(now, before): (&Method, &Method)| {
            (now.0 != before.0 && now.0 == Alignment::Strict) || !before.1.is_subset(&now.1)
        };
        self.acts && self.methods.iter().zip(&before.methods).any(loses)
    }
}
