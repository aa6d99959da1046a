"""Generators that a script registers: which can be, and under which name."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from wandb_repro.errors import UsageError
from wandb_repro.recording.process_state import process
from wandb_repro.recording.rng_registry import check_registrable, register, registered


@pytest.fixture(autouse=True)
def none_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "generators", [])


@pytest.mark.parametrize("generator", [random.Random(1), np.random.default_rng(1)])  # noqa: S311
def test_a_generator_with_a_state_can_be_registered(generator: object) -> None:
    check_registrable(generator)


@pytest.mark.parametrize("generator", [random, random.SystemRandom(), 3, None])
def test_what_has_no_state_to_keep_is_refused(generator: object) -> None:
    with pytest.raises(UsageError, match="cannot be saved"):
        check_registrable(generator)


def test_a_generator_is_returned_and_named_by_its_kind_and_place() -> None:
    one, two = random.Random(1), random.Random(2)  # noqa: S311 - what is under test
    assert register(one, None) is one
    register(two, None)
    assert [known.name for known in registered()] == ["Random 1", "Random 2"]


def test_a_generator_that_is_registered_again_keeps_its_name_and_place() -> None:
    one: Any = random.Random(1)  # noqa: S311 - what is under test
    register(one, "data")
    register(random.Random(2), "noise")  # noqa: S311 - what is under test
    register(one, "other")
    assert [known.name for known in registered()] == ["data", "noise"]


def test_a_name_that_is_given_again_means_the_new_generator() -> None:
    one, two = random.Random(1), random.Random(2)  # noqa: S311 - what is under test
    register(one, "data")
    register(two, "data")
    assert [(known.name, known.generator) for known in registered()] == [("data", two)]
