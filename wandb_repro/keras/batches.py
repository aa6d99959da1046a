"""Digests of the batches a model is trained on, taken where they pass."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from wandb_repro.capture.guard import guarded
from wandb_repro.digest import Array, leaf_digest, root_digest
from wandb_repro.keras.passing import watch
from wandb_repro.manifest.base import Unavailable

__all__ = ["Batches"]

_MOST = 10_000
"""Batches that may have been made and not yet trained on: a pipeline that runs far ahead."""


class _Batch(NamedTuple):
    generation: int
    """Number of the iterator that made it."""
    digest: str
    """Empty where it has none."""


class Batches:
    """The digests of what passed, in order, until they are asked for."""

    covers = "every batch since the step record before"

    def __init__(self) -> None:
        self._passed: deque[_Batch] = deque(maxlen=_MOST)
        self._generation = 0
        self._fresh = True
        self._since: list[str] = []
        self._passes_over = 0

    @classmethod
    def of_fit(cls, fit: Mapping[str, Any]) -> Batches | Unavailable:
        """Return what watches the batches of a fit, from its local variables."""
        found = cls()
        return watch(fit, found._take) or found

    def _take(self, number: int, arrays: tuple[Any, ...] | Unavailable) -> None:
        """Take a batch, inside the pipeline: whatever is wrong with it must not show."""
        if number == 0:
            self._generation += 1
        if self._passes_over > 0:
            self._passes_over -= 1
            return
        self._passed.append(_Batch(self._generation, _digest_of(arrays)))

    def pass_over(self, batches: int) -> None:
        """Leave out so many that come next: the model was trained on them before it stopped."""
        self._passes_over = batches

    def begin_epoch(self) -> None:
        """Note that the next batch is an epoch's first: it may come from a new iterator."""
        self._fresh = True

    def trained(self, batches: int) -> None:
        """Note that a model was trained on so many more."""
        for _ in range(batches):
            self._since.append(self._next())

    def _next(self) -> str:
        if self._fresh:
            newest = max((one.generation for one in list(self._passed)), default=0)
            while self._passed and self._passed[0].generation < newest:
                self._passed.popleft()  # made ahead of an epoch that ended
        self._fresh = False
        return self._passed.popleft().digest if self._passed else ""

    def root(self) -> str | None:
        """Return one digest over the batches since it was last asked for; None without them."""
        since, self._since = self._since, []
        if not since or not all(since):
            return None
        return root_digest(("batch", digest) for digest in since)


def _digest_of(arrays: tuple[Any, ...] | Unavailable) -> str:
    """Return the digest of a batch; empty where it has none, so that nothing is claimed of it.

    Of an epoch's first batches the reason is recorded; of a later one only that it has none.
    """
    if isinstance(arrays, Unavailable):
        return ""
    digests = (("data", leaf_digest(cast("Array", one))) for one in arrays)
    found = guarded(lambda: root_digest(digests), "a batch")
    return "" if isinstance(found, Unavailable) else found
