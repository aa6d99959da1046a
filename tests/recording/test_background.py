"""Work beside the script's own start."""

from __future__ import annotations

import threading

import pytest

from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.background import Background


def test_work_waits_for_what_comes_before_it() -> None:
    before, done = threading.Event(), threading.Event()
    work = Background(done.set, "work", after=before)

    assert str(work.result(0)) == "work: not done in time"
    assert not done.is_set()
    before.set()
    assert work.result(30) is None
    assert done.is_set()


def test_work_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wandb_repro.recording.background._PATIENCE_S", 0.01)

    assert Background(lambda: 3, "work", after=threading.Event()).result(30) == 3


def test_work_that_fails_has_its_reason() -> None:
    def fails() -> None:
        raise OSError("no disk")

    told = Background(fails, "work").result(30)

    assert isinstance(told, Unavailable)
    assert str(told) == "work: OSError: no disk"
