"""Walks through a trail once, alongside another training that reaches the same moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Shape, TrailRecord, Weights
from wandb_repro.verify.compare_limit import Limit

MomentKey = tuple[int, str, int, int, int]
"""Fit, moment, epoch, step, and how many moments of this name came up to it."""


class TrailMoment(NamedTuple):
    """One moment of a trail, with what is needed to compare it."""

    weights: Weights
    shapes: tuple[Shape, ...]
    in_limit: bool
    since_step: int
    """The batches of a step record are those after this step."""


class TrailCursor:
    """Goes through a trail once, alongside another that has the same moments in the same order.

    Moments that were skipped are kept until they are taken. Two trails with the same moments need
    no memory for that, however long they are.
    """

    def __init__(
        self, trail: Trail, limit: Limit, see: Callable[[TrailRecord], object] | None = None
    ) -> None:
        self._see = see
        self._batch_starts = BatchStarts(limit)
        self._upcoming = self._keyed(trail, limit)
        self._next: tuple[MomentKey, TrailMoment] | None = next(self._upcoming, None)
        self._passed: dict[MomentKey, TrailMoment] = {}

    @property
    def first_step(self) -> int:
        """Steps of the limit's fit before the compared part; 0 until the cursor reached it."""
        return self._batch_starts.first_step

    def _keyed(self, trail: Trail, limit: Limit) -> Iterator[tuple[MomentKey, TrailMoment]]:
        keys = MomentKeys()
        in_limit = True
        for weights, shapes in trail.with_shapes(self._see):
            counts = in_limit and not limit.before(weights)
            since = self._batch_starts.since(weights)
            yield keys.key(weights), TrailMoment(weights, shapes, counts, since)
            in_limit = in_limit and not limit.reached_by(weights)

    @property
    def at_end(self) -> bool:
        """Whether the trail has no further moment."""
        return self._next is None

    def take(self, key: MomentKey) -> TrailMoment | None:
        """Return the moment of this key, once; None if the trail has none."""
        while key not in self._passed and self._next is not None:
            next_key, moment = self._next
            if _is_later(next_key, key):
                return None
            self._passed[next_key] = moment
            self._next = next(self._upcoming, None)
        return self._passed.pop(key, None)

    def rest(self) -> Iterator[TrailMoment]:
        """Yield all moments that were never taken, in order. Ends the walk."""
        yield from self._passed.values()
        while self._next is not None:
            yield self._next[1]
            self._next = next(self._upcoming, None)


_RANKS = {"initial": 0, "step": 1, "logged": 1, "epoch": 2, "fit": 2, "final": 3, "end": 3}
"""Order of moments that share a step."""


def _is_later(first: MomentKey, second: MomentKey) -> bool:
    """Tell whether one moment certainly comes after another of the same fit."""
    fit_1, moment_1, _, step_1, count_1 = first
    fit_2, moment_2, _, step_2, count_2 = second
    order_1, order_2 = (step_1, _RANKS[moment_1], count_1), (step_2, _RANKS[moment_2], count_2)
    return fit_1 == fit_2 and order_1 > order_2


def moment_id(weights: Weights) -> tuple[int, str, int, int]:
    """Return fit, moment, epoch and step, which name a moment, but not uniquely."""
    return (weights.fit, weights.moment, weights.epoch, weights.step)


class MomentKeys:
    """Numbers moments of the same name to distinguish them."""

    def __init__(self) -> None:
        # Only the last step of each fit: steps of a fit never repeat.
        self._last: dict[int, tuple[int, dict[tuple[int, str, int, int], int]]] = {}

    def key(self, weights: Weights) -> MomentKey:
        """Return the key of the next moment."""
        name = moment_id(weights)
        known = self._last.get(weights.fit)
        if known is None or known[0] != weights.step:
            known = self._last[weights.fit] = (weights.step, {})
        count = known[1][name] = known[1].get(name, 0) + 1
        return (*name, count)


class BatchStarts:
    """Finds the step after which the batches of each step record begin: the record before it."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._last: dict[int, int] = {}
        self.first_step = 0
        """Steps of the limit's fit before the part that is compared."""

    def since(self, weights: Weights, first_step: int = 0) -> int:
        """Return that step for the next moment of a trail.

        Args:
            weights: the moment.
            first_step: where the trail begins if it has no record before this one.
        """
        fit, limit = weights.fit, self._limit
        in_fit = fit == limit.fit
        if in_fit and weights.moment == "epoch" and weights.epoch == limit.after:
            self.first_step = weights.step
        since = self._last.get(fit, first_step if in_fit else 0)
        if weights.moment == "step":
            self._last[fit] = weights.step
        return since
