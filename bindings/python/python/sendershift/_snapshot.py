"""Evidence: what DNS said."""

from __future__ import annotations

from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

from ._call import ask
from ._record import Document, Record, text_of

if TYPE_CHECKING:
    from ._policy import Policy
    from ._spf import SpfRecord


class Answer(Record):
    """What the evidence says to one question."""

    answer: str
    """`records`, `alias`, `nodata`, `nxdomain`, `failed` or `unknown`."""
    ttl: int | None
    authoritative: bool | None
    records: tuple[Any, ...]


class Snapshot(Document):
    """What DNS said, and when (`sendershift-snapshot/1`)."""

    _FORMAT = "sendershift-snapshot/1"

    taken: datetime | None
    """When the answers were gathered."""
    closed: bool
    """Whether what is not listed does not exist."""
    zones: tuple[str, ...]
    answers: tuple[Any, ...]

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a snapshot document, or the text of a zone file. Problems have their places in the text."""
        return ask(cls, "dns.snapshot", dns=text)

    @classmethod
    def from_zone(cls, text: str) -> Self:
        """As `from_json`, which knows the two apart."""
        return cls.from_json(text)

    @classmethod
    def merge(cls, *texts: str) -> Self:
        """Reads several texts, each a snapshot document or a zone file, as one snapshot."""
        return ask(cls, "dns.snapshot", dns=texts)

    @classmethod
    def from_files(cls, *paths: str | PathLike[str]) -> Self:
        """As `merge`, for files."""
        return cls.merge(*map(text_of, paths))

    def answer(self, name: str, type: str) -> Answer:
        """The answer to one question; aliases are not followed."""
        return ask(Answer, "dns.answer", dns=self, name=name, type=type)

    def policy(self, subject: str | SpfRecord, domain: str | None = None) -> Policy:
        """The SPF policy of a domain, or of a record that `domain` would publish."""
        from ._policy import Policy

        return Policy(self, subject, domain)
