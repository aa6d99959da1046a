"""Loops that are stopped and started again, as if each began in a process of its own."""

from __future__ import annotations

import sys
import weakref
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import tensorflow

import wandb_repro
from tests.support.recording import recording
from tests.support.training import Recorded, Young
from wandb_repro.errors import UsageError
from wandb_repro.manifest.request import Beginning
from wandb_repro.manifest.trail_records import Checkpoint, Resumed
from wandb_repro.recording import mode
from wandb_repro.recording.checkpoint_series import end_script
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.store.checkpoint_folder import Shelf

tf: Any = cast("Any", tensorflow)


class Loop:
    """A loop that adds random numbers to a variable, over data in an order of its own."""

    def __init__(self, offline: Young, folder: Path) -> None:
        self._offline = offline
        self.folder = folder

    def train(self, epochs: int, *, leave_after: int = 99, **options: Any) -> Recorded:
        """Train up to an epoch; the process is then gone without having ended its script."""
        with recording(self._offline) as found:
            self.variable = tf.Variable(options.pop("initial", [0.0, 0.0]))
            data = tf.data.Dataset.range(6).shuffle(6)
            watch = wandb_repro.watch(self.variable, checkpoint=self.folder, **options)
            self.epochs: list[int] = []
            for epoch in watch.epochs(epochs):
                self.epochs.append(epoch)
                for batch in watch.batches(data):
                    step = float(batch) * np.random.random() + self.variable
                    self.variable.assign(step * 1.5 + tf.random.uniform(()))
                    watch.step(loss=step[0])
                if epoch + 1 == leave_after:
                    watch.epoch(val=1)
                    break
        return found[0]

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.ckpt"))


@pytest.fixture
def loop(offline: Young, tmp_path: Path) -> Loop:
    return Loop(offline, tmp_path / "ckpt")


