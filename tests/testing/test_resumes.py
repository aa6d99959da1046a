"""Real Keras trainings: never stopped, killed, and started again."""

from __future__ import annotations

import functools

import pytest

from tests.support import trainings
from wandb_repro.errors import UsageError
from wandb_repro.testing import assert_resumes_exactly

pytestmark = pytest.mark.slow


def _told(train: object, **options: object) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_resumes_exactly(train, **options)  # pyright: ignore[reportArgumentType]
    return str(caught.value)


def test_a_training_whose_whole_state_was_saved_resumes_exactly() -> None:
    assert_resumes_exactly(trainings.backed_up, stop_after=[7, 15])


def test_dropout_and_a_shuffled_dataset_resume_exactly_by_our_own_checkpoints() -> None:
    assert_resumes_exactly(trainings.checkpointed)


def test_seed_generators_that_were_not_saved_are_named() -> None:
    told = _told(functools.partial(trainings.backed_up, dropout=0.3))
    assert told.startswith(
        "tests.support.trainings:backed_up does not resume exactly: killed after step 15, it "
        "continued from step 12, and trained different weights than without the stop.\n\n"
        "diverged  at step 12 (epoch 3)\n"
        "  original        never stopped\n"
        "  rerun           killed after step 15, and resumed\n"
    )
    assert "first tensor    seed_generator/seed_generator_state [2], seed\n" in told
    assert "The checkpoint did not restore the states of the seed generators" in told
    assert "Keras' BackupAndRestore leaves them out" in " ".join(told.split())


def test_data_that_does_not_go_on_where_it_was_is_named() -> None:
    told = _told(functools.partial(trainings.backed_up, shuffled=True))
    assert "diverged  at step 13 (epoch 3)\n" in told
    assert "equal until     step 12 (epoch 3)\n" in told
    assert "The restored state is equal, but the batches after it are not" in told


def test_a_training_that_begins_again_is_not_taken_for_one_that_resumed() -> None:
    told = _told(trainings.unsaved)
    assert "started again, it began at step 0: nothing was restored." in told
    assert "Its folder was empty: save into the folder that is passed to train" in told


def test_a_stop_outside_of_the_training_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="stop_after=99 is not within the training, which"):
        assert_resumes_exactly(trainings.backed_up, stop_after=99)
