"""Whole documents, which can be written and read again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from os import PathLike
from typing import Any, ClassVar, Self

from . import _native
from ._call import ask
from ._errors import InvalidError, within
from ._input import read_file, table
from ._input import text as _text
from ._record import Record


def read(text: str, format: str | None, shape: Mapping[str, Any]) -> dict[str, Any]:
    """A document of a format, if one is given, and of a shape, without any key twice in a table."""
    _native.expect_document(_text("text", text), format, json.dumps(shape))
    try:
        data: dict[str, Any] = json.loads(text.removeprefix("\ufeff"), parse_float=_finite)
    except ValueError as error:  # such as a number of thousands of digits
        raise InvalidError._of("json.syntax", f"argument 'text': {error}") from None
    return data


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits} is too large")
    return number


class Document(Record):
    """A whole document, which can be written and read again."""

    _FORMAT: ClassVar[str]
    _ON_REQUEST: ClassVar[tuple[str, ...]] = ()
    """What it has where that was asked for."""

    @classmethod
    def _shape(cls) -> dict[str, Any]:
        keys = super()._shape()["keys"]
        return {"keys": keys | {key: {"maybe": keys[key]} for key in cls._ON_REQUEST}}

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a document that the core once gave."""
        return cls._of(read(text, cls._FORMAT, cls._shape()))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """As `from_json`, for what is already read."""
        return cls.from_json(table("data", data))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """As `from_json`, for a file."""
        return read_file(cls.from_json, path)


class Written(Record):
    """A record of DNS: its text says all, and the rest is read of it."""

    record: str
    """The text that was given; places count in it."""
    canonical: str
    """The text of the same record as sendershift would write it."""

    _OPERATION: ClassVar[str]

    @classmethod
    def parse(cls, record: str) -> Self:
        """Reads a record."""
        given = _text("record", record)
        read = ask(cls, cls._OPERATION, {"record": given})._data
        return cls._of({**read, "record": given, "canonical": read["record"]})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote; only the text of the record counts."""
        record = read(text, None, {"keys": {"record": "text"}})["record"]
        with within("record"):
            return cls.parse(record)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """As `from_json`, for what is already read."""
        return cls.from_json(table("data", data))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """As `from_json`, for a file."""
        return read_file(cls.from_json, path)

    def __str__(self) -> str:
        return self.record

    def _input(self) -> str:
        return json.dumps(self.record, ensure_ascii=False)
