from __future__ import annotations

import struct

import pytest

from wandb_repro.manifest.trail_records import Logged
from wandb_repro.verify.row_steps import RowStep, other_steps, row_steps, steps_of
from wandb_repro.verify.value_diff import ValueComparison


def rows(steps: str, *, first: int = 1, name: str = "acc", begins: int = 0) -> Logged:
    """Return two rows."""
    numbers = {name: struct.pack(">2d", 0.5, 0.25).hex()}
    return Logged(first=first, rows=2, numbers=numbers, texts={}, steps=steps, begins=begins)


def differences(original: list[Logged], rerun: list[Logged], *patterns: str) -> list[str]:
    comparison = ValueComparison(patterns)
    for side, records in ((0, original), (1, rerun)):
        for record in records:
            comparison.take(1 if side else 0, record)
    return [str(found) for found in comparison.differences(whole=True)]


OTHER = ["logged _step at row 2: 5 in the original, 7 in the rerun"]


def test_a_row_logged_at_another_step_is_a_difference() -> None:
    assert differences([rows("0,5")], [rows("0,7")]) == OTHER
    assert differences([rows("0,5")], [rows("0,5")]) == []


def test_rows_that_are_in_records_of_other_lengths_are_compared_too() -> None:
    both = rows("0,5").model_copy(update={"rows": 4, "steps": "0,5,8-9"})
    both = both.model_copy(update={"numbers": {"acc": both.numbers["acc"] * 2}})

    assert differences([both], [rows("0,7"), rows("8-9", first=3)]) == OTHER
    assert differences([both], [rows("0,5"), rows("8-9", first=3)]) == []


@pytest.mark.parametrize("unknown", ["", "5,0", "0", "0-5"])
def test_steps_that_one_run_does_not_know_are_not_compared(unknown: str) -> None:
    assert differences([rows("0,5")], [rows(unknown)]) == []
    assert steps_of(rows(unknown)) == []


def test_rows_of_volatile_values_alone_and_volatile_steps_are_not_compared() -> None:
    assert differences([rows("0,5", name="epoch_time")], [rows("0,7", name="epoch_time")]) == []
    assert differences([rows("0,5")], [rows("0,7")], "_step") == []


def test_a_run_that_went_on_may_have_counted_from_where_it_was() -> None:
    assert differences([rows("100-101", begins=100)], [rows("0-1")]) == []
    assert differences([rows("5-6", begins=100)], [rows("5-6")]) == []  # the script gave them
    assert len(differences([rows("100,102", begins=100)], [rows("0-1")])) == 1


def test_steps_are_known_by_row() -> None:
    assert row_steps(rows("3-4", first=7)) == {7: RowStep(3), 8: RowStep(4)}
    assert list(other_steps({1: RowStep(0), 2: RowStep(1)}, {2: RowStep(3), 3: RowStep(4)})) == [
        (2, 1, 3)
    ]
