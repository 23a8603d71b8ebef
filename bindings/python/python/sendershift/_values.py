"""Values of documents as values of Python."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NoReturn, TypeAlias

from . import _native

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPNetwork: TypeAlias = IPv4Network | IPv6Network
Convert: TypeAlias = Callable[[Any], Any]


class Frozen(dict[str, Any]):
    """A part of a document that has no class of its own: a dictionary that does not change, and can be hashed."""

    __slots__ = ()

    def __new__(cls, *given: Any, **more: Any) -> Frozen:
        value = dict.__new__(cls)
        dict.__init__(value, *given, **more)
        return value

    def __init__(self, *_: object, **__: object) -> None:
        """What it holds it was made with."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a part of a document does not change; `dict` makes a copy that does")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse  # pyright: ignore

    def __hash__(self) -> int:  # type: ignore[override]  # pyright: ignore
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Frozen], tuple[dict[str, Any]]]:
        return Frozen, (dict(self),)


def frozen(value: Any) -> Any:
    """What was read of JSON, so that it does not change."""
    if isinstance(value, dict):
        return Frozen({key: frozen(item) for key, item in value.items()})  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return tuple(map(frozen, value))  # pyright: ignore[reportUnknownArgumentType]
    return value


def converter(hint: Any) -> Convert:
    """What makes a value of this type of what was read of JSON."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        some = [argument for argument in arguments if argument is not types.NoneType]
        lists = [argument for argument in some if typing.get_origin(argument) is tuple]
        if lists and len(some) > 1:
            listed = converter(lists[0])
            return lambda value: listed(value) if isinstance(value, list) else frozen(value)
        # Addresses and networks of both families are read alike.
        convert = converter(some[0])
        return lambda value: None if value is None else convert(value)
    if origin is tuple and arguments[-1] is Ellipsis:
        each = converter(arguments[0])
        return lambda value: tuple(each(item) for item in value or ())
    if origin is tuple:
        return tuple
    if isinstance(hint, type) and hasattr(hint, "_of"):
        return hint._of  # type: ignore[no-any-return]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    return _CONVERTERS.get(hint, frozen)


def shape(hint: Any) -> Any:
    """What the core has to find for `converter` to make a value of this type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType or origin is typing.Union:
        some = [shape(argument) for argument in arguments if argument is not types.NoneType]
        one = some[0] if all(other == some[0] for other in some) else "any"
        return one if len(some) == len(arguments) else {"maybe": one}
    if origin is tuple:
        return {"list": shape(arguments[0])}
    if isinstance(hint, type) and hasattr(hint, "_shape"):
        return hint._shape()
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"one_of": [one.value for one in hint]}
    return _SHAPES.get(origin or hint, "any")


def _duration(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    return sign * timedelta(seconds=int(text.removeprefix("-").removeprefix("PT").removesuffix("S")))


_CONVERTERS: dict[Any, Convert] = {
    IPv4Address: ip_address,
    IPv4Network: ip_network,
    _native.AddressSet: _native.AddressSet,
    datetime: datetime.fromisoformat,
    timedelta: _duration,
    int: lambda value: int(value) if isinstance(value, str) else value,
}

_SHAPES: dict[Any, str] = {
    bool: "boolean",
    datetime: "time",
    int: "integer",
    IPv4Address: "address",
    IPv6Address: "address",
    Mapping: "table",
    str: "text",
}
