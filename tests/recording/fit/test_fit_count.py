from __future__ import annotations

import gc
from types import SimpleNamespace

from wandb_repro.recording.fit.fit_count import FIRST_FITS, FitCount, is_digested


class Model:
    """Can be referred to weakly, as Keras' models can; equal to every other, as a trap."""

    optimizer: object = None

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # pyright: ignore[reportAssignmentType]


def test_the_first_fits_and_then_powers_of_two_are_digested() -> None:
    assert all(is_digested(ordinal) for ordinal in range(1, FIRST_FITS + 1))
    later = [ordinal for ordinal in range(FIRST_FITS + 1, 10_000) if is_digested(ordinal)]
    assert later == [128, 256, 512, 1024, 2048, 4096, 8192]


def test_each_model_has_its_own_count() -> None:
    count, one, two = FitCount(), Model(), Model()
    assert [count.count(model) for model in (one, two, one, one, two)] == [1, 1, 2, 3, 2]


def test_a_model_that_is_gone_takes_no_memory_and_leaves_no_count_to_the_next() -> None:
    count = FitCount()
    for _ in range(100):
        assert count.count(Model()) == 1
    gc.collect()
    assert not vars(count)["_models"]


def test_what_cannot_be_referred_to_weakly_is_counted_too() -> None:
    count, model = FitCount(), 7
    assert [count.count(model), count.count(model), count.count(None)] == [1, 2, 1]


def test_another_optimizer_or_argument_is_a_new_setting() -> None:
    count, model, other = FitCount(), Model(), Model()
    model.optimizer = Model()
    data = SimpleNamespace(rows=3)

    def new(model: Model, **arguments: object) -> bool:
        return count.has_new_settings(model, arguments)

    assert new(model, epochs=1, x=data)
    assert not new(model, epochs=1, x=SimpleNamespace(rows=4))
    assert new(other, epochs=1)
    assert new(model, epochs=2)
    model.optimizer = None
    assert new(model, epochs=2)
    assert not new(model, epochs=2)
