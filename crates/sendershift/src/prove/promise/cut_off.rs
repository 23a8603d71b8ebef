//! P10 for what undeclared mail is led to: keys and authorisations behind aliases, and hosts that others share.

use std::collections::BTreeSet;

use super::collateral::{is_given_up, reports_declared};
use super::senders::with_spf;
use crate::adjacent::unreachable;
use crate::dkim::KeyRecord;
use crate::dmarc::DmarcRecord;
use crate::dns::{Evidence, RecordType, Resolved, resolve};
use crate::name::DomainName;
use crate::plan::timeline::Timeline;
use crate::plan::{Plan, StepKind};
use crate::prove::aliases::Aliases;
use crate::prove::proof::Counterexample;
use crate::prove::users::Users;
use crate::prove::world::{Era, Flux};

/// A DKIM key that nobody declared, or the authorisation of somebody else's reports, that can be found no more once a step is done, though its
/// own record stays; or a domain that nobody declared, that mail comes from as far as the evidence shows, and that nothing is returned to any more.
pub(in crate::prove) fn cut_off(
    plan: &Plan,
    flux: &Flux,
    timeline: &Timeline,
    users: &Users<'_>,
) -> Option<Counterexample> {
    let lost = |works: &dyn Fn(&Era<'_>) -> bool, name: &DomainName| -> Option<String> {
        let mut era = flux.era(plan, 0);
        if !works(&era) {
            return None;
        }
        let step = loop {
            era = era.following()?;
            if !works(&era) {
                break era.begun_by()?;
            }
        };
        let of = plan.steps.get(step).filter(|of| of.kind != StepKind::External)?;
        (!is_given_up(plan, flux, timeline, step, name)).then(|| of.id.clone())
    };
    let mut needed = None;
    let mut domains: BTreeSet<DomainName> = with_spf(plan).cloned().collect();
    for name in plan.evidence.names() {
        if matches!(resolve(&plan.evidence, name, RecordType::Mx), Resolved::Records(_)) {
            domains.insert(name.clone());
        }
        if is_authorisation(name)
            && let Some(step) = lost(&|era| authorises(era, name), name)
        {
            let names = needed.get_or_insert_with(|| users.names(plan, flux));
            if !names.contains(name) && !reports_declared(plan, name) {
                let story = format!(
                    "Once step `{step}` is done, {name} says no more that reports may come here, and it did: no declared mail is from a domain whose reports these are, so somebody else's get lost (RFC 9990)."
                );
                return Some(Counterexample::of_name("p10.record-removed", name.clone(), story));
            }
        }
        let Some((_, domain)) = name.as_str().split_once("._domainkey.") else { continue };
        domains.extend(DomainName::parse(domain));
        let Some(step) = lost(&|era| has_key(era, name), name) else { continue };
        let names = needed.get_or_insert_with(|| users.names(plan, flux));
        if !names.contains(name) {
            let story = format!(
                "Once step `{step}` is done, no key is found at {name}, and one was: no declared identity signs with it, so mail that nobody declared may be signed with it."
            );
            return Some(Counterexample::of_name("p10.key-lost", name.clone(), story));
        }
    }
    domains.retain(|domain| domain.check_for_mail().is_ok() && !domain.as_str().starts_with("*."));
    let aliases = Aliases::new(plan);
    domains.retain(|domain| !aliases.leading_to([domain]).into_iter().any(|name| Users::declare(plan, name)));
    domains.iter().find_map(|domain| {
        let step = lost(&|era| unreachable(era, era, domain).is_none(), domain)?;
        let story = format!(
            "Once step `{step}` is done, {domain} has no mail host with an address, and had one: nobody declared what comes from there, and bounces and answers find nobody (RFC 5321 section 5.1)."
        );
        Some(Counterexample::of_name("p10.unreachable", domain.clone(), story))
    })
}

pub(super) fn has_key(evidence: &dyn Evidence, name: &DomainName) -> bool {
    let Resolved::Records(rrset) = resolve(evidence, name, RecordType::Txt) else { return false };
    let is_key = |text: &[u8]| KeyRecord::parse(text).is_ok_and(|key| !key.is_revoked());
    rrset.texts().iter().any(|text| is_key(text.octets()))
}

/// Whether a name is where the authorisation of reports stands (RFC 9990).
pub(super) fn is_authorisation(name: &DomainName) -> bool {
    name.as_str().contains("._report._dmarc.")
}

/// Whether a name authorises reports about another domain (RFC 9990).
pub(super) fn authorises(evidence: &dyn Evidence, name: &DomainName) -> bool {
    let Resolved::Records(rrset) = resolve(evidence, name, RecordType::Txt) else { return false };
    rrset.texts().iter().any(|text| DmarcRecord::is_dmarc(text.octets()))
}
