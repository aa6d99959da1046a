"""Digests of the batches a model is trained on, taken where they pass.

The first batches of each epoch, as the model gets them: which rows, and in which order.

Two batches an epoch cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from wandb_repro.capture.dataset.rows import OrderFree, paired, row_ids
from wandb_repro.capture.guard import guarded
from wandb_repro.digest import Array, leaf_digest, root_digest
from wandb_repro.keras.batch_tap import Passed, watch
from wandb_repro.manifest.base import Unavailable

__all__ = ["FIRST", "Batches", "FirstBatches", "SeenBatch"]


class Batches:
    """The digests of the batches a model was trained on, until they are asked for."""

    covers = "every batch since the step record before"

    def __init__(self) -> None:
        self._made: Passed[str | Unavailable] = Passed()
        self._since: list[str | Unavailable] = []

    @classmethod
    def of_fit(cls, fit: Mapping[str, Any]) -> Batches | Unavailable:
        """Return what watches the batches of a fit, from its local variables."""
        found = cls()
        return watch(fit, found._take) or found

    def _take(self, number: int, arrays: tuple[Any, ...] | Unavailable) -> None:
        """Take a batch, inside the pipeline: whatever is wrong with it must not show."""
        self._made.add(number, lambda: _digest_of(arrays))

    def pass_over(self, batches: int) -> None:
        """Leave out so many that come next: the model was trained on them before it stopped."""
        self._made.pass_over(batches)

    def begin_epoch(self) -> None:
        """Note that the next batch is an epoch's first: it may come from a new iterator."""
        self._made.begin_epoch()

    def trained(self, batches: int) -> None:
        """Note that a model was trained on so many more."""
        for _ in range(batches):
            self._since.append(self._made.next() or _NOT_MADE)

    def root(self) -> str | Unavailable | None:
        """Return one digest over the batches since it was last asked for.

        None where there were none; where one has no digest, the reason.
        """
        since, self._since = self._since, []
        digests: list[str] = []
        for one in since:
            if isinstance(one, Unavailable):
                return one
            digests.append(one)
        return root_digest(("batch", digest) for digest in digests) if digests else None


_NOT_MADE = Unavailable(unavailable="Keras counted a step that no batch was made for")


def _digest_of(arrays: tuple[Any, ...] | Unavailable) -> str | Unavailable:
    """Return the digest of a batch, or why it has none."""
    if isinstance(arrays, Unavailable):
        return arrays
    digests = (("data", leaf_digest(cast("Array", one))) for one in arrays)
    return guarded(lambda: root_digest(digests), "a batch")


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
