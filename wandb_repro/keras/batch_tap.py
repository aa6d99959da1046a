"""Shows batches where they pass to the model; nothing is consumed.

The graph that trains stays as it is: a function inside of it might change how it is compiled, and
with it the bits. What is added stands at the end of the input pipeline, and hands on what it got;
where that end is a buffer, before it, so that training need not wait for us.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

import keras

from wandb_repro.capture.guard import guarded
from wandb_repro.keras.variables import on_tensorflow
from wandb_repro.manifest.base import Unavailable

__all__ = ["Passed", "Take", "watch"]

T = TypeVar("T")

Take: TypeAlias = Callable[[int, "tuple[Any, ...] | Unavailable"], None]
"""Gets a batch's number since the iterator began, and its arrays. It must not raise: it is called
inside of the user's pipeline, whose error would end the training."""


_MOST = 10_000
"""Batches that may have been made and not yet trained on: a pipeline that runs far ahead."""


class _Made(NamedTuple, Generic[T]):
    generation: int
    """Number of the iterator that made it."""
    told: T


class Passed(Generic[T]):
    """What is told of batches, in order, from when they are made until they are trained on."""

    def __init__(self) -> None:
        self._made: deque[_Made[T]] = deque(maxlen=_MOST)
        self._generation = 0
        self._awaited = 0
        self._fresh = True
        self._passes_over = 0

    def add(self, number: int, told: Callable[[], T]) -> None:
        """Take what is told of a batch, in the pipeline.

        Args:
            number: of the batch since its iterator began.
            told: asked only if the batch is to be trained on.
        """
        if number == 0:
            self._generation += 1
        elif number != self._awaited:
            return  # an iterator that was left still ran ahead
        self._awaited = number + 1
        if self._passes_over > 0:
            self._passes_over -= 1
            return
        self._made.append(_Made(self._generation, told()))

    def pass_over(self, batches: int) -> None:
        """Leave out so many that come next: the model was trained on them before it stopped."""
        self._passes_over = batches

    def begin_epoch(self) -> None:
        """Note that the next batch is an epoch's first: it may come from a new iterator."""
        self._fresh = True

    def next(self) -> T | None:
        """Return what is told of the batch that was trained on; None where nothing is."""
        if self._fresh:
            newest = max((one.generation for one in list(self._made)), default=0)
            while self._made and self._made[0].generation < newest:
                self._made.popleft()  # made ahead of an epoch that ended
        self._fresh = False
        return self._made.popleft().told if self._made else None


def watch(fit: Mapping[str, Any], take: Take, *, at_most: int | None = None) -> Unavailable | None:
    """Have the batches of a fit shown; return why that cannot be, None where it can.

    Args:
        fit: the local variables of ``fit``, before its first batch.
        take: what they are shown to.
        at_most: only so many of each iterator are shown; None for all.
    """
    iterator = fit.get("epoch_iterator")
    if iterator is None:
        return Unavailable(unavailable="the training has no pipeline that a callback can see")
    if getattr(iterator, "_current_iterator", None) is not None:
        return Unavailable(unavailable="the pipeline had already begun")
    if not on_tensorflow():
        _watch_python(iterator, take, at_most)
        return None
    tensorflow: Any = sys.modules["tensorflow"]
    dataset = getattr(iterator, "_distributed_dataset", None)
    if not isinstance(dataset, tensorflow.data.Dataset):
        return Unavailable(unavailable="the pipeline is distributed over devices")
    odd = _odd_values(tensorflow, dataset)
    if odd:
        return Unavailable(unavailable=f"batches hold {odd}")
    iterator._distributed_dataset = _showing(tensorflow, dataset, take, at_most)
    return None


def _watch_python(iterator: Any, take: Take, at_most: int | None) -> None:
    begin = iterator._get_iterator

    def watched() -> Iterator[Any]:
        for number, batch in enumerate(begin()):
            if at_most is None or number < at_most:
                take(number, guarded(lambda batch=batch: _on_host(batch), "a batch"))
            yield batch

    iterator._get_iterator = watched


def _on_host(batch: Any) -> tuple[Any, ...]:
    to_host = cast("Any", keras).ops.convert_to_numpy
    flat = cast("Any", keras).tree.flatten(batch)
    return tuple(to_host(one) for one in flat if one is not None)


def _odd_values(tensorflow: Any, dataset: Any) -> str:
    """Return what of a batch is no plain array of numbers; empty if all of it is."""
    for spec in tensorflow.nest.flatten(dataset.element_spec):
        if not isinstance(spec, tensorflow.TensorSpec):
            return f"a {type(spec).__name__.removesuffix('Spec')}"
        kind = spec.dtype
        if not (kind.is_floating or kind.is_integer or kind.is_bool or kind.is_complex):
            return f"values of type {kind.name}"
    return ""


def _showing(tensorflow: Any, dataset: Any, take: Take, at_most: int | None) -> Any:
    """Return the dataset with its elements shown as they pass."""

    def show(number: Any, *arrays: Any) -> None:
        take(int(number), arrays)

    @tensorflow.autograph.experimental.do_not_convert
    def passing(number: Any, element: Any) -> Any:
        def shown() -> Any:
            tensorflow.numpy_function(show, [number, *tensorflow.nest.flatten(element)], [])
            return tensorflow.constant(0)

        if at_most is None:
            done = shown()
        else:
            done = tensorflow.cond(number < at_most, shown, lambda: tensorflow.constant(0))
        with tensorflow.control_dependencies([done]):
            return tensorflow.nest.map_structure(tensorflow.identity, element)

    inner = getattr(dataset, "_input_dataset", None)
    ahead = getattr(dataset, "_buffer_size", None)
    if type(dataset).__name__ != "_PrefetchDataset" or inner is None or ahead is None:
        return dataset.enumerate().map(passing)
    return inner.enumerate().map(passing).prefetch(int(ahead))
