"""An epoch that differs is run again on both sides, and the step is named; or why it is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.recorded import Ask, Project, begun
from tests.support.terminal import on_paper
from wandb_repro.report.verdict import verdict_text
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_trail
from wandb_repro.verify.verdict import Verdict

STEPS = '''\
"""Trains four numbers, three epochs of four steps. Step 7 depends on the width."""

import os

import numpy as np
from network import SIZE

import wandb_repro
from wandb_repro.capture.weights import Variable
from wandb_repro.api import find_session
from wandb_repro.recording.trail_sink import Point

EVERY = int(os.environ.get("EVERY", "0"))
SPOILED = 7
run = wandb_repro.init(project="steps", config={"epochs": 3}, seed=7)
session = find_session(run)
weights, bias = np.random.normal(size=SIZE), np.random.normal(size=2)


def digest(moment, epoch, step):
    metrics = {"loss": float(weights.sum()).hex()} if moment == "epoch" else {}
    variables = [Variable("trainable", "kernel", weights), Variable("trainable", "bias", bias)]
    session.weights(Point(moment, session.fits, epoch, step, metrics), variables)


session.begin_fit(None)
digest("initial", 0, 0)
step = 0
for epoch in range(1, run.config["epochs"] + 1):
    for _ in range(4):
        weights += np.random.normal(size=SIZE)
        bias += np.random.normal(size=2)
        step += 1
        width = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
        if step == SPOILED and (width != "2" or os.environ.get("SPOIL") == "always"):
            bias[1] = np.nextafter(bias[1], 9)
        if session.wants_step(step, fit=1, epochs=epoch - 1) or (EVERY and step % EVERY == 0):
            digest("step", epoch - 1, step)
    digest("epoch", epoch, step)
digest("final", run.config["epochs"], step)
session.end_fit(session.fits)
'''

HERE = ("--env", "here", "--yes", "--bisect")


def recorded(folder: Path, every: int = 0) -> Project:
    project = Project.made(folder / "project", STEPS)
    made = project.record("train.py", TF_NUM_INTRAOP_THREADS="2", EVERY=str(every))
    assert made.returncode == 0
    return project


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give a run of which only epochs were recorded, on two threads."""
    return recorded(tmp_path_factory.mktemp("steps"))


@dataclass(frozen=True)
class Bisected:
    """A rerun on one thread, bisected."""

    code: int
    verdict: dict[str, Any]
    folder: Path


@pytest.fixture(scope="module")
def bisected(steps: Project, tmp_path_factory: pytest.TempPathFactory) -> Bisected:
    """Give a rerun on one thread, bisected."""
    folder = tmp_path_factory.mktemp("bisected") / "rerun"
    words = ("rerun", "latest", *HERE, "--threads", 1, "--json", "--dir", folder)
    with begun(*words, cwd=steps.folder) as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode in (0, 1), err
    return Bisected(process.returncode, json.loads(out), folder)


@pytest.mark.slow
def test_the_step_and_its_tensor_are_named_where_only_epochs_were_recorded(
    bisected: Bisected,
) -> None:
    verdict = bisected.verdict

    assert bisected.code == 1
    assert verdict["first"]["what"] == "the end of epoch 2"
    first = verdict["bisection"]["first"]
    assert (first["moment"], first["step"], first["epoch"]) == ("step", 7, 1)
    assert first["last_equal"] == "step 6 (epoch 2)"
    assert [leaf["label"] for leaf in first["leaves"]] == ["bias"]
    assert verdict["bisection"]["causes"][0]["cure"] == "set TF_NUM_INTRAOP_THREADS=2"
    assert verdict["bisection"]["reason"] == ""


@pytest.mark.slow
def test_only_the_epoch_that_differs_is_digested_step_by_step_and_nothing_after_it_is_trained(
    bisected: Bisected,
) -> None:
    sides = sorted(bisected.folder.glob("bisect-*"))

    assert [side.name for side in sides] == ["bisect-original", "bisect-rerun"]
    for side in sides:
        (run,) = side.glob("wandb/offline-run-*")
        digested = [
            (it.moment, it.step) for it in read_trail(Capsule(run / "files" / "repro")).weights
        ]
        assert [step for moment, step in digested if moment == "step"] == [5, 6, 7, 8]
        assert digested[-1] == ("epoch", 8)


