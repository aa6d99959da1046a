"""A dataset whose batches are shown on their way to a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class WatchedBatches(Generic[T]):
    """Iterates over a dataset, and passes each batch on unchanged.

    Args:
        dataset: anything that a ``for`` loop takes.
        begin: called with the dataset when an iteration begins.
        show: called with each batch, before the loop gets it.
        end: called when an iteration ends, with the dataset and whether it had no more batches.
    """

    def __init__(
        self,
        dataset: Iterable[T],
        begin: Callable[[object], None],
        show: Callable[[object], None],
        end: Callable[[object, bool], None],
    ) -> None:
        self._dataset = dataset
        self._begin = begin
        self._show = show
        self._end = end
        self._own: Iterator[T] | None = None

    def __iter__(self) -> Iterator[T]:
        self._begin(self._dataset)
        exhausted = False
        try:
            for batch in self._dataset:
                self._show(batch)
                yield batch
            exhausted = True
        finally:
            self._end(self._dataset, exhausted)

    def __next__(self) -> T:
        if self._own is None:
            self._own = iter(self)
        return next(self._own)

    def __len__(self) -> int:
        """Return the number of batches, for progress bars; TypeError if it is not known."""
        return len(cast("Sized", self._dataset))

    def __bool__(self) -> bool:
        return True
