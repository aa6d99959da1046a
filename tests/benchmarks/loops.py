"""What ``watch.step`` adds to a step, beside what the callback adds to a step of a fit."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import QUIET, lines_told

_STEPS = 400
_ROUNDS = 7

_SCRIPT = f"""
import time
import keras, numpy as np, tensorflow as tf
import wandb_repro
from wandb_repro.keras import ReproCallback
from wandb_repro.recording.loop.watch import Watch

wandb_repro.init(project="loops", seed=1)
x = np.random.default_rng(0).normal(size=(64 * {_STEPS}, 64)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int32")
layers = keras.layers
model = keras.Sequential(
    [keras.Input((64,)), layers.Dense(256, "relu"), layers.Dense(256, "relu"), layers.Dense(2)]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss)
spent = []


def timed(kind, name):
    call = getattr(kind, name)

    def measured(*given, **named):
        started = time.perf_counter()
        try:
            return call(*given, **named)
        finally:
            spent.append(time.perf_counter() - started)

    setattr(kind, name, measured)


# All that runs in a step of a fit, its first digest and its batches left out.
for name in ("batch_began", "on_train_batch_end", "step_ended", "all_acted"):
    timed(ReproCallback, name)
timed(Watch, "step")


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        found = loss(y, model(x, training=True))
    model.optimizer.apply_gradients(
        zip(tape.gradient(found, model.trainable_variables), model.trainable_variables)
    )
    return found


def fit():
    model.fit(x, y, batch_size=64, verbose=0, shuffle=False, callbacks=[ReproCallback()])


def loop():
    watch = wandb_repro.watch(model, optimizers=[model.optimizer])
    for first in watch.batches(range(0, len(x), 64)):
        watch.step(loss=step(x[first : first + 64], y[first : first + 64]))
    watch.finish()


def per_step(train, calls):
    spent.clear()
    train()
    # The first step digests all weights, on both sides: the median of sums leaves it out.
    sums = [sum(spent[at : at + calls]) for at in range(0, len(spent) - calls + 1, calls)]
    middle = sorted(sums)[len(sums) // 2]
    return middle, sum(sums[2:]) / len(sums[2:])


fit(), loop()
for _ in range({_ROUNDS}):
    print(*per_step(fit, 4), *per_step(loop, 1))
"""


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        lines = lines_told(_SCRIPT, Path(name), dict(QUIET))[-_ROUNDS:]
    rounds = [tuple(1e6 * float(told) for told in line.split()) for line in lines]
    _, fit, _, loop = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(each[3] / each[1] for each in rounds)
    yield f"the callback in a step of fit: {fit:.1f} us; watch.step in a loop: {loop:.1f} us"
    yield f"ratio {ratio:.2f}   (budget: 1.1)"
