"""What is given: values written as JSON, texts, files."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from os import PathLike
from pathlib import Path
from typing import Any, SupportsIndex, TypeVar

from . import _native
from ._errors import InvalidError, SendershiftError
from ._record import Record

T = TypeVar("T")


def written(argument: str, value: object) -> str:
    """A value as JSON."""
    if isinstance(value, Record):
        return value._input()
    try:
        return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))
    except TypeError as error:
        raise TypeError(f"argument '{argument}': {error}") from None
    except RecursionError:
        raise InvalidError._of("json.syntax", f"argument '{argument}': the value is too deep") from None
    except ValueError as error:
        raise InvalidError._of("json.syntax", f"argument '{argument}': {error}") from None


def table(argument: str, value: object) -> str:
    """A document that is read already, as JSON."""
    if isinstance(value, (Mapping, Record)):
        return written(argument, value)
    raise TypeError(f"argument '{argument}': expected a dictionary, found '{type(value).__name__}'")


def text(argument: str, value: object) -> str:
    """A value that has to be a text."""
    if isinstance(value, str):
        return value
    raise TypeError(f"argument '{argument}': expected text, found '{type(value).__name__}'")


def text_of(path: str | PathLike[str]) -> str:
    """The text of a file, with the ends of its lines as they are: places count octets."""
    if not isinstance(path, (str, PathLike)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"argument 'path': expected a path, found '{type(path).__name__}'")
    octets = Path(path).read_bytes()
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        told = f"`{path}` is not UTF-8 text: octet {error.start} (counted from 0) begins no character"
        raise _in_file(InvalidError._of("file.not-utf8", told), path) from None


def read_file(read: Callable[[str], T], path: str | PathLike[str]) -> T:
    """What is read of the text of a file. What is wrong with it names the file."""
    content = text_of(path)
    try:
        return read(content)
    except SendershiftError as error:
        raise _in_file(error, path) from None


def _in_file(error: SendershiftError, path: str | PathLike[str]) -> SendershiftError:
    error.file = str(path)
    error.add_note(f"in the file {path}")
    return error


def _plain(value: object) -> object:
    """Objects of Python as documents have them."""
    match value:
        case Record():
            return json.loads(value._input())
        case IPv4Address() | IPv6Address() | IPv4Network() | IPv6Network():
            return str(value)
        case datetime():
            return value.isoformat()
        case timedelta():
            return f"{'-' if value < timedelta() else ''}PT{_seconds(abs(value))}S"
        case _native.AddressSet():
            return value.to_list()
        case set() | frozenset():
            return sorted(value, key=str)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case Mapping():
            return dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case SupportsIndex() if getattr(value, "ndim", 0) == 0:
            return operator.index(value)
        case _:
            return _scalar(value)


def _seconds(value: timedelta) -> str:
    whole, part = divmod(value, timedelta(seconds=1))
    return f"{whole}.{part.microseconds:06}" if part else str(whole)


def _scalar(value: Any) -> object:
    """A scalar of numpy, which knows what it is in Python."""
    if getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(f"'{type(value).__name__}' is not a value that a document can have")
