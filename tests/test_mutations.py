"""One thing is changed in a real training: its step, its tensor and its cause are named.

What a script does is changed in one process, run after run; what a process is started with, in one
more process for each. A training of two epochs, three steps each; what is spoiled is spoiled at the
fifth step.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from wandb_repro.repeat import verify
from wandb_repro.store.base import Capsule
from wandb_repro.verify.verdict import Verdict

TRAIN = '''\
"""Trains a small convolutional network once for each word in MUTATIONS."""

import os

import keras
import numpy as np
import tensorflow as tf

import wandb_repro
from wandb_repro.keras import ReproCallback

X = np.random.default_rng(0).normal(size=(192, 8, 8, 1)).astype("float32")
Y = (np.arange(192) % 10).astype("int32")


class Flip(keras.callbacks.Callback):
    """Flips the last bit of one weight after the fourth step."""

    steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == 4:
            kernel = self.model.layers[0].kernel
            value = np.array(kernel)
            value.view("int32").reshape(-1)[0] ^= 1
            kernel.assign(value)


class Shared(keras.utils.PyDataset):
    """Two workers draw noise from one generator."""

    def __init__(self):
        super().__init__(workers=2)
        self.rng = np.random.default_rng(1)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(64 * index, 64 * index + 64)
        for _ in range(200):
            noise = self.rng.normal(size=(64, 8, 8, 1)).astype("float32")
        return X[rows] + noise, Y[rows]


def batches(mutation):
    epochs = 0

    def one_epoch():
        nonlocal epochs
        epochs += 1
        order = [0, 1, 2]
        if mutation == "swap" and epochs == 2:
            order = [0, 2, 1]
        for place, batch in enumerate(order):
            x, y = X[64 * batch : 64 * batch + 64].copy(), Y[64 * batch : 64 * batch + 64]
            if mutation == "example" and (epochs, place) == (2, 1):
                x[7] = -x[7]
            yield x, y

    like = (tf.TensorSpec((64, 8, 8, 1), "float32"), tf.TensorSpec((64,), "int32"))
    found = tf.data.Dataset.from_generator(one_epoch, output_signature=like)
    return found.apply(tf.data.experimental.assert_cardinality(3))


def train(mutation):
    keras.utils.clear_session()
    run = wandb_repro.init(
        project="mutations",
        id=mutation,
        config={"lr": 2e-3 if mutation == "lr" else 1e-3},
        seed=7,
        deterministic=True if mutation == "deterministic" else None,
    )
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.2, seed=2 if mutation == "dropout" else 1),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(run.config["lr"]), loss, jit_compile=mutation == "jit")
    callbacks = [ReproCallback(steps=1), *([Flip()] if mutation == "flip" else [])]
    data = Shared() if mutation.startswith("workers") else batches(mutation)
    model.fit(data, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
    run.finish()


for mutation in os.environ["MUTATIONS"].split():
    train(mutation)
'''

IN_SCRIPT = "base again flip example swap lr dropout jit workers-1 workers-2 deterministic"
SETTINGS = {
    "onednn-off": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    # oneDNN's own kernels gave the same bits on one thread and on two; TensorFlow's did not.
    "one-thread": {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "1"},
    "capped": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
}
USUAL = {
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_NUM_INTRAOP_THREADS": "2",
    # By itself it is on where the processor has instructions for networks, and off elsewhere.
    "TF_ENABLE_ONEDNN_OPTS": "1",
}


@dataclass(frozen=True)
class Runs:
    """What was recorded, by the name of what was changed."""

    folder: Path

    def record(self, names: str, **environ: str) -> None:
        """Train once for each name, in one process."""
        dropped = ("WANDB_", "TF_", "PYTHON", "ONEDNN_", "MUTATIONS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        own = {**USUAL, **environ, "WANDB_DIR": str(self.folder), "MUTATIONS": names}
        command = [sys.executable, "train.py"]
        subprocess.run(command, cwd=self.folder, env={**kept, **own}, check=True, timeout=900)

    def capsule(self, name: str) -> Capsule:
        """Return what a training left."""
        (run,) = (self.folder / "wandb").glob(f"offline-run-*-{name}")
        return Capsule(run / "files" / "repro")

    def verdict(self, name: str, original: str = "base") -> Verdict:
        """Return the verdict on what was changed."""
        return verify(self.capsule(original), self.capsule(name))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Give all trainings, each recorded once."""
    made = Runs(tmp_path_factory.mktemp("mutations"))
    (made.folder / "train.py").write_text(TRAIN)
    made.record(IN_SCRIPT)
    for name, setting in SETTINGS.items():
        made.record(name, **setting)
    return made


@pytest.mark.slow
def test_nothing_changed_is_identical(runs: Runs) -> None:
    verdict = runs.verdict("again")

    assert verdict.grade == "identical", verdict


CONV, OTHER_CONV = "conv2d/kernel", "conv2d_1/kernel"

# What was changed: the step that is named (0: the initial state), a word of the tensor that is
# named first, what moved first, and kind and fact of the cause that is ranked first.
NAMED: dict[str, tuple[int, str, str, str, str]] = {
    "flip": (5, CONV, "state", "code", "weights between steps"),
    "example": (5, CONV, "data", "data", "batches"),
    "swap": (5, CONV, "data", "data", "batches"),
    "lr": (0, "learning_rate", "initial state", "config", ""),
    "dropout": (0, "seed_generator", "initial state", "seed", "seed of a layer"),
    "jit": (1, "conv2d", "", "framework", "jit_compile"),
    "one-thread": (1, "conv2d", "", "threads", "intra-op threads"),
    "onednn-off": (1, "conv2d", "", "switch", "TF_ENABLE_ONEDNN_OPTS"),
    "capped": (1, "conv2d", "", "switch", "ONEDNN_MAX_CPU_ISA"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_what_was_changed_is_named_by_step_tensor_and_cause(runs: Runs, name: str) -> None:
    step, tensor, moved, kind, fact = NAMED[name]

    verdict = runs.verdict(name, original="onednn-off" if name == "one-thread" else "base")

    assert verdict.grade == "diverged"
    assert verdict.first is not None
    assert verdict.moved is not None
    assert verdict.first.step == step
    assert tensor in verdict.first.leaves[0].label
    assert moved in verdict.moved.what
    assert verdict.causes[0].kind == kind
    assert fact in verdict.causes[0].fact


@pytest.mark.slow
def test_determinism_that_is_off_is_named(runs: Runs) -> None:
    verdict = runs.verdict("base", original="deterministic")

    assert verdict.first is not None
    assert verdict.first.step == 1
    assert (verdict.causes[0].kind, verdict.causes[0].original) == ("determinism", "on")
    assert verdict.causes[0].cure == "pass deterministic=True to init"


@pytest.mark.slow
def test_workers_that_share_a_generator_are_named(runs: Runs) -> None:
    verdict = runs.verdict("workers-2", original="workers-1")

    assert verdict.grade == "diverged"
    assert verdict.first is not None
    assert verdict.first.step >= 1
    assert "parallel workers" in verdict.causes[0].cure
