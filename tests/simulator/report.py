"""The comparison of what the prover and the simulator say of the mutants."""

from collections import Counter, defaultdict


def table(results):
    rows = defaultdict(Counter)
    for result in results:
        row = rows[result["plan"], result["operator"]]
        row["all"] += 1
        row[result["fate"]] += 1
        row["lost"] += result["loss"] is not None
    lines = [f"{'plan':28} {'operator':12} mutants killed stuck refused undecided survived  simulator finds loss"]
    for (plan, operator), row in rows.items():
        numbers = [row[key] for key in ("all", "killed", "stuck", "refused", "undecided", "survived", "lost")]
        lines.append(f"{plan:28} {operator:12} {{:7}} {{:6}} {{:5}} {{:7}} {{:9}} {{:8}} {{:10}}".format(*numbers))
    survivors = [result for result in results if result["fate"] == "survived"]
    lines += ["", "survivors:"] + [f"  {result['plan']}: {result['name']}: {reason(result)}" for result in survivors]
    return "\n".join(lines)


def reason(result):
    return ""


def failures(results):
    return []
