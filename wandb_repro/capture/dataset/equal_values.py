"""Arrays in a form in which equal values are equal bytes: to find rows in two parts of the data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

Change: TypeAlias = Callable[[str, Any], Any]
"""Gets an array's role and the array; returns an array of the same shape."""


def common_types(parts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the dtype in which the same column of several parts is compared.

    The narrowest of floats, since 0.1 as float32 and as float64 are different numbers and the same
    data; ``int64`` of integers. Columns whose dtype is the same in all parts are left out.

    Args:
        parts: of each part, the dtype of each column by role.

    Example:
        >>> common_types([{"x": "float32"}, {"x": "float64"}])
        {'x': 'float32'}
    """
    found: dict[str, set[str]] = {}
    for part in parts:
        for role, dtype in part.items():
            found.setdefault(role, set()).add(dtype)
    types = {role: _common(dtypes) for role, dtypes in found.items() if len(dtypes) > 1}
    return {role: dtype for role, dtype in types.items() if dtype}


_FLOATS = ("float16", "float32", "float64")


def _common(dtypes: set[str]) -> str:
    if dtypes <= set(_FLOATS):
        return min(dtypes, key=_FLOATS.index)
    integers = all(dtype.startswith(("int", "uint")) or dtype == "bool" for dtype in dtypes)
    return "int64" if integers else ""


def changing(types: Mapping[str, str]) -> Change:
    """Return what makes equal values equal bytes: -0.0 becomes 0.0, and columns get these types."""

    def change(role: str, array: Any) -> Any:
        numpy: Any = sys.modules["numpy"]
        with numpy.errstate(all="ignore"):
            if role in types:
                array = array.astype(types[role])
            # 0.0 is added to -0.0 only; every other value stays as it is.
            return array + array.dtype.type(0) if array.dtype.kind == "f" else array

    return change
