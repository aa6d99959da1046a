"""W&B's steps of logged rows, and where two runs logged the same row at different ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from wandb_repro.manifest.leaf_positions import places_of
from wandb_repro.manifest.trail_records import Logged

_DIGITS = 16
"""Hexadecimal digits of one number."""

STEP = "_step"
"""W&B's name of the step in a row."""


class RowStep(NamedTuple):
    """W&B's step of one row."""

    step: int
    begins: int = 0
    """W&B's step when the record began: not 0 in a run that goes on."""

    def same_as(self, other: RowStep) -> bool:
        """Tell whether two runs logged at one step, as the script gave it or as W&B counted."""
        return self.step == other.step or self.step - self.begins == other.step - other.begins


def steps_of(record: Logged) -> list[int]:
    """Return the steps of a record's rows; empty if they do not rise, or are more or fewer."""
    lengths = {len(digits) // _DIGITS for digits in record.numbers.values()}
    lengths |= {len(texts) for texts in record.texts.values()}
    if lengths != {record.rows}:
        return []
    # A hostile record may name more steps than fit in memory.
    steps = list(islice(places_of(record.steps), record.rows + 1))
    return steps if len(steps) == record.rows and steps == sorted(set(steps)) else []


def row_steps(record: Logged) -> dict[int, RowStep]:
    """Return the step of each row of a record, by the row's number; empty if it is not known."""
    steps = enumerate(steps_of(record), start=record.first)
    return {row: RowStep(step, record.begins) for row, step in steps}


def other_steps(
    original: Mapping[int, RowStep], rerun: Mapping[int, RowStep]
) -> Iterator[tuple[int, int, int]]:
    """Yield number, original's step and rerun's step of each row that both logged otherwise."""
    for row in sorted(original.keys() & rerun.keys()):
        if not original[row].same_as(rerun[row]):
            yield row, original[row].step, rerun[row].step
