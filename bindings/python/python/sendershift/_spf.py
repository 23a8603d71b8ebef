"""SPF: records, results, costs and differences."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from html import escape
from typing import Any, Self

from ._call import ask
from ._errors import Problem
from ._record import Document, IPAddress, Record, Written


class SpfResult(StrEnum):
    """A result of `check_host()` (RFC 7208 section 2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class SpfTerm(Record):
    """A directive or a modifier of a record."""

    text: str
    span: tuple[int, int]
    kind: str
    name: str
    qualifier: str | None
    costs_lookup: bool | None
    domain: str | None
    prefix4: int | None
    prefix6: int | None


class SpfRecord(Written):
    """An SPF record, as it was written."""

    lookup_terms: int
    """How many terms cost a lookup."""
    terms: tuple[SpfTerm, ...]

    @classmethod
    def parse(cls, record: str) -> Self:
        """Reads a record by the grammar of RFC 7208 section 12."""
        return ask(cls, "spf.parse", record=record)


class SpfCheck(Document):
    """What `check_host()` says of one client (`sendershift-check/1`)."""

    _FORMAT = "sendershift-check/1"

    ip: IPAddress
    mail_from: str
    helo: str | None
    domain: str | None
    receiver: str
    result: SpfResult
    lookups: int
    voids: int
    problem: Mapping[str, Any] | None
    explanation: str | None
    trace: tuple[Mapping[str, Any], ...]


class SpfCost(Document):
    """What a record and all that it refers to cost (`sendershift-cost/1`). Notebooks show the include tree."""

    _FORMAT = "sendershift-cost/1"

    domain: str
    published: bool
    receiver: str
    within: bool
    """Whether every address is within the limits."""
    lookups: Mapping[str, int]
    limits: Mapping[str, Any]
    remaining: Mapping[str, int | None]
    worst_v4: Mapping[str, int]
    worst_v6: Mapping[str, int]
    beyond: Mapping[str, Any]
    behind: tuple[Mapping[str, Any], ...]
    broken: Mapping[str, Any]
    classes: tuple[Mapping[str, Any], ...]
    truncated: bool
    tree: Mapping[str, Any]

    def _repr_html_(self) -> str:
        return f"<ul>{_branch(self.domain, self.tree)}</ul>"


class Difference(Document):
    """Where two policies differ (`sendershift-diff/1`)."""

    _FORMAT = "sendershift-diff/1"

    left: Mapping[str, Any]
    right: Mapping[str, Any]
    compared: str
    receiver: str | None
    equivalent: bool
    """Whether the policies are proven to be the same."""
    verdict: str
    """`equivalent`, `different` or `undecided`."""
    witness: Witness | None
    elsewhere: tuple[Mapping[str, Any], ...]
    ranges: tuple[Mapping[str, Any], ...]
    doubts: tuple[Mapping[str, Any], ...]
    adds: Mapping[str, Any]
    removes: Mapping[str, Any]


class Witness(Record):
    """One address at which two policies differ."""

    ip: IPAddress
    left: SpfResult
    right: SpfResult
    assuming: tuple[Mapping[str, Any], ...]


class RrSet(Record):
    """The records to publish at one name."""

    name: str
    type: str
    ttl: int | None
    records: tuple[Any, ...]
    octets: int


class Compacted(Document):
    """The best record that says the same, or why there is none (`sendershift-compact/1`)."""

    _FORMAT = "sendershift-compact/1"

    domain: str
    receivers: tuple[str, ...]
    reserve: int
    records: tuple[RrSet, ...]
    """What to publish; empty where no record keeps to the limits."""
    obsolete: tuple[str, ...]
    unchanged: bool
    before: Mapping[str, int]
    after: Mapping[str, int] | None
    healed: Mapping[str, Any]
    broken: Mapping[str, Any]
    opened: tuple[Mapping[str, Any], ...]
    unopened: tuple[Mapping[str, Any], ...]
    removed: tuple[Mapping[str, Any], ...]
    proof: Mapping[str, Any]
    infeasible: Mapping[str, Any] | None


class Finding(Problem):
    """Something that is wrong or unwise in a record."""

    severity: str
    name: str
    type: str
    record: str | None
    via: tuple[str, ...]


class Report(Document):
    """What was looked at and what was found (`sendershift-lint/1`)."""

    _FORMAT = "sendershift-lint/1"

    area: str
    subject: str
    receiver: str | None
    counts: Mapping[str, int]
    findings: tuple[Finding, ...]


def _branch(text: str, record: Mapping[str, Any] | None) -> str:
    """A record and, below each of its terms, what that refers to."""
    below = ""
    if record is not None:
        total = record["total"]["lookups"]
        text = f"{text}: {record['record'] or record['problem'] or ''} ({total})"
        branches = (_branch(term["term"], term["child"]) for term in record["terms"] if term["child"])
        below = f"<ul>{''.join(branches)}</ul>"
    return f"<li>{escape(text)}{below}</li>"
