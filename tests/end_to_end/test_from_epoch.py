"""One segment of a training is replayed from its checkpoint, for the cost of that segment."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from tests.support.recorded import Answer, Ask, Project
from wandb_repro.manifest.trail_records import Checkpoint, Resumed

SCRIPT = """\
import os
import signal

import keras
import numpy as np
import tensorflow as tf
from network import SIZE

import wandb_repro
from wandb_repro.keras import ReproCallback, ReproCheckpoint

run = wandb_repro.init(project="long", seed=7)
what, _, when = os.environ.get("NUMBERS_DO", "").partition(":")


class Act(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if what and epoch + 1 == int(when):
            if what == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            kernel = self.model.layers[0].kernel
            kernel.assign(kernel * 1.0001)


x = np.random.normal(size=(48, 4)).astype("float32")
y = x.sum(1, keepdims=True)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(48).batch(8)
model = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(SIZE), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
)
model.compile("adam", "mse", jit_compile=False)
slower = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, factor=0.7)
saving = ReproCheckpoint("ckpt", keep=3)
model.fit(data, epochs=6, verbose=2, callbacks=[saving, ReproCallback(), slower, Act()])
"""
HERE = ("--env", "here", "--yes")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give the project of a training with checkpoints that ended."""
    project = Project.made(tmp_path_factory.mktemp("long") / "project", SCRIPT)
    assert project.record("train.py").returncode == 0
    return project


def trained(answer: Answer) -> list[str]:
    """Return the epochs that were trained."""
    return [line for line in answer.err.splitlines() if line.startswith("Epoch ")]


@pytest.mark.slow
def test_the_trail_says_which_checkpoints_there_are_and_why_others_are_not(long: Project) -> None:
    told = list(long.trail.of(Checkpoint))
    there = {one.epoch: one for one in told}
    kept = [epoch for epoch, one in there.items() if one.digest]

    assert set(there) == {1, 2, 3, 4, 5, 6}
    assert kept[-3:] == [4, 5, 6]
    for one in there.values():
        assert Path(one.path).exists() == bool(one.digest)
        assert bool(one.digest) != bool(one.reason)
    assert there[6].root == long.trail.weights[-1].root


@pytest.mark.slow
def test_a_segment_is_replayed_and_identical(long: Project, ask: Ask) -> None:
    answer = ask("rerun", "latest", "--from-epoch", 4, *HERE, cwd=long.folder)

    assert answer.code == 0, answer.err
    assert answer.text.startswith("identical up to epoch 5, from the checkpoint of epoch 4")
    assert trained(answer) == ["Epoch 5/6"]
    assert "begins after epoch 4, up to epoch 5, from" in answer.error


@pytest.mark.slow
def test_a_segment_up_to_the_end_holds_the_final_weights(long: Project, ask: Ask) -> None:
    answer = ask("rerun", "latest", "--from-epoch", 6, *HERE, cwd=long.folder)
    assert answer.code == 4
    assert "The record ends with epoch 6." in answer.error

    last = ask("rerun", "latest", "--from-epoch", 4, "--until-epoch", 6, *HERE, cwd=long.folder)
    assert last.code == 0, last.err
    assert trained(last) == ["Epoch 5/6", "Epoch 6/6"]


@pytest.mark.slow
def test_a_segment_that_differs_is_named(long: Project, ask: Ask) -> None:
    words = ("rerun", "latest", "--from-epoch", 4, *HERE, "--json")
    answer = ask(*words, cwd=long.folder, NUMBERS_DO="nudge:5")

    assert answer.code == 1, answer.err
    assert answer.data["grade"] == "diverged"
    assert answer.data["first"]["what"] == "the end of epoch 5"


@pytest.mark.slow
def test_a_checkpoint_that_is_not_there_or_changed_is_one_sentence(
    long: Project, tmp_path: Path, ask: Ask
) -> None:
    absent = ask("rerun", "latest", "--from-epoch", 2, *HERE, cwd=long.folder)
    assert absent.code == 4
    assert "No checkpoint of epoch 2: deleted: only the last 3" in absent.error
    assert "checkpoints exist of epoch" in absent.error

    moved = tmp_path / "moved.ckpt"
    recorded = long.folder / "ckpt" / "fit-1-epoch-00004.ckpt"
    shutil.copy(recorded, moved)
    moved.write_bytes(moved.read_bytes()[:-40])
    words = ("rerun", "latest", "--from-epoch", 4, "--checkpoint", moved, *HERE)
    damaged = ask(*words, cwd=long.folder)
    assert damaged.code == 4
    assert "moved.ckpt is damaged" in damaged.error

    shutil.copy(long.folder / "ckpt" / "fit-1-epoch-00005.ckpt", moved)
    other = ask(*words, cwd=long.folder)
    assert "moved.ckpt is not the checkpoint that was recorded" in other.error

    shutil.copy(recorded, moved)
    assert ask(*words, "--dry-run", cwd=long.folder).code == 0


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_as_another_run_that_reruns_from_there(
    tmp_path: Path, long: Project, ask: Ask
) -> None:
    project = Project.made(tmp_path / "project", SCRIPT)
    assert project.record("train.py", NUMBERS_DO="kill:4").returncode == -signal.SIGKILL
    killed = project.trail
    assert [one.epoch for one in killed.of(Checkpoint) if one.digest][-1] == 3
    assert project.record("train.py").returncode == 0

    (went_on,) = project.trail.of(Resumed)
    assert (went_on.epoch, went_on.step, went_on.inexact) == (3, 18, ())
    never = {(it.moment, it.epoch, it.step): it.root for it in long.trail.weights}
    stopped = {(it.moment, it.epoch, it.step): it.root for it in project.trail.weights}
    common = set(never) & set(stopped)
    assert ("final", 6, 36) in common
    assert all(never[it] == stopped[it] for it in common)

    answer = ask("rerun", "latest", *HERE, cwd=project.folder)
    assert answer.code == 0, answer.err
    assert trained(answer) == ["Epoch 4/6", "Epoch 5/6", "Epoch 6/6"]
    assert answer.text.startswith("identical up to the end, from the checkpoint of epoch 3")


def test_a_run_without_checkpoints_says_how_to_have_them(numbers: Project, ask: Ask) -> None:
    answer = ask("rerun", "latest", "--from-epoch", 1, *HERE, cwd=numbers.folder)

    assert answer.code == 4
    assert "The run recorded no checkpoints." in answer.error
    assert "wandb_repro.keras.ReproCheckpoint(folder)" in answer.error


def test_a_segment_that_ends_before_it_begins_is_wrong_use(numbers: Project, ask: Ask) -> None:
    words = ("rerun", "latest", "--from-epoch", 3, "--until-epoch", 2, *HERE)
    answer = ask(*words, cwd=numbers.folder)

    assert answer.code == 2
    assert "--until-epoch 2 must come after --from-epoch 3" in answer.error
