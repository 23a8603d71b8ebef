"""The comparison of what the prover and the simulator say of the mutants."""

from collections import Counter, defaultdict

from harmless import harmless
from plan import name

FATES = ("killed", "stuck", "refused", "undecided", "survived")
# Of the mutants that the prover finds unsafe, the simulator has to find so many lossy, per cent.
ENOUGH = 95
# Of the mutants that break something, so many may stay safe, per cent.
MOST_SURVIVORS = 10


def table(results):
    rows = defaultdict(Counter)
    for result in results:
        for key in ((result["plan"], result["operator"]), ("all", "")):
            rows[key].update(["all", result["fate"], "lost" if result["loss"] else "kept"])
    head = ("plan", "operator", "cases", *FATES, "lossy")
    lines = ["{:32}{:14}{:>7}{:>8}{:>7}{:>9}{:>11}{:>10}{:>7}".format(*head)]
    # The total stands last.
    for plan, operator in sorted(rows, key=lambda key: (key[0] == "all", key)):
        numbers = [rows[plan, operator][key] for key in ("all", *FATES, "lost")]
        lines.append("{:32}{:14}{:7}{:8}{:7}{:9}{:11}{:10}{:7}".format(plan, operator, *numbers))
    lines += ["", f"lossy: the simulator found a message that is lost. It found {found_share(results):.1f} % of the killed."]
    lines += ["messages judged in plans as they are, each in all mixes of answers that its receiver may hold:"]
    lines += [f"  {one['plan']:40}{one['messages']:12,} in {one['courses']:,} courses of events" for one in results if one["fate"] == "original" and not one["plan"].startswith("corpus-")]
    small = [one["messages"] for one in results if one["fate"] == "original" and one["plan"].startswith("corpus-")]
    lines += [f"  {f'corpus: {len(small)} plans':40}{sum(small):12,}"]
    return "\n".join(lines + operators(results) + margins(results))


def mutants(results):
    """Those that are a plan still."""
    return [one for one in results if one["operator"] not in ("original", "broken", "drawn", "margin") and one["fate"] != "refused"]


def survivors(results):
    """The mutants that break something by the rules of `harmless`, and that the prover calls safe."""
    return [one for one in mutants(results) if one["fate"] == "survived" and not one["harmless"]]


def operators(results):
    """What came of the mutants, by operator. One that is harmless by the two documents alone is no mutant of safety."""
    rows, why = defaultdict(Counter), Counter()
    for one in mutants(results):
        fate = "harmless" if one["harmless"] else one["fate"]
        why.update([one["harmless"]] if one["harmless"] else [])
        for key in (one["operator"], "all"):
            rows[key].update(["made", fate])
    names = ("made", "harmless", "killed", "stuck", "undecided", "survived")
    lines = ["", "mutants that can be read, by operator:", "{:14}{:>7}{:>10}{:>8}{:>7}{:>11}{:>10}{:>20}".format("operator", *names, "survived, per cent")]
    for operator in sorted(rows, key=lambda key: (key == "all", key)):
        row = rows[operator]
        left = row["made"] - row["harmless"]
        lines.append("{:14}{:7}{:10}{:8}{:7}{:11}{:10}{:20.1f}".format(operator, *(row[key] for key in names), 100 * row["survived"] / max(1, left)))
    lines += ["harmless, whoever judges (`harmless.py`):"] + [f"  {count:4}  {reason}" for reason, count in why.most_common()]
    return lines + ["", "survivors, and why:"] + [f"  {one['plan']}: {one['name']}: {reason(one)}" for one in survivors(results)]


def margins(results):
    """The plans just inside their margins, and just outside: a counterexample of P3 is one of the way back, which is replayed and not simulated."""
    lines = ["", "just inside and just outside the margins:"]
    for one in (one for one in results if one["operator"] == "margin"):
        codes = ", ".join(dict.fromkeys(one["codes"])) or "none"
        said = f"a message is lost: {one['loss']['why']}" if one["loss"] else f"none lost of {one['messages']:,} messages"
        lines.append(f"  {one['plan']}: {one['name']}: prover {one['fate']} ({codes}); simulator: {said}")
    return lines


def unsafe(results):
    """Those that lose mail: the simulator looks for nothing else.

    Its receivers go by DMARC. Those that refuse mail by SPF alone, at MAIL FROM or HELO, where DMARC passes (p2.refused), are not among
    them: the counterexample is replayed all the same.
    """
    lost = lambda code: code.startswith(("p1.", "p2.")) and code != "p2.refused"
    loses = lambda result: any(map(lost, result.get("codes") or ["p1."]))
    return [result for result in results if result["fate"] in ("killed", "broken") and loses(result)]


