"""Do two models hold the same bits?"""

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
from wandb_repro.testing.failure import fail

_SHOWN = 8


def assert_same_weights(
    a: object, b: object, *, groups: Collection[str] = ("trainable", "non_trainable")
) -> None:
    """Fail unless two models hold the same weights, bit for bit.

    NaNs and signed zeros are bits like any other. Variables are paired by group and order, since
    Keras' names count what else was built; arrays in a dict are paired by name.

    Args:
        a: a Keras model; or arrays: a list, as ``get_weights()`` gives, or a dict by name.
        b: the other, of the same kind.
        groups: of models: ``trainable``, ``non_trainable``, ``seed`` (states of seed generators)
            and ``optimizer``.

    Raises:
        AssertionError: they differ; the message names the first variable and its first element.
        UsageError: something holds no weights.
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
        fail(f"The models are not alike: {difference}.")
    differ = [
        (one, two)
        for one, two in zip(first, second, strict=True)
        if leaf_digest(one.value) != leaf_digest(two.value)
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
    found = list(_variables(value, groups))
    if not found:
        raise UsageError(
            f"{name} holds no weights to compare; its type is {type(value).__name__}. Give a Keras "
            "model that is built, or its get_weights()."
        )
    return found


def _variables(value: object, groups: Collection[str]) -> Iterator[Variable]:
    keras: Any = sys.modules.get("keras")
    if keras is not None and isinstance(value, keras.Model):
        from wandb_repro.keras import variables_of

        yield from (one for one in variables_of(cast("Any", value)) if one.group in groups)
    elif isinstance(value, Mapping):
        named = cast("Mapping[object, Any]", value)
        for name in sorted(named, key=str):
            yield Variable("array", str(name), _array(named[name]))
    elif isinstance(value, (list, tuple)):
        for place, one in enumerate(cast("Iterable[object]", value)):
            yield Variable("array", f"array {place}", _array(one))
    elif is_array(value):
        yield Variable("array", "array", cast("Any", value))


def _array(value: object) -> Any:
    """Return a value as NumPy's array.

    Raises:
        UsageError: it has no bytes that could be compared.
    """
    numpy: Any = import_module("numpy")
    found = numpy.asarray(value)
    try:
        leaf_digest(found[:0] if found.ndim else found)
    except DigestError as error:
        raise UsageError(f"{error.message} Give arrays of numbers.") from error
    return found


def _structure(mine: Sequence[Variable], yours: Sequence[Variable]) -> str:
    """Return why variables cannot be paired; empty if they can."""
    if len(mine) != len(yours):
        return f"a has {count(len(mine), 'variable')} and b {count(len(yours), 'variable')}"
    for one, two in zip(mine, yours, strict=True):
        if one.group == "array" and one.label != two.label:
            return f"a has {one.label} where b has {two.label}"
        if _kind(one) != _kind(two):
            return f"{one.label} is {_kind(one)} in a and {_kind(two)} in b"
    return ""


def _kind(one: Variable) -> str:
    group = "" if one.group == "array" else f"{one.group} "
    return f"{group}{one.value.dtype.name}{list(one.value.shape)}"


def _report(differ: Sequence[tuple[Variable, Variable]]) -> Iterator[tuple[str, str]]:
    first, other = differ[0]
    yield "first tensor", _leaf(first)
    yield from _elements(first.value, other.value)
    for place, (one, _) in enumerate(differ[1 : _SHOWN + 1]):
        yield "" if place else "also", _leaf(one)
    if len(differ) > _SHOWN + 1:
        yield "", f"and {len(differ) - _SHOWN - 1:,} more"


def _leaf(one: Variable) -> str:
    return f"{one.label} {list(one.value.shape)}, {one.group}"


def _elements(one: Any, two: Any) -> Iterator[tuple[str, str]]:
    """Yield how many elements differ, the first of them, and how far apart they are."""
    np: Any = import_module("numpy")
    mine, yours = (np.ascontiguousarray(value).reshape(-1) for value in (one, two))
    width = mine.dtype.itemsize
    other = (mine.view("u1").reshape(-1, width) != yours.view("u1").reshape(-1, width)).any(1)
    places = np.flatnonzero(other)
    first = places[0]
    index = [int(axis) for axis in np.unravel_index(first, one.shape)]
    yield (
        "elements",
        f"{len(places):,} of {count(mine.size, 'element')} differ, first {index}: "
        f"{mine[first]!s} in a, {yours[first]!s} in b",
    )
    with np.errstate(all="ignore"):
        gaps = np.abs(mine[places].astype("f8") - yours[places].astype("f8"))
        size = float(np.linalg.norm(mine.astype("f8")))
    finite = gaps[np.isfinite(gaps)]
    if len(finite):
        far = float(np.linalg.norm(finite))
        part = f", {far / size:.1g} of the tensor's size" if size > 0 else ""
        yield "apart", f"at most {float(finite.max()):.3g} an element{part}"
    if len(finite) < len(gaps):
        yield "not finite", f"{count(len(gaps) - len(finite), 'element')}, in a or in b"
