"""What the trail adds to an epoch of a ResNet50-sized model."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import lines_told

_BATCH = 32
_STEPS = 100

_SCRIPT = f"""
import time
import keras, numpy as np
from pathlib import Path
from wandb_repro.keras import variables_of
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.trail_sink import Point

model = keras.applications.ResNet50(weights=None)
model.compile("adam", "sparse_categorical_crossentropy")
x = np.zeros(({_BATCH}, 224, 224, 3), "float32")
y = np.zeros({_BATCH}, "int64")
model.train_on_batch(x, y)
started = time.perf_counter()
for _ in range(2):
    model.train_on_batch(x, y)
step = (time.perf_counter() - started) / 2
recorder = TrailRecorder(Path("trail.jsonl"), None)
recorder.begin_fit()
times = []
for epoch in range(4):
    started = time.perf_counter()
    recorder.weights(Point("epoch", 1, epoch, epoch), variables_of(model))
    times.append(time.perf_counter() - started)
size = sum(v.value.nbytes for v in variables_of(model))
print(step, size, sorted(times)[1], sep="\\n")
"""


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        step, size, digest = _told(folder)
    epoch = step * _STEPS
    yield f"ResNet50 and Adam, {size / 1e6:.0f} MB, batch {_BATCH}: {step:.2f} s a step"
    yield (
        f"epoch record {digest:.3f} s over {_STEPS} steps = {epoch:.0f} s: "
        f"{100 * digest / epoch:.3f}% of the epoch   (budget 0.5%)"
    )


def _told(folder: Path) -> tuple[float, float, float]:
    step, size, digest = (float(line) for line in lines_told(_SCRIPT, folder)[-3:])
    return step, size, digest
