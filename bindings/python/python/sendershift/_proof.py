"""What the prover says of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import _native
from ._document import Document
from ._record import Record, table
from ._values import Frozen, IPAddress

PROMISES: Mapping[str, str] = Frozen(_native.promises())
"""What each promise of a proof says."""


NOTES = ("undecided", "conditions", "assumptions", "findings")
"""Where a proof has remarks."""

PROGRESS = ("done", "begun", "implied", "next")
"""Where a plan that is under way has its steps."""


class Remark(Record):
    """Something that is worth knowing. The code is stable, the message may change."""

    code: str
    subject: str | None
    message: str

    def __str__(self) -> str:
        return _native.line(self.message if self.subject is None else f"{self.subject}: {self.message}")


class Counterexample(Record):
    """One message, or one record, for which a promise does not hold."""

    code: str
    stream: str | None
    identity: str | None
    delivered_by: str | None
    domain: str | None
    customer: str | None
    address: IPAddress | None
    mail_from: str | None
    helo: str | None
    judgement: str | None
    holding: tuple[Mapping[str, Any], ...]
    mta_sts: Mapping[str, Any] | None
    """The MTA-STS policy that whoever returns or answers the message holds."""
    assuming: tuple[Mapping[str, Any], ...]
    schedule: tuple[Mapping[str, Any], ...]
    spf: Mapping[str, Any] | None
    dmarc: str | None
    policy: Any
    story: tuple[str, ...]
    """What happens, for people."""


class PromiseVerdict(Record):
    """The verdict on one promise at one kind of receiver."""

    promise: str
    receiver: str
    verdict: str
    counterexample: Counterexample | None


class Proof(Document):
    """What was found out about a plan (`sendershift-proof/1`)."""

    _FORMAT = "sendershift-proof/1"

    verdict: str
    """`safe`, `unsafe` or `undecided`."""
    judged: tuple[str, ...]
    not_judged: tuple[str, ...]
    """The promises that the verdict says nothing about."""
    promises: tuple[PromiseVerdict, ...]
    explored: Mapping[str, int]
    undecided: tuple[Remark, ...]
    assumptions: tuple[Remark, ...]
    conditions: tuple[Remark, ...]
    findings: tuple[Remark, ...]
    margin: Mapping[str, Any] | None
    """What the plan would survive beyond what is assumed; none where that was not looked for."""
    progress: Mapping[str, Any] | None
    """How far the plan is, where it was judged beside what DNS says now."""

    @classmethod
    def _shape(cls) -> dict[str, Any]:
        drift = {"list": {"keys": {"name": "text", "type": "text"}}}
        steps: dict[str, Any] = {name: {"list": "text"} for name in PROGRESS}
        progress = {"keys": {**steps, "drift": drift, "without_drift": {"maybe": "text"}}}
        return {"keys": super()._shape()["keys"] | {"progress": {"maybe": progress}}}

    def __str__(self) -> str:
        lines = [f"verdict: {self.verdict}"]
        lines += [f"{_named(one.promise)} at {one.receiver}: {one.verdict}" for one in self.promises]
        for name in ("judged", "not_judged"):
            lines.append(f"{name}: {', '.join(getattr(self, name))}")
        for one in self.promises:
            lines += [f"{one.promise} at {one.receiver}: {told}" for told in _story(one)]
        for name in NOTES:
            lines += [f"{name}: {remark}" for remark in getattr(self, name)]
        lines += [f"{name}: {told}" for name, told in self._progress()]
        # What others wrote into a plan forges no line, and tells a terminal nothing.
        return "\n".join(map(_native.line, lines))

    def _repr_html_(self) -> str:
        head = ("Promise", "Receiver", "Verdict", "Counterexample")
        rows = ((_named(one.promise), one.receiver, one.verdict, " ".join(_story(one))) for one in self.promises)
        verdict = table(("Verdict", "Judged", "Not judged"), [self._row()])
        progress = table(("Progress", ""), self._progress()) if self.progress is not None else ""
        return verdict + table(head, rows) + remarks(self, *NOTES) + progress

    def _progress(self) -> list[tuple[str, str]]:
        """How far the plan is, and what others changed meanwhile."""
        if self.progress is None:
            return []
        told = [(name, ", ".join(self.progress[name]) or "none") for name in PROGRESS]
        drift = [("drift", f"{one['name']} {one['type']}") for one in self.progress["drift"]]
        without = self.progress["without_drift"]
        return [*told, *drift, *([("verdict without drift", without)] if without else [])]

    def _row(self) -> tuple[str, str, str]:
        return self.verdict, ", ".join(self.judged), ", ".join(self.not_judged)


def remarks(document: Record, *names: str) -> str:
    """Remarks of a document as an HTML table."""
    return table(("Remark", ""), ((name, remark) for name in names for remark in getattr(document, name)))


def _named(promise: str) -> str:
    return f"{promise} ({PROMISES.get(promise, 'not known')})"


def _story(one: PromiseVerdict) -> tuple[str, ...]:
    return one.counterexample.story if one.counterexample else ()
