//! P6: policies never weaken, nor tighten before a gate, and read alike.

use super::seen::Declared;
use super::{Judged, Receiver};
use crate::dmarc::{self, Alignment, DmarcRecord, InEffect, Message, Policy};
use crate::dns::{Evidence, Question, RecordType, existence};
use crate::error::Problem;
use crate::name::DomainName;
use crate::plan::StepKind;
use crate::plan::timeline::{Event, Timeline};
use crate::prove::existence::Existing;
use crate::prove::explore::Bounds;
use crate::prove::users::followed;
use crate::prove::world::{Choices, Lenient, World};

/// How strict a policy is to receivers of one generation: what applies to all, what applies to some, and to how many.
/// No record is less than `p=none`, which still asks for reports.
type Strictness = Option<(Policy, Policy, u8)>;

/// What makes receivers act.
fn acted(strictness: Strictness) -> Strictness {
    strictness.filter(|(_, policy, _)| *policy > Policy::None)
}

fn strictness(effect: Option<InEffect>) -> Strictness {
    effect.map(|effect| (effect.otherwise.unwrap_or(effect.policy), effect.policy, effect.percent))
}

/// What both generations of receivers take for the policy in effect.
pub(in crate::prove) struct Effect {
    rfc9989: Strictness,
    rfc7489: Strictness,
    /// The record that receivers of RFC 9989 apply.
    declared: Option<Declared>,
    /// The record that receivers of RFC 7489 apply.
    declared_7489: Option<String>,
    /// Within which domain receivers of RFC 9989 take identifiers for those of the author.
    organization: Option<DomainName>,
    /// Whether they read one record, could read it alike, and do not.
    pub(in crate::prove) differ: bool,
}

impl Effect {
    pub(in crate::prove) fn of(evidence: &dyn Evidence, author_domain: &DomainName) -> Self {
        let checked = dmarc::check(evidence, Message::new(author_domain.clone()));
        let (new, old) = (checked.rfc9989, checked.rfc7489);
        let one_record =
            new.policy_record.as_ref().zip(old.as_ref().and_then(|old| old.policy_record.as_ref()));
        let comparable = one_record.is_some_and(|(new, old)| new.domain == old.domain && new.tag != "np");
        let declared = new.policy_record.map(|found| (found.domain, found.record));
        let (rfc9989, rfc7489) =
            (strictness(new.policy), old.as_ref().and_then(|old| strictness(old.policy)));
        let declared_7489 = old.and_then(|old| old.policy_record).map(|found| found.record);
        let organization = new.author.domain().cloned();
        let differ = comparable && rfc9989 != rfc7489;
        Self { rfc9989, rfc7489, declared, declared_7489, organization, differ }
    }

    /// Whether it makes receivers of either generation act on what fails.
    pub(in crate::prove) fn acts(&self) -> bool {
        acted(self.rfc9989).or(acted(self.rfc7489)).is_some()
    }

    /// Whether receivers of either generation do something else with what fails; that they begin to report is nothing else.
    pub(in crate::prove) fn acts_otherwise_than(&self, other: &Self) -> bool {
        acted(self.rfc9989) != acted(other.rfc9989) || acted(self.rfc7489) != acted(other.rfc7489)
    }

    /// Whether receivers of either generation do less about what fails.
    pub(in crate::prove) fn acts_less_than(&self, other: &Self) -> bool {
        acted(self.rfc9989) < acted(other.rfc9989) || acted(self.rfc7489) < acted(other.rfc7489)
    }

