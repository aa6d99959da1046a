"""What the step trail holds on real Keras, however a model is trained."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
import pytest

from tests.support.recording import (
    Seeing,
    callback,
    digests,
    fit,
    keras,
    recording,
    steps_of,
)
from tests.support.training import Young, data, dense_model, tensorflow_data
from wandb_repro.keras.callback_effects import changes_between_steps
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import WHOLE_RUN, Granularity, Losses, Structure
from wandb_repro.state import tensorflow_state


class Way(NamedTuple):
    """How a model is trained on twelve examples, four in a batch."""

    compiled: dict[str, Any]
    source: str = "tf.data"
    every: int = 1
    """Steps from one that can be seen to the next; an epoch's last can be seen."""


WAYS = {
    "graph": Way({}),
    "XLA": Way({"jit_compile": True}),
    "eager": Way({"run_eagerly": True}),
    "two steps at once": Way({"steps_per_execution": 2}, every=2),
    "two steps at once by XLA": Way({"steps_per_execution": 2, "jit_compile": True}, every=2),
    "more at once than there are": Way({"steps_per_execution": 8}, every=8),
    "arrays": Way({}, "arrays"),
    "PyDataset": Way({}, "PyDataset"),
    "a generator": Way({}, "generator"),
}


def source_of(kind: str) -> dict[str, Any]:
    x, y = data()
    if kind == "arrays":
        return {"x": x, "y": y, "batch_size": 4, "shuffle": False}
    if kind == "PyDataset":
        return {"x": py_dataset(x, y)}
    if kind == "generator":
        pairs = ((x[at : at + 4], y[at : at + 4]) for _ in range(9) for at in (0, 4, 8))
        return {"x": pairs, "steps_per_epoch": 3}
    return {"x": tensorflow_data()}


def py_dataset(x: Any, y: Any) -> Any:
    class Batches(keras().utils.PyDataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, at: int) -> Any:
            return x[4 * at : 4 * at + 4], y[4 * at : 4 * at + 4]

    return Batches(workers=2, use_multiprocessing=False, max_queue_size=4)


ALWAYS = ("XLA", "two steps at once", "a generator")
"""Tried with every change; the others take a minute."""


def marked(names: Iterable[str]) -> list[Any]:
    return [pytest.param(it, marks=[] if it in ALWAYS else [pytest.mark.slow]) for it in names]


@pytest.mark.parametrize("name", marked(WAYS))
def test_each_step_that_can_be_seen_has_the_weights_keras_shows(offline: Young, name: str) -> None:
    way = WAYS[name]
    seeing = Seeing()
    with recording(offline) as found:
        model = dense_model(**way.compiled)
        fit(model, callback(steps=1), seeing, **source_of(way.source))
    steps = steps_of(found[0])
    visible = [1, 2, 3, 4, 5, 6] if way.every == 1 else [2, 3, 5, 6]
    assert [it.step for it in steps] == (visible if way.every < 8 else [3, 6])
    assert [digest[:8] for it in steps for digest in it.leaves[:4]] == [
        digest[:8] for seen in seeing.seen for digest in seen
    ]
    assert len({it.root for it in steps}) == len(steps)
    (told,) = found[0].trail.of(Granularity)
    assert told.steps_at_once == way.every
    assert found[0].trail.missing == ()


def data_is_told(recorded: Any) -> list[str | None]:
    """Return the root over the batches of each step; where there are none, the reason is asked."""
    (told,) = recorded.trail.of(Granularity)
    roots = [it.data for it in steps_of(recorded)]
    assert isinstance(told.data, Unavailable) == (roots == [None] * len(roots)), told.data
    return roots


@pytest.mark.parametrize("kind", marked(["tf.data", "arrays", "PyDataset", "a generator"]))
def test_each_step_has_its_batch_or_the_fit_a_reason(offline: Young, kind: str) -> None:
    with recording(offline) as found:
        fit(dense_model(), callback(steps=1), epochs=1, **source_of(kind))
    roots = data_is_told(found[0])
    assert len(roots) == 3
    assert len(set(roots)) == 3 or roots == [None] * 3


