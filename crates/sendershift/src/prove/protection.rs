//! What refuses forged mail and goes: told as a condition where no promise is broken, as nobody who is declared writes in these names, or
//! nobody does any more.

use std::collections::BTreeSet;

use super::binding::Context;
use super::existence::Existing;
use super::explore::{Bounds, Explorer, Halt};
use super::promise::{self, Alignments, Effect};
use super::users::Users;
use super::world::Flux;
use crate::dmarc;
use crate::dns::{Answer, Evidence, RecordType};
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::timeline::Event;
use crate::plan::{Plan, Remark};
use crate::spf::{Policy, SpfResult};
use crate::suffix::PublicSuffix;

const CODE: &str = "proof.less-protected";

/// The names for which receivers do less about what is forged once some step is done than they do today: domains with policies, declared ones
/// and those that come or go, what is below the first, what aligns with them, and what SPF refuses of the declared ones. This looks at what the
/// servers say after each step, in one order and then in every other, with all that caches hold on the way.
pub(super) fn lost(context: Context<'_>, users: &Users<'_>) -> Vec<Remark> {
    let (plan, flux, _) = context;
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
    let others: BTreeSet<&DomainName> = with_policy.iter().chain(flux.hanging.domains()).collect();
    for domain in declared.iter().chain(others.difference(&declared)).copied() {
        if let Some(weaker) = weaker(context, &|evidence| Effect::of(evidence, domain)) {
            note(domain, format!("{weaker} what is written in its name and fails"));
        }
    }
    for domain in &with_policy {
        let Some(child) = unlisted(plan, domain) else { continue };
        let effect = |base: &dyn Evidence, exists| Effect::of(&Below { base, child: &child, exists }, &child);
        let of_any = weaker(context, &|evidence| effect(evidence, true)).map(|weaker| (weaker, ""));
        let absent = || Some((weaker(context, &|evidence| effect(evidence, false))?, " and do not exist"));
        if let Some((weaker, which)) = of_any.or_else(absent) {
            let names = "what fails and is written in names below it that have no policy of their own";
            note(domain, format!("{weaker} {names}{which}"));
        }
    }
    let identifiers = promise::identifiers(plan);
    let near: BTreeSet<DomainName> =
        identifiers.iter().filter(|domain| policy_changes(plan, flux, domain)).cloned().collect();
    for domain in &with_policy {
        let near = if policy_changes(plan, flux, domain) { &identifiers } else { &near };
        if let Some(wider) = wider(context, domain, near) {
            note(domain, wider);
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

/// Whether the policy that applies to a domain, or its organizational domain, depends on anything that changes.
fn policy_changes(plan: &Plan, flux: &Flux, domain: &DomainName) -> bool {
    let today = flux.era(plan, 0);
    dmarc::discover(&today, domain);
    today.changes()
}

/// The first step after which receivers do less than today, in words; or the steps that do it, in another order.
fn weaker(context: Context<'_>, effect: &dyn Fn(&dyn Evidence) -> Effect) -> Option<String> {
    let Turn { before, after } = turn(context, effect, &Effect::acts_less_than)?;
    let was = before.word();
    let Some((when, after)) = after else {
        return Some(format!("{TOO_MANY}receivers may do less than today ({was}) about"));
    };
    let now = after.word();
    let less = if was == now {
        "some receivers, of RFC 9989 or of RFC 7489, do less than today".to_owned()
    } else {
        format!("receivers do less than today ({was}, and then {now})")
    };
    let why = if after.is_of_the_same_record(&before) {
        ", as whether the name exists decides between `sp` and `np`,"
    } else {
        ""
    };
    Some(format!("{when}, {less}{why} about"))
}

/// The same of names that align with a domain and did not, where its policy makes receivers act on what does not align.
fn wider(context: Context<'_>, domain: &DomainName, identifiers: &BTreeSet<DomainName>) -> Option<String> {
    let (plan, flux, _) = context;
    if !Effect::of(&flux.era(plan, 0), domain).acts() {
        return None;
    }
    let look = |evidence: &dyn Evidence| Alignments::of(evidence, domain, identifiers);
    let Turn { before, after } = turn(context, &look, &|now, before| before.lose_from(now))?;
    let Some((when, after)) = after else {
        return Some(format!("{TOO_MANY}more names may align with it than today ({before})"));
    };
    let such_as = after.gained_since(&before).map(|domain| format!(", as {domain}")).unwrap_or_default();
    Some(format!(
        "{when}, more names align with it than today ({before}, and then {after}){such_as}: who passes SPF or signs for one may write in its name"
    ))
}

const TOO_MANY: &str = "too many orders of the steps are possible to look at each: in some, ";

/// What is found of something today, and where the plan first makes it less: when, in words, and what is found then; none where not all was
/// looked at.
struct Turn<T> {
    before: T,
    after: Option<(String, T)>,
}

fn turn<T>(
    context: Context<'_>,
    look: &dyn Fn(&dyn Evidence) -> T,
    is_less: &dyn Fn(&T, &T) -> bool,
) -> Option<Turn<T>> {
    let (plan, flux, _) = context;
    let today = flux.era(plan, 0);
    let before = look(&today);
    if !today.changes() {
        return None;
    }
    let mut era = today.following();
    while let Some(now) = era {
        let after = look(&now);
        if is_less(&after, &before) {
            let when = format!("once step `{}` is done", plan.steps.get(now.begun_by()?)?.id);
            return Some(Turn { before, after: Some((when, after)) });
        }
        era = now.following();
    }
    let Ok(found) = in_another_order(context, look, &|after| is_less(after, &before)) else {
        return Some(Turn { before, after: None });
    };
    let (steps, after) = found?;
    let steps: Vec<String> = steps.iter().map(|id| format!("`{id}`")).collect();
    let when = format!("where only {} can be seen, of steps that may come in any order", steps.join(", "));
    Some(Turn { before, after: Some((when, after)) })
}

/// The most versions that are read for one name.
const BUDGET: u64 = 20_000;

/// What some receiver may find that is less than before, in whatever order the steps are done, with the steps that published what it holds; an
/// error where not all was looked at.
fn in_another_order<'p, T>(
    (plan, flux, timeline): Context<'p>,
    look: &dyn Fn(&dyn Evidence) -> T,
    is_less: &dyn Fn(&T) -> bool,
) -> Result<Option<(BTreeSet<&'p str>, T)>, Halt> {
    let mut found = None;
    let mut go_on = |_| true;
    let mut explorer = Explorer { budget: BUDGET, ..Explorer::new(plan, flux, timeline, &mut go_on) };
    let anytime = Bounds { lower: vec![Event::Origin], upper: Vec::new() };
    let walked = explorer.walk(&anytime, &mut |world| look(&Existing(world)), &mut |_, world, after| {
        if is_less(&after) {
            let versions =
                world.choices.iter().filter_map(|(question, at)| flux.versions(question)?.get(*at));
            let steps = versions.filter_map(|version| Some(plan.steps.get(version.from?)?.id.as_str()));
            found = Some((steps.collect(), after));
        }
        found.is_none()
    });
    if found.is_some() { Ok(found) } else { walked.map(|()| None) }
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
