"""Shows batches where they pass to the model; nothing is consumed.

The graph that trains stays as it is: a function inside of it might change how it is compiled, and
with it the bits. What is added stands at the end of the input pipeline, and hands on what it got.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, cast

import keras

from wandb_repro.capture.guard import guarded
from wandb_repro.keras.reading import on_tensorflow
from wandb_repro.manifest.base import Unavailable

__all__ = ["Take", "watch"]

Take: TypeAlias = Callable[[int, "tuple[Any, ...] | Unavailable"], None]
"""Gets a batch's number since the iterator began, and its arrays. It must not raise: it is called
inside of the user's pipeline, whose error would end the training."""


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

    return dataset.enumerate().map(passing)
