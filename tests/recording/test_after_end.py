"""Training behind the end of a run stands in its record, and leaves the next run alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wandb_repro.manifest.trail_records import End
from wandb_repro.recording.after_end import AfterEnd
from wandb_repro.recording.process_state import process
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_trail
from wandb_repro.verify.undigested import undigested


@pytest.fixture
def ended(tmp_path: Path) -> Iterator[Capsule]:
    """Give the capsule of a run that has ended."""
    capsule = Capsule(tmp_path)
    TrailRecorder(capsule.trail).end("finished")
    yield capsule
    process.note_training = None


@pytest.fixture
def optax(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = ModuleType("optax")

    def apply_updates(one: int, two: int) -> int:
        return one + two

    module.apply_updates = apply_updates
    monkeypatch.setitem(sys.modules, "optax", module)
    return module


def test_a_step_after_the_end_is_in_the_record_once_and_leaves_no_hook(
    ended: Capsule, optax: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    real = optax.apply_updates
    AfterEnd(ended.trail, online=False)
    assert undigested(read_trail(ended)) == ()
    assert [optax.apply_updates(1, 2) for _ in range(3)] == [3, 3, 3]

    trail = read_trail(ended)
    assert trail.end == End(status="finished", fits=0)
    (what,) = undigested(trail)
    assert what.startswith("the script trained after the run had ended")
    assert optax.apply_updates is real
    assert process.note_training is None
    (line,) = capsys.readouterr().err.splitlines()
    assert "trained after the run had ended" in line


def test_of_a_run_that_was_uploaded_it_says_where_it_is_noted(
    ended: Capsule, capsys: pytest.CaptureFixture[str]
) -> None:
    AfterEnd(ended.trail, online=True)
    assert process.note_training is not None
    process.note_training()
    assert f"noted in {ended.folder}, and not on W&B" in capsys.readouterr().err
    assert len(undigested(read_trail(ended))) == 1


def test_training_in_the_next_run_is_not_outside(ended: Capsule, optax: Any) -> None:
    real = optax.apply_updates
    AfterEnd(ended.trail, online=False).end()
    assert optax.apply_updates is real
    optax.apply_updates(1, 2)
    assert undigested(read_trail(ended)) == ()


def test_a_trail_that_is_gone_harms_no_training(ended: Capsule, optax: Any) -> None:
    AfterEnd(ended.trail, online=False)
    ended.trail.unlink()
    assert optax.apply_updates(1, 2) == 3
    assert not ended.trail.exists()
