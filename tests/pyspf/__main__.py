"""SPF: `check` and `Policy` against pyspf, on drawn include trees, under limits and without.

    python tests/pyspf CLIENTS TREES EACH [SEED]

CLIENTS is the example `clients` of the tests, which says what we say; EACH is how many clients are asked about for a tree. Where the
two differ pyspf has to say the same once it is repaired (`peer.py`). A repair that nothing needs any more is a failure as well.
"""

import functools
import json
import multiprocessing
import random
import re
import subprocess
import sys
from collections import Counter

import peer
from tree import Drawing

RESULTS = ["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"]
ALL = frozenset(peer.REPAIRS)


class Ours:
    """A process that says what we say."""

    def __init__(self, command):
        self.process = subprocess.Popen([command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, tree, clients, draw=0, seed=1):
        asked = {"dns": tree.snapshot(), "mail_from": tree.mail_from, "helo": tree.helo, "clients": clients, "draw": draw, "seed": seed}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def own_difference(opinions, limited):
    """Whether our policy and our check differ, whatever pyspf says."""
    if opinions["failed"]:
        return False
    if opinions["settled"]:
        return opinions["policy"] != [opinions["check"]]
    # What stands behind a name that depends on the message may exceed limits, and such a policy says that it does not bound them.
    return opinions["check"] not in {*opinions["policy"], "permerror" if limited else None}


def needed(tree, client, result, lifted):
    """The least repairs with which pyspf says this result; None if there are none."""
    if peer.judge(tree, client, ALL, lifted) != result:
        return None
    repairs = ALL
    for repair in sorted(ALL):
        if peer.judge(tree, client, repairs - {repair}, lifted) == result:
            repairs -= {repair}
    return repairs


def difference(tree, client, said):
    """What is wrong with what we say of a client, in words; None if nothing is, or pyspf is."""
    for view, lifted in [("actual", False), ("intended", True)]:
        if own_difference(said[view], not lifted):
            return f"{view}: check says {said[view]['check']}, the policy {said[view]['policy']}"
        theirs = peer.judge(tree, client, lifted=lifted)
        if theirs != said[view]["check"] and needed(tree, client, said[view]["check"], lifted) is None:
            return f"{view}: check says {said[view]['check']} ({said[view]['problem']}), pyspf {theirs}"
    return None


def shrunk(ours, tree, client):
    """The tree with every answer and every term left out that the difference does not need."""

    def still(answers):
        smaller = tree.with_answers(answers)
        said = ours.ask(smaller, [client])[0]
        return difference(smaller, client, said) is not None

    answers, shrinking = dict(tree.answers), True
    while shrinking:
        shrinking = False
        for key in list(answers):
            tries = [{k: v for k, v in answers.items() if k != key}]
            records = answers[key]
            if isinstance(records, list):
                tries += [{**answers, key: records[:at] + records[at + 1 :]} for at in range(len(records))]
                if key[1] == "TXT":
                    words = [text.split(" ") for text in records]
                    for at, text in enumerate(words):
                        for word in range(1, len(text)):
                            rest = " ".join(text[:word] + text[word + 1 :])
                            tries.append({**answers, key: [*records[:at], rest, *records[at + 1 :]]})
            for smaller in tries:
                if still(smaller):
                    answers, shrinking = smaller, True
                    break
    return tree.with_answers(answers)


def features(tree, said):
    """What occurs in a tree, to be counted."""
    text = " ".join(tree.records()).lower()
    patterns = {
        "qualified include": r"[-~?]include:", "redirect": r"redirect=", "redirect beside all": r"all .*redirect=|redirect=.* .?all", "mx": r"\bmx\b", "a": r"\ba\b[:/ ]",
        "dual cidr": r"//\d", "ptr": r"\bptr\b", "exists": r"exists:", "exp": r"\bexp=",
        **{f"%{{{letter}}}": rf"%\{{{letter}" for letter in "slodiphv"},
    }  # fmt: skip
    found = {name for name, pattern in patterns.items() if re.search(pattern, text)}
    found.update(f"status {answer}" for answer in tree.answers.values() if isinstance(answer, str))
    problems = {client[view]["problem"] for client in said for view in ("actual", "intended")} - {None}
    return found | problems


def compare(work):
    """One tree: what was counted, and the first difference that nothing explains."""
    command, seed, each = work
    ours = started(command)
    tree = Drawing(random.Random(seed)).tree()
    said = ours.ask(tree, tree.clients, each - len(tree.clients), seed + 1)
    counts = Counter({("feature", name): 1 for name in features(tree, said)})
    for client in said:
        for view, lifted in [("actual", False), ("intended", True)]:
            opinions, mine = client[view], client[view]["check"]
            theirs = peer.judge(tree, client["ip"], lifted=lifted)
            counts[view, "result", mine] += 1
            repairs = frozenset() if theirs == mine else needed(tree, client["ip"], mine, lifted)
            if repairs is None or own_difference(opinions, not lifted):
                small = shrunk(ours, tree, client["ip"])
                why = difference(small, client["ip"], ours.ask(small, [client["ip"]])[0])
                return counts, (seed, client["ip"], tree.mail_from, tree.helo, small.answers, why)
            counts[view, "differ" if repairs else "agree"] += 1
            for repair in repairs:
                counts["repair", repair] += 1
            counts[view, "policy", "failing query" if opinions["failed"] else "same" if opinions["settled"] else "among its cases"] += 1
    return counts, None


@functools.cache
def started(command):
    """One process for each worker."""
    return Ours(command)


def main():
    command, (trees, each, *rest) = sys.argv[1], map(int, sys.argv[2:])
    start = rest[0] if rest else 7208
    total, unexplained = Counter(), []
    with multiprocessing.Pool() as pool:
        for counts, case in pool.imap_unordered(compare, [(command, start + 1000 * n, each) for n in range(trees)]):
            total.update(counts)
            unexplained += [case] if case else []
    failed = bool(unexplained)
    for view in ("actual", "intended"):
        agreed, differed = total[view, "agree"], total[view, "differ"]
        print(f"{view}: {agreed} of {agreed + differed} clients of {trees} trees judged alike by pyspf and check, {differed} once pyspf is repaired")
        counted = {what: total[view, "policy", what] for what in ("same", "among its cases", "failing query")}
        print(f"  the policy: {', '.join(f'{n} {what}' for what, n in counted.items())}")
        results = {result: total[view, "result", result] for result in RESULTS}
        print(f"  results: {', '.join(f'{result} {100 * n / sum(results.values()):.1f} %' for result, n in results.items())}")
        for result, n in results.items():
            if view == "actual" and n < sum(results.values()) / 100:
                print(f"  too few clients get {result}")
                failed = True
    print("trees with: " + ", ".join(f"{name} {n}" for (kind, name, *_), n in sorted(total.items()) if kind == "feature"))
    for repair, (paragraph, _) in peer.REPAIRS.items():
        print(f"{total['repair', repair]:6} differ: {repair} ({paragraph})")
        if not total["repair", repair]:
            print("       no tree shows it any more")
            failed = True
    for seed, client, mail_from, helo, answers, why in unexplained[:5]:
        print(f"unexplained, tree {seed}: client {client}, {mail_from}, HELO {helo}\n  {why}")
        for (name, kind), records in answers.items():
            print(f"  {name} {kind} {records}")
    print(f"{len(unexplained)} trees with differences that nothing explains" if unexplained else "no difference is unexplained")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
