from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType

import pytest

from wandb_repro.recording import watch_creation as module
from wandb_repro.recording.process_state import process
from wandb_repro.state.registry import Registry


@pytest.fixture(autouse=True)
def not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process seem not to be watched yet; afterwards it is watched as before."""
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.start)
    monkeypatch.setattr(process, "watches_creation", False)
    monkeypatch.setattr(process, "registry", Registry())


def test_each_framework_is_watched_once_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    awaited: list[str] = []

    def noted(name: str, action: Callable[..., object]) -> bool:
        assert callable(action)
        awaited.append(name)
        return False

    monkeypatch.setattr(module, "after_import", noted)

    module.watch_creation()
    module.watch_creation()

    assert awaited == ["tensorflow", "jax", "torch", "keras", "tf_keras"]


@pytest.mark.usefixtures("lenient")
def test_a_framework_that_cannot_be_watched_is_noted_in_the_record(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such method")

    def at_once(name: str, action: Callable[[ModuleType], object]) -> bool:
        action(ModuleType(name))
        return True

    for place, name in (
        (module.creation, "watch_tensorflow"),
        (module.creation, "watch_torch"),
        (module.creation, "watch_keras"),
        (module.functional, "watch_gradients_of_jax"),
        (module.legacy_keras, "watch_legacy_keras"),
    ):
        monkeypatch.setattr(place, name, fail)
    monkeypatch.setattr(module, "after_import", at_once)

    module.watch_creation()

    names = ("tensorflow", "jax", "torch", "keras", "tf_keras")
    notes = list(process.registry.unwatched)
    assert [note.partition(" is not noticed: ")[0] for note in notes] == [
        f"what {name} makes" for name in names
    ]
    assert "no such method" in notes[0]
    assert "not recorded, training continues: what keras makes" in capsys.readouterr().err
