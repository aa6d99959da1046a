"""Digests of the batches a model is trained on, taken where they pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from wandb_repro.capture.guard import guarded
from wandb_repro.digest import Array, leaf_digest, root_digest
from wandb_repro.keras.passing import Passed, watch
from wandb_repro.manifest.base import Unavailable

__all__ = ["Batches"]


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
