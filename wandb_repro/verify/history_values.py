"""Values of the history: as the trail writes them, and as W&B's server returns them in JSON."""

from __future__ import annotations

import contextlib
import math
import struct
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias, cast

Scalar: TypeAlias = float | int | bool | str | None

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""JSON has no such numbers, and some servers return these texts."""

_DEEPEST = 64
"""Dicts in each other that are looked into; what a server sends may have no end."""


class NoScalar:
    """Stands for a value that is not compared: an image, a table, a list, a long text."""


NO_SCALAR: Final = NoScalar()
MISSING: Final = NoScalar()
"""Stands for a value that is not there."""


def logged_value(written: str) -> Scalar | NoScalar:
    """Return a value of a trail: a number's 16 hexadecimal digits, or a text as in ``Logged``."""
    kind, colon, rest = written.partition(":")
    if not colon:
        return None if written == "none" else struct.unpack(">d", bytes.fromhex(written))[0]
    if kind == "int":
        with contextlib.suppress(ValueError):  # not digits, or thousands of them
            return int(rest)
        return NO_SCALAR
    if kind == "bool":
        return rest == "True"
    return rest if kind == "str" else NO_SCALAR


def is_scalar(stored: object) -> bool:
    """Tell whether a value of the server can be compared."""
    return stored is None or isinstance(stored, bool | int | float | str)


def same(logged: Scalar, stored: object) -> bool:
    """Tell whether the server has the value that was logged, numbers to the last bit."""
    if logged is None or isinstance(logged, bool):
        return stored is logged
    if isinstance(logged, str):
        return stored == logged
    if isinstance(stored, str):
        stored = _NOT_FINITE.get(stored)
    if isinstance(stored, bool) or not isinstance(stored, int | float):
        return False
    if logged == 0 and stored == 0:
        return math.copysign(1, logged) == math.copysign(1, stored)
    # Python compares int and float exactly: 2**53 + 1 is not 2.0**53.
    return logged == stored or (logged != logged and stored != stored)


def find(row: Mapping[str, object], name: str, depth: int = 0) -> object:
    """Return the value of a name whose parts are joined by dots; ``MISSING`` if there is none."""
    if name in row:
        return row[name]
    at = name.find(".")
    while at >= 0 and depth < _DEEPEST:
        inner = row.get(name[:at])
        if isinstance(inner, dict):
            found = find(cast("dict[str, object]", inner), name[at + 1 :], depth + 1)
            if found is not MISSING:
                return found
        at = name.find(".", at + 1)
    return MISSING


def values_in(
    row: Mapping[str, object], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, object]]:
    """Yield names and values of a row of the server; W&B's own names, ``_step``, are left out.

    Names inside a dict are joined by dots. A dict with a ``_type``, such as an image, is a value.
    """
    for name, value in row.items():
        if isinstance(value, dict) and "_type" not in value and depth < _DEEPEST:
            inner = cast("dict[str, object]", value)
            yield from values_in(inner, f"{prefix}{name}.", depth + 1)
        elif prefix or not name.startswith("_"):
            yield f"{prefix}{name}", value
