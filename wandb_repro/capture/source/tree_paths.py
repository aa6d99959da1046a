"""Expresses absolute paths relative to the source tree, even through symbolic links."""

from __future__ import annotations

import functools
import os
import posixpath
from pathlib import Path, PurePosixPath

MOST_UP = 16
"""Limit of ``..`` on the way from the tree to a file: a rerun creates that many folders above."""


class TreePaths:
    """Spells absolute paths as scripts in the source tree do, such as ``../lib/tool.py``.

    Args:
        root: top of the tree, links resolved.
    """

    def __init__(self, root: Path) -> None:
        self._root = PurePosixPath(root)
        self._related = functools.cache(self._find_related)

    def resolve(self, absolute: str) -> str:
        """Return an absolute path; only links that lead to the tree are resolved.

        If the tree is ``/data/home/ada/digits`` and ``/home`` a link to ``/data/home``,
        ``/home/ada/lib/tool.py`` becomes ``/data/home/ada/lib/tool.py``. If ``lib`` itself is a
        link to ``/shared/lib``, the result is the same, since scripts say ``../lib``.
        """
        path = PurePosixPath(absolute)
        for folder in (path, *path.parents):
            if (real := self._related(folder)) is not None:
                return str(real / path.relative_to(folder))
        return absolute

    def _find_related(self, folder: PurePosixPath) -> PurePosixPath | None:
        """Return the real path of a folder that is in the tree or above it; else None."""
        real = PurePosixPath(os.path.realpath(folder))
        related = real.is_relative_to(self._root) or self._root.is_relative_to(real)
        return real if related else None

    def is_too_far(self, path: str) -> bool:
        """Return whether the relative path from the tree has more than 16 ``..``."""
        relative = posixpath.relpath(path, self._root)
        return PurePosixPath(relative).parts.count("..") > MOST_UP
