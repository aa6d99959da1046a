"""The first batches of each epoch are digested as the model gets them, and nothing is used up."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, cast

import numpy
import pytest

from tests.support.recording import callback, keras, recording, steps_of
from tests.support.records import full_manifest
from tests.support.training import Recorded, Young, dense_model
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Granularity, Seen
from wandb_repro.recording.fit import batches
from wandb_repro.verify.verdict import judge

np: Any = cast("Any", numpy)

X = np.random.default_rng(0).random((20, 4)).astype("float32")
Data = Callable[[Any], dict[str, Any]]


def arrays(rows: Any) -> dict[str, Any]:
    return {"x": rows, "y": rows[:, :1], "batch_size": 4, "shuffle": False}


def tf_data(rows: Any) -> dict[str, Any]:
    data: Any = importlib.import_module("tensorflow").data.Dataset
    return {"x": data.from_tensor_slices((rows, rows[:, :1])).batch(4), "shuffle": False}


def pydataset(rows: Any) -> dict[str, Any]:
    base: Any = keras().utils.PyDataset

    class Own(base):
        def __len__(self) -> int:
            return 5

        def __getitem__(self, index: int) -> Any:
            some = rows[4 * index : 4 * index + 4]
            return some, some[:, :1]

    return {"x": Own(), "shuffle": False}


def generator(rows: Any) -> dict[str, Any]:
    def batches() -> Iterator[Any]:
        while True:
            for at in range(0, 20, 4):
                yield rows[at : at + 4], rows[at : at + 4, :1]

    return {"x": batches(), "steps_per_epoch": 5}


WAYS: list[Data] = [arrays, tf_data, pydataset, generator]


def trained(offline: Young, given: dict[str, Any], **options: Any) -> Recorded:
    with recording(offline) as found:
        dense_model().fit(**given, epochs=2, verbose=0, callbacks=[callback(**options)])
    return found[0]


def seen(recorded: Recorded) -> list[Seen]:
    return list(recorded.trail.of(Seen))


def sentence(one: Recorded, two: Recorded) -> str:
    whole = full_manifest()
    verdict = judge(whole, one.trail, whole, two.trail)
    assert verdict.grade == "diverged"
    assert verdict.moved is not None
    return verdict.moved.sentence


@pytest.mark.parametrize("way", WAYS)
def test_the_first_batches_of_each_epoch_are_noted(way: Data, offline: Young) -> None:
    last = {one.epoch: one for one in seen(trained(offline, way(X)))}
    assert set(last) == ({0, 1} if way is not generator else {0})  # which has no second beginning
    noted = [one.batches for one in last.values() if isinstance(one.batches, tuple)]
    assert [len(one) for one in noted] == [2] * len(last)
    assert all(len({*one}) == 2 for one in noted)
    assert all(len(one.rows) == 2 for one in last.values())
    assert len({*noted}) == 1


@pytest.mark.parametrize("way", [tf_data, generator])
def test_the_model_gets_every_batch(way: Data, offline: Young) -> None:
    keras().utils.set_random_seed(5)
    plain = dense_model()
    plain.fit(**way(X), epochs=2, verbose=0)
    with recording(offline):
        watched = dense_model()
        watched.fit(**way(X), epochs=2, verbose=0, callbacks=[callback()])
    pairs = zip(plain.get_weights(), watched.get_weights(), strict=True)
    assert all((mine == yours).all() for mine, yours in pairs)


@pytest.mark.parametrize("way", [tf_data, generator])
def test_a_batch_that_has_no_digest_has_a_reason_in_the_record(
    way: Data, offline: Young, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(array: object) -> NoReturn:
        raise MemoryError("no room for it")

    monkeypatch.setattr("wandb_repro.recording.fit.batches.leaf_digest", broken)
    recorded = trained(offline, way(X), steps=1)
    reasons = {str(one.batches) for one in seen(recorded)}
    assert reasons == {str(Unavailable(unavailable="a batch: MemoryError: no room for it"))}
    assert {it.data for it in steps_of(recorded)} == {None}
    assert recorded.trail.end is not None


@pytest.mark.parametrize("way", [tf_data, generator])
def test_a_later_batch_that_has_no_digest_has_a_reason_too(
    way: Data, offline: Young, monkeypatch: pytest.MonkeyPatch
) -> None:
    digested = batches.leaf_digest

    def fails_at_the_third(array: Any) -> str:
        if array.shape == (4, 4) and (array == X[8:12]).all():
            raise MemoryError("no room for it")
        return digested(array)

    monkeypatch.setattr("wandb_repro.recording.fit.batches.leaf_digest", fails_at_the_third)
    one, two = (trained(offline, way(X), steps=1) for _ in range(2))

    told = [str(it.data) for it in one.trail.of(Granularity)]
    assert told == [batches.Batches.covers, "a batch: MemoryError: no room for it"]
    assert [it.data is None for it in steps_of(one)] == 2 * [False, False, True, False, False]
    whole = full_manifest()
    assert judge(whole, one.trail, whole, two.trail).first is None


def granularity_of(recorded: Recorded) -> Granularity:
    (found,) = recorded.trail.of(Granularity)
    return found


def test_a_changed_order_is_told_from_changed_data(offline: Young) -> None:
    one = trained(offline, tf_data(X))
    turned = np.concatenate([X[3::-1], X[4:]])
    assert sentence(one, trained(offline, tf_data(turned))) == (
        "the first batches of epoch 1 have the same rows in another order"
    )
    other = X.copy()
    other[2, 1] += 1
    told = sentence(one, trained(offline, tf_data(other)))
    assert told == "the first batches of epoch 1 differ"


@pytest.mark.slow
def test_text_in_a_batch_is_a_reason_and_no_error(offline: Young) -> None:
    data: Any = importlib.import_module("tensorflow").data.Dataset
    rows = data.from_tensor_slices(({"x": X, "note": ["a"] * 20}, X[:, :1])).batch(4)
    inputs = {"x": keras().Input((4,)), "note": keras().Input((), dtype="string")}
    model = keras().Model(inputs, keras().layers.Dense(1)(inputs["x"]))
    model.compile("sgd", "mse", jit_compile=False)
    with recording(offline) as found:
        model.fit(rows, verbose=0, shuffle=False, callbacks=[callback()])
    assert seen(found[0]) == []
    assert "values of type string" in str(granularity_of(found[0]).first)
    assert found[0].trail.end is not None


@pytest.mark.slow
def test_ragged_rows_are_trained_on_without_a_note(offline: Young) -> None:
    tensorflow: Any = importlib.import_module("tensorflow")
    rows = tensorflow.ragged.constant([[1.0], [2.0, 3.0], [4.0], [5.0]])
    data = tensorflow.data.Dataset.from_tensor_slices((rows, X[:4, :1])).batch(2)
    base: Any = keras().Model

    class Summed(base):
        def __init__(self) -> None:
            base.__init__(self)
            self.dense = keras().layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.dense(tensorflow.reduce_sum(inputs, 1)[:, None])

    model = Summed()
    model.compile("sgd", "mse", jit_compile=False)
    with recording(offline) as found:
        model.fit(data, verbose=0, shuffle=False, callbacks=[callback()])
    assert seen(found[0]) == []
    assert "a RaggedTensor" in str(granularity_of(found[0]).first)
    assert found[0].trail.end is not None


@pytest.mark.slow
def test_rows_of_nan_are_rows_like_others(offline: Young) -> None:
    rows = X.copy()
    rows[1] = np.nan
    found = seen(trained(offline, arrays(rows)))
    assert found
    assert all(one.rows for one in found)


@pytest.mark.slow
def test_a_generator_that_raises_ends_the_training_with_its_own_words(offline: Young) -> None:
    def batches() -> Iterator[Any]:
        yield X[:4], X[:4, :1]
        raise RuntimeError("the disk with the images is gone")

    model = dense_model()
    with (
        pytest.raises(Exception, match="the disk with the images is gone"),
        recording(offline),
    ):
        model.fit(batches(), steps_per_epoch=5, verbose=0, callbacks=[callback()])
