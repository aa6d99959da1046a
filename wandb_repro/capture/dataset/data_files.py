"""Digests of data in a file or a folder of files."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Container, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import xxhash

from wandb_repro.capture.dataset.file_digest_cache import FileDigestCache
from wandb_repro.capture.dataset.limits import Limits, megabytes
from wandb_repro.capture.unrecorded import never_record_this_thread
from wandb_repro.digest import FILE_ALGORITHM, ROOT_ALGORITHM, root_digest
from wandb_repro.errors import DigestError
from wandb_repro.manifest.data import DataFiles

SAMPLE_ALGORITHM = "wrepro-sample-xxh3-128-1"
"""XXH3-128, seed 0, over: this name, NUL, the file's size (decimal), NUL, the size of a piece
(decimal), NUL, and evenly spaced pieces, including the first and the last."""

NAMES_ALGORITHM = "wrepro-names-xxh3-128-1"
"""XXH3-128, seed 0, over this name, NUL, and for each file, sorted by path: its path in the folder,
NUL, its size (decimal), NUL."""

_WORKERS = 4
_AT_ONCE = 64
"""Files for a worker: handing over each small file alone takes longer than reading it."""
_READ_BYTES = 1 << 20


class FilesDigest(NamedTuple):
    """The digests of a file or folder."""

    digest: str
    """``ALGORITHM:HEX``."""
    each: list[str]
    """Digest of each file's content, hexadecimal, in the order of the paths."""
    paths: list[str]
    """Path of each file, in the same order."""
    files: DataFiles
    read: str
    """Which part was read, in words; empty if all of it."""


class DataFile(NamedTuple):
    """A regular file that is data, or below a folder of data."""

    path: str
    """Absolute."""
    label: str
    """POSIX path in the folder; the name of a single file."""
    status: os.stat_result


def digest_files(
    path: str,
    limits: Limits,
    cache: FileDigestCache,
    *,
    without: Container[str] = (),
) -> FilesDigest:
    """Digest a file, or every file below a folder.

    Links to files are followed, links to folders are not.

    Args:
        path: of the file or folder.
        limits: how much is read.
        cache: digests of files that were read before.
        without: paths in the folder that are left out.

    Raises:
        DigestError: the path does not exist, cannot be read, is neither file nor folder, takes too
            long to read, or changed while it was read.
    """
    top = Path(path).absolute()
    try:
        files = [file for file in list_files(top, limits) if file.label not in without]
    except OSError as error:
        raise DigestError(f"{error.filename or path}: {error.strerror or error}") from error
    if not files:
        raise DigestError(f"{path} holds no file")
    each = digest_each(files, limits, cache)
    size_bytes = sum(file.status.st_size for file in files)
    sampled = size_bytes > limits.file_bytes
    algorithm = SAMPLE_ALGORITHM if sampled else FILE_ALGORITHM
    digest = root_of(files, each) if top.is_dir() else f"{algorithm}:{each[0]}"
    return FilesDigest(
        digest,
        each,
        [file.path for file in files],
        DataFiles(
            path=path,
            absolute=str(top),
            count=len(files),
            size_bytes=size_bytes,
            digest=digest,
        ),
        f"a sample of {megabytes(size_bytes)}" if sampled else "",
    )


def root_of(files: Iterable[DataFile], each: Iterable[str]) -> str:
    """Return the digest of a folder, from the digests of its files."""
    root = root_digest(zip((file.label for file in files), each, strict=True))
    return f"{ROOT_ALGORITHM}:{root}"


def digest_each(files: list[DataFile], limits: Limits, cache: FileDigestCache) -> list[str]:
    """Return the digest of each file; of samples, if all of them are too large together.

    Raises:
        DigestError: a file cannot be read, or changed since it was listed, or all take too long.
    """
    sampled = sum(file.status.st_size for file in files) > limits.file_bytes
    until = time.monotonic() + limits.seconds

    def digest(file: DataFile) -> str:
        return _digest(file, limits, cache, sampled=sampled, until=until)

    try:
        return _digest_all(files, digest)
    except OSError as error:
        raise DigestError(f"{error.filename}: {error.strerror or error}") from error


