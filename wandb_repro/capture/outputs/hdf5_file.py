"""Reads HDF5 by datasets and attributes; links to other files are not followed."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple, cast

import xxhash

from wandb_repro.capture.outputs.contents import PIECE_BYTES, Contents, Part, by_parts, bytes_digest
from wandb_repro.capture.outputs.json_config import MOST_CONFIG_BYTES, config_digest
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.digest import FILE_ALGORITHM
from wandb_repro.errors import DigestError

MAGIC = b"\x89HDF\r\n\x1a\n"

_MOST_AT_ONCE_BYTES = 64 << 20
"""Bytes of a dataset in memory."""

_MOST_STRINGS = 4096

_ERRORS = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
)
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
            raw = None if opened.userblock_size else file
            return by_parts("hdf5", list(_parts(h5py, opened, raw, budget)))
    except _ERRORS:
        return None


def _parts(h5py: Any, opened: Any, raw: BinaryIO | None, budget: OutputBudget) -> Iterator[Part]:
    # By HDF5's own visits: to open each group by h5py takes three times as long.
    top = h5py.h5g.open(opened.id, b"/")
    names, links = _links(h5py, top, budget)
    yield from links
    for name, kind, attributes in _objects(h5py, top, names):
        path = os.fsencode(name) or b"/"
        if attributes:
            yield from _attributes(h5py, name, h5py.h5o.open(top, path), budget)
        if kind == h5py.h5o.TYPE_DATASET:
            data = h5py.Dataset(h5py.h5d.open(top, path))
            yield Part(name, _dataset_digest(data, raw, budget))
        elif kind == h5py.h5o.TYPE_GROUP:
            yield Part(f"{name}/", bytes_digest(b"", "group\0"))


def _links(h5py: Any, top: Any, budget: OutputBudget) -> tuple[dict[int, str], list[Part]]:
    """Return the first name of each object by its address, and all links that lead elsewhere."""
    hard: list[tuple[str, int]] = []
    others: list[Part] = []
    faults: list[DigestError] = []

    def found(path: bytes, link: Any) -> bool | None:
        if refused := _refused(budget.take_member):
            faults.append(refused)
            return True  # ends the visit, which an exception would not do cleanly
        if link.type == h5py.h5l.TYPE_HARD:
            hard.append((os.fsdecode(path), link.u))
        else:  # to another file, or by name
            target = repr(top.links.get_val(path)).encode()
            others.append(Part(os.fsdecode(path), bytes_digest(target, "link\0")))
        return None

    top.links.visit(found, info=True)
    if faults:
        raise faults[0]
    names: dict[int, str] = {h5py.h5o.get_info(top).addr: ""}
    for name, address in sorted(hard):
        first = names.setdefault(address, name)
        if first != name:
            others.append(Part(name, bytes_digest(first.encode(), "same as\0")))
    return names, others


def _refused(take: Callable[[], None]) -> DigestError | None:
    try:
        take()
    except DigestError as error:
        return error
    return None


def _objects(h5py: Any, top: Any, names: dict[int, str]) -> list[tuple[str, int, int]]:
    """Return name, type and number of attributes of each object."""
    objects = [("", h5py.h5o.TYPE_GROUP, h5py.h5o.get_info(top).num_attrs)]

    def found(path: bytes, info: Any) -> None:
        name = names.get(info.addr, os.fsdecode(path))
        objects.append((name, info.type, info.num_attrs))

    h5py.h5o.visit(top, found, info=True)
    return objects


def _dataset_digest(data: Any, raw: BinaryIO | None, budget: OutputBudget) -> str:
    dtype, shape = data.dtype, data.shape
    if shape is None:
        return bytes_digest(b"", "empty\0")
    name = dtype.str if dtype.names is None else str(dtype.descr)
    hasher = xxhash.xxh3_128(f"{FILE_ALGORITHM}\0{name}\0{shape}\0".encode())
    offset = data.id.get_offset()
    if offset is not None and raw is not None and not dtype.hasobject:
        # One piece of the file: its bytes are those of the array.
        budget.take(math.prod(shape) * dtype.itemsize)
        _digest_range(hasher, raw, offset, math.prod(shape) * dtype.itemsize)
        return hasher.hexdigest()
    if data.external or data.is_virtual:
        raise DigestError("it takes values from other files")
    row_bytes = math.prod(shape[1:]) * dtype.itemsize
    chunk_bytes = math.prod(data.chunks or (0,)) * dtype.itemsize
    if max(row_bytes, chunk_bytes) > _MOST_AT_ONCE_BYTES:
        raise DigestError("it holds a tensor with rows too large to read at once")
    # A string of any length takes 8 bytes in its array.
    at_once_bytes = _MOST_STRINGS * 8 if dtype.hasobject else _MOST_AT_ONCE_BYTES
    step = max(1, at_once_bytes // max(1, row_bytes))
    # A scalar has no first axis.
    for start in range(0, shape[0], step) if shape else (None,):
        budget.take(0)
        values = data[()] if start is None else data[start : start + step]
        budget.take(values.nbytes if hasattr(values, "nbytes") else 0)
        hasher.update(_values(values, budget) if dtype.hasobject else _plain(values))
    return hasher.hexdigest()


def _digest_range(hasher: xxhash.xxh3_128, raw: BinaryIO, offset: int, size_bytes: int) -> None:
    raw.seek(offset)
    while size_bytes > 0:
        piece = raw.read(min(PIECE_BYTES, size_bytes))
        if not piece:
            raise EOFError("it is shorter than it says")
        hasher.update(piece)
        size_bytes -= len(piece)


def _plain(values: Any) -> bytes:
    """Return an array's bytes in C order; ``Empty`` has none."""
    return cast("bytes", values.tobytes()) if hasattr(values, "tobytes") else b""


def _attributes(h5py: Any, name: str, found: Any, budget: OutputBudget) -> Iterator[Part]:
    attributes = h5py.AttributeManager(_WithId(found))
    for key in sorted(attributes.keys()):
        budget.take_member()
        attribute = attributes.get_id(key)
        budget.take(math.prod(attribute.shape or ()) * attribute.dtype.itemsize)
        value = attributes[key]
        if isinstance(value, h5py.Empty):
            digest = bytes_digest(b"", "empty\0")
        elif isinstance(value, (str, bytes)):
            text = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
            budget.take(len(text))
            digest = config_digest(text) if len(text) <= MOST_CONFIG_BYTES else bytes_digest(text)
        else:
            digest = _array_digest(value, budget)
        yield Part(f"{name}@{key}", digest)


class _WithId(NamedTuple):
    """An object of the file, as far as h5py needs it to read its attributes."""

    id: Any


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
