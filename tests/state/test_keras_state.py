from __future__ import annotations

from typing import Any

import keras
import numpy
import pytest

from wandb_repro.state import tensorflow_state as module
from wandb_repro.state.keras_state import Reader, grouped, reading, variables_of

np: Any = numpy
library: Any = keras


def network(*layers: Any, optimizer: object = None) -> Any:
    model = library.Sequential([library.Input((3,)), *layers])
    if optimizer:
        model.compile(optimizer, "mse")
    return model


def test_variables_come_by_group_in_the_models_own_order() -> None:
    model = network(
        library.layers.Dense(2), library.layers.BatchNormalization(), library.layers.Dropout(0.5)
    )
    groups = [variable.group for variable in variables_of(model)]
    assert groups == 4 * ["trainable"] + 2 * ["non_trainable"] + ["seed"]


def test_the_optimizers_variables_are_read_and_metrics_are_not() -> None:
    model = network(library.layers.Dense(2), optimizer="adam")
    model.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0)
    found = [variable for variable in variables_of(model) if variable.group == "optimizer"]
    assert len(found) == len(model.optimizer.variables)
    assert {variable.group for variable in variables_of(model)} == {"trainable", "optimizer"}


def test_an_optimizer_that_a_model_holds_as_an_attribute_is_read_once() -> None:
    model = network(library.layers.Dense(2), optimizer="sgd")
    model.second = library.optimizers.SGD()
    model.same = model.second
    held = [variable for group, variable in grouped(model) if group == "optimizer"]
    assert len(held) == len({id(variable) for variable in held}) > 0


def test_values_dtypes_and_shapes_are_those_that_keras_gives() -> None:
    model = network(library.layers.Dense(2, dtype="float64"))
    (_, label, kernel), _ = variables_of(model)
    assert label.endswith("kernel")
    assert kernel.dtype == "float64"
    assert (np.asarray(kernel) == model.get_weights()[0]).all()


def test_a_variable_that_joined_is_seen_after_the_model_was_walked_again() -> None:
    model = network(library.layers.Dense(2))
    reader = Reader(model)
    model.second = library.optimizers.SGD()  # brings its iterations and learning rate
    assert len(reader.read()) == 2
    reader.walk()
    assert len(reader.read()) == 4


def test_variables_without_axes_and_of_several_dtypes_are_read_together() -> None:
    held = [library.Variable(value) for value in (1.5, [[1, 2]], [True])]
    arrays = reading(held)()
    assert [np.asarray(array).tolist() for array in arrays] == [1.5, [[1, 2]], [True]]


def test_more_variables_than_are_read_at_once_stay_in_order() -> None:
    held = [library.Variable(float(value)) for value in range(150)]
    assert [float(np.asarray(array)) for array in reading(held)()] == list(map(float, range(150)))


def test_without_the_private_operation_each_is_read_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(module, "_read_all", refuse)
    assert [float(np.asarray(array)) for array in reading([library.Variable(2.0)])()] == [2.0]
