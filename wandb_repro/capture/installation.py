"""The distributions that a process can import, read once for as long as they stay as they are.

A sweep records a hundred runs in one process. What each run would read of its packages is the
same, and looking at the files' stamps takes a hundredth of reading them.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping

from wandb_repro.capture.dist_info import DistInfo, folder_of

__all__ = ["Installation", "installation"]


class Installation:
    """What is installed at one moment.

    Args:
        found: distributions in the order of ``sys.path``.
    """

    def __init__(self, found: Iterable[DistInfo]) -> None:
        self.found = tuple(found)
        self.chosen: Mapping[str, DistInfo] = _chosen(self.found)
        """What is imported, by normalised name, sorted: the first on the path wins.

        An ``.egg-info`` gives way to a ``.dist-info``: a build leaves one beside the sources, and
        the folder of the script comes first on ``sys.path``.
        """

    def is_of(self, distributions: Iterable[importlib.metadata.Distribution]) -> bool:
        """Tell whether it was read of these, in the same order."""
        return [info.folder for info in self.found] == [folder_of(each) for each in distributions]

    def is_as_read(self) -> bool:
        """Tell whether nothing that was read of it has changed since."""
        return all(info.is_as_read() for info in self.found)


def installation(found: Iterable[importlib.metadata.Distribution]) -> Installation:
    """Return what is installed: the same object again while no file of its metadata changes."""
    distributions = tuple(found)
    last = _Last.read
    if last is not None and last.is_of(distributions) and last.is_as_read():
        return last
    _Last.read = Installation(map(DistInfo, distributions))
    return _Last.read


class _Last:
    """The last that was read."""

    read: Installation | None = None


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
