//! P6: policies never weaken, nor tighten past a gate, and read alike.

use super::{Judged, Receiver};
use crate::dmarc::{self, InEffect, Message, Policy};
use crate::dns::{Evidence, Question, RecordType};
use crate::name::DomainName;
use crate::plan::timeline::Timeline;
use crate::prove::binding::Binding;
use crate::prove::explore::Bounds;
use crate::prove::world::{Choices, Lenient, World};

/// How strict a policy is to receivers of one generation: what applies to all, what applies to some, and to how many.
/// No record is less than `p=none`, which still asks for reports.
type Strictness = Option<(Policy, Policy, u8)>;

fn strictness(effect: Option<InEffect>) -> Strictness {
    effect.map(|effect| (effect.otherwise.unwrap_or(effect.policy), effect.policy, effect.percent))
}

/// What both generations of receivers take for the policy in effect.
pub(in crate::prove) struct Effect {
    rfc9989: Strictness,
    rfc7489: Strictness,
    /// Whether they read one record, could read it alike, and do not.
    pub(in crate::prove) differ: bool,
}

impl Effect {
    pub(in crate::prove) fn of<E: Evidence>(evidence: &E, author_domain: &DomainName) -> Self {
        let checked = dmarc::check(evidence, Message::new(author_domain.clone()));
        let (new, old) = (checked.rfc9989, checked.rfc7489);
        let one_record =
            new.policy_record.as_ref().zip(old.as_ref().and_then(|old| old.policy_record.as_ref()));
        let comparable = one_record.is_some_and(|(new, old)| new.domain == old.domain && new.tag != "np");
        let (rfc9989, rfc7489) = (strictness(new.policy), old.and_then(|old| strictness(old.policy)));
        Self { rfc9989, rfc7489, differ: comparable && rfc9989 != rfc7489 }
    }

    pub(in crate::prove) fn is_weaker_than(&self, other: &Self) -> bool {
        self.rfc9989 < other.rfc9989 || self.rfc7489 < other.rfc7489
    }
}

/// P6 for one message: for whoever holds these versions, no step that published one of them made the policy weaker, and both
/// generations of receivers take it alike where they can.
pub(in crate::prove) fn never_weaker(
    world: &World<'_>,
    timeline: &Timeline,
    binding: &Binding<'_>,
    receivers: &[Receiver<'_>],
) -> Judged {
    let author = &binding.identity.author_domain;
    // All that may be read is chosen first, so that the choices can be compared one by one.
    let records: Vec<Question> = author
        .ancestors()
        .filter_map(|domain| Some(Question::new(domain.prefixed("_dmarc").ok()?, RecordType::Txt)))
        .filter(|question| world.flux.versions(question).is_some())
        .collect();
    for question in &records {
        world.answer(&question.name, question.record_type);
    }
    let now = Effect::of(&Lenient(world), author);
    if records.is_empty() || world.undecided().is_some() {
        return Judged::default();
    }
    let mut published = false;
    let mut code = None;
    for question in &records {
        let Some(index) = world.choices.get(question).copied().filter(|index| *index > 0) else { continue };
        published = true;
        let mut before = world.choices.clone();
        before.insert(question.clone(), index - 1);
        if !can_be_held(world, timeline, binding, &before) {
            continue;
        }
        let earlier = World::new(world.plan, world.flux, &before);
        let was = Effect::of(&Lenient(&earlier), author);
        if let Some(question) = earlier.undecided() {
            world.answer(&question.name, question.record_type);
            return Judged::default();
        }
        if now.is_weaker_than(&was) {
            code = Some("p6.weaker");
        }
    }
    Judged::everywhere(code.or((published && now.differ).then_some("p6.read-differently")), receivers)
}

/// Whether a receiver that judges a message of the binding can hold these versions.
fn can_be_held(world: &World<'_>, timeline: &Timeline, binding: &Binding<'_>, choices: &Choices) -> bool {
    let mut bounds: Bounds = binding.bounds.clone();
    choices.iter().all(|(question, index)| {
        let version = world.flux.versions(question).and_then(|versions| versions.get(*index));
        version.is_none_or(|version| bounds.add(version, timeline))
    })
}
