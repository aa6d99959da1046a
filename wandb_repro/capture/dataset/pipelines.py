"""Data of a pipeline, ``tf.data`` or Keras' ``PyDataset``, read without changing its state.

Training must get the same data afterwards. A shuffle draws a seed for each iterator (TensorFlow's
own state, which cannot be restored), so a pipeline is read before its first shuffle. Python code
inside a pipeline may hold any state, so a pipeline with Python code is not read. A ``PyDataset`` is
read from a deep copy that shares its arrays; Python's and NumPy's random states are restored.
"""

from __future__ import annotations

import copy
import math
import random
import sys
import time
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple, cast

from wandb_repro.capture.dataset.columns import is_array
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.errors import DigestError

_ARRANGING = ("shuffle", "repeat", "cache")
"""Steps that change no example, but have state or no end."""

_PASSING = ("batch", "prefetch", "options", "parallelbatch")

_PYTHON_OPS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc", "GeneratorDataset"})

_AT_ONCE, _AT_ONCE_BYTES = 1024, 8 << 20
"""Limits of a batch that is requested from TensorFlow: examples, and their bytes."""


Piece = Generator[list[tuple[str, Any]]]
"""For each piece its columns: role, and NumPy array of shape (rows, ...)."""


class Pieces(NamedTuple):
    """The data of a pipeline, in pieces."""

    pieces: Piece
    read: str
    """How the data that was read differs from the training's, in words; empty if it does not."""


def is_tf_data(value: object) -> bool:
    """Return whether a value is a ``tf.data.Dataset``."""
    tensorflow: Any = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(value, tensorflow.data.Dataset)


def is_pydataset(value: object) -> bool:
    """Return whether a value is a ``PyDataset``, which older Keras calls ``Sequence``."""
    return any(
        kind.__name__ in ("PyDataset", "Sequence") and kind.__module__.startswith("keras.")
        for kind in type(value).__mro__
    )


def elements_of_tf_data(dataset: Any) -> Pieces:
    """Return the data of a ``tf.data`` pipeline, in batches if its examples have a fixed size.

    Raises:
        DigestError: reading it would change what the training gets, or it has no end.
    """
    source, left = _unarranged(dataset)
    fault = _fault(source)
    if fault:
        raise DigestError(fault)
    tensorflow: Any = sys.modules["tensorflow"]
    flat = tensorflow.nest.flatten(source.element_spec)
    fixed = all(
        isinstance(spec, tensorflow.TensorSpec) and spec.shape.is_fully_defined() for spec in flat
    )
    batched = source.batch(_fitting(flat) if fixed else 1)
    read = f"before its {' and '.join(left)}" if left else ""
    return Pieces(_tf_pieces(batched), read)


