"""Rows of Parquet files: the values of all columns at one place.

A file is read piece by piece, by polars where the script has imported it: it is not imported for
this, since it starts threads of its own. What pandas makes of a column depends on the other values
that are read with it, so it cannot tell rows apart piece by piece.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from wandb_repro.capture.dataset.arrays import arrays_of
from wandb_repro.capture.dataset.columns import Stream
from wandb_repro.capture.dataset.rows import MISSING, paired
from wandb_repro.errors import DigestError

__all__ = ["TableRows", "is_table", "rows_of_table"]

_ENDS = (".parquet", ".pq")
_AT_ONCE = 1 << 16


class TableRows(NamedTuple):
    """Some rows of a table."""

    ids: Any
    """Number of each, dtype uint64."""
    size_bytes: int


def is_table(path: str) -> bool:
    """Tell a file that holds a table, by its name."""
    return path.lower().endswith(_ENDS)


def rows_of_table(path: str) -> Iterator[TableRows]:
    """Yield the rows of a file, some at once, in order.

    Raises:
        DigestError: nothing that reads it was imported, or it cannot be read.
    """
    polars: Any = sys.modules.get("polars")
    if polars is None:
        raise DigestError(
            "its rows are told apart where the script has imported polars; or give the table as x"
        )
    try:
        scanned = polars.scan_parquet(path, glob=False)
        rows = int(scanned.select(polars.len()).collect().item())
        for first in range(0, rows, _AT_ONCE):
            table = scanned.slice(first, _AT_ONCE).collect()
            yield TableRows(_numbers(table), int(table.estimated_size()))
    except DigestError:
        raise
    except Exception as error:
        raise DigestError(
            f"{path} cannot be read as Parquet: {type(error).__name__}: {error}"
        ) from error


def _numbers(table: Any) -> Any:
    """Return the number of each row. A value that is not there has one of its own.

    NOTE: which values are there is told only where some are not; so it is no part of its own, or a
    row's number would depend on the others that were read with it.
    """
    numpy: Any = sys.modules["numpy"]
    found: Any = None
    for column in table.get_columns():
        (role, values), *there = arrays_of(column.name, column)
        ids = Stream(role).add(values)
        for _, is_there in there:
            ids = numpy.where(is_there, ids, numpy.uint64(MISSING))
        found = ids if found is None else paired(found, ids)
    if found is None:
        raise DigestError("it has no column")
    return found
