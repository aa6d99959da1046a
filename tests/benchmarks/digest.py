"""How fast weights are digested, beside the speed at which this machine reads memory."""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from tests.benchmarks.children import lines_told
from wandb_repro import digest
from wandb_repro.digest import Array, leaf_digest, leaf_digests

_BYTES = 256 << 20
_ROUNDS = 9

_VARIABLES = """
import tempfile, time
from pathlib import Path
import keras, numpy as np
from wandb_repro.state.keras_state import Reader
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.trail_sink import Point

class Model:
    layers, non_trainable_weights = [], []
    def __init__(self, count, shape):
        ones = np.ones(shape, "float32")
        self.trainable_variables = [keras.Variable(ones * at) for at in range(count)]
        self.variables = self.weights = self.trainable_variables

def of_step(count, shape):
    model = Model(count, shape)
    reader = Reader(model)
    recorder = TrailRecorder(Path(tempfile.mkdtemp(), "trail.jsonl"), None)
    recorder.begin_fit()
    reads, steps, sums = [], [], []
    for step in range(1, 10):
        for variable in model.trainable_variables:
            variable.value.assign_add(variable.value * 0 + 1)
        started = time.perf_counter()
        found = reader.read()
        reads.append(time.perf_counter() - started)
        recorder.weights(Point("step", 1, 0, step), found)
        steps.append(time.perf_counter() - started)
        wide = [np.asarray(it.value).reshape(-1).view("u4") for it in found]
        wide = [it.view("u8") if it.size % 2 == 0 else it for it in wide]
        started = time.perf_counter()
        for it in wide:
            it.sum()
        sums.append(time.perf_counter() - started)
    print(min(reads), min(steps), min(sums), sep="\\n")

of_step(1000, (16,))
of_step(100, (512, 1024))
"""


def measure() -> Iterator[str]:
    yield from _of_memory()
    yield from _of_small()
    yield from _of_variables()


def _of_memory() -> Iterator[str]:
    block = np.random.default_rng(1).integers(0, 2**63, _BYTES // 8, dtype=np.uint64)
    parts = [cast("Array", part) for part in np.split(block, 32)]
    took = _medians(
        {
            "plain sum": lambda: block.sum(),
            "one core": lambda: [leaf_digest(part) for part in parts],
            "all": lambda: leaf_digests(parts),
            "one variable": lambda: leaf_digest(cast("Array", block)),
        }
    )
    slow: Any = np.split(block, 8)[0]
    others = _medians(
        {
            "SHA-256": lambda: hashlib.sha256(slow).digest(),
            "MD5": lambda: hashlib.md5(slow, usedforsecurity=False).digest(),
            "plain": lambda: slow.sum(),
        },
        rounds=3,
    )
    limit = took["plain sum"]
    yield f"plain 64-bit sum of {_BYTES >> 20} MiB, one core: {_BYTES / limit / 1e9:.1f} GB/s"
    yield f"one variable: {limit / took['one variable']:.2f} of that speed   (budget 0.8)"
    yield f"32 variables, one core: {limit / took['one core']:.2f}   (budget 0.8)"
    yield f"32 variables, {digest._cores()} cores: {limit / took['all']:.2f}   (budget 0.8)"  # pyright: ignore[reportPrivateUsage]
    for name in ("SHA-256", "MD5"):
        yield f"{name}: {others['plain'] / others[name]:.3f} of that speed"


def _of_small() -> Iterator[str]:
    arrays = [cast("Array", np.full(16, at, "float32")) for at in range(1000)]
    took = _medians({"small": lambda: leaf_digests(arrays)})["small"]
    yield f"1,000 arrays of 16 numbers: {took * 1000:.1f} ms   (budget 10)"


def _of_variables() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        told = [float(line) for line in lines_told(_VARIABLES, Path(name))[-6:]]
    read, step, _ = told[:3]
    yield (
        f"1,000 small TensorFlow variables: read in {read * 1000:.1f} ms, a whole step record in "
        f"{step * 1000:.1f} ms, {step * 1000:.1f} us a variable   (budget 10)"
    )
    _, step, limit = told[3:]
    budget = 1.5 * limit + 100 * 10e-6
    yield (
        f"100 variables, 210 MB: step record {step * 1000:.0f} ms, {step / limit:.2f} of a plain "
        f"sum   (budget {budget / limit:.2f})"
    )


def _medians(timed: dict[str, Callable[[], Any]], rounds: int = _ROUNDS) -> dict[str, float]:
    """Return each median in seconds; they take turns, so that a busy machine hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(rounds):
        for name, call in timed.items():
            started = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in times.items()}
