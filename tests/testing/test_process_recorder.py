from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Ending
from wandb_repro.manifest.trail_records import End
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.trail_sink import Point
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.testing import process_recorder
from wandb_repro.testing.fresh_task import Task
from wandb_repro.testing.process_recorder import ProcessRecorder
from wandb_repro.testing.target import Target


def recorder_in(folder: Path, **options: Any) -> ProcessRecorder:
    folder.mkdir()
    target = Target(module="m", file="m.py", name="train", arguments=[], keywords={})
    task = Task(
        target=target,
        search=[],
        folder=str(folder),
        who="the first process",
        seed=None,
        deterministic=None,
        **options,
    )
    return ProcessRecorder(task, Seeding(None, asked=None, deterministic=None, drawn=False))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read no settings of a model: there is none, and an earlier test may have imported Keras."""

    def probe(*_: object) -> Unavailable:
        return Unavailable(unavailable="no model is trained here")

    monkeypatch.setattr(process_recorder, "probe_settings", probe)


def train(recorder: ProcessRecorder, *values: float) -> None:
    """Record one fit whose weights after step N are the Nth value."""
    fit = recorder.begin_fit(object())
    for step, value in enumerate(values, 1):
        kernel = Variable("trainable", "kernel", cast("Array", np.full(3, value)))
        recorder.weights(Point("step", fit, epoch=0, step=step), [kernel])
    recorder.end_fit(fit)


def steps_in(folder: Path) -> list[int]:
    return [record.step for record in read_trail(Capsule(folder)).moments()]


def test_a_training_leaves_a_trail_and_a_manifest_named_after_the_process(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path / "one")
    train(recorder, 0.5, 0.25)
    recorder.end("finished")
    capsule = Capsule(tmp_path / "one")
    manifest = read_manifest(capsule)
    assert manifest.run.id == "the first process"
    assert manifest.ending == Ending(status="finished")
    assert read_trail(capsule).end == End(status="finished", fits=1)
    assert steps_in(tmp_path / "one") == [1, 2]


def test_every_step_is_digested_unless_the_callback_says_otherwise(tmp_path: Path) -> None:
    assert recorder_in(tmp_path / "one").steps == 1


def test_the_training_ends_when_the_steps_of_the_task_are_complete(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path / "one", steps=2)
    with pytest.raises(RerunStopped):
        train(recorder, 1, 2, 3)
    recorder.end("interrupted")
    assert steps_in(tmp_path / "one") == [1, 2]


def test_the_process_kills_itself_after_the_step_of_the_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        killed.append((pid, number))

    monkeypatch.setattr(os, "kill", kill)
    train(recorder_in(tmp_path / "one", kill_after=2), 1, 2)
    assert killed == [(os.getpid(), signal.SIGKILL)]


def test_a_second_process_ends_at_its_first_difference(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    original = recorder_in(tmp_path / "one")
    train(original, 1, 2, 3, 4)
    original.end("finished")
    repeated = recorder_in(tmp_path / "two", original=str(tmp_path / "one"), steps=4)
    with pytest.raises(RerunStopped):
        train(repeated, 1, 2, 7, 4)
    assert "differs from the original at" in capfd.readouterr().err
    repeated.end("interrupted")
    assert steps_in(tmp_path / "two") == [1, 2, 3]


def test_the_settings_of_at_most_twenty_fits_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.records import full_manifest

    fits = full_manifest().description.fits
    assert isinstance(fits, tuple)

    def probe(*_: object) -> object:
        return fits[0]

    monkeypatch.setattr(process_recorder, "probe_settings", probe)
    recorder = recorder_in(tmp_path / "one")
    for _ in range(25):
        recorder.end_fit(recorder.begin_fit(object()))
    recorder.end("finished")
    kept = read_manifest(Capsule(tmp_path / "one")).description.fits
    assert isinstance(kept, tuple)
    assert len(kept) == 20
