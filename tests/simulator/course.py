"""Courses of events: when each step starts and is done. Whatever the plan's waits allow may happen. Times are milliseconds."""

import itertools

from plan import DAY, SECOND

NEVER = 10**15
LATE = 500 * DAY * SECOND


class Course:
    """The start and the done of every step."""

    def __init__(self, plan):
        self.plan = plan
        self.start = [NEVER] * len(plan.steps)
        self.done = [NEVER] * len(plan.steps)

    def allowed(self, at):
        """The earliest start, given when all that it waits for is done."""
        return max([0] + [self.done[earlier] + wait for earlier, wait in self.plan.before[at]])

    def put(self, at, start, done):
        self.start[at], self.done[at] = start, done

    def fixed(self, at):
        """Deals with what has no choice: it never happens, or it happens on its date."""
        if not self.plan.happens[at]:
            return True
        if self.plan.steps[at].kind == "external":
            self.put(at, self.plan.steps[at].on, self.plan.steps[at].on)
            return True
        return False


def spans(plan):
    """Some lengths of time that matter: TTLs, horizons, waits, and a little less or more."""
    lengths = {plan.queue_lifetime, plan.signature_lifetime, 3600 * SECOND}
    lengths.update(version.life for versions in plan.versions.values() for _, version in versions)
    lengths.update(wait for before in plan.before for _, wait in before)
    return sorted({max(0, length + more) for length in lengths for more in (-SECOND, 0, SECOND)})


def any_course(plan, rng, lengths, lateness):
    """Each step starts as early as it can, or late, and takes no time, or some."""
    course = Course(plan)
    for at in plan.order:
        if not course.fixed(at):
            start = course.allowed(at) + (rng.choice(lengths) if rng.random() < lateness else 0)
            course.put(at, start, start + (rng.choice(lengths) if rng.random() < lateness / 2 else 0))
    return course


def ancestors(plan, target):
    found, open_steps = set(), [target]
    while open_steps:
        for earlier, _ in plan.before[open_steps.pop()]:
            if earlier not in found:
                found.add(earlier)
                open_steps.append(earlier)
    return found


def towards(plan, target, rng, lengths, shift, manner):
    """A course in which all that a step waits for is done as late as can be, and what it does not wait for is early, late, slow,
    or anything."""
    course, needed = Course(plan), ancestors(plan, target)
    first = any_course(plan, rng, lengths, 0)
    latest = {at: NEVER for at in needed}
    latest[target] = first.start[target] + shift
    for at in reversed(plan.order):
        if at in latest and not (plan.steps[at].kind == "external" and at != target):
            for earlier, wait in plan.before[at]:
                latest[earlier] = min(latest[earlier], latest[at] - wait)
    when = latest[target]
    for at in plan.order:
        if course.fixed(at):
            continue
        allowed = course.allowed(at)
        if at == target:
            course.put(at, when, when + (rng.choice(lengths) if manner == "anything" else 0))
        elif at in needed:
            slow = manner == "anything" and rng.random() < 0.3
            course.put(at, allowed if slow else max(allowed, latest[at]), max(allowed, latest[at]))
        else:
            how = rng.choice(("early", "late", "slow", "near")) if manner == "anything" else manner
            if how == "early":
                course.put(at, allowed, allowed)
            elif how == "slow":
                course.put(at, allowed, max(allowed, when) + 2 * LATE)
            else:
                start = max(allowed, when + SECOND if how == "late" else when - rng.choice(lengths))
                course.put(at, start, start)
    return course


def courses(plan, rng, effort):
    """Courses of events without end, each with whether those before it are many, and the instants at which it is worth while to look at mail."""
    lengths = spans(plan)
    dates = [step.on for step in plan.steps if step.kind == "external"]
    happening = [at for at in range(len(plan.steps)) if plan.happens[at] and plan.steps[at].kind != "external"]

    def around(course, some):
        edges = {edge for at in some for edge in (course.start[at], course.done[at]) if 0 <= edge < NEVER}
        near = {edge + rng.choice((-1, 1, SECOND, rng.choice(lengths), -rng.choice(lengths))) for edge in edges}
        return sorted({0} | edges | {instant for instant in near if instant >= 0})

    everything = range(len(plan.steps))
    soon = any_course(plan, rng, lengths, 0)
    yield False, soon, around(soon, everything)
    for target in happening:
        shifts = [0, LATE] + [date - soon.start[target] for date in dates if date > soon.start[target]]
        for shift in shifts:
            for manner in ("early", "late", "slow") + ("anything",) * effort:
                course = towards(plan, target, rng, lengths, shift, manner)
                yield False, course, around(course, [target])
    for count in itertools.count():
        is_enough = count >= 8 * effort
        course = any_course(plan, rng, lengths, (count % 4 + 1) / 5)
        yield is_enough, course, around(course, everything)
        if is_enough and happening:
            course = towards(plan, rng.choice(happening), rng, lengths, rng.choice([0, LATE, rng.choice(lengths)]), "anything")
            yield is_enough, course, around(course, everything)
