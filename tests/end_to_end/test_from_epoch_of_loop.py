"""A loop of one's own that was killed continues, and a part of it is replayed from a checkpoint."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.recorded import Ask, Project
from wandb_repro.manifest.trail_records import Checkpoint, Resumed

SCRIPT = """\
import os
import signal

import keras
import numpy as np
import tensorflow as tf
from network import SIZE

import wandb_repro

run = wandb_repro.init(project="loop", seed=7)
kill_in = os.environ.get("NUMBERS_KILL_IN", "")
x = np.random.normal(size=(48, 4)).astype("float32")
data = tf.data.Dataset.from_tensor_slices((x, x.sum(1, keepdims=True))).shuffle(48).batch(8)
noise = wandb_repro.register(np.random.default_rng(3))
model = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(SIZE), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
)
optimizer = keras.optimizers.Adam(0.01)


@tf.function
def train(a, b):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(a, training=True) - b))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


watch = wandb_repro.watch(model, optimizers=[optimizer], checkpoint="ckpt", keep=9)
for epoch in watch.epochs(4):
    print("epoch", epoch)
    for a, b in watch.batches(data):
        if kill_in == str(epoch):
            os.kill(os.getpid(), signal.SIGKILL)
        watch.step(loss=train(a + noise.normal(size=a.shape) * 0.01, b))
"""


@pytest.mark.slow
def test_a_part_of_a_loop_is_replayed_and_a_killed_loop_continues(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project", SCRIPT)
    assert project.record("train.py").returncode == 0
    whole = project.capsule
    saved = [it.epoch for it in project.trail.of(Checkpoint) if it.digest]
    assert saved == [1, 2, 3, 4]

    words = ("rerun", "latest", "--env", "here", "--yes", "--json", "--from-epoch", "2")
    answer = ask(*words, "--until-epoch", "4", cwd=project.folder)
    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"
    assert "epoch 2" in answer.err
    assert "epoch 1" not in answer.err

    (project.folder / "ckpt").rename(tmp_path / "moved")
    killed = project.record("train.py", NUMBERS_KILL_IN="3")
    assert killed.returncode == -signal.SIGKILL
    assert project.record("train.py").returncode == 0
    (resumed,) = project.trail.of(Resumed)
    assert (resumed.epoch, resumed.inexact) == (3, ())
    answer = ask("verify", whole.folder, project.capsule.folder, "--json", cwd=project.folder)
    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"
