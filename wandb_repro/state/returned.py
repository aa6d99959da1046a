"""Models, optimizers and variables inside what a function returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from wandb_repro.state import keras_state, tensorflow_state, torch_state

_DEEPEST = 4
_MOST = 1000


def parts_of(value: object) -> list[object]:
    """Return the models, optimizers and variables in a value, in order, each once.

    Lists, tuples and dicts are searched, and the attributes of models, which may hold variables and
    optimizers that no layer tracks.
    """
    found: dict[int, object] = {}
    _search(value, found, _DEEPEST)
    return list(found.values())


def _search(value: object, found: dict[int, object], depth: int) -> None:
    if id(value) in found or len(found) >= _MOST or depth < 0:
        return
    if isinstance(value, Mapping):
        inner = list(cast("Mapping[object, object]", value).values())
    elif isinstance(value, (list, tuple)):
        inner = list(cast("list[object]", value))
    elif _is_state(value):
        found[id(value)] = value
        layers = getattr(value, "layers", ())
        inner = [each for each in (*_attributes(value), layers) if _may_hold_state(each)]
    else:
        return
    for each in inner:
        _search(each, found, depth - 1)


def _is_state(value: object) -> bool:
    return (
        keras_state.owns(value)
        or tensorflow_state.owns(value)
        or torch_state.is_module(value)
        or torch_state.is_optimizer(value)
    )


def _attributes(value: object) -> list[object]:
    attributes: dict[str, Any] = getattr(value, "__dict__", {})
    return [each for name, each in attributes.items() if not name.startswith("_")]


def _may_hold_state(value: object) -> bool:
    return isinstance(value, (Mapping, list, tuple)) or _is_state(value)
