"""Finds random generators that the script's objects refer to and that are not registered."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple, cast

from wandb_repro.recording.rng_registry import registered
from wandb_repro.state.packing import class_of
from wandb_repro.state.rng_state import is_generator

_DEEPEST = 4
_MOST = 2_000


class UnregisteredRng(NamedTuple):
    """A generator, and where it was found."""

    name: str
    """As in code: ``Batches.rng``."""
    generator: Any
    where: str
    """File and line of the function or class that refers to it; empty where unknown."""


def unregistered_rngs(
    owner: object, name: str, known: Collection[int] = ()
) -> list[UnregisteredRng]:
    """Return the generators that an object or a function can reach and that are not registered.

    Args:
        owner: an instance, a function, a Python generator, or a container of these.
        name: of the owner, for the names of the generators.
        known: ids of generators whose state is saved already.
    """
    saved = {*known, *(id(entry.generator) for entry in registered())}
    found: dict[int, UnregisteredRng] = {}
    seen: set[int] = set()
    waiting = [(owner, name, place_of(owner), 0)]
    while waiting and len(seen) < _MOST:
        value, path, where, depth = waiting.pop(0)
        if id(value) in seen or id(value) in saved:
            continue
        seen.add(id(value))
        if is_generator(value):
            found[id(value)] = UnregisteredRng(path, value, where)
        elif depth < _DEEPEST:
            waiting += [
                (item, label, place_of(item) or where, depth + 1)
                for item, label in _inside(value, path)
            ]
    return list(found.values())


def _inside(value: Any, name: str) -> Iterator[tuple[object, str]]:
    """Yield the objects that a value refers to, each with its name."""
    if isinstance(value, (types.FunctionType, types.MethodType)):
        yield from _of_function(value, name)
    elif isinstance(value, functools.partial):
        bound = cast("functools.partial[Any]", value)
        yield from ((item, name) for item in (bound.func, *bound.args, *bound.keywords.values()))
    elif inspect.isgenerator(value):
        yield from _of_generator(value)
    elif isinstance(value, (list, tuple, set)):
        yield from ((item, name) for item in list(cast("Collection[object]", value))[:100])
    elif isinstance(value, dict):
        items = list(cast("dict[object, object]", value).items())[:100]
        yield from ((item, f"{name}[{key!r}]") for key, item in items)
    elif _is_of_the_script(class_of(value)):
        attributes = cast("dict[str, object]", getattr(value, "__dict__", {}))
        yield from ((item, f"{name}.{label}") for label, item in attributes.items())
        yield from ((method, f"{name}.{method.__name__}") for method in _methods(class_of(value)))


def _of_generator(value: Any) -> Iterator[tuple[object, str]]:
    frame = value.gi_frame
    variables: dict[str, object] = frame.f_locals if frame else {}
    yield from ((value, label) for label, value in variables.items())
    yield from _of_code(value.gi_code, frame.f_globals if frame else {})


def _of_function(value: Any, name: str) -> Iterator[tuple[object, str]]:
    function = getattr(value, "__func__", value)
    if not _is_of_the_script(function):
        return
    if hasattr(value, "__self__"):
        yield value.__self__, type(value.__self__).__name__
    for label, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield cell.cell_contents, label
        except ValueError:  # the variable has no value yet
            continue
    yield from ((default, name) for default in function.__defaults__ or ())
    yield from _of_code(function.__code__, function.__globals__)


def _of_code(code: Any, names: dict[str, object]) -> Iterator[tuple[object, str]]:
    """Yield the global variables named in code that are generators."""
    values = ((names.get(label), label) for label in code.co_names)
    yield from ((value, label) for value, label in values if is_generator(value))


def _methods(kind: type) -> Iterator[Any]:
    for base in kind.__mro__:
        if _is_of_the_script(base):
            found = (getattr(item, "__func__", item) for item in vars(base).values())
            yield from (item for item in found if isinstance(item, types.FunctionType))


_LIBRARIES = ("keras", "tensorflow", "numpy", "jax", "torch", "wandb", "wandb_repro", "builtins")


def _is_of_the_script(value: Any) -> bool:
    """Tell whether a value is of the script's code; libraries' objects are not searched."""
    module = getattr(value, "__module__", None) or "builtins"
    top = str(module).split(".")[0]
    return top not in _LIBRARIES and (not isinstance(value, type) or hasattr(value, "__dict__"))


def place_of(value: Any) -> str:
    """Return file and line of a function, a generator's function or an object's class."""
    code = getattr(getattr(value, "__func__", value), "__code__", None) or getattr(
        value, "gi_code", None
    )
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    kind = class_of(value)
    if kind.__module__ == "builtins" or not _is_of_the_script(kind):
        return ""
    try:
        return f"{inspect.getsourcefile(kind)}:{inspect.getsourcelines(kind)[1]}"
    except (OSError, TypeError):
        return ""
