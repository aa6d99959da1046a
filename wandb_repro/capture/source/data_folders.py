"""Finds the folders of data that a run read and its snapshot lacks, and names the topmost ones."""

from __future__ import annotations

import os
import posixpath
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from wandb_repro.capture.source.data_places import may_hold_data
from wandb_repro.capture.source.extra_files import SnapshotFiles
from wandb_repro.capture.source.tree_paths import TreePaths
from wandb_repro.manifest.code import IGNORED, LeftOut

_CODE = (b".py", b".ipynb", b".pyx", b".c", b".cc", b".cpp", b".cu", b".h", b".rs", b".so")
_MOST_ENTRIES = 100_000
"""Entries of a folder that are looked at."""


@dataclass(frozen=True)
class DataFolder:
    """A folder that the run read and its snapshot lacks."""

    absolute: str
    """As the script reached it; links that lead to the tree are resolved."""
    path: str
    """Relative to the source tree if it is in it or was given so, else absolute."""
    reason: str
    """Why the snapshot lacks it."""


def data_folders(
    snapshot: SnapshotFiles,
    listed: Mapping[str, str],
    ignore: Sequence[str],
    left_out: Sequence[LeftOut] = (),
) -> tuple[DataFolder, ...]:
    """Return the topmost folders that hold only data, sorted; none is inside another.

    Args:
        snapshot: of the source tree.
        listed: by absolute path, the folders that the run listed or read from, as the script gave
            them.
        ignore: folders that hold no data, such as W&B's, absolute.
        left_out: files of the tree that the snapshot lacks, with the reasons.
    """
    finder = _Finder(snapshot, listed, ignore, left_out)
    tops: dict[str, DataFolder] = {}
    for absolute, given in listed.items():
        folder = finder.resolve(absolute)
        if finder.may_be_data(folder) and finder.lacks_files(folder):
            top = finder.top_of(folder)
            tops[top] = finder.described(top, given)
    return tuple(tops[top] for top in sorted(tops) if not _is_below_another(top, tops))


def _is_below_another(folder: str, others: Iterable[str]) -> bool:
    """Tell whether a folder is inside another, and not behind a link in it."""
    return any(
        folder.startswith(f"{other}/")
        and os.path.realpath(folder).startswith(f"{os.path.realpath(other)}/")
        for other in others
    )


class _Finder:
    def __init__(
        self,
        snapshot: SnapshotFiles,
        listed: Mapping[str, str],
        ignore: Sequence[str],
        left_out: Sequence[LeftOut],
    ) -> None:
        self._left_out = left_out
        self._snapshot = snapshot
        self._root = str(snapshot.root)
        self._paths = TreePaths(snapshot.root)
        self._listed = {self.resolve(absolute) for absolute in listed}
        searched = (os.path.realpath(folder) for folder in sys.path if folder)
        self._ignored = frozenset((*searched, *map(os.path.realpath, ignore)))
        self._with_files, self._with_code = _folders_of(snapshot.entries)

    def resolve(self, absolute: str) -> str:
        return self._paths.resolve(absolute)

    def may_be_data(self, folder: str) -> bool:
        """Tell whether a folder may hold data: no code, not around the tree, not ignored."""
        if self._root == folder or self._root.startswith(f"{folder}/"):
            return False
        if not may_hold_data(folder, self._root):
            return False
        real = os.path.realpath(folder)
        around = (real, *map(str, PurePosixPath(real).parents))
        if real in self._ignored or not self._ignored.isdisjoint(self._not_around_tree(around)):
            return False
        return self._relative(folder) not in self._with_code

    def _not_around_tree(self, folders: Iterable[str]) -> list[str]:
        """Return the folders that are not the tree or around it: ``sys.path`` holds the tree."""
        root = f"{self._root}/"
        return [folder for folder in folders if not root.startswith(f"{folder.rstrip('/')}/")]

    def lacks_files(self, folder: str) -> bool:
        """Tell whether the snapshot lacks a file that is directly in a folder."""
        relative = self._relative(folder)
        prefix = b"" if relative is None else os.fsencode(f"{relative}/")
        for name, is_folder in _entries(folder):
            inside = os.fsencode(name)
            if not is_folder and (
                relative is None or prefix + inside not in self._snapshot.entries
            ):
                return True
        return False

    def top_of(self, folder: str) -> str:
        """Return the topmost folder above this one that holds only data that was read."""
        parent = posixpath.dirname(folder)
        while self.may_be_data(parent) and not os.path.islink(folder):  # noqa: PTH114
            if parent not in self._listed and not self._is_whole(parent):
                break
            folder, parent = parent, posixpath.dirname(parent)
        return folder

    def _is_whole(self, folder: str) -> bool:
        """Tell whether all folders in a folder of the tree were read, and no file is recorded."""
        relative = self._relative(folder)
        if relative is None or relative in self._with_files:
            return False
        inside = [f"{folder}/{name}" for name, is_folder in _entries(folder) if is_folder]
        return all(self._was_read(path) for path in inside)

    def _was_read(self, folder: str) -> bool:
        return folder in self._listed or any(path.startswith(f"{folder}/") for path in self._listed)

    def _relative(self, folder: str) -> str | None:
        """Return the path in the tree; None outside it."""
        inside = folder.startswith(f"{self._root}/")
        return folder[len(self._root) + 1 :] if inside else None

    def described(self, folder: str, given: str) -> DataFolder:
        relative = self._relative(folder)
        if relative is not None:
            return DataFolder(folder, relative, self._reason(relative))
        path = folder if posixpath.isabs(given) else posixpath.relpath(folder, self._root)
        return DataFolder(folder, path, "it is outside the source tree")

    def _reason(self, relative: str) -> str:
        reasons = (
            left.reason
            for left in self._left_out
            if left.path.startswith(f"{relative}/") or left.path == relative
        )
        reason = next(reasons, "")
        if reason.startswith(IGNORED) or not reason:
            return "git ignores it" if self._is_repository else "the snapshot lacks it"
        return f"it is {reason}"

    @property
    def _is_repository(self) -> bool:
        return os.path.exists(f"{self._root}/.git")  # noqa: PTH110


def _entries(folder: str) -> Iterator[tuple[str, bool]]:
    """Yield each name in a folder, and whether it is a folder; nothing if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= _MOST_ENTRIES:
                    return
                yield entry.name, entry.is_dir()
    except OSError:
        return


def _folders_of(entries: Iterable[bytes]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the folders that hold files of the snapshot at any depth, and those with code."""
    with_files, with_code = set[bytes](), set[bytes]()
    for path in entries:
        found = with_code if path.endswith(_CODE) else with_files
        folder = path.rpartition(b"/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition(b"/")[0]
    code = frozenset(map(os.fsdecode, with_code))
    return frozenset(map(os.fsdecode, with_files)) | code, code
