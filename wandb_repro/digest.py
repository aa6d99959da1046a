"""Digests of arrays: equal only if every bit is.

XXH3-128 detects accidental differences at the speed of memory. It does not protect against
tampering; data that must not be tampered with has a SHA-256 elsewhere.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import os
import struct
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

import xxhash

from wandb_repro.errors import DigestError

if TYPE_CHECKING:
    from typing_extensions import Buffer


LEAF_ALGORITHM = "wrepro-leaf-xxh3-128-1"
"""XXH3-128, seed 0, over: this name, NUL, dtype name, NUL, number of axes (u32 LE), each axis
(u64 LE), the elements in C order, little-endian."""

ROOT_ALGORITHM = "wrepro-root-xxh3-128-1"
"""XXH3-128, seed 0, over: this name, NUL, then for each leaf its group, NUL, its index in the
group (u32 LE), its 16 digest bytes."""

FILE_ALGORITHM = "wrepro-file-xxh3-128-1"
"""XXH3-128, seed 0, over this name, NUL, and the file's bytes. A folder has a root over its
files, sorted by path; a file's group is its path in the folder, with slashes."""


_PADDED = ("g", "G")
"""NumPy's codes of long double and its complex: 10 bytes of value in 16."""


class Array(Protocol):
    """The part of NumPy's array that is needed to hash it without importing NumPy."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Axes."""
        ...

    @property
    def dtype(self) -> Any:
        """NumPy's or ml_dtypes' dtype."""
        ...

    @property
    def flags(self) -> Any:
        """Memory layout."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        ...

    def reshape(self, shape: int, /) -> Array:
        """Return the elements with a new shape."""
        ...

    def astype(self, dtype: Any, /, *, order: str, subok: bool, copy: bool) -> Array:
        """Return the elements converted, in memory order ``order``."""
        ...

    def view(self, dtype: str, /) -> Array:
        """Return the same bytes under another dtype."""
        ...


def leaf_digest(array: Array) -> str:
    """Digest one array: 32 hexadecimal digits.

    Covers dtype, shape and the elements: two arrays agree only if they are equal bit for bit.
    NaN payloads and the sign of zero count, memory layout and byte order do not.

    Args:
        array: any shape; copied only if it is not C-contiguous or is big-endian.

    Raises:
        DigestError: its dtype is object (its bytes are addresses), long double (it has padding
            bytes) or has fields (its name does not describe them); or the array has a mask.
    """
    dtype = array.dtype
    if _is_numpys(type(array)) and _is_direct(dtype) and array.flags.c_contiguous:
        hasher = xxhash.xxh3_128(_header(dtype, array.shape))
        hasher.update(array)  # pyright: ignore[reportArgumentType] - a cast takes as long
        return hasher.hexdigest()
    fault = _fault_of(dtype)
    if fault or hasattr(array, "mask"):
        raise DigestError(fault or "A masked array is two arrays: digest its data and its mask.")
    plain = array.astype(_little_endian(dtype), order="C", subok=False, copy=False)
    hasher = xxhash.xxh3_128(_header(dtype, array.shape))
    hasher.update(cast("Buffer", plain.reshape(-1).view("u1")))
    return hasher.hexdigest()


@functools.lru_cache(maxsize=16)
def _is_numpys(kind: type) -> bool:
    """Return whether a type is NumPy's own array, whose buffer holds all of its data."""
    return kind.__name__ == "ndarray" and kind.__module__ == "numpy"


@functools.lru_cache(maxsize=256)
def _is_direct(dtype: Any) -> bool:
    """Return whether arrays of a dtype export their memory, little-endian and unpadded."""
    return (
        dtype.kind in "biufc"
        and dtype.char not in _PADDED
        and _little_endian(dtype).str == dtype.str
    )


@functools.lru_cache(maxsize=4096)
def _header(dtype: Any, shape: tuple[int, ...]) -> bytes:
    """Return the bytes digested before the elements."""
    # Cached, since NumPy takes microseconds to name a dtype.
    name = f"{LEAF_ALGORITHM}\0{dtype.name}\0".encode()
    return name + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)


@functools.lru_cache(maxsize=256)
def _little_endian(dtype: Any) -> Any:
    return dtype.newbyteorder("<")


@functools.lru_cache(maxsize=256)
def _fault_of(dtype: Any) -> str:
    """Return why arrays of a dtype have no digest; empty if they have one."""
    if dtype.hasobject:
        return "An array of Python objects has no bytes of its own to digest."
    if dtype.names is not None:
        return "An array of records is digested field by field, not as a whole."
    if dtype.char in _PADDED:
        return f"An array of {dtype.name} has padding bytes, which are equal only by chance."
    return ""


_WORTH_A_THREAD = 4 << 20
"""Bytes: hashing them takes ten times as long as starting a thread."""

_MOST_THREADS = 4
"""A few cores saturate the memory bandwidth."""


def leaf_digests(arrays: Sequence[Array]) -> list[str]:
    """Digest arrays as ``leaf_digest`` does, on several cores if they are large enough.

    Raises:
        DigestError: as ``leaf_digest``, for the first array that cannot be digested.
    """
    threads = min(_cores(), _MOST_THREADS, sum(array.nbytes for array in arrays) // _WORTH_A_THREAD)
    if threads < 2:
        return [leaf_digest(array) for array in arrays]
    return _digested_by(threads, arrays)


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def _digested_by(threads: int, arrays: Sequence[Array]) -> list[str]:
    """Digest arrays in this thread and others, which then end: a fork would lose them."""
    digests = [""] * len(arrays)
    waiting = sorted(range(len(arrays)), key=lambda index: arrays[index].nbytes)

    def work() -> None:
        with contextlib.suppress(IndexError):
            while True:
                index = waiting.pop()  # the largest first; atomic, so there is no lock
                with contextlib.suppress(Exception):  # the caller's thread raises it again
                    digests[index] = leaf_digest(arrays[index])

    started: list[threading.Thread] = []
    with contextlib.suppress(RuntimeError):  # no thread can be started: this thread does the work
        for _ in range(threads - 1):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            started.append(thread)
    work()
    for thread in started:
        thread.join()
    return [digest or leaf_digest(array) for digest, array in zip(digests, arrays, strict=True)]


def root_digest(leaves: Iterable[tuple[str, str]]) -> str:
    """Digest many leaves, given as (group, digest) in the model's order: 32 hexadecimal digits.

    The order within a group counts, labels do not.
    """
    pairs = list(leaves)
    groups = tuple([group for group, _ in pairs])
    positions = _places(groups) if len(groups) <= _MOST_KEPT else _places.__wrapped__(groups)
    digests = [bytes.fromhex(digest) for _, digest in pairs]
    over = b"".join(map(operator.add, positions, digests))
    return xxhash.xxh3_128_hexdigest(f"{ROOT_ALGORITHM}\0".encode() + over)


_MOST_KEPT = 8192
"""Leaves: a model's are the same at every step, a folder's files are digested once."""


@functools.lru_cache(maxsize=16)
def _places(groups: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return the bytes digested before each leaf: its group and its index in the group."""
    seen: Counter[str] = Counter()
    places: list[bytes] = []
    for group in groups:
        places.append(f"{group}\0".encode() + struct.pack("<I", seen[group]))
        seen[group] += 1
    return tuple(places)
