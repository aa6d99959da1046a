"""The first batches of each epoch, as the model gets them: which rows, and in which order.

Two batches an epoch cost next to nothing. What is added stands at the end of the input pipeline
and hands on what it got, as in ``batches``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

import keras

from wandb_repro.capture.dataset.rows import OrderFree, paired, row_ids
from wandb_repro.digest import Array, leaf_digest, root_digest
from wandb_repro.keras.batches import odd_values
from wandb_repro.keras.reading import on_tensorflow
from wandb_repro.manifest.base import Unavailable

__all__ = ["FIRST", "FirstBatches", "SeenBatch"]

FIRST = 2
"""Batches of an epoch that are digested."""


class SeenBatch(NamedTuple):
    """One batch that passed."""

    digest: str
    """Of its elements, in order; empty where it has none."""
    ids: Any
    """Number of each row by its content; None where its parts have different numbers of rows."""


class FirstBatches:
    """What passed first since the newest iterator began."""

    def __init__(self) -> None:
        self._seen: list[SeenBatch] = []

    @classmethod
    def of_fit(cls, fit: Mapping[str, Any]) -> FirstBatches | Unavailable:
        """Return what watches the first batches of a fit, from its local variables."""
        iterator = fit.get("epoch_iterator")
        if iterator is None or getattr(iterator, "_current_iterator", None) is not None:
            return Unavailable(unavailable="the training has no pipeline that a callback can see")
        found = cls()
        if not on_tensorflow():
            return found._watch(iterator)
        tensorflow: Any = sys.modules["tensorflow"]
        dataset = getattr(iterator, "_distributed_dataset", None)
        if not isinstance(dataset, tensorflow.data.Dataset):
            return Unavailable(unavailable="the pipeline is distributed over devices")
        odd = odd_values(tensorflow, dataset)
        if odd:
            return Unavailable(unavailable=f"batches hold {odd}")
        iterator._distributed_dataset = _noting(tensorflow, dataset, found.note)
        return found

    def _watch(self, iterator: Any) -> FirstBatches:
        begin = iterator._get_iterator

        def watched() -> Iterator[Any]:
            for number, batch in enumerate(begin()):
                if number < FIRST:
                    flat = cast("Any", keras).tree.flatten(batch)
                    to_host = cast("Any", keras).ops.convert_to_numpy
                    self.note(number, *(to_host(one) for one in flat if one is not None))
                yield batch

        iterator._get_iterator = watched
        return self

    def note(self, number: Any, *arrays: Any) -> None:
        """Take a batch. It runs inside the pipeline: whatever is wrong with it must not show."""
        batch = _seen(arrays)
        if int(number) == 0:
            self._seen = []
        self._seen.append(batch)

    def begin_epoch(self) -> None:
        """Forget the epoch before. An endless pipeline begins once, in the first epoch."""
        self._seen = []

    def so_far(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return of the batches that passed in this epoch: digests, and those free of order.

        Of the second each is over its batch and those before; none where rows are not told apart.
        """
        seen = list(self._seen)
        if not all(batch.digest for batch in seen):
            return (), ()
        digests = tuple(batch.digest for batch in seen)
        if any(batch.ids is None for batch in seen):
            return digests, ()
        order_free, rows = OrderFree(), list[str]()
        for batch in seen:
            order_free.add(batch.ids)
            rows.append(order_free.digest())
        return digests, tuple(rows)


def _seen(arrays: tuple[Any, ...]) -> SeenBatch:
    try:
        digest = root_digest(("data", leaf_digest(cast("Array", one))) for one in arrays)
        ids = [row_ids(one) for one in arrays if one.ndim]
        alike = len(ids) == len(arrays) and len({len(one) for one in ids}) == 1
        return SeenBatch(digest, _together(ids) if alike else None)
    except Exception:  # noqa: BLE001 - the user's pipeline goes on
        return SeenBatch("", None)


def _together(ids: list[Any]) -> Any:
    found = ids[0]
    for more in ids[1:]:
        found = paired(found, more)
    return found


def _noting(tensorflow: Any, dataset: Any, note: Any) -> Any:
    """Return the dataset with its first elements shown to ``note`` as they pass."""

    @tensorflow.autograph.experimental.do_not_convert
    def passing(number: Any, element: Any) -> Any:
        def noted() -> Any:
            flat = tensorflow.nest.flatten(element)
            tensorflow.numpy_function(note, [number, *flat], [])
            return tensorflow.constant(0)

        done = tensorflow.cond(number < FIRST, noted, lambda: tensorflow.constant(0))
        with tensorflow.control_dependencies([done]):
            return tensorflow.nest.map_structure(tensorflow.identity, element)

    return dataset.enumerate().map(passing)
