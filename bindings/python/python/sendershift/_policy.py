"""Policies: the result of a record at every address."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any, Self

from . import _native
from ._call import ask
from ._native import Table
from ._record import ArrowTable, IPAddress, Record, text_of
from ._snapshot import Snapshot
from ._spf import Difference, SpfRecord, SpfResult


class Unknown(Record):
    """How a question turns out that depends on more than the address."""

    mechanism: str
    target: str
    domain: str | None
    sender_domain: str | None
    cidr: str | None
    turnout: Any
    void_queries: int


class Case(Record):
    """One way in which the evaluation for an address can go."""

    result: SpfResult
    assuming: tuple[Unknown, ...]


class Results:
    """The results of a policy at one kind of receiver."""

    __slots__ = ("_native",)

    def __init__(self, native: _native.Results) -> None:
        self._native = native

    def result(self, ip: str | IPAddress) -> SpfResult | None:
        """The result at an address; none where more than the address decides it."""
        result = self._native.result(ip)
        return None if result is None else SpfResult(result)

    def results(self, table: ArrowTable) -> Table:
        """`result` for each row of a table with the column `ip`, in the same order.

        The answer has `result`, null where more than the address decides it, and `error`, the error document of a row without an address.
        """
        return self._native.results(table)

    def cases(self, ip: str | IPAddress) -> tuple[Case, ...]:
        """Every result that is possible at an address, with what it assumes."""
        return tuple(map(Case._of, json.loads(self._native.cases(ip))))

    def always(self, result: str) -> _native.AddressSet:
        """The addresses that have this result whatever else is the case."""
        return self._native.always(result)

    def sometimes(self, result: str) -> _native.AddressSet:
        """The addresses that can have this result."""
        return self._native.sometimes(result)

    def __eq__(self, other: object) -> bool:
        return self._native == other._native if isinstance(other, Results) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._native)


class Policy(Record):
    """The result of a record at every address. Policies are equal if they have the same results at the same cost everywhere."""

    __slots__ = ("_compiled", "_results")

    dns: Snapshot
    subject: str
    domain: str | None

    _compiled: _native.Policy
    _results: Results

    def __new__(cls, dns: Snapshot, subject: str | SpfRecord, domain: str | None = None) -> Self:
        """Compiles the policy of a domain, or of a record that `domain` would publish."""
        text = str(subject) if isinstance(subject, SpfRecord) else subject
        compiled = _native.Policy.compile(dns.to_json(), text, domain)
        policy = cls._of({"dns": dns._data, "subject": text, "domain": domain})
        object.__setattr__(policy, "_compiled", compiled)
        object.__setattr__(policy, "_results", Results(compiled.under()))
        return policy

    @classmethod
    def _of(cls, data: Mapping[str, Any], text: str | None = None) -> Self:
        policy = object.__new__(cls)
        object.__setattr__(policy, "_data", data)
        object.__setattr__(policy, "_text", text)
        return policy

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Compiles what `to_dict` gave."""
        return cls(Snapshot.from_dict(data["dns"]), data["subject"], data.get("domain"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Compiles what `to_json` wrote."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """As `from_json`, for a file."""
        return cls.from_json(text_of(path))

    def result(self, ip: str | IPAddress) -> SpfResult | None:
        """The result at an address; none where more than the address decides it."""
        return self._results.result(ip)

    def results(self, table: ArrowTable) -> Table:
        """`result` for each row of a table with the column `ip`, in the same order.

        The answer has `result`, null where more than the address decides it, and `error`, the error document of a row without an address.
        """
        return self._results.results(table)

    def cases(self, ip: str | IPAddress) -> tuple[Case, ...]:
        """Every result that is possible at an address, with what it assumes."""
        return self._results.cases(ip)

    def always(self, result: str) -> _native.AddressSet:
        """The addresses that have this result whatever else is the case."""
        return self._results.always(result)

    def sometimes(self, result: str) -> _native.AddressSet:
        """The addresses that can have this result."""
        return self._results.sometimes(result)

    def under(self, receiver: str) -> Results:
        """The results at a kind of receiver."""
        return Results(self._compiled.under(receiver))

    def intended(self) -> Results:
        """The results without limits: what the record intends."""
        return Results(self._compiled.intended())

    def diff(self, other: Policy, *, receiver: str | None = None, intended: bool | None = None) -> Difference:
        """Where another policy differs from this one, which is the left side."""
        return ask(
            Difference,
            "spf.diff",
            dns=self.dns,
            left=self.subject,
            right=other.subject,
            right_dns=None if other.dns == self.dns else other.dns,
            domain=self.domain,
            right_domain=other.domain,
            receiver=receiver,
            intended=intended,
        )

    def __eq__(self, other: object) -> bool:
        return self._compiled == other._compiled if isinstance(other, Policy) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._compiled)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Policy, (self.dns, self.subject, self.domain)
