from __future__ import annotations

from typing import Any, cast

import numpy
import pytest

from wandb_repro.capture.dataset.equal_values import changing, common_types

np: Any = cast("Any", numpy)


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (["float32", "float64"], "float32"),
        (["float64", "float16", "float32"], "float16"),
        (["int32", "uint8", "bool"], "int64"),
        (["float64", "float64"], None),
        (["float32", "int32"], None),
        (["str", "float32"], None),
    ],
)
def test_columns_are_compared_in_the_narrowest_float_or_as_int64(
    dtypes: list[str], expected: str | None
) -> None:
    assert common_types({"x": dtype} for dtype in dtypes).get("x") == expected


def test_columns_are_told_apart_by_role() -> None:
    parts = [{"x/a": "float32", "x/b": "int8"}, {"x/a": "float64", "x/b": "int8"}]
    assert common_types(parts) == {"x/a": "float32"}


def test_equal_values_become_equal_bytes() -> None:
    change = changing({"x": "float32"})
    wide = np.array([0.1, -0.0, 3.0, np.inf])
    assert change("x", wide).tobytes() == np.array([0.1, 0.0, 3.0, np.inf], "f4").tobytes()
    assert change("y", wide).dtype == wide.dtype
    assert change("y", np.array([1, 2])).tolist() == [1, 2]
    assert change("y", np.array(["a"])).tolist() == ["a"]
