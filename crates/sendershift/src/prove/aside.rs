//! What is asked besides of messages: of mail that nobody declared (P10), and of who may send (P4).

use std::collections::BTreeSet;

use super::bystander::{self, Bystander};
use super::explore::{BUDGET, Bounds, Halt};
use super::mix::Mix;
use super::promise::{self, Alignments, Effect, Gift, Judged, Others, Receiver};
use super::proof::Counterexample;
use super::users::Users;
use super::world::{Choices, World};
use super::{Prover, remarks};
use crate::error::Error;
use crate::name::DomainName;
use crate::net::AddressSet;
use crate::plan::timeline::Event;
use crate::plan::{GivenUp, Remark};
use crate::spf::Policy;

/// A part of the budget for messages, so that neither takes from the other.
pub(super) const ASIDE: u64 = BUDGET / 6;

/// What P10 is judged by for a domain.
#[derive(Clone, Copy)]
enum Looked {
    /// What SPF says of it.
    Spf,
    /// The policy in effect, and what aligns, for a domain that mail comes from.
    Policy,
    /// The policy in effect for a domain that nothing comes from.
    Protection,
}

impl<'a> Prover<'a> {
    /// Judges P10 for every domain of the evidence.
    pub(super) fn collateral(&mut self, users: &Users<'a>) -> Option<Remark> {
        let plan = self.explorer.plan;
        let receivers: Vec<Receiver<'a>> = plan.parameters.receivers.iter().copied().enumerate().collect();
        self.explorer.budget = ASIDE;
        let sending = promise::undeclared(plan);
        let silent = promise::silent(plan, &sending);
        let spf = promise::with_spf(plan).map(|domain| (domain.clone(), Looked::Spf));
        let sending = sending.into_iter().map(|domain| (domain, Looked::Policy));
        let silent = silent.into_iter().map(|domain| (domain, Looked::Protection));
        let identifiers = promise::identifiers(plan);
        for (domain, looked) in spf.chain(sending).chain(silent) {
            let judged = match looked {
                Looked::Spf => self.spf_of_others(&domain, users, &receivers),
                Looked::Policy => self.policy_of_others(&domain, &identifiers, &receivers),
                Looked::Protection => {
                    let today = Effect::of(&plan.evidence, &domain);
                    self.bystanders("p10", &domain, &anytime(), &|world| {
                        promise::still_protected(world, &domain, &receivers, &today)
                    })
                }
            };
            if let Err(halt) = judged {
                return Some(remarks::unexplored_domain(halt, "P10", &domain));
            }
        }
        None
    }

