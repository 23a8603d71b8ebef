"""Tables of other libraries, none of which is needed."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any, Self

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
        batches = table if hasattr(table, "read_next_batch") else (table,)
        self._tables = iter(typing.cast("typing.Iterable[Any]", batches))
        self._needed = needed
        self._names = (*needed, *optional)

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
            return table.loc[:, [name in self._names for name in columns]]
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
        return type(frame)([column.cast(str) if column.null_count() == len(column) else column for column in columns])
