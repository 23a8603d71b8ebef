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


class Remark(Record):
    """Something that is worth knowing. The code is stable, the message may change."""

    code: str
    subject: str | None
    message: str

    def __str__(self) -> str:
        return self.message if self.subject is None else f"{self.subject}: {self.message}"


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

    def __str__(self) -> str:
        lines = [f"verdict: {self.verdict}"]
        lines += [f"{_named(one.promise)} at {one.receiver}: {one.verdict}" for one in self.promises]
        for name in ("judged", "not_judged"):
            lines.append(f"{name}: {', '.join(getattr(self, name))}")
        for one in self.promises:
            lines += [f"{one.promise} at {one.receiver}: {told}" for told in _story(one)]
        for name in ("undecided", "conditions", "assumptions", "findings"):
            lines += [f"{name}: {remark}" for remark in getattr(self, name)]
        # What others wrote into a plan forges no line, and tells a terminal nothing.
        return "\n".join(map(_native.line, lines))

    def _repr_html_(self) -> str:
        head = ("Promise", "Receiver", "Verdict", "Counterexample")
        rows = ((_named(one.promise), one.receiver, one.verdict, " ".join(_story(one))) for one in self.promises)
        notes = ("undecided", "conditions", "assumptions")
        remarks = ((name, str(remark)) for name in notes for remark in getattr(self, name))
        verdict = table(("Verdict", "Judged", "Not judged"), [self._row()])
        return verdict + table(head, rows) + table(("Remark", ""), remarks)

    def _row(self) -> tuple[str, str, str]:
        return self.verdict, ", ".join(self.judged), ", ".join(self.not_judged)


def _named(promise: str) -> str:
    return f"{promise} ({PROMISES.get(promise, 'not known')})"


def _story(one: PromiseVerdict) -> tuple[str, ...]:
    return one.counterexample.story if one.counterexample else ()
