"""Tests of a training. Copy this file next to yours, and change the names."""

import keras
import training

from wandb_repro.testing import (
    assert_learns,
    assert_matches_golden,
    assert_no_leakage,
    assert_reproducible,
    assert_resumes_exactly,
)


def test_no_image_is_in_two_parts_of_the_data() -> None:
    assert_no_leakage(**training.parts())


def test_the_model_can_overfit_one_batch() -> None:
    keras.utils.set_random_seed(1)
    assert_learns(training.build(), *training.parts()["train"])


def test_training_twice_gives_the_same_bits() -> None:
    assert_reproducible(training.train, steps=20)


def test_a_killed_training_ends_with_the_same_weights() -> None:
    assert_resumes_exactly(training.train_with_checkpoints)


def test_nothing_changed_since_the_golden_file_was_written() -> None:
    # Written by: pytest --repro-update, on the kind of machine that the tests run on.
    assert_matches_golden(training.train, "golden/train.json")
