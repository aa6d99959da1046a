"""What a folder holds, by size and time: enough to see that it was changed since."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

__all__ = ["Listing", "first_change", "list_folder", "read_listing", "write_listing"]

Listing = dict[str, tuple[int, int, str]]
"""By path relative to the folder: size in bytes, time of the last change in nanoseconds, and for a
link, which has neither here, where it leads."""

_ADAPTER: TypeAdapter[Listing] = TypeAdapter(Listing)


def list_folder(folder: Path) -> Listing:
    """Return every file and link below a folder; no link is followed."""
    found: Listing = {}
    left = [""]
    while left:
        below = left.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                path = f"{below}{entry.name}"
                if entry.is_symlink():
                    found[path] = (0, 0, os.readlink(entry.path))  # noqa: PTH115 - 20,000 files
                elif entry.is_dir():
                    left.append(f"{path}/")
                else:
                    status = entry.stat()
                    found[path] = (status.st_size, status.st_mtime_ns, "")
    return found


def first_change(before: Listing, after: Listing) -> str:
    """Return the first path that is not the same in both; empty when there is none."""
    if before == after:
        return ""
    paths = sorted({*before, *after})
    return next(path for path in paths if before.get(path) != after.get(path))


def write_listing(listing: Listing, path: Path) -> None:
    """Write a listing to a file."""
    path.write_bytes(_ADAPTER.dump_json(listing))


def read_listing(path: Path) -> Listing | None:
    """Return a listing; None when the file is not there or is none."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
