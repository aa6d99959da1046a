"""Models and optimizers: saved, and put back into equal ones of another process."""

from __future__ import annotations

import json
from typing import Any, cast

import keras
import numpy as np
import pytest
import tensorflow

from wandb_repro.errors import CheckpointError
from wandb_repro.state.packing import Pieces, Unsaveable
from wandb_repro.state.saved_values import check_values, restore_values, save_values

library: Any = cast("Any", keras)
tf: Any = cast("Any", tensorflow)


def torch() -> Any:
    return pytest.importorskip("torch")


def transfer(saved: list[Any], here: list[Any]) -> None:
    pieces = Pieces()
    state = json.loads(json.dumps(save_values(saved, pieces)))
    check_values(here, state, pieces.pieces)
    restore_values(here, state, pieces.pieces)


def dense(seed: int, units: int = 2) -> Any:
    library.utils.set_random_seed(seed)
    return library.Sequential([library.Input((3,)), library.layers.Dense(units)])


def trained(seed: int, steps: int = 2) -> tuple[Any, Any]:
    """Return a model and its optimizer after some steps; without steps it has no variables yet."""
    model, optimizer = dense(seed), library.optimizers.Adam(0.1)
    for _ in range(steps):
        gradients = [tf.ones(variable.shape) for variable in model.trainable_variables]
        optimizer.apply(gradients, model.trainable_variables)
    return model, optimizer


def values(*things: Any) -> list[Any]:
    return [np.asarray(each.value).tolist() for thing in things for each in thing.variables]


def test_an_optimizer_that_made_no_step_gets_the_variables_of_one_that_did() -> None:
    saved, here = trained(1), trained(2, steps=0)
    transfer([*saved], [*here])
    assert values(*here) == values(*saved)
    assert int(here[1].iterations) == 2


def test_two_optimizers_train_the_variables_that_they_trained_before() -> None:
    (first, one), (second, two) = trained(1), trained(2, steps=3)
    there = [first, second, two, one]
    (third, three), (fourth, four) = trained(3, steps=0), trained(4, steps=0)
    transfer(there, [third, fourth, four, three])
    assert values(third, fourth, four, three) == values(*there)
    assert [int(each.iterations) for each in (three, four)] == [2, 3]


def test_the_optimizer_that_a_model_was_compiled_with_is_put_back() -> None:
    def made(seed: int, steps: int) -> list[Any]:
        first, second = dense(seed), dense(seed + 1)
        first.compile("adam", "mse")
        for _ in range(steps):
            gradients = [tf.ones(variable.shape) for variable in first.trainable_variables]
            first.optimizer.apply(gradients, first.trainable_variables)
        other = library.optimizers.SGD(0.1, momentum=0.5)
        if steps:
            other.apply([tf.ones((3, 2)), tf.ones(2)], second.trainable_variables)
        return [first, second, other]

    saved, here = made(1, 3), made(5, 0)
    transfer(saved, here)
    assert values(*here, here[0].optimizer) == values(*saved, saved[0].optimizer)
    assert int(here[0].optimizer.iterations) == 3


def test_variables_of_tensorflow_and_lists_of_them_are_put_back() -> None:
    saved: list[Any] = [tf.Variable([1.0, 2.0]), [tf.Variable(3), tf.Variable(True)]]
    here: list[Any] = [tf.Variable([0.0, 0.0]), [tf.Variable(0), tf.Variable(False)]]
    transfer(saved, here)
    assert here[0].numpy().tolist() == [1.0, 2.0]
    assert [each.numpy() for each in here[1]] == [3, True]


@pytest.mark.parametrize(
    ("saved", "here", "match"),
    [
        (lambda: [dense(1)], lambda: [tf.Variable(1.0)], "Sequential, and this loop watches Res"),
        (lambda: [dense(1)], lambda: [dense(1, units=4)], r"shape \[3, 2\] and has \[3, 4\]"),
        (lambda: [dense(1)], list, "of Sequential, and this loop watches nothing"),
        (lambda: [*trained(1)], lambda: [dense(1), library.optimizers.SGD()], "Adam, and this"),
        (lambda: [*trained(1)[1:]], lambda: [library.optimizers.Adam()], "does not watch"),
    ],
)
def test_others_are_refused(saved: Any, here: Any, match: str) -> None:
    with pytest.raises(CheckpointError, match=match):
        transfer(saved(), here())


def test_what_cannot_be_changed_in_place_is_refused() -> None:
    with pytest.raises(Unsaveable, match=r"pass it to watch\.step"):
        save_values([{"w": np.ones(2)}], Pieces())


@pytest.mark.backend
def test_modules_optimizers_and_schedulers_of_torch_are_put_back() -> None:
    it = torch()

    def made(seed: int, steps: int) -> list[Any]:
        it.manual_seed(seed)
        net = it.nn.Sequential(it.nn.Linear(3, 2), it.nn.BatchNorm1d(2))
        optimizer = it.optim.Adam(net.parameters(), 0.1)
        scheduler = it.optim.lr_scheduler.StepLR(optimizer, 1)
        for _ in range(steps):
            net(it.ones(4, 3)).sum().backward()
            optimizer.step()
            scheduler.step()
        return [net, optimizer, scheduler]

    saved, here = made(1, 2), made(2, 0)
    transfer(saved, here)
    for one, two in zip(saved, here, strict=True):
        assert str(two.state_dict()) == str(one.state_dict())
    assert here[1].param_groups[0]["params"][0] is here[0][0].weight
