"""Data in memory: NumPy arrays, tensors, tables of pandas and polars, and nests of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

from wandb_repro.capture.dataset.columns import is_array
from wandb_repro.errors import DigestError


def kind_of(value: object) -> str:
    """Return its kind: ``numpy``, ``pandas``, ``polars`` or ``arrays``; empty for anything else."""
    if is_array(value):
        return "numpy"
    library = type(value).__module__.partition(".")[0]
    if library in ("pandas", "polars") and hasattr(value, "to_numpy"):
        return library
    if hasattr(value, "__array__") and hasattr(value, "shape"):
        return "arrays"  # a tensor
    if isinstance(value, Mapping):
        parts = list(cast("Mapping[object, object]", value).values())
    elif isinstance(value, (list, tuple)):
        parts = list(cast("list[object]", value))
    else:
        return ""
    return "arrays" if parts and all(kind_of(part) for part in parts) else ""


def arrays_of(role: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each array of a value that ``kind_of`` knows, with its role.

    A table yields one array for each column, named after it; its index is not part of the data. A
    column with missing values yields two: the values, with zero for missing ones, and a boolean
    mask of those that are present.

    Raises:
        DigestError: a part cannot become an array; the message says why.
    """
    kind = kind_of(value)
    if kind == "numpy":
        yield role, value
    elif kind == "pandas":
        yield from _of_pandas(role, value)
    elif kind == "polars":
        yield from _of_polars(role, value)
    elif isinstance(value, Mapping):
        for name, part in cast("Mapping[object, object]", value).items():
            yield from arrays_of(f"{role}/{name}", part)
    elif isinstance(value, (list, tuple)):
        for number, part in enumerate(cast("list[object]", value)):
            yield from arrays_of(f"{role}/{number}", part)
    else:
        yield role, _of_tensor(role, value)


def _of_tensor(role: str, value: Any) -> Any:
    numpy: Any = sys.modules["numpy"]
    try:
        return numpy.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    except Exception as error:
        raise DigestError(
            f"{role} is a {type(value).__name__} that cannot become a NumPy array: {error}"
        ) from error


def _of_pandas(role: str, table: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(table, "columns"):
        yield from _pandas_column(role, table)
        return
    for position, name in enumerate(table.columns):
        yield from _pandas_column(f"{role}/{name}", table.iloc[:, position])


def _pandas_column(role: str, column: Any) -> Iterator[tuple[str, Any]]:
    numpy: Any = sys.modules["numpy"]
    dtype = column.dtype
    if isinstance(dtype, numpy.dtype):
        values = column.to_numpy()
        yield role, values
    elif hasattr(dtype, "tz"):
        yield f"{role} ({dtype})", column.astype("int64").to_numpy()
    elif getattr(dtype, "kind", "O") in "iufb" and hasattr(dtype, "numpy_dtype"):
        is_present = column.notna().to_numpy()
        yield role, column.fillna(0).to_numpy(dtype=dtype.numpy_dtype)
        yield f"{role} is there", is_present
    else:
        yield role, column.astype(object).to_numpy(dtype=object)


def _of_polars(role: str, table: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(table, "get_columns"):
        yield from _polars_column(role, table)
        return
    for column in table.get_columns():
        yield from _polars_column(f"{role}/{column.name}", column)


def _polars_column(role: str, column: Any) -> Iterator[tuple[str, Any]]:
    numpy: Any = sys.modules["numpy"]
    if column.dtype.is_numeric() and not column.dtype.is_decimal():
        yield role, column.fill_null(0).to_numpy()
    elif column.dtype.is_temporal():
        physical = column.to_physical()
        yield f"{role} ({column.dtype})", physical.fill_null(0).to_numpy()
    elif str(column.dtype) == "Boolean":
        yield role, column.fill_null(value=False).to_numpy()
    else:
        found = numpy.empty(len(column), object)
        found[:] = column.to_list()
        yield role, found
        return
    if column.null_count():
        yield f"{role} is there", column.is_not_null().to_numpy()
