"""Evidence: what DNS said."""

from __future__ import annotations

import json
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

from . import _native
from ._call import ask
from ._document import Document
from ._input import read_file, text_of
from ._input import text as _text
from ._record import Record

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

    __slots__ = ("_read",)

    _FORMAT = "sendershift-snapshot/1"

    taken: datetime | None
    """When the answers were gathered."""
    closed: bool
    """Whether what is not listed does not exist."""
    zones: tuple[str, ...]
    """The zones whose contents these are."""
    answers: tuple[Any, ...]
    public_suffixes: tuple[str, ...]
    """The rules of the public suffix list for some of the names."""

    _read: _native.Evidence

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a snapshot document, or the text of a zone file. Problems have their places in the text."""
        return cls._merged([("", _text("text", text))])

    @classmethod
    def from_zone(cls, text: str) -> Self:
        """As `from_json`, which knows the two apart."""
        return cls.from_json(text)

    @classmethod
    def merge(cls, *parts: str | Snapshot) -> Self:
        """Reads several texts, each a snapshot document or a zone file, as one snapshot; snapshots may be among them."""
        texts = (part.to_json() if isinstance(part, Snapshot) else _text("parts", part) for part in parts)
        return cls._merged([(f"parts[{at}]", part) for at, part in enumerate(texts)])

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """As `from_json`, for a file."""
        return read_file(cls.from_json, path)

    @classmethod
    def from_files(cls, *paths: str | PathLike[str]) -> Self:
        """As `merge`, for files."""
        if len(paths) == 1:
            return cls.from_file(paths[0])
        return cls._merged([(str(path).encode(errors="replace").decode(), text_of(path)) for path in paths])

    @classmethod
    def _merged(cls, texts: list[tuple[str, str]]) -> Self:
        evidence = _native.Evidence(texts)
        answer = _native.run("dns.snapshot", "{}", [("dns", evidence)])
        snapshot = cls._of(json.loads(answer), answer)
        object.__setattr__(snapshot, "_read", evidence)
        return snapshot

    def _evidence(self) -> _native.Evidence:
        """What was read of it, once."""
        if not hasattr(self, "_read"):
            object.__setattr__(self, "_read", _native.Evidence([("", self.to_json())]))
        return self._read

    def answer(self, name: str, type: str) -> Answer:
        """The answer to one question; aliases are not followed."""
        return ask(Answer, "dns.answer", {"dns": self, "name": name, "type": type})

    def policy(self, subject: str | SpfRecord, domain: str | None = None) -> Policy:
        """The SPF policy of a domain, or of a record that `domain` would publish."""
        from ._policy import Policy

        return Policy(self, subject, domain)


