"""Judges the plans and mutants of a folder, without the prover, and compares: `python tests/simulator target/mutants`.

One JSON line for each plan and mutant, then a table. Exit 0 if prover and simulator agree well enough.
"""

import argparse
import json
import multiprocessing
import random
import sys
from pathlib import Path

from harmless import OPERATORS, harmless
from plan import Plan
from receiver import Mind
from report import failures, table
from search import Search

MINDS = {}


def cases(folder):
    """Each plan, and each of its mutants that the prover calls safe or unsafe."""
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text())
        plan = document.get("plan")
        if plan:
            fate = "original" if document["verdict"] == "safe" else "broken"
            yield {"plan": document["name"], "name": "as it is", "operator": fate, "fate": fate, "document": plan, "original": plan}
        for mutant in document["mutants"]:
            own = mutant.pop("plan")
            full = own if plan is None else own | {"evidence": plan["evidence"]}
            yield mutant | {"plan": document["name"], "document": full, "original": plan or full}


def enough(case):
    """How many messages have to be judged: a million for each plan that is proven safe, fewer for the small ones of the corpus and for mutants."""
    if case["operator"] == "margin" and case["fate"] == "survived":
        return 100_000
    if case["fate"] != "original":
        return 0
    return 20_000 if case["plan"].startswith("corpus-") else 1_000_000


def judge(task):
    case, effort = task
    if case["fate"] in ("refused", "stuck", "undecided"):
        return case | {"loss": None, "courses": 0, "messages": 0, "read": []}
    plan = Plan(case["document"])
    about = case["plan"], case["operator"] == "drawn" and case["name"]
    if about not in MINDS:
        MINDS.clear()
        MINDS[about] = Mind(Plan(case["original"]), random.Random(case["plan"]))
    search = Search(plan, MINDS[about], f"{case['plan']} {case['name']}")
    loss = search.run(effort, enough(case))
    read = sorted({key for keys in MINDS[about].relevant.values() for key in keys})
    return case | {"loss": loss, "courses": search.courses, "messages": search.messages_judged, "read": read}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--effort", type=int, default=4, help="how many courses of events are tried")
    arguments = parser.parse_args()
    tasks = [(case, arguments.effort) for case in cases(arguments.folder)]
    with multiprocessing.Pool() as pool:
        results = pool.map(judge, tasks, chunksize=max(1, len(tasks) // (multiprocessing.cpu_count() * 4)))
    for result in results:
        result["harmless"] = harmless(result) if result["operator"] in OPERATORS and result["fate"] != "refused" else None
        keys = ("plan", "name", "operator", "fate", "loss", "courses", "messages")
        print(json.dumps({key: result[key] for key in keys}))
    found = failures(results)
    print("\n".join(["", table(results), *found]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