    fn spf_of_others(
        &mut self,
        domain: &DomainName,
        users: &Users<'a>,
        receivers: &[Receiver<'a>],
    ) -> Result<(), Halt> {
        let plan = self.explorer.plan;
        if users.only_lists(plan, domain) || !self.reads_what_changes(domain) {
            return Ok(());
        }
        let addresses = users.declared_for(plan, domain).complement().difference(&AddressSet::mapped());
        let baseline = self.baseline;
        let world = World::new(plan, self.explorer.flux, baseline);
        let today = Policy::compile(&world, domain);
        self.missing.append(&mut world.missing());
        let today = match today {
            Ok(today) => today,
            // The questions have been noted.
            Err(Error::Missing(_)) => return Ok(()),
            Err(error) => {
                self.unsettled("p10", domain, error);
                return Ok(());
            }
        };
        let is_ours = Users::declare(plan, domain)
            || !users.of(plan, domain).is_empty()
            || promise::is_ever_given_up(plan, domain);
        let others = Others::new(today, addresses, (is_ours, !users.keep(domain)));
        self.bystanders("p10", domain, &anytime(), &|world| {
            promise::spf_unchanged(world, domain, &others, receivers)
        })
    }

    /// Whether SPF of a domain depends on anything that the plan changes.
    fn reads_what_changes(&self, domain: &DomainName) -> bool {
        let nothing = Choices::new();
        let world = World::new(self.explorer.plan, self.explorer.flux, &nothing);
        // Evaluation goes on after what it does not find, and ends early only with records that are too complex.
        let compiled = Policy::compile(&world, domain);
        world.undecided().is_some() || matches!(compiled, Err(Error::Invalid(_)))
    }

    fn policy_of_others(
        &mut self,
        domain: &DomainName,
        identifiers: &BTreeSet<DomainName>,
        receivers: &[Receiver<'a>],
    ) -> Result<(), Halt> {
        let evidence = &self.explorer.plan.evidence;
        let aligns = !promise::only_signs_declared(self.explorer.plan, domain);
        let alignments = aligns.then(|| Alignments::of(evidence, domain, identifiers));
        let today = (Effect::of(evidence, domain), alignments);
        self.bystanders("p10", domain, &anytime(), &|world| {
            promise::policy_unchanged(world, domain, receivers, identifiers, &today)
        })
    }

    /// Judges P4 for every domain that SPF is checked for, and for what is given up.
    pub(super) fn authority(&mut self, users: &Users<'a>) -> Option<Remark> {
        let (plan, flux, timeline) = (self.explorer.plan, self.explorer.flux, self.explorer.timeline);
        let receivers: Vec<Receiver<'a>> = plan.parameters.receivers.iter().copied().enumerate().collect();
        self.explorer.budget = ASIDE;
        for domain in promise::domains(plan, users) {
            match promise::authority(plan, flux, timeline, users, &domain) {
                Ok(authority) => {
                    self.findings.extend(authority.finding);
                    // On the way back nobody needs what is given up, and in the end all is as it was.
                    let found = authority.found.filter(|_| self.undo_from.is_none());
                    let is_found = found.is_some();
                    self.note("p4", found);
                    let Some(beyond) = authority.beyond.filter(|_| !is_found) else { continue };
                    let walked = self.bystanders("p4", &domain, &anytime(), &|world| {
                        let beyond = (&beyond, "p4.more-than-needed-for-a-while");
                        promise::not_authorised(world, &domain, beyond, &receivers)
                    });
                    if let Err(halt) = walked {
                        return Some(remarks::unexplored_domain(halt, "P4", &domain));
                    }
                }
                Err(Error::Missing(missing)) => self.missing.extend(missing.questions),
                Err(error) => self.unsettled("p4", &domain, error),
            }
        }
        if self.undo_from.is_none() {
            self.note("p4", promise::key_left_behind(plan, flux));
        }
        // A key that the way forward publishes, and that is given up, was for somebody.
        let from = self.undo_from.unwrap_or(0);
        self.note("p4", promise::key_for_nobody((plan, flux, timeline), from));
        let mut gifts = promise::gifts(plan, flux).into_iter();
        gifts.find_map(|gift| self.given_up(gift, users).err())
    }

    fn given_up(&mut self, gift: Gift<'a>, users: &Users<'a>) -> Result<(), Remark> {
        let (plan, flux, timeline) = (self.explorer.plan, self.explorer.flux, self.explorer.timeline);
        if let Some((binding, bounds)) = promise::in_use((plan, flux, timeline), gift) {
            let choices = Choices::new();
            let injected = Some(&binding.injected);
            let mix = Mix { plan, flux, choices: &choices, bounds: &bounds, injected };
            match bystander::still_in_use(mix, &binding, gift.what) {
                Some(found) => self.note("p4", Some(found)),
                None => {
                    let remark = remarks::not_confirmed("p4.given-up-in-use", &binding.stream.id);
                    self.undecided.insert(("p4", "p4.given-up-in-use".to_owned()), remark);
                }
            }
        }
        if let GivenUp::Name(name) = gift.what
            && let Some((question, version, target)) = promise::referenced(plan, flux, timeline, (gift, name))
        {
            let choices: Choices = version.into_iter().map(|version| (question.clone(), version)).collect();
            let mix = Mix { plan, flux, choices: &choices, bounds: &gift.bounds(), injected: None };
            match bystander::still_referenced(mix, &question, name, &target) {
                Some(found) => self.note("p4", Some(found)),
                None => {
                    let remark = remarks::not_confirmed("p4.given-up-referenced", name.as_str());
                    self.undecided.insert(("p4", "p4.given-up-referenced".to_owned()), remark);
                }
            }
        }
        let of = |source: &str| users.listed(source);
        let Some(addresses) = gift.addresses(plan, timeline, &of).filter(|addresses| !addresses.is_empty())
        else {
            return Ok(());
        };
        if let Some((question, version, ip)) = promise::addressed((plan, flux, timeline), gift, &addresses) {
            let choices: Choices = version.into_iter().map(|version| (question.clone(), version)).collect();
            let mix = Mix { plan, flux, choices: &choices, bounds: &gift.bounds(), injected: None };
            match bystander::still_referenced(mix, &question, &ip, &ip) {
                Some(found) => self.note("p4", Some(found)),
                None => {
                    let remark = remarks::not_confirmed("p4.given-up-referenced", question.name.as_str());
                    self.undecided.insert(("p4", "p4.given-up-referenced".to_owned()), remark);
                }
            }
        }
        let receivers: Vec<Receiver<'a>> = plan.parameters.receivers.iter().copied().enumerate().collect();
        for domain in promise::ours(plan, users) {
            let walked = self.bystanders("p4", &domain, &gift.bounds(), &|world| {
                promise::not_authorised(world, &domain, (&addresses, "p4.given-up-authorised"), &receivers)
            });
            walked.map_err(|halt| remarks::unexplored_domain(halt, "P4", &domain))?;
        }
        Ok(())
    }

    /// Keeps the first counterexample for all receivers.
    fn note(&mut self, promise: &'static str, found: Option<Counterexample>) {
        if let Some(found) = found {
            self.general.entry(promise).or_insert(found);
        }
    }

    fn unsettled(&mut self, promise: &'static str, domain: &DomainName, error: Error) {
        for remark in not_settled(&Judged::error(error), domain.as_str()) {
            self.undecided.insert((promise, format!("{} {domain}", remark.code)), remark);
        }
    }

    /// Judges one promise for mail of a domain in every world.
    pub(super) fn bystanders(
        &mut self,
        promise: &'static str,
        domain: &DomainName,
        bounds: &Bounds,
        evaluate: &dyn Fn(&World<'_>) -> Judged,
    ) -> Result<(), Halt> {
        let (plan, flux) = (self.explorer.plan, self.explorer.flux);
        if self.at_once && self.is_broken() {
            return Ok(());
        }
        let Self { explorer, shortest, undecided, missing, at_once, .. } = self;
        explorer.walk(bounds, &mut |world| evaluate(world), &mut |explored, world, judged| {
            explored.address_classes += judged.classes;
            for remark in super::not_settled(&judged, domain.as_str()) {
                undecided.insert((promise, format!("{} {domain}", remark.code)), remark);
            }
            for (index, failure) in &judged.failures {
                let Some(profile) = plan.parameters.receivers.get(*index) else { continue };
                let mix = Mix { plan, flux, choices: world.choices, bounds, injected: None };
                // Where a policy was too weak for a while, it gets stricter again.
                let length = (failure.code == "p6.no-gate", mix.length(), false, world.choices.len());
                if shortest.get(&(promise, *index)).is_some_and(|(shortest, _)| *shortest <= length) {
                    continue;
                }
                match (Bystander { mix, domain, profile, failure }).counterexample() {
                    Some(counterexample) => {
                        shortest.insert((promise, *index), (length, counterexample));
                    }
                    None => {
                        let remark = remarks::not_confirmed(failure.code, domain.as_str());
                        undecided.insert((promise, format!("{} {domain}", failure.code)), remark);
                    }
                }
            }
            // What an answer lacks that the plan leaves alone is the same before and after.
            if !world.choices.is_empty() || promise != "p10" {
                missing.append(&mut world.missing());
            }
            !(*at_once && (!shortest.is_empty() || !undecided.is_empty()))
        })
    }
}

/// From the origin on.
fn anytime() -> Bounds {
    Bounds { lower: vec![Event::Origin], upper: Vec::new() }
}

/// Why something could not be settled, as remarks about a subject.
pub(super) fn not_settled(judged: &Judged, subject: &str) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if let Some(Error::Invalid(invalid)) = &judged.error {
        let problems = invalid.problems.iter();
        remarks.extend(problems.map(|problem| Remark::new(problem.code, Some(subject), &problem.message)));
    }
    if judged.unbounded {
        let message =
            "SPF includes a name that depends on the message: how many lookups that takes is not known";
        remarks.push(Remark::new("proof.unbounded", Some(subject), message));
    }
    if let Some((unknown, name)) = &judged.unsettled {
        let message = format!(
            "the plan changes {name}, and whether {}:{} matches may depend on it: that is not judged",
            unknown.mechanism, unknown.target
        );
        remarks.push(Remark::new("proof.answer-changes", Some(subject), message));
    }
    remarks
}
