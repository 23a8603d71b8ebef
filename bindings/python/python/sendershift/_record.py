"""Documents as objects: a class declares its keys as annotations, and the values are those of the core."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from html import escape
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

from . import _native

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPNetwork: TypeAlias = IPv4Network | IPv6Network


class ArrowTable(typing.Protocol):
    """What pyarrow, polars, pandas and DuckDB have: a table as an Arrow stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


Convert = Callable[[Any], Any]


class Record:
    """A part of a document. It does not change, and equals what has the same keys and values."""

    __slots__ = ("_data", "_text")

    _data: Mapping[str, Any]
    _text: str | None

    # Type checkers know the keys from the annotations, and refuse others.
    if not typing.TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            convert = _converters(type(self)).get(name)
            if convert is None:
                raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)
            # Python's own words get an underscore behind them: `from_`.
            return convert(self._data.get(name.rstrip("_")))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_converters(type(self))]

    @classmethod
    def _of(cls, data: Mapping[str, Any], text: str | None = None) -> Self:
        record = cls.__new__(cls)
        object.__setattr__(record, "_data", data)
        object.__setattr__(record, "_text", text)
        return record

    def to_dict(self) -> dict[str, Any]:
        """The document as new dictionaries and lists."""
        data: dict[str, Any] = json.loads(self.to_json())
        return data

    def to_json(self, indent: int | None = None) -> str:
        """The document as text."""
        if indent is not None:
            return json.dumps(self._data, ensure_ascii=False, indent=indent)
        if self._text is None:
            text = json.dumps(self._data, ensure_ascii=False, separators=(",", ":"))
            object.__setattr__(self, "_text", text)
            return text
        return self._text

    def _input(self) -> str:
        """What stands for it in the input of an operation, as JSON."""
        return self.to_json()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} does not change: '{name}' cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} does not change: '{name}' cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record) or type(other) is not type(self):
            return NotImplemented
        return self._data == other._data

    def __hash__(self) -> int:
        return hash(json.dumps(self._data, sort_keys=True))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[type[Self], str]]:
        return _restored, (type(self), self.to_json())

    def __repr__(self) -> str:
        shown = (f"{name}={_brief(getattr(self, name))}" for name in _converters(type(self)))
        return f"{type(self).__name__}({', '.join(shown)})"


class Document(Record):
    """A whole document, which can be written and read again."""

    __slots__ = ()

    _FORMAT: ClassVar[str]

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a document that the core once gave."""
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != cls._FORMAT:
            raise ValueError(f"argument 'text': expected a document of the format {cls._FORMAT}")
        return cls._of(data)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """As `from_json`, for what is already read."""
        return cls.from_json(json.dumps(data, ensure_ascii=False))

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """As `from_json`, for a file."""
        return cls.from_json(text_of(path))


def text_of(path: str | PathLike[str]) -> str:
    """The text of a file, with the ends of its lines as they are: places count octets."""
    try:
        return Path(path).read_bytes().decode()
    except UnicodeDecodeError as error:
        error.add_note(f"in the file {path}")
        raise


class Written(Record):
    """A record of DNS: its text says all, and the rest is read of it."""

    __slots__ = ()

    record: str

    @classmethod
    def parse(cls, record: str) -> Self:
        """Reads a record."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote; only the text of the record counts."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """As `from_json`, for what is already read."""
        return cls.parse(data["record"])

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Self:
        """As `from_json`, for a file."""
        return cls.from_json(text_of(path))

    def __str__(self) -> str:
        return self.record

    def _input(self) -> str:
        return json.dumps(self.record)


def _restored(cls: type[Record], text: str) -> Record:
    return cls._of(json.loads(text), text)


def _brief(value: object) -> str:
    if isinstance(value, tuple) and len(value) > 3:  # pyright: ignore[reportUnknownArgumentType]
        return f"<{len(value)} items>"  # pyright: ignore[reportUnknownArgumentType]
    text = f"<{type(value).__name__}>" if isinstance(value, (Record, Mapping)) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_known: dict[type[Record], dict[str, Convert]] = {}


def _converters(cls: type[Record]) -> dict[str, Convert]:
    """How the value of each key is read; annotations can be looked up once all classes are there."""
    if cls not in _known:
        hints = typing.get_type_hints(cls)
        _known[cls] = {name: _converter(hint) for name, hint in hints.items() if not name.startswith("_")}
    return _known[cls]


def _converter(hint: Any) -> Convert:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        some = [argument for argument in arguments if argument is not types.NoneType]
        lists = [argument for argument in some if typing.get_origin(argument) is tuple]
        if lists and len(some) > 1:
            listed = _converter(lists[0])
            return lambda value: listed(value) if isinstance(value, list) else _frozen(value)
        # Addresses and networks of both families are read alike.
        convert = _converter(some[0])
        return lambda value: None if value is None else convert(value)
    if origin is tuple and arguments[-1] is Ellipsis:
        each = _converter(arguments[0])
        return lambda value: tuple(each(item) for item in value or ())
    if origin is tuple:
        return tuple
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint._of
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    return _CONVERTERS.get(hint, _frozen)


def _duration(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    return sign * timedelta(seconds=int(text.removeprefix("-").removeprefix("PT").removesuffix("S")))


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return types.MappingProxyType({key: _frozen(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value


_CONVERTERS: dict[Any, Convert] = {
    IPv4Address: ip_address,
    IPv4Network: ip_network,
    _native.AddressSet: _native.AddressSet,
    datetime: datetime.fromisoformat,
    timedelta: _duration,
    int: lambda value: int(value) if isinstance(value, str) else value,
}


def table(head: tuple[str, ...], rows: typing.Iterable[typing.Iterable[object]]) -> str:
    """An HTML table, its cells escaped, for notebooks."""
    cells = "".join(f"<th>{escape(word)}</th>" for word in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape('' if cell is None else str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
