"""Tables of other libraries, none of which is needed."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Sequence
from typing import Any


class ArrowTable(typing.Protocol):
    """What pyarrow, polars, pandas and DuckDB have: a table as an Arrow stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


def parts(table: ArrowTable, names: Sequence[str]) -> Iterator[ArrowTable]:
    """A table, or one after the other what comes of a reader, with no columns but these: others may have types that Arrow has not."""
    if not hasattr(table, "__arrow_c_stream__"):
        found = type(table).__name__
        raise TypeError(f"argument 'table': expected a table with an Arrow stream (`__arrow_c_stream__`), found '{found}'")
    # What the source of a reader raises, Ctrl-C among it, would lose its type in the stream.
    batches = table if hasattr(table, "read_next_batch") else (table,)
    return (_narrow(batch, names) for batch in typing.cast("typing.Iterable[Any]", batches))


def _narrow(table: Any, names: Sequence[str]) -> Any:
    if hasattr(table, "column_names") and hasattr(table, "select"):  # pyarrow
        return table.select([at for at, name in enumerate(table.column_names) if name in names])
    if hasattr(table, "get_columns") and hasattr(table, "height"):  # polars
        return _of_polars(table, names)
    if hasattr(table, "loc"):  # pandas
        return table.loc[:, [name in names for name in table.columns]]
    return table


def _of_polars(frame: Any, names: Sequence[str]) -> Any:
    """Of a frame of polars, whose columns of type `Null` nobody else can read."""
    columns = [column for column in frame.get_columns() if column.name in names]
    if not columns and frame.width:
        # Something has to tell how many rows there are.
        columns = [frame.to_series(0).is_null().alias("")]
    return type(frame)([column.cast(str) if column.null_count() == len(column) else column for column in columns])
