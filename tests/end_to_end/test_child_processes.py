"""Child processes that train: rerun, named, and never called identical."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recorded import Ask, Project

pytestmark = pytest.mark.slow

SPAWNED = """
import multiprocessing

import wandb_repro


def train():
    import keras
    import numpy as np

    wandb_repro.init(project="children")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)


if __name__ == "__main__":
    run = wandb_repro.init(project="children", seed=3)
    child = multiprocessing.get_context("spawn").Process(target=train)
    child.start()
    child.join()
    run.log({"exit code": child.exitcode})
"""

FORKED = """
import multiprocessing

import keras
import numpy as np
import tensorflow as tf

import wandb_repro


# Eager and small: TensorFlow's threads do not survive a fork.
def train():
    weights = keras.Variable(np.zeros(2, "float32"))
    keras.optimizers.SGD(0.1).apply([np.ones(2, "float32")], [weights])


def train_without_an_optimizer():
    weights = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights * weights)
    weights.assign_sub(0.1 * tape.gradient(loss, weights))


run = wandb_repro.init(project="children", config={"epochs": 1})
for target in (train, train_without_an_optimizer):
    child = multiprocessing.get_context("fork").Process(target=target)
    child.start()
    child.join()
    run.log({"exit code": child.exitcode})
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", jit_compile=False)
model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)
"""


def recorded(folder: Path, script: str) -> Project:
    project = Project.made(folder / "project", script)
    assert project.record("train.py").returncode == 0
    return project


def test_a_forked_child_that_trains_keeps_the_verdict_from_identical(
    tmp_path: Path, ask: Ask
) -> None:
    project = recorded(tmp_path, FORKED)
    run = project.run_folder

    shown = ask("show", run, cwd=project.folder)
    who = "ach of 2 child processes (ForkProcess-1, ForkProcess-2) trained"
    assert f"E{who}" in shown.text
    answer = ask("rerun", run, "--yes", "--env", "here", cwd=project.folder)
    assert answer.code == 3, answer.err
    assert "inconclusive" in answer.text
    assert f"in the original, e{who}" in answer.text


def test_a_spawned_child_has_a_record_of_its_own_and_a_seed_that_its_rerun_has_too(
    tmp_path: Path, ask: Ask
) -> None:
    project = recorded(tmp_path, SPAWNED)
    parent, child = (folder.parent.parent for folder in project.capsules()[::-1])

    shown = ask("show", parent, cwd=project.folder)
    assert f"SpawnProcess-1: wandb/{child.name}" in shown.text
    answer = ask("rerun", parent, "--yes", "--env", "here", cwd=project.folder)
    assert answer.code == 3, answer.err
    (rerun,) = project.reruns()
    again = [folder.parent.parent for folder in Project(rerun).capsules()]
    assert len(again) == 2
    # A path that is longer than a line is folded inside a word.
    text = "".join(answer.text.split())
    both = [str(child), *(str(folder) for folder in again if folder.name in text)]
    verdict = ask("verify", *both, cwd=project.folder)
    assert verdict.code == 0, verdict.text
