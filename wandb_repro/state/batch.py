"""The arrays in a batch of any framework, in the order in which they are digested."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from wandb_repro.errors import DigestError
from wandb_repro.state import torch_state


def arrays_in(batch: object) -> tuple[Any, ...]:
    """Return the leaves of a batch as arrays on the host; dicts are read by their sorted keys.

    Text becomes an array of its bytes, one row for each string.

    Raises:
        DigestError: a leaf is neither an array, a number nor text.
    """
    return tuple(_leaves(batch))


def _leaves(value: Any) -> Iterator[Any]:
    if value is None:
        return
    if isinstance(value, Mapping):
        known = cast("Mapping[Any, Any]", value)
        for key in sorted(known, key=str):
            yield from _leaves(known[key])
    elif isinstance(value, (list, tuple)):
        yield from _of_sequence(cast("Sequence[Any]", value))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _leaves(getattr(value, field.name))
    else:
        yield from _of_one(value)


def _of_sequence(values: Sequence[Any]) -> Iterator[Any]:
    if values and all(isinstance(value, (str, bytes)) for value in values):
        yield _text(values)
    elif values and all(isinstance(value, (bool, int, float)) for value in values):
        yield _numpy().asarray(values)
    else:
        for value in values:
            yield from _leaves(value)


def _of_one(value: Any) -> Iterator[Any]:
    if isinstance(value, (str, bytes)):
        yield _text([value])
        return
    if torch_state.is_tensor(value):
        yield torch_state.on_host(value)
        return
    tensorflow: Any = sys.modules.get("tensorflow")
    if hasattr(tensorflow, "SparseTensor"):
        composite = (tensorflow.RaggedTensor, tensorflow.SparseTensor)
        if isinstance(value, composite):
            for part in tensorflow.nest.flatten(value, expand_composites=True):
                yield from _of_one(part)
            return
    if not (type(value) in _NUMBERS or hasattr(value, "shape")):
        raise DigestError(f"A batch holds a {type(value).__name__}, which is no array.")
    array = _numpy().asarray(value.numpy() if hasattr(value, "numpy") else value)
    yield _text(array.ravel().tolist()) if array.dtype.kind in "OSU" else array


_NUMBERS = (bool, int, float, complex)


def _text(values: Sequence[Any]) -> Any:
    """Return strings as an array of uint8, (strings, 4 + longest): the length, then the bytes.

    Raises:
        DigestError: one of them is no text.
    """
    if not all(isinstance(value, (str, bytes)) for value in values):
        raise DigestError("A batch holds Python objects, which have no bytes of their own.")
    found = [value.encode() if isinstance(value, str) else value for value in values]
    width = max(map(len, found), default=0)
    rows = [len(text).to_bytes(4, "little") + text.ljust(width, b"\0") for text in found]
    numpy = _numpy()
    return numpy.frombuffer(b"".join(rows), dtype="u1").reshape(len(rows), width + 4)


def _numpy() -> Any:
    return sys.modules["numpy"]
