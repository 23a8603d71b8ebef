"""Which mutants are no breakage, whoever judges them: rules on the two documents alone. The prover has no say in them, nor has the simulator."""

from plan import DEFAULTS, SECOND, instant, milliseconds, name

NEVER = float("-inf")
# What changes one thing about a plan.
OPERATORS = ("delete", "halve", "zero", "second-early", "early", "drop-term", "policy", "date", "exchange")


def harmless(result):
    """Why a mutant breaks nothing, or None."""
    original, mutant, step = result["original"], result["document"], result["original"]["steps"][result["step"]]
    if result["operator"] == "delete":
        if not same_times_without(step, original, mutant):
            return None
        if not does(step, original) and not is_asked_for(step, original) and not isinstance(step.get("undo"), list):
            return "the step changes nothing, and no promise is about it; its waits were kept"
        if step.get("gives_up") and not any(step.get(key) for key in ("changes", "starts", "stops")) and not any(does(other, original) for other in after(step, original)):
            return "without the step nothing is given up"
        if is_last(step, original) and removes_only_what_was_there(step, original):
            return "nothing comes after the step: without it the goal is missed, and nothing is promised about goals"
        if is_last(step, original) and step["kind"] == "send" and publishes_only_policies(original):
            return "nothing comes after the step, and nothing was published for it: mail goes on as it does today"
        return None
    if result["operator"] == "drop-term":
        return "nobody is declared whom the term is about" if drops_the_rest(original, mutant) else None
    if result["operator"] == "policy":
        return "mail that fails is lost whether it is put aside or refused" if refuses_what_it_put_aside(original, mutant) else None
    if result["operator"] == "exchange":
        if starts_later(original, mutant):
            return "what starts does so later, and what stops earlier"
        mutant = in_their_places(original, mutant)
    if mutant and same_effects(original, mutant):
        if same_times(original, mutant):
            return "all that a promise is about keeps its distances"
        if waits_long_enough(original, mutant):
            return "the wait is still longer than anything is remembered or on its way"
    return None


def does(step, plan):
    """Whether a step changes anything: records, who sends, a policy of MTA-STS, whose a name or an address is."""
    policies = any(published.get("from") == step["id"] for published in plan.get("mta_sts") or [])
    return policies or any(step.get(key) for key in ("changes", "starts", "stops", "gives_up"))


def after(step, plan):
    """The steps that wait for a step, directly or not."""
    found, open_steps = [], [step["id"]]
    while open_steps:
        earlier = open_steps.pop()
        for other in plan["steps"]:
            if other not in found and any(wait["step"] == earlier for wait in other.get("after") or []):
                found.append(other)
                open_steps.append(other["id"])
    return found


def changes_policy(step):
    """Whether a step changes a policy of DMARC, at its name or where an alias leads."""
    changes = step.get("changes") or []
    return any(name(change["name"]).startswith("_dmarc.") or "v=dmarc1" in " ".join(words(change.get("add"))).lower() for change in changes)


def is_asked_for(step, plan):
    """Whether a promise is about the step itself: a gate before a policy (P6), a notice or a look that customers have (P7)."""
    named = {customer.get(key) for customer in plan.get("customers") or [] for key in ("notified_by", "ready_when")}
    named |= {stream.get("judged_from") for stream in plan["streams"]} | {plan["parameters"].get("within_limits_from")}
    if step["id"] in named or step["kind"] != "gate":
        return step["id"] in named
    # It is the look before a policy if no other gate comes between.
    later = after(step, plan)
    between = [policy for gate in later if gate["kind"] == "gate" for policy in after(gate, plan)]
    return any(changes_policy(other) and other not in between for other in later)


def is_last(step, plan):
    """Whether nothing happens after a step that could rely on it: nobody gives anything up, and others do nothing on a date of theirs."""
    theirs = any(other["kind"] == "external" or other.get("gives_up") for other in plan["steps"])
    return not theirs and not any(does(other, plan) for other in after(step, plan))


def words(values):
    texts = ["".join(value) if isinstance(value, list) else value for value in values or []]
    return [word for text in texts for word in text.split()]


