"""Chooses the listed files that go into the snapshot, without reading them."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from wandb_repro.capture.secrets.scan import secret_in_name
from wandb_repro.capture.source.candidates import candidate_files
from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.objects import LINK, git_mode, link_escapes, readable, unsafe_path
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import LeftOut


@dataclass(frozen=True)
class Limits:
    """Limits of a snapshot. Files beyond them are left out, and the record names them."""

    file_bytes: int = 50 * 1024 * 1024
    total_bytes: int = 500 * 1024 * 1024
    untracked_files: int = 20_000


class Stamp(NamedTuple):
    """The facts from which git's index recognises an unchanged file."""

    changed_ns: int
    """Last change of the inode (ctime), in ns since 1970; no program can set it."""
    modified_ns: int
    """Last change of the content (mtime), in ns since 1970."""
    size_bytes: int


class SourceFile(NamedTuple):
    """A file that is to be read."""

    path: bytes
    """Relative to the root, with slashes."""
    size_bytes: int
    mode: bytes
    """Git's file mode, such as ``100644``; empty if it is neither a file nor a link."""
    stamp: Stamp


def left_out(path: bytes, size_bytes: int | None, reason: str) -> LeftOut:
    """Return the record of a file that is not in the snapshot; a size of None is unknown."""
    unknown = Unavailable(unavailable="it could not be examined")
    return LeftOut(
        path=readable(path),
        size_bytes=unknown if size_bytes is None else size_bytes,
        reason=reason,
    )


def choose_files(
    root: Path, listing: Listing, exclude: Sequence[Path], limits: Limits
) -> tuple[list[SourceFile], dict[bytes, LeftOut]]:
    """Return the files to read, sorted by path, and the files left out, by path.

    If the limits do not allow all, tracked files come before untracked ones. Files that a rerun
    does not need are in neither: deleted files, W&B's own folders, and untracked virtual
    environments and folders that tools regenerate.
    """
    sources: list[SourceFile] = []
    refused: dict[bytes, LeftOut] = {}
    budget, disk = _Budget(limits), _Disk(root)
    for path, tracked in candidate_files(root, listing, exclude):
        try:
            status = disk.status(path)
        except OSError as error:
            refused[path] = left_out(path, None, f"it cannot be examined: {error.strerror}")
            continue
        if status is None:
            continue
        stamp = Stamp(status.st_ctime_ns, status.st_mtime_ns, status.st_size)
        source = SourceFile(path, status.st_size, git_mode(status), stamp)
        not_secret = path in listing.not_secret
        reason = _unfit(root, source, not_secret=not_secret) or budget.refuses(
            source, tracked=tracked
        )
        if reason:
            refused[path] = left_out(path, source.size_bytes, reason)
        else:
            sources.append(source)
    return sorted(sources), refused


class _Disk:
    """The tree on disk."""

    def __init__(self, root: Path) -> None:
        self._root = os.fsencode(root) + b"/"
        self._is_folder = functools.cache(self._find_folder)

    def status(self, path: bytes) -> os.stat_result | None:
        """Return the status of a file; None if it is gone, a folder, or below a linked folder.

        Raises:
            OSError: it cannot be examined.
        """
        # NOTE: git still lists "a/b" after "a" was replaced by a link. Only the link is stored.
        if not self._is_folder(path.rpartition(b"/")[0]):
            return None
        status = self._lstat(path)
        return None if status is None or stat.S_ISDIR(status.st_mode) else status

    def _find_folder(self, folder: bytes) -> bool:
        if not folder:
            return True
        status = self._lstat(folder) if self._is_folder(folder.rpartition(b"/")[0]) else None
        return status is not None and stat.S_ISDIR(status.st_mode)

    def _lstat(self, path: bytes) -> os.stat_result | None:
        try:
            return os.lstat(self._root + path)
        except (FileNotFoundError, NotADirectoryError):
            return None


class _Budget:
    """The part of the limits that is left."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bytes = limits.total_bytes
        self._untracked = limits.untracked_files

    def refuses(self, source: SourceFile, *, tracked: bool) -> str:
        """Subtract a file from the budget, or return which limit it exceeds."""
        if source.size_bytes > self._limits.file_bytes:
            return f"larger than {_megabytes(self._limits.file_bytes)}, the limit for a file"
        if source.size_bytes > self._bytes:
            return f"all files together are over {_megabytes(self._limits.total_bytes)}"
        if not tracked and self._untracked == 0:
            return f"more than {self._limits.untracked_files:,} untracked files"
        self._bytes -= source.size_bytes
        self._untracked -= not tracked
        return ""


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024 / 1024:.4g} MB"


def _unfit(root: Path, source: SourceFile, *, not_secret: bool) -> str:
    """Return why a file can never be part of a snapshot."""
    if not source.mode:
        return "neither a file nor a link"
    if unsafe := unsafe_path(source.path):
        return unsafe
    if not not_secret and (secret := secret_in_name(source.path)):
        return f"looks like a secret ({secret})"
    return _leads_out(root, source.path) if source.mode == LINK else ""


def _leads_out(root: Path, path: bytes) -> str:
    """Return why a link cannot be restored: it points outside the tree; else an empty string."""
    link = root / os.fsdecode(path)
    target = os.readlink(os.fsencode(link))  # noqa: PTH115  (a Path would normalise the text)
    inside = Path(os.path.realpath(link)).is_relative_to(root)
    if inside and not link_escapes(path, target):
        return ""
    return f"a link that leads out of the tree, to {readable(target)}"
