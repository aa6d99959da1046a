"""Rows of Parquet files: the values of all columns at one place.

A file is read piece by piece, by polars where the script has imported it: it is not imported for
this, since it starts threads of its own. What pandas makes of a column depends on the other values
that are read with it, so it cannot tell rows apart piece by piece.

Rows of files: lines of CSV and TSV, records of TFRecord, rows of Parquet.

Lines and records are told apart, not understood: a number written in another way is another row.
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from wandb_repro.capture.dataset.arrays import arrays_of
from wandb_repro.capture.dataset.columns import Stream
from wandb_repro.capture.dataset.limits import Limits, megabytes
from wandb_repro.capture.dataset.rows import MISSING, Kept, OrderFree, paired, text_ids
from wandb_repro.errors import DigestError

__all__ = ["FileRows", "TableRows", "has_records", "is_table", "rows_of_files", "rows_of_table"]


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


_LINES = (".csv", ".tsv")
_RECORDS = (".tfrecord", ".tfrecords")
_AT_ONCE_of_records = 4096
_HEAD = struct.Struct("<QI")
"""Length of a record and the checksum of it; behind the record stands its own checksum.

Source: tensorflow/core/lib/io/record_writer.h, TensorFlow 2.21."""
_CHECKSUM_BYTES = 4


class FileRows:
    """The rows of one or more files, by content."""

    def __init__(self) -> None:
        self.kept, self.order_free = Kept(), OrderFree()
        self.read = ""
        """What of the rows was read, in words; empty when all of them."""

    def add(self, ids: Any) -> None:
        """Take more rows, by their numbers (dtype uint64)."""
        self.kept.add(ids)
        self.order_free.add(ids)


def has_records(path: str) -> bool:
    """Tell whether the rows of a file can be told apart, by its name."""
    return path.lower().endswith((*_LINES, *_RECORDS)) or is_table(path)


def rows_of_files(paths: Iterable[str], limits: Limits) -> FileRows:
    """Return the rows of files one after the other, as far as the limits go.

    A first line of text without a number in it is taken for the names of the columns.

    Raises:
        DigestError: a file is not what its name says, or reading takes too long.
        OSError: it cannot be read.
    """
    found, left_bytes = FileRows(), limits.row_bytes
    until = time.monotonic() + limits.seconds
    for path in paths:
        for ids, size_bytes in rows_of_table(path) if is_table(path) else _chunks(path, left_bytes):
            found.add(ids)
            left_bytes -= size_bytes
            if left_bytes <= 0:
                found.read = f"rows of the first {megabytes(limits.row_bytes)}"
                return found
            _check(until)
    return found


def _chunks(path: str, most_bytes: int) -> Iterator[tuple[Any, int]]:
    """Yield the numbers of a file's rows, some at once, and what they hold."""
    with open(path, "rb") as file:  # noqa: PTH123
        rows = _records(file, path) if path.lower().endswith(_RECORDS) else _lines(file)
        chunk: list[bytes | None] = []
        size_bytes = 0
        for row in rows:
            chunk.append(row)
            size_bytes += len(row)
            if len(chunk) == _AT_ONCE_of_records or size_bytes >= most_bytes:
                yield text_ids(chunk), size_bytes
                most_bytes -= size_bytes
                chunk, size_bytes = [], 0
        yield text_ids(chunk), size_bytes


def _check(until: float) -> None:
    if time.monotonic() > until:
        raise DigestError("reading its rows takes too long: give path= a part of it")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield each row without its line end; one that has a line end between quotes is one row."""
    pending = b""
    first = True
    for line in file:
        pending += line
        if pending.count(b'"') % 2:
            continue
        row, pending = pending.rstrip(b"\r\n"), b""
        if row and not (first and _are_names(row)):
            yield row
        first = False
    if pending.strip():
        yield pending.rstrip(b"\r\n")


def _are_names(row: bytes) -> bool:
    separator = b"\t" if b"\t" in row else b";" if b";" in row else b","
    return not any(_is_number(cell) for cell in row.split(separator))


def _is_number(cell: bytes) -> bool:
    try:
        float(cell.strip(b' "'))
    except ValueError:
        return False
    return True


def _records(file: BinaryIO, path: str) -> Iterator[bytes]:
    size_bytes = file.seek(0, 2)
    file.seek(0)
    while head := file.read(_HEAD.size):
        length = _HEAD.unpack(head)[0] if len(head) == _HEAD.size else size_bytes
        if file.tell() + length + _CHECKSUM_BYTES > size_bytes:
            raise DigestError(
                f"{path} is no TFRecord file, or compressed, or was cut off: its rows cannot be "
                "told apart"
            )
        yield file.read(length)
        file.seek(_CHECKSUM_BYTES, 1)
