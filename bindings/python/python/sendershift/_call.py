"""Operations of the core on Python values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, TypeAlias, TypeVar

from . import _native
from ._errors import InvalidError
from ._record import Record

Progress: TypeAlias = Callable[[int], object]
"""Called now and then by long operations, with how much was looked at. `False` ends the work early, with what it has."""

R = TypeVar("R", bound=Record)


def call(operation: str, document: Mapping[str, Any] | str, *, progress: Progress | None = None) -> dict[str, Any]:
    """Carries out an operation of the core on a document, or on its text, and returns a document."""
    text = document if isinstance(document, str) else _written(document)
    result: dict[str, Any] = json.loads(_native.run(operation, text, progress))
    return result


def ask(cls: type[R], operation: str, progress: Progress | None = None, /, **given: Any) -> R:
    """The answer of an operation as an object; what is `None` was not given."""
    parts = {key: _text(key, value) for key, value in given.items() if value is not None}
    try:
        answer = _native.run(operation, _document(parts), progress)
    except InvalidError as error:
        raise _wrong_type(error, parts) or error from None
    return cls._of(json.loads(answer), answer)


def _document(parts: Mapping[str, str]) -> str:
    """The input document of an operation, of arguments that are written already."""
    return "{" + ",".join(f'"{key}":{value}' for key, value in parts.items()) + "}"


def _wrong_type(error: InvalidError, parts: dict[str, str]) -> TypeError | None:
    """What the core says of a value of a wrong type, with the argument that it was given as."""
    first = error.problems[0]
    # In a text that was given for a document, places are those of that text.
    texts = any(parts.get(name, "{")[0] != "{" for name in ("dns", "right_dns", "plan", "migration"))
    if first.code != "document.wrong-type" or first.span is None or texts:
        return None
    for count, name in enumerate(parts, start=1):
        until = dict(list(parts.items())[:count])
        if first.span[1] < len(_document(until).encode()):
            return TypeError(f"argument '{name}': {first.message}")
    return None


def _text(argument: str, value: object) -> str:
    if isinstance(value, Record):
        return value._input()
    try:
        return _written(value)
    except TypeError as error:
        raise TypeError(f"argument '{argument}': {error}") from None


def _written(value: object) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> object:
    """Objects of Python as documents have them."""
    match value:
        case Record():
            return json.loads(value._input())
        case IPv4Address() | IPv6Address() | IPv4Network() | IPv6Network():
            return str(value)
        case datetime():
            return value.isoformat()
        case _native.AddressSet():
            return value.to_list()
        case tuple() | set() | frozenset():
            return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case Mapping():
            return dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case _:
            raise TypeError(f"'{type(value).__name__}' is not a value that a document can have")

