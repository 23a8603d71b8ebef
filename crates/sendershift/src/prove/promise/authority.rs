//! P4: nobody may send, or sign, who needs not.

use std::collections::BTreeSet;

use super::senders::with_spf;
use crate::dns::{Evidence, RecordType, Records, Resolved, resolve};
use crate::error::Error;
use crate::name::DomainName;
use crate::net::{AddressCount, AddressSet};
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Plan, Remark};
use crate::prove::aliases::Aliases;
use crate::prove::proof::Counterexample;
use crate::prove::users::{Used, Users};
use crate::prove::world::Flux;
use crate::spf::{Policy, SpfRecord, SpfResult};

/// The addresses that a record means to let pass.
#[derive(Clone, Default, PartialEq, Eq)]
struct Authorised {
    /// Those that pass whatever the message is.
    always: AddressSet,
    /// Those that pass for some message, the ones that always do among them.
    sometimes: AddressSet,
}

impl Authorised {
    fn of(evidence: &dyn Evidence, domain: &DomainName) -> Result<Self, Error> {
        let intended = Policy::compile(evidence, domain)?.intended();
        let mapped = AddressSet::mapped();
        Ok(Self {
            always: intended.always(SpfResult::Pass).difference(&mapped),
            sometimes: intended.sometimes(SpfResult::Pass).difference(&mapped),
        })
    }

    /// What has more authority here than in either of the others. That an address may pass for some message does not hide that
    /// it comes to pass for all.
    fn beyond(&self, before: &Self, last: &Self) -> AddressSet {
        let always = self.always.difference(&before.always).difference(&last.always);
        let sometimes = self.sometimes.difference(&before.sometimes).difference(&last.sometimes);
        always.union(&sometimes)
    }

    fn union(&self, other: &Self) -> Self {
        Self { always: self.always.union(&other.always), sometimes: self.sometimes.union(&other.sometimes) }
    }
}

/// Who may send for a domain: before the plan, at one time or another, and once all is done.
struct Granted {
    before: Authorised,
    ever: Authorised,
    after: Authorised,
}

/// What was found out about the authority over one domain.
pub(in crate::prove) struct Authority {
    pub(in crate::prove) found: Option<Counterexample>,
    pub(in crate::prove) finding: Option<Remark>,
    /// The addresses that no mix of versions may let pass: those that do not today and that no declared mail of the domain ever comes
    /// from. None where the plan changes nothing that the record reads.
    pub(in crate::prove) beyond: Option<AddressSet>,
}

/// The domains whose authority is judged: SPF is checked for them, or a record is found there, by an alias or not, before the plan or
/// with one of its steps. What a step makes an alias of a name that nothing is known of is among them, so that it is asked for.
pub(in crate::prove) fn domains(plan: &Plan, users: &Users<'_>) -> BTreeSet<DomainName> {
    let changes = plan.steps.iter().flat_map(|step| &step.changes);
    let published = changes.filter_map(|change| {
        let may_be_spf = match change.add.as_ref()? {
            Records::Txt(texts) => texts.iter().any(|text| SpfRecord::is_spf(text.octets())),
            Records::Cname(target) => {
                change.name.check_for_mail().is_ok()
                    && matches!(resolve(&plan.evidence, target, RecordType::Txt), Resolved::Unknown)
            }
            _ => false,
        };
        may_be_spf.then_some(&change.name)
    });
    let found = Aliases::new(plan).leading_to(published.chain(with_spf(plan)));
    let names = found.into_iter().chain(users.spf_domains());
    names.filter(|name| !users.only_lists(plan, name)).cloned().collect()
}

