//! P5 and P6 for author domains while no message of theirs is under way: before the first, and where their mail pauses.

use std::collections::BTreeMap;

use super::aside::ASIDE;
use super::binding::bindings;
use super::existence::Existing;
use super::explore::Bounds;
use super::promise::{self, Author, Effect, Receiver, Unseen};
use super::world::{Choices, Lenient, World};
use super::{Prover, remarks};
use crate::name::DomainName;
use crate::plan::Remark;
use crate::plan::timeline::Event;

impl<'a> Prover<'a> {
    /// Judges P6, and that reports which were seen stay so (P5), for every author domain from the start of the plan until its last message is judged; for one that no message is
    /// from, all the time. Receivers for which a message fails already are left out.
    pub(super) fn author_domains(&mut self) -> Option<Remark> {
        let (plan, flux, timeline) = (self.explorer.plan, self.explorer.flux, self.explorer.timeline);
        self.explorer.budget = ASIDE;
        let baseline = self.baseline;
        let today = World::new(plan, flux, baseline);
        for (domain, ends) in self.ends() {
            let reports =
                self.undo_from.is_none() && self.changes(&|world| drop(Unseen::of(world, world, domain)));
            if ends.is_empty() || !(reports || self.changes(&|world| drop(Effect::of(world, domain)))) {
                continue;
            }
            let effect_today = Effect::of(&Existing(&today), domain);
            for upper in ends {
                let bounds = Bounds { lower: vec![Event::Origin], upper };
                let author = Author { domain, bounds: &bounds, in_use: false };
                let [receivers, for_reports] = ["p6", "p5"].map(|promise| -> Vec<Receiver<'a>> {
                    let receivers = plan.parameters.receivers.iter().copied().enumerate();
                    receivers.filter(|(index, _)| !self.shortest.contains_key(&(promise, *index))).collect()
                });
                let undo_from = self.undo_from;
                let walked = self.bystanders("p6", domain, &bounds, &|world| match undo_from {
                    Some(undo_from) => {
                        promise::taken_back(world, timeline, author, &receivers, (&effect_today, undo_from))
                    }
                    None => promise::policy(world, timeline, author, &receivers, None),
                });
                if let Err(halt) = walked {
                    return Some(remarks::unexplored_domain(halt, "P6", domain));
                }
                if !reports {
                    continue;
                }
                let walked = self.bystanders("p5", domain, &bounds, &|world| {
                    promise::goes_unseen(world, timeline, author, &for_reports)
                });
                if let Err(halt) = walked {
                    return Some(remarks::unexplored_domain(halt, "P5", domain));
                }
            }
        }
        None
    }

    /// The author domains, and for each what is known of the end of its mail. Left out is an end that comes no later than another one, and
    /// one of mail that is under way from the start on: it shows every step back itself.
    fn ends(&self) -> BTreeMap<&'a DomainName, Vec<Vec<(Event, u64)>>> {
        let (plan, flux, timeline) = (self.explorer.plan, self.explorer.flux, self.explorer.timeline);
        let mut ends: BTreeMap<&'a DomainName, Vec<Bounds>> = BTreeMap::new();
        for stream in &plan.streams {
            for binding in bindings(plan, flux, timeline, stream) {
                ends.entry(&binding.identity.author_domain).or_default().push(binding.bounds);
            }
            for identity in &stream.identities {
                // Declared, and not in use: nobody knows from when on it may be.
                ends.entry(&identity.author_domain).or_insert_with(|| vec![Bounds::default()]);
            }
        }
        let no_later = |one: &[(Event, u64)], other: &[(Event, u64)]| {
            other.iter().all(|bound| one.iter().any(|of| of.0 == bound.0 && of.1 <= bound.1))
        };
        let latest = |bounds: Vec<Bounds>| {
            let (mut latest, mut shown): (Vec<Vec<(Event, u64)>>, Vec<_>) = (Vec::new(), Vec::new());
            for Bounds { lower, upper } in bounds {
                let ends = if lower == [Event::Origin] { &mut shown } else { &mut latest };
                if !ends.iter().any(|other| no_later(&upper, other)) {
                    ends.retain(|other| !no_later(other, &upper));
                    ends.push(upper);
                }
            }
            latest.retain(|upper| !shown.iter().any(|other| no_later(upper, other)));
            latest
        };
        ends.into_iter().map(|(domain, bounds)| (domain, latest(bounds))).collect()
    }

    /// Whether what is looked at depends on anything that the plan changes.
    fn changes(&self, look: &dyn Fn(&Lenient<'_, '_>)) -> bool {
        let nothing = Choices::new();
        let world = World::new(self.explorer.plan, self.explorer.flux, &nothing);
        look(&Lenient(&world));
        world.undecided().is_some()
    }
}
