"""File helpers: atomic writing, opening only regular files, SHA-256, the cache folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import time
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

CACHE_VARIABLE = "WANDB_REPRO_CACHE"
"""Environment variable: folder of the caches, instead of the default."""

_BLOCK_BYTES = 1024 * 1024


def cache_folder() -> Path:
    """Return the folder of our caches, absolute; it may not exist yet."""
    chosen = os.environ.get(CACHE_VARIABLE)
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return (Path(chosen) if chosen else Path(home, "wandb-repro")).absolute()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file to the disk whole or not at all, and verify its content.

    A link at ``path`` is replaced, not followed.

    Raises:
        OSError: the disk is full, read-only, gone or corrupts data. An earlier file at ``path`` is
            unchanged.
    """
    with _replacement_of(path) as temporary:
        with temporary.open("wb") as file:
            file.write(content)
            _sync(file)
        if temporary.read_bytes() != content:
            raise OSError(errno.EIO, "the disk does not hold what was written to it", str(path))


@contextlib.contextmanager
def atomic_file(path: Path) -> Generator[BinaryIO]:
    """Yield an empty file that replaces ``path`` if the block ends without an error.

    Raises:
        OSError: as ``write_atomically``.
    """
    with _replacement_of(path) as temporary, temporary.open("wb") as file:
        yield file
        _sync(file)


@contextlib.contextmanager
def _replacement_of(path: Path) -> Generator[Path]:
    # Several processes may write one path: each has its own temporary file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, so that a new file survives a crash.

    Never raises: some network file systems cannot sync a folder (EINVAL), and a writable folder may
    not be readable. The files in it are complete anyway.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_regular(
    path: str | bytes | Path, *, follow_links: bool = True, buffering: int = -1
) -> BinaryIO:
    """Open a regular file for reading, in binary.

    A stranger's capsule or a running script may put a pipe or a device at the path, and reading it
    would never end.

    Args:
        path: of the file.
        follow_links: whether a link at ``path`` itself is followed.
        buffering: as for ``open``.

    Raises:
        OSError: it does not exist, cannot be read, or is not a regular file.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags if follow_links else flags | os.O_NOFOLLOW)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a file", os.fsdecode(path))
    return open(descriptor, "rb", buffering=buffering)  # noqa: PTH123  (a descriptor)


def sha256_of_bytes(content: bytes) -> str:
    """Return the SHA-256 of a file's content, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(
    path: str | bytes | Path,
    *,
    follow_links: bool = True,
    most_bytes: int | None = None,
    until: float = float("inf"),
) -> str:
    """Return the SHA-256 of a regular file, hexadecimal; reads a mebibyte at a time.

    Args:
        path: of the file.
        follow_links: whether a link at ``path`` itself is followed.
        most_bytes: limit of bytes to read: a growing file has no end.
        until: when to give up, on the clock of ``time.monotonic``.

    Raises:
        TimeoutError: it took too long.
        OSError: it does not exist, cannot be read, or is not a regular file.
    """
    digest = hashlib.sha256()
    left_bytes = float("inf") if most_bytes is None else most_bytes
    with open_regular(path, follow_links=follow_links, buffering=0) as file:
        while left_bytes > 0 and (block := file.read(int(min(_BLOCK_BYTES, left_bytes)))):
            digest.update(block)
            left_bytes -= len(block)
            if time.monotonic() > until:
                raise TimeoutError(errno.ETIMEDOUT, "reading it took too long", os.fsdecode(path))
    return digest.hexdigest()
