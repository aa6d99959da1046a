"""Reads HDF5 by datasets and attributes; links to other files are not followed."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import xxhash

from wandb_repro.capture.outputs.contents import Contents, Part, by_parts, bytes_digest
from wandb_repro.capture.outputs.json_config import MOST_CONFIG_BYTES, config_digest
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.digest import FILE_ALGORITHM
from wandb_repro.errors import DigestError

MAGIC = b"\x89HDF\r\n\x1a\n"

_MOST_AT_ONCE_BYTES = 64 << 20
"""Bytes of a dataset in memory."""

_MOST_STRINGS = 4096

_ERRORS = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""What h5py raises for a file that is damaged."""


def hdf5_contents(file: BinaryIO, budget: OutputBudget) -> Contents | None:
    """Return the datasets and attributes of a file; None if h5py is missing or cannot read it.

    Raises:
        DigestError: it is more than the budget, or its values are in another file.
    """
    try:
        h5py: Any = importlib.import_module("h5py")
    except ImportError:
        return None
    try:
        with h5py.File(file, "r") as opened:
            return by_parts("hdf5", list(_parts(h5py, opened, budget)))
    except _ERRORS:
        return None


def _parts(h5py: Any, top: Any, budget: OutputBudget) -> Iterator[Part]:
    waiting: list[tuple[str, Any]] = [("", top)]
    known: dict[object, str] = {}
    while waiting:
        name, found = waiting.pop()
        budget.take_member()
        place = h5py.h5o.get_info(found.id).addr
        if place in known:
            yield Part(name, bytes_digest(known[place].encode(), "same as\0"))
            continue
        known[place] = name
        yield from _attributes(h5py, name, found, budget)
        if isinstance(found, h5py.Dataset):
            yield Part(name, _dataset_digest(found, budget))
        elif isinstance(found, h5py.Group):
            yield Part(f"{name}/", bytes_digest(b"", "group\0"))
            for link in sorted(found.keys()):
                kind = found.get(link, getlink=True)
                if isinstance(kind, h5py.HardLink):
                    waiting.append((f"{name}/{link}".lstrip("/"), found[link]))
                else:
                    target = f"{getattr(kind, 'filename', '')}:{kind.path}"
                    yield Part(f"{name}/{link}", bytes_digest(target.encode(), "link\0"))


def _dataset_digest(data: Any, budget: OutputBudget) -> str:
    if data.external or data.is_virtual:
        raise DigestError("it takes values from other files")
    if data.shape is None:
        return bytes_digest(b"", "empty\0")
    row_bytes = math.prod(data.shape[1:]) * data.dtype.itemsize
    chunk_bytes = math.prod(data.chunks or (0,)) * data.dtype.itemsize
    if max(row_bytes, chunk_bytes) > _MOST_AT_ONCE_BYTES:
        raise DigestError("it holds a tensor with rows too large to read at once")
    name = data.dtype.str if data.dtype.names is None else str(data.dtype.descr)
    hasher = xxhash.xxh3_128(f"{FILE_ALGORITHM}\0{name}\0{data.shape}\0".encode())
    # A string of any length takes 8 bytes in its array.
    at_once_bytes = _MOST_STRINGS * 8 if data.dtype.hasobject else _MOST_AT_ONCE_BYTES
    step = max(1, at_once_bytes // max(1, row_bytes))
    # The first axis of a scalar is none.
    starts = range(0, data.shape[0], step) if data.shape else (None,)
    for start in starts:
        budget.take(0)
        values = data[()] if start is None else data[start : start + step]
        budget.take(values.nbytes)
        hasher.update(_values(values, budget) if data.dtype.hasobject else _plain(values))
    return hasher.hexdigest()


def _plain(values: Any) -> bytes:
    """Return an array's bytes in C order; ``Empty`` has none."""
    return cast("bytes", values.tobytes()) if hasattr(values, "tobytes") else b""


def _attributes(h5py: Any, name: str, found: Any, budget: OutputBudget) -> Iterator[Part]:
    for key in sorted(found.attrs.keys()):
        budget.take_member()
        attribute = found.attrs.get_id(key)
        budget.take(math.prod(attribute.shape or ()) * attribute.dtype.itemsize)
        value = found.attrs[key]
        if isinstance(value, h5py.Empty):
            digest = bytes_digest(b"", "empty\0")
        elif isinstance(value, (str, bytes)):
            text = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
            budget.take(len(text))
            digest = config_digest(text) if len(text) <= MOST_CONFIG_BYTES else bytes_digest(text)
        else:
            digest = _array_digest(value, budget)
        yield Part(f"{name}@{key}", digest)


def _array_digest(value: Any, budget: OutputBudget) -> str:
    dtype: Any = getattr(value, "dtype", None)
    if dtype is None or dtype.hasobject:
        return bytes_digest(_values(value, budget), f"{getattr(value, 'shape', ())}\0")
    return bytes_digest(_plain(value), f"{dtype.str}\0{value.shape}\0")


def _values(values: Any, budget: OutputBudget) -> bytes:
    """Return strings of any length as bytes, each with its length before it."""
    flat: list[object] = values.ravel().tolist() if hasattr(values, "ravel") else [values]
    texts = [_text(value) for value in flat]
    budget.take(sum(map(len, texts)))
    return b"".join(b"%d:%s" % (len(text), text) for text in texts)


def _text(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if hasattr(value, "tobytes"):  # rows of different lengths
        return cast("Any", value).tobytes()
    raise TypeError("a reference has no value of its own")
