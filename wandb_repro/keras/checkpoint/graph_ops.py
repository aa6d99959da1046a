"""Finds operations in TensorFlow's graphs whose state a checkpoint cannot save.

The state of a stateful random operation is a counter inside its kernel, which cannot be read.
Source: measured on TensorFlow 2.21: the next draw in another process starts over.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

_RANDOM = frozenset(
    {
        *("RandomUniform", "RandomUniformInt", "RandomStandardNormal", "TruncatedNormal"),
        *("ParameterizedTruncatedNormal", "RandomShuffle", "RandomGamma", "RandomPoisson"),
        *("RandomPoissonV2", "Multinomial", "RandomCrop", "LogUniformCandidateSampler"),
        *("UniformCandidateSampler", "LearnedUnigramCandidateSampler", "AllCandidateSampler"),
        *("SampleDistortedBoundingBox", "SampleDistortedBoundingBoxV2"),
        *("FractionalMaxPool", "FractionalAvgPool"),
    }
)
_WRITES = frozenset({"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"})
_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
_LIBRARIES = {"site-packages", "dist-packages"}
_DEEPEST = 12


class Found(NamedTuple):
    """An operation that matters when a training is resumed."""

    kind: str
    """``random``, ``writes`` or ``python``."""
    operation: str
    """Its type, such as ``RandomStandardNormal``."""
    where: str
    """File and line of the script that made it; empty if unknown."""
    function: Any = None
    """The function that is called, if ``kind`` is ``python``."""


def in_pipeline(dataset: Any) -> list[Found]:
    """Return the operations in the functions of a ``tf.data`` pipeline, nested ones included."""
    found = [
        operation
        for stage in _stages(dataset)
        for function in stage._functions()
        for operation in _in_graph(getattr(function.function, "graph", None), set())
    ]
    return list(dict.fromkeys(found))


def in_step(train_function: Any) -> list[Found]:
    """Return the random operations in a compiled training step."""
    seen: set[int] = set()
    found = [
        operation
        for function in _compiled(train_function, set(), 0)
        for concrete in function._list_all_concrete_functions()
        for operation in _in_graph(concrete.graph, seen)
        if operation.kind == "random"
    ]
    return list(dict.fromkeys(found))


def _stages(dataset: Any) -> Iterator[Any]:
    waiting, seen = [dataset], set[int]()
    while waiting:
        stage = waiting.pop()
        if id(stage) not in seen:
            seen.add(id(stage))
            yield stage
            waiting += stage._inputs()


def _compiled(function: Any, seen: set[int], depth: int) -> Iterator[Any]:
    """Yield the compiled functions inside the function that Keras calls for a step."""
    if id(function) in seen or depth > _DEEPEST:
        return
    seen.add(id(function))
    if hasattr(function, "_list_all_concrete_functions"):
        yield function
    inner = [getattr(function, "python_function", None), getattr(function, "__wrapped__", None)]
    for cell in getattr(function, "__closure__", None) or ():
        try:
            inner.append(cell.cell_contents)
        except ValueError:
            continue
    for candidate in inner:
        if callable(candidate):
            yield from _compiled(candidate, seen, depth + 1)


def _in_graph(graph: Any, seen: set[int]) -> Iterator[Found]:
    if graph is None or id(graph) in seen:
        return
    seen.add(id(graph))
    for operation in graph.get_operations():
        kind = _kind_of(operation.type)
        if kind:
            python = _called(operation) if kind == "python" else None
            yield Found(kind, operation.type, _line_of(operation), python)
    for function in graph._functions.values():
        yield from _in_graph(getattr(function, "graph", None), seen)


def _kind_of(operation: str) -> str:
    kinds = {"random": _RANDOM, "writes": _WRITES, "python": _PYTHON}
    return next((kind for kind, known in kinds.items() if operation in known), "")


def _line_of(operation: Any) -> str:
    """Return the script's innermost line in the traceback of an operation."""
    lines = [frame for frame in operation.traceback or () if _is_of_script(frame.filename)]
    return f"{lines[-1].filename}:{lines[-1].lineno}" if lines else ""


_OURS = Path(__file__).parents[2]


def _is_of_script(file: str) -> bool:
    path = Path(file)
    return not _LIBRARIES & set(path.parts) and not path.is_relative_to(_OURS)


def _called(operation: Any) -> Callable[..., Any] | None:
    """Return the script's function that an operation calls; None if it cannot be found."""
    module: Any = sys.modules.get("tensorflow.python.ops.script_ops")
    try:
        wrapper = module._py_funcs.get(operation.get_attr("token").decode())
    except (AttributeError, TypeError, ValueError):
        return None
    function = inspect.unwrap(getattr(wrapper, "_func", wrapper)) if wrapper is not None else None
    for cell in getattr(function, "__closure__", None) or ():
        generator = getattr(cell.cell_contents, "_generator", None)
        if callable(generator):  # Dataset.from_generator keeps the user's function there
            return generator
    return function
