from __future__ import annotations

import math
import struct

import pytest

from wandb_repro.verify.history_values import (
    MISSING,
    NoScalar,
    Scalar,
    find,
    is_scalar,
    logged_value,
    same,
    values_in,
)


def bits(value: float) -> str:
    return struct.pack(">d", value).hex()


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (bits(0.1), 0.1),
        ("int:9007199254740993", 2**53 + 1),
        ("bool:True", True),
        ("bool:False", False),
        ("str:a: b", "a: b"),
        ("none", None),
    ],
)
def test_a_value_of_a_trail_is_read(written: str, value: object) -> None:
    read = logged_value(written)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "written",
    ["text:ab", "list:ab", "array:ab", "Image:ab", "map:empty", "int:x", "int:" + "9" * 5000],
)
def test_a_value_that_is_a_digest_is_none_to_compare(written: str) -> None:
    assert isinstance(logged_value(written), NoScalar)


@pytest.mark.parametrize(
    ("logged", "stored"),
    [
        (0.1, 0.1),
        (1.0, 1),
        (2**53 + 1, 2**53 + 1),
        (2**63, 9.223372036854776e18),
        (math.nan, math.nan),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (math.inf, math.inf),
        ("NaN", "NaN"),
        (True, True),
        (None, None),
        (0.0, 0),
    ],
)
def test_the_same_value_in_json(logged: Scalar, stored: object) -> None:
    assert same(logged, stored)


@pytest.mark.parametrize(
    ("logged", "stored"),
    [
        (0.1, 0.1 + 2**-56),
        (2.0**53, 2**53 + 1),
        (2**64 - 1, 1.8446744073709552e19),
        (-0.0, 0),
        (math.nan, None),
        (math.inf, None),
        (math.inf, "-Infinity"),
        (1.0, True),
        (True, 1),
        (1.0, "1.0"),
        ("1.0", 1.0),
        (None, 0),
        (0.5, {"x": 0.5}),
        (0.5, MISSING),
    ],
)
def test_another_value_in_json(logged: Scalar, stored: object) -> None:
    assert not same(logged, stored)


def test_a_nested_name_is_found_however_it_is_split() -> None:
    row = {"a.b": 1, "c": {"d": {"e": 2}, "f.g": 3}, "h": 4}
    assert [find(row, name) for name in ("a.b", "c.d.e", "c.f.g", "h")] == [1, 2, 3, 4]
    assert [find(row, name) for name in ("a", "c.x", "h.i", "")] == [MISSING] * 4


def test_names_of_w_and_b_are_no_values_and_an_image_is_one() -> None:
    image = {"_type": "image-file", "path": "x.png"}
    row = {"_step": 1, "_runtime": 2.0, "nest": {"_x": 1, "y": {"z": 2}}, "image": image}
    assert dict(values_in(row)) == {"nest._x": 1, "nest.y.z": 2, "image": image}
    assert not is_scalar(image)
    assert all(map(is_scalar, (None, True, 1, 1.0, "a")))


def test_a_row_as_deep_as_a_server_likes_is_read() -> None:
    row: dict[str, object] = {"a": 1}
    for _ in range(900):
        row = {"a": row}

    ((name, value),) = values_in(row)

    assert name == ".".join("a" * 65)
    assert not is_scalar(value)
    assert find(row, ".".join("a" * 901)) is MISSING
    assert find(row, ".".join("a" * 10)) is not MISSING
