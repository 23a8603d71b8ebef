//! What refuses forged mail and goes: told as a condition where no promise is broken, as nobody who is declared writes in these names, or
//! nobody does any more.

use std::collections::BTreeSet;

use super::promise::Effect;
use super::users::Users;
use super::world::{Era, Flux};
use crate::dns::{Answer, Evidence, RecordType};
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::{Plan, Remark};
use crate::spf::{Policy, SpfResult};
use crate::suffix::PublicSuffix;

const CODE: &str = "proof.less-protected";

/// The names for which receivers do less about what is forged once some step is done than they do today: domains with policies and declared
/// ones, what is below the former, and what SPF refuses of the latter. This looks at what the servers say after each step.
pub(super) fn lost(plan: &Plan, flux: &Flux, users: &Users<'_>) -> Vec<Remark> {
    let changed = plan.steps.iter().flat_map(|step| &step.changes).map(|change| &change.name);
    let with_policy: BTreeSet<DomainName> = plan
        .evidence
        .names()
        .chain(changed)
        .filter_map(|name| DomainName::parse(name.as_str().strip_prefix("_dmarc.")?).ok())
        .collect();
    let identities = plan.streams.iter().flat_map(|stream| &stream.identities);
    let declared: BTreeSet<&DomainName> = identities
        .flat_map(|identity| {
            [Some(&identity.author_domain), identity.mail_from.as_ref(), identity.helo.as_ref()]
        })
        .flatten()
        .collect();
    let mut remarks = Vec::new();
    let mut note = |domain: &DomainName, message: String| {
        remarks.push(Remark::new(CODE, Some(domain.as_str()), message));
    };
    for domain in
        declared.iter().copied().chain(with_policy.iter().filter(|domain| !declared.contains(domain)))
    {
        let effect = |era: &Era<'_>| Effect::of(era, domain);
        if let Some(weaker) = weaker(plan, flux, &effect) {
            note(domain, format!("{weaker} what is written in its name and fails"));
        }
    }
    for domain in &with_policy {
        let Some(child) = unlisted(plan, domain) else { continue };
        let effect = |era: &Era<'_>, exists| Effect::of(&Below { base: era, child: &child, exists }, &child);
        let of_any = weaker(plan, flux, &|era| effect(era, true)).map(|weaker| (weaker, ""));
        let absent = || Some((weaker(plan, flux, &|era| effect(era, false))?, " and do not exist"));
        if let Some((weaker, which)) = of_any.or_else(absent) {
            let names = "what fails and is written in names below it that have no policy of their own";
            note(domain, format!("{weaker} {names}{which}"));
        }
    }
    for domain in declared {
        if let Some(addresses) = no_longer_refused(plan, flux, users, domain) {
            let count = addresses.count().brief();
            note(
                domain,
                format!(
                    "once all is done, SPF says neither `fail` nor `softfail` of {count} addresses that nobody is declared to send from, as it does today"
                ),
            );
        }
    }
    remarks
}

/// The first step after which receivers do less than today, in words.
fn weaker(plan: &Plan, flux: &Flux, effect: &dyn Fn(&Era<'_>) -> Effect) -> Option<String> {
    let mut era = flux.era(plan, 0);
    let before = effect(&era);
    let after = loop {
        era = era.following()?;
        let after = effect(&era);
        if after.acts_less_than(&before) {
            break after;
        }
    };
    let id = &plan.steps.get(era.begun_by()?)?.id;
    Some(format!(
        "once step `{id}` is done, receivers do less than today ({}, and then {}) about",
        before.word(),
        after.word()
    ))
}

/// A name below a domain that the evidence does not list.
fn unlisted(plan: &Plan, domain: &DomainName) -> Option<DomainName> {
    let labels = ["any", "any-name", "any-other-name"];
    let mut names = labels.into_iter().filter_map(|label| domain.prefixed(label).ok());
    names.find(|name| !plan.evidence.lists(name))
}

/// Evidence in which a name that is not listed exists, without records, or does not.
struct Below<'e> {
    base: &'e dyn Evidence,
    child: &'e DomainName,
    exists: bool,
}

impl Evidence for Below<'_> {
    fn answer(&self, name: &DomainName, record_type: RecordType) -> Answer<'_> {
        match self.base.answer(name, record_type) {
            answer @ (Answer::Records(_) | Answer::Alias(_)) => answer,
            _ if name == self.child && self.exists => Answer::NoData,
            _ if name.is_within(self.child) => Answer::NxDomain,
            answer => answer,
        }
    }

    fn public_suffix(&self, name: &DomainName) -> Option<PublicSuffix> {
        self.base.public_suffix(name)
    }
}

/// The addresses, of those that no declared mail of a domain comes from, of which SPF says `fail` today, and in the end neither `fail` nor
/// `softfail` nor `pass`.
fn no_longer_refused(plan: &Plan, flux: &Flux, users: &Users<'_>, domain: &DomainName) -> Option<AddressSet> {
    let (first, last) = (flux.era(plan, 0), flux.last_era(plan));
    let before = Policy::compile(&first, domain).ok()?.intended();
    if !first.changes() {
        return None;
    }
    let after = Policy::compile(&last, domain).ok()?.intended();
    let refused = after.always(SpfResult::Fail).union(&after.always(SpfResult::SoftFail));
    let kept = refused.union(&after.sometimes(SpfResult::Pass));
    let open = before.always(SpfResult::Fail).difference(&kept);
    let open = open.difference(&users.declared_for(plan, domain)).difference(&AddressSet::mapped());
    (!open.is_empty()).then_some(open)
}
