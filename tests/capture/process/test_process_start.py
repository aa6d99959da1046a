from __future__ import annotations

import time
from pathlib import Path

import pytest

from wandb_repro.capture.process.process_start import process_start


def test_the_process_started_before_now_and_once() -> None:
    first, second = process_start(), process_start()
    assert first <= time.time() + 0.02
    assert abs(first - second) < 1


def test_where_the_system_does_not_say_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object, **__: object) -> str:
        raise OSError

    monkeypatch.setattr(Path, "read_text", unreadable)
    assert abs(process_start() - time.time()) < 60
