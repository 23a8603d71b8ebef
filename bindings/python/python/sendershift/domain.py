"""Operations on what stands beside a domain's mail: null MX, MTA-STS, TLS reports, BIMI; and what changed."""

from __future__ import annotations

from ._call import ask
from ._dmarc import Drift
from ._snapshot import Snapshot
from ._spf import Report

__all__ = ["drift", "lint"]


def lint(dns: Snapshot, domain: str) -> Report:
    """What is wrong or unwise."""
    return ask(Report, "domain.lint", {"dns": dns, "domain": domain})


def drift(before: Snapshot, after: Snapshot) -> Drift:
    """What changed in DNS between two snapshots."""
    return ask(Drift, "drift", {"before": before, "after": after})
