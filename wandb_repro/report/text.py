"""Makes strings of a record safe and short for a terminal."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SHOWN = {"\n": "↵", "\t": " "}


def clean(text: object, limit: int = 2000) -> str:
    """Return text without control, format or direction characters: it cannot move the cursor.

    A record may come from a stranger, and a terminal obeys escape sequences. A line end, as in
    a ``python -c`` program, is shown as an arrow.
    """
    value = str(text)
    if len(value) <= limit and value.isprintable():  # fast path: a card has thousands of strings
        return value
    shown = "".join(_safe(letter) for letter in value[:limit])
    return shown if len(value) <= limit else f"{shown} ..."


def _safe(letter: str) -> str:
    if letter in _SHOWN:
        return _SHOWN[letter]
    return letter if unicodedata.category(letter) not in _HIDDEN else "\ufffd"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 file``, ``2 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(size_bytes: int) -> str:
    """Return a size in decimal units: ``1.4 MB``."""
    value, unit = float(size_bytes), "bytes"
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < _KILO or unit == "GB":
            break
        value /= _KILO
    if unit == "bytes":
        return count(size_bytes, "byte")
    return f"{value:.1f} {unit}"


_KILO = 1000
