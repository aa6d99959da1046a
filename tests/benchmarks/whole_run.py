"""What it costs to know everything that a run trains, and every row that it logs.

CPU time of the process, where a wall clock would measure what else the machine does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import lines_told, median_of

_CONSTRUCTION = """
import time
import keras
from wandb_repro.recording.watch_creation import watch_creation

WATCHED and watch_creation()


def seconds():
    keras.backend.clear_session()
    started = time.process_time()
    keras.applications.ResNet50(weights=None)
    return time.process_time() - started


seconds()
print(min(seconds() for _ in range(9)))
"""

_STATE = """
import time
import keras, numpy as np
from pathlib import Path
from wandb_repro.recording.process_state import process
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.watch_creation import watch_creation
from wandb_repro.state.whole_state import read_whole_state

watch_creation()
model = keras.applications.ResNet50(weights=None)
model.compile("adam", "sparse_categorical_crossentropy")
model.optimizer.build(model.trainable_variables)
recorder = TrailRecorder(Path("trail.jsonl"), None)
state = read_whole_state(process.registry)
arrays = [np.asarray(variable.value) for variable in state.variables]


def digest():
    started = time.perf_counter()
    recorder.state("logged", 1, read_whole_state(process.registry).variables)
    return time.perf_counter() - started


def copied():
    started = time.perf_counter()
    for array in arrays:
        array.copy()
    return time.perf_counter() - started


digest(), copied()
both = [(copied(), digest()) for _ in range(7)]
print(len(arrays), sum(array.nbytes for array in arrays))
print(*(sorted(column)[3] for column in zip(*both)))
"""

_LOG = """
import time
import wandb, wandb_repro
from wandb.sdk.wandb_run import Run

row = {f"metric_{number}": 0.1 * number for number in range(10)}
NAME = "_partial_history_callback"


def seconds(log, calls):
    setattr(Run, NAME, log)
    # Of this thread: others send what was logged before.
    started = time.thread_time()
    for _ in range(calls):
        run.log(row)
    return (time.thread_time() - started) / calls


run = wandb_repro.init(project="rows", seed=1)
both = getattr(Run, NAME).__wrapped__, getattr(Run, NAME)
[seconds(log, 500) for log in both]
rounds = [[seconds(log, 2_000) for log in both] for _ in range(9)]
print(*(sorted(column)[4] for column in zip(*rounds)))
wandb.finish()
"""

_ROWS = """
from pathlib import Path
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.whole_run import WholeRun

trail = Path("trail.jsonl")
recorder = TrailRecorder(trail)
whole = WholeRun(recorder, lambda: True)
for step in range(100_000):
    whole.log({f"metric_{number}": step / (number + 1) for number in range(10)}, None, None)
recorder.end("finished")
print(trail.stat().st_size)
"""

_SMALL_FIT = """
import time
import keras, numpy as np
import wandb, wandb_repro
from pathlib import Path

x = np.ones((8, 4), "float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(1)])
model.compile("sgd", "mse")


def seconds(fits):
    # Of this thread: TensorFlow's own do the same work in both.
    started = time.thread_time()
    for _ in range(fits):
        model.fit(x, x[:, :1], verbose=0)
    return (time.thread_time() - started) / fits
"""

_FIT_SECONDS = f"""
{_SMALL_FIT}
run = wandb_repro.init(project="fits", seed=1)
seconds(200)
NAME, kind = "on_train_begin", keras.callbacks.CallbackList
ours = vars(kind)[NAME]
rounds = []
for _ in range(15):
    setattr(kind, NAME, ours.begin)
    plain = seconds(10)
    setattr(kind, NAME, ours)
    rounds.append((plain, seconds(10)))
trail = next(Path(run.dir).rglob("trail*"))
size = trail.stat().st_size
seconds(100)
print(*(sorted(column)[7] for column in zip(*rounds)), (trail.stat().st_size - size) / 100)
wandb.finish()
"""

_FIT_MEMORY = f"""
{_SMALL_FIT}
import gc, psutil
run = RECORDS.init(project="fits")
seconds(500)
gc.collect()
before = psutil.Process().memory_info().rss
seconds(FITS)
gc.collect()
print((psutil.Process().memory_info().rss - before) / 2**20)
wandb.finish()
"""

_FITS = 2_000


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        scripts = [_CONSTRUCTION.replace("WATCHED", value) for value in ("False", "True")]
        plain, watched = median_of(5, *((script, Path(name)) for script in scripts))
    yield f"construction of ResNet50: {watched / plain:.3f} times   (budget: 1.02)"
    yield from _state()
    own, ours = map(float, _lines(_LOG)[-1].split())
    over = 1e6 * (ours - own)
    yield f"run.log: {1e6 * own:.1f} us, with us {over:.1f} us more   (budget: 20 us)"
    (size,) = map(int, _lines(_ROWS))
    yield f"100,000 rows of 10 keys: a trail of {size / 1e6:.1f} MB"


def _state() -> Iterator[str]:
    first, second = _lines(_STATE)[-2:]
    variables, size = map(int, first.split())
    copied, digested = map(float, second.split())
    limit = 2.5 * copied + 10e-6 * variables
    yield (
        f"the state of {variables} variables, {size / 1e6:.0f} MB: {1e3 * digested:.0f} ms, "
        f"{digested / limit:.2f} of 2.5 times a copy of its bytes and 10 us a variable"
        "   (budget: 1)"
    )


def measure_small_fits() -> Iterator[str]:
    """Thousands of fits of one batch, as deep Q-learning has them."""
    plain, ours, size = map(float, _lines(_FIT_SECONDS)[-1].split())
    more = 1e3 * (ours - plain)
    yield f"a small fit: {1e3 * plain:.1f} ms, with us {more:.1f} ms more   (budget: 3)"
    yield f"its trail after the hundredth: {size:.0f} bytes   (budget: 1,000)"
    script = _FIT_MEMORY.replace("FITS", str(_FITS))
    without, grown = (
        float(_lines(script.replace("RECORDS", records))[-1])
        for records in ("wandb", "wandb_repro")
    )
    yield (
        f"memory over {_FITS:,} fits: {grown:+.1f} MiB, and {without:+.1f} MiB without us   "
        "(budget: constant)"
    )


def _lines(script: str) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        return lines_told(script, Path(name))
