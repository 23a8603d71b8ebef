"""Whole documents, which can be written and read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from typing import Any, ClassVar, Self

from . import _native
from ._input import read_file, written
from ._record import Record


class Document(Record):
    """A whole document, which can be written and read again."""

    _FORMAT: ClassVar[str]

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a document that the core once gave."""
        _native.expect_document(text, cls._FORMAT, [])
        return cls._of(json.loads(text))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """As `from_json`, for what is already read."""
        return cls.from_json(written("data", data))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """As `from_json`, for a file."""
        return read_file(cls.from_json, path)


class Written(Record):
    """A record of DNS: its text says all, and the rest is read of it."""

    record: str

    @classmethod
    def parse(cls, record: str) -> Self:
        """Reads a record."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote; only the text of the record counts."""
        _native.expect_document(text, None, ["record"])
        return cls.parse(json.loads(text)["record"])

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """As `from_json`, for what is already read."""
        return cls.from_json(written("data", data))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """As `from_json`, for a file."""
        return read_file(cls.from_json, path)

    def __str__(self) -> str:
        return self.record

    def _input(self) -> str:
        return json.dumps(self.record, ensure_ascii=False)
