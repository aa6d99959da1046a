"""The numbers of an array, beside its true ones; and what they cannot see."""

from __future__ import annotations

import math
from typing import Any, cast

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wandb_repro.capture.array_numbers import SKETCHES, LeafNumbers, numbers_of
from wandb_repro.digest import Array, leaf_digest


def numbers(array: Any) -> LeafNumbers:
    return numbers_of(cast("Array", array))


def estimate(one: Any, two: Any) -> float:
    """Return what FORMAT.md says: the root of the mean of the four squared differences."""
    pairs = zip(numbers(one).sketch, numbers(two).sketch, strict=True)
    return math.sqrt(sum((a - b) ** 2 for a, b in pairs) / SKETCHES)


def drawn(seed: int, size: int) -> Any:
    return np.random.default_rng(seed).standard_normal(size)


DTYPES = ["?", "u1", "i8", "f2", "f4", "f8", ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("size", [1, 4095, 4097, 270_000])
def test_norm_and_extremes_are_those_of_the_elements(dtype: Any, size: int) -> None:
    many: Any = drawn(size, size) * 20
    array = many.clip(0, 200).astype(dtype)
    true = array.astype("f8")

    found = numbers(array)

    assert found.norm == pytest.approx(float(np.linalg.norm(true)), rel=1e-12)
    assert (found.low, found.high) == (float(true.min()), float(true.max()))
    assert found.non_finite == 0


def test_a_complex_array_is_its_real_and_its_imaginary_parts() -> None:
    found = numbers(np.array([3 + 4j, -12j], dtype="c8"))

    assert found.norm == pytest.approx(13.0)
    assert (found.low, found.high) == (-12.0, 4.0)


def test_what_is_not_finite_is_counted_and_left_out_of_the_rest() -> None:
    array = np.array([3.0, math.nan, -4.0, math.inf, -math.inf], dtype="f4")

    found = numbers(array)

    assert found.non_finite == 3
    assert (found.norm, found.low, found.high) == (5.0, -4.0, 3.0)
    assert found.sketch == numbers(np.array([3.0, 0, -4.0, 0, 0], dtype="f4")).sketch


@pytest.mark.parametrize("array", [np.zeros(0, "f4"), np.full(3, math.nan, "f4")], ids=str)
def test_without_a_finite_element_there_are_no_extremes(array: Any) -> None:
    found = numbers(array)

    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.norm == 0.0


@pytest.mark.parametrize("step", [1e-7, 1e-3, 1.0])
@pytest.mark.parametrize("size", [10, 5_000, 100_000])
def test_the_sketches_estimate_the_true_distance(size: int, step: float) -> None:
    """Of four projections the ratio to the truth is hardly ever outside of 1/5 and 2.5."""
    ratios: list[float] = []
    for seed in range(8):
        one = drawn(seed, size)
        two = one + step * drawn(100 + seed, size)
        ratios.append(estimate(one, two) / float(np.linalg.norm(one - two)))

    assert min(ratios) > 1 / 5
    assert max(ratios) < 2.5
    assert 0.5 < math.sqrt(sum(it * it for it in ratios) / len(ratios)) < 1.6


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 20_000), st.integers(0, 22))
def test_one_last_bit_anywhere_is_seen_at_its_true_size(place: int, bit: int) -> None:
    one: Any = drawn(7, 20_001).astype("f4")
    two = one.copy()
    two.view("u4")[place] ^= np.uint32(1 << bit)
    true = abs(float(one[place]) - float(two[place]))

    assert estimate(one, two) == pytest.approx(true, rel=0.05)


def test_a_last_bit_and_a_different_model_are_orders_apart() -> None:
    one = drawn(1, 100_000).astype("f4")
    rounded = np.nextafter(one, np.float32(math.inf))
    other = drawn(2, 100_000).astype("f4")
    norm = float(np.linalg.norm(one))

    assert estimate(one, rounded) / norm < 1e-6
    assert estimate(one, other) / norm > 0.1


def blind_pair() -> tuple[Any, Any]:
    """Return two arrays that differ by two elements whose signs are alike in all projections."""
    size = 64
    signs = [numbers(np.eye(size)[at]).sketch for at in range(size)]
    first, second = next(
        (one, two) for two in range(size) for one in range(two) if signs[one] == signs[two]
    )
    one: Any = np.arange(size, dtype="f8")
    two = one.copy()
    two[[first, second]] = two[[second, first]]
    return one, two


UNSEEN = {
    "two elements that changed places": blind_pair(),
    "the sign of zero": (np.array([0.0, 1.0]), np.array([-0.0, 1.0])),
    "which of the elements is not finite": (
        np.array([0.0, math.nan, 1.0]),
        np.array([math.nan, 0.0, 1.0]),
    ),
    "NaN or infinity": (np.array([math.inf, 1.0]), np.array([math.nan, 1.0])),
    "the dtype": (np.array([1.0, 2.0], "f4"), np.array([1.0, 2.0], "f8")),
    "the shape": (np.zeros((2, 3)), np.zeros((3, 2))),
}
"""As FORMAT.md says, under Numbers."""


@pytest.mark.parametrize(("one", "two"), UNSEEN.values(), ids=UNSEEN)
def test_what_numbers_cannot_see_digests_do(one: Any, two: Any) -> None:
    assert numbers(one) == numbers(two)
    assert leaf_digest(one) != leaf_digest(two)
