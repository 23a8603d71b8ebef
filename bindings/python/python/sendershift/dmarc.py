"""Operations on DMARC (RFC 9989, RFC 7489). What is `None` is left to the core."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ._call import ask
from ._dmarc import DmarcCheck, DmarcRecord, DmarcVerdict
from ._snapshot import Snapshot
from ._spf import Report

__all__ = ["Identified", "check", "evaluate", "lint", "parse"]

Identified: TypeAlias = tuple[str, str]
"""A domain and the result that was found for it."""


def parse(record: str) -> DmarcRecord:
    """Reads a record."""
    return DmarcRecord.parse(record)


def check(
    dns: Snapshot,
    author_domain: str,
    *,
    spf: Identified | None = None,
    dkim: Sequence[Identified] = (),
) -> DmarcCheck:
    """What receivers of both generations make of a message, given the results of SPF and of each signature."""
    if isinstance(dkim, str) or not isinstance(dkim, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"argument 'dkim': expected several domains with their results, found {dkim!r}")
    results = {"spf": None if spf is None else _identified("spf", spf), "dkim": [_identified("dkim", one) for one in dkim]}
    return ask(DmarcCheck, "dmarc.check", {"dns": dns, "from": author_domain}, **results)


def evaluate(
    dns: Snapshot,
    author_domain: str,
    *,
    spf: str | None = None,
    dkim: Sequence[str] = (),
) -> DmarcVerdict:
    """By RFC 9989 alone: the domain that passed SPF, and the domains whose signatures were verified."""
    return ask(DmarcVerdict, "dmarc.evaluate", {"dns": dns, "from": author_domain}, spf=spf, dkim=dkim)


def lint(dns: Snapshot, subject: str | DmarcRecord, *, domain: str | None = None) -> Report:
    """What is wrong or unwise in a policy and what stands beside it."""
    return ask(Report, "dmarc.lint", {"dns": dns, "subject": subject}, domain=domain)


def _identified(argument: str, given: Identified) -> dict[str, str]:
    match given:
        case (domain, result) if not isinstance(given, str):
            return {"domain": domain, "result": result}
        case _:
            raise TypeError(f"argument '{argument}': expected a domain and its result, found {given!r}")
