//! P10: nothing changes for mail that nobody declared.

use std::collections::{BTreeMap, BTreeSet};

use super::cut_off::{self, is_authorisation};
use super::given_up::gifts;
use super::limits::changes;
use super::senders::own;
use super::{Alignments, Effect, Judged, Receiver};
use crate::adjacent::{MtaSts, TlsRpt, is_bimi, is_null_mx};
use crate::dkim::KeyRecord;
use crate::dmarc::{self, DmarcRecord};
use crate::dns::{Question, RecordType, Records, RrSet, Txt};
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::timeline::{Event, Timeline};
use crate::plan::{Change, GivenUp, Plan, Step, StepKind};
use crate::prove::aliases::Aliases;
use crate::prove::proof::Counterexample;
use crate::prove::users::Users;
use crate::prove::world::{Flux, Lenient, World};
use crate::spf::{Case, Leaf, Policy, Profile, SpfRecord, SpfResult};

/// Mail of a domain that nobody declared.
pub(in crate::prove) struct Others {
    /// Where it may come from: all addresses but those of declared mail.
    pub(in crate::prove) addresses: AddressSet,
    today: Policy,
    /// Whether anybody passes SPF today; from a domain that lets nobody pass no mail comes that could be harmed.
    any_passes: bool,
    /// Whether declared mail has, or had, to do with the record. Any other one that lets nobody pass is there to refuse what is forged.
    is_ours: bool,
    /// Whether the record may go: only declared mail passed by it, and that has left.
    may_go: bool,
}

impl Others {
    /// Of a domain's policy today: `is_left` where no declared mail reads the record in the end.
    pub(in crate::prove) fn new(
        today: Policy,
        addresses: AddressSet,
        (is_ours, is_left): (bool, bool),
    ) -> Self {
        let passes = today.intended().sometimes(SpfResult::Pass);
        let may_go = is_ours && is_left && passes.is_disjoint(&addresses);
        Self { addresses, today, any_passes: !passes.is_empty(), is_ours, may_go }
    }

    fn harmed(&self, leaf: &Leaf, was: &Leaf, profile: &Profile) -> bool {
        let refuses = |leaf: &Leaf| match leaf.result {
            SpfResult::Fail => 2,
            SpfResult::SoftFail => 1,
            _ => 0,
        };
        let nobody_harmed = !self.any_passes && (self.is_ours || refuses(leaf) >= refuses(was));
        let excused = match leaf.result {
            SpfResult::Pass => false,
            SpfResult::None => self.may_go || nobody_harmed,
            _ => nobody_harmed,
        };
        !excused && differs(leaf, was, profile)
    }
}

