"""SPF: records, results, costs and differences."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from html import escape
from typing import Any

from ._document import Document, Written
from ._errors import Problem
from ._record import Record
from ._values import IPAddress, IPNetwork


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
    """Where it stands in the record, in octets."""
    kind: str
    """`directive` or `modifier`."""
    name: str
    """Of the mechanism or modifier, in lower case."""
    qualifier: str | None
    """The result of a directive that matches: `pass`, `fail`, `softfail` or `neutral`, also where it is not written."""
    costs_lookup: bool | None
    """Whether it counts towards the limit of ten (RFC 7208 section 4.6.4)."""
    domain: str | None
    """The domain that it refers to, as it is written."""
    prefix4: int | None
    prefix6: int | None
    network: IPNetwork | None
    """The network of `ip4` and `ip6`."""
    value: str | None
    """The value of an unknown modifier."""


class SpfRecord(Written):
    """An SPF record, as it was written."""

    _OPERATION = "spf.parse"

    lookup_terms: int
    """How many terms cost a lookup."""
    terms: tuple[SpfTerm, ...]


class SpfCheck(Document):
    """What `check_host()` says of one client (`sendershift-check/1`)."""

    _FORMAT = "sendershift-check/1"
    _ON_REQUEST = ("trace",)

    ip: IPAddress
    mail_from: str
    helo: str | None
    domain: str | None
    """The domain that was checked."""
    receiver: str
    """The kind of receiver whose limits apply."""
    result: SpfResult
    lookups: int
    """How many lookups were spent; 11 means too many."""
    voids: int
    """How many lookups were void."""
    problem: Mapping[str, Any] | None
    """Why it is an error, with a `code`."""
    explanation: str | None
    """What the domain says to those it refuses (RFC 7208 section 6.2)."""
    trace: tuple[Mapping[str, Any], ...]
    """What each term did, where that was asked for."""


class SpfCost(Document):
    """What a record and all that it refers to cost (`sendershift-cost/1`). Notebooks show the include tree."""

    _FORMAT = "sendershift-cost/1"

    domain: str
    published: bool
    """Whether the record is the one that the domain publishes."""
    receiver: str
    """The kind of receiver whose limits apply."""
    within: bool
    """Whether every address is within the limits."""
    lookups: Mapping[str, int]
    """How many lookups the record and all that it includes have, by what is counted."""
    limits: Mapping[str, Any]
    """What the receiver allows."""
    remaining: Mapping[str, int | None]
    """What is left of that at the worst address."""
    worst_v4: Mapping[str, int]
    """What the worst IPv4 address spends."""
    worst_v6: Mapping[str, int]
    """What the worst IPv6 address spends."""
    beyond: Mapping[str, Any]
    """The addresses that are beyond a limit."""
    behind: tuple[Mapping[str, Any], ...]
    """The terms that authorise addresses behind a limit."""
    broken: Mapping[str, Any]
    """The addresses that meet an error before any limit."""
    classes: tuple[Mapping[str, Any], ...]
    """What addresses have spent when they have their result, and how many these are."""
    truncated: bool
    """Whether the tree is not shown whole."""
    tree: Mapping[str, Any]
    """The record with its terms, and below each what it refers to."""
    address: Mapping[str, Any] | None
    """Which terms decide the address that was asked about."""
    unknowns: tuple[Mapping[str, Any], ...]
    """What depends on more than the address."""

    @classmethod
    def _shape(cls) -> dict[str, Any]:
        return {"keys": super()._shape()["keys"] | {"tree": _tree(DEEPEST)}}

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
    idle: tuple[str, ...]
    """Terms that can decide nothing: the new record is without them."""
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
    """How many findings there are of each severity."""
    findings: tuple[Finding, ...]
    skipped: tuple[Any, ...]
    """What was not looked at."""


DEEPEST = 12
"""After ten lookups (RFC 7208 section 4.6.4) nobody gets any deeper."""


def _tree(depth: int) -> Any:
    """What `_branch` goes through."""
    if depth == 0:
        return "table"
    problem = {"maybe": {"keys": {"code": "text"}}}
    term = {"keys": {"term": "text", "problem": problem, "child": {"maybe": _tree(depth - 1)}}}
    total = {"keys": {"lookups": "integer"}}
    return {"keys": {"record": {"maybe": "text"}, "total": total, "problem": problem, "terms": {"list": term}}}


def _branch(text: str, record: Mapping[str, Any] | None, problem: Mapping[str, Any] | None = None) -> str:
    """A record and, below each of its terms, what that refers to, with the codes of what is wrong."""
    below = ""
    if record is not None:
        text = f"{text}: {record['record'] or ''} ({record['total']['lookups']})"
        problem = problem or record["problem"]
        terms = (term for term in record["terms"] if term["child"] or term["problem"])
        branches = (_branch(term["term"], term["child"], term["problem"]) for term in terms)
        below = f"<ul>{''.join(branches)}</ul>"
    if problem is not None:
        text = f"{text} [{problem['code']}]"
    return f"<li>{escape(text)}{below}</li>"
