from __future__ import annotations

import struct

import pytest

from wandb_repro.errors import InconclusiveError, TrailError
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Logged
from wandb_repro.verify.history_rows import last_step, logged_rows


def bits(*values: float) -> str:
    return struct.pack(f">{len(values)}d", *values).hex()


def losses(*values: float, steps: str, first: int = 1) -> Logged:
    return Logged(first=first, rows=len(values), numbers={"loss": bits(*values)}, steps=steps)


def trail(*records: Logged) -> Trail:
    return Trail(records, torn=False)


def test_each_row_has_its_step() -> None:
    note = Logged(first=4, rows=1, texts={"note": ("str:a",)}, steps="1000000000000")
    logged = trail(losses(0.5, 0.25, 0.125, steps="0-1,7"), note)

    rows = list(logged_rows(logged))

    assert [row.step for row in rows] == [0, 1, 7, 10**12]
    assert [row.values for row in rows[2:]] == [{"loss": bits(0.125)}, {"note": "str:a"}]
    assert (last_step(logged), last_step(trail())) == (10**12, 0)


def test_a_record_without_steps_cannot_be_compared() -> None:
    with pytest.raises(InconclusiveError, match="at which steps"):
        list(logged_rows(trail(losses(0.5, steps=""))))


@pytest.mark.parametrize("steps", ["1-0", "0", "0-1,1", "2,1", "0-999999999999999999"])
def test_steps_that_cannot_be_those_of_the_rows_are_refused(steps: str) -> None:
    with pytest.raises(TrailError, match="do not rise from row 1"):
        list(logged_rows(trail(losses(0.5, 0.25, steps=steps))))


def test_records_whose_steps_do_not_rise_are_refused() -> None:
    records = losses(0.5, steps="3"), losses(0.25, steps="3", first=2)
    with pytest.raises(TrailError, match="from row 2"):
        list(logged_rows(trail(*records)))


def test_rows_that_a_record_does_not_hold_are_refused() -> None:
    record = Logged(first=1, rows=10**15, numbers={"loss": bits(1)}, steps="0-999999999999999")
    with pytest.raises(TrailError, match="from row 1"):
        list(logged_rows(trail(record)))
