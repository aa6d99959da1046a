from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy
import pytest
import tensorflow

from wandb_repro.keras import batch_tap
from wandb_repro.keras.batch_tap import watch
from wandb_repro.manifest.base import Unavailable

tf: Any = tensorflow
np: Any = numpy


class EpochIterator:
    """As much of Keras' class as is used."""

    _current_iterator: Any = None

    def __init__(self, dataset: Any) -> None:
        self._distributed_dataset = dataset

    def shown(self) -> list[Any]:
        return [tf.nest.map_structure(np.asarray, batch) for batch in self._distributed_dataset]


class Seen:
    def __init__(self) -> None:
        self.batches: list[tuple[int, list[Any]]] = []

    def take(self, number: int, arrays: tuple[Any, ...] | Unavailable) -> None:
        assert not isinstance(arrays, Unavailable)
        self.batches.append((number, [np.asarray(array).tolist() for array in arrays]))


def pairs() -> Any:
    return tf.data.Dataset.from_tensor_slices(([1, 2, 3], [4, 5, 6])).batch(2)


@pytest.mark.parametrize("buffered", [False, True], ids=["plain", "behind a buffer"])
def test_batches_are_shown_with_their_number_and_the_model_gets_them_all(buffered: bool) -> None:
    seen, plain = Seen(), EpochIterator(pairs())
    iterator = EpochIterator(pairs().prefetch(2) if buffered else pairs())
    assert watch({"epoch_iterator": iterator}, seen.take) is None
    shown, expected = iterator.shown(), plain.shown()
    assert str(shown) == str(expected)
    assert seen.batches == [(0, [[1, 2], [4, 5]]), (1, [[3], [6]])]


def test_only_the_first_of_each_iterator_are_shown_where_that_is_asked() -> None:
    seen, iterator = Seen(), EpochIterator(pairs())
    watch({"epoch_iterator": iterator}, seen.take, at_most=1)
    for _ in range(2):
        assert len(iterator.shown()) == 2
    assert [number for number, _ in seen.batches] == [0, 0]


@pytest.mark.parametrize(
    ("fit", "reason"),
    [
        ({}, "no pipeline that a callback can see"),
        ({"epoch_iterator": EpochIterator([1])}, "distributed over devices"),
        (
            {"epoch_iterator": EpochIterator(tf.data.Dataset.from_tensors(["text"]))},
            "batches hold values of type string",
        ),
        (
            {
                "epoch_iterator": EpochIterator(
                    tf.data.Dataset.from_tensors(tf.ragged.constant([[1], [2, 3]]))
                )
            },
            "batches hold a RaggedTensor",
        ),
    ],
    ids=["none", "distributed", "text", "ragged"],
)
def test_a_pipeline_that_cannot_be_watched_has_a_reason(fit: dict[str, Any], reason: str) -> None:
    assert reason in str(watch(fit, Seen().take))


def test_a_pipeline_that_had_begun_is_left_alone() -> None:
    iterator = EpochIterator(pairs())
    iterator._current_iterator = iter([])  # pyright: ignore[reportPrivateUsage] - Keras' own name
    assert "already begun" in str(watch({"epoch_iterator": iterator}, Seen().take))


def test_on_other_backends_batches_are_shown_where_keras_iterates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class PythonIterator:
        def _get_iterator(self) -> Iterator[Any]:
            yield (np.array([1]), None)
            yield (np.array([2]), None)

        def shown(self) -> list[Any]:
            return [batch[0].tolist() for batch in self._get_iterator()]

    monkeypatch.setattr(batch_tap, "on_tensorflow", lambda: False)
    seen, iterator = Seen(), PythonIterator()
    watch({"epoch_iterator": iterator}, seen.take, at_most=1)
    assert iterator.shown() == [[1], [2]]
    assert seen.batches == [(0, [[1]])]
