"""A training killed after its second epoch of five: which pipelines go on with the same bits."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import lines_told

_PIPELINES = {
    "NumPy, shuffled": "given = dict(x=x, y=y, batch_size=8)",
    "NumPy, CosineDecay": (
        "given = dict(x=x, y=y, batch_size=8)\n"
        "rate = keras.optimizers.schedules.CosineDecay(1e-2, 60)"
    ),
    "NumPy, ReduceLROnPlateau": (
        "given = dict(x=x, y=y, batch_size=8)\n"
        "more = [keras.callbacks.ReduceLROnPlateau("
        "monitor='loss', patience=1, min_delta=10.0, factor=0.5)]"
    ),
    "NumPy, EarlyStopping": (
        "given = dict(x=x, y=y, batch_size=8)\n"
        "more = [keras.callbacks.EarlyStopping("
        "monitor='loss', patience=3, min_delta=10.0, restore_best_weights=True)]"
    ),
    "tf.data shuffle": "given = dict(x=slices.shuffle(96).batch(8))",
    "tf.data shuffle, stateless noise": (
        "def noisy(seed, pair):\n"
        "    noise = tf.random.stateless_normal(tf.shape(pair[0]), tf.stack([seed, seed]))\n"
        "    return pair[0] + noise, pair[1]\n"
        "seeds = tf.data.Dataset.random(seed=4, rerandomize_each_iteration=True)\n"
        "both = tf.data.Dataset.zip((seeds, slices.shuffle(96).batch(8)))\n"
        "given = dict(x=both.map(noisy, tf.data.AUTOTUNE).prefetch(2))"
    ),
    "tf.data shuffle.repeat, steps_per_epoch": (
        "given = dict(x=slices.shuffle(96).repeat().batch(8), steps_per_epoch=7)"
    ),
    "PyDataset, order and noise": (
        "class Batches(keras.utils.PyDataset):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.order = np.arange(96)\n"
        "    def __len__(self):\n"
        "        return 12\n"
        "    def __getitem__(self, at):\n"
        "        rows = self.order[at * 8 : at * 8 + 8]\n"
        "        return x[rows] + np.random.normal(size=(8, 6)).astype('float32'), y[rows]\n"
        "    def on_epoch_end(self):\n"
        "        np.random.shuffle(self.order)\n"
        "given = dict(x=Batches())"
    ),
}

_TRAINING = """
keras.utils.set_random_seed(11)
x = np.random.default_rng(5).normal(size=(96, 6)).astype("float32")
y = (x[:, :1] > 0).astype("float32")
slices = tf.data.Dataset.from_tensor_slices((x, y))
rate, more = 1e-2, []
exec(pipeline)
layers = keras.layers
model = keras.Sequential([
    keras.Input((6,)), layers.Dense(8, activation="relu"), layers.BatchNormalization(),
    layers.Dropout(0.4), layers.Dense(1),
])
model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
if kind == "ours":
    more.append(ReproCheckpoint(folder))
if kind == "theirs":
    more.append(keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False))
if stops:
    kill = lambda epoch, logs: os.kill(os.getpid(), signal.SIGKILL) if epoch == 2 else None
    more.append(keras.callbacks.LambdaCallback(on_epoch_begin=kill))
model.fit(**given, epochs=5, verbose=0, callbacks=more)
told = hashlib.sha256()
for one in variables_of(model):
    told.update(one.value.tobytes())
open(answer, "w").write(told.hexdigest())
"""

_SCRIPT = """
import hashlib, json, os, signal, sys, tempfile
import keras, numpy as np, tensorflow as tf
from wandb_repro.keras import ReproCheckpoint, variables_of

keras.config.disable_traceback_filtering()

def trained(pipeline, kind, folder, stops):
    answer = os.path.join(os.getcwd(), "answer.txt")
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            names = dict(globals(), pipeline=pipeline, kind=kind, folder=folder, stops=stops)
            exec({training!r}, {{**names, "answer": answer}})
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    if stops:
        return ""
    told = open(answer).read()
    os.remove(answer)
    return told

for name, pipeline in json.loads({pipelines!r}).items():
    told = {{"": trained(pipeline, "", "", False)}}
    for kind in ("theirs", "ours"):
        folder = tempfile.mkdtemp()
        trained(pipeline, kind, folder, True)
        told[kind] = trained(pipeline, kind, folder, False)
    print(json.dumps([name, told["theirs"] == told[""], told["ours"] == told[""]]), flush=True)
"""


def measure() -> Iterator[str]:
    script = _SCRIPT.format(training=_TRAINING, pipelines=json.dumps(_PIPELINES))
    with tempfile.TemporaryDirectory() as name:
        lines = lines_told(script, Path(name))
    width = max(map(len, _PIPELINES))
    yield f"{'the same bits as never stopped?':{width}}   BackupAndRestore  ReproCheckpoint"
    for line in lines:
        pipeline, theirs, ours = json.loads(line)
        words = ("no", "yes")
        yield f"{pipeline:{width}}   {words[theirs]:16}  {words[ours]}"
