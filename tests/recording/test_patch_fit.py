"""Our callback reaches every ``fit``, in each form that ``callbacks=`` may have."""

from __future__ import annotations

from types import ModuleType
from typing import Any, cast

import pytest

from wandb_repro.recording.patch_fit import callbacks_in, change_every_fit, with_callback
from wandb_repro.recording.process_state import process


class CallbackList:
    """Keras' own list of callbacks, as far as ``fit`` and we use it."""

    def __init__(self, callbacks: list[str]) -> None:
        self.callbacks = callbacks

    def append(self, callback: str) -> None:
        self.callbacks.append(callback)


def keras() -> Any:
    """Return a Keras whose models return what their ``fit`` was given."""

    class Trainer:
        def fit(self, *positional: Any, **options: Any) -> tuple[Any, ...]:
            """Train."""
            return positional, options

    class Model(Trainer):
        pass

    module = cast("Any", ModuleType("keras"))
    module.Model = Model
    return module


@pytest.mark.parametrize(
    ("given", "found"), [(None, []), ("a", ["a"]), (["a"], ["a"]), (("a", "b"), ["a", "b"])]
)
def test_callbacks_are_found_in_each_form(given: object, found: list[str]) -> None:
    assert callbacks_in(given) == found
    assert callbacks_in(CallbackList(found)) == found


@pytest.mark.parametrize(("first", "added"), [(False, ["a", "ours"]), (True, ["ours", "a"])])
def test_a_callback_is_added_at_the_end_or_first(*, first: bool, added: list[str]) -> None:
    theirs = ["a"]
    assert with_callback(theirs, "ours", first=first) == added
    assert theirs == ["a"]


@pytest.mark.parametrize(("first", "added"), [(False, ["a", "ours"]), (True, ["ours", "a"])])
def test_keras_own_list_is_changed_in_place(*, first: bool, added: list[str]) -> None:
    theirs = CallbackList(["a"])
    assert with_callback(theirs, "ours", first=first) is theirs
    assert theirs.callbacks == added


def test_every_fit_gets_the_changed_callbacks_by_name_or_position() -> None:
    module = keras()
    change_every_fit(module, lambda given: with_callback(given, "ours"))
    model = module.Model()
    assert model.fit("x", epochs=2) == (("x",), {"epochs": 2, "callbacks": ["ours"]})
    assert model.fit("x", callbacks=["a"])[1] == {"callbacks": ["a", "ours"]}
    positional = ("x", "y", 32, 1, "auto", ["a"], 0.1)
    assert model.fit(*positional) == ((*positional[:5], ["a", "ours"], 0.1), {})


def test_the_patched_fit_still_has_its_name_and_help() -> None:
    module = keras()
    change_every_fit(module, callbacks_in)
    assert (module.Model.fit.__name__, module.Model.fit.__doc__) == ("fit", "Train.")


def test_a_fit_whose_callbacks_cannot_be_changed_trains_with_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "said", set[str]())
    module = keras()

    def fails(_: object) -> list[Any]:
        raise OSError("no memory")

    change_every_fit(module, fails)
    assert module.Model().fit("x", callbacks=["a"]) == (("x",), {"callbacks": ["a"]})
    assert "warning: not recorded, training continues" in capsys.readouterr().err
