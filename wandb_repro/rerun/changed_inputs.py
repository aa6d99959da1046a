"""Whether the files that a rerun reads in their old places are those that the original read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.data import InputFile

__all__ = ["changed_files"]

_DIGESTED_BYTES = 512 * 1024 * 1024
"""Of all files together. An honest record holds digests of 100 MB."""


def changed_files(inputs: Iterable[InputFile]) -> tuple[str, ...]:
    """Return the absolute paths of files that have another size or digest than recorded.

    What is there and cannot be read, or is no regular file, is left to the script.
    """
    left_bytes = _DIGESTED_BYTES
    changed: list[str] = []
    for found in inputs:
        size_bytes = _size(found.absolute)
        if size_bytes is None:
            continue
        if isinstance(found.size_bytes, int) and found.size_bytes != size_bytes:
            changed.append(found.absolute)
        elif isinstance(found.digest, str) and size_bytes <= left_bytes:
            left_bytes -= size_bytes
            if _digest(found.absolute, size_bytes) not in ("", found.digest):
                changed.append(found.absolute)
    return tuple(changed)


def _size(path: str) -> int | None:
    """Return a regular file's size in bytes; a record may name a pipe, which has no end."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _digest(path: str, size_bytes: int) -> str:
    """Return ``sha256:HEX``; empty where it cannot be read."""
    try:
        return f"sha256:{sha256_of_file(path, most_bytes=size_bytes)}"
    except OSError:
        return ""
