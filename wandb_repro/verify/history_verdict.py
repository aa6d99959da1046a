"""The verdict on the history that W&B's server has of a run."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import Record

Grade = Literal["equal", "different", "inconclusive"]

EXIT_CODES: dict[Grade, int] = {"equal": 0, "different": 1, "inconclusive": 3}


class Point(Record):
    """One value of the history that is not the same in the trail and on the server."""

    key: str
    """Nested keys are joined by dots."""
    step: int
    """W&B's ``_step``."""
    logged: str
    """As the trail has it; ``not there`` if it has none."""
    stored: str
    """As the server has it; ``not there`` if it has none."""


class Points(Record):
    """Points of one kind."""

    count: int = 0
    first: tuple[Point, ...] = ()
    """The first of them, by step: a thousand at most."""


class HistoryVerdict(Record):
    """Whether W&B's server has the history that was logged."""

    run: str
    grade: Grade
    rows: int
    """Rows in the trail."""
    equal: int
    """Points that were compared and are equal; a point is one key in one row."""
    repeated: int
    """Points that W&B adds: ``define_metric`` repeats the last value of a step metric."""
    lost: Points
    """In the trail and not on the server."""
    changed: Points
    extra: Points
    """On the server and not in the trail, among the rows that the trail covers."""
    outside: Points
    """On the server, before the first row of the trail, or after the last one of a killed run."""
    not_compared: tuple[str, ...]
    """Keys with values that are not compared: media, tables, lists and long texts."""
    unknown: tuple[str, ...]
    """What was missing for a certain answer, in words."""

    @property
    def exit_code(self) -> int:
        """Exit code of a command that gives this verdict."""
        return EXIT_CODES[self.grade]
