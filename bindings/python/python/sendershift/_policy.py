"""Policies: the result of a record at every address."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any, Self

from . import _native
from ._call import ask, evidence
from ._document import read
from ._input import read_file, table, text
from ._native import Table
from ._record import Record
from ._snapshot import Snapshot
from ._spf import Difference, SpfRecord, SpfResult
from ._tables import ArrowTable, Parts
from ._values import IPAddress


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
    """The results of a policy at one kind of receiver, or without limits."""

    __slots__ = ("_held", "_intended", "_policy", "_receiver")

    _policy: Policy
    _receiver: str | None
    _intended: bool
    _held: _native.Results

    def __new__(cls, policy: Policy, receiver: str | None = None, *, intended: bool = False) -> Self:
        """As `Policy.under`; with `intended` as `Policy.intended`."""
        if not isinstance(policy, Policy):  # pyright: ignore[reportUnnecessaryIsInstance]
            found = type(policy).__name__
            raise TypeError(f"argument 'policy': expected a Policy, found '{found}' (`Policy.under` and `Policy.intended` give results)")
        if intended and receiver is not None:
            raise TypeError("argument 'receiver': what a record intends is the same at every receiver")
        results = super().__new__(cls)
        held = policy._compiled.intended() if intended else policy._compiled.under(receiver)
        of: dict[str, object] = {"_policy": policy, "_receiver": receiver, "_intended": intended, "_held": held}
        for name, value in of.items():
            object.__setattr__(results, name, value)
        return results

    def result(self, ip: str | IPAddress) -> SpfResult | None:
        """The result at an address; none where more than the address decides it."""
        result = self._held.result(ip)
        return None if result is None else SpfResult(result)

    def results(self, table: ArrowTable) -> Table:
        """`result` for each row of a table with the column `ip`, in the same order.

        The answer has `result`, null where more than the address decides it, and `error`, the error document of a row without an address.
        Raises `ValueError` for a table without that column, or with two.
        """
        return self._held.results(Parts(table, ["ip"]))

    def cases(self, ip: str | IPAddress) -> tuple[Case, ...]:
        """Every result that is possible at an address, with what it assumes."""
        return tuple(map(Case._of, json.loads(self._held.cases(ip))))

    def always(self, result: str) -> _native.AddressSet:
        """The addresses that have this result whatever else is the case."""
        return self._held.always(text("result", result))

    def sometimes(self, result: str) -> _native.AddressSet:
        """The addresses that can have this result."""
        return self._held.sometimes(text("result", result))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Results do not change: '{name}' cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Results do not change: '{name}' cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self._held == other._held if isinstance(other, Results) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._held)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _results, (self._policy, self._receiver, self._intended)

    def __repr__(self) -> str:
        at = f" at {self._receiver} receivers" if self._receiver else ""
        return f"<Results of {self._policy!r}{' as intended' if self._intended else at}>"


class Policy(Record):
    """The result of a record at every address. Policies are equal if they have the same results at the same cost everywhere.

    A client that is mapped from IPv4 (`::ffff:192.0.2.1`) is the IPv4 client that it stands for (RFC 7208 section 5), here and in sets.
    """

    __slots__ = ("_compiled", "_dns", "_results")

    subject: str
    domain: str | None

    _dns: Snapshot
    _compiled: _native.Policy
    _results: Results

    def __new__(cls, dns: Snapshot, subject: str | SpfRecord, domain: str | None = None) -> Self:
        """Compiles the policy of a domain, or of a record that `domain` would publish."""
        policy = object.__new__(cls)
        answers = evidence(dns)
        record = str(subject) if isinstance(subject, SpfRecord) else text("subject", subject)
        domain = None if domain is None else text("domain", domain)
        of: dict[str, object] = {"_dns": dns, "_compiled": _native.Policy(answers, record, domain)}
        of |= {"_data": {"dns": dns._data, "subject": record, "domain": domain}, "_text": None}
        for name, value in of.items():
            object.__setattr__(policy, name, value)
        object.__setattr__(policy, "_results", Results(policy))
        return policy

    def __init__(self, dns: Snapshot, subject: str | SpfRecord, domain: str | None = None) -> None:
        """What it is it was made as."""

    @classmethod
    def _of(cls, data: Mapping[str, Any], text: str | None = None) -> Self:
        return cls(Snapshot.from_dict(data["dns"]), data["subject"], data.get("domain"))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Compiles what `to_dict` gave."""
        return cls.from_json(table("data", data))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Compiles what `to_json` wrote."""
        return cls._of(read(text, None, {"only": {"dns": "evidence", "subject": "text", "domain": {"maybe": "text"}}}))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """As `from_json`, for a file."""
        return read_file(cls.from_json, path)

    @property
    def dns(self) -> Snapshot:
        """The evidence."""
        return self._dns

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
        return Results(self, text("receiver", receiver))

    def intended(self) -> Results:
        """The results without limits: what the record intends."""
        return Results(self, intended=True)

    def diff(self, other: Policy, *, receiver: str | None = None, intended: bool | None = None) -> Difference:
        """Where another policy differs from this one, which is the left side."""
        if not isinstance(other, Policy):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"argument 'other': expected a Policy, found '{type(other).__name__}'")
        return ask(
            Difference,
            "spf.diff",
            {"dns": self.dns, "left": self.subject, "right": other.subject},
            right_dns=None if other.dns is self.dns or other.dns == self.dns else other.dns,
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
        return type(self), (self.dns, self.subject, self.domain)


def _results(policy: Policy, receiver: str | None, intended: bool) -> Results:
    return Results(policy, receiver, intended=intended)
