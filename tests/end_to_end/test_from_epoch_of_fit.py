"""One segment of a later fit is replayed: the fits before it train nothing, and prove nothing."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from tests.end_to_end.test_from_epoch import HERE, trained
from tests.support.recorded import Ask, Project
from wandb_repro.manifest.trail_records import Checkpoint, Resumed

BEGIN = """\
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
    def __init__(self, fit):
        super().__init__()
        self.fit = fit

    def on_epoch_begin(self, epoch, logs=None):
        if when == f"{self.fit}:{epoch + 1}":
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
"""
TUNED = f"""\
{BEGIN}
saving = ReproCheckpoint("ckpt", keep=3)
model.fit(data, epochs=3, verbose=2, callbacks=[saving, ReproCallback(), Act(1)])
model.layers[0].trainable = False
model.compile(keras.optimizers.SGD(1e-3, 0.9), "mse", jit_compile=False)
slower = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, factor=0.7)
model.fit(data, epochs=4, verbose=2, callbacks=[saving, ReproCallback(), slower, Act(2)])
"""
"""A training and its fine-tuning, with checkpoints in one folder."""
OTHERS = f"""\
{BEGIN}
stopping = keras.callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True)
stopping.min_delta = 9.0
first = [ReproCallback(), ReproCheckpoint("first"), stopping, Act(1)]
model.fit(data, epochs=9, verbose=2, callbacks=first)
base = keras.Model(model.inputs, model.layers[0].output)
tuned = keras.Sequential([base, keras.layers.Dropout(0.3), keras.layers.Dense(1)])
tuned.compile("adam", "mse", jit_compile=False)
second = [ReproCheckpoint("second"), ReproCallback(steps=4)]
tuned.fit(x, y, batch_size=8, epochs=3, verbose=2, callbacks=second)
tuned.compile("sgd", "mse", jit_compile=False)
unsaved = [] if what == "unsaved" else [ReproCheckpoint("third")]
tuned.fit(x, y, batch_size=8, epochs=2, verbose=2, callbacks=[ReproCallback(), *unsaved])
"""
"""Three fits that are recorded, each with a folder of its own, of two models; one stops early."""


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give the project of a training with a fine-tuning that ended."""
    project = Project.made(tmp_path_factory.mktemp("tuned") / "project", TUNED)
    assert project.record("train.py").returncode == 0
    return project


@pytest.mark.slow
def test_a_segment_of_the_second_fit_is_replayed_and_the_first_trains_nothing(
    tuned: Project, ask: Ask
) -> None:
    words = ("rerun", "latest", "--from-epoch", "2:2", *HERE)
    answer = ask(*words, cwd=tuned.folder, NUMBERS_DO="nudge:1:1")

    assert answer.code == 0, answer.err
    assert trained(answer) == ["Epoch 3/4"]
    assert answer.text.startswith(
        "identical up to epoch 3 of fit 2, from the checkpoint of epoch 2 of fit 2; "
        "not compared: fit 1"
    )
    assert "after epoch 2 of fit 2, up to epoch 3, from" in answer.error
    assert "; fit 1 is skipped, using" in answer.error


@pytest.mark.slow
def test_the_second_fit_is_replayed_from_its_start(tuned: Project, ask: Ask) -> None:
    words = ("rerun", "latest", "--from-epoch", "2:0", *HERE)
    answer = ask(*words, "--until-epoch", 1, cwd=tuned.folder)

    assert answer.code == 0, answer.err
    assert trained(answer) == ["Epoch 1/4"]
    assert answer.text.startswith(
        "identical up to epoch 1 of fit 2, from the start of fit 2; not compared: fit 1"
    )


@pytest.mark.slow
def test_a_segment_of_the_second_fit_that_differs_is_named(tuned: Project, ask: Ask) -> None:
    words = ("rerun", "latest", "--from-epoch", "2:2", *HERE, "--json")
    answer = ask(*words, cwd=tuned.folder, NUMBERS_DO="nudge:2:3")

    assert answer.code == 1, answer.err
    assert answer.data["grade"] == "diverged"
    assert answer.data["first"]["what"] == "the end of epoch 3 of fit 2"


@pytest.mark.slow
def test_what_cannot_be_replayed_is_one_sentence_before_anything_trains(
    tuned: Project, ask: Ask
) -> None:
    def said(what: str, *more: object) -> str:
        words = ("rerun", "latest", "--from-epoch", what, *more, *HERE)
        answer = ask(*words, cwd=tuned.folder)
        assert not trained(answer)
        return f"{answer.code} {answer.error}"

    assert "4 error No fit 3: the run called fit 2 times." in said("3:1")
    assert "4 error No checkpoint of epoch 9 of fit 2; checkpoints exist of" in said("2:9")
    at_the_end = said("3")
    assert "4 error Fit 1 ends with epoch 3." in at_the_end
    assert "--from-epoch 2:0 replays the next fit" in at_the_end
    assert "2 error --until-epoch 2 must come after --from-epoch 2:2" in said(
        "2:2", "--until-epoch", 2
    )
    assert "2 error --until-epoch 5: fit 1 ends with epoch 3." in said("1:2", "--until-epoch", 5)


