from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import pytest

from wandb_repro.keras.fit_frame import FitFrame
from wandb_repro.keras.running_fit import KerasFit, warn_of_repeated_order

library: Any = keras


def running(model: Any, *others: object, steps: object = None) -> KerasFit:
    callback = SimpleNamespace(model=model, params={"steps": steps})
    keras_list = SimpleNamespace(callbacks=[*others, callback])
    return KerasFit(callback, FitFrame(keras_list, {"epochs": 3}))


def dense(*, built: bool = True) -> Any:
    shape = [library.Input((3,))] if built else []
    return library.Sequential([*shape, library.layers.Dense(2)])


def test_it_says_what_keras_told_the_callback() -> None:
    fit = running(dense(), steps=7)
    assert (fit.steps_per_epoch, fit.steps_at_once, fit.arguments) == (7, 1, {"epochs": 3})
    assert running(dense(), steps=None).steps_per_epoch is None
    model = dense()
    model.compile("sgd", "mse", steps_per_execution=4)
    assert running(model).steps_at_once == 4


def test_a_model_without_an_input_is_not_built() -> None:
    assert running(dense()).missing_initial() == ""
    assert "was not built" in running(dense(built=False)).missing_initial()


def test_another_callback_may_change_the_weights() -> None:
    changing = library.callbacks.LambdaCallback(on_epoch_begin=print)
    assert running(dense(), changing).changes_between_steps()
    assert not running(dense(), library.callbacks.History()).changes_between_steps()


def test_nothing_is_read_before_a_variable_is_asked_for() -> None:
    fit = running(SimpleNamespace())
    variables = fit.read(anew=True)
    with pytest.raises(AttributeError):
        next(variables)


def test_a_variable_that_joined_is_read_when_the_model_is_searched_anew() -> None:
    model = dense()
    fit = running(model)
    assert len(list(fit.read(anew=False))) == 2
    model.second = library.optimizers.SGD()  # brings its iterations and learning rate
    assert len(list(fit.read(anew=False))) == 2
    assert len(list(fit.read(anew=True))) == 4


class ArrayDataAdapter:
    pass


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({}, True),
        ({"shuffle": False}, False),
        ({"epochs": 1}, False),
        ({"initial_epoch": 2}, False),
        ({"epoch_iterator": None}, False),
    ],
)
def test_arrays_in_one_order_over_several_epochs_are_warned_of(
    changes: dict[str, Any], *, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    from wandb_repro.recording import messages

    messages.forget()
    iterator = SimpleNamespace(data_adapter=ArrayDataAdapter())
    fit = {"epoch_iterator": iterator, "epochs": 3, "initial_epoch": 0, "shuffle": True}
    warn_of_repeated_order({**fit, **changes})
    assert ("wandb_repro.keras.shuffled" in capsys.readouterr().err) is warned
