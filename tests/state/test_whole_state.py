from __future__ import annotations

import gc
from typing import Any

import keras as keras_library
import numpy as np
import pytest
import tensorflow

from wandb_repro.state.registry import Kind, Registry
from wandb_repro.state.thread_order import OWN, ThreadPlace
from wandb_repro.state.whole_state import note_digested, read_whole_state

keras: Any = keras_library
tf: Any = tensorflow


@pytest.fixture
def registry() -> Registry:
    return Registry()


def model(**options: Any) -> Any:
    made: Any = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)], **options)
    made.compile("sgd", "mse")
    return made


def labels(registry: Registry) -> list[str]:
    return [variable.label for variable in read_whole_state(registry).variables]


def test_variables_are_labelled_by_their_owner(registry: Registry) -> None:
    made = model(name="net")
    registry.add("model", made)
    registry.add("optimizer", made.optimizer)

    found = labels(registry)

    assert found[:2] == ["model 1: net/dense/kernel", "model 1: net/dense/bias"] or all(
        label.startswith("model 1: net/dense") for label in found[:2]
    )
    assert any(label.startswith("optimizer 1: ") for label in found)


def test_a_variable_of_two_models_is_read_once(registry: Registry) -> None:
    inner = model()
    outer = keras.Sequential([keras.Input((2,)), inner])
    registry.add("model", inner)
    registry.add("model", outer)

    assert len(labels(registry)) == 2
    assert [thing.number for thing in read_whole_state(registry).things] == [1]


def test_loose_variables_are_read_and_those_of_metrics_are_not(registry: Registry) -> None:
    loose, mean = tf.Variable([1.0, 2.0], name="mask"), keras.metrics.Mean()
    registry.add("variable", loose)
    registry.add("metric", mean)
    for variable in mean.variables:
        registry.add("variable", variable.value)

    (variable,) = read_whole_state(registry).variables

    assert variable.label == "variable 1: mask:0"
    assert np.array_equal(np.asarray(variable.value), [1.0, 2.0])


def test_a_lookup_table_is_its_content_in_any_order(registry: Registry) -> None:
    def content(keys: list[str], values: list[int]) -> bytes:
        known = Registry()
        table: Any = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        table.insert(keys, tf.constant(values, tf.int64))
        known.add("table", table)
        (variable,) = read_whole_state(known).variables
        return bytes(np.asarray(variable.value))

    assert content(["a", "b"], [1, 2]) == content(["b", "a"], [2, 1])
    assert content(["a", "b"], [1, 2]) != content(["a", "b"], [2, 1])


def test_an_optimizer_that_is_gone_after_steps_is_named(registry: Registry) -> None:
    optimizer: Any = keras.optimizers.SGD()
    registry.add("optimizer", optimizer)
    registry.count_steps(optimizer, optimizer.iterations)
    registry.add("variable", optimizer.iterations.value)
    optimizer.iterations.assign(3)
    del optimizer
    gc.collect()

    state = read_whole_state(registry)
    assert state.variables == []  # nothing but the registry has its counter
    (thing,) = state.things
    assert thing.missing.startswith("it was deleted after 3 steps without a digest")


def test_steps_that_a_fit_digested_are_not_missed(registry: Registry) -> None:
    optimizer: Any = keras.optimizers.SGD()
    registry.add("optimizer", optimizer)
    registry.count_steps(optimizer, optimizer.iterations)
    optimizer.iterations.assign(3)
    note_digested(registry, [optimizer])
    del optimizer
    gc.collect()

    assert read_whole_state(registry).things == []


def test_a_model_that_cannot_be_read_is_named_and_the_others_are_read(registry: Registry) -> None:
    class Broken:
        name = "broken"

        @property
        def weights(self) -> list[Any]:
            raise RuntimeError("Array has been deleted")

    broken, good = Broken(), model()
    registry.add("model", broken)
    registry.add("model", good)

    state = read_whole_state(registry)

    assert "Array has been deleted" in state.things[0].missing
    assert state.things[1].variables == len(state.variables) == 2


def test_a_model_and_an_optimizer_whose_constructors_failed_are_no_state(
    registry: Registry,
) -> None:
    kinds: dict[Kind, Any] = {"model": keras.Model, "optimizer": keras.optimizers.SGD}
    kept: list[tuple[Kind, Any]] = [(name, kind.__new__(kind)) for name, kind in kinds.items()]
    for name, thing in kept:
        registry.add(name, thing)

    assert read_whole_state(registry).things == []


def test_nothing_made_is_no_state(registry: Registry) -> None:
    state = read_whole_state(registry)
    assert (state.variables, state.things) == ([], [])


def test_what_another_thread_made_is_left_out_until_the_end(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, others = model(), model()
    registry.add("model", own)
    with monkeypatch.context() as patch:
        patch.setattr(registry.threads, "current", lambda: ThreadPlace(path=(("train", 1),)))
        registry.add("model", others)
    for variable in (*own.variables, *others.variables):
        registry.add("variable", variable.value)

    part = read_whole_state(registry, {OWN})
    whole = read_whole_state(registry)

    assert [thing.thread for thing in part.things] == [""]
    assert len(part.variables) == 2
    assert [(thing.number, thing.thread) for thing in whole.things] == [(1, ""), (1, "train#1")]
    assert whole.variables[2].label.startswith("model 1 of thread train#1: ")


def test_an_optimizer_that_is_gone_is_named_at_the_end_also_if_rows_were_logged(
    registry: Registry,
) -> None:
    optimizer: Any = keras.optimizers.SGD()
    registry.add("optimizer", optimizer)
    registry.count_steps(optimizer, optimizer.iterations)
    optimizer.iterations.assign(3)
    del optimizer
    gc.collect()

    assert read_whole_state(registry, {OWN}).things == []
    assert [thing.steps for thing in read_whole_state(registry).things] == [3]
