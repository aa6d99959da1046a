"""What others do to tell whether two trainings are equal, on one model, beside this."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import lines_told
from wandb_repro.errors import RebuildError
from wandb_repro.rerun.environment.uv import find_uv

_SCRIPT = """
import hashlib, os, sys, tempfile, time
from pathlib import Path
import joblib, keras, numpy as np, wandb
from wandb_repro.state.keras_state import Reader
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.trail_sink import Point

model = keras.applications.ResNet50(weights=None)
model.compile("adam", "sparse_categorical_crossentropy")
model.optimizer.build(model.trainable_variables)
everything = [*model.variables, *model.optimizer.variables]
saved = Path("weights.npz")
recorder = TrailRecorder(Path("trail.jsonl"), None)
recorder.begin_fit()
reader = Reader(model)
step = 0

def plain():
    for value in arrays:
        value.sum()

def by_hand():
    found = hashlib.sha256()
    for value in [it.numpy() for it in everything]:
        found.update(value.tobytes())

def by_joblib():
    joblib.hash([it.numpy() for it in everything])

def save():
    np.savez(saved, *[it.numpy() for it in everything])

def by_wandb():
    artifact = wandb.Artifact("weights", "model")
    artifact.add_file(str(saved))
    artifact.digest

def ours(moment):
    global step
    step += 1
    recorder.weights(Point(moment, 1, step, step), reader.read())

arrays = [np.asarray(it.value.numpy()).reshape(-1).view("u1") for it in everything]
arrays = [it.view("u8") if it.size % 8 == 0 else it for it in arrays]
size = sum(it.nbytes for it in arrays)
work = {
    "plain": plain, "by hand": by_hand, "joblib": by_joblib, "save": save, "wandb": by_wandb,
    "epoch": lambda: ours("epoch"), "step": lambda: ours("step"),
}
times = {name: [] for name in work}
for _ in range(3):
    for name, call in work.items():
        os.sync()  # or the next to write waits for what the one before has written
        started = time.perf_counter()
        call()
        times[name].append(time.perf_counter() - started)
print(len(everything), size, *(sorted(it)[1] for it in times.values()), sep="\\n")
"""

_SIGNERS = ("model-signing", "pyopenssl")
_SIGNING = """
import sys, time
from pathlib import Path
from model_signing import hashing

times = []
for _ in range(3):
    started = time.perf_counter()
    hashing.Config().hash(Path(sys.argv[1]))
    times.append(time.perf_counter() - started)
print(sorted(times)[1])
"""


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = [float(line) for line in lines_told(_SCRIPT, folder)[-9:]]
        count, size, limit, by_hand, by_joblib, save, by_wandb, epoch, step = told
        yield (
            f"ResNet50 and Adam: {count:.0f} variables, {size / 1e6:.0f} MB; plain sum of it "
            f"{limit * 1000:.0f} ms = 1"
        )
        yield f"SHA-256 over all bytes, by hand: {by_hand / limit:.1f} an epoch or a step"
        yield f"joblib.hash: {by_joblib / limit:.1f} an epoch or a step"
        yield f"W&B artifact: {by_wandb / limit:.1f}, and {save / limit:.1f} to save the file"
        yield _signing(folder, limit, save)
        yield f"this, at an epoch, with its numbers and on the disk: {epoch / limit:.1f}"
        yield f"this, at a step: {step / limit:.2f}   (budget {1.5 + count * 10e-6 / limit:.2f})"


def _signing(folder: Path, limit: float, save: float) -> str:
    environment = folder / "signing"
    python = str(environment / "bin" / "python")
    try:
        uv = find_uv()
        _run(str(uv), "venv", "--quiet", "--python", sys.executable, str(environment))
        _run(str(uv), "pip", "install", "--quiet", "--python", python, *_SIGNERS)
        took = float(_run(python, "-c", _SIGNING, str(folder / "weights.npz")))
    except (OSError, RebuildError, subprocess.SubprocessError, ValueError) as error:
        why = getattr(error, "stderr", "") or str(error)
        return f"model-signing: not measured, {why.strip().splitlines()[-1][:120]}"
    return f"model-signing: {took / limit:.1f}, and {save / limit:.1f} to save the file"


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout.strip()
