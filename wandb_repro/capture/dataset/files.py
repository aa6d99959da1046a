"""Data in a file or in a folder of files: digested where it lies, once for each state of a file.

Digests of files that were read before, so that an unchanged file is not read again.

A file is taken for unchanged while its size, time of change and inode are the same, as Git and DVC
do. One that was written in the last two seconds is not kept: within the clock's step it could
change again unrecorded ("racy git").
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import xxhash

from wandb_repro.capture.dataset.limits import Limits, megabytes
from wandb_repro.capture.unrecorded import never_record_this_thread
from wandb_repro.digest import ROOT_ALGORITHM, root_digest
from wandb_repro.errors import DigestError
from wandb_repro.files import cache_folder
from wandb_repro.manifest.data import DataFiles

__all__ = ["FILE_ALGORITHM", "FilesDigest", "KnownFiles", "digest_files"]


FILE_ALGORITHM = "wrepro-file-xxh3-128-1"
"""XXH3-128, seed 0, over this name, NUL, and the file's bytes. Of a folder: a root over its files,
sorted by path; a file's group is its path in the folder, with slashes."""

SAMPLE_ALGORITHM = "wrepro-sample-xxh3-128-1"
"""XXH3-128, seed 0, over: this name, NUL, the file's size (decimal), NUL, the size of a piece
(decimal), NUL, and pieces of it at even distances, the first and the last among them."""

_WORKERS = 4
_READ_BYTES = 1 << 20


class FilesDigest(NamedTuple):
    """What a file or folder holds."""

    digest: str
    """``ALGORITHM:HEX``."""
    each: list[str]
    """Hexadecimal digest of each file, by path: what is in it, not what it is called."""
    paths: list[str]
    """Of each file, in the same order."""
    files: DataFiles
    read: str
    """What of it was read, in words; empty when all of it."""


class _File(NamedTuple):
    path: str
    label: str
    status: os.stat_result


def digest_files(path: str, limits: Limits, known: KnownFiles) -> FilesDigest:
    """Digest a file, or every file below a folder.

    Links to files are followed, links to folders are not.

    Args:
        path: of the file or folder.
        limits: how much is read.
        known: files that were read before, and are not read again.

    Raises:
        DigestError: it is not there, cannot be read, is no file, takes too long, or changed while
            it was read.
    """
    whole = Path(path).absolute()
    try:
        files = sorted(_files(whole), key=lambda file: file.label)
        size_bytes = sum(file.status.st_size for file in files)
        sampled = size_bytes > limits.file_bytes
        until = time.monotonic() + limits.seconds
        with ThreadPoolExecutor(_WORKERS, initializer=never_record_this_thread) as pool:
            tasks = [
                pool.submit(_digest, file, limits, known, sampled=sampled, until=until)
                for file in files
            ]
            each = [task.result() for task in tasks]
    except OSError as error:
        raise DigestError(f"{error.filename or path}: {error.strerror or error}") from error
    if not files:
        raise DigestError(f"{path} holds no file")
    algorithm = SAMPLE_ALGORITHM if sampled else FILE_ALGORITHM
    if whole.is_dir():
        root = root_digest(zip((file.label for file in files), each, strict=True))
        digest = f"{ROOT_ALGORITHM}:{root}"
    else:
        digest = f"{algorithm}:{each[0]}"
    return FilesDigest(
        digest,
        each,
        [file.path for file in files],
        DataFiles(
            path=path,
            absolute=str(whole.absolute()),
            count=len(files),
            size_bytes=size_bytes,
            digest=digest,
        ),
        f"a sample of {megabytes(size_bytes)}" if sampled else "",
    )


def _files(path: Path) -> Iterator[_File]:
    status = path.stat()
    if stat.S_ISREG(status.st_mode):
        yield _File(str(path), path.name, status)
        return
    if not stat.S_ISDIR(status.st_mode):
        raise DigestError(f"{path} is neither a file nor a folder")
    left = [""]
    while left:
        below = left.pop()
        with os.scandir(path / below) as entries:
            for entry in entries:
                label = f"{below}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    left.append(f"{label}/")
                elif entry.is_file():
                    yield _File(entry.path, label, entry.stat())


