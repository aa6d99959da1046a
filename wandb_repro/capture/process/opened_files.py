"""Which files outside the snapshot the run read.

Not seen are files that a library opens in C or C++ (``tf.io``, ``tf.data.TFRecordDataset``, HDF5,
OpenCV, Arrow) or in another process.

Which files this process opened. Python announces each one; a hook notes the path.
"""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import cast

from wandb_repro.capture.process.library_folders import library_folders
from wandb_repro.capture.unrecorded import is_unrecorded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile

__all__ = ["InputWatch", "Openings"]


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


MOST_FILES = 10_000


WRITING = os.O_WRONLY | os.O_RDWR


class Openings:
    """Paths opened for reading or for writing, outside the system and the environment.

    Attributes:
        read: by absolute path, the path as it was given and the size in bytes at that moment.
        modified_ns: when each file that was read had been changed last, at that moment.
        written: absolute paths.
        on: whether anything is noted.
        own: folders of the user's, each with its slash, though they lie in one of the system's:
            a container's ``/usr/src/app``.
    """

    _of_process: Openings | None = None

    def __init__(self) -> None:
        self.read: dict[str, tuple[str, int]] = {}
        self.modified_ns: dict[str, int] = {}
        self.written: set[str] = set()
        self.on = True
        self.own: tuple[str, ...] = ()
        self._skipped = library_folders()

    @classmethod
    def of_process(cls) -> Openings:
        """Return those of this process, watched from the first call on.

        Python has no way to take an audit hook back: there is one for all runs of a process.
        """
        if cls._of_process is None:
            cls._of_process = cls()
            sys.addaudithook(_hook(cls._of_process))
        return cls._of_process

    def notice(self, event: str, arguments: tuple[object, ...]) -> None:
        """Note one audit event. Never raises: that would fail the user's ``open``.

        Source: "Audit events table" of Python 3.10 to 3.14: ``open`` has path, mode and flags,
        ``os.rename`` (which ``os.replace`` announces too) source and destination.
        """
        try:
            if is_unrecorded():
                return
            if event == "open":
                self._opened(arguments[0], arguments[2])
            elif event == "os.rename":
                self._renamed(arguments[0], arguments[1])
        except Exception:  # noqa: BLE001 - whatever went wrong, the user's call goes on
            return

    def _opened(self, path: object, flags: object) -> None:
        name = _name(path)
        if name in self.read or name in self.written:
            return
        if not name or self._is_skipped(name) or not self.on:
            return
        place = os.path.abspath(name)  # noqa: PTH100 - 10 times as fast, on the user's time
        if place in self.read or place in self.written or self._is_skipped(place):
            return
        if cast(int, flags) & WRITING:
            self._note_written(place)
        elif len(self.read) < MOST_FILES:
            self._note_read(place, name)

    def _is_skipped(self, path: str) -> bool:
        return path.startswith(self._skipped) and not path.startswith(self.own)

    def _note_read(self, place: str, name: str) -> None:
        """Keep a regular file that is there now: a later one is the run's own work."""
        status = os.stat(place)  # noqa: PTH116
        if stat.S_ISREG(status.st_mode):
            self.read[place] = (name, status.st_size)
            self.modified_ns[place] = status.st_mtime_ns

    def _note_written(self, place: str) -> None:
        if len(self.written) < MOST_FILES:
            self.written.add(place)

    def _renamed(self, source: object, destination: object) -> None:
        """Count a file that was written under another name, the safe way, as written."""
        old, new = os.path.abspath(_name(source)), os.path.abspath(_name(destination))  # noqa: PTH100
        if old in self.written and new not in self.read:
            self._note_written(new)


def _hook(openings: Openings) -> Callable[[str, tuple[object, ...]], None]:
    """Return what Python calls on every audit event, ``id()`` and imports among them.

    NOTE: a function, since a bound method is called at four times the cost: Python looks in vain
    for ``__cantrace__`` on it each time (measured with 3.11).
    """
    notice = openings.notice

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" or event == "os.rename":
            notice(event, arguments)

    return hook


def _name(path: object) -> str:
    """Return a path as text, or nothing for a file descriptor."""
    if type(path) is str:
        return path
    if isinstance(path, int) or path is None:
        return ""
    return os.fsdecode(cast("bytes | os.PathLike[str]", path))
