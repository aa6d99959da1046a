"""Which files outside the snapshot the run read.

Not seen are files that a library opens in C or C++ (``tf.io``, ``tf.data.TFRecordDataset``, HDF5,
OpenCV, Arrow) or in another process.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path, PurePosixPath

from wandb_repro.capture.openings import MOST_FILES, Openings
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile

__all__ = ["InputWatch"]

UNINTERESTING = frozenset({".git", ".netrc", ".gitconfig", "site-packages", "dist-packages"})
"""Parts of a path: settings of git and W&B, and packages that another record tells of."""

UNINTERESTING_PAIRS = ((".config", "wandb"), (".cache", "wandb"), (".config", "git"))


class InputWatch:
    """Knows the files that the process opened since the first watch was started."""

    def __init__(self, openings: Openings | None = None) -> None:
        self._openings = openings or Openings()

    def start(self) -> None:
        """Notice from now on. A second watch knows what the first one noticed."""
        self._openings = Openings.of_process()

    def own(self, root: Path) -> None:
        """Notice what is opened below the source tree, wherever it lies."""
        self._openings.own = (f"{root}{os.sep}",)

    def is_as_read(self, place: str) -> bool:
        """Tell whether a file still has the size and the time that it was read with."""
        status = os.stat(place)  # noqa: PTH116
        _, size_bytes = self._openings.read.get(place, ("", status.st_size))
        modified_ns = self._openings.modified_ns.get(place, status.st_mtime_ns)
        return (size_bytes, modified_ns) == (status.st_size, status.st_mtime_ns)

    @property
    def is_full(self) -> bool:
        """Whether more files were opened than are kept."""
        return len(self._openings.read) >= MOST_FILES

    @contextmanager
    def paused(self) -> Generator[None]:
        """Notice nothing meanwhile: for files that the recording itself reads."""
        self._openings.on = False
        try:
            yield
        finally:
            self._openings.on = True

    def inputs(
        self,
        *,
        code_paths: frozenset[str],
        code_root: Path | None,
        ignore: Sequence[Path],
        installed: frozenset[str] = frozenset(),
    ) -> tuple[InputFile, ...]:
        """Return what was read and is still there, sorted by place, at most 10,000 files.

        Args:
            code_paths: the snapshot's files, POSIX, relative to ``code_root``.
            code_root: top of the source tree.
            ignore: folders whose files are nobody's input, such as W&B's.
            installed: absolute paths of files that a wheel brings, and the source folder does not.
        """
        known = _absolute(code_root, code_paths) | installed
        skipped = tuple(f"{folder}{os.sep}" for folder in ignore)
        found = {
            file.absolute: file
            for file in self._files()
            if file.absolute not in known and not file.absolute.startswith(skipped)
        }
        return tuple(found[place] for place in sorted(found) if _is_input(place))

    def _files(self) -> Iterator[InputFile]:
        """Yield what was read; for compiled code, its source."""
        for place, (path, size) in self._openings.read.copy().items():
            if not place.endswith(".pyc"):
                yield InputFile(path=path, absolute=place, size_bytes=size)
            elif "__pycache__" in place:
                source = _source_of(place)
                yield InputFile(path=source, absolute=source, size_bytes=FROM_CACHE)


def _source_of(compiled: str) -> str:
    """Return the source of a file in a ``__pycache__``.

    pytest names what it rewrote ``module.cpython-311-pytest-9.2.0.pyc``, which Python itself takes
    for no name of its own.
    """
    try:
        return importlib.util.source_from_cache(compiled)
    except ValueError:
        folder, _, name = compiled.rpartition("/")
        return f"{folder.rpartition('/')[0]}/{name.partition('.')[0]}.py"


FROM_CACHE = Unavailable(unavailable="a module whose compiled form was read")


def _absolute(root: Path | None, paths: frozenset[str]) -> frozenset[str]:
    """Return the snapshot's files by the name of its root, and by where that really is."""
    if root is None:
        return frozenset()
    roots = (str(root), os.path.realpath(root))
    return frozenset(f"{top}/{path}" for top in roots for path in paths)


def _is_input(place: str) -> bool:
    parts = PurePosixPath(place).parts
    if not UNINTERESTING.isdisjoint(parts):
        return False
    if any(pair in UNINTERESTING_PAIRS for pair in pairwise(parts)):
        return False
    return os.path.isfile(place)  # noqa: PTH113
