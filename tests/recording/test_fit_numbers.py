from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from wandb_repro.recording.fit_numbers import FitNumbers
from wandb_repro.recording.live_compare import LiveComparison
from wandb_repro.recording.process_state import process


class Model:
    """Anything that a registry can know."""


class Original:
    """An original with these fits: number of the model and which of its fits, by fit."""

    def __init__(self, fits: dict[tuple[int, int], int]) -> None:
        self._fits = fits
        self.reserved_fits = frozenset(fits.values())

    def number_of_fit(self, model: int, ordinal: int) -> int | None:
        return self._fits.get((model, ordinal))


def like(fits: dict[tuple[int, int], int]) -> LiveComparison:
    return cast("LiveComparison", cast("Any", Original(fits)))


@pytest.fixture(autouse=True)
def models() -> Iterator[tuple[Model, Model]]:
    process.registry.clear()
    made = Model(), Model()
    for model in made:
        process.registry.add("model", model)
    yield made
    process.registry.clear()


def test_a_recording_counts_its_fits(models: tuple[Model, Model]) -> None:
    numbers = FitNumbers(None)

    assert [numbers.next_fit(model) for model in (models[1], models[0], models[1])] == [1, 2, 3]
    assert [numbers.model_of(fit) for fit in (1, 2, 3, 9)] == [2, 1, 2, 0]


def test_a_rerun_gives_each_fit_the_number_of_the_original(models: tuple[Model, Model]) -> None:
    numbers = FitNumbers(like({(1, 1): 1, (2, 1): 2, (1, 2): 3}))

    assert [numbers.next_fit(model) for model in (models[1], models[0], models[0])] == [2, 1, 3]


def test_a_fit_that_the_original_has_not_gets_a_number_of_its_own(
    models: tuple[Model, Model],
) -> None:
    numbers = FitNumbers(like({(1, 1): 1, (1, 2): 2}))

    assert [numbers.next_fit(model) for model in (models[1], models[0])] == [3, 1]


def test_a_fit_without_a_model_is_counted() -> None:
    numbers = FitNumbers(None)
    assert [numbers.next_fit(None), numbers.next_fit(None)] == [1, 2]
    assert numbers.model_of(1) == 0
    numbers.note_digested(1)


def test_an_original_that_knows_no_models_is_numbered_in_order(
    models: tuple[Model, Model],
) -> None:
    numbers = FitNumbers(like({}))

    assert [numbers.next_fit(model) for model in models] == [1, 2]


def test_a_loop_gets_the_number_that_no_model_has(models: tuple[Model, Model]) -> None:
    numbers = FitNumbers(like({(1, 1): 2, (1, 2): 4}))

    fits = [numbers.next_fit(model) for model in (None, models[0], None, models[0])]
    assert fits == [1, 2, 3, 4]


def test_an_open_fit_knows_what_it_trains_and_whether_its_end_was_digested(
    models: tuple[Model, Model],
) -> None:
    numbers = FitNumbers(None)
    first, second = (numbers.next_fit(model) for model in models)

    numbers.note_digested(second)

    assert numbers.trained_by(second) == {"model 2"}
    assert (numbers.end(first), numbers.end(second)) == (False, True)
    assert (numbers.trained_by(second), numbers.end(second)) == (frozenset(), False)
