"""The file in which processes note that they train, for the process that started them.

It needs the standard library only: it also runs in processes of other environments.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

MOST_BYTES = 1 << 20
"""Of lines that are read for one run."""

_OFTEN = 100
_SECONDS = 1.0
_SECONDS_LATER = 30.0


class TrainingLines:
    """Notes that this process trains: at most one line a second, later two a minute.

    A process may train for one run of its parent after another, so one line is not enough.

    Args:
        path: of the file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._next = 0.0
        self._written = 0

    def __call__(self) -> None:
        """Write a line, if one is due."""
        now = time.monotonic()
        if now >= self._next:
            self._written += 1
            self._next = now + (_SECONDS if self._written < _OFTEN else _SECONDS_LATER)
            append(self._path, trained=True)


def append(path: str, **fields: Any) -> None:
    """Append a line about this process; do nothing if that is impossible."""
    line = json.dumps({"pid": os.getpid(), "name": own_name(), **fields}) + "\n"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    # The folder is gone once the process that made it has ended.
    with contextlib.suppress(OSError, ValueError):
        descriptor = os.open(path, flags, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


def own_name() -> str:
    """Return a name for this process: ``SpawnProcess-1``, ``LokyProcess-2``, ``evaluate.py``."""
    script = (getattr(sys, "argv", None) or [""])[0]
    of_script = "python -c" if script == "-c" else os.path.basename(script) or "python"  # noqa: PTH119
    return worker_name() or of_script


def worker_name() -> str:
    """Return the name that ``multiprocessing`` gave to this process; empty if it is no worker."""
    processes: Any = sys.modules.get("multiprocessing.process")
    name = str(processes.current_process().name) if processes is not None else _MAIN
    return "" if name == _MAIN else name


_MAIN = "MainProcess"


def lines_in(path: str, first: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the lines of a file that begin at or after a byte; none if there is no file."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            file.seek(first)
            content = file.read(MOST_BYTES)
    except OSError:
        return
    for line in content.splitlines():
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found


def size_of(path: str) -> int:
    """Return the size of a file in bytes; 0 if there is none."""
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return 0
