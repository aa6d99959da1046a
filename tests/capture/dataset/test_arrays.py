from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from wandb_repro.capture.dataset.arrays import arrays_of, kind_of
from wandb_repro.errors import DigestError

X: Any = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])


class Tensor:
    """Converts itself to NumPy, as tensors of any framework do."""

    shape = (3, 2)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        del dtype, copy
        return X


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (X, "numpy"),
        (pd.DataFrame({"a": [1]}), "pandas"),
        (pd.Series([1]), "pandas"),
        (pl.DataFrame({"a": [1]}), "polars"),
        (Tensor(), "arrays"),
        ({"left": X, "right": [X, X]}, "arrays"),
        ([X, "text"], ""),
        ({}, ""),
        ([], ""),
        ("text", ""),
        (None, ""),
    ],
)
def test_what_holds_arrays_is_known(value: object, kind: str) -> None:
    assert kind_of(value) == kind


def _found(value: Any) -> dict[str, list[Any]]:
    return {role: array.tolist() for role, array in arrays_of("x", value)}


def test_a_nest_gives_each_array_with_the_way_to_it() -> None:
    roles = [role for role, _ in arrays_of("x", {"left": X, "right": (X, Tensor())})]
    assert roles == ["x/left", "x/right/0", "x/right/1"]


def test_a_table_gives_its_columns_and_not_its_index() -> None:
    table = pd.DataFrame({"a": [1, 2], "b": ["u", "v"]}, index=[7, 8])
    assert _found(table) == {"x/a": [1, 2], "x/b": ["u", "v"]}


def test_a_column_that_lacks_values_gives_zeros_and_where_they_are() -> None:
    pandas = pd.DataFrame({"a": pd.array([1, None], "Int64")})
    assert _found(pandas) == {"x/a": [1, 0], "x/a is there": [True, False]}
    polars = pl.DataFrame({"a": [1, None], "b": [True, False], "c": ["u", None]})
    assert _found(polars) == {
        "x/a": [1, 0],
        "x/a is there": [True, False],
        "x/b": [True, False],
        "x/c": ["u", None],
    }


def test_times_are_numbers_under_a_name_with_their_type() -> None:
    zoned = pd.DataFrame({"t": [pd.Timestamp("1970-01-01T00:00:01", tz="UTC")]})
    ((role, array),) = arrays_of("x", zoned)
    assert role.startswith("x/t (datetime64[")
    assert array.dtype == np.int64


def test_a_tensor_that_cannot_be_converted_is_named() -> None:
    class Meta(Tensor):
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise TypeError("no data")

    with pytest.raises(DigestError, match="x is a Meta that cannot become a NumPy array: no data"):
        list(arrays_of("x", Meta()))
