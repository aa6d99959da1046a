"""The trail: digests of the weights along the training, as a hash chain of JSON lines.

Each line contains the SHA-256 of the line before it, so that the whole course of the training is
compared and not only its end. A last line that was cut off by a crash or a full disk is ignored.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TypeVar

from wandb_repro.manifest.base import Record, unchecked
from wandb_repro.manifest.leaf_positions import spans_of
from wandb_repro.manifest.trail_records import (
    SHORT,
    WHOLE_RUN,
    Checkpoint,
    End,
    Granularity,
    HexDigest,
    Inventory,
    Missing,
    Outside,
    Resumed,
    Shape,
    Start,
    State,
    Step,
    Structure,
    Summary,
    TrailRecord,
    Weights,
)


class Digested(Weights):
    """A step record with the digests of unchanged leaves filled in.

    ``leaves`` has the first digits of a digest that a step record wrote, and all digits of one
    that a weights record wrote.
    """

    before: HexDigest | None = None
    data: HexDigest | None = None


_R = TypeVar("_R", bound=Record)


SCARCE = (Start, Granularity, Missing, Checkpoint, Resumed, State, Inventory, Summary, End, Outside)
"""Kinds of which even a long trail has few."""


@dataclass(frozen=True)
class Trail:
    """A trail that was read and whose hash chain was checked."""

    records: Sequence[TrailRecord]
    """In order. Can be iterated repeatedly; a long trail is read from the disk each time."""
    torn: bool
    """Whether the last line was cut off."""
    scarce: Sequence[TrailRecord] | None = None
    """All records of the kinds in ``SCARCE``; None if they were not collected."""

    def of(self, kind: type[_R]) -> Iterator[_R]:
        """Yield the records of one kind, in order."""
        few = self.scarce if any(kind is each for each in SCARCE) else None
        records = self.records if few is None else few
        return (record for record in records if isinstance(record, kind))

    @property
    def weights(self) -> tuple[Weights, ...]:
        """The digested moments of all fits, in order, all in memory: only for short trails."""
        return tuple(self.moments())

    def moments(self) -> Iterator[Weights]:
        """Yield the digested moments of all fits in order."""
        return (weights for weights, _ in self.with_shapes() if weights.fit != WHOLE_RUN)

    def states(self) -> Iterator[State]:
        """Yield the digests of all state of the run in order."""
        return self.of(State)

    @cached_property
    def inventory(self) -> Inventory | None:
        """What the run made and that can be trained; None if it did not end, or in old trails."""
        return next(self.of(Inventory), None)

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        """The moments that could not be digested, with their reasons."""
        return tuple(self.of(Missing))

    @property
    def start(self) -> Start | None:
        """The first record."""
        return next(self.of(Start), None)

    @cached_property
    def end(self) -> End | None:
        """The last record; None if the run was killed or is still running."""
        return next(self.of(End), None)

    @cached_property
    def outside(self) -> tuple[Outside, ...]:
        """Trainings after the end of the run."""
        return tuple(self.of(Outside))

    def with_shapes(
        self, see: Callable[[TrailRecord], object] | None = None
    ) -> Iterator[tuple[Weights, tuple[Shape, ...]]]:
        """Yield each digested moment with its variables.

        Args:
            see: gets every other record on the way, so that a long trail is read once.
        """
        known = _Known()
        for record in self.records:
            if isinstance(record, Step):
                yield known.filled(record), known.shapes(record.fit)
            elif isinstance(record, Weights):
                yield known.noted(record), known.shapes(record.fit)
            elif isinstance(record, State):
                yield of_run(record), known.shapes(WHOLE_RUN)
            elif isinstance(record, Structure):
                known.begin(record)
            elif see is not None:
                see(record)


def of_run(state: State) -> Weights:
    """Return the digest of all state as a moment of a fit: its epochs are fits, its steps rows."""
    return Weights.model_construct(
        fit=WHOLE_RUN,
        moment=state.moment,
        epoch=state.fits,
        step=state.row,
        root=state.root,
        leaves=state.leaves,
        metrics={},
    )


class _Known:
    """The variables and digests of each fit so far: two fits may train in turns."""

    def __init__(self) -> None:
        self._shapes: dict[int, tuple[Shape, ...]] = {}
        self._last: tuple[Shape, ...] = ()
        self._leaves: dict[int, tuple[str, ...]] = {}

    def begin(self, structure: Structure) -> None:
        self._shapes[structure.fit] = structure.leaves
        if structure.fit != WHOLE_RUN:
            self._last = structure.leaves
        self._leaves[structure.fit] = ("",) * len(structure.leaves)

    def shapes(self, fit: int) -> tuple[Shape, ...]:
        return self._shapes.get(fit, self._last)

    def noted(self, weights: Weights) -> Weights:
        self._leaves[weights.fit] = weights.leaves
        return weights

    def filled(self, step: Step) -> Digested:
        leaves = self._leaves[step.fit]
        if step.leaves:
            leaves = self._leaves[step.fit] = _replaced(leaves, step)
        return unchecked(
            Digested,
            {
                "kind": "weights",
                "fit": step.fit,
                "moment": "step",
                "epoch": step.epoch,
                "step": step.step,
                "root": step.root,
                "leaves": leaves,
                "metrics": {},
                "before": step.before,
                "data": step.data,
            },
        )


def _replaced(leaves: tuple[str, ...], step: Step) -> tuple[str, ...]:
    written = step.leaves
    short = _short_ones(written) if len(written) <= _OFTEN else _split(written)
    if len(short) == len(leaves):
        return short
    result = list(leaves)
    at = 0
    for first, last in spans_of(step.changed):
        result[first : last + 1] = short[at : at + last + 1 - first]
        at += last + 1 - first
    return tuple(result)


_OFTEN = 1 << 16
"""Digits. Longer ones are not cached."""


def _split(written: str) -> tuple[str, ...]:
    return tuple([written[at : at + SHORT] for at in range(0, len(written), SHORT)])


@functools.lru_cache(maxsize=8)
def _short_ones(written: str) -> tuple[str, ...]:
    """Split, cached: comparing two equal trails splits the same digits twice."""
    return _splitter(len(written))(written)


@functools.lru_cache(maxsize=16)
def _splitter(digits: int) -> Callable[[str], tuple[str, ...]]:
    """Return a function that splits this many digits, in half the time of a loop."""
    if digits < 2 * SHORT:
        return _split
    return itemgetter(*(slice(at, at + SHORT) for at in range(0, digits, SHORT)))
