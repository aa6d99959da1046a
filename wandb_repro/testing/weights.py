"""Do two models have the same weights, bit for bit?"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

from wandb_repro.capture.dataset.columns import is_array
from wandb_repro.capture.weights import GROUPS, Variable
from wandb_repro.digest import leaf_digest
from wandb_repro.errors import DigestError, UsageError
from wandb_repro.report.layout import page, rows
from wandb_repro.report.text import count
from wandb_repro.state.returned import parts_of
from wandb_repro.state.watched import Watched
from wandb_repro.testing.failure import fail

_SHOWN = 8


def assert_same_weights(
    a: object, b: object, *, groups: Collection[str] = ("trainable", "non_trainable")
) -> None:
    """Fail unless two models have the same weights, bit for bit.

    NaNs and signed zeros are compared by their bits, too. So are ``tf.Variable``s that a model or a
    layer holds without tracking them. Variables are paired by group and order,
    since Keras numbers names by what else was built; arrays in a dict are paired by name.

    Args:
        a: a Keras model; or arrays: a list as from ``get_weights()``, or a dict by name.
        b: likewise, of the same kind.
        groups: of models: ``trainable``, ``non_trainable``, ``seed`` (states of seed generators)
            and ``optimizer``.

    Raises:
        AssertionError: they differ; the message names the first variable and its first element.
        UsageError: ``a`` or ``b`` has no weights.
    """
    __tracebackhide__ = True
    first, second = _read(a, "a", groups), _read(b, "b", groups)
    if (first[0].group == "array") != (second[0].group == "array"):
        raise UsageError(
            "One of the two is a Keras model and the other holds arrays. Give two models, or the "
            "get_weights() of both."
        )
    difference = _structure(first, second)
    if difference:
        fail(f"The models differ in structure: {difference}.")
    differ = [
        (left, right)
        for left, right in zip(first, second, strict=True)
        if leaf_digest(left.value) != leaf_digest(right.value)
    ]
    if differ:
        fail(
            f"The weights are not the same: {len(differ)} of {count(len(first), 'variable')} "
            f"{'differs' if len(differ) == 1 else 'differ'}.",
            page(rows(_report(differ))),
        )


def _read(value: object, name: str, groups: Collection[str]) -> list[Variable]:
    """Return the variables, in the order in which they are compared.

    Raises:
        UsageError: there are none.
    """
    __tracebackhide__ = True
    unknown = sorted(set(groups) - set(GROUPS))
    if unknown:
        raise UsageError(f"There is no group {unknown[0]!r}; there are {', '.join(GROUPS)}.")
    variables = list(_variables(value, groups))
    if not variables:
        raise UsageError(
            f"{name} holds no weights to compare; its type is {type(value).__name__}. Give a Keras "
            "model that is built, or its get_weights()."
        )
    return variables


def _variables(value: object, groups: Collection[str]) -> Iterator[Variable]:
    keras: Any = sys.modules.get("keras")
    if keras is not None and isinstance(value, keras.Model):
        # With what no layer tracks: variables that are attributes of the model or of its layers.
        model, *others = parts_of(value)
        found = Watched([model], others).read()
        yield from (variable for variable in found if variable.group in groups)
    elif isinstance(value, Mapping):
        named = cast("Mapping[object, Any]", value)
        for name in sorted(named, key=str):
            yield Variable("array", str(name), _array(named[name]))
    elif isinstance(value, (list, tuple)):
        for index, array in enumerate(cast("Iterable[object]", value)):
            yield Variable("array", f"array {index}", _array(array))
    elif is_array(value):
        yield Variable("array", "array", cast("Any", value))


def _array(value: object) -> Any:
    """Return a value as a NumPy array.

    Raises:
        UsageError: its bytes cannot be compared.
    """
    numpy: Any = import_module("numpy")
    array = numpy.asarray(value)
    try:
        leaf_digest(array[:0] if array.ndim else array)
    except DigestError as error:
        raise UsageError(f"{error.message} Give arrays of numbers.") from error
    return array


def _structure(a: Sequence[Variable], b: Sequence[Variable]) -> str:
    """Return why variables cannot be paired; empty if they can."""
    if len(a) != len(b):
        return f"a has {count(len(a), 'variable')} and b {count(len(b), 'variable')}"
    for in_a, in_b in zip(a, b, strict=True):
        if in_a.group == "array" and in_a.label != in_b.label:
            return f"a has {in_a.label} where b has {in_b.label}"
        if _kind(in_a) != _kind(in_b):
            return f"{in_a.label} is {_kind(in_a)} in a and {_kind(in_b)} in b"
    return ""


def _kind(variable: Variable) -> str:
    group = "" if variable.group == "array" else f"{variable.group} "
    return f"{group}{variable.value.dtype.name}{list(variable.value.shape)}"


def _report(differ: Sequence[tuple[Variable, Variable]]) -> Iterator[tuple[str, str]]:
    in_a, in_b = differ[0]
    yield "first tensor", _leaf(in_a)
    yield from _elements(in_a.value, in_b.value)
    for position, (variable, _) in enumerate(differ[1 : _SHOWN + 1]):
        yield "" if position else "also", _leaf(variable)
    if len(differ) > _SHOWN + 1:
        yield "", f"and {len(differ) - _SHOWN - 1:,} more"


def _leaf(variable: Variable) -> str:
    return f"{variable.label} {list(variable.value.shape)}, {variable.group}"


def _elements(in_a: Any, in_b: Any) -> Iterator[tuple[str, str]]:
    """Yield how many elements differ, the first of them, and by how much they differ."""
    np: Any = import_module("numpy")
    a, b = (np.ascontiguousarray(value).reshape(-1) for value in (in_a, in_b))
    width = a.dtype.itemsize
    differ = (a.view("u1").reshape(-1, width) != b.view("u1").reshape(-1, width)).any(1)
    positions = np.flatnonzero(differ)
    first = positions[0]
    index = [int(axis) for axis in np.unravel_index(first, in_a.shape)]
    yield (
        "elements",
        f"{len(positions):,} of {count(a.size, 'element')} differ, first {index}: "
        f"{a[first]!s} in a, {b[first]!s} in b",
    )
    with np.errstate(all="ignore"):
        gaps = np.abs(a[positions].astype("f8") - b[positions].astype("f8"))
        norm = float(np.linalg.norm(a.astype("f8")))
    finite = gaps[np.isfinite(gaps)]
    if len(finite):
        distance = float(np.linalg.norm(finite))
        part = f", {distance / norm:.1g} of the tensor's norm" if norm > 0 else ""
        yield "difference", f"at most {float(finite.max()):.3g} per element{part}"
    if len(finite) < len(gaps):
        yield "not finite", f"{count(len(gaps) - len(finite), 'element')}, in a or in b"
