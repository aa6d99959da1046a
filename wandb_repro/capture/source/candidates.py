"""Selects listed files that may be code: not W&B's own, not generated ones."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from wandb_repro.capture.source.file_list import Listing

_REGENERATED = (b"__pycache__", b"node_modules")
"""Folders that tools regenerate; untracked ones would make equal trees differ."""


_WANDB = (b"wandb", b".wandb")


_RUN_FILES = ("latest-run", "debug.log")


def candidate_files(
    root: Path, listing: Listing, exclude: Sequence[Path]
) -> Iterator[tuple[bytes, bool]]:
    """Yield each path and whether git tracks it; tracked files first, sorted by path.

    Args:
        root: of the tree.
        listing: of the tree.
        exclude: absolute folders that are not part of the code.
    """
    excluded = ExcludedFolders(root, exclude)
    for path in sorted(listing.index):
        if not excluded.contains(path):
            yield path, True
    environments = _environments(listing.untracked)
    for path in sorted(listing.untracked.difference(listing.index)):
        if not (excluded.contains(path) or is_regenerated(path) or path.startswith(environments)):
            yield path, False


def _environments(paths: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the folders that are virtual environments, each with its slash."""
    marker = b"pyvenv.cfg"
    return tuple(path[: -len(marker)] for path in paths if path.endswith(b"/" + marker))


def is_regenerated(path: bytes) -> bool:
    """Return whether a path is in a folder that tools regenerate, such as ``__pycache__``."""
    return any(name in path and name in path.split(b"/")[:-1] for name in _REGENERATED)


class ExcludedFolders:
    """Folders that are not part of the code: those given by the caller, and W&B's own."""

    def __init__(self, root: Path, exclude: Sequence[Path]) -> None:
        self._root = root
        self._named = tuple(
            os.fsencode(folder.relative_to(root)) + b"/"
            for folder in (Path(os.path.realpath(folder)) for folder in exclude)
            if folder != root and folder.is_relative_to(root)
        )
        self._is_wandb = functools.cache(self._holds_runs)

    def contains(self, path: bytes) -> bool:
        """Return whether a path, relative to the root, is in one of them."""
        if path.startswith(self._named):
            return True
        return b"wandb/" in path and any(map(self._is_wandb, _wandb_folders(path)))

    def _holds_runs(self, folder: bytes) -> bool:
        try:
            names = os.listdir(self._root / os.fsdecode(folder))  # noqa: PTH208
        except OSError:
            return False
        return any(
            name.startswith(("run-", "offline-run-")) or name in _RUN_FILES for name in names
        )


def _wandb_folders(path: bytes) -> Iterator[bytes]:
    names = path.split(b"/")[:-1]
    for depth, name in enumerate(names, start=1):
        if name in _WANDB:
            yield b"/".join(names[:depth])
