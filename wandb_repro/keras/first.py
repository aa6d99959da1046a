"""The first batches of each epoch, as the model gets them: which rows, and in which order.

Two batches an epoch cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from wandb_repro.capture.dataset.rows import OrderFree, paired, row_ids
from wandb_repro.capture.guard import guarded
from wandb_repro.digest import Array, leaf_digest, root_digest
from wandb_repro.keras.passing import Passed, watch
from wandb_repro.manifest.base import Unavailable

__all__ = ["FIRST", "FirstBatches", "SeenBatch"]

FIRST = 2
"""Batches of an epoch that are digested."""


class SeenBatch(NamedTuple):
    """One batch that passed."""

    digest: str
    """Of its elements, in order."""
    ids: Any
    """Number of each row by its content; None where its parts have different numbers of rows."""


class FirstBatches:
    """The batches that a model was first trained on in this epoch."""

    covers = f"the first {FIRST} batches of each epoch"

    def __init__(self) -> None:
        self._made: Passed[SeenBatch | Unavailable] = Passed()
        self._seen: list[SeenBatch | Unavailable] = []

    @classmethod
    def of_fit(cls, fit: Mapping[str, Any]) -> FirstBatches | Unavailable:
        """Return what watches the first batches of a fit, from its local variables."""
        found = cls()
        return watch(fit, found.take, at_most=FIRST) or found

    def take(self, number: int, arrays: tuple[Any, ...] | Unavailable) -> None:
        """Take a batch, inside the pipeline: whatever is wrong with it must not show."""
        self._made.add(number, lambda: _seen_unless_fault(arrays))

    def pass_over(self, batches: int) -> None:
        """Leave out so many that come next: the model was trained on them before it stopped."""
        self._made.pass_over(min(batches, FIRST))

    def begin_epoch(self) -> None:
        """Forget the epoch before. An endless pipeline begins once, in the first epoch."""
        self._made.begin_epoch()
        self._seen = []

    def trained(self, batches: int) -> None:
        """Note that a model was trained on so many more."""
        for _ in range(min(batches, FIRST - len(self._seen))):
            batch = self._made.next()
            if batch is None:
                return
            self._seen.append(batch)

    @property
    def passed(self) -> int:
        """How many batches of this epoch were trained on and looked at."""
        return len(self._seen)

    def so_far(self) -> tuple[tuple[str, ...] | Unavailable, tuple[str, ...]]:
        """Return of the batches that passed in this epoch: digests, and those free of order.

        Of the second each is over its batch and those before; none where rows are not told apart.
        Where a batch has no digest, the first is the reason.
        """
        seen: list[SeenBatch] = []
        for batch in self._seen:
            if isinstance(batch, Unavailable):
                return batch, ()
            seen.append(batch)
        digests = tuple(batch.digest for batch in seen)
        if any(batch.ids is None for batch in seen):
            return digests, ()
        order_free, rows = OrderFree(), list[str]()
        for batch in seen:
            order_free.add(batch.ids)
            rows.append(order_free.digest())
        return digests, tuple(rows)


def _seen_unless_fault(arrays: tuple[Any, ...] | Unavailable) -> SeenBatch | Unavailable:
    if isinstance(arrays, Unavailable):
        return arrays
    return guarded(lambda: _seen(arrays), "a batch")


def _seen(arrays: tuple[Any, ...]) -> SeenBatch:
    digest = root_digest(("data", leaf_digest(cast("Array", one))) for one in arrays)
    ids = [row_ids(one) for one in arrays if one.ndim]
    alike = len(ids) == len(arrays) and len({len(one) for one in ids}) == 1
    return SeenBatch(digest, _together(ids) if alike else None)


def _together(ids: list[Any]) -> Any:
    found = ids[0]
    for more in ids[1:]:
        found = paired(found, more)
    return found
