"""Our callback reaches every ``fit``, and no frame of ours is between the script and Keras."""

from __future__ import annotations

import traceback
from types import ModuleType
from typing import Any, cast

import pytest

from wandb_repro.recording.patch_fit import add_callback, change_every_fit
from wandb_repro.recording.process_state import process


class Callback:
    """A callback, as far as Keras' list and we use it."""

    def __init__(self, name: str, *, fails: bool = False) -> None:
        self.name = name
        self.begun: list[object] = []
        self._fails = fails

    def set_params(self, params: object) -> None:
        self.params = params

    def set_model(self, model: object) -> None:
        self.model = model

    def on_train_begin(self) -> None:
        self.begun.append(self.model)
        if self._fails:
            raise ValueError("of the user's own")


def keras() -> Any:
    """Return a Keras that has what we use of it."""

    class CallbackList:
        def __init__(self, callbacks: list[Callback], model: object) -> None:
            self.callbacks = list(callbacks)
            self.params = {"epochs": 1}
            for callback in callbacks:
                callback.set_model(model)

        def on_train_begin(self) -> None:
            """Begin."""
            for callback in self.callbacks:
                callback.on_train_begin()

    class Trainer:
        def fit(self, callbacks: Any = ()) -> list[str]:
            """Train."""
            if not isinstance(callbacks, CallbackList):
                callbacks = CallbackList(callbacks, self)
            callbacks.on_train_begin()
            return [callback.name for callback in callbacks.callbacks]

    class Model(Trainer):
        def train(self, callbacks: CallbackList) -> None:
            """Train in a loop of one's own."""
            callbacks.on_train_begin()

    module = cast("Any", ModuleType("keras"))
    module.Model = Model
    module.callbacks = cast("Any", ModuleType("keras.callbacks"))
    module.callbacks.CallbackList = CallbackList
    return module


def adds(ours: Callback, *, first: bool = False) -> Any:
    def change(callbacks: Any, model: Any) -> None:
        add_callback(callbacks, model, ours, first=first)

    return change


@pytest.mark.parametrize(("first", "names"), [(False, ["a", "ours"]), (True, ["ours", "a"])])
def test_a_callback_is_added_at_the_end_or_first_and_the_scripts_list_is_as_it_was(
    *, first: bool, names: list[str]
) -> None:
    module, ours = keras(), Callback("ours")
    change_every_fit(module, adds(ours, first=first))
    theirs = [Callback("a")]
    model = module.Model()
    assert model.fit(theirs) == names
    assert ours.begun == [model]
    assert ours.params == {"epochs": 1}
    assert [callback.name for callback in theirs] == ["a"]


def test_keras_own_list_is_changed_itself() -> None:
    module, ours = keras(), Callback("ours")
    change_every_fit(module, adds(ours))
    model = module.Model()
    theirs = module.callbacks.CallbackList([Callback("a")], model)
    assert model.fit(theirs) == ["a", "ours"]
    assert theirs.callbacks[-1] is ours


def test_a_fit_that_was_taken_before_the_patch_is_changed_too() -> None:
    module, ours = keras(), Callback("ours")
    model = module.Model()
    bound, plain = model.fit, module.Model.fit
    change_every_fit(module, adds(ours))
    assert bound() == ["ours"]
    assert plain(model) == ["ours"]


def test_an_overridden_fit_is_changed_once() -> None:
    module, ours = keras(), Callback("ours")
    change_every_fit(module, adds(ours))

    class Own(module.Model):
        def fit(self, callbacks: Any = ()) -> Any:
            return module.Model.fit(self, callbacks)

    assert Own().fit([Callback("a")]) == ["a", "ours"]


@pytest.mark.parametrize("how", ["a loop of its own", "a fit of no model", "the function itself"])
def test_what_is_no_fit_of_a_model_is_not_changed(how: str) -> None:
    module, ours = keras(), Callback("ours")
    change_every_fit(module, adds(ours))
    model = module.Model()
    theirs = module.callbacks.CallbackList([Callback("a")], model)

    def fit(kind: Any) -> None:
        kind.on_train_begin(theirs)

    if how == "a loop of its own":
        model.train(theirs)
    elif how == "the function itself":
        fit(module.callbacks.CallbackList)
    else:
        theirs.on_train_begin()
    assert len(theirs.callbacks) == 1


def test_the_same_change_is_made_once_and_another_one_beside_it() -> None:
    module = keras()
    one, two = adds(Callback("one")), adds(Callback("two"))
    for change in (one, one, two, one):
        change_every_fit(module, change)
    assert module.Model().fit() == ["one", "two"]


def test_an_error_of_a_callback_passes_no_frame_of_ours() -> None:
    module = keras()
    change_every_fit(module, adds(Callback("ours")))
    with pytest.raises(ValueError, match="own") as caught:
        module.Model().fit([Callback("a", fails=True)])
    names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.tb)]
    assert names[1:] == ["fit", "on_train_begin", "on_train_begin"]


def test_the_patched_method_still_has_its_name_and_help() -> None:
    module = keras()
    change_every_fit(module, adds(Callback("ours")))
    begin = module.callbacks.CallbackList.on_train_begin
    assert (begin.__name__, begin.__doc__) == ("on_train_begin", "Begin.")


def test_a_fit_whose_callbacks_cannot_be_changed_trains_with_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "said", set[str]())
    module = keras()

    def fails(*_: object) -> None:
        raise OSError("no memory")

    change_every_fit(module, fails)
    assert module.Model().fit([Callback("a")]) == ["a"]
    assert "warning: not recorded, training continues" in capsys.readouterr().err
