from __future__ import annotations

import random
from typing import Any, cast

import pytest
import tensorflow

from wandb_repro.recording.loop.dataset_positions import INSIDE, NO_BATCHES, DatasetPositions

tf: Any = cast("Any", tensorflow)


def shuffled() -> Any:
    tf.random.set_seed(3)
    return tf.data.Dataset.range(20).shuffle(20)


def epoch(positions: DatasetPositions, dataset: Any) -> list[int]:
    positions.begin(dataset)
    found = [int(each) for each in dataset]
    positions.end(dataset, exhausted=True)
    return found


def test_a_shuffled_dataset_goes_on_where_the_other_process_was() -> None:
    before, dataset = DatasetPositions(), shuffled()
    assert before.state() == []
    before = DatasetPositions()
    orders = [epoch(before, dataset) for _ in range(2)]
    state = before.state()
    orders.append(epoch(before, dataset))

    again = shuffled()
    assert epoch(DatasetPositions(state), again) == orders[2]
    assert state == [2]
    assert len({*map(tuple, orders)}) == 3


def test_a_dataset_that_is_made_in_the_loop_begins_anew_each_time() -> None:
    positions = DatasetPositions([5])
    dataset = shuffled()
    first = epoch(positions, dataset)
    assert first == epoch(DatasetPositions(), shuffled())
    assert positions.state() == []


def test_going_on_uses_up_no_generator() -> None:
    dataset = shuffled()
    random.seed(1)
    expected = random.random()  # noqa: S311
    random.seed(1)
    epoch(DatasetPositions([3]), dataset)
    assert random.random() == expected  # noqa: S311


def test_a_loop_without_batches_has_no_known_position() -> None:
    assert DatasetPositions().unsaved() == [NO_BATCHES]


def test_an_epoch_that_ends_inside_its_data_is_named() -> None:
    positions = DatasetPositions()
    numbers = iter([1, 2])
    positions.begin(numbers)
    assert positions.unsaved() == [INSIDE]
    positions.end(numbers, exhausted=True)
    assert positions.unsaved() == []
    positions.begin(numbers)
    positions.end(numbers, exhausted=False)
    assert positions.unsaved() == [INSIDE]


@pytest.mark.parametrize("dataset", [[1, 2], (), {"a": 1}])
def test_a_container_that_is_left_early_needs_no_position(dataset: Any) -> None:
    positions = DatasetPositions()
    positions.begin(dataset)
    positions.end(dataset, exhausted=False)
    assert positions.unsaved() == []