def removes_only_what_was_there(step, plan):
    """Whether a step changes records and takes away nothing that the plan itself has published."""
    changes = step.get("changes") or []
    if not changes or step.get("starts") or step.get("stops"):
        return False
    # What others have published for it to lead to would stay there for nothing.
    if any(name(change["name"]) in text.lower() for change in published_changes(plan) for text in words_added(step) if change not in changes):
        return False

    def is_of_today(change):
        there = [answer for answer in plan["evidence"]["answers"] if (answer["name"], answer["type"]) == (change["name"], change["type"])]
        today = [word for answer in there for word in words(answer.get("records"))]
        return all(word in today for word in words(change.get("remove")) if word not in words(change.get("add")))

    return all(map(is_of_today, changes))


def publishes_only_policies(plan):
    """Whether all that a plan changes are policies of DMARC: P4 asks of all else that somebody needs it."""
    return all(name(change["name"]).startswith("_dmarc.") for step in plan["steps"] for change in step.get("changes") or []) and not plan.get("mta_sts")


def refuses_what_it_put_aside(original, mutant):
    """Whether a policy of which the plan makes `quarantine`, of `none` or of nothing, becomes `reject`."""
    aside = lambda text: "=quarantine" in text and "=none" not in text
    softer = {name(change["name"]) for step in original["steps"] for change in step.get("changes") or [] if not any("=quarantine" in word for word in words(change.get("remove")))}
    differing = exchanged(original, mutant)
    return bool(differing) and all(aside(ours) and name(domain) in softer for domain, ours, _ in differing)


def published_changes(plan):
    return [change for step in plan["steps"] for change in step.get("changes") or [] if change.get("ttl_before") is None]


def words_added(step):
    return [word for change in step.get("changes") or [] for word in words(change.get("add"))]


def published(plan):
    """The texts that steps add, each with its name."""
    return [(change["name"], text) for step in plan["steps"] for change in step.get("changes") or [] for text in change.get("add") or []]


def exchanged(original, mutant):
    """The texts that differ: the name, the text of the plan, and that of the mutant."""
    pairs = zip(published(original), published(mutant))
    return [(domain, ours, theirs) for (domain, ours), (_, theirs) in pairs if ours != theirs and isinstance(ours, str)]


def sends_from(domain, plan):
    """Whether an identity is declared that SPF is checked at a name for."""
    return name(domain) in {name(one[key]) for stream in plan["streams"] for one in stream["identities"] for key in ("mail_from", "helo") if one.get(key)}


def is_first(domain, plan):
    """Whether a name has no SPF record before the plan, or one that lets nobody pass until mail is sent from there, and none leads to it: what is
    there for another to include stands for that one."""
    texts = [words([text]) for answer in plan["evidence"]["answers"] if (name(answer["name"]), answer["type"]) == (name(domain), "TXT") for text in answer.get("records") or []]
    parked = {"-all", "~all"} if sends_from(domain, plan) else set()
    had_one = any(text[0].lower() == "v=spf1" and not set(text[1:]) <= parked for text in texts if text)
    led_to = " ".join(words([text for _, text in published(plan)])) + " "
    return not had_one and f":{domain} " not in led_to and f"={domain} " not in led_to


def drops_the_rest(original, mutant):
    """Whether the term that is gone only says what becomes of all others, at a name that has no SPF record before: without it that is neutral."""
    is_rest = lambda ours, theirs: ours.split()[-1].lower() in ("-all", "~all", "?all") and ours.split()[:-1] == theirs.split()
    differing = exchanged(original, mutant)
    return bool(differing) and all(is_first(domain, original) and is_rest(ours, theirs) for domain, ours, theirs in differing)


def starts_later(original, mutant):
    """Whether two steps were exchanged of which the first only starts uses, and the second only stops some."""
    differing = [ours for ours, theirs in zip(original["steps"], mutant["steps"]) if ours != theirs]
    only = lambda step, key, other: step["kind"] == "send" and step.get(key) and not step.get(other)
    return len(differing) == 2 and only(differing[0], "starts", "stops") and only(differing[1], "stops", "starts")


