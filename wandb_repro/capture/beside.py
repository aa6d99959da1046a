"""Folders beside the source tree: how they lie to it, and what belongs to a package in them."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from wandb_repro.capture.roots import repository_top

__all__ = ["MOST_UP", "Neighbourhood", "package_files"]

MOST_UP = 16
"""Folders above the tree that may have to be made again for a rerun."""

_NOT_PACKED = frozenset({"__pycache__", "node_modules"})


class Neighbourhood:
    """Places as the source tree sees them: what ``../lib`` leads to has the name that it says.

    Args:
        root: top of the tree, links resolved.
    """

    def __init__(self, root: Path) -> None:
        self._root = PurePosixPath(root)
        self._known: dict[PurePosixPath, PurePosixPath | None] = {}

    def seen(self, place: str) -> str:
        """Return an absolute path, the links in it resolved only as far as they lead to the tree.

        ``/home`` may be a link to ``/data/home``, where the tree really lies. A folder beside the
        tree that is a link keeps its name, since that is what scripts say.
        """
        path = PurePosixPath(place)
        for folder in (path, *path.parents):
            if (led := self._led(folder)) is not None:
                return str(led / path.relative_to(folder))
        return place

    def _led(self, folder: PurePosixPath) -> PurePosixPath | None:
        if folder not in self._known:
            real = PurePosixPath(os.path.realpath(folder))
            related = real.is_relative_to(self._root) or self._root.is_relative_to(real)
            self._known[folder] = real if related else None
        return self._known[folder]

    def is_far(self, place: str) -> bool:
        """Tell whether the way from the tree to a place leads up too often."""
        relative = posixpath.relpath(place, self._root)
        return PurePosixPath(relative).parts.count("..") > MOST_UP


def package_files(search_folders: Mapping[str, str]) -> Iterator[str]:
    """Yield the files of the packages that were imported, each package whole.

    What a run imports depends on its arguments, and a package reads files of its own, perhaps
    before anybody watches. A folder without ``__init__`` counts only inside a repository: nothing
    else tells what in it belongs together.

    Args:
        search_folders: by the place of an imported file, the folder on ``sys.path``.
    """
    packages = {
        Path(folder, Path(place).relative_to(folder).parts[0])
        for place, folder in search_folders.items()
        if folder
    }
    for package in sorted(packages):
        if package.is_dir() and _belongs_together(package):
            yield from _walk(str(package))


def _belongs_together(package: Path) -> bool:
    return (package / "__init__.py").is_file() or repository_top(package.parent) is not None


def _walk(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _NOT_PACKED and not name.startswith(".")
        )
        for name in sorted(names):
            if not name.startswith("."):
                yield f"{parent}/{name}"
