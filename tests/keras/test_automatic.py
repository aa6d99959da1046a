"""The callback of a fit that was given none of ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.recording import callback, keras
from tests.support.training import Young, dense_model
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
