from __future__ import annotations

from typing import Any, cast

import keras as keras_library
import numpy as np
import pytest
import tensorflow

from wandb_repro.errors import UsageError
from wandb_repro.testing import assert_same_weights

keras: Any = keras_library
tf: Any = tensorflow

KERNEL: Any = cast("Any", np).arange(12, dtype="float32").reshape(4, 3)
BIAS: Any = np.zeros(3, "float32")


def _told(a: object, b: object) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_same_weights(a, b)
    return str(caught.value)


def test_equal_bits_pass() -> None:
    assert_same_weights([KERNEL, BIAS * np.nan], [KERNEL.copy(), BIAS * np.nan])
    assert_same_weights({"a": KERNEL, "b": BIAS}, {"b": BIAS, "a": np.asfortranarray(KERNEL)})


def test_one_bit_fails_and_the_element_is_named() -> None:
    other = KERNEL.copy()
    other[2, 1] = np.nextafter(other[2, 1], np.float32(9))
    assert _told([BIAS, KERNEL], [BIAS, other]) == (
        "The weights are not the same: 1 of 2 variables differs.\n"
        "\n"
        "  first tensor    array 1 [4, 3], array\n"
        "  elements        1 of 12 elements differ, first [2, 1]: 7.0 in a, 7.0000005 in b\n"
        "  difference      at most 4.77e-07 per element, 2e-08 of the tensor's norm\n"
    )


def test_a_signed_zero_and_a_nan_are_bits() -> None:
    assert "0.0 in a, -0.0 in b" in _told([BIAS], [-BIAS])
    assert "3 elements, in a or in b" in _told([BIAS], [BIAS * np.nan])


def test_models_that_are_not_alike_are_said() -> None:
    assert _told([KERNEL], [KERNEL, BIAS]) == (
        "The models differ in structure: a has 1 variable and b 2 variables."
    )
    assert "array 0 is float32[4, 3] in a and float64[4, 3] in b" in _told(
        [KERNEL], [KERNEL.astype("float64")]
    )
    assert "a has kernel where b has weight" in _told({"kernel": BIAS}, {"weight": BIAS})


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        (3, [BIAS], "a holds no weights to compare; its type is int"),
        ([BIAS], [], "b holds no weights to compare; its type is list"),
        ([object()], [BIAS], "An array of Python objects"),
    ],
)
def test_what_holds_no_weights_is_wrong_use(a: object, b: object, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        assert_same_weights(a, b)


def test_a_group_that_is_not_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="There is no group 'bias'; there are trainable"):
        assert_same_weights([BIAS], [BIAS], groups=["bias"])


class _Counting(keras.layers.Layer):  # pyright: ignore[reportUntypedBaseClass]
    """A layer with a variable of TensorFlow, which Keras does not track."""

    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self.seen = [tf.Variable(0.0)]

    def call(self, inputs: Any) -> Any:
        return inputs


def _counting() -> Any:
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((2,)), _Counting(), keras.layers.Dense(1)])


def test_a_variable_that_no_layer_tracks_is_compared() -> None:
    a, b = _counting(), _counting()
    assert_same_weights(a, b)

    b.layers[0].seen[0].assign(3.0)

    assert "1 of 3 variables differs" in _told(a, b)