def test_a_stopped_loop_resumes_to_the_same_bits(
    loop: Loop, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = loop.train(4)
    expected = loop.variable.numpy().tolist()
    Shelf(loop.folder, 3).clear()

    loop.train(4, leave_after=2)
    assert loop.names() == ["fit-1-epoch-00001.ckpt", "fit-1-epoch-00002.ckpt"]
    resumed = loop.train(4)

    assert loop.epochs == [2, 3]
    assert loop.variable.numpy().tolist() == expected
    assert "resuming after epoch 2 from" in capsys.readouterr().err
    (record,) = resumed.trail.of(Resumed)
    assert (record.epoch, record.step, record.inexact) == (2, 12, ())
    last = [whole.at("epoch", epoch=epoch).root for epoch in (3, 4)]
    assert [resumed.at("epoch", epoch=epoch).root for epoch in (3, 4)] == last
    saved = [it for it in whole.trail.of(Checkpoint) if it.digest]
    assert [(it.epoch, it.step) for it in saved] == [(1, 6), (2, 12), (3, 18), (4, 24)]
    assert saved[2].root == last[0].rpartition(":")[2]


def test_only_the_last_checkpoints_are_kept(loop: Loop) -> None:
    found = loop.train(3, keep=1)
    assert loop.names() == ["fit-1-epoch-00003.ckpt"]
    assert [it.reason for it in found.trail.of(Checkpoint) if it.reason] == [
        "deleted: only the last 1 are kept"
    ] * 2


def test_epochs_that_the_loop_ends_itself_are_not_ended_twice(loop: Loop) -> None:
    found = loop.train(3, leave_after=2)
    assert [epoch for moment, epoch, _ in found.moments() if moment == "epoch"] == [1, 2]
    assert found.at("epoch", epoch=2).metrics == {"val": (1.0).hex()}


def test_a_script_that_ended_starts_over(loop: Loop, capsys: pytest.CaptureFixture[str]) -> None:
    loop.train(2)
    Shelf(loop.folder, 3).mark("ended")
    loop.train(1)
    assert "has finished; this one starts over" in capsys.readouterr().err
    assert (loop.epochs, loop.names()) == ([0], ["fit-1-epoch-00001.ckpt"])


@pytest.mark.parametrize("finishes", [True, False])
def test_a_loop_that_is_left_early_starts_over_only_if_it_says_that_it_is_over(
    finishes: bool, offline: Young, tmp_path: Path
) -> None:
    shelf = Shelf(tmp_path, 3)
    with recording(offline):
        watch = wandb_repro.watch(tf.Variable(1.0), checkpoint=tmp_path)
        for _ in watch.epochs(3):
            watch.epoch()
            break
        if finishes:
            watch.finish()
        del watch
    end_script(shelf)
    assert shelf.has_ended == finishes


def test_the_state_that_a_loop_begins_with_is_not_kept_alive(
    offline: Young, tmp_path: Path
) -> None:
    class State(list[int]):
        """A list that can be referred to weakly."""

    with recording(offline):
        watch = wandb_repro.watch(checkpoint=tmp_path)
        state = State([1])
        known = weakref.ref(state)
        assert watch.restore(state) is state
        del state
        assert known() is None


def test_a_checkpoint_of_another_loop_is_set_aside(
    loop: Loop, capsys: pytest.CaptureFixture[str]
) -> None:
    loop.train(2, leave_after=1)
    loop.train(1, initial=[0.0, 0.0, 0.0])
    told = capsys.readouterr().err
    assert "a variable of the ResourceVariable had shape [2] and has [3] here" in told
    assert loop.epochs == [0]
    assert (loop.folder / "earlier-1" / "fit-1-epoch-00001.ckpt").exists()


def test_a_rerun_begins_at_the_checkpoint_it_was_given(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = loop.train(3)
    (saved,) = [it for it in original.trail.of(Checkpoint) if it.epoch == 2]
    expected = loop.variable.numpy().tolist()

    class Beginnings(mode.Recording):
        saves_checkpoints = False
        start = Beginning(fit=1, epoch=2, checkpoint=saved.path, checkpoint_sha256=saved.digest)

        def beginning_of(self, fit: int | None) -> Beginning | None:
            return self.start if fit == 1 else None

    monkeypatch.setattr(mode, "Recording", Beginnings)
    loop.train(3)
    assert (loop.epochs, loop.variable.numpy().tolist()) == ([2], expected)

    Beginnings.start = Beginnings.start.model_copy(update={"is_over": True})
    loop.train(3)
    assert loop.epochs == []

    Beginnings.start = Beginnings.start.model_copy(update={"checkpoint_sha256": "0" * 64})
    with pytest.raises(RerunStopped):
        loop.train(3)


def test_what_is_not_saved_is_said_before_the_first_checkpoint(
    offline: Young,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    with recording(offline) as found:
        watch = wandb_repro.watch(tf.Variable(1.0), checkpoint=tmp_path / "ckpt")
        for _ in watch.epochs(2):
            watch.step({"w": np.ones(1)}, loss=1.0)
    told = capsys.readouterr().err
    assert told.count("a resume of this training is not exact: ") == 2
    assert "how far the loop is in its data is not known" in told
    assert "begin it with `state = watch.restore(state)`" in told
    assert [it.reason[:7] for it in found[0].trail.of(Checkpoint)] == ["a state"] * 2


def test_a_loop_that_does_not_use_epochs_is_told_that_nothing_is_saved(
    offline: Young, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with recording(offline) as found:
        watch = wandb_repro.watch(tf.Variable(1.0), checkpoint=tmp_path / "ckpt")
        for _ in range(2):
            for _ in watch.batches([1]):
                watch.step()
            watch.epoch()
    told = capsys.readouterr().err
    assert told.count("write it as `for epoch in watch.epochs(30)`") == 1
    assert list(found[0].trail.of(Checkpoint)) == []


def test_a_checkpoint_that_cannot_be_written_costs_no_training(
    loop: Loop, capsys: pytest.CaptureFixture[str]
) -> None:
    loop.folder.write_text("a file in its place")
    found = loop.train(2)
    assert loop.epochs == [0, 1]
    assert "training continues without it" in capsys.readouterr().err
    assert all(it.reason for it in found.trail.of(Checkpoint))


def test_without_checkpoints_epochs_are_only_counted(offline: Young) -> None:
    with recording(offline) as found:
        watch = wandb_repro.watch(tf.Variable(1.0))
        assert watch.restore("state") == "state"
        assert [epoch for epoch in watch.epochs(2) if watch.step() is None] == [0, 1]
    assert [epoch for moment, epoch, _ in found[0].moments() if moment == "epoch"] == [1, 2]


def test_keeping_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="keep=0"):
        wandb_repro.watch(checkpoint=tmp_path, keep=0)


@pytest.mark.backend
def test_a_loop_of_jax_gets_its_state_back(offline: Young, tmp_path: Path) -> None:
    jax = pytest.importorskip("jax")

    def train(epochs: int, **options: Any) -> list[float]:
        with recording(offline):
            watch = wandb_repro.watch(checkpoint=tmp_path / "ckpt", **options)
            state = watch.restore((jax.numpy.zeros(2), jax.random.key(3)))
            for _ in watch.epochs(epochs):
                for number in watch.batches([1.0, 2.0]):
                    value, key = state
                    key, used = jax.random.split(key)
                    state = (value * 1.5 + number * jax.random.uniform(used, (2,)), key)
                    watch.step(state)
        return cast("list[float]", state[0].tolist())

    train(1)
    resumed = train(3)
    Shelf(tmp_path / "ckpt", 3).clear()
    assert train(3) == resumed
