from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
import tensorflow

from wandb_repro.errors import DigestError
from wandb_repro.state.batch import arrays_in

tf: Any = cast("Any", tensorflow)


@dataclass
class Pair:
    x: Any
    y: Any


@pytest.mark.parametrize(
    "batch",
    [
        (np.ones(2), np.zeros(3)),
        {"b": np.zeros(3), "a": np.ones(2)},
        [tf.ones(2), None, (tf.zeros(3),)],
        Pair(np.ones(2), [0.0, 0.0, 0.0]),
    ],
    ids=["tuple", "dict", "nested", "dataclass"],
)
def test_the_leaves_of_a_batch_are_arrays_in_order(batch: object) -> None:
    assert [array.tolist() for array in arrays_in(batch)] == [[1.0, 1.0], [0.0, 0.0, 0.0]]


def test_text_becomes_its_bytes_and_its_length() -> None:
    (from_list,) = arrays_in(["ab", "c"])
    (from_tensor,) = arrays_in(tf.constant(["ab", "c"]))
    assert from_list.tolist() == [[2, 0, 0, 0, 97, 98], [1, 0, 0, 0, 99, 0]]
    assert from_tensor.tolist() == from_list.tolist()
    assert arrays_in(["a\0"])[0].tolist() != arrays_in(["a"])[0].tolist()


def test_ragged_and_sparse_tensors_are_read_by_their_parts() -> None:
    ragged = tf.ragged.constant([[1, 2], [3]])
    assert [array.tolist() for array in arrays_in(ragged)] == [[1, 2, 3], [0, 2, 3]]
    sparse = tf.sparse.from_dense([[0, 5]])
    assert [array.tolist() for array in arrays_in(sparse)] == [[[0, 1]], [5], [1, 2]]


@pytest.mark.parametrize(
    "value", [object(), {"x": print}, np.array([print])], ids=["object", "dict", "array"]
)
def test_what_is_no_array_is_named(value: object) -> None:
    with pytest.raises(DigestError, match="A batch holds"):
        arrays_in(value)


@pytest.mark.backend
def test_tensors_of_torch_are_read() -> None:
    torch: Any = pytest.importorskip("torch")
    image, label = arrays_in([torch.ones(2, 3), 4])
    assert (image.tolist(), label.tolist()) == ([[1.0] * 3] * 2, 4)
