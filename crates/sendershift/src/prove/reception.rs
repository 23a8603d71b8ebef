//! P9: what others look up of a domain that mail names, to return and answer it, or before they take it.

use super::Prover;
use super::binding::{Binding, Judgement};
use super::explore::Halt;
use super::promise::{self, Receiver};
use super::world::{Choices, Lenient, World};
use crate::name::DomainName;

impl<'a> Prover<'a> {
    /// Judges P9 for messages that are returned or answered.
    pub(super) fn reachable(
        &mut self,
        binding: &Binding<'a>,
        receivers: &[Receiver<'_>],
    ) -> Result<(), Halt> {
        let world = World::new(self.explorer.plan, self.explorer.flux, self.baseline);
        let judged = promise::reachable(&Lenient(&world), &Lenient(&world), binding, receivers);
        let domain = binding.answers_to();
        let identities = self.explorer.plan.streams.iter().flat_map(|stream| {
            stream.identities.iter().filter(|identity| stream.live.contains(&identity.id))
        });
        let mut live = identities.filter(|live| match binding.judgement {
            Judgement::Bounce => live.mail_from.as_ref() == domain,
            _ => Some(&live.author_domain) == domain,
        });
        let live = live.next().is_some();
        if !judged.failures.is_empty() && live {
            let domain = domain.map_or("", DomainName::as_str);
            let message = format!(
                "{domain} accepts no mail today, or not of all senders: whether it ever does is not judged"
            );
            self.condition("proof.unreachable-today", binding, message);
            return Ok(());
        }
        let by_alias_today =
            !promise::by_alias(&Lenient(&world), &Lenient(&world), binding, receivers).failures.is_empty();
        if let Some(domain) = domain.filter(|_| by_alias_today) {
            let message = format!(
                "all mail exchanges of {domain} are aliases, already in the evidence: the verdict holds of senders that follow them, which the standard leaves open (RFC 5321 section 5.1); let the MX records name the hosts themselves"
            );
            self.condition("proof.mx-alias", binding, message);
        }
        self.walk("p9", binding, &|world| {
            let judged = promise::reachable(world, &Lenient(world), binding, receivers);
            if judged.failures.is_empty() && !by_alias_today {
                return promise::by_alias(world, &Lenient(world), binding, receivers);
            }
            judged
        })?;
        self.reachable_by_policy(binding, receivers, live)
    }

    /// Judges P9 for the name that an identity's own sources greet with, where the plan changes its addresses: what has none today and is in use
    /// may go on so, and what never has one is a condition.
    pub(super) fn greets(&mut self, binding: &Binding<'_>, receivers: &[Receiver<'_>]) -> Result<(), Halt> {
        let (plan, flux) = (self.explorer.plan, self.explorer.flux);
        let Some(helo) =
            binding.delivered_by.helo.as_ref().filter(|_| binding.identity.id == binding.delivered_by.id)
        else {
            return Ok(());
        };
        let fails = |choices: &Choices| {
            let world = World::new(plan, flux, choices);
            let judged = promise::greets(&Lenient(&world), binding, receivers);
            (!judged.failures.is_empty(), world.undecided().is_some())
        };
        let (fails_today, _) = fails(self.baseline);
        let (_, changes) = fails(&Choices::new());
        let live = binding.stream.live.contains(&binding.identity.id);
        if fails_today && !live && !changes {
            let message = format!(
                "`{}` greets with {helo}, which has no address in the evidence: the verdict holds of receivers that do not look for one (RFC 5321 section 2.3.5)",
                binding.identity.id
            );
            self.condition("proof.helo-without-address", binding, message);
        }
        if !changes || (fails_today && live) {
            return Ok(());
        }
        self.walk("p9", binding, &|world| promise::greets(&Lenient(world), binding, receivers))
    }
}
