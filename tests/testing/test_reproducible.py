"""Real Keras trainings in fresh processes, each of them twice."""

from __future__ import annotations

import functools
import os

import pytest

from tests.support import trainings
from tests.support.recorded import newcomer
from wandb_repro.errors import UsageError
from wandb_repro.testing import assert_reproducible
from wandb_repro.testing.fresh_task import INSIDE


@pytest.fixture(autouse=True)
def as_a_newcomer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set no switch of ours, and no mode of W&B."""
    for name in set(os.environ) - set(newcomer()) | {"WANDB_MODE"}:
        monkeypatch.delenv(name, raising=False)


def _told(train: object, **options: object) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_reproducible(train, **options)  # pyright: ignore[reportArgumentType]
    return str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    "train",
    [trainings.dense, functools.partial(trainings.dense, units=5), trainings.returned],
    ids=["seeded", "with arguments", "returns its model"],
)
def test_a_training_that_repeats_itself_passes(train: object) -> None:
    assert_reproducible(train)  # pyright: ignore[reportArgumentType]


@pytest.mark.slow
def test_a_training_without_a_seed_passes_with_one_given() -> None:
    assert_reproducible(
        functools.partial(trainings.dense, seed=None), steps=4, seed=7, deterministic=True
    )


@pytest.mark.slow
def test_rows_in_another_order_are_told_from_other_kernels() -> None:
    told = _told(trainings.in_another_order, steps=6)
    assert "diverged  at step 1 (epoch 1)\n" in told
    assert "first cause     the batches up to step 1 (epoch 1) differ\n" in told
    assert "changes bits  The batches up to step 1 (epoch 1) differ" in told


@pytest.mark.slow
def test_a_callback_that_changes_a_weight_is_found_with_step_and_tensor() -> None:
    told = _told(trainings.changed_between_steps)
    assert "diverged  at step 4 (epoch 1)\n" in told
    assert "equal until     step 3 (epoch 1)\n" in told
    assert "first cause     something other than training changed the weights between" in told


@pytest.mark.slow
def test_a_second_model_that_was_returned_is_judged_beside_the_fit() -> None:
    told = _told(trainings.two_models)
    assert "two fresh processes trained different weights" in told
    assert "diverged  at the final weights of fit 2\n" in told


@pytest.mark.slow
def test_a_training_that_trains_nothing_proves_nothing() -> None:
    told = _told(trainings.nothing)
    assert told.startswith("Nothing shows whether tests.support.trainings:nothing repeats itself.")
    assert "inconclusive  too little evidence\n" in told


@pytest.mark.slow
def test_a_training_that_fails_is_told_with_what_it_printed() -> None:
    told = _told(trainings.broken)
    assert told.startswith(
        "tests.support.trainings:broken failed in a fresh process (the first process): "
        "ValueError: the images are gone\nWhat it printed last:\n\n"
    )
    assert "ValueError: the images are gone\n" in told
    assert "wandb_repro/testing" not in told


def test_a_training_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    assert _told(trainings.endless, timeout_s=1.5).startswith(
        "tests.support.trainings:endless did not end within 1.5 s in a fresh process (the first "
        "process). Train less in a test, or give timeout_s=.\nWhat it printed last:"
    )


def test_wrong_use_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="steps=0 is not a number of steps"):
        assert_reproducible(trainings.dense, steps=0)
    monkeypatch.setenv(INSIDE, "1")
    with pytest.raises(UsageError, match="while a fresh process imported that training's module"):
        assert_reproducible(trainings.dense)
