from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from sklearn.datasets import load_digits

from wandb_repro.errors import UsageError
from wandb_repro.testing import assert_no_leakage

_DIGITS: Any = cast("Any", load_digits(return_X_y=True))
X, Y = _DIGITS


def _told(**parts: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_no_leakage(**parts)
    return str(caught.value)


def test_parts_without_a_common_row_pass() -> None:
    assert_no_leakage(train=(X[:1500], Y[:1500]), test=(X[1500:], Y[1500:]))


def test_a_common_row_is_found_by_its_content_and_named() -> None:
    assert _told(train=(X[:1500], Y[:1500]), validation=X[1600:], test=(X[1498:1600], None)) == (
        "The data leaks: 2 rows of 'test' are also in 'train'. If one of the two is "
        "training data, scores on the other are too good.\n"
        "\n"
        "  in test         2 of 102 rows (2.0%) also in train\n"
        "  in train        2 of 1,500 rows (0.1%) also in test\n"
        "  such as         row 0 of test is row 1498 of train\n"
        "                  row 1 of test is row 1499 of train\n"
    )


def test_a_row_that_stands_in_both_is_found_whatever_its_target_says() -> None:
    assert "1 row of 'test' is also in 'train'" in _told(
        train=(X[:10], Y[:10]), test=(X[9:10], Y[9:10] + 1)
    )


def test_known_duplicates_are_allowed_by_their_number() -> None:
    assert_no_leakage(rows_allowed=2, train=X[:100], test=X[98:])
    with pytest.raises(AssertionError, match="3 rows of 'test'"):
        assert_no_leakage(rows_allowed=2, train=X[:101], test=X[98:])


def test_what_cannot_be_read_is_not_passed() -> None:
    assert _told(train=iter([1]), test=X) == (
        "Nothing shows whether rows of 'train' are in another part: x is a list_iterator, which "
        "can be read only once: fingerprint what it reads."
    )
    uneven = {"a": np.zeros(3), "b": np.zeros(4)}
    assert "different numbers of rows" in _told(train=uneven, test=X)


def test_one_part_alone_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="Leakage is between two parts"):
        assert_no_leakage(train=X)


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_the_same_row_is_found_as_another_float(dtype: str) -> None:
    rows = X / 3
    told = _told(train=rows[:10], test=rows[8:20].astype(dtype))
    assert "2 rows of 'test' are also in 'train'" in told
    assert "row 0 of test is row 8 of train" in told


def test_the_same_row_is_found_as_another_integer_and_in_a_pipeline() -> None:
    import tensorflow

    whole = X.astype("int64")
    assert "1 row of 'test'" in _told(train=whole[:10], test=whole[9:11].astype("uint8"))
    tf = cast("Any", tensorflow)
    pipeline = tf.data.Dataset.from_tensor_slices((X / 3).astype("float32")).batch(4)
    assert "row" in _told(train=pipeline, test=(X / 3)[5:7])


def test_zero_is_zero_whatever_its_sign() -> None:
    assert "1 row of 'test'" in _told(train=np.zeros((1, 3)), test=-np.zeros((1, 3)))


def test_rows_of_one_wide_type_are_compared_exactly() -> None:
    times = np.array([[1.7e9], [1.7e9 + 1]])  # equal as float32
    assert_no_leakage(train=times[:1], test=times[1:])
