from __future__ import annotations

import json
from typing import Any

import keras
import ml_dtypes
import numpy
import pytest

from wandb_repro.errors import CheckpointError
from wandb_repro.state.packing import (
    Pieces,
    Unsaveable,
    array_of,
    is_saveable,
    pack,
    unpack,
)
from wandb_repro.store.checkpoint_file import Piece

np: Any = numpy
library: Any = keras


def there_and_back(value: Any) -> Any:
    pieces = Pieces()
    state = json.loads(json.dumps(pack(value, pieces)))
    return unpack(state, pieces.pieces)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        0.1,
        "text",
        (1, [2, (3,)], {"a": (4,), 5: None}),
        {(1, 2): "tuples are keys"},
        {"array": 1, "scalar": 2},
        [],
        (),
    ],
)
def test_plain_values_come_back_equal_and_of_the_same_type(value: Any) -> None:
    found = there_and_back(value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype="float32").reshape(2, 3).T,
        np.array([1, 2], dtype=">i4"),
        np.array(-0.0),
        np.zeros((0, 3)),
        np.array([1.5], dtype=ml_dtypes.bfloat16),
        np.array([True]),
    ],
    ids=["not contiguous", "big-endian", "no axes", "empty", "bfloat16", "bool"],
)
def test_arrays_come_back_bit_for_bit_and_writable(array: Any) -> None:
    found = there_and_back({"x": array})["x"]
    assert found.shape == array.shape
    assert found.tobytes() == array.astype(array.dtype.newbyteorder("<")).tobytes()
    assert found.flags.writeable


def test_a_numpy_scalar_comes_back_as_one() -> None:
    found = there_and_back(np.float32(0.1))
    assert isinstance(found, np.float32)
    assert found == np.float32(0.1)


def test_a_variable_is_saved_by_its_value() -> None:
    assert there_and_back(library.Variable([1.0, 2.0])).tolist() == [1.0, 2.0]


class Named(dict[str, int]):
    pass


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, Named(a=1), np.array([object()]), [[lambda: 0]]]
)
def test_what_is_neither_plain_nor_an_array_cannot_be_saved(value: Any) -> None:
    with pytest.raises(Unsaveable):
        pack(value, Pieces())
    assert not is_saveable(value)


def test_a_value_that_holds_itself_ends_at_a_depth() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(Unsaveable, match="nested too deep"):
        pack(endless, Pieces())


@pytest.mark.parametrize(
    "state", [{}, {"array": 0}, {"tuple": 3}, {"dict": [[1]]}, {"array": 5, "scalar": False}]
)
def test_a_state_that_pack_never_made_is_refused(state: Any) -> None:
    with pytest.raises(CheckpointError, match="invalid value"):
        unpack(state, [])


@pytest.mark.parametrize(
    ("dtype", "shape"), [("float32", (3,)), ("planted", (2,)), ("bfloat99", (4,)), ("object", (1,))]
)
def test_an_array_that_does_not_fit_its_bytes_is_refused(
    dtype: str, shape: tuple[int, ...]
) -> None:
    with pytest.raises(CheckpointError, match="invalid array"):
        array_of(Piece(dtype, shape, memoryview(bytes(8))))
