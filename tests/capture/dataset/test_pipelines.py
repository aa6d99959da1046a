from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.capture.dataset.pipelines import (
    batches_of_pydataset,
    is_pydataset,
    is_tf_data,
    until,
)
from wandb_repro.errors import DigestError

X: Any = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])


class Batches:
    """Stands in for a ``keras.utils.PyDataset`` of two batches."""

    num_batches: int | None = 2

    def __init__(self) -> None:
        self.x: Any = X.copy()
        self.read: list[int] = []

    def __getitem__(self, number: int) -> Any:
        self.read.append(number)
        return self.x[2 * number : 2 * number + 2], {"label": np.array([random.random()] * 2)}  # noqa: S311  (the generator that all share)


class Endless(Batches):
    num_batches = None


class PyDataset:
    """Named and placed like Keras' class."""


PyDataset.__module__ = "keras.src.trainers.data_adapters.py_dataset_adapter"


def test_a_pydataset_is_known_by_the_class_it_derives_from() -> None:
    class Mine(PyDataset):
        pass

    assert is_pydataset(Mine())
    assert not is_pydataset(Batches())
    assert not is_tf_data(X)


def test_batches_come_in_order_and_the_training_gets_what_it_would_have() -> None:
    dataset = Batches()
    random.seed(1)
    expected = random.Random(1).random()  # noqa: S311
    pieces = batches_of_pydataset(dataset)
    found = list(pieces.pieces)
    assert pieces.read == ""
    assert [role for role, _ in found[0]] == ["x", "y/label"]
    assert np.concatenate([piece[0][1] for piece in found]).tolist() == X.tolist()
    assert dataset.read == []
    assert random.random() == expected  # noqa: S311


def test_a_batch_that_writes_to_the_shared_array_fails_and_changes_nothing() -> None:
    class Writing(Batches):
        def __getitem__(self, number: int) -> Any:
            self.x += 1
            return self.x

    dataset = Writing()
    with pytest.raises(ValueError, match="read-only"):
        list(batches_of_pydataset(dataset).pieces)
    assert dataset.x.tolist() == X.tolist()


def test_what_has_no_end_or_no_copy_is_refused() -> None:
    with pytest.raises(DigestError, match="has no end"):
        batches_of_pydataset(Endless())

    class Uncopied(Batches):
        def __deepcopy__(self, memo: object) -> Any:
            raise TypeError("cannot pickle a lock")

    with pytest.raises(DigestError, match=r"cannot be copied.*a lock"):
        batches_of_pydataset(Uncopied())


def _pieces(count: int) -> Generator[list[tuple[str, Any]]]:
    for _ in range(count):
        yield [("x", X)]


def test_reading_ends_at_the_limit_on_bytes_and_says_so() -> None:
    limits = Limits(stream_bytes=2 * X.nbytes)
    assert [last for _, last in until(_pieces(5), limits)] == [False, True]
    assert [last for _, last in until(_pieces(1), limits)] == [False]


def test_reading_that_takes_too_long_is_an_error() -> None:
    with pytest.raises(DigestError, match="longer than 0 s"):
        list(until(_pieces(2), Limits(seconds=0)))
