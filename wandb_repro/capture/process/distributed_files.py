"""Which modules in a folder on ``sys.path`` belong to distributions that are installed there.

``pip install --target`` and the modules of clusters put such folders on ``PYTHONPATH``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["DistributedFiles"]


class DistributedFiles:
    """Top-level names that the ``RECORD`` files of a folder list, read once for each folder."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}

    def contain(self, file: str, folder: str) -> bool:
        """Return whether a distribution that is installed in ``folder`` has this module.

        Args:
            file: absolute path of the module.
            folder: the folder on ``sys.path`` that it was found in. If it is empty, as for parts of
                compiled modules, all folders on ``sys.path`` above the file are searched.
        """
        if folder:
            return self._lists(folder, file)
        above = map(str, Path(file).parents)
        return any(self._lists(each, file) for each in above if each in sys.path)

    def _lists(self, folder: str, file: str) -> bool:
        if folder not in self._names:
            self._names[folder] = frozenset(_top_level_names(Path(folder)))
        top, *_ = os.path.relpath(file, folder).split(os.sep, 1)
        return top in self._names[folder]


def _top_level_names(folder: Path) -> set[str]:
    """Return the first parts of the paths that distributions' records list."""
    names = set[str]()
    for record in folder.glob("*.dist-info/RECORD"):
        try:
            lines = record.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        names.update(line.split(",", 1)[0].lstrip('"').split("/", 1)[0] for line in lines)
    return names
