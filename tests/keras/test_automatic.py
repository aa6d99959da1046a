"""The callback of a fit that was given none of ours."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from tests.support.recording import callback, fit, keras, recording
from tests.support.training import Young, data, dense_model
from wandb_repro.keras.automatic import add_automatic


def ours_in(callbacks: Any) -> list[str]:
    return [
        type(each).__name__
        for each in callbacks.callbacks
        if "wandb_repro" in type(each).__module__
    ]


def test_a_list_without_ours_gets_one_for_good(offline: Young) -> None:
    model = dense_model()
    callbacks = keras().callbacks.CallbackList(model=model, epochs=3)
    add_automatic(callbacks, model)
    add_automatic(callbacks, model)
    assert ours_in(callbacks) == ["_Automatic"]
    (added,) = callbacks.callbacks
    assert (added.model, added.params) == (model, {"epochs": 3})


def test_one_of_the_scripts_stays_alone_and_knows_the_model(offline: Young) -> None:
    model, mine = dense_model(), callback(steps=2)
    callbacks = keras().callbacks.CallbackList([mine])
    add_automatic(callbacks, model)
    assert callbacks.callbacks == [mine]
    assert mine.model is model


def test_without_a_run_it_says_nothing(offline: Young, capsys: pytest.CaptureFixture[str]) -> None:
    model = dense_model()
    callbacks = keras().callbacks.CallbackList(model=model)
    add_automatic(callbacks, model)
    callbacks.on_train_begin()
    assert capsys.readouterr().err == ""


def test_a_variable_that_no_layer_has_is_digested_before_and_after_each_fit(
    offline: Young,
) -> None:
    tensorflow: Any = import_module("tensorflow")
    model, (x, y) = dense_model(), data()
    with recording(offline) as found:
        loose = tensorflow.Variable([1.0, 2.0])
        for turn in range(2):
            fit(model, x=x, y=y, epochs=1)
            loose.assign([3.0, float(turn)])

    (recorded,) = found
    states = [(state.moment, state.fits) for state in recorded.trail.states()]
    assert states == [("fit", 0), ("fit", 1), ("fit", 2), ("end", 0)]
    of_loose = [state.leaves[-1] for state in recorded.trail.states()]
    assert [of_loose[0] == each for each in of_loose] == [True, True, False, False]