def test_losses_of_steps_that_run_as_one_say_after_which_step_each_stood(offline: Young) -> None:
    model = dense_model(steps_per_execution=2, jit_compile=True)
    with recording(offline) as found:
        history = fit(model, callback(steps=1), epochs=1)
    (losses,) = found[0].trail.of(Losses)
    assert (losses.first, losses.every, losses.last) == (2, 2, 3)
    kept = struct.unpack(">2d", bytes.fromhex(losses.bits["loss"]))
    assert kept[1] == history.history["loss"][0]


class Training:
    """Trains another model, recorded too, in the midst of a fit."""

    def __new__(cls, model: Any) -> Any:
        class Callback(keras().callbacks.Callback):
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                if epoch == 1:
                    fit(model, callback(steps=1), epochs=1)

        return Callback()


def test_a_fit_within_a_fit_has_a_part_of_its_own(offline: Young) -> None:
    outer, inner = dense_model(), dense_model(keras().layers.Dense(1))
    seeing = Seeing()
    with recording(offline) as found:
        fit(outer, callback(steps=1), Training(inner), seeing)
    trail = found[0].trail
    assert trail.end is not None
    assert trail.end.fits == 2
    assert [it.step for it in steps_of(found[0]) if it.fit == 1] == [1, 2, 3, 4, 5, 6]
    assert [it.step for it in steps_of(found[0]) if it.fit == 2] == [1, 2, 3]
    last = found[0].at("final", fit=2)
    assert list(last.leaves[:2]) == digests(inner.get_weights())
    outer_steps = [it.leaves[:4] for it in steps_of(found[0]) if it.fit == 1]
    assert [[one[:8] for one in it] for it in outer_steps] == [
        [one[:8] for one in it] for it in seeing.seen
    ]


def gan() -> Any:
    """Return two networks that train against each other in one step, each by its optimizer."""
    import tensorflow

    tf: Any = tensorflow

    class Gan(keras().Model):
        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType] - of Any
            self.judge = keras().Sequential([keras().Input((4,)), keras().layers.Dense(1)])
            self.maker = keras().Sequential([keras().Input((1,)), keras().layers.Dense(4)])
            self.judges = keras().optimizers.SGD(0.1, momentum=0.9)
            self.makers = keras().optimizers.Adam(0.01)
            self.judges.build(self.judge.trainable_variables)
            self.makers.build(self.maker.trainable_variables)
            self.built = True

        def train_step(self, batch: Any) -> Any:
            real, seed = batch
            with tf.GradientTape(persistent=True) as tape:
                made = self.judge(self.maker(seed))
                told = tf.reduce_mean(made) - tf.reduce_mean(self.judge(real))
                fooled = -tf.reduce_mean(made)
            for loss, part, optimizer in (
                (told, self.judge, self.judges),
                (fooled, self.maker, self.makers),
            ):
                own = part.trainable_variables
                optimizer.apply(tape.gradient(loss, own), own)
            return {"judge": told, "maker": fooled}

    model: Any = Gan()
    model.compile(jit_compile=False)
    return model


def test_two_networks_that_train_against_each_other_have_both_optimizers(offline: Young) -> None:
    seeing = Seeing()
    with recording(offline) as found:
        fit(gan(), callback(steps=1), seeing)
    ((_, shapes), *_) = found[0].trail.with_shapes()
    # Of three optimizers, compile's default among them, iteration and learning rate; one of the
    # two used has a momentum of each of two variables, the other two moments.
    assert [it.group for it in shapes].count("optimizer") == 3 * 2 + 2 + 2 * 2
    steps = steps_of(found[0])
    assert [[one[:8] for one in it.leaves[:4]] for it in steps] == [
        [one[:8] for one in it] for it in seeing.seen
    ]
    moved = [
        sum(one != two for one, two in zip(early.leaves, late.leaves, strict=True))
        for early, late in pairwise(steps)
    ]
    assert min(moved) >= 10
    (losses, _) = found[0].trail.of(Losses)
    assert set(losses.bits) == {"judge", "maker"}


