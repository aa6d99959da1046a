"""The form of values in a checkpoint: JSON that refers to arrays. It contains no code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, cast

import numpy

from wandb_repro.errors import CheckpointError
from wandb_repro.state import jax_state, torch_state
from wandb_repro.store.checkpoint_file import Piece

_DEEPEST = 20
np = cast("Any", numpy)


def class_of(value: object) -> type:
    """Return a value's class; a type checker would narrow ``type(value)``."""
    return type(value)


class Unsaveable(TypeError):  # noqa: N818 - it describes a value, and ends no command
    """A value that is neither plain nor an array."""


class Pieces:
    """Arrays that a state refers to by index."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    def add(self, array: Any) -> int:
        """Add an array of any shape, in C order and little-endian, and return its index.

        The memory is shared with the array if possible: write it before the array changes.
        """
        plain = np.ascontiguousarray(array)
        if plain.dtype.byteorder == ">":
            plain = plain.astype(plain.dtype.newbyteorder("<"))
        shape = tuple(np.shape(array))
        content = memoryview(plain.reshape(-1).view(np.uint8))
        self.pieces.append(Piece(plain.dtype.name, shape, content))
        return len(self.pieces) - 1


def array_of(piece: Piece) -> Any:
    """Return the array of a piece, read-only, in the file's memory.

    Raises:
        CheckpointError: its dtype is unknown, or its size does not match its shape.
    """
    try:
        dtype = np.dtype(_by_name(piece.dtype))
        return np.frombuffer(piece.content, dtype=dtype).reshape(piece.shape)
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"The checkpoint holds an invalid array: {error}.") from error


def _by_name(name: str) -> Any:
    """Return a dtype's name, or its class if NumPy does not know the name but ml_dtypes does."""
    if name.startswith(("bfloat", "float8", "float4", "int4", "uint4", "int2", "uint2", "float6_")):
        import ml_dtypes

        return getattr(ml_dtypes, name)
    return name


def is_saveable(value: object) -> bool:
    """Tell whether a checkpoint can hold a value."""
    try:
        pack(value, Pieces())
    except Unsaveable:
        return False
    return True


def pack(value: Any, pieces: Pieces, depth: int = 0) -> Any:
    """Return a value as JSON; its arrays go to ``pieces``.

    ``(1, array)`` becomes ``{"tuple": [1, {"array": 0, "scalar": False}]}``.

    Raises:
        Unsaveable: it is, or contains, something that is neither plain nor an array.
    """
    kind = class_of(value)  # exactly: a subclass would lose what it adds
    if kind in (type(None), bool, int, float, str):
        return value
    if depth > _DEEPEST:
        raise Unsaveable("it is nested too deep")
    if kind in (list, tuple):
        return {kind.__name__: [pack(item, pieces, depth + 1) for item in value]}
    if kind is dict:
        pairs = [[pack(part, pieces, depth + 1) for part in pair] for pair in value.items()]
        return {"dict": pairs}
    return {"array": pieces.add(_as_array(value)), "scalar": isinstance(value, np.generic)}


def _as_array(value: Any) -> Any:
    library: Any = sys.modules.get("keras")
    if torch_state.is_tensor(value):
        value = torch_state.on_host(value)
    elif hasattr(library, "ops") and (
        isinstance(value, library.Variable) or library.ops.is_tensor(value)
    ):
        # NOTE: Keras' conversion makes NumPy warn on TensorFlow.
        has_numpy = hasattr(value, "numpy")
        value = value.numpy() if has_numpy else library.ops.convert_to_numpy(value)
    elif jax_state.is_array(value):
        value = np.asarray(value)
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.hasobject:
        raise Unsaveable(f"a {type(value).__name__}")
    return value


def unpack(state: Any, pieces: Sequence[Piece]) -> Any:
    """Return the value that was packed; arrays are writable copies.

    Raises:
        CheckpointError: the state is not in the form that ``pack`` returns.
    """
    if not isinstance(state, dict):
        return state
    try:
        return _unpack(cast("dict[str, Any]", state), pieces)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CheckpointError(f"The checkpoint holds an invalid value: {error}.") from error


def _unpack(state: dict[str, Any], pieces: Sequence[Piece]) -> Any:
    if "list" in state:
        return [unpack(item, pieces) for item in state["list"]]
    if "tuple" in state:
        return tuple(unpack(item, pieces) for item in state["tuple"])
    if "dict" in state:
        return {unpack(key, pieces): unpack(item, pieces) for key, item in state["dict"]}
    array = array_of(pieces[int(state["array"])]).copy()
    return array[()] if state["scalar"] else array
