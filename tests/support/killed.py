"""Trainings that are killed again and again and started again, and one that is never stopped.

TensorFlow is imported once, by a parent that forks each attempt: an attempt is a fresh process for
all that a training draws and holds, and begins in a tenth of a second.
"""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.support.training import run_child

__all__ = ["COMMON", "Outcome", "killed_and_resumed"]

COMMON = """
import os
import time
import keras
import numpy as np
import tensorflow as tf
from wandb_repro.keras import ReproCheckpoint
import wandb_repro

keras.utils.set_random_seed(11)
drawn = np.random.default_rng(5)
x = drawn.normal(size=(96, 6)).astype("float32")
y = (x[:, :1] > 0).astype("float32")

# Epochs of a few milliseconds would be over before a signal arrives on a busy machine.
# So none takes less than this, and while more kills are to come, a third of one attempt waits.
begun = []

def wait(epoch, logs):
    begun.append(epoch)
    time.sleep(0.06)
    while len(begun) > 2 and os.path.exists("brake"):
        time.sleep(0.01)

pause = keras.callbacks.LambdaCallback(on_epoch_begin=wait)

def model_of(rate=1e-2, **more):
    model = keras.Sequential([
        keras.Input((6,)), keras.layers.Dense(8, activation="relu"),
        keras.layers.BatchNormalization(), keras.layers.Dropout(0.4), keras.layers.Dense(1),
    ])
    model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False, **more)
    return model
"""
"""First lines of a script."""

_LAST = """
import hashlib, json, sys
from wandb_repro.keras import variables_of
told = hashlib.sha256()
for one in variables_of(model):
    told.update(one.value.tobytes())
import pathlib
pathlib.Path("ended.json").write_text(json.dumps({
    "bits": told.hexdigest(), "history": model.history.history, "epochs": model.history.epoch,
}))
"""

_PARENT = '''
import json, os, pathlib, random, signal, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy, tensorflow, xxhash
from wandb_repro.keras import ReproCallback, ReproCheckpoint

plan = json.load(open(sys.argv[1]))
script = open(plan["script"]).read()
draw = random.Random(plan["seed"])

def begun(folder, log):
    os.makedirs(folder, exist_ok=True)
    child = os.fork()
    if child:
        return child
    os.chdir(folder)
    for number, name in ((1, log), (2, log)):
        os.dup2(os.open(name, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    code = 1
    try:
        exec(compile(script, plan["script"], "exec"), {"__name__": "__main__"})
        code = 0
        import atexit
        atexit._run_exitfuncs()
    except BaseException:
        import traceback
        traceback.print_exc()
    finally:
        sys.stdout.flush(); sys.stderr.flush()
        os._exit(code)

def saved(folder):
    return sorted(pathlib.Path(folder).glob("ckpt/fit-*.ckpt"))

def ended(child, until, seen=None):
    """Return the status of a child that ends before; None of one that trains on."""
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        if seen is not None and [it.name for it in saved(plan["stopped"])] != seen:
            return None
        time.sleep(0.002)

started = time.time()
child = begun(plan["never"], "log.txt")
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
files = saved(plan["never"])
first = files[0].stat().st_mtime - started
epoch = (files[-1].stat().st_mtime - files[0].stat().st_mtime) / max(1, len(files) - 1)
told = {"never": code, "killed": 0, "attempts": 0}
brake = pathlib.Path(plan["stopped"], "brake")
brake.parent.mkdir()
while told["attempts"] < 200:
    told["attempts"] += 1
    brake.touch() if told["killed"] < plan["kills"] else brake.unlink(missing_ok=True)
    before = [it.name for it in saved(plan["stopped"])]
    child = begun(plan["stopped"], "log.txt")
    if told["killed"] < plan["kills"]:
        # At any moment: now and then before the first epoch is over, else within some epochs.
        now = time.monotonic()
        if draw.random() < 0.2:
            status = ended(child, now + draw.uniform(0, first), before)
        else:
            status = ended(child, now + 60, before)
            if status is None:
                status = ended(child, time.monotonic() + draw.uniform(0, 1.5 * epoch))
        if status is None:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            told["killed"] += 1
            continue
    else:
        status = os.waitpid(child, 0)[1]
    told["stopped"] = os.waitstatus_to_exitcode(status)
    break
print(json.dumps(told))
'''


@dataclass(frozen=True)
class Outcome:
    """A training that was killed, and the same one that was not."""

    never: dict[str, object]
    """What the one that was never stopped ended with."""
    stopped: dict[str, object]
    killed: int
    log: str
    """What the attempts said."""
    log_of_never: str


def killed_and_resumed(folder: Path, script: str, *, kills: int, seed: int = 1) -> Outcome:
    """Train once without a stop; and once killed at random moments, started again each time.

    Args:
        folder: for both.
        script: trains ``model`` with a ``ReproCheckpoint("ckpt")``; ``COMMON`` stands before it.
        kills: how often. A training that ends before is ended too early for the rest.
        seed: of the moments.
    """
    path = folder / "script.py"
    path.write_text(COMMON + textwrap.dedent(script) + _LAST)
    never, stopped = folder / "never", folder / "stopped"
    plan = {
        "script": str(path),
        "seed": seed,
        "kills": kills,
        "never": str(never),
        "stopped": str(stopped),
    }
    told = folder / "plan.json"
    told.write_text(json.dumps(plan))
    parent = run_child(folder / "parent", _PARENT, command=(sys.executable, "train.py", str(told)))
    assert parent.returncode == 0, parent.err
    codes = json.loads(parent.out)
    logs = [(it / "log.txt").read_text() for it in (stopped, never)]
    assert (codes["never"], codes.get("stopped")) == (0, 0), "\n".join([str(codes), *logs])
    ended = [json.loads((it / "ended.json").read_text()) for it in (never, stopped)]
    return Outcome(ended[0], ended[1], codes["killed"], *logs)
