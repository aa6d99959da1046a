"""Checks that the records of a trail follow each other as they must."""

from __future__ import annotations

import functools
from typing import NamedTuple

from wandb_repro.errors import TrailError
from wandb_repro.manifest.leaf_positions import PLACES, spans_of
from wandb_repro.manifest.trail_records import (
    SHORT,
    VERSION,
    WHOLE_RUN,
    End,
    Outside,
    Start,
    State,
    Step,
    Structure,
    TrailRecord,
    Weights,
)


class OrderCheck:
    """Checks one record after another: a start, weights that fit their structure, an end.

    A hash chain only shows that lines follow each other; anybody can write one.
    """

    def __init__(self) -> None:
        self._started = self._ended = False
        self._variables: dict[int, int] = {}
        self._last_variables = 0
        self._digested: set[int] = set()

    def check(self, record: TrailRecord, line: int) -> None:
        """Check the next record, whose line number counts from 1.

        Raises:
            TrailError: the record must not come here.
        """
        fault = self._fault(record)
        if fault:
            raise TrailError(f"Line {line} of the trail {fault}.")
        self._started = True
        self._ended = self._ended or isinstance(record, End)
        if isinstance(record, Structure):
            self._variables[record.fit] = len(record.leaves)
            if record.fit != WHOLE_RUN:
                self._last_variables = len(record.leaves)
            self._digested.discard(record.fit)
        elif isinstance(record, Weights | Step):
            self._digested.add(record.fit)

    def _fault(self, record: TrailRecord) -> str:
        if isinstance(record, Step) and self._started and not self._ended:
            return self._fault_of_step(record)
        if isinstance(record, Start):
            return self._fault_of_start(record)
        if not self._started:
            return "is not a start record, which must come first"
        if self._ended and not isinstance(record, Outside):
            return "comes after the end record"
        if isinstance(record, State):
            return self._fault_of_leaves(len(record.leaves), self._variables.get(WHOLE_RUN, 0))
        return self._fault_of_weights(record) if isinstance(record, Weights) else ""

    def _fault_of_start(self, record: Start) -> str:
        if self._started:
            return "is a second start record"
        if not record.version.startswith(f"{VERSION.split('.')[0]}."):
            return (
                f"has format {record.version}, but this wandb_repro reads {VERSION}: "
                "upgrade wandb-repro"
            )
        return ""

    def _fault_of_weights(self, record: Weights) -> str:
        variables = self._variables.get(record.fit, self._last_variables)
        return self._fault_of_leaves(len(record.leaves), variables)

    def _fault_of_leaves(self, leaves: int, variables: int) -> str:
        return "" if leaves == variables else f"has {leaves} digests for {variables} variables"

    def _fault_of_step(self, record: Step) -> str:
        variables = self._variables.get(record.fit, 0)
        positions = _positions(record.changed)
        if not positions.rising or positions.last >= variables:
            return f"names variables {record.changed[:80]} of {variables}"
        if len(record.leaves) != SHORT * positions.total:
            return f"has {len(record.leaves)} digits for {positions.total} variables"
        if record.fit not in self._digested and positions.total != variables:
            return f"has {positions.total} digests for {variables} variables"
        return ""


def is_spelled_right(changed: str) -> bool:
    """Tell whether a step record's ``changed`` is written as the format says."""
    return _positions(changed).spelled_right


class _Positions(NamedTuple):
    """What a step record's ``changed`` says."""

    spelled_right: bool
    rising: bool = False
    last: int = -1
    total: int = 0


def _positions(changed: str) -> _Positions:
    # Most steps of a training change the same variables, so the result is cached.
    return _cached_positions(changed) if len(changed) <= _LONGEST_CACHED else _read(changed)


def _read(changed: str) -> _Positions:
    if not PLACES.fullmatch(changed):
        return _Positions(spelled_right=not changed, rising=not changed)
    spans = list(spans_of(changed))
    edges = [-1, *(edge for span in spans for edge in span)]
    # A span of one position has equal edges; the next span begins after it.
    rising = all(start > end for end, start in zip(edges[::2], edges[1::2], strict=False))
    rising = rising and all(last >= first for first, last in spans)
    total = sum(last - first + 1 for first, last in spans)
    return _Positions(spelled_right=True, rising=rising, last=edges[-1], total=total)


_LONGEST_CACHED = 4096
"""Characters. A hostile trail must not fill the memory through the cache."""

_cached_positions = functools.lru_cache(maxsize=256)(_read)
