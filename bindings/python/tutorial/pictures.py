"""The two pictures of the tutorial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.dates import date2num
from matplotlib.lines import Line2D

from sendershift import Plan, SpfCost, Step

COLOURS = {"dns": "#2a78b8", "notify": "#c46a1b", "send": "#3a8f45", "gate": "#7a7a7a"}
WORDS = {"dns": "change in DNS", "notify": "notice to customers", "send": "mail moves", "gate": "look before going on"}
QUIET = "#9a9a9a"


def timeline(plan: Plan) -> None:
    """Every step on the first day on which it can be done; the thin line is how long it may wait without harm to the deadline."""
    dated = [(_day(step.earliest), _day(step.latest), step) for step in plan.steps if step.earliest and step.latest]
    dated.sort(key=lambda row: row[:2])
    figure, axes = plt.subplots(num="timeline", figsize=(10, 0.3 * len(dated) + 1), layout="constrained")
    for row, (earliest, latest, step) in enumerate(dated):
        colour = COLOURS.get(step.kind, QUIET)
        axes.plot([earliest, latest], [row, row], color=colour, linewidth=1, alpha=0.5)
        axes.plot(earliest, row, "o", color=colour, markersize=6)
        axes.text(earliest, row, f"{step.title}  ", ha="right", va="center", fontsize=8, color=_ink(plan, step))
    if plan.parameters.deadline:
        deadline = _day(plan.parameters.deadline)
        axes.axvline(deadline, color="#b02020", linewidth=1)
        axes.text(deadline, -1, "deadline ", ha="right", va="center", fontsize=8, color="#b02020")
    axes.set(ylim=(len(dated) - 0.5, -1.5), yticks=[])
    axes.xaxis_date()
    axes.spines[["left", "right", "top"]].set_visible(False)
    marks = [Line2D([], [], color=COLOURS[kind], marker="o", linewidth=1, label=WORDS[kind]) for kind in COLOURS]
    axes.legend(handles=marks, loc="upper right", bbox_to_anchor=(0.97, 0.95), fontsize=8, frameon=False)
    figure.suptitle("Steps of the plan, and how long each may wait; the critical path in black", fontsize=10)


def _day(time: datetime) -> float:
    return float(date2num(time))  # type: ignore[no-untyped-call]


def _ink(plan: Plan, step: Step) -> str:
    return "black" if step.id in plan.critical_path else QUIET


def tree(cost: SpfCost) -> None:
    """The include tree: what each term spends, together with all that it refers to."""
    rows = [(0, cost.domain, cost.lookups["total"], None), *_spending(cost.tree, 1, 0)]
    figure, axes = plt.subplots(num="tree", figsize=(7, 0.28 * len(rows) + 0.5), layout="constrained")
    for row, (depth, text, lookups, parent) in enumerate(rows):
        if parent is not None:
            axes.plot([depth - 0.8, depth - 0.8, depth - 0.1], [parent + 0.35, row, row], color=QUIET, linewidth=0.8)
        axes.text(depth, row, text, va="center", fontsize=9, family="monospace")
        axes.text(9, row, str(lookups), va="center", ha="right", fontsize=9)
    axes.text(9, -1, "lookups", va="center", ha="right", fontsize=8, color=QUIET)
    axes.set(xlim=(0, 9.2), ylim=(len(rows) - 0.5, -1.5))
    axes.axis("off")
    figure.suptitle(f"{cost.lookups['total']} lookups of {cost.limits['lookups']}", fontsize=10)


def _spending(record: Mapping[str, Any], depth: int, parent: int) -> Iterator[tuple[int, str, int, int]]:
    row = parent
    for term in record["terms"]:
        if term["total"]["lookups"]:
            row += 1
            yield depth, term["term"], term["total"]["lookups"], parent
            below = list(_spending(term["child"], depth + 1, row)) if term["child"] else []
            yield from below
            row += len(below)
