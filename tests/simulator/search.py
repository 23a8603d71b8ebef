"""Looks for a message that is lost in a plan, by sampling courses of events, messages, and receivers with their caches."""

import itertools
import random

from course import NEVER, courses
from receiver import Receiver, loss, signed, spf_results

TYPES = ("TXT", "A", "AAAA", "MX", "PTR")
MOST_MIXES = 64
# What an identity carries of its stream at most, per mille.
ALL = 1000


class Question:
    """A question whose answer changes: the versions of the RRset and, where there is one, those of the alias."""

    def __init__(self, plan, key):
        self.key = key
        self.sets = self.versions(plan, key)
        alias = (key[0], "CNAME")
        changes = alias != key and (alias in plan.versions or alias in plan.evidence)
        self.aliases = self.versions(plan, alias) if changes else []
        self.steps = sorted({step for step, _ in self.sets + self.aliases if step is not None})
        self.lives = sorted({answer.life for _, answer in self.sets + self.aliases})

    @staticmethod
    def versions(plan, key):
        return plan.versions.get(key) or [(None, plan.content(key, *plan.evidence.get(key, ((), True, 0))))]

    @staticmethod
    def served(versions, course, instant):
        """What the servers of the zone may say: while a step is under way, the old or the new."""
        for (step, answer), (following, _) in itertools.pairwise(versions + [(None, None)]):
            published = step is None or course.start[step] <= instant
            if published and (following is None or instant < course.done[following]):
                yield answer

    def answers(self, course, instant):
        for answer in self.served(self.sets, course, instant):
            for alias in self.served(self.aliases, course, instant) if self.aliases else [None]:
                yield alias if alias and alias.records else answer

    def held(self, course, judged, rng):
        """What a receiver may hold: it asked at one of some instants, and the answer is not too old yet."""
        asked = {judged} | {judged - life + 1 for life in self.lives if life}
        asked |= {edge for step in self.steps for edge in (course.start[step], course.done[step] - 1) if edge <= judged}
        asked.add(judged - rng.randrange(max(self.lives) + 1))
        found = {}
        for instant in sorted(asked):
            for answer in self.answers(course, instant):
                if instant == judged or judged - instant < answer.life:
                    found[answer] = None
        return tuple(found)


