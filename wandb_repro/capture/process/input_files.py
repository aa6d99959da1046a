"""Finds the files outside the snapshot that the run read.

Files that a library opens in C or C++ (``tf.io``, ``tf.data.TFRecordDataset``, HDF5, OpenCV, Arrow)
or in another process are not seen.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path, PurePosixPath

from wandb_repro.capture.process.generated_files import GeneratedFiles
from wandb_repro.capture.process.opened_files import MOST_FILES, OpenedFiles
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile

_UNINTERESTING = frozenset({".git", ".netrc", ".gitconfig", "site-packages", "dist-packages"})
"""Parts of a path: settings of git and W&B, and packages, which are recorded elsewhere."""
_UNINTERESTING_PAIRS = ((".config", "wandb"), (".cache", "wandb"), (".config", "git"))

_FROM_CACHE = Unavailable(unavailable="a module whose compiled form was read")
_MORE = InputFile(
    # Every machine has this folder: a rerun neither looks for it nor compares it.
    path="/",
    absolute="/",
    size_bytes=Unavailable(unavailable="they were not counted"),
    reason=f"more than {MOST_FILES:,} files were read; the others are not recorded",
)


class InputWatch:
    """The files that the process opened since the first watch was started."""

    def __init__(self, opened: OpenedFiles | None = None) -> None:
        self._opened = opened or OpenedFiles()

    def start(self) -> None:
        """Watch from now on. A second watch also knows the files of the first one."""
        self._opened = OpenedFiles.of_process()

    @property
    def since(self) -> float:
        """When the script started, seconds since 1970."""
        return self._opened.since

    @property
    def listed(self) -> dict[str, str]:
        """By absolute path, the folders that were listed, as the script gave them."""
        return self._opened.listed.copy()

    def include(self, root: Path) -> None:
        """Watch the source tree too, even below a system folder such as ``/usr/src/app``."""
        self._opened.included = (f"{root}{os.sep}",)

    def is_as_read(self, path: str) -> bool:
        """Return whether a file, by absolute path, has the size and mtime that it was read with.

        Raises:
            OSError: the file is gone.
        """
        status = os.stat(path)  # noqa: PTH116
        _, size_bytes = self._opened.read.get(path, ("", status.st_size))
        modified_ns = self._opened.modified_ns.get(path, status.st_mtime_ns)
        return (size_bytes, modified_ns) == (status.st_size, status.st_mtime_ns)

    @contextmanager
    def paused(self) -> Generator[None]:
        """Watch nothing inside the block: for files that the recorder itself reads."""
        self._opened.on = False
        try:
            yield
        finally:
            self._opened.on = True

    def inputs(
        self,
        *,
        code_paths: frozenset[str],
        code_root: Path | None,
        ignore: Sequence[Path],
        installed: frozenset[str] = frozenset(),
    ) -> tuple[InputFile, ...]:
        """Return the files that were read and still exist, sorted by path.

        Only the first 10,000 are known; if the run read more, the first entry says so.

        Args:
            code_paths: the snapshot's files, POSIX, relative to ``code_root``.
            code_root: top of the source tree.
            ignore: folders whose files are never inputs, such as W&B's.
            installed: absolute paths of files that come from a wheel, not from the source tree.

        Raises:
            Exception: a fault while files were recorded, under `guard.STRICT_VARIABLE`.
        """
        self._opened.check()
        known = _absolute(code_root, code_paths) | installed
        skipped = tuple(f"{folder}{os.sep}" for folder in ignore)
        found = {
            file.absolute: file
            for file in self._files()
            if file.absolute not in known and not file.absolute.startswith(skipped)
        }
        generated = GeneratedFiles()
        files = tuple(
            found[path] for path in sorted(found) if not generated.contain(path) and _is_input(path)
        )
        return (_MORE, *files) if self._opened.has_more else files

    def _files(self) -> Iterator[InputFile]:
        """Yield the files that were read; for byte code, its source."""
        for absolute, (path, size) in self._opened.read.copy().items():
            if not absolute.endswith(".pyc"):
                yield InputFile(path=path, absolute=absolute, size_bytes=size)
            elif "__pycache__" in absolute:
                source = _source_of(absolute)
                yield InputFile(path=source, absolute=source, size_bytes=_FROM_CACHE)


def _source_of(compiled: str) -> str:
    """Return the source of a file in a ``__pycache__``."""
    try:
        return importlib.util.source_from_cache(compiled)
    except ValueError:
        # Python does not recognise "module.cpython-311-pytest-9.2.0.pyc", which pytest writes.
        folder, _, name = compiled.rpartition("/")
        return f"{folder.rpartition('/')[0]}/{name.partition('.')[0]}.py"


def _absolute(root: Path | None, paths: frozenset[str]) -> frozenset[str]:
    """Return the snapshot's files as absolute paths, for each spelling of the root."""
    if root is None:
        return frozenset()
    roots = (str(root), os.path.realpath(root))
    return frozenset(f"{top}/{path}" for top in roots for path in paths)


def _is_input(path: str) -> bool:
    parts = PurePosixPath(path).parts
    if not _UNINTERESTING.isdisjoint(parts):
        return False
    if any(pair in _UNINTERESTING_PAIRS for pair in pairwise(parts)):
        return False
    return os.path.isfile(path)  # noqa: PTH113
