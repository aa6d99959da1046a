"""Writes logged values so that two runs can be compared to the last bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from wandb_repro.digest import Array, leaf_digest

_EXACT = 2**53
"""Integers up to this size are exact as binary64."""

_SHORT = 64
"""Characters of a text that is kept as it is."""

_MOST_ITEMS = 100_000
"""Items of a list or cells of a table that are digested."""

_MOST_BYTES = 256 * 1024**2
"""Of an array that is digested."""


def flattened(data: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, float | str]]:
    """Yield the names and values of a row, nested names joined by dots as W&B does.

    A number is yielded as a float; any other value as a text, see ``Logged.texts``.

    Args:
        data: as passed to ``run.log``.
        prefix: of each name.
    """
    for name, value in data.items():
        if type(value) is float:
            yield f"{prefix}{name}", value
        elif isinstance(value, Mapping):
            nested = cast("Mapping[str, object]", value)
            if not nested:
                yield f"{prefix}{name}", "map:empty"
            yield from flattened(nested, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", encoded(value)


def encoded(value: Any) -> float | str:
    """Return a number as a float, and any other value as a text that shows each difference."""
    if isinstance(value, bool):
        return f"bool:{value}"
    if isinstance(value, int):
        return float(value) if abs(value) <= _EXACT else f"int:{value}"
    if isinstance(value, float):
        return float(value)
    if value is None:
        return "none"
    if isinstance(value, str):
        return f"str:{value}" if len(value) <= _SHORT else f"text:{_sha(value.encode())}"
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return _list(cast("Sequence[object]", value))
    return _array(value) if hasattr(value, "shape") else _media(value)


def _list(values: Sequence[object]) -> str:
    if len(values) > _MOST_ITEMS:
        return f"unknown:a list of {len(values)} items"
    items = [_plain(item) for item in values]
    unknown = next((item for item in items if "unknown:" in item), None)
    return unknown or f"list:{_sha(json.dumps(items).encode())}"


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        items = dict(flattened(cast("Mapping[str, object]", value)))
        return json.dumps({name: _text(item) for name, item in items.items()}, sort_keys=True)
    return _text(encoded(value))


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else float(value).hex()


def _array(value: Any) -> float | str:
    """Return a tensor's only element as a number, or a digest of all of them."""
    if len(value.shape) == 0:
        host = value if hasattr(value, "item") else value.numpy()
        item = host.item()
        return encoded(item) if isinstance(item, bool | int | float | str) else float(item)
    numpy: Any = __import__("numpy")
    host = numpy.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if host.nbytes > _MOST_BYTES:
        return f"unknown:an array of {host.nbytes} bytes"
    if host.dtype.hasobject:
        return _list(host.ravel().tolist())
    return f"array:{leaf_digest(cast('Array', host))}"


def _media(value: Any) -> str:
    """Return what identifies one of W&B's own values, by its class and its content."""
    kind = type(value).__name__
    content = getattr(value, "_sha256", None)
    if isinstance(content, str) and content:
        return f"{kind}:{content[:32]}"
    if hasattr(value, "bins") and hasattr(value, "histogram"):
        return f"{kind}:{_list([*value.histogram, *value.bins])}"
    table = getattr(value, "table", value)
    if hasattr(table, "columns") and hasattr(table, "data"):
        rows = table.data
        cells = [cell for row in rows[:_MOST_ITEMS] for cell in row]
        return f"{kind}:{_list([*table.columns, *cells])}"
    return f"unknown:{kind}"


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