def _digest_all(files: list[DataFile], digest: Callable[[DataFile], str]) -> list[str]:
    """Return the digest of each file, several at once where threads can be started."""

    def digest_each(some: list[DataFile]) -> list[str]:
        return [digest(file) for file in some]

    parts = [files[start : start + _AT_ONCE] for start in range(0, len(files), _AT_ONCE)]
    pool = ThreadPoolExecutor(_WORKERS, initializer=never_record_this_thread)
    try:
        tasks = [pool.submit(digest_each, part) for part in parts]
    except RuntimeError:  # the interpreter is exiting and starts no threads
        return digest_each(files)
    else:
        return [one for task in tasks for one in task.result()]
    finally:
        pool.shutdown(cancel_futures=True)


def list_files(path: Path, limits: Limits) -> list[DataFile]:
    """Return a file, or every file below a folder, sorted by path in the folder.

    Raises:
        DigestError: the path is neither file nor folder, or holds more files than the limits allow.
        OSError: it does not exist or cannot be read.
    """
    files: list[DataFile] = []
    until = time.monotonic() + limits.seconds
    for file in _files(path):
        files.append(file)
        if len(files) > limits.files or time.monotonic() > until:
            raise DigestError(f"{path} holds too many files: listing them takes too long")
    return sorted(files, key=lambda file: file.label)


def names_digest(files: Iterable[DataFile]) -> str:
    """Return ``ALGORITHM:HEX`` over the paths and sizes of sorted files; nothing is read."""
    hasher = xxhash.xxh3_128(f"{NAMES_ALGORITHM}\0".encode())
    for file in files:
        hasher.update(os.fsencode(file.label) + b"\0%d\0" % file.status.st_size)
    return f"{NAMES_ALGORITHM}:{hasher.hexdigest()}"


def _files(path: Path) -> Iterator[DataFile]:
    status = path.stat()
    if stat.S_ISREG(status.st_mode):
        yield DataFile(str(path), path.name, status)
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
                    yield DataFile(entry.path, label, entry.stat())


def _digest(
    file: DataFile, limits: Limits, cache: FileDigestCache, *, sampled: bool, until: float
) -> str:
    algorithm = SAMPLE_ALGORITHM if sampled else FILE_ALGORITHM
    _check_time(until)
    digest = cache.digest(file.path, file.status, algorithm)
    if digest is None:
        with open(file.path, "rb", buffering=0) as opened:  # noqa: PTH123 - for a hundred thousand files
            content = opened.fileno()
            if sampled and file.status.st_size > limits.pieces * limits.piece_bytes:
                digest = _sample(content, file.status.st_size, limits)
            else:
                digest = _whole(content, file.status.st_size, algorithm, until)
            after = os.fstat(content)
        if _state(after) != _state(file.status):
            raise DigestError(f"{file.path} changed while it was read")
        cache.add(file.path, file.status, algorithm, digest)
    return digest


def _whole(opened: int, size_bytes: int, algorithm: str, until: float) -> str:
    hasher = xxhash.xxh3_128(f"{algorithm}\0".encode())
    # Not more than needed: to fill a megabyte with zeros takes longer than to read a small file.
    buffer = bytearray(min(_READ_BYTES, size_bytes + 1))
    view = memoryview(buffer)
    while count := os.readv(opened, [buffer]):
        hasher.update(view[:count])
        _check_time(until)
    return hasher.hexdigest()


def _check_time(until: float) -> None:
    if time.monotonic() > until:
        raise DigestError("reading it takes too long: give path= a part of it")


def _sample(opened: int, size_bytes: int, limits: Limits) -> str:
    head = f"{SAMPLE_ALGORITHM}\0{size_bytes}\0{limits.piece_bytes}\0"
    hasher = xxhash.xxh3_128(head.encode())
    last = size_bytes - limits.piece_bytes
    for number in range(limits.pieces):
        hasher.update(os.pread(opened, limits.piece_bytes, last * number // (limits.pieces - 1)))
    return hasher.hexdigest()


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino
