"""Operations on SPF (RFC 7208). What is `None` is left to the core."""

from __future__ import annotations

from collections.abc import Sequence

from . import _native
from ._call import Progress, ask, evidence
from ._input import text
from ._native import Table
from ._snapshot import Snapshot
from ._spf import Compacted, Difference, Report, SpfCheck, SpfCost, SpfRecord
from ._tables import ArrowTable, Parts
from ._values import IPAddress

__all__ = ["check", "check_many", "compact", "cost", "cost_many", "diff", "lint", "parse"]


def parse(record: str) -> SpfRecord:
    """Reads a record."""
    return SpfRecord.parse(record)


def check(
    dns: Snapshot,
    ip: str | IPAddress,
    mail_from: str,
    *,
    helo: str | None = None,
    receiver: str | None = None,
    trace: bool | None = None,
) -> SpfCheck:
    """The result of `check_host()` for one client. An empty `mail_from` is the null sender."""
    needed = {"dns": dns, "ip": ip, "mail_from": mail_from}
    return ask(SpfCheck, "spf.check", needed, helo=helo, receiver=receiver, trace=trace)


def check_many(dns: Snapshot, table: ArrowTable, *, receiver: str | None = None) -> Table:
    """`check` for each row of a table with the columns `ip`, `mail_from` and, where it is known, `helo`.

    The answer has as many rows, in the same order: `result`, `domain`, `lookups`, `voids`, `problem` (a code), and `error`, the error
    document of a row that has no result. Raises `ValueError` for a table in which `ip` or `mail_from` is missing, or a column stands twice.
    """
    receiver = None if receiver is None else text("receiver", receiver)
    return _native.check_many(evidence(dns), Parts(table, ["ip", "mail_from"], "helo"), receiver)


def cost(
    dns: Snapshot,
    subject: str | SpfRecord,
    *,
    domain: str | None = None,
    receiver: str | None = None,
    ip: str | IPAddress | None = None,
) -> SpfCost:
    """What a domain's record, or a record that `domain` would publish, spends; with `ip` which terms decide that address."""
    return ask(SpfCost, "spf.cost", {"dns": dns, "subject": subject}, domain=domain, receiver=receiver, ip=ip)


def cost_many(dns: Snapshot, table: ArrowTable, *, receiver: str | None = None) -> Table:
    """`cost` for each row of a table with the columns `subject` and, for records that need one, `domain`.

    The answer has as many rows, in the same order: `domain`, `within`, `lookups` (the total), `lookups_v4` and `lookups_v6` (of the worst
    addresses), `remaining_lookups`, `remaining_voids`, and `error`, the error document of a row that has no cost. Raises `ValueError` for a
    table in which `subject` is missing, or a column stands twice.
    """
    receiver = None if receiver is None else text("receiver", receiver)
    return _native.cost_many(evidence(dns), Parts(table, ["subject"], "domain"), receiver)


def lint(
    dns: Snapshot,
    subject: str | SpfRecord,
    *,
    domain: str | None = None,
    receiver: str | None = None,
) -> Report:
    """What is wrong or unwise in a record and in all that it refers to."""
    return ask(Report, "spf.lint", {"dns": dns, "subject": subject}, domain=domain, receiver=receiver)


def diff(
    dns: Snapshot,
    left: str | SpfRecord,
    right: str | SpfRecord,
    *,
    right_dns: Snapshot | None = None,
    domain: str | None = None,
    receiver: str | None = None,
    intended: bool | None = None,
) -> Difference:
    """Where two domains or records differ; `right_dns` is other evidence for the right side."""
    given = {"right_dns": right_dns, "domain": domain, "receiver": receiver, "intended": intended}
    return ask(Difference, "spf.diff", {"dns": dns, "left": left, "right": right}, **given)


def compact(
    dns: Snapshot,
    subject: str | SpfRecord,
    *,
    domain: str | None = None,
    receivers: Sequence[str] | None = None,
    reserve: int | None = None,
    octets: int | None = None,
    max_records: int | None = None,
    keep: Sequence[str] | None = None,
    flatten: Sequence[str] | None = None,
    drop: Sequence[str] | None = None,
    repair: bool | None = None,
    contract: bool | None = None,
    budget: int | None = None,
    progress: Progress | None = None,
) -> Compacted:
    """The best record that says the same and keeps to the limits, with its proof.

    - `domain`: where a record that is the subject would be published.
    - `receivers`: the kinds of receivers at whose limits it has to say what it intends.
    - `reserve`: so many lookups are left unspent.
    - `octets`: what all text at the name may take, in wire form.
    - `max_records`: so many extra records at most, at names below the domain.
    - `keep`: includes that stay as they are.
    - `flatten`: names whose addresses are stable, and may be written out.
    - `drop`: includes that go, with all that they authorise.
    - `repair`: whether what is broken may be repaired, which changes what the record intends; the proof is relative to that.
    - `contract`: whether others include the record, so that its cost to them may not rise.
    - `budget`: how many steps the search may take before it ends with what it has.
    - `progress`: is told how many drafts were looked at.
    """
    given = {
        "domain": domain,
        "receivers": receivers,
        "reserve": reserve,
        "octets": octets,
        "max_records": max_records,
        "keep": keep,
        "flatten": flatten,
        "drop": drop,
        "repair": repair,
        "contract": contract,
        "budget": budget,
    }
    return ask(Compacted, "spf.compact", {"dns": dns, "subject": subject}, progress, **given)