class Search:
    def __init__(self, plan, mind, seed):
        self.plan, self.mind, self.rng = plan, mind, random.Random(seed)
        keys = dict.fromkeys(mind.changing)
        for domain, kind in mind.changing:
            keys.update(dict.fromkeys((domain, other) for other in TYPES if kind == "CNAME"))
        self.questions = [Question(plan, key) for key in keys]
        self.before = {question.key: next(question.answers(Course0(plan), 0)) for question in self.questions}
        self.identities = {(s["id"], i["id"]): i for s in plan.streams for i in s["identities"]}
        self.courses = self.messages_judged = 0
        self.keys = {}
        self.judged_from = {stream["id"]: self.fails_today(stream) for stream in plan.streams}

    def fails_today(self, stream):
        """The step from which a stream is judged, if it fails today and the plan names one."""
        step = self.plan.index.get(stream.get("judged_from"))
        receiver = Receiver(self.plan, self.mind, self.before)
        live = [self.identities[stream["id"], one] for one in stream["live"]]
        fails = any(loss(receiver, stream, one, one, False, False, []) for one in live)
        return step if fails else None

    def uses(self, stream, course):
        """The spans of time in which a stream injects messages with its identities."""
        found, since = [], {one: -NEVER for one in stream["live"]}
        carried = dict.fromkeys(stream["live"], ALL)
        for at in self.plan.order:
            for use in self.plan.steps[at].stops if self.plan.happens[at] else []:
                one = use["identity"]
                if use["stream"] == stream["id"] and one in since:
                    carried[one] -= min(use.get("share") or ALL, carried[one])
                    if not carried[one]:
                        found.append((one, since.pop(one), course.done[at]))
            for use in self.plan.steps[at].starts if self.plan.happens[at] else []:
                if use["stream"] == stream["id"]:
                    one = use["identity"]
                    carried[one] = min(carried.get(one, 0) + (use.get("share") or ALL), ALL)
                    since.setdefault(one, course.start[at])
        return found + [(one, start, NEVER) for one, start in since.items()]

    def messages(self, stream, course, judged):
        """Messages that can be judged at an instant: the identity, the one whose queue delivers it, and whether it is verified again."""
        uses = self.uses(stream, course)
        since = self.judged_from[stream["id"]]
        first = -NEVER if since is None else course.done[since]
        by_delivery = stream.get("signed_at") == "delivery"
        found = {}
        for identity, start, stop in uses:
            for later, lifetime in ((False, self.plan.queue_lifetime), (True, self.plan.signature_lifetime)):
                samples = {judged, judged - lifetime + 1, stop - 1, start, first}
                for injected in samples:
                    if not (max(start, first) <= injected < stop and injected <= judged < injected + lifetime):
                        continue
                    # It enters a queue while that is in use, and leaves it when the receiver lets it.
                    last = min(judged, injected + self.plan.queue_lifetime - 1)
                    for by, opened, closed in uses:
                        if max(injected, opened) <= min(last, closed - 1) and (not later or by_delivery or by == identity):
                            found[identity, by, later] = injected
        return found

    def mixes_of(self, visible, keys):
        """Sets of answers that a receiver may hold together: all of them, or where these are too many, some."""
        choices = [visible[key] for key in keys]
        count = 1
        for choice in choices:
            count *= len(choice)
        if count <= MOST_MIXES:
            return itertools.product(*choices)
        extremes = [[choice[0] for choice in choices], [choice[-1] for choice in choices]]
        single = [[(other[0] if at == one else other[-1]) for at, other in enumerate(choices)] for one in range(len(choices))]
        single += [[(other[-1] if at == one else other[0]) for at, other in enumerate(choices)] for one in range(len(choices))]
        some = [[self.rng.choice(choice) for choice in choices] for _ in range(MOST_MIXES)]
        return map(tuple, extremes + single + some)

    def today(self, stream, identity, by):
        memo = ("today", stream["id"], identity["id"], by["id"])
        if memo not in self.mind.results:
            receiver = Receiver(self.plan, self.mind, self.before)
            self.mind.results[memo] = spf_results(receiver, identity, by)[1]
        return self.mind.results[memo]

    def signed(self, stream, identity, by):
        memo = (stream["id"], identity["id"], by["id"])
        if memo not in self.keys:
            self.keys[memo] = tuple(signed(self.plan, stream, identity, by))
        return self.keys[memo]

    def judge(self, stream, names, limits, visible):
        """The loss of one message in any of the mixes, with the mix; or None."""
        identity, by = (self.identities[stream["id"], one] for one in names[:2])
        later, memo = names[2], (stream["id"], *names, self.signed(stream, identity, by))
        relevant = self.mind.relevant[memo]
        while True:
            whole = ("all", memo, limits, tuple(visible[key] for key in relevant))
            if whole in self.mind.results:
                return self.mind.results[whole]
            known, lost = len(relevant), None
            for mix in self.mixes_of(visible, tuple(relevant)):
                one = (memo, limits, mix)
                if one not in self.mind.results:
                    held = {key: answers[0] for key, answers in visible.items()} | dict(zip(relevant, mix))
                    receiver = Receiver(self.plan, self.mind, held)
                    today = [] if later else self.today(stream, identity, by)
                    why = loss(receiver, stream, identity, by, later, limits, today)
                    relevant += [key for key in dict.fromkeys(receiver.asked) if key not in relevant]
                    if len(relevant) > known:
                        break
                    self.mind.results[one] = why
                lost = lost or (self.mind.results[one] and (self.mind.results[one], dict(zip(relevant, mix))))
                if lost:
                    break
            if len(relevant) == known:
                self.mind.results[whole] = lost
                return lost

    def run(self, effort, messages=0):
        """The first loss found, told; or None. Goes on for as many messages."""
        limits_from = self.plan.index.get(self.plan.within_limits_from)
        for is_enough, course, instants in courses(self.plan, self.rng, effort):
            if is_enough and self.messages_judged >= messages:
                break
            self.courses += 1
            for judged in instants:
                visible = {question.key: question.held(course, judged, self.rng) for question in self.questions}
                limits = limits_from is not None and judged >= course.done[limits_from]
                for stream in self.plan.streams:
                    for names, injected in self.messages(stream, course, judged).items():
                        self.messages_judged += 1
                        lost = self.judge(stream, names, limits, visible)
                        if lost:
                            return self.told(course, judged, injected, stream, names, lost)
        return None

    def told(self, course, judged, injected, stream, names, lost):
        steps = {step.id: [course.start[at] / 1000, course.done[at] / 1000] for at, step in enumerate(self.plan.steps)}
        held = {" ".join(key): [str(record) for record in answer.records] for key, answer in lost[1].items()}
        return {
            "why": lost[0], "stream": stream["id"], "identity": names[0], "by": names[1], "later": names[2],
            "injected": injected / 1000, "judged": judged / 1000, "steps": steps, "held": held,
        }


class Course0:
    """Before any step."""

    def __init__(self, plan):
        self.start = self.done = [NEVER] * len(plan.steps)
