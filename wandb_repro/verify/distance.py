"""How far apart weights are that are not equal, from the numbers beside their digests."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wandb_repro.manifest.base import Record
from wandb_repro.manifest.trail import Numbers, Shape, Trail, Weights
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.trail_diff import moment_name

__all__ = ["MARGIN", "Distance", "LeafDistance", "distance"]

MARGIN = 4.0
"""The true distance of two arrays is hardly ever more than so many times the estimate.

Of four projections on drawn signs the mean square is that of the distance, times a chi-square of
four degrees over four; it is less than 1/16 of it once in 140. A difference of very few elements
can be seen less well: two of equal size cancel in all four once in 16.
"""

_WEIGHTS = ("trainable", "non_trainable")
_HEX = 16

_Key = tuple[int, str, int, int]


class LeafDistance(Record):
    """How far apart one variable is in two trainings."""

    group: str
    label: str
    """As the original called it."""
    apart: str
    """Estimated Euclidean distance, as Python writes it: ``3.1e-08``. 0.0 means equal bits; nan,
    that it cannot be told."""
    size: str
    """Euclidean norm, of the larger."""

    @property
    def part(self) -> float:
        """The distance as a part of the size; infinite where that cannot be told."""
        apart, size = float(self.apart), float(self.size)
        if apart == 0:
            return 0.0
        return apart / size if size > 0 and not math.isnan(apart) else math.inf


class Distance(Record):
    """How far apart the weights are at the last moment of which both trails hold numbers.

    It is an estimate, and proves nothing: digests do. Optimizer and seed states are left out.
    """

    at: str
    """The moment, in words."""
    at_end: bool
    """Whether neither trail holds numbers of a later one."""
    leaves: tuple[LeafDistance, ...]
    """Every weight of the model, in its order, also those that are equal."""
    apart: str
    """Estimated distance of all of them together."""
    size: str

    @property
    def farthest(self) -> LeafDistance:
        """The variable that is farthest apart, seen from its own size."""
        return max(self.leaves, key=lambda leaf: leaf.part)


class _Held(NamedTuple):
    weights: Weights
    shapes: Sequence[Shape]
    numbers: Numbers


def distance(original: Trail, rerun: Trail, limit: Limit | None = None) -> Distance | None:
    """Return how far apart two trainings ended; None where the trails do not tell.

    Weights that are alike at the last common moment are told too, with a distance of 0.

    Args:
        original: a trail, chain-checked.
        rerun: the other.
        limit: look only so far.
    """
    limit = limit or Limit()
    sides = [
        {(_key(record), record.algorithm): None for record in _numbers(trail, limit)}
        for trail in (original, rerun)
    ]
    common = [moment for moment in sides[1] if moment in sides[0]]
    if not common:
        return None
    key, _ = common[-1]
    one, two = _held(original, key), _held(rerun, key)
    at_end = all(next(reversed(side)) == common[-1] for side in sides)
    return _between(one, two, at_end=at_end) if one and two else None


def _numbers(trail: Trail, limit: Limit) -> Iterator[Numbers]:
    """Yield what numbers a trail holds within the limit."""
    for record in trail.of(Numbers):
        if limit.leaves_out(record.fit):
            continue
        trained = record.moment != "initial" and record.fit >= limit.fit
        far = [
            (at, most)
            for at, most in ((record.epoch, limit.epoch), (record.step, limit.step))
            if trained and most is not None
        ]
        if any(at > most for at, most in far):
            return
        yield record
        if any(at == most for at, most in far):
            return


def _held(trail: Trail, key: _Key) -> _Held | None:
    """Return a moment with its digests, leaves and numbers; None where they do not fit."""
    numbers = [record for record in trail.of(Numbers) if _key(record) == key]
    for weights, shapes in trail.with_shapes():
        if _key(weights) == key and _is_whole(numbers[-1], len(shapes)):
            return _Held(weights, shapes, numbers[-1])
    return None


def _key(record: Weights | Numbers) -> _Key:
    return record.fit, record.moment, record.epoch, record.step


def _is_whole(numbers: Numbers, leaves: int) -> bool:
    columns = (numbers.norm, numbers.low, numbers.high)
    return (
        all(len(column) == _HEX * leaves for column in columns)
        and len(numbers.non_finite) == leaves
        and len(numbers.sketch) % (_HEX * max(leaves, 1)) == 0
    )


def _between(one: _Held, two: _Held, *, at_end: bool) -> Distance | None:
    kinds = [[(it.group, it.dtype, it.shape) for it in held.shapes] for held in (one, two)]
    if kinds[0] != kinds[1]:
        return None
    mine, yours = _Columns(one.numbers), _Columns(two.numbers)
    leaves = tuple(
        LeafDistance(
            group=shape.group,
            label=shape.label,
            apart=repr(
                0.0 if one.weights.leaves[at] == two.weights.leaves[at] else mine.from_(yours, at)
            ),
            size=repr(max(mine.norm[at], yours.norm[at])),
        )
        for at, shape in enumerate(one.shapes)
        if shape.group in _WEIGHTS
    )
    if not leaves:
        return None
    return Distance(
        at=moment_name(one.weights),
        at_end=at_end,
        leaves=leaves,
        apart=repr(math.hypot(*(float(leaf.apart) for leaf in leaves))),
        size=repr(math.hypot(*(float(leaf.size) for leaf in leaves))),
    )


_RESOLUTION = 2.0**-52
"""Of the numbers of a leaf, as a part of its norm: other bits may lie below it."""


class _Columns:
    """The numbers of all leaves at one moment."""

    def __init__(self, record: Numbers) -> None:
        self.norm, self.low, self.high = map(_doubles, (record.norm, record.low, record.high))
        self._sketch = _doubles(record.sketch)
        self._each = len(self._sketch) // max(len(self.norm), 1)
        self._non_finite = record.non_finite

    def _projections(self, at: int) -> tuple[float, ...]:
        return self._sketch[self._each * at : self._each * (at + 1)]

    def from_(self, other: _Columns, at: int) -> float:
        """Return the estimated distance of one leaf, which has other bits there.

        Norms and extremes give the least that it can be, and so does what a sum of doubles can
        tell apart. NaN where an element is not finite on one side only, and where the elements
        are no numbers.
        """
        if self._non_finite[at] != other._non_finite[at]:
            return math.nan
        pairs = list(zip(self._projections(at), other._projections(at), strict=True))
        guessed = math.sqrt(math.fsum((a - b) ** 2 for a, b in pairs) / max(len(pairs), 1))
        size = max(self.norm[at], other.norm[at])
        least = [abs(self.norm[at] - other.norm[at]), _RESOLUTION * size]
        least += [
            abs(a - b)
            for a, b in ((self.low[at], other.low[at]), (self.high[at], other.high[at]))
            if not (math.isnan(a) and math.isnan(b))
        ]
        found = (guessed, *least)
        return math.nan if any(map(math.isnan, found)) else max(found)


def _doubles(column: str) -> tuple[float, ...]:
    return struct.unpack(f">{len(column) // _HEX}d", bytes.fromhex(column))
