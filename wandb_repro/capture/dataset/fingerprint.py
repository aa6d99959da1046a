"""Digests of a named part of the data, such as ``train``, and of its rows."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from wandb_repro.capture.dataset.arrays import arrays_of, kind_of
from wandb_repro.capture.dataset.columns import Stream, whole_column
from wandb_repro.capture.dataset.data_files import FilesDigest, digest_files
from wandb_repro.capture.dataset.equal_values import Change
from wandb_repro.capture.dataset.file_digest_cache import FileDigestCache
from wandb_repro.capture.dataset.limits import Limits, megabytes
from wandb_repro.capture.dataset.pipelines import (
    Pieces,
    batches_of_pydataset,
    elements_of_tf_data,
    is_pydataset,
    is_tf_data,
    until,
)
from wandb_repro.capture.dataset.rows import Kept, OrderFree, paired
from wandb_repro.capture.dataset.tables import FileRows, has_rows, rows_of_files
from wandb_repro.digest import ROOT_ALGORITHM, root_digest
from wandb_repro.errors import DigestError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import ArrayDigest, Dataset


class Measured(NamedTuple):
    """The record of a part of the data, and its rows for comparison in this process."""

    dataset: Dataset
    kept: Kept | None
    """Its rows, to be looked up in other parts; None if there are none to compare."""


def dataset_of(
    name: str,
    x: object = None,
    y: object = None,
    *,
    path: str | None = None,
    artifact: str = "",
    limits: Limits | None = None,
    change: Change | None = None,
) -> Measured:
    """Return the digests of a named part of the data, or reasons why it has none.

    Args:
        name: of the part.
        x: arrays, tables or tensors, examples along the first axis, or a nest of them; a pipeline
            (``tf.data``, ``PyDataset``); None if only ``path`` is given.
        y: targets of arrays; None if there are none.
        path: file or folder that holds the data.
        artifact: version of the W&B artifact that holds the data; empty if none.
        limits: how much is read.
        change: makes other arrays of those in memory and in pipelines, before they are digested.
    """
    limits = limits or Limits()
    try:
        of_files = _of_path(name, path, limits) if path is not None or x is None else None
        measured = of_files if x is None else _of_value(name, x, y, limits, change)
    except DigestError as error:
        return Measured(_unknown(name, error.message), None)
    files = of_files.dataset.files if of_files is not None else None
    if measured is None or files is None:
        return measured or Measured(_unknown(name, "nothing was given"), None)
    if artifact:
        files = files.model_copy(update={"artifact": artifact})
    return Measured(measured.dataset.model_copy(update={"files": files}), measured.kept)


def _of_value(name: str, x: object, y: object, limits: Limits, change: Change | None) -> Measured:
    if is_tf_data(x):
        return _streamed(name, "tf.data", elements_of_tf_data(x), limits, change)
    if is_pydataset(x):
        return _streamed(name, "PyDataset", batches_of_pydataset(x), limits, change)
    for role, value in (("x", x), ("y", y)):
        if (role == "x" or value is not None) and not kind_of(value):
            raise DigestError(f"{role} is {_described(value)}")
    return _in_memory(name, x, y, limits, change)


def _described(value: object) -> str:
    kind = type(value).__name__
    if hasattr(value, "__next__"):
        return f"a {kind}, which can be read only once: fingerprint what it reads"
    if isinstance(value, str):
        return "a string: pass a file or folder as path="
    return f"a {kind}, not an array, table or pipeline: pass a NumPy array, or a file as path="


def _in_memory(name: str, x: object, y: object, limits: Limits, change: Change | None) -> Measured:
    arrays = list(arrays_of("x", x))
    examples = len(arrays)
    arrays += [] if y is None else arrays_of("y", y)
    if not arrays:
        raise DigestError("it has no column")
    arrays, read = _sampled(arrays, limits)
    arrays = _changed(arrays, change)
    columns, ids = zip(*(whole_column(role, array) for role, array in arrays), strict=True)
    of_x, of_all = _combined(ids[:examples]), _combined(ids)
    if of_all is None:
        return Measured(_recorded(name, kind_of(x), columns, read=read), None)
    kept, order_free = Kept(), OrderFree()
    kept.add(of_x)
    order_free.add(of_all)
    return Measured(_recorded(name, kind_of(x), columns, order_free, read=read), kept)


def _sampled(arrays: list[tuple[str, Any]], limits: Limits) -> tuple[list[tuple[str, Any]], str]:
    """Return the arrays, or the same sample of rows from each if they are too large to read."""
    size_bytes = sum(array.nbytes for _, array in arrays)
    if size_bytes <= limits.array_bytes or not all(array.ndim for _, array in arrays):
        return arrays, ""
    every = -(-size_bytes // limits.array_bytes)
    return [(role, array[::every]) for role, array in arrays], (
        f"one row of every {every} of {megabytes(size_bytes)}"
    )


def _combined(ids: Iterable[Any]) -> Any:
    """Return the ids of rows that have several parts; None if their counts differ."""
    parts = list(ids)
    combined = parts[0]
    for more in parts[1:]:
        if len(more) != len(combined):
            return None
        combined = paired(combined, more)
    return combined


def _changed(arrays: list[tuple[str, Any]], change: Change | None) -> list[tuple[str, Any]]:
    if change is None:
        return arrays
    return [(role, change(role, array)) for role, array in arrays]


def _streamed(
    name: str, kind: str, pieces: Pieces, limits: Limits, change: Change | None
) -> Measured:
    streams: dict[str, Stream] = {}
    kept, order_free = Kept(), OrderFree()
    read = pieces.read
    with contextlib.closing(pieces.pieces) as given:
        try:
            for piece, last in until(given, limits):
                _take(_changed(piece, change), streams, kept, order_free)
                if last and next(given, None) is not None:
                    first = f"the first {order_free.rows:,} rows"
                    read = f"{first}, {read}" if read else first
        except DigestError:
            raise
        except Exception as error:
            raise DigestError(f"reading it failed: {type(error).__name__}: {error}") from error
    if not order_free.rows:
        raise DigestError("it yields no examples")
    columns = tuple(stream.digest() for stream in streams.values())
    return Measured(_recorded(name, kind, columns, order_free, read=read), kept)


def _take(
    piece: list[tuple[str, Any]], streams: dict[str, Stream], kept: Kept, order_free: OrderFree
) -> None:
    numpy: Any = sys.modules["numpy"]
    numbers: list[tuple[str, Any]] = []
    for role, array in piece:
        rows = array if array.ndim else numpy.reshape(array, 1)
        numbers.append((role, streams.setdefault(role, Stream(role)).add(rows)))
    examples = [ids for role, ids in numbers if role.split("/")[0] == "x"]
    of_x, of_all = _combined(examples), _combined(ids for _, ids in numbers)
    if of_all is None:
        raise DigestError("its parts have different numbers of rows")
    kept.add(of_x)
    order_free.add(of_all)


def _of_path(name: str, path: str | None, limits: Limits) -> Measured:
    if path is None:
        raise DigestError("neither x nor path= was given")
    with contextlib.closing(FileDigestCache()) as cache:
        found = digest_files(path, limits, cache)
    is_folder = found.files.count != 1 or found.digest.startswith(ROOT_ALGORITHM)
    rows = _rows_of(found, limits, is_folder=is_folder)
    known = None if isinstance(rows, Unavailable) else rows
    read = (found.read, known.read if known else "")
    dataset = Dataset(
        name=name,
        kind="folder" if is_folder else "file",
        arrays=Unavailable(unavailable="a file's content is not looked into"),
        digest=found.digest,
        rows=rows if isinstance(rows, Unavailable) else rows.order_free.rows,
        order_free=rows if isinstance(rows, Unavailable) else rows.order_free.digest(),
        read=", ".join(filter(None, read)),
        files=found.files,
    )
    return Measured(dataset, known.kept if known else None)


def _rows_of(found: FilesDigest, limits: Limits, *, is_folder: bool) -> FileRows | Unavailable:
    """Return the rows of tables; of any other folder, its files as its rows."""
    if all(map(has_rows, found.paths)):
        importlib.import_module("numpy")  # every framework has it
        try:
            return rows_of_files(found.paths, limits)
        except (DigestError, OSError) as error:
            return Unavailable(unavailable=str(error))
    if not is_folder:
        return Unavailable(unavailable="a file is digested as a whole")
    numpy: Any = importlib.import_module("numpy")
    rows = FileRows()
    ids = numpy.array([int(digest[:16], 16) for digest in found.each], "u8")
    rows.add(ids)
    return rows


def _recorded(
    name: str,
    kind: str,
    columns: tuple[ArrayDigest, ...],
    order_free: OrderFree | None = None,
    *,
    read: str,
) -> Dataset:
    uneven = Unavailable(unavailable="its arrays have different numbers of rows")
    roles = _numbered(column.role for column in columns)
    parts = zip(roles, columns, strict=True)
    root = root_digest((role, column.digest.rpartition(":")[2]) for role, column in parts)
    return Dataset(
        name=name,
        kind=kind,
        arrays=columns,
        digest=f"{ROOT_ALGORITHM}:{root}",
        rows=order_free.rows if order_free else uneven,
        order_free=order_free.digest() if order_free else uneven,
        read=read,
    )


def _numbered(roles: Iterable[str]) -> list[str]:
    """Return unique roles: a table may have several columns of one name."""
    unique: list[str] = []
    seen: Counter[str] = Counter()
    for role in roles:
        seen[role] += 1
        unique.append(role if seen[role] == 1 else f"{role} #{seen[role]}")
    return unique


def _unknown(name: str, reason: str) -> Dataset:
    missing = Unavailable(unavailable=reason)
    return Dataset(
        name=name, kind="unknown", arrays=missing, digest=missing, rows=missing, order_free=missing
    )
