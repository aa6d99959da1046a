"""Values as a checkpoint holds them: JSON, and arrays beside it. Nothing that can be executed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import keras
import numpy

from wandb_repro.errors import CheckpointError
from wandb_repro.store.checkpoint_file import Piece

__all__ = ["Pieces", "Unsaveable", "array_of", "class_of", "is_saveable", "packed", "unpacked"]

_DEEPEST = 20
np = cast("Any", numpy)


def class_of(value: object) -> type:
    """Return what a value is."""
    return type(value)


class Unsaveable(TypeError):  # noqa: N818 - it says what a value is, and ends no command
    """A value is neither plain nor an array."""


class Pieces:
    """Arrays that a state refers to, each by its place among them."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    def add(self, array: Any) -> int:
        """Take an array and return its place.

        The memory is the array's own: write it before it is changed.
        """
        plain = np.ascontiguousarray(array)
        if plain.dtype.byteorder == ">":
            plain = plain.astype(plain.dtype.newbyteorder("<"))
        shape = tuple(np.shape(array))
        content = memoryview(plain.reshape(-1).view(np.uint8))
        self.pieces.append(Piece(plain.dtype.name, shape, content))
        return len(self.pieces) - 1


def array_of(piece: Piece) -> Any:
    """Return the array of a piece, read-only, in the file's own memory.

    Raises:
        CheckpointError: its bytes are not so many as its shape says.
    """
    try:
        dtype = np.dtype(_by_name(piece.dtype))
        return np.frombuffer(piece.content, dtype=dtype).reshape(piece.shape)
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"The checkpoint holds an array that is none: {error}.") from error


def _by_name(name: str) -> Any:
    """Return a dtype by its name; those of ml_dtypes are known once it was imported."""
    if name.startswith(("bfloat", "float8", "float4", "int4", "uint4", "int2", "uint2", "float6")):
        import ml_dtypes

        return getattr(ml_dtypes, name)
    return name


def is_saveable(value: object) -> bool:
    """Tell whether a checkpoint can hold a value."""
    try:
        packed(value, Pieces())
    except Unsaveable:
        return False
    return True


def packed(value: Any, pieces: Pieces, depth: int = 0) -> Any:
    """Return a value as JSON; its arrays go to ``pieces``.

    Raises:
        Unsaveable: it is, or holds, what is neither plain nor an array.
    """
    kind = class_of(value)  # of a subclass, not all would come back
    if kind in (type(None), bool, int, float, str):
        return value
    if depth > _DEEPEST:
        raise Unsaveable("it is nested too deep")
    if kind in (list, tuple):
        return {kind.__name__: [packed(item, pieces, depth + 1) for item in value]}
    if kind is dict:
        pairs = [[packed(part, pieces, depth + 1) for part in pair] for pair in value.items()]
        return {"dict": pairs}
    return {"array": pieces.add(_as_array(value)), "scalar": isinstance(value, np.generic)}


def _as_array(value: Any) -> Any:
    it = cast("Any", keras)
    if isinstance(value, it.Variable) or it.ops.is_tensor(value):
        held = hasattr(value, "numpy")  # NOTE: Keras' own way makes NumPy warn on TensorFlow
        value = value.numpy() if held else it.ops.convert_to_numpy(value)
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.hasobject:
        raise Unsaveable(f"a {type(value).__name__}")
    return value


def unpacked(told: Any, pieces: Sequence[Piece]) -> Any:
    """Return the value that ``packed`` was given; arrays are writable copies.

    Raises:
        CheckpointError: it is no such value.
    """
    if not isinstance(told, dict):
        return told
    try:
        return _unpacked(cast("dict[str, Any]", told), pieces)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CheckpointError(f"The checkpoint holds a value that is none: {error}.") from error


def _unpacked(told: dict[str, Any], pieces: Sequence[Piece]) -> Any:
    if "list" in told:
        return [unpacked(item, pieces) for item in told["list"]]
    if "tuple" in told:
        return tuple(unpacked(item, pieces) for item in told["tuple"])
    if "dict" in told:
        return {unpacked(key, pieces): unpacked(item, pieces) for key, item in told["dict"]}
    array = array_of(pieces[int(told["array"])]).copy()
    return array[()] if told["scalar"] else array