@pytest.mark.slow
def test_checkpoints_that_were_moved_are_found_beside_the_one_that_is_named(
    tuned: Project, tmp_path: Path, ask: Ask
) -> None:
    project = tuned.copy(tmp_path / "project")
    words = ("rerun", str(project.run_folder), "--from-epoch", "2:2", "--dry-run")
    saved = Path(next(one.path for one in tuned.trail.of(Checkpoint))).parent
    aside = saved.rename(saved.with_name("away"))
    try:
        lost = ask(*words, cwd=project.folder)
        named = (*words, "--checkpoint", aside / "fit-2-epoch-00002.ckpt")
        found = ask(*named, cwd=project.folder)
        shutil.copy(aside / "fit-2-epoch-00002.ckpt", tmp_path)
        alone = (*words, "--checkpoint", tmp_path / "fit-2-epoch-00002.ckpt")
        without = ask(*alone, cwd=project.folder)
    finally:
        aside.rename(saved)

    assert lost.code == 4
    assert "fit-2-epoch-00002.ckpt cannot be read" in lost.error
    assert "earlier fits must be in the same folder" in lost.error
    assert found.code == 0, found.err
    assert f"fit 1 is skipped, using {aside}" in found.text.replace("- ", "-")
    assert without.code == 4
    assert "fit-1-epoch-00003.ckpt cannot be read" in without.error


@pytest.mark.slow
def test_a_run_that_was_killed_in_its_second_fit_goes_on_as_a_run_that_reruns_from_there(
    tmp_path: Path, tuned: Project, ask: Ask
) -> None:
    project = Project.made(tmp_path / "project", TUNED)
    assert project.record("train.py", NUMBERS_DO="kill:2:3").returncode == -signal.SIGKILL
    assert project.record("train.py").returncode == 0
    went_on = [(one.fit, one.epoch, one.inexact) for one in project.trail.of(Resumed)]
    assert went_on == [(1, 3, ()), (2, 2, ())]
    assert project.trail.weights[-1].root == tuned.trail.weights[-1].root

    whole = ask("rerun", "latest", *HERE, cwd=project.folder)
    assert whole.code == 0, whole.err
    assert trained(whole) == ["Epoch 3/4", "Epoch 4/4"]
    assert whole.text.startswith(
        "identical up to the end, from the checkpoint of epoch 2 of fit 2; not compared: fit 1"
    )

    part = ask("rerun", "latest", "--from-epoch", "2:3", *HERE, cwd=project.folder)
    assert part.code == 0, part.err
    assert trained(part) == ["Epoch 4/4"]


@pytest.mark.slow
def test_fits_of_other_models_with_folders_of_their_own_are_told_apart(
    tmp_path: Path, ask: Ask
) -> None:
    project = Project.made(tmp_path / "project", OTHERS)
    assert project.record("train.py").returncode == 0
    last = {one.fit: one.epoch for one in project.trail.of(Checkpoint)}
    assert last == {1: 2, 2: 3, 3: 2}

    second = ask("rerun", "latest", "--from-epoch", "2:2", *HERE, cwd=project.folder)
    assert second.code == 0, second.err
    assert trained(second) == ["Epoch 3/3"]

    third = ask("rerun", "latest", "--from-epoch", "3:1", *HERE, cwd=project.folder)
    assert third.code == 0, third.err
    assert trained(third) == ["Epoch 2/2"]
    assert third.text.startswith(
        "identical up to the end, from the checkpoint of epoch 1 of fit 3;"
    )
    assert "not compared: fit 1 and fit 2" in third.text

    words = ("rerun", "latest", "--from-epoch", "3:1", *HERE)
    unsaved = ask(*words, cwd=project.folder, NUMBERS_DO="unsaved:")
    assert unsaved.code == 5, unsaved.err
    assert "fit 3 did not resume from its checkpoint" in unsaved.error
    assert len(trained(unsaved)) == 1


@pytest.mark.parametrize(
    "what", ["0", "1:0", "2:", ":2", "2:x", "two", "0:1", "-1", "1:2:3", "2.5"]
)
def test_an_epoch_that_is_none_is_wrong_use(numbers: Project, ask: Ask, what: str) -> None:
    answer = ask("rerun", "latest", f"--from-epoch={what}", *HERE, cwd=numbers.folder)

    assert answer.code == 2
    assert f"--from-epoch {what} is neither N" in answer.error
    assert "2:0 at the start of the second" in answer.error


def test_a_fit_that_is_not_there_is_said(numbers: Project, ask: Ask) -> None:
    answer = ask("rerun", "latest", "--from-epoch", "2:1", *HERE, cwd=numbers.folder)

    assert answer.code == 4
    assert "No fit 2: the run called fit once." in answer.error
