"""Plans and migrations."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from os import PathLike
from typing import Any, Self

from . import _native
from ._call import Progress, ask, call
from ._call import evidence as _evidence
from ._document import Document, read
from ._errors import within
from ._input import read_file
from ._input import text as _text
from ._proof import Proof, Remark, remarks
from ._record import Record, table
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
    mta_sts: tuple[Any, ...]
    """The MTA-STS policies of domains that bounces or answers go to."""
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
        answer = _native.run("plan.read", _text("text", text))
        return cls._of(json.loads(answer), answer)

    def prove(self, now: Snapshot | None = None, *, progress: Progress | None = None) -> Proof:
        """Tries to break the plan; with `now`, what DNS says today, what is left of it."""
        if now is not None:
            _evidence(now, "now")
            return ask(Proof, "prove", {"plan": self, "dns": now}, progress)
        answer = _native.run("prove", self.to_json(), None, progress)
        return Proof._of(json.loads(answer), answer)

    def course(self) -> Course:
        """When the steps happen if everything goes well, and how long caches may keep what they replace."""
        answer = _native.run("plan.course", self.to_json())
        return Course._of(json.loads(answer), answer)

    def __str__(self) -> str:
        text: str = json.loads(_native.run("plan.text", self.to_json()))["text"]
        return text

    def _repr_html_(self) -> str:
        head = ("Step", "Kind", "Earliest", "Latest", "Slack", "Title")
        rows = ((s.id, s.kind, s.earliest, s.latest, s.slack, s.title) for s in self.steps)
        blockers = table(("This plan is not complete",), ((told,) for told in self.blockers)) if self.blockers else ""
        return table((self.title,), ()) + blockers + table(head, rows) + remarks(self, "findings", "assumptions")


class Planned(Record):
    """When a step happens if everything goes well; never, if it cannot be done as it stands."""

    id: str
    start: datetime | None
    done: datetime | None


class Version(Record):
    """One version of the records at one name."""

    name: str
    type: str
    records: tuple[Any, ...] | None
    """None where the version is that there are none."""
    published_by: str | None
    """The step that publishes it; none where it is from before the plan."""
    replaced_by: str | None
    kept_for: int | None
    """How many seconds after that step is done a cache may still answer with it."""


class Course(Document):
    """How a plan goes if everything goes well (`sendershift-course/1`)."""

    _FORMAT = "sendershift-course/1"

    steps: tuple[Planned, ...]
    """In the order of the plan."""
    versions: tuple[Version, ...]
    """Of the records that the plan changes, those of each name in their order."""


class Value(Record):
    """A value of a migration file, and where it stands."""

    path: tuple[Any, ...]
    """The keys and indices that lead to it."""
    value: Any
    span: tuple[int, int]


class Values(Document):
    """The values of a migration file, whatever they mean (`sendershift-values/1`)."""

    _FORMAT = "sendershift-values/1"

    values: tuple[Value, ...]


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
        return cls._of({**call("migration.read", {"migration": _text("text", text)}), "migration": text})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote; only the text of the file counts."""
        migration = read(text, cls._FORMAT, {"keys": {"migration": "text"}})["migration"]
        with within("migration"):
            return cls.from_toml(migration)

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """Reads a migration file, or what `to_json` wrote."""
        return read_file(cls._from_text, path)

    @classmethod
    def _from_text(cls, text: str) -> Self:
        # No TOML begins with a brace.
        is_json = text.lstrip("\ufeff \t\r\n").startswith("{")
        return cls.from_json(text) if is_json else cls.from_toml(text)

    def plan(self, evidence: Snapshot) -> Plan:
        """The ordered, dated steps. Nothing is known of them before `Plan.prove` has judged them."""
        _evidence(evidence, "evidence")
        return ask(Plan, "plan.draft", {"migration": self.migration, "dns": evidence})

    def values(self) -> Values:
        """The values of the file and where they stand, so that something else can be written in the place of one."""
        return ask(Values, "migration.values", {"migration": self.migration})
