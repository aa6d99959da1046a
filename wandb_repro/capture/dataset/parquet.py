"""Rows of Parquet files, read in pieces by polars.

polars is used only if the script has imported it, since it starts its own threads. pandas is no
substitute: a column's dtype depends on the other values that are read with it, so rows read in
pieces would have different ids.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from wandb_repro.capture.dataset.arrays import arrays_of
from wandb_repro.capture.dataset.columns import Stream
from wandb_repro.capture.dataset.rows import MISSING, paired
from wandb_repro.errors import DigestError

_ENDS = (".parquet", ".pq")


_PIECE_ROWS = 1 << 16
"""Rows that are read together."""


class ParquetRows(NamedTuple):
    """Some rows of a file, in order."""

    ids: Any
    """Id of each row, uint64, of shape (rows,)."""
    size_bytes: int
    """In memory."""


def is_parquet(path: str) -> bool:
    """Return whether a file is Parquet, by its name."""
    return path.lower().endswith(_ENDS)


def rows_of_parquet(path: str) -> Iterator[ParquetRows]:
    """Yield the rows of a file in order, at most 65,536 together.

    Raises:
        DigestError: polars was not imported, or the file cannot be read.
    """
    polars: Any = sys.modules.get("polars")
    if polars is None:
        raise DigestError(
            "its rows are read only after the script imported polars; or give the table as x"
        )
    try:
        scanned = polars.scan_parquet(path, glob=False)
        rows = int(scanned.select(polars.len()).collect().item())
        for first in range(0, rows, _PIECE_ROWS):
            table = scanned.slice(first, _PIECE_ROWS).collect()
            yield ParquetRows(_ids(table), int(table.estimated_size()))
    except DigestError:
        raise
    except Exception as error:
        raise DigestError(
            f"{path} cannot be read as Parquet: {type(error).__name__}: {error}"
        ) from error


def _ids(table: Any) -> Any:
    """Return the id of each row, uint64, of shape (rows,)."""
    numpy: Any = sys.modules["numpy"]
    row_ids: Any = None
    for column in table.get_columns():
        (role, values), *presence = arrays_of(column.name, column)
        ids = Stream(role).add(values)
        # NOTE: only a piece with missing values has a presence array. If it were hashed as a
        # column, a row's id would depend on the rows that were read with it.
        for _, is_present in presence:
            ids = numpy.where(is_present, ids, numpy.uint64(MISSING))
        row_ids = ids if row_ids is None else paired(row_ids, ids)
    if row_ids is None:
        raise DigestError("it has no columns")
    return row_ids
