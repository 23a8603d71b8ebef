//! A counterexample about mail that no stream is declared to send.

use std::fmt::Display;

use super::binding::{Binding, Judgement};
use super::counterexample::{Client, assuming};
use super::mix::Mix;
use super::promise::{self, Alignments, Effect, Failure};
use super::proof::Counterexample;
use super::story::{assumed, reason};
use crate::dmarc;
use crate::dns::{Overlay, Question, Snapshot};
use crate::name::DomainName;
use crate::plan::GivenUp;
use crate::spf::{Assumed, Checked, Profile, SpfResult};

/// Everything about a failure for a domain.
pub(super) struct Bystander<'a> {
    pub(super) mix: Mix<'a>,
    pub(super) domain: &'a DomainName,
    pub(super) profile: &'a Profile,
    pub(super) failure: &'a Failure,
}

impl Bystander<'_> {
    /// The counterexample; `None` where plain evaluation does not confirm it.
    pub(super) fn counterexample(&self) -> Option<Counterexample> {
        let (spf, what) = match self.failure.address {
            Some(_) => self.spf()?,
            None => (None, self.policy()?),
        };
        let schedule = self.mix.schedule()?;
        let from = self.failure.address.map_or_else(String::new, |ip| format!(" from {ip}"));
        let mut events = self.mix.happened(&schedule);
        events.push((schedule.judged, 2, format!("a receiver judges mail of {}{from}.", self.domain)));
        let mut story = self.mix.in_order(events);
        story.extend(self.mix.held());
        story.extend(assumed(&self.failure.assuming));
        story.push(what);
        story.push(format!("{}.", reason(self.failure.code)));
        Some(Counterexample {
            address: self.failure.address,
            mail_from: self.failure.address.map(|_| self.domain.clone()),
            holding: self.mix.holding(),
            assuming: self.failure.assuming.iter().cloned().map(Assumed::from).collect(),
            schedule: self.mix.happenings(&schedule),
            spf,
            story,
            ..Counterexample::of_name(self.failure.code, self.domain.clone(), String::new())
        })
    }

    /// What SPF says of the address, and what it said before the plan.
    fn spf(&self) -> Option<(Option<Checked>, String)> {
        let client = Client { domain: self.domain, helo: self.domain };
        let ip = self.failure.address?;
        let today = assuming(self.mix.plan, Some(client), self.failure)?;
        let now = self.mix.published(today.clone());
        let at = |profile| {
            let before = client.checked(&today, ip, profile).ok()?;
            Some((before, client.checked(&now, ip, profile).ok()?))
        };
        // What a receiver does may be the same, and not what is meant.
        let only_now = self.failure.code.starts_with("p4.");
        let differ = |pair: &(Checked, Checked)| {
            if only_now { pair.1.result == SpfResult::Pass } else { pair.0.result != pair.1.result }
        };
        let shown = at(self.profile).filter(differ).map(|pair| (pair, ""));
        let ((before, now), without) =
            shown.or_else(|| Some((at(&Profile::LIFTED).filter(differ)?, " without limits")))?;
        let what =
            format!("SPF for {}{without}: {}; before the plan: {}.", self.domain, now.result, before.result);
        Some((Some(now), what))
    }

    /// What receivers do with what fails, and what they did before the plan.
    fn policy(&self) -> Option<String> {
        let today = Overlay::new(&self.mix.plan.evidence);
        let now = self.mix.published(today.clone());
        let effect = |evidence: &Overlay<&Snapshot>| Effect::of(evidence, self.domain);
        let said = |evidence: &Overlay<&Snapshot>| match dmarc::discover(evidence, self.domain).applied {
            Some(applied) => format!("p={}, from _dmarc.{}", applied.declared.as_str(), applied.domain),
            None => "no policy record".to_owned(),
        };
        if self.failure.code.starts_with("p5.") {
            let stops = |was: &Overlay<&Snapshot>| promise::stopped_being_seen(&now, was, self.domain);
            let was = self.mix.exchanged().map(|choices| self.mix.with(&choices).published(today.clone()));
            was.into_iter().find(stops)?;
            return Some(format!(
                "DMARC for {}: {}, and nobody sees reports about it; with the record before somebody does. No message of it need be under way by then: its mail has not begun yet, or pauses.",
                self.domain,
                said(&now)
            ));
        }
        if self.failure.code.starts_with("p6.") {
            let weaker = self.failure.code == "p6.weaker";
            let stands = |now: &Effect, was: &Effect| {
                if weaker { now.is_weaker_than(was) } else { now.raises(was) }
            };
            let was = self.mix.exchanged().map(|choices| self.mix.with(&choices).published(today.clone()));
            let mut was = was.chain([today.clone()]).filter(|was| stands(&effect(&now), &effect(was)));
            let was = was.next()?;
            return Some(format!(
                "DMARC for {}: {}; with the record before: {}. No message of it need be under way by then: its mail has not begun yet, or pauses.",
                self.domain,
                said(&now),
                said(&was)
            ));
        }
        if self.failure.code == "p10.alignment-changed" {
            let identifiers = promise::identifiers(self.mix.plan);
            let aligned = |evidence| Alignments::of(evidence, self.domain, &identifiers);
            let (then, by_then) = (aligned(&now), aligned(&today));
            return then
                .lose_from(&by_then)
                .then(|| format!("What aligns with {}: {then}; before the plan: {by_then}.", self.domain));
        }
        if !effect(&now).acts_otherwise_than(&effect(&today)) {
            return None;
        }
        Some(format!("DMARC for {}: {}; before the plan: {}.", self.domain, said(&now), said(&today)))
    }
}