@pytest.mark.slow
def test_people_read_the_step_below_the_verdict(bisected: Bisected) -> None:
    text = on_paper(verdict_text(Verdict.model_validate_json(json.dumps(bisected.verdict))))

    assert text.startswith("diverged  at the end of epoch 2")
    assert "Bisected  at step 7 (epoch 2)" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.slow
def test_a_machine_that_does_not_give_the_originals_bits_says_so(
    steps: Project, tmp_path: Path, ask: Ask
) -> None:
    words = ("rerun", "latest", *HERE, "--json", "--dir", tmp_path / "rerun")

    answer = ask(*words, cwd=steps.folder, SPOIL="always")

    bisection = answer.data["bisection"]
    assert (answer.code, bisection["first"]) == (1, None)
    assert "does not give its bits, but differs at the end of epoch 2" in bisection["reason"]


@pytest.mark.slow
def test_a_step_that_is_known_is_not_looked_for(tmp_path: Path, ask: Ask) -> None:
    project = recorded(tmp_path, every=1)

    answer = ask("rerun", "latest", *HERE, "--threads", 1, "--json", cwd=project.folder)

    assert answer.data["first"]["step"] == 7
    assert answer.data["bisection"]["reason"] == "the step is known already"
    assert len(project.reruns()) == 1


@pytest.mark.slow
def test_a_few_steps_apart_are_narrowed_too(tmp_path: Path, ask: Ask) -> None:
    project = recorded(tmp_path, every=3)

    answer = ask("rerun", "latest", *HERE, "--threads", 1, "--json", cwd=project.folder)

    assert answer.data["first"]["what"] == "the end of epoch 2"
    assert answer.data["bisection"]["first"]["step"] == 7


@pytest.mark.slow
def test_what_is_identical_is_not_bisected(steps: Project, tmp_path: Path, ask: Ask) -> None:
    words = ("rerun", "latest", *HERE, "--json", "--dir", tmp_path / "rerun")

    answer = ask(*words, cwd=steps.folder)

    assert (answer.code, answer.data["bisection"]) == (0, None)


KERAS_STEPS = """
import os

import keras
import numpy as np
from network import SIZE

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="dense", config={"epochs": 3}, seed=7)


class Odd(keras.callbacks.Callback):
    steps = 0

    def on_train_batch_begin(self, batch, logs=None):
        self.steps += 1
        if self.steps == 7 and os.environ.get("TF_NUM_INTRAOP_THREADS") != "2":
            bias = self.model.trainable_variables[1]
            bias.assign(bias + 1e-7)


x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(SIZE), keras.layers.Dropout(0.5)])
model.compile("adam", "mse", jit_compile=False)
epochs = run.config["epochs"]
callbacks = [ReproCallback(), Odd()]
model.fit(x, x, batch_size=4, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
"""


@pytest.mark.slow
def test_the_step_of_a_keras_training_is_named_with_its_tensor_and_what_moved_first(
    tmp_path: Path, ask: Ask
) -> None:
    project = Project.made(tmp_path / "project", KERAS_STEPS)
    assert project.record("train.py", TF_NUM_INTRAOP_THREADS="2").returncode == 0
    words = ("rerun", "latest", *HERE, "--threads", 1, "--json")

    answer = ask(*words, cwd=project.folder)

    assert answer.code == 1
    assert answer.data["first"]["what"] == "the end of epoch 2"
    found = answer.data["bisection"]
    assert (found["reason"], found["first"]["what"]) == ("", "step 7 (epoch 2)")
    assert found["first"]["leaves"][0]["label"].endswith("dense/bias")
    assert found["first"]["leaves"][0]["shape"] == [4]
    assert found["moved"]["what"] == "state"
    assert found["causes"][0]["fact"] == "weights between steps"
