"""Work that is done beside the script's own start, and awaited before training begins."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.unrecorded import never_record_this_thread
from wandb_repro.manifest.base import Unavailable

__all__ = ["Background", "imported_beside"]

T = TypeVar("T")

_PATIENCE_S = 5.0


class Background(Generic[T]):
    """One piece of work in a thread of its own, which keeps no process alive.

    Args:
        work: what is done.
        what: its name.
        after: what is waited for first, though not for ever.
    """

    def __init__(
        self, work: Callable[[], T], what: str, *, after: threading.Event | None = None
    ) -> None:
        self._what = what
        self._after = after
        self._result: T | Unavailable = Unavailable(unavailable=f"{what}: not done in time")
        self._thread = threading.Thread(
            target=self._run, args=(work,), name=f"wandb_repro {what}", daemon=True
        )
        started = guarded(self._thread.start, what)
        if isinstance(started, Unavailable):
            self._result = started

    def _run(self, work: Callable[[], T]) -> None:
        never_record_this_thread()
        if self._after is not None:
            self._after.wait(_PATIENCE_S)
        self._result = guarded(work, self._what)

    def result(self, timeout_s: float) -> T | Unavailable:
        """Return what came of it, waiting at most so long."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return self._result


def imported_beside(*names: str) -> Background[None]:
    """Import modules of ours beside the script's own start; who needs them imports them again.

    Not at the end, when they are needed: a package may be upgraded while it trains.
    """

    def work() -> None:
        for name in names:
            importlib.import_module(name)

    return Background(work, "import of what is needed later")
