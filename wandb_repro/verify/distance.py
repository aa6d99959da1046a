"""Estimates how far apart different weights are, from a few numbers stored with their digests."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wandb_repro.manifest.base import Record
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Numbers, Shape, Weights
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.weights_diff import moment_name

MARGIN = 4.0
"""The true distance of two arrays is rarely more than this many times the estimate.

The mean square of four projections on random signs is the squared distance times a chi-square of
four degrees over four: less than 1/16 of it once in 140. If very few elements differ it is less
reliable: two differences of equal size cancel in all four projections once in 16.
"""

_WEIGHTS = ("trainable", "non_trainable", "state")
_HEX = 16

_Key = tuple[int, str, int, int]


class LeafDistance(Record):
    """How far apart one variable is in two trainings."""

    group: str
    label: str
    """Its label in the original."""
    apart: str
    """Estimated Euclidean distance, as Python writes it: ``3.1e-08``. 0.0 means equal bits, nan
    that it is not known."""
    size: str
    """Euclidean norm, the larger of the two."""

    @property
    def part(self) -> float:
        """The distance divided by the size; infinite if that is not known."""
        apart, size = float(self.apart), float(self.size)
        if apart == 0:
            return 0.0
        return apart / size if size > 0 and not math.isnan(apart) else math.inf


class Distance(Record):
    """How far apart the weights are at the last moment for which both trails have numbers.

    An estimate: only digests prove that weights are equal. Optimizer and seed states are left out.
    """

    at: str
    """The moment, in words."""
    at_end: bool
    """Whether neither trail has numbers of a later moment."""
    leaves: tuple[LeafDistance, ...]
    """Every weight of the model, in its order, including equal ones."""
    apart: str
    """Estimated distance over all weights."""
    size: str

    @property
    def farthest(self) -> LeafDistance:
        """The variable that is farthest apart relative to its own size."""
        return max(self.leaves, key=lambda leaf: leaf.part)


class _Moment(NamedTuple):
    weights: Weights
    shapes: Sequence[Shape]
    numbers: Numbers


def distance(original: Trail, rerun: Trail, limit: Limit | None = None) -> Distance | None:
    """Return how far apart two trainings ended; None if the trails do not have the numbers.

    Weights that are equal at the last common moment are included, with a distance of 0.
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
    original_end, rerun_end = _moment_at(original, key), _moment_at(rerun, key)
    at_end = all(next(reversed(side)) == common[-1] for side in sides)
    return _between(original_end, rerun_end, at_end=at_end) if original_end and rerun_end else None


def _numbers(trail: Trail, limit: Limit) -> Iterator[Numbers]:
    for record in trail.of(Numbers):
        if limit.leaves_out(record.fit):
            continue
        trained = record.moment != "initial" and record.fit >= limit.fit
        limits = [
            (at, last)
            for at, last in ((record.epoch, limit.epoch), (record.step, limit.step))
            if trained and last is not None
        ]
        if any(at > last for at, last in limits):
            return
        yield record
        if any(at == last for at, last in limits):
            return


def _moment_at(trail: Trail, key: _Key) -> _Moment | None:
    """Return a moment with its digests, leaves and numbers; None if their counts do not match."""
    numbers = [record for record in trail.of(Numbers) if _key(record) == key]
    for weights, shapes in trail.with_shapes():
        if _key(weights) == key and _is_complete(numbers[-1], len(shapes)):
            return _Moment(weights, shapes, numbers[-1])
    return None


def _key(record: Weights | Numbers) -> _Key:
    return record.fit, record.moment, record.epoch, record.step


def _is_complete(numbers: Numbers, leaves: int) -> bool:
    return (
        all(len(column) == _HEX * leaves for column in (numbers.norm, numbers.low, numbers.high))
        and len(numbers.non_finite) == leaves
        and len(numbers.sketch) % (_HEX * max(leaves, 1)) == 0
    )


def _between(original: _Moment, rerun: _Moment, *, at_end: bool) -> Distance | None:
    structures = [
        [(shape.group, shape.dtype, shape.shape) for shape in moment.shapes]
        for moment in (original, rerun)
    ]
    if structures[0] != structures[1]:
        return None
    numbers_1, numbers_2 = _Columns(original.numbers), _Columns(rerun.numbers)
    leaves = tuple(
        LeafDistance(
            group=shape.group,
            label=shape.label,
            apart=repr(
                0.0
                if original.weights.leaves[at] == rerun.weights.leaves[at]
                else numbers_1.distance_to(numbers_2, at)
            ),
            size=repr(max(numbers_1.norm[at], numbers_2.norm[at])),
        )
        for at, shape in enumerate(original.shapes)
        if shape.group in _WEIGHTS
    )
    if not leaves:
        return None
    return Distance(
        at=moment_name(original.weights),
        at_end=at_end,
        leaves=leaves,
        apart=repr(math.hypot(*(float(leaf.apart) for leaf in leaves))),
        size=repr(math.hypot(*(float(leaf.size) for leaf in leaves))),
    )


_RESOLUTION = 2.0**-52
"""Smallest difference that the numbers of a leaf can show, relative to its norm."""


class _Columns:
    """The numbers of all leaves at one moment."""

    def __init__(self, record: Numbers) -> None:
        self.norm, self.low, self.high = map(_doubles, (record.norm, record.low, record.high))
        self._sketch = _doubles(record.sketch)
        self._each = len(self._sketch) // max(len(self.norm), 1)
        self._non_finite = record.non_finite

    def _projections(self, at: int) -> tuple[float, ...]:
        return self._sketch[self._each * at : self._each * (at + 1)]

    def distance_to(self, other: _Columns, at: int) -> float:
        """Return the estimated distance of one leaf whose bits differ.

        NaN if an element is not finite on one side only, or if the elements are not numbers.
        """
        if self._non_finite[at] != other._non_finite[at]:
            return math.nan
        pairs = list(zip(self._projections(at), other._projections(at), strict=True))
        estimate = math.sqrt(math.fsum((a - b) ** 2 for a, b in pairs) / max(len(pairs), 1))
        size = max(self.norm[at], other.norm[at])
        # The distance is at least the difference of the norms and that of the extremes, and the
        # bits differ although a sum of doubles may not show it.
        bounds = [abs(self.norm[at] - other.norm[at]), _RESOLUTION * size]
        bounds += [
            abs(a - b)
            for a, b in ((self.low[at], other.low[at]), (self.high[at], other.high[at]))
            if not (math.isnan(a) and math.isnan(b))
        ]
        distances = (estimate, *bounds)
        return math.nan if any(map(math.isnan, distances)) else max(distances)


def _doubles(column: str) -> tuple[float, ...]:
    return struct.unpack(f">{len(column) // _HEX}d", bytes.fromhex(column))