/// P4 for SPF: an address that a step authorises is one of a source from which mail of the domain may still come, and once
/// all is done one from which it does.
///
/// This looks at what the servers say after each step, in one order of the steps; what they say at last is the same in each. What else a mix of
/// versions authorises has to be told by looking at all of them ([`Authority::beyond`]).
///
/// # Errors
///
/// What compiling a record gives.
pub(in crate::prove) fn authority(
    plan: &Plan,
    flux: &Flux,
    timeline: &Timeline,
    users: &Users<'_>,
    domain: &DomainName,
) -> Result<Authority, Error> {
    let first = flux.era(plan, 0);
    let before = match Authorised::of(&first, domain) {
        Ok(before) => before,
        // What the plan leaves alone needs no evidence.
        Err(_) if !first.changes() => return Ok(Authority { found: None, finding: None, beyond: None }),
        Err(error) => return Err(error),
    };
    let mut granted = Granted { ever: before.clone(), after: before.clone(), before };
    if !first.changes() {
        let finding = finding(plan, users, domain, &granted);
        return Ok(Authority { found: None, finding, beyond: None });
    }
    let declared = users.of(plan, domain);
    let mut found = None;
    let mut next = first.following();
    while let Some(era) = next {
        let now = Authorised::of(&era, domain)?;
        let added = now.beyond(&granted.before, &granted.after);
        let step = era.begun_by().filter(|_| found.is_none() && !added.is_empty());
        let excess = step.map(|step| {
            let needing = declared.iter().copied().filter(|used| !used.is_over(timeline, Event::Start(step)));
            (step, users.without(added, needing))
        });
        if let Some((step, excess)) = excess
            && let Some(ip) = excess.first()
        {
            let id = plan.steps.get(step).map_or("", |step| step.id.as_str());
            let story = format!(
                "Step `{id}` lets {} more addresses pass SPF for {domain} than any source needs that sends for it from then on, {ip} among them.",
                excess.count()
            );
            found = Some(excessive("p4.more-than-needed", domain, ip, story));
        }
        granted.ever = granted.ever.union(&now);
        granted.after = now;
        next = era.following();
    }
    let staying = users.addresses(declared.iter().copied().filter(|used| used.stays()));
    let left = granted.after.beyond(&granted.before, &granted.before).difference(&staying);
    // A plan that stops at a step is never done with all: that is said elsewhere.
    if let Some(ip) = left.first().filter(|_| found.is_none() && flux.stuck.is_empty()) {
        let story = format!(
            "Once all steps are done, SPF for {domain} still lets {} addresses pass that did not before the plan and that nothing is sent from any more, {ip} among them.",
            left.count()
        );
        found = Some(excessive("p4.left-behind", domain, ip, story));
    }
    let allowed = granted.before.sometimes.union(&users.addresses(declared)).union(&AddressSet::mapped());
    let finding = finding(plan, users, domain, &granted);
    Ok(Authority { found, finding, beyond: Some(allowed.complement()) })
}

/// The addresses that pass for some message by one evidence and for none by another, or for all and not for all.
///
/// # Errors
///
/// What compiling a record gives.
pub(in crate::prove) fn added(
    before: &dyn Evidence,
    after: &dyn Evidence,
    domain: &DomainName,
) -> Result<AddressSet, Error> {
    let before = Authorised::of(before, domain)?;
    Ok(Authorised::of(after, domain)?.beyond(&before, &before))
}

fn excessive(code: &'static str, domain: &DomainName, ip: std::net::IpAddr, story: String) -> Counterexample {
    Counterexample { address: Some(ip), ..Counterexample::of_name(code, domain.clone(), story) }
}

/// How many addresses may send for a domain of an identity, where that changes or is more than is known to be needed.
fn finding(plan: &Plan, users: &Users<'_>, domain: &DomainName, granted: &Granted) -> Option<Remark> {
    if !users.spf_domains().any(|of| of == domain) {
        return None;
    }
    let Granted { before, ever, after } = granted;
    let beyond = before.always.difference(&users.declared_for(plan, domain));
    if before == ever && before == after && beyond.is_empty() {
        return None;
    }
    let gone = match before.always.difference(&after.always).count() {
        none if none == AddressCount::default() => String::new(),
        count => format!(" (without {} of those before)", count.brief()),
    };
    let [before_it, during, after_it] = [before, ever, after].map(|granted| granted.always.count().brief());
    let mut message = format!(
        "{before_it} addresses may send for it before the plan, {during} at one time or another during it, {after_it} after it{gone}"
    );
    if ever.sometimes != ever.always {
        message.push_str(", and others for some messages");
    }
    let beyond = match beyond.count() {
        _ if beyond.is_empty() => String::new(),
        count => format!("; {} of those before are of no declared source", count.brief()),
    };
    Some(Remark::new("proof.authority", Some(domain.as_str()), message + &beyond))
}

impl Used<'_> {
    /// Whether the last message was delivered for certain when something happens.
    fn is_over(&self, timeline: &Timeline, event: Event) -> bool {
        self.until.iter().any(|(end, seconds)| {
            let seconds = i64::try_from(*seconds).unwrap_or(i64::MAX);
            timeline.distance(*end, event).is_some_and(|distance| distance >= seconds)
        })
    }
}