/// P10 for SPF: every address, of those that no declared mail of the domain comes from, gets the result that it got before the plan,
/// meant and at each receiver.
pub(in crate::prove) fn spf_unchanged(
    world: &World<'_>,
    domain: &DomainName,
    others: &Others,
    receivers: &[Receiver<'_>],
) -> Judged {
    let policy = match Policy::compile_within(world, domain, &others.addresses) {
        Ok(policy) => policy,
        Err(error) => return Judged::error(error),
    };
    let mut judged = Judged::default();
    let mut unknowns = policy.unknowns().iter().chain(others.today.unknowns());
    judged.unsettled = unknowns.find_map(|unknown| Some((unknown.clone(), changes(world.plan, unknown)?)));
    match policy.beside(&others.today, &others.addresses) {
        Ok(classes) => {
            for (range, cases) in classes {
                judged.classes += 1;
                for Case { assuming, leaf: (leaf, was) } in &cases {
                    judged.class(receivers, (range, assuming), |profile| {
                        others.harmed(leaf, was, profile).then_some("p10.spf-changed")
                    });
                }
            }
            judged
        }
        Err(problem) => Judged::error(problem),
    }
}

/// Whether an address is treated otherwise than before, by what the record means or by what a receiver makes of it. That an error
/// goes away is no harm: nobody means one.
fn differs(leaf: &Leaf, was: &Leaf, profile: &Profile) -> bool {
    if was.result == SpfResult::PermError {
        return false;
    }
    let (now, before) = (leaf.under(profile), was.under(profile));
    leaf.result != was.result || (now != before && now != leaf.result)
}

/// P10 for DMARC: the policy in effect for a domain is that of today, and what aligned with it still does.
pub(in crate::prove) fn policy_unchanged(
    world: &World<'_>,
    domain: &DomainName,
    receivers: &[Receiver<'_>],
    identifiers: &BTreeSet<DomainName>,
    (effect, alignments): &(Effect, Option<Alignments>),
) -> Judged {
    // Only what decides between policies has to be known.
    dmarc::discover(world, domain);
    let changed = Effect::of(&Lenient(world), domain).acts_otherwise_than(effect);
    let loses = |before| Alignments::of(&Lenient(world), domain, identifiers).lose_from(before);
    let code = changed.then_some("p10.policy-changed");
    let lost = || alignments.as_ref().filter(|before| loses(before)).map(|_| "p10.alignment-changed");
    Judged::everywhere(code.or_else(lost), receivers)
}

/// P10 for DMARC of a domain that nothing comes from: receivers do no less about what is written in its name.
pub(in crate::prove) fn still_protected(
    world: &World<'_>,
    domain: &DomainName,
    receivers: &[Receiver<'_>],
    today: &Effect,
) -> Judged {
    dmarc::discover(world, domain);
    let less = Effect::of(&Lenient(world), domain).acts_less_than(today);
    Judged::everywhere(less.then_some("p10.policy-changed"), receivers)
}

/// P10 for what stands beside: a string of somebody else, or a record that no declared mail needs, goes with a step of the plan. That
/// nothing else stays beside an alias is asked of every plan already ([`Plan::check`]).
pub(in crate::prove) fn removed(
    plan: &Plan,
    flux: &Flux,
    timeline: &Timeline,
    users: &Users<'_>,
) -> Option<Counterexample> {
    let mut state: BTreeMap<Question, Option<RrSet>> = BTreeMap::new();
    let (mut needed, mut asked) = (None, None);
    let aliases = Aliases::new(plan);
    for at in timeline.steps().filter(|at| flux.happens.get(*at) == Some(&true)) {
        let Some(step) = plan.steps.get(at) else { continue };
        for change in &step.changes {
            let question = Question::new(change.name.clone(), change.record_type);
            let before = state
                .remove(&question)
                .unwrap_or_else(|| own(plan, &change.name, change.record_type).cloned());
            let after = change.apply(before.as_ref()).unwrap_or(before);
            // What others do on their date is no doing of the plan.
            if step.kind != StepKind::External {
                let given_up = || is_given_up(plan, flux, timeline, at, &change.name);
                if refuses_all(plan, change, after.as_ref()) && !given_up() {
                    return Some(refuses_mail(step, change));
                }
                if let Some((text, what)) = lost(plan, &aliases, change, after.as_ref()) {
                    let names = needed.get_or_insert_with(|| users.names(plan, flux));
                    let is_excused = match what {
                        Lost::Other => given_up(),
                        Lost::Record => {
                            let asked = asked.get_or_insert_with(|| users.asked(plan, flux));
                            is_asked(asked, &question)
                                || users.may_ask(plan, flux, &change.name)
                                || serves_policies(plan, &change.name)
                                || given_up()
                        }
                        Lost::Key => names.contains(&change.name) || given_up(),
                        Lost::Authorisation => {
                            names.contains(&change.name) || reports_declared(plan, &change.name) || given_up()
                        }
                    };
                    if !is_excused {
                        return Some(record_removed(step, change, what, &text));
                    }
                }
            }
            state.insert(question, after);
        }
    }
    None
}

/// Whether what is asked about declared mail leads to an RRset: to a record itself, or by whatever type to an alias.
fn is_asked(asked: &BTreeSet<Question>, question: &Question) -> bool {
    let mut of_name = asked.iter().filter(|of| of.name == question.name);
    of_name.any(|of| of.record_type == question.record_type || question.record_type == RecordType::Cname)
}

/// Something of today that goes.
#[derive(Clone, Copy)]
enum Lost {
    /// A string that has nothing to do with the authentication of mail.
    Other,
    /// A record of another type.
    Record,
    /// A DKIM key, or the alias that leads to one.
    Key,
    /// That another domain's reports may come here (RFC 9990).
    Authorisation,
}

/// Whether a name is given up by a step, or by one that it comes after.
pub(super) fn is_given_up(
    plan: &Plan,
    flux: &Flux,
    timeline: &Timeline,
    step: usize,
    name: &DomainName,
) -> bool {
    gifts(plan, flux).iter().any(|gift| {
        let by_then = || timeline.distance(Event::Start(gift.step), Event::Start(step)) >= Some(0);
        let covers = matches!(gift.what, GivenUp::Name(given) if name.is_within(given));
        covers && (gift.step == step || by_then())
    })
}

/// Whether a change says of a domain that it accepts no mail (RFC 7505), that nobody declared and whose mail goes to its address today
/// (RFC 5321 section 5.1).
fn refuses_all(plan: &Plan, change: &Change, after: Option<&RrSet>) -> bool {
    let Change { name, record_type: RecordType::Mx, .. } = change else { return false };
    let has = |kind| own(plan, name, kind).is_some();
    after.is_some_and(is_null_mx)
        && !has(RecordType::Mx)
        && (has(RecordType::A) || has(RecordType::Aaaa))
        && !Users::declare(plan, name)
}

/// Whether an authorisation is about reports on the policy of a domain that declared mail is from, or of one above: P5 says what becomes of
/// these.
pub(super) fn reports_declared(plan: &Plan, name: &DomainName) -> bool {
    let about = name.as_str().split_once("._report._dmarc.").and_then(|(of, _)| DomainName::parse(of).ok());
    let mut identities = plan.streams.iter().flat_map(|stream| &stream.identities);
    about.is_some_and(|about| identities.any(|identity| identity.author_domain.is_within(&about)))
}

/// Whether a name is that of the web server of policies that the plan has, or of the record that announces them (RFC 8461 section 3).
fn serves_policies(plan: &Plan, name: &DomainName) -> bool {
    let is_of = |domain: &DomainName| {
        ["mta-sts", "_mta-sts"].iter().any(|label| domain.prefixed(label).is_ok_and(|host| host == *name))
    };
    plan.mta_sts.iter().any(|published| is_of(&published.domain))
}

fn refuses_mail(step: &Step, change: &Change) -> Counterexample {
    let name = &change.name;
    let story = format!(
        "Step `{}` says that {name} accepts no mail (RFC 7505): nobody declared what comes from there, and without mail exchanges its bounces and answers go to its address today.",
        step.id
    );
    Counterexample::of_name("p10.null-mx", name.clone(), story)
}

fn record_removed(step: &Step, change: &Change, what: Lost, text: &str) -> Counterexample {
    let Change { name, record_type, .. } = change;
    let why = match what {
        Lost::Other => "it is none of SPF, DMARC and DKIM, so it serves something else",
        Lost::Record => {
            "nobody who gets, returns or answers declared mail asks for it, and nobody gives the name up, so it serves something else: take it out of this plan, or let the step give the name up"
        }
        Lost::Key => {
            "no declared identity signs with that key, and nobody gives the name up, so mail that nobody declared may be signed with it"
        }
        Lost::Authorisation => {
            "no declared mail is from a domain whose reports it lets come here, and nobody gives the name up, so somebody else's get lost (RFC 9990)"
        }
    };
    let story = format!("Step `{}` removes \"{text}\" from {name} {record_type}: {why}.", step.id);
    Counterexample::of_name("p10.record-removed", name.clone(), story)
}

/// Whether a text that goes is about TLS reports (RFC 8460) or the logo of declared domains, by the names at which it is found, and another one
/// comes in its place.
fn is_edited(plan: &Plan, found_at: &BTreeSet<&DomainName>, text: &Txt, after: Option<&RrSet>) -> bool {
    let is_of = |place: &str, is_one: fn(&[u8]) -> bool| {
        let domains = found_at.iter().filter_map(|name| name.as_str().split_once(place));
        let mut domains = domains.filter_map(|(_, of)| DomainName::parse(of).ok()).peekable();
        domains.peek().is_some()
            && domains.all(|domain| Users::declare(plan, &domain))
            && is_one(text.octets())
            && after.is_some_and(|rrset| rrset.texts().iter().any(|text| is_one(text.octets())))
    };
    is_of("_smtp._tls.", TlsRpt::is_tls_rpt) || is_of("._bimi.", is_bimi)
}

/// A record of today that goes with a change, other than SPF and policies, which are judged by what they do.
fn lost(
    plan: &Plan,
    aliases: &Aliases<'_>,
    change: &Change,
    after: Option<&RrSet>,
) -> Option<(String, Lost)> {
    // Delegations and zones are not judged at all; serial numbers come and go.
    if matches!(change.record_type, RecordType::Soa | RecordType::Ns) {
        return None;
    }
    let today = own(plan, &change.name, change.record_type)?;
    let removed: Vec<String> = change.remove.as_ref()?.to_texts();
    let stays = after.map(|rrset| rrset.records().to_texts()).unwrap_or_default();
    if change.record_type == RecordType::Txt {
        let Some(Records::Txt(texts)) = &change.remove else { return None };
        let stays = |octets: &[u8]| {
            after.is_some_and(|rrset| rrset.texts().iter().any(|text| text.octets() == octets))
        };
        // The record of a policy changes or goes with it, where the plan has the policies (RFC 8461 section 3.1).
        let told = || plan.mta_sts.iter().filter_map(|published| published.domain.prefixed("_mta-sts").ok());
        let found_at = aliases.leading_to([&change.name]);
        let is_told =
            |octets: &[u8]| MtaSts::is_mta_sts(octets) && told().any(|name| found_at.contains(&name));
        let gone = texts.iter().filter(|text| today.texts().iter().any(|old| old.octets() == text.octets()));
        let mut gone = gone.filter(|text| {
            !stays(text.octets()) && !is_told(text.octets()) && !is_edited(plan, &found_at, text, after)
        });
        let authorises =
            |rrset: &RrSet| rrset.texts().iter().any(|text| DmarcRecord::is_dmarc(text.octets()));
        return gone.find_map(|text| {
            let what = match KeyRecord::parse(text.octets()) {
                _ if SpfRecord::is_spf(text.octets()) => None,
                _ if DmarcRecord::is_dmarc(text.octets()) => {
                    let still = after.is_some_and(authorises);
                    (is_authorisation(&change.name) && !still).then_some(Lost::Authorisation)
                }
                // Behind aliases a key is at any name. Nothing is verified with one that was revoked (RFC 6376 section 3.6.1).
                Ok(key) => (!key.is_revoked()).then_some(Lost::Key),
                Err(_) => Some(Lost::Other),
            };
            Some((text.text(), what?))
        });
    }
    // By aliases, an authorisation is looked at where it is found (`cut_off`).
    if change.record_type == RecordType::Cname
        && is_authorisation(&change.name)
        && cut_off::authorises(&plan.evidence, &change.name)
    {
        return None;
    }
    let leads_to_key =
        change.record_type == RecordType::Cname && change.name.as_str().contains("._domainkey.");
    let what = if leads_to_key { Lost::Key } else { Lost::Record };
    let today = today.records().to_texts();
    removed.into_iter().find(|text| today.contains(text) && !stays.contains(text)).map(|text| (text, what))
}
