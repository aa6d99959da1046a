"""Digests of the batches that a model is trained on, taken as they pass.

``Batches`` digests all of them, for one digest per step record; ``FirstBatches`` digests the first
two of each epoch and their rows, which costs next to nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias, cast

from wandb_repro.capture.dataset.rows import OrderFree, paired, row_ids
from wandb_repro.capture.guard import guarded
from wandb_repro.digest import Array, leaf_digest, root_digest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.fit.batch_queue import BatchQueue

Arrays: TypeAlias = tuple[Any, ...]
"""The leaves of one batch, flattened: NumPy arrays, examples along the first axis."""

_NOT_MADE = Unavailable(unavailable="Keras counted a step that no batch was made for")


class Batches(BatchQueue[str | Unavailable]):
    """The digests of all batches that a model was trained on since the last step record."""

    covers = "every batch since the step record before"

    def __init__(self) -> None:
        super().__init__()
        self._since: list[str | Unavailable] = []

    def take(self, number: int, arrays: Arrays | Unavailable) -> None:
        """Take a batch, by its number since the iterator began; raises nothing."""
        # Called inside the user's pipeline: a failed digest is kept as a reason.
        self.add(number, lambda: _digest_of(arrays))

    def trained(self, batches: int) -> None:
        """Note that the model was trained on this many more batches."""
        for _ in range(batches):
            self._since.append(self.next() or _NOT_MADE)

    def root(self) -> str | Unavailable | None:
        """Return one digest over the batches since the previous call.

        None if there were none; the reason if one of them has no digest.
        """
        since, self._since = self._since, []
        digests: list[str] = []
        for digest in since:
            if isinstance(digest, Unavailable):
                return digest
            digests.append(digest)
        return root_digest(("batch", digest) for digest in digests) if digests else None


def _digest_of(arrays: Arrays | Unavailable) -> str | Unavailable:
    if isinstance(arrays, Unavailable):
        return arrays
    return guarded(lambda: _root_of(arrays), "a batch")


def _root_of(arrays: Arrays) -> str:
    return root_digest(("data", leaf_digest(cast("Array", array))) for array in arrays)


FIRST = 2
"""Batches of an epoch that are digested by default."""


class SeenBatch(NamedTuple):
    """A batch that a model was trained on."""

    digest: str
    """Of its elements, in order."""
    ids: Any
    """Array of shape (examples,), dtype uint64: a number for each row, derived from its content.
    None if the arrays have different numbers of rows."""


class FirstBatches(BatchQueue[SeenBatch | Unavailable]):
    """The first batches that a model was trained on in this epoch."""

    covers = f"the first {FIRST} batches of each epoch"

    def __init__(self) -> None:
        super().__init__()
        self._seen: list[SeenBatch | Unavailable] = []

    def take(self, number: int, arrays: Arrays | Unavailable) -> None:
        """Take a batch, by its number since the iterator began; raises nothing."""
        self.add(number, lambda: _seen_or_reason(arrays))

    def skip(self, batches: int) -> None:
        """Ignore the next batches: the model was trained on them before it was stopped."""
        super().skip(min(batches, FIRST))

    def begin_epoch(self) -> None:
        """Forget the previous epoch. An endless pipeline begins once, in the first epoch."""
        super().begin_epoch()
        self._seen = []

    def trained(self, batches: int) -> None:
        """Note that the model was trained on this many more batches."""
        for _ in range(min(batches, FIRST - len(self._seen))):
            batch = self.next()
            if batch is None:
                return
            self._seen.append(batch)

    @property
    def passed(self) -> int:
        """How many batches of this epoch were trained on and digested, 0 to 2."""
        return len(self._seen)

    def so_far(self) -> tuple[tuple[str, ...] | Unavailable, tuple[str, ...]]:
        """Return the digests of this epoch's first batches, and those of their rows.

        A batch's digest depends on the order of its rows. The Nth digest of rows covers all rows of
        the first N batches, in any order; there is none if rows cannot be distinguished. If a batch
        has no digest, the reason replaces the digests.
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


def _seen_or_reason(arrays: Arrays | Unavailable) -> SeenBatch | Unavailable:
    if isinstance(arrays, Unavailable):
        return arrays
    return guarded(lambda: _seen(arrays), "a batch")


def _seen(arrays: Arrays) -> SeenBatch:
    ids = [row_ids(array) for array in arrays if array.ndim]
    alike = len(ids) == len(arrays) and len({len(column) for column in ids}) == 1
    return SeenBatch(_root_of(arrays), _joined(ids) if alike else None)


def _joined(ids: list[Any]) -> Any:
    """Return a number per row from the numbers of its parts."""
    joined = ids[0]
    for more in ids[1:]:
        joined = paired(joined, more)
    return joined
