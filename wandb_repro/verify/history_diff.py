"""Compares the history that W&B's server has of a run with the rows in the run's trail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wandb_repro.errors import InconclusiveError
from wandb_repro.manifest.trail import Trail
from wandb_repro.verify.history_rows import Row, logged_rows
from wandb_repro.verify.history_values import (
    MISSING,
    NoScalar,
    Scalar,
    find,
    is_scalar,
    logged_value,
    same,
    values_in,
)
from wandb_repro.verify.history_verdict import Grade, HistoryVerdict, Point, Points
from wandb_repro.verify.value_diff import ABSENT, readable

_MOST = 1000
"""Points of one kind that are named; the others are counted."""


class _Found:
    """Points of one kind, as they are found."""

    def __init__(self) -> None:
        self._count = 0
        self._first: list[Point] = []

    def add(self, key: str, step: int, logged: str, stored: object) -> None:
        self._count += 1
        if len(self._first) < _MOST:
            point = Point(key=key, step=step, logged=readable(logged), stored=_shown(stored))
            self._first.append(point)

    def points(self) -> Points:
        return Points(count=self._count, first=tuple(self._first))


class HistoryComparison:
    """Takes the rows of the server in the order of their steps and compares them with a trail.

    Neither side is in memory as a whole.

    Raises:
        InconclusiveError: the trail has no rows, or not their steps.
        TrailError: while comparing, if the steps of the trail do not rise.
    """

    def __init__(self, trail: Trail) -> None:
        self._ended = trail.end is not None
        self._rows = logged_rows(trail)
        self._next: Row | None = next(self._rows, None)
        if self._next is None:
            raise InconclusiveError(
                "The record of this run has no logged rows to compare.",
                hint="Only what run.log logs is compared. If the script logs, record it with this "
                "version of wandb-repro; if its trail is missing, download the run's files again.",
            )
        self._first_step = self._next.step
        self._last_step = -1
        self._number = 0
        self._equal = self._repeated = 0
        self._lost, self._changed, self._extra, self._outside = (_Found() for _ in range(4))
        self._last: dict[str, float] = {}
        """The last number that the server has of each key."""
        self._not_compared: set[str] = set()

    def take(self, stored: Iterable[tuple[int, Mapping[str, object]]]) -> None:
        """Take the next rows of the server with their steps, which rise."""
        for step, row in stored:
            self._skip_to(step)
            at_step = self._next is not None and self._next.step == step
            self._compare(self._advance() if at_step else Row(step, {}), row)

    def _skip_to(self, step: float) -> None:
        """Compare the rows of the trail before a step, which the server does not have."""
        while self._next is not None and self._next.step < step:
            self._compare(self._advance(), {})

    def _advance(self) -> Row:
        assert self._next is not None  # noqa: S101 - both callers checked it
        row, self._next = self._next, next(self._rows, None)
        self._last_step = row.step
        self._number += 1
        return row

    def _compare(self, row: Row, stored: Mapping[str, object]) -> None:
        logged = {name: logged_value(written) for name, written in row.values.items()}
        others = {name for name, value in logged.items() if isinstance(value, NoScalar)}
        self._not_compared |= others
        for name, value in logged.items():
            if not isinstance(value, NoScalar) and not name.startswith("_"):
                self._compare_value(row, name, value, find(stored, name))
        for name, value in values_in(stored):
            inside_other = any(name.startswith(f"{other}.") for other in others)
            if name not in logged and not inside_other:
                self._note_extra(row.step, name, value)
            if isinstance(value, int | float):
                self._last[name] = value

    def _compare_value(self, row: Row, name: str, logged: Scalar, stored: object) -> None:
        if stored is MISSING:
            self._lost.add(name, row.step, row.values[name], stored)
        elif same(logged, stored):
            self._equal += 1
        else:
            self._changed.add(name, row.step, row.values[name], stored)

    def _note_extra(self, step: int, name: str, value: object) -> None:
        if not is_scalar(value):
            self._not_compared.add(name)
        elif name in self._last and same(self._last[name], value):
            self._repeated += 1
        else:
            after = not self._ended and self._next is None and step > self._last_step
            found = self._outside if after or step < self._first_step else self._extra
            found.add(name, step, "", value)

    def verdict(self, run: str, *, is_running: bool, without_step: int) -> HistoryVerdict:
        """Return the verdict, after all rows of the server were taken.

        Args:
            run: its name.
            is_running: whether W&B says that the run is running.
            without_step: rows of the server that have no step.
        """
        self._skip_to(float("inf"))
        lost, changed, extra, outside = (
            found.points() for found in (self._lost, self._changed, self._extra, self._outside)
        )
        unknown = tuple(self._unknown(is_running, without_step, lost, outside))
        grade: Grade = "inconclusive" if unknown else "equal"
        if changed.count or extra.count or (lost.count and not is_running):
            grade = "different"
        return HistoryVerdict(
            run=run,
            grade=grade,
            rows=self._number,
            equal=self._equal,
            repeated=self._repeated,
            lost=lost,
            changed=changed,
            extra=extra,
            outside=outside,
            not_compared=tuple(sorted(self._not_compared)),
            unknown=unknown,
        )

    def _unknown(
        self, is_running: bool, without_step: int, lost: Points, outside: Points
    ) -> Iterator[str]:
        if not self._equal:
            yield "no logged value is equal: nothing shows that the two belong together"
        if not self._ended:
            yield "the record has no end: rows after its last one may be missing from it"
        if is_running and lost.count:
            yield "the run is still running on W&B, which may store further rows"
        if without_step:
            yield f"W&B has {without_step:,} rows without a step, as TensorBoard logs them"
        if any(point.step < self._first_step for point in outside.first):
            yield (
                f"W&B has rows before step {self._first_step}, where the record begins: an earlier "
                "process of the same run logged them, or the script did before wandb_repro"
            )


def _shown(stored: object) -> str:
    if stored is MISSING:
        return ABSENT
    if stored is None:
        return "null"
    if isinstance(stored, dict | list):
        return "an object" if isinstance(stored, dict) else "a list"
    return stored if isinstance(stored, str) else repr(stored)