def distances(plan):
    """The least time from the done of each step to the start of each other, where the plan enforces one; from dates on, too."""
    steps = plan["steps"]
    index = {step["id"]: at for at, step in enumerate(steps)}
    start = instant(plan["parameters"]["start"])
    on = [instant(step["on"]) - start if step.get("on") else None for step in steps]
    before = [[(index[wait["step"]], milliseconds(wait.get("at_least") or "PT0S")) for wait in step.get("after") or []] for step in steps]
    order, placed = [], set()
    while len(order) < len(steps):
        for at in range(len(steps)):
            if at not in placed and all(earlier in placed for earlier, _ in before[at]):
                order.append(at)
                placed.add(at)
    earliest = [0] * len(steps)
    for at in order:
        earliest[at] = on[at] if on[at] is not None else max([0] + [earliest[earlier] + wait for earlier, wait in before[at]])
    found = {}
    for source in range(len(steps)):
        longest = [NEVER] * len(steps)
        longest[source] = 0
        for at in order:
            if at != source and on[at] is None:
                longest[at] = max([longest[at]] + [longest[earlier] + wait for earlier, wait in before[at] if longest[earlier] != NEVER])
            if on[source] is not None and at != source:
                longest[at] = earliest[at] - on[source]
        for at, distance in enumerate(longest):
            if at != source:
                found[steps[source]["id"], steps[at]["id"]] = distance
    return found | {("", step["id"]): earliest[at] for at, step in enumerate(steps)}


def in_their_places(original, mutant):
    """A plan in which two steps were exchanged, with the names that they had: what they do is as it was, and when is not. None where a name means more."""
    first, second = [ours["id"] for ours, theirs in zip(original["steps"], mutant["steps"]) if ours != theirs]
    places = [value for stream in original["streams"] for value in (stream.get("judged_from"),)]
    places += [original["parameters"].get("within_limits_from")]
    places += [customer.get(key) for customer in original.get("customers") or [] for key in ("notified_by", "ready_when")]
    places += [published.get("from") for published in original.get("mta_sts") or []]
    # What is taken back may wait for a step by its name, too.
    places += [wait["step"] for step in original["steps"] if isinstance(step.get("undo"), list) for undo in step["undo"] for wait in undo.get("after") or []]
    if {first, second} & set(places):
        return None
    other = {first: second, second: first}
    renamed = [
        step | {"id": other.get(step["id"], step["id"]), "after": [wait | {"step": other.get(wait["step"], wait["step"])} for wait in step.get("after") or []]}
        for step in mutant["steps"]
    ]
    return mutant | {"steps": renamed}


def policy_names(step):
    """The names of policies of DMARC that a step changes, if it changes nothing else."""
    names = {name(change["name"]) for change in step.get("changes") or []}
    return names if step["kind"] == "dns" and names and all(one.startswith("_dmarc.") for one in names) else set()


def left_behind(step, plan):
    """The author domains of what a step stops, each with all above it: where policies for mail that is on its way may stand."""
    stopped = {(use["stream"], use["identity"]) for use in step.get("stops") or []}
    identities = [one for stream in plan["streams"] for one in stream["identities"] if (stream["id"], one["id"]) in stopped]
    labels = [name(one["author_domain"]).split(".") for one in identities]
    return {"_dmarc." + ".".join(those[at:]) for those in labels for at in range(len(those))}


def kept(plan, timed):
    """What has to stay as it is when the waits are those of `timed`: the distances between steps that do something, and between notices and what comes after them. Only their order counts

    - of a gate and others: a promise asks only that it comes between;
    - of two steps that move mail, unless a queue may go from the one to the other, and of two that change the same policy and nothing else: between them a promise asks for no time (P6 for a look);
    - of a step that moves mail and one that changes policies alone, none of which is about the mail that is left on its way.
    """
    steps = {step["id"]: step for step in plan["steps"]}
    counts = {one for one, step in steps.items() if does(step, plan) or is_asked_for(step, plan)} | {""}
    sends = {one for one, step in steps.items() if step.get("starts") or step.get("stops")}
    found = {}
    for (earlier, later), distance in distances(timed).items():
        if not {earlier, later} <= counts:
            continue
        is_gate = earlier and steps[earlier]["kind"] == "gate" and not does(steps[earlier], plan)
        first, second = steps.get(earlier, {}), steps[later] if later else {}
        policies = policy_names(second) if second else set()
        in_order = policies and (policy_names(first) == policies if first and earlier not in sends else earlier in sends and not policies & left_behind(first, plan))
        both_move = {earlier, later} <= sends and not streams(first, "stops") & streams(second, "starts")
        in_order = in_order or is_gate or (later and not does(steps[later], plan)) or both_move
        found[earlier, later] = distance != NEVER if in_order else distance
    return found


