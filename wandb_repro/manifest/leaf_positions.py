"""Positions of variables as a step record writes them: ``0-52,60``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

PLACES = re.compile(r"\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?)*", re.ASCII)
"""The spelling of one or more positions."""


def spans_of(changed: str) -> Iterator[tuple[int, int]]:
    """Yield first and last of each span: ``0-2,5`` has (0, 2) and (5, 5)."""
    for part in changed.split(",") if changed else ():
        first, _, last = part.partition("-")
        yield int(first), int(last or first)


def places_of(changed: str) -> Iterator[int]:
    """Yield each position: ``0-2,5`` is 0, 1, 2, 5."""
    for first, last in spans_of(changed):
        yield from range(first, last + 1)


def places_in(places: Iterable[int]) -> str:
    """Return rising positions as text: 0, 1, 2, 5 is ``0-2,5``."""
    spans: list[list[int]] = []
    for position in places:
        if spans and spans[-1][1] == position - 1:
            spans[-1][1] = position
        else:
            spans.append([position, position])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in spans)
