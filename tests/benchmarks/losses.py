"""What the callback adds to a step at its defaults, beside how much steps vary.

What of it are loss and metrics is timed inside of it: less than two epochs are apart.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import QUIET, lines_told

_STEPS = 400
_ROUNDS = 9

_SCRIPT = f"""
import time
import keras, numpy as np
import wandb_repro
from wandb_repro.keras import ReproCallback
from wandb_repro.recording.fit.losses import LossBuffer

wandb_repro.init(project="losses", seed=1)
x = np.random.default_rng(0).normal(size=(64 * {_STEPS}, 64)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int32")
layers = keras.layers
model = keras.Sequential(
    [keras.Input((64,)), layers.Dense(256, "relu"), layers.Dense(256, "relu"), layers.Dense(2)]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss, metrics=["accuracy"])


class Clock(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.at = [time.perf_counter()]

    def on_train_batch_end(self, batch, logs=None):
        self.at.append(time.perf_counter())


def step_s(*callbacks):
    clock = Clock()
    model.fit(x, y, batch_size=64, verbose=0, shuffle=False, callbacks=[*callbacks, clock])
    return (clock.at[-1] - clock.at[10]) / (len(clock.at) - 11)


spent = []
take = LossBuffer.take


def timed(*given):
    started = time.perf_counter()
    take(*given)
    spent.append(time.perf_counter() - started)


LossBuffer.take = timed
step_s(ReproCallback())
for _ in range({_ROUNDS}):
    spent.clear()
    print(step_s(), step_s(ReproCallback()), step_s(), sum(spent) / len(spent))
"""


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        lines = lines_told(_SCRIPT, Path(name), dict(QUIET))[-_ROUNDS:]
    rounds = [tuple(1e6 * float(told) for told in line.split()) for line in lines]
    plain = statistics.median(before for before, *_ in rounds)
    ours = statistics.median(step - (before + after) / 2 for before, step, after, _ in rounds)
    apart = statistics.median(abs(after - before) for before, _, after, _ in rounds)
    yield f"a step without us {plain:.0f} us, of two such epochs {apart:.0f} us apart"
    taken = statistics.median(losses for *_, losses in rounds)
    yield f"loss and accuracy of a step recorded: {taken:.0f} us   (budget: not measurable)"
    yield f"the whole callback, which looks at an epoch's first batches too: {ours:+.0f} us"
