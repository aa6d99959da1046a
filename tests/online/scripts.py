"""The trainings that these tests record."""

from __future__ import annotations

__all__ = ["OUTPUTS", "PLAIN", "TRAIN", "WAITING"]

TRAIN = '''
"""A small training with a history of its own."""

import keras
import numpy as np
import tensorflow as tf
import wandb
from size import UNITS
from wandb.integration.keras import WandbMetricsLogger

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="online", config={"lr": 0.01, "one": 1.0}, seed=2**31 + 7)

x = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int32")
wandb_repro.fingerprint("train", x, y)
dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(64).batch(16)


class Mine(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        run.log({"mine": epoch + 0.5}, step=epoch)


model = keras.Sequential(
    [
        keras.Input((8,)),
        keras.layers.Dense(UNITS, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(2),
    ]
)
model.compile(
    keras.optimizers.Adam(run.config["lr"]),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(
    dataset,
    epochs=2,
    shuffle=False,
    verbose=0,
    callbacks=[ReproCallback(), Mine(), WandbMetricsLogger()],
)
run.log({"mine": 2.5}, step=2)
'''


def _without_us(script: str) -> str:
    """Return a script as it was before somebody added our lines, with the same seeds."""
    seeded = script.replace(
        'run = wandb_repro.init(project="online", config={"lr": 0.01, "one": 1.0}, seed=2**31 + 7)',
        "keras.utils.set_random_seed(2**31 + 7)\n"
        'run = wandb.init(project="online", config={"lr": 0.01, "one": 1.0})',
    ).replace("ReproCallback(), ", "")
    kept = [line for line in seeded.splitlines() if "wandb_repro" not in line]
    return "\n".join(kept)


PLAIN = _without_us(TRAIN)

OUTPUTS = '''
"""A training that publishes in every way, and notes what each gave back."""

import json
import pathlib

import keras
import numpy as np
import wandb
from wandb.integration.keras import WandbModelCheckpoint

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="outputs", config={}, seed=1)
told = {}


def note(name, publish):
    try:
        told[name] = repr(publish())
    except Exception as error:
        told[name] = f"failed: {type(error).__name__}"


def artifact(name):
    made = wandb.Artifact(name, type="dataset")
    made.add_file("data.txt")
    return made


def mine():
    held = artifact("mine")
    run.log_artifact(held, aliases=["best"])
    held.wait()
    held.aliases.append("better")
    held.save()
    return [held.version, held.name, held.aliases, held.qualified_name, held.size, held.file_count]


pathlib.Path("data.txt").write_text("data")
note("mine", mine)
note("returned", lambda: run.log_artifact(artifact("returned")).wait(timeout=30).version)
note("path", lambda: wandb.log_artifact("data.txt", name="path", type="dataset").wait().name)
note("saved", lambda: artifact("saved").save())
note("linked", lambda: artifact("linked").link("default/registry/linked").name)
note("link_artifact", lambda: run.link_artifact(artifact("moved"), "registry/moved").name)
note("log_code", lambda: run.log_code(".").version)
note("upsert", lambda: run.upsert_artifact(artifact("parts"), distributed_id="d").version)
note("finish", lambda: run.finish_artifact(artifact("parts"), distributed_id="d").version)
note("used", lambda: run.use_artifact(artifact("used")).version)
note("log_model", lambda: run.log_model("data.txt", name="logged-model"))
note("link_model", lambda: run.link_model("data.txt", "registered", name="linked-model").name)
note("alert", lambda: run.alert("Planted title", "Planted text"))
note("module's alert", lambda: wandb.alert(title="Planted title", text="Planted text"))
pathlib.Path(run.dir).with_name("told.json").write_text(json.dumps(told))

x = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(
    x,
    x.sum(axis=1),
    epochs=1,
    verbose=0,
    callbacks=[WandbModelCheckpoint("model.keras"), ReproCallback()],
)
'''

WAITING = TRAIN.replace(
    "        run.log(",
    """        if epoch == 1:
            import os, pathlib, time
            pathlib.Path(os.environ["MEET"], "reached").touch()
            for _ in range(600):
                if pathlib.Path(os.environ["MEET"], "go").exists():
                    break
                time.sleep(0.1)
        run.log(""",
)
"""Waits between its epochs, a minute at most, for a file ``go``."""
