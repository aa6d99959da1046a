"""Which of the listed files go into the snapshot, judged without reading them."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from wandb_repro.capture.secrets.scan import secret_in_name
from wandb_repro.capture.source.file_list import Listing, candidates
from wandb_repro.capture.source.objects import LINK, escaping_link, git_mode, readable, unsafe_path
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import LeftOut

__all__ = ["Limits", "Source", "Stamp", "choose", "left_out"]


@dataclass(frozen=True)
class Limits:
    """How much a snapshot may hold. What is over is left out, and named."""

    file_bytes: int = 50 * 1024 * 1024
    total_bytes: int = 500 * 1024 * 1024
    untracked_files: int = 20_000


class Stamp(NamedTuple):
    """By what git's index tells that a file was left alone."""

    changed_ns: int
    """Last change of the inode, which nobody can set at will."""
    modified_ns: int
    size_bytes: int


class Source(NamedTuple):
    """A file that is to be read."""

    path: bytes
    size_bytes: int
    mode: bytes
    stamp: Stamp


def left_out(path: bytes, size_bytes: int | None, reason: str) -> LeftOut:
    """Return the record of a file that is not in the snapshot."""
    unknown = Unavailable(unavailable="it could not be looked at")
    return LeftOut(
        path=readable(path),
        size_bytes=unknown if size_bytes is None else size_bytes,
        reason=reason,
    )


def choose(
    root: Path, listing: Listing, exclude: Sequence[Path], limits: Limits
) -> tuple[list[Source], dict[bytes, LeftOut]]:
    """Return the files to read, in the order of their paths, and those that are left out.

    Tracked files come before untracked ones where there is not room for all. What is of no
    matter to a rerun is in neither: files that are gone, W&B's own folders, and among the
    untracked files virtual environments and the folders that tools fill anew.
    """
    sources: list[Source] = []
    refused: dict[bytes, LeftOut] = {}
    room, disk = _Room(limits), _Disk(root)
    for path, tracked in candidates(root, listing, exclude):
        try:
            status = disk.look_at(path)
        except OSError as error:
            refused[path] = left_out(path, None, f"it cannot be looked at: {error.strerror}")
            continue
        if status is None:
            continue
        stamp = Stamp(status.st_ctime_ns, status.st_mtime_ns, status.st_size)
        source = Source(path, status.st_size, git_mode(status), stamp)
        cleared = path in listing.not_secret
        reason = _unfit(root, source, cleared=cleared) or room.lacks(source, tracked=tracked)
        if reason:
            refused[path] = left_out(path, source.size_bytes, reason)
        else:
            sources.append(source)
    return sorted(sources), refused


class _Disk:
    """The tree as it is on disk."""

    def __init__(self, root: Path) -> None:
        self._root = os.fsencode(root) + b"/"
        self._folders = {b"": True}

    def look_at(self, path: bytes) -> os.stat_result | None:
        """Return what is at a path; None for nothing, a folder, or a place behind a link.

        NOTE: git still lists ``a/b`` when ``a`` was replaced by a link; the link is what is there.
        """
        if not self._is_folder(path.rpartition(b"/")[0]):
            return None
        status = self._status(path)
        return None if status is None or stat.S_ISDIR(status.st_mode) else status

    def _is_folder(self, folder: bytes) -> bool:
        if folder not in self._folders:
            status = self._status(folder) if self._is_folder(folder.rpartition(b"/")[0]) else None
            self._folders[folder] = status is not None and stat.S_ISDIR(status.st_mode)
        return self._folders[folder]

    def _status(self, path: bytes) -> os.stat_result | None:
        try:
            return os.lstat(self._root + path)
        except (FileNotFoundError, NotADirectoryError):
            return None


class _Room:
    """What the limits still allow."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bytes = limits.total_bytes
        self._untracked = limits.untracked_files

    def lacks(self, source: Source, *, tracked: bool) -> str:
        """Take the room that a file needs, or return which limit it breaks."""
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


def _unfit(root: Path, source: Source, *, cleared: bool) -> str:
    """Return why a file can never be part of a snapshot."""
    if not source.mode:
        return "neither a file nor a link"
    if unsafe := unsafe_path(source.path):
        return unsafe
    if not cleared and (secret := secret_in_name(source.path)):
        return f"looks like a secret ({secret})"
    return _leads_out(root, source.path) if source.mode == LINK else ""


def _leads_out(root: Path, path: bytes) -> str:
    """Return where a link leads when that is outside the tree: it could not be restored."""
    link = root / os.fsdecode(path)
    target = os.readlink(os.fsencode(link))  # noqa: PTH115  (a Path would tidy the text up)
    inside = Path(os.path.realpath(link)).is_relative_to(root)
    if inside and not escaping_link(path, target):
        return ""
    return f"a link that leads out of the tree, to {readable(target)}"
