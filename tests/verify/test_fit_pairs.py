from __future__ import annotations

from tests.support.records import granularity
from wandb_repro.manifest.trail_records import OTHER_THREADS, Granularity
from wandb_repro.verify.fit_pairs import model_key, numbered_by_model


def plan(fit: int, model: int, thread: str = "") -> Granularity:
    return granularity(fit=fit).model_copy(update={"model": model, "thread": thread})


def test_fits_are_counted_by_model() -> None:
    numbered = [plan(1, 5), plan(2, 7), plan(3, 5), plan(3, 5)]  # one may be written twice

    assert numbered_by_model(numbered) == {1: ("", 5, 1), 2: ("", 7, 1), 3: ("", 5, 2)}


def test_a_fit_of_an_unknown_model_is_left_out_unless_a_thread_trains_it() -> None:
    numbered = [plan(1, 0), plan(2, 0, "train#1"), plan(3, 0, "train#1")]

    assert numbered_by_model(numbered) == {2: ("train#1", 0, 1), 3: ("train#1", 0, 2)}


def test_models_of_two_threads_are_two() -> None:
    numbered = [plan(1, 1), plan(2, 1, "train#1"), plan(3, 1, "train#2")]

    assert list(numbered_by_model(numbered).values()) == [
        ("", 1, 1),
        ("train#1", 1, 1),
        ("train#2", 1, 1),
    ]


def test_the_models_of_a_pool_count_together() -> None:
    numbered = [plan(1, 2, OTHER_THREADS), plan(2, 1, OTHER_THREADS)]

    assert numbered_by_model(numbered) == {1: (OTHER_THREADS, 0, 1), 2: (OTHER_THREADS, 0, 2)}
    assert model_key(OTHER_THREADS, 3) == (OTHER_THREADS, 0)
    assert model_key("train#1", 3) == ("train#1", 3)
