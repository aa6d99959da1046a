"""Work done in a thread while the script continues, and awaited before training starts.

A thread of ours imports nothing: a library may replace ``builtins.__import__`` for the whole
process for a while. ``etils`` does so while ``tensorflow_datasets`` loads, and relative imports in
other threads then fail.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.unrecorded import never_record_this_thread, unrecorded
from wandb_repro.manifest.base import Unavailable

T = TypeVar("T")

_PATIENCE_S = 5.0
_QUICK_S = 20.0


def _always(_: object) -> bool:
    return True


class Background(Generic[T]):
    """One piece of work in a daemon thread, which does not keep the process alive.

    Args:
        work: called in the thread; may be called a second time.
        what: name of the work, for the reason if it fails.
        after: event to wait for before starting, at most 5 s.
        is_complete: tells whether a result is good enough not to try again.
    """

    def __init__(
        self,
        work: Callable[[], T],
        what: str,
        *,
        after: threading.Event | None = None,
        is_complete: Callable[[T], bool] = _always,
    ) -> None:
        self._work = work
        self._what = what
        self._after = after
        self._is_complete = is_complete
        self._may_retry = True
        self._result: T | Unavailable = Unavailable(unavailable=f"{what}: not done in time")
        self._thread = threading.Thread(target=self._run, name=f"wandb_repro {what}", daemon=True)
        started = guarded(self._thread.start, what, expects=(RuntimeError,))
        if isinstance(started, Unavailable):
            self._result = started

    def _run(self) -> None:
        never_record_this_thread()
        if self._after is not None:
            self._after.wait(_PATIENCE_S)
        started = time.monotonic()
        try:
            self._result = guarded(self._work, self._what)
        except BaseException as error:  # noqa: BLE001 - raised by the second attempt if it occurs again
            self._result = Unavailable(unavailable=f"{self._what}: {type(error).__name__}")
        # A slow failure, such as a hanging git, would delay the training a second time.
        self._may_retry = time.monotonic() - started < _QUICK_S

    def result(self, timeout_s: float) -> T | Unavailable:
        """Return the result, or why there is none, after at most ``timeout_s`` seconds."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return self._result

    def settled(self, timeout_s: float) -> T | Unavailable:
        """Return the result; if the thread failed, do the work again in the caller's thread.

        Call it in the script's own thread.

        Args:
            timeout_s: seconds to wait for the thread; the second attempt has no time limit.
        """
        result = self.result(timeout_s)
        if self._thread.is_alive() or not self._may_retry or self._succeeded(result):
            return result
        self._may_retry = False
        with unrecorded():  # as in the thread: files read here are not inputs of the script
            self._result = guarded(self._work, self._what)
        return self._result

    def _succeeded(self, result: T | Unavailable) -> bool:
        return not isinstance(result, Unavailable) and self._is_complete(result)
