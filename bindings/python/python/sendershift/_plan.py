"""Plans and migrations."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from os import PathLike
from typing import Any, Self

from . import _native
from ._call import Progress, ask, call
from ._proof import Proof, Remark
from ._record import Document, Record, table, text_of
from ._snapshot import Snapshot


class Parameters(Record):
    """Times and limits that a plan is judged by."""

    start: datetime
    deadline: datetime | None
    utc_offset: str
    queue_lifetime: timedelta
    signature_lifetime: timedelta
    resolver_stale: timedelta
    ttl_ceiling: timedelta
    publication_delay: timedelta
    receivers: tuple[str, ...]
    within_limits_from: str | None


class After(Record):
    """A wait: how long after an earlier step is done this one may start."""

    step: str
    at_least: timedelta


class Change(Record):
    """An edit of the records at one name, which leaves alone what else lives there."""

    name: str
    type: str
    ttl_before: int | None
    ttl_after: int | None
    remove: tuple[Any, ...]
    add: tuple[Any, ...]
    expect: Any
    preview: Any


class Use(Record):
    """An identity that a stream begins or ceases to use."""

    stream: str
    identity: str
    share: int | None
    over: timedelta | None


class Step(Record):
    """One step of a plan."""

    id: str
    phase: str
    kind: str
    """`dns`, `send`, `notify`, `customer`, `gate` or `external`."""
    owner: str
    title: str
    why: str
    after: tuple[After, ...]
    on: datetime | None
    changes: tuple[Change, ...]
    starts: tuple[Use, ...]
    stops: tuple[Use, ...]
    gives_up: tuple[Any, ...]
    done_when: str
    abort_when: str
    undo: str | tuple[Step, ...]
    """Words for people, or steps that are judged (P3)."""
    reversible: bool
    earliest: datetime | None
    latest: datetime | None
    slack: timedelta | None


class Plan(Document):
    """A migration as ordered steps, with all that is needed to judge it (`sendershift-plan/1`)."""

    _FORMAT = "sendershift-plan/1"

    title: str
    parameters: Parameters
    sources: tuple[Any, ...]
    streams: tuple[Any, ...]
    customers: tuple[Any, ...]
    steps: tuple[Step, ...]
    evidence: Snapshot
    assumptions: tuple[Remark, ...]
    findings: tuple[Remark, ...]
    blockers: tuple[Remark, ...]
    """Why there is no complete plan; empty for a complete one."""
    critical_path: tuple[str, ...]
    point_of_no_return: str | None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a plan document, as the planner or a person wrote it. A proof inside is not believed."""
        answer = _native.run("plan.read", text)
        return cls._of(json.loads(answer), answer)

    def prove(self, *, progress: Progress | None = None) -> Proof:
        """Tries to break the plan."""
        answer = _native.run("prove", self.to_json(), progress)
        return Proof._of(json.loads(answer), answer)

    def __str__(self) -> str:
        text: str = json.loads(_native.run("plan.text", self.to_json()))["text"]
        return text

    def _repr_html_(self) -> str:
        head = ("Step", "Kind", "Earliest", "Latest", "Slack", "Title")
        rows = ((s.id, s.kind, s.earliest, s.latest, s.slack, s.title) for s in self.steps)
        return table((self.title,), ()) + table(head, rows)


class Migration(Document):
    """What shall change, as a person wrote it (`sendershift-migration/1`, TOML)."""

    _FORMAT = "sendershift-migration/1"

    title: str
    announce: datetime
    deadline: datetime | None
    domains: tuple[str, ...]
    sources: tuple[str, ...]
    waves: tuple[str, ...]
    streams: tuple[str, ...]
    customers: tuple[str, ...]
    migration: str
    """The text of the file: all that is decided by it."""

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Reads the text of a migration file. Problems have their places in it."""
        return cls._of({**call("migration.read", {"migration": text}), "migration": text})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote; only the text of the file counts."""
        return cls.from_toml(super().from_json(text).migration)

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """Reads a migration file."""
        return cls.from_toml(text_of(path))

    def plan(self, evidence: Snapshot) -> Plan:
        """The ordered, dated steps. Nothing is known of them before `Plan.prove` has judged them."""
        return ask(Plan, "plan.draft", migration=self.migration, dns=evidence)
