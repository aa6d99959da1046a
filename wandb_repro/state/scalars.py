"""Keeps single numbers of any framework without waiting for a device, and reads many at once."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from wandb_repro.state import torch_state

Kept: TypeAlias = Any
"""A float, or a tensor that holds one number and never changes."""


class NotANumber(ValueError):  # noqa: N818 - the name says what it is
    """A value that is not a single number."""


def keep(value: object) -> Kept:
    """Return what ``numbers_of`` will read; the value itself may be overwritten afterwards.

    Args:
        value: a number, or an array, tensor or variable with one element.

    Raises:
        NotANumber: it has another number of elements, or is text.
    """
    how = _HOW.get(type(value)) or _how(value)
    return how(value)


def _how(value: object) -> Callable[[Any], Kept]:
    """Return how values of this type are kept, and remember it."""
    tensorflow: Any = sys.modules.get("tensorflow")
    jax: Any = sys.modules.get("jax")
    found: Callable[[Any], Kept] = _number
    if torch_state.is_tensor(value):
        found = _torch
    elif hasattr(jax, "Array") and isinstance(value, jax.Array):
        found = _immutable
    elif hasattr(tensorflow, "Variable") and isinstance(value, tensorflow.Variable):
        found = _variable
    elif hasattr(tensorflow, "is_tensor") and tensorflow.is_tensor(value):
        # A Keras variable counts as a tensor of TensorFlow: its value may be assigned anew.
        found = _keras_variable if hasattr(value, "assign") else of_tensor(type(value))
    elif hasattr(value, "assign") and hasattr(value, "value"):
        found = _keras_variable
    _HOW[type(value)] = found
    return found


def of_tensor(kind: type) -> Callable[[Any], Kept]:
    """Return how tensors of TensorFlow of this type are kept."""
    if not hasattr(kind, "_shape_tuple"):
        return _immutable
    _SCALARS.add(kind)
    return _eager


def _eager(value: Any) -> Kept:
    # ``value.shape`` makes an object in Python each time, which took a fifth of a step's time.
    shape = value._shape_tuple()
    if shape == ():
        return value
    if any(axis != 1 for axis in shape):
        raise NotANumber
    return sys.modules["tensorflow"].reshape(value, ())


def _number(value: Any) -> float:
    if getattr(value, "size", 1) != 1 or isinstance(value, (str, bytes)):
        raise NotANumber
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, OverflowError) as error:
        raise NotANumber from error


def _immutable(value: Any) -> Kept:
    shape = value.shape
    if len(shape) and any(axis != 1 for axis in shape):
        raise NotANumber
    return value


def _variable(value: Any) -> Kept:
    return _immutable(value.read_value())


def _keras_variable(value: Any) -> Kept:
    inner = value.value
    if torch_state.is_tensor(inner):
        return _torch(inner)
    return _variable(inner) if hasattr(inner, "read_value") else _immutable(inner)


def _torch(value: Any) -> Kept:
    if value.numel() != 1:
        raise NotANumber
    # A sum may be added to in place; a copy on the device waits for nothing.
    return value.detach().clone()


_HOW: dict[type, Callable[[Any], Kept]] = {float: lambda value: value, int: _number, bool: _number}
"""By type, so that a step need not ask again."""

_SCALARS = set[type]()
"""Types whose values have no axes once they are kept: ``float`` takes them, and asks least."""


def numbers_of(kept: Sequence[Kept]) -> list[float | None]:
    """Return the numbers that were kept; None for one that can no longer be read."""
    found: list[float | None] = [value if type(value) is float else None for value in kept]
    tensors = [at for at, value in enumerate(kept) if type(value) is not float]
    if tensors:
        for at, number in zip(tensors, _read([kept[at] for at in tensors]), strict=True):
            found[at] = number
    return found


def _read(tensors: list[Any]) -> list[float | None]:
    jax: Any = sys.modules.get("jax")
    if hasattr(jax, "Array") and all(isinstance(tensor, jax.Array) for tensor in tensors):
        # One call, so that all copies from a device run at once.
        with contextlib.suppress(RuntimeError):  # one was donated to a later step
            tensors = jax.device_get(tensors)
    return [_alone(tensor) for tensor in tensors]


def _alone(tensor: Any) -> float | None:
    try:
        if type(tensor) in _SCALARS:
            return float(tensor)
        # NOTE: asking a tensor of TensorFlow for an attribute that it lacks takes 20 us.
        has_item = torch_state.is_tensor(tensor) or not hasattr(tensor, "numpy")
        value = tensor if has_item else tensor.numpy()
        return float(value.item() if hasattr(value, "item") else value)
    except (RuntimeError, TypeError, ValueError):
        return None