    /// What receivers do with what fails, in a word.
    pub(in crate::prove) fn word(&self) -> &'static str {
        let policy = |of: Strictness| of.map_or(Policy::None, |(_, policy, _)| policy);
        policy(self.rfc9989).max(policy(self.rfc7489)).as_str()
    }

    /// Whether the same records apply. What differs all the same does by whether the author domain exists, which decides between `sp` and `np`.
    pub(in crate::prove) fn is_of_the_same_record(&self, other: &Self) -> bool {
        self.declared.is_some()
            && self.declared == other.declared
            && self.rfc7489 == other.rfc7489
            && self.declared_7489 == other.declared_7489
            && self.organization == other.organization
    }

    pub(in crate::prove) fn is_weaker_than(&self, other: &Self) -> bool {
        self.rfc9989 < other.rfc9989 || self.rfc7489 < other.rfc7489
    }

    /// Whether it makes receivers act, harder than the other one does or on more.
    pub(in crate::prove) fn raises(&self, other: &Self) -> bool {
        let raises = |now: Strictness, was: Strictness| {
            now > was && now.is_some_and(|(_, policy, _)| policy > Policy::None)
        };
        let aligns_less = || self.acts() && self.aligns_less_than(other);
        raises(self.rfc9989, other.rfc9989) || raises(self.rfc7489, other.rfc7489) || aligns_less()
    }

    /// Whether mail fails that does not with the other record: only the author domain itself aligns (RFC 9989 section 4.4), or what is within a
    /// domain further below.
    fn aligns_less_than(&self, other: &Self) -> bool {
        let modes = |record: Option<&String>| {
            let record = record.and_then(|record| DmarcRecord::parse(record.as_bytes()).ok());
            record.map_or_else(Default::default, |record| [record.aspf(), record.adkim()])
        };
        let of_9989 = |effect: &Self| modes(effect.declared.as_ref().map(|(_, record)| record));
        let of_7489 = |effect: &Self| modes(effect.declared_7489.as_ref());
        let gets_strict = |now: [Alignment; 2], was: [Alignment; 2]| {
            now.iter().zip(was).any(|(now, was)| *now == Alignment::Strict && was != *now)
        };
        let now = of_9989(self);
        let narrower = self.organization.as_ref().zip(other.organization.as_ref());
        let is_narrower = narrower.is_some_and(|(now, was)| !was.is_within(now));
        gets_strict(now, of_9989(other))
            || gets_strict(of_7489(self), of_7489(other))
            || is_narrower && now.contains(&Alignment::Relaxed)
    }
}

/// Mail of an author domain, and when it may be judged.
#[derive(Clone, Copy)]
pub(in crate::prove) struct Author<'b> {
    pub(in crate::prove) domain: &'b DomainName,
    pub(in crate::prove) bounds: &'b Bounds,
    /// Whether it is sent for all of that time. If not, the domain waits for its first message or pauses: whether it exists plays no part, and
    /// its first policy needs no gate.
    pub(in crate::prove) in_use: bool,
}

/// P6: for whoever holds these versions, no step that published one of them made the policy weaker, or made it
/// stricter without a gate; and both generations of receivers take alike what the plan publishes, where they can.
pub(in crate::prove) fn policy(
    world: &World<'_>,
    timeline: &Timeline,
    author: Author<'_>,
    receivers: &[Receiver<'_>],
    today: Option<&Declared>,
) -> Judged {
    let now = Effect::of(&Existing(world), author.domain);
    if world.undecided().is_some() {
        return Judged::default();
    }
    if let Some(problem) = by_existence(world, timeline, author) {
        return Judged::error(problem);
    }
    let differ = author.in_use && now.differ && now.declared.as_ref() != today;
    let mut code = differ.then_some("p6.read-differently");
    for_each_step(world, timeline, (author, &now), &mut |then, was, (question, index)| {
        if now.is_weaker_than(was) {
            code = Some("p6.weaker");
        } else if author.is_raised(&now, was) && !is_gated(then, timeline, (question, index), was, 0) {
            code = code.or(Some("p6.no-gate"));
        }
    });
    Judged::everywhere(code, receivers)
}

/// P6 in a course that is taken back: going back to a weaker policy is the point of it, but never to a weaker one than today's, and no
/// step of the undo, which begins at an index, makes the policy stricter than today's without a gate.
pub(in crate::prove) fn taken_back(
    world: &World<'_>,
    timeline: &Timeline,
    author: Author<'_>,
    receivers: &[Receiver<'_>],
    (today, undo_from): (&Effect, usize),
) -> Judged {
    let now = Effect::of(&Existing(world), author.domain);
    if world.undecided().is_some() {
        return Judged::default();
    }
    if let Some(problem) = by_existence(world, timeline, author) {
        return Judged::error(problem);
    }
    // One generation of receivers may find a weaker policy, and the other a stricter one.
    let is_weaker = now.is_weaker_than(today) && !now.is_of_the_same_record(today);
    let mut code = is_weaker.then_some("p6.weaker");
    if !now.raises(today) {
        return Judged::everywhere(code, receivers);
    }
    for_each_step(world, timeline, (author, &now), &mut |then, was, (question, index)| {
        let published = then.flux.versions(question).and_then(|versions| versions.get(index)?.from);
        let by_undo = published.is_some_and(|published| published >= undo_from);
        let gated = || is_gated(then, timeline, (question, index), was, undo_from);
        if by_undo && author.is_raised(&now, was) && !gated() {
            code = code.or(Some("p6.no-gate"));
        }
    });
    Judged::everywhere(code, receivers)
}

impl Author<'_> {
    /// Whether a policy makes receivers act harder than the one before, on mail that somebody could have looked at: before a domain
    /// is in use, the first policy at all, and the first record of its own, are there to be found by its first message.
    fn is_raised(&self, now: &Effect, was: &Effect) -> bool {
        let own = |effect: &Effect| effect.declared.as_ref().is_some_and(|(domain, _)| domain == self.domain);
        now.raises(was) && (self.in_use || was.declared.is_some() && (own(was) || !own(now)))
    }
}

/// Why it is not known which policy applies: that depends on whether the author domain exists, and to whoever holds these versions it may not, as
/// it comes or goes with the plan.
fn by_existence(
    world: &World<'_>,
    timeline: &Timeline,
    Author { domain: author, in_use, .. }: Author<'_>,
) -> Option<Problem> {
    if !in_use {
        return None;
    }
    let applied = dmarc::discover(&Lenient(world), author).applied?;
    let depends = applied.source != dmarc::Source::AuthorDomain
        && applied.record.subdomain_policy() != applied.record.nonexistent_policy();
    let may_be_gone = || {
        existence(&Existing(world), author) != Some(true)
            && world.flux.may_come_or_go(world.plan, timeline, author)
    };
    (depends && may_be_gone()).then(|| {
        let message = format!(
            "the plan may make {author} exist, or not, and `sp` and `np` of the policy differ: which applies when is not judged"
        );
        Problem::new("proof.existence-changes", message)
    })
}

/// Is told a world, what is in effect there, and which version was exchanged.
type Compare<'c> = dyn FnMut(&World<'_>, &Effect, (&Question, usize)) + 'c;

