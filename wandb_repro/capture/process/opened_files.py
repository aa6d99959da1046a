"""Records the files that this process opens and the folders that it lists, with an audit hook."""

from __future__ import annotations

import inspect
import os
import stat
from types import FrameType
from typing import cast

from wandb_repro.capture.guard import is_strict
from wandb_repro.capture.process import audit_hook
from wandb_repro.capture.process.library_folders import library_folders
from wandb_repro.capture.process.process_start import process_start
from wandb_repro.capture.unrecorded import is_unrecorded

_EVENTS = ("open", "os.rename", "os.listdir", "os.scandir")
_OURS = (__file__, audit_hook.__file__)
MOST_FILES = 10_000
_MOST_FOLDERS = 10_000
_WRITING = os.O_WRONLY | os.O_RDWR
_EXPECTED = (OSError, TypeError, ValueError, IndexError)
"""A file that is gone, or an event that a library raises with different arguments."""


class OpenedFiles:
    """Files opened for reading or for writing, outside the system and the environment.

    Attributes:
        read: by absolute path, the path as the script gave it and the size in bytes when opened.
        modified_ns: by absolute path, the time of the last change when opened.
        has_more: whether more files were read than fit in ``read``.
        written: absolute paths.
        listed: by absolute path, each folder that was listed, as the script gave it.
        since: when the script started, seconds since 1970.
        on: whether files are recorded.
        included: folders of the user, each with its slash, inside a system folder: a container's
            ``/usr/src/app``.
    """

    _of_process: OpenedFiles | None = None

    def __init__(self) -> None:
        self.read: dict[str, tuple[str, int]] = {}
        self.modified_ns: dict[str, int] = {}
        self.has_more = False
        self.written: set[str] = set()
        self.listed: dict[str, str] = {}
        self.since = process_start()
        self.on = True
        self.included: tuple[str, ...] = ()
        self._skipped = library_folders()
        self._fault: Exception | None = None

    @classmethod
    def of_process(cls) -> OpenedFiles:
        """Return the files that this process opened since the first call."""
        if cls._of_process is None:
            cls._of_process = cls()
            audit_hook.listen(_EVENTS, cls._of_process.notice)
        return cls._of_process

    def notice(self, event: str, arguments: tuple[object, ...]) -> None:
        """Record one audit event.

        Source: "Audit events table" of Python 3.10 to 3.14: ``open`` has path, mode and flags,
        ``os.rename`` (which ``os.replace`` raises too) source and destination; ``os.listdir`` and
        ``os.scandir`` have the path.
        """
        # An error raised here would make the user's call fail, such as ``open``.
        try:
            if is_unrecorded():
                return
            if event == "open":
                self._opened(arguments[0], arguments[2])
            elif event == "os.rename":
                self._renamed(arguments[0], arguments[1])
            elif not _is_import(inspect.currentframe()):
                self.note_listed(arguments[0])
        except _EXPECTED:
            return
        except Exception as fault:  # noqa: BLE001 - raised later, by `check`
            self._fault = fault

    def check(self) -> None:
        """Raise the error that occurred while events were recorded, if faults are raised.

        Raises:
            Exception: a fault of ours, under `guard.STRICT_VARIABLE`.
        """
        fault, self._fault = self._fault, None
        if fault is not None and is_strict():
            raise fault

    def note_listed(self, path: object) -> None:
        """Record a folder that was listed; None is the working directory.

        Raises:
            TypeError: it is no path.
        """
        name = "." if path is None else _name(path)
        if not name or name in self.listed or not self.on or self._is_skipped(name):
            return
        absolute = os.path.abspath(name)  # noqa: PTH100 - links are resolved later
        if absolute in self.listed or self._is_skipped(f"{absolute}/"):
            return
        if len(self.listed) < _MOST_FOLDERS:
            self.listed[absolute] = name

    def note_opened(self, path: object, flags: int = os.O_RDONLY) -> None:
        """Record a file that a library opens without an audit event.

        Args:
            path: of the file.
            flags: as for ``os.open``: it is read, or written.

        Raises:
            OSError: it does not exist.
        """
        self._opened(path, flags)

    def _opened(self, path: object, flags: object) -> None:
        name = _name(path)
        if name in self.read or name in self.written:
            return
        if not name or self._is_skipped(name) or not self.on:
            return
        absolute = os.path.abspath(name)  # noqa: PTH100 - ten times as fast, and it delays the user's call
        if absolute in self.read or absolute in self.written or self._is_skipped(absolute):
            return
        if cast(int, flags) & _WRITING:
            self._note_written(absolute)
        elif not self.has_more:
            self._note_read(absolute, name)

    def _is_skipped(self, path: str) -> bool:
        return path.startswith(self._skipped) and not path.startswith(self.included)

    def _note_read(self, path: str, name: str) -> None:
        """Record a regular file that exists now: a file created later is the run's own output."""
        status = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(status.st_mode):
            return
        self.has_more = len(self.read) >= MOST_FILES
        if not self.has_more:
            self.read[path] = (name, status.st_size)
            self.modified_ns[path] = status.st_mtime_ns

    def _note_written(self, path: str) -> None:
        if len(self.written) < MOST_FILES:
            self.written.add(path)

    def _renamed(self, source: object, destination: object) -> None:
        """Count a file that was written under a temporary name as written."""
        old, new = os.path.abspath(_name(source)), os.path.abspath(_name(destination))  # noqa: PTH100
        if old in self.written and new not in self.read:
            self._note_written(new)


_IMPORTING = ("<frozen importlib", "<frozen zipimport")
_METADATA = ("importlib/metadata/__init__.py", "pkgutil.py", "pkg_resources/__init__.py")


def _is_import(frame: FrameType | None) -> bool:
    """Return whether Python's import system lists a folder, to look for modules."""
    while frame is not None and frame.f_code.co_filename in _OURS:
        frame = frame.f_back
    name = "" if frame is None else frame.f_code.co_filename
    return name.startswith(_IMPORTING) or name.endswith(_METADATA)


def _name(path: object) -> str:
    """Return a path as text; empty for a file descriptor."""
    if type(path) is str:
        return path
    if isinstance(path, int) or path is None:
        return ""
    return os.fsdecode(cast("bytes | os.PathLike[str]", path))
