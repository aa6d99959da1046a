"""Capsules on this disk: writes trails, reads manifests and trails, and checks digests.

A crash or a full disk loses nothing that was already written.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, overload

from wandb_repro.errors import CodeError, ManifestError, NotFoundError, RefusedError, TrailError
from wandb_repro.files import open_regular, sha256_of_file
from wandb_repro.manifest import canonical, trail_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Repacked
from wandb_repro.manifest.trail import SCARCE, Trail
from wandb_repro.manifest.trail_records import TrailRecord
from wandb_repro.store.capsule import Capsule

_TRAIL_MAX_BYTES = 4 * 1024**3
_SHA256 = re.compile(r"[0-9a-f]{64}")

# NOTE: macOS has no fdatasync.
_sync = getattr(os, "fdatasync", os.fsync)


class TrailWriter:
    """Appends records to a trail. A failed write closes it, so that no line in the middle is torn.

    Raises:
        OSError: on writing, when the disk is full or gone.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o644)
        self._link = ""

    def append(self, record: TrailRecord, *, sync: bool) -> None:
        """Write one record; with ``sync`` it is on the disk when this returns."""
        if self._descriptor < 0:
            raise OSError(errno.EBADF, "the trail is closed")
        line, link = trail_file.chained(record, self._link)
        try:
            self._write(line)
            if sync:
                _sync(self._descriptor)
        except OSError:
            self.close()
            raise
        self._link = link

    def _write(self, line: bytes) -> None:
        written = os.write(self._descriptor, line)
        if written != len(line):
            raise OSError(errno.ENOSPC, "the disk is full: a line of the trail was cut off")

    def close(self) -> None:
        """Close the file; later records raise OSError."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


def append_after_end(path: Path, record: TrailRecord) -> None:
    """Append a record to a trail that was closed.

    Raises:
        OSError: it cannot be read or written, or does not end with a whole line.
    """
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LONGEST_END))
        *_, last = file.read().splitlines(keepends=True) or [b""]
        if not last.endswith(b"\n"):
            raise OSError(errno.EINVAL, "the trail was cut off")
        line, _ = trail_file.chained(record, hashlib.sha256(last[:-1]).hexdigest())
        file.write(line)


_LONGEST_END = 1 << 16
"""Bytes; records after which another may be appended are short."""


def read_manifest(capsule: Capsule) -> Manifest:
    """Return a capsule's manifest.

    Raises:
        NotFoundError: the folder has no manifest.
        ManifestError: it cannot be read or is invalid.
    """
    try:
        with open_regular(capsule.manifest) as file:
            document = file.read(canonical.MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(
            f"{capsule.folder} is not a capsule: it has no manifest.json.",
            hint="Give a run, an offline run's folder, or its files/repro folder.",
        ) from error
    except OSError as error:
        raise ManifestError(f"{capsule.manifest} cannot be read: {error.strerror}.") from error
    try:
        return Manifest.from_bytes(document)
    except ManifestError as error:
        if error.hint:
            raise
        raise ManifestError(
            f"{capsule.manifest} is not a manifest: {error.message}",
            hint="It was cut off or changed: fetch the run again, or copy its whole folder.",
            where=error.where,
        ) from error


def read_trail(capsule: Capsule) -> Trail:
    """Return a capsule's trail, all of it checked; a missing file is an empty trail.

    A long trail stays on the disk and is read again for each iteration.

    Raises:
        TrailError: it cannot be read or is invalid.
    """
    try:
        with open_regular(capsule.trail) as file:
            size = os.fstat(file.fileno()).st_size
            if size <= _IN_MEMORY_BYTES:
                return trail_file.parse(_lines(file, capsule.trail, size))
        return _on_disk(_OnDisk(capsule.trail, size))
    except FileNotFoundError:
        return Trail((), torn=False)
    except OSError as error:
        raise TrailError(f"{capsule.trail} cannot be read: {error.strerror}.") from error


_IN_MEMORY_BYTES = 4 * 1024**2
"""A larger trail is read from the disk each time: its records need ten times as much memory."""


def _on_disk(records: _OnDisk) -> Trail:
    """Read a long trail once, so that a fault in it is found before anything is compared."""
    scarce: list[TrailRecord] = []
    for record in records:
        if isinstance(record, SCARCE) and len(scarce) <= _MOST_SCARCE:
            scarce.append(record)
    return Trail(records, records.torn, scarce if len(scarce) <= _MOST_SCARCE else None)


_MOST_SCARCE = 10_000
"""If there are more, they are also read from the disk."""


class _OnDisk(Sequence[TrailRecord]):
    """The records of a file, up to the given size: a running training may append to it.

    Raises:
        TrailError: during iteration, if the file has changed.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self.torn = False

    def __iter__(self) -> Iterator[TrailRecord]:
        try:
            with open_regular(self._path) as file:
                read = trail_file.Lines(_lines(file, self._path, self._size))
                yield from read
                self.torn = read.torn
        except OSError as error:
            raise TrailError(f"{self._path} cannot be read: {error.strerror}.") from error

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> TrailRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[TrailRecord]: ...
    def __getitem__(self, index: int | slice) -> TrailRecord | Sequence[TrailRecord]:
        if isinstance(index, slice):
            return tuple(self)[index]
        wanted = index if index >= 0 else len(self) + index
        for record in islice(self, wanted, None) if wanted >= 0 else ():
            return record
        raise IndexError(index)