/// Calls `compare` with each world that has one of the versions exchanged for the version before it, if a receiver can hold that. Stops where such a world asks for what is not chosen yet; then `world`
/// asks for it, too.
fn for_each_step(
    world: &World<'_>,
    timeline: &Timeline,
    (author, now): (Author<'_>, &Effect),
    compare: &mut Compare<'_>,
) {
    for (replaced, before) in earlier(world, timeline, author.bounds) {
        let then = World::new(world.plan, world.flux, &before);
        let was = Effect::of(&Existing(&then), author.domain);
        if let Some(question) = then.undecided() {
            // It reads more: what is compared has to be chosen for both.
            world.answer(&question.name, question.record_type);
            return;
        }
        // A step that makes the name exist, or not, is no step of the policy.
        if !now.is_of_the_same_record(&was) {
            compare(&then, &was, replaced);
        }
    }
}

/// The choices with one version exchanged for the version before it, if a receiver can hold that; with what was exchanged.
pub(super) fn earlier<'w>(
    world: &'w World<'_>,
    timeline: &Timeline,
    bounds: &Bounds,
) -> impl Iterator<Item = ((&'w Question, usize), Choices)> {
    world.choices.iter().filter_map(move |(question, index)| {
        let mut before = world.choices.clone();
        before.insert(question.clone(), index.checked_sub(1)?);
        can_be_held(world, timeline, bounds, &before).then_some(((question, *index), before))
    })
}

/// Whether a receiver that judges something within the bounds can hold these versions.
fn can_be_held(world: &World<'_>, timeline: &Timeline, bounds: &Bounds, choices: &Choices) -> bool {
    let versions = choices.iter().filter_map(|(question, index)| world.flux.versions(question)?.get(*index));
    let all = versions.into_iter().try_fold(bounds.clone(), |bounds, version| bounds.with(version, timeline));
    all.is_some()
}

/// Whether the step that publishes a version waits for a gate at which somebody can look at what the policy before it, `was`,
/// let through; gates before the step of index `gates_from` do not count.
fn is_gated(
    before: &World<'_>,
    timeline: &Timeline,
    (question, index): (&Question, usize),
    was: &Effect,
    gates_from: usize,
) -> bool {
    let from = |question: &Question, index: usize| {
        before
            .flux
            .versions(question)
            .and_then(|versions| versions.get(index))
            .and_then(|version| version.from)
    };
    let Some(step) = from(question, index) else { return true };
    // What leads to the record counts as well as the record.
    let own = was.declared.as_ref().and_then(|(domain, _)| domain.prefixed("_dmarc").ok());
    let names = own.iter().flat_map(|own| followed(&Lenient(before), own));
    let policy_record = names
        .flat_map(|name| [RecordType::Txt, RecordType::Cname].map(|kind| Question::new(name.clone(), kind)))
        .filter_map(|question| from(&question, *before.choices.get(&question)?));
    let published: Vec<usize> = index
        .checked_sub(1)
        .and_then(|earlier| from(question, earlier))
        .into_iter()
        .chain(policy_record)
        .collect();
    let follows = |earlier: usize, later: usize| {
        timeline.distance(Event::Done(earlier), Event::Start(later)).is_some_and(|distance| distance >= 0)
    };
    before.plan.steps.iter().enumerate().skip(gates_from).any(|(gate, of)| {
        of.kind == StepKind::Gate
            && follows(gate, step)
            && published.iter().all(|published| follows(*published, gate))
    })
}
