"""Work on many arrays, on several cores where that is worth it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

__all__ = ["of_each"]

_WORTH_A_THREAD = 4 << 20
"""Bytes: hashing as many takes ten times as long as starting a thread."""

_MOST_THREADS = 4
"""Few cores read memory as fast as it can be read."""


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


_Item = TypeVar("_Item", bound=_Sized)
_Found = TypeVar("_Found")


def of_each(work: Callable[[_Item], _Found], items: Sequence[_Item]) -> list[_Found]:
    """Return what work gives for each item, in their order.

    Args:
        work: lets other threads compute meanwhile, as NumPy and xxhash do.
        items: with ``nbytes``.

    Raises:
        Exception: what work raises for the first such item.
    """
    threads = min(_cores(), _MOST_THREADS, sum(item.nbytes for item in items) // _WORTH_A_THREAD)
    if threads < 2:
        return [work(item) for item in items]
    return _Shared(work, items).done_by(threads)


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


class _Shared(Generic[_Item, _Found]):
    """Items that threads take one after the other, the largest first.

    The threads end with the work: none is left behind for a fork to lose.
    """

    def __init__(self, work: Callable[[_Item], _Found], items: Sequence[_Item]) -> None:
        self._work = work
        self._items = items
        by_size = sorted(range(len(items)), key=lambda at: items[at].nbytes)
        self._waiting = by_size  # list.pop is atomic: no lock
        self._found: dict[int, _Found] = {}
        self._errors: dict[int, Exception] = {}

    def done_by(self, threads: int) -> list[_Found]:
        others = [threading.Thread(target=self._take, daemon=True) for _ in range(threads - 1)]
        begun: list[threading.Thread] = []
        try:
            for one in others:
                one.start()
                begun.append(one)
        except RuntimeError:
            pass  # no thread to be had: what this one does is enough
        self._take()
        for one in begun:
            one.join()
        if self._errors:
            raise self._errors[min(self._errors)]
        return [self._found[at] for at in range(len(self._items))]

    def _take(self) -> None:
        while self._waiting:
            try:
                at = self._waiting.pop()
            except IndexError:
                return
            try:
                self._found[at] = self._work(self._items[at])
            except Exception as error:  # noqa: BLE001 - raised again by the thread that asked
                self._errors[at] = error
