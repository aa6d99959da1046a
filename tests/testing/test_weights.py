from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from wandb_repro.errors import UsageError
from wandb_repro.testing import assert_same_weights

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
