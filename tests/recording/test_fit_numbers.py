from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from tests.support.records import granularity
from wandb_repro.manifest.trail_records import OTHER_THREADS
from wandb_repro.recording.fit_numbers import FitNumbers
from wandb_repro.recording.live_compare import LiveComparison
from wandb_repro.recording.process_state import process
from wandb_repro.state.thread_order import OTHER, ThreadPlace


class Model:
    """Anything that a registry can know."""


class Original:
    """An original with these fits: thread and number of the model, and which of its fits."""

    def __init__(self, fits: dict[tuple[str, int, int], int]) -> None:
        self._fits = fits
        self.reserved_fits = frozenset(fits.values())

    def number_of_fit(self, thread: str, model: int, ordinal: int) -> int | None:
        return self._fits.get((thread, model, ordinal))


def like(fits: dict[tuple[int, int], int]) -> LiveComparison:
    return like_threads({("", *key): fit for key, fit in fits.items()})


def like_threads(fits: dict[tuple[str, int, int], int]) -> LiveComparison:
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
    assert [numbers.described(granularity(fit=fit)).model for fit in (1, 2, 3, 9)] == [2, 1, 2, 0]


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
    assert numbers.described(granularity(fit=1)).model == 0
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


def made_in(place: ThreadPlace, monkeypatch: pytest.MonkeyPatch) -> Model:
    """Return a model that this thread made."""
    with monkeypatch.context() as patch:
        patch.setattr(process.registry.threads, "current", lambda: place)
        process.registry.add("model", model := Model())
    return model


def test_a_fit_of_what_a_thread_made_is_numbered_by_the_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (made_in(ThreadPlace(path=(("train", n),)), monkeypatch) for n in (1, 2))
    numbers = FitNumbers(like_threads({("train#1", 1, 1): 1, ("train#2", 1, 1): 2}))

    assert [numbers.next_fit(model) for model in (second, first)] == [2, 1]
    plans = [numbers.described(granularity(fit=fit)) for fit in (1, 2)]
    assert [(plan.model, plan.thread) for plan in plans] == [(1, "train#1"), (1, "train#2")]
    assert numbers.trained_by(2) == {"model 1 of thread train#2"}


def test_the_fits_of_a_pool_get_the_originals_numbers_as_they_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = [made_in(OTHER, monkeypatch) for _ in range(3)]
    key = OTHER_THREADS, 0
    numbers = FitNumbers(like_threads({("", 1, 1): 1, (*key, 1): 2, (*key, 2): 3}))

    assert [numbers.next_fit(model) for model in made[::-1]] == [2, 3, 4]


def test_a_loop_in_a_thread_is_numbered_by_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = FitNumbers(like_threads({("train#1", 0, 1): 1, ("train#2", 0, 1): 2}))
    fits: list[int] = []
    for number in (2, 1):
        place = ThreadPlace(path=(("train", number),))
        monkeypatch.setattr(process.registry.threads, "current", lambda place=place: place)
        fits.append(numbers.next_fit(None))

    assert fits == [2, 1]
    assert numbers.described(granularity(fit=2)).thread == "train#2"