def streams(step, key):
    return {use["stream"] for use in step.get(key) or []}


def same_times_without(step, original, mutant):
    """Whether all distances between the other steps are as they were when a step is gone."""
    before = {pair: distance for pair, distance in kept(original, original).items() if step["id"] not in pair}
    return before == {pair: distance for pair, distance in kept(original, mutant).items() if step["id"] not in pair}


def same_times(original, mutant):
    return kept(original, original) == kept(original, mutant)


def same_effects(original, mutant):
    effects = lambda plan: {step["id"]: [step.get(key) for key in ("kind", "changes", "starts", "stops", "on", "gives_up", "undo", "reversible")] for step in plan["steps"]}
    return effects(original) == effects(mutant)


def lifetimes(plan):
    """For how long at most a record may be remembered, mail be on its way, and anything at all: milliseconds."""
    parameters = plan["parameters"]
    of = lambda key: milliseconds(parameters[key]) if parameters.get(key) else DEFAULTS[key] * SECOND
    answers = plan["evidence"]["answers"]
    ttls = [answer.get("ttl") or 0 for answer in answers]
    # Absence is remembered for MINIMUM of a zone at the most; what no server of the zone has said counts as the ceiling.
    ttls += [int(words(answer.get("records"))[6]) for answer in answers if answer["type"] == "SOA"]
    is_sure = all(answer.get("authoritative") and (answer.get("ttl") is not None or not answer.get("records")) for answer in answers)
    zones = {name(answer["name"]) for answer in answers if answer["type"] == "SOA"}
    is_below = lambda domain: any(domain == zone or domain.endswith("." + zone) for zone in zones)
    is_sure &= all(is_below(name(change["name"])) for step in plan["steps"] for change in step.get("changes") or [])
    ttls += [change.get(key) or 0 for step in plan["steps"] for change in step.get("changes") or [] for key in ("ttl_before", "ttl_after")]
    ages = [int(line.partition(":")[2]) for policy in plan.get("mta_sts") or [] for line in policy["policy"].split("\n") if line.startswith("max_age:")]
    dated = any(step["kind"] == "external" for step in plan["steps"])
    delay = milliseconds(parameters["publication_delay"]) if dated and parameters.get("publication_delay") else 0
    remembered = max([0 if is_sure else of("ttl_ceiling")] + [ttl * SECOND for ttl in ttls]) + of("resolver_stale") + delay
    on_its_way = max(2 * of("queue_lifetime"), of("signature_lifetime"))
    return remembered, on_its_way, max([remembered, on_its_way] + [age * SECOND + remembered for age in ages])


def waits_long_enough(original, mutant):
    """Whether each distance that got shorter is still longer than anything lasts: before mail moves, records have to be seen, and after it the mail has
    to arrive; between all others it may be anything."""
    remembered, on_its_way, anything = lifetimes(original)
    steps = {step["id"]: step for step in original["steps"]}
    moves = {one for one, step in steps.items() if step["kind"] == "send"}
    publishes = {one for one, step in steps.items() if step["kind"] == "dns"}

    def notice(step):
        told = [customer for customer in original.get("customers") or [] if customer.get("notified_by") == step and customer.get("lead_time")]
        return max([0] + [milliseconds(customer["lead_time"]) for customer in told])

    def is_enough(earlier, later, distance):
        if not earlier:
            return True
        if distance is True or distance is False:
            return False
        if is_asked_for(steps[earlier], original) and distance < notice(earlier):
            return False
        if not does(steps[earlier], original):
            return True
        if earlier in publishes and later in moves:
            return distance >= remembered or not steps[later].get("starts")
        return distance >= (on_its_way if earlier in moves and later in publishes else anything)

    before, now = kept(original, original), kept(original, mutant)
    return all(is_enough(*pair, now[pair]) for pair, distance in before.items() if now[pair] < distance)
