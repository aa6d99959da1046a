from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wandb_repro.recording.logged_values import encoded, flattened


@pytest.mark.parametrize(
    ("value", "written"),
    [
        *((0.5, 0.5), (3, 3.0), (True, "bool:True"), (None, "none"), ("red", "str:red")),
        *((2**70, f"int:{2**70}"), (np.float32(0.25), 0.25), (np.int64(7), 7.0)),
        *((np.bool_(True), "bool:True"), (np.array(1.5), 1.5)),
    ],
)
def test_plain_values_are_kept_to_the_last_bit(value: object, written: object) -> None:
    assert encoded(value) == written


def test_nested_names_are_joined_by_dots() -> None:
    assert dict(flattened({"a": {"b": {"c": 1}, "d": "x"}, "e": {}})) == {
        "a.b.c": 1.0,
        "a.d": "str:x",
        "e": "map:empty",
    }


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("a" * 100, "a" * 99 + "b"),
        ([1, 2, 3], [1, 2, 4]),
        ([{"a": 1}], [{"a": 2}]),
        (np.zeros((2, 2)), np.eye(2)),
        (np.zeros(2, "float32"), np.zeros(2, "float64")),
        (np.array(["a", "b"], dtype=object), np.array(["a", "c"], dtype=object)),
    ],
)
def test_larger_values_are_digested(one: object, two: object) -> None:
    written = encoded(one)

    assert isinstance(written, str)
    assert written == encoded(one) != encoded(two)
    assert len(written) < 80


class Media:
    _sha256 = "ab" * 32


class Histogram:
    def __init__(self, counts: list[int]) -> None:
        self.histogram, self.bins = counts, [0.0, 1.0, 2.0]


class Table:
    def __init__(self, *rows: list[object]) -> None:
        self.columns, self.data = ["x", "y"], list(rows)


def test_values_of_w_and_b_are_known_by_their_content() -> None:
    assert encoded(Media()) == f"Media:{'ab' * 16}"
    assert encoded(Histogram([1, 2])) != encoded(Histogram([2, 1]))
    assert encoded(Table([1, 2])) == encoded(Table([1, 2])) != encoded(Table([1, 3]))


def test_what_cannot_be_digested_is_named() -> None:
    assert encoded(Path) == "unknown:type"
    assert encoded([1, Path]) == "unknown:type"
    big: Any = np.broadcast_to(np.zeros(1), (2**26,))
    assert str(encoded(big)).startswith("unknown:an array of")


def test_not_a_number_is_a_number() -> None:
    written = encoded(float("nan"))
    assert isinstance(written, float)
    assert written != written
