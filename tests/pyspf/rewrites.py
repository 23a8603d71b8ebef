"""SPF: pyspf judges every record that `compact` proposes, limits lifted and not: no client may change its intended result.

    python tests/pyspf/rewrites.py REWRITES COUNT [SEED]

REWRITES is the example `rewrites` of the tests; COUNT is how many records are drawn. What depends on the message turns out for each client as a
draw says, the same before and after. Without limits pyspf is taken as it is, with limits as it is once it is repaired (`peer.py`).
"""

import ipaddress
import json
import multiprocessing
import random
import subprocess
import sys
from collections import Counter

import peer
from tree import Tree, dotted, reverse

ALL = frozenset(peer.REPAIRS)
VOIDS = 2


def dictionary(snapshot):
    """The answers of a snapshot by name and type."""
    answers = {}
    for answer in snapshot["answers"]:
        answers[answer["name"], answer["type"]] = [record.removesuffix(".") for record in answer["records"]]
    return answers


def message(client, seed):
    """What a client finds where it is asked about the message."""
    draw = random.Random(f"{seed} {client}")
    kind = "A" if ipaddress.ip_address(client).version == 4 else "AAAA"
    answers = {}
    for zone in [*(f"u{n}.example" for n in range(3)), *(f"d{n}.example" for n in range(7))]:
        if draw.random() < 0.5:
            answers[f"{dotted(client)}.{zone}", "A"] = ["127.0.0.2"]
    names = [f"host.p{n}.example" for n in range(2) if draw.random() < 0.5]
    answers[reverse(client), "PTR"] = names
    for name in names:
        answers[name, kind] = [client]
    return answers


def judge(answers, client, lookups=None):
    """What pyspf says to a client; without a limit, what is intended."""
    tree = Tree(answers, "user@d0.example", "helo.example", [client])
    if lookups is None:
        return peer.judge(tree, client, lifted=True)
    vars(peer.peer(ALL, False)).update(MAX_LOOKUP=lookups, MAX_VOID_LOOKUPS=VOIDS)
    return peer.judge(tree, client, ALL)


def compare(line):
    """One record: what was counted, and what is wrong."""
    drawn = json.loads(line)
    before = dictionary(drawn["before"])
    proposed = {(rrset["name"], "TXT"): rrset["records"] for rrset in drawn["records"]}
    counts = Counter(records=1, extra=len(proposed) - 1, proven=drawn["minimal"] == "proven")
    for client in drawn["clients"]:
        asked = message(client, drawn["seed"])
        meant = judge({**before, **asked}, client)
        after = {**before, **asked, **proposed}
        intended, actual = judge(after, client), judge(after, client, drawn["lookups"])
        counts[meant] += 1
        counts["clients"] += 1
        counts["healed"] += judge({**before, **asked}, client, drawn["lookups"]) != meant
        if not meant == intended == actual:
            return counts, f"seed {drawn['seed']}, client {client}: {meant}, then {intended}, and {actual} within limits\n  {before}\n  {proposed}"
    return counts, None


def main():
    command, count = sys.argv[1], int(sys.argv[2])
    start = int(sys.argv[3]) if len(sys.argv) > 3 else 7208
    process = subprocess.Popen([command, str(start), str(count)], stdout=subprocess.PIPE, text=True)
    total, wrong = Counter(), []
    with multiprocessing.Pool() as pool:
        for counts, case in pool.imap_unordered(compare, process.stdout, chunksize=8):
            total.update(counts)
            wrong += [case] if case else []
    failed = bool(wrong) or process.wait() != 0
    for result in ("pass", "fail", "softfail", "neutral"):
        failed |= total[result] * 100 < total["clients"]
    for case in wrong[:5]:
        print(f"changed: {case}")
    print(
        f"pyspf on {total['records']} rewritten records of {count} drawn ({total['proven']} proven the best, {total['extra']} extra records): {total['clients']} clients, "
        f"of which {total['healed']} were refused by the limits before; {len(wrong)} records change what is intended for somebody"
    )
    print("  results: " + ", ".join(f"{result} {total[result]}" for result in ("none", "neutral", "pass", "fail", "softfail", "temperror", "permerror")))
    failed |= total["records"] * 20 < count
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
