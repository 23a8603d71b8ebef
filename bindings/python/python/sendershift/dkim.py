"""Operations on DKIM (RFC 6376). What is `None` is left to the core."""

from __future__ import annotations

from collections.abc import Sequence

from ._call import ask
from ._dmarc import DkimKey
from ._snapshot import Snapshot
from ._spf import Report

__all__ = ["lint", "parse"]


def parse(record: str) -> DkimKey:
    """Reads a key record."""
    return DkimKey.parse(record)


def lint(
    dns: Snapshot,
    domains: Sequence[str],
    *,
    selectors: Sequence[str] | None = None,
    earlier: Snapshot | None = None,
) -> Report:
    """What is wrong or unwise in the keys of domains, also beside evidence of an earlier day."""
    return ask(Report, "dkim.lint", {"dns": dns, "domains": domains}, selectors=selectors, earlier=earlier)
