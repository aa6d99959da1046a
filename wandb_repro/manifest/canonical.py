"""JSON with one spelling a value, so that a digest over it means something."""

from __future__ import annotations

import hashlib
import json
import math
from typing import NoReturn, cast

from pydantic import JsonValue

from wandb_repro.errors import ManifestError

__all__ = ["JSON", "MAX_BYTES", "MAX_DEPTH", "dumps", "loads", "sha256"]

JSON = JsonValue
"""Any value that JSON has."""

MAX_BYTES = 16 * 1024 * 1024
"""A larger document is refused before it is parsed."""

MAX_DEPTH = 100
"""Arrays and objects within each other; more is neither written nor read."""


def dumps(value: JSON) -> bytes:
    """Return the canonical form: sorted keys, no blanks, UTF-8, no NaN, no Infinity.

    A lone surrogate (half of a character, as in a file name that is not UTF-8) has no UTF-8 and
    becomes U+FFFD: one odd name must not cost the whole record.

    Raises:
        ValueError: a number is NaN or infinite, or the value is nested too deeply.
    """
    if _is_deeper(value, MAX_DEPTH):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return _whole(text).encode("utf-8")


def _whole(text: str) -> str:
    """Return the text with each lone surrogate replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def sha256(value: JSON) -> str:
    """Return the SHA-256 of the canonical form, hexadecimal."""
    return hashlib.sha256(dumps(value)).hexdigest()


def loads(document: bytes) -> JSON:
    """Parse JSON that may come from a stranger. What this returns, ``dumps`` takes.

    Raises:
        ManifestError: too large, too deep, not JSON, not UTF-8, a key that stands twice, half a
            character, NaN or Infinity.
    """
    if len(document) > MAX_BYTES:
        raise ManifestError(f"The document has {len(document)} bytes; {MAX_BYTES} is the most.")
    try:
        value = _parsed(document.decode("utf-8"))
    except RecursionError as error:
        raise ManifestError("The document is nested too deeply.") from error
    except ValueError as error:
        raise ManifestError(f"The document is not valid JSON: {error}.") from error
    if _is_deeper(value, MAX_DEPTH):
        raise ManifestError("The document is nested too deeply.")
    return value


def _parsed(text: str) -> JSON:
    value = json.loads(
        text,
        object_pairs_hook=_without_duplicates,
        parse_constant=_refuse_constant,
        parse_float=_finite,
    )
    if "\\ud" in text or "\\uD" in text:
        # Only an escape can bring in half a character: UTF-8 itself has none.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return cast(JSON, value)


def _is_deeper(value: JSON, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inside)


def _without_duplicates(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for name, value in pairs:
        if name in found:
            raise ManifestError(f"The key {name[:80]!r} stands twice in one object.")
        found[name] = value
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ManifestError(f"The document holds {digits[:20]}, which no float can hold.")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ManifestError(f"The document holds {name}, which is not JSON.")
