from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow

from wandb_repro.keras.checkpoint.data_position import DataPosition

tf: Any = tensorflow


class Adapter:
    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def get(self) -> Any:
        return self._dataset


class EpochIterator:
    """As much of Keras' class as is used."""

    def __init__(self, dataset: Any, steps_per_epoch: int | None = None) -> None:
        self.data_adapter = Adapter(dataset)
        self.steps_per_epoch = steps_per_epoch
        self._current_iterator: Any = None
        self._steps_seen = 0

    def _get_iterator(self) -> Any:
        return self.data_adapter.get()

    def epoch(self, steps: int) -> list[int]:
        """Return what an epoch of so many steps shows."""
        if self._current_iterator is None or self.steps_per_epoch is None:
            self._current_iterator = iter(self._get_iterator())
        shown = [int(next(self._current_iterator)) for _ in range(steps)]
        self._steps_seen += steps
        return shown


def shuffled() -> Any:
    return tf.data.Dataset.range(6).shuffle(6, seed=3)


def begun(iterator: EpochIterator) -> DataPosition:
    return DataPosition({"epoch_iterator": iterator})


def test_iterators_are_counted_where_they_are_made() -> None:
    iterator = EpochIterator(shuffled())
    position = begun(iterator)
    for _ in range(3):
        iterator.epoch(6)
    assert position.state() == {"begun": 3, "taken": 0, "kind": "Adapter", "validation": 0}


def test_a_shuffled_pipeline_goes_on_in_the_order_of_a_training_that_never_stopped() -> None:
    never_stopped = EpochIterator(shuffled())
    position = begun(never_stopped)
    epochs = [never_stopped.epoch(6) for _ in range(2)]
    state = position.state()
    third = never_stopped.epoch(6)

    resumed = EpochIterator(shuffled())
    begun(resumed).restore(state, lambda batches: None)
    assert resumed.epoch(6) == third
    assert third not in epochs


def test_with_steps_per_epoch_the_batches_that_were_used_are_skipped() -> None:
    never_stopped = EpochIterator(shuffled(), steps_per_epoch=2)
    position = begun(never_stopped)
    never_stopped.epoch(2)
    state = position.state()
    assert (state["begun"], state["taken"]) == (1, 2)
    skipped: list[int] = []
    resumed = EpochIterator(shuffled(), steps_per_epoch=2)
    restored = begun(resumed)
    restored.restore(state, skipped.append)
    assert resumed.epoch(2) == never_stopped.epoch(2)
    assert skipped == [2]
    assert restored.state()["begun"] == 1


def test_iterators_of_the_validation_data_are_counted_and_made_again() -> None:
    made: list[int] = []

    class Held:
        element_spec = None

        def __iter__(self) -> Iterator[int]:
            made.append(1)
            return iter(())

    position = DataPosition({"val_x": Held()})
    validation = EpochIterator(shuffled())
    position.see_validation(validation)
    position.see_validation(validation)  # at each evaluation
    for _ in range(2):
        validation.epoch(6)
    assert position.state()["validation"] == 2
    restored = DataPosition({"val_x": Held()})
    restored.restore(position.state(), lambda batches: None)
    assert len(made) == 2
    assert restored.state()["validation"] == 2


def test_without_an_iterator_there_is_nothing_to_restore() -> None:
    position = DataPosition({})
    position.restore({"begun": 3, "taken": 0, "validation": 0}, lambda batches: None)
