"""Shows batches on their way to the model, without using any up.

It adds a stage to the end of the input pipeline that passes each batch on unchanged. The graph that
trains stays as it is: a function inside it could change how it is compiled, and so the bits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, cast

import keras

from wandb_repro.capture.guard import guarded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.state.keras_state import on_tensorflow

Take: TypeAlias = Callable[[int, "tuple[Any, ...] | Unavailable"], None]
"""Gets a batch's number since the iterator began, and its arrays or why they cannot be read. It
must not raise: it is called inside the user's pipeline, where an error would end the training."""


def watch(fit: Mapping[str, Any], take: Take, *, at_most: int | None = None) -> Unavailable | None:
    """Show the batches of a fit to ``take``; return the reason if that is impossible.

    Args:
        fit: the local variables of ``fit``, before its first batch.
        take: called for each batch.
        at_most: batches of each iterator that are shown; None shows all.
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
    unreadable = _unreadable_values(tensorflow, dataset)
    if unreadable:
        return Unavailable(unavailable=f"batches hold {unreadable}")
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
    return tuple(to_host(array) for array in flat if array is not None)


def _unreadable_values(tensorflow: Any, dataset: Any) -> str:
    """Return what a batch holds other than arrays of numbers; empty if nothing."""
    for spec in tensorflow.nest.flatten(dataset.element_spec):
        if not isinstance(spec, tensorflow.TensorSpec):
            return f"a {type(spec).__name__.removesuffix('Spec')}"
        kind = spec.dtype
        if not (kind.is_floating or kind.is_integer or kind.is_bool or kind.is_complex):
            return f"values of type {kind.name}"
    return ""


def _showing(tensorflow: Any, dataset: Any, take: Take, at_most: int | None) -> Any:
    """Return the dataset with a stage that shows its elements as they pass."""

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
    # Before the final buffer, so that training does not wait for our digests.
    return inner.enumerate().map(passing).prefetch(int(ahead))
