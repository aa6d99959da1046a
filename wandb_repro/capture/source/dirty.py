"""Compares a snapshot with HEAD, and shortens the list of files that it leaves out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.objects import Entry, readable
from wandb_repro.capture.source.unchanged import converted_by_git
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import LeftOut

_NAMES = 1000
"""Maximum of paths in a record."""


def difference(
    root: Path,
    listing: Listing,
    entries: Mapping[bytes, Entry],
    left_out: Collection[bytes],
) -> tuple[bool | Unavailable, tuple[str, ...]]:
    """Return whether the files on disk differ from HEAD, and the first 1,000 paths that do.

    A file that git converted on checkout (line ends, LFS) does not count. Committed files that are
    left out are not compared; if nothing else differs, the answer is unavailable.
    """
    head = listing.head
    unknown = {path for path in left_out if path in head}
    paths = {*entries, *head, *left_out} - unknown
    different = {path for path in paths if path in left_out or entries.get(path) != head.get(path)}
    committed = {path for path in different if _is_at_head(path, listing, entries)}
    changed = sorted(different - converted_by_git(root, committed))
    if unknown and not changed:
        reason = f"{len(unknown)} committed files were left out and not compared"
        return Unavailable(unavailable=reason), ()
    return bool(changed), tuple(map(readable, changed[:_NAMES]))


def _is_at_head(path: bytes, listing: Listing, entries: Mapping[bytes, Entry]) -> bool:
    """Return whether HEAD and the index agree on a path, and the disk on its mode."""
    entry, head = entries.get(path), listing.head.get(path)
    if entry is None or head is None:
        return False
    return head == listing.index.get(path) and entry.mode == head.mode


def shortened(left_out: Sequence[LeftOut]) -> tuple[LeftOut, ...]:
    """Return the list; beyond 1,000 files, one entry for each outermost folder."""
    named, rest = tuple(left_out[:_NAMES]), left_out[_NAMES:]
    files, sizes_bytes = Counter[str](), Counter[str]()
    for file in rest:
        folder = _outermost(file.path)
        files[folder] += 1
        sizes_bytes[folder] += file.size_bytes if isinstance(file.size_bytes, int) else 0
    folders = (
        LeftOut(
            path=folder,
            size_bytes=sizes_bytes[folder],
            reason=f"{files[folder]:,} more files that are left out",
        )
        for folder in sorted(files)
    )
    return (*named, *folders)


def _outermost(path: str) -> str:
    folder, slash, _ = path.partition("/")
    return folder + slash if slash else "."
