from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wandb_repro.recording.fit.losses import LossBuffer, Run, exact, number_of


def taken(losses: LossBuffer, steps: int | None = None) -> list[Run]:
    return list(losses.taken(steps))


def test_values_of_steps_in_a_row_make_one_run_counted_from_one() -> None:
    losses = LossBuffer(1)
    for batch in range(3):
        losses.take(batch, {"loss": batch / 2})
    assert taken(losses) == [Run(1, 3, {"loss": [0.0, 0.5, 1.0]})]
    assert taken(losses) == []


def test_a_runs_values_are_written_with_all_their_bits() -> None:
    assert Run(1, 2, {"loss": [0.5, -0.0]}).bits() == {"loss": "3fe00000000000008000000000000000"}


def test_values_that_came_out_of_order_are_written_in_order_and_wait_for_a_gap() -> None:
    losses = LossBuffer(1)
    for batch in (1, 0, 3):
        losses.take(batch, {"loss": float(batch)})
    assert taken(losses) == [Run(1, 2, {"loss": [0.0, 1.0]})]
    losses.take(2, {"loss": 2.0})
    assert taken(losses) == [Run(3, 4, {"loss": [2.0, 3.0]})]


def test_a_metric_that_joins_later_begins_a_run_of_its_own() -> None:
    losses = LossBuffer(1)
    losses.take(0, {"loss": 1.0})
    losses.take(1, {"loss": 1.0, "accuracy": 0.5})
    assert taken(losses) == [
        Run(1, 1, {"loss": [1.0]}),
        Run(2, 2, {"loss": [1.0], "accuracy": [0.5]}),
    ]


def test_of_steps_that_run_as_one_only_the_last_has_values() -> None:
    losses = LossBuffer(4)
    losses.take(3, {"loss": 1.0})
    losses.take(7, {"loss": 2.0})
    assert taken(losses) == [Run(4, 8, {"loss": [1.0, 2.0]})]


def test_the_last_group_of_an_epoch_ends_with_the_epoch() -> None:
    losses = LossBuffer(4)
    losses.take(3, {"loss": 1.0})
    losses.take(7, {"loss": 2.0})
    assert taken(losses, steps=6) == [Run(4, 6, {"loss": [1.0, 2.0]})]


def test_a_new_epoch_forgets_what_was_not_written_and_counts_from_one() -> None:
    losses = LossBuffer(1)
    losses.take(5, {"loss": 1.0})
    losses.begin_epoch()
    losses.take(0, {"loss": 2.0})
    assert taken(losses) == [Run(1, 1, {"loss": [2.0]})]


def test_they_are_ready_to_be_written_after_256_steps() -> None:
    losses = LossBuffer(1)
    for batch in range(255):
        losses.take(batch, {"loss": 0.0})
    assert not losses.ready()
    losses.take(255, {"loss": 0.0})
    assert losses.ready()


def test_what_only_an_epoch_has_is_added_to_its_last_step() -> None:
    losses = LossBuffer(1)
    for batch in range(2):
        losses.take(batch, {"loss": float(batch)})
    losses.add_to_last(2, {"loss": 9.0, "val_loss": 0.5, "m": np.zeros(2)})
    assert [(run.first, run.values) for run in losses.taken(2)] == [
        (1, {"loss": [0.0]}),
        (2, {"val_loss": [0.5], "loss": [1.0]}),
    ]


def test_what_only_an_epoch_has_is_kept_if_no_step_reported_anything() -> None:
    losses = LossBuffer(1)
    losses.add_to_last(1, {"val_loss": 0.5})
    assert [run.values for run in losses.taken(1)] == [{"val_loss": [0.5]}]


def test_a_step_without_any_number_leaves_no_run() -> None:
    losses = LossBuffer(1)
    losses.take(0, {"confusion": np.zeros((2, 2))})
    assert taken(losses) == []


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0.5, 0.5),
        (np.float32(0.25), 0.25),
        (np.array(3), 3.0),
        ("0.5", 0.5),
        (np.zeros(1), None),
        ("high", None),
        (None, None),
        (10**400, None),
    ],
)
def test_a_metric_is_a_single_number_or_left_out(value: Any, number: float | None) -> None:
    assert number_of(value) == number


def test_metrics_are_exact_to_the_last_bit_also_where_they_are_no_numbers() -> None:
    logs = {"loss": np.float32(0.1), "best": float("inf"), "no": float("nan"), "m": np.zeros((2,))}
    assert exact(logs) == {"loss": "0x1.99999a0000000p-4", "best": "inf", "no": "nan"}