def _lines(file: BinaryIO, path: Path, size: int) -> Iterator[bytes]:
    """Yield the lines of a trail, each at most as large as a document may be."""
    if size > _TRAIL_MAX_BYTES:
        raise TrailError(f"{path} is too large to be a trail.")
    while size > 0 and (line := file.readline(min(size, canonical.MAX_BYTES + 1))):
        if len(line) > canonical.MAX_BYTES:
            raise TrailError(f"{path} holds a line that is too large for a trail.")
        size -= len(line)
        yield line


def local_bundle(sha256: str) -> Path:
    """Return the path at which ``code="local"`` keeps a bundle on this machine.

    Raises:
        CodeError: not a SHA-256; a record from a stranger must not choose the path.
    """
    if not _SHA256.fullmatch(sha256):
        raise CodeError(f"{sha256[:80]!r} is not the SHA-256 of a bundle.")
    return local_bundles() / f"{sha256}.bundle"


def local_bundles() -> Path:
    """Return the folder of the bundles that ``code="local"`` keeps on this machine."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "wandb_repro" / "code"


def check_intact(capsule: Capsule, manifest: Manifest) -> None:
    """Check the digests of all parts that are here; missing parts are skipped.

    Raises:
        RefusedError: a part does not match the manifest, or all are larger than a capsule is.
    """
    left_bytes = _PARTS_MAX_BYTES
    for name, sha256, size_bytes in _parts(manifest):
        path = capsule.folder / name
        # A name that leads out of the capsule is not a part of it.
        inside = path.resolve().is_relative_to(capsule.folder.resolve())
        if not inside or not path.is_file():
            continue
        # A file of terabytes takes no space if it is empty: its size alone refuses it.
        left_bytes -= size_bytes
        as_recorded = path.stat().st_size == size_bytes and left_bytes >= 0
        if not as_recorded or sha256_of_file(path, most_bytes=size_bytes) != sha256:
            raise RefusedError(
                f"{name} of this run does not match its manifest.",
                hint="It was cut off or changed; fetch the run again, or copy its whole folder.",
            )


_PARTS_MAX_BYTES = 16 << 30


def _parts(manifest: Manifest) -> Iterator[tuple[str, str, int]]:
    """Yield the name, SHA-256 and size of each part that a manifest names."""
    code, packages = manifest.execution.code, manifest.execution.packages
    if isinstance(code, Code):
        added = code.added if isinstance(code.added, Unavailable) else code.added.bundle
        for bundle in (code.bundle, added):
            if isinstance(bundle, BundleFile):
                yield bundle.name, bundle.sha256, bundle.size_bytes
    for distribution in () if isinstance(packages, Unavailable) else packages.distributions:
        if isinstance(distribution.repacked, Repacked):
            wheel = distribution.repacked
            yield f"wheels/{wheel.name}", wheel.sha256, wheel.size_bytes
