"""DMARC and DKIM: records and results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._document import Document, Written
from ._errors import Problem
from ._record import Record


class DmarcRecord(Written):
    """A DMARC policy record (RFC 9989 section 4.7)."""

    _OPERATION = "dmarc.parse"

    p: str
    sp: str | None
    np: str | None
    psd: str
    t: bool
    adkim: str
    aspf: str
    rua: tuple[Any, ...]
    ruf: tuple[Any, ...]
    fo: tuple[str, ...]
    notes: tuple[Problem, ...]
    """What receivers ignore."""


class DkimKey(Written):
    """A DKIM key record (RFC 6376 section 3.6.1)."""

    _OPERATION = "dkim.parse"

    algorithm: str
    bits: int | None
    revoked: bool
    hashes: tuple[str, ...] | None
    services: tuple[str, ...]
    testing: bool
    strict: bool


class DmarcCheck(Document):
    """A message before receivers of both generations of DMARC (`sendershift-dmarc/1`)."""

    _FORMAT = "sendershift-dmarc/1"

    from_: str
    spf: Mapping[str, Any] | None
    dkim: tuple[Mapping[str, Any], ...]
    rfc9989: Mapping[str, Any]
    rfc7489: Mapping[str, Any] | None
    differences: tuple[Mapping[str, Any], ...]


class DmarcVerdict(Record):
    """A message before receivers of RFC 9989."""

    result: str
    policy: str | None
    spf_aligned: bool
    dkim_aligned: bool
    discovery: Mapping[str, Any]


class Drift(Document):
    """What changed in DNS between two snapshots (`sendershift-drift/1`)."""

    _FORMAT = "sendershift-drift/1"

    changes: tuple[Mapping[str, Any], ...]
    not_compared: tuple[Any, ...]
