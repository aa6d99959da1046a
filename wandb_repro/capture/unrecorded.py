"""Marks the files that the recorder itself opens, so that they do not count as the run's."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

# Thread-local: while the recorder reads in one thread, the user's threads are still watched.
_STATE = threading.local()


def is_unrecorded() -> bool:
    """Return whether the recorder itself opens the files that this thread opens now."""
    return getattr(_STATE, "on", False)


def never_record_this_thread() -> None:
    """Ignore all files that this thread opens from now on: it is a worker of the recorder."""
    _STATE.on = True


@contextmanager
def unrecorded() -> Generator[None]:
    """Ignore files that this thread opens inside the block; other threads are still watched."""
    before = is_unrecorded()
    _STATE.on = True
    try:
        yield
    finally:
        _STATE.on = before
