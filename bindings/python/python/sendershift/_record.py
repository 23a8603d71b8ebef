"""Parts of documents as objects: a class declares its keys as annotations, and the values are those of the core."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import textwrap
import typing
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Self

from ._values import Convert, converter, frozen, shape


class Key(property):
    """A key of a document. Its note is the text that stands below it in the source."""

    def __init__(self, name: str, declared: str) -> None:
        super().__init__(self._read, self._refuse)
        self._name = name
        self._declared = declared

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner

    @functools.cached_property
    def _convert(self) -> Convert:
        return converter(_hints(self._owner)[self._name])

    def _read(self, record: Record) -> Any:
        # Python's own words get an underscore behind them: `from_`.
        return self._convert(record._data.get(self._name.rstrip("_")))

    def _refuse(self, record: Record, value: object) -> None:
        raise AttributeError(f"{type(record).__name__} does not change: '{self._name}' cannot be set")

    @property
    def __doc__(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        note = _notes(self._owner).get(self._name)
        return f"{self._declared}: {note}" if note else self._declared

    @__doc__.setter
    def __doc__(self, doc: str | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Properties want to set it."""


@typing.dataclass_transform(frozen_default=True)
class Keys(type):
    """Makes the annotations of a class its keys, and leaves room for nothing else in its objects."""

    def __new__(cls, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> Keys:
        space.setdefault("__slots__", ())
        declared: dict[str, str] = space.get("__annotations__", {})
        space |= {key: Key(key, hint) for key, hint in declared.items() if not key.startswith("_")}
        return super().__new__(cls, name, bases, space)


class Record(metaclass=Keys):
    """A part of a document. It does not change, and equals what has the same keys and values."""

    __slots__ = ("_data", "_text")

    _data: Mapping[str, Any]
    _text: str | None

    def __init__(self, *_: object, **__: object) -> None:
        cls = type(self)
        makers = [name for name in ("parse", "from_file", "from_toml", "from_json") if hasattr(cls, name)]
        made = " or ".join(f"`{cls.__name__}.{name}`" for name in makers) or "the operations of sendershift"
        raise TypeError(f"{cls.__name__} objects are made by {made}")

    @classmethod
    def _of(cls, data: Mapping[str, Any], text: str | None = None) -> Self:
        record = object.__new__(cls)
        object.__setattr__(record, "_data", data)
        object.__setattr__(record, "_text", text)
        return record

    @classmethod
    def _shape(cls) -> dict[str, Any]:
        """What a document has to hold so that every key can be read."""
        hints = _hints(cls)
        return {"keys": {name.rstrip("_"): shape(hints[name]) for name in keys(cls)}}

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
        return hash(frozen(self._data))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _restored, (type(self), self.to_json())

    def __repr__(self) -> str:
        shown = (f"{name}={_brief(getattr(self, name))}" for name in keys(type(self)))
        return f"{type(self).__name__}({', '.join(shown)})"


def keys(cls: type[Record]) -> list[str]:
    """The names of a class's keys, those of its bases first."""
    return [name for base in reversed(cls.__mro__) for name, key in vars(base).items() if isinstance(key, Key)]


def _hints(cls: type) -> dict[str, Any]:
    """Annotations can be looked up once all classes are there."""
    return typing.get_type_hints(cls)


def _notes(cls: type) -> dict[str, str]:
    """What is said of each key, below its annotation."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError):
        return {}
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef))
    notes: dict[str, str] = {}
    for declared, note in zip(body, body[1:], strict=False):
        match declared, note:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                notes[name] = text
            case _:
                pass
    return notes


def _restored(cls: type[Record], text: str) -> Record:
    return cls._of(json.loads(text), text)


def _brief(value: object) -> str:
    if isinstance(value, tuple) and len(value) > 3:  # pyright: ignore[reportUnknownArgumentType]
        return f"<{len(value)} items>"  # pyright: ignore[reportUnknownArgumentType]
    text = f"<{type(value).__name__}>" if isinstance(value, (Record, Mapping)) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def table(head: tuple[str, ...], rows: typing.Iterable[typing.Iterable[object]]) -> str:
    """An HTML table, its cells escaped, for notebooks."""
    cells = "".join(f"<th>{escape(word)}</th>" for word in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape('' if cell is None else str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
