from __future__ import annotations

from collections.abc import Callable

import pytest

from wandb_repro.recording import watch_creation as module
from wandb_repro.recording.process_state import process


def test_each_framework_is_watched_once_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    awaited: list[str] = []

    def noted(name: str, action: Callable[..., object]) -> bool:
        assert callable(action)
        awaited.append(name)
        return False

    monkeypatch.setattr(module, "after_import", noted)
    monkeypatch.setattr(process, "watches_creation", False)

    module.watch_creation()
    module.watch_creation()

    assert awaited == ["tensorflow", "jax", "torch", "keras", "tf_keras"]