def kept(result):
    """Whether the prover says that no message is lost, whatever else it finds."""
    return result["fate"] in ("original", "survived") or result.get("kept", False)


def found_share(results):
    killed = unsafe(results)
    return 100 * sum(result["loss"] is not None for result in killed) / max(1, len(killed))


def idle(step, result):
    """Whether a step does nothing that a message could meet."""
    read = {domain for domain, _ in result["read"]}
    uses = step.get("starts") or step.get("stops")
    return not uses and all(name(change["name"]) not in read for change in step.get("changes") or [])


def reason(result):
    """Why it is right that a mutant is safe, for people: read off the plan, and with what the prover says a wait has to be at least."""
    steps = result["original"]["steps"]
    step = steps[result["step"]]
    if "needed" in result:
        if result["needed"]:
            return f"mail needs {result['needed']} s of this wait and no more"
        for one in (step, next(one for one in steps if one["id"] == result["earlier"])):
            if idle(one, result):
                return f"no message meets what `{one['id']}` does"
        return "other waits enforce as much as mail needs, or it needs none"
    if idle(step, result):
        return "no message meets what it does, and its waits were kept"
    if result["operator"] == "drop-term":
        return "no declared message needs the term"
    if result["operator"] == "policy":
        return "every declared message passes under the strictest policy, and nobody uses the domain before"
    if result["operator"] == "exchange":
        return "in the other order all is there in time as well"
    if result["operator"] == "date":
        return "nothing in the plan relies on what was there before that day"
    if result["operator"] != "delete":
        return "a promise asks for no more time than is left"
    if step["kind"] == "gate":
        return "another look comes before the next policy that a promise is about"
    if step.get("changes"):
        return "the records from before do as well: what it takes away was there before the plan, and P4 lets that stay"
    return "the stream keeps the identities that it has, or sends nothing; no message is lost"


def failures(results):
    """What must not be: false safes, and a prover or a simulator that finds too little."""
    found = []
    for result in results:
        if result["loss"] and kept(result):
            found.append(f"FAIL: {result['plan']}: {result['name']}: the prover says safe, but a message is lost: {result['loss']}")
    if found_share(results) < ENOUGH:
        missed = [f"{result['plan']}: {result['name']}" for result in unsafe(results) if not result["loss"]]
        found.append(f"FAIL: the simulator finds less than {ENOUGH} % of what the prover finds; it misses {', '.join(missed)}")
    for one in mutants(results):
        if one["harmless"] and one["fate"] in ("killed", "undecided"):
            found.append(f"FAIL: {one['plan']}: {one['name']}: harmless, as {one['harmless']}, and yet {one['fate']}: {one['codes']}")
    broken, left = len([one for one in mutants(results) if not one["harmless"]]), len(survivors(results))
    if 100 * left > MOST_SURVIVORS * broken:
        found.append(f"FAIL: of {broken} mutants {left} survive, more than {MOST_SURVIVORS} %")
    for one in results:
        if one["operator"] == "margin" and one in unsafe(results) and not one["loss"]:
            found.append(f"FAIL: {one['plan']}: {one['name']}: {one['codes']}, and the simulator finds no message that is lost")
    if not any(one["operator"] == "margin" for one in results):
        found.append("FAIL: no margin was looked at")
    # The plans of the corpus are small: they count together.
    together = lambda result: result["plan"].split("-")[0] if result["plan"].startswith("corpus-") else result["plan"]
    for plan in dict.fromkeys(together(result) for result in results if result["fate"] == "original"):
        counted = [result for result in results if together(result) == plan and result.get("counts")]
        killed = sum(result["fate"] == "killed" for result in counted)
        if not counted or 2 * killed < len(counted):
            found.append(f"FAIL: {plan}: of {len(counted)} mutants that touch records or mail only {killed} are found unsafe")
    drawn = [result for result in results if result["operator"] == "drawn"]
    shares = {"lost": len(unsafe(drawn)), "kept": sum(map(kept, drawn))}
    if 10 * min(shares.values()) < len(drawn):
        found.append(f"FAIL: the plans drawn at random are too much alike: {shares}")
    if not results:
        found.append("FAIL: there are no plans")
    return found