def _fitting(specs: list[Any]) -> int:
    """Return how many examples of a fixed size are requested together."""
    size_bytes = sum(spec.shape.num_elements() * spec.dtype.size for spec in specs)
    return max(1, min(_AT_ONCE, _AT_ONCE_BYTES // max(1, size_bytes)))


def _tf_pieces(dataset: Any) -> Piece:
    for element in dataset:
        yield [(role, tensor.numpy()) for role, tensor in _columns(element)]


def _columns(element: Any) -> Iterator[tuple[str, Any]]:
    """Yield the arrays of an example or batch; a tuple is (input, target, weight)."""
    if not isinstance(element, tuple):
        yield from _leaves("x", element)
        return
    parts = cast("tuple[Any, ...]", element)
    names = ("x", "y", "weight", *map(str, range(3, len(parts))))
    for name, part in zip(names, parts, strict=False):
        yield from _leaves(name, part)


def _unarranged(dataset: Any) -> tuple[Any, list[str]]:
    """Return the pipeline before the steps that arrange its examples, and their names."""
    chain = [dataset]
    while len(inputs := chain[-1]._inputs()) == 1:
        chain.append(inputs[0])
    arranging = [position for position, step in enumerate(chain) if _name(step) in _ARRANGING]
    start = max(arranging, default=-1) + 1
    while start < len(chain) - 1 and _name(chain[start]) in _PASSING:
        start += 1
    names = {_name(step): None for step in reversed(chain[:start])}
    changing = [name for name in names if name not in (*_ARRANGING, *_PASSING, "datasetv1adapter")]
    return chain[start], [name for name in names if name in _ARRANGING] + changing


def _name(step: Any) -> str:
    return type(step).__name__.strip("_").removesuffix("Dataset").lower()


def _fault(dataset: Any) -> str:
    """Return why a pipeline may not be read; empty if it may."""
    if int(dataset.cardinality()) == -1:
        return "it has no end: fingerprint it before it is repeated"
    tensorflow: Any = sys.modules["tensorflow"]
    for spec in tensorflow.nest.flatten(dataset.element_spec):
        if not isinstance(spec, tensorflow.TensorSpec):
            kind = type(spec).__name__.removesuffix("Spec")
            return f"it yields values of type {kind}: fingerprint what they are made from"
    for step in upstream(dataset):
        if _name(step) == "shuffle":
            return "it is shuffled inside: fingerprint its parts before they are put together"
        for function in step._functions():
            graph = function.function.graph.as_graph_def()
            inner = (node for called in graph.library.function for node in called.node_def)
            if any(node.op in _PYTHON_OPS for node in (*graph.node, *inner)):
                return (
                    "it runs Python code, whose state reading would change: fingerprint what it "
                    "reads"
                )
    return ""


def upstream(dataset: Any) -> Iterator[Any]:
    """Yield a ``tf.data`` pipeline and every step before it."""
    left = [dataset]
    while left:
        step = left.pop()
        yield step
        left += step._inputs()


def batches_of_pydataset(dataset: Any) -> Pieces:
    """Return the batches of a ``PyDataset`` in the order of their index.

    Raises:
        DigestError: it has no end or cannot be copied.
    """
    count = dataset.num_batches if hasattr(dataset, "num_batches") else len(dataset)
    if count is None or not math.isfinite(count):
        raise DigestError("it has no end: fingerprint what it reads")
    values = cast("dict[str, Any]", vars(dataset)).values()
    shared = {id(value): _unwritable(value) for value in values if is_array(value)}
    try:
        twin = copy.deepcopy(dataset, shared)
    except Exception as error:
        raise DigestError(
            f"it cannot be copied, and reading it might change what the training gets ({error}): "
            "fingerprint what it reads"
        ) from error
    return Pieces(_unseen(_pydataset_pieces(twin, int(count))), "")


def _unwritable(array: Any) -> Any:
    """Return a view; code that writes to it gets an error and cannot change the training's data."""
    view = array.view()
    view.flags.writeable = False
    return view


def _pydataset_pieces(dataset: Any, count: int) -> Piece:
    numpy: Any = sys.modules["numpy"]
    for number in range(count):
        yield [(role, numpy.asarray(leaf)) for role, leaf in _columns(dataset[number])]


def _leaves(role: str, part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        for name, leaf in cast("dict[object, Any]", part).items():
            yield from _leaves(f"{role}/{name}", leaf)
    elif isinstance(part, (list, tuple)):
        for number, leaf in enumerate(cast("list[Any]", part)):
            yield from _leaves(f"{role}/{number}", leaf)
    elif part is not None:
        yield role, part


def _unseen(pieces: Piece) -> Piece:
    """Yield the pieces, then restore the random states that the whole process shares."""
    numpy: Any = sys.modules["numpy"]
    before = random.getstate()
    of_numpy = numpy.random.get_state()
    try:
        yield from pieces
    finally:
        random.setstate(before)
        numpy.random.set_state(of_numpy)


def until(pieces: Piece, limits: Limits) -> Iterator[tuple[list[tuple[str, Any]], bool]]:
    """Yield each piece, and whether it reaches the limit on bytes and is the last.

    Raises:
        DigestError: it takes too long.
    """
    started, size_bytes = time.monotonic(), 0
    for piece in pieces:
        size_bytes += sum(array.nbytes for _, array in piece)
        enough = size_bytes >= limits.stream_bytes
        yield piece, enough
        if enough:
            return
        if time.monotonic() - started > limits.seconds:
            raise DigestError(
                f"reading it took longer than {limits.seconds:.0f} s: fingerprint the files that "
                "it reads, with path="
            )
