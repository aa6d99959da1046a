"""The logged rows of a trail with W&B's steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from wandb_repro.errors import InconclusiveError, TrailError
from wandb_repro.manifest.leaf_positions import spans_of
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Logged
from wandb_repro.verify.row_steps import steps_of
from wandb_repro.verify.value_diff import rows_of


class Row(NamedTuple):
    """One row of the history."""

    step: int
    """W&B's ``_step``."""
    values: Mapping[str, str]
    """As the trail writes them."""


def logged_rows(trail: Trail) -> Iterator[Row]:
    """Yield each row of a trail, in the order of the steps.

    Raises:
        InconclusiveError: the trail does not say at which steps its rows were logged.
        TrailError: the steps do not rise.
    """
    last = -1
    for record in trail.of(Logged):
        if not record.steps:
            raise InconclusiveError(
                "The record does not say at which steps its rows were logged.",
                hint="An earlier version of wandb-repro recorded it, or W&B ran in shared mode. "
                "Record the training again with this version.",
            )
        steps = steps_of(record)
        if not steps or steps[0] <= last:
            raise TrailError(f"The steps of the trail do not rise from row {record.first}.")
        last = steps[-1]
        yield from map(Row, steps, (values for _, values in rows_of(record)))


def last_step(trail: Trail) -> int:
    """Return the step of a trail's last row; 0 if it has none."""
    steps = (last for record in trail.of(Logged) for _, last in spans_of(record.steps))
    return max(steps, default=0)
