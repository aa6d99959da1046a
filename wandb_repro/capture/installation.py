"""The distributions that a process can import, read once for as long as they stay as they are.

A sweep records a hundred runs in one process. What each run would read of its packages is the
same, and looking at the files' stamps takes a hundredth of reading them.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from wandb_repro.capture.dist_info import DistInfo

__all__ = ["Installation", "installation"]

_Stamp: TypeAlias = tuple[object, ...]


class Installation:
    """What is installed at one moment.

    Args:
        found: distributions in the order of ``sys.path``.
    """

    def __init__(self, found: Iterable[importlib.metadata.Distribution]) -> None:
        self.found = tuple(map(DistInfo, found))
        self.chosen: Mapping[str, DistInfo] = _chosen(self.found)
        """What is imported, by normalised name, sorted: the first on the path wins.

        An ``.egg-info`` gives way to a ``.dist-info``: a build leaves one beside the sources, and
        the folder of the script comes first on ``sys.path``.
        """


def installation(found: Iterable[importlib.metadata.Distribution]) -> Installation:
    """Return what is installed: the same object again while no file of its metadata changes."""
    distributions = tuple(found)
    stamps = tuple(map(_stamp, distributions))
    last = _Last.read
    if last is not None and None not in stamps and last[0] == stamps:
        return last[1]
    new = Installation(distributions)
    _Last.read = (stamps, new)
    return new


class _Last:
    """The last that was read."""

    read: tuple[tuple[_Stamp | None, ...], Installation] | None = None


def _stamp(distribution: importlib.metadata.Distribution) -> _Stamp | None:
    """Return what changes when a file of the metadata does; None where that cannot be told."""
    folder = str(getattr(distribution, "_path", ""))
    try:
        with os.scandir(folder or "/dev/null") as inside:
            files = sorted((one.name, *_times(one.stat())) for one in inside)
    except NotADirectoryError:
        return (folder, *_times(os.stat(folder))) if folder else None  # noqa: PTH116
    except OSError:
        return None
    return (folder, *files)


def _times(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _chosen(found: Iterable[DistInfo]) -> dict[str, DistInfo]:
    chosen: dict[str, DistInfo] = {}
    for info in found:
        name = info.headers.name
        # What pip could not remove it renames to "~name"; nothing imports that.
        if not name or info.base.startswith("~"):
            continue
        if name not in chosen or (chosen[name].is_egg and not info.is_egg):
            chosen[name] = info
    return dict(sorted(chosen.items()))
