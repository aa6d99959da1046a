"""Digests of one column of numbers or text, in one array or in pieces."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import xxhash

from wandb_repro.capture.dataset.rows import WORTH_A_THREAD, row_ids, text_ids
from wandb_repro.digest import LEAF_ALGORITHM, ROOT_ALGORITHM, leaf_digest, root_digest
from wandb_repro.errors import DigestError
from wandb_repro.manifest.data import ArrayDigest

STREAM_ALGORITHM = "wrepro-stream-xxh3-128-1"
"""XXH3-128, seed 0, over: this name, NUL, dtype name, NUL, number of axes of a row (u32 LE), each
of them (u64 LE), the rows in C order, little-endian, and their number (u64 LE). If dtype or
shape change between rows, each stretch has its own digest, and there is a root over them."""

TEXT_ALGORITHM = "wrepro-text-xxh3-128-1"
"""XXH3-128, seed 0, over: this name, NUL, ``str`` or ``bytes``, NUL, the 16 bytes of XXH3-128 over
each text's length in bytes (i64 LE, -1 if it is missing), and those over all texts, UTF-8."""


def is_array(value: object) -> bool:
    """Return whether a value is a NumPy array or has the same interface."""
    return hasattr(value, "__array_interface__") and hasattr(value, "dtype")


def whole_column(role: str, array: Any) -> tuple[ArrayDigest, Any]:
    """Return the digest of an array that is complete in memory, and the ids of its rows.

    Args:
        role: of the array, such as ``x`` or a column's name.
        array: NumPy, shape (rows, ...) or (); objects must be text.

    Raises:
        DigestError: it has no digest; the message says why.
    """
    if array.dtype.kind == "O":
        return _texts(role, array)
    rows = array if array.ndim else array.reshape(1)
    if array.nbytes < WORTH_A_THREAD:
        digest, ids = leaf_digest(array), row_ids(rows)
    else:
        with ThreadPoolExecutor(1) as pool:
            digested = pool.submit(leaf_digest, array)
            ids = row_ids(rows)
            digest = digested.result()
    column = ArrayDigest(
        role=role,
        dtype=str(array.dtype.name),
        shape=array.shape,
        digest=f"{LEAF_ALGORITHM}:{digest}",
    )
    return column, ids


def _texts(role: str, array: Any) -> tuple[ArrayDigest, Any]:
    stream = Stream(role)
    ids = stream.add(array)
    return stream.digest().model_copy(update={"shape": tuple(array.shape)}), ids


class Stream:
    """A column that comes in pieces; the digest does not depend on how it is cut."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._stretches: list[_Numbers | _Text] = []

    def add(self, rows: Any) -> Any:
        """Add rows; return their ids, uint64, of shape (rows,).

        Args:
            rows: NumPy, shape (rows, ...).

        Raises:
            DigestError: they have no digest; the message says why.
        """
        if rows.dtype.kind == "O":
            return self._add_text(rows)
        leaf_digest(rows[:0])  # raises for a dtype that cannot be digested
        shape = tuple(rows.shape[1:])
        last = self._stretches[-1] if self._stretches else None
        if not isinstance(last, _Numbers) or (last.dtype, last.shape) != (rows.dtype.name, shape):
            last = _Numbers(rows.dtype.name, shape)
            self._stretches.append(last)
        last.add(rows)
        return row_ids(rows)

    def _add_text(self, rows: Any) -> Any:
        values = cast("list[object]", rows.reshape(-1).tolist())
        kind, texts = _encoded(values)
        last = self._stretches[-1] if self._stretches else None
        if not isinstance(last, _Text) or (kind and last.dtype and last.dtype != kind):
            last = _Text()
            self._stretches.append(last)
        last.add(kind, texts)
        if rows.ndim == 1:
            return text_ids(texts)
        return row_ids(text_ids(texts).reshape(rows.shape))

    def digest(self) -> ArrayDigest:
        """Return the digest of all rows; call it only once, at the end."""
        digests = [stretch.digest() for stretch in self._stretches]
        rows = sum(stretch.rows for stretch in self._stretches)
        shapes = {stretch.shape for stretch in self._stretches}
        dtypes = list(dict.fromkeys(stretch.dtype or "str" for stretch in self._stretches))
        if len(digests) == 1:
            digest = f"{self._stretches[0].algorithm}:{digests[0]}"
        else:
            digest = f"{ROOT_ALGORITHM}:{root_digest(('stretch', digest) for digest in digests)}"
        return ArrayDigest(
            role=self._role,
            dtype=", ".join(dtypes) or "nothing",
            shape=(rows, *(shapes.pop() if len(shapes) == 1 else ())),
            digest=digest,
        )


class _Numbers:
    algorithm = STREAM_ALGORITHM

    def __init__(self, dtype: str, shape: tuple[int, ...]) -> None:
        self.dtype, self.shape, self.rows = dtype, shape, 0
        head = f"{STREAM_ALGORITHM}\0{dtype}\0".encode()
        self._hasher = xxhash.xxh3_128(head + struct.pack(f"<I{len(shape)}Q", len(shape), *shape))

    def add(self, rows: Any) -> None:
        self.rows += len(rows)
        plain = rows.astype(rows.dtype.newbyteorder("<"), order="C", copy=False)
        self._hasher.update(plain.reshape(-1).view("u1"))

    def digest(self) -> str:
        self._hasher.update(struct.pack("<Q", self.rows))
        return self._hasher.hexdigest()


class _Text:
    algorithm = TEXT_ALGORITHM
    shape: tuple[int, ...] = ()

    def __init__(self) -> None:
        self.dtype, self.rows = "", 0
        self._lengths, self._content = xxhash.xxh3_128(), xxhash.xxh3_128()

    def add(self, kind: str, texts: list[bytes | None]) -> None:
        self.rows += len(texts)
        self.dtype = self.dtype or kind
        lengths = [-1 if text is None else len(text) for text in texts]
        self._lengths.update(struct.pack(f"<{len(lengths)}q", *lengths))
        self._content.update(b"".join(text for text in texts if text is not None))

    def digest(self) -> str:
        head = f"{TEXT_ALGORITHM}\0{self.dtype or 'str'}\0".encode()
        both = self._lengths.digest() + self._content.digest()
        return xxhash.xxh3_128_hexdigest(head + both)


def _encoded(values: Sequence[object]) -> tuple[str, list[bytes | None]]:
    """Return the type of texts, ``str`` or ``bytes``, and their bytes; None for a missing one."""
    kinds = {type(value) for value in values if not _is_missing(value)}
    if not kinds <= {str} and not kinds <= {bytes}:
        other = next(kind for kind in kinds if kind is not str)
        raise DigestError(
            f"An array of Python objects ({other.__name__}) has no bytes of its own to digest."
        )
    if kinds == {bytes}:
        return "bytes", [value if isinstance(value, bytes) else None for value in values]
    encoded = [
        value.encode("utf-8", "surrogatepass") if isinstance(value, str) else None
        for value in values
    ]
    return "str" if kinds else "", encoded


def _is_missing(value: object) -> bool:
    """Return whether a value is None, NaN or pandas' NA."""
    if value is None or (isinstance(value, float) and value != value):
        return True
    pandas = sys.modules.get("pandas")
    return pandas is not None and value is getattr(pandas, "NA", None)
