"""Holds a value per batch, in order, from its making until the model was trained on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

_MOST = 10_000
"""Batches that a pipeline may make ahead of the training."""


class _Made(NamedTuple, Generic[T]):
    iterator: int
    """Number of the pipeline's iterator that made the batch, from 1."""
    value: T


class BatchQueue(Generic[T]):
    """One value per batch: added when a pipeline makes the batch, taken after it was trained on.

    A pipeline runs ahead in its own threads, and most epochs start a new iterator. Batches that an
    abandoned iterator still makes are dropped.
    """

    def __init__(self) -> None:
        self._made: deque[_Made[T]] = deque(maxlen=_MOST)
        self._iterator = 0
        self._next_number = 0
        self._new_epoch = True
        self._to_skip = 0

    def add(self, number: int, make: Callable[[], T]) -> None:
        """Add the value of a batch.

        Args:
            number: of the batch since its iterator began, from 0.
            make: returns the value; called only if the model is to be trained on the batch.
        """
        if number == 0:
            self._iterator += 1
        elif number != self._next_number:
            return  # an abandoned iterator still ran ahead
        self._next_number = number + 1
        if self._to_skip > 0:
            self._to_skip -= 1
            return
        self._made.append(_Made(self._iterator, make()))

    def skip(self, batches: int) -> None:
        """Ignore the next batches: the model was trained on them before it was stopped."""
        self._to_skip = batches

    def begin_epoch(self) -> None:
        """Note that the next batch is an epoch's first and may come from a new iterator."""
        self._new_epoch = True

    def next(self) -> T | None:
        """Return the value of the next batch that was trained on; None if there is none."""
        if self._new_epoch:
            newest = max((made.iterator for made in list(self._made)), default=0)
            while self._made and self._made[0].iterator < newest:
                self._made.popleft()  # made for an epoch that ended before it was used
        self._new_epoch = False
        return self._made.popleft().value if self._made else None
