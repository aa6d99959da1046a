"""Canonical JSON: each value has one spelling, so that equal values have equal digests."""

from __future__ import annotations

import hashlib
import json
import math
from typing import NoReturn, cast

from pydantic import JsonValue

from wandb_repro.errors import ManifestError

JSON = JsonValue
"""Any JSON value."""

MAX_BYTES = 16 * 1024 * 1024
"""Larger documents are refused before parsing."""

MAX_DEPTH = 100
"""Nested arrays and objects; deeper documents are neither written nor read."""


def dumps(value: JSON) -> bytes:
    """Return the canonical form: sorted keys, no spaces, UTF-8, no NaN, no Infinity.

    ``{"b": 1, "a": [0.1]}`` is ``b'{"a":[0.1],"b":1}'``. A lone surrogate (half of a character, as
    in a file name that is not UTF-8) becomes U+FFFD: one bad name must not cost the whole record.

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
        # UTF-16 keeps a lone surrogate as it is, and reading it back replaces it with U+FFFD.
        replaced = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return replaced.encode("utf-8")


def sha256(value: JSON) -> str:
    """Return the SHA-256 of the canonical form, hexadecimal."""
    return hashlib.sha256(dumps(value)).hexdigest()


def loads(document: bytes) -> JSON:
    """Parse JSON from an untrusted source. ``dumps`` accepts every result.

    Raises:
        ManifestError: too large, too deep, not JSON, not UTF-8, a repeated key, a lone surrogate,
            NaN or Infinity.
    """
    if len(document) > MAX_BYTES:
        raise ManifestError(f"The document has {len(document)} bytes, more than {MAX_BYTES}.")
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
        # Only an escape can contain a lone surrogate; this raises UnicodeEncodeError if one does.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return cast(JSON, value)


def _is_deeper(value: JSON, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inside)


def _without_duplicates(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members: dict[str, JSON] = {}
    for name, value in pairs:
        if name in members:
            raise ManifestError(f"The key {name[:80]!r} occurs twice in one object.")
        members[name] = value
    return members


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ManifestError(f"The document contains {digits[:20]}, which is too large for a float.")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ManifestError(f"The document contains {name}, which is not JSON.")
