"""Digests of the batches a model is trained on, taken where they pass; nothing is consumed.

The graph that trains stays as it is: a function inside of it might change how it is compiled, and
with it the bits. What is added stands at the end of the input pipeline, and hands on what it got.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

import keras

from wandb_repro.digest import Array, leaf_digest, root_digest
from wandb_repro.keras.reading import on_tensorflow
from wandb_repro.manifest.base import Unavailable

__all__ = ["Batches", "odd_values"]

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
        iterator = fit.get("epoch_iterator")
        if iterator is None:
            return Unavailable(unavailable="the training has no pipeline that a callback can see")
        if getattr(iterator, "_current_iterator", None) is not None:
            return Unavailable(unavailable="the pipeline had already begun")
        found = cls()
        return found._watch_tensorflow(iterator) if on_tensorflow() else found._watch(iterator)

    def _watch_tensorflow(self, iterator: Any) -> Batches | Unavailable:
        tensorflow: Any = sys.modules["tensorflow"]
        dataset = getattr(iterator, "_distributed_dataset", None)
        if not isinstance(dataset, tensorflow.data.Dataset):
            return Unavailable(unavailable="the pipeline is distributed over devices")
        odd = odd_values(tensorflow, dataset)
        if odd:
            return Unavailable(unavailable=f"batches hold {odd}")
        iterator._distributed_dataset = _noting(tensorflow, dataset, self._note)
        return self

    def _watch(self, iterator: Any) -> Batches:
        begin = iterator._get_iterator

        def watched() -> Iterator[Any]:
            for number, batch in enumerate(begin()):
                flat = cast("Any", keras).tree.flatten(batch)
                to_host = cast("Any", keras).ops.convert_to_numpy
                self._note(number, *(to_host(one) for one in flat if one is not None))
                yield batch

        iterator._get_iterator = watched
        return self

    def _note(self, number: Any, *arrays: Any) -> None:
        """Take a batch. It runs inside the pipeline: whatever is wrong with it must not show."""
        if int(number) == 0:
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


def _digest_of(arrays: tuple[Any, ...]) -> str:
    """Return the digest of a batch; empty where it has none, so that nothing is claimed of it.

    Whatever is raised here would end the training: it is called from inside the input pipeline.
    """
    try:
        return root_digest(("data", leaf_digest(cast("Array", one))) for one in arrays)
    except Exception:  # noqa: BLE001 - the user's pipeline goes on
        return ""


def odd_values(tensorflow: Any, dataset: Any) -> str:
    """Return what of a batch is no plain array of numbers; empty if all of it is."""
    for spec in tensorflow.nest.flatten(dataset.element_spec):
        if not isinstance(spec, tensorflow.TensorSpec):
            return f"a {type(spec).__name__.removesuffix('Spec')}"
        kind = spec.dtype
        if not (kind.is_floating or kind.is_integer or kind.is_bool or kind.is_complex):
            return f"values of type {kind.name}"
    return ""


def _noting(tensorflow: Any, dataset: Any, note: Any) -> Any:
    """Return the dataset with each element shown to ``note`` as it passes."""

    @tensorflow.autograph.experimental.do_not_convert
    def passing(number: Any, element: Any) -> Any:
        flat = tensorflow.nest.flatten(element)
        tensorflow.numpy_function(note, [number, *flat], [])
        return element

    return dataset.enumerate().map(passing)
