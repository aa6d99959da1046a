"""Random generators that objects of the script hold, and that nobody registered."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple, cast

from wandb_repro.keras.checkpoint.rng_state import is_generator
from wandb_repro.keras.checkpoint.serialize import class_of
from wandb_repro.recording.rng_registry import registered

__all__ = ["Held", "held_by", "place_of"]

_DEEPEST = 4
_MOST = 2_000


class Held(NamedTuple):
    """A generator, and who holds it."""

    name: str
    """As a person would write it: ``Batches.rng``."""
    generator: Any
    where: str
    """File and line of who holds it; empty where it has none."""


def held_by(owner: object, name: str, known: Collection[int] = ()) -> list[Held]:
    """Return what generators an object or a function can reach and nobody registered.

    Args:
        owner: an instance, a function, a generator of Python's, or a container of these.
        name: what it is called.
        known: ids of generators whose state is kept already.
    """
    passed = {*known, *(id(one.generator) for one in registered())}
    found: dict[int, Held] = {}
    seen: set[int] = set()
    waiting = [(owner, name, place_of(owner), 0)]
    while waiting and len(seen) < _MOST:
        value, called, where, depth = waiting.pop(0)
        if id(value) in seen or id(value) in passed:
            continue
        seen.add(id(value))
        if is_generator(value):
            found[id(value)] = Held(called, value, where)
        elif depth < _DEEPEST:
            inner = _inside(value, called)
            waiting += [(it, told, place_of(it) or where, depth + 1) for it, told in inner]
    return list(found.values())


def _inside(value: Any, name: str) -> Iterator[tuple[object, str]]:
    """Yield what a value holds, with the name of each."""
    if isinstance(value, (types.FunctionType, types.MethodType)):
        yield from _of_function(value, name)
    elif isinstance(value, functools.partial):
        of = cast("functools.partial[Any]", value)
        yield from ((it, name) for it in (of.func, *of.args, *of.keywords.values()))
    elif inspect.isgenerator(value):
        yield from _of_generator(value)
    elif isinstance(value, (list, tuple, set)):
        yield from ((it, name) for it in list(cast("Collection[object]", value))[:100])
    elif isinstance(value, dict):
        items = list(cast("dict[object, object]", value).items())[:100]
        yield from ((it, f"{name}[{key!r}]") for key, it in items)
    elif _is_of_the_script(class_of(value)):
        attributes = cast("dict[str, object]", getattr(value, "__dict__", {}))
        yield from ((it, f"{name}.{called}") for called, it in attributes.items())
        yield from ((it, f"{name}.{it.__name__}") for it in _methods(class_of(value)))


def _of_generator(value: Any) -> Iterator[tuple[object, str]]:
    frame = value.gi_frame
    held: dict[str, object] = frame.f_locals if frame else {}
    yield from ((it, called) for called, it in held.items())
    yield from _of_code(value.gi_code, frame.f_globals if frame else {})


def _of_function(value: Any, name: str) -> Iterator[tuple[object, str]]:
    function = getattr(value, "__func__", value)
    if not _is_of_the_script(function):
        return
    if hasattr(value, "__self__"):
        yield value.__self__, type(value.__self__).__name__
    for called, cell in zip(
        function.__code__.co_freevars, function.__closure__ or (), strict=False
    ):
        try:
            yield cell.cell_contents, called
        except ValueError:
            continue
    yield from ((it, name) for it in function.__defaults__ or ())
    yield from _of_code(function.__code__, function.__globals__)


def _of_code(code: Any, names: dict[str, object]) -> Iterator[tuple[object, str]]:
    """Yield the global variables that code names, if they are generators."""
    used = [names.get(called) for called in code.co_names]
    pairs = zip(used, code.co_names, strict=True)
    yield from ((it, called) for it, called in pairs if is_generator(it))


def _methods(kind: type) -> Iterator[Any]:
    for one in kind.__mro__:
        if _is_of_the_script(one):
            found = (getattr(it, "__func__", it) for it in vars(one).values())
            yield from (it for it in found if isinstance(it, types.FunctionType))


_LIBRARIES = ("keras", "tensorflow", "numpy", "jax", "torch", "wandb", "wandb_repro", "builtins")


def _is_of_the_script(value: Any) -> bool:
    """Tell what a script made from what a library did: whose own state is a library's matter."""
    module = getattr(value, "__module__", None) or "builtins"
    top = str(module).split(".")[0]
    return top not in _LIBRARIES and (not isinstance(value, type) or hasattr(value, "__dict__"))


def place_of(value: Any) -> str:
    """Return file and line of a function, of a generator's function or of an object's class."""
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