def _digest(file: _File, limits: Limits, known: KnownFiles, *, sampled: bool, until: float) -> str:
    algorithm = SAMPLE_ALGORITHM if sampled else FILE_ALGORITHM
    found = known.digest(file.path, file.status, algorithm)
    if found is None:
        with open(file.path, "rb", buffering=0) as opened:  # noqa: PTH123 - a hundred thousand
            content = opened.fileno()
            if sampled and file.status.st_size > limits.pieces * limits.piece_bytes:
                found = _sample(content, file.status.st_size, limits)
            else:
                found = _whole(content, algorithm, until)
            after = os.fstat(content)
        if _state(after) != _state(file.status):
            raise DigestError(f"{file.path} changed while it was read")
        known.keep(file.path, file.status, algorithm, found)
    return found


def _whole(opened: int, algorithm: str, until: float) -> str:
    hasher = xxhash.xxh3_128(f"{algorithm}\0".encode())
    buffer = bytearray(_READ_BYTES)
    whole = memoryview(buffer)
    while count := os.readv(opened, [buffer]):
        hasher.update(whole[:count])
        if time.monotonic() > until:
            raise DigestError("reading it takes too long: give path= a part of it")
    return hasher.hexdigest()


def _sample(opened: int, size_bytes: int, limits: Limits) -> str:
    head = f"{SAMPLE_ALGORITHM}\0{size_bytes}\0{limits.piece_bytes}\0"
    hasher = xxhash.xxh3_128(head.encode())
    last = size_bytes - limits.piece_bytes
    for number in range(limits.pieces):
        hasher.update(os.pread(opened, limits.piece_bytes, last * number // (limits.pieces - 1)))
    return hasher.hexdigest()


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


_RACY_NS = 2_000_000_000
_MOST = 200_000
"""Files; older ones are forgotten."""

_MADE = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT, algorithm TEXT, size INTEGER, changed_ns INTEGER, inode TEXT, digest TEXT,
    PRIMARY KEY (path, algorithm)
)
"""
_ASKED = "SELECT size, changed_ns, inode, digest FROM files WHERE path = ? AND algorithm = ?"
_KEPT = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)"
_FORGOTTEN = "DELETE FROM files WHERE rowid <= (SELECT MAX(rowid) FROM files) - ?"


class KnownFiles:
    """The user's, in the cache folder. Where there is no place for it, nothing is known."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or cache_folder() / "data.sqlite"
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        with contextlib.suppress(sqlite3.Error, OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._file, timeout=2, check_same_thread=False)
            self._database.execute(_MADE)

    def digest(self, path: str, status: os.stat_result, algorithm: str) -> str | None:
        """Return what a file's digest was; None when it is not known, or not of this state.

        Args:
            path: absolute.
            status: of the file now.
            algorithm: of the digest.
        """
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                key = (path, algorithm)
                found = self._database.execute(_ASKED, key).fetchone()
                if found is not None and found[:3] == _state_of_known(status):
                    return str(found[3])
        return None

    def keep(self, path: str, status: os.stat_result, algorithm: str, digest: str) -> None:
        """Keep a digest for the state that the file has."""
        if time.time_ns() - status.st_mtime_ns < _RACY_NS:
            return
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                row = (path, algorithm, *_state_of_known(status), digest)
                self._database.execute(_KEPT, row)

    def close(self) -> None:
        """Write what was learned."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                self._database.execute(_FORGOTTEN, (_MOST,))
                self._database.commit()
                self._database.close()
        self._database = None


def _state_of_known(status: os.stat_result) -> tuple[int, int, str]:
    return status.st_size, status.st_mtime_ns, str(status.st_ino)  # may need all 64 bits
