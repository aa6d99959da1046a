"""Tells the threads of a script apart, in a rerun as in the original.

Threads race, and the order in which they do something is another in each run. The order in which
one thread starts others is not: a thread is named by what it runs and by the thread that started
it, as in ``train#2``, the second thread with the target ``train``.
"""

from __future__ import annotations

import functools
import threading
from collections import Counter
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from wandb_repro.capture.guard import guarded
from wandb_repro.manifest.trail_records import OTHER_THREADS

_POOLS = ("concurrent.futures", "multiprocessing", "joblib")
"""Packages whose threads take the next task that waits: which thread takes which is a race."""

_LONGEST = 100
_REFUSED = (TypeError, RuntimeError)
"""Errors of a thread that was not initialized or cannot be a key: ``start`` refuses it, or nothing
is known of it."""


class ThreadPlace(NamedTuple):
    """Which thread of a run this is. Places are ordered; the run's own thread is the first."""

    is_other: bool = False
    """Whether nothing is known of the thread: it belongs to a pool, or a library started it."""
    path: tuple[tuple[str, int], ...] = ()
    """What each thread runs, from the one that the run's own thread started to this one, and how
    many that the same thread started before run the same, from 1."""

    def __str__(self) -> str:
        """Return it as a trail writes it: ``train#2``; empty for the run's own thread."""
        if self.is_other:
            return OTHER_THREADS
        return "/".join(f"{name}#{number}" for name, number in self.path)


OWN = ThreadPlace()
"""The thread that began the run: what it makes is numbered as if there were no other."""
OTHER = ThreadPlace(is_other=True)


class ThreadOrder:
    """Knows the place of each thread that was started since the run began."""

    def __init__(self) -> None:
        self._own: threading.Thread = threading.main_thread()
        self._places = WeakKeyDictionary[threading.Thread, ThreadPlace]()
        self._started: Counter[tuple[ThreadPlace, str]] = Counter()

    def watch(self) -> None:
        """Notice each thread that is started from now on, until the process ends. Call it once."""
        # NOTE: Python 3.11 raises no audit event for a thread.
        real = threading.Thread.start

        @functools.wraps(real)
        def start(thread: threading.Thread) -> None:
            self.notice(thread)
            real(thread)

        any_thread: Any = threading.Thread
        any_thread.start = start

    def begin_run(self) -> None:
        """Begin again: the thread that calls this is the run's own, and the others are not known.

        Those that a rerun starts before its run begins need not be the same.
        """
        self._own = threading.current_thread()
        self._places.clear()
        self._started.clear()

    def current(self) -> ThreadPlace:
        """Return the place of the thread that calls this."""
        if threading.get_ident() == self._own.ident:
            return OWN
        thread = threading.current_thread()
        if thread is threading.main_thread():
            return ThreadPlace(path=(("main thread", 1),))
        return self._places.get(thread, OTHER)

    def notice(self, thread: threading.Thread) -> None:
        """Note that the thread that calls this starts another."""
        guarded(lambda: self._add(thread), "a new thread", expects=_REFUSED)

    def _add(self, thread: threading.Thread) -> None:
        starter, runs = self.current(), _what_runs(thread)
        if starter.is_other or not runs:
            return
        # Only the starter counts with this key, so that nothing needs a lock.
        self._started[starter, runs] += 1
        number = self._started[starter, runs]
        self._places[thread] = ThreadPlace(path=(*starter.path, (runs, number)))


def _what_runs(thread: threading.Thread) -> str:
    """Return the name of what a thread runs; empty if it belongs to a pool."""
    runs: Any = type(thread)
    if runs is threading.Thread:
        # Another package may clear it, and a thread without a target runs nothing.
        runs = getattr(thread, "_target", None)
    runs = getattr(runs, "func", runs)  # of functools.partial
    module = str(getattr(runs, "__module__", "") or "")
    if any(module == pool or module.startswith(f"{pool}.") for pool in _POOLS):
        return ""
    name = str(getattr(runs, "__qualname__", type(runs).__qualname__))
    name = name if module == "__main__" else f"{module}.{name}"
    # A label's owner ends at a colon, and a place at a slash.
    return name[-_LONGEST:].replace(":", "_").replace("/", "_")