class Growing:
    """Gives the model another variable while it trains."""

    def __new__(cls) -> Any:
        class Callback(keras().callbacks.Callback):
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                if epoch == 1:
                    self.model.layers[0].extra = self.model.layers[0].add_weight(
                        name="extra", shape=(2,), trainable=False
                    )

        return Callback()


def test_a_model_that_grows_a_variable_is_described_anew(offline: Young) -> None:
    with recording(offline) as found:
        fit(unlocked(dense_model()), callback(steps=1), Growing())
    structures = [it for it in found[0].trail.of(Structure) if it.fit != WHOLE_RUN]
    counts = [len(it.leaves) for it in structures]
    assert len(counts) >= 2
    assert counts[-1] == counts[0] + 1
    assert "extra" in {it.label.split("/")[-1] for it in structures[-1].leaves}
    assert len(found[0].at("epoch", epoch=1).leaves) == counts[0]
    assert len(found[0].at("epoch", epoch=2).leaves) == counts[-1]
    steps = [(it.step, len(it.leaves) - counts[0]) for it in steps_of(found[0])]
    assert steps == [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 1)]


def unlocked(model: Any) -> Any:
    """Return the model with a first layer that takes another variable though it was built."""
    model.layers[0]._tracker.unlock()
    return model


@pytest.mark.slow
def test_two_models_that_train_in_turns_have_parts_of_their_own(offline: Young) -> None:
    one, two = dense_model(), dense_model(keras().layers.Dense(1))
    with recording(offline) as found:
        for _ in range(2):
            fit(one, callback(steps=1), epochs=1)
            fit(two, callback(steps=1), epochs=1)
    assert [len(found[0].at("final", fit=it).leaves) for it in (1, 2, 3, 4)] == [6, 4, 6, 4]
    assert found[0].at("initial", fit=3).root == found[0].at("final", fit=1).root
    assert found[0].at("initial", fit=4).root == found[0].at("final", fit=2).root
    assert list(found[0].at("final", fit=4).leaves[:2]) == digests(two.get_weights())


def test_what_was_read_stays_as_it_was_when_the_model_trains_on(offline: Young) -> None:
    from wandb_repro.state.keras_state import Reader

    layers = keras().layers
    model = dense_model(
        layers.Rescaling(0.0),
        layers.Embedding(2, 3),
        layers.Flatten(),
        layers.Dense(1),
        optimizer="adam",
    )
    fit(model, epochs=1)
    reader = Reader(model)
    read = [it.value for it in reader.read()]
    before = digests(read)
    assert before == digests(alone(model))
    fit(model, epochs=1)
    assert digests(read) == before
    after = digests(it.value for it in reader.read())
    assert after == digests(alone(model))
    assert sum(one != two for one, two in zip(before, after, strict=True)) >= len(after) - 2


def alone(model: Any) -> list[Any]:
    """Return copies of all variables, each read by itself."""
    own = [*model.trainable_variables, *model.non_trainable_weights, *model.optimizer.variables]
    return [np.array(it.value.numpy()) for it in own]


def test_reading_shares_the_variables_memory(offline: Young) -> None:
    del offline
    from wandb_repro.state.keras_state import Reader

    kernel: Any
    (_, _, kernel), *_ = Reader(dense_model(keras().layers.Dense(1000))).read()
    (_, _, again), *_ = Reader(dense_model(keras().layers.Dense(1000))).read()
    assert not kernel.flags.owndata
    assert kernel.__array_interface__["data"] != cast("Any", again).__array_interface__["data"]


def test_variables_are_read_one_by_one_where_they_cannot_be_read_together(
    offline: Young, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb_repro.state.keras_state import Reader

    del offline
    model = dense_model(optimizer="adam")
    together = digests(it.value for it in Reader(model).read())
    reader = Reader(model)

    def refused(*_: object) -> list[Any]:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(tensorflow_state, "_read_all", refused)
    assert digests(it.value for it in reader.read()) == together


def test_a_callback_made_of_functions_may_change_weights_between_steps() -> None:
    """Keras' LambdaCallback keeps them on itself, where its class has what does nothing."""
    made = keras().callbacks.LambdaCallback
    assert changes_between_steps(made(on_train_batch_end=print))
    assert not changes_between_steps(made(on_train_end=print))
