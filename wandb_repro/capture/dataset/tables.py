"""Rows of files: lines of CSV and TSV, records of TFRecord, rows of Parquet.

Lines and records are compared as bytes, not parsed: ``1.0`` and ``1.00`` make different rows.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from wandb_repro.capture.dataset.limits import Limits, megabytes
from wandb_repro.capture.dataset.parquet import is_parquet, rows_of_parquet
from wandb_repro.capture.dataset.rows import Kept, OrderFree, text_ids
from wandb_repro.errors import DigestError

_LINES = (".csv", ".tsv")
_RECORDS = (".tfrecord", ".tfrecords")
_PIECE_ROWS = 4096
"""Lines or records that are hashed together."""
_HEAD = struct.Struct("<QI")
"""Length of a record and the checksum of the length; the record and its checksum follow.

Source: tensorflow/core/lib/io/record_writer.h, TensorFlow 2.21."""
_CHECKSUM_BYTES = 4


class FileRows:
    """The rows of one or more files."""

    def __init__(self) -> None:
        self.kept, self.order_free = Kept(), OrderFree()
        self.read = ""
        """Which part of the rows was read, in words; empty when all were."""

    def add(self, ids: Any) -> None:
        """Add rows by their ids, uint64, of shape (rows,)."""
        self.kept.add(ids)
        self.order_free.add(ids)


def has_rows(path: str) -> bool:
    """Return whether the rows of a file can be read, by its name: ``train.csv``, ``a.tfrecord``."""
    return path.lower().endswith((*_LINES, *_RECORDS)) or is_parquet(path)


def rows_of_files(paths: Iterable[str], limits: Limits) -> FileRows:
    """Return the rows of files one after the other, within the limits.

    A first line of text without a number in it counts as the names of the columns.

    Raises:
        DigestError: a file's content does not match its extension, or reading takes too long.
        OSError: it cannot be read.
    """
    rows, left_bytes = FileRows(), limits.row_bytes
    until = time.monotonic() + limits.seconds
    for path in paths:
        for ids, size_bytes in (
            rows_of_parquet(path) if is_parquet(path) else _chunks(path, left_bytes)
        ):
            rows.add(ids)
            left_bytes -= size_bytes
            if left_bytes <= 0:
                rows.read = f"rows of the first {megabytes(limits.row_bytes)}"
                return rows
            _check(until)
    return rows


def _chunks(path: str, most_bytes: int) -> Iterator[tuple[Any, int]]:
    """Yield the ids of a file's rows in pieces, and the bytes of each piece."""
    with open(path, "rb") as file:  # noqa: PTH123
        rows = _records(file, path) if path.lower().endswith(_RECORDS) else _lines(file)
        chunk: list[bytes | None] = []
        size_bytes = 0
        for row in rows:
            chunk.append(row)
            size_bytes += len(row)
            if len(chunk) == _PIECE_ROWS or size_bytes >= most_bytes:
                yield text_ids(chunk), size_bytes
                most_bytes -= size_bytes
                chunk, size_bytes = [], 0
        yield text_ids(chunk), size_bytes


def _check(until: float) -> None:
    if time.monotonic() > until:
        raise DigestError("reading its rows takes too long: give path= a part of it")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield each row without its line end; a line end between quotes belongs to its row."""
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
                f"{path} is compressed, truncated, or not a TFRecord file: its rows cannot be read"
            )
        yield file.read(length)
        file.seek(_CHECKSUM_BYTES, 1)
