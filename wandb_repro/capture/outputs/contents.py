"""The parts of an output file, and one digest over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import xxhash

from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.digest import FILE_ALGORITHM, ROOT_ALGORITHM, root_digest

PIECE_BYTES = 1 << 20


class Part(NamedTuple):
    """A tensor, a config, or another part that is digested by itself."""

    name: str
    digest: str
    """32 hexadecimal digits."""


class Contents(NamedTuple):
    """What a file holds."""

    kind: str
    """``keras``, ``hdf5``, ``npz``, ``torch``, ``zip``, ``tar``, ``safetensors``, ``tensorflow``,
    ``gzip`` or ``bytes``."""
    parts: tuple[Part, ...]
    """In the order of their names; empty if the file is digested by its bytes."""
    whole: str = ""
    """Digest of all bytes, 32 hexadecimal digits; empty if there are parts."""

    @property
    def digest(self) -> str:
        """``ALGORITHM:HEX`` over all of it."""
        if not self.parts:
            return f"{FILE_ALGORITHM}:{self.whole}"
        return f"{ROOT_ALGORITHM}:{root_digest(self.parts)}"


def by_parts(kind: str, parts: Iterable[Part]) -> Contents:
    """Return contents by their parts, sorted; an empty archive has one part."""
    found = tuple(sorted(Part(printable(part.name), part.digest) for part in parts))
    return Contents(kind, found or (Part("(empty)", bytes_digest(b"")),))


def stream_digest(read: Callable[[int], bytes], budget: OutputBudget) -> str:
    """Return the digest of everything that ``read`` returns until it returns nothing.

    Raises:
        DigestError: it is more than the budget.
    """
    hasher = xxhash.xxh3_128(f"{FILE_ALGORITHM}\0".encode())
    while piece := read(PIECE_BYTES):
        budget.take(len(piece))
        hasher.update(piece)
    return hasher.hexdigest()


def bytes_digest(content: bytes, header: str = "") -> str:
    """Return the digest of bytes in memory, after a header that says how to read them."""
    hasher = xxhash.xxh3_128(f"{FILE_ALGORITHM}\0{header}".encode())
    hasher.update(content)
    return hasher.hexdigest()


def printable(name: str) -> str:
    """Return a name without the lone surrogates that stand for bytes that are not UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()
