"""What a checkpoint cannot save: found on plain objects, without a fit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wandb_repro.keras.checkpoint.unsaved_state import (
    AttributeWatch,
    Unsaved,
    unsaved_of_fit,
    unsaved_of_watches,
)


class Counting:
    """As a callback: it has ``set_model``."""

    def __init__(self) -> None:
        self.count = 0
        self.weights: Any = np.zeros(3)
        self.model: object = None

    def set_model(self, model: object) -> None:
        self.model = model


class Named(Counting):
    saved_attributes = ("count",)


class Rows:
    """As the user's dataset: rows by number."""

    def __init__(self, workers: int = 1) -> None:
        self.epoch: object = 0
        self.workers = workers
        self.rng = SimpleNamespace(normal=lambda: 0.0)

    def __getitem__(self, index: int) -> float:
        return index + self.rng.normal()


class Holding:
    def __init__(self) -> None:
        self.rng = np.random.default_rng(1)


class BackupAndRestore:
    """Named like Keras' own."""


def test_a_reason_reads_as_what_where_and_what_to_do() -> None:
    assert str(Unsaved("a counter changes", "train.py:3", "name it")) == (
        "a counter changes (train.py:3); name it"
    )
    assert str(Unsaved("a counter changes", "", "name it")) == "a counter changes; name it"


def test_attributes_that_change_are_found_the_bits_of_arrays_too() -> None:
    owner = Counting()
    watch = AttributeWatch(owner)
    assert watch.changed() == ()

    owner.count = 1
    owner.weights[2] = -0.0
    assert watch.changed() == ("count", "weights")

    owner.count = 0
    owner.weights = np.zeros(3)
    assert watch.changed() == ()


def test_an_added_and_a_removed_attribute_have_changed_and_keras_own_are_left_out() -> None:
    owner = Counting()
    watch = AttributeWatch(owner)

    owner.set_model("a model")
    vars(owner)["extra"] = 1
    del owner.count

    assert watch.changed() == ("extra", "count")


@pytest.mark.parametrize(("owner", "names"), [(Counting(), ["Counting.count"]), (Named(), [])])
def test_a_callbacks_attribute_that_nobody_named_is_not_saved(
    owner: Counting, names: list[str]
) -> None:
    watch = AttributeWatch(owner)
    owner.count += 1

    found = unsaved_of_watches([watch])

    assert [one.what.removesuffix(" changes") for one in found] == names
    assert all("saved_attributes = ('count',)" in one.cure for one in found)


def test_plain_values_of_a_dataset_are_saved_and_others_are_not() -> None:
    rows = Rows()
    watch = AttributeWatch(rows)

    rows.epoch = 1
    assert unsaved_of_watches([watch]) == []

    rows.epoch = object()
    (found,) = unsaved_of_watches([watch])
    assert (found.what, found.cure[:17]) == ("Rows.epoch changes", "keep plain values")


def test_a_fit_that_shows_nothing_has_no_reason() -> None:
    assert unsaved_of_fit({}, []) == []


def test_a_generator_that_data_or_a_callback_holds_is_named_once() -> None:
    holding = Holding()

    found = unsaved_of_fit({"x": holding}, [holding])

    assert [one.what for one in found] == ["Holding.rng holds a random generator"]
    assert found[0].cure == "pass it to wandb_repro.register(...)"


@pytest.mark.parametrize(("workers", "reasons"), [(1, 0), (2, 1)])
def test_several_workers_may_share_the_generator_that_rows_draw_from(
    workers: int, reasons: int
) -> None:
    found = unsaved_of_fit({"x": Rows(workers)}, [])

    assert [one.what.startswith("2 workers") for one in found] == [True] * reasons


def test_another_callback_that_restores_is_named() -> None:
    (found,) = unsaved_of_fit({}, [BackupAndRestore()])

    assert found.cure == "remove it from callbacks"


def test_validation_steps_go_on_in_the_data_of_the_last_epoch() -> None:
    data = SimpleNamespace(element_spec=None)

    (found,) = unsaved_of_fit({"val_x": data, "validation_steps": 2}, [])

    assert found.cure.startswith("use .take(validation_steps)")
    assert unsaved_of_fit({"val_x": data}, []) == []
