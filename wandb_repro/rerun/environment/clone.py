"""Clones a folder by hard links, which is fast and takes no disk space, and lists its files.

Replacing, adding or removing a file in the clone does not affect the original. A file that is
written in place changes in both, as in every environment that uv makes; its time shows it.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from wandb_repro.errors import DiskFullError

Listing = dict[str, tuple[int, int, str]]
"""By path relative to the folder: size in bytes, time of the last change in nanoseconds, and the
target of a link, whose size and time are 0."""

_ADAPTER: TypeAdapter[Listing] = TypeAdapter(Listing)


def list_folder(folder: Path) -> Listing:
    """Return every file and link below a folder; no link is followed."""
    listing: Listing = {}
    pending = [""]
    while pending:
        below = pending.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                path = f"{below}{entry.name}"
                if entry.is_symlink():
                    listing[path] = (0, 0, os.readlink(entry.path))  # noqa: PTH115 - 20,000 files
                elif entry.is_dir():
                    pending.append(f"{path}/")
                else:
                    status = entry.stat()
                    listing[path] = (status.st_size, status.st_mtime_ns, "")
    return listing


def first_change(before: Listing, after: Listing) -> str:
    """Return the first path that differs between two listings; empty if none does."""
    changed = (path for path in {*before, *after} if before.get(path) != after.get(path))
    return min(changed, default="")


def write_listing(listing: Listing, path: Path) -> None:
    """Write a listing to a file."""
    path.write_bytes(_ADAPTER.dump_json(listing))


def read_listing(path: Path) -> Listing | None:
    """Return a listing; None if the file does not exist or is not a listing."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


_WORKERS = 2
"""Of a 28,000-file environment on two cores: 1.2 s with one, 0.85 with two, 1.1 with four."""

_Entry = tuple[str, tuple[int, int, str]]
_Place = Callable[[str, str], None]


def clone(source: Path, listing: Listing, destination: Path) -> bool:
    """Clone the listed files into another folder, which may exist.

    Returns:
        Whether it consists of hard links; across file systems the files are copied.

    Raises:
        OSError: a file is gone.
        DiskFullError: the disk is full.
    """
    place = _copy if is_elsewhere(source, listing, destination) else os.link
    entries = list(listing.items())
    share = max(1, -(-len(entries) // _WORKERS))
    with ThreadPoolExecutor(_WORKERS) as pool:
        tasks = [
            pool.submit(_clone, source, entries[first : first + share], destination, place)
            for first in range(0, len(entries), share)
        ]
    try:
        for task in tasks:
            task.result()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(destination, os.strerror(error.errno)) from error
        raise
    return place is os.link


def is_elsewhere(source: Path, listing: Listing, destination: Path) -> bool:
    """Tell whether hard links from one folder to the other are impossible, by trying one."""
    first = next((path for path, (_, _, link) in listing.items() if not link), None)
    destination.mkdir(parents=True, exist_ok=True)
    probe = destination / ".wandb-repro-link"
    try:
        if first is not None:
            probe.hardlink_to(source / first)
            probe.unlink()
    except OSError:
        return True
    return False


def _clone(source: Path, entries: list[_Entry], destination: Path, place: _Place) -> None:
    folders: set[str] = set()
    for path, (_, _, link) in entries:
        parent = path.rpartition("/")[0]
        if parent not in folders:
            os.makedirs(f"{destination}/{parent}", exist_ok=True)  # noqa: PTH103 - 20,000 files
            folders.add(parent)
        if link:
            os.symlink(link, f"{destination}/{path}")  # noqa: PTH211
        else:
            place(f"{source}/{path}", f"{destination}/{path}")


def _copy(source: str, destination: str) -> None:
    shutil.copy2(source, destination)
