r"""A checkpoint on this disk: one file, written whole or not at all, verified when read.

    wandb_repro checkpoint 1\n     25 bytes
    length of the head             unsigned, 64 bits, little-endian
    the head                       JSON: the state, and each array's dtype, shape and length
    the arrays                     each at a multiple of 64 bytes, C order, little-endian
    SHA-256 of all before          32 bytes

Reading it executes nothing: no pickle.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from wandb_repro.errors import CheckpointError
from wandb_repro.files import atomic_file, open_regular

_MAGIC = b"wandb_repro checkpoint 1\n"
_ALIGNED = 64
_SUM = 32
_MOST_HEAD = 1 << 30


class Piece(NamedTuple):
    """One array's bytes."""

    dtype: str
    """Name in NumPy or ml_dtypes."""
    shape: tuple[int, ...]
    content: memoryview
    """The elements in C order, little-endian."""


class StoredCheckpoint(NamedTuple):
    """The content of a checkpoint."""

    state: dict[str, Any]
    """Any JSON object."""
    pieces: tuple[Piece, ...]
    """The arrays, which the state refers to by their position."""
    digest: str
    """SHA-256 of the file, hexadecimal."""


def write_checkpoint(path: Path, state: dict[str, Any], pieces: Sequence[Piece]) -> str:
    """Write a checkpoint to the disk whole or not at all; return its SHA-256, hexadecimal.

    Raises:
        OSError: the disk is full, read-only or gone; an earlier file at ``path`` is unchanged.
        TypeError: the state cannot be written as JSON.
    """
    listed = [
        {"dtype": piece.dtype, "shape": list(piece.shape), "bytes": piece.content.nbytes}
        for piece in pieces
    ]
    head = json.dumps({"state": state, "arrays": listed}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with atomic_file(path) as file:
        for part in _parts(head, pieces):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())
    return digest.hexdigest()


def _parts(head: bytes, pieces: Sequence[Piece]) -> Iterator[bytes | memoryview]:
    yield _MAGIC + len(head).to_bytes(8, "little") + head
    at = len(_MAGIC) + 8 + len(head)
    for piece in pieces:
        yield bytes(-at % _ALIGNED)
        yield piece.content
        at += -at % _ALIGNED + piece.content.nbytes


def read_checkpoint(path: Path, sha256: str | None = None) -> StoredCheckpoint:
    """Read a checkpoint and verify all of it against its digest.

    Args:
        path: of the file.
        sha256: the expected digest; None accepts the one in the file.

    Raises:
        CheckpointError: it is missing, truncated, changed, or a different one.
    """
    content = _content(path)
    if bytes(content[: len(_MAGIC)]) != _MAGIC or len(content) < len(_MAGIC) + 8 + _SUM:
        raise CheckpointError(f"{path} is not a wandb_repro checkpoint.")
    digest = hashlib.sha256(content[:-_SUM])
    if digest.digest() != bytes(content[-_SUM:]):
        raise CheckpointError(f"{path} is damaged: its digest does not match its content.")
    if sha256 is not None and digest.hexdigest() != sha256:
        raise CheckpointError(f"{path} is not the checkpoint that was recorded.")
    try:
        return _read(content[:-_SUM], digest.hexdigest())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} is not a valid checkpoint: {error}.") from error


def _content(path: Path) -> memoryview:
    try:
        with open_regular(path) as file:
            # An empty file cannot be mapped.
            if not os.fstat(file.fileno()).st_size:
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error


def _read(content: memoryview, digest: str) -> StoredCheckpoint:
    start = len(_MAGIC) + 8
    size = int.from_bytes(content[len(_MAGIC) : start], "little")
    if size > min(_MOST_HEAD, len(content) - start):
        raise ValueError("its header is longer than the file")
    head = json.loads(bytes(content[start : start + size]))
    at = start + size
    pieces: list[Piece] = []
    for array in cast("list[dict[str, Any]]", head["arrays"]):
        at += -at % _ALIGNED
        shape = tuple(int(axis) for axis in array["shape"])
        dtype = str(array["dtype"])
        length = int(array["bytes"])
        if length < 0 or at + length > len(content) or min(shape, default=0) < 0:
            raise ValueError("an array reaches beyond its end")
        pieces.append(Piece(dtype, shape, content[at : at + length]))
        at += length
    return StoredCheckpoint(dict(head["state"]), tuple(pieces), digest)
