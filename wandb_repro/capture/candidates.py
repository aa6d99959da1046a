"""Which of the listed files can be code at all: not W&B's own, not what tools fill anew."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from wandb_repro.capture.listing import Listing

__all__ = ["Excluded", "candidates", "is_refilled"]

_REFILLED = (b"__pycache__", b"node_modules")
"""Folders that tools fill anew; untracked, they would make equal trees differ."""
_WANDB = (b"wandb", b".wandb")
_RUN_FILES = ("latest-run", "debug.log")


def candidates(
    root: Path, listing: Listing, exclude: Sequence[Path]
) -> Iterator[tuple[bytes, bool]]:
    """Yield each path with whether it is tracked, tracked ones first."""
    ours = Excluded(root, exclude)
    for path in sorted(listing.index):
        if not ours.holds(path):
            yield path, True
    environments = _environments(listing.untracked)
    for path in sorted(listing.untracked.difference(listing.index)):
        if not (ours.holds(path) or is_refilled(path) or path.startswith(environments)):
            yield path, False


def _environments(paths: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the folders that are virtual environments, each with its slash."""
    mark = b"pyvenv.cfg"
    return tuple(path[: -len(mark)] for path in paths if path.endswith(b"/" + mark))


def is_refilled(path: bytes) -> bool:
    """Tell whether a path lies in a folder that tools fill anew."""
    return any(name in path and name in path.split(b"/")[:-1] for name in _REFILLED)


class Excluded:
    """Folders that are no part of the code: those named by the caller, and W&B's own."""

    def __init__(self, root: Path, exclude: Sequence[Path]) -> None:
        self._root = root
        self._named = tuple(
            os.fsencode(folder.relative_to(root)) + b"/"
            for folder in map(_resolved, exclude)
            if folder != root and folder.is_relative_to(root)
        )
        self._known: dict[bytes, bool] = {}

    def holds(self, path: bytes) -> bool:
        """Tell whether a path lies in one of them."""
        if path.startswith(self._named):
            return True
        return b"wandb/" in path and any(map(self._is_wandb, _wandb_folders(path)))

    def _is_wandb(self, folder: bytes) -> bool:
        if folder not in self._known:
            self._known[folder] = _holds_runs(self._root / os.fsdecode(folder))
        return self._known[folder]


def _resolved(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def _wandb_folders(path: bytes) -> Iterator[bytes]:
    names = path.split(b"/")[:-1]
    for depth, name in enumerate(names, start=1):
        if name in _WANDB:
            yield b"/".join(names[:depth])


def _holds_runs(folder: Path) -> bool:
    try:
        names = [file.name for file in folder.iterdir()]
    except OSError:
        return False
    return any(name.startswith(("run-", "offline-run-")) or name in _RUN_FILES for name in names)
