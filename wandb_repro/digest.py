"""Digests of arrays: equal only if every bit is.

The fast digest (XXH3-128) finds accidents at the speed of memory. Against tampering it proves
nothing; what must not be tampered with is covered by SHA-256 elsewhere.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import xxhash

from wandb_repro.errors import DigestError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["LEAF_ALGORITHM", "ROOT_ALGORITHM", "Array", "Leaf", "leaf_digest", "root_digest"]

LEAF_ALGORITHM = "wrepro-leaf-xxh3-128-1"
"""XXH3-128, seed 0, over: this name, NUL, dtype name, NUL, number of axes (u32 LE), each axis
(u64 LE), the elements in C order, little-endian."""

ROOT_ALGORITHM = "wrepro-root-xxh3-128-1"
"""XXH3-128, seed 0, over: this name, NUL, then for each leaf its group, NUL, its place in the
group (u32 LE), its 16 digest bytes."""


_PADDED = ("g", "G")
"""NumPy's codes of long double and its complex: 10 bytes of value in 16."""


class Array(Protocol):
    """What NumPy arrays have: enough to hash one without importing NumPy here."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Axes."""
        ...

    @property
    def dtype(self) -> Any:
        """NumPy's or ml_dtypes' dtype."""
        ...

    def reshape(self, shape: int, /) -> Array:
        """Return the elements with other axes."""
        ...

    def astype(self, dtype: Any, /, *, order: str, subok: bool, copy: bool) -> Array:
        """Return the elements converted, in memory order ``order``."""
        ...

    def view(self, dtype: str, /) -> Array:
        """Return the same bytes under another dtype."""
        ...


@dataclass(frozen=True)
class Leaf:
    """One variable's digest.

    The Keras path is a label only: its counters (``dense_1``) depend on what else the process
    built. Group and order are the key.
    """

    group: str
    label: str
    dtype: str
    shape: tuple[int, ...]
    digest: str
    """32 hexadecimal digits."""


def leaf_digest(array: Array) -> str:
    """Digest one array: 32 hexadecimal digits.

    Covers dtype, shape and the elements: two arrays agree only if they are equal bit for bit.
    NaN payloads and the sign of zero are bits like any other. Memory layout and byte order do
    not count.

    Args:
        array: any shape; copied only if it is not C-contiguous or is big-endian.

    Raises:
        DigestError: its dtype has no bytes of its own (object, whose bytes are addresses), has
            bytes that are nobody's (the padding of long double), or has a name that does not
            tell all of it (fields); or the array carries a mask.
    """
    _refuse_ambiguous(array)
    dtype = array.dtype
    plain = array.astype(dtype.newbyteorder("<"), order="C", subok=False, copy=False)
    shape = array.shape
    header = f"{LEAF_ALGORITHM}\0{dtype.name}\0".encode()
    hasher = xxhash.xxh3_128(header + struct.pack(f"<I{len(shape)}Q", len(shape), *shape))
    hasher.update(cast("Buffer", plain.reshape(-1).view("u1")))
    return hasher.hexdigest()


def _refuse_ambiguous(array: Array) -> None:
    dtype = array.dtype
    if hasattr(array, "mask"):
        raise DigestError("A masked array is two arrays: digest its data and its mask.")
    if dtype.hasobject:
        raise DigestError("An array of Python objects has no bytes of its own to digest.")
    if dtype.names is not None:
        raise DigestError("An array of records is digested field by field, not as a whole.")
    if dtype.char in _PADDED:
        raise DigestError(
            f"An array of {dtype.name} has padding bytes, which are equal only by chance."
        )


def root_digest(leaves: Iterable[tuple[str, str]]) -> str:
    """Digest many leaves, given as (group, digest) in the model's order: 32 hexadecimal digits.

    Labels do not count, the order within a group does.
    """
    hasher = xxhash.xxh3_128(f"{ROOT_ALGORITHM}\0".encode())
    places: Counter[str] = Counter()
    for group, digest in leaves:
        hasher.update(f"{group}\0".encode() + struct.pack("<I", places[group]))
        hasher.update(bytes.fromhex(digest))
        places[group] += 1
    return hasher.hexdigest()
