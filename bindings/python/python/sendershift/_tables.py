"""Tables of other libraries, none of which is needed."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Self

from . import _native

MANY = 20
"""So many columns are named at most."""


class ArrowTable(typing.Protocol):
    """What pyarrow, polars, pandas and DuckDB have: a table as an Arrow stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class Parts:
    """A table, or one after the other what comes of a reader, with no columns but those that are read: others may have types that Arrow
    has not."""

    def __init__(self, table: ArrowTable, needed: Sequence[str], *optional: str) -> None:
        if not hasattr(table, "__arrow_c_stream__"):
            found = type(table).__name__
            raise TypeError(f"argument 'table': expected a table with an Arrow stream (`__arrow_c_stream__`), found '{found}'")
        # What the source of a reader raises, Ctrl-C among it, would lose its type in the stream.
        batches: Any = table if hasattr(table, "read_next_batch") else (table,)
        self._tables = iter(batches)
        self._needed = needed
        self._names = (*needed, *optional)
        if not isinstance(batches, tuple):  # a reader, of which there may come none
            self.expect(batches.schema.names)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        table = next(self._tables)
        if hasattr(table, "column_names") and hasattr(table, "select"):  # pyarrow
            self.expect(table.column_names)
            return table.select([name for name in table.column_names if name in self._names])
        if hasattr(table, "get_columns") and hasattr(table, "height"):  # polars
            self.expect(table.columns)
            return self._of_polars(table)
        if hasattr(table, "loc") and hasattr(table, "columns"):  # pandas
            columns = list(table.columns)
            self.expect([*columns, *(name for name in table.index.names if name is not None and name not in columns)])
            return FromPandas(table.loc[:, [name in self._names for name in columns]])
        # Its columns are looked at when its stream is open.
        return table

    def expect(self, found: Sequence[object]) -> None:
        """Refuses a table in which a column that is needed is missing, one that is read stands twice, or one is written in other letters:
        nobody would notice that its values are not read."""
        for name in self._names:
            if found.count(name) > 1:
                raise ValueError(f"argument 'table': {found.count(name)} columns are named {name!r}")
            if name not in found:
                for other in found:
                    if isinstance(other, str) and other.lower() == name:
                        raise ValueError(f"argument 'table': expected the column {name!r}, found {other!r}")
        if any(name not in found for name in self._needed):
            shown = [*map(repr, found[:MANY]), *(["..."] if len(found) > MANY else [])]
            there = f"found {', '.join(shown)}" if shown else "found none"
            wanted = f"column{'s' if len(self._needed) > 1 else ''} {' and '.join(map(repr, self._needed))}"
            raise ValueError(f"argument 'table': expected the {wanted}, {there}")

    def _of_polars(self, frame: Any) -> Any:
        """Of a frame of polars, whose columns of type `Null` nobody else can read."""
        columns = [column for column in frame.get_columns() if column.name in self._names]
        # Nobody else can read these either.
        if any(column.dtype.is_nested() or str(column.dtype) in ("Int128", "UInt128", "Object") for column in columns):
            return one_by_one((column.name, column.to_list()) for column in columns)
        return type(frame)([column.cast(str) if column.null_count() == len(column) else column for column in columns])


class FromPandas:
    """A frame of pandas, whose columns may hold values that have no type of Arrow in common."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        try:
            return self._frame.__arrow_c_stream__(requested_schema)
        # pyarrow may be missing, too.
        except (TypeError, ValueError, OverflowError, NotImplementedError, ImportError):
            return one_by_one(self._columns()).__arrow_c_stream__()

    def _columns(self) -> Iterable[tuple[str, Iterable[object]]]:
        frame = self._frame
        named = [(name, frame[name]) for name in frame.columns]
        named += [(name, frame.index.get_level_values(name)) for name in frame.index.names if name not in (None, *frame.columns)]
        for name, values in named:
            yield name, (None if absent else value for value, absent in zip(values, values.isna(), strict=True))


def one_by_one(columns: Iterable[tuple[str, Iterable[object]]]) -> _native.Table:
    """Columns as tables of the core have them, of values that the library which has them cannot give as Arrow data."""
    given: list[tuple[str, list[bytes | None], list[str | None]]] = []
    for name, values in columns:
        texts: list[bytes | None] = []
        kinds: list[str | None] = []
        for value in values:
            text = str(value) if isinstance(value, (str, IPv4Address, IPv6Address)) else None
            texts.append(None if text is None else text.encode(errors="surrogatepass"))
            kinds.append(None if value is None or text is not None else type(value).__name__)
        given.append((name, texts, kinds))
    return _native.cells(given)