/// A message that still needs what a step gives up; `None` where no course of events leads there.
pub(super) fn still_in_use(mix: Mix<'_>, binding: &Binding<'_>, what: &GivenUp) -> Option<Counterexample> {
    let schedule = mix.schedule()?;
    let (stream, identity) = (&binding.stream.id, &binding.identity.id);
    let mut events = mix.happened(&schedule);
    events.push((schedule.injected, 1, format!("a message of `{stream}` is injected as `{identity}`.")));
    let meets = match binding.judgement {
        Judgement::Delivery => format!("it is delivered from the sources of `{}`", binding.delivered_by.id),
        Judgement::Later => "its signature is verified again".to_owned(),
        Judgement::Bounce => "it is returned to its MAIL FROM".to_owned(),
        Judgement::Reply => "somebody answers it".to_owned(),
    };
    let (given, domain) = match what {
        GivenUp::Source(id) => (format!("the addresses of `{id}`"), None),
        GivenUp::Name(name) => (name.to_string(), Some(name.clone())),
    };
    events.push((schedule.judged, 2, format!("{meets}; {given} may be somebody else's by then.")));
    Some(Counterexample {
        stream: Some(stream.clone()),
        identity: Some(identity.clone()),
        delivered_by: Some(binding.delivered_by.id.clone()),
        judgement: Some(binding.judgement),
        domain,
        schedule: mix.happenings(&schedule),
        story: mix.in_order(events),
        ..Counterexample::of_record("p4.given-up-in-use", String::new())
    })
}

/// A record that still leads to a name that is given up; `None` where no course of events leads there.
pub(super) fn still_referenced(
    mix: Mix<'_>,
    question: &Question,
    name: &dyn Display,
    target: &dyn Display,
) -> Option<Counterexample> {
    let schedule = mix.schedule()?;
    let mut events = mix.happened(&schedule);
    let what = format!("{question} still leads to {target}, and {name} may be somebody else's by then.");
    events.push((schedule.judged, 2, what));
    let mut story = mix.in_order(events);
    story.extend(mix.held());
    Some(Counterexample {
        holding: mix.holding(),
        schedule: mix.happenings(&schedule),
        story,
        ..Counterexample::of_name("p4.given-up-referenced", question.name.clone(), String::new())
    })
}
