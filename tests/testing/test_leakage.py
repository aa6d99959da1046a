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
