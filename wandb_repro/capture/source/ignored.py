"""Describes the files that are not in a snapshot: ignored, excluded and large ones.

Their names, sizes and digests are recorded within bounds, so that no training waits for the digest
of a data set. All of this runs in a background thread.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wandb_repro.capture.secrets.scan import secret_in_name
from wandb_repro.capture.source.candidates import ExcludedFolders, is_regenerated
from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.limits import left_out
from wandb_repro.errors import CodeError
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import EXCLUDED, IGNORED, LeftOut

_CACHES = frozenset({b".git", b".mypy_cache", b".pytest_cache", b".ruff_cache", b".tox", b".nox"})


@dataclass(frozen=True)
class Bounds:
    """Limits of listing and reading files."""

    files: int = 20_000
    bytes: int = 512 * 1024 * 1024
    """Read for digests, the smallest files first."""
    seconds: float = 2.0
    """For listing the names, and the same for the digests."""


def ignored_files(
    root: Path, listing: Listing, exclude: Sequence[Path], bounds: Bounds
) -> list[LeftOut]:
    """Return the files that git ignores, without digests.

    W&B's folders and those that tools regenerate (``__pycache__``) are not listed.

    Args:
        root: of the tree.
        listing: of the tree.
        exclude: absolute folders that are skipped.
        bounds: of files and time. If they are reached, the last entry says so.
    """
    found: list[LeftOut] = []
    seen: set[bytes] = set()
    until = time.monotonic() + bounds.seconds
    for path in _ignored(root, listing, ExcludedFolders(root, exclude)):
        # git names a folder, and what is in it again, if the folder has its own .gitignore.
        if path in seen:
            continue
        seen.add(path)
        if len(found) == bounds.files or time.monotonic() > until:
            unknown = Unavailable(unavailable="they were not counted")
            reason = f"{IGNORED}; there are more files than these"
            return [*found, LeftOut(path="./", size_bytes=unknown, reason=reason)]
        if (size_bytes := _size(root, path)) is not None:
            found.append(left_out(path, size_bytes, IGNORED))
    return found


def _ignored(root: Path, listing: Listing, excluded: ExcludedFolders) -> Iterator[bytes]:
    for git, prefix in listing.places:
        words = ("--others", "--ignored", "--exclude-standard", "--directory", "-z")
        try:
            names = git.names(*listing.ignoring, "ls-files", *words)
        except CodeError:
            continue
        for name in names:
            yield from _below(root, prefix + name, excluded)


def _below(root: Path, path: bytes, excluded: ExcludedFolders) -> Iterator[bytes]:
    """Yield a file, or for a path that ends in a slash the files below the folder."""
    if is_regenerated(path) or excluded.contains(path) or not _CACHES.isdisjoint(path.split(b"/")):
        return
    if not path.endswith(b"/"):
        yield path
        return
    try:
        entries = sorted(os.scandir(os.fsencode(root) + b"/" + path), key=lambda entry: entry.name)
    except OSError:
        return
    if any(entry.name == b"pyvenv.cfg" for entry in entries):  # a virtual environment
        return
    for entry in entries:
        slash = b"/" if entry.is_dir(follow_symlinks=False) else b""
        yield from _below(root, path + entry.name + slash, excluded)


def excluded_files(root: Path, paths: Iterable[bytes]) -> list[LeftOut]:
    """Return the files that the user excluded, by name; more than 100, by outermost folder."""
    folders: dict[bytes, list[bytes]] = {}
    ordered = sorted(paths)
    if len(ordered) <= _NAMED:
        return [left_out(path, _size(root, path), EXCLUDED) for path in ordered]
    for path in ordered:
        name, slash, _ = path.partition(b"/")
        folders.setdefault(name + slash if slash else b"./", []).append(path)
    return [_folder(root, folder, inside) for folder, inside in folders.items()]


_NAMED = 100


def _folder(root: Path, folder: bytes, inside: Sequence[bytes]) -> LeftOut:
    sizes_bytes = [_size(root, path) or 0 for path in inside]
    return left_out(folder, sum(sizes_bytes), f"{EXCLUDED}: {len(inside):,} files")


def _size(root: Path, path: bytes) -> int | None:
    """Return the size of a regular file; None for anything else, or if it is gone."""
    try:
        status = os.lstat(os.fsencode(root) + b"/" + path)
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def with_digests(root: Path, files: Sequence[LeftOut], bounds: Bounds) -> list[LeftOut]:
    """Return the files, in the same order, with SHA-256 where the bounds allow.

    Args:
        root: of the tree.
        files: without digests. Folders and files that look like secrets get none.
        bounds: of bytes and time.
    """
    digests: dict[str, str | Unavailable] = {}
    until, left_bytes = time.monotonic() + bounds.seconds, bounds.bytes
    limits = f"{bounds.bytes / 1024 / 1024:.4g} MB or {bounds.seconds:g} s"
    over = Unavailable(unavailable=f"all digests of files left out would take over {limits}")
    for file in sorted(files, key=_by_size):
        if not isinstance(file.size_bytes, int) or not _may_be_digested(file):
            continue
        left_bytes -= file.size_bytes
        if left_bytes < 0 or time.monotonic() > until:
            digests[file.path] = over
        else:
            digests[file.path] = _digest(os.fsencode(root) + b"/" + os.fsencode(file.path), until)
    return [
        file.model_copy(update={"digest": digests[file.path]}) if file.path in digests else file
        for file in files
    ]


def _by_size(file: LeftOut) -> int:
    return file.size_bytes if isinstance(file.size_bytes, int) else 0


def _may_be_digested(file: LeftOut) -> bool:
    """Return whether a file may be digested: the digest of a short secret would reveal it."""
    if file.path.endswith("/") or file.reason.startswith(EXCLUDED):
        return False
    return "secret" not in file.reason and not secret_in_name(os.fsencode(file.path))


def _digest(path: bytes, until: float) -> str | Unavailable:
    try:
        return f"sha256:{sha256_of_file(path, follow_links=False, until=until)}"
    except TimeoutError:
        return Unavailable(unavailable="its digest took too long")
    except OSError as error:
        return Unavailable(unavailable=f"it cannot be read: {error.strerror}")
