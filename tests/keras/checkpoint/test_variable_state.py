from __future__ import annotations

from typing import Any

import keras
import numpy
import pytest

from wandb_repro.capture.weights import root_of_variables
from wandb_repro.errors import CheckpointError
from wandb_repro.keras.checkpoint.variable_state import (
    assign,
    build_optimizer,
    check_fits,
    description_of,
    ensure_built,
)
from wandb_repro.state.keras_state import Reader
from wandb_repro.state.packing import Pieces

np: Any = numpy
library: Any = keras


def dense(units: int = 2, optimizer: object = "sgd", *, dtype: str = "float32") -> Any:
    layers = [library.Input((3,)), library.layers.Dense(units, dtype=dtype)]
    model = library.Sequential(layers)
    model.compile(optimizer, "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def described(model: Any) -> dict[str, Any]:
    return description_of(model, Reader(model).read())


def refused(saved: Any, here: Any) -> str:
    with pytest.raises(CheckpointError) as caught:
        check_fits(described(saved), here, Reader(here).read())
    return caught.value.message


def test_an_equal_model_fits() -> None:
    saved, here = dense(), dense()
    check_fits(described(saved), here, Reader(here).read())


def test_another_model_is_refused_with_the_first_difference() -> None:
    assert "and here" in refused(dense(2), dense(4))
    assert "float32[3, 2], and here" in refused(dense(), dense(dtype="float64"))
    assert refused(dense(), dense(optimizer="adam")) == (
        "its optimizer is SGD and this model's is Adam"
    )
    two = library.Sequential([library.Input((3,)), library.layers.Dense(2), library.layers.ReLU()])
    two.compile("sgd", "mse")
    two.optimizer.build(two.trainable_variables)
    assert refused(two, dense()) == "its layers differ: more there, fewer here"


def test_an_optimizer_switch_that_adds_variables_is_part_of_the_description() -> None:
    plain, nesterov = library.optimizers.SGD(0.1), library.optimizers.SGD(0.1, nesterov=True)
    assert described(dense(optimizer=nesterov))["optimizer"] == "SGD nesterov"
    assert described(dense(optimizer=plain))["optimizer"] == "SGD"


def test_an_optimizer_that_is_not_built_yet_is_left_out_of_the_comparison() -> None:
    saved, here = (
        dense(optimizer="adam"),
        library.Sequential([library.Input((3,)), library.layers.Dense(2)]),
    )
    here.compile("adam", "mse")
    check_fits(described(saved), here, Reader(here).read())
    build_optimizer(here)
    assert len(Reader(here).read()) == len(Reader(saved).read())


def test_values_are_assigned_in_the_models_own_order() -> None:
    saved, here = dense(optimizer="adam"), dense(optimizer="adam")
    pieces = Pieces()
    for variable in Reader(saved).read():
        pieces.add(np.array(variable.value))
    assign(here, pieces.pieces)
    assert root_of_variables(Reader(here).read()) == root_of_variables(Reader(saved).read())


def test_a_model_is_built_from_the_first_element_of_its_data() -> None:
    class Spec:
        shape = (None, 3)

        class dtype:  # noqa: N801 - as TensorFlow has it
            as_numpy_dtype = "float32"

    class Dataset:
        element_spec = (Spec(), Spec())

    class EpochIterator:
        _distributed_dataset = Dataset()

    model = library.Sequential([library.layers.Dense(2)])
    assert not ensure_built(model, object())
    assert ensure_built(model, EpochIterator())
    assert model.weights[0].shape == (3, 2)
